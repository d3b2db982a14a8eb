"""The pinned board: one message that tells the truth, and costs the group little."""

from __future__ import annotations

from pathlib import Path

from bot.model import Outbound, OutboundKind
from bot.testing import TestBot, open_test_bot

DESK = "-100500"


def boards(testbot: TestBot) -> list[Outbound]:
    return [
        s.outbound
        for s in testbot.channels["telegram"].in_chat(DESK, kind=None)
        if "board" in (s.outbound.name, s.outbound.edits)
    ]


async def test_the_board_is_posted_once_pinned_and_then_changed(testbot: TestBot) -> None:
    """No board without tickets; afterwards edits only, each for a reason, never two within a minute."""
    await testbot.later(minutes=1)
    assert boards(testbot) == []
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await testbot.later(seconds=20)
    await testbot.later(seconds=20)
    await testbot.later(minutes=2)
    assert [b.kind for b in boards(testbot)] == [OutboundKind.SAY, OutboundKind.PIN]
    assert "Ждут: 1" in boards(testbot)[0].text.text and "№1 · Анна" in boards(testbot)[0].text.text
    await olga.says("Здравствуйте", ticket=1)
    await testbot.later(minutes=2)
    await testbot.later(minutes=2)

    assert [b.kind for b in boards(testbot)] == [OutboundKind.SAY, OutboundKind.PIN, OutboundKind.EDIT]
    assert "Ждут: 0" in boards(testbot)[-1].text.text and "Ольга — 1" in boards(testbot)[-1].text.text


async def test_who_has_no_name_is_called_as_on_the_card(testbot: TestBot) -> None:
    """Visitors of a site have none: no line of the lists ends in a dot and nothing."""
    await testbot.customer("").says("позовите оператора")
    await testbot.later(minutes=2)
    assert "№1 · Клиент" in boards(testbot)[0].text.text
    await testbot.operator().says("/queue")
    told = testbot.channels["telegram"].in_chat(DESK)[-1].outbound.text.text
    assert "№1" in told and "Клиент" in told


async def test_late_tickets_stand_out(testbot: TestBot) -> None:
    """What is near its deadline is named."""
    await testbot.customer().says("позовите оператора")
    await testbot.later(minutes=25)
    await testbot.later(minutes=2)

    assert any("🔴" in b.text.text for b in boards(testbot))


async def test_a_restart_posts_no_second_board(articles: Path, tmp_path: Path) -> None:
    """The board of the process before is found and changed."""
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=file) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.later(minutes=1)
        assert [b.kind for b in boards(testbot)] == [OutboundKind.SAY, OutboundKind.PIN]
    async with open_test_bot(articles, storage=file) as testbot:
        await testbot.later(minutes=5)

        assert {b.kind for b in boards(testbot)} <= {OutboundKind.EDIT}


async def test_a_board_deleted_by_hand_is_made_anew(testbot: TestBot) -> None:
    """The change to it is refused by the platform: a new one is posted and pinned, once, and changed from
    then on.
    """
    anna, olga, telegram = testbot.customer(), testbot.operator(), testbot.channels["telegram"]
    await anna.says("позовите оператора")
    await testbot.later(minutes=2)
    posted = [s for s in telegram.in_chat(DESK) if s.outbound.name == "board"]
    telegram.gone.add(posted[0].message)
    await olga.says("/take", ticket=1)
    for _ in range(4):
        await testbot.later(minutes=2)
    await olga.says("/close", ticket=1)
    await testbot.later(minutes=2)

    posted = [s for s in telegram.in_chat(DESK) if s.outbound.name == "board"]
    changes = [s for s in telegram.in_chat(DESK, kind=OutboundKind.EDIT) if s.outbound.edits == "board"]
    assert len(posted) == 2 and changes[-1].target == posted[1].message
    assert sum(b.kind is OutboundKind.PIN for b in boards(testbot)) == 2


async def test_a_clock_set_back_does_not_stop_the_board(testbot: TestBot) -> None:
    """The last change seems to lie ahead: the next one comes all the same, within a minute."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await testbot.later(minutes=2)
    testbot.clock.advance(hours=-5)
    await olga.says("Здравствуйте", ticket=1)
    await testbot.later(minutes=2)

    assert (boards(testbot)[-1].kind, "Ольга — 1" in boards(testbot)[-1].text.text) == (
        OutboundKind.EDIT,
        True,
    )


async def test_the_oldest_on_the_board_has_its_day(testbot: TestBot) -> None:
    """«С 12:00» alone would be today's noon, days later too."""
    await testbot.customer().says("позовите оператора")
    await testbot.later(days=2)
    await testbot.customer("Пётр", chat="2002").says("позовите оператора")
    await testbot.later(minutes=2)

    assert "дольше всех с 20 ноября 12:00" in boards(testbot)[-1].text.text
