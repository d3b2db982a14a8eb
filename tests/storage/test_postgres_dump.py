"""A copy of PostgreSQL by pg_dump: whole, private, restorable; what fails leaves no half and no password."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from bot.errors import StorageError
from bot.storage.postgres import dump as dumping
from bot.storage.postgres.dump import dump
from tests.postgres import Cluster


@pytest.fixture(autouse=True)
def programs(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own pg_dump, so that nothing is passed over on a machine without one."""
    monkeypatch.setattr(dumping, "PLACES", ())
    monkeypatch.setenv("PATH", str(postgres.programs), prepend=os.pathsep)


def test_a_copy_can_be_restored(postgres: Cluster, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("create table t (words text)")
        db.execute("insert into t values ('привет')")
    to = tmp_path / "deep" / "copy.dump"
    dump(database, to)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600 and list(to.parent.iterdir()) == [to]

    fresh, program = postgres.database(), dumping.program()
    assert program is not None
    restore = Path(program).with_name("pg_restore")
    subprocess.run([restore, "--no-owner", "--exit-on-error", "--dbname", fresh, to], check=True)
    with psycopg.connect(fresh) as db:
        assert db.execute("select words from t").fetchone() == ("привет",)
    postgres.drop(fresh)


def test_what_fails_leaves_no_half_and_tells_no_password(database: str, tmp_path: Path) -> None:
    """A database that is not there; a place that cannot be written."""
    to = tmp_path / "copy.dump"
    with pytest.raises(StorageError, match="nowhere") as failed:
        dump(database.rpartition("/")[0] + "/nowhere", to)
    password = database.partition("://")[2].partition(":")[2].partition("@")[0]
    assert password not in str(failed.value) and not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="copy"):
        dump(database, tmp_path / "file" / "copy.dump")


def test_a_machine_without_pg_dump_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumping, "PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StorageError, match="postgresql-client"):
        dump("postgresql://bot@db/shop", tmp_path / "copy.dump")
    assert not list(tmp_path.iterdir())
