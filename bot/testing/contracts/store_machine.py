"""The store beside a small model of it: Hypothesis lives through days that nobody thought of and compares.

class MyMachine(StoreMachine):
    def open(self) -> Store: ...

TestMyMachine = MyMachine.TestCase
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.errors import VersionConflict
from bot.model import Inbound, Peer, Timer, Turn
from bot.model.internal import OtherTimer
from bot.storage.base import Delivery, DeliveryResult, DeliveryStatus, Store
from bot.testing.contracts.store_scene import NOON, arrival, decide, later, open_ticket, say

PEERS = (Peer("tg", "1"), Peer("tg", "2"), Peer("vk", "1"))
peers = st.sampled_from(PEERS)


@dataclass(slots=True)
class Enqueued:
    """What the model knows of one delivery."""

    id: int
    peer: Peer
    status: str = "pending"
    due: float = 0
    doubts: int = 0
    hold: bool = False


@dataclass(slots=True)
class StoreModel:
    """What must be true: lists and numbers, nothing clever."""

    keys: set[str] = field(default_factory=set)
    waiting: dict[Peer, list[str]] = field(default_factory=lambda: {p: [] for p in PEERS})
    versions: dict[Peer, int] = field(default_factory=lambda: dict.fromkeys(PEERS, 0))
    done: dict[str, str] = field(default_factory=dict)
    enqueued: list[Enqueued] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    tickets: dict[Peer, int] = field(default_factory=dict)
    numbers: int = 0


class StoreMachine(RuleBasedStateMachine):
    """Messages, turns, deliveries, timers and crashes in any order."""

    def open(self) -> Store:
        raise NotImplementedError("give the machine your store: override `open`")

    def sender_ends(self) -> None:
        """Another process begins to send; a store whose senders change hands over its leases here."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store = self.open()
        self.model = StoreModel()
        self.now = 0.0
        self.held: list[Turn] = []
        self.under_way: list[Delivery] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()

    # --- time and intake

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(peer=peers, key=st.integers(0, 40), again=st.booleans())
    def somebody_writes(self, peer: Peer, key: int, again: bool) -> None:
        name = f"{peer.chat}-{key}"
        new = self.run(
            self.store.accept(peer.channel, [arrival(name, name, peer, at=self.now)] * (2 if again else 1))
        )
        unknown = f"{peer.channel}:{name}" not in self.model.keys
        assert new == int(unknown)
        if unknown:
            self.model.keys.add(f"{peer.channel}:{name}")
            self.model.waiting[peer].append(name)

    @rule()
    def timers_fire(self) -> None:
        due = sorted((at, key) for key, at in self.model.timers.items() if at <= self.now)
        assert self.run(self.store.fire_timers(later(self.now))) == len(due)
        for _, key in due:
            del self.model.timers[key]
            self.model.waiting[PEERS[int(key)]].append(f"timer {key}")

    # --- turns

    @rule()
    def somebody_takes(self) -> None:
        turn: Turn | None = self.run(self.store.take_turn(later(self.now)))
        busy = {t.conversation.peer for t in self.held}
        ready = {p for p, keys in self.model.waiting.items() if keys} - busy
        if turn is None:
            assert not ready
            return
        peer = turn.conversation.peer
        assert peer in ready
        assert turn.conversation.version == self.model.versions[peer]
        assert turn.next_number == self.model.numbers + 1
        assert (turn.ticket.number if turn.ticket else None) == self.model.tickets.get(peer)
        names = [_name(i) for i in turn.inbounds]
        assert names == self.model.waiting[peer][: len(names)] and names
        self.held.append(turn)

    @precondition(lambda self: self.held)
    @rule(
        data=st.data(),
        says=st.lists(st.tuples(peers, st.booleans()), max_size=3),
        state=st.none() | st.integers(0, 2),
    )
    def it_is_decided(self, data: st.DataObject, says: list[tuple[Peer, bool]], state: int | None) -> None:
        turn = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        peer = turn.conversation.peer
        out = [say(f"{turn.id}", to, on_uncertain="hold" if hold else "resend") for to, hold in says]
        timer = data.draw(st.none() | st.integers(0, 20))
        setting = (
            None
            if timer is None
            else (Timer(str(PEERS.index(peer)), OtherTimer("tick"), later(self.now + timer)),)
        )
        opens = open_ticket(turn) if data.draw(st.booleans()) and turn.ticket is None else None
        closes = turn.ticket if turn.ticket is not None and data.draw(st.booleans()) else None
        outcome = decide(
            *out, state=None if state is None else {"s": state}, timers=setting or (), opens=opens,
            ticket=replace(closes, status="closed", closed=later(self.now)) if closes else None,
        )  # fmt: skip
        if opens is not None and opens.number != self.model.numbers + 1:
            try:
                self.run(self.store.finish_turn(turn, outcome, later(self.now)))
            except VersionConflict:
                return
            raise AssertionError("a ticket's number was given twice")
        finished = self.run(self.store.finish_turn(turn, outcome, later(self.now)))
        self.model.enqueued += [
            Enqueued(id, to, due=self.now, hold=hold)
            for id, (to, hold) in zip(finished.deliveries, says, strict=True)
        ]
        before = turn.conversation.state
        self.model.versions[peer] += int(
            bool(opens or closes) or (state is not None and before != {"s": state})
        )
        if timer is not None:
            self.model.timers[str(PEERS.index(peer))] = self.now + timer
        if opens:
            self.model.numbers += 1
            self.model.tickets[peer] = opens.number
        if closes:
            del self.model.tickets[peer]
        names = self.model.waiting[peer]
        for inbound in turn.inbounds:
            assert names.pop(0) == _name(inbound)

    @precondition(lambda self: self.held)
    @rule(error=st.sampled_from(["", "ValueError"]))
    def it_is_given_back(self, error: str) -> None:
        self.run(self.store.release_turn(self.held.pop(0), error=error))

    # --- deliveries

    @rule(to=st.lists(st.tuples(peers, st.booleans()), min_size=2, max_size=4))
    def the_service_speaks(self, to: list[tuple[Peer, bool]]) -> None:
        out = [say("", peer, on_uncertain="hold" if hold else "resend") for peer, hold in to]
        ids = self.run(self.store.enqueue(out, later(self.now)))
        self.model.enqueued += [
            Enqueued(id, peer, due=self.now, hold=hold) for id, (peer, hold) in zip(ids, to, strict=True)
        ]

    @rule(limit=st.integers(1, 5))
    def somebody_sends(self, limit: int) -> None:
        taken = self.run(self.store.take_deliveries(later(self.now), limit=limit))
        free = []
        for peer in PEERS:
            line = [p for p in self.model.enqueued if p.peer == peer and p.status in ("pending", "sending")]
            if line and line[0].status == "pending" and line[0].due <= self.now:
                free.append(line[0])
        assert len(taken) == min(limit, len(free))
        by_id = {p.id: p for p in free}
        for delivery in taken:
            enqueued = by_id[delivery.id]
            assert (delivery.outbound.to, delivery.doubts) == (enqueued.peer, enqueued.doubts)
            enqueued.status = "sending"
        self.under_way += taken

    @precondition(lambda self: self.under_way)
    @rule(
        status=st.sampled_from(["sent", "failed", "pending"]), pause=st.integers(0, 20), doubted=st.booleans()
    )
    def it_is_settled(self, status: DeliveryStatus, pause: int, doubted: bool) -> None:
        delivery = self.under_way.pop(0)
        due = self.now + pause
        settled = DeliveryResult(
            status,
            message=str(delivery.id),
            due=later(due) if status == "pending" else None,
            doubted=doubted,
        )
        self.run(self.store.settle(delivery, settled, later(self.now)))
        enqueued = self._enqueued(delivery.id)
        enqueued.status, enqueued.due = status, due if status == "pending" else enqueued.due
        enqueued.doubts += doubted

    @rule()
    def the_sender_dies(self) -> None:
        left = [p for p in self.model.enqueued if p.status == "sending"]
        self.sender_ends()
        assert self.run(self.store.recover(later(self.now))) == len(left)
        for enqueued in left:
            enqueued.status = "unknown" if enqueued.hold else "pending"
            enqueued.doubts += 1
        self.under_way.clear()

    @precondition(lambda self: any(p.status == "unknown" for p in self.model.enqueued))
    @rule(arrived=st.booleans())
    def a_person_judges(self, arrived: bool) -> None:
        enqueued = next(p for p in self.model.enqueued if p.status == "unknown")
        if any(p.peer == enqueued.peer and p.status == "sending" for p in self.model.enqueued):
            return  # which of the two goes first then is not the model's business
        assert self.run(self.store.resolve_unknown(enqueued.id, arrived=arrived, now=later(self.now)))
        enqueued.status, enqueued.due = ("sent", enqueued.due) if arrived else ("pending", self.now)

    # --- what is always true

    @invariant()
    def nothing_is_lost(self) -> None:
        counts = self.run(self.store.counts())
        assert counts["inbounds_waiting"] == sum(map(len, self.model.waiting.values()))
        for status in ("pending", "sending", "sent", "unknown", "failed", "cancelled"):
            assert counts[f"deliveries_{status}"] == sum(p.status == status for p in self.model.enqueued), (
                status
            )
        assert counts["timers_waiting"] == len(self.model.timers)

    @invariant()
    def nobody_sleeps_too_long(self) -> None:
        busy = {t.conversation.peer for t in self.held}
        ready = any(keys for peer, keys in self.model.waiting.items() if peer not in busy)
        due = self.run(self.store.next_due(NOON))
        expected = [later(at) for at in self.model.timers.values()]
        assert (due is not None) == bool(ready or expected)
        assert due is None or due <= max([later(self.now), *expected])

    @invariant()
    def the_file_is_sound(self) -> None:
        assert [
            fault
            for fault in self.run(self.store.check())
            if "дольше часа" not in fault and "на час" not in fault
        ] == []

    def _enqueued(self, id: int) -> Enqueued:
        return next(p for p in self.model.enqueued if p.id == id)


def _name(inbound: Inbound) -> str:
    return f"timer {PEERS.index(inbound.peer)}" if inbound.kind == "timer" else inbound.text
