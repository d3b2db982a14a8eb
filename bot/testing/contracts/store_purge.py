"""The store's contract, what grows old: words are blanked once and for all, and counts stay right."""

from __future__ import annotations

from dataclasses import replace

from bot.model import InboundKind, Outbound, OutboundKind, Priority
from bot.storage.base import Store
from bot.testing.contracts.store_scene import (
    ANNA,
    BORIS,
    DESK,
    answer,
    arrival,
    deliver_all,
    hand_over,
    hear,
    later,
    say,
    take,
)

DAY = 24 * 3600


class PurgeContract:
    """Blanking what is old; what a row was looked at for is done once."""

    async def test_old_words_are_blanked_once(self, store: Store) -> None:
        """What ended before is blanked, in every table; what came later stays, and a repeat finds nothing."""
        await hear(store, arrival("1", "старый вопрос"))
        await answer(store, await take(store), say("старый ответ"), explanation={"raw": "старый"})
        await deliver_all(store)
        await hear(store, arrival("2", "новый вопрос", at=2 * DAY))
        await answer(store, await take(store, 2 * DAY), say("новый ответ"), at=2 * DAY)
        before = await store.counts()

        assert await store.purge(later(DAY)) >= 4
        lines = [line.text for line in await store.history(1)]
        assert lines == ["", "", "новый вопрос", "новый ответ"]
        assert [t.text for t in await store.turns()] == ["", "новый вопрос"]
        assert [d.outbound.text.text for d in await store.deliveries()] == ["", "новый ответ"]
        found = [await store.find_inbound("tg", key) for key in ("1", "2")]
        assert [i.text for i in found if i is not None] == ["", "новый вопрос"]
        assert await store.purge(later(DAY)) == 0
        assert await store.counts() == before

    async def test_what_was_open_when_its_time_came_is_blanked_afterwards(self, store: Store) -> None:
        """An open ticket keeps its conversation's words, a delivery on its way keeps its own; later they go,
        too.
        """
        await hand_over(store, ANNA)
        await store.enqueue([say("ещё в пути", BORIS)], later(0))
        await store.purge(later(DAY))
        assert any(line.text for line in await store.history(1))
        assert "ещё в пути" in [d.outbound.text.text for d in await store.deliveries(peer=BORIS)]
        await hear(store, arrival("c", "закройте", at=DAY))
        turn = await take(store, DAY)
        assert turn.ticket is not None
        closed = replace(turn.ticket, status="closed", closed=later(DAY))
        await answer(store, turn, ticket=closed, at=DAY)
        await deliver_all(store, DAY)

        assert await store.purge(later(DAY)) > 0
        assert [line.text for line in await store.history(1)][:-1] == [""] * (len(await store.history(1)) - 1)
        assert "ещё в пути" not in [d.outbound.text.text for d in await store.deliveries(peer=BORIS)]

    async def test_words_that_come_again_are_blanked_again(self, store: Store) -> None:
        """A message of old that is changed today has words again, and they are old."""
        await hear(store, arrival("1", "раз", message="m1"))
        await answer(store, await take(store))
        assert await store.purge(later(DAY)) > 0
        await hear(store, arrival("2", "два", kind=InboundKind.EDIT, message="m1", at=2 * DAY))
        await answer(store, await take(store, 2 * DAY), at=2 * DAY)
        assert [line.text for line in await store.history(1)] == ["два"]

        assert await store.purge(later(DAY)) == 1
        assert [line.text for line in await store.history(1)] == [""]

    async def test_what_other_systems_were_told_goes_and_the_counts_stay_right(self, store: Store) -> None:
        """Deliveries of events are no rows any more; before and after a count of what was counted earlier."""
        told = Outbound(DESK, kind=OutboundKind.ANNOUNCE, priority=Priority.NOTICE)
        await store.enqueue([told] * 210 + [say("слова")], later(0))
        await deliver_all(store)
        assert await store.purge(later(-DAY)) == 0
        assert (await store.counts())["deliveries_sent"] == 211

        await store.purge(later(DAY))
        assert (await store.counts())["deliveries_sent"] == 1
        await store.enqueue([say("ещё", BORIS)], later(2 * DAY))
        await deliver_all(store, 2 * DAY)
        assert (await store.counts())["deliveries_sent"] == 2

    async def test_tickets_are_read_by_their_numbers(self, store: Store) -> None:
        """In order, those that there are; and those of one conversation."""
        await hand_over(store, ANNA, "a")
        await hand_over(store, BORIS, "b")

        assert [t.number for t in await store.tickets_of([2, 7, 1])] == [1, 2]
        assert await store.tickets_of([]) == ()
        [one] = await store.tickets_in(1)
        assert one == await store.ticket(1)
