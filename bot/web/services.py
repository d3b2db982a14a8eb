"""What the pages need from the service; the composition root fills it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.adapters.base import Adapter, File
from bot.adapters.playground.typed_message import TypedMessage
from bot.clock import Clock
from bot.config.quality import QualitySettings
from bot.delivery.attachment_reader import AttachmentReader
from bot.dialogs.flows.flow_file import FlowFile
from bot.dialogs.flows.flow_reader import FlowFolder
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import Problem
from bot.handoff.assist.page_answers import PageAnswers
from bot.handoff.mystery.scenario import Scenarios
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.playbooks.playbook import Playbooks
from bot.i18n.texts import Texts
from bot.knowledge.articles.schema import Article
from bot.knowledge.base import KnowledgeStatus, ReloadResult
from bot.knowledge.quality.release import ReleaseLimits
from bot.model import Answer, Attachment, Event, HistoryEntry, InboundKind, Json, Outbound, Sender, Sent
from bot.quality.criterion import Criterion, criteria_of
from bot.reports.report import Calendar
from bot.storage.base import Store
from bot.text.tone import ToneCheck
from bot.web.api.rest import AcceptRequest, RestApi
from bot.web.events import EventHub
from bot.web.health import Metrics
from bot.web.setup_services import SetupServices

if TYPE_CHECKING:
    from bot.assistant.guarded_assistant import AssistantState
    from bot.assistant.task import Assistant

Hook = Callable[[web.Request], Awaitable[web.StreamResponse]]


class KnowledgeService(Protocol):
    """What the pages ask of the knowledge base."""

    folder: Path
    problems: tuple[Problem, ...]
    status: KnowledgeStatus

    def articles(self) -> tuple[Article, ...]: ...

    def article(self, id: str, language: str = "") -> Article | None: ...

    async def ask(self, question: str, *, language: str = "", channel: str = "") -> Answer: ...


class FileStorage(Protocol):
    """Where a playground channel keeps files."""

    def keep(self, name: str, mime: str, content: bytes, *, voice: bool = False) -> Attachment: ...

    def read(self, attachment: Attachment) -> File: ...

    def kept(self, attachment: Attachment, ref: str, size: int = 0) -> Attachment: ...


@runtime_checkable
class PlaygroundChannel(Adapter, Protocol):
    """A channel whose people sit in front of the page (bot/adapters/playground/adapter.py)."""

    group: str
    title: str
    down: bool
    people: dict[str, Sender]

    @property
    def uploads(self) -> FileStorage: ...

    def view(self) -> Json: ...

    def watch(self, change: Callable[[str, Json], None]) -> None: ...

    def add(self, person: Sender) -> None: ...

    def remove_all(self) -> None: ...

    async def say(self, chat: str, user: str, typed: TypedMessage, *, key: str, thread: str = "") -> Json: ...

    async def rewrite(self, chat: str, user: str, message: str, text: str, *, key: str) -> None: ...

    async def press(self, chat: str, user: str, message: str, button: str, *, key: str) -> str: ...

    async def happen(
        self, chat: str, user: str, kind: InboundKind, *, key: str, thread: str = ""
    ) -> None: ...

    def find_button(self, label: str, chat: str, thread: str | None = None) -> tuple[str, str] | None: ...

    def newest_thread(self) -> str: ...

    def delete_topic(self, thread: str) -> None: ...

    def switch(self, *, down: bool) -> None: ...

    def show(
        self,
        outbound: Outbound,
        *,
        nonce: int,
        target: str,
        at: datetime,
        attachments: tuple[Attachment, ...] = (),
    ) -> Sent: ...

    def show_line(self, chat: str, thread: str, line: HistoryEntry) -> None: ...


@dataclass(slots=True)
class WebServices:
    """Everything behind the pages.

    *channels* are all adapters by name; those named in *playground* (customers' channels first, the desk
    last) are shown on
    `/`, and without any the page is not there. *hooks* are mounted under /hooks/<channel>, *chats* are
    all under /chat/. *secret* signs sessions; give a
    kept one and people stay logged in over a restart. *password* is the words or `hash_password` of them.
    *moved* is called
    when the clock was shifted, *open_at* tells whether the business works at a moment. *hours* (with the
    service level:
    *answer_share* of the tickets within *answer_within* seconds) make the report, with *at_once* the
    forecast; *demo* is a played history,
    shown in the playground's report only.
    *words* are the customers' (previews, and telling them of an answer); *enqueued* is called when a page
    has enqueued something. *incidents* are those of the desk,
    *catch_up* brings them up to what other processes committed.
    *judge* is asked by «Спросить базу»: it says what the live bot would.
    *golden* are the golden questions, asked before an example or an article is written; *tone* looks at the
    words of articles while they are written; the last *keep_days* of use are
    read.
    *release* is what publishing may change without a supervisor's yes.
    *set_threshold* writes the answer threshold into the settings, and the bot answers from there; raises
    `ConfigError`.
    *flows* reads the flows of the owner's folder anew, and raises `ConfigError` where a file cannot be used;
    *running_flows* are those that customers are answered with.
    *rest* is the API for other systems; without it there is none. *hand_in* is the inbox, to which pages give
    what they ask for about a customer; without it they only read.
    *addressees* are the people and teams a ticket can be handed to, each with what they are shown as;
    *categories* those a ticket can be closed under.
    *setup* are the owner's folder and process, without it there are no set-up pages; with a *key* all pages
    open to whoever has the address that holds it.
    *playbooks* are those of the operators, *currency* is the sign of compensations, *quality* the rules of
    the scorecard.
    *assistant* works for those whom the config names; None = it is off.
    *answers* are the ready answers of the operators, *files* reads what was sent, *points* is the field
    of loyalty points.
    *scenarios* are those of mystery customers, who are shown as writing on *played_as*.
    *assistant_state* tells how the optional assistant is; None = it is off.
    *health_only* leaves /healthz, /readyz and /metrics: what a replica without the role web serves.
    """

    store: Store
    channels: Mapping[str, Adapter]
    clock: Clock
    knowledge: KnowledgeService | None = None
    playground: Sequence[str] = ()
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    chats: Sequence[web.RouteDef] = ()
    title: str = ""
    summary: Mapping[str, str] = field(default_factory=dict)
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Moscow"))
    language: str = "ru"
    host: str = "127.0.0.1"
    password: str = ""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    moved: Callable[[], object] = lambda: None
    open_at: Callable[[datetime], bool] | None = None
    hours: Calendar | None = None
    answer_within: float = 20.0
    answer_share: float = 0.8
    at_once: int = 1
    demo: Store | None = None
    words: Texts | None = None
    enqueued: Callable[[], object] = lambda: None
    incidents: Incidents = field(default_factory=Incidents)
    catch_up: Callable[[], Awaitable[object]] | None = None
    topic_name: Callable[[int], Awaitable[str]] | None = None
    rest: RestApi | None = None
    hand_in: AcceptRequest | None = None
    addressees: Callable[[], Sequence[tuple[str, str]]] = tuple
    categories: Sequence[str] = ()
    answers: PageAnswers | None = None
    assistant: Assistant | None = None
    points: str = ""
    files: AttachmentReader | None = None
    playbooks: Playbooks = field(default_factory=Playbooks)
    currency: str = "₽"
    quality: QualitySettings = field(default_factory=QualitySettings)
    scenarios: Scenarios = field(default_factory=Scenarios)
    played_as: str = ""
    assistant_state: Callable[[], Awaitable[AssistantState]] | None = None
    health_only: bool = False
    setup: SetupServices | None = None
    key: str = ""
    judge: OfflineDecision | None = None
    golden: Path | None = None
    keep_days: int = 365
    release: ReleaseLimits = field(default_factory=ReleaseLimits)
    set_threshold: Callable[[float], None] | None = None
    flows: Callable[[], FlowFolder] | None = None
    running_flows: Mapping[str, FlowFile] = field(default_factory=dict)
    tone: ToneCheck | None = None
    hub: EventHub = field(default_factory=EventHub)
    metrics: Metrics = field(default_factory=Metrics)
    stale: timedelta = timedelta(seconds=90)

    @property
    def helps_operators(self) -> bool:
        """Whether operators may ask the assistant."""
        return self.assistant is not None and self.assistant.allows("operators")

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Those of the scorecard."""
        return criteria_of(self.quality)

    @property
    def messengers(self) -> tuple[PlaygroundChannel, ...]:
        """The channels of the playground, in the order of the page."""
        return tuple(
            s for name in self.playground if isinstance(s := self.channels.get(name), PlaygroundChannel)
        )

    @property
    def demo_chats(self) -> tuple[str, ...]:
        """Pages on which the chats of sites can be tried."""
        return tuple(r.path for r in self.chats if isinstance(r, web.RouteDef) and r.path.endswith("/demo"))

    def seen(self, event: Event) -> None:
        """The pages as an `Observer`: what happened is counted, and open pages look again."""
        self.metrics.seen(event)
        if event.kind not in ("turn", "heard"):
            self.hub.tell("happened", {"kind": event.kind, "ticket": event.ticket})

    async def tell_reloaded(self, reloaded: ReloadResult) -> None:
        """For `Knowledge.watch`: open pages show what was read anew and what is broken."""
        self.hub.tell(
            "knowledge",
            {
                "articles": len(reloaded.changed) + len(reloaded.added) + len(reloaded.removed),
                "milliseconds": round(reloaded.seconds * 1000),
                "problems": [str(p) for p in reloaded.problems if p.severity == "error"][:5],
            },
        )
