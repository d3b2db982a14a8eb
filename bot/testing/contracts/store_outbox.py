"""The store's contract, third part: what is enqueued goes in order, once where that can be known, and says
what became of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.button_tokens import token
from bot.model import Button, Event, OutboundKind, Peer, Priority, RichText, Status, Timer
from bot.model.internal import BotResumed
from bot.storage.base import DeliveryResult, Store
from bot.testing.contracts.store_scene import (
    ANNA,
    BORIS,
    DESK,
    NOON,
    answer,
    arrival,
    deliver,
    deliver_all,
    hand_over,
    hear,
    later,
    press,
    say,
    take,
    texts,
)  # fmt: skip


class DeliveriesContract:
    """The outbox: order, limits, doubts."""

    async def sender_ends(self, store: Store) -> None:
        """The process that sent has died and another begins; a store whose senders change hands over its
        leases here.
        """

    async def test_order_survives_a_postponed_first(self, store: Store) -> None:
        """While the first waits for its next try the second of the same peer and priority waits too; others
        go.
        """
        await store.enqueue(
            [
                say("1"),
                say("2"),
                say("другой", BORIS),
                say("тема", replace(ANNA, thread="7")),
                say("n", priority=Priority.NOTICE),
            ],
            NOON,
        )
        taken = await deliver(store)
        assert texts(taken) == ["1", "другой", "тема", "n"]
        assert await deliver(store) == []
        await store.settle(taken[0], DeliveryResult("pending", due=later(30), error="429"), NOON)
        assert await deliver(store, 29) == []
        assert await store.next_delivery(later(29)) == later(30)
        [first] = await deliver(store, 30)
        assert (first.outbound.text.text, first.tries, first.error) == ("1", 1, "429")
        await store.settle(first, DeliveryResult("sent", "m1"), later(30))

        assert texts(await deliver(store, 30)) == ["2"]

    async def test_people_go_before_boards(self, store: Store) -> None:
        """Priorities in order, then the oldest; no more than asked for."""
        priorities = [Priority.BULK, Priority.COSMETIC, Priority.NOTICE, Priority.MESSAGE]
        await store.enqueue(
            [say(priority.value, priority=priority) for priority in priorities] + [say("второй", BORIS)], NOON
        )

        assert texts(await deliver(store, limit=3)) == ["words", "второй", "notice"]
        assert texts(await deliver(store)) == ["view", "bulk"]

    async def test_what_was_begun_is_known_to_the_next_process(self, store: Store) -> None:
        """Sends since a moment, with their tries, oldest first; what only waits is not among them."""
        await store.enqueue([say("давно"), say("б", BORIS)], NOON)
        await deliver(store, limit=1)
        await deliver(store, 50)
        await store.enqueue([say("ждёт", replace(ANNA, thread="9"))], later(50))

        assert [(o.text.text, at, tries) for o, at, tries in await store.sends_since(later(10))] == [
            ("б", later(50), 1)
        ]
        assert [o.text.text for o, _, _ in await store.sends_since(NOON)] == ["давно", "б"]

    async def test_who_rests_is_passed_over(self, store: Store) -> None:
        """A resting peer or a resting channel waits, the others go."""
        await store.enqueue([say("а"), say("б", Peer("tg", "502")), say("в", BORIS)], NOON)

        assert texts(await deliver(store, resting={("tg", "501"), ("vk", "")})) == ["б"]
        assert texts(await deliver(store, resting={("tg", "")})) == ["в"]
        assert texts(await deliver(store)) == ["а"]

    async def test_a_newer_view_replaces_the_waiting_one(self, store: Store) -> None:
        """Of cosmetics only the newest goes: same peer, verb and object; what is under way is not touched."""
        ids = await store.enqueue(
            [
                say("👀", kind=OutboundKind.REACT, quotes="5", priority=Priority.COSMETIC),
                say("👍", kind=OutboundKind.REACT, quotes="6", priority=Priority.COSMETIC),
            ],
            NOON,
        )
        await store.enqueue(
            [
                say("✅", kind=OutboundKind.REACT, quotes="5", priority=Priority.COSMETIC),
                say("x", BORIS, kind=OutboundKind.REACT, quotes="5", priority=Priority.COSMETIC),
            ],
            NOON,
        )

        [replaced] = await store.deliveries(status=["cancelled"])
        assert replaced.id == ids[0]
        first = await deliver(store)
        assert sorted(texts(first)) == ["x", "👍"]
        await store.enqueue(
            [say("🔥", kind=OutboundKind.REACT, quotes="6", priority=Priority.COSMETIC)], NOON
        )
        await store.settle(next(d for d in first if d.id == ids[1]), DeliveryResult("sent"), NOON)
        assert texts(await deliver_all(store)) == ["✅", "🔥"]

    async def test_an_edit_waits_for_its_message(self, store: Store) -> None:
        """What changes a message goes when that is sent, with the id of the newest one of that name, in
        whatever thread.
        """
        card = say(
            "карточка", replace(DESK, thread="ticket:1"), name="card:1", priority=Priority.NOTICE, author=""
        )
        edit = say(
            "взято", DESK, kind=OutboundKind.EDIT, edits="card:1", priority=Priority.COSMETIC, author=""
        )
        await store.enqueue([card, edit], NOON)
        [sending] = await deliver(store)
        assert await deliver(store) == []
        assert await store.next_delivery(NOON) is None
        await store.settle(sending, DeliveryResult("sent", "m1"), NOON)
        [edited] = await deliver(store)
        assert edited.target == "m1"
        await store.settle(edited, DeliveryResult("sent"), NOON)
        await store.enqueue([card], NOON)
        await deliver_all(store, first=50)
        await store.enqueue([edit], NOON)

        assert [d.target for d in await deliver(store)] == ["50"]

    async def test_an_edit_does_not_wait_for_what_comes_after_it(self, store: Store) -> None:
        """A newer message of the same name stands behind the edit: the two must not wait for one another."""
        await store.enqueue([say("карточка", name="card")], NOON)
        await deliver_all(store)
        await store.enqueue(
            [say("правка", kind=OutboundKind.EDIT, edits="card"), say("новая карточка", name="card")], NOON
        )

        assert [(d.outbound.text.text, d.target) for d in await deliver_all(store)] == [
            ("правка", "1000"),
            ("новая карточка", ""),
        ]

    async def test_an_edit_of_what_failed_is_cancelled(self, store: Store) -> None:
        """Nothing waits for ever for a message that never came; what stands behind it goes on."""
        await store.enqueue(
            [
                say("карточка", name="card"),
                say("правка", kind=OutboundKind.EDIT, edits="card"),
                say("дальше"),
            ],
            NOON,
        )
        [card] = await deliver(store)
        await store.settle(card, DeliveryResult("failed", error="chat not found"), NOON)

        assert texts(await deliver(store)) == ["дальше"]
        assert [d.outbound.text.text for d in await store.deliveries(status=["cancelled"])] == ["правка"]

    async def test_a_limit_is_no_failed_try(self, store: Store) -> None:
        """ "Later" does not count as a try, a doubt is on record, and the delivery itself may change."""
        await store.enqueue([say("1")], NOON)
        [d] = await deliver(store)
        await store.settle(d, DeliveryResult("pending", due=later(1), counted=False), NOON)
        [d] = await deliver(store, 1)
        assert (d.tries, d.doubts) == (0, 0)
        await store.settle(
            d,
            DeliveryResult("pending", doubted=True, outbound=replace(d.outbound, text=RichText("просто"))),
            later(1),
        )

        [d] = await deliver(store, 1)
        assert (d.tries, d.doubts, d.outbound.text.text) == (1, 1, "просто")

    async def test_what_follows_is_enqueued_with_the_news(self, store: Store) -> None:
        """The receipt, the event and the unreachable customer are kept together with what became of the
        delivery.
        """
        await hear(store, arrival("1"))
        await answer(store, await take(store), say("ответ"))
        [d] = await deliver(store)
        gone = DeliveryResult(
            "failed",
            error="blocked",
            say=(say("не доставлено", DESK, author=""),),
            events=(Event("delivery_failed"),),
            unreachable=True,
        )
        [follow] = await store.settle(d, gone, later(1))

        conversation = await store.conversation(ANNA)
        assert conversation is not None and not conversation.reachable
        assert await store.events() == (Event("delivery_failed", later(1), conversation.id),)
        assert [(x.id, x.outbound.to) for x in await deliver(store, 1)] == [(follow, DESK)]

    async def test_what_must_go_ahead_goes_ahead(self, store: Store) -> None:
        """A remade topic gets its history before the words that found it gone, and those before what came
        after them.
        """
        to = replace(DESK, thread="ticket:1")
        await store.enqueue([say("слова", to), say("потом", to)], NOON)
        [d] = await deliver(store)
        await store.settle(
            d,
            DeliveryResult(
                "pending", due=NOON, counted=False, ahead=(say("карточка", to), say("история", to))
            ),
            NOON,
        )

        assert texts(await deliver_all(store)) == ["карточка", "история", "слова", "потом"]

    async def test_a_doubt_held_blocks_nobody_and_is_settled_by_a_person(self, store: Store) -> None:
        """An unknown delivery waits for a judgement; "not arrived" sends it again, and a second judgement is
        refused.
        """
        await store.enqueue([say("оцените", on_uncertain="hold"), say("дальше"), say("потом")], NOON)
        [held] = await deliver(store)
        await store.settle(held, DeliveryResult("unknown", doubted=True), NOON)
        [behind] = await deliver(store)
        assert behind.outbound.text.text == "дальше"
        assert await store.resolve_unknown(held.id, arrived=False, now=NOON)
        assert not await store.resolve_unknown(held.id, arrived=False, now=NOON)
        assert await deliver(store) == []
        await store.settle(behind, DeliveryResult("sent", "5"), NOON)
        [again] = await deliver(store)
        assert again.outbound.text.text == "оцените"
        await store.settle(again, DeliveryResult("unknown", doubted=True), NOON)

        assert await store.resolve_unknown(held.id, arrived=True, now=NOON)
        assert texts(await deliver_all(store)) == ["потом"]
        assert (await store.counts())["deliveries_unknown"] == 0

    async def test_a_crash_leaves_no_send_without_a_judgement(self, store: Store) -> None:
        """What was under way goes again with its doubt on record, or is held, as it was enqueued."""
        await store.enqueue(
            [say("снова"), say("потом"), say("держать", BORIS, on_uncertain="hold"), say("после", BORIS)],
            NOON,
        )
        await deliver(store)
        await self.sender_ends(store)

        assert await store.recover(later(1)) == 2
        assert await store.recover(later(1)) == 0
        assert [(d.outbound.text.text, d.doubts) for d in await deliver(store, 1)] == [
            ("снова", 1),
            ("после", 0),
        ]
        assert [(d.outbound.text.text, d.doubts) for d in await store.deliveries(status=["unknown"])] == [
            ("держать", 1)
        ]

    async def test_beside_a_living_sender_only_the_abandoned_goes_again(self, store: Store) -> None:
        """What they have in hand, and what was begun just now, stays theirs; the rest is owed and goes again,
        with the doubt on record.
        """
        await store.enqueue([say("его"), say("ничьё", BORIS)], NOON)
        his, nobodys = await deliver(store)
        assert await store.recover(later(90), begun=later(-1)) == 0
        assert await store.recover(later(90), begun=later(30), but=[his.id]) == 1

        assert [(d.id, d.status, d.doubts) for d in await store.deliveries()] == [
            (his.id, "sending", 0),
            (nobodys.id, "pending", 1),
        ]

    async def test_what_is_owed_for_too_long_is_known(self, store: Store) -> None:
        """A message without a decision, words on their way, and an answer that was given up; once paid none
        of it is owed.
        """
        late = timedelta(seconds=60)
        await hear(store, arrival("1"))
        assert await store.owed(later(59), late) == ()
        assert [(o.stage, o.peer, o.since) for o in await store.owed(later(61), late)] == [
            ("undecided", ANNA, NOON)
        ]
        await answer(store, await take(store, 61), say("да"), at=61)
        assert await store.owed(later(120), late) == ()
        assert [(o.stage, o.peer) for o in await store.owed(later(122), late)] == [("undelivered", ANNA)]
        [sent] = await deliver(store, 122)
        await store.settle(sent, DeliveryResult("unknown", error="cut"), later(122))
        assert [(o.stage, o.id) for o in await store.owed(later(123), late)] == [("unanswered", sent.id)]
        await hear(store, arrival(f"stranded:d{sent.id}", at=123))

        assert await store.owed(later(124), late) == ()

    @pytest.mark.parametrize(
        "doubtful",
        [
            DeliveryResult("unknown", doubted=True),
            DeliveryResult("pending", due=later(60), doubted=True),
            None,
        ],
    )
    async def test_a_press_proves_that_it_arrived(
        self, store: Store, doubtful: DeliveryResult | None
    ) -> None:
        """Who presses a button has the message: it is not sent again, and what the network says later does
        not change that.
        """
        await store.enqueue([say("помогло?", buttons=((Button("Да", "yes"),),)), say("дальше")], NOON)
        [d] = await deliver(store)
        if doubtful is not None:
            await store.settle(d, doubtful, NOON)
        await hear(store, press("1", token(d.id, 0, 0), message="m77"))
        [proved] = await store.deliveries(status=["sent"])
        assert (proved.id, proved.message) == (d.id, "m77")
        await store.settle(d, DeliveryResult("pending", due=later(1), doubted=True), NOON)

        assert texts(await deliver(store, 100)) == ["дальше"]
        assert await store.next_delivery(NOON) is None

    async def test_a_press_proves_nothing_about_others(self, store: Store) -> None:
        """A foreign press settles nothing, and a delivery that was never tried stays enqueued."""
        await store.enqueue(
            [
                say("а", buttons=((Button("Да", "yes"),),)),
                say("б", Peer("tg", "9"), buttons=((Button("Да", "yes"),),)),
            ],
            NOON,
        )
        [a, _] = await deliver(store, limit=2)
        await hear(store, press("1", token(a.id, 0, 0), BORIS))
        [waiting] = await store.enqueue([say("в", BORIS, buttons=((Button("Да", "yes"),),))], NOON)
        await hear(store, press("2", token(waiting, 0, 0), BORIS))

        assert await store.deliveries(status=["sent"]) == ()
        assert texts(await deliver(store)) == ["в"]

    async def test_a_sender_who_goes_away_leaves_nothing_under_way(self, store: Store) -> None:
        """A cancelled take gives its deliveries back untried."""
        await store.enqueue([say("1")], NOON)
        taking = asyncio.ensure_future(store.take_deliveries(NOON))
        await asyncio.sleep(0)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        for _ in range(100):
            if taken := await deliver(store):
                assert taken[0].tries == 0
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the delivery stayed under way")

    async def test_deliveries_are_listed(self, store: Store) -> None:
        """By status, by peer, page by page."""
        ids = await store.enqueue([say("1"), say("2"), say("3", BORIS)], NOON, events=[Event("started")])
        [d, _] = await deliver(store)
        await store.settle(d, DeliveryResult("sent", "m1"), NOON)

        assert [x.id for x in await store.deliveries()] == list(ids)
        assert [(x.id, x.message) for x in await store.deliveries(status=["sent"])] == [(ids[0], "m1")]
        assert [x.id for x in await store.deliveries(peer=ANNA, after=ids[0])] == [ids[1]]
        assert [x.id for x in await store.deliveries(limit=1)] == [ids[0]]
        assert [e.kind for e in await store.events()] == ["started"]


class DeskContract:
    """What the desk keeps: threads, chats that move, settings, the list of tickets."""

    async def test_a_ticket_is_shown_in_one_thread_of_a_chat(self, store: Store) -> None:
        """The newest thread holds; a deleted one tells whose it was, once."""
        await hand_over(store)
        await store.keep_topic(1, "tg", "-1", "31")
        await store.keep_topic(1, "tg", "-1", "32")
        await store.keep_topic(1, "tg", "-2", "32")

        assert (
            await store.topic(1, "tg", "-1"),
            await store.topic(1, "tg", "-2"),
            await store.topic(2, "tg", "-1"),
        ) == ("32", "32", None)
        assert await store.forget_topic("tg", "-1", "31") is None
        assert await store.forget_topic("tg", "-1", "32") == 1
        assert await store.forget_topic("tg", "-1", "32") is None
        assert await store.topic(1, "tg", "-1") is None

    async def test_a_chat_that_moved_is_followed(self, store: Store) -> None:
        """Conversations, topics, open deliveries and the bound desk go to the new address, in their order; a
        repeat changes nothing.
        """
        new = "-100777"
        await hand_over(store, ANNA, "1", 0, say("1", DESK, author=""), say("2", DESK, author=""))
        await store.keep_topic(1, "tg", DESK.chat, "31")
        await store.keep_setting("desk", '["tg", "-100500"]')
        await hear(store, arrival("2", "старый", DESK), arrival("3", "новый", Peer("tg", new), private=False))
        for _ in range(2):
            await store.move_chat("tg", DESK.chat, new)

        assert await store.topic(1, "tg", new) == "31"
        assert await store.setting("desk") == f'["tg", "{new}"]'
        assert await store.conversation(DESK) is None
        moved = await deliver_all(store)
        assert [(d.outbound.text.text, d.outbound.to.chat) for d in moved] == [("1", new), ("2", new)]
        said = []
        while turn := await store.take_turn(NOON):
            said.append((turn.inbounds[0].text, turn.conversation.peer.chat))
            await answer(store, turn)
        assert said == [("старый", new), ("новый", new)]

    async def test_a_turn_under_way_survives_the_move(self, store: Store) -> None:
        """The turn that brings the news of the move can still be finished."""
        await hear(store, arrival("1", "переезд", DESK))
        turn = await take(store)
        await hear(store, arrival("2", "новый", Peer("tg", "-7"), private=False))
        await store.move_chat("tg", DESK.chat, "-7")
        await answer(store, turn)

        assert [i.text for i in (await take(store)).inbounds] == ["новый"]

    async def test_settings_are_kept_and_taken_away(self, store: Store) -> None:
        """A setting holds its last value; None takes it away."""
        await store.keep_setting("a", "1")
        await store.keep_setting("a", "2")
        assert await store.setting("a") == "2"
        await store.keep_setting("a", None)

        assert await store.setting("a") is None

    async def test_tickets_are_listed_as_a_queue(self, store: Store) -> None:
        """Oldest waiting first, then those in work, closed ones last and newest first."""
        for n in range(5):
            ticket = await hand_over(store, Peer("tg", str(n)), str(n), n)
            if n:
                await hear(store, arrival(f"x{n}", peer=Peer("tg", str(n)), at=n))
                status = {1: "operator", 2: "closed", 3: "closed", 4: "waiting"}[n]
                changed = replace(ticket, status=status, closed=later(10 + n) if status == "closed" else None)  # type: ignore[arg-type]
                await answer(store, await take(store, n), ticket=changed, at=n)

        assert [t.number for t in await store.tickets()] == [1, 5, 2]
        assert [t.number for t in await store.tickets(open_only=False)] == [1, 5, 2, 4, 3]
        assert [t.number for t in await store.tickets(limit=1)] == [1]

    async def test_words_that_wait_together_become_one(self, store: Store) -> None:
        """Joined while the earlier still waits, in order; not with what is on its way, has a file, belongs
        elsewhere or grew long.
        """
        for text in ("раз", "два"):
            await store.enqueue([say(text, DESK, coalesce=True, author="")], NOON)
        other = say("там", replace(DESK, thread="9"), coalesce=True, author="")
        await store.enqueue(
            [say("заметка", DESK, author=""), say("три", DESK, coalesce=True, author=""), other], NOON
        )
        first = await deliver(store)
        assert sorted(texts(first)) == ["раз\nдва", "там"]
        await store.enqueue(
            [say("четыре", DESK, coalesce=True, author=""), say("ы" * 1490, DESK, coalesce=True, author="")],
            NOON,
        )
        for delivery in first:
            await store.settle(delivery, DeliveryResult("sent", "1"), NOON)

        assert texts(await deliver_all(store)) == ["заметка", "три\nчетыре", "ы" * 1490]

    async def test_deliveries_are_found_by_name(self, store: Store) -> None:
        """The card of a ticket in one place, however it fared; nothing of other names or places."""
        named = [
            say("карточка", DESK, name="card:1", author=""),
            say("другая", DESK, name="card:2", author=""),
            say("там", ANNA, name="card:1", author=""),
        ]
        await store.enqueue(named, NOON)

        found = await store.deliveries(peer=DESK, name="card:1")
        assert texts(found) == ["карточка"]
        assert await store.deliveries(peer=BORIS, name="card:1") == ()

    async def test_a_conversation_nobody_is_at_is_found(self, store: Store) -> None:
        """A person should be there, no ticket is open and no timer would end it; one with a ticket or a timer
        is looked after.
        """
        await hand_over(store)
        assert await store.unattended() == ()
        for n, later_ in enumerate([(), (Timer("resume", BotResumed(), later(60)),)]):
            await hear(store, arrival(f"b{n}", peer=BORIS if n else Peer("tg", "9")))
            await answer(store, await take(store), status=Status.OPERATOR, timers=later_)

        assert [c.peer for c in await store.unattended()] == [Peer("tg", "9")]

    async def test_closed_tickets_come_with_the_next_turn(self, store: Store) -> None:
        """What the customer was helped with before is known, the newest first."""
        for n in range(2):
            ticket = await hand_over(store, key=f"h{n}", at=n)
            await hear(store, arrival(f"c{n}", at=n))
            turn = await take(store, n)
            assert [t.number for t in turn.past] == list(range(n, 0, -1))
            await answer(
                store, turn, ticket=replace(ticket, status="closed", closed=later(n)), status=Status.BOT, at=n
            )
        await hear(store, arrival("x", at=9))

        assert [t.number for t in (await take(store, 9)).past] == [2, 1]

    async def test_events_are_found_by_time_and_kind(self, store: Store) -> None:
        """From a moment up to another, and only the kinds that are asked for."""
        for n in range(4):
            await store.enqueue([], later(n), events=[Event("even" if n % 2 == 0 else "odd")])

        assert [e.at for e in await store.events(since=later(1), until=later(3))] == [later(1), later(2)]
        assert [e.at for e in await store.events(kinds=["odd"])] == [later(1), later(3)]
