"""The database file: one owner, one shape, nothing lost when the process dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import StorageBusy, StorageError, StorageNewer
from bot.model import Peer
from bot.storage.base import DeliveryResult
from bot.storage.migrations import STEPS
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store_scene import ANNA, NOON, answer, arrival, deliver, hear, later, say, take
from bot.testing.faults import full_disk


def copies(folder: Path) -> list[Path]:
    return list(folder.glob("bot.db.before-002_more-*"))


HOLD = """
import asyncio, sys
from bot.storage.sqlite.store import SqliteStore
store = SqliteStore.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""

WRITE = """
import asyncio, sys
from bot.model import Peer
from bot.storage.sqlite.store import SqliteStore
from bot.testing.contracts.store_scene import NOON, arrival, decide, say

async def write():
    store = SqliteStore.open(sys.argv[1])
    async def chat(name):
        for n in range(10**9):
            key = f"{name}-{n}"
            await store.accept("tg", [arrival(key, key, Peer('tg', name))], cursor=str(n))
            turn = await store.take_turn(NOON)
            if turn is not None:
                await store.finish_turn(turn, decide(*(say(i.key) for i in turn.inbounds)), NOON)
            print(key, flush=True)
    await asyncio.gather(*(chat(name) for name in "abcdefgh"))

asyncio.run(write())
"""


def python(code: str, *args: str, **options: int) -> subprocess.Popen[str]:
    root = Path(__file__).absolute().parents[2]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(root), *filter(None, [os.environ.get("PYTHONPATH")])))
    }
    return subprocess.Popen([sys.executable, "-c", code, *args], text=True, env=env, **options)  # type: ignore[call-overload,no-any-return]


async def test_a_second_process_is_refused_and_told_why(tmp_path: Path) -> None:
    """The owner is named by its pid, and the file is free again the moment it dies, even by kill -9."""
    file = tmp_path / "bot.db"
    owner = python(HOLD, str(file), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert owner.stdout is not None and owner.stdout.readline() == "open\n"
        with pytest.raises(StorageBusy, match=rf"pid {owner.pid}\b.*Остановите"):
            SqliteStore.open(file)
    finally:
        owner.kill()
        owner.communicate()

    await SqliteStore.open(file).close()


async def test_a_second_store_in_one_process_is_refused(tmp_path: Path) -> None:
    """Also by another name of the same file; after closing it is free."""
    file = tmp_path / "bot.db"
    (tmp_path / "link.db").symlink_to(file)
    store = SqliteStore.open(file)
    for name in (
        str(file),
        f"sqlite:///{file}",
        str(tmp_path / "link.db"),
        str(tmp_path / "x" / ".." / "bot.db"),
    ):
        with pytest.raises(StorageBusy, match="в этом же процессе"):
            SqliteStore.open(name)
    await store.close()
    await store.close()

    await SqliteStore.open(file).close()


async def test_the_folder_is_made_and_the_file_is_private(tmp_path: Path) -> None:
    """A database of people's words is not for other users of the machine."""
    file = tmp_path / "data" / "deep" / "bot.db"
    store = SqliteStore.open(f"sqlite:///{file}", now=lambda: NOON)
    await hear(store, arrival("1"))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes and set(modes.values()) == {0o600}, modes
    await store.close()


@pytest.mark.parametrize("url", ["postgresql://localhost/bot", "mysql://x"])
def test_another_kind_of_url_is_refused(url: str) -> None:
    """The message says which kind is understood."""
    with pytest.raises(StorageError, match="sqlite:///"):
        SqliteStore.open(url)


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """No traceback of the driver: what could not be opened, and what to look at."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match=r"storage\.url"):
        SqliteStore.open(tmp_path / "file" / "bot.db")
    (tmp_path / "text.db").write_text("this is no database, " * 100)
    with pytest.raises(StorageError, match=r"text\.db не удалось открыть"):
        SqliteStore.open(tmp_path / "text.db")
    (tmp_path / "text.db").unlink()
    await SqliteStore.open(tmp_path / "text.db").close()  # the refused one did not keep the lock


async def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """A program older than the file does not touch it, and says what to do."""
    file = tmp_path / "bot.db"
    await SqliteStore.open(file).close()
    with sqlite3.connect(file) as db:
        db.execute(
            "insert into _sqlite_migrations(migration_set, name, applied_at) values('otklik', '999_future',"
            " '2030-01-01')"
        )
    db.close()
    before = file.read_bytes()

    with pytest.raises(StorageNewer, match=r"999_future.*обновите"):
        SqliteStore.open(file)
    assert file.read_bytes() == before


async def test_a_new_step_is_taken_over_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older file is brought up once, all at once, and its state before is kept beside it."""
    file = tmp_path / "bot.db"
    store = SqliteStore.open(file, now=lambda: NOON)
    await hear(store, arrival("1", "до обновления"))
    await store.close()
    monkeypatch.setitem(STEPS, "002_more", ("create table more(id integer primary key) strict", "broken sql"))
    with pytest.raises(StorageError):
        SqliteStore.open(file, now=lambda: NOON)
    monkeypatch.setitem(STEPS, "002_more", ("create table more(id integer primary key) strict",))
    store = SqliteStore.open(file, now=lambda: NOON + timedelta(seconds=1))

    assert [i.text for i in (await take(store, 1)).inbounds] == ["до обновления"]
    await store.close()
    assert len(copies(tmp_path)) == 2
    monkeypatch.delitem(STEPS, "002_more")
    with pytest.raises(StorageNewer):
        SqliteStore.open(file)


@pytest.mark.parametrize("seconds", [0.2, 0.5])
async def test_killed_in_the_middle_nothing_confirmed_is_lost(tmp_path: Path, seconds: float) -> None:
    """kill -9 of a writing process: every message it called kept is there, each with at most one answer, and
    the file is sound.
    """
    file = tmp_path / "bot.db"
    writer = python(WRITE, str(file), stdout=subprocess.PIPE)
    assert writer.stdout is not None
    first = await asyncio.to_thread(writer.stdout.readline)
    await asyncio.sleep(seconds)
    writer.send_signal(signal.SIGKILL)
    confirmed = {
        first.strip(),
        *(line.strip() for line in writer.communicate()[0].splitlines(keepends=True) if line.endswith("\n")),
    }

    store = SqliteStore.open(file, now=lambda: NOON)
    assert await store.check() == ()
    while turn := await store.take_turn(later(100)):
        await answer(store, turn, *(say(i.key) for i in turn.inbounds), at=100)
    answered = [d.outbound.text.text for d in await store.deliveries(limit=10**6)]
    assert len(answered) == len(set(answered))
    assert len(confirmed) > 20 and confirmed <= set(answered)
    await store.close()


async def test_what_was_under_way_is_judged_after_a_restart(tmp_path: Path) -> None:
    """Deliveries, doubts and turns outlive the process; turns get new numbers."""
    file = tmp_path / "bot.db"
    store = SqliteStore.open(file)
    await hear(store, arrival("1"), arrival("2", peer=Peer("tg", "6")))
    await answer(store, await take(store), say("раз"), say("два"))
    turn = await take(store)
    [under_way] = await deliver(store)
    await store.close()
    store = SqliteStore.open(file)

    assert await store.recover(NOON) == 1
    again = await take(store)
    assert (again.inbounds, again.conversation) == (turn.inbounds, turn.conversation)
    await answer(store, again)
    [d] = await deliver(store)
    assert (d.id, d.doubts, d.outbound.text.text) == (under_way.id, 1, "раз")
    assert len({r.id for r in await store.turns()}) == 2
    await store.close()


async def test_a_copy_is_made_while_others_write(tmp_path: Path) -> None:
    """A backup is whole and of one moment, lands at once, and nobody waits for it."""
    store = SqliteStore.open(tmp_path / "bot.db", now=lambda: NOON)
    await store.accept("tg", [arrival(f"a{n}", "слово " * 50, Peer("tg", str(n % 50))) for n in range(2000)])
    target = tmp_path / "copies" / "bot.db"

    async def write() -> int:
        count = 0
        while not backup.done():
            count += await store.accept("tg", [arrival(f"b{count}")])
        return count

    backup = asyncio.ensure_future(store.backup(target))
    written = await write()
    await backup
    await store.backup(target)
    assert written > 0
    assert [path.name for path in target.parent.iterdir()] == ["bot.db"]
    copy = SqliteStore.open(target, now=lambda: NOON)
    assert await copy.check() == ()
    assert (await copy.counts())["inbounds_waiting"] == 2000 + written
    await copy.close()
    with pytest.raises(StorageError, match="другой файл"):
        await store.backup(tmp_path / "bot.db")
    await store.close()


async def test_check_names_what_is_wrong(tmp_path: Path) -> None:
    """Stuck messages, hanging sends, lost queue places and a broken reference are each said in words."""
    file = tmp_path / "bot.db"
    now = [NOON]
    store = SqliteStore.open(file, now=lambda: now[0])
    await hear(store, arrival("1"), arrival("2", peer=Peer("tg", "6")))
    await answer(store, await take(store), say("раз"), say("два"))
    await deliver(store)
    assert await store.check() == ()
    now[0] += timedelta(hours=2)
    found = await store.check()
    assert [text.split(":")[0] for text in found] == [
        "сообщения ждут дольше часа, и никто за них не взялся",
        "отправки начаты давно и не закончены",
    ]
    await store.close()
    with sqlite3.connect(file) as db:
        db.execute("update conversations set ready_at = null, ticket = 7")
        db.execute("update outbox set head = 0")
        db.execute("update inbox set conversation = 999 where key = '2'")
    db.close()
    store = SqliteStore.open(file, now=lambda: NOON)

    assert {text.split(":")[0] for text in await store.check()} == {
        "строка 2 таблицы inbox ссылается на то, чего нет (conversations)",
        "очереди отправки, в которых некому идти первым",
        "диалоги, у которых обращение записано неверно",
    }
    await store.close()


async def test_a_full_disk_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    """While the disk is full every call is refused as a whole; afterwards the same call goes through."""
    store = SqliteStore.open(tmp_path / "bot.db", now=lambda: NOON)
    await hear(store, arrival("1"))
    turn = await take(store)
    long = [say("слово" * 2000) for _ in range(20)]
    async with full_disk(store):
        with pytest.raises(StorageError, match="full"):
            await answer(store, turn, *long)
        results = await asyncio.gather(
            *(store.accept("tg", [arrival(f"n{n}", "слово" * 2000)]) for n in range(10)),
            return_exceptions=True,
        )
        assert all(isinstance(r, StorageError) for r in results)

    await answer(store, turn, *long)
    assert await store.accept("tg", [arrival("n1", peer=ANNA)]) == 1
    assert await store.check() == ()
    await store.settle((await deliver(store))[0], DeliveryResult("sent", "m1"), NOON)
    await store.close()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """No call hangs after close."""
    store = SqliteStore.open(tmp_path / "bot.db")
    await store.close()
    with pytest.raises(StorageError, match="закрыто"):
        await store.counts()
    with pytest.raises(StorageError, match="закрыто"):
        await store.accept("tg", [arrival("1")])
