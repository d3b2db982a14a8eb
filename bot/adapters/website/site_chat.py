"""What the parts of one site's chat share: its name and settings, the store, the streams, the limits."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from bot.adapters.base import Accept
from bot.adapters.page_channel import ChatParts
from bot.adapters.website.caller_limits import PER_ADDRESS, PER_VISITOR, CallerLimits
from bot.adapters.website.identity import Identity, VisitorTokens
from bot.adapters.website.origins import Callers, Origins
from bot.adapters.website.settings import WebsiteSettings
from bot.adapters.website.streams import ChatStreams
from bot.clock import Clock
from bot.model import Customer, Inbound, Peer, Sender, Visitor

BODY = 64 * 1024  # bytes of what a browser sends as JSON
SEEN = timedelta(minutes=1)  # how exactly it is kept when a visitor was there
LANGUAGES = ("ru", "en")


class ChatRefusal(Exception):
    """What is answered in place of what was asked for; *code* is for the page's script, *after* seconds."""

    def __init__(self, status: int, code: str, *, after: int = 0, about: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.after, self.about = status, code, after, about


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose browser asks: *visitor* is None as long as they have written nothing."""

    who: Identity
    visitor: Visitor | None
    address: str

    @property
    def chat(self) -> str:
        return self.visitor.chat if self.visitor is not None else self.who.chat


@dataclass(slots=True)
class SiteChat:
    """One channel. `parts` and `accept` come when the service is built and runs; until then callers wait."""

    name: str
    settings: WebsiteSettings
    clock: Clock
    monotonic: Callable[[], float]
    parts: ChatParts | None = None
    accept: Accept | None = None
    streams: ChatStreams = field(default_factory=ChatStreams)
    origins: Origins = field(init=False)
    callers: Callers = field(init=False)
    limits: CallerLimits = field(init=False)
    _tokens: VisitorTokens | None = None

    def __post_init__(self) -> None:
        self.origins = Origins(self.settings.origins, own=self.settings.demo)
        self.callers, self.limits = Callers(self.settings.proxies), CallerLimits(self.monotonic)

    @property
    def ready(self) -> ChatParts:
        """The service's parts. Raises a refusal as long as it does not run here."""
        if self.parts is None or self.accept is None or self.streams.closed:
            raise ChatRefusal(503, "starting", after=2)
        return self.parts

    async def tokens(self) -> VisitorTokens:
        """The keys are the database's: every process signs with them, and a restart changes nothing."""
        if self._tokens is None:
            kept = await self.ready.store.first_setting("visitor_keys", secrets.token_hex(32))
            days = self.settings.remember_days
            self._tokens = VisitorTokens(kept.split(), self.name, self.clock, days=days)
        return self._tokens

    def title(self, language: str) -> str:
        return self.settings.title_in(language) or (self.parts.business if self.parts else "")

    def limit_address(self, what: str, address: str) -> None:
        """Raises a refusal where this is once too often."""
        if after := self.limits.wait(what, address, PER_ADDRESS):
            raise ChatRefusal(429, "often", after=after)

    def limit(self, what: str, caller: Caller) -> None:
        """Raises a refusal where this is once too often for the visitor, or for all of their address."""
        if after := self.limits.wait(what, caller.chat, PER_VISITOR):
            raise ChatRefusal(429, "often", after=after)
        self.limit_address(what, caller.address)

    async def caller(self, request: web.Request) -> Caller:
        """Whose browser asks. Raises a refusal for one that is not known (any more)."""
        address = self.callers.address(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        who = (await self.tokens()).read(token.strip()) if scheme.lower() == "bearer" else None
        if who is None:
            self.limit_address("bad", address)
            raise ChatRefusal(401, "visitor")
        visitor = await self.visitor(who)
        if visitor is None and not who.login and await self._was_taken(who):
            raise ChatRefusal(401, "visitor")
        return Caller(who, visitor, address)

    async def visitor(self, who: Identity) -> Visitor | None:
        """What is kept of them. A chat that a login took over is no anonymous visitor's any more."""
        store = self.ready.store
        if who.login:
            return await store.login_visitor(self.name, who.login)
        found = await store.visitor(self.name, who.chat)
        return None if found is None or found.login or found.joined else found

    async def _was_taken(self, who: Identity) -> bool:
        return await self.ready.store.visitor(self.name, who.chat) is not None

    async def meet(self, caller: Caller) -> Visitor:
        """The visitor, made where there is none yet: with customer and conversation."""
        if caller.visitor is not None:
            return caller.visitor
        self.limit_address("new", caller.address)
        store, first = self.ready.store, self.inbound("", caller.who, caller.who.chat)
        if not caller.who.login:
            return await store.meet_visitor(first, self.clock())
        made = await store.log_in_visitor(first, caller.who.login, self.clock())
        if made is None:
            raise ChatRefusal(401, "visitor")
        await self.note_login(made, caller.who)
        return made

    async def note_login(self, visitor: Visitor, who: Identity) -> None:
        """What the shop says of its customer stands on their card."""
        told = {"login": who.login, "email": who.email}
        fields = {name: value for name, value in told.items() if value}
        actor = f"{self.name}:{visitor.chat}"
        await self.ready.store.change_fields(visitor.customer, fields, self.clock(), by=actor)

    def inbound(self, key: str, who: Identity, chat: str) -> Inbound:
        """Something the visitor does in *chat*; told of themselves is what the shop told."""
        language = who.language if who.language in LANGUAGES else self.language
        sender = Sender(chat, who.name, language=language)
        return Inbound(key, Peer(self.name, chat), sender, self.clock())

    @property
    def language(self) -> str:
        return self.parts.language if self.parts else "ru"

    async def show_typing(self, chat: str) -> None:
        """The desk sees it, where it can: one hint lasts for some seconds."""
        typing = self.ready.typing
        if typing is not None and not self.limits.wait("hint", chat, {"hint": (1, 4.0)}):
            await typing(Peer(self.name, chat))

    async def customer(self, visitor: Visitor | None) -> Customer | None:
        return None if visitor is None else await self.ready.store.customer(visitor.customer)

    async def seen(self, visitor: Visitor | None) -> None:
        """They are there now."""
        now = self.clock()
        if visitor is not None and (visitor.seen is None or abs(now - visitor.seen) >= SEEN):
            await self.ready.store.mark_visitor(self.name, visitor.chat, seen=now)


async def json_body(request: web.Request) -> dict[str, object]:
    """The object that a page's script sends. Raises a refusal for anything else."""
    if request.content_type != "application/json":
        raise ChatRefusal(415, "json")
    if (request.content_length or 0) > BODY:
        raise ChatRefusal(413, "large")
    read = bytearray()
    async for part in request.content.iter_chunked(8192):
        read += part
        if len(read) > BODY:
            raise ChatRefusal(413, "large")
    try:
        data = json.loads(read.decode())
    except (ValueError, RecursionError):
        raise ChatRefusal(400, "json") from None
    if not isinstance(data, dict):
        raise ChatRefusal(400, "json")
    return data


def instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
