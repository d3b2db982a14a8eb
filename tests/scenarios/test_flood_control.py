"""What counts as too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.delivery.flood_control import MOST, Flood
from bot.model import Conversation, Inbound, InboundKind, Peer, RichText, Sender, Turn
from bot.model.conversations import Pace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def turn(key: str) -> Turn:
    said = Inbound(
        key, Peer("telegram", "1001"), Sender("1001"), NOW, InboundKind.MESSAGE, "позовите оператора"
    )
    return Turn(1, Conversation(7, said.peer), (said,), NOW)


def test_a_turn_that_is_decided_anew_is_no_flood() -> None:
    """Forty customers ask for a person at once: whoever comes off worse at the ticket's number is asked
    again, not warned.
    """
    flood = Flood(lambda turn: RichText("через минуту"))

    assert [flood(turn("1")) for _ in range(3 * MOST)] == [None] * 3 * MOST
    assert flood(replace(turn("2"), pace=Pace(MOST)))
