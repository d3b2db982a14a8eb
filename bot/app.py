"""The composition root: the only place that knows implementations; it joins the rooms, starts them and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import mimetypes
import secrets
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

import platformdirs
from pydantic import SecretStr

from bot.adapters.base import Adapter, File, Limits
from bot.adapters.clock import ClockAdapter
from bot.clock import Clock
from bot.config import Channel, Config, OtherChannel, VkChannel, span
from bot.dialogs.base import Dialog
from bot.dialogs.composing import portion
from bot.dialogs.faq import Faq
from bot.dialogs.flow import Flow
from bot.dialogs.form import Forms
from bot.dialogs.greeting import Greeting
from bot.dialogs.human import Human
from bot.dialogs.intent import Intent
from bot.dialogs.rating import Rating
from bot.dialogs.smalltalk import SmallTalk
from bot.engine import Engine
from bot.errors import AccountError, ConfigError, Problem, Refused, StorageError
from bot.flood import Flood
from bot.handoff.binding import SETTING, Binding, read_place
from bot.handoff.canned import Canned
from bot.handoff.desk import Desk
from bot.handoff.hours import Hours
from bot.handoff.operating import COMMANDS
from bot.handoff.relay import Relay
from bot.handoff.room import Rules
from bot.handoff.rounds import Rounds
from bot.inbox import Inbox
from bot.knowledge.acts import read_act
from bot.knowledge.base import KnowledgeSettings, Reloaded
from bot.knowledge.search import Knowledge
from bot.learning import clicks
from bot.model import Act, Inbound, InboundKind, Outbound, Peer, RichText, Status, Ticket
from bot.observing import LogObserver, Observers, get_logger
from bot.outbox import Outbox, Shelf
from bot.promising import parts
from bot.storage.sqlite import SqliteStore
from bot.wording import Wording

EMBEDDING_THREAD = "embeddings"
ROUND = 20.0  # seconds between two rounds of the desk
WORKERS = 8  # turns decided at once
TITLES = {"telegram": "Telegram", "vk": "VK"}


@dataclass(slots=True)
class House:
    """Everything, joined. `open_house` makes it, `run` runs it, `close` gives the file back."""

    config: Config
    clock: Clock
    store: SqliteStore
    words: Wording
    hours: Hours
    knowledge: Knowledge
    adapters: Mapping[str, Adapter]
    observers: Observers
    desk: Desk
    inbox: Inbox
    engine: Engine
    outbox: Outbox
    rounds: Rounds
    typing: list[Peer] = field(default_factory=list)

    def wake(self) -> None:
        """Something changed for everybody (the clock was moved): look again."""
        self.engine.wake()
        self.outbox.wake()

    async def close(self) -> None:
        await self.store.close()


def cache_folder(config: Config) -> Path:
    """Where vectors and the search index are kept between starts."""
    return config.path(config.knowledge.cache) if config.knowledge.cache else platformdirs.user_cache_path("otklik")


def open_knowledge(config: Config, *, channels: Sequence[str] = ()) -> Knowledge:
    """The articles, read and searchable by words; raises `ConfigError` where the folder is not there."""
    folder = config.path(config.knowledge.folder)
    if not folder.is_dir():
        raise ConfigError([Problem(f"there is no folder of articles: {config.knowledge.folder}", hint="name it in knowledge.folder")])
    defaults = KnowledgeSettings()
    settings = KnowledgeSettings(
        model=config.knowledge.embeddings.model,
        answer=defaults.answer if config.knowledge.answer_threshold is None else config.knowledge.answer_threshold,
        handoff=defaults.handoff if config.knowledge.scope_threshold is None else config.knowledge.scope_threshold,
        options=config.knowledge.clarify_options,
        synonyms=(config.path(config.knowledge.synonyms),) if config.knowledge.synonyms else (),
        channels=tuple(channels),
        retrievers=config.knowledge.retrievers,
    )
    return Knowledge.open(folder, settings=settings, cache=cache_folder(config))


def open_hours(config: Config) -> Hours:
    hours = config.hours
    return Hours(
        hours.timezone,
        {day: span(text) for day, text in hours.week.items()},
        country=hours.country,
        exceptions={day: None if text == "closed" else span(text) for day, text in hours.exceptions.items()},
    )


def open_words(config: Config, hours: Hours) -> Wording:
    overrides = config.path(config.wording.folder) if config.wording.folder else None
    return Wording.load(config.business.language, overrides, zone=hours.zone, facts={"business": config.business.name})


def open_adapters(config: Config, clock: Clock, *, salt: str = "") -> dict[str, Adapter]:
    """An adapter for every channel whose token is there. Raises `ConfigError` for a kind that nobody brings.

    *salt* tells this database from an older one of the same bot: promises are numbered anew in each, and VK drops a number twice said.
    """
    made: dict[str, Adapter] = {}
    for name, settings in config.channels.items():
        if settings.token is not None:
            made[name] = _adapter(name, settings, clock, salt)
    return made


def _adapter(name: str, settings: Channel, clock: Clock, salt: str) -> Adapter:
    found = entry_points(group="bot.adapters", name=settings.type)
    if not found:
        known = ", ".join(sorted(e.name for e in entry_points(group="bot.adapters")))
        raise ConfigError([Problem(f"channels.{name}: no installed package brings a channel of type {settings.type!r}", hint=f"known: {known}")])
    values = settings.model_dump(exclude={"type"}, exclude_none=True)
    if isinstance(settings, OtherChannel):
        values |= settings.model_extra or {}
    if isinstance(settings, VkChannel):
        values["salt"] = salt
    revealed = {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in values.items()}
    make = cast(Callable[..., Adapter], next(iter(found)).load())
    return make(name, clock=clock, **revealed)


async def open_house(
    config: Config,
    *,
    adapters: Mapping[str, Adapter] | Callable[[str], Mapping[str, Adapter]] | None = None,
    clock: Clock | None = None,
    desk: Peer | None = None,
    storage: str | None = None,
    folders: Sequence[Path] = (),
    log_events: bool = True,
    knowledge: Knowledge | None = None,
) -> House:
    """Join everything. *adapters* (or what makes them, given the salt) are used in place of the configured ones; *desk* where the config names none.

    *folders* may be read for attachments besides the articles' own; *knowledge* spares reading the articles again. Raises `ConfigError`, `StorageError`.
    """
    clock = clock or Clock()
    hours = open_hours(config)
    words = open_words(config, hours)
    if knowledge is None:
        knowledge = await asyncio.to_thread(open_knowledge, config, channels=list(config.channels))
    store = SqliteStore.open(storage or config.storage_path, now=clock)
    if not isinstance(adapters, Mapping):
        salt = await salt_of(store)
        adapters = adapters(salt) if adapters else open_adapters(config, clock, salt=salt)
    observers = Observers([LogObserver()] if log_events else [])
    binding = Binding(
        words, lang=config.business.language, place=await _place(config, store, desk), fixed=config.desk is not None, membership=_membership(adapters)
    )
    observers.add(binding)
    titles = {name: TITLES.get(a.kind, name) for name, a in adapters.items()}
    room = Desk(words, hours, lang=config.business.language, binding=binding, titles=titles, rules=_rules(config, knowledge, words, hours))
    observers.add(room)
    room.open_records(store)
    await room.remember()
    room.ask_rating = timedelta(minutes=config.rating.delay_minutes) if config.rating.ask else None
    flow = Flow(open_dialogs(config, words, knowledge, room, store.ticket), timeout=config.dialogs.timeout, escalate=room.escalate, words=words)
    limits: dict[str, Limits] = {name: a.limits for name, a in adapters.items()}
    roots = [config.path(config.knowledge.folder), *(f.resolve() for f in folders)]
    outbox = Outbox(store, adapters, clock, views=room, files=Shelf(adapters, lambda ref: _read_local(ref, roots)), observers=observers)
    engine = Engine(
        store,
        clock,
        desk=room,
        relay=Relay(room),
        flow=flow,
        prepare=lambda outbound: parts(outbound, limits),
        committed=outbox.wake,
        observers=observers,
        timeout=config.dialogs.timeout + 5,
        flood=Flood(lambda turn: words.say("flood", lang=turn.customer.language if turn.customer else config.business.language, now=turn.now)),
    )
    typing: list[Peer] = []

    def kept(inbound: Inbound) -> None:
        if config.dialogs.typing and inbound.private and inbound.kind is InboundKind.MESSAGE:
            typing.append(inbound.peer)

    inbox = Inbox(
        store,
        clock,
        settle=timedelta(seconds=config.dialogs.settle),
        settle_limit=timedelta(seconds=config.dialogs.settle_limit),
        wake=engine.wake,
        kept=kept,
    )
    rounds = Rounds(room, inbox.accept, store.promise, committed=outbox.wake)
    return House(config, clock, store, words, hours, knowledge, adapters, observers, room, inbox, engine, outbox, rounds, typing)


def _rules(config: Config, knowledge: Knowledge, words: Wording, hours: Hours) -> Rules:
    """How the desk is to work, with what the articles say about topics."""

    def about(article: str) -> Sequence[str]:
        found = knowledge.article(article)
        return tuple(dict.fromkeys(t for t in (found.title, found.topic, found.section, *found.tags, found.id) if t)) if found else ()

    def article(id: str) -> RichText:
        found = knowledge.article(id)
        return portion(found).text if found else RichText()

    return Rules(
        config.teams,
        config.routing,
        config.sla,
        about,
        article,
        knowledge.ask if config.canned.prompter else None,
        Canned(config.path(config.canned.folder) if config.canned.folder else None, words, hours),
        {"business": config.business.name},
        config.canned.undo,
        lambda text: read_act(text).act in (Act.THANKS, Act.BYE),
    )


def open_dialogs(
    config: Config, words: Wording, knowledge: Knowledge, desk: Desk, ticket: Callable[[int], Awaitable[Ticket | None]]
) -> list[tuple[str, Dialog]]:
    """The dialogs in the order of the config: ours by name, others by dotted path. Raises `ConfigError`.

    The rating hears everything first, since it leaves all that does not answer its own question.
    """
    forms = Forms(words, config.dialogs.forms, desk.escalate)
    intent = Intent(read_act, knowledge)
    faq = Faq(words, intent, knowledge, escalate=forms.escalate)
    ours: dict[str, Dialog] = {
        "form": forms,
        "human": Human(words, intent, forms.escalate),
        "greeting": Greeting(words, intent, knowledge, faq=faq),
        "smalltalk": SmallTalk(words, intent),
        "faq": faq,
    }
    rating = Rating(words, intent, ticket=ticket, tell=_tell_low_rating(desk), pause=timedelta(days=config.rating.days_between))
    dialogs: list[tuple[str, Dialog]] = [("rating", rating)]
    for name in config.dialogs.order:
        if name in ours:
            dialogs.append((name, ours[name]))
        elif ":" in name:
            dialogs.append((name, _imported(name)))
        else:
            raise ConfigError(
                [Problem(f"dialogs.order: there is no dialog {name!r}", hint=f"ours: {', '.join(ours)}; your own: package.module:function")]
            )
    return dialogs


def _tell_low_rating(desk: Desk) -> Callable[[Ticket, int], tuple[Outbound, ...]]:
    """The word to the supervisors in the ticket's topic; nothing while there is no desk."""

    def tell(ticket: Ticket, score: int) -> tuple[Outbound, ...]:
        if (to := desk.thread(ticket)) is None:
            return ()
        comment = str(ticket.data.get("comment") or "")
        return (desk.notice(to, ticket, "desk.low_rating", score=score, operator=ticket.operator_name, comment=comment),)

    return tell


def _imported(path: str) -> Dialog:
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            [Problem(f"dialogs.order: {path} cannot be imported: {error}", hint="is the package installed, or its folder in PYTHONPATH?")]
        ) from error
    return cast(Dialog, found() if isinstance(found, type) else found)


async def run(house: House, stop: asyncio.Event, *, beside: Sequence[Coroutine[object, object, None]] = ()) -> None:
    """Run every channel until *stop* is set; then end in order: intake, decisions, sends under way.

    *beside* are things that run as long (the page, the watch over the articles) and are cancelled first.
    """
    log = get_logger("app")
    intake = [asyncio.create_task(_keep_running(house, adapter), name=name) for name, adapter in house.adapters.items()]
    # a daemon thread: making the first vectors takes half a minute, and stopping must not wait for that
    threading.Thread(target=_load_embeddings, args=(house.knowledge,), name=EMBEDDING_THREAD, daemon=True).start()
    rings = ClockAdapter(house.clock, house.store.fire_timers, house.engine.wake)
    helpers = [
        asyncio.create_task(rings.run()),
        asyncio.create_task(_hint_typing(house)),
        asyncio.create_task(_check_desk(house)),
        asyncio.create_task(_blank_the_old(house)),
        asyncio.create_task(_hear_clicks(house)),
        asyncio.create_task(_go_round(house)),
        asyncio.create_task(_offer_commands(house)),
        *(asyncio.create_task(b) for b in beside),
    ]
    workers = [asyncio.create_task(house.engine.work()) for _ in range(WORKERS)]
    sending = asyncio.create_task(house.outbox.run())
    try:
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({waiting, sending, *workers, helpers[0]}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        for task in done - {waiting}:
            task.result()  # a room that ended by itself is a bug: let it be seen
    finally:
        log.info("stopping")
        await _end([*intake, *helpers])
        await _end(workers)
        house.outbox.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        for adapter in house.adapters.values():
            with contextlib.suppress(Exception):
                await asyncio.wait_for(adapter.close(), 2)
        await house.close()
        log.info("stopped")


async def watch_articles(house: House, told: Callable[[Reloaded], object]) -> None:
    """Read changed articles until cancelled, and tell of it."""

    async def reloaded(change: Reloaded) -> None:
        get_logger("knowledge").info(
            "articles_reloaded", changed=len(change.changed), added=len(change.added), removed=len(change.removed), problems=len(change.problems)
        )
        result = told(change)
        if asyncio.iscoroutine(result):
            await result

    await house.knowledge.watch(reloaded)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_running(house: House, adapter: Adapter) -> None:
    """A channel that fails must not take the others with it; it is started again, slowly."""
    log = get_logger("app")

    async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        await house.inbox.accept(adapter.name, inbounds, cursor=cursor)

    while True:
        pause = 5.0
        try:
            log.info("channel_starting", channel=adapter.name, kind=adapter.kind)
            await adapter.run(accept, cursor=await house.store.cursor(adapter.name))
        except AccountError as error:
            adapter.health.state, adapter.health.last_error = "failing", str(error)
            log.error("channel_refused", channel=adapter.name, error=str(error), hint=error.hint)
            pause = 60.0
        except Exception as error:
            adapter.health.state, adapter.health.last_error = "failing", type(error).__name__
            log.exception("channel_failed", channel=adapter.name)
        await asyncio.sleep(pause)


def _load_embeddings(knowledge: Knowledge) -> None:
    """The slow part of the search, in the background: until it is there the bot answers by words."""
    log = get_logger("knowledge")
    try:
        knowledge.load_embeddings()
    except Exception:  # search by words goes on; doctor and /readyz tell
        log.exception("embeddings_failed")
        return
    log.info("embeddings", model=knowledge.status.embeddings or "none", reason=knowledge.status.reason)


async def _hint_typing(house: House) -> None:
    """Customers see that somebody is at it while the bot waits for the rest of a burst."""
    while True:
        await asyncio.sleep(0.2)
        for peer in dict.fromkeys(house.typing):
            conversation = await house.store.conversation(peer)
            if conversation is None or conversation.status is Status.BOT:
                await house.outbox.hint_typing(peer)
        house.typing.clear()


async def _go_round(house: House) -> None:
    """The rounds of the desk: what fails once is looked at again next time."""
    while True:
        await asyncio.sleep(ROUND)
        try:
            await house.rounds.go(house.clock())
        except Exception:  # noqa: BLE001 - the watchdog must outlive whatever it stumbles over
            get_logger("desk").exception("round_failed")


async def _check_desk(house: House) -> None:
    """Say at start what the bot lacks in the desk's group."""
    place = house.desk.binding.place
    if place is None or (adapter := house.adapters.get(place.channel)) is None:
        get_logger("desk").warning("no_desk", hint="add the bot to the operators' group and press the button, or set desk in the config")
        return
    for pause in (0, 5, 30, 120):
        await asyncio.sleep(pause)
        with contextlib.suppress(Exception):
            for problem in (await adapter.look(place.chat)).problems:
                get_logger("desk").warning("desk_problem", problem=str(problem))
            return


async def _offer_commands(house: House) -> None:
    """What Telegram shows behind "/": customers see theirs, operators theirs and only in the desk."""
    for adapter in house.adapters.values():
        if adapter.kind != "telegram":
            continue
        from bot.adapters.telegram_account import CommandScope  # only where Telegram runs: aiogram is slow to import

        place = house.desk.binding.place
        scopes = []
        for lang in ("", "en"):  # "" is what everybody sees who speaks no other
            spoken = lang or house.config.business.language
            scopes.append(CommandScope("private", _described(house, "customer", ("start", "operator", "status", "help"), spoken), language=lang))
            if place is not None and place.channel == adapter.name:
                scopes.append(CommandScope("chat", _described(house, "operator", COMMANDS, spoken), chat=place.chat, language=lang))
        with contextlib.suppress(Exception):  # a convenience: without the menu the commands work all the same
            await adapter.publish_commands(scopes)  # type: ignore[attr-defined]


def _described(house: House, whose: str, commands: Sequence[str], lang: str) -> tuple[tuple[str, str], ...]:
    known = [c for c in commands if house.words.has(f"commands.{whose}.{c}")]
    return tuple((c, house.words.text(f"commands.{whose}.{c}", lang=lang)) for c in known)


async def _hear_clicks(house: House) -> None:
    """Once an hour: what people's clicks said of the answers, for search to be as sure as it deserves."""
    while True:
        await asyncio.sleep(90)  # after the embeddings
        with contextlib.suppress(StorageError):
            found = await clicks(house.store, house.clock() - timedelta(days=house.config.privacy.keep_days))
            learnt = await asyncio.to_thread(house.knowledge.learn, found)
            if learnt.labels:
                get_logger("knowledge").info("clicks_heard", labels=learnt.labels, offset=round(learnt.offset, 2), slope=round(learnt.slope, 2))
        await asyncio.sleep(3600)


async def _blank_the_old(house: House) -> None:
    """Once a day: words that were kept long enough."""
    while True:
        await asyncio.sleep(60)  # not among the first things of a start
        with contextlib.suppress(StorageError):
            if blanked := await house.store.purge(house.clock() - timedelta(days=house.config.privacy.keep_days)):
                get_logger("app").info("words_blanked", rows=blanked)
        await asyncio.sleep(24 * 3600)


async def salt_of(store: SqliteStore) -> str:
    if (salt := await store.setting("salt")) is None:
        salt = secrets.token_hex(8)
        await store.keep_setting("salt", salt)
    return salt


async def _place(config: Config, store: SqliteStore, default: Peer | None) -> Peer | None:
    place = Peer(config.desk.channel, config.desk.chat) if config.desk else read_place(await store.setting(SETTING)) or default
    while place and (moved := await store.setting(f"moved:{place.channel}:{place.chat}")):
        place = Peer(place.channel, moved)
    return place


def _membership(adapters: Mapping[str, Adapter]) -> Callable[[Peer, str], Awaitable[str]]:
    async def membership(peer: Peer, user: str) -> str:
        adapter = adapters.get(peer.channel)
        return await adapter.membership(peer.chat, user) if adapter else "none"

    return membership


def _read_local(ref: str, roots: Sequence[Path]) -> File:
    """A file of the articles (or of the playground's uploads); nothing outside those folders is ever sent."""
    path = Path(ref).resolve()
    if not any(path.is_relative_to(root) for root in roots):
        raise Refused("the file is outside the folder of articles")
    try:
        return File(path.read_bytes(), path.name, mimetypes.guess_type(path.name)[0] or "application/octet-stream")
    except OSError as error:
        raise Refused(f"the file cannot be read: {type(error).__name__}") from error
