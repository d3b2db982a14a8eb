"""Replicas that should be alike, and are not, are named with what to do."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.storage.base import Replica
from bot.web.replica_differences import differences

SEEN = datetime(2026, 11, 29, 12, tzinfo=UTC)


def replica(name: str, *, version: str = "1.4", articles: str = "aaa", settings: str = "s") -> Replica:
    return Replica(name, version, articles=articles, settings=settings, seen=SEEN)


def test_alike_replicas_differ_in_nothing() -> None:
    """Also where one has not told its articles yet."""
    assert differences([replica("a"), replica("b"), replica("c", articles="")]) == ()
    assert differences([]) == ()


def test_a_difference_names_who_has_what() -> None:
    """Equal values stand together."""
    found = differences([replica("a", articles="bbb"), replica("b"), replica("c", articles="bbb")])

    assert [d.what for d in found] == ["articles"]
    assert [(value, r.name) for value, r in found[0].found] == [("aaa", "b"), ("bbb", "a"), ("bbb", "c")]
    assert [d.what for d in differences([replica("a", version="1.5"), replica("b", settings="t")])] == [
        "settings",
        "version",
    ]
