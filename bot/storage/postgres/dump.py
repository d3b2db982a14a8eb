"""A whole copy of a PostgreSQL database as of one moment, made by its own pg_dump beside the bots."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.errors import StorageError
from bot.storage.maintenance import make_durable, make_private
from bot.storage.postgres.problems import without_password
from bot.text.problems import told
from bot.text.url import shown_url

PLACES = ("usr/lib/postgresql/*/bin/pg_dump", "usr/pgsql-*/bin/pg_dump")


def dump(url: str, to: Path) -> None:
    """Write the database at *url* to *to* in pg_dump's custom format; the file appears when it is complete.

    Raises `StorageError` where pg_dump is missing or older than the server, or the file cannot be written.
    """
    found = program()
    if found is None:
        raise StorageError(told("postgres.no_dump"))
    draft = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        make_private(draft)
        try:
            _run(found, url, draft)
            make_durable(draft)
            draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        reason = f"{to}: {error.strerror}"
        raise StorageError(told("postgres.not_dumped", place=shown_url(url), reason=reason)) from error


def _run(pg_dump: str, url: str, to: Path) -> None:
    """Law: the password goes by the environment: arguments are seen by every user of the machine."""
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password is not None else {}
    order = [pg_dump, "--format=custom", "--no-owner", "--no-privileges", f"--file={to}"]
    done = subprocess.run(
        [*order, "--dbname", make_conninfo("", **parts)],
        env={**os.environ, **secret, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = without_password(done.stderr.strip(), url)
        key = "postgres.dump_old" if "version mismatch" in said else "postgres.not_dumped"
        raise StorageError(told(key, place=shown_url(url), reason=said.replace("\n", " ")))


def program() -> str | None:
    """The newest pg_dump of the machine: an older one refuses a newer server."""
    found = [str(p) for place in PLACES for p in Path("/").glob(place)]
    return max(found, key=_version, default=None) or shutil.which("pg_dump")


def _version(program: str) -> float:
    digits = "".join(c for c in Path(program).parts[-3] if c.isdigit() or c == ".")
    return float(digits or 0)
