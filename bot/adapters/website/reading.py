"""What a visitor sees: what was said, what happens now, and the files of their own chat."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from urllib.parse import quote

from aiohttp import web

from bot.adapters.sanitize import clean_file_name
from bot.adapters.website.sessions import LAST, number_of
from bot.adapters.website.shown_line import event_json, message_json, mime_of, read_payload
from bot.adapters.website.site_chat import Caller, ChatRefusal, SiteChat
from bot.adapters.website.streams import Listener
from bot.errors import StorageError
from bot.model import ChatLine

HEARTBEAT = 15.0  # seconds between two comments
LOOK = 5.0  # seconds between looks where other processes write, too: a hint may be lost
WAIT = 25.0  # seconds that a poll waits at most
PORTION = 100  # lines read at once
_FILE = re.compile(r"(\d{1,15})-(\d{1,2})")

Event = tuple[str, dict[str, object], str]  # kind, content, and the cursor behind it ("" = kept nowhere)


class ChatReading:
    """GET events, messages, files/ID."""

    def __init__(self, chat: SiteChat) -> None:
        self._chat = chat

    async def messages(self, request: web.Request) -> web.Response:
        """What happened after a cursor, waited for if there is nothing yet; or what was said before one."""
        chat, caller = self._chat, await self._chat.caller(request)
        chat.limit("poll", caller)
        if "before" in request.query:
            return await self._older(caller, number_of(request.query["before"]))
        after, wait = number_of(request.query.get("after", "0")), _seconds(request.query.get("wait", "0"))
        _is_of(caller, after)
        if chat.streams.is_full(caller.chat, caller.address):
            raise ChatRefusal(429, "streams", after=10)
        with chat.streams.listening(caller.chat, caller.address) as listener:
            events, cursor = await self._news(caller.chat, after, listener)
            if not events and wait:
                await listener.wait(wait)
                events, cursor = await self._news(caller.chat, after, listener)
        await chat.seen(caller.visitor)
        told = [{"event": kind, "data": data, "id": id} for kind, data, id in events]
        messages = [data for kind, data, _ in events if kind == "message"]
        return web.json_response({"events": told, "messages": messages, "cursor": str(cursor)})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The same as a stream, until the page goes away or this process ends."""
        chat, caller = self._chat, await self._chat.caller(request)
        chat.limit("events", caller)
        after = number_of(request.headers.get("Last-Event-ID") or request.query.get("after", "0"))
        _is_of(caller, after)
        if chat.streams.is_full(caller.chat, caller.address):
            raise ChatRefusal(429, "streams", after=10)
        headers = {
            **chat.origins.headers(request),
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store, no-transform",
            "X-Accel-Buffering": "no",
        }
        response = web.StreamResponse(headers=headers)
        try:
            with chat.streams.listening(caller.chat, caller.address) as listener:
                await response.prepare(request)
                await response.write(b"retry: 2000\n: here\n\n")
                await self._tell(response, caller, after, listener)
        except (ConnectionResetError, StorageError):
            pass  # the page comes again, and goes on behind what it has
        return response

    async def file(self, request: web.Request) -> web.Response:
        """A file of the visitor's own chat. Pictures may be shown, anything else is only saved."""
        chat, caller = self._chat, await self._chat.caller(request)
        chat.limit("download", caller)
        found = _FILE.fullmatch(request.match_info["id"])
        if found is None or caller.visitor is None:
            raise ChatRefusal(404, "file")
        number, place = int(found[1]), int(found[2])
        lines = await chat.ready.store.chat_lines(chat.name, caller.visitor.chat, after=number - 1, limit=1)
        files = read_payload(lines[0]).get("files", ()) if lines and lines[0].number == number else ()
        kept = files[place].get("file", "") if place < len(files) else ""
        content = await chat.ready.store.kept_file(kept) if kept else None
        if content is None:
            raise ChatRefusal(404, "file")
        mime = mime_of(content)
        name = quote(clean_file_name(str(files[place].get("name", ""))) or "file")
        shown = "inline" if mime.startswith("image/") else "attachment"
        headers = {
            "Content-Disposition": f"{shown}; filename*=UTF-8''{name}",
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return web.Response(body=content, content_type=mime, headers=headers)

    async def _older(self, caller: Caller, before: int) -> web.Response:
        chat = self._chat.ready.store
        lines: Sequence[ChatLine] = ()
        if caller.visitor is not None:
            lines = await chat.chat_messages(self._chat.name, caller.visitor.chat, before=before, limit=LAST)
        return web.json_response({"messages": [message_json(line) for line in lines]})

    async def _tell(
        self, response: web.StreamResponse, caller: Caller, after: int, listener: Listener
    ) -> None:
        chat = self._chat
        beat, look = chat.monotonic() + HEARTBEAT, LOOK if chat.ready.store.shared else HEARTBEAT
        while not chat.streams.closed:
            if not await self._is_theirs(caller):
                return
            events, after = await self._news(caller.chat, after, listener)
            for kind, data, id in events:
                await response.write(_lines(kind, data, id))
            if len(events) >= PORTION:
                continue
            await listener.wait(max(0.0, min(look, beat - chat.monotonic())))
            if chat.monotonic() >= beat:
                beat = chat.monotonic() + HEARTBEAT
                await response.write(b": \n\n")
                await chat.seen(await chat.visitor(caller.who))

    async def _is_theirs(self, caller: Caller) -> bool:
        """Whether the chat is still this visitor's: a login may have taken it over, or moved it."""
        found = await self._chat.visitor(caller.who)
        return found.chat == caller.chat if found is not None else caller.visitor is None

    async def _news(self, chat: str, after: int, listener: Listener) -> tuple[list[Event], int]:
        lines = await self._chat.ready.store.chat_lines(self._chat.name, chat, after=after, limit=PORTION)
        passing, listener.passing = listener.passing, []
        events = [(*event_json(line), str(line.number)) for line in lines]
        return [*events, *((kind, data, "") for kind, data in passing)], (
            lines[-1].number if lines else after
        )


def _is_of(caller: Caller, after: int) -> None:
    """Raises a refusal for a cursor of another chat: this one's was forgotten, and its lines count anew."""
    if after > (caller.visitor.last if caller.visitor is not None else 0):
        raise ChatRefusal(401, "visitor")


def _lines(kind: str, data: dict[str, object], id: str) -> bytes:
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"id: {id}\n" if id else "").encode() + f"event: {kind}\ndata: {written}\n\n".encode()


def _seconds(written: str) -> float:
    return min(float(written), WAIT) if written.isdecimal() and len(written) < 4 else 0.0
