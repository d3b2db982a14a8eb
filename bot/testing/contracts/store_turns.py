"""The store's contract, first part: what is accepted is kept once, and becomes turns that one worker at a
time decides on.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.errors import StorageError
from bot.model import InboundKind, Pace, Peer, Result, Sender, Timer
from bot.model.conversations import FLOOD
from bot.model.internal import DeadlineNear, OtherTimer
from bot.storage.base import Store
from bot.testing.contracts.store_scene import (
    ANNA,
    BORIS,
    NOON,
    answer,
    arrival,
    hear,
    later,
    operator_says,
    press,
    say,
    take,
)  # fmt: skip


class InboxContract:
    """The inbox: kept once, before the platform is told to forget it."""

    async def test_what_comes_twice_is_one_turn(self, store: Store) -> None:
        """An update is kept once: its channel and key are its name."""
        first = await store.accept("tg", [arrival("1", "раз"), arrival("1", "раз")])
        again = await store.accept("tg", [arrival("1", "раз")])
        elsewhere = await store.accept("vk", [arrival("1", "раз", BORIS)])

        assert (first, again, elsewhere) == (1, 0, 1)
        turn = await take(store)
        assert [i.text for i in turn.inbounds] == ["раз"]
        await answer(store, turn)
        assert await store.accept("tg", [arrival("1", "раз")]) == 0
        await answer(store, await take(store))
        assert await store.take_turn(later(100)) is None

    async def test_the_newest_message_that_was_decided_on_is_found(self, store: Store) -> None:
        """Of the conversation alone; what waits, presses and blanked words do not count."""
        assert await store.newest_message(1) is None
        for n in (1, 2):
            await hear(store, arrival(f"a{n}", f"письмо {n}", message=f"m{n}", data={"subject": f"тема {n}"}))
            await answer(store, await take(store, 0))
        await hear(store, arrival("b", "чужое", BORIS, message="m3"), press("c", "x.0.0", message="m4"))
        for _ in range(2):
            await answer(store, await take(store, 0))
        await hear(store, arrival("d", "ещё ждёт", message="m5"))
        found = await store.newest_message(1)

        assert found is not None and (found.message, found.data) == ("m2", {"subject": "тема 2"})

    async def test_a_machine_that_wrote_once_is_not_written_to(self, store: Store) -> None:
        """Until it writes as a person does."""
        await hear(store, arrival("1", "автоответ", kind=InboundKind.OTHER, data={"automatic": "auto_reply"}))
        await answer(store, await take(store), result=Result.IGNORED)
        met = await store.conversation(ANNA)
        assert met is not None and not met.reachable
        await hear(store, arrival("2", "это я"))
        met = await store.conversation(ANNA)
        assert met is not None and met.reachable

    async def test_what_is_taken_back_is_told_where_it_was_said(self, store: Store) -> None:
        """The platform names the message alone; what nobody knows makes no conversation."""
        nowhere, gone = Peer("tg", "0", "public:wall.1"), {"of": "1"}
        await store.accept("tg", [arrival("1", "раз")])
        kept = await store.accept(
            "tg",
            [
                arrival("2", "", nowhere, kind=InboundKind.DELETED, data=gone),
                arrival("3", "", nowhere, kind=InboundKind.DELETED, data={"of": "9"}),
            ],
        )
        assert kept == 1 and await store.conversation(nowhere) is None
        first = await take(store)
        await answer(store, first)
        second = await take(store)
        assert second.conversation.id == first.conversation.id
        assert second.inbounds[0].kind is InboundKind.DELETED and second.inbounds[0].peer == first.peer

    async def test_the_cursor_moves_with_what_was_kept(self, store: Store) -> None:
        """A failing accept keeps nothing, not even the place in the queue."""
        await store.accept("tg", [arrival("1")], cursor="10")
        with pytest.raises(StorageError):
            await store.accept("tg", [arrival("2"), arrival("3", data={"what": object()})], cursor="12")

        assert await store.cursor("tg") == "10"
        assert await store.cursor("vk") is None
        assert len((await take(store)).inbounds) == 1
        await store.accept("tg", [], cursor="11")
        assert await store.cursor("tg") == "11"

    async def test_any_text_is_kept(self, store: Store) -> None:
        """No text blocks the intake: NUL, half a surrogate pair, quotes, 100 kB."""
        nasty = ["a\0b", "\ud83d половина", "'; drop table inbox; --", "ы" * 100_000, "\u202e‮"]
        await store.accept("tg", [arrival(str(n), text) for n, text in enumerate(nasty)])

        turn = await take(store)
        assert [i.text for i in turn.inbounds] == [nasty[0], "? половина", *nasty[2:]]
        await answer(store, turn)
        assert [line.text for line in turn.history] == []
        assert len(await store.history(turn.conversation.id)) == len(nasty)

    async def test_a_burst_is_one_turn(self, store: Store) -> None:
        """Each message moves the moment on, up to the limit of the first."""
        await hear(store, arrival("1", at=0, ready=2, limit=5), arrival("2", at=1, ready=3, limit=5))
        assert await store.take_turn(later(2.9)) is None
        assert await store.next_due(later(1)) == later(3)
        await hear(store, arrival("3", at=4, ready=6, limit=5))

        assert await store.next_due(later(4)) == later(5)
        assert [i.key for i in (await take(store, 5)).inbounds] == ["1", "2", "3"]

    async def test_the_customer_is_made_once_and_renamed_by_the_platform(self, store: Store) -> None:
        """Names follow the platform when it changes them; what a form learned stays."""
        await hear(store, arrival("1", sender=Sender("501", "Аня", "К", "anya", "en-GB")))
        turn = await take(store)
        assert turn.customer is not None
        assert (turn.customer.name, turn.customer.language, turn.customer.peers) == ("Аня", "en", (ANNA,))
        named = replace(turn.customer, name="Анна Сергеевна", fields={"order": "A-17"})
        await answer(store, turn, customer=named)
        await hear(store, arrival("2", sender=Sender("501", "Аня", "К", "anya")))
        turn = await take(store)
        assert turn.customer == named
        await answer(store, turn)
        await hear(store, arrival("3", sender=Sender("501", "Анна", "К", "anna")))

        turn = await take(store)
        assert turn.customer is not None
        assert (turn.customer.id, turn.customer.name, turn.customer.username) == (named.id, "Анна", "anna")
        assert turn.customer.fields == {"order": "A-17"}

    async def test_who_blocks_the_bot_cannot_be_reached_until_they_write(self, store: Store) -> None:
        """The conversation knows whether it can be written to."""
        reachable = []
        for n, kind in enumerate(
            [InboundKind.MESSAGE, InboundKind.BLOCKED, InboundKind.STEPPED_IN, InboundKind.MESSAGE]
        ):
            await hear(store, arrival(str(n), kind=kind))
            conversation = await store.conversation(ANNA)
            reachable.append(conversation is not None and conversation.reachable)

        assert reachable == [True, False, False, True]

    async def test_who_steps_in_by_hand_is_not_the_customer(self, store: Store) -> None:
        """A person of the business who writes past the bot does not give the customer their name."""
        await hear(store, arrival("1", kind=InboundKind.STEPPED_IN, sender=Sender("1", "Администратор")))
        await hear(store, arrival("2"))

        turn = await take(store)
        assert turn.customer is not None and turn.customer.name == "Анна"


class TurnContract:
    """The engine takes one turn at a time for each conversation, in order, nobody starves."""

    async def test_takers_never_share_a_conversation(self, store: Store) -> None:
        """Twenty at once get the five conversations that are ready, each once, with all its messages."""
        peers = [Peer("tg", str(n)) for n in range(5)]
        await store.accept("tg", [arrival(f"{p.chat}-{n}", peer=p) for n in range(3) for p in peers])

        turns = [t for t in await asyncio.gather(*(store.take_turn(NOON) for _ in range(20))) if t]
        assert sorted(t.conversation.peer.chat for t in turns) == [p.chat for p in peers]
        assert all(len(t.inbounds) == 3 for t in turns)
        assert len({t.id for t in turns}) == 5
        assert await store.next_due(NOON) is None

    async def test_what_comes_meanwhile_is_the_next_turn(self, store: Store) -> None:
        """A taken conversation is left alone, and its new words are not lost."""
        await hear(store, arrival("1"))
        turn = await take(store)
        await hear(store, arrival("2"), arrival("3", peer=BORIS))
        other = await take(store)
        assert other.conversation.peer == BORIS
        assert await store.take_turn(NOON) is None
        await answer(store, turn)

        assert [i.key for i in (await take(store)).inbounds] == ["2"]

    async def test_a_hot_chat_does_not_go_first_for_ever(self, store: Store) -> None:
        """Who has waited since one batch of a flood goes before the next batch."""
        await store.accept("tg", [arrival(str(n)) for n in range(120)])
        await hear(store, arrival("b", peer=BORIS, at=1))
        order = []
        for _ in range(4):
            turn = await take(store, 2)
            order.append((turn.conversation.peer, len(turn.inbounds)))
            await answer(store, turn, at=2)

        assert order == [(ANNA, 50), (BORIS, 1), (ANNA, 50), (ANNA, 20)]

    async def test_a_turn_holds_one_kind_of_thing(self, store: Store) -> None:
        """A run of messages is one turn; a press, an edit, a start are turns of their own, in order."""
        await hear(
            store,
            arrival("1"),
            arrival("2"),
            press("3", "x"),
            arrival("4"),
            arrival("5", kind=InboundKind.EDIT),
            arrival("6"),
        )
        keys = []
        while turn := await store.take_turn(NOON):
            keys.append([i.key for i in turn.inbounds])
            await answer(store, turn)

        assert keys == [["1", "2"], ["3"], ["4"], ["5"], ["6"]]

    async def test_in_groups_each_message_is_a_turn_and_an_album_is_one(self, store: Store) -> None:
        """Two operators' words do not become one, the parts of one's album do."""
        other = replace(operator_says("6", "", album="a").inbound, sender=Sender("10", "Пётр"))
        await hear(store, operator_says("1", "раз"), operator_says("2", "два"))
        await hear(
            store,
            *(operator_says(str(n), "", album="a") for n in (3, 4, 5)),
            replace(operator_says("6", ""), inbound=other),
        )
        keys = []
        while turn := await store.take_turn(NOON):
            keys.append([i.key for i in turn.inbounds])
            await answer(store, turn)

        assert keys == [["1"], ["2"], ["3", "4", "5"], ["6"]]

    async def test_a_turn_given_back_rests_and_counts(self, store: Store) -> None:
        """After a failure the turn rests, new words do not shorten that, and its attempts are known; success
        forgets them.
        """
        await hear(store, arrival("1"))
        await store.release_turn(await take(store))
        turn = await take(store)
        assert turn.attempts == 0
        await store.release_turn(turn, error="ValueError", ready=later(10))
        await hear(store, arrival("2", at=1))
        assert await store.take_turn(later(9)) is None
        turn = await take(store, 10)
        assert (turn.attempts, [i.key for i in turn.inbounds]) == (1, ["1", "2"])
        await answer(store, turn, at=10)

        assert [r.error for r in await store.turns()] == ["ValueError"]
        await hear(store, arrival("3", at=11))
        assert (await take(store, 11)).attempts == 0

    async def test_what_is_found_out_meanwhile_is_kept_and_ends_the_rest(self, store: Store) -> None:
        """A turn rests while somebody looks at what came with it; new words wait with it, what was found out
        is read with it, once, and changes nothing that was decided.
        """
        await hear(store, arrival("1"))
        turn = await take(store)
        looked_at = replace(turn.inbounds[0], data={"seen": 1})
        await store.rest_turn(turn, (looked_at,), later(30))
        await hear(store, arrival("2", at=1))
        assert await store.take_turn(later(29)) is None
        found = replace(turn.inbounds[0], data={"seen": 2})
        await store.keep_heard(turn.conversation.id, (found,), later(5))
        again = await take(store, 5)
        assert ([i.data for i in again.inbounds], again.attempts) == ([{"seen": 2}, {}], 0)

        await answer(store, again, at=5)
        await store.keep_heard(turn.conversation.id, (found,), later(6))
        assert await store.take_turn(later(60)) is None
        await hear(store, arrival("3", at=61))
        lost = await take(store, 61)
        await store.rest_turn(lost, lost.inbounds, later(70))
        assert [i.key for i in (await take(store, 70)).inbounds] == ["3"], "nobody came back"

    async def test_a_taker_who_goes_away_leaves_no_lock(self, store: Store) -> None:
        """A cancelled take gives back what it may have taken."""
        await hear(store, arrival("1"))
        taking = asyncio.ensure_future(store.take_turn(NOON))
        await asyncio.sleep(0)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        for _ in range(100):
            if (turn := await store.take_turn(NOON)) is not None:
                return
            await asyncio.sleep(0.01)
        assert turn is not None, "the conversation stayed locked"

    async def test_a_turn_tells_how_much_was_written_in_its_minute(self, store: Store) -> None:
        """Counted by when it was said, without the turn's own words, however much stood between; with whether
        that was found too much.
        """
        for n in range(40):
            await hear(store, arrival(f"{n}", at=n))
            flood = {"reason": FLOOD} if n == 35 else {}
            await answer(store, await take(store, n), say("ответ"), at=n, **flood)
        paces = []
        for at in (39, 70, 96, 100):
            await hear(store, arrival(f"late{at}", at=at))
            turn = await take(store, at)
            paces.append(turn.pace)
            await store.release_turn(turn)
            await answer(store, await take(store, at), at=at, result=Result.IGNORED)

        assert paces == [Pace(40, True), Pace(30, True), Pace(5), Pace(2)]

    async def test_time_comes_back_once_and_in_order(self, store: Store) -> None:
        """Timers fire once, never early, overdue ones in order; the same key replaces, a cancelled one is
        silent.
        """
        await hear(store, arrival("1"))
        kept = [
            Timer("b", OtherTimer("second", {"n": 2}), later(20)),
            Timer("a", DeadlineNear("first_reply"), later(10)),
            Timer("c", OtherTimer("never"), later(15)),
        ]
        await answer(store, await take(store), timers=(*kept, Timer("x", OtherTimer("old"), later(1))))
        await hear(store, arrival("2"))
        await answer(
            store, await take(store), timers=(Timer("x", OtherTimer("moved"), later(30)),), cancel=("c",)
        )
        assert await store.fire_timers(later(9)) == 0
        assert await store.next_due(later(9)) == later(10)
        assert await store.fire_timers(later(25)) == 2
        assert await store.fire_timers(later(25)) == 0

        fired = []
        while turn := await store.take_turn(later(25)):
            fired += [(i.kind, i.payload, i.peer) for i in turn.inbounds]
            await answer(store, turn)
        assert fired == [
            (InboundKind.INTERNAL, DeadlineNear("first_reply"), ANNA),
            (InboundKind.INTERNAL, OtherTimer("second", {"n": 2}), ANNA),
        ]
        assert await store.fire_timers(later(31)) == 1
