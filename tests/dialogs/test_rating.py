"""The rating after a talk: asked once, at the right time, heard as a press or as words, and passed on when it
is low.
"""

from __future__ import annotations

import pytest

from bot.config.loader import Config
from bot.model import Ticket
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer, PlayedOperator


async def _helped(
    testbot: TestBot, number: int = 1, chat: str = "1001", name: str = "Анна"
) -> tuple[PlayedCustomer, PlayedOperator]:
    """A customer whom an operator answered and whose ticket is closed."""
    anna, olga = testbot.customer(name, chat=chat), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Всё решено", ticket=number)
    await olga.presses("Закрыть", ticket=number)
    anna.listens()
    return anna, olga


async def _ticket(testbot: TestBot, number: int = 1) -> Ticket:
    found = await testbot.service.store.ticket(number)
    assert found is not None
    return found


async def _kinds(testbot: TestBot) -> list[str]:
    return [e.kind for e in await testbot.service.store.events()]


async def test_a_closed_ticket_is_rated_and_commented(testbot: TestBot) -> None:
    """Five minutes after closing the customer is asked; score and comment are kept with the ticket."""
    anna, _ = await _helped(testbot)
    await testbot.later(minutes=3)
    assert anna.hears() == []
    await testbot.later(minutes=3)
    asked = anna.sees()[-1].outbound
    assert (
        "№1" in asked.text.text
        and [b.label for b in asked.buttons[0]] == ["1", "2", "3", "4", "5"]
        and asked.on_uncertain == "hold"
    )
    await anna.presses("5")
    await anna.says("Ольга очень помогла")

    ticket = await _ticket(testbot)
    assert ticket.rating == 5 and ticket.state.comment == "Ольга очень помогла"
    assert [k for k in await _kinds(testbot) if k.startswith("rat")] == [
        "rating_asked",
        "rated",
        "rating_commented",
    ]


async def test_a_low_rating_reaches_the_desk(testbot: TestBot) -> None:
    """A supervisor reads the score and the words in the ticket's own topic."""
    anna, olga = await _helped(testbot)
    await testbot.later(minutes=6)
    await anna.presses("2")
    await testbot.later(minutes=4)
    await anna.says("ждал слишком долго")

    shown = [o.text.text for o in await olga.sees(1)]
    assert any("2 из 5" in text for text in shown) and any("ждал слишком долго" in text for text in shown)
    assert "low_rating" in await _kinds(testbot)


@pytest.mark.parametrize("words", ["4", "4!", "⭐⭐⭐⭐"])
async def test_a_rating_may_be_typed(testbot: TestBot, words: str) -> None:
    """A number or stars instead of a button."""
    anna, _ = await _helped(testbot)
    await testbot.later(minutes=6)
    await anna.says(words)

    assert (await _ticket(testbot)).rating == 4


async def test_who_wrote_again_is_not_asked(testbot: TestBot) -> None:
    """A customer with a new question has no time for ours."""
    anna, _ = await _helped(testbot)
    await anna.says("Сколько идёт доставка?")
    anna.listens()
    await testbot.later(minutes=10)

    assert anna.hears() == [] and "rating_asked" not in await _kinds(testbot)


async def test_a_reopened_ticket_is_not_rated(testbot: TestBot) -> None:
    """The talk goes on: nothing is asked until it is closed again."""
    anna, olga = await _helped(testbot)
    await olga.presses("Открыть снова", ticket=1)
    await testbot.later(minutes=10)

    assert anna.hears() == []


async def test_a_question_instead_of_a_comment_is_answered(testbot: TestBot) -> None:
    """After the score the bot still knows what a question is."""
    anna, _ = await _helped(testbot)
    await testbot.later(minutes=6)
    await anna.presses("5")
    await anna.says("Сколько идёт доставка?")

    assert any("3–5 дней" in text for text in anna.hears()) and not (await _ticket(testbot)).state.comment


async def test_nobody_is_asked_twice_in_a_month(testbot: TestBot) -> None:
    """The second ticket of the same week is closed in peace; after a month it is asked about again."""
    anna, _ = await _helped(testbot)
    await testbot.later(minutes=6)
    await anna.presses("5")
    for number, days in ((2, 7), (3, 31)):
        await testbot.later(days=days)
        await _helped(testbot, number)
        await testbot.later(minutes=6)

    asked = [e.ticket for e in await testbot.service.store.events(kinds=["rating_asked"])]
    assert asked == [1, 3]


async def test_a_slip_of_the_finger_is_corrected(testbot: TestBot) -> None:
    """The second press replaces the first, nobody was alarmed meanwhile, and it is one rating."""
    anna, olga = await _helped(testbot)
    await testbot.later(minutes=6)
    await anna.presses("1")
    await testbot.later(minutes=1)
    await anna.presses("5")
    assert "5" in anna.hears()[-1]
    await testbot.later(minutes=10)

    assert (await _ticket(testbot)).rating == 5 and "low_rating" not in await _kinds(testbot)
    assert not any("из 5" in o.text.text for o in await olga.sees(1))


async def test_the_alarm_uses_the_last_value(testbot: TestBot) -> None:
    """Supervisors read once, a few minutes after the first press, what the customer meant, with their
    comment.
    """
    anna, olga = await _helped(testbot)
    await testbot.later(minutes=6)
    await anna.presses("5")
    await anna.presses("2")
    await anna.says("ждал слишком долго")
    assert not any("из 5" in o.text.text for o in await olga.sees(1))
    await testbot.later(minutes=4)

    shown = [o for o in await olga.sees(1) if "2 из 5" in o.text.text]
    assert len(shown) == 1 and "ждал слишком долго" in shown[0].text.text and shown[0].buttons
    assert (await _kinds(testbot)).count("low_rating") == 1


async def test_a_late_press_changes_nothing(testbot: TestBot) -> None:
    """After a while the score holds."""
    anna, _ = await _helped(testbot)
    await testbot.later(minutes=6)
    await anna.presses("5")
    await testbot.later(minutes=4)
    await anna.presses("1")

    assert (await _ticket(testbot)).rating == 5 and (await _kinds(testbot)).count("rated") == 1


async def test_unanswered_cancelled_and_switched_off(testbot: TestBot, articles, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Nobody rates a talk that did not happen, or where the owner does not ask."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    await anna.presses("Отменить")
    await testbot.later(minutes=10)
    assert "rating_asked" not in await _kinds(testbot)

    async with open_test_bot(articles, config=Config.model_validate({"rating": {"ask": False}})) as quiet:
        await _helped(quiet)
        await quiet.later(minutes=10)
        assert "rating_asked" not in await _kinds(quiet)
