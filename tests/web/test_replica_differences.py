"""Replicas that should be alike, and are not, are named with what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.knowledge.search import Knowledge
from bot.storage.base import Replica
from bot.storage.sqlite.store import SqliteStore
from bot.web.pages import read_words
from bot.web.replica_differences import differences
from tests.web.conftest import Opened

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


@pytest.mark.parametrize("lang", ["ru", "en"])
async def test_the_page_of_articles_says_what_to_do(
    serve: Opened, articles: Path, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    """Only where replicas differ that are alive; the version of its own articles stands above."""
    page = await serve(knowledge=Knowledge.open(articles))
    now, found = page.services.clock(), [replica("bot-1"), replica("bot-2")]

    async def replicas(self: SqliteStore, since: datetime) -> tuple[Replica, ...]:
        return tuple(found)

    monkeypatch.setattr(SqliteStore, "replicas", replicas)
    words = read_words(lang)
    calm = await (await page.client.get(f"/kb?lang={lang}")).text()
    found[:] = [
        Replica("bot-1", articles="aaa", started=now, seen=now),
        Replica("bot-2", articles="bbb", started=now, seen=now),
        Replica("bot-3", articles="ccc", seen=now - timedelta(minutes=1)),
    ]
    text = await (await page.client.get(f"/kb?lang={lang}")).text()

    assert "<summary>" not in calm and f"{words['kb_version']} <code>" in calm
    assert f"<summary>{words['replicas_articles']}</summary><p>{words['replicas_articles_hint']}" in text
    assert "bot-1: <code>aaa</code>" in text and "bot-2: <code>bbb</code>" in text and "bot-3" not in text
    assert f"<summary>{words['replicas_settings']}" not in text
