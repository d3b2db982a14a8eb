"""Orders from the command line: carried out once by the running bot, kept for one that is not, refused in
clear words.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import command_spool
from bot.cli import outreach
from bot.cli.clock import COMMAND_CLOCK
from bot.cli.root import app
from bot.clock import HandClock
from bot.command_spool import drop, spool_folder, take
from bot.config.loader import Config
from bot.errors import StorageError
from bot.model.internal import BeginIncident
from bot.storage.base import ScheduledInbound
from bot.storage.sqlite.store import SqliteStore
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import NOON

DOWN = "Сбой доставки в Казани. Чиним до 18:00"


@pytest.fixture
def place(
    tmp_path: Path, articles: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """A folder with a config, a database and articles; nobody waits long for a bot that is not running."""
    monkeypatch.setattr(outreach, "PATIENCE", 0.2)
    monkeypatch.chdir(tmp_path)
    set_before = COMMAND_CLOCK.set(HandClock(NOON + timedelta(minutes=5)))
    request.addfinalizer(lambda: COMMAND_CLOCK.reset(set_before))
    (tmp_path / "config.yaml").write_text(
        "knowledge: {folder: kb, embeddings: {model: 'off'}}\nchannels: {telegram: {type: telegram}}\n",
        "utf-8",
    )
    run("db", "migrate")
    return tmp_path


def run(*args: str, code: int = 0, input: str = "") -> str:
    result = CliRunner().invoke(app, list(args), input=input)
    assert result.exit_code == code, result.output
    return result.output


async def _heard(place: Path, work: Callable[[TestBot], object] | None = None) -> TestBot:
    """The bot runs over the folder's database and takes what was ordered."""
    storage = str(place / "data" / "bot.db")
    async with open_test_bot(place / "kb", storage=storage) as testbot:
        folder = spool_folder(storage)
        assert folder is not None
        await take(folder, testbot.service.inbox.accept, testbot.clock())
        await testbot.rest()
        if work is not None:
            result = work(testbot)
            if asyncio.iscoroutine(result):
                await result
    return testbot


def test_an_incident_is_set_shown_and_cleared(place: Path) -> None:
    """The order lies in the folder until a bot reads it; then it holds, and the desk is told who ordered."""
    assert "записано и подействует" in run("incident", "set", DOWN, "--words", "казань")

    async def hears(testbot: TestBot) -> None:
        anna = testbot.customer()
        await anna.says("вы везёте в казань?")
        assert DOWN in anna.hears()[0]
        assert any(
            "Сбой №1 объявлен" in s.outbound.text.text
            for s in testbot.channels["telegram"].in_chat("-100500")
        )

    asyncio.run(_heard(place, hears))
    assert json.loads(run("incident", "show", "--json"))[0]["met"] == 1 and DOWN in run("incident", "show")
    run("incident", "clear")

    async def told(testbot: TestBot) -> None:
        await testbot.later(minutes=1)
        assert (
            sum("Уже исправили" in s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1001"))
            == 1
        )

    asyncio.run(_heard(place, told))
    assert "Сбоев сейчас нет" in run("incident", "show") and "Сейчас есть: —" in run(
        "incident", "clear", code=1
    )


def test_a_broadcast_is_counted_confirmed_and_sent_once(place: Path) -> None:
    """Nothing is ordered without a yes; the same letter read twice sends once."""

    async def come(testbot: TestBot) -> None:
        await testbot.customer().says("как вернуть товар")
        await testbot.customer("Борис", chat="1002").says("как оплатить")

    asyncio.run(_heard(place, come))
    assert "Получат: 1" in run("broadcast", "Привет!", "--to", "asked=вернуть", input="n\n")
    folder = spool_folder(str(place / "data" / "bot.db"))
    assert folder is not None and not list(folder.glob("*.json"))
    run("broadcast", "Привет!", "--to", "asked=вернуть", "--yes")
    letter = next(folder.glob("*.json"))
    again = letter.read_bytes()

    async def sent(testbot: TestBot) -> None:
        letter.write_bytes(again)  # as after a crash between keeping and throwing away
        await take(folder, testbot.service.inbox.accept, testbot.clock())
        await testbot.later(minutes=2)
        assert [
            s.outbound.to.chat for s in testbot.channels["telegram"].said if s.outbound.text.text == "Привет!"
        ] == ["1001"]

    asyncio.run(_heard(place, sent))


def test_how_an_order_sounds_is_told_before_it_is_confirmed(place: Path) -> None:
    """A remark with other words; a yes sends it all the same. An incident is told of, and declared."""

    async def come(testbot: TestBot) -> None:
        await testbot.customer().says("как вернуть товар")

    asyncio.run(_heard(place, come))
    told = run("broadcast", "Уважаемые клиенты, привет!", input="n\n")
    plain = run("broadcast", "Привет!", input="n\n")
    declared = run("incident", "set", "Данная услуга не работает")

    assert told.index("«Уважаемые клиенты»") < told.index("Отправить: 1?") and "Уважаемые" not in plain
    assert "проще: «эта»" in declared and "распоряжение записано" in declared


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("broadcast", "Привет", "--to", "channel=ok"), 2, "Канала «ok» нет. Есть: telegram"),
        (("broadcast", "Привет", "--to", "days=x"), 2, "число от 1 до 366"),
        (("broadcast", "  "), 2, "Напишите текст"),
        (("broadcast", "Привет"), 1, "Получат: 0"),
        (("incident", "clear", "7"), 1, "Такого сбоя нет"),
    ],
)
def test_bad_orders_are_refused_before_anything_is_written(
    place: Path, args: tuple[str, ...], code: int, words: str
) -> None:
    """In clear words, with what there is instead."""
    assert words in run(*args, code=code)
    folder = spool_folder(str(place / "data" / "bot.db"))
    assert folder is not None and not folder.exists()


async def test_what_is_no_order_is_set_aside(place: Path) -> None:
    """It neither stops the others nor comes again."""
    folder = spool_folder(str(place / "data" / "bot.db"))
    assert folder is not None
    drop(folder, BeginIncident("Сбой"))
    (folder / "0.json").write_text("{", "utf-8")
    (folder / "1.json").write_text('["order"]', "utf-8")
    async with open_test_bot(place / "kb", config=Config()) as testbot:
        assert await take(folder, testbot.service.inbox.accept, testbot.clock()) == 1
        assert await take(folder, testbot.service.inbox.accept, testbot.clock()) == 0
        await testbot.rest()

        assert [i.text for i in testbot.service.desk.context.incidents.open] == ["Сбой"] and len(
            list(folder.glob("*.bad"))
        ) == 2


class UnsureStore(SqliteStore):
    """Keeps what it is given, and breaks before it says so, as a connection does that is lost at the
    COMMIT.
    """

    broken = 2

    async def accept(
        self, channel: str, arrivals: Sequence[ScheduledInbound], *, cursor: str | None = None
    ) -> int:
        kept = await super().accept(channel, arrivals, cursor=cursor)
        self.broken -= 1
        if self.broken >= 0:
            raise StorageError("the connection is lost")
        return kept


async def test_an_order_that_may_have_been_kept_is_not_kept_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again by its name; when it cannot be, that is told."""
    monkeypatch.setattr(command_spool, "PAUSES", (0.0, 0.0))
    store = UnsureStore.open(":memory:", now=lambda: NOON)
    assert isinstance(store, UnsureStore)
    await command_spool.hand_over(store, BeginIncident("Сбой"), "olga", NOON)
    assert (await store.counts())["inbounds_waiting"] == 1
    store.broken = 3
    with pytest.raises(StorageError, match="lost"):
        await command_spool.hand_over(store, BeginIncident("Сбой"), "olga", NOON)
    await store.close()
