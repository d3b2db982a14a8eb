"""Two customers who are one person: the other one found, both seen side by side, made one after a yes; and
two again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NoReturn

from aiohttp import web

from bot.model import Customer
from bot.model.internal import MergeCustomers
from bot.storage.base import ConversationQuery
from bot.text.customer_fields import CONTACTS
from bot.text.person_names import full_name
from bot.web.customers import CustomerFacts, CustomerPages
from bot.web.pages import Pages
from bot.web.services import WebServices
from bot.web.ticket_orders import GLANCE, PATIENCE, PageRequests

LISTED = 20  # customers offered at once


@dataclass(frozen=True, slots=True)
class OtherCustomer:
    """Somebody who may be the same person, and the contact both have ("" = none)."""

    customer: Customer
    name: str
    shared: str


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A field of both, and what the one customer has afterwards."""

    name: str
    kept: str
    other: str

    @property
    def after(self) -> str:
        return self.kept or self.other


class CustomerMergePages:
    """GET and POST /customer/{id}/merge, POST /customer/{id}/separate."""

    def __init__(self, services: WebServices, pages: Pages, customers: CustomerPages) -> None:
        self._services, self._pages, self._customers = services, pages, customers
        self._requests = PageRequests(services)

    async def show(self, request: web.Request) -> web.Response:
        """GET: `q` looks for the other one, `with` shows both side by side; nothing is changed."""
        facts = await self._customers.facts(request.match_info["id"])
        if number := request.query.get("with", ""):
            return await self._compared(request, facts, number)
        words = request.query.get("q", "").strip()
        found = await (self._found(facts.customer, words) if words else self._alike(facts.customer))
        return self._pages.show(request, "customer_find.html", "talks", facts=facts, asked=words, found=found)

    async def merge(self, request: web.Request) -> web.Response:
        """POST with the other one's number in `other`: the yes to what the page has shown."""
        facts, form = await self._customers.facts(request.match_info["id"]), await request.post()
        other = await self._customers.facts(str(form.get("other", "")))
        if other.customer.id == facts.customer.id:
            raise web.HTTPSeeOther(f"/customer/{facts.customer.id}?done=merge_stale")
        await self._ask(request, facts, MergeCustomers(facts.customer.id, other.customer.id))

    async def separate(self, request: web.Request) -> web.Response:
        """POST with the number of whoever was joined by mistake in `other`."""
        facts, form = await self._customers.facts(request.match_info["id"]), await request.post()
        number = str(form.get("other", ""))
        if number not in map(str, facts.joined):
            raise web.HTTPSeeOther(f"/customer/{facts.customer.id}?done=merge_stale")
        await self._ask(request, facts, MergeCustomers(facts.customer.id, int(number), undone=True))

    # --- inside

    async def _ask(self, request: web.Request, facts: CustomerFacts, asked: MergeCustomers) -> NoReturn:
        """Hand it in and wait a moment; leads back to the card, which says how it ended."""
        await self._requests.hand_in(facts.talks[0].peer, self._requests.who(request), asked)
        done = "separated" if asked.undone else "merged"
        for _ in range(round(PATIENCE / GLANCE)):
            if (asked.other in await self._services.store.joined(asked.into)) != asked.undone:
                raise web.HTTPSeeOther(f"/customer/{asked.into}?done={done}")
            await asyncio.sleep(GLANCE)
        raise web.HTTPSeeOther(f"/customer/{asked.into}?done=merge_waits")

    async def _compared(self, request: web.Request, facts: CustomerFacts, number: str) -> web.Response:
        other = await self._customers.facts(number)
        if other.customer.id == facts.customer.id:
            raise web.HTTPFound(f"/customer/{facts.customer.id}/merge")
        names = sorted({*facts.fields, *other.fields})
        rows = [ComparedField(n, facts.fields.get(n, ""), other.fields.get(n, "")) for n in names]
        return self._pages.show(
            request, "customer_merge.html", "talks", facts=facts, other=other, fields=rows
        )

    async def _found(self, own: Customer, words: str) -> list[OtherCustomer]:
        """By number, else by name, address or field."""
        store = self._services.store
        number = words.lstrip("№# ")
        people: dict[int, Customer] = {}
        if number.isdecimal() and len(number) < 10:
            known = await store.customer(await store.known_as(int(number)))
            people |= {known.id: known} if known and known.peers else {}
        page = await store.search_conversations(ConversationQuery(customer=words), limit=LISTED * 2)
        people |= {row.customer.id: row.customer for row in page.rows}
        return self._others(own, people)

    async def _alike(self, own: Customer) -> list[OtherCustomer]:
        """Whoever has the same phone or e-mail: most likely the one."""
        people: dict[int, Customer] = {}
        for name in CONTACTS:
            if value := own.fields.get(name):
                found = await self._services.store.find_customers({name: str(value)})
                people |= {c.id: c for c in found}
        return self._others(own, people)

    @staticmethod
    def _others(own: Customer, people: dict[int, Customer]) -> list[OtherCustomer]:
        rows = [
            OtherCustomer(c, full_name(c), ", ".join(n for n in CONTACTS if _same(own, c, n)))
            for id, c in people.items()
            if id != own.id
        ]
        return sorted(rows, key=lambda row: not row.shared)[:LISTED]


def _same(one: Customer, other: Customer, name: str) -> bool:
    return bool(one.fields.get(name)) and one.fields.get(name) == other.fields.get(name)
