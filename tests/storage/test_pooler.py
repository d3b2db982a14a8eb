"""A pooler before PostgreSQL is seen, and so is one that lets no hints through; the store works behind it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from structlog.testing import capture_logs

from bot.model import Inbound, Outcome, Peer, Result, Sender
from bot.storage.base import ScheduledInbound
from bot.storage.postgres.database import NOTIFIED
from bot.storage.postgres.pooler import hears, is_pooled
from bot.storage.postgres.store import PostgresStore, ServerSettings
from bot.testing.harness import NOON
from tests.postgres import Cluster


def test_a_server_by_itself_is_no_pooler_and_hints_are_heard(database: str, postgres: Cluster) -> None:
    """A hint is heard in its own database only."""
    with psycopg.connect(database, autocommit=True) as db:
        assert not is_pooled(db)
        db.execute(f"listen {NOTIFIED}")
        assert hears(db, database)
        assert not hears(db, postgres.url())


KEY = b"K\x00\x00\x00\x0c"  # how the server names its process, for cancelling


@contextmanager
def renaming(url: str) -> Iterator[str]:
    """The address of something between that names processes of its own, as a pooler does."""
    to = urlsplit(url)
    assert to.hostname and to.port
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection((to.hostname, to.port)) as server,
    ):

        def carry() -> None:
            client, _ = listener.accept()
            with client:
                back = threading.Thread(target=_copy, args=(client, server, b""), daemon=True)
                back.start()
                _copy(server, client, KEY)

        threading.Thread(target=carry, daemon=True).start()
        port = listener.getsockname()[1]
        yield url.replace(f":{to.port}/", f":{port}/") + "?sslmode=disable&gssencmode=disable"


def _copy(source: socket.socket, target: socket.socket, key: bytes) -> None:
    try:
        while data := source.recv(65536):
            at = data.find(key) if key else -1
            if at >= 0:
                at += len(key)
                data = data[:at] + bytes(b ^ 0x15 for b in data[at : at + 4]) + data[at + 4 :]
            target.sendall(data)
    except OSError:
        return


def test_a_pooler_is_seen_by_the_process_it_names(database: str) -> None:
    with renaming(database) as url, psycopg.connect(url, autocommit=True) as db:
        assert is_pooled(db)


@pytest.fixture
def pooled(database: str, tmp_path: Path) -> Iterator[str]:
    """The address of a pgbouncer that hands out connections for one transaction."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("this machine has no pgbouncer")
    to = urlsplit(database)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tmp_path.chmod(0o777)
    for place in tmp_path.parents[:2]:
        place.chmod(0o755)
    users, settings = tmp_path / "users.txt", tmp_path / "pgbouncer.ini"
    users.write_text(f'"{to.username}" "{to.password}"\n')
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={to.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = scram-sha-256\nauth_file = {users}\npool_mode = transaction\n"
        "unix_socket_dir =\n"
    )
    order = [program, "-q", str(settings)]
    as_other = ["-u", "postgres"] if os.geteuid() == 0 else []  # it refuses to run as root
    with subprocess.Popen([*order[:1], *as_other, *order[1:]], stderr=subprocess.DEVNULL) as process:
        url = database.replace(f":{to.port}/", f":{port}/")
        for _ in range(100):
            try:
                psycopg.connect(url).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        yield url
        process.terminate()


async def test_the_store_works_behind_pgbouncer(pooled: str) -> None:
    """Statements are not prepared there; that no hint comes is told and changes nothing."""
    first, second = (PostgresStore.open(pooled, now=lambda: NOON, own_time=True) for _ in range(2))
    for number in range(30):
        sender = Sender(str(number), "Анна")
        inbound = Inbound(f"{number}", Peer("telegram", str(number)), sender, NOON, text="привет")
        await (first, second)[number % 2].accept("telegram", [ScheduledInbound(inbound, NOON, NOON)])
    decided = 0
    while (turn := await (first, second)[decided % 2].take_turn(NOON)) is not None:
        await (first, second)[decided % 2].finish_turn(turn, Outcome("test", Result.IGNORED), NOON)
        decided += 1
    assert decided == 30
    with psycopg.connect(pooled, autocommit=True) as db:
        assert is_pooled(db)
        db.execute(f"listen {NOTIFIED}")
        assert not hears(db, pooled)
    await first.close()
    await second.close()


@pytest.mark.usefixtures("plain_log")
@pytest.mark.parametrize(
    ("place", "words"), [("another", "storage.listen_url"), ("nowhere", "createdb")], ids=["deaf", "missing"]
)
async def test_a_wrong_address_for_hints_is_told_and_changes_nothing(
    database: str, postgres: Cluster, place: str, words: str
) -> None:
    """It hears nothing, or is not there: the log says so once, and the store works."""
    listen_url = postgres.url() if place == "another" else postgres.url("nowhere")
    with capture_logs() as lines:
        store = PostgresStore.open(ServerSettings(database, listen_url), now=lambda: NOON, own_time=True)
        store.listen(lambda what: None)
        async with asyncio.timeout(20):
            while not lines:
                await asyncio.sleep(0.01)
        assert await store.take_turn(NOON) is None
        await store.close()
    assert len(lines) == 1 and words in str(lines[0]) and not store.listening.is_set()
    assert str(urlsplit(database).password) not in str(lines[0])
