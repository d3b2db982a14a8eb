"""`bot doctor`: everything that would keep the bot from working, and how to mend each."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import typer

from bot.adapters.base import Adapter
from bot.adapters.url_safety import is_own_network
from bot.app import (
    open_adapters,
    open_assistant,
    open_chat,
    open_flows,
    open_hours,
    open_knowledge,
    open_webhooks,
)
from bot.cli import settings
from bot.cli.ask import load_embeddings
from bot.cli.clock import command_clock
from bot.cli.kb import of_words
from bot.cli.messages import EXIT_PROBLEM, language, say, words_in
from bot.cli.store_reader import own_store
from bot.config.environment import TOKENS, seen_by_others
from bot.config.loader import Config, password_in_url
from bot.delivery.webhook_events import PREFIX
from bot.errors import BotError, ConfigError, Problem, StorageBusy
from bot.handoff.sla.hours import WEEKDAYS
from bot.model import Peer
from bot.storage.base import Lease, Store
from bot.text.day_spans import CLOSED
from bot.text.problems import place_of, told
from bot.web.replica_differences import differences

PATIENCE = 20  # seconds for one channel's answer
SEEN = timedelta(seconds=30)  # who reported since then is at work
SKEW = 2.0  # seconds that a machine's clock may be off the database's


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was looked at, and how it is."""

    what: str
    state: Literal["ok", "warning", "error"]
    text: str = ""
    hint: str = ""


def examine(path: Path | None, *, as_json: bool) -> None:
    """Print all findings; exit code 1 when one of them is an error."""
    config = settings.load(path)
    findings = asyncio.run(_collected(config))
    for f in findings:
        if as_json:
            typer.echo(
                json.dumps(
                    {"what": f.what, "state": f.state, "text": f.text, "hint": f.hint}, ensure_ascii=False
                )
            )
        else:
            mark, colour = {"ok": ("✅", "green"), "warning": ("⚠️ ", "yellow"), "error": ("❌", "red")}[
                f.state
            ]
            typer.secho(f"{mark} {f.what}: {f.text}" + (f"\n     → {f.hint}" if f.hint else ""), fg=colour)
    if any(f.state == "error" for f in findings):
        raise typer.Exit(EXIT_PROBLEM)


async def _collected(config: Config) -> list[CheckResult]:
    found = [CheckResult(say("doctor.config"), "ok", say("message.ok"))]
    if seen_by_others(config.base):
        file = (config.base / TOKENS).as_posix()
        found.append(_warned(say("doctor.tokens"), say("doctor.tokens_seen", file=file), f"chmod 600 {file}"))
    if not config.business.name:
        found.append(
            CheckResult(say("doctor.business"), "warning", say("doctor.no_name"), say("doctor.no_name_hint"))
        )
    place = Peer(config.desk.channel, config.desk.chat) if config.desk else None
    async for finding, bound in _storage(config):
        found.append(finding)
        place = place or bound
    found += _knowledge(config)
    found += _words(config)
    found += _flows(config)
    found += _hours(config)
    found += await _voice(config)
    found += await _assistant(config)
    asked = place is not None or all(f.what != say("doctor.desk") for f in found)
    found += await _channels(config, place, ask_desk=asked)
    found += await _webhooks(config)
    return found


async def _storage(config: Config) -> AsyncIterator[tuple[CheckResult, Peer | None]]:
    what = say("doctor.storage")
    if config.file and (key := password_in_url(config.file)):
        yield (
            _warned(what, say("doctor.password_in_file", name=key), say("doctor.password_in_file_hint")),
            None,
        )
    try:
        async with own_store(config) as store:
            for finding in [
                *[CheckResult(what, "error", wrong) for wrong in await store.check()],
                CheckResult(what, "ok", _named(config)),
                *await _replicas(store),
                *await _waiting_webhooks(config, store),
            ]:
                yield finding, (await store.desk_state()).bound
    except StorageBusy:
        yield CheckResult(what, "ok", say("doctor.busy")), None
        if config.desk is None:  # where a button or a code chose the group stands in that database
            yield CheckResult(say("doctor.desk"), "ok", say("doctor.desk_busy")), None
    except BotError as error:
        yield CheckResult(what, "error", str(error), getattr(error, "hint", "")), None


def _flows(config: Config) -> list[CheckResult]:
    """What is wrong with the files of flows; nothing where there are none."""
    what = say("doctor.flows")
    try:
        read = open_flows(config)
    except ConfigError as error:
        return [CheckResult(what, p.severity, _placed(p, config.base), p.hint) for p in error.problems]
    if not read.flows:
        return []
    warned = [CheckResult(what, "warning", _placed(p, config.base), p.hint) for p in read.warnings]
    return warned or [CheckResult(what, "ok", str(len(read.flows)))]


async def _voice(config: Config) -> list[CheckResult]:
    """Whether somebody listens to voice messages; nothing where nobody is to."""
    if config.voice is None:
        return []
    from bot.app.voice import open_transcriber

    what = say("doctor.voice")
    try:
        engine = open_transcriber(config, config.voice)
    except ConfigError as error:
        return [CheckResult(what, "error", p.text, p.hint) for p in error.problems]
    if engine is None:
        return [CheckResult(what, "ok", config.voice.engine)]
    wrong = await engine.check()
    await engine.close()
    if wrong:
        return [_warned(what, say("doctor.voice_silent", reason=wrong), say("doctor.voice_silent_hint"))]
    return [CheckResult(what, "ok", config.voice.engine)]


async def _assistant(config: Config) -> list[CheckResult]:
    """Whether the assistant can be reached, what of today's budget is left, and whether it rests; nothing
    where nobody may use it. A warning at most: without it everything works as before.
    """
    what = say("doctor.assistant")
    try:
        chat = open_chat(config)
    except ConfigError as error:
        return [CheckResult(what, "error", p.text, p.hint) for p in error.problems]
    if chat is None:
        return []
    from bot.assistant.errors import AssistantError

    settings = config.assistant
    found = []
    if settings.base_url and settings.base_url.startswith("http:") and not is_own_network(settings.base_url):
        found.append(_warned(what, say("doctor.assistant_open"), say("doctor.assistant_open_hint")))
    try:
        await asyncio.wait_for(chat.check(), PATIENCE)
        whom = ", ".join(words_in(language(), "doctor.whom")[a] for a in settings.audiences)
        found.append(CheckResult(what, "ok", say("doctor.assistant_ok", model=settings.model, whom=whom)))
    except (AssistantError, TimeoutError) as error:
        reason = getattr(error, "reason", "timeout")
        text = say("doctor.assistant_silent", reason=say(f"doctor.assistant_why.{reason}"))
        found.append(_warned(what, text, say("doctor.assistant_silent_hint")))
    finally:
        await chat.close()
    return [*found, *await _assistant_state(config)]


async def _assistant_state(config: Config) -> list[CheckResult]:
    """From the store; nothing while a running bot has it for itself (/readyz tells then)."""
    what = say("doctor.assistant")
    try:
        async with own_store(config) as store:
            assistant = open_assistant(config, store, command_clock(), open_hours(config).zone)
            if assistant is None:
                return []
            state = await assistant.state()
    except BotError:
        return []
    budget = config.assistant.budget
    facts = {"calls": state.spent.calls, "tokens": state.spent.tokens}
    limits = {"most_calls": budget.calls or "∞", "most_tokens": budget.tokens or "∞"}
    found = [CheckResult(what, "ok", say("doctor.assistant_spent", **facts, **limits))]
    if state.is_resting:
        why = say(f"doctor.assistant_why.{state.circuit.reason}")
        found.append(_warned(what, say("doctor.assistant_rests", reason=why), ""))
    return found


def _placed(found: Problem, base: Path) -> str:
    """What is wrong, and in which of the owner's files."""
    place = place_of(found, base)
    return f"{place}: {found.text}" if place else found.text


def _named(config: Config) -> str:
    """What kind of store it is, and where where others may reach it."""
    if config.storage.is_file:
        return say("doctor.sqlite", version=sqlite3.sqlite_version)
    return config.storage_place


async def _replicas(store: Store) -> list[CheckResult]:
    """Who works on a shared store, and in what they differ."""
    if not store.shared:
        return []
    what, now = say("doctor.replicas"), await store.clock() or command_clock()()
    found = await store.replicas(now - SEEN)
    names = ", ".join(r.name for r in found)
    results = [CheckResult(what, "ok", names or say("doctor.no_replicas"))]
    for different in differences(found):
        each = ", ".join(f"{replica.name} {value[:12]}" for value, replica in different.found)
        key = f"doctor.differ.{different.what}"
        results.append(_warned(what, say(key, each=each), say(f"{key}_hint")))
    for replica in found:
        if abs(replica.skew) > SKEW:
            told_of = told("postgres.skew", replica=replica.name, seconds=f"{replica.skew:+.1f}")
            results.append(_warned(what, told_of, ""))
    if found:
        results.append(_holders(await store.leases(), now))
    return results


def _holders(leases: Collection[Lease], now: datetime) -> CheckResult:
    """Who does what only one may do; a right that nobody holds waits for a process with that role."""
    what = say("doctor.leases")
    free = [lease.name for lease in leases if lease.until < now]
    if free:
        return _warned(what, say("doctor.free", names=", ".join(free)), say("doctor.free_hint"))
    held = ", ".join(f"{lease.name} {lease.holder}" for lease in leases)
    return CheckResult(what, "ok", held or say("doctor.no_leases"))


async def _waiting_webhooks(config: Config, store: Store) -> list[CheckResult]:
    """Events that wait for the other side of a webhook."""
    found = []
    for name in config.webhooks:
        if waiting := await store.deliveries(
            status=("pending", "sending"), peer=Peer(PREFIX + name, "events"), limit=100_000
        ):
            facts = {"count": len(waiting), "error": waiting[0].error or "-"}
            text, hint = say("doctor.webhook_waits", **facts), say("doctor.webhook_waits_hint")
            found.append(_warned(say("doctor.webhook", name=name), text, hint))
    return found


def _warned(what: str, text: str, hint: str) -> CheckResult:
    return CheckResult(what, "warning", text, hint)


def _knowledge(config: Config) -> list[CheckResult]:
    what = say("doctor.knowledge")
    try:
        knowledge = open_knowledge(config, channels=list(config.channels))
    except ConfigError as error:
        return [_finding(what, p, config.base) for p in error.problems]
    found = [_finding(what, p, config.base) for p in knowledge.problems]
    if not knowledge.articles():
        found.append(
            CheckResult(
                what,
                "error",
                say("doctor.no_articles"),
                say("doctor.no_articles_hint", folder=config.knowledge.folder),
            )
        )
    else:
        found.append(CheckResult(what, "ok", say("doctor.articles", count=len(knowledge.articles()))))
    if config.knowledge.embeddings.model == "off":
        return [*found, CheckResult(say("doctor.embeddings"), "ok", say("doctor.embeddings_off"))]
    load_embeddings(knowledge)
    status = knowledge.status
    return [
        *found,
        CheckResult(
            say("doctor.embeddings"),
            "ok" if status.embeddings and not status.reason else "warning",
            status.model,
        ),
    ]


def _words(config: Config) -> list[CheckResult]:
    """The owner's own texts and ready answers, where they have some."""
    if not config.wording.folder and not config.canned.folder:
        return []
    what = say("doctor.words")
    return [_finding(what, p, config.base) for p in of_words(config)] or [
        CheckResult(what, "ok", say("message.ok"))
    ]


def _hours(config: Config) -> list[CheckResult]:
    what, hours, now = say("doctor.hours"), open_hours(config), command_clock()()
    opens = hours.next_open(now)
    if opens is None:
        return [CheckResult(what, "error", say("doctor.never"), say("doctor.never_hint"))]
    text = (
        say("doctor.opens")
        if opens == now
        else say("doctor.closed_until", at=opens.astimezone(hours.zone).strftime("%d.%m %H:%M"))
    )
    found = [CheckResult(what, "ok", f"{text} ({_week(config)})")]
    local = now.astimezone(hours.zone)
    if config.hours.country and local.month == 12 and not hours.knows_year(local.year + 1):
        found.append(
            CheckResult(
                what,
                "warning",
                say("doctor.no_holidays", year=local.year + 1),
                say("doctor.no_holidays_hint"),
            )
        )
    return found


def _week(config: Config) -> str:
    """The opening hours as people read them, days of the same hours together: «пн–пт 10:00-13:00,
    14:00-20:00; сб, вс выходной».
    """
    days = words_in(language(), "doctor.day")
    told: list[tuple[list[str], str]] = []
    week = {str(day): hours for day, hours in config.hours.week.items()}
    for day in WEEKDAYS:
        hours = week.get(day, CLOSED)
        if told and told[-1][1] == hours:
            told[-1][0].append(days[day])
        else:
            told.append(([days[day]], hours))
    named = [(names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}", hours) for names, hours in told]
    return "; ".join(f"{names} {days['off'] if hours == CLOSED else hours}" for names, hours in named)


async def _channels(config: Config, place: Peer | None, *, ask_desk: bool) -> list[CheckResult]:
    found = []
    adapters = {}
    try:
        adapters = open_adapters(config, command_clock())
    except ConfigError as error:
        found += [_finding(say("doctor.config"), p, config.base) for p in error.problems]
    for name, channel in config.channels.items():
        what = say("doctor.channel", name=name)
        if not channel.enabled:
            found.append(CheckResult(what, "warning", say("doctor.no_token"), say("doctor.no_token_hint")))
        elif (adapter := adapters.get(name)) is not None:
            found += await _asked(what, adapter.check())
    if place is None and ask_desk:
        found.append(
            CheckResult(say("doctor.desk"), "warning", say("doctor.no_desk"), say("doctor.no_desk_hint"))
        )
    elif place is not None and (keeper := adapters.get(place.channel)) is not None:
        found += await _asked(say("doctor.desk"), _rights(keeper, place.chat))
    for adapter in adapters.values():
        await adapter.close()
    return found


async def _webhooks(config: Config) -> list[CheckResult]:
    """Whether the other systems can be reached; how it goes while the bot runs is told by /readyz."""
    found = []
    open_ones = open_webhooks(config, command_clock())
    for name in config.webhooks:
        what = say("doctor.webhook", name=name)
        if (adapter := open_ones.get(PREFIX + name)) is None:
            found.append(CheckResult(what, "warning", say("doctor.no_secret"), say("doctor.no_secret_hint")))
            continue
        found += await _asked(what, adapter.check())
        await adapter.close()
    return found


async def _rights(adapter: Adapter, chat: str) -> tuple[Problem, ...]:
    return (await adapter.chat_info(chat)).problems


async def _asked(what: str, question: Awaitable[tuple[Problem, ...]]) -> list[CheckResult]:
    try:
        problems = await asyncio.wait_for(question, PATIENCE)
    except BotError as error:
        return [CheckResult(what, "error", str(error), getattr(error, "hint", ""))]
    except TimeoutError:
        return [CheckResult(what, "error", "timeout")]
    return [_finding(what, p) for p in problems] or [CheckResult(what, "ok", say("message.ok"))]


def _finding(what: str, problem: Problem, base: Path | None = None) -> CheckResult:
    return CheckResult(what, problem.severity, _placed(problem, base or Path()), problem.hint)
