"""`bot init`: asks about the business and makes the folder of its bot, never over a file that is there."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import typer

from bot.cli.messages import EXIT_USAGE, fail, language, say, words_in
from bot.config.loader import Config, read_config
from bot.errors import ConfigError, StorageError
from bot.knowledge.articles.blanks import blanks
from bot.setup.opening_hours import LANGUAGES, read_week, read_zone, starter_words
from bot.setup.owner_folder import TRADES, FolderFacts, OwnerFolder, WrittenFiles
from bot.text.nearest import nearest
from bot.text.problems import prefer_language

Read = TypeVar("Read")
HOURS = "10:00-20:00"


@dataclass(frozen=True, slots=True)
class InitAnswers:
    """What was given by options, in the owner's words; None where it is still to be asked."""

    name: str | None = None
    trade: str | None = None
    language: str | None = None
    timezone: str | None = None
    hours: str | None = None


def init(folder: Path, given: InitAnswers, *, yes: bool) -> None:
    """Make what is missing in *folder* and say what comes next; with *yes* nothing is asked.

    Exit code 1 where the folder cannot be written to or its config is wrong, 2 where an answer is.
    """
    target = OwnerFolder(folder)
    facts, target = (
        _of_config(target, given, yes) if target.config.is_file() else (_asked(target, given, yes), target)
    )
    try:
        files = target.write(facts)
    except OSError as error:
        reason = error.strerror or str(error)
        raise fail(StorageError(say("init.not_written", folder=folder, reason=reason))) from None
    _show(target, files)
    _show_next(target, files)


def _asked(target: OwnerFolder, given: InitAnswers, yes: bool) -> FolderFacts:
    """The facts of a folder that is new."""
    name = given.name if given.name is not None else "" if yes else _question("name", "", _named)
    lang = _answer("language", given.language, language(), _language_of, yes)
    trade = _answer("trade", given.trade, target.trade(lang) or "other", _trade_of, yes)
    zone = _answer("timezone", given.timezone, starter_words(lang)["usual_zone"], read_zone, yes)
    week = _answer("hours", given.hours, HOURS, read_week, yes)
    prefer_language(lang)
    return FolderFacts(name, trade, lang, zone, week)


def _of_config(target: OwnerFolder, given: InitAnswers, yes: bool) -> tuple[FolderFacts, OwnerFolder]:
    """The facts of a folder that has its config: nothing that it says is asked again."""
    try:
        config: Config = read_config(target.config)
    except ConfigError as error:
        raise fail(error) from None
    lang = config.business.language
    prefer_language(lang)
    here = replace(target, articles=config.knowledge.folder, canned=config.canned.folder or "")
    known = here.trade(lang)
    wanted = given.trade or known or None
    trade = "" if here.has_articles and not wanted else _answer("trade", wanted, "other", _trade_of, yes)
    week = {str(day): hours for day, hours in config.hours.week.items()}
    return FolderFacts(config.business.name, trade, lang, config.hours.timezone, week), here


def _answer(key: str, given: str | None, default: str, read: Callable[[str], Read], yes: bool) -> Read:
    """The answer to one question: of its option, of the one who is asked, else the default."""
    if given is None:
        return read(default) if yes else _question(key, default, read)
    try:
        return read(given)
    except ValueError as error:
        typer.secho(f"--{key}: {error}", fg="red", err=True)
        raise typer.Exit(EXIT_USAGE) from None


def _question(key: str, default: str, read: Callable[[str], Read]) -> Read:
    """Ask until the answer can be understood."""
    if key == "trade":
        for number, (trade, words) in enumerate(_trades().items(), 1):
            typer.echo(f"  {number}. {words}" + (f" ({trade})" if trade not in words else ""))
    while True:
        said: str = typer.prompt(say(f"init.ask.{key}"), default=default, show_default=bool(default))
        try:
            return read(said)
        except ValueError as error:
            typer.secho(str(error), fg="yellow")


def _named(said: str) -> str:
    return " ".join(said.split())


def _trades() -> dict[str, str]:
    words = words_in(language(), "init.trade")
    return {trade: words[trade] for trade in TRADES}


def _trade_of(said: str) -> str:
    """A trade by its number, its name, or the words shown for it. Raises `ValueError` that lists all."""
    words = {w.casefold(): t for lang in LANGUAGES for t, w in words_in(lang, "init.trade").items()}
    known = {**{str(n): t for n, t in enumerate(TRADES, 1)}, **words, **{t: t for t in TRADES}}
    name = said.strip().casefold()
    if name in known:
        return known[name]
    near = nearest(name, known, likeness=75)
    raise ValueError(
        say("init.no_trade_near", said=said, near=known[near[0]], known=", ".join(TRADES))
        if near
        else say("init.no_trade", said=said, known=", ".join(TRADES))
    )


def _language_of(said: str) -> str:
    name = said.strip().casefold()
    if name not in LANGUAGES:
        raise ValueError(say("init.no_language", said=said, known=", ".join(LANGUAGES)))
    return name


def _show(target: OwnerFolder, files: WrittenFiles) -> None:
    for heading, found in (("init.made", files.made), ("init.kept", files.kept)):
        if found:
            typer.echo(say(heading))
            typer.echo("\n".join(f"  {_near(file)}" for file in found))
    if not files.made:
        typer.echo(say("init.nothing"))


def _show_next(target: OwnerFolder, files: WrittenFiles) -> None:
    """The three steps from here, as they are typed."""
    typer.echo("")
    if target.path.resolve() != Path.cwd():
        typer.echo(say("init.enter", folder=_quoted(target.path)))
    articles = target.path / target.articles
    unfilled = [f for f in sorted(articles.rglob("*.md")) if blanks(f.read_text("utf-8", errors="replace"))]
    names = ", ".join(_inside(target.path, f) for f in unfilled) or target.articles
    typer.echo(say("init.next" if unfilled else "init.next_filled", articles=names, tokens=".env"))
    if line := path_line():
        typer.echo(line)


def path_line() -> str:
    """What to type so that `bot` is found; "" where it is."""
    name = "bot.exe" if sys.platform == "win32" else "bot"
    called = Path(sys.argv[0])
    programs = (
        called.parent if called.stem == "bot" and called.is_file() else Path(sysconfig.get_path("scripts"))
    )
    found = shutil.which("bot")
    if not (programs / name).exists() or (found and Path(found).samefile(programs / name)):
        return ""
    key = "init.path_windows" if sys.platform == "win32" else "init.path"
    return say(key, folder=programs.resolve())


def _inside(folder: Path, file: Path) -> str:
    """A path as it is typed in *folder*."""
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.as_posix()


def _near(file: Path) -> str:
    """A path as it is typed from here."""
    return Path(os.path.normpath(file)).as_posix()


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text
