"""How supervisors' orders are answered: where they were given, or in the first desk where they came from the
command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bot.handoff import notices
from bot.handoff.desk_context import DeskContext
from bot.model import Event, Outbound, OutboundKind, Outcome, Peer, Result, RichText, Rows, Turn

OFFICE = Peer(
    "@office", "orders"
)  # the service's own conversation: what nobody said in a chat is decided here


class TextSimilarity(Protocol):
    """Compares texts (bot/knowledge/decision/similarity.py)."""

    def related(self, text: str) -> tuple[str, ...]: ...

    def fits(
        self,
        question: str,
        text: str,
        words: Sequence[str] = (),
        articles: Sequence[str] = (),
        *,
        language: str = "",
        channel: str = "",
    ) -> bool: ...

    def saying(self, texts: Sequence[str], phrases: Sequence[str]) -> Sequence[bool]: ...


def is_ordered(turn: Turn) -> bool:
    """Whether it comes from the command line, whose user is the owner."""
    return turn.inbounds[0].peer.channel == OFFICE.channel


def by_whom(turn: Turn) -> str:
    """The name that is shown for whoever ordered."""
    return turn.inbounds[0].sender.name or turn.actor


def answers_to(desk: DeskContext, turn: Turn) -> Peer | None:
    """Where the answer goes; None while there is no desk."""
    return next(iter(desk.places.groups()), None) if is_ordered(turn) else turn.peer


def answer(
    desk: DeskContext, turn: Turn, key: str, buttons: Rows = (), name: str = "", /, **facts: object
) -> Outcome:
    """Words of the service to whoever ordered."""
    inbound, to = turn.inbounds[0], answers_to(desk, turn)
    if to is None:
        return Outcome("desk", Result.ANSWERED, key)
    quotes = "" if is_ordered(turn) or inbound.peer.thread else inbound.message
    said = replace(notices.in_desk(desk, to, None, key, **facts), buttons=buttons, name=name, quotes=quotes)
    return Outcome("desk", Result.ANSWERED, key, (said,))


def acknowledged(desk: DeskContext, turn: Turn, key: str, **facts: object) -> tuple[Outbound, ...]:
    """A short word beside the pressed button; nothing where none was pressed."""
    inbound = turn.inbounds[0]
    if not inbound.callback:
        return ()
    return (
        Outbound(
            inbound.peer,
            desk.texts.say(key, lang=desk.lang, **facts),
            kind=OutboundKind.ACKNOWLEDGE,
            quotes=inbound.callback,
            author="",
        ),
    )


def tail(text: RichText, start: int) -> RichText:
    """The rest of a styled text from a character on."""
    spans = tuple(
        replace(s, offset=max(0, s.offset - start), length=min(s.length, s.offset + s.length - start))
        for s in text.spans
        if s.offset + s.length > start
    )
    return RichText(text.text[start:], spans)


def ordered(turn: Turn, kind: str, **data: object) -> Event:
    """The event of an order, with who gave it."""
    return Event(kind, actor=turn.actor, data=data)
