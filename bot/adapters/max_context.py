"""Whose words a MAX message forwards, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.adapters.context import context_of
from bot.model import Attachment

Fields = Mapping[str, Any]


def read_context(link: Fields, channel: str, *, bot_id: int) -> tuple[Attachment, ...]:
    """What the `link` of a message tells: the words it forwards, or the words of the message it answers."""
    body, author = _fields(link.get("message")), _fields(link.get("sender"))
    text = str(body.get("text") or "")
    if link.get("type") == "forward":
        return (context_of("forward", channel, who=name_of(author), text=text),)
    if link.get("type") == "reply" and text:
        ours = bool(bot_id) and author.get("user_id") == bot_id
        who = "" if ours else name_of(author)
        return (context_of("reply", channel, who=who, text=text, ours=ours),)
    return ()


def name_of(user: Fields) -> str:
    """What a person is called, as far as MAX tells."""
    full = " ".join(str(user[k]) for k in ("first_name", "last_name") if user.get(k))
    return full or str(user.get("name") or user.get("username") or "")


def _fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else {}
