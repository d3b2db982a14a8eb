"""What somebody writes who extends the bot, as a type checker sees it. Never run: test_typing.py has it
checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import assert_type

from bot import (
    Article,
    Attachment,
    Button,
    Customer,
    Dialog,
    Inbound,
    Match,
    Media,
    OpenQuestion,
    Outbound,
    Outcome,
    Peer,
    Retriever,
    RichText,
    Span,
    Style,
    Turn,
    ask,
    asked,
    button_token,
    cancel_timer,
    fired_timer,
    hand_over,
    read_config,
    remind,
    reply,
    set_timer,
    take_back,
)
from bot.testing import TestBot, open_test_bot


async def booking(turn: Turn) -> Outcome | None:
    assert_type(turn.text, str)
    assert_type(turn.inbounds, tuple[Inbound, ...])
    assert_type(turn.customer, Customer | None)
    question = asked(turn)
    if question is not None:
        assert_type(question, OpenQuestion)
        return hand_over(turn, f"asked_{question.key}", apology=True)
    if (timer := fired_timer(turn, "late")) is not None:
        return reply(turn, "late", facts=list(timer.facts))
    booked = reply(
        turn, RichText("Готово", (Span(Style.BOLD, 0, 6),)), buttons=[Button("Отменить", "cancel")]
    )
    booked = remind(turn, booked, turn.now + timedelta(hours=1), "soon", room=7)
    booked = set_timer(turn, booked, turn.now + timedelta(days=1), "late", number=1)
    if turn.press is not None and turn.press.action == "cancel":
        return cancel_timer(turn, take_back(turn, booked, "soon"), "late")
    return ask(turn, "when", buttons=[Button("Сегодня", "today"), Button("Завтра", "tomorrow")])


class Lead:
    """A dialog that keeps something of its own."""

    def __init__(self) -> None:
        self.seen = 0

    async def __call__(self, turn: Turn) -> Outcome | None:
        self.seen += 1
        return None


class Tags:
    name = "tags"

    def __init__(self, articles: Sequence[Article]) -> None:
        self._ids = [a.id for a in articles]

    def find(self, question: str, limit: int) -> Sequence[Match]:
        return [Match(id, 1.0) for id in self._ids[:limit]]


dialogs: list[Dialog] = [booking, Lead()]
retriever: Retriever = Tags([])
photo = Outbound(Peer("post", "1"), attachments=(Attachment(Media.PHOTO, "photo.jpg"),))
assert_type(button_token(1, 0, 0), str)


async def test_booking() -> None:
    async with open_test_bot(Path("kb"), config=read_config(Path("config.yaml"))) as testbot:
        assert_type(testbot, TestBot)
        anna = testbot.customer("Анна", channel="vk")
        await anna.says("запишите")
        assert_type(anna.hears(), list[str])
