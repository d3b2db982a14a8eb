"""A service: its parts, joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.adapters.base import Adapter, Limits
from bot.app.service_parts import ServiceParts, Overrides, open_basis
from bot.app.channels import hooks_of, read_local
from bot.app.desk import open_desk, open_outreach
from bot.app.dialogs import open_flow
from bot.app.stores import session_secret
from bot.clock import Clock
from bot.config.loader import Config
from bot.delivery.flood_control import Flood
from bot.delivery.splitting import parts
from bot.delivery.webhook_events import Announcer
from bot.dialogs.incident_notice import Banner
from bot.engine import Deciders, Engine
from bot.handoff.attachments import named
from bot.handoff.delivery_views import DeskViews
from bot.handoff.desk import Desk
from bot.handoff.periodic import PeriodicChecks
from bot.handoff.relay import Relay
from bot.handoff.sla.debts import LATE
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.inbox import Inbox
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.search import Knowledge
from bot.model import Inbound, InboundKind, Outbound, Peer, RichText, Turn
from bot.observability import Observers
from bot.outbox import AttachmentReader, Outbox
from bot.storage.base import Store

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
    typing: list[Peer] = field(default_factory=list)

    def wake(self) -> None:
        """Something changed for everybody (the clock was moved): look again."""
        self.engine.wake()
        self.outbox.wake()

    async def close(self) -> None:
        await self.store.close()


async def build_service(config: Config, overrides: Overrides | None = None) -> Service:
    """Join everything. Raises `ConfigError`, `StorageError`."""
    overrides = overrides or Overrides()
    basis = await open_basis(config, overrides)
    similarity = SimilarityMatcher(basis.knowledge)
    desk = await open_desk(basis, overrides.desk, open_outreach(basis, similarity))
    outbox = _open_outbox(basis, desk, overrides.folders)
    engine = _open_engine(basis, desk, open_flow(basis, desk, similarity), outbox)
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
        await session_secret(basis.store, config),
        typing,
    )


def _open_outbox(basis: ServiceParts, desk: Desk, folders: Sequence[Path]) -> Outbox:
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


def _open_engine(basis: ServiceParts, desk: Desk, flow: Banner, outbox: Outbox) -> Engine:
    config, texts = basis.config, basis.texts
    limits: dict[str, Limits] = {name: a.limits for name, a in basis.adapters.items()}

    def prepare(outbound: Outbound) -> tuple[Outbound, ...]:
        return parts(named(outbound, texts, config.business.language), limits)

    def flooded(turn: Turn) -> RichText:
        lang = turn.customer.language if turn.customer else config.business.language
        return texts.say("flood", lang=lang, now=turn.now)

    deciders = Deciders(
        desk, Relay(desk.context), flow, timeout=config.dialogs.timeout + 5, flood=Flood(flooded)
    )
    return Engine(
        basis.store,
        basis.clock,
        deciders,
        prepare=prepare,
        committed=outbox.wake,
        observers=basis.observers,
    )


def _open_inbox(basis: ServiceParts, engine: Engine, typing: list[Peer]) -> Inbox:
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


def _open_checks(basis: ServiceParts, desk: Desk, inbox: Inbox, engine: Engine, outbox: Outbox) -> PeriodicChecks:
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
