"""The store's contract, second part: what a turn decided is committed all at once or not at all, and never on
a state that is gone.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.button_tokens import token
from bot.errors import StorageError, VersionConflict
from bot.model import (
    Button,
    CustomerMerge,
    Event,
    HistoryEntry,
    InboundKind,
    OutboundKind,
    Result,
    Status,
    Timer,
    WaitingTickets,
)
from bot.model.internal import OtherTimer
from bot.storage.base import Store
from bot.testing.contracts.store_scene import (
    ANNA,
    BORIS,
    DESK,
    NOON,
    answer,
    arrival,
    decide,
    deliver_all,
    hand_over,
    hear,
    later,
    open_ticket,
    operator_says,
    press,
    say,
    take,
)  # fmt: skip


class CommitContract:
    """The engine commits everything an outcome holds, or nothing of it."""

    async def test_everything_commits_together(self, store: Store) -> None:
        """Reply, state, status, ticket, events, timers, settings and history are all there after one call."""
        await hear(store, arrival("1", "где мой заказ"))
        turn = await take(store)
        note = HistoryEntry(NOON, "note", "похоже на спам")
        outcome = decide(
            say("ждите"),
            say("карточка", DESK, author="", ticket=turn.next_number),
            result=Result.HANDED_OFF,
            state={"step": [1, "два"]},
            status=Status.WAITING,
            opens=open_ticket(turn, reason="asked"),
            timers=(Timer("sla", OtherTimer("sla"), later(60)),),
            events=(Event("handed_off", data={"n": 1}),),
            notes=(note,),
            settings={"desk": "x"},
            explanation={"sentence": "потому что"},
        )
        finished = await store.finish_turn(turn, outcome, NOON)

        conversation = await store.conversation(ANNA)
        assert conversation is not None
        assert (conversation.status, conversation.state, conversation.ticket) == (
            Status.WAITING,
            {"step": [1, "два"]},
            1,
        )
        assert conversation.version > turn.conversation.version
        assert [(d.id, d.turn, d.status) for d in await store.deliveries()] == [
            (i, turn.id, "pending") for i in finished.deliveries
        ]
        assert [(line.author, line.text) for line in await store.history(conversation.id)] == [
            ("customer", "где мой заказ"), ("note", "похоже на спам"), ("bot", "ждите"),
        ]  # fmt: skip
        event = Event("handed_off", NOON, conversation.id, 1, data={"n": 1})
        assert await store.events() == (event,) == finished.events
        assert await store.setting("desk") == "x"
        assert await store.next_due(NOON) == later(60)
        [record] = await store.turns(conversation=conversation.id)
        assert (record.result, record.text, record.why) == (
            "handed_off",
            "где мой заказ",
            {"sentence": "потому что"},
        )
        assert [t.number for t in await store.tickets()] == [1]

    @pytest.mark.parametrize(
        "broken",
        [
            {"timers": (Timer("k", OtherTimer("k", {"x": object()}), NOON),)},
            {"timers": (Timer("k", OtherTimer("k"), NOON, conversation=10**9),)},
            {"events": (Event("e", data={"x": {1}}),)}, {"state": {"x": NOON}}, {"explanation": {"x": b""}},
        ],
        ids=["data", "conversation", "event", "state", "why"],
    )  # fmt: skip
    async def test_a_failing_part_changes_nothing(self, store: Store, broken: dict[str, object]) -> None:
        """Where one part of an outcome cannot be kept, none is; the turn is still held and can be finished
        otherwise.
        """
        await hear(store, arrival("1"))
        turn = await take(store)
        whole = decide(
            say("да"),
            state={"a": 1},
            status=Status.WAITING,
            opens=open_ticket(turn),
            events=(Event("e"),),
            settings={"k": "v"},
        )
        before = await store.counts()
        with pytest.raises(StorageError):
            await store.finish_turn(turn, replace(whole, **broken), NOON)  # type: ignore[arg-type]

        assert await store.counts() == before
        assert await store.conversation(ANNA) == turn.conversation
        assert (
            await store.deliveries(),
            await store.events(),
            await store.turns(),
            await store.setting("k"),
        ) == ((), (), (), None)
        assert await store.history(turn.conversation.id) == ()
        assert await store.take_turn(NOON) is None
        await store.finish_turn(turn, whole, NOON)
        assert len(await store.deliveries()) == 1

    async def test_a_turn_ends_once(self, store: Store) -> None:
        """A second end of the same turn is refused and says nothing twice."""
        await hear(store, arrival("1"))
        turn = await take(store)
        await answer(store, turn, say("раз"))
        with pytest.raises(VersionConflict):
            await answer(store, turn, say("два"))
        await store.release_turn(turn, error="late")

        assert [d.outbound.text.text for d in await store.deliveries()] == ["раз"]
        assert len(await store.turns()) == 1

    async def test_a_decision_on_an_old_state_is_dropped(self, store: Store) -> None:
        """A person took over while the bot was deciding: the bot's answer is dropped and the turn taken
        again.
        """
        ticket = await hand_over(store)
        await store.keep_topic(ticket.number, DESK.channel, DESK.chat, "31")
        await hear(store, arrival("2", "и ещё"), operator_says("3", "/take", "31"))
        bots, desks = await take(store), await take(store)
        assert desks.ticket == ticket and desks.subject == bots.conversation
        await answer(
            store,
            desks,
            ticket=replace(ticket, status="operator", operator="tg:9"),
            status=Status.OPERATOR,
            result=Result.CARRIED,
        )
        with pytest.raises(VersionConflict):
            await answer(store, bots, say("ответ бота"))

        assert await store.deliveries() == ()
        again = await take(store)
        assert (again.conversation.status, [i.key for i in again.inbounds]) == (Status.OPERATOR, ["2"])
        assert again.ticket is not None and again.ticket.operator == "tg:9"

    async def test_two_channels_of_one_person_at_once_lose_nothing(self, store: Store) -> None:
        """Both read the customer, both change them: what one of them did not touch stays as the other left
        it.
        """
        await hear(store, arrival("1"), arrival("2", peer=BORIS))
        here, there = await take(store), await take(store)
        assert here.customer is not None and there.customer is not None
        await answer(store, there)
        await answer(
            store, here, customer=replace(here.customer, fields={"vip": True, "order": "1", "city": "Казань"})
        )
        assert await store.join_customers(CustomerMerge(here.customer.id, there.customer.id), NOON, by="test")
        await hear(store, arrival("3"), arrival("4", peer=BORIS))
        here, there = await take(store), await take(store)
        assert here.customer is not None and here.customer == there.customer
        known = here.customer.fields
        await answer(
            store,
            here,
            customer=replace(here.customer, language="en", fields={**known, "order": "2", "phone": "7999"}),
        )
        await answer(
            store,
            there,
            customer=replace(
                here.customer, name="Аня", fields={k: v for k, v in known.items() if k != "vip"}
            ),
        )

        kept = await store.customer(here.customer.id)
        assert kept is not None
        assert (kept.name, kept.language, kept.fields) == (
            "Аня",
            "en",
            {"order": "2", "city": "Казань", "phone": "7999"},
        )

    async def test_of_two_hands_on_one_ticket_one_wins(self, store: Store) -> None:
        """Two operators press at once, in different places: exactly one has it, the other decides anew
        knowing who.
        """
        ticket = await hand_over(
            store,
            ANNA,
            "1",
            0,
            say("карточка", DESK, buttons=((Button("Взять", "take", "1"),),), ticket=1, author=""),
        )
        [card] = await deliver_all(store)
        await store.keep_topic(ticket.number, DESK.channel, DESK.chat, "31")
        await hear(
            store, press("2", token(card.id, 0, 0), DESK, private=False), operator_says("3", "/take", "31")
        )
        first, second = await take(store), await take(store)
        wins = [
            await asyncio.gather(
                *(
                    answer(
                        store,
                        t,
                        ticket=replace(ticket, operator=f"tg:{t.id}", status="operator"),
                        status=Status.OPERATOR,
                    )
                    for t in (first, second)
                ),
                return_exceptions=True,
            )
        ][0]

        assert sorted(type(w).__name__ for w in wins) == ["VersionConflict", "tuple"]
        loser = await take(store)
        assert loser.ticket is not None and loser.ticket.operator in (f"tg:{first.id}", f"tg:{second.id}")
        assert loser.ticket.version == ticket.version + 1

    async def test_a_number_is_given_once(self, store: Store) -> None:
        """Two handoffs decided at once cannot open tickets of the same number."""
        await hear(store, arrival("1"), arrival("2", peer=BORIS))
        first, second = await take(store), await take(store)
        assert first.next_number == second.next_number == 1
        await answer(store, first, opens=open_ticket(first), status=Status.WAITING)
        with pytest.raises(VersionConflict):
            await answer(store, second, opens=open_ticket(second), status=Status.WAITING)

        again = await take(store)
        assert (again.next_number, again.waiting) == (2, (WaitingTickets("", 0, 1),))
        await answer(store, again, opens=open_ticket(again), status=Status.WAITING)
        assert [t.number for t in await store.tickets()] == [1, 2]

    async def test_a_conversation_has_one_open_ticket(self, store: Store) -> None:
        """A second ticket for the same conversation waits until the first is closed."""
        ticket = await hand_over(store)
        await hear(store, arrival("2"))
        turn = await take(store)
        with pytest.raises(VersionConflict):
            await answer(store, turn, opens=open_ticket(turn))
        turn = await take(store)
        await answer(
            store,
            turn,
            ticket=replace(ticket, status="closed", closed=NOON),
            status=Status.BOT,
            opens=open_ticket(turn),
        )

        conversation = await store.conversation(ANNA)
        assert conversation is not None and conversation.ticket == 2
        assert [(t.number, t.status) for t in await store.tickets(open_only=False)] == [
            (2, "waiting"),
            (1, "closed"),
        ]

    async def test_closing_frees_the_conversation(self, store: Store) -> None:
        """After closing the next message belongs to no ticket, but a button of the closed one still finds
        it.
        """
        rate = say("оцените", buttons=((Button("5", "rate", "5"),),), ticket=1)
        ticket = await hand_over(store, ANNA, "1", 0, rate)
        [asked] = await deliver_all(store)
        await store.keep_topic(1, DESK.channel, DESK.chat, "31")
        await hear(store, operator_says("2", "/close", "31"))
        turn = await take(store)
        await answer(store, turn, ticket=replace(ticket, status="closed", closed=NOON), status=Status.BOT)
        await hear(store, arrival("3"), press("4", token(asked.id, 0, 0)))

        words = await take(store)
        assert (words.ticket, words.conversation.ticket, words.conversation.status) == (
            None,
            None,
            Status.BOT,
        )
        await answer(store, words)
        pressed = await take(store)
        assert pressed.ticket is not None and (pressed.ticket.number, pressed.ticket.status) == (1, "closed")

    async def test_words_alone_may_go_while_the_customer_writes(self, store: Store) -> None:
        """An operator's words need no unchanged conversation: they are carried whatever the customer does."""
        ticket = await hand_over(store)
        await store.keep_topic(ticket.number, DESK.channel, DESK.chat, "31")
        await hear(store, operator_says("2", "добрый день", "31"), arrival("3", "ау"))
        customer, desk = await take(store), await take(store)
        await answer(store, customer, state={"said": 1})
        words = say("добрый день", author="operator", author_name="Ольга", mirror_of="m2")
        await answer(store, desk, words, result=Result.CARRIED)

        last = (await store.history(ticket.conversation))[-1]
        assert (last.author, last.name, last.text) == ("operator", "Ольга", "добрый день")

    async def test_the_history_shows_what_the_customer_sees(self, store: Store) -> None:
        """An edited message and an edited answer change their line; a pressed button is words; cosmetics are
        not kept.
        """
        await hear(store, arrival("1", "где закас", message="m1"))
        await answer(
            store,
            await take(store),
            say("в пути", buttons=((Button("Спасибо", "ok"),),), name="a"),
            say("", kind=OutboundKind.REACT, author=""),
        )
        [sent, _] = await deliver_all(store)
        await hear(
            store,
            arrival("2", "где заказ", message="m1", kind=InboundKind.EDIT),
            press("3", token(sent.id, 0, 0)),
        )
        turn = await take(store)
        await answer(store, turn, say("уже приехал", kind=OutboundKind.EDIT, edits="a"))
        await answer(store, await take(store))

        lines = await store.history(turn.conversation.id)
        assert [(line.author, line.text) for line in lines] == [
            ("customer", "где заказ"),
            ("bot", "уже приехал"),
            ("customer", "Спасибо"),
        ]
        assert await store.history(turn.conversation.id, limit=1) == lines[-1:]

    async def test_the_desk_knows_whose_words_it_hears(self, store: Store) -> None:
        """The topic, the pressed button or the quoted message tells the ticket, its customer and their
        history.
        """
        card = say(
            "карточка", DESK, buttons=((Button("Взять", "take", "1"),),), ticket=1, author="", name="card:1"
        )
        carried = say("позовите человека", DESK, ticket=1, author="", mirror_of="m1")
        ticket = await hand_over(store, ANNA, "1", 0, card, carried)
        await deliver_all(store, first=900)
        await store.keep_topic(1, DESK.channel, DESK.chat, "31")
        [row, _] = await store.deliveries(peer=DESK)
        await hear(
            store,
            operator_says("2", "в теме", "31"),
            press("3", token(row.id, 0, 0), DESK),
            operator_says("4", "ответ", quotes="901"),
        )
        await hear(store, operator_says("5", "просто так", quotes="12345"))
        turns = []
        while turn := await store.take_turn(NOON):
            turns.append(turn)
            await answer(store, turn)

        by_key = {t.inbounds[0].key: t for t in turns}
        assert {k: t.ticket and t.ticket.number for k, t in by_key.items()} == {
            "2": 1,
            "3": 1,
            "4": 1,
            "5": None,
        }
        for turn in (by_key["2"], by_key["3"], by_key["4"]):
            assert turn.subject is not None and turn.subject.id == ticket.conversation
            assert turn.customer is not None and turn.customer.name == "Анна"
            assert [line.text for line in turn.history] == ["позовите человека"]
        assert by_key["3"].press is not None and (by_key["3"].press.action, by_key["3"].press.message) == (
            "take",
            "900",
        )
        [quoted] = by_key["4"].quoted
        assert quoted is not None and (quoted.ticket, quoted.mirror_of) == (1, "m1")
        assert (by_key["5"].quoted, by_key["5"].subject, by_key["5"].customer) == ((None,), None, None)

    async def test_how_long_people_wait_is_known(self, store: Store) -> None:
        """A turn knows the newest waits and how many wait now."""
        ticket = await hand_over(store)
        await hear(store, arrival("2", at=90))
        turn = await take(store, 90)
        await answer(store, turn, ticket=replace(ticket, status="operator", first_reply=later(90)), at=90)
        await hand_over(store, BORIS, "3", 100)
        await hear(store, arrival("4", at=101))

        turn = await take(store, 101)
        assert (turn.waiting, turn.next_number) == ((WaitingTickets("", 0, 1),), 3)
        assert turn.recent_answers == await store.recent_answers() == ((later(0), later(90)),)
        assert [t.number for t in await store.queue()] == [2]

    async def test_the_queue_knows_who_wants_the_answer_later(self, store: Store) -> None:
        """The time that a customer asked for comes with the waiting ticket: the order follows it."""
        ticket = await hand_over(store)
        await hear(store, arrival("2", at=90))
        turn = await take(store, 90)
        state = replace(ticket.state, team="vip", place_told=3, wish_at=later(7200))
        await answer(store, turn, ticket=replace(ticket, state=state), at=90)
        await hand_over(store, BORIS, "3", 100)

        told = [(t.number, t.state.wish_at, t.state.place_told) for t in await store.queue()]
        assert told == [(1, later(7200), 3), (2, None, 0)]

    async def test_a_button_means_what_it_meant_where_it_was_offered(self, store: Store) -> None:
        """A press of a foreign peer, of a forged or worn token resolves to nothing; the turn is still a
        turn.
        """
        await hear(store, arrival("1"))
        await answer(
            store,
            await take(store),
            say("помогло?", buttons=((Button("Да", "helped", "yes"), Button("Нет", "helped", "no")),)),
        )
        [row] = await deliver_all(store)
        good = await store.press(token(row.id, 0, 1), ANNA)
        assert good is not None and (good.action, good.value, good.label, good.outbound) == (
            "helped",
            "no",
            "Нет",
            row.id,
        )
        for forged in (
            token(row.id, 0, 2),
            token(row.id, 1, 0),
            token(row.id + 1, 0, 0),
            "x",
            "",
            "-1.00",
            f"{1 << 80:x}.00",
            "1.-1",
        ):
            assert await store.press(forged, ANNA) is None
        assert await store.press(token(row.id, 0, 1), BORIS) is None
        await hear(store, press("2", token(row.id, 0, 1), BORIS))

        turn = await take(store)
        assert (turn.presses, turn.press) == ((), None)

    async def test_turns_are_listed_with_their_reasons(self, store: Store) -> None:
        """Every kept message ends in exactly one recorded outcome."""
        await store.accept("tg", [arrival(str(n)) for n in range(3)])
        await hear(store, arrival("b", peer=BORIS))
        for n in range(2):
            await answer(store, await take(store), result=Result.IGNORED, reason=f"r{n}", articles=f"a{n}")

        records = await store.turns()
        assert [(r.result, r.reason, r.peer) for r in records] == [
            ("ignored", "r0", ANNA),
            ("ignored", "r1", BORIS),
        ]
        assert [r.articles for r in records] == ["a0", "a1"]
        assert await store.turns(after=records[0].id) == records[1:]
        assert (await store.counts())["inbounds_waiting"] == 0
