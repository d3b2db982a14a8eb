"""Short words for saying things in the store's contract: who writes what when, and what is decided about
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model import (
    Inbound,
    InboundKind,
    Outbound,
    Outcome,
    Peer,
    Result,
    RichText,
    Sender,
    Status,
    Ticket,
    Turn,
)
from bot.storage.base import Delivery, DeliveryResult, ScheduledInbound, Store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA = Peer("tg", "501")
BORIS = Peer("vk", "77")
DESK = Peer("tg", "-100500")


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def arrival(
    key: str,
    text: str = "здравствуйте",
    peer: Peer = ANNA,
    *,
    at: float = 0,
    ready: float | None = None,
    limit: float = 60,
    **fields: Any,
) -> ScheduledInbound:
    """Something *peer* did at second *at*, ready at second *ready* (at once where it is not said)."""
    sender = fields.pop("sender", Sender(peer.chat, "Анна", "Кузнецова", "anna"))
    private = fields.pop("private", peer.chat != DESK.chat)
    inbound = Inbound(key, peer, sender, later(at), text=text, private=private, **fields)
    return ScheduledInbound(inbound, later(at if ready is None else ready), later(at + limit))


async def hear(store: Store, *arrivals: ScheduledInbound) -> int:
    """Each arrival accepted by its channel, in order."""
    return sum([await store.accept(a.inbound.peer.channel, [a]) for a in arrivals])


async def take(store: Store, at: float = 0, **options: Any) -> Turn:
    """The turn that must be ready at second *at*."""
    turn = await store.take_turn(later(at), **options)
    assert turn is not None, f"no turn is ready at second {at}"
    return turn


def decide(*say: Outbound, result: Result = Result.ANSWERED, **fields: Any) -> Outcome:
    return Outcome("test", result, messages=say, **fields)


def say(text: str, to: Peer = ANNA, **fields: Any) -> Outbound:
    return Outbound(to, RichText(text), **fields)


def open_ticket(turn: Turn, **fields: Any) -> Ticket:
    """A ticket for the conversation of *turn*, opened now."""
    return Ticket(turn.next_number, turn.conversation.id, turn.conversation.peer, opened=turn.now, **fields)


async def answer(store: Store, turn: Turn, *says: Outbound, at: float = 0, **fields: Any) -> tuple[int, ...]:
    """Finish *turn*; the ids of what it enqueued."""
    finished = await store.finish_turn(turn, decide(*says, **fields), later(at))
    return finished.deliveries


async def hand_over(
    store: Store, peer: Peer = ANNA, key: str = "handover", at: float = 0, *say_too: Outbound
) -> Ticket:
    """*peer* writes and is handed to a person; the ticket as it was kept."""
    await hear(store, arrival(key, "позовите человека", peer, at=at))
    turn = await take(store, at)
    opened = open_ticket(turn)
    outcome = decide(*say_too, result=Result.HANDED_OFF, opens=opened, status=Status.WAITING)
    await store.finish_turn(turn, outcome, later(at))
    kept = await store.ticket(opened.number)
    assert kept is not None
    return kept


async def deliver(store: Store, at: float = 0, **options: Any) -> list[Delivery]:
    """What may go at second *at*, taken and left under way."""
    return list(await store.take_deliveries(later(at), **options))


async def deliver_all(store: Store, at: float = 0, first: int = 1000) -> list[Delivery]:
    """Send everything that may go at second *at*, with message ids from *first* on; what was sent, in
    order.
    """
    sent: list[Delivery] = []
    while taken := await store.take_deliveries(later(at)):
        for delivery in taken:
            await store.settle(delivery, DeliveryResult("sent", str(first + len(sent))), later(at))
            sent.append(delivery)
    return sent


def texts(deliveries: Sequence[Delivery]) -> list[str]:
    return [d.outbound.text.text for d in deliveries]


def operator_says(key: str, text: str, thread: str = "", **fields: Any) -> ScheduledInbound:
    """An operator writes in the desk."""
    return arrival(key, text, replace(DESK, thread=thread), sender=Sender("9", "Ольга"), **fields)


def press(key: str, token: str, peer: Peer = ANNA, **fields: Any) -> ScheduledInbound:
    return arrival(key, "", peer, kind=InboundKind.PRESS, press=token, **fields)
