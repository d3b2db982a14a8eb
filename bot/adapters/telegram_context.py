"""What a Telegram message was forwarded from, what it replies to, and the part of it that is quoted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.adapters.context import context_of
from bot.adapters.telegram.media import read_attachments
from bot.model import Attachment

Dict = Mapping[str, Any]
_SHOWN = (
    "animation",
    "audio",
    "contact",
    "document",
    "location",
    "photo",
    "sticker",
    "venue",
    "video",
    "video_note",
    "voice",
)


def is_foreign(m: Dict) -> bool:
    """Whether the words were forwarded from somebody else than the one who sends them."""
    origin = m.get("forward_origin") or {}
    author = (origin.get("sender_user") or {}).get("id")
    return bool(origin) and (author is None or author != (m.get("from") or {}).get("id"))


def read_context(
    m: Dict, channel: str, *, text: str, replied: Dict | None, bot_id: int
) -> tuple[Attachment, ...]:
    """The context of a private message; *text* is what it says, *replied* the message it really replies
    to.
    """
    return tuple(_contexts(m, channel, text, replied, bot_id))


def read_quote(m: Dict, channel: str) -> tuple[Attachment, ...]:
    """The part of a message that somebody chose to quote."""
    quote = m.get("quote") or {}
    return (context_of("quote", channel, text=str(quote["text"])),) if quote.get("text") else ()


def read_external(m: Dict, channel: str) -> tuple[Attachment, ...]:
    """The photo or file of the message elsewhere that this one replies to."""
    external = m.get("external_reply") or {}
    return read_attachments({k: external[k] for k in _SHOWN if k in external}, channel)


def _contexts(m: Dict, channel: str, text: str, replied: Dict | None, bot_id: int) -> Iterator[Attachment]:
    if is_foreign(m):
        who, link = _origin(m["forward_origin"])
        yield context_of("forward", channel, who=who, text=text, link=link)
    if story := m.get("reply_to_story"):
        chat = story.get("chat") or {}
        link = f"https://t.me/{chat['username']}/s/{story.get('id')}" if chat.get("username") else ""
        yield context_of("story", channel, who=_name(chat), link=link)
    part = str((m.get("quote") or {}).get("text") or "")
    if external := m.get("external_reply"):
        who, link = _origin(external.get("origin") or {})
        yield context_of("external", channel, who=who, text=part, link=link)
    elif replied and (said := part or str(replied.get("text") or replied.get("caption") or "")):
        author = replied.get("from") or {}
        ours = author.get("id") == bot_id
        yield context_of(
            "quote" if part else "reply", channel, who="" if ours else _name(author), text=said, ours=ours
        )


def _origin(origin: Dict) -> tuple[str, str]:
    """Who wrote it, and the address where it can be read or they be found."""
    match origin.get("type"):
        case "user":
            user = origin.get("sender_user") or {}
            return _name(user), _page(user)
        case "hidden_user":
            return str(origin.get("sender_user_name") or ""), ""
    chat = origin.get("chat") or origin.get("sender_chat") or {}
    who = ", ".join(t for t in (_name(chat), str(origin.get("author_signature") or "")) if t)
    page, number = _page(chat), origin.get("message_id")
    return who, f"{page}/{number}" if page and number else page


def _name(who: Dict) -> str:
    full = " ".join(str(who[k]) for k in ("first_name", "last_name") if who.get(k))
    return str(who.get("title") or full or who.get("username") or "")


def _page(who: Dict) -> str:
    return f"https://t.me/{who['username']}" if who.get("username") else ""
