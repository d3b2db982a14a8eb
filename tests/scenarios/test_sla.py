"""Promises with deadlines: warned before, escalated at the breach, each once, in working time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.config.loader import Config
from bot.model import Status
from bot.testing import Theatre, open_theatre

DESK = "-100500"


def shown(theatre: Theatre, mark: str = "") -> list[str]:
    return [s.outbound.text.text for s in theatre.channels["telegram"].in_chat(DESK) if mark in s.outbound.text.text]


def with_sla(**sla: Any) -> Config:
    return Config.model_validate({"sla": {"policies": [{"first_reply": "40m", "next_reply": "1h"}], **sla}, "hours": {"country": None}})


async def test_the_first_reply_is_warned_about_and_its_breach_is_called_out(articles: Path) -> None:
    """At three quarters a warning in the topic, at the end a loud word; each once, both seen in the topic's name."""
    async with open_theatre(articles, config=with_sla()) as theatre:
        anna, olga = theatre.customer(), theatre.operator()
        await anna.says("позовите оператора")
        assert (await theatre.house.store.ticket(1)).due == theatre.clock() + timedelta(minutes=40)  # type: ignore[union-attr]
        await theatre.later(minutes=29)
        assert shown(theatre, "🟠") == []
        await theatre.later(minutes=2)
        assert len([t for t in shown(theatre, "🟠") if "первый ответ" in t]) == 1
        await theatre.later(minutes=10)
        await theatre.later(minutes=10)

        assert len([t for t in shown(theatre, "🔴") if "первый ответ" in t]) == 1
        names = [o.text.text for o in await olga.sees(1) if o.verb == "rename_topic"]
        assert names[-1].startswith("🔴")
        assert [e.data["goal"] for e in await theatre.house.store.events(kinds=["sla_breached"])] == ["first_reply"]


async def test_an_answer_in_time_ends_the_deadline(articles: Path) -> None:
    """No warning and no breach after the operator's words."""
    async with open_theatre(articles, config=with_sla(quiet_warn=None)) as theatre:
        await theatre.customer().says("позовите оператора")
        await theatre.operator().says("Здравствуйте", ticket=1)
        await theatre.later(hours=3)

        assert shown(theatre, "🟠") + shown(theatre, "🔴") == []
        assert (await theatre.house.store.ticket(1)).due is None  # type: ignore[union-attr]


async def test_the_next_reply_counts_from_the_first_unanswered_words(articles: Path) -> None:
    """Further words do not push the deadline away, an answer does."""
    async with open_theatre(articles, config=with_sla()) as theatre:
        anna, olga = theatre.customer(), theatre.operator()
        await anna.says("позовите оператора")
        await olga.says("Здравствуйте", ticket=1)
        await anna.says("а где заказ?")
        await theatre.later(minutes=30)
        await anna.says("вы тут?")
        await theatre.later(minutes=16)
        assert len(shown(theatre, "🟠")) == 1
        await olga.says("В пути", ticket=1)
        await theatre.later(hours=2)

        assert shown(theatre, "🔴") == []


async def test_the_night_does_not_count(articles: Path) -> None:
    """Deadlines are working time: opened ten minutes before closing, due half an hour after the next opening."""
    async with open_theatre(articles, config=with_sla()) as theatre:
        theatre.clock.advance(hours=7, minutes=50)  # 19:50 in Moscow
        await theatre.customer().says("позовите оператора")
        await theatre.later(hours=13)
        assert shown(theatre, "🔴") == []
        await theatre.later(hours=1, minutes=45)

        assert len(shown(theatre, "🔴")) == 1


async def test_deadlines_of_another_process_come_once(articles: Path, tmp_path: Path) -> None:
    """Restarted before the warning, between warning and breach, and after it: one of each."""
    file = str(tmp_path / "bot.db")
    for minutes in (0, 31, 45, 90):
        async with open_theatre(articles, config=with_sla(), storage=file) as theatre:
            if minutes == 0:
                await theatre.customer().says("позовите оператора")
            await theatre.later(minutes=minutes)

    async with open_theatre(articles, config=with_sla(), storage=file) as theatre:
        kinds = [e.kind for e in await theatre.house.store.events(kinds=["sla_near", "sla_breached"])]
    assert kinds == ["sla_near", "sla_breached"]


async def test_a_breach_gives_the_ticket_to_another_team(articles: Path) -> None:
    """The other team's group gets the card with the talk, the old topic says where it went."""
    config = Config.model_validate(
        {
            "teams": [{"name": "seniors", "desk": {"channel": "telegram", "chat": "-200"}}],
            "sla": {"policies": [{"first_reply": "40m"}], "escalate_to": "seniors"},
        }
    )
    async with open_theatre(articles, config=config) as theatre:
        await theatre.customer().says("позовите оператора")
        await theatre.later(minutes=41)

        there = [s.outbound for s in theatre.channels["telegram"].in_chat("-200")]
        assert "позовите оператора" in there[0].text.text and any("передано" in o.text.text for o in there)
        assert any("передано" in text for text in shown(theatre))


async def test_a_silent_operator_gives_the_ticket_back(theatre: Theatre) -> None:
    """Three working hours without an answer: the queue has it again, everybody is told."""
    anna, olga, pavel = theatre.customer(), theatre.operator(), theatre.operator("Павел", id="9002")
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await anna.says("а где заказ?")
    await theatre.later(hours=3, minutes=1)

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")
    assert any("долго не отвечает" in text for text in shown(theatre))
    await pavel.says("Заказ в пути", ticket=1)
    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and ticket.operator == "telegram:9002"


async def test_a_silent_customer_is_asked_and_then_the_ticket_is_closed(theatre: Theatre) -> None:
    """A polite question after a day, closing after another; the customer is told both times."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await theatre.later(hours=25)
    assert any("решён" in text for text in anna.hears())
    await theatre.later(hours=25)

    assert any("давно не было вестей" in text for text in anna.hears())
    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and ticket.status == "closed"


async def test_whoever_still_needs_help_keeps_the_ticket_open(theatre: Theatre) -> None:
    """The button is an answer like any other: carried, and the clock starts anew."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await theatre.later(hours=25)
    await anna.presses("Ещё нужна помощь")
    await theatre.later(minutes=30)
    await olga.says("Слушаю", ticket=1)
    await theatre.later(hours=12)

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and ticket.status == "operator"
    assert any("Ещё нужна помощь" in o.text.text for o in await olga.sees(1))


async def test_yes_it_is_settled_closes(theatre: Theatre) -> None:
    """One tap, and the bot is there again."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await theatre.later(hours=25)
    await anna.presses("Да, решён")

    conversation = await theatre.house.store.conversation(anna.peer)
    assert conversation is not None and conversation.status is Status.BOT
    assert await theatre.house.store.tickets() == ()


async def test_a_request_after_closing_opens_the_same_ticket_for_the_same_operator(theatre: Theatre) -> None:
    """Within a day nobody has to explain again; later it is a new ticket."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await olga.says("/close", ticket=1)
    await theatre.later(hours=2)
    await anna.says("не помогло, позовите оператора снова")
    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("operator", "telegram:9001")
    assert any("№1" in text for text in anna.hears())
    assert any("🔁" in o.text.text and "позовите оператора снова" in o.text.text for o in await olga.sees(1))

    await olga.says("/close", ticket=1)
    await theatre.later(hours=30)
    await anna.says("позовите оператора")
    assert any("№2" in text for text in anna.hears())


async def test_an_operator_who_is_away_does_not_get_it_back(theatre: Theatre) -> None:
    """The same ticket, but in the queue."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await olga.says("/close", ticket=1)
    await olga.says("/away")
    await anna.says("позовите оператора")

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")


async def test_nobody_owes_an_answer_to_thanks(theatre: Theatre) -> None:
    """«Спасибо» is carried and starts no deadline; a question after it does."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Заказ в пути", ticket=1)
    await anna.says("спасибо большое!")
    assert (await theatre.house.store.ticket(1)).due is None  # type: ignore[union-attr]
    assert any(o.text.text == "спасибо большое!" for o in await olga.sees(1))
    await anna.says("а во сколько привезут?")

    assert (await theatre.house.store.ticket(1)).due is not None  # type: ignore[union-attr]


async def test_a_snooze_moves_the_deadline_of_the_next_reply(theatre: Theatre) -> None:
    """Put off on purpose is not late: after waking the time runs anew."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Слушаю", ticket=1)
    await anna.says("а во сколько привезут?")
    await olga.says("/snooze 3h", ticket=1)
    await theatre.later(hours=3, minutes=1)

    assert shown(theatre, "⏰") and not shown(theatre, "🔴")


async def test_words_after_a_silent_closing_open_the_same_ticket(theatre: Theatre) -> None:
    """He was told so: whatever he writes within the time goes to the same operator; thanks do not, nor does it last for ever."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Отправили новый", ticket=1)
    await theatre.later(hours=24)
    await theatre.later(hours=24, minutes=30)
    assert (await theatre.house.store.ticket(1)).status == "closed"  # type: ignore[union-attr]
    await anna.says("спасибо!")
    assert (await theatre.house.store.ticket(1)).status == "closed"  # type: ignore[union-attr]
    await anna.says("Сколько идёт доставка? опять не приехал")

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("operator", "telegram:9001")
    assert any("опять не приехал" in o.text.text for o in await olga.sees(1))
    assert any("Снова открыл" in text for text in anna.hears())


async def test_a_promise_is_not_asked_about_before_its_time(theatre: Theatre) -> None:
    """Who was promised an answer for the day after tomorrow is not asked meanwhile whether it is solved."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Уточню", ticket=1)
    await olga.says("/promise вт 12:00", ticket=1)
    anna._mark = len(theatre.channels["telegram"].said)
    await theatre.later(hours=50)

    assert anna.hears() == []


async def test_a_jump_of_the_clock_calls_out_each_waiting_ticket_once(articles: Path) -> None:
    """Hours of downtime are no reason to say the same thing for every step that was missed."""
    config = Config.model_validate({"sla": {"policies": []}, "hours": {"country": None}})
    async with open_theatre(articles, config=config) as theatre:
        await theatre.customer().says("позовите оператора")
        await theatre.later(hours=5)
        await theatre.later(minutes=1)

        assert len(shown(theatre, "никто не взял")) == 1
