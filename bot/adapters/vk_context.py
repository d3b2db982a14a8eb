"""Whose words a VK message forwards, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.adapters.context import Kind, context_of
from bot.adapters.vk.attachments import DEEPEST, MOST
from bot.model import Attachment, Sender

Fields = Mapping[str, Any]


def read_context(message: Fields, channel: str, *, replied: Fields, group: int) -> tuple[Attachment, ...]:
    """What *message* forwards, innermost included, and the words of *replied*, the message it answers."""
    found = _walk(message, channel, group, replied, 0)
    return tuple(one for one, _ in zip(found, range(MOST), strict=False))


def named(context: tuple[Attachment, ...], people: Mapping[str, Sender | None]) -> tuple[Attachment, ...]:
    """With the names of those who are known."""
    return tuple(_named(c, people.get(str(c.data.get("user", "")))) for c in context)


def authors(context: tuple[Attachment, ...]) -> tuple[str, ...]:
    """The people whose words these are."""
    return tuple(str(c.data["user"]) for c in context if c.data.get("user"))


def _named(context: Attachment, who: Sender | None) -> Attachment:
    if who is None or not (name := " ".join(t for t in (who.name, who.last_name) if t)):
        return context
    data = context.data
    kind: Any = data["context"]
    link, text = str(data.get("link", "")), str(data.get("text", ""))
    made = context_of(kind, context.channel, who=name, text=text, link=link, user=data.get("user"))
    return replace(context, data=made.data)


def _walk(m: Fields, channel: str, group: int, replied: Fields, depth: int) -> Iterator[Attachment]:
    if replied and replied.get("text"):
        yield _context("reply", replied, channel, group)
    for forwarded in _several(m.get("fwd_messages")):
        if forwarded is replied:
            continue
        if forwarded.get("text") or depth == 0:
            yield _context("forward", forwarded, channel, group)
        if depth < DEEPEST:
            inner = forwarded.get("reply_message")
            yield from _walk(
                forwarded, channel, group, inner if isinstance(inner, Mapping) else {}, depth + 1
            )


def _context(kind: Kind, m: Fields, channel: str, group: int) -> Attachment:
    author, text = m.get("from_id"), str(m.get("text") or "")
    if author == -group:
        return context_of(kind, channel, text=text, ours=True)
    if not isinstance(author, int) or not author:
        return context_of(kind, channel, text=text)
    page = f"https://vk.com/id{author}" if author > 0 else f"https://vk.com/club{-author}"
    return context_of(kind, channel, text=text, link=page, user=str(author) if author > 0 else "")


def _several(value: object) -> list[Fields]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
