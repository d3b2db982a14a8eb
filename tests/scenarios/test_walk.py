"""The laws of a message's path, each on a whole service: kept, decided, enqueued, delivered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.dialogs.reply import reply
from bot.errors import VersionConflict
from bot.model import InboundKind, Outcome, Result, Status, Turn
from bot.testing import TestBot, open_test_bot
from bot.testing.faults import refused_inserts


async def raising(turn: Turn) -> Outcome | None:
    """A dialog of somebody's that fails on one word."""
    if "сломайся" in turn.text:
        raise RuntimeError("boom")
    return None


async def hanging(turn: Turn) -> Outcome | None:
    """A dialog that never comes back."""
    if "зависни" in turn.text:
        await asyncio.sleep(60)
    return None


async def own(turn: Turn) -> Outcome | None:
    """The ten lines of a developer's first day."""
    return reply(turn, "small.thanks") if "мой сценарий" in turn.text else None


def with_dialogs(*names: str, timeout: float = 0.2) -> Config:
    order = (*names, "human", "greeting", "smalltalk", "faq")
    return Config.model_validate({"dialogs": {"order": order, "timeout": timeout}})


async def test_a_question_is_answered_from_the_articles(testbot: TestBot) -> None:
    """The way from a customer's words to an article's lead."""
    anna = testbot.customer()
    await anna.says("Сколько идёт доставка?")

    assert any("3–5 дней" in text for text in anna.hears())


async def test_a_turn_records_from_which_version_of_the_articles_it_was_decided(
    testbot: TestBot, articles: Path
) -> None:
    """Where replicas answer from different ones, a turn tells from which; operators' turns are from none."""
    anna, knowledge = testbot.customer(), testbot.service.knowledge
    await anna.says("Сколько идёт доставка?")
    first = knowledge.articles_version
    (articles / "delivery.md").write_text("---\ntitle: Сроки доставки\n---\nНеделя.\n", encoding="utf-8")
    knowledge.reload()
    await anna.says("Сколько идёт доставка?")
    await testbot.operator().says("/help")

    turns = await testbot.service.store.turns()
    assert [t.articles for t in turns] == [first, knowledge.articles_version, ""]
    assert first != knowledge.articles_version


async def test_the_same_inbound_twice_is_answered_once(testbot: TestBot) -> None:
    """An update is kept once: the platform may repeat it as often as it likes."""
    anna = testbot.customer()
    inbound = anna.inbound(
        anna.peer, InboundKind.MESSAGE, "Сколько идёт доставка?", private=True, key="same", message="1"
    )
    await testbot.arrive(inbound, inbound)
    await testbot.arrive(inbound)

    assert len(anna.sees()) == 1
    assert [t.result for t in await testbot.service.store.turns()] == ["answered"]


async def test_a_burst_of_messages_is_one_turn(testbot: TestBot) -> None:
    """Three short messages in a row are read as one question."""
    anna = testbot.customer()
    await anna.says("добрый вечер", "подскажите", "сколько идёт доставка")

    turns = await testbot.service.store.turns()
    assert len(turns) == 1 and "сколько идёт доставка" in turns[0].text


async def test_a_dialog_that_raises_or_hangs_ends_with_a_person(articles: Path) -> None:
    """Never silence: a failing dialog opens a ticket."""
    config = with_dialogs("tests.scenarios.test_walk:raising", "tests.scenarios.test_walk:hanging")
    for n, word in enumerate(("сломайся", "зависни")):
        async with open_test_bot(articles, config=config) as testbot:
            anna = testbot.customer(chat=str(n + 1))
            await anna.says(word)

            tickets = await testbot.service.store.tickets()
            assert [t.reason for t in tickets] == ["dialog_failed"], word
            assert any("№1" in text for text in anna.hears())


async def test_a_dialog_by_dotted_path_answers(articles: Path) -> None:
    """A developer's function named in the config takes part."""
    async with open_test_bot(articles, config=with_dialogs("tests.scenarios.test_walk:own")) as testbot:
        anna = testbot.customer()
        await anna.says("мой сценарий")

        assert len(anna.hears()) == 1
        assert (await testbot.service.store.turns())[-1].dialog == "tests.scenarios.test_walk:own"


async def test_a_decision_is_dropped_when_a_person_took_over_meanwhile(testbot: TestBot) -> None:
    """The operator claims while the bot is deciding: the bot's answer is not sent, the words are carried."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await anna.says("Сколько идёт доставка?", run=False)
    testbot.clock.advance(seconds=6)
    store = testbot.service.store
    turn = await store.take_turn(testbot.clock())
    assert turn is not None
    stale = replace(turn, conversation=replace(turn.conversation, status=Status.BOT))
    decided = await testbot.service.engine.decide_safely(stale)
    await olga.says("/take", ticket=1)
    await testbot.service.engine.take(
        turn
    )  # commits what the relay decides now; the stale decision must not pass
    assert decided.result is Result.ANSWERED

    with pytest.raises(VersionConflict):
        await store.finish_turn(stale, decided, testbot.clock())
    await testbot.rest()
    assert not any("3–5 дней" in text for text in anna.hears())
    assert any(o.text.text == "Сколько идёт доставка?" for o in await olga.sees(1))


@pytest.mark.sqlite
async def test_a_turn_that_always_fails_is_set_aside_and_the_conversation_goes_on(testbot: TestBot) -> None:
    """What can never be committed may not block its conversation for ever."""
    anna = testbot.customer()
    with refused_inserts(testbot.sqlite_store, "tickets"):
        await anna.says("позовите оператора")
        for _ in range(4):
            await testbot.later(seconds=30)
        await anna.says("Сколько идёт доставка?")

    poisoned = next(t for t in await testbot.service.store.turns() if t.peer == anna.peer)
    assert (poisoned.result, poisoned.reason) == ("ignored", "poisoned")
    assert any("3–5 дней" in text for text in anna.hears())


async def test_every_message_ends_in_exactly_one_outcome(testbot: TestBot) -> None:
    """Whatever is thrown at the bot: each message is decided on, in the order of arrival, and none twice."""
    anna = testbot.customer()
    sent = (
        "привет",
        "?",
        "🙂",
        "\ufeff",
        "как вернуть товар",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "я" * 5000,
        "оператор",
    )
    for number, text in enumerate(sent):
        await anna.says(text, message=f"message-{number}")
    await anna.says("", kind=InboundKind.BLOCKED)

    turns = await testbot.service.store.turns()
    assert [t.text for t in turns if t.text] == [*sent]
    assert [t.reason for t in turns].count("blocked") == 1
    assert {t.result for t in turns} <= {result.value for result in Result} and all(t.result for t in turns)
    assert (await testbot.service.store.counts())["inbounds_waiting"] == 0


async def test_a_corrected_question_is_answered_anew(testbot: TestBot) -> None:
    """An edit of a fresh question counts as the question."""
    anna = testbot.customer()
    await anna.says("Сколько стоит доставка?", message="7")
    await anna.says("как вернуть товар", kind=InboundKind.EDIT, message="7")

    assert any("14 дней" in text for text in anna.hears())


async def test_an_unanswered_question_is_not_left_hanging(articles: Path) -> None:
    """What nobody knows is offered to a person first; silence is taken for yes, a "no" is not."""
    config = Config.model_validate({"knowledge": {"scope_threshold": 0.95}})
    async with open_test_bot(articles, config=config) as testbot:
        anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
        for customer in (anna, boris):
            await customer.says("Как сварить борщ со свёклой?")
            assert any("Позвать оператора?" in text for text in customer.hears())
        await boris.says("нет, не надо")
        assert await testbot.service.store.tickets() == ()
        await testbot.later(minutes=6)

        assert [t.customer_peer.chat for t in await testbot.service.store.tickets()] == ["1001"]
