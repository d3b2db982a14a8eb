"""The variables a config is read with: those of the process, and those of the file `.env` beside it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from bot.errors import ConfigError
from bot.text.problems import problem

TOKENS = ".env"
OTHERS = 0o077  # rights of everybody but the owner
PRIVATE = 0o600


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


def keep_variable(folder: Path, name: str, value: str) -> None:
    """Write a secret into `.env` of *folder*, which its owner alone may read; all other lines stay.

    Raises `ConfigError` where it cannot be written, or where the value has a sign that no secret has.
    """
    file = folder / TOKENS
    draft = file.with_name(f"{TOKENS}.new")
    if not value.isprintable() or "'" in value or "\\" in value:
        raise ConfigError([problem("config.env_value", str(file), name=name)])
    try:
        before = file.read_text("utf-8-sig") if file.is_file() else ""
        draft.unlink(missing_ok=True)
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(opened, "w", encoding="utf-8", newline="\n") as new:
            new.write(_with_variable(before, name, f"{name}='{value}'\n"))
        draft.replace(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([problem("config.env_unwritable", str(file), reason=reason)]) from None
    finally:
        draft.unlink(missing_ok=True)


def _with_variable(text: str, name: str, line: str) -> str:
    """The file with *line* in place of all that said something of this variable; at the end if nothing
    did.
    """
    parts, written = list[str](), False
    for part in parse_stream(io.StringIO(text)):
        said = part.original.string
        if part.key == name:
            said = said[: len(said) - len(said.lstrip())] + ("" if written else line)
            written = True
        parts.append(said)
    whole = "".join(parts)
    if written:
        return whole
    return whole + ("" if not whole or whole.endswith("\n") else "\n") + line
