"""`bot db move` to PostgreSQL and back, and the other commands on PostgreSQL, with a real server."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.cli import outreach
from bot.cli.clock import COMMAND_CLOCK
from bot.clock import HandClock
from bot.delivery.webhook_events import PREFIX
from bot.model import Outbound, Peer, RichText
from bot.storage.base import Replica, StoredEvent
from bot.storage.move import Row
from bot.storage.postgres.event_cursors import EVENTS_OF
from bot.storage.postgres.store import PostgresStore
from bot.storage.sqlite.store import SqliteStore
from bot.testing.harness import NOON
from tests.cli.conftest import Run
from tests.storage.test_move import RELEASED, lived_in


@pytest.fixture
def life(shop: Path, monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[Path]:
    """A lived-in file, and a config that names an empty database of PostgreSQL."""
    (shop / "data").mkdir()
    password = urlsplit(database).password
    assert password
    monkeypatch.setenv("DATABASE_PASSWORD", password)
    url = database.replace(password, "${DATABASE_PASSWORD}")
    (shop / "config.yaml").write_text(
        f'storage: {{url: "{url}"}}\nknowledge: {{folder: kb_articles, embeddings: {{model: "off"}}}}\n'
        "channels: {telegram: {type: telegram}}\n",
        encoding="utf-8",
    )
    (shop / "url").write_text(url, encoding="utf-8")
    monkeypatch.setattr(outreach, "PATIENCE", 0.2)
    before = COMMAND_CLOCK.set(HandClock(NOON + timedelta(minutes=5)))
    yield lived_in(shop / "data" / "bot.db")
    COMMAND_CLOCK.reset(before)


def url_of(file: Path) -> str:
    return file.parent.with_name("url").read_text("utf-8")


def all_rows(file: Path) -> dict[str, list[Row]]:
    with sqlite3.connect(file) as db:
        names = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
        found = {
            name: db.execute(f"select * from {name} order by rowid").fetchall()
            for name in names
            if not name.startswith(("_", "sqlite_"))
        }
        found["sqlite_sequence"] = sorted(db.execute("select name, max(seq, 0) from sqlite_sequence"))
    db.close()
    return found


def test_there_and_back_is_the_same(run: Run, life: Path) -> None:
    """Row by row, with what was replaced told; a second move finds rows and refuses."""
    with sqlite3.connect(life) as db:
        db.execute("update history set text = ? where id = 1", ("бе\0да",))
        db.execute("insert into settings values('я', '1'), ('a', '2'), ('Б', '3')")
        db.execute("insert into cursors values(?, '2', 1), ('telegram', '77', 1)", (PREFIX + "crm",))
        db.execute("update sqlite_sequence set seq = 900 where name = 'turns'")
    db.close()
    said = run("db", "move", "sqlite:///data/bot.db", url_of(life)).output
    assert "customers\t" in said and "U+FFFD" in said and "config.yaml" in said
    assert "Всё в порядке" in run("db", "check").output
    said = run("db", "move", "sqlite:///data/bot.db", url_of(life), code=1).output
    assert "customers" in said and "createdb" in said

    run("db", "move", url_of(life), "sqlite:///data/back.db")
    with sqlite3.connect(life) as db:
        db.execute("update history set text = 'бе\ufffdда' where id = 1")
    db.close()
    assert all_rows(life.with_name("back.db")) == all_rows(life)


async def test_numbers_and_events_go_on_behind_what_was_moved(
    run: Run, life: Path, database: str, articles: Path
) -> None:
    """Webhooks hear what they had not heard, once; nobody gets a number that was given before."""
    assert EVENTS_OF == PREFIX
    with sqlite3.connect(life) as db:
        newest = db.execute("select max(id) from events").fetchone()[0]
        db.execute("insert into cursors values(?, ?, 1)", (PREFIX + "crm", str(newest - 2)))
    db.close()
    await asyncio.to_thread(run, "db", "move", "sqlite:///data/bot.db", url_of(life))

    store = PostgresStore.open(database, now=lambda: NOON, own_time=True)
    heard: list[int] = []

    def note(event: StoredEvent) -> None:
        heard.append(event.id)

    assert await store.announce(PREFIX + "crm", note, NOON) == 2 and heard == [newest - 1, newest]
    assert await store.announce(PREFIX + "crm", note, NOON) == 0
    known = {d.id for d in await store.deliveries()}
    said = Outbound(Peer("telegram", "1"), RichText("привет"))
    assert (await store.enqueue([said], NOON))[0] > max(known, default=0)
    await store.close()


@pytest.mark.parametrize("late", [False, True], ids=["in-order", "committed-late"])
def test_a_restored_database_goes_on_telling_events(database: str, life: Path, run: Run, late: bool) -> None:
    """pg_restore brings the numbers of another server's transactions. Where one with a lower number was
    committed later, nothing is left out.
    """
    run("db", "move", "sqlite:///data/bot.db", url_of(life))
    far = 4_000_000_000
    with psycopg.connect(database) as db:
        db.execute("update events set xid = %s + id", (far,))
        row = db.execute("select max(id) - 1 from events").fetchone()
        assert row is not None
        heard = row[0]
        if late:
            db.execute("update events set xid = xid + 5 where id = %s", (heard - 1,))
        place = f"{far + heard}:{heard}"
        db.execute("insert into cursors values(%s, %s, 1)", (PREFIX + "crm", place))

    async def told() -> list[int]:
        found: list[int] = []
        store = PostgresStore.open(database, now=lambda: NOON, own_time=True)
        for _ in range(3):
            await store.announce(PREFIX + "crm", lambda event: found.append(event.id), NOON)
        await store.close()
        return found

    assert asyncio.run(told()) == ([heard - 1, heard, heard + 1] if late else [heard + 1])


def test_what_cannot_be_moved_is_told_before_anything_is_written(
    run: Run, life: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kinds, the variable, an owner, an old version, orders that wait."""
    ours, theirs = "sqlite:///data/bot.db", url_of(life)

    def refused(source: str, target: str) -> str:
        return run("db", "move", source, target, code=1).output

    assert "bot db backup" in refused(ours, "sqlite:///data/other.db")
    assert "pg_dump" in refused(theirs, theirs)
    assert "bot db move" in refused(ours, "mysql://db/shop")
    assert ":memory:" in refused("sqlite:///:memory:", theirs)
    assert "nowhere.db" in refused("sqlite:///data/nowhere.db", theirs)
    assert "NOBODY_SET_THIS" in refused(ours, "postgresql://bot:${NOBODY_SET_THIS}@db/shop")
    wrong = database.replace(str(urlsplit(database).password), "wr0ng-one")
    said = refused(ours, wrong)
    assert "не принял пароль" in said and "wr0ng-one" not in said

    owner = SqliteStore.open(life)
    assert "другой процесс" in refused(ours, theirs) or "в этом же процессе" in refused(ours, theirs)
    asyncio.run(owner.close())
    lived_in(life.with_name("old.db"), RELEASED[0])
    assert "bot db migrate" in refused("sqlite:///data/old.db", theirs)
    orders = life.with_name("bot.db.orders")
    orders.mkdir()
    (orders / "1.json").write_text("{}", encoding="utf-8")
    assert "распоряжения" in refused(ours, theirs)
    (orders / "1.json").unlink()

    async def at_work() -> None:
        store = PostgresStore.open(database)
        now = await store.clock()
        assert now is not None
        await store.report(Replica("shop-1", version="1"), now)
        await store.close()

    asyncio.run(at_work())
    assert "shop-1" in refused(ours, theirs) and "shop-1" in refused(theirs, "sqlite:///data/back.db")


def test_the_commands_work_beside_the_bots(run: Run, life: Path, database: str) -> None:
    """Reports, export, import, forget, examples, doctor: nobody has to be stopped."""
    run("db", "move", "sqlite:///data/bot.db", url_of(life))
    found = json.loads(run("export", "--customer", "1").output)
    assert found["customer"]["id"] == 1
    channel, chat = found["conversations"][0]["channel"], found["conversations"][0]["chat"]
    life.with_name("crm.csv").write_text(f"channel;id;vip\n{channel};{chat};да\n", encoding="utf-8")
    run("customers", "import", "data/crm.csv")
    assert json.loads(run("export", "--customer", "1").output)["customer"]["fields"]["vip"] == "да"
    json.loads(run("report", "--week", "--json").output)
    json.loads(run("kb", "stats", "--json").output)
    run("kb", "suggest", "--json")
    run("kb", "examples", "--json")
    assert f"{channel}:{chat}" in run("forget", "--customer", f"{channel}:{chat}", "--yes").output
    said = run("doctor", "--json").output
    lines = [json.loads(line) for line in said.splitlines()]
    shown = {line["what"]: line["text"] for line in lines if line["state"] == "ok"}
    assert shown["хранилище"] == database.replace(f":{urlsplit(database).password}", "")
    assert shown["процессы бота"] == "сейчас ни один не запущен"
    assert str(urlsplit(database).password) not in said


def test_an_order_goes_to_whoever_decides_next(run: Run, life: Path, database: str) -> None:
    """It is an inbound of the shared store, decided once; without a bot it waits for one."""
    run("db", "migrate")
    words = "Сбой доставки в Казани. Чиним до 18:00"
    assert "записано и подействует" in run("incident", "set", words).output
    assert not life.with_name("bot.db.orders").exists()

    async def hear() -> int:
        store = PostgresStore.open(database, now=lambda: NOON + timedelta(minutes=6), own_time=True)
        kept = dict(await store.counts())["inbounds_waiting"]
        await store.close()
        return kept

    assert asyncio.run(hear()) == 1


def test_replicas_that_differ_are_shown(run: Run, life: Path, database: str) -> None:
    """Versions, articles, settings and clocks of the processes that are at work."""

    async def at_work() -> None:
        store = PostgresStore.open(database)
        now = await store.clock()
        assert now is not None
        await store.report(Replica("shop-1", "1.0", ("web",), "aaa", "s1", 0.1), now)
        await store.report(Replica("shop-2", "1.1", ("send",), "bbb", "s1", -7.5), now)
        await store.close()

    asyncio.run(at_work())
    lines = [json.loads(line) for line in run("doctor", "--json").output.splitlines()]
    told = [line["text"] for line in lines if line["what"] == "процессы бота"]
    assert told[0] == "shop-1, shop-2"
    assert any("shop-1 1.0, shop-2 1.1" in text for text in told)
    assert any("shop-1 aaa, shop-2 bbb" in text for text in told)
    assert any("shop-2" in text and "-7.5" in text for text in told)
    assert not any("config.yaml" in text for text in told)
