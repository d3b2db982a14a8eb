"""Reminders of a dialog of one's own: said once at their time, moved, taken back, over restarts; faults are
told at once.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot import Outcome, Turn, remind, reply, take_back
from bot.config.loader import Config
from bot.errors import ConfigError
from bot.testing import TestBot, open_test_bot

WORDS = (
    'visit:\n  booked: "Записал на {{ at|time }}."\n  soon: "{{ customer|name }}, ждём вас в {{ at|time }},'
    ' кабинет {{ room }}."\n  off: "Отменил."\n'
)


async def visits(turn: Turn) -> Outcome | None:
    """The dialog of a clinic: books a visit in two hours and reminds an hour before."""
    if turn.text.startswith("отмени"):
        return take_back(turn, reply(turn, "visit.off"), "visit")
    if not turn.text.startswith("запиши"):
        return None
    at = turn.now + timedelta(hours=3 if "позже" in turn.text else 2)
    return remind(
        turn,
        reply(turn, "visit.booked", at=at),
        at - timedelta(hours=1),
        "visit.soon",
        name="visit",
        at=at,
        room=7,
    )


async def broken(turn: Turn) -> Outcome | None:
    kind = turn.text.partition(" ")[2]
    at = turn.now.replace(tzinfo=None) if kind == "naive" else turn.now
    return remind(
        turn,
        reply(turn, "visit.off"),
        at,
        "visit.nothing" if kind == "words" else "visit.off",
        fact=object() if kind == "fact" else 1,
    )


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    (tmp_path / "texts").mkdir()
    for lang in ("ru", "en"):
        (tmp_path / "texts" / f"{lang}.yaml").write_text(WORDS, "utf-8")
    monkeypatch.setitem(sys.modules, "clinic", sys.modules[__name__])
    return Config.model_validate(
        {
            "base": tmp_path,
            "wording": {"folder": "texts"},
            "dialogs": {"order": ["clinic:visits", "human", "faq"]},
        }
    )


def _reminders(testbot: TestBot) -> list[str]:
    return [
        s.outbound.text.text
        for s in testbot.channels["telegram"].in_chat("1001")
        if "ждём вас" in s.outbound.text.text
    ]


async def test_it_arrives_once_at_its_time_over_a_restart(
    articles: Path, config: Config, tmp_path: Path
) -> None:
    """Not before, not twice, with its facts as they were given."""
    storage = str(tmp_path / "bot.db")
    async with open_test_bot(articles, config=config, storage=storage) as testbot:
        await testbot.customer().says("запиши меня")
        await testbot.later(minutes=55)
        assert _reminders(testbot) == []
    async with open_test_bot(articles, config=config, storage=storage) as testbot:
        await testbot.later(minutes=62)
        await testbot.later(hours=5)

        assert _reminders(testbot) == ["Анна, ждём вас в 14:00, кабинет 7."]


async def test_the_same_name_moves_it_and_another_takes_it_back(articles: Path, config: Config) -> None:
    """One reminder of a name is under way at a time."""
    async with open_test_bot(articles, config=config) as testbot:
        anna = testbot.customer()
        await anna.says("запиши меня")
        await anna.says("запиши позже")
        await testbot.later(minutes=70)
        assert _reminders(testbot) == []
        await testbot.later(minutes=60)
        assert len(_reminders(testbot)) == 1
        await anna.says("запиши меня")
        await anna.says("отмени")
        await testbot.later(hours=3)

        assert len(_reminders(testbot)) == 1


async def test_it_comes_also_while_a_person_is_at_it(articles: Path, config: Config) -> None:
    """It was promised to the customer, and is no word of the bot about their question."""
    async with open_test_bot(articles, config=config) as testbot:
        anna = testbot.customer()
        await anna.says("запиши меня")
        await anna.says("позовите оператора")
        await testbot.operator().says("Слушаю", ticket=1)
        await testbot.later(minutes=70)

        assert len(_reminders(testbot)) == 1 and await testbot.service.store.ticket(1) is not None


@pytest.mark.parametrize(
    ("kind", "error"), [("naive", ValueError), ("fact", TypeError), ("words", ConfigError)]
)
async def test_faults_are_told_at_once(
    articles: Path, config: Config, kind: str, error: type[Exception]
) -> None:
    """A moment without a zone, a fact that cannot be kept, words that are not there: where the dialog is, not
    at night.
    """
    async with open_test_bot(
        articles,
        config=config.model_copy(
            update={"dialogs": config.dialogs.model_copy(update={"order": ("clinic:broken", "faq")})}
        ),
    ) as testbot:
        await testbot.customer().says(f"сломай {kind}")
        events = await testbot.service.store.events(kinds=("dialog_failed",))

    assert [e.data["error"] for e in events] == [error.__name__]
