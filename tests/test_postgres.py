"""The tests' own PostgreSQL: both sources of its programs, databases, restarts, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from tests.postgres import Cluster, machine_programs, running, version_of, wheel_programs

STARTS_ONE = """
import os, sys
from pathlib import Path
from tests.postgres import Cluster
cluster = Cluster(folder=Path(sys.argv[1]))
cluster.start()
print(cluster.url(), flush=True)
sys.stdin.read()
"""


def number(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from t").fetchone()
    assert row is not None
    return int(row[0])


def test_a_database_is_fresh_or_a_copy(postgres: Cluster) -> None:
    first = postgres.database()
    with psycopg.connect(first, autocommit=True) as connection:
        connection.execute("create table t (id bigint)")
        connection.execute("insert into t values (1)")
    copy = postgres.database(like=first)
    assert number(copy) == 1
    with pytest.raises(psycopg.errors.UndefinedTable):
        number(postgres.database())
    postgres.drop(copy)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        number(copy)


def test_connections_are_cut_in_one_database(postgres: Cluster) -> None:
    here, elsewhere = postgres.database(), postgres.database()
    with psycopg.connect(here) as cut, psycopg.connect(elsewhere) as kept:
        assert postgres.cut_connections(here) == 1
        with pytest.raises(psycopg.OperationalError):
            cut.execute("select 1")
        kept.execute("select 1")


@pytest.mark.parametrize("wheel", [False, True], ids=["machine", "wheel"])
def test_what_was_committed_outlives_a_restart(wheel: bool) -> None:
    """With the machine's programs (where it has none, with the wheel's as well) and with the wheel's."""
    assert wheel_programs() is not None
    with running(durable=True, wheel=wheel) as cluster:
        expected = wheel_programs() if wheel else machine_programs() or wheel_programs()
        assert expected is not None
        assert version_of(cluster.programs) == version_of(expected) >= 15
        url = cluster.database()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create table t (id bigint)")
            connection.execute("insert into t values (1)")
            cluster.restart("immediate")
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        assert number(url) == 1


def test_the_server_ends_with_a_killed_process(tmp_path: Path) -> None:
    temporary = Path(tempfile.gettempdir())
    for place in (tmp_path, *tmp_path.parents):  # pytest's folders are for the one who runs it only
        if temporary in place.parents:
            place.chmod(0o755)
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE, str(tmp_path)],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH")))),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        url = started.stdout.readline().strip()
        psycopg.connect(url).close()
        started.send_signal(signal.SIGKILL)
        started.wait()
        # the keeper holds the process's output until it has stopped the server and removed the folder
        assert started.stdout.read() == ""
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert not list(tmp_path.iterdir())
