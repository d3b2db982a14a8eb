"""What can be done with a ticket on its page, and the way there: an inbound of the customer's
conversation.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from bot.adapters.rich_text import plain
from bot.handoff.assist.assistant_requests import LOST, PREVIEW, find
from bot.handoff.compensation import written
from bot.handoff.playbooks.playbook import Playbook, PlaybookStep
from bot.model import (
    ApiRequest,
    AssistantRequest,
    Attachment,
    Compensation,
    DoneStep,
    Inbound,
    InboundKind,
    Peer,
    Sender,
    Span,
    Ticket,
)
from bot.model.internal import PageOrder
from bot.web.pages import Pages, read_words
from bot.web.ready_answers import READY, ReadyAnswers, unchanged
from bot.web.security import USER
from bot.web.services import WebServices
from bot.web.ticket_files import BadFile, TicketFiles
from bot.web.users import may

PATIENCE = 2.0  # seconds for which a page waits to show what became of a request
GLANCE = 0.05
ORDERED = "page_ordered"
LONGEST = 4000  # characters of an answer
TIMES = ("1h", "3h", "tomorrow", "mon")
WORDS = ("answer", "note")
OPEN = ("take", "transfer", "snooze", "return", "close")
OF_WORDS = ("draft", "shorten", "soften", "translate")  # to the assistant, with what stands in the field
OF_ASSISTANT = (*OF_WORDS, "understand", "summary", "assistant_send", "assistant_drop")
FURTHER = ("step", "playbook", "compensate")  # offered beside the orders of the panel


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step of the ticket's playbook as the page shows it; who did it, and when."""

    step: PlaybookStep
    done: DoneStep | None


@dataclass(frozen=True, slots=True)
class AssistantPage:
    """The assistant on the page: what it was asked for about the ticket, the newest first, which of these are
    *lost*, and the *words* that are worked on now.
    """

    requests: Sequence[AssistantRequest]
    lost: Collection[str] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class TicketPage:
    """What the page offers for a ticket. *key* makes a form that is sent twice one order."""

    ticket: Ticket
    orders: Sequence[str]
    people: Sequence[tuple[str, str]]
    times: Sequence[tuple[str, str]]
    categories: Sequence[str]
    key: str
    ready: bool = False  # whether there are ready answers
    playbook: Playbook | None = None
    steps: Sequence[ShownStep] = ()
    others: Sequence[Playbook] = ()
    compensations: Sequence[tuple[Compensation, str]] = ()  # with the sum in words
    assistant: AssistantPage | None = None  # None = it does not work for operators


@dataclass(frozen=True, slots=True)
class OrderContent:
    """What goes to the customer with an answer beside its bare words: their styles, and files."""

    spans: tuple[Span, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class PageRequests:
    """Hands in what is asked for on a page."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    @property
    def open(self) -> bool:
        """Whether anything can be asked for."""
        return self._services.hand_in is not None

    async def hand_in(
        self, peer: Peer, who: Sender, request: ApiRequest, key: str = "", sent: OrderContent | None = None
    ) -> str:
        """Keep a request with what is *sent* by it, once by its key; returns the key it is kept under.

        Raises 503 where none is taken.
        """
        if self._services.hand_in is None:
            raise web.HTTPServiceUnavailable(text="this page only reads")
        kept = f"page:{key or uuid.uuid4()}"
        now = self._services.clock()
        sent = sent or OrderContent()
        inbound = Inbound(
            kept,
            peer,
            who,
            now,
            InboundKind.INTERNAL,
            spans=sent.spans,
            attachments=sent.attachments,
            payload=request,
        )
        await self._services.hand_in(peer.channel, [inbound])
        return kept

    def who(self, request: web.Request) -> Sender:
        """Who asks, as events and colleagues name them."""
        user = request[USER]
        return Sender(user.actor, user.name or read_words(self._services.language)["somebody_on_page"])


class TicketOrders:
    """POST /conversation/{id}/order."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._requests = PageRequests(services)
        self.files = TicketFiles(services)
        self.ready = ReadyAnswers(services, read_words(services.language)["somebody_on_page"])

    def panel(self, request: web.Request, tickets: Sequence[Ticket]) -> TicketPage | None:
        """What can be done with the open ticket, else with the latest one; None where nothing can."""
        allowed = may(request[USER].role, "POST", f"{request.path}/order")
        if not self._requests.open or not tickets or not allowed:
            return None
        services, lang = self._services, self._pages.language(request)
        ticket = next((t for t in tickets if t.status != "closed"), None) or max(
            tickets, key=lambda t: t.number
        )
        orders: Sequence[str] = ("reopen",) if ticket.status == "closed" else OPEN
        if ticket.status == "operator":
            orders = OPEN[1:]
        words = services.words
        times = [(t, words.text(f"desk.later.{t}", lang=lang)) for t in TIMES] if words else ()
        key = str(uuid.uuid4())
        own = services.playbooks.of(ticket)
        done = {d.step: d for d in ticket.state.steps_done}
        return TicketPage(
            ticket,
            orders,
            services.addressees(),
            times,
            services.categories,
            key,
            ready=bool(services.answers),
            playbook=own,
            steps=[ShownStep(s, done.get(s.key)) for s in own.steps] if own else (),
            others=[p for p in services.playbooks.known.values() if p != own],
            compensations=[(c, written(c.amount, services.currency)) for c in ticket.state.compensations],
            assistant=_assistant(ticket, services.clock(), request[USER].name)
            if services.helps_operators
            else None,
        )

    async def order(self, request: web.Request) -> web.Response:
        """The form of the panel: `order`, `ticket`, `key`, `value` for words with `files` beside them and the
        `ready` answer they were made from, `value.COMMAND` for what follows one.
        """
        posted = await request.post()
        form = {k: v.strip() for k, v in posted.items() if isinstance(v, str)}
        number, ticket, order = request.match_info["id"], form.get("ticket", ""), form.get("order", "")
        order, _, step = order.partition(":")  # of a playbook, or which of the assistant's replies
        found = await self._services.store.ticket(int(ticket)) if _is_number(ticket) else None
        if found is None or str(found.conversation) != number or not found.customer_peer.chat:
            raise web.HTTPNotFound(text="no such ticket")
        value = form.get("value" if order in (*WORDS, *OF_WORDS) else f"value.{order}", "")
        if order in ("step", "assistant_drop"):
            value = step
        offered = (
            *WORDS,
            *OPEN,
            *FURTHER,
            *(OF_ASSISTANT if self._services.helps_operators else ()),
            "reopen",
        )
        if order not in offered:
            raise web.HTTPBadRequest(text="no such order")
        where = f"/conversation/{number}?data=own"
        try:
            fields = posted.getall("files", []) if order in WORDS else []
            attachments = await self.files.keep(fields, found.conversation, form.get("key", ""))
        except BadFile as error:
            asked = urlencode({"done": f"file_{error.why}", "file": error.name})
            raise web.HTTPSeeOther(f"{where}&{asked}#desk") from error
        if order in WORDS and (len(value) > LONGEST or not (value or attachments)):
            raise web.HTTPBadRequest(text=f"words of at most {LONGEST} characters")
        if order == "transfer" and form.get("reason"):
            value = f"{value} {form['reason']}"
        if order == "compensate":
            value = f"{value}\n{form.get('why', '')}"[
                :LONGEST
            ]  # a number in the second is no part of the sum
        if order in OF_WORDS and len(value) > LONGEST:
            raise web.HTTPBadRequest(text=f"words of at most {LONGEST} characters")
        made, sent = PageOrder(found.number, order, value), OrderContent(attachments=attachments)
        if order == "understand":  # to translate nothing of one's own is to translate the customer's words
            made = replace(made, order="translate", value="")
        if order == "assistant_send" or (order == "answer" and form.get("assistant")):
            made = _of_assistant(found, made, step or form.get("assistant", ""))
        if order == "answer" and not made.ready and (ready := form.get("ready", "")):
            text = await self.ready.chosen(request, found, ready)
            made = replace(made, ready=f"{READY}{ready[:100]}", shown=plain(text))
            if text and unchanged(text, value):  # it keeps its links and styles
                made = replace(made, value=text.text, shown=text.text)
                sent = replace(sent, spans=text.spans)
        result = await self._carried_out(request, found, made, form.get("key", ""), sent)
        raise web.HTTPSeeOther(f"{where}&done={result}#desk")

    async def _carried_out(
        self, request: web.Request, ticket: Ticket, order: PageOrder, key: str, sent: OrderContent
    ) -> str:
        """How the order ended; "waits" where nobody has decided on it yet."""
        since = self._services.clock() - timedelta(minutes=5)
        talk = await self._services.store.listeners(only=(ticket.conversation,))
        if not talk:
            raise web.HTTPNotFound(text="no such customer")
        kept = await self._requests.hand_in(talk[0].peer, self._requests.who(request), order, key, sent)
        for _ in range(round(PATIENCE / GLANCE)):
            for event in await self._services.store.events(since=since, kinds=(ORDERED,)):
                if event.data.get("key") == kept:
                    return str(event.data.get("result", ""))
            await asyncio.sleep(GLANCE)
        return "waits"


def _assistant(ticket: Ticket, now: datetime, name: str) -> AssistantPage:
    """What it was asked for; what was dropped is gone."""
    shown = [r for r in reversed(ticket.state.assistant) if r.status != "dropped"]
    words = next((r.given for r in shown if r.status == "asked" and r.on_page and r.name == name), "")
    lost = frozenset(r.id for r in shown if r.status == "asked" and now - r.at >= LOST)
    return AssistantPage(shown, lost, words)


def _of_assistant(ticket: Ticket, made: PageOrder, id: str) -> PageOrder:
    """The answer that the assistant brought: as it is, or what the operator made of it."""
    request = find(ticket, id)
    if (request is None or not request.text) and made.order == "answer":
        return made
    if request is None or not request.text:
        raise web.HTTPNotFound(text="no such reply of the assistant")
    text = made.value if made.order == "answer" else request.text
    return replace(made, order="answer", value=text, ready=f"{PREVIEW}{id}", shown=request.text)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10
