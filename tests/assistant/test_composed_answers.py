"""Customers' answers with the assistant: sentences of the article that were found, or the article as ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.assistant.guarded_assistant import GuardedAssistant
from bot.config.loader import Config
from bot.dialogs.composed.answer_composer import AT_ONCE
from bot.model import Result
from bot.testing import open_test_bot
from tests.assistant.shop import QUESTION, RETURN, SENTENCES, buttons, open_shop
from tests.fakes.assistant_server import Answering, Trouble

MONEY = "Деньги приходят на карту за 3–10 дней. Если платили наличными, деньги выдаём в магазине."
ORDINARY = "Обратная доставка стоит 250 ₽."  # of the article's first answer, but of no reply below


def says(*sentences: tuple[str, str]) -> Answering:
    """A model that replies so."""
    told = [{"text": text, "source": source} for text, source in sentences]
    return lambda data, system: json.dumps({"sentences": told}, ensure_ascii=False)


async def test_the_customer_reads_what_was_asked_and_the_record_tells_from_where(tmp_path: Path) -> None:
    """The sentence that the assistant chose, with the one that limits it; source and choice are kept."""
    async with open_shop(tmp_path, says((SENTENCES[2], "p1"))) as shop:
        said = await shop.told()

        assert MONEY in said and ORDINARY not in said and SENTENCES[0] not in said
        [why] = await shop.whys()
        assert why == {
            "outcome": "composed",
            "dropped": 0,
            "sources": [["p1", 2, True], ["p1", 3, False]],
        }
        [answered] = await shop.testbot.store.events(kinds=("answered",))
        assert answered.data == {"article": "article0", "composed": True}


async def test_the_whole_article_is_one_press_or_word_away(tmp_path: Path) -> None:
    """«Подробнее», pressed or typed, brings the article as without the assistant, and then its rest."""
    async with open_shop(tmp_path, says((SENTENCES[2], "p1"))) as shop:
        for chat in ("1001", "1002"):
            anna = shop.testbot.customer(chat=chat)
            await anna.says(QUESTION)
            assert "Подробнее" in buttons(anna.sees()[-1].outbound)
            await (anna.presses if chat == "1001" else anna.says)("Подробнее")
            assert SENTENCES[0] in anna.hears()[0] and ORDINARY in anna.hears()[0]
            await anna.presses("Подробнее")
            assert "Откройте раздел" in "".join(anna.hears())


async def test_links_keep_where_they_lead(tmp_path: Path) -> None:
    """What the customer reads is the article, styles and links included."""
    async with open_shop(tmp_path, says(("Выберите товар и причину.", "p3"))) as shop:
        anna = shop.testbot.customer()
        await anna.says(QUESTION)

        text = anna.sees()[-1].outbound.text
        assert "1. Откройте раздел" in text.text and "3. Передайте посылку курьеру до 20:00." in text.text
        assert [s.url for s in text.spans if s.url] == ["https://romashka.example/orders"]


@pytest.mark.parametrize("trouble", ["500", "401", "cut", "tools", "null"])
async def test_whatever_fails_the_article_is_said(tmp_path: Path, trouble: Trouble) -> None:
    """As without the assistant, in the same words."""
    async with open_shop(tmp_path) as shop:
        shop.server.always = trouble
        said = await shop.told()

    async with open_test_bot(tmp_path, threads=False) as testbot:
        anna = testbot.customer()
        await anna.says(QUESTION)
        assert [said] == anna.hears()


@pytest.mark.parametrize(
    "reply",
    [
        "Здравствуйте! Вернём всё.",
        "{}",
        '{"sentences": "Вернём"}',
        '{"sentences": [1, null, {"text": 5, "source": "p1"}, {"text": "x"}]}',
        '{"sentences": []}',
        json.dumps({"sentences": [{"text": SENTENCES[2], "source": "p9"}]}),
        json.dumps({"sentences": [{"text": SENTENCES[2], "source": "p2"}]}),
    ],
)
async def test_a_reply_of_another_form_is_none(tmp_path: Path, reply: str) -> None:
    """Also a sentence whose source does not say it."""
    async with open_shop(tmp_path, lambda data, system: reply) as shop:
        assert ORDINARY in await shop.told()


async def test_nobody_waits_longer_than_the_owner_says(tmp_path: Path) -> None:
    async with open_shop(tmp_path, customer_wait=0.05) as shop:
        shop.server.always = "slow"

        assert ORDINARY in await shop.told()
        assert [why["outcome"] for why in await shop.whys()] == ["timeout"]


async def test_it_is_asked_only_where_the_bot_would_answer(tmp_path: Path) -> None:
    """Not for what it is unsure of or does not know, not for a short article, not while somebody waits for a
    person, not for small talk.
    """
    async with open_shop(tmp_path) as shop:
        anna = shop.testbot.customer()
        for words in ("какая погода на марсе", "подарочная упаковка сколько стоит", "спасибо"):
            await anna.says(words)
        await anna.says("позовите оператора")
        await anna.says(QUESTION)

        assert shop.server.asked == [] and await shop.whys() == []


async def test_off_it_is_not_there(tmp_path: Path) -> None:
    """Where the owner allowed operators alone, no word of a customer's is asked about by itself."""
    async with open_shop(tmp_path, customers=False, operators=True) as shop:
        assert ORDINARY in await shop.told() and shop.server.asked == []
    async with open_test_bot(tmp_path) as testbot:
        assert testbot.service.assistant is None


async def test_own_facts_of_the_customer_do_not_leave(tmp_path: Path) -> None:
    """An article with facts of theirs is said as it is."""
    personal = RETURN.replace("Деньги приходят", "{{ customer.name }}, деньги приходят")
    async with open_shop(tmp_path, articles=(personal,)) as shop:
        assert ORDINARY in await shop.told() and shop.server.asked == []


async def test_a_turn_that_is_decided_again_is_said_once(tmp_path: Path) -> None:
    """A process that died while it asked: the turn is decided anew, the customer reads one answer, and what
    was begun is counted.
    """
    async with open_shop(tmp_path, says((SENTENCES[2], "p1"))) as shop:
        anna, store = shop.testbot.customer(), shop.testbot.store
        await anna.says(QUESTION, run=False)
        shop.testbot.clock.advance(seconds=6)
        turn = await store.take_turn(shop.testbot.clock())
        assert turn is not None
        await shop.testbot.service.engine.decide_safely(turn)  # and nothing is committed
        await store.release_turn(turn)
        await shop.testbot.rest()

        assert len(shop.server.asked) == 2 and len(anna.hears()) == 1 and MONEY in anna.hears()[0]
        assert isinstance(shop.testbot.service.assistant, GuardedAssistant)
        assert (await shop.testbot.service.assistant.state()).spent.calls == 2
        assert [t.result for t in await store.turns()] == [Result.ANSWERED]


async def test_several_questions_at_once_are_answered_as_ever(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        said = await shop.told("как вернуть товар? и подарочная упаковка сколько стоит?")

        assert "150 рублей" in said and SENTENCES[0] in said


async def test_english_articles_have_english_instructions(tmp_path: Path) -> None:
    article = """---
title: Returns
aliases: [how do I return an item, return policy]
lang: en
---
You can return unused items within 30 days of delivery. Keep the receipt and the box. Refunds take 5 days.

Return shipping costs 5 dollars. However, it is free for faulty items.
"""

    def answer(data: Mapping[str, Any], system: str) -> str:
        assert "word for word" in system
        return says(("Return shipping costs 5 dollars.", "p1"))(data, system)

    async with open_shop(tmp_path, answer, articles=(article,)) as shop:
        anna = shop.testbot.customer(language="en")
        await anna.says("how do I return an item")

        assert "Return shipping costs 5 dollars. However, it is free for faulty items." in anna.hears()[0]
        assert "receipt" not in anna.hears()[0]


def test_a_config_that_allows_somebody_says_whom_to_ask(tmp_path: Path) -> None:
    """Else customers would wait for nothing."""
    with pytest.raises(ValueError, match="base_url"):
        Config(assistant={"customers": True})
    with pytest.raises(ValueError, match="http"):
        Config(assistant={"base_url": "https://user:pass@x.example/v1", "model": "m"})


async def test_a_slow_assistant_holds_up_nobody_else(tmp_path: Path) -> None:
    """Of the customers who ask at once some wait for it; the others are answered with the article at once."""
    async with open_shop(tmp_path, says((SENTENCES[2], "p1"))) as shop:
        shop.server.always = "slow"
        people = [shop.testbot.customer(chat=f"{n}") for n in range(AT_ONCE + 2)]
        for one in people:
            await one.says(QUESTION, run=False)
        shop.testbot.clock.advance(seconds=6)
        workers = [asyncio.create_task(shop.testbot.service.engine.run_waiting()) for _ in range(AT_ONCE + 1)]
        await workers[-1]  # ends with what did not have to wait, while the others still do
        waiting = [w for w in workers if not w.done()]
        shop.server.always = None
        shop.server.release.set()
        await asyncio.gather(*workers)
        await shop.testbot.rest()

        assert len(waiting) == AT_ONCE == len(shop.server.asked)
        said = ["".join(one.hears()) for one in people]
        assert sum(ORDINARY in text for text in said) == 2
        assert sum(MONEY in text and ORDINARY not in text for text in said) == AT_ONCE
