"""The people in front of the page, and how what they saw is shown again after a restart."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from pathlib import Path

from bot.model import HistoryEntry, Outbound, OutboundKind, Peer, RichText, Sender, Ticket
from bot.storage.base import Delivery, DeliveryStatus, Store
from bot.text.yaml_source import read_own
from bot.web.services import PlaygroundChannel

TopicName = Callable[[int], Awaitable[str]]

SETTING = "playground.cast"
KEPT = 12  # customers shown per channel; the oldest leave the page (never the store)
_CAST = Path(__file__).with_name("people.yaml")
_SENT: tuple[DeliveryStatus, ...] = ("sent",)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PlaygroundCustomers:
    """The customers of the page: the same ones after a restart, new ones after a reset."""

    def __init__(
        self, store: Store, messengers: tuple[PlaygroundChannel, ...], topic_name: TopicName | None = None
    ) -> None:
        self._store, self._topic_name = store, topic_name
        self.customers = tuple(s for s in messengers if not s.group)
        self.desk = next((s for s in messengers if s.group), None)

    async def enter(self) -> None:
        """The customers of the last time come back; the first time new ones come."""
        kept = json.loads(await self._store.setting(SETTING) or "{}")
        if not any(kept.get(s.name) for s in self.customers):
            await self.renew()
            return
        for messenger in self.customers:
            for person in kept.get(messenger.name, ()):
                messenger.add(Sender(**person))
        await HistoryReplay(self._store, self.customers, self.desk, self._topic_name).show()

    async def renew(self) -> None:
        """Everybody leaves, new customers (with chats of their own) come."""
        names = read_own(_CAST)
        for messenger in self.customers:
            messenger.remove_all()
            for person in names[_kind(messenger)]:
                messenger.add(Sender(_new_id(), **person))
        await self._keep()

    async def invite(
        self,
        messenger: PlaygroundChannel,
        name: str,
        *,
        last_name: str = "",
        username: str = "",
        gender: str = "",
        language: str = "ru",
    ) -> Sender:
        """One more customer."""
        person = Sender(
            _new_id(),
            name,
            last_name,
            username,
            language,
            gender if gender in ("male", "female") else "",  # type: ignore[arg-type]
        )
        messenger.add(person)
        for old in list(messenger.people)[:-KEPT]:
            del messenger.people[old]
        await self._keep()
        return person

    async def _keep(self) -> None:
        customers = {s.name: [asdict(p) for p in s.people.values()] for s in self.customers}
        await self._store.keep_setting(SETTING, json.dumps(customers, ensure_ascii=False))


class HistoryReplay:
    """Shows again what the store remembers: our deliveries as they were, other people's words from the
    history.
    """

    def __init__(
        self,
        store: Store,
        customers: tuple[PlaygroundChannel, ...],
        desk: PlaygroundChannel | None,
        topic_name: TopicName | None = None,
    ) -> None:
        self._store, self._customers, self._desk, self._topic_name = store, customers, desk, topic_name
        self._named: dict[tuple[str, str, str], str] = {}

    async def show(self) -> None:
        scenes: list[tuple[datetime, Callable[[], object]]] = []
        for messenger in self._customers:
            for chat in messenger.people:
                async for line in self._said(Peer(messenger.name, chat), ("customer",)):
                    scenes.append((line.at, partial(messenger.show_line, chat, "", line)))
        if self._desk is not None:
            for ticket in await self._store.tickets(open_only=False):
                if thread := await self._store.topic(ticket.number, self._desk.name, self._desk.group):
                    self._desk.show(await self._title(ticket, thread), nonce=0, target="", at=_EPOCH)
                    async for line in self._said(
                        ticket.customer_peer, ("operator", "note"), since=ticket.opened
                    ):
                        scenes.append(
                            (line.at, partial(self._desk.show_line, self._desk.group, thread, line))
                        )
        async for delivery in self._delivered():
            scenes.append((delivery.created or _EPOCH, partial(self._show_delivery, delivery)))
        for _, show in sorted(scenes, key=itemgetter(0)):
            show()

    async def _title(self, ticket: Ticket, thread: str) -> Outbound:
        assert self._desk is not None
        name = await self._topic_name(ticket.number) if self._topic_name else f"№{ticket.number}"
        return Outbound(
            Peer(self._desk.name, self._desk.group, thread), RichText(name), kind=OutboundKind.RENAME_TOPIC
        )

    def _show_delivery(self, delivery: Delivery) -> None:
        messenger = next(
            s
            for s in (*self._customers, self._desk)
            if s is not None and s.name == delivery.outbound.to.channel
        )
        outbound, to = delivery.outbound, delivery.outbound.to
        attachments = tuple(
            messenger.uploads.kept(a, f"{delivery.id}-{i}") for i, a in enumerate(outbound.attachments)
        )
        target = self._named.get((to.channel, to.chat, outbound.edits), "")
        sent = messenger.show(
            outbound, nonce=delivery.id, target=target, at=delivery.created or _EPOCH, attachments=attachments
        )
        if outbound.name:
            self._named[to.channel, to.chat, outbound.name] = sent.message

    async def _said(
        self, peer: Peer, authors: tuple[str, ...], since: datetime | None = None
    ) -> AsyncIterator[HistoryEntry]:
        conversation = await self._store.conversation(peer)
        if conversation is not None:
            for line in await self._store.history(conversation.id, limit=200, since=since):
                if line.author in authors:
                    yield line

    async def _delivered(self) -> AsyncIterator[Delivery]:
        """What was sent to people who are still on the page, with tickets' threads as they are shown now."""
        names = {s.name: s for s in (*self._customers, self._desk) if s is not None}
        after = 0
        while rows := await self._store.deliveries(status=_SENT, after=after, limit=500):
            after = max(d.id for d in rows)
            for delivery in rows:
                to = delivery.outbound.to
                messenger = names.get(to.channel)
                if messenger is None or (not messenger.group and to.chat not in messenger.people):
                    continue
                placed = await self._placed(delivery.outbound)
                if placed is not None:
                    yield replace(delivery, outbound=placed)

    async def _placed(self, outbound: Outbound) -> Outbound | None:
        to = outbound.to
        if not to.thread.startswith("ticket:"):
            return outbound
        thread = await self._store.topic(int(to.thread.removeprefix("ticket:")), to.channel, to.chat)
        return (
            None if thread is None else replace(outbound, to=replace(to, thread=thread), heading=RichText())
        )


def _kind(messenger: PlaygroundChannel) -> str:
    return "vk" if messenger.name.endswith("vk") else "telegram"


def _new_id() -> str:
    return str(100_000_000 + secrets.randbelow(800_000_000))
