"""Chats of a person's own account in which the bot may answer (Telegram Business): who lets it, and how such
a chat is addressed.

A chat of a person's account has the number of the customer's own chat with the bot and counts its messages
itself, so its peer has a thread of its own, and its messages have names of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zlib import crc32

from aiogram.methods import GetBusinessConnection

from bot.adapters.telegram.session import ApiConnection
from bot.clock import Clock
from bot.errors import PeerGone, Refused
from bot.model import Peer

UPDATES = ("business_connection", "business_message", "edited_business_message", "deleted_business_messages")
THREAD = "account:"  # begins the thread of such a chat; the connection's id follows
FRESH = timedelta(minutes=10)  # so long a connection that another process may have heard of is believed in
STRANGE = timedelta(minutes=1)  # and one that may not answer

Dict = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AccountConnection:
    """A person's account, by the connection's *id*: whose it is, and what the bot may do there."""

    id: str
    owner: str = ""
    name: str = ""
    state: Literal["on", "silent", "off"] = "off"  # silent: it reads and may not answer

    @property
    def may_answer(self) -> bool:
        return self.state == "on"


def connection_of(body: Dict) -> AccountConnection:
    """A connection as Telegram tells it; before Bot API 9.0 the right stood beside, not in `rights`."""
    user, rights = body.get("user") or {}, body.get("rights") or {}
    may = rights.get("can_reply") or body.get("can_reply")
    name = " ".join(str(user[k]) for k in ("first_name", "last_name") if user.get(k))
    state: Literal["on", "silent", "off"] = "silent"
    if not body.get("is_enabled"):
        state = "off"
    elif may:
        state = "on"
    return AccountConnection(str(body["id"]), str(user.get("id", "")), name, state)


class AccountConnections:
    """What is known of them. Telegram is asked about those that are not; nothing here outlives a restart."""

    def __init__(self, line: ApiConnection, clock: Clock) -> None:
        self._line, self._clock = line, clock
        self._known: dict[str, tuple[AccountConnection, datetime]] = {}

    def of(self, id: str) -> AccountConnection:
        """One that is not known is off."""
        found = self._known.get(id)
        return AccountConnection(id) if found is None else found[0]

    def note(self, connection: AccountConnection) -> None:
        """Telegram has just told of it."""
        self._known[connection.id] = connection, self._clock()

    async def meet(self, updates: Sequence[object]) -> None:
        """Know the connections of all these updates. Raises `DeliveryError` where Telegram cannot be asked:
        then the updates must come again.
        """
        for update in (u for u in updates if isinstance(u, dict)):
            for kind in UPDATES[1:]:
                body = update.get(kind)
                id = body.get("business_connection_id") if isinstance(body, dict) else None
                if isinstance(id, str) and not self._is_fresh(id):
                    self.note(await self._asked(id))

    def _is_fresh(self, id: str) -> bool:
        found = self._known.get(id)
        if found is None:
            return False
        return self._clock() - found[1] < (FRESH if found[0].may_answer else STRANGE)

    async def _asked(self, id: str) -> AccountConnection:
        try:
            body = await self._line.call(GetBusinessConnection(business_connection_id=id))
        except (PeerGone, Refused):
            return AccountConnection(id)
        return connection_of(body) if isinstance(body, dict) and "id" in body else AccountConnection(id)


def account_peer(channel: str, chat: object, id: str) -> Peer:
    """The chat with a customer in the account of this connection."""
    return Peer(channel, str(chat), THREAD + id)


def connection_in(peer: Peer) -> str:
    """The connection by which a peer is reached; "" where it is none of somebody's account."""
    return peer.thread.removeprefix(THREAD) if peer.thread.startswith(THREAD) else ""


def message_name(id: str, number: object) -> str:
    """What a message of such a chat is called here; that of no connection keeps Telegram's own number."""
    return f"b{crc32(id.encode()):08x}-{number}" if id else str(number)


def number_in(name: str) -> str:
    """Telegram's own number of a message."""
    return name.rpartition("-")[2] if name.startswith("b") else name
