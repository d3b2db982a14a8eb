"""Promises with deadlines: warned before, escalated at the breach, each once, in working time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.config.loader import Config
from bot.model import Status
from bot.testing import TestBot, open_test_bot

DESK = "-100500"


def with_sla(**sla: Any) -> Config:
    return Config.model_validate(
        {"sla": {"policies": [{"first_reply": "40m", "next_reply": "1h"}], **sla}, "hours": {"country": None}}
    )


async def test_the_first_reply_is_warned_about_and_its_breach_is_called_out(articles: Path) -> None:
    """At three quarters a warning in the topic, at the end a loud word; each once, both seen in the topic's
    name.
    """
    async with open_test_bot(articles, config=with_sla()) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        assert (await testbot.service.store.ticket(1)).due == testbot.clock() + timedelta(minutes=40)  # type: ignore[union-attr]
        await testbot.later(minutes=29)
        assert testbot.desk_texts("🟠") == []
        await testbot.later(minutes=2)
        assert len([t for t in testbot.desk_texts("🟠") if "первый ответ" in t]) == 1
        await testbot.later(minutes=10)
        await testbot.later(minutes=10)

        assert len([t for t in testbot.desk_texts("🔴") if "первый ответ" in t]) == 1
        names = [o.text.text for o in await olga.sees(1) if o.kind == "rename_topic"]
        assert names[-1].startswith("🔴")
        assert [e.data["goal"] for e in await testbot.service.store.events(kinds=["sla_breached"])] == [
            "first_reply"
        ]


async def test_an_answer_in_time_ends_the_deadline(articles: Path) -> None:
    """No warning and no breach after the operator's words."""
    async with open_test_bot(articles, config=with_sla(quiet_warn=None)) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.operator().says("Здравствуйте", ticket=1)
        await testbot.later(hours=3)

        assert testbot.desk_texts("🟠") + testbot.desk_texts("🔴") == []
        assert (await testbot.service.store.ticket(1)).due is None  # type: ignore[union-attr]


async def test_the_next_reply_counts_from_the_first_unanswered_words(articles: Path) -> None:
    """Further words do not push the deadline away, an answer does."""
    async with open_test_bot(articles, config=with_sla()) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await olga.says("Здравствуйте", ticket=1)
        await anna.says("а где заказ?")
        await testbot.later(minutes=30)
        await anna.says("вы тут?")
        await testbot.later(minutes=16)
        assert len(testbot.desk_texts("🟠")) == 1
        await olga.says("В пути", ticket=1)
        await testbot.later(hours=2)

        assert testbot.desk_texts("🔴") == []


async def test_the_night_does_not_count(articles: Path) -> None:
    """Deadlines are working time: opened ten minutes before closing, due half an hour after the next
    opening.
    """
    async with open_test_bot(articles, config=with_sla()) as testbot:
        testbot.clock.advance(hours=7, minutes=50)  # 19:50 in Moscow
        await testbot.customer().says("позовите оператора")
        await testbot.later(hours=13)
        assert testbot.desk_texts("🔴") == []
        await testbot.later(hours=1, minutes=45)

        assert len(testbot.desk_texts("🔴")) == 1


async def test_deadlines_of_another_process_come_once(articles: Path, tmp_path: Path) -> None:
    """Restarted before the warning, between warning and breach, and after it: one of each."""
    file = str(tmp_path / "bot.db")
    for minutes in (0, 31, 45, 90):
        async with open_test_bot(articles, config=with_sla(), storage=file) as testbot:
            if minutes == 0:
                await testbot.customer().says("позовите оператора")
            await testbot.later(minutes=minutes)

    async with open_test_bot(articles, config=with_sla(), storage=file) as testbot:
        kinds = [e.kind for e in await testbot.service.store.events(kinds=["sla_near", "sla_breached"])]
    assert kinds == ["sla_near", "sla_breached"]


async def test_a_breach_gives_the_ticket_to_another_team(articles: Path) -> None:
    """The other team's group gets the card with the talk, the old topic says where it went."""
    config = Config.model_validate(
        {
            "teams": [{"name": "seniors", "desk": {"channel": "telegram", "chat": "-200"}}],
            "sla": {"policies": [{"first_reply": "40m"}], "escalate_to": "seniors"},
        }
    )
    async with open_test_bot(articles, config=config) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.later(minutes=41)

        there = [s.outbound for s in testbot.channels["telegram"].in_chat("-200")]
        assert "позовите оператора" in there[0].text.text and any("передано" in o.text.text for o in there)
        assert any("передано" in text for text in testbot.desk_texts())


async def test_a_silent_operator_gives_the_ticket_back(testbot: TestBot) -> None:
    """Three working hours without an answer: the queue has it again, everybody is told."""
    anna, olga, pavel = testbot.customer(), testbot.operator(), testbot.operator("Павел", id="9002")
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await anna.says("а где заказ?")
    await testbot.later(hours=3, minutes=1)

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")
    assert any("долго не отвечает" in text for text in testbot.desk_texts())
    await pavel.says("Заказ в пути", ticket=1)
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.operator == "telegram:9002"


async def test_a_silent_customer_is_asked_and_then_the_ticket_is_closed(testbot: TestBot) -> None:
    """A polite question after a day, closing after another; the customer is told both times."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await testbot.later(hours=25)
    assert any("решён" in text for text in anna.hears())
    await testbot.later(hours=25)

    assert any("давно не было вестей" in text for text in anna.hears())
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.status == "closed"


async def test_whoever_still_needs_help_keeps_the_ticket_open(testbot: TestBot) -> None:
    """The button is an answer like any other: carried, and the clock starts anew."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await testbot.later(hours=25)
    await anna.presses("Ещё нужна помощь")
    await testbot.later(minutes=30)
    await olga.says("Слушаю", ticket=1)
    await testbot.later(hours=12)

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.status == "operator"
    assert any("Ещё нужна помощь" in o.text.text for o in await olga.sees(1))


async def test_yes_it_is_settled_closes(testbot: TestBot) -> None:
    """One tap, and the bot is there again."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await testbot.later(hours=25)
    await anna.presses("Да, решён")

    conversation = await testbot.service.store.conversation(anna.peer)
    assert conversation is not None and conversation.status is Status.BOT
    assert await testbot.service.store.tickets() == ()


async def test_a_request_after_closing_opens_the_same_ticket_for_the_same_operator(testbot: TestBot) -> None:
    """Within a day nobody has to explain again; later it is a new ticket."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await olga.says("/close", ticket=1)
    await testbot.later(hours=2)
    await anna.says("не помогло, позовите оператора снова")
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("operator", "telegram:9001")
    assert any("№1" in text for text in anna.hears())
    assert any("🔁" in o.text.text and "позовите оператора снова" in o.text.text for o in await olga.sees(1))

    await olga.says("/close", ticket=1)
    await testbot.later(hours=30)
    await anna.says("позовите оператора")
    assert any("№2" in text for text in anna.hears())


async def test_an_operator_who_is_away_does_not_get_it_back(testbot: TestBot) -> None:
    """The same ticket, but in the queue."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await olga.says("/close", ticket=1)
    await olga.says("/away")
    await anna.says("позовите оператора")

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")


async def test_nobody_owes_an_answer_to_thanks(testbot: TestBot) -> None:
    """«Спасибо» is carried and starts no deadline; a question after it does."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await anna.says("спасибо большое!")
    assert (await testbot.service.store.ticket(1)).due is None  # type: ignore[union-attr]
    assert any(o.text.text == "спасибо большое!" for o in await olga.sees(1))
    await anna.says("а во сколько привезут?")

    assert (await testbot.service.store.ticket(1)).due is not None  # type: ignore[union-attr]


async def test_a_snooze_moves_the_deadline_of_the_next_reply(testbot: TestBot) -> None:
    """Put off on purpose is not late: after waking the time runs anew."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Слушаю", ticket=1)
    await anna.says("а во сколько привезут?")
    await olga.says("/snooze 3h", ticket=1)
    await testbot.later(hours=3, minutes=1)

    assert testbot.desk_texts("⏰") and not testbot.desk_texts("🔴")


async def test_words_after_a_silent_closing_open_the_same_ticket(testbot: TestBot) -> None:
    """They were told so: whatever they write within the time goes to the same operator; thanks do not, nor
    does it last for ever.
    """
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Отправили новый", ticket=1)
    await testbot.later(hours=24)
    await testbot.later(hours=24, minutes=30)
    assert (await testbot.service.store.ticket(1)).status == "closed"  # type: ignore[union-attr]
    await anna.says("спасибо!")
    assert (await testbot.service.store.ticket(1)).status == "closed"  # type: ignore[union-attr]
    await anna.says("Сколько идёт доставка? опять не приехал")

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("operator", "telegram:9001")
    assert any("опять не приехал" in o.text.text for o in await olga.sees(1))
    assert any("Снова открыл" in text for text in anna.hears())


async def test_a_promise_is_not_asked_about_before_its_time(testbot: TestBot) -> None:
    """Who was promised an answer for the day after tomorrow is not asked meanwhile whether it is solved."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Уточню", ticket=1)
    await olga.says("/promise вт 12:00", ticket=1)
    anna.listens()
    await testbot.later(hours=50)

    assert anna.hears() == []


async def test_a_jump_of_the_clock_calls_out_each_waiting_ticket_once(articles: Path) -> None:
    """Hours of downtime are no reason to say the same thing for every step that was missed."""
    config = Config.model_validate({"sla": {"policies": []}, "hours": {"country": None}})
    async with open_test_bot(articles, config=config) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.later(hours=5)
        await testbot.later(minutes=1)

        assert len(testbot.desk_texts("никто не взял")) == 1
