"""`bot chat`: customer and operators in one terminal, also when a script types."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import yaml

from bot.adapters import terminal as module
from bot.adapters.terminal import DESK_CHAT, TerminalAdapter
from bot.clock import HandClock
from bot.model import (
    Button,
    Inbound,
    InboundKind,
    Outbound,
    OutboundKind,
    Peer,
    RichText,
    Span,
    Style,
)
from bot.testing.fakes import FakeFiles


class Desk:
    """What is typed line by line, what arrives, what is printed."""

    def __init__(self, *lines: str) -> None:
        self.out = io.StringIO()
        self.clock = HandClock(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
        self.adapter = TerminalAdapter(
            "terminal", clock=self.clock, lines=io.StringIO("\n".join(lines) + "\n"), out=self.out
        )
        self.kept: list[Inbound] = []
        self.left = asyncio.Event()
        self.adapter.on_quit = self.left.set

    async def accept(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        self.kept.extend(inbounds)

    async def say(
        self, text: str, *, chat: str = "1", thread: str = "", nonce: int = 5, **more: object
    ) -> None:
        outbound = Outbound(Peer("terminal", chat, thread), RichText(text), **more)  # type: ignore[arg-type]
        await self.adapter.send(outbound, nonce=nonce, target="", files=FakeFiles())

    async def read(self) -> str:
        """Read everything typed, until the end of input."""
        task = asyncio.create_task(self.adapter.run(self.accept, cursor=None))
        await asyncio.wait_for(self.left.wait(), 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return self.out.getvalue()


async def test_lines_become_messages_until_the_input_ends() -> None:
    """Each with a key of its own, cleaned at the border; /start is a start; the end of input is the end."""
    desk = Desk("/start", "где мой заказ", "", "а\x00б")

    await desk.read()

    assert [(i.kind, i.text) for i in desk.kept] == [
        (InboundKind.START, ""),
        (InboundKind.MESSAGE, "где мой заказ"),
        (InboundKind.MESSAGE, "а\ufffdб"),
    ]
    assert len({i.key for i in desk.kept}) == 3
    assert len({i.peer for i in desk.kept}) == 1


async def test_a_number_presses_the_button_on_screen() -> None:
    """With the token of its delivery; links are only printed, and a number without a button says so."""
    desk = Desk("2", "9")
    await desk.say(
        "Помогло?",
        buttons=((Button("Да", "yes"), Button("Сайт", url="https://shop.example"), Button("Нет", "no")),),
        nonce=26,
    )

    printed = await desk.read()

    assert [(i.kind, i.press) for i in desk.kept] == [(InboundKind.PRESS, "1a.02")]
    assert "[1] Да" in printed and "[2] Нет" in printed and "Сайт: https://shop.example" in printed
    assert "9" in printed.splitlines()[-1]


async def test_the_operator_speaks_into_the_newest_topic() -> None:
    """Commands and words go to the desk as an administrator's; without a ticket they go nowhere."""
    early = Desk("/take")
    assert "Обращения ещё нет" in await early.read()
    assert early.kept == []

    desk = Desk("/take", "/operator Здравствуйте", "/close", "/operator")
    await desk.say("🟡 №7 Анна", chat=DESK_CHAT, kind=OutboundKind.OPEN_TOPIC, ticket=7)
    await desk.say("Карточка", chat=DESK_CHAT, thread="t7")
    printed = await desk.read()
    assert [(i.text, i.peer.thread, i.private) for i in desk.kept] == [
        ("/take", "t7", False),
        ("Здравствуйте", "t7", False),
        ("/close", "t7", False),
        ("/operator", "", True),
    ]
    assert "Операторы · 🟡 №7 Анна" in printed
    assert await desk.adapter.membership(DESK_CHAT, desk.kept[0].sender.id) == "administrator"
    assert await desk.adapter.membership(DESK_CHAT, desk.kept[-1].sender.id) == "none"


async def test_another_customer_has_another_chat() -> None:
    """/as changes name and chat, /reset only the chat."""
    desk = Desk("раз", "/as Пётр Иванов", "два", "/reset", "три")

    await desk.read()

    assert [i.sender.name for i in desk.kept] == ["Анна", "Пётр", "Пётр"]
    assert len({i.peer.chat for i in desk.kept}) == 3


async def test_the_clock_moves_forward_and_back() -> None:
    """/time 23:07 is the next such moment in the business's zone; nonsense is explained."""
    desk = Desk("/time 23:07", "/time скоро")
    printed = await desk.read()
    assert desk.clock.shift == timedelta(hours=8, minutes=7)
    assert "/time 23:07" in printed.splitlines()[-1]

    back = Desk("/time 23:07", "/time")
    await back.read()
    assert back.clock.shift == timedelta()


async def test_why_tells_the_newest_search() -> None:
    """Candidates with scores and the decision in one sentence."""
    why = {
        "understood": "как вернуть",
        "candidates": [{"title": "Возврат", "score": 0.91}],
        "confidence": 0.88,
        "sentence": "0,88 больше 0,75",
    }

    class Records:
        """The history of one conversation, newest first."""

        async def conversation(self, peer: Peer) -> object:
            return SimpleNamespace(id=3)

        async def turns(
            self, *, conversation: int | None = None, after: int = 0, limit: int = 50
        ) -> list[object]:
            return [
                SimpleNamespace(id=3, why={}),
                SimpleNamespace(id=2, why=why),
                SimpleNamespace(id=1, why={"sentence": "старое"}),
            ]

        async def counts(self) -> dict[str, int]:
            return {"inbounds_waiting": 0, "deliveries_sending": 0}

        async def next_delivery(self, now: datetime) -> None:
            return None

    desk = Desk("/why")
    assert "Ещё нечего" in await desk.read()
    desk = Desk("/why")
    desk.adapter.enter(Records())  # type: ignore[arg-type]
    printed = await desk.read()
    assert "0.91  Возврат" in printed and "Решение: 0,88 больше 0,75" in printed and "старое" not in printed


async def test_words_cannot_steer_the_terminal() -> None:
    """Escape sequences in a message are shown, not obeyed; addresses of links are written out."""
    desk = Desk()
    text = RichText("\x1b[2Jстёрто сайт", (Span(Style.LINK, 11, 4, "https://shop.example"),))
    await desk.adapter.send(Outbound(Peer("terminal", "1"), text), nonce=1, target="", files=FakeFiles())

    printed = await desk.read()
    assert "\x1b" not in printed
    assert "сайт (https://shop.example)" in printed


def test_every_word_has_its_twin() -> None:
    """Russian and English say the same things."""
    words = yaml.safe_load(Path(module.__file__).with_suffix(".yaml").read_text("utf-8"))

    assert list(words["ru"]) == list(words["en"])
