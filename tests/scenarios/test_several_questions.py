"""Different questions in one go: none of them goes unanswered, and one thought in several messages stays
one.
"""

from __future__ import annotations

import pytest

from bot.errors import Uncertain
from bot.model import Outbound, Sent
from bot.testing import TestBot

COST, RETURN, PAYMENT = "350 рублей", "14 дней", "Картой, по СБП"


async def heard(testbot: TestBot, *texts: str) -> str:
    anna = testbot.customer()
    await anna.says(*texts)
    return "\n---\n".join(anna.hears())


@pytest.mark.parametrize(
    "texts",
    [
        ("сколько стоит доставка", "как вернуть товар"),
        ("Сколько стоит доставка? Как вернуть товар?",),
        ("цена доставки", "цена доставки", "оформить возврат"),
    ],
)
async def test_two_questions_get_two_answers(testbot: TestBot, texts: tuple[str, ...]) -> None:
    """In two messages or in one, both are answered, each once, under one greeting."""
    told = await heard(testbot, *texts)

    assert told.count(COST) == 1 and told.count(RETURN) == 1
    assert told.count("Здравствуйте") == 1


async def test_what_stays_unclear_is_asked_about_after_the_answer(testbot: TestBot) -> None:
    """The sure one is answered; the other is named, and nobody pretends that it was answered."""
    told = await heard(testbot, "как вернуть товар", "а пластинки вы чините?")
    answer, question = told.split("\n---\n")

    assert RETURN in answer
    assert "«а пластинки вы чините?»" in question


async def test_one_answer_that_covers_both_is_said_once(testbot: TestBot) -> None:
    """Two wordings of the same question."""
    assert (await heard(testbot, "сколько стоит доставка", "цена доставки?")).count(COST) == 1


@pytest.mark.parametrize(
    "texts",
    [
        ("здравствуйте", "как вернуть товар"),
        ("хочу вернуть товар", "он мне не подошёл"),
        ("спасибо", "сколько стоит доставка"),
    ],
)
async def test_one_thought_in_pieces_is_one_question(testbot: TestBot, texts: tuple[str, ...]) -> None:
    """A greeting, a reason or thanks beside a question is no question of its own."""
    anna = testbot.customer()
    await anna.says(*texts)

    assert len([h for h in anna.hears() if h]) == 1


async def test_a_question_just_answered_does_not_hide_the_next_one(
    testbot: TestBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer arrives, its record is cut off, it is sent again. The customer takes the second copy for the
    answer to the same question asked once more, and asks the next one in the same breath: that one must not
    stay open.
    """
    telegram, anna = testbot.channels["telegram"], testbot.customer()
    carry = telegram.send
    cuts = iter((True,))

    async def cut(outbound: Outbound, **how: object) -> Sent:
        sent = await carry(outbound, **how)  # type: ignore[arg-type]
        if next(cuts, False):
            raise Uncertain("the answer was cut off")
        return sent

    monkeypatch.setattr(telegram, "send", cut)
    await anna.says("сколько стоит доставка")
    await anna.says("сколько стоит доставка", "можно ли оплатить картой")
    assert any(PAYMENT in text for text in anna.hears())


async def test_a_person_at_it_gets_both(testbot: TestBot) -> None:
    """Where an operator answers, both questions are carried."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Слушаю вас", ticket=1)
    await anna.says("сколько стоит доставка", "как вернуть товар")
    shown = "\n".join(o.text.text for o in await olga.sees(1))

    assert "сколько стоит доставка" in shown and "как вернуть товар" in shown
