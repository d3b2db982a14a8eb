"""The REST API for other systems: each request is kept as an inbound of the customer's conversation, and
decided like everything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.clock import Clock
from bot.model import ApiRequest, Conversation, Customer, Inbound, InboundKind, Peer, Sender, Ticket
from bot.model.internal import CloseTicket, OpenTicket, SendMessage, SetAttributes
from bot.storage.base import Store
from bot.text.customer_fields import is_own, normal
from bot.text.person_names import full_name
from bot.web.api.keys import ApiCaller, ApiKeys
from bot.web.api.problem_details import BadRequest, problem
from bot.web.api.schemas import (
    Accepted,
    Address,
    Attributes,
    Body,
    CustomerView,
    Data,
    Forgotten,
    Found,
    Message,
    MessageView,
    NewTicket,
    TicketView,
)

ROOT = "/api/v1"
# bytes of a body: the largest one that its description allows, with every letter written as \\uXXXX
LARGEST = 384 * 1024
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_STATES = {
    "pending": "pending",
    "sending": "pending",
    "sent": "sent",
    "failed": "failed",
    "cancelled": "failed",
    "unknown": "unknown",
}
_OF_SERVER = {
    404: ("unknown_path", f"there is nothing at this path: see {ROOT}/openapi.json"),
    405: ("wrong_method", "this path is asked for in another way: see the header Allow"),
    500: ("error", "something broke here; it is in the log, and may be asked for again with the same key"),
    503: ("storage", "the storage does not answer: ask again with the same key"),
}
Taken = TypeVar("Taken", bound=Body)
Answer = Callable[[web.Request, ApiCaller], Awaitable[web.Response]]


class AcceptRequest(Protocol):
    """The inbox."""

    async def __call__(self, channel: str, inbounds: Sequence[Inbound]) -> None: ...


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked for; `may` names the right that a key needs, `takes` the body, `once` that
    a key for repeats is needed.
    """

    method: str
    path: str
    name: str
    summary: str
    may: str
    gives: type[BaseModel]
    answer: Answer
    takes: type[Body] | None = None
    once: bool = False
    query: Mapping[str, str] | None = None
    status: int = 200


class RestApi:
    """The API, open to whoever has a key. What it answers with 202 is kept, and survives a restart."""

    def __init__(self, store: Store, accept: AcceptRequest, keys: ApiKeys, clock: Clock) -> None:
        self._store, self._accept, self._keys, self._clock = store, accept, keys, clock
        self.routes = self._routes()

    def add_to(self, app: web.Application) -> None:
        """Mount every route."""
        for route in self.routes:
            app.router.add_route(route.method, ROOT + route.path, self._guarded(route))

    def _routes(self) -> tuple[Route, ...]:
        contact = {
            "phone": "alone; in any form",
            "email": "alone",
            "channel": "with chat",
            "chat": "id of the customer in that channel",
        }
        one, ticket = "/customers/{customer}", "/tickets/{number}"
        return (
            Route(
                "GET",
                "/customers",
                "findCustomers",
                "Customers with this phone, e-mail or address",
                "customers",
                Found,
                self._find,
                query=contact,
            ),
            Route("GET", one, "getCustomer", "A customer", "customers", CustomerView, self._customer),
            Route(
                "GET",
                f"{one}/data",
                "exportCustomer",
                "Everything that is kept about a customer",
                "privacy",
                Data,
                self._export,
            ),
            Route(
                "DELETE",
                one,
                "forgetCustomer",
                "Forget a customer: their words, names and addresses",
                "privacy",
                Forgotten,
                self._forget,
            ),
            Route(
                "PATCH",
                f"{one}/attributes",
                "setAttributes",
                "Change what is known of a customer",
                "customers",
                Accepted,
                self._attributes,
                Attributes,
                status=202,
            ),
            Route(
                "POST",
                f"{one}/messages",
                "sendMessage",
                "Say something to a customer",
                "messages",
                Accepted,
                self._message,
                Message,
                once=True,
                status=202,
            ),
            Route(
                "GET",
                f"{one}/messages/{{key}}",
                "getMessage",
                "What became of a message",
                "messages",
                MessageView,
                self._sent,
            ),
            Route(
                "POST",
                f"{one}/tickets",
                "openTicket",
                "Hand a customer over to people",
                "tickets",
                Accepted,
                self._open,
                NewTicket,
                once=True,
                status=202,
            ),
            Route("GET", ticket, "getTicket", "A ticket", "tickets", TicketView, self._ticket),
            Route(
                "POST",
                f"{ticket}/close",
                "closeTicket",
                "Close a ticket",
                "tickets",
                Accepted,
                self._close,
                once=True,
                status=202,
            ),
        )

    def _guarded(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                caller = await self._keys.admit(request, self._store, self._clock())
                if route.may not in caller.may:
                    raise BadRequest(
                        403,
                        "not_allowed",
                        f"this key may not touch {route.may}: see api.keys.{caller.name}.may",
                    )
                return await route.answer(request, caller)
            except BadRequest as wrong:
                return wrong.response()

        return answer

    # --- customers

    async def _find(self, request: web.Request, caller: ApiCaller) -> web.Response:
        asked = {k: v for k, v in request.query.items() if v}
        if asked.keys() == {"channel", "chat"}:
            found = [c for c in [await self._at(asked["channel"], asked["chat"])] if c]
        elif len(asked) == 1 and asked.keys() <= {"phone", "email"}:
            ((name, value),) = asked.items()
            if (wanted := normal(name, value)) is None:
                raise BadRequest(422, "no_contact", f"this is no {name}")
            found = list(await self._store.find_customers({name: wanted}))
        else:
            raise BadRequest(422, "unclear_query", "ask by one of: phone; email; channel and chat")
        return _json(Found(customers=[await self._view(c) for c in found]))

    async def _customer(self, request: web.Request, caller: ApiCaller) -> web.Response:
        return _json(await self._view(await self._known_customer(request)))

    async def _export(self, request: web.Request, caller: ApiCaller) -> web.Response:
        return _json(Data(data=await self._store.export_customer((await self._known_customer(request)).id)))

    async def _forget(self, request: web.Request, caller: ApiCaller) -> web.Response:
        customer = await self._known_customer(request)
        return _json(
            Forgotten(
                customer=customer.id, forgotten=await self._store.forget_customer(customer.id, self._clock())
            )
        )

    async def _attributes(self, request: web.Request, caller: ApiCaller) -> web.Response:
        body = await _body(request, Attributes)
        changes = dict(body.attributes)
        key = (
            _idempotency(request)
            if "Idempotency-Key" in request.headers
            else f"{self._clock().timestamp():.6f}-{id(request):x}"
        )
        return await self._hand_in(caller, key, SetAttributes(changes), await self._talks(request))

    # --- messages

    async def _message(self, request: web.Request, caller: ApiCaller) -> web.Response:
        key, body = _idempotency(request), await _body(request, Message)
        request_ = SendMessage(body.text, markdown=body.markdown)
        return await self._hand_in(
            caller, key, request_, _alone(await self._talks(request)), channel=body.channel, reachable=True
        )

    async def _sent(self, request: web.Request, caller: ApiCaller) -> web.Response:
        key = request.match_info["key"]
        inbound = await self._known(await self._talks(request), _kept_as(caller, key))
        if inbound is None:
            raise BadRequest(
                404, "unknown_message", "no message with this key was handed in for this customer"
            )
        sent = await self._store.deliveries(peer=inbound.peer, name=inbound.key)
        if not sent:
            return _json(MessageView(key=key, state="accepted"))
        return _json(
            MessageView.model_validate(
                {"key": key, "state": _STATES[sent[-1].status], "error": sent[-1].error}
            )
        )

    # --- tickets

    async def _open(self, request: web.Request, caller: ApiCaller) -> web.Response:
        key, body = _idempotency(request), await _body(request, NewTicket)
        talks = await self._talks(request)
        if any(t.ticket for t in talks) and await self._known(talks, _kept_as(caller, key)) is None:
            number = next(t.ticket for t in talks if t.ticket)
            raise BadRequest(409, "ticket_open", f"the customer's ticket {number} is open already")
        return await self._hand_in(caller, key, OpenTicket(body.text), _alone(talks), channel=body.channel)

    async def _ticket(self, request: web.Request, caller: ApiCaller) -> web.Response:
        ticket, talk = await self._found(request)
        return _json(_ticket_view(ticket, talk))

    async def _close(self, request: web.Request, caller: ApiCaller) -> web.Response:
        key = _idempotency(request)
        ticket, talk = await self._found(request)
        talks = await self._store.conversations(talk.customer) if talk and talk.customer else ()
        talks = tuple(sorted(talks, key=lambda t: t.peer != ticket.customer_peer))
        if ticket.status == "closed" and await self._known(talks, _kept_as(caller, key)) is None:
            raise BadRequest(409, "ticket_closed", "the ticket is closed already")
        return await self._hand_in(
            caller, key, CloseTicket(ticket.number), talks, channel=ticket.customer_peer.channel
        )

    # --- what they have in common

    async def _hand_in(
        self,
        caller: ApiCaller,
        key: str,
        request: ApiRequest,
        talks: Sequence[Conversation],
        *,
        channel: str | None = None,
        reachable: bool = False,
    ) -> web.Response:
        """Keep a request, once: the same key again is the same request, whatever channel it went to; with
        another body it is refused.
        """
        kept = _kept_as(caller, key)
        known = await self._known(talks, kept)
        if known is not None:
            if known.payload is not None and known.payload != request:
                raise BadRequest(
                    422, "key_reused", "this Idempotency-Key was used for something else: take a new one"
                )
            customer = (
                next((t.customer for t in talks if t.peer == known.peer), None) or talks[0].customer or 0
            )
            return _json(Accepted(key=key, customer=customer, channel=known.peer.channel, repeated=True), 202)
        talk = next((t for t in talks if channel in (None, t.peer.channel)), None)
        if talk is None:
            raise BadRequest(404, "unknown_channel", "the customer does not write in this channel")
        if reachable and not talk.reachable:
            raise BadRequest(
                409,
                "unreachable",
                "the customer forbade messages there; nobody can write to them until they write again",
            )
        await self._accept(
            talk.peer.channel,
            [
                Inbound(
                    kept,
                    talk.peer,
                    Sender("", caller.name),
                    self._clock(),
                    InboundKind.INTERNAL,
                    payload=request,
                )
            ],
        )
        return _json(Accepted(key=key, customer=talk.customer or 0, channel=talk.peer.channel), 202)

    async def _known(self, talks: Sequence[Conversation], kept: str) -> Inbound | None:
        for channel in dict.fromkeys(t.peer.channel for t in talks):
            if (inbound := await self._store.find_inbound(channel, kept)) is not None:
                return inbound
        return None

    async def _talks(self, request: web.Request) -> tuple[Conversation, ...]:
        talks = await self._store.conversations(await self._store.known_as(_number(request, "customer")))
        if not talks:
            raise BadRequest(404, "unknown_customer", "there is no such customer")
        return talks

    async def _found(self, request: web.Request) -> tuple[Ticket, Conversation | None]:
        ticket = await self._store.ticket(_number(request, "number"))
        if ticket is None:
            raise BadRequest(404, "unknown_ticket", "there is no such ticket")
        return ticket, await self._store.conversation(ticket.customer_peer)

    async def _known_customer(self, request: web.Request) -> Customer:
        customer = await self._store.customer(await self._store.known_as(_number(request, "customer")))
        if customer is None or not customer.peers:
            raise BadRequest(404, "unknown_customer", "there is no such customer")
        return customer

    async def _at(self, channel: str, chat: str) -> Customer | None:
        talk = await self._store.conversation(Peer(channel, chat))
        return await self._store.customer(talk.customer) if talk and talk.customer else None

    async def _view(self, customer: Customer) -> CustomerView:
        talks = await self._store.conversations(customer.id)
        return CustomerView(
            id=customer.id,
            name=full_name(customer),
            language=customer.language,
            attributes={k: v for k, v in customer.fields.items() if not is_own(k)},
            addresses=[
                Address(channel=t.peer.channel, chat=t.peer.chat, reachable=t.reachable) for t in talks
            ],
            ticket=next((t.ticket for t in talks if t.ticket), None),
        )


def _alone(talks: Sequence[Conversation]) -> Sequence[Conversation]:
    """Where nobody else reads what is said. Raises `BadRequest` where a customer has only commented."""
    if found := [t for t in talks if not t.peer.is_public]:
        return found
    raise BadRequest(
        409,
        "unreachable",
        "the customer has only commented in public; nobody can write to them until they write",
    )


def _ticket_view(ticket: Ticket, talk: Conversation | None) -> TicketView:
    return TicketView(
        number=ticket.number,
        status=ticket.status,
        customer=talk.customer if talk else None,
        channel=ticket.customer_peer.channel,
        reason=ticket.reason,
        topic=ticket.topic,
        category=ticket.category,
        priority=ticket.priority,
        operator=ticket.operator_name,
        tags=list(ticket.state.tags),
        opened=ticket.opened,
        taken=ticket.taken,
        first_reply=ticket.first_reply,
        closed=ticket.closed,
        due=ticket.due,
        rating=ticket.rating,
    )


def _kept_as(caller: ApiCaller, key: str) -> str:
    """The key of the inbound: two systems may use the same idempotency key."""
    return f"api:{caller.name}:{key}"


def _number(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    if not text.isdecimal() or not text.isascii() or len(text) > 15:
        raise BadRequest(404, f"unknown_{'ticket' if name == 'number' else name}", "the number is not one")
    return int(text)


def _idempotency(request: web.Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise BadRequest(
            400,
            "no_idempotency_key",
            "send an Idempotency-Key of 1 to 128 visible characters: a repeat with the same key does nothing",
        )
    return key


async def _body(request: web.Request, shape: type[Taken]) -> Taken:
    """The body, checked. Raises `BadRequest` with every fault of it."""
    if request.content_type != "application/json":
        raise BadRequest(415, "not_json", "send the body as application/json")
    if (request.content_length or 0) > LARGEST:
        raise BadRequest(413, "too_large", f"a body has at most {LARGEST} bytes")
    content = await request.content.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadRequest(413, "too_large", f"a body has at most {LARGEST} bytes")
    try:
        loaded: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise BadRequest(400, "broken_json", "the body is not valid JSON") from None
    try:
        return shape.model_validate(loaded)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults = [
            {
                "pointer": "#" + "".join(f"/{p}" for p in e["loc"]),
                "detail": e["msg"].removeprefix("Value error, "),
            }
            for e in found
        ]
        raise BadRequest(422, "wrong_body", "the body is not what is asked for", errors=faults) from None


def _json(body: BaseModel, status: int = 200) -> web.Response:
    headers = {"Idempotency-Replayed": "true"} if getattr(body, "repeated", False) else None
    return web.Response(
        status=status, text=body.model_dump_json(), content_type="application/json", headers=headers
    )


def failure(status: int, text: str, headers: Mapping[str, str]) -> web.Response:
    """What the server itself refuses under the API's paths: no such path, no such method."""
    code, detail = _OF_SERVER.get(status, ("refused", text))
    return problem(status, code, detail, headers=headers)
