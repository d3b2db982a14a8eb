"""What a visitor does: each thing is answered once the inbox has kept it, and once for the same key."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, web

from bot.adapters.context import context_of
from bot.adapters.kept_files import KEPT, MEDIA, SUFFIXES, suffix_of
from bot.adapters.sanitize import clean_file_name, clean_text
from bot.adapters.website.sessions import TEXT
from bot.adapters.website.shown_line import is_picture, kept_file, kept_words, mime_of, read_payload
from bot.adapters.website.site_chat import Caller, ChatRefusal, SiteChat, json_body
from bot.model import Attachment, Inbound, InboundKind, Media, Peer, Visitor

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
LONGEST_URL, LONGEST_TITLE = 1000, 120
LOOKED_BACK = 20  # messages among which the page of before is looked for


class ChatWriting:
    """POST messages, presses, files, start."""

    def __init__(self, chat: SiteChat) -> None:
        self._chat = chat

    async def message(self, request: web.Request) -> web.Response:
        """Words."""
        chat, caller = self._chat, await self._chat.caller(request)
        body = await json_body(request)
        key, text = _key(body.get("key")), body.get("text")
        text = clean_text(text).strip() if isinstance(text, str) else ""
        if not text:
            raise ChatRefusal(422, "empty")
        if len(text) > TEXT:
            raise ChatRefusal(422, "long")
        if (known := await self._known(caller, key)) is not None:
            return known
        chat.limit("messages", caller)
        visitor = await self._writes(caller)
        page = page_of(body.get("page"), chat.settings.origins)
        inbound = self._inbound(caller, visitor, key)
        inbound = replace(inbound, text=text, message=inbound.key, line=kept_words(text, page=page))
        if page and page != await self._last_page(visitor):
            told = context_of("page", chat.name, who=page.get("title", ""), link=page["url"])
            inbound = replace(inbound, context=(told,))
        return await self._keep(inbound, visitor)

    async def start(self, request: web.Request) -> web.Response:
        """The chat was opened for the first time: the bot may greet."""
        chat, caller = self._chat, await self._chat.caller(request)
        body = await json_body(request)
        key = _key(body.get("key"))
        chat.limit("messages", caller)
        if caller.visitor is None:
            visitor = await self._writes(caller)
            inbound = replace(self._inbound(caller, visitor, "start"), kind=InboundKind.START)
            await self._accept(inbound)
        return web.json_response({"ok": True, "id": key})

    async def press(self, request: web.Request) -> web.Response:
        """A button of a message that this visitor was shown."""
        chat, caller = self._chat, await self._chat.caller(request)
        body = await json_body(request)
        key, message, button = _key(body.get("key")), body.get("message"), body.get("button")
        if (known := await self._known(caller, key)) is not None:
            return known
        chat.limit("presses", caller)
        source = message if isinstance(message, str) and len(message) < 64 else ""
        found = await chat.ready.store.chat_line(chat.name, source)
        if found is None or caller.visitor is None or found[0] != caller.visitor.chat or found[1].own:
            raise ChatRefusal(404, "button")
        payload = read_payload(found[1])
        pressed = next(
            (b for b in payload.get("buttons", ()) if b["id"] == button and not b.get("url")), None
        )
        if pressed is None:
            raise ChatRefusal(404, "button")
        visitor = await self._writes(caller)
        inbound = self._inbound(caller, visitor, key)
        inbound = replace(
            inbound,
            kind=InboundKind.PRESS,
            # a button means something to whom it was offered: before they logged in, perhaps
            peer=Peer(chat.name, str(payload.get("chat") or visitor.chat)),
            press=str(pressed["id"]),
            callback=inbound.key,
            message=source,
            line=kept_words(str(pressed["label"])),
        )
        return await self._keep(inbound, visitor)

    async def file(self, request: web.Request) -> web.Response:
        """A file, perhaps with words: multipart with `key`, `file`, and `text`."""
        chat, caller = self._chat, await self._chat.caller(request)
        if request.content_type != "multipart/form-data":
            raise ChatRefusal(415, "multipart")
        if (request.content_length or 0) > self._largest + 64 * 1024:
            raise ChatRefusal(413, "large")
        chat.limit("files", caller)
        fields, name, content = await self._parts(request)
        key = _key(fields.get("key"))
        if (known := await self._known(caller, key)) is not None:
            return known
        if suffix_of(name) not in SUFFIXES:
            raise ChatRefusal(422, "kind")
        if not content:
            raise ChatRefusal(422, "empty")
        text = clean_text(fields.get("text", "")).strip()[:TEXT]
        visitor = await self._writes(caller)
        stored = f"{chat.name}-{visitor.chat}-{key}"
        await chat.ready.store.keep_file(stored, visitor.conversation, content, chat.clock())
        media = Media.PHOTO if is_picture(content) else MEDIA.get(suffix_of(name), Media.DOCUMENT)
        sent = Attachment(media, KEPT + stored, "", name, mime_of(content), len(content))
        inbound = self._inbound(caller, visitor, key)
        line = kept_words(text, [kept_file(sent, content, stored)])
        inbound = replace(inbound, text=text, attachments=(sent,), message=inbound.key, line=line)
        return await self._keep(inbound, visitor)

    # --- what they have in common

    async def _writes(self, caller: Caller) -> Visitor:
        """The visitor, who may write: where the owner wants it so, only after their yes."""
        chat, parts = self._chat, self._chat.ready
        asked = chat.settings.consent and parts.consent.is_on
        if asked and not parts.consent.has(await chat.customer(caller.visitor)):
            raise ChatRefusal(403, "consent")
        return await chat.meet(caller)

    def _inbound(self, caller: Caller, visitor: Visitor, key: str) -> Inbound:
        return self._chat.inbound(f"{visitor.chat}:{key}", caller.who, visitor.chat)

    async def _last_page(self, visitor: Visitor) -> Mapping[str, str]:
        """Where they wrote from before: operators are told of another page only."""
        lines = await self._chat.ready.store.chat_messages(self._chat.name, visitor.chat, limit=LOOKED_BACK)
        pages = [page for line in lines if line.own and (page := read_payload(line).get("page"))]
        return pages[-1] if pages else {}

    async def _known(self, caller: Caller, key: str) -> web.Response | None:
        """The answer that this key had."""
        if caller.visitor is None:
            return None
        return await self._said(f"{caller.visitor.chat}:{key}", caller.visitor)

    async def _keep(self, inbound: Inbound, visitor: Visitor) -> web.Response:
        await self._accept(inbound)
        answer = await self._said(inbound.key, visitor)
        if answer is None:
            raise ChatRefusal(401, "visitor")  # forgotten meanwhile
        self._chat.streams.wake(visitor.chat)
        return answer

    async def _accept(self, inbound: Inbound) -> None:
        accept = self._chat.accept
        if accept is None:
            raise ChatRefusal(503, "starting", after=2)
        await accept([inbound])

    async def _said(self, source: str, visitor: Visitor) -> web.Response | None:
        found = await self._chat.ready.store.chat_line(self._chat.name, source)
        if found is None:
            return None
        return web.json_response({"id": source.rpartition(":")[2], "cursor": str(found[1].number)})

    @property
    def _largest(self) -> int:
        return self._chat.settings.max_mb * 1024 * 1024

    async def _parts(self, request: web.Request) -> tuple[dict[str, str], str, bytes]:
        """The fields, and the file's name and content."""
        fields: dict[str, str] = {}
        name, content = "", bytearray()
        try:
            reader = await request.multipart()
            for _ in range(6):
                part = await reader.next()
                if part is None:
                    break
                if not isinstance(part, BodyPartReader):
                    raise ChatRefusal(400, "multipart")
                if part.name == "file":
                    name = clean_file_name(part.filename or "") or "file"
                    await _read(part, content, self._largest)
                elif part.name in ("key", "text"):
                    words = bytearray()
                    await _read(part, words, 32 * 1024)
                    fields[part.name] = words.decode("utf-8", "replace")
        except (ValueError, AssertionError, RuntimeError):
            raise ChatRefusal(400, "multipart") from None
        return fields, name, bytes(content)


async def _read(part: BodyPartReader, into: bytearray, most: int) -> None:
    while chunk := await part.read_chunk(64 * 1024):
        into += chunk
        if len(into) > most:
            raise ChatRefusal(413, "large")


def _key(written: object) -> str:
    if not isinstance(written, str) or not _KEY.fullmatch(written):
        raise ChatRefusal(422, "key")
    return written


def page_of(written: object, origins: Collection[str]) -> dict[str, str]:
    """Where the visitor is, as the page's script says it, on a site of the business alone. What stands behind
    the path is left out: it may hold secrets of theirs.

    >>> page_of({"url": "https://shop.example/tea?token=7#x", "title": "Tea"}, ["https://shop.example"])
    {'url': 'https://shop.example/tea', 'title': 'Tea'}
    """
    if not isinstance(written, Mapping) or not isinstance(url := written.get("url"), str):
        return {}
    try:
        parts = urlsplit(clean_text(url)[:LONGEST_URL])
    except ValueError:
        return {}
    if f"{parts.scheme}://{parts.netloc}" not in origins:
        return {}
    title = written.get("title")
    words = " ".join(clean_text(title).split())[:LONGEST_TITLE] if isinstance(title, str) else ""
    return {"url": f"{parts.scheme}://{parts.netloc}{parts.path}", **({"title": words} if words else {})}
