"""A channel without a platform: keeps what is sent, and fails when told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from bot.adapters.base import Accept, Adapter, ChatInfo, File, Files, Health, Limits
from bot.errors import PeerGone, Problem, Refused, TopicGone, TopicRefused
from bot.model import Attachment, Outbound, OutboundKind, Sender, Sent


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One delivery as the platform would have carried it out."""

    outbound: Outbound
    nonce: int
    target: str
    message: str


class FakeFiles(Files):
    """Files that other channels hold, by their ref; what is not among *contents* cannot be had."""

    def __init__(self, contents: Mapping[str, bytes] = MappingProxyType({})) -> None:
        self.contents = dict(contents)
        self.asked: list[str] = []

    async def read(self, attachment: Attachment) -> File:
        self.asked.append(attachment.ref)
        if attachment.ref not in self.contents:
            raise Refused("gone")
        return File(self.contents[attachment.ref], attachment.name, attachment.mime)


class FakeAdapter(Adapter):
    """Put an exception into `failures` and the next send raises it; `deleted` holds threads that are gone,
    `gone` messages.

    `forum` may be switched, `lost` holds chats the bot was put out of, `problems` what `look` says; TG013
    among them stops topics; `contents` holds files by their ref, any other ref is a small file.
    """

    kind = "fake"

    def __init__(self, name: str, *, forum: bool = False, limits: Limits | None = None) -> None:
        self.name, self.forum = name, forum
        self.limits = limits or Limits(
            topics=forum, reactions=True, per_second=0, peer_per_second=0, group_per_minute=0
        )
        self.health = Health("working")
        self.said: list[SentMessage] = []
        self.failures: deque[Exception | None] = deque()
        self.deleted: set[str] = set()
        self.gone: set[str] = set()
        self.members: dict[str, Literal["administrator", "member", "none"]] = {}
        self.lost: set[str] = set()
        self.problems: tuple[Problem, ...] = ()
        self.people: dict[str, Sender] = {}
        self.contents: dict[str, File] = {}
        self._next = 1000

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        await asyncio.Event().wait()

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        if self.failures and (failure := self.failures.popleft()) is not None:
            raise failure
        if outbound.to.chat in self.lost:
            raise PeerGone("the bot is not in the chat")
        if outbound.to.thread in self.deleted or (
            outbound.to.thread and not self.forum and outbound.kind is OutboundKind.SAY
        ):
            raise TopicGone("message thread not found")
        if (
            outbound.kind
            in (
                OutboundKind.OPEN_TOPIC,
                OutboundKind.RENAME_TOPIC,
                OutboundKind.CLOSE_TOPIC,
                OutboundKind.REOPEN_TOPIC,
            )
            and not self._may_manage_topics
        ):
            raise TopicRefused("not enough rights to create a topic")
        if outbound.kind is OutboundKind.EDIT and target in self.gone:
            raise Refused("message to edit not found")
        for attachment in outbound.attachments:
            if attachment.channel != self.name:
                await files.read(attachment)
        self._next += 1
        first = self._next
        self.said.append(SentMessage(outbound, nonce, target, str(first)))
        if (
            outbound.kind is OutboundKind.SAY and len(outbound.attachments) > 1
        ):  # an album has an id for each of its parts
            self._next += len(outbound.attachments) - 1
        return Sent(str(first), tuple(str(n) for n in range(first + 1, self._next + 1)))

    def in_chat(
        self, chat: str, thread: str | None = None, kind: OutboundKind | None = OutboundKind.SAY
    ) -> list[SentMessage]:
        """What was sent to a chat (and thread), oldest first."""
        return [
            s
            for s in self.said
            if s.outbound.to.chat == chat
            and thread in (None, s.outbound.to.thread)
            and kind in (None, s.outbound.kind)
        ]

    async def read(self, attachment: Attachment) -> File:
        if (held := self.contents.get(attachment.ref)) is not None:
            return held
        return File(f"content of {attachment.ref}".encode(), attachment.name or "file", attachment.mime)

    @property
    def _may_manage_topics(self) -> bool:
        return self.forum and not any(p.code == "TG013" for p in self.problems)

    async def chat_info(self, chat: str) -> ChatInfo:
        if chat in self.lost:
            raise PeerGone("the bot is not in the chat")
        return ChatInfo(chat, "Support", "forum" if self.forum else "group", self.problems)

    async def membership(self, chat: str, user: str) -> Literal["administrator", "member", "none"]:
        if chat in self.lost:
            raise PeerGone("the bot is not in the chat")
        return self.members.get(f"{chat}:{user}", self.members.get(user, "member"))

    async def profile(self, user: str) -> Sender | None:
        return self.people.get(user)

    def is_group(self, chat: str) -> bool:
        return chat.startswith("-")

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        return None

    async def check(self) -> tuple[Problem, ...]:
        return ()

    async def close(self) -> None:
        self.health.state = "stopped"
