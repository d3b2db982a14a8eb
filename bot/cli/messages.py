"""The words of the command line, and how problems are shown: what, where, what to do."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from bot.errors import BotError, ConfigError, Problem
from bot.text.problems import VARIABLE, reader_language
from bot.text.yaml_source import read_own

EXIT_PROBLEM = 1  # something is wrong with what was asked about
EXIT_USAGE = 2  # the call itself cannot be understood


LANGUAGES = ("ru", "en")


def language() -> str:
    """What `--lang` or BOT_LANG says, else the language of the business; read before the commands are made,
    for their help.
    """
    if (asked := without_language(sys.argv[1:])[1]) in LANGUAGES:
        os.environ[VARIABLE] = asked
    return reader_language()


def without_language(args: Sequence[str]) -> tuple[list[str], str]:
    """The call without `--lang ru`, and the language it asks for; "" where it asks for none.

    Whatever comes after `--` is left alone.
    """
    for n, arg in enumerate(args):
        if arg == "--":
            break
        name, mark, value = arg.partition("=")
        taken = 1 if mark else 2
        value = value if mark else "".join(args[n + 1 : n + 2])
        if name == "--lang" and value:
            code = re.split("[-_.]", value.casefold())[0]
            return [*args[:n], *args[n + taken :]], code if code in LANGUAGES else value
    return list(args), ""


def program_version() -> str:
    """The version that is installed."""
    try:
        return version("otklik")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "?"


@cache
def _words(lang: str) -> Mapping[str, object]:
    loaded: Mapping[str, object] = read_own(Path(__file__).parent / "locales" / f"{lang}.yaml")
    return loaded


def say(key: str, **facts: object) -> str:
    """The text of *key* ("message.page") with its facts."""
    value: object = _words(language())
    for part in key.split("."):
        value = value[part] if isinstance(value, Mapping) else ""
    return str(value).format(**facts) if facts else str(value)


def words_in(lang: str, key: str) -> dict[str, str]:
    """A whole section of words in a language of choice."""
    value: object = _words(lang)
    for part in key.split("."):
        value = value[part] if isinstance(value, Mapping) else {}
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}


def show_problems(problems: Iterable[Problem]) -> None:
    """Each problem on a line of standard error, clickable in editors."""
    for problem in problems:
        word = say("message.error" if problem.severity == "error" else "message.warning")
        typer.secho(f"{word}: {problem}", fg="red" if problem.severity == "error" else "yellow", err=True)


def fail(error: BotError) -> typer.Exit:
    """Show what is wrong; `raise fail(error)` ends the command with exit code 1."""
    if isinstance(error, ConfigError):
        show_problems(error.problems)
    else:
        hint = getattr(error, "hint", "")
        typer.secho(f"{say('message.error')}: {error}" + (f"\n→ {hint}" if hint else ""), fg="red", err=True)
    return typer.Exit(EXIT_PROBLEM)
