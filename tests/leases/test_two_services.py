"""Two processes on one database: what only one may do is done by one, and goes over when that one ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.adapters.base import Limits
from bot.app import Overrides, Service, build_service
from bot.config.loader import Config
from bot.config.roles import ProcessRole, read_roles
from bot.errors import ConfigError, VersionConflict
from bot.model import Event, Outbound, Peer, RichText, Turn
from bot.model.internal import AssignmentDue
from bot.service import run
from bot.storage.base import Replica
from bot.testing.harness import DESK_CHAT
from bot.text.problems import reading
from tests.leases.two_services import Cluster, channels, opened, polled, question, said

ANNA = Peer("vk", "1001")


@pytest.fixture
async def cluster(database: str, articles: Path) -> AsyncIterator[Cluster]:
    async with opened(database, articles) as cluster:
        yield cluster


@asynccontextmanager
async def at_work(service: Service) -> AsyncIterator[asyncio.Event]:
    """The service, running; stopped in order at the end."""
    stop = asyncio.Event()
    running = asyncio.create_task(run(service, stop))
    try:
        yield stop
    finally:
        stop.set()
        await running


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what comes of threads and tasks. Raises `TimeoutError`."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def test_each_channel_is_polled_by_one_process(cluster: Cluster) -> None:
    one, two = await cluster.open("one"), await cluster.open("two")
    for service in (one, two):  # both are known to the other before either takes anything
        await service.store.report(Replica(service.store.holder, roles=tuple(ProcessRole)), cluster.clock())
    async with at_work(one), at_work(two):
        await until(lambda: polled(one) | polled(two) == {"telegram", "vk"})
        assert len(polled(one)) == len(polled(two)) == 1
    assert not polled(one) and not polled(two)


async def test_what_is_given_up_at_a_stop_goes_over_at_once(cluster: Cluster) -> None:
    one, two = await cluster.open("one"), await cluster.open("two")
    async with at_work(one):
        await until(lambda: len(polled(one)) == 2)
        await two.leases.beat()
        assert not two.leases.held
    await two.leases.beat()
    await two.leases.beat()
    assert two.leases.held == {"channel:telegram", "channel:vk", "periodic"}


async def test_a_killed_holders_channels_go_over(cluster: Cluster) -> None:
    """With what it had in hand, of which nobody can tell whether it arrived, and with what waited."""
    dead, alive = await cluster.open("dead"), await cluster.open("alive")
    await cluster.beat(dead, alive)
    await alive.store.enqueue([Outbound(ANNA, RichText(f"{n}")) for n in (1, 2)], cluster.clock())
    (taken,) = await dead.store.take_deliveries(cluster.clock())
    assert taken.outbound.text.text == "1"
    assert not await alive.outbox.run_waiting()
    await cluster.beat(alive, seconds=15)
    cluster.clock.advance(seconds=5)
    await alive.leases.beat()
    assert "channel:vk" in alive.leases.held
    await alive.outbox.run_waiting()
    assert said(alive, "vk") == ["1", "2"]
    first, second = sorted(await alive.store.deliveries(), key=lambda d: d.id)
    assert (first.status, first.doubts, second.doubts) == ("sent", 1, 0)


async def test_a_frozen_sender_that_wakes_too_late_sends_nothing(cluster: Cluster) -> None:
    """It froze between taking the delivery and sending it, while it asked whether the group has topics."""
    frozen, other = await cluster.open("frozen"), await cluster.open("other")
    await cluster.beat(frozen, other)
    topic = Peer("telegram", DESK_CHAT, "ticket:7")
    await frozen.store.enqueue([Outbound(topic, RichText("только раз"))], cluster.clock())
    group = channels(frozen)["telegram"]
    group.answers.clear()
    delivering = asyncio.create_task(frozen.outbox.run_waiting())
    await group.asked.wait()
    await cluster.beat(other, seconds=15)
    while await other.outbox.run_waiting():
        pass
    group.answers.set()
    await delivering
    await other.outbox.run_waiting()
    assert group.said == []
    assert said(other, "telegram").count("только раз") == 1
    (delivery,) = await other.store.deliveries()
    assert delivery.status == "sent"


async def test_a_call_under_way_is_broken_off_when_its_channel_is_lost(cluster: Cluster) -> None:
    """Who has the channel next sends it again, with the doubt on record: the call must not arrive later."""
    slow, other = await cluster.open("slow"), await cluster.open("other")
    await cluster.beat(slow, other)
    await slow.store.enqueue([Outbound(ANNA, RichText("раз"))], cluster.clock())
    platform = channels(slow)["vk"]
    platform.answers.clear()
    delivering = asyncio.create_task(slow.outbox.run_waiting())
    await platform.asked.wait()
    cluster.clock.advance(seconds=9)
    slow.leases.look()
    await asyncio.sleep(0.01)
    assert not slow.leases.held and not delivering.done(), "it may still end by itself"
    cluster.clock.advance(seconds=2.5)
    slow.leases.look()
    await delivering
    platform.answers.set()
    assert platform.said == []
    await cluster.beat(other, seconds=6)
    await other.outbox.run_waiting()
    (delivery,) = await other.store.deliveries()
    assert said(other, "vk") == ["раз"] and (delivery.status, delivery.doubts) == ("sent", 1)


async def test_a_call_under_way_may_end_while_nobody_else_can_have_the_channel(cluster: Cluster) -> None:
    """A heartbeat that came late is no reason to doubt what was on its way."""
    slow = await cluster.open("slow")
    await cluster.beat(slow)
    await slow.store.enqueue([Outbound(ANNA, RichText("раз"))], cluster.clock())
    platform = channels(slow)["vk"]
    platform.answers.clear()
    delivering = asyncio.create_task(slow.outbox.run_waiting())
    await platform.asked.wait()
    cluster.clock.advance(seconds=10)
    slow.leases.look()
    await slow.leases.beat()
    cluster.clock.advance(seconds=2)
    slow.leases.look()
    platform.answers.set()
    await delivering
    (delivery,) = await slow.store.deliveries()
    assert said(slow, "vk") == ["раз"] and (delivery.status, delivery.doubts) == ("sent", 0)


async def test_without_a_database_nothing_is_sent_or_polled_until_it_is_back(cluster: Cluster) -> None:
    one = await cluster.open("one")
    async with at_work(one):
        await until(lambda: len(polled(one)) == 2)
        cluster.clock.advance(seconds=9)  # no heartbeat got through
        one.leases.look()
        await until(lambda: not polled(one))
        assert not one.leases.held
        await one.store.accept("vk", [], cursor="17")
        await one.leases.beat()
        await until(lambda: len(polled(one)) == 2)
        assert channels(one)["vk"].cursors == [None, "17"], "the cursor is read anew"
        await one.store.enqueue([Outbound(ANNA, RichText("снова здесь"))], cluster.clock())
        one.wake()
        await until(lambda: said(one, "vk") == ["снова здесь"])


async def test_a_restarted_process_takes_up_what_it_had_in_hand(cluster: Cluster) -> None:
    """Under its name it has the same lease, in the same epoch: its sends are in doubt for all that."""
    dead = await cluster.open("one")
    await cluster.beat(dead)
    await dead.store.enqueue([Outbound(ANNA, RichText("раз"))], cluster.clock())
    await dead.store.take_deliveries(cluster.clock())
    cluster.clock.advance(seconds=5)
    again = await cluster.open("one")
    await again.leases.beat()
    await again.outbox.run_waiting()
    cluster.clock.advance(seconds=5)
    await again.outbox.run_waiting()
    assert said(again, "vk") == ["раз"]


async def test_two_processes_of_one_name_do_not_both_work(cluster: Cluster) -> None:
    first = await cluster.open("one")
    await cluster.beat(first)
    cluster.clock.advance(seconds=1)
    second = await cluster.open("one")
    await second.leases.beat()
    await cluster.beat(first, seconds=3)
    with pytest.raises(ConfigError, match="--replica"):
        await run(second, asyncio.Event())
    await first.leases.beat()
    assert len(first.leases.held) == 3


async def test_the_order_of_a_conversation_stays_over_a_change_of_senders(cluster: Cluster) -> None:
    one, two = await cluster.open("one"), await cluster.open("two")
    holder, other = one, two
    await cluster.beat(one, two)
    for number in range(6):
        await other.store.enqueue([Outbound(ANNA, RichText(str(number)))], cluster.clock())
        if number % 2:
            await holder.outbox.run_waiting()
            holder, other = other, holder
            await cluster.beat(holder, seconds=18)
    await holder.outbox.run_waiting()
    sent = sorted(await one.store.deliveries(), key=lambda d: d.id)
    assert [d.status for d in sent] == ["sent"] * 6
    assert said(one, "vk") == ["0", "1", "4", "5"] and said(two, "vk") == ["2", "3"]


async def test_what_the_last_sender_sent_counts_for_the_limits(cluster: Cluster) -> None:
    """The platform's minute does not begin anew with another sender."""
    one, two = await cluster.open("one"), await cluster.open("two")
    for service in (one, two):
        channels(service)["vk"].limits = Limits(per_second=25, peer_per_second=0.05, peer_burst=1)
    await cluster.beat(one, two)
    await one.store.enqueue([Outbound(ANNA, RichText("раз"))], cluster.clock())
    await one.outbox.run_waiting()
    await one.leases.give_up()
    await cluster.beat(two, two)
    await two.store.enqueue([Outbound(ANNA, RichText("два"))], cluster.clock())
    await two.outbox.run_waiting()
    assert said(one, "vk") == ["раз"] and said(two, "vk") == []
    cluster.clock.advance(seconds=21)
    await two.leases.beat()
    await two.outbox.run_waiting()
    assert said(two, "vk") == ["два"]


async def test_each_does_what_its_roles_say(cluster: Cluster) -> None:
    """One process takes what platforms call with, one decides, one sends: a question passes through three."""
    web = await cluster.open("web", roles=frozenset({ProcessRole.WEB}))
    decide = await cluster.open("decide", roles=frozenset({ProcessRole.DECIDE}))
    send = await cluster.open("send", roles=frozenset({ProcessRole.SEND}))
    async with at_work(web), at_work(decide), at_work(send):
        await until(lambda: len(polled(send)) == 2)
        await until(lambda: decide.leases.holds("periodic"))
        assert not web.leases.held and decide.leases.held == {"periodic"}
        assert not polled(web) and not polled(decide)
        calls = channels(web)["vk"].calls
        assert calls is not None and channels(send)["vk"].calls is None
        await calls([question(cluster, "Сколько стоит доставка?")])
        cluster.clock.advance(seconds=5)
        await until(lambda: bool(said(send, "vk")))
    assert any("350" in text for text in said(send, "vk"))
    assert not said(web, "vk") and not said(decide, "vk")


async def test_only_the_sender_of_a_channel_hints_that_it_writes(cluster: Cluster) -> None:
    one, two = await cluster.open("one"), await cluster.open("two")
    await cluster.beat(one, two)
    for service in (one, two):
        await service.outbox.hint_typing(ANNA)
    assert channels(one)["vk"].hinted == ["1001"] and channels(two)["vk"].hinted == []


async def test_a_store_of_one_process_has_every_role(articles: Path) -> None:
    settings = {"knowledge": {"folder": str(articles), "embeddings": {"model": "off"}}}
    with pytest.raises(ConfigError, match="PostgreSQL"):
        await build_service(
            Config.model_validate(settings),
            Overrides(storage=":memory:", roles=frozenset({ProcessRole.SEND})),
        )


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_wrong_role_is_told_with_what_there_is(language: str) -> None:
    with reading(language), pytest.raises(ConfigError) as caught:
        read_roles("web,sned")
    assert "sned" in str(caught.value) and "web, decide, send" in str(caught.value)
    assert read_roles("") == read_roles("send, decide,web") == frozenset(ProcessRole)


@pytest.mark.parametrize("assign", ["least_loaded", "round_robin"])
async def test_two_processes_that_choose_at_once_keep_the_limit(cluster: Cluster, assign: str) -> None:
    """Each gives a ticket to the only operator who may have but one: the second choice is void, and is made
    anew.
    """
    routing = {"routing": {"assign": assign, "limit": 1}}
    one, two = await cluster.open("one", settings=routing), await cluster.open("two", settings=routing)
    here = {"name": "Ольга", "last_name": "", "username": "", "chat": DESK_CHAT}
    met = Event("operator_met", actor="telegram:1", data=here)
    await one.store.enqueue([], cluster.clock(), events=[met])
    for chat in ("1001", "1002"):
        await one.inbox.accept("vk", [question(cluster, "позовите оператора", chat=chat)])
    cluster.clock.advance(seconds=6)
    await one.engine.run_waiting()
    await one.store.fire_timers(cluster.clock())
    turns = [await to_assign(service, cluster) for service in (one, two)]
    chosen = [await s.engine.decide_safely(turn) for s, turn in zip((one, two), turns, strict=True)]
    await one.store.finish_turn(turns[0], chosen[0], cluster.clock())
    with pytest.raises(VersionConflict):
        await two.store.finish_turn(turns[1], chosen[1], cluster.clock())
    await two.engine.run_waiting()

    tickets = sorted(await one.store.tickets(), key=lambda ticket: ticket.number)
    assert sorted(ticket.operator for ticket in tickets) == ["", "telegram:1"]
    assert "nobody_free" in [turn.reason for turn in await two.store.turns()]


async def to_assign(service: Service, cluster: Cluster) -> Turn:
    """A turn in which somebody is looked for who can be given a ticket; others are decided before."""
    while (turn := await service.store.take_turn(cluster.clock())) is not None:
        if isinstance(turn.inbounds[0].payload, AssignmentDue):
            return turn
        await service.engine.take(turn)
    raise AssertionError("nothing is to be assigned")
