"""The composition root: the only place that knows implementations; it joins the parts, starts them and stops
them in order.
"""

from __future__ import annotations

import asyncio
import hmac
import importlib
import inspect
import mimetypes
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
from bot.dialogs.about import BusinessFacts
from bot.dialogs.api_requests import ApiRequests
from bot.dialogs.article_rendering import portion
from bot.dialogs.base import Dialog
from bot.dialogs.builtin_dialogs import our_dialogs
from bot.dialogs.flow import Flow
from bot.dialogs.forms.form import Forms
from bot.dialogs.incident_notice import Banner
from bot.dialogs.linking import Linking
from bot.dialogs.offline_decision import OfflineDecision
from bot.dialogs.opt_out import OptOut as AboutNews
from bot.dialogs.question_reader import QuestionReader, SideAnswer
from bot.dialogs.surveys.nps import Nps
from bot.dialogs.surveys.rating import Rating, RatingPauses
from bot.engine import Deciders, Engine
from bot.errors import ConfigError, Refused
from bot.handoff.assist.canned import CannedAnswers
from bot.handoff.attachments import named
from bot.handoff.delivery_views import DeskViews
from bot.handoff.desk import Desk
from bot.handoff.desk_context import DeskContext, DeskRules
from bot.handoff.group_binding import BoundGroup, GroupBinding
from bot.handoff.group_status import Groups
from bot.handoff.operators.registry import Registry
from bot.handoff.operators.roster import Roster
from bot.handoff.operators.teams import Teams
from bot.handoff.outreach.commands import OutreachCommands
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.outreach.low_rating import opened
from bot.handoff.outreach.surveys import Surveys, commented
from bot.handoff.periodic import PeriodicChecks
from bot.handoff.places import DeskPlaces
from bot.handoff.queue.queue import Queue
from bot.handoff.relay import Relay
from bot.handoff.shared_state import SharedState
from bot.handoff.sla.debts import LATE
from bot.handoff.sla.hours import Hours
from bot.handoff.sla.targets import Deadlines
from bot.i18n.texts import Texts
from bot.inbox import Inbox
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.query.intents import read_act
from bot.knowledge.search import Knowledge
from bot.model import Event, Inbound, InboundKind, Intent, Outbound, Peer, RichText, Sender, Ticket, Turn
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
    texts: Texts
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
    secret: bytes  # what signs the page's sessions
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
        answer=config.knowledge.answer_threshold,
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


def open_facts(config: Config, knowledge: Knowledge, hours: Hours) -> BusinessFacts:
    """What the bot tells about the business: the settings, and what its articles are about."""

    def topics(language: str) -> Sequence[str]:
        named = Counter(
            a.topic
            for a in knowledge.articles()
            if a.topic and a.status == "published" and a.lang == language
        )
        return [topic for topic, _ in named.most_common()]

    return BusinessFacts(config.business.contacts, hours, topics)


def open_judge(config: Config, knowledge: Knowledge) -> OfflineDecision:
    """What the bot of this config says to words alone; used by the commands and the pages."""
    hours = open_hours(config)
    return OfflineDecision(knowledge, open_texts(config, hours), open_facts(config, knowledge, hours))


def open_texts(config: Config, hours: Hours) -> Texts:
    overrides = config.path(config.wording.folder) if config.wording.folder else None
    return Texts.load(
        config.business.language, overrides, zone=hours.zone, facts={"business": config.business.name}
    )


def open_canned(config: Config, texts: Texts, hours: Hours) -> CannedAnswers:
    """The ready answers. Raises `ConfigError` with every fault of their files."""
    return CannedAnswers(config.path(config.canned.folder) if config.canned.folder else None, texts, hours)


def open_adapters(config: Config, clock: Clock, *, salt: str = "") -> dict[str, Adapter]:
    """An adapter for every channel whose token is there. Raises `ConfigError` for a kind that nobody brings.

    *salt* tells this database from an older one of the same bot: deliveries are numbered anew in each, and VK
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
    if place is not None or config.storage.is_file:
        return SqliteStore.open(place or config.storage_path, now=clock)
    scheme = config.storage.url.partition("://")[0]
    opened = _brought_store(scheme)
    if opened is None:
        known = _known("bot.stores", "sqlite")
        raise ConfigError([problem("config.store_kind", scheme=scheme, known=known)])
    taken = inspect.signature(cast(Callable[..., Store], opened)).parameters
    settings = {"listen_url": config.storage.listen_url, "pool": config.storage.pool}
    wanted = {name: value for name, value in settings.items() if name in taken}
    return cast(Callable[..., Store], opened)(config.storage.url, now=clock, **wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a service gets in place of what the config names.

    *adapters* (or what makes them, given the salt) stand for the channels, *desk* is the operators' group if
    the config names none, *storage* the file of the store. *folders* may be read for attachments besides the
    articles' own; *knowledge* spares reading the articles again.
    """

    adapters: Mapping[str, Adapter] | Callable[[str], Mapping[str, Adapter]] | None = None
    clock: Clock | None = None
    desk: Peer | None = None
    storage: str | None = None
    folders: Sequence[Path] = ()
    log_events: bool = True
    knowledge: Knowledge | None = None


@dataclass(frozen=True, slots=True)
class _Basis:
    """What all parts of a service are made with."""

    config: Config
    clock: Clock
    hours: Hours
    texts: Texts
    knowledge: Knowledge
    store: Store
    salt: str
    adapters: Mapping[str, Adapter]
    observers: Observers

    @property
    def titles(self) -> dict[str, str]:
        """What people call the channels."""
        return {name: a.platform_name or name for name, a in self.adapters.items()}


async def build_service(config: Config, overrides: Overrides | None = None) -> Service:
    """Join everything. Raises `ConfigError`, `StorageError`."""
    overrides = overrides or Overrides()
    basis = await _open_basis(config, overrides)
    similarity = SimilarityMatcher(basis.knowledge)
    desk = await _open_desk(basis, overrides.desk, _open_outreach(basis, similarity))
    outbox = _open_outbox(basis, desk, overrides.folders)
    engine = _open_engine(basis, desk, _open_flow(basis, desk, similarity), outbox)
    typing: list[Peer] = []
    inbox = _open_inbox(basis, engine, typing)
    announcer = Announcer(basis.store, hooks_of(config), basis.clock, salt=basis.salt, enqueued=outbox.wake)
    basis.observers.add(announcer)
    await announcer.go()
    return Service(
        config,
        basis.clock,
        basis.store,
        basis.texts,
        basis.hours,
        basis.knowledge,
        basis.adapters,
        basis.observers,
        desk,
        inbox,
        engine,
        outbox,
        _open_checks(basis, desk, inbox, engine, outbox),
        announcer,
        await _session_secret(basis),
        typing,
    )


async def _open_basis(config: Config, overrides: Overrides) -> _Basis:
    clock = overrides.clock or Clock()
    set_home(config.hours.country)
    hours = open_hours(config)
    texts = open_texts(config, hours)
    knowledge = overrides.knowledge
    if knowledge is None:
        knowledge = await asyncio.to_thread(open_knowledge, config, channels=list(config.channels))
    _follow_calendar(knowledge, clock, hours)
    store = open_store(config, clock, overrides.storage)
    salt = await salt_of(store)
    adapters = overrides.adapters
    if not isinstance(adapters, Mapping):
        adapters = adapters(salt) if adapters else open_adapters(config, clock, salt=salt)
    adapters = {**adapters, **open_webhooks(config, clock)}
    observers = Observers([LogObserver()] if overrides.log_events else [])
    return _Basis(config, clock, hours, texts, knowledge, store, salt, adapters, observers)


async def _open_desk(basis: _Basis, group: Peer | None, outreach: OutreachCommands) -> Desk:
    """The operators' side; *group* is theirs where neither the config nor the store names one."""
    config, texts = basis.config, basis.texts
    named = Peer(config.desk.channel, config.desk.chat) if config.desk else None
    bound = BoundGroup(named or group, fixed=named is not None)
    rules = _rules(config, basis.knowledge, texts, basis.hours)
    roster, teams = Roster(), Teams(rules.teams)
    binding = GroupBinding(
        texts,
        lang=config.business.language,
        bound=bound,
        platforms=_Platforms(basis.adapters),
        others=teams.is_desk,
        is_ours=lambda id: id in rules.routing.supervisors or roster.works(id),
    )
    incidents, groups = Incidents(), Groups()
    context = DeskContext(
        texts,
        config.business.language,
        basis.hours,
        rules,
        roster=roster,
        teams=teams,
        queue=Queue(rules.routing.priority, line=teams.line),
        deadlines=Deadlines(rules.sla, rules.routing, basis.hours),
        incidents=incidents,
        groups=groups,
        places=DeskPlaces(binding, teams, basis.titles),
        shared=SharedState(basis.store.desk_state, (roster, teams, incidents, groups, binding)),
        ticket_reader=basis.store,
        commands=Registry(),
        outreach=outreach,
        ask_rating=timedelta(minutes=config.rating.delay_minutes) if config.rating.ask else None,
    )
    basis.observers.add(context)
    await context.shared.catch_up()
    return Desk(context)


def _open_outreach(basis: _Basis, similarity: SimilarityMatcher) -> OutreachCommands:
    """What is written to customers first."""
    config, store, channels = basis.config, basis.store, tuple(basis.adapters)
    span = DaySpan.parse(config.outreach.hours)
    surveys = Surveys(config.nps, store, hours=span, zone=basis.hours.zone, channels=channels)
    return OutreachCommands(
        store,
        similarity,
        channels,
        span,
        config.outreach.per_second,
        similarity.find,
        similarity.meant,
        similarity.title,
        surveys,
    )


def _open_flow(basis: _Basis, desk: Desk, similarity: SimilarityMatcher) -> Banner:
    """The dialogs, under the notice of an incident."""
    config, texts, store = basis.config, basis.texts, basis.store

    async def refused(since: datetime) -> Sequence[Event]:
        return await store.events(since=since, kinds=("link_refused",))

    linking = Linking(texts, store.setting, store.joined, refused, basis.titles)
    forms = Forms(texts, config.dialogs.forms, desk.escalate)
    dialogs = open_dialogs(config, texts, basis.knowledge, desk, forms, store.ticket)
    flow = Flow(
        [("linking", linking), *dialogs],
        timeout=config.dialogs.timeout,
        escalate=desk.escalate,
        hand_over=forms.escalate,
        texts=texts,
    )
    return Banner(flow, desk.context.incidents, similarity, texts, store.has_met)


def _open_outbox(basis: _Basis, desk: Desk, folders: Sequence[Path]) -> Outbox:
    roots = [basis.config.path(basis.config.knowledge.folder), *(f.resolve() for f in folders)]
    outbox = Outbox(
        basis.store,
        basis.adapters,
        basis.clock,
        views=DeskViews(desk.context),
        files=AttachmentReader(basis.adapters, lambda ref: read_local(ref, roots)),
        observers=basis.observers,
    )
    basis.observers.add(outbox)
    return outbox


def _open_engine(basis: _Basis, desk: Desk, flow: Banner, outbox: Outbox) -> Engine:
    config, texts = basis.config, basis.texts
    limits: dict[str, Limits] = {name: a.limits for name, a in basis.adapters.items()}

    def prepare(outbound: Outbound) -> tuple[Outbound, ...]:
        return parts(named(outbound, texts, config.business.language), limits)

    def flooded(turn: Turn) -> RichText:
        lang = turn.customer.language if turn.customer else config.business.language
        return texts.say("flood", lang=lang, now=turn.now)

    deciders = Deciders(
        desk,
        Relay(desk.context),
        flow,
        timeout=config.dialogs.timeout + 5,
        flood=Flood(flooded),
        articles=lambda: basis.knowledge.articles_version,
    )
    return Engine(
        basis.store,
        basis.clock,
        deciders,
        prepare=prepare,
        committed=outbox.wake,
        observers=basis.observers,
    )


def _open_inbox(basis: _Basis, engine: Engine, typing: list[Peer]) -> Inbox:
    """The peers to whom "typing…" is to be shown are put into *typing*."""
    dialogs = basis.config.dialogs

    def kept(inbound: Inbound) -> None:
        if dialogs.typing and inbound.private and inbound.kind is InboundKind.MESSAGE:
            typing.append(inbound.peer)

    return Inbox(
        basis.store,
        basis.clock,
        settle=timedelta(seconds=dialogs.settle),
        settle_limit=timedelta(seconds=dialogs.settle_limit),
        wake=engine.wake,
        kept=kept,
    )


def _open_checks(basis: _Basis, desk: Desk, inbox: Inbox, engine: Engine, outbox: Outbox) -> PeriodicChecks:
    store, clock = basis.store, basis.clock

    async def mend() -> int:
        mended = await store.retry(clock(), LATE, HELD) + await outbox.take_back(LATE)
        engine.wake()
        outbox.wake()
        return mended

    return PeriodicChecks(
        desk.context,
        inbox.accept,
        store.enqueue,
        finders=(desk.context.outreach.surveys,),
        mend=mend,
        committed=outbox.wake,
    )


def _rules(config: Config, knowledge: Knowledge, texts: Texts, hours: Hours) -> DeskRules:
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

    questions = QuestionReader(texts, read_act)
    return DeskRules(
        config.teams,
        config.routing,
        config.sla,
        about,
        article,
        knowledge.ask if config.canned.prompter else None,
        open_canned(config, texts, hours),
        {"business": config.business.name},
        config.canned.undo,
        lambda text: read_act(text).act in (Intent.THANKS, Intent.BYE),
        questions.question,
        SideAnswer(
            our_dialogs(texts, read_act, knowledge, None, open_facts(config, knowledge, hours)),
            article,
            knowledge.article,
        ),
        questions.meaning,
    )


def open_dialogs(
    config: Config,
    texts: Texts,
    knowledge: Knowledge,
    desk: Desk,
    forms: Forms,
    ticket: Callable[[int], Awaitable[Ticket | None]],
) -> list[tuple[str, Dialog]]:
    """The dialogs in the order of the config: ours by name, others by dotted path. Raises `ConfigError`.

    The rating hears everything first, since it leaves all that does not answer its own question.
    """
    own = our_dialogs(
        texts, read_act, knowledge, forms.escalate, open_facts(config, knowledge, open_hours(config))
    )
    intent, ours = own.intent, {"form": forms, **own.dialogs}
    days, apart = timedelta(days=config.rating.days_between), length(config.nps.apart) or timedelta()
    settles = timedelta(minutes=config.rating.settle_minutes)
    rating = Rating(
        texts,
        intent,
        ticket=ticket,
        tell=partial(opened, desk.context),
        pauses=RatingPauses(days, apart, settles),
    )
    nps = Nps(texts, intent, config.nps, tell=partial(commented, desk.context))
    dialogs: list[tuple[str, Dialog]] = [
        ("requests", ApiRequests(desk.context)),
        ("outreach", AboutNews(texts)),
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


def _brought_store(scheme: str) -> object | None:
    try:
        return _brought("bot.stores", scheme)
    except ConfigError as error:
        if isinstance(error.__cause__, ImportError) and (error.__cause__.name or "").startswith("psycopg"):
            raise ConfigError([problem("postgres.no_package", scheme=scheme)]) from None
        raise


def _known(group: str, *ours: str) -> str:
    """Our names and those that installed packages bring."""
    return ", ".join((*ours, *sorted({e.name for e in entry_points(group=group)})))


async def _session_secret(basis: _Basis) -> bytes:
    """One for all processes and starts; another password makes another, so that nobody stays logged in."""
    kept = await basis.store.first_setting("session_secret", secrets.token_hex(32))
    password = basis.config.web.password
    shown = password.get_secret_value() if password else ""
    return hmac.digest(bytes.fromhex(kept), shown.encode(), "sha256")


async def salt_of(store: Store) -> str:
    """What tells this database from an older one: made once, whichever process comes first."""
    return await store.first_setting("salt", secrets.token_hex(8))


class _Platforms:
    """The channels, asked about chats and people."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self._adapters = adapters

    async def membership(self, peer: Peer, user: str) -> str:
        adapter = self._adapters.get(peer.channel)
        return await adapter.membership(peer.chat, user) if adapter else "none"

    async def chat_info(self, peer: Peer) -> ChatInfo | None:
        adapter = self._adapters.get(peer.channel)
        return await adapter.chat_info(peer.chat) if adapter else None

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
