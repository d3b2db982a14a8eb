"""Which config a command works with."""

from __future__ import annotations

from pathlib import Path

from bot.cli.messages import fail, say
from bot.config.loader import Config, language_in, read_config
from bot.errors import ConfigError, Problem
from bot.text.phones import set_home
from bot.text.problems import prefer_language

PARTS = ("config.yaml", "kb_articles", "data/bot.db")  # each makes a folder that of a bot


def load(path: Path | None, *, anywhere: bool = False) -> Config:
    """The named file, else config.yaml of this folder, else the defaults.

    Ends the command where the file is wrong, or where this folder is no bot's; *anywhere* is for commands
    that need none.
    """
    if path is None and not anywhere and not is_bot_folder():
        raise fail(ConfigError([Problem(say("message.no_bot"), hint=say("message.no_bot_hint"))]))
    try:
        config = read(path)
    except ConfigError as error:
        raise fail(error) from None
    set_home(config.hours.country)
    return config


def is_bot_folder() -> bool:
    """Whether the current folder is that of a bot."""
    return any(Path(part).exists() for part in PARTS)


def read(path: Path | None) -> Config:
    """The same; raises `ConfigError` where the file is wrong. From here on the program speaks the language of
    the business, unless another was asked for.
    """
    file = Path("config.yaml") if path is None and Path("config.yaml").is_file() else path
    prefer_language(language_in(file))
    return read_config(file)


def keeps_articles(before: Config, wanted: Config) -> bool:
    """Whether the articles need not be read again for a changed config."""
    return wanted.knowledge == before.knowledge and wanted.channels.keys() == before.channels.keys()
