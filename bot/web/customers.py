"""A customer's page: who they are, where they write, their tickets; what is kept about them as a file, and
nothing of it any more.

What is asked for about a customer is handed in as an inbound of their conversation and decided there like
everything else; the page waits a moment to show what became of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from bot.model import Conversation, Customer, Ticket
from bot.model.internal import SetAttributes
from bot.storage.base import Store
from bot.text.customer_fields import consent_of, fault, is_own, normal
from bot.text.person_names import full_name
from bot.text.pii import mask
from bot.text.points_history import PointsChange, history_of, name_of
from bot.web.pages import Pages
from bot.web.security import USER
from bot.web.services import WebServices
from bot.web.ticket_orders import GLANCE, PATIENCE, PageRequests
from bot.web.users import may

NOTICES = ("changed", "merged", "separated", "merge_stale", "merge_waits")  # how what was asked for ended


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What the page shows of a customer."""

    customer: Customer
    name: str
    talks: tuple[Conversation, ...]
    tickets: tuple[Ticket, ...]
    joined: tuple[int, ...]
    fields: Mapping[str, str]  # what people may change
    kept: Mapping[str, str]  # what the bot keeps for itself
    points: tuple[PointsChange, ...] = ()  # how their loyalty points have changed
    consent: tuple[str, str, str] | None = None  # version, when, channel


class CustomerPages:
    """GET /customer/{id} and what can be done there."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._requests = PageRequests(services)

    async def show(self, request: web.Request) -> web.Response:
        """GET /customer/{id}: a customer who was joined into another is shown as that one."""
        facts = await self.facts(request.match_info["id"])
        if str(facts.customer.id) != request.match_info["id"]:
            raise web.HTTPFound(f"/customer/{facts.customer.id}")
        return self._page(request, facts, notice=request.query.get("done", ""))

    async def change(self, request: web.Request) -> web.Response:
        """POST /customer/{id}/fields: `field.NAME` are values ("" takes one away), `name` and `value` a new
        one.
        """
        facts, form = await self.facts(request.match_info["id"]), await request.post()
        given = {k.removeprefix("field."): str(v).strip() for k, v in form.items() if k.startswith("field.")}
        name = str(form.get("name", "")).strip().casefold()
        if name:
            given[name] = str(form.get("value", "")).strip()
        before = facts.customer.fields
        changes = {k: _meant(v, before.get(k)) for k, v in given.items() if v != facts.fields.get(k, "")}
        for key, value in changes.items():
            if why := fault(key, value):
                return self._page(request, facts, problem=f"{key}: {why}", typed=given, status=422)
        if changes:
            await self._hand_in(request, facts, changes)
        raise web.HTTPSeeOther(f"/customer/{facts.customer.id}?done=changed")

    async def _hand_in(
        self, request: web.Request, facts: CustomerFacts, changes: Mapping[str, object]
    ) -> None:
        who = self._requests.who(request)
        await self._requests.hand_in(facts.talks[0].peer, who, SetAttributes(dict(changes)))
        wanted = {k: normal(k, v) if isinstance(v, str) else v for k, v in changes.items()}
        for _ in range(round(PATIENCE / GLANCE)):
            now = await self._services.store.customer(facts.customer.id)
            if now is None or all(now.fields.get(k) == v for k, v in wanted.items()):
                return
            await asyncio.sleep(GLANCE)

    async def export(self, request: web.Request) -> web.Response:
        """GET /customer/{id}/data.json: everything that is kept about them."""
        facts = await self.facts(request.match_info["id"])
        data = await self._services.store.export_customer(facts.customer.id)
        return web.Response(
            text=json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n",
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="customer-{facts.customer.id}.json"'},
        )

    async def ask_to_forget(self, request: web.Request) -> web.Response:
        """GET /customer/{id}/forget: what would go, and what would stay."""
        return await self._forget_page(request, await self.facts(request.match_info["id"]))

    async def forget(self, request: web.Request) -> web.Response:
        """POST /customer/{id}/forget with the customer's number in `number`, as the page asks for it."""
        facts, form = await self.facts(request.match_info["id"]), await request.post()
        if str(form.get("number", "")).strip().lstrip("№# ") != str(facts.customer.id):
            return await self._forget_page(request, facts, wrong=True)
        await self._services.store.forget_customer(facts.customer.id, self._services.clock())
        self._services.enqueued()
        raise web.HTTPSeeOther(f"/conversations?forgotten={facts.customer.id}")

    # --- inside

    async def _forget_page(
        self, request: web.Request, facts: CustomerFacts, *, wrong: bool = False
    ) -> web.Response:
        data = await self._services.store.export_customer(facts.customer.id)
        rows = {name: len(found) for name, found in data.items() if isinstance(found, list)}
        return self._pages.show(
            request,
            "forget.html",
            "talks",
            facts=facts,
            rows=rows,
            wrong=wrong,
            open_ticket=next((t for t in facts.tickets if t.status != "closed"), None),
        )

    def _page(
        self,
        request: web.Request,
        facts: CustomerFacts,
        *,
        notice: str = "",
        problem: str = "",
        typed: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> web.Response:
        writable = may(request[USER].role, "POST", f"/customer/{facts.customer.id}/fields")
        if not writable:  # who only looks needs no contacts
            facts = replace(facts, fields={k: mask(v) for k, v in facts.fields.items()})
        response = self._pages.show(
            request,
            "customer.html",
            "talks",
            facts=facts,
            typed=typed or {},
            notice=notice if notice in NOTICES else "",
            problem=problem,
            writable=writable and self._requests.open,
        )
        response.set_status(status)
        return response

    async def facts(self, written: str) -> CustomerFacts:
        """What is known of the customer of this number, as whom they are known now. Raises 404."""
        store = self._services.store
        number = int(written) if written.isdecimal() and len(written) < 19 else 0
        customer = await _known(store, number)
        talks = await store.conversations(customer.id) if customer else ()
        if customer is None or not talks or not customer.peers:
            raise web.HTTPNotFound(text="no such customer")
        told = {k: _shown(v) for k, v in customer.fields.items() if v not in ("", None)}
        return CustomerFacts(
            customer,
            full_name(customer),
            talks,
            tuple([t for talk in talks for t in reversed(await store.tickets_in(talk.id))]),
            await store.joined(customer.id),
            {k: v for k, v in told.items() if not is_own(k)},
            {k: v for k, v in told.items() if is_own(k) and k != name_of(self._services.points)},
            history_of(customer.fields, self._services.points),
            consent_of(customer.fields),
        )


async def _known(store: Store, number: int) -> Customer | None:
    return await store.customer(await store.known_as(number)) if number else None


def _shown(value: object) -> str:
    """A field's value in a box."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meant(typed: str, before: object) -> str | bool | None:
    """What was typed into it: a yes or no stays one, nothing takes the field away."""
    if isinstance(before, bool) and typed in ("true", "false"):
        return typed == "true"
    return typed or None
