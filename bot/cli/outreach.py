"""`bot incident` and `bot broadcast`: what a supervisor orders from the command line, beside a running
bot.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import time
from datetime import timedelta
from pathlib import Path

import typer

from bot.app import open_knowledge
from bot.cli import settings, tone
from bot.cli.clock import command_clock
from bot.cli.messages import EXIT_PROBLEM, EXIT_USAGE, fail, say, show_problems
from bot.cli.store_reader import own_store, store_beside
from bot.command_spool import drop, hand_over, spool_folder, wait_taken
from bot.config.loader import Config
from bot.errors import BotError, StorageError
from bot.handoff.outreach.segment import Segment, SegmentSelection, UnclearCondition, choose, read_conditions
from bot.i18n.texts import Texts
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.model import AdminCommand, Incident
from bot.model.internal import BeginBroadcast, BeginIncident, EndIncident, StopBroadcast

PATIENCE = 6.0  # seconds in which a running bot takes an order
SEEN = timedelta(seconds=15)  # who reported since then is at work
TEXT = 3500


def announce(path: Path | None, text: str, words: list[str]) -> None:
    """Set an incident: whoever asks about it hears *text* first."""
    config = settings.load(path)
    show_problems(tone.of_text(config, text, has_way_out=True))
    _order(config, BeginIncident(text.strip(), tuple(words)))


def clear(path: Path | None, number: int | None, text: str) -> None:
    """End an incident; exit code 1 where there is none, or several and no number."""
    config = settings.load(path)
    known = [i.number for i, _ in _incidents(config)]
    if not known or (number is not None and number not in known) or (number is None and len(known) > 1):
        typer.secho(
            say("message.incident_which", known=", ".join(map(str, known)) or "—"), fg="red", err=True
        )
        raise typer.Exit(EXIT_PROBLEM)
    _order(config, EndIncident(number or known[0], text))


def show(path: Path | None, *, as_json: bool) -> None:
    """The incidents that last."""
    rows = [
        {
            "number": i.number,
            "text": i.text,
            "words": list(i.words),
            "articles": list(i.articles),
            "by": i.by,
            "since": i.since.isoformat() if i.since else None,
            "met": met,
        }
        for i, met in _incidents(settings.load(path))
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(say("message.incident_row", **row))
    if not rows:
        typer.echo(say("message.incident_none"))


def broadcast(path: Path | None, text: str, conditions: str, *, yes: bool, as_json: bool) -> None:
    """Count, show and, when somebody says yes, send.

    Exit code 2 for conditions that mean nothing, 1 where nobody fits.
    """
    config = settings.load(path)
    if not text.strip() or len(text) > TEXT:
        typer.secho(say("message.broadcast_text", most=TEXT), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE)
    chosen = asyncio.run(_chosen(config, conditions))
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "count": len(chosen.to),
                    "channels": dict(chosen.channels),
                    "opted_out": chosen.out,
                    "unreachable": chosen.unreachable,
                }
            )
        )
    else:
        typer.echo(
            say(
                "message.broadcast_count",
                count=len(chosen.to),
                out=chosen.out,
                unreachable=chosen.unreachable,
                text=text.strip(),
            )
        )
    if not chosen.to:
        raise typer.Exit(EXIT_PROBLEM)
    show_problems(tone.of_text(config, text))
    if not yes and (as_json or not typer.confirm(say("message.broadcast_sure", count=len(chosen.to)))):
        return
    _order(config, BeginBroadcast(conditions, text.strip()))


def ask(path: Path | None, name: str, invite: str, conditions: str, *, yes: bool) -> None:
    """The questionnaire *name* to a segment: counted, shown and, when somebody says yes, sent."""
    config = settings.load(path)
    chosen = asyncio.run(_chosen(config, conditions))
    facts = {"count": len(chosen.to), "out": chosen.out, "unreachable": chosen.unreachable}
    typer.echo(say("message.broadcast_count", text=invite.strip(), **facts))
    if not chosen.to:
        raise typer.Exit(EXIT_PROBLEM)
    if yes or typer.confirm(say("message.broadcast_sure", count=len(chosen.to))):
        _order(config, BeginBroadcast(f"questionnaire={name} {conditions}".strip(), ""))


def stop(path: Path | None, number: str) -> None:
    """What is not said yet is not said any more."""
    _order(settings.load(path), StopBroadcast(number))


def _order(config: Config, command: AdminCommand) -> None:
    """Hand it to the bot; without a running one it waits for the next start."""
    if config.storage.is_file:
        taken = _dropped(config, command)
    else:
        try:
            taken = asyncio.run(_handed_over(config, command))
        except BotError as error:
            raise fail(error) from None
    typer.echo(say("message.ordered" if taken else "message.ordered_later"))


def _dropped(config: Config, command: AdminCommand) -> bool:
    """Put it into the folder beside the file; whether the bot took it."""
    folder = spool_folder(config.storage_path)
    if folder is None:
        raise fail(StorageError(say("message.no_database")))
    try:
        letter = drop(folder, command, getpass.getuser())
    except OSError as error:
        raise fail(StorageError(f"{folder}: {error.strerror}")) from None
    return wait_taken(letter, PATIENCE, time.sleep)


async def _handed_over(config: Config, command: AdminCommand) -> bool:
    """Keep it in the shared store; whether somebody is there who carries it out."""
    async with own_store(config) as store:
        now = await store.clock() or command_clock()()
        await hand_over(store, command, getpass.getuser(), now)
        return any("decide" in r.roles or not r.roles for r in await store.replicas(now - SEEN))


def _incidents(config: Config) -> tuple[tuple[Incident, int], ...]:
    """Those that last, each with how many conversations heard of it."""

    async def found() -> tuple[tuple[Incident, int], ...]:
        async with store_beside(config) as source:
            lasting = (await source.desk_state()).incidents
            return tuple([(i, len(await source.incident_met(i.number))) for i in lasting])

    try:
        return asyncio.run(found())
    except BotError as error:
        raise fail(error) from None


async def _chosen(config: Config, conditions: str) -> SegmentSelection:
    """The same choice as the bot's own, read beside it."""
    words = Texts.load(config.business.language)
    try:
        similarity = SimilarityMatcher(open_knowledge(config, channels=list(config.channels)))
        async with store_beside(config) as source:
            channels = tuple(config.channels)
            segment: Segment = read_conditions(
                conditions,
                words,
                article=similarity.find,
                channels=channels,
                incidents=range(1, (await source.desk_state()).next_incident),
            )
            return await choose(
                segment, source, command_clock()(), saying=similarity.saying, channels=channels
            )
    except UnclearCondition as error:
        typer.secho(words.text(error.key, lang=config.business.language, **error.facts), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    except BotError as error:
        raise fail(error) from None
