"""The variables a config is read with: those of the process, and those of the file `.env` beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from bot.errors import ConfigError
from bot.text.problems import problem

TOKENS = ".env"
OTHERS = 0o077  # rights of everybody but the owner


def environment_beside(folder: Path) -> Mapping[str, str]:
    """What is set in the environment, and what only `.env` of *folder* says.

    Law: no value of the file is ever shown, logged or handed on to another process. Raises `ConfigError`.
    """
    file = folder / TOKENS
    if not file.is_file():
        return os.environ
    try:
        found = dotenv_values(file, interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError([problem("config.env_not_utf8", str(file))]) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([problem("config.env_unreadable", str(file), reason=reason)]) from error
    return {**{name: value for name, value in found.items() if value is not None}, **os.environ}


def seen_by_others(folder: Path) -> bool:
    """Whether other users of the machine may read the file of tokens."""
    file = folder / TOKENS
    return sys.platform != "win32" and file.is_file() and bool(file.stat().st_mode & OTHERS)
