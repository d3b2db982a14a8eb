"""The store's contract, sixth part: whom the service may write to first, and what was asked lately."""

from __future__ import annotations

from bot.model import InboundKind, Peer, Sender
from bot.storage.base import Store
from bot.testing.contracts.store_scene import ANNA, BORIS, DESK, NOON, answer, arrival, hear, later, say, take


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
