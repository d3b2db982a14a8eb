"""The store's contract, fourth part: a customer's data can be had whole, and can be gone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.button_tokens import token
from bot.errors import VersionConflict
from bot.model import (
    Attachment,
    Button,
    Event,
    HistoryEntry,
    IdeaChange,
    IdeaDecision,
    IdeaSupport,
    InboundKind,
    Media,
    NewIdea,
    OutboundKind,
    Peer,
    Sender,
    Status,
    TicketState,
    Timer,
)
from bot.model.internal import OtherTimer
from bot.storage.base import ArticleVersion, DeliveryResult, Store
from bot.testing.contracts.store_scene import (
    ANNA,
    BORIS,
    DESK,
    NOON,
    answer,
    arrival,
    decide,
    deliver,
    deliver_all,
    hear,
    later,
    open_ticket,
    operator_says,
    press,
    say,
    take,
)  # fmt: skip

MARK = "Примета"  # every word, name and address of the customer holds it
OWN = Peer("tg", f"{MARK}501")


async def live_a_life(store: Store) -> int:
    """A customer's day that leaves their words wherever words can be; the number of the customer."""
    sender = Sender(OWN.chat, f"{MARK} Имя", f"{MARK} Фамилия", f"{MARK}_ник")
    photo = Attachment(Media.PHOTO, f"{MARK}-ref", "tg", name=f"{MARK}.jpg")
    await hear(
        store,
        arrival(
            f"{MARK}1", f"{MARK} вопрос " * 300, OWN, sender=sender, attachments=(photo,), message=f"{MARK}m1"
        ),
    )
    turn = await take(store)
    assert turn.customer is not None
    card = say(
        f"{MARK} карточка",
        DESK,
        ticket=turn.next_number,
        author="",
        name="card:1",
        buttons=((Button("Взять", "take", MARK),),),
    )
    board = say(f"Ждут: {MARK} Имя {MARK} Фамилия", DESK, author="")
    await answer(
        store,
        turn,
        say(f"{MARK} ответ", OWN, buttons=((Button(f"{MARK} да", "yes", MARK),),), mirror_of=f"{MARK}m1"),
        card,
        board,
        opens=open_ticket(turn, reason=MARK, topic=MARK, state=TicketState(comment=MARK)),
        status=Status.WAITING,
        state={"form": MARK},
        customer=replace(turn.customer, fields={"phone": f"{MARK}+7"}),
        explanation={"raw": MARK},
        reason=MARK,
        timers=(Timer(f"sla:{MARK}", OtherTimer("sla", {"x": MARK}), later(50)),),
        events=(Event("asked", actor=f"tg:{OWN.chat}", data={"text": MARK, "seconds": 3}),),
        notes=(HistoryEntry(NOON, "note", MARK, MARK),),
    )
    sent = await deliver_all(store)
    pressed = next(d for d in sent if d.outbound.to == OWN)
    await store.keep_topic(1, "tg", DESK.chat, "31")
    await hear(
        store,
        operator_says("op1", f"{MARK}, здравствуйте", "31"),
        press(f"{MARK}2", token(pressed.id, 0, 0), OWN, sender=sender),
    )
    await hear(
        store,
        arrival(f"{MARK}3", f"{MARK} правка", OWN, sender=sender, kind=InboundKind.EDIT, message=f"{MARK}m1"),
    )
    while turn_ := await store.take_turn(NOON):
        await answer(store, turn_, say(f"{MARK} слова", OWN, author="operator", author_name="Ольга"))
    await store.release_turn(turn, error=MARK)
    await hear(store, arrival(f"{MARK}4", f"{MARK} не успели решить", OWN, sender=sender))
    await store.fire_timers(later(60))
    return turn.customer.id


class PeopleContract:
    """Export and forgetting."""

    async def traces(self, store: Store) -> bytes:
        """Everything the store still holds, as bytes. A store with files of its own reads these instead."""
        parts: list[object] = [
            await store.deliveries(),
            await store.turns(),
            await store.events(),
            await store.tickets(open_only=False),
        ]
        parts += [await store.export_customer(id) for id in range(1, 5)] + [
            await store.history(id) for id in range(1, 5)
        ]
        return repr(parts).encode()

    async def test_the_export_holds_everything(self, store: Store) -> None:
        """Every place where their words are is in the export, and it is plain JSON."""
        id = await live_a_life(store)
        export = await store.export_customer(id)

        text = json.dumps(export, ensure_ascii=False)
        for word in (
            "вопрос",
            "ответ",
            "карточка",
            "правка",
            "слова",
            "Имя",
            "_ник",
            "+7",
            "-ref",
            "не успели решить",
            "501",
            "здравствуйте",
        ):
            assert word in text, word
        assert await store.export_customer(10**6) == {}

    async def test_a_forgotten_customer_leaves_no_trace(self, store: Store) -> None:
        """None of their words, names and addresses is left anywhere; counts, numbers and the other customer
        are.
        """
        await hear(store, arrival("b", "чужой вопрос", BORIS, sender=Sender("77", "Борис")))
        await answer(store, await take(store), say("чужой ответ", BORIS))
        id = await live_a_life(store)
        before = await store.counts()
        assert MARK.encode() in await self.traces(store)
        assert await store.forget_customer(id, later(70))

        left = await self.traces(store)
        assert left.count(MARK.encode()) == 0
        assert "чужой вопрос".encode() in left and "чужой ответ".encode() in left
        after = await store.counts()
        same = [name for name in before if name.startswith("deliveries_s")]
        assert [after[name] for name in same] == [before[name] for name in same]
        assert (after["inbounds_waiting"], after["tickets_closed"]) == (0, 1)
        assert [(d.kind, d.to) for d in [d.outbound for d in await deliver_all(store, 75)]] == [
            (OutboundKind.DELETE_TOPIC, replace(DESK, thread="31"))
        ]
        [event] = await store.events(kinds=["asked"])
        assert (event.actor, event.data) == ("customer", {"seconds": 3})
        assert len(await store.turns()) >= 4
        assert await store.check() == ()
        assert not await store.forget_customer(id, later(70))
        assert not await store.forget_customer(10**6, later(70))

    async def test_what_a_plain_group_shows_is_deleted_message_by_message(self, store: Store) -> None:
        """Without topics each of the bot's posts about them goes, by a name that says nothing."""
        await hear(store, arrival("1", f"{MARK}", OWN, sender=Sender(OWN.chat, MARK)))
        turn = await take(store)
        assert turn.customer is not None
        await answer(
            store,
            turn,
            say(f"{MARK}", DESK, ticket=turn.next_number, author="", name="card:1"),
            opens=open_ticket(turn),
        )
        await deliver_all(store)
        await store.forget_customer(turn.customer.id, later(70))

        [deletion] = await deliver(store, 75)
        assert (deletion.outbound.kind, deletion.outbound.to, bool(deletion.target)) == (
            OutboundKind.DELETE,
            DESK,
            True,
        )
        assert MARK.encode() not in await self.traces(store)

    async def test_a_kept_file_is_read_until_its_customer_is_forgotten(self, store: Store) -> None:
        """Whole, whatever its size; exported; gone with its customer, and with what is as old."""
        id = await live_a_life(store)
        [own] = [talk for talk in await store.conversations(id) if talk.peer == OWN]
        content = bytes(range(256)) * 700
        await store.keep_file("f1", own.id, content, later(1))
        await store.keep_file("f1", own.id, b"other", later(2))
        await store.keep_file("f2", own.id, b"", later(5))

        assert await store.kept_file("f1") == content
        assert (await store.kept_file("f2"), await store.kept_file("f3")) == (b"", None)
        parts = (await store.export_customer(id))["file_parts"]
        assert isinstance(parts, list) and [p["file"] for p in parts] == ["f1"] * 4 + ["f2"]
        await store.purge(later(3))
        assert (await store.kept_file("f1"), await store.kept_file("f2")) == (None, b"")
        await store.forget_customer(id, later(70))
        assert await store.kept_file("f2") is None

    async def test_the_versions_of_an_article_are_kept_newest_first(self, store: Store) -> None:
        """The newest hundred of each file; one that was taken away, too."""
        kept = [
            ArticleVersion("a.md", later(n), "page:olga", "saved", f"text {n}" if n else None, "so")
            for n in range(103)
        ]
        for version in kept:
            await store.keep_version(version)
        await store.keep_version(replace(kept[0], article="b.md"))

        found = await store.article_versions("a.md")
        assert [replace(v, id=0) for v in found] == kept[:2:-1]
        assert [v.content for v in await store.article_versions("b.md")] == [None]

    async def test_ideas_are_kept_counted_and_decided_on(self, store: Store) -> None:
        """With the turn that brings them; a repeat changes nothing. Forgotten, they stay without words."""

        async def change(number: int, peer: Peer, *ideas: IdeaChange) -> None:
            await hear(store, arrival(f"i{number}", "слова", peer, at=number))
            turn = await take(store, number + 60)
            await store.finish_turn(turn, decide(ideas=ideas), later(number + 60))

        await change(100, OWN, NewIdea(f"{MARK} вечерняя доставка"), NewIdea(f"{MARK} вечерняя доставка"))
        [first] = await store.ideas()
        await change(200, BORIS, IdeaSupport(first.id), IdeaSupport(first.id), NewIdea("доставка ночью"))
        await change(300, BORIS, IdeaSupport(first.id, own=True), IdeaSupport(9999))
        await change(400, DESK, IdeaDecision((first.id,), "declined", "дорого"))
        found = await store.ideas()

        assert first.text == f"{MARK} вечерняя доставка" and first.customer is not None
        assert [(i.text, i.joined) for i in found[1:]] == [("", first.id), ("доставка ночью", first.id)]
        assert (found[0].status, found[0].reason) == ("declined", "дорого")
        exported = (await store.export_customer(first.customer))["ideas"]
        assert isinstance(exported, list) and [row["text"] for row in exported] == [first.text]
        await store.forget_customer(first.customer, later(500))
        gone = (await store.ideas())[0]
        assert (gone.customer, gone.text) == (None, "")
        await store.purge(later(600))
        assert not any(i.text for i in await store.ideas())
        assert MARK.encode() not in await self.traces(store)

    async def test_who_was_forgotten_may_come_again(self, store: Store) -> None:
        """They are then somebody new, with nothing behind them."""
        id = await live_a_life(store)
        await store.forget_customer(id, later(70))
        await hear(store, arrival("neu", "снова я", OWN, at=80))

        turn = await take(store, 80)
        assert turn.customer is not None and turn.customer.id != id
        assert (turn.history, turn.ticket, turn.conversation.state) == ((), None, {})
        await answer(store, turn, say("здравствуйте", OWN), at=80)
        assert [d.outbound.text.text for d in await deliver(store, 80) if d.outbound.to == OWN] == [
            "здравствуйте"
        ]

    async def test_what_was_under_way_does_not_bring_them_back(self, store: Store) -> None:
        """A turn and a send that began before they were forgotten leave no words after it."""
        id = await live_a_life(store)
        await hear(store, operator_says("op2", f"{MARK} ещё", "31", at=60))
        turns = [await take(store, 60), await take(store, 60)]
        await store.enqueue([say(f"{MARK} поздно", OWN)], later(60))
        sending = await deliver(store, 60)
        assert sending
        await store.forget_customer(id, later(70))
        for turn in turns:
            with pytest.raises(VersionConflict):
                await answer(store, turn, say(f"{MARK} слова", OWN, author="operator"), at=71)
        for delivery in sending:
            words = replace(delivery.outbound, text=delivery.outbound.text + MARK)
            await store.settle(
                delivery, DeliveryResult("pending", outbound=words, say=(words,), error=MARK), later(71)
            )

        desk = await take(store, 72)
        assert desk.subject is None or desk.customer is None or desk.customer.name == ""
        await answer(store, desk, at=72)
        hers = [d for d in await deliver(store, 72) if d.outbound.to == OWN]
        assert hers == []


class MaintenanceContract:
    """Health."""

    async def test_a_sound_store_has_no_faults(self, store: Store) -> None:
        """Check finds nothing wrong after a busy day, and counts tell what waits."""
        await live_a_life(store)
        counts = await store.counts()

        assert await store.check() == ()
        assert counts["inbounds_waiting"] == 2
        assert counts["tickets_waiting"] == 1
        assert counts["deliveries_pending"] >= 1
        assert ANNA != OWN

    async def test_what_a_wrong_clock_put_off_comes_soon(self, store: Store) -> None:
        """The clock stood three hours ahead and was set right: bursts and retries do not wait for that hour,
        timers keep theirs.
        """
        await hear(store, arrival("1", "пишу завтра", at=3 * 3600))
        await store.enqueue([say("ответ из будущего")], later(3 * 3600))
        assert await store.take_turn(later(61)) is None

        assert await store.clamp_delays(NOON) >= 2
        turn = await store.take_turn(later(61))
        assert turn is not None and turn.text == "пишу завтра"
        assert [d.outbound.text.text for d in await deliver(store, 601)] == ["ответ из будущего"]
        assert await store.clamp_delays(NOON) == 0
