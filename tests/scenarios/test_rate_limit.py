"""How often a group is written to: a send counts from its end, so nothing that bunches on the way breaks a
limit.
"""

from __future__ import annotations

from collections import deque
from random import Random

from bot.adapters.base import Limits
from bot.delivery.rate_limit import RateLimit
from bot.model import Outbound, Peer, RichText
from bot.testing.fakes import FakeAdapter

GROUP = Outbound(Peer("telegram", "-100500"), RichText("слова"))


class Bucket:
    """The platform's rule for a group: five at once, one more a second, twenty in any minute."""

    def __init__(self) -> None:
        self._level, self._at, self._minute = 5.0, 0.0, deque[float]()

    def holds(self, at: float) -> bool:
        self._level = min(5.0, self._level + at - self._at) - 1
        self._at = at
        self._minute.append(at)
        while self._minute[0] <= at - 60:
            self._minute.popleft()
        return self._level >= 0 and len(self._minute) <= 20


def test_no_delay_on_the_way_breaks_a_limit() -> None:
    """Calls of any slowness, several under way: whenever each arrives, the platform's budget holds; and the
    budget is used.
    """
    dice = Random(7)
    now = 0.0
    pace, arrived = RateLimit({"telegram": FakeAdapter("telegram", limits=Limits())}, lambda: now), []
    flying: list[float] = []  # when the answers come
    while now < 1800:
        now += 0.1
        for answer in [a for a in flying if a <= now]:
            flying.remove(answer)
            pace.ended(GROUP)
        if (
            len(flying) < 8
            and ("telegram", "-100500") not in pace.resting()
            and (pause := pace.begin(GROUP, within=1.5)) <= 1.5
        ):
            took = dice.choice((0.1, 0.3, 0.5, 4.0, 9.0))
            arrived.append(now + pause + took * dice.random())
            flying.append(now + pause + took)

    bucket = Bucket()
    assert all(bucket.holds(at) for at in sorted(arrived))
    assert len(arrived) > 30 * 14  # a slow way costs some of it


def test_the_account_never_speaks_faster_than_its_limit() -> None:
    """Answers to many chats bunch on the way: in whatever second they arrive, there are no more than the
    limit.
    """
    dice = Random(11)
    now, chat = 0.0, 0
    pace, arrived = RateLimit({"telegram": FakeAdapter("telegram", limits=Limits())}, lambda: now), []
    flying: list[tuple[float, Outbound]] = []
    while now < 60:
        now += 0.02
        for answer in [f for f in flying if f[0] <= now]:
            flying.remove(answer)
            pace.ended(answer[1])
        while (
            len(flying) < 32
            and (pause := pace.begin(to := Outbound(Peer("telegram", str(chat))), within=0.5)) <= 0.5
        ):
            took = dice.choice((0.05, 0.1, 0.2, 1.4))
            arrived.append(now + pause + took * dice.random())
            flying.append((now + pause + took, to))
            chat += 1

    arrived.sort()
    assert all(after - before >= 1.0 for before, after in zip(arrived, arrived[25:], strict=False))
    assert len(arrived) > 60 * 10


def test_a_quick_way_costs_the_account_little() -> None:
    """Where the platform answers within a twentieth of a second, nearly all the limit is used."""
    now, chat = 0.0, 0
    pace = RateLimit({"telegram": FakeAdapter("telegram", limits=Limits())}, lambda: now)
    flying: list[tuple[float, Outbound]] = []
    while now < 20:
        now += 0.01
        for answer in [f for f in flying if f[0] <= now]:
            flying.remove(answer)
            pace.ended(answer[1])
        while len(flying) < 32 and pace.begin(to := Outbound(Peer("telegram", str(chat))), within=0.0) <= 0:
            flying.append((now + 0.05, to))
            chat += 1

    assert chat >= 20 * 22


def test_a_quick_way_costs_nothing() -> None:
    """With answers that come at once a group gets all eighteen in each minute."""
    now, sent = 0.0, 0
    pace = RateLimit({"telegram": FakeAdapter("telegram", limits=Limits())}, lambda: now)
    while now < 620:
        now += 0.1
        if pace.begin(GROUP, within=0.0) <= 0:
            pace.ended(GROUP)
            sent += 1

    assert sent >= 180
