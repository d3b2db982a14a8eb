"""A page opens the chat: who its visitor is, how the chat looks, and what was said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.adapters.sanitize import clean_text
from bot.adapters.website.identity import DAY, BadLogin, Identity, read_login
from bot.adapters.website.page_rendering import page_html
from bot.adapters.website.shown_line import message_json
from bot.adapters.website.site_chat import LANGUAGES, Caller, ChatRefusal, SiteChat, json_body
from bot.model import Customer, Visitor
from bot.text.pii import EMAIL

LAST = 50  # messages that a page begins with
TEXT = 4000  # characters of a visitor's message
LONGEST_EMAIL = 254


class ChatSessions:
    """POST session, logout, consent, email, read, typing."""

    def __init__(self, chat: SiteChat) -> None:
        self._chat = chat

    async def open(self, request: web.Request) -> web.Response:
        """Whoever the browser shows to be, or somebody new. Nothing is kept before they write."""
        chat, address = self._chat, self._chat.callers.address(request)
        chat.limit_address("session", address)
        body = await json_body(request)
        language = _language(body.get("language"), chat.language)
        caller = await self._identify(request, body, address, language)
        await chat.seen(caller.visitor)
        answer = await self._answer(caller, language)
        response = web.json_response(answer)
        self._set_cookie(request, response, str(answer["visitor"]))
        return response

    async def close(self, request: web.Request) -> web.Response:
        """From now on the browser is nobody's."""
        self._chat.callers.address(request)
        response = web.json_response({"ok": True})
        self._set_cookie(request, response, "")
        return response

    async def consent(self, request: web.Request) -> web.Response:
        """The answer to the notice; a no of somebody of whom nothing is kept leaves nothing behind."""
        chat, caller = self._chat, await self._chat.caller(request)
        chat.limit("consent", caller)
        body = await json_body(request)
        agreed, language = body.get("agreed") is True, _language(body.get("language"), chat.language)
        parts = chat.ready
        if not parts.consent.is_on or (not agreed and caller.visitor is None):
            return web.json_response({"ok": True})
        visitor = await chat.meet(caller)
        customer = await parts.store.customer(visitor.customer)
        if customer is not None and parts.consent.has(customer) != agreed:
            now = chat.clock()
            changes, event = parts.consent.answered(
                customer, agreed, channel=chat.name, language=language, now=now
            )
            await parts.store.change_fields(customer.id, changes, now, by=f"{chat.name}:{visitor.chat}")
            await parts.store.enqueue((), now, events=(event,))
        return web.json_response({"ok": True})

    async def email(self, request: web.Request) -> web.Response:
        """Where an answer that comes later is told of; "" takes the address away."""
        chat, caller = self._chat, await self._chat.caller(request)
        chat.limit("email", caller)
        written = (await json_body(request)).get("address")
        address = clean_text(written).strip() if isinstance(written, str) else None
        if address is None or len(address) > LONGEST_EMAIL or (address and not EMAIL.fullmatch(address)):
            raise ChatRefusal(422, "email")
        parts, customer = chat.ready, await chat.customer(caller.visitor)
        if not chat.settings.offers_letters:
            raise ChatRefusal(404, "email")
        if parts.consent.is_on and not parts.consent.has(customer):
            raise ChatRefusal(403, "consent")
        visitor = await chat.meet(caller)
        await parts.store.mark_visitor(chat.name, visitor.chat, email=address)
        fields: dict[str, object] = {"email": address or None}
        actor = f"{chat.name}:{visitor.chat}"
        await parts.store.change_fields(visitor.customer, fields, chat.clock(), by=actor)
        return web.json_response({"ok": True})

    async def read(self, request: web.Request) -> web.Response:
        """Everything up to a line was seen; other pages of this visitor hear of it."""
        chat, caller = self._chat, await self._chat.caller(request)
        chat.limit("read", caller)
        cursor = number_of((await json_body(request)).get("cursor"))
        visitor = caller.visitor
        if visitor is not None:
            await chat.ready.store.mark_visitor(chat.name, visitor.chat, read=cursor, seen=chat.clock())
            chat.streams.tell(visitor.chat, "read", {"cursor": str(cursor)})
        return web.json_response({"ok": True})

    async def typing(self, request: web.Request) -> web.Response:
        """The visitor types: whoever works on their ticket may see it."""
        chat, caller = self._chat, await self._chat.caller(request)
        chat.limit("typing", caller)
        await json_body(request)
        if caller.visitor is not None:
            await chat.show_typing(caller.visitor.chat)
        return web.json_response({"ok": True})

    async def _identify(
        self, request: web.Request, body: Mapping[str, Any], address: str, language: str
    ) -> Caller:
        chat, tokens = self._chat, await self._chat.tokens()
        shown = body.get("visitor") or request.cookies.get(cookie_name(chat.name), "")
        before = tokens.read(shown) if isinstance(shown, str) else None
        if body.get("login"):
            return await self._log_in(body["login"], before, address, language)
        # law: who is logged in no more sees nothing of what was said while they were
        if before is not None and not before.login:
            visitor = await chat.visitor(before)
            if visitor is not None or await chat.ready.store.visitor(chat.name, before.chat) is None:
                return Caller(before, visitor, address)
        return Caller(tokens.anonymous(), None, address)

    async def _log_in(self, login: object, before: Identity | None, address: str, language: str) -> Caller:
        """What was said anonymously on this browser goes on with the login; the words of another login
        never do.
        """
        chat, tokens = self._chat, await self._chat.tokens()
        try:
            sub, name, email = read_login(login, chat.settings.secret, chat.clock())
        except BadLogin as error:
            chat.limit_address("bad", address)
            raise ChatRefusal(401, "login", about=str(error)) from None
        own = tokens.logged_in(sub)
        who = Identity(own.chat, sub, name, email if EMAIL.fullmatch(email) else "")
        visitor = await chat.visitor(who)
        if before is not None and not before.login and await chat.visitor(before) is not None:
            going_on = chat.inbound("", replace(who, language=language), before.chat)
            visitor = await chat.ready.store.log_in_visitor(going_on, sub, chat.clock()) or visitor
            if visitor is not None:
                await chat.note_login(visitor, who)
        return Caller(who, visitor, address)

    async def _answer(self, caller: Caller, language: str) -> dict[str, object]:
        chat, visitor = self._chat, caller.visitor
        store, customer = chat.ready.store, await chat.customer(visitor)
        lines = await store.chat_messages(chat.name, visitor.chat, limit=LAST) if visitor else ()
        last = visitor.last if visitor else 0
        return {
            "visitor": (await chat.tokens()).sign(replace(caller.who, language=language)),
            "person": caller.who.chat,  # the same however often it is signed anew; it opens nothing
            "language": language,
            "settings": self.settings(language, customer, visitor),
            "messages": [message_json(line) for line in lines if line.number <= last],
            "cursor": str(last),
            "unread": visitor.unread if visitor else 0,
        }

    def settings(
        self, language: str, customer: Customer | None = None, visitor: Visitor | None = None
    ) -> dict[str, object]:
        """How the chat looks, and what is asked of this visitor."""
        chat, settings = self._chat, self._chat.settings
        consent = chat.parts.consent if chat.parts else None
        missing = consent is not None and consent.is_on and not consent.has(customer)
        shown: dict[str, object] = {
            "title": chat.title(language),
            "colour": settings.colour,
            "email": settings.offers_letters and not missing and not (visitor and visitor.email),
            "limits": {"file": settings.max_mb * 1024 * 1024, "text": TEXT},
        }
        if settings.consent and missing and consent is not None:
            text, url = consent.shown(language)
            shown["consent"] = {"text": text.text, "html": page_html(text), "url": url}
        return shown

    def _set_cookie(self, request: web.Request, response: web.Response, token: str) -> None:
        """Beside what the page keeps itself: browsers keep it longer where shop and chat are one site."""
        if not (request.secure or request.headers.get("X-Forwarded-Proto") == "https"):
            return
        name, path = cookie_name(self._chat.name), f"/chat/{self._chat.name}/"
        age = self._chat.settings.remember_days * DAY if token else 0
        response.headers.add(
            "Set-Cookie",
            f"{name}={token}; Max-Age={age}; Path={path}; Secure; HttpOnly; SameSite=None; Partitioned",
        )


def cookie_name(channel: str) -> str:
    return f"otklik_visitor_{channel}"


def number_of(cursor: object) -> int:
    """The line that a cursor names. Raises a refusal for what is none."""
    text = str(cursor) if isinstance(cursor, str | int) and not isinstance(cursor, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ChatRefusal(400, "cursor")
    return int(text)


def _language(written: object, otherwise: str) -> str:
    short = written[:2].lower() if isinstance(written, str) else ""
    return short if short in LANGUAGES else otherwise
