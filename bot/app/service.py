"""A service: its parts, joined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.base import Adapter, Limits
from bot.app.assistant_desk import join_assistant
from bot.app.channels import hooks_of, read_local
from bot.app.desk import open_desk, open_outreach
from bot.app.dialogs import open_flow
from bot.app.flows import FlowParts, open_connector, open_flows, questionnaires_of
from bot.app.page_chats import attach_chats
from bot.app.service_parts import Overrides, ServiceParts, open_parts
from bot.app.stores import session_secret
from bot.app.voice import open_voice
from bot.clock import Clock
from bot.config.loader import Config
from bot.config.roles import ProcessRole
from bot.delivery import public_words, splitting
from bot.delivery.attachment_reader import AttachmentReader
from bot.delivery.flood_control import Flood
from bot.delivery.letters import as_letters
from bot.delivery.webhook_events import Announcer
from bot.dialogs.flows.flow_file import FlowFile
from bot.engine import Deciders, Engine
from bot.handoff.attachments import named
from bot.handoff.delivery_views import DeskViews
from bot.handoff.desk import Desk
from bot.handoff.mystery.player import MysteryPlayer
from bot.handoff.periodic import PeriodicChecks
from bot.handoff.relay import Relay
from bot.handoff.sla.debts import LATE
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.inbox import Inbox
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.search import Knowledge
from bot.leases import LeaseKeeper
from bot.model import Inbound, InboundKind, Outbound, Outcome, Peer, RichText, Turn
from bot.observability import Observers
from bot.outbox import Outbox
from bot.reports.topic_alarms import TopicAlarms
from bot.storage.base import Store

if TYPE_CHECKING:
    from bot.assistant.guarded_assistant import GuardedAssistant
    from bot.transcription.voice_reader import VoiceReader

Flow = Callable[[Turn], Awaitable[Outcome]]
# a decision has half a minute; a turn that is held for longer has lost its worker
HELD = timedelta(minutes=2)


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
    roles: frozenset[ProcessRole]
    leases: LeaseKeeper
    flows: Mapping[str, FlowFile]
    open_rounds: Callable[[], PeriodicChecks]
    typing: list[Peer] = field(default_factory=list)
    voice: VoiceReader | None = None
    assistant: GuardedAssistant | None = None

    def wake(self) -> None:
        """Something changed for everybody (the clock was moved): look again."""
        self.engine.wake()
        self.outbox.wake()

    async def close(self) -> None:
        if self.voice is not None:
            await self.voice.close()
        if self.assistant is not None:
            await self.assistant.close()
        await self.store.close()


async def build_service(config: Config, overrides: Overrides | None = None) -> Service:
    """Join everything. Raises `ConfigError`, `StorageError`."""
    overrides = overrides or Overrides()
    parts = await open_parts(config, overrides)
    similarity = SimilarityMatcher(parts.knowledge)
    secret = await session_secret(parts.store, config)
    flows = FlowParts(
        open_flows(config, parts.knowledge).flows, overrides.connector or open_connector(config), secret
    )
    outreach = open_outreach(parts, similarity, questionnaires_of(flows.flows))
    desk = await open_desk(parts, overrides.desk, outreach)
    files = _open_files(parts, overrides.folders)
    outbox = _open_outbox(parts, desk, files)
    attach_chats(parts, desk.context.places, outbox)
    voice = open_voice(parts, files)
    engine = _open_engine(parts, desk, open_flow(parts, desk, similarity, flows), outbox, voice)
    if voice is not None:
        voice.heard = engine.wake
    typing: list[Peer] = []
    inbox = _open_inbox(parts, engine, typing)
    join_assistant(parts, desk, inbox)
    announcer = Announcer(parts.store, hooks_of(config), parts.clock, salt=parts.salt, enqueued=outbox.wake)
    parts.observers.add(announcer)
    if not parts.store.shared:  # else whoever has the lease does
        await announcer.go()

    def open_rounds() -> PeriodicChecks:
        return _open_checks(parts, desk, inbox, engine, outbox)

    return Service(
        config,
        parts.clock,
        parts.store,
        parts.texts,
        parts.hours,
        parts.knowledge,
        parts.adapters,
        parts.observers,
        desk,
        inbox,
        engine,
        outbox,
        open_rounds(),
        announcer,
        secret,
        parts.roles,
        parts.leases,
        flows.flows,
        open_rounds,
        typing,
        voice,
        parts.assistant,
    )


def _open_files(parts: ServiceParts, folders: Sequence[Path]) -> AttachmentReader:
    roots = [parts.config.path(parts.config.knowledge.folder), *(f.resolve() for f in folders)]
    return AttachmentReader(parts.adapters, lambda ref: read_local(ref, roots), parts.store)


def _open_outbox(parts: ServiceParts, desk: Desk, files: AttachmentReader) -> Outbox:
    outbox = Outbox(
        parts.store,
        parts.adapters,
        parts.clock,
        views=DeskViews(desk.context),
        files=files,
        observers=parts.observers,
    )
    outbox.share_channels(parts.leases)
    parts.observers.add(outbox)
    return outbox


def _open_engine(
    parts: ServiceParts, desk: Desk, flow: Flow, outbox: Outbox, voice: VoiceReader | None
) -> Engine:
    config, texts = parts.config, parts.texts
    limits: dict[str, Limits] = {name: a.limits for name, a in parts.adapters.items()}

    def prepare(turn: Turn, messages: tuple[Outbound, ...]) -> tuple[Outbound, ...]:
        lang = config.business.language
        return tuple(
            part
            for outbound in as_letters(messages, turn, limits)
            for kept in public_words.guarded(outbound)
            for part in splitting.parts(named(kept, texts, lang), limits)
        )

    def flooded(turn: Turn) -> RichText:
        lang = turn.customer.language if turn.customer else config.business.language
        return texts.say("flood", lang=lang, now=turn.now)

    deciders = Deciders(
        desk,
        Relay(desk.context),
        flow,
        timeout=config.dialogs.timeout + 5,
        flood=Flood(flooded),
        articles=lambda: parts.knowledge.articles_version,
        voice=voice,
    )
    return Engine(
        parts.store,
        parts.clock,
        deciders,
        prepare=prepare,
        committed=outbox.wake,
        observers=parts.observers,
    )


def _open_inbox(parts: ServiceParts, engine: Engine, typing: list[Peer]) -> Inbox:
    """The peers to whom "typing…" is to be shown are put into *typing*."""
    dialogs = parts.config.dialogs

    def kept(inbound: Inbound) -> None:
        if dialogs.typing and inbound.private and inbound.kind is InboundKind.MESSAGE:
            typing.append(inbound.peer)

    return Inbox(
        parts.store,
        parts.clock,
        settle=timedelta(seconds=dialogs.settle),
        settle_limit=timedelta(seconds=dialogs.settle_limit),
        wake=engine.wake,
        kept=kept,
    )


def _open_checks(
    parts: ServiceParts, desk: Desk, inbox: Inbox, engine: Engine, outbox: Outbox
) -> PeriodicChecks:
    store, clock = parts.store, parts.clock

    async def mend() -> int:
        mended = await store.retry(clock(), LATE, HELD) + await outbox.take_back(LATE)
        engine.wake()
        outbox.wake()
        return mended

    alarms = TopicAlarms(
        store,
        parts.knowledge.articles,
        zone=parts.hours.zone,
        least=parts.config.report.topic_alarm_least if parts.config.report.topic_alarm else 0,
    )
    return PeriodicChecks(
        desk.context,
        inbox.accept,
        store.enqueue,
        finders=(
            desk.context.outreach.surveys,
            desk.context.outreach.sequences,
            alarms,
            MysteryPlayer(desk.context),
        ),
        mend=mend,
        committed=outbox.wake,
    )
