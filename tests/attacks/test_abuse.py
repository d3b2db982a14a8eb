"""What customers and strangers may try: floods, forged presses, hostile names, other groups."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.button_tokens import token
from bot.model import InboundKind, OutboundKind, Peer, Result, Sender
from bot.testing import TestBot, open_test_bot

HOSTILE = (
    '<b>x</b><a href="tg://user?id=1">',
    "_*[`](http://evil)",
    "{{7*7}}",
    "{% for i in range(9**9) %}x{% endfor %}",
    "‮gpj.exe",
    "'; drop table inbox; --",
)


async def test_a_flood_costs_one_warning_and_nothing_is_lost(testbot: TestBot) -> None:
    """Of a thousand messages a minute all are kept; they hear one warning, others hear their
    answers.
    """
    anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
    for n in range(40):
        await anna.says(*[f"спам {n} {k}" for k in range(25)], run=False)
        if n % 10 == 5:
            await boris.says("Сколько идёт доставка?", run=False)
        testbot.clock.advance(seconds=1.5)
        while await testbot.service.engine.run_waiting() or await testbot.service.outbox.run_waiting():
            pass
    await testbot.rest()

    heard = [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1001")]
    assert len([t for t in heard if "через минуту" in t]) == 1 and len(heard) <= 3
    assert any("3–5 дней" in s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1002"))
    said = [line for line in await testbot.service.store.history(1, limit=2000) if line.author == "customer"]
    assert len(said) == 1000


async def test_a_flood_is_still_one_after_a_restart(articles: Path, tmp_path: Path) -> None:
    """A new process, or another one beside it, neither answers nor warns again."""
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, storage=file) as testbot:
        anna = testbot.customer()
        await anna.says(*[f"спам {n}" for n in range(25)])
        assert len([text for text in anna.hears() if "через минуту" in text]) == 1
        moment = testbot.clock()
    async with open_test_bot(articles, storage=file) as testbot:
        testbot.clock.at = moment
        anna = testbot.customer()
        await anna.says("спам")
        assert not anna.hears()
        testbot.clock.advance(minutes=2)
        await anna.says("Сколько идёт доставка?")
        assert "3–5 дней" in anna.hears()[-1]


async def test_words_that_were_held_up_are_no_flood(testbot: TestBot) -> None:
    """What a customer wrote over half an hour and the platform only hands over now is answered."""
    anna = testbot.customer()
    before = testbot.clock()
    late = []
    for n in range(25):
        testbot.clock.at = before + timedelta(minutes=n)
        text = "Сколько идёт доставка?" if n == 24 else f"спам {n}"
        late.append(anna.inbound(anna.peer, InboundKind.MESSAGE, text, private=True))
    testbot.clock.at = before + timedelta(minutes=30)
    await testbot.arrive(*late)

    assert not any("через минуту" in text for text in anna.hears())


async def test_a_flood_into_a_ticket_is_joined(testbot: TestBot) -> None:
    """While an operator has the ticket every word arrives, in few posts."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    before = len(await olga.sees(1))
    await anna.says(*[f"строка-{n}" for n in range(100)])

    shown = (await olga.sees(1))[before:]
    text = "\n".join(o.text.text for o in shown)
    assert all(f"строка-{n}\n" in text + "\n" for n in range(100)) and len(shown) <= 6


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_and_text_are_only_text(testbot: TestBot, name: str) -> None:
    """Markup, templates and SQL of a customer arrive as they wrote them, styled by nobody."""
    anna = testbot.customer(name)
    await anna.says(f"позовите оператора {name}")
    card = (await testbot.operator().sees(1))[0]

    assert name in card.text.text
    assert all(span.url == "" for span in card.text.spans)
    assert not any(
        "49" in s.outbound.text.text.replace(name, "")
        for s in testbot.channels["telegram"].said
        if "{{" in name
    )
    assert await testbot.service.store.check() == ()


@pytest.mark.parametrize(
    "press",
    ["", "0.00", "zz.00", "1", "1.ff", "-1.00", "7fffffffffffffff.00", "1.00" * 20, "\x00.00", "1_0.00"],
)
async def test_a_forged_token_is_an_old_button(testbot: TestBot, press: str) -> None:
    """What nobody offered in this chat means nothing, and breaks nothing."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    forged = anna.inbound(
        Peer("telegram", "1009"), InboundKind.PRESS, private=True, press=press, callback="c"
    )
    await testbot.arrive(replace(forged, sender=Sender("1009", "Чужой")))

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.status == "waiting"
    assert (await testbot.service.store.counts())["inbounds_waiting"] == 0


async def test_words_and_presses_in_another_group_do_nothing(testbot: TestBot) -> None:
    """Only the desk's own chat is the desk, whoever writes elsewhere."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    card = next(s for s in testbot.channels["telegram"].in_chat("-100500") if s.outbound.buttons)
    before = len(testbot.channels["telegram"].in_chat("1001"))
    elsewhere = Peer("telegram", "-100999", await olga.thread(1))
    for inbound in (
        olga.inbound(elsewhere, InboundKind.MESSAGE, "/close", private=False, message="1"),
        olga.inbound(
            elsewhere, InboundKind.MESSAGE, "я тут главный", private=False, message="2", quotes=card.message
        ),
        olga.inbound(
            elsewhere, InboundKind.PRESS, private=False, press=token(card.nonce, 0, 0), callback="c"
        ),
    ):
        await testbot.arrive(inbound)

    assert len(testbot.channels["telegram"].in_chat("1001")) == before
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")


async def test_a_customer_who_writes_commands_is_still_a_customer(testbot: TestBot) -> None:
    """Operators' commands in a private chat are words."""
    anna = testbot.customer()
    await anna.says("позовите оператора")
    for text in ("/close", "/take", "/contact", "//note"):
        await anna.says(text)

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")


OPERATORS_ONLY = (
    "/take",
    "/close",
    "/return",
    "/reopen",
    "/transfer Павел",
    "/snooze 2h",
    "/promise завтра",
    "/category Доставка",
    "/tag vip",
    "/topic Возврат",
    "/contact",
    "/history",
    "/note заметка",
    "//! шёпот",
    "/t привет",
    "/undo",
    "/priority 3",
    "/assign Павел",
    "/away",
    "/back",
    "/overview",
    "просто слова",
)


async def unchanged(testbot: TestBot, before: object) -> None:
    """The ticket is as it was, the customer heard nothing, and each refusal is kept."""
    ticket = await testbot.service.store.ticket(1)
    assert ticket == before
    assert not await testbot.service.store.events(kinds=["contact_shown", "ticket_taken", "operator_away"])


@pytest.mark.parametrize("words", OPERATORS_ONLY)
@pytest.mark.parametrize("who", ["former", "anonymous"])
async def test_former_members_and_anonymous_ones_are_refused(testbot: TestBot, who: str, words: str) -> None:
    """One clear line, logged, nothing changed, whatever the command; words for the customer
    stay here, too.
    """
    anna, olga, pavel = testbot.customer(), testbot.operator(), testbot.operator("Павел", id="9002")
    await pavel.says("на месте")
    await anna.says("позовите оператора, телефон +7 912 345-67-89")
    if who == "former":
        await olga.says("на месте")
        await testbot.arrive(
            pavel.inbound(
                Peer("telegram", "-100500"),
                InboundKind.MEMBER,
                private=False,
                data={"user": "9001", "status": "left"},
            )
        )
        testbot.channels["telegram"].members["9001"] = "none"
    else:
        olga.sender = Sender("1087968824", "Group", anonymous=True)
    before, told, seen = (
        await testbot.service.store.ticket(1),
        len(testbot.channels["telegram"].in_chat("1001", kind=None)),
        len(await olga.sees(1)),
    )
    await olga.says(words, ticket=1)

    await unchanged(testbot, before)
    assert len(testbot.channels["telegram"].in_chat("1001", kind=None)) == told
    said = [o.text.text for o in (await olga.sees(1))[seen:]]
    assert len(said) == 1 and ("ничего не изменилось" in said[0] or "аноним" in said[0])
    assert len(await testbot.service.store.events(kinds=["refused"])) == 1


@pytest.mark.parametrize(
    "label", ["Взять", "Закрыть", "Вернуть боту", "Передать", "Отложить", "Показать контакт"]
)
@pytest.mark.parametrize("who", ["former", "anonymous", "stranger"])
async def test_buttons_are_refused_to_those_outside(testbot: TestBot, who: str, label: str) -> None:
    """A former member, an anonymous administrator, and a stranger who sees the buttons of a public
    group.
    """
    anna, olga, pavel = testbot.customer(), testbot.operator(), testbot.operator("Павел", id="9002")
    await anna.says("позовите оператора, телефон +7 912 345-67-89")
    if who == "former":
        await olga.says("на месте")
        await testbot.arrive(
            pavel.inbound(
                Peer("telegram", "-100500"),
                InboundKind.MEMBER,
                private=False,
                data={"user": "9001", "status": "kicked"},
            )
        )
    if who == "anonymous":
        olga.sender = Sender("1087968824", "Group", anonymous=True)
    testbot.channels["telegram"].members["9001"] = "none"
    before, seen = await testbot.service.store.ticket(1), len(await olga.sees(1))
    await olga.presses(label, ticket=1)

    await unchanged(testbot, before)
    said = (await olga.sees(1))[seen:]
    assert [o.kind for o in said] == [OutboundKind.ACKNOWLEDGE] and said[0].text.text
    assert [e.data["what"] for e in await testbot.service.store.events(kinds=["refused"])] != []


async def test_who_came_back_works_again(testbot: TestBot) -> None:
    """Left, refused, let in again: no restart is needed, the next act counts."""
    anna, olga = testbot.customer(), testbot.operator()
    await olga.says("на месте")
    await testbot.arrive(
        olga.inbound(
            Peer("telegram", "-100500"),
            InboundKind.MEMBER,
            private=False,
            data={"user": "9001", "status": "left"},
        )
    )
    await anna.says("позовите оператора")
    await olga.says("/take", ticket=1)

    assert (await testbot.service.store.ticket(1)).operator == "telegram:9001"  # type: ignore[union-attr]
    assert [m.name for m in testbot.service.desk.context.roster.members()] == ["Ольга"]


async def test_a_topic_closed_by_nobody_in_particular_is_opened_again(testbot: TestBot) -> None:
    """An anonymous administrator cannot close a ticket by closing its topic, either."""
    anna, ghost = testbot.customer(), testbot.operator()
    ghost.sender = Sender("1087968824", "Group", anonymous=True)
    await anna.says("позовите оператора")
    await ghost.does(InboundKind.TOPIC_CLOSED, ticket=1)

    assert (await testbot.service.store.ticket(1)).status == "waiting"  # type: ignore[union-attr]
    assert any(o.kind is OutboundKind.REOPEN_TOPIC for o in await ghost.sees(1))


@pytest.mark.parametrize(
    "words", ["/reopen", "слова клиенту", "//заметка о нём", "/tag vip", "/promise завтра"]
)
async def test_nothing_is_written_to_or_about_somebody_forgotten(testbot: TestBot, words: str) -> None:
    """Their ticket cannot be opened again, nothing is sent and nothing kept; one line says why."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    thread, known = await olga.thread(1), await testbot.service.store.conversation(anna.peer)
    assert known is not None and await testbot.service.store.forget_customer(
        known.customer or 0, testbot.clock()
    )
    await testbot.rest()
    before, said = await testbot.service.store.ticket(1), len(testbot.channels["telegram"].said)
    await testbot.arrive(
        olga.inbound(
            Peer("telegram", "-100500", thread), InboundKind.MESSAGE, words, private=False, message="o99"
        )
    )

    assert await testbot.service.store.ticket(1) == before
    told = testbot.channels["telegram"].said[said:]
    assert (
        len(told) == 1 and told[0].outbound.to.chat == "-100500" and "удалили" in told[0].outbound.text.text
    )


@pytest.mark.parametrize("label", ["Взять", "Закрыть", "Вернуть боту", "Передать", "Отложить"])
async def test_late_buttons_of_a_closed_ticket_say_so(testbot: TestBot, label: str) -> None:
    """The old card's buttons, pressed after the end: one line beside the button, nothing else."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    card = testbot.channels["telegram"].in_chat("-100500", await olga.thread(1))[0]
    await olga.says("/close", ticket=1)
    place = next(
        (r, c) for r, row in enumerate(card.outbound.buttons) for c, b in enumerate(row) if label in b.label
    )
    before, seen = await testbot.service.store.ticket(1), len(await olga.sees(1))
    await testbot.arrive(
        olga.inbound(
            card.outbound.to,
            InboundKind.PRESS,
            private=False,
            press=token(card.nonce, *place),
            callback="late",
            message=card.message,
        )
    )

    assert await testbot.service.store.ticket(1) == before
    assert [(o.kind, o.text.text) for o in (await olga.sees(1))[seen:]] == [
        (OutboundKind.ACKNOWLEDGE, "Обращение уже закрыто.")
    ]


async def test_a_customers_forged_press_is_no_word_for_operators(testbot: TestBot) -> None:
    """The token of the desk's card in a customer's chat: they hear that it does nothing, the desk hears
    nothing.
    """
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    card = next(s for s in testbot.channels["telegram"].in_chat("-100500") if s.outbound.buttons)
    before, seen = await testbot.service.store.ticket(1), len(await olga.sees(1))
    await testbot.arrive(
        anna.inbound(anna.peer, InboundKind.PRESS, private=True, press=token(card.nonce, 0, 0), callback="f")
    )

    assert await testbot.service.store.ticket(1) == before and len(await olga.sees(1)) == seen
    assert (
        testbot.channels["telegram"].in_chat("1001", kind=OutboundKind.ACKNOWLEDGE)[-1].outbound.text.text
        == "Эта кнопка уже не действует."
    )
    assert [e.data["why"] for e in await testbot.service.store.events(kinds=["refused"])] == ["old_button"]


@pytest.mark.parametrize("words", ["/take", "/close 1", "/queue", "/away", "/priority 3", "/overview"])
@pytest.mark.parametrize("waits", [True, False])
async def test_operators_commands_in_a_private_chat_are_refused(
    testbot: TestBot, words: str, waits: bool
) -> None:
    """A command in the wrong place: one line, also while a ticket is open; neither a question for the bot nor
    a word for operators.
    """
    anna, olga = testbot.customer(), testbot.operator()
    if waits:
        await anna.says("позовите оператора")
    tickets, seen = await testbot.service.store.tickets(), len(await olga.sees())
    await anna.says(words)

    assert anna.hears() == [
        "Эта команда — для операторов и работает только в их группе. Напишите вопрос словами."
    ]
    assert await testbot.service.store.tickets() == tickets and len(await olga.sees()) == seen
    assert [e.data["what"] for e in await testbot.service.store.events(kinds=["refused"])] == [
        words[1:].split()[0]
    ]


@pytest.mark.parametrize(
    "text",
    [
        "я" * 1_000_000,
        "👨‍👩‍👧‍👦" * 4096,
        "\u202e" * 5000,
        "\u200b" * 5000,
        "ﷺ" * 5000,
        "(a+)+$" + "a" * 5000 + "!",
        '"' * 999,
        "NEAR(" * 500,
        "🙂\ufe0f" * 3000,
    ],
)
async def test_absurd_texts_are_decided_on_quickly(testbot: TestBot, text: str) -> None:
    """Size, emoji, directions, expansions, patterns and query syntax end in an ordinary
    outcome.
    """
    anna = testbot.customer()
    began = time.perf_counter()
    await anna.says(text)
    await anna.says("позовите оператора")

    assert time.perf_counter() - began < 20
    assert Result.HANDED_OFF in [t.result for t in await testbot.service.store.turns()]
    units = [
        len(s.outbound.text.text.encode("utf-16-le", "surrogatepass")) // 2
        for s in testbot.channels["telegram"].said
    ]
    assert max(units) <= 4096
