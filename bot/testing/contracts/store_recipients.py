"""The store's contract, sixth part: whom the service may write to first, what was asked lately, and the list
of conversations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.model import PLAYED, Event, InboundKind, Peer, Sender, Status
from bot.storage.base import ConversationQuery, Store
from bot.testing.contracts.store_scene import (
    ANNA,
    BORIS,
    DESK,
    NOON,
    answer,
    arrival,
    hand_over,
    hear,
    later,
    say,
    take,
)


class AudienceContract:
    """Looking at customers without touching them."""

    async def test_listeners_are_customers_with_where_they_are(self, store: Store) -> None:
        """In order of their conversations, a page at a time or by name, with the time of their last own
        words; no group.
        """
        await hear(
            store,
            arrival("1", "где заказ", ANNA),
            arrival("2", "привет", BORIS, sender=Sender("77", "Борис", language="en")),
            arrival("3", "взять", DESK),
        )
        turn = await take(store)
        await answer(store, turn, say("ответ", turn.conversation.peer))
        found = await store.listeners()
        first, second = (row.conversation for row in found)

        assert [(row.peer, row.customer.name) for row in found] == [(ANNA, "Анна"), (BORIS, "Борис")]
        assert found[0].wrote == NOON and found[1].wrote is None and found[1].customer.language == "en"
        assert (
            await store.listeners(after=first, limit=1) == found[1:]
            and await store.listeners(only=[second]) == found[1:]
        )

    async def test_listeners_tell_who_cannot_be_reached_and_leave_out_the_forgotten(
        self, store: Store
    ) -> None:
        """A block is seen, and a forgotten customer is nobody."""
        await hear(store, arrival("1", "раз", ANNA), arrival("2", "", BORIS, kind=InboundKind.BLOCKED))
        assert [row.reachable for row in await store.listeners()] == [True, False]
        gone = (await store.listeners())[0].customer.id
        await store.forget_customer(gone, NOON)

        assert [row.peer for row in await store.listeners()] == [BORIS]

    async def test_a_played_customer_is_none_of_them(self, store: Store) -> None:
        """Nobody to write to, no words of customers, no turn among all; asked for by name they are there."""
        guest = Peer(PLAYED, "5000000001")
        await hear(store, arrival("1", "где заказ", ANNA), arrival("2", "где товар", guest))
        for _ in range(2):
            turn = await take(store)
            await answer(store, turn, say("ответ", turn.conversation.peer))
        talk = await store.conversation(guest)
        assert talk is not None

        assert [row.peer for row in await store.listeners()] == [ANNA]
        assert [row.text for row in await store.words_since(NOON)] == ["где заказ"]
        assert [row.peer for row in await store.turns()] == [ANNA]
        assert [row.peer for row in await store.listeners(only=[talk.id])] == [guest]
        assert [row.peer for row in await store.turns(conversation=talk.id)] == [guest]

    async def test_words_since_are_the_customers_own(self, store: Store) -> None:
        """Not the bot's, not older ones, in order and from a place on."""
        await hear(store, arrival("1", "старое", ANNA))
        await answer(store, await take(store), say("ответ бота"))
        await hear(store, arrival("2", "новое", ANNA, at=100), arrival("3", "и ещё", Peer("vk", "9"), at=100))
        for _ in range(2):
            turn = await take(store, 100)
            await answer(store, turn, say("ответ", turn.conversation.peer), at=100)
        found = await store.words_since(later(50))

        assert [row.text for row in found] == ["новое", "и ещё"] and len(
            {row.conversation for row in found}
        ) == 2
        assert await store.words_since(later(50), after=found[0].id) == found[1:]

    async def test_a_customers_conversations_begin_with_the_one_they_wrote_in_last(
        self, store: Store
    ) -> None:
        """Those in which they wrote nothing yet come last."""
        second = Peer(ANNA.channel, ANNA.chat, "topic")
        await hear(store, arrival("1", "раз", ANNA), arrival("2", "два", second))
        while turn := await store.take_turn(NOON):
            await answer(store, turn)
        found = await store.conversation(ANNA)
        assert found is not None and found.customer is not None

        assert [c.peer for c in await store.conversations(found.customer)] == [second, ANNA]


class ConversationListContract:
    """The customers' conversations as a list."""

    async def test_a_conversation_stands_at_its_last_line(self, store: Store) -> None:
        """The newest first, each once, with its customer, and no group among them."""
        await _told(store, ANNA, "где заказ", at=0)
        await _told(store, BORIS, "привет", at=10)
        await _told(store, ANNA, "так где же", at=20, reply="Уже везут")
        await hear(store, arrival("desk", "взять", DESK, at=30))
        await answer(store, await take(store, 30), at=30)

        page = await store.search_conversations(ConversationQuery())
        assert [(r.peer, r.author, r.text) for r in page.rows] == [
            (ANNA, "bot", "Уже везут"),
            (BORIS, "customer", "привет"),
        ]
        assert [r.customer.name for r in page.rows] == ["Анна", "Борис"]
        assert page.rows[0].at == later(20) and page.next is None and page.looked_until is None

    async def test_pages_of_the_list_hold_each_conversation_once(self, store: Store) -> None:
        """Page by page, in order, also where two lines have the same time."""
        for n in range(5):
            await _told(store, Peer("vk", str(100 + n)), "раз", at=n // 2)
            await _told(store, Peer("vk", str(100 + n)), "два", at=n // 2)
        everybody = [r.peer.chat for r in (await store.search_conversations(ConversationQuery())).rows]
        before, found, pages = None, list[str](), 0
        while True:
            page = await store.search_conversations(ConversationQuery(before=before), limit=2)
            found += [r.peer.chat for r in page.rows]
            pages += 1
            if (before := page.next) is None:
                break

        assert found == everybody == ["104", "103", "102", "101", "100"] and pages == 3

    async def test_pages_of_a_search_hold_each_conversation_once(self, store: Store) -> None:
        """At its last line with the words, also where they stand in an earlier one."""
        for n in range(3):
            await _told(store, Peer("vk", str(100 + n)), "где заказ", at=n)
        for n in range(3):
            await _told(store, Peer("vk", str(100 + n)), "заказ пришёл", at=10 + n)
            await _told(store, Peer("vk", str(100 + n)), "спасибо", at=20 - n)
        asked, found = ConversationQuery(words=("заказ",)), list[str]()
        for _ in range(3):
            page = await store.search_conversations(asked, limit=1)
            found += [f"{r.peer.chat} {r.text}" for r in page.rows]
            asked = replace(asked, before=page.next)

        assert found == ["102 заказ пришёл", "101 заказ пришёл", "100 заказ пришёл"] and page.next is None

    async def test_the_list_is_searched(self, store: Store) -> None:
        """By words in one line, by the customer's name, address or fields, by channel and status."""
        await _told(store, ANNA, "Когда привезут ЩЁТКУ для кота?", at=0)
        await _told(store, ANNA, "спасибо", at=1)
        await _told(store, BORIS, "щетка сломалась", at=2)
        await store.change_fields(await _number(store, BORIS), {"order": "A-48213"}, NOON, by="test")
        await hand_over(store, Peer("vk", "9"), at=5)

        async def found(**asked: Any) -> list[str]:
            page = await store.search_conversations(ConversationQuery(**asked))
            return [f"{r.peer.chat}: {r.text}" for r in page.rows]

        assert await found(words=("щетк", "кота")) == ["501: Когда привезут ЩЁТКУ для кота?"]
        assert await found(words=("щетк",)) == ["77: щетка сломалась", "501: Когда привезут ЩЁТКУ для кота?"]
        assert await found(words=("кота", "спасибо")) == []
        assert await found(customer="@ANNA 501 кузн") == ["501: спасибо"]
        assert await found(customer="a-48213") == ["77: щетка сломалась"]
        assert await found(customer="501") == ["501: спасибо"]
        assert await found(channel="tg") == ["501: спасибо"]
        assert await found(status=Status.WAITING) == ["9: позовите человека"]
        assert await found(status=Status.BOT, channel="vk") == ["77: щетка сломалась"]
        assert await found(status=Status.WAITING, channel="tg") == []

    async def test_the_list_is_searched_by_what_happened(self, store: Store) -> None:
        """The article that was given as an answer, and the kind of an event, within the period."""
        given = Event("answered", data={"article": "delivery"})
        await _told(store, ANNA, "раз", at=0, events=(given,))
        await _told(store, BORIS, "два", at=100, events=(given, Event("low_rating")))
        await _told(store, ANNA, "три", at=200, events=(Event("answered", data={"article": "cost"}),))

        async def found(**asked: Any) -> list[str]:
            page = await store.search_conversations(ConversationQuery(**asked))
            return [r.peer.chat for r in page.rows]

        assert await found(article="delivery") == ["501", "77"]
        assert await found(article="deliver") == []
        assert await found(article="delivery", since=later(50)) == ["77"]
        assert await found(event="low_rating") == ["77"]
        assert await found(article="cost", event="low_rating") == []

    async def test_the_list_of_a_period_stands_at_its_last_line_there(self, store: Store) -> None:
        """What was said later is another period's."""
        await _told(store, ANNA, "в январе", at=0)
        await _told(store, ANNA, "в марте", at=1000)
        await _told(store, BORIS, "в феврале", at=500)
        early = await store.search_conversations(ConversationQuery(until=later(500)))
        late = await store.search_conversations(ConversationQuery(since=later(500)))

        assert [r.text for r in early.rows] == ["в январе"]
        assert [r.text for r in late.rows] == ["в марте", "в феврале"]
        words = ConversationQuery(words=("марте",), until=later(600))
        assert (await store.search_conversations(words)).rows == ()

    async def test_the_list_leaves_out_the_forgotten(self, store: Store) -> None:
        """Neither their line nor their name is found."""
        await _told(store, ANNA, "раз", at=0)
        await store.forget_customer(await _number(store, ANNA), NOON)

        assert (await store.search_conversations(ConversationQuery())).rows == ()
        assert (await store.search_conversations(ConversationQuery(customer="anna"))).rows == ()


async def _told(
    store: Store,
    peer: Peer,
    text: str,
    *,
    at: float,
    reply: str = "",
    events: tuple[Event, ...] = (),
) -> None:
    """*peer* writes, and is answered where a reply is given."""
    known = {ANNA: Sender("501", "Анна", "Кузнецова", "anna"), BORIS: Sender("77", "Борис")}
    sender = known.get(peer, Sender(peer.chat))
    await hear(store, arrival(f"{peer.chat}:{at}:{text}", text, peer, at=at, sender=sender))
    turn = await take(store, at)
    await answer(store, turn, *((say(reply, peer),) if reply else ()), at=at, events=events)


async def _number(store: Store, peer: Peer) -> int:
    found = await store.conversation(peer)
    assert found is not None and found.customer is not None
    return found.customer
