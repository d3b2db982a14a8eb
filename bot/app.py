"""The composition root: the only place that knows implementations; it joins the rooms, starts them and stops
them in order.
"""

from __future__ import annotations

import asyncio
import importlib
import mimetypes
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

import platformdirs
from pydantic import SecretStr

from bot.adapters.base import Adapter, ChatInfo, ConfiguredAdapter, File, Limits
from bot.adapters.webhook import WebhookAdapter
from bot.clock import Clock
from bot.config.channels import Channel, OtherChannel, VkChannel
from bot.config.handoff import Webhook, length
from bot.config.loader import Config
from bot.delivery.flood_control import Flood
from bot.delivery.splitting import parts
from bot.delivery.webhook_events import PREFIX, Announcer
from bot.dialogs.about import Facts
from bot.dialogs.api_requests import Requests
from bot.dialogs.article_rendering import portion
from bot.dialogs.base import Dialog
from bot.dialogs.flow import Flow
from bot.dialogs.forms.form import Forms
from bot.dialogs.incident_notice import Banner
from bot.dialogs.linking import Linking
from bot.dialogs.offline_decision import Judge
from bot.dialogs.opt_out import OptOut as AboutNews
from bot.dialogs.ours import our_dialogs
from bot.dialogs.surveys.nps import Nps
from bot.dialogs.surveys.rating import Rating
from bot.dialogs.waiting import Aside, Questions
from bot.engine import Engine
from bot.errors import ConfigError, Refused
from bot.handoff.assist.canned import CannedAnswers
from bot.handoff.attachments import named
from bot.handoff.delivery_views import DeskViews
from bot.handoff.desk import Desk
from bot.handoff.desk_context import DeskContext, Rules
from bot.handoff.group_binding import SETTING, Binding, Bound, read_place
from bot.handoff.group_status import Groups
from bot.handoff.operators.registry import Registry
from bot.handoff.operators.roster import Roster
from bot.handoff.operators.teams import Teams
from bot.handoff.outreach.commands import Outreach
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.outreach.low_rating import opened
from bot.handoff.outreach.surveys import Surveys, commented
from bot.handoff.periodic import PeriodicChecks
from bot.handoff.places import DeskPlaces
from bot.handoff.queue.queue import Queue
from bot.handoff.relay import Relay
from bot.handoff.sla.debts import LATE
from bot.handoff.sla.hours import Hours
from bot.handoff.sla.targets import Deadlines
from bot.i18n.texts import Texts
from bot.inbox import Inbox
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.query.intents import read_act
from bot.knowledge.search import Knowledge
from bot.model import Inbound, InboundKind, Intent, Peer, RichText, Sender, Ticket
from bot.observability import LogObserver, Observers
from bot.outbox import AttachmentReader, Outbox
from bot.storage.base import Store
from bot.storage.sqlite.store import SqliteStore
from bot.text.day_spans import DaySpan, spans
from bot.text.phones import set_home
from bot.text.problems import problem

HELD = timedelta(
    minutes=2
)  # a decision has half a minute; a turn that is held for longer has lost its worker


@dataclass(slots=True)
class Service:
    """Everything, joined. `build_service` makes it, `run` runs it, `close` gives the file back."""

    config: Config
    clock: Clock
    store: Store
    words: Texts
    hours: Hours
    knowledge: Knowledge
    adapters: Mapping[str, Adapter]
    observers: Observers
    desk: Desk
    inbox: Inbox
    engine: Engine
    outbox: Outbox
    rounds: PeriodicChecks
    announcer: Announcer
    typing: list[Peer] = field(default_factory=list)

    def wake(self) -> None:
        """Something changed for everybody (the clock was moved): look again."""
        self.engine.wake()
        self.outbox.wake()

    async def close(self) -> None:
        await self.store.close()


def cache_folder(config: Config) -> Path:
    """Where vectors and the search index are kept between starts."""
    return (
        config.path(config.knowledge.cache)
        if config.knowledge.cache
        else platformdirs.user_cache_path("otklik")
    )


def open_knowledge(config: Config, *, channels: Sequence[str] = ()) -> Knowledge:
    """The articles, read and searchable by words; raises `ConfigError` where the folder is not there."""
    folder = config.path(config.knowledge.folder)
    if not folder.is_dir():
        raise ConfigError([problem("articles.no_folder", folder.as_posix())])
    defaults = KnowledgeSettings()
    settings = KnowledgeSettings(
        model=config.knowledge.embeddings.model,
        answer=(
            defaults.answer
            if config.knowledge.answer_threshold is None
            else config.knowledge.answer_threshold
        ),
        handoff=(
            defaults.handoff if config.knowledge.scope_threshold is None else config.knowledge.scope_threshold
        ),
        options=config.knowledge.clarify_options,
        synonyms=(config.path(config.knowledge.synonyms),) if config.knowledge.synonyms else (),
        channels=tuple(channels),
        retrievers=config.knowledge.retrievers,
    )
    knowledge = Knowledge.open(folder, settings=settings, cache=cache_folder(config))
    _follow_calendar(knowledge, Clock(), open_hours(config))
    return knowledge


def _follow_calendar(knowledge: Knowledge, clock: Clock, hours: Hours) -> None:
    """An article ends with the last day of the business's own calendar, not of the machine's."""
    knowledge.today = lambda: clock().astimezone(hours.zone).date()


def open_hours(config: Config) -> Hours:
    hours = config.hours
    return Hours(
        hours.timezone,
        {day: spans(text) for day, text in hours.week.items()},
        country=hours.country,
        exceptions={day: spans(text) for day, text in hours.exceptions.items()},
    )


def open_facts(config: Config, knowledge: Knowledge, hours: Hours) -> Facts:
    """What the bot tells about the business: the settings, and what its articles are about."""

    def topics(language: str) -> Sequence[str]:
        named = Counter(
            a.topic
            for a in knowledge.articles()
            if a.topic and a.status == "published" and a.lang == language
        )
        return [topic for topic, _ in named.most_common()]

    return Facts(config.business.contacts, hours, topics)


def open_judge(config: Config, knowledge: Knowledge) -> Judge:
    """What the bot of this config says to words alone; used by the commands and the pages."""
    hours = open_hours(config)
    return Judge(knowledge, open_texts(config, hours), open_facts(config, knowledge, hours))


def open_texts(config: Config, hours: Hours) -> Texts:
    overrides = config.path(config.wording.folder) if config.wording.folder else None
    return Texts.load(
        config.business.language, overrides, zone=hours.zone, facts={"business": config.business.name}
    )


def open_canned(config: Config, words: Texts, hours: Hours) -> CannedAnswers:
    """The ready answers. Raises `ConfigError` with every fault of their files."""
    return CannedAnswers(config.path(config.canned.folder) if config.canned.folder else None, words, hours)


def open_adapters(config: Config, clock: Clock, *, salt: str = "") -> dict[str, Adapter]:
    """An adapter for every channel whose token is there. Raises `ConfigError` for a kind that nobody brings.

    *salt* tells this database from an older one of the same bot: promises are numbered anew in each, and VK
    drops a number twice said.
    """
    made: dict[str, Adapter] = {}
    for name, settings in config.channels.items():
        if settings.token is not None:
            made[name] = _adapter(name, settings, clock, salt)
    return made


def hooks_of(config: Config) -> dict[str, Webhook]:
    """The webhooks that are on: those whose address and secret are there."""
    return {name: hook for name, hook in config.webhooks.items() if hook.url and hook.secret}


def open_webhooks(config: Config, clock: Clock) -> dict[str, WebhookAdapter]:
    """The channels through which other systems are told."""
    made = {}
    for name, hook in hooks_of(config).items():
        assert hook.url is not None and hook.secret is not None
        channel = PREFIX + name
        made[channel] = WebhookAdapter(
            channel, clock=clock, url=hook.url, secret=hook.secret.get_secret_value(), private=hook.private
        )
    return made


def _adapter(name: str, settings: Channel, clock: Clock, salt: str) -> Adapter:
    found = _brought("bot.adapters", settings.type)
    if found is None:
        known = _known("bot.adapters")
        raise ConfigError([problem("config.adapter_kind", name=name, kind=settings.type, known=known)])
    values = settings.model_dump(exclude={"type"}, exclude_none=True)
    if isinstance(settings, OtherChannel):
        values |= settings.model_extra or {}
    if isinstance(settings, VkChannel):
        values["salt"] = salt
    revealed = {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in values.items()}
    if isinstance(found, ConfiguredAdapter):
        return found.configured(name, revealed, clock)
    return cast(Callable[..., Adapter], found)(name, clock=clock, **revealed)


def open_store(config: Config, clock: Clock, place: str | None = None) -> Store:
    """Where everything is kept: a file of SQLite (*place* in place of the configured one), or what another
    package brings for the scheme of `storage.url`. Raises `ConfigError`, `StorageError`.
    """
    scheme, mark, _ = config.storage.url.partition("://")
    if place is not None or not mark or scheme == "sqlite":
        return SqliteStore.open(place or config.storage_path, now=clock)
    opened = _brought("bot.stores", scheme)
    if opened is None:
        known = _known("bot.stores", "sqlite")
        raise ConfigError([problem("config.store_kind", scheme=scheme, known=known)])
    return cast(Callable[..., Store], opened)(config.storage.url, now=clock)


async def build_service(
    config: Config,
    *,
    adapters: Mapping[str, Adapter] | Callable[[str], Mapping[str, Adapter]] | None = None,
    clock: Clock | None = None,
    desk: Peer | None = None,
    storage: str | None = None,
    folders: Sequence[Path] = (),
    log_events: bool = True,
    knowledge: Knowledge | None = None,
) -> Service:
    """Join everything. *adapters* (or what makes them, given the salt) are used in place of the configured
    ones; *desk* where the config names none.

    *folders* may be read for attachments besides the articles' own; *knowledge* spares reading the articles
    again. Raises `ConfigError`, `StorageError`.
    """
    clock = clock or Clock()
    set_home(config.hours.country)
    hours = open_hours(config)
    words = open_texts(config, hours)
    if knowledge is None:
        knowledge = await asyncio.to_thread(open_knowledge, config, channels=list(config.channels))
    _follow_calendar(knowledge, clock, hours)
    store = open_store(config, clock, storage)
    salt = await salt_of(store)
    if not isinstance(adapters, Mapping):
        adapters = adapters(salt) if adapters else open_adapters(config, clock, salt=salt)
    adapters = {**adapters, **open_webhooks(config, clock)}
    observers = Observers([LogObserver()] if log_events else [])
    titles = {name: a.platform_name or name for name, a in adapters.items()}
    likeness = SimilarityMatcher(knowledge)
    span = DaySpan.parse(config.outreach.hours)
    surveys = Surveys(config.nps, store, hours=span, zone=hours.zone, channels=tuple(adapters))
    outreach = Outreach(
        store,
        likeness,
        tuple(adapters),
        span,
        config.outreach.per_second,
        likeness.find,
        likeness.meant,
        likeness.title,
        surveys,
    )
    bound = Bound(await _place(config, store, desk), fixed=config.desk is not None)
    rules = _rules(config, knowledge, words, hours)
    roster, teams = Roster(), Teams(rules.teams)
    binding = Binding(
        words,
        lang=config.business.language,
        bound=bound,
        platforms=_Platforms(adapters),
        others=teams.is_desk,
        is_ours=lambda id: id in rules.routing.supervisors or roster.works(id),
    )
    context = DeskContext(
        words,
        config.business.language,
        hours,
        rules,
        crew=roster,
        teams=teams,
        queue=Queue(rules.routing.priority, line=teams.line),
        deadlines=Deadlines(rules.sla, rules.routing, hours),
        incidents=Incidents(),
        groups=Groups(),
        places=DeskPlaces(binding, teams, titles),
        records=store,
        commands=Registry(),
        outreach=outreach,
        ask_rating=timedelta(minutes=config.rating.delay_minutes) if config.rating.ask else None,
    )
    observers.add(binding)
    observers.add(context)
    await context.remember()
    room = Desk(context)
    linking = Linking(words, store.setting, store.joined, titles)
    forms = Forms(words, config.dialogs.forms, room.escalate)
    dialogs = [("linking", linking), *open_dialogs(config, words, knowledge, room, forms, store.ticket)]
    flow = Banner(
        Flow(
            dialogs,
            timeout=config.dialogs.timeout,
            escalate=room.escalate,
            hand_over=forms.escalate,
            words=words,
        ),
        context.incidents,
        likeness,
        words,
    )
    limits: dict[str, Limits] = {name: a.limits for name, a in adapters.items()}
    roots = [config.path(config.knowledge.folder), *(f.resolve() for f in folders)]
    outbox = Outbox(
        store,
        adapters,
        clock,
        views=DeskViews(context),
        files=AttachmentReader(adapters, lambda ref: read_local(ref, roots)),
        observers=observers,
    )
    observers.add(outbox)
    engine = Engine(
        store,
        clock,
        desk=room,
        relay=Relay(context),
        flow=flow,
        prepare=lambda outbound: parts(named(outbound, words, config.business.language), limits),
        committed=outbox.wake,
        observers=observers,
        timeout=config.dialogs.timeout + 5,
        flood=Flood(
            lambda turn: words.say(
                "flood",
                lang=turn.customer.language if turn.customer else config.business.language,
                now=turn.now,
            )
        ),
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

    async def mend() -> int:
        mended = await store.retry(clock(), LATE, HELD) + await outbox.take_back(LATE)
        engine.wake()
        outbox.wake()
        return mended

    rounds = PeriodicChecks(
        context, inbox.accept, store.enqueue, finders=(surveys,), mend=mend, committed=outbox.wake
    )
    announcer = Announcer(store, hooks_of(config), clock, salt=salt, enqueued=outbox.wake)
    observers.add(announcer)
    await announcer.go()
    return Service(
        config,
        clock,
        store,
        words,
        hours,
        knowledge,
        adapters,
        observers,
        room,
        inbox,
        engine,
        outbox,
        rounds,
        announcer,
        typing,
    )


def _rules(config: Config, knowledge: Knowledge, words: Texts, hours: Hours) -> Rules:
    """How the desk is to work, with what the articles say about topics."""

    def about(article: str) -> Sequence[str]:
        found = knowledge.article(article)
        return (
            tuple(
                dict.fromkeys(
                    t for t in (found.title, found.topic, found.section, *found.tags, found.id) if t
                )
            )
            if found
            else ()
        )

    def article(id: str) -> RichText:
        found = knowledge.article(id)
        return portion(found).text if found else RichText()

    questions = Questions(words, read_act)
    return Rules(
        config.teams,
        config.routing,
        config.sla,
        about,
        article,
        knowledge.ask if config.canned.prompter else None,
        open_canned(config, words, hours),
        {"business": config.business.name},
        config.canned.undo,
        lambda text: read_act(text).act in (Intent.THANKS, Intent.BYE),
        questions.question,
        Aside(
            our_dialogs(words, read_act, knowledge, None, open_facts(config, knowledge, hours)),
            article,
            knowledge.article,
        ),
        questions.meaning,
    )


def open_dialogs(
    config: Config,
    words: Texts,
    knowledge: Knowledge,
    desk: Desk,
    forms: Forms,
    ticket: Callable[[int], Awaitable[Ticket | None]],
) -> list[tuple[str, Dialog]]:
    """The dialogs in the order of the config: ours by name, others by dotted path. Raises `ConfigError`.

    The rating hears everything first, since it leaves all that does not answer its own question.
    """
    own = our_dialogs(
        words, read_act, knowledge, forms.escalate, open_facts(config, knowledge, open_hours(config))
    )
    intent, ours = own.intent, {"form": forms, **own.dialogs}
    days, apart = timedelta(days=config.rating.days_between), length(config.nps.apart) or timedelta()
    settles = timedelta(minutes=config.rating.settle_minutes)
    rating = Rating(
        words,
        intent,
        ticket=ticket,
        tell=partial(opened, desk.context),
        pause=days,
        apart=apart,
        settles=settles,
    )
    nps = Nps(words, intent, config.nps, tell=partial(commented, desk.context))
    dialogs: list[tuple[str, Dialog]] = [
        ("requests", Requests(desk.context)),
        ("outreach", AboutNews(words)),
        ("rating", rating),
        ("nps", nps),
    ]
    for name in config.dialogs.order:
        if name in ours:
            dialogs.append((name, ours[name]))
        else:
            dialogs.append((name, _foreign_dialog(name, tuple(ours))))
    return dialogs


def _foreign_dialog(name: str, ours: Sequence[str]) -> Dialog:
    """A dialog of somebody else's: by dotted path, or by the name that an installed package gives it."""
    found = _imported(name) if ":" in name else _brought("bot.dialogs", name)
    if found is None:
        known = _known("bot.dialogs", *ours)
        raise ConfigError([problem("config.no_dialog", name=name, known=known)])
    return cast(Dialog, found() if isinstance(found, type) else found)


def _imported(path: str) -> object:
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError([problem("config.dialog_import", path=path, reason=error)]) from error


def _brought(group: str, name: str) -> object | None:
    """What an installed package brings under this name of an entry point; None where none does."""
    for entry in entry_points(group=group, name=name):
        try:
            return cast(object, entry.load())
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                [problem("config.entry_import", name=name, group=group, reason=error)]
            ) from error
    return None


def _known(group: str, *ours: str) -> str:
    """Our names and those that installed packages bring."""
    return ", ".join((*ours, *sorted({e.name for e in entry_points(group=group)})))


async def salt_of(store: Store) -> str:
    if (salt := await store.setting("salt")) is None:
        salt = secrets.token_hex(8)
        await store.keep_setting("salt", salt)
    return salt


async def _place(config: Config, store: Store, default: Peer | None) -> Peer | None:
    place = (
        Peer(config.desk.channel, config.desk.chat)
        if config.desk
        else read_place(await store.setting(SETTING)) or default
    )
    while place and (moved := await store.setting(f"moved:{place.channel}:{place.chat}")):
        place = Peer(place.channel, moved)
    return place


class _Platforms:
    """The channels, asked about chats and people."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self._adapters = adapters

    async def membership(self, peer: Peer, user: str) -> str:
        adapter = self._adapters.get(peer.channel)
        return await adapter.membership(peer.chat, user) if adapter else "none"

    async def look(self, peer: Peer) -> ChatInfo | None:
        adapter = self._adapters.get(peer.channel)
        return await adapter.look(peer.chat) if adapter else None

    def topic_url(self, peer: Peer, thread: str) -> str:
        adapter = self._adapters.get(peer.channel)
        return adapter.topic_url(peer.chat, thread) if adapter else ""

    async def profile(self, peer: Peer, user: str) -> Sender | None:
        adapter = self._adapters.get(peer.channel)
        return await adapter.profile(user) if adapter else None


def read_local(ref: str, roots: Sequence[Path]) -> File:
    """A file of the articles (or of the playground's uploads); nothing outside those folders is ever sent."""
    path = Path(ref).resolve()
    if not any(path.is_relative_to(root) for root in roots):
        raise Refused("the file is outside the folder of articles")
    try:
        return File(
            path.read_bytes(), path.name, mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        )
    except OSError as error:
        raise Refused(f"the file cannot be read: {type(error).__name__}") from error
