"""VK's events about comments in our words; what is not said to the community is left alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.adapters.context import context_of
from bot.adapters.vk.attachments import read_attachments
from bot.adapters.vk.comment_places import BY_EVENT, CHANGES, Comment, CommentKind
from bot.model import Inbound, InboundKind, Peer, Sender

Fields = Mapping[str, Any]
_CALL = re.compile(r"\[(?P<kind>id|club|public)(?P<number>\d+)(?::bp-?\d+_\d+)?\|(?P<name>[^\]\n]*)\]")


class CommentReader:
    """Reads the comments of one community. Pure: asks nobody, keeps nothing."""

    def __init__(
        self, channel: str, group_id: int, places: frozenset[str], clock: Callable[[], datetime]
    ) -> None:
        self._channel, self._group, self._places, self._clock = channel, group_id, places, clock

    def kind_of(self, event: str) -> tuple[CommentKind, str] | None:
        """The kind of comment and what happened to it; None for events that are not watched."""
        name, _, change = event.rpartition("_")
        kind = BY_EVENT.get(name)
        return (kind, change) if kind and kind.watch in self._places and change in CHANGES else None

    def read(self, event: str, what: Fields, key: str) -> Inbound | None:
        """What a comment says to us; None for our own, and for people who talk with one another."""
        if (known := self.kind_of(event)) is None:
            return None
        kind, change = known
        comment = self._comment(kind, what)
        if comment is None or comment.owner != -self._group:
            return None
        if change in ("delete", "restore"):
            return self._gone(comment, key or f"{event}:{comment.message}", restored=change == "restore")
        author = _number(what.get("from_id"))
        if author <= 0 or not self._is_for_us(author, what):
            return None  # law: the community's own words, and those of other communities, are never answered
        return self._said(comment, what, author, key if change == "edit" else "")

    def _said(self, comment: Comment, what: Fields, author: int, edit: str) -> Inbound:
        root = self._root(comment, what)
        peer = Peer(self._channel, str(author), root.thread)
        seconds = _number(what.get("date"))
        at = datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**33 and not edit else self._clock()
        return Inbound(
            edit or comment.message,
            peer,
            Sender(str(author)),
            at,
            InboundKind.EDIT if edit else InboundKind.MESSAGE,
            self._words(str(what.get("text") or "")),
            attachments=read_attachments(what, self._channel),
            message=comment.message,
            data={
                "object": comment.place,
                "place": comment.kind.watch,
                "link": comment.url,
                "invitation": f"https://vk.me/club{self._group}",
                **({"edited": True} if edit else {}),
            },
            context=(context_of("comment", self._channel, link=comment.url),),
        )

    def _gone(self, comment: Comment, key: str, *, restored: bool) -> Inbound:
        """A comment that was taken back; VK does not say whose it was, its key tells."""
        peer = Peer(self._channel, "0", comment.thread)
        data = {"of": comment.message, "restored": restored}
        return Inbound(
            key, peer, Sender("0"), self._clock(), InboundKind.DELETED, message=comment.message, data=data
        )

    def _comment(self, kind: CommentKind, what: Fields) -> Comment | None:
        owner = _number(what.get(kind.owner)) or _number(what.get("owner_id"))
        if kind.kind == "topic":
            owner = -abs(owner or self._group)
        object_, number = _number(what.get(kind.object)), _number(what.get("id"))
        return Comment(kind, owner or -self._group, object_, number) if object_ and number else None

    def _root(self, comment: Comment, what: Fields) -> Comment:
        """The comment that begins the thread, as far as VK says so: else one thread for each person."""
        if comment.kind.flat:
            return Comment(comment.kind, comment.owner, comment.object)
        stack = what.get("parents_stack")
        first = _number(stack[0]) if isinstance(stack, list) and stack else 0
        number = first or _number(what.get("reply_to_comment")) or comment.number
        return Comment(comment.kind, comment.owner, comment.object, number)

    def _is_for_us(self, author: int, what: Fields) -> bool:
        """Whether it is said to the community: not an answer to somebody else, and no friend called to it."""
        calls = list(_CALL.finditer(str(what.get("text") or "")))
        if any(c["kind"] != "id" and int(c["number"]) == self._group for c in calls):
            return True
        to = _number(what.get("reply_to_user"))
        if to:
            return to in (-self._group, author)
        return not calls

    def _words(self, text: str) -> str:
        """What people read: names in place of VK's marks, a call of the community left out at the start."""
        own = _CALL.match(text.lstrip())
        if own is not None and own["kind"] != "id" and int(own["number"]) == self._group:
            text = text.lstrip()[own.end() :].lstrip(" ,:—-")
        return _CALL.sub(lambda found: found["name"], text)


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
