"""What can be done with a ticket on its page, and the way there: an inbound of the customer's
conversation.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from bot.handoff.compensation import written
from bot.handoff.playbooks.playbook import Playbook, PlaybookStep
from bot.model import (
    ApiRequest,
    Compensation,
    DoneStep,
    Inbound,
    InboundKind,
    Peer,
    Sender,
    Ticket,
)
from bot.model.internal import PageOrder
from bot.web.pages import Pages, read_words
from bot.web.security import USER
from bot.web.services import WebServices
from bot.web.users import may

PATIENCE = 2.0  # seconds for which a page waits to show what became of a request
GLANCE = 0.05
ORDERED = "page_ordered"
LONGEST = 4000  # characters of an answer
TIMES = ("1h", "3h", "tomorrow", "mon")
WORDS = ("answer", "note")
OPEN = ("take", "transfer", "snooze", "return", "close")
FURTHER = ("step", "playbook", "compensate")  # offered beside the orders of the panel


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step of the ticket's playbook as the page shows it; who did it, and when."""

    step: PlaybookStep
    done: DoneStep | None


@dataclass(frozen=True, slots=True)
class TicketPage:
    """What the page offers for a ticket. *key* makes a form that is sent twice one order."""

    ticket: Ticket
    orders: Sequence[str]
    people: Sequence[tuple[str, str]]
    times: Sequence[tuple[str, str]]
    categories: Sequence[str]
    key: str
    playbook: Playbook | None = None
    steps: Sequence[ShownStep] = ()
    others: Sequence[Playbook] = ()
    compensations: Sequence[tuple[Compensation, str]] = ()  # with the sum in words


class PageRequests:
    """Hands in what is asked for on a page."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    @property
    def open(self) -> bool:
        """Whether anything can be asked for."""
        return self._services.hand_in is not None

    async def hand_in(self, peer: Peer, who: Sender, request: ApiRequest, key: str = "") -> str:
        """Keep a request, once by its key; returns the key it is kept under.

        Raises 503 where none is taken.
        """
        if self._services.hand_in is None:
            raise web.HTTPServiceUnavailable(text="this page only reads")
        kept = f"page:{key or uuid.uuid4()}"
        now = self._services.clock()
        inbound = Inbound(kept, peer, who, now, InboundKind.INTERNAL, payload=request)
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
            playbook=own,
            steps=[ShownStep(s, done.get(s.key)) for s in own.steps] if own else (),
            others=[p for p in services.playbooks.known.values() if p != own],
            compensations=[(c, written(c.amount, services.currency)) for c in ticket.state.compensations],
        )

    async def order(self, request: web.Request) -> web.Response:
        """The form of the panel: `order`, `ticket`, `key`, `value` for words, `value.COMMAND` for what
        follows one.
        """
        form = {k: str(v).strip() for k, v in (await request.post()).items()}
        number, ticket, order = request.match_info["id"], form.get("ticket", ""), form.get("order", "")
        order, _, step = order.partition(":")
        found = await self._services.store.ticket(int(ticket)) if _is_number(ticket) else None
        if found is None or str(found.conversation) != number or not found.customer_peer.chat:
            raise web.HTTPNotFound(text="no such ticket")
        value = form.get("value" if order in WORDS else f"value.{order}", "")
        if order in WORDS and not 0 < len(value) <= LONGEST:
            raise web.HTTPBadRequest(text=f"words of at most {LONGEST} characters")
        if order == "step":
            value = step
        if order not in (*WORDS, *OPEN, *FURTHER, "reopen"):
            raise web.HTTPBadRequest(text="no such order")
        if order == "transfer" and form.get("reason"):
            value = f"{value} {form['reason']}"
        if order == "compensate":
            value = f"{value} {form.get('why', '')}"[:LONGEST]
        result = await self._carried_out(
            request, found, PageOrder(found.number, order, value), form.get("key", "")
        )
        raise web.HTTPSeeOther(f"/conversation/{number}?data=own&done={result}#desk")

    async def _carried_out(self, request: web.Request, ticket: Ticket, order: PageOrder, key: str) -> str:
        """How the order ended; "waits" where nobody has decided on it yet."""
        since = self._services.clock() - timedelta(minutes=5)
        talk = await self._services.store.listeners(only=(ticket.conversation,))
        if not talk:
            raise web.HTTPNotFound(text="no such customer")
        kept = await self._requests.hand_in(talk[0].peer, self._requests.who(request), order, key)
        for _ in range(round(PATIENCE / GLANCE)):
            for event in await self._services.store.events(since=since, kinds=(ORDERED,)):
                if event.data.get("key") == kept:
                    return str(event.data.get("result", ""))
            await asyncio.sleep(GLANCE)
        return "waits"


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10
