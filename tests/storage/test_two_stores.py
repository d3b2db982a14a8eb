"""Two processes on one database: what would go wrong between them and does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest
import pytest_asyncio

from bot.errors import VersionConflict
from bot.model import Event, Outbound, Peer, Timer
from bot.model.internal import OtherTimer
from bot.storage.base import DeliveryResult, Replica, StoredEvent
from bot.storage.postgres.store import PostgresStore
from bot.testing.contracts.store_scene import BORIS, NOON, arrival, decide, hear, later, open_ticket, say
from tests.storage.test_contract import CHANNELS, FOR_EVER

Pair = tuple[PostgresStore, PostgresStore]
LASTING = timedelta(seconds=12)


@pytest_asyncio.fixture
async def pair(database: str) -> AsyncIterator[Pair]:
    """Two processes; the first may send everything."""
    one, other = (
        PostgresStore.open(database, now=lambda: NOON, holder=name, own_time=True)
        for name in ("one", "other")
    )
    await one.renew(CHANNELS, NOON, FOR_EVER)
    yield one, other
    await one.close()
    await other.close()


def people(count: int) -> list[Peer]:
    return [Peer("tg", str(n)) for n in range(count)]


async def test_a_conversation_is_taken_by_one(pair: Pair) -> None:
    """Whoever asks at the same moment gets another one, or none."""
    await hear(pair[0], *(arrival(p.chat, peer=p) for p in people(40)))

    async def takes(store: PostgresStore) -> list[str]:
        taken = []
        while (turn := await store.take_turn(NOON)) is not None:
            taken.append(turn.conversation.peer.chat)
            await store.finish_turn(turn, decide(say("да", turn.conversation.peer)), NOON)
        return taken

    all_taken = [chat for taken in await asyncio.gather(*map(takes, pair * 4)) for chat in taken]
    assert sorted(all_taken, key=int) == [p.chat for p in people(40)]
    assert len({t.id for t in await pair[1].turns()}) == 40


async def test_words_that_come_while_a_turn_ends_are_not_forgotten(pair: Pair) -> None:
    """Wherever the two meet: what was accepted makes a turn, then or next."""
    one, other = pair
    for n in range(0, 60, 2):
        await hear(one, arrival(f"{n}"))
        turn = await one.take_turn(NOON)
        assert turn is not None and [i.key for i in turn.inbounds][:1] == [f"{n}"]
        await asyncio.gather(one.finish_turn(turn, decide(say("да")), NOON), hear(other, arrival(f"{n + 1}")))
        late = await other.take_turn(later(1))
        assert late is not None and [i.key for i in late.inbounds] == [f"{n + 1}"]
        await other.finish_turn(late, decide(), later(1))
    assert (await one.counts())["inbounds_waiting"] == 0 and await one.check() == ()


async def test_a_turn_that_ends_waits_for_words_that_are_just_kept(pair: Pair, database: str) -> None:
    """The other process has written them and not committed yet: the end of the turn must see them."""
    await hear(pair[0], arrival("1"))
    turn = await pair[0].take_turn(NOON)
    assert turn is not None
    with psycopg.connect(database, autocommit=True) as watch, psycopg.connect(database) as slow:
        slow.execute(
            "insert into inbox(channel, key, conversation, kind, at, received, ready, limit_at, payload)"
            " select channel, '2', conversation, kind, at, received, ready, limit_at, replace(payload,"
            ' \'"key":"1"\', \'"key":"2"\') from inbox'
        )
        slow.execute("update conversations set ready_max = ready_max")
        ends = asyncio.create_task(pair[0].finish_turn(turn, decide(), NOON))
        while not ends.done():
            waits = watch.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock'").fetchone()
            if waits:
                break
            await asyncio.sleep(0.01)
        slow.commit()
        await ends
    late = await pair[1].take_turn(later(1))
    assert late is not None and [i.key for i in late.inbounds] == ["2"]


async def test_a_line_of_the_outbox_has_one_head(pair: Pair) -> None:
    """Whoever enqueues to a peer at the same moment stands in one line with the others."""
    await asyncio.gather(*(pair[n % 2].enqueue([say(f"{n}"), say(f"{n}", BORIS)], NOON) for n in range(40)))
    assert await pair[0].check() == ()
    for sent in range(40):
        taken = await pair[0].take_deliveries(later(sent))
        assert sorted(d.outbound.to.channel for d in taken) == ["tg", "vk"]
        settling = [pair[0].settle(d, DeliveryResult("sent", f"{sent}"), later(sent)) for d in taken]
        await asyncio.gather(*settling)
    assert await pair[0].take_deliveries(later(50)) == ()


async def test_words_that_join_a_delivery_that_is_just_taken_are_not_lost(pair: Pair) -> None:
    """They are on the way with it, or stand behind it."""
    one, other = pair
    for n in range(20):
        await one.enqueue([say(f"раз {n}", coalesce=True, author="")], NOON)
        taken, _ = await asyncio.gather(
            one.take_deliveries(NOON), other.enqueue([say(f"два {n}", coalesce=True, author="")], NOON)
        )
        sent = []
        while taken:
            sent += [d.outbound.text.text for d in taken]
            for delivery in taken:
                await one.settle(delivery, DeliveryResult("sent", "1"), NOON)
            taken = await one.take_deliveries(NOON)
        assert "\n".join(sent) == f"раз {n}\nдва {n}"


async def test_an_event_that_is_committed_late_is_announced(pair: Pair, database: str) -> None:
    """Its number is lower than one that was told of before it was there."""
    heard: list[str] = []

    def choose(stored: StoredEvent) -> Outbound | None:
        heard.append(stored.event.kind)
        return None

    await pair[0].announce("hook:crm", choose, NOON)
    with psycopg.connect(database) as slow:
        slow.execute("insert into events(kind, at) values('slow', 0)")
        await pair[1].enqueue([], NOON, events=[Event("quick")])
        await pair[0].announce("hook:crm", choose, NOON)
        assert "slow" not in heard
        slow.commit()
    await pair[0].announce("hook:crm", choose, NOON)
    await pair[0].announce("hook:crm", choose, NOON)
    assert sorted(heard) == ["quick", "slow"]


async def test_a_copy_in_another_server_goes_on_telling(pair: Pair, database: str) -> None:
    """It brings transaction ids of the server it came from; what was told is not told again."""
    heard: list[str] = []

    def choose(stored: StoredEvent) -> Outbound | None:
        heard.append(stored.event.kind)
        return None

    one, other = pair
    await one.announce("hook-crm", choose, NOON)
    await one.enqueue([], NOON, events=[Event("told")])
    await one.announce("hook-crm", choose, NOON)
    await one.enqueue([], NOON, events=[Event("waits")])
    with psycopg.connect(database) as copied:
        copied.execute("update events set xid = xid + 1000000000")
        copied.execute(
            "update cursors set value = split_part(value, ':', 1)::bigint + 1000000000 || ':' ||"
            " split_part(value, ':', 2)"
        )
    again = PostgresStore.open(database, now=lambda: NOON, holder="again", own_time=True)
    await other.enqueue([], NOON, events=[Event("new")])
    await again.announce("hook-crm", choose, NOON)
    await again.close()
    assert heard == ["told", "waits", "new"]


async def test_what_a_living_sender_has_in_hand_is_not_taken_back(pair: Pair) -> None:
    """A process that begins to send VK leaves alone what another sends to Telegram."""
    one, other = pair
    await one.give_up(["channel:vk"])
    await one.enqueue([say("его")], NOON)
    [his] = await one.take_deliveries(NOON)

    assert set(await other.renew(["channel:vk", "channel:tg"], later(1), LASTING)) == {"channel:vk"}
    assert await other.recover(later(1)) == 0 and await other.recover(later(90), begun=later(60)) == 0
    assert await other.take_deliveries(later(1)) == ()
    await one.settle(his, DeliveryResult("sent", "1"), later(2))
    assert (await one.counts())["deliveries_sent"] == 1


async def test_after_a_takeover_the_old_sender_has_no_say(pair: Pair) -> None:
    """Its rows go again with the doubt on record; of what it says late only "arrived" counts."""
    one, other = pair
    await one.renew(CHANNELS, NOON, LASTING)
    await one.give_up(CHANNELS)
    await one.renew(CHANNELS, NOON, LASTING)
    await one.enqueue([say("раз"), say("два"), say("раз", BORIS)], NOON)
    to_anna, to_boris = await one.take_deliveries(NOON)

    taken_over = await other.renew(CHANNELS, later(20), LASTING)
    assert {name: lease.epoch for name, lease in taken_over.items()} == dict.fromkeys(CHANNELS, 3)
    assert await other.recover(later(20)) == 2
    assert await one.take_deliveries(later(20)) == ()
    again = await other.take_deliveries(later(20))
    assert [(d.outbound.text.text, d.doubts, d.epoch) for d in again] == [("раз", 1, 3), ("раз", 1, 3)]
    await one.settle(to_anna, DeliveryResult("failed", error="поздно"), later(21))
    await one.settle(to_boris, DeliveryResult("sent", "7"), later(21))
    assert sorted(d.status for d in await one.deliveries()) == ["pending", "sending", "sent"]


async def test_the_message_that_the_present_sender_recorded_stays(pair: Pair) -> None:
    """The former one hears late that its own arrived, too: the edit to come is for the other's."""
    one, other = pair
    await one.renew(CHANNELS, NOON, LASTING)
    await one.give_up(CHANNELS)
    await one.renew(CHANNELS, NOON, LASTING)
    await one.enqueue([say("раз")], NOON)
    [first] = await one.take_deliveries(NOON)
    await other.renew(CHANNELS, later(20), LASTING)
    await other.recover(later(20))
    [again] = await other.take_deliveries(later(20))
    await other.settle(again, DeliveryResult("sent", "8"), later(21))

    follow = await one.settle(first, DeliveryResult("sent", "7", say=(say("пришло", BORIS),)), later(22))
    assert follow == () and [d.message for d in await one.deliveries()] == ["8"]


async def test_first_come_first_kept(pair: Pair) -> None:
    """Of two that make the salt at once both have the same one."""
    for n in range(20):
        both = await asyncio.gather(*(s.first_setting(f"salt{n}", s.holder) for s in pair))
        assert both[0] == both[1]


async def test_a_customer_who_comes_in_twice_at_once_is_one(pair: Pair) -> None:
    """The same message on two replicas is kept once, and makes one customer with one conversation."""
    for n in range(20):
        peer = Peer("tg", f"9{n}")
        new = await asyncio.gather(
            *(s.accept("tg", [arrival(key, peer=peer)]) for s in pair for key in (f"a{n}", f"b{n}"))
        )
        assert sum(new) == 2
    assert (await pair[0].counts())["customers"] == 20


async def test_messages_are_read_in_the_order_they_were_written(pair: Pair) -> None:
    """Also where the later one came in first, through another replica."""
    await hear(pair[1], arrival("u2", "второе", message="12"))
    await hear(pair[0], arrival("u1", "первое", message="9"), arrival("u3", "третье", message="13"))
    turn = await pair[0].take_turn(NOON)
    assert turn is not None and turn.text.split() == ["первое", "второе", "третье"]


async def test_ticket_numbers_have_no_gaps_and_no_twins(pair: Pair) -> None:
    """Who loses a number decides again and has the next one."""
    await hear(pair[0], *(arrival(p.chat, peer=p) for p in people(12)))

    async def opens(store: PostgresStore) -> None:
        while (turn := await store.take_turn(NOON)) is not None:
            try:
                await store.finish_turn(turn, decide(opens=open_ticket(turn)), NOON)
            except VersionConflict:
                await asyncio.sleep(0.01)

    await asyncio.gather(*map(opens, pair * 2))
    assert sorted(t.number for t in await pair[0].tickets()) == list(range(1, 13))


async def test_a_timer_fires_once(pair: Pair) -> None:
    await hear(pair[0], arrival("1"))
    turn = await pair[0].take_turn(NOON)
    assert turn is not None
    timers = tuple(Timer(f"t{n}", OtherTimer("tick"), later(5)) for n in range(10))
    await pair[0].finish_turn(turn, decide(timers=timers), NOON)

    assert sum(await asyncio.gather(*(s.fire_timers(later(6)) for s in pair * 3))) == 10
    assert (await pair[1].counts())["inbounds_waiting"] == 10


async def test_the_turn_of_a_process_that_ended_is_taken_anew(pair: Pair) -> None:
    """As soon as it has not reported for the time of a lease; what it says later is dropped."""
    one, other = pair
    await hear(one, arrival("1"))
    turn = await one.take_turn(NOON)
    assert turn is not None
    await one.report(Replica("one"), NOON)
    await other.renew([], later(5), LASTING)
    assert await other.take_turn(later(5)) is None

    await other.renew([], later(13), LASTING)
    anew = await other.take_turn(later(13))
    assert anew is not None and anew.inbounds == turn.inbounds
    with pytest.raises(VersionConflict):
        await one.finish_turn(turn, decide(), later(14))
    await other.finish_turn(anew, decide(), later(14))


async def test_a_process_that_starts_again_under_its_name_has_its_turns_at_once(
    pair: Pair, database: str
) -> None:
    await hear(pair[0], arrival("1"))
    assert await pair[0].take_turn(NOON) is not None
    assert await pair[1].take_turn(NOON) is None
    again = PostgresStore.open(database, now=lambda: NOON, holder="one", own_time=True)
    assert await again.take_turn(NOON) is not None
    assert set(await again.renew(CHANNELS, NOON, LASTING)) == set(CHANNELS)
    await again.close()


async def test_what_is_counted_is_counted_together(pair: Pair) -> None:
    within = timedelta(minutes=1)
    assert [await pair[n % 2].hit("login", later(n), within) for n in range(4)] == [1, 2, 3, 4]
    assert await pair[0].hit("login", later(62), within) == 2
    assert sorted(await asyncio.gather(*(s.hit("key", NOON, within) for s in pair * 3))) == [1, 2, 3, 4, 5, 6]


async def test_others_are_told_that_there_is_something_to_do(pair: Pair) -> None:
    """A hint of each kind, at the commit."""
    one, other = pair
    heard: asyncio.Queue[str] = asyncio.Queue()
    one.listen(heard.put_nowait)
    await asyncio.to_thread(one.listening.wait, 20)
    await one.report(Replica("one"), NOON)
    assert [r.name for r in await other.replicas(later(-1))] == ["one"]
    await hear(other, arrival("1"))
    assert await asyncio.wait_for(heard.get(), 20) == "turns"
    await other.enqueue([say("да")], NOON)
    assert await asyncio.wait_for(heard.get(), 20) == "deliveries"


async def test_a_channel_of_two_names_is_sent_by_who_has_it(pair: Pair) -> None:
    """A lease that ran out is nobody's; one that is kept is not given away."""
    one, other = pair
    await one.give_up(CHANNELS)
    held = await asyncio.gather(*(s.renew(CHANNELS, NOON, LASTING) for s in pair))
    assert sorted(name for leases in held for name in leases) == sorted(CHANNELS)
    first = next(s for s, leases in zip(pair, held, strict=True) if leases)
    kept = await first.renew(CHANNELS, later(11), LASTING)
    assert kept and all(lease.until == later(23) for lease in kept.values())
    second = other if first is one else one
    assert set(await second.renew(CHANNELS, later(22), LASTING)) == set(CHANNELS) - set(kept)
