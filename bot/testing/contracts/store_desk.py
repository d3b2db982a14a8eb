"""The store's contract, seventh part: what the operators' side knows besides tickets is kept as it is now,
and changed by the transaction that tells of it.
"""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import VersionConflict
from bot.model import Event, GroupStatus, Incident, Member, Peer
from bot.model.desk_state import moved_setting
from bot.storage.base import Store
from bot.testing.contracts.store_scene import (
    ANNA,
    BORIS,
    DESK,
    NOON,
    answer,
    arrival,
    decide,
    hear,
    later,
    take,
)

OLGA = "tg:9"
NAMED = {"name": "Ольга", "last_name": "Вольная", "username": "olga", "chat": DESK.chat}


async def happen(store: Store, *events: Event) -> None:
    """The events, outside any turn."""
    await store.enqueue((), NOON, events=events)


class DeskStateContract:
    """Operators, their groups and incidents."""

    async def test_nothing_is_known_at_first(self, store: Store) -> None:
        """Nobody, nowhere, and the first incident will be number one."""
        state = await store.desk_state()

        assert (state.operators, state.bound, state.lost, state.incidents) == ((), None, frozenset(), ())
        assert state.next_incident == 1

    async def test_operators_are_known_as_they_are_now(self, store: Store) -> None:
        """Met in two groups, renamed, away, given a ticket; who came and said nothing is silent."""
        met = Event("operator_met", actor=OLGA, data=NAMED)
        await happen(
            store, met, Event("operator_met", actor=OLGA, data={**NAMED, "name": "Оля", "chat": "-1"})
        )
        await happen(
            store, Event("ticket_assigned", later(5), actor=OLGA), Event("operator_away", actor=OLGA)
        )
        await happen(store, Event("operator_joined", actor="tg:8", data={"name": "Вера", "chat": "-1"}))
        vera, olga = (await store.desk_state()).operators

        chats = frozenset({DESK.chat, "-1"})
        assert olga == Member(OLGA, "Оля", "olga", True, False, later(5), "Вольная", chats)
        assert vera == Member("tg:8", "Вера", chats=frozenset({"-1"}), silent=True)

    @pytest.mark.parametrize(
        ("kinds", "away", "left", "silent"),
        [
            (("operator_met", "operator_left"), False, True, False),
            (("operator_met", "operator_left", "operator_met"), False, False, False),
            (("operator_away", "operator_left"), False, True, False),
            (("operator_left", "operator_back"), False, False, False),
            (("operator_joined", "operator_met"), False, False, False),
            (("operator_met", "operator_left", "operator_joined"), False, False, False),
            (("operator_away", "operator_joined"), True, False, True),
            (("operator_away", "operator_met"), True, False, False),
            (("operator_met", "operator_away", "operator_back"), False, False, False),
        ],
    )
    async def test_of_several_the_last_word_holds(
        self, store: Store, kinds: tuple[str, ...], away: bool, left: bool, silent: bool
    ) -> None:
        """Whoever comes back is back; somebody known before is not silent for having come again."""
        for kind in kinds:
            await happen(store, Event(kind, actor=OLGA, data=NAMED))
        [olga] = (await store.desk_state()).operators

        assert (olga.away, olga.left, olga.silent) == (away, left, silent)

    async def test_groups_are_known_as_they_were_last_seen(self, store: Store) -> None:
        """Checked, lost and found; where a chat has gone is followed to its end."""
        place = {"channel": "tg", "chat": DESK.chat}
        await happen(
            store, Event("desk_checked", data={**place, "kind": "forum", "lacks": ["pin"], "gone": False})
        )
        await happen(store, Event("desk_lost", data=place), Event("desk_lost", data={**place, "chat": "-2"}))
        await happen(store, Event("desk_found", data=place))
        await store.keep_setting(moved_setting("tg", DESK.chat), "-3")
        await store.keep_setting(moved_setting("tg", "-3"), "-4")
        await store.keep_setting("desk", f'["tg", "{DESK.chat}"]')
        state = await store.desk_state()

        assert state.checked == {DESK: GroupStatus("forum", ("pin",))}
        assert state.lost == {Peer("tg", "-2")} and state.bound == DESK
        assert state.now_at(DESK) == Peer("tg", "-4") and state.now_at(BORIS) == BORIS

    async def test_incidents_last_until_they_are_over(self, store: Store) -> None:
        """With their words; a number is never given again."""
        on = Incident(1, "Сбой доставки", ("казань",), ("delivery",), "Ольга")
        await happen(store, Event(on.event().kind, later(1), data=on.event().data))
        await happen(
            store, Incident(2, "Не проходит оплата").event(), Event("incident_off", data={"number": 2})
        )
        state = await store.desk_state()

        assert state.incidents == (
            Incident(1, "Сбой доставки", ("казань",), ("delivery",), "Ольга", later(1)),
        )
        assert state.next_incident == 3

    async def test_who_heard_of_an_incident_is_remembered_once(self, store: Store) -> None:
        """By conversation, committed with the turn that told; one who is forgotten is not among them."""
        await happen(store, Incident(1, "Сбой").event())
        await hear(store, arrival("1", peer=ANNA), arrival("2", peer=BORIS))
        told = Event("incident_met", data={"number": 1})
        anna, boris = await take(store), await take(store)
        for turn in (anna, boris):
            await answer(store, turn, events=(told, told))
        assert anna.conversation.customer is not None
        heard = await store.incident_met(1)
        met = (await store.desk_state()).met
        await store.forget_customer(anna.conversation.customer, NOON)

        assert heard == (anna.conversation.id, boris.conversation.id) and met == {1: 2}
        assert await store.incident_met(1) == (boris.conversation.id,) and await store.incident_met(2) == ()
        assert await store.has_met(1, boris.conversation.id)
        assert not await store.has_met(1, anna.conversation.id)

    async def test_each_change_is_a_new_version(self, store: Store) -> None:
        """A turn carries the version as of its taking, what it changed makes the next one, and what changes
        nothing makes none.
        """
        await hear(store, arrival("1"), arrival("2", peer=BORIS))
        first, second = await take(store), await take(store)
        met = Event("operator_met", actor=OLGA, data=NAMED)
        changed = await store.finish_turn(first, decide(events=(met,)), NOON)
        quiet = await store.finish_turn(second, decide(events=(Event("answered"),)), NOON)
        state = await store.desk_state()
        await hear(store, arrival("3"))

        assert first.desk_version < changed.desk_version == state.version and quiet.desk_version == 0
        assert (await take(store)).desk_version == state.version

    async def test_what_was_decided_from_an_older_state_is_refused(self, store: Store) -> None:
        """Of two who give tickets from the same state one comes too late, and is given its turn again."""
        await hear(store, arrival("1"), arrival("2", peer=BORIS))
        first, second = await take(store), await take(store)
        known = (await store.desk_state()).version
        given = Event("ticket_assigned", actor=OLGA)
        await store.finish_turn(first, decide(events=(given,), desk_version=known), NOON)
        with pytest.raises(VersionConflict):
            await store.finish_turn(second, decide(events=(given,), desk_version=known), NOON)
        again = await take(store)

        assert again.conversation.id == second.conversation.id and again.desk_version == known + 1
        assert len(await store.events(kinds=["ticket_assigned"])) == 1

    async def test_what_is_not_committed_changes_nothing(self, store: Store) -> None:
        """A turn that meets a conflict leaves no operator behind."""
        await hear(store, arrival("1"))
        turn = await take(store)
        customer = turn.conversation.customer
        assert customer is not None
        await store.forget_customer(customer, NOON)
        with pytest.raises(VersionConflict):
            await answer(store, turn, events=(Event("operator_met", actor=OLGA, data=NAMED),))

        assert (await store.desk_state()).operators == ()

    async def test_operators_outlive_the_customers_they_met(self, store: Store) -> None:
        """An operator first seen in a ticket is still known when its customer is forgotten."""
        await hear(store, arrival("1"))
        turn = await take(store)
        await answer(store, turn, events=(Event("operator_met", actor=OLGA, data=NAMED),))
        assert turn.conversation.customer is not None
        await store.forget_customer(turn.conversation.customer, NOON)

        assert [m.name for m in (await store.desk_state()).operators] == ["Ольга"]

    async def test_of_two_who_make_a_setting_the_first_one_holds(self, store: Store) -> None:
        """What must be one for all is made once, however many make it at the same moment."""
        made = await asyncio.gather(*(store.first_setting("salt", f"{n}") for n in range(8)))

        assert set(made) == {await store.setting("salt")} and await store.first_setting("salt", "x") in made

    async def test_what_is_counted_up_at_once_is_all_counted(self, store: Store) -> None:
        """Each gets the sum with its own part, below zero, too."""
        sums = await asyncio.gather(*(store.count_up("spent", 3) for _ in range(8)))

        assert sorted(sums) == [3 * n for n in range(1, 9)]
        assert await store.count_up("spent", -30) == -6 and await store.setting("spent") == "-6"
