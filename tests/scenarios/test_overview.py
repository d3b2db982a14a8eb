"""What a supervisor sees of every desk, and what they order from a private chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.model import Peer
from bot.testing import TestBot, open_test_bot

SETTINGS = {
    "teams": [
        {
            "name": "social",
            "title": "Соцсети",
            "desk": {"channel": "telegram", "chat": "-200"},
            "channels": ["vk"],
        }
    ],
    "routing": {"supervisors": ["telegram:9009"]},
}


@pytest.fixture
async def two_desks(articles: Path) -> AsyncIterator[TestBot]:
    """A desk of all and a team's own; Anna (1) waits in the first, Ildar (2) in the second; Olga and Pavel
    are there, Vera is the supervisor.
    """
    async with open_test_bot(articles, config=Config.model_validate(SETTINGS)) as testbot:
        for name, id in (("Ольга", "9001"), ("Павел", "9002")):
            await testbot.operator(name, id=id).says("на месте")
        await testbot.customer().says("позовите оператора")
        await testbot.customer("Ильдар", channel="vk", chat="7").says("позовите оператора")
        yield testbot


async def test_a_supervisor_sees_every_desk_in_private(two_desks: TestBot) -> None:
    """Waiting ones of both groups, who is there, and what is near its deadline; none of it is a ticket of her
    own.
    """
    vera = two_desks.customer("Вера", chat="9009")
    await two_desks.later(minutes=25)
    await vera.says("/overview")
    seen = vera.hears()[-1]

    for words in ("Соцсети", "Общая группа", "№1 · Анна", "№2 · Ильдар", "Ольга", "🟠"):
        assert words in seen
    assert len(await two_desks.service.store.tickets()) == 2


async def test_orders_from_private_reach_the_ticket(two_desks: TestBot) -> None:
    """By button: given to Pavel, made urgent, then taken over; each is answered in private and shown in the
    ticket's group.
    """
    vera, store = two_desks.customer("Вера", chat="9009"), two_desks.service.store
    await vera.says("/overview")
    await vera.presses("№2 Ильдар")
    await vera.presses("Назначить")
    await vera.presses("Павел")
    ticket = await store.ticket(2)
    assert ticket is not None and (ticket.operator, ticket.status) == ("telegram:9002", "operator")
    assert any(
        "Павел" in s.outbound.text.text and "👉" in s.outbound.text.text
        for s in two_desks.channels["telegram"].in_chat("-200")
    )
    assert vera.hears()
    await vera.says("/overview")
    await vera.presses("№1 Анна")
    await vera.presses("Срочность")
    await vera.presses("3")
    assert (await store.ticket(1)).priority == 3  # type: ignore[union-attr]
    await vera.says("/take 2")

    ticket = await store.ticket(2)
    assert ticket is not None and ticket.operator == "telegram:9009"
    assert any("№2" in s.outbound.heading.text for s in vera.sees())
    conversation = await store.conversation(Peer("telegram", "9009"))
    assert conversation is not None and conversation.status == "bot", "her own chat stays hers"


@pytest.mark.parametrize(
    "words",
    ["/assign 1 Зинаида", "/priority 1 99", "/priority 1", "/take 77", "/assign 1", "/take 99999999999999"],
)
async def test_an_order_that_makes_no_sense_changes_nothing(two_desks: TestBot, words: str) -> None:
    """One line says what is wrong."""
    vera = two_desks.customer("Вера", chat="9009")
    await vera.says(words)

    assert len(vera.hears()) == 1
    ticket = await two_desks.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator, ticket.priority) == ("waiting", "", 0)


async def test_who_is_no_supervisor_sees_nothing(two_desks: TestBot) -> None:
    """In private and in the desk: one line, kept as refused."""
    anna, olga = two_desks.customer(), two_desks.operator()
    await anna.says("/overview")
    assert len(anna.hears()) == 1 and "Ильдар" not in anna.hears()[0]
    before = len(await olga.sees())
    await olga.says("/overview")

    assert [o.text.text for o in (await olga.sees())[before:]] == ["Это может сделать только старший смены."]
    assert len(await two_desks.service.store.events(kinds=["refused"])) == 2


async def test_in_the_desk_a_ticket_is_taken_by_its_number(two_desks: TestBot) -> None:
    """/take 1 in the group itself, without looking for the topic; a second one hears who has it."""
    olga, pavel = two_desks.operator(), two_desks.operator("Павел", id="9002")
    await olga.says("/take 1")
    await pavel.says("/take 1")

    ticket = await two_desks.service.store.ticket(1)
    assert ticket is not None and ticket.operator == "telegram:9001"
    assert any("уже взял" in o.text.text for o in await olga.sees())


async def test_an_order_for_a_ticket_that_was_closed_meanwhile(two_desks: TestBot) -> None:
    """The button of an old overview: said, nothing changed."""
    vera, olga = two_desks.customer("Вера", chat="9009"), two_desks.operator()
    await vera.says("/overview")
    await vera.presses("№1 Анна")
    await olga.says("/close", ticket=1)
    await vera.presses("Забрать себе")

    assert any("закрыто" in text for text in vera.hears())
    assert (await two_desks.service.store.ticket(1)).status == "closed"  # type: ignore[union-attr]


async def test_a_supervisor_whispers_from_afar(two_desks: TestBot) -> None:
    """/whisper 2 …: a note in the ticket's topic that calls its operator; the customer hears nothing, an
    operator may not.
    """
    vera, olga = two_desks.customer("Вера", chat="9009"), two_desks.operator()
    ildar = two_desks.customer("Ильдар", channel="vk", chat="7")
    await vera.says("/assign 2 Павел")
    ildar.listens()
    await vera.says("/whisper 2 предложи скидку")
    await vera.says("/whisper 2")
    await olga.says("/whisper 2 а я?")

    there = [s.outbound.text.text for s in two_desks.channels["telegram"].in_chat("-200")]
    assert sum("предложи скидку" in text and "Павел" in text for text in there) == 1
    assert ildar.hears() == [] and not any("а я?" in text for text in there)
    ticket = await two_desks.service.store.ticket(2)
    notes = [
        h.text
        for h in await two_desks.service.store.history(ticket.conversation if ticket else 0)
        if h.author == "note"
    ]
    assert notes == ["предложи скидку"]


async def test_a_breach_reaches_the_supervisor_who_is_in_no_group(two_desks: TestBot) -> None:
    """She cannot be called there: told in private, once, and one tap shows the ticket."""
    vera = two_desks.customer("Вера", chat="9009")
    await two_desks.later(minutes=31)
    assert sum("🔴" in text and "№2" in text for text in vera.hears()) == 1
    await vera.presses("№2 Ильдар")

    assert any("Забрать себе" in b.label for s in vera.sees() for row in s.outbound.buttons for b in row)
    await two_desks.operator("Вера", id="9009").says("теперь и я здесь")
    await two_desks.customer("Борис", chat="1002").says("позовите оператора")
    vera.listens()
    await two_desks.later(minutes=31)
    assert vera.hears() == [], "in the group she is called there"


async def test_a_supervisor_whispers_from_the_group_and_in_the_topic(two_desks: TestBot) -> None:
    """The same command wherever it is given; the customer hears nothing of it."""
    vera, olga, anna = two_desks.operator("Вера", id="9009"), two_desks.operator(), two_desks.customer()
    await olga.says("/take", ticket=1)
    heard = len(two_desks.channels["telegram"].in_chat("1001", kind=None))
    await vera.says("/whisper 1 предложи скидку")
    await vera.says("/whisper и доставку", ticket=1)

    shown = [o.text.text for o in await olga.sees(1)]
    assert any("предложи скидку" in text for text in shown) and any("и доставку" in text for text in shown)
    assert len(two_desks.channels["telegram"].in_chat(anna.peer.chat, kind=None)) == heard


async def test_help_shows_each_only_what_they_may_give(two_desks: TestBot) -> None:
    """Every command with what follows it; those of supervisors to supervisors."""
    vera, olga = two_desks.operator("Вера", id="9009"), two_desks.operator()
    await olga.says("/help")
    plain = (await olga.sees())[-1].text.text
    await vera.says("/help")
    whole = (await vera.sees())[-1].text.text

    assert "/transfer имя причина" in plain and "/overview" not in plain
    assert "/transfer имя причина" in whole and "/overview" in whole and "/broadcast" in whole
