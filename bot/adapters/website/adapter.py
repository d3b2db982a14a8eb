"""The chat on a shop's own pages as a channel: what is sent to a visitor is a line in the store, once, and
every page of theirs shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from bot.adapters.base import Accept, ChatInfo, File, Files, Health, Limits
from bot.adapters.groupless_adapter import GrouplessAdapter
from bot.adapters.page_channel import ChatParts
from bot.adapters.rich_text import placeholder
from bot.adapters.website.letters import VisitorLetters
from bot.adapters.website.server import ChatServer
from bot.adapters.website.settings import WebsiteSettings
from bot.adapters.website.shown_line import kept_file, kept_outbound, read_payload
from bot.adapters.website.site_chat import SiteChat
from bot.clock import Clock
from bot.errors import ConfigError, PeerGone, Problem, Refused, RetryLater
from bot.model import Attachment, ChatLine, Media, Outbound, OutboundKind, RichText, Sent
from bot.text.problems import problem, warning

LIMITS = Limits(
    text=4096,
    caption=4096,
    attachments=10,
    label=64,
    buttons=60,
    row=4,
    per_second=0,
    peer_per_second=0,
    group_per_minute=0,
)
CHECK = 8.0  # seconds for one look at the address
_IN_WORDS = frozenset({Media.LOCATION, Media.CONTACT, Media.OTHER})
_NOTHING_TO_SHOW = frozenset({OutboundKind.REACT, OutboundKind.PIN})


class WebsiteAdapter(GrouplessAdapter):
    """One site, or several that show the same chat."""

    kind = "website"

    def __init__(self, name: str, settings: WebsiteSettings, *, clock: Clock | None = None) -> None:
        clock = clock or Clock()
        self.name, self.limits, self._settings = name, LIMITS, settings
        self.platform_name = urlsplit(settings.origins[0]).hostname or name
        self.health = Health()
        self.chat = SiteChat(name, settings, clock, clock.monotonic)
        self._server = ChatServer(self.chat)
        self.letters = VisitorLetters(self.chat)

    @classmethod
    def configured(cls, name: str, keys: Mapping[str, Any], clock: Clock) -> WebsiteAdapter:
        """See `ConfiguredAdapter`. Raises `ConfigError` where a package is missing."""
        if keys.get("secret") and find_spec("jwt") is None:
            raise ConfigError([problem("website.package", name=name)])
        return cls(name, WebsiteSettings(**keys), clock=clock)

    def attach(self, parts: ChatParts) -> None:
        """The service's parts: before it runs."""
        self.chat.parts = parts

    def hear(self, chat: str) -> None:
        """Another process has written a line there."""
        self.chat.streams.wake(chat)

    # --- the protocol of adapters

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        """Visitors come to us; this process is the one that sends to them."""
        self.take_calls(accept)
        self.health.state = "working"
        try:
            await self.letters.run()
        finally:
            self.health.state = "stopped"

    def take_calls(self, accept: Accept) -> None:
        self.chat.accept = accept

    def routes(self) -> Sequence[web.RouteDef]:
        return self._server.routes()

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """Writes the line; the same *nonce* again is the same line. Raises `PeerGone` where nobody is at the
        other end (any more), `RetryLater` where a file may be had later, `Refused` where an operator's not.
        """
        source, chat = f"o{nonce}", outbound.to.chat
        if outbound.kind in _NOTHING_TO_SHOW:
            return Sent()
        if outbound.kind is OutboundKind.ACKNOWLEDGE:
            if outbound.text:
                text = json.dumps({"text": outbound.text.text}, ensure_ascii=False)
                await self._add(chat, ChatLine(source, "notice", self.chat.clock(), text))
            return Sent()
        if outbound.kind is OutboundKind.DELETE:
            for n, message in enumerate(target.split()):
                gone = ChatLine(f"{source}.{n}", "remove", self.chat.clock(), message=message)
                await self._add(chat, gone)
            return Sent(target)
        if outbound.kind not in (OutboundKind.SAY, OutboundKind.EDIT):
            raise Refused("a chat on a site has no topics")
        shown, notes = await self._files(outbound, nonce, files)
        payload = kept_outbound(replace(outbound, text=_with(outbound.text, notes)), nonce, shown)
        if outbound.kind is OutboundKind.SAY:
            await self._add(chat, ChatLine(source, "message", self.chat.clock(), payload))
            return Sent(source)
        payload = await self._edited(target, payload)
        await self._add(chat, ChatLine(source, "edit", self.chat.clock(), payload, message=target))
        return Sent(target)

    async def read(self, attachment: Attachment) -> File:
        raise Refused("what visitors send lies in the store")

    async def chat_info(self, chat: str) -> ChatInfo:
        if self.chat.parts is None or await self.chat.parts.store.visitor(self.name, chat) is None:
            raise PeerGone("no such visitor")
        return ChatInfo(chat)

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        self.chat.streams.tell(outbound_chat, "typing", {"name": ""})

    async def check(self) -> tuple[Problem, ...]:
        """What keeps the chat from being shown."""
        settings, found = self._settings, list[Problem]()
        if settings.ask_email and not settings.letters:
            found.append(warning("website.no_letters", name=self.name))
        if not settings.address:
            return (*found, warning("website.no_address", name=self.name))
        address = f"{settings.address}/chat/{self.name}/widget.js"
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CHECK)) as http,
                http.get(address, allow_redirects=False) as answer,
            ):
                reason = "" if answer.status == 200 else f"HTTP {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = type(error).__name__
        if reason:
            found.append(warning("website.unreachable", address=address, reason=reason))
        return tuple(found)

    async def close(self) -> None:
        self.health.state = "stopped"
        self.chat.streams.close()

    # --- lines

    async def _add(self, chat: str, line: ChatLine) -> None:
        parts = self.chat.parts
        if parts is None:
            raise RetryLater("the service is starting")
        if await parts.store.add_chat_line(self.name, chat, line) is None:
            raise PeerGone("no such visitor")
        visitor = await parts.store.visitor(self.name, chat)
        self.chat.streams.wake(visitor.joined or chat if visitor else chat)

    async def _edited(self, target: str, payload: str) -> str:
        """Who said it, and its files, stay as they were."""
        parts = self.chat.parts
        found = await parts.store.chat_line(self.name, target) if parts else None
        if found is None:
            return payload
        before = read_payload(found[1])
        kept = {name: before[name] for name in ("from", "name", "files") if name in before}
        return json.dumps({**json.loads(payload), **kept}, ensure_ascii=False, separators=(",", ":"))

    async def _files(
        self, outbound: Outbound, nonce: int, files: Files
    ) -> tuple[list[dict[str, object]], list[RichText]]:
        """The files, kept where every process finds them, and words for what is none. Raises `Refused` where
        an operator's file cannot be had, `RetryLater`.
        """
        parts, shown, notes = self.chat.parts, list[dict[str, object]](), list[RichText]()
        visitor = await parts.store.visitor(self.name, outbound.to.chat) if parts else None
        for n, attachment in enumerate(outbound.attachments):
            if attachment.media in _IN_WORDS:
                notes.append(placeholder(attachment))
                continue
            stored = f"{self.name}-o{nonce}-{n}"
            try:
                file = await files.read(attachment)
            except Refused as error:
                if outbound.author == "operator":  # an operator must hear that their file did not pass
                    raise Refused(
                        f"{attachment.name or attachment.media}: {error}", code=error.code
                    ) from None
                notes.append(placeholder(attachment))
                continue
            if parts is not None and visitor is not None:
                now = self.chat.clock()
                await parts.store.keep_file(stored, visitor.conversation, file.content, now)
            named = Attachment(attachment.media, name=file.name or attachment.name, mime=file.mime)
            shown.append(kept_file(named, file.content, stored))
        return shown, notes


def _with(text: RichText, notes: Sequence[RichText]) -> RichText:
    for note in notes:
        text = text + "\n" + note if text.text else note
    return text
