"""MAX's channel. Its library is an extra: who configures the channel without it is told what to install."""

from bot.errors import ConfigError
from bot.text.problems import problem

try:
    import maxapi  # noqa: F401
except ImportError as missing:
    raise ConfigError([problem("max.not_installed")]) from missing
