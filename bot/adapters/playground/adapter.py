"""The channel of the playground: a messenger that lives in this process, so that a page can be both sides of
a conversation.

It behaves like the real ones (topics, edits, reactions, acknowledgements, blocked chats, outages) and goes
through the same stages. What it shows is a view for people to look at; everything that must not be lost is in
the store.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bot.adapters.base import Accept, Adapter, ChatInfo, File, Files, Health, Limits
from bot.adapters.playground.typed_message import TypedMessage
from bot.adapters.playground.view import Author, ChatView, PlaygroundUploads, ShownMessage, person_json
from bot.adapters.rich_text import ALL_STYLES, VK_STYLES
from bot.adapters.sanitize import clean_text
from bot.button_tokens import token
from bot.errors import PeerGone, Problem, Refused, RetryLater, TopicGone
from bot.model import (
    Attachment,
    Button,
    HistoryEntry,
    Inbound,
    InboundKind,
    Json,
    Outbound,
    OutboundKind,
    Peer,
    RichText,
    Sender,
    Sent,
    Style,
)
from bot.text.yaml_source import read_own

DESK_CHAT = "desk"  # chat id of the operators' group

Change = Callable[[str, Json], None]

_QUICK = {"per_second": 500.0, "peer_per_second": 100.0, "peer_burst": 100, "group_per_minute": 0.0}
TELEGRAM = Limits(reactions=True, **_QUICK)  # type: ignore[arg-type]
VK = Limits(label=40, buttons=10, row=5, **_QUICK)  # type: ignore[arg-type]
MAX = Limits(text=3800, caption=3800, row=7, **_QUICK)  # type: ignore[arg-type]
DESK = Limits(topics=True, reactions=True, **_QUICK)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Messenger:
    """What the messenger that is played can show."""

    limits: Limits
    styles: frozenset[Style] = ALL_STYLES


@dataclass(frozen=True, slots=True)
class Forum:
    """The operators' group; without a chat there is none. The first of the staff is its administrator."""

    chat: str = ""
    title: str = ""
    staff: Sequence[Sender] = ()


class WebAdapter(Adapter):
    """One channel of the playground.

    *files* is a folder for what is uploaded and sent, *now* the clock of the service. With a *forum* the
    channel is the group of the people in its staff, and customers cannot be added; otherwise every chat is
    private.
    """

    kind = "web"

    def __init__(
        self,
        name: str,
        *,
        files: Path,
        now: Callable[[], datetime],
        messenger: Messenger | None = None,
        forum: Forum | None = None,
    ) -> None:
        messenger, forum = messenger or Messenger(TELEGRAM), forum or Forum()
        self.name, self.limits, self.group, self.title = name, messenger.limits, forum.chat, forum.title
        self.health = Health()
        self.people: dict[str, Sender] = {s.id: s for s in forum.staff}
        self.staff = tuple(s.id for s in forum.staff)
        self.styles = messenger.styles
        self.down = False
        self.blocked: set[str] = set()
        self.uploads, self._now = PlaygroundUploads(files, name), now
        self._views: dict[tuple[str, str], ChatView] = {}
        self._accept: Accept | None = None
        self._watchers: list[Change] = []
        if forum.chat:
            self._views[forum.chat, ""] = ChatView(forum.title)

    # --- the protocol of adapters

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        """Takes what is typed on the page, until cancelled."""
        self._accept = accept
        self.health.state = "working"
        try:
            await asyncio.Event().wait()
        finally:
            self._accept = None
            self.health.state = "stopped"

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """Shows the delivery.

        Raises `RetryLater` while `down`, `PeerGone` for a blocked chat, `TopicGone` for a deleted thread.
        """
        if self.down:
            raise RetryLater(
                "the channel is switched off on the page", after=1.5, scope="account", counts=False
            )
        if outbound.to.chat in self.blocked:
            raise PeerGone("the customer blocked the bot")
        attachments = tuple(
            [await self.uploads.fetch(a, f"{nonce}-{i}", files) for i, a in enumerate(outbound.attachments)]
        )
        return self.show(outbound, nonce=nonce, target=target, at=self._now(), attachments=attachments)

    async def read(self, attachment: Attachment) -> File:
        """Raises `Refused` where the file is not kept any more."""
        return await asyncio.to_thread(self.uploads.read, attachment)

    async def chat_info(self, chat: str) -> ChatInfo:
        if chat == self.group and chat:
            return ChatInfo(chat, self.title, "forum" if self.limits.topics else "group")
        if chat not in self.people:
            raise PeerGone("no such chat in the playground")
        return ChatInfo(chat, self.people[chat].name)

    async def membership(self, chat: str, user: str) -> Literal["administrator", "member", "none"]:
        if chat != self.group or user not in self.staff:
            return "none"
        return "administrator" if user == self.staff[0] else "member"

    async def profile(self, user: str) -> Sender | None:
        return self.people.get(user)

    def is_group(self, chat: str) -> bool:
        return bool(self.group) and chat == self.group

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        self._mark_read(outbound_chat)
        self._tell("typing", {"chat": outbound_chat, "thread": thread})

    async def check(self) -> tuple[Problem, ...]:
        return ()

    async def close(self) -> None:
        self._watchers.clear()

    # --- showing

    def show(
        self,
        outbound: Outbound,
        *,
        nonce: int,
        target: str,
        at: datetime,
        attachments: tuple[Attachment, ...] = (),
    ) -> Sent:
        """Puts a delivery into the view.

        Ids come from *nonce*: the same again is the same message, also after a restart.
        """
        chat, thread = outbound.to.chat, outbound.to.thread
        if outbound.kind is OutboundKind.ACKNOWLEDGE:
            self._tell("notice", {"chat": chat, "callback": outbound.quotes, "text": outbound.text.text})
            return Sent()
        if outbound.kind is OutboundKind.OPEN_TOPIC:
            return Sent(self._open_topic(outbound, nonce))
        view = self._view(chat, thread)
        if view.gone:
            raise TopicGone("the topic was deleted on the page")
        if outbound.kind is OutboundKind.DELETE_TOPIC:
            view.gone = True
            self._tell_room(chat, thread)
            return Sent(thread)
        if outbound.kind in (OutboundKind.RENAME_TOPIC, OutboundKind.CLOSE_TOPIC, OutboundKind.REOPEN_TOPIC):
            view.title = outbound.text.text if outbound.kind is OutboundKind.RENAME_TOPIC else view.title
            view.closed = {OutboundKind.CLOSE_TOPIC: True, OutboundKind.REOPEN_TOPIC: False}.get(
                outbound.kind, view.closed
            )
            self._tell_room(chat, thread)
            return Sent(thread)
        if outbound.kind is not OutboundKind.SAY:
            return self._change(outbound, nonce, target)
        text = outbound.heading + "\n" + outbound.text if outbound.heading else outbound.text
        text = RichText(text.text, tuple(s for s in text.spans if s.style in self.styles))
        message = ShownMessage(
            f"n{nonce}",
            "operator" if outbound.author == "operator" and not self.group else "bot",
            at,
            name=outbound.author_name,
            text=text,
            buttons=outbound.buttons,
            nonce=nonce,
            attachments=attachments,
            quotes=outbound.quotes,
            one_time=outbound.one_time,
        )
        view.add(message)
        self._mark_read(chat)
        self._tell_message(chat, thread, message)
        return Sent(message.id)

    def _open_topic(self, outbound: Outbound, nonce: int) -> str:
        chat, stem = outbound.to.chat, f"t{outbound.ticket or nonce}"
        deleted = sum(
            1
            for (c, t), view in self._views.items()
            if c == chat and view.gone and t.partition("-")[0] == stem
        )
        thread = f"{stem}-{deleted}" if deleted else stem
        self._view(chat, thread).title = outbound.text.text
        self._tell_room(chat, thread)
        return thread

    def show_line(self, chat: str, thread: str, line: HistoryEntry) -> None:
        """Puts words known only from the history into the view (after a restart)."""
        author: Author = "customer" if line.author == "customer" else "operator"
        there = tuple(self.uploads.kept(a, a.ref if a.channel == self.name else "") for a in line.attachments)
        id, text = f"h{secrets.token_hex(6)}", RichText(line.text)
        self._view(chat, thread).add(
            ShownMessage(id, author, line.at, name=line.name, text=text, attachments=there, ticks="read")
        )

    def _change(self, outbound: Outbound, nonce: int, target: str) -> Sent:
        wanted = target or outbound.quotes
        place, message = self._find(outbound.to.chat, wanted)
        if message is None:  # it has left the view: what cannot be seen needs no change
            return Sent(wanted)
        match outbound.kind:
            case OutboundKind.EDIT:
                message.text, message.buttons, message.nonce = outbound.text, outbound.buttons, nonce
                message.edited, message.pressed = True, ""
            case OutboundKind.REACT:
                message.reaction = outbound.text.text
            case OutboundKind.PIN:
                message.pinned = True
            case OutboundKind.DELETE:
                message.deleted = True
        self._tell_message(outbound.to.chat, place, message)
        return Sent(wanted)

    def view(self) -> Json:
        """Everything the page shows of this channel."""
        return {
            "name": self.name,
            "title": self.title,
            "group": self.group,
            "down": self.down,
            "blocked": sorted(self.blocked),
            "people": [person_json(p) for p in self.people.values()],
            "chats": [
                {
                    "chat": c,
                    "thread": t,
                    "title": r.title,
                    "closed": r.closed,
                    "messages": [m.as_json(self.name) for m in r.shown.values()],
                }
                for (c, t), r in self._views.items()
                if not r.gone
            ],
        }

    def watch(self, change: Change) -> None:
        """*change* hears of everything that alters the view: its kind and what the page needs to follow."""
        self._watchers.append(change)

    # --- what people do on the page

    def add(self, person: Sender) -> None:
        """A new customer, whose chat has the person's id."""
        self.people[person.id] = person
        self._views.setdefault((person.id, ""), ChatView())
        self._tell("person", person_json(person))

    def remove_all(self) -> None:
        """The customers go; a new cast follows."""
        self.people = {id: p for id, p in self.people.items() if id in self.staff}
        self._views = {
            place: view for place, view in self._views.items() if place[0] == self.group and self.group
        }
        self.blocked.clear()

    async def say(self, chat: str, user: str, typed: TypedMessage, *, key: str, thread: str = "") -> Json:
        """Somebody writes.

        The same *key* again is the same message. Raises `StorageError` when it could not be kept.
        """
        view, text = self._view(chat, thread), clean_text(typed.text)
        message = view.shown.get(f"u{key}") or ShownMessage(
            f"u{key}",
            "operator" if chat == self.group else "customer",
            self._now(),
            name=self._name(user),
            user=user,
            text=RichText(text),
            attachments=typed.attachments,
            quotes=typed.quotes,
        )
        view.add(message)
        self._tell_message(chat, thread, message)
        inbound = self._inbound(key, Peer(self.name, chat, thread), user, InboundKind.MESSAGE)
        given = replace(
            inbound, text=text, attachments=typed.attachments, message=message.id, quotes=typed.quotes
        )
        await self._hand_in(given, message)
        return message.as_json(self.name)

    async def rewrite(self, chat: str, user: str, message: str, text: str, *, key: str) -> None:
        """Somebody changes their own message. Raises `Refused` for anybody else's."""
        thread, shown = self._find(chat, message)
        if shown is None or shown.user != user or shown.deleted:
            raise Refused("only one's own message can be changed")
        text = clean_text(text)
        shown.text, shown.edited = RichText(text), True
        self._tell_message(chat, thread, shown)
        await self._hand_in(
            replace(
                self._inbound(key, Peer(self.name, chat, thread), user, InboundKind.EDIT),
                text=text,
                message=message,
            ),
            shown,
        )

    async def press(self, chat: str, user: str, message: str, button: str, *, key: str) -> str:
        """Somebody presses the button with this token; returns its label.

        Raises `Refused` where the message does not show it.
        """
        thread, shown = self._find(chat, message)
        found = next((b for t, b in self.buttons(shown) if t == button), None) if shown else None
        if shown is None or found is None:
            raise Refused("there is no such button any more")
        shown.pressed = button
        if shown.one_time:
            shown.buttons = ()
        self._tell_message(chat, thread, shown)
        trace = ShownMessage(
            f"u{key}",
            "operator" if chat == self.group else "customer",
            self._now(),
            self._name(user),
            user,
            press=found.label,
        )
        self._view(chat, thread).add(trace)
        self._tell_message(chat, thread, trace)
        await self._hand_in(
            replace(
                self._inbound(key, Peer(self.name, chat, thread), user, InboundKind.PRESS),
                press=button,
                callback=key,
                message=message,
            ),
            trace,
        )
        return found.label

    async def happen(self, chat: str, user: str, kind: InboundKind, *, key: str, thread: str = "") -> None:
        """Anything without words: the chat is started, blocked, unblocked, a topic closed or reopened by
        hand.
        """
        if kind in (InboundKind.BLOCKED, InboundKind.UNBLOCKED):
            (self.blocked.add if kind is InboundKind.BLOCKED else self.blocked.discard)(chat)
            self._tell("state", {"down": self.down, "blocked": sorted(self.blocked)})
        if kind in (InboundKind.TOPIC_CLOSED, InboundKind.TOPIC_REOPENED):
            self._view(chat, thread).closed = kind is InboundKind.TOPIC_CLOSED
            self._tell_room(chat, thread)
        await self._hand_in(self._inbound(key, Peer(self.name, chat, thread), user, kind), None)

    def delete_topic(self, thread: str) -> None:
        """As an administrator of a group may do at any moment."""
        if (view := self._views.get((self.group, thread))) and thread:
            view.gone = True
            self._tell_room(self.group, thread)

    def switch(self, *, down: bool) -> None:
        """An outage of the platform begins or ends."""
        self.down = down
        self.health.state = "failing" if down else "working"
        self.health.last_error = "switched off on the page" if down else ""
        self._tell("state", {"down": down, "blocked": sorted(self.blocked)})

    def buttons(self, message: ShownMessage) -> Iterator[tuple[str, Button]]:
        """The pressable buttons of a message, with their tokens."""
        for r, row in enumerate(message.buttons):
            yield from ((token(message.nonce, r, c), b) for c, b in enumerate(row) if not b.url)

    def find_button(self, label: str, chat: str, thread: str | None = None) -> tuple[str, str] | None:
        """Message and token of the newest button whose label holds *label*, in one thread or (None) anywhere
        in the chat.
        """
        found = None
        for (c, t), view in self._views.items():
            if c != chat or view.gone or (thread is not None and t != thread):
                continue
            for message in view.shown.values():
                for button, b in self.buttons(message):
                    if label.casefold() in b.label.casefold() and (
                        found is None or message.nonce >= found[0]
                    ):
                        found = message.nonce, message.id, button
        return found[1:] if found else None

    def newest_thread(self) -> str:
        """The thread of the group that was opened last, "" where there is none."""
        return next(
            (t for (c, t), view in reversed(self._views.items()) if c == self.group and t and not view.gone),
            "",
        )

    # --- inside

    def _inbound(self, key: str, peer: Peer, user: str, kind: InboundKind) -> Inbound:
        sender = self.people.get(user) or Sender(user)
        private = peer.chat != self.group
        return Inbound(key, peer, sender, self._now().astimezone(UTC), kind, private=private)

    async def _hand_in(self, inbound: Inbound, shown: ShownMessage | None) -> None:
        try:
            if self._accept is None:
                raise RetryLater("the channel is not running")
            await self._accept([inbound])
        except Exception:
            self._tick(inbound.peer, shown, "failed")
            raise
        self.health.last_poll = self._now().astimezone(UTC)
        self._tick(inbound.peer, shown, "kept")

    def _tick(self, peer: Peer, shown: ShownMessage | None, ticks: Literal["kept", "failed"]) -> None:
        if shown is not None and shown.ticks != "read":
            shown.ticks = ticks
            self._tell_message(peer.chat, peer.thread, shown)

    def _mark_read(self, chat: str) -> None:
        if chat == self.group:
            return
        for message in self._view(chat, "").shown.values():
            if message.ticks == "kept":
                message.ticks = "read"
                self._tell_message(chat, "", message)

    def _view(self, chat: str, thread: str) -> ChatView:
        return self._views.setdefault((chat, thread), ChatView())

    def _find(self, chat: str, message: str) -> tuple[str, ShownMessage | None]:
        for (c, thread), view in self._views.items():
            if c == chat and message in view.shown:
                return thread, view.shown[message]
        return "", None

    def _name(self, user: str) -> str:
        person = self.people.get(user)
        return " ".join(p for p in (person.name, person.last_name) if p) if person else ""

    def _tell(self, kind: str, what: Mapping[str, object]) -> None:
        for watcher in tuple(self._watchers):
            watcher(kind, {"channel": self.name, **what})

    def _tell_message(self, chat: str, thread: str, message: ShownMessage) -> None:
        self._tell("message", {"chat": chat, "thread": thread, "message": message.as_json(self.name)})

    def _tell_room(self, chat: str, thread: str) -> None:
        view = self._view(chat, thread)
        self._tell(
            "chat",
            {"chat": chat, "thread": thread, "title": view.title, "closed": view.closed, "gone": view.gone},
        )


_CAST = Path(__file__).with_name("people.yaml")


def playground_channels(
    *, files: Path, now: Callable[[], datetime], business: str = ""
) -> tuple[WebAdapter, WebAdapter, WebAdapter]:
    """The three channels of the playground: customers of a Telegram-like and a VK-like messenger, and the
    operators' forum.
    """
    cast = read_own(_CAST)
    staff = [Sender(**person) for person in cast["staff"]]
    title = cast["desk"].format(business=business) if business else cast["nameless_desk"]
    return (
        WebAdapter("play-telegram", files=files / "play-telegram", now=now, messenger=Messenger(TELEGRAM)),
        WebAdapter("play-vk", files=files / "play-vk", now=now, messenger=Messenger(VK, VK_STYLES)),
        WebAdapter(
            "play-desk",
            files=files / "play-desk",
            now=now,
            messenger=Messenger(DESK),
            forum=Forum(DESK_CHAT, title, staff),
        ),
    )
