"""What customers and strangers may try: floods, forged presses, hostile names, other groups."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from bot.button_tokens import token
from bot.model import InboundKind, Peer, Result, Sender, Verb
from bot.testing import Theatre

HOSTILE = ('<b>x</b><a href="tg://user?id=1">', "_*[`](http://evil)", "{{7*7}}", "{% for i in range(9**9) %}x{% endfor %}", "‮gpj.exe", "'; drop table inbox; --")


async def test_a_flood_costs_one_warning_and_nothing_is_lost(theatre: Theatre) -> None:
    """Row 17: of a thousand messages a minute all are kept; he hears one warning, others hear their answers."""
    anna, boris = theatre.customer(), theatre.customer("Борис", chat="1002")
    for n in range(40):
        await anna.says(*[f"спам {n} {k}" for k in range(25)], run=False)
        if n % 10 == 5:
            await boris.says("Сколько идёт доставка?", run=False)
        theatre.clock.advance(seconds=1.5)
        while await theatre.house.engine.run_waiting() or await theatre.house.outbox.run_waiting():
            pass
    await theatre.rest()

    heard = [s.outbound.text.text for s in theatre.channels["telegram"].in_chat("1001")]
    assert len([t for t in heard if "через минуту" in t]) == 1 and len(heard) <= 3
    assert any("3–5 дней" in s.outbound.text.text for s in theatre.channels["telegram"].in_chat("1002"))
    said = [line for line in await theatre.house.store.history(1, limit=2000) if line.author == "customer"]
    assert len(said) == 1000


async def test_a_flood_into_a_ticket_is_joined(theatre: Theatre) -> None:
    """Row 17: while a person is at it every word arrives, in few posts."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    before = len(await olga.sees(1))
    await anna.says(*[f"строка-{n}" for n in range(100)])

    shown = (await olga.sees(1))[before:]
    text = "\n".join(o.text.text for o in shown)
    assert all(f"строка-{n}\n" in text + "\n" for n in range(100)) and len(shown) <= 6


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_and_text_are_only_text(theatre: Theatre, name: str) -> None:
    """Rows 1, 2, 22: markup, templates and SQL of a customer arrive as he wrote them, styled by nobody."""
    anna = theatre.customer(name)
    await anna.says(f"позовите оператора {name}")
    card = (await theatre.operator().sees(1))[0]

    assert name in card.text.text
    assert all(span.url == "" for span in card.text.spans)
    assert not any("49" in s.outbound.text.text.replace(name, "") for s in theatre.channels["telegram"].said if "{{" in name)
    assert await theatre.house.store.check() == ()


@pytest.mark.parametrize("press", ["", "0.00", "zz.00", "1", "1.ff", "-1.00", "7fffffffffffffff.00", "1.00" * 20, "\x00.00", "1_0.00"])
async def test_a_forged_token_is_an_old_button(theatre: Theatre, press: str) -> None:
    """Row 11: what nobody promised to this chat means nothing, and breaks nothing."""
    anna = theatre.customer()
    await anna.says("позовите оператора")
    forged = anna._inbound(Peer("telegram", "1009"), InboundKind.PRESS, private=True, press=press, callback="c")
    await theatre.arrive(replace(forged, sender=Sender("1009", "Чужой")))

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and ticket.status == "waiting"
    assert (await theatre.house.store.counts())["inbounds_waiting"] == 0


async def test_words_and_presses_in_another_group_do_nothing(theatre: Theatre) -> None:
    """Row 9: only the desk's own chat is the desk, whoever writes elsewhere."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    card = next(s for s in theatre.channels["telegram"].in_chat("-100500") if s.outbound.buttons)
    before = len(theatre.channels["telegram"].in_chat("1001"))
    elsewhere = Peer("telegram", "-100999", await olga.thread(1))
    for inbound in (
        olga._inbound(elsewhere, InboundKind.MESSAGE, "/close", private=False, message="1"),
        olga._inbound(elsewhere, InboundKind.MESSAGE, "я тут главный", private=False, message="2", quotes=card.message),
        olga._inbound(elsewhere, InboundKind.PRESS, private=False, press=token(card.nonce, 0, 0), callback="c"),
    ):
        await theatre.arrive(inbound)

    assert len(theatre.channels["telegram"].in_chat("1001")) == before
    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")


async def test_a_customer_who_writes_commands_is_still_a_customer(theatre: Theatre) -> None:
    """Row 9: operators' commands in a private chat are words."""
    anna = theatre.customer()
    await anna.says("позовите оператора")
    for text in ("/close", "/take", "/contact", "//note"):
        await anna.says(text)

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and (ticket.status, ticket.operator) == ("waiting", "")


OPERATORS_ONLY = (
    "/take", "/close", "/return", "/reopen", "/transfer Павел", "/snooze 2h", "/promise завтра", "/category Доставка", "/tag vip", "/topic Возврат",
    "/contact", "/history", "/note заметка", "//! шёпот", "/t привет", "/undo", "/priority 3", "/assign Павел", "/away", "/back", "/overview", "просто слова",
)  # fmt: skip


async def unchanged(theatre: Theatre, before: object) -> None:
    """The ticket is as it was, the customer heard nothing, and each refusal is kept."""
    ticket = await theatre.house.store.ticket(1)
    assert ticket == before
    assert not await theatre.house.store.events(kinds=["contact_shown", "ticket_taken", "operator_away"])


@pytest.mark.parametrize("words", OPERATORS_ONLY)
@pytest.mark.parametrize("who", ["former", "anonymous"])
async def test_former_members_and_anonymous_ones_are_refused(theatre: Theatre, who: str, words: str) -> None:
    """Row 9 and 10: one clear line, logged, nothing changed, whatever the command; words for the customer stay here, too."""
    anna, olga, pavel = theatre.customer(), theatre.operator(), theatre.operator("Павел", id="9002")
    await pavel.says("на месте")
    await anna.says("позовите оператора, телефон +7 912 345-67-89")
    if who == "former":
        await olga.says("на месте")
        await theatre.arrive(pavel._inbound(Peer("telegram", "-100500"), InboundKind.MEMBER, private=False, data={"user": "9001", "status": "left"}))
        theatre.channels["telegram"].members["9001"] = "none"
    else:
        olga._sender = Sender("1087968824", "Group", anonymous=True)
    before, told, seen = await theatre.house.store.ticket(1), len(theatre.channels["telegram"].in_chat("1001", verb=None)), len(await olga.sees(1))
    await olga.says(words, ticket=1)

    await unchanged(theatre, before)
    assert len(theatre.channels["telegram"].in_chat("1001", verb=None)) == told
    said = [o.text.text for o in (await olga.sees(1))[seen:]]
    assert len(said) == 1 and ("ничего не изменилось" in said[0] or "аноним" in said[0])
    assert len(await theatre.house.store.events(kinds=["refused"])) == 1


@pytest.mark.parametrize("label", ["Взять", "Закрыть", "Вернуть боту", "Передать", "Отложить", "Показать контакт"])
@pytest.mark.parametrize("who", ["former", "anonymous", "stranger"])
async def test_buttons_are_refused_to_those_outside(theatre: Theatre, who: str, label: str) -> None:
    """Row 9: a former member, an anonymous administrator, and a stranger who sees the buttons of a public group."""
    anna, olga, pavel = theatre.customer(), theatre.operator(), theatre.operator("Павел", id="9002")
    await anna.says("позовите оператора, телефон +7 912 345-67-89")
    if who == "former":
        await olga.says("на месте")
        await theatre.arrive(pavel._inbound(Peer("telegram", "-100500"), InboundKind.MEMBER, private=False, data={"user": "9001", "status": "kicked"}))
    if who == "anonymous":
        olga._sender = Sender("1087968824", "Group", anonymous=True)
    theatre.channels["telegram"].members["9001"] = "none"
    before, seen = await theatre.house.store.ticket(1), len(await olga.sees(1))
    await olga.presses(label, ticket=1)

    await unchanged(theatre, before)
    said = (await olga.sees(1))[seen:]
    assert [o.verb for o in said] == [Verb.ACKNOWLEDGE] and said[0].text.text
    assert [e.data["what"] for e in await theatre.house.store.events(kinds=["refused"])] != []


async def test_who_came_back_works_again(theatre: Theatre) -> None:
    """Left, refused, let in again: no restart is needed, the next act counts."""
    anna, olga = theatre.customer(), theatre.operator()
    await olga.says("на месте")
    await theatre.arrive(olga._inbound(Peer("telegram", "-100500"), InboundKind.MEMBER, private=False, data={"user": "9001", "status": "left"}))
    await anna.says("позовите оператора")
    await olga.says("/take", ticket=1)

    assert (await theatre.house.store.ticket(1)).operator == "telegram:9001"  # type: ignore[union-attr]
    assert [m.name for m in theatre.house.desk.crew.members()] == ["Ольга"]


async def test_a_topic_closed_by_nobody_in_particular_is_opened_again(theatre: Theatre) -> None:
    """An anonymous administrator cannot close a ticket by closing its topic, either."""
    anna, ghost = theatre.customer(), theatre.operator()
    ghost._sender = Sender("1087968824", "Group", anonymous=True)
    await anna.says("позовите оператора")
    await ghost.says("", ticket=1, kind=InboundKind.TOPIC_CLOSED)

    assert (await theatre.house.store.ticket(1)).status == "waiting"  # type: ignore[union-attr]
    assert any(o.verb is Verb.REOPEN_TOPIC for o in await ghost.sees(1))


@pytest.mark.parametrize("words", ["/reopen", "слова клиенту", "//заметка о нём", "/tag vip", "/promise завтра"])
async def test_nothing_is_written_to_or_about_somebody_forgotten(theatre: Theatre, words: str) -> None:
    """Row 16: his ticket cannot be opened again, nothing is sent and nothing kept; one line says why."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    thread, known = await olga.thread(1), await theatre.house.store.conversation(anna.peer)
    assert known is not None and await theatre.house.store.forget_customer(known.customer or 0, theatre.clock())
    await theatre.rest()
    before, said = await theatre.house.store.ticket(1), len(theatre.channels["telegram"].said)
    await theatre.arrive(olga._inbound(Peer("telegram", "-100500", thread), InboundKind.MESSAGE, words, private=False, message="o99"))

    assert await theatre.house.store.ticket(1) == before
    told = theatre.channels["telegram"].said[said:]
    assert len(told) == 1 and told[0].outbound.to.chat == "-100500" and "удалили" in told[0].outbound.text.text


@pytest.mark.parametrize("label", ["Взять", "Закрыть", "Вернуть боту", "Передать", "Отложить"])
async def test_late_buttons_of_a_closed_ticket_say_so(theatre: Theatre, label: str) -> None:
    """Row 11: the old card's buttons, pressed after the end: one line beside the button, nothing else."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    card = theatre.channels["telegram"].in_chat("-100500", await olga.thread(1))[0]
    await olga.says("/close", ticket=1)
    place = next((r, c) for r, row in enumerate(card.outbound.buttons) for c, b in enumerate(row) if label in b.label)
    before, seen = await theatre.house.store.ticket(1), len(await olga.sees(1))
    await theatre.arrive(olga._inbound(card.outbound.to, InboundKind.PRESS, private=False, press=token(card.nonce, *place), callback="late", message=card.message))

    assert await theatre.house.store.ticket(1) == before
    assert [(o.verb, o.text.text) for o in (await olga.sees(1))[seen:]] == [(Verb.ACKNOWLEDGE, "Обращение уже закрыто.")]


async def test_a_customers_forged_press_is_no_word_for_operators(theatre: Theatre) -> None:
    """Row 9: the token of the desk's card in a customer's chat: he hears that it does nothing, the desk hears nothing."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    card = next(s for s in theatre.channels["telegram"].in_chat("-100500") if s.outbound.buttons)
    before, seen = await theatre.house.store.ticket(1), len(await olga.sees(1))
    await theatre.arrive(anna._inbound(anna.peer, InboundKind.PRESS, private=True, press=token(card.nonce, 0, 0), callback="f"))

    assert await theatre.house.store.ticket(1) == before and len(await olga.sees(1)) == seen
    assert theatre.channels["telegram"].in_chat("1001", verb=Verb.ACKNOWLEDGE)[-1].outbound.text.text == "Эта кнопка уже не действует."
    assert [e.data["why"] for e in await theatre.house.store.events(kinds=["refused"])] == ["old_button"]


@pytest.mark.parametrize("words", ["/take", "/close 1", "/queue", "/away", "/priority 3", "/overview"])
@pytest.mark.parametrize("waits", [True, False])
async def test_operators_commands_in_a_private_chat_are_refused(theatre: Theatre, words: str, waits: bool) -> None:
    """A command in the wrong place: one line, also while a ticket is open; neither a question for the bot nor a word for operators."""
    anna, olga = theatre.customer(), theatre.operator()
    if waits:
        await anna.says("позовите оператора")
    tickets, seen = await theatre.house.store.tickets(), len(await olga.sees())
    await anna.says(words)

    assert anna.hears() == ["Эта команда — для операторов и работает только в их группе. Напишите вопрос словами."]
    assert await theatre.house.store.tickets() == tickets and len(await olga.sees()) == seen
    assert [e.data["what"] for e in await theatre.house.store.events(kinds=["refused"])] == [words[1:].split()[0]]


@pytest.mark.parametrize("text", ["я" * 1_000_000, "👨‍👩‍👧‍👦" * 4096, "\u202e" * 5000, "\u200b" * 5000, "ﷺ" * 5000,
                                  "(a+)+$" + "a" * 5000 + "!", '"' * 999, "NEAR(" * 500, "🙂\ufe0f" * 3000])
async def test_absurd_texts_are_decided_on_quickly(theatre: Theatre, text: str) -> None:
    """Rows 13, 18, 19, 21: size, emoji, directions, expansions, patterns and query syntax end in an ordinary outcome."""
    anna = theatre.customer()
    began = time.perf_counter()
    await anna.says(text)
    await anna.says("позовите оператора")

    assert time.perf_counter() - began < 20
    assert Result.HANDED_OFF in [t.result for t in await theatre.house.store.turns()]
    units = [len(s.outbound.text.text.encode("utf-16-le", "surrogatepass")) // 2 for s in theatre.channels["telegram"].said]
    assert max(units) <= 4096
