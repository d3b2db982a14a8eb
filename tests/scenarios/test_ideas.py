"""«Мои идеи»: recognised, kept, thanked for, counted together, decided on, and told about once."""

from __future__ import annotations

import pytest

from bot.handoff.outreach.order_replies import OFFICE
from bot.model import Idea, Inbound, InboundKind, Sender
from bot.model.internal import DecideIdeas
from bot.testing import TestBot

IDEA = "Предлагаю сделать доставку вечером, после восьми"


async def _decide(testbot: TestBot, status: str, reason: str = "", *ideas: int, key: str = "d1") -> None:
    order = DecideIdeas(ideas or (1,), status, reason)
    who = Sender("page:anna", "Анна")
    inbound = Inbound(key, OFFICE, who, testbot.clock(), InboundKind.INTERNAL, private=False, payload=order)
    await testbot.service.inbox.accept(OFFICE.channel, [inbound])
    await testbot.rest()
    await testbot.later(minutes=2)


async def _ideas(testbot: TestBot) -> list[Idea]:
    return list(await testbot.store.ideas())


async def test_a_suggestion_is_kept_and_thanked_for(testbot: TestBot) -> None:
    """Nobody is called, and no article is shown for it; the words are kept without their beginning."""
    anna = testbot.customer()
    await anna.says(IDEA)

    assert "Записали вашу идею" in anna.hears()[0] and len(anna.hears()) == 1
    [kept] = await _ideas(testbot)
    assert kept.text == "сделать доставку вечером, после восьми" and kept.status == "new"
    assert not await testbot.store.tickets()


async def test_the_command_asks_and_the_next_words_are_the_idea(testbot: TestBot) -> None:
    """A question instead is answered as a question."""
    anna = testbot.customer()
    await anna.says("/idea")
    await anna.says("Сколько идёт доставка?")
    assert "3–5 дней" in anna.hears()[-1] and not await _ideas(testbot)
    await anna.says("/idea")
    await anna.says("примерочная в пункте выдачи")

    assert [i.text for i in await _ideas(testbot)] == ["примерочная в пункте выдачи"]


@pytest.mark.parametrize("words", ["Как вернуть товар", "предлагаю", "предлагаете ли вы доставку?", "хорошо"])
async def test_what_is_no_idea_is_not_kept(testbot: TestBot, words: str) -> None:
    """A question, a lone beginning, a word that only begins alike."""
    anna = testbot.customer()
    await anna.says(words)

    assert not await _ideas(testbot) and anna.hears()


async def test_who_suggested_it_hears_once_what_became_of_it(testbot: TestBot) -> None:
    """Done or declined with a reason; the same decision again says nothing more."""
    anna = testbot.customer()
    await anna.says(IDEA)
    await _decide(testbot, "planned")
    before = len(anna.hears())
    await _decide(testbot, "declined", key="d2")  # without a reason: refused
    await _decide(testbot, "declined", "курьеры вечером не работают", key="d3")
    await _decide(testbot, "declined", "курьеры вечером не работают", key="d4")

    told = anna.hears()[before:]
    assert len(told) == 1 and "курьеры вечером не работают" in told[0] and "доставку вечером" in told[0]
    await anna.says("мои идеи")
    assert "решили не делать" in anna.hears()[-1]


async def test_a_similar_idea_is_counted_with_it_and_both_hear(testbot: TestBot) -> None:
    """Once a supervisor has looked at the first, the second customer is asked whether it is the same."""
    anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
    await anna.says(IDEA)
    await _decide(testbot, "considered")
    await boris.says("Было бы здорово, если бы доставку делали вечером после восьми")
    assert "Это то же самое?" in boris.hears()[-1]
    await boris.presses("Да, то же самое")
    await _decide(testbot, "done", "Теперь возим до 22:00.", key="d2")

    assert [i.joined for i in await _ideas(testbot)] == [0, 1]
    assert "до 22:00" in anna.hears()[-1] and "до 22:00" in boris.hears()[-1]


async def test_others_may_support_it_and_who_wants_no_news_is_not_written_to(testbot: TestBot) -> None:
    """From the list of ideas; a refusal of news holds here, too."""
    anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
    await anna.says(IDEA)
    await _decide(testbot, "considered")
    await boris.says("мои идеи")
    await boris.presses("👍")
    await boris.says("/stop")
    before = len(boris.hears())
    await _decide(testbot, "done", "Готово.", key="d2")

    assert [(i.text, i.joined) for i in await _ideas(testbot)][1] == ("", 1)
    assert "Готово." in anna.hears()[-1] and len(boris.hears()) == before
