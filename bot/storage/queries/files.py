"""Files that were attached on a page, kept where every process finds them: in parts, as base64."""

from __future__ import annotations

import base64
from datetime import datetime

from bot.storage.codec import ms
from bot.storage.database import Database

PART = 49_152  # bytes of one part, a multiple of three


def keep(db: Database, file: str, conversation: int, content: bytes, now: datetime) -> None:
    """Keep *content* under the name *file*; a name that is taken stays as it is."""
    starts = range(0, len(content), PART) if content else (0,)
    db.executemany(
        "insert into file_parts(file, part, conversation, at, content) values(?, ?, ?, ?, ?) on conflict do"
        " nothing",
        [
            (file, n, conversation, ms(now), base64.b64encode(content[start : start + PART]).decode("ascii"))
            for n, start in enumerate(starts)
        ],
    )


def read(db: Database, file: str) -> bytes | None:
    """What is kept under the name; None where it is not there any more."""
    rows = db.execute("select content from file_parts where file = ? order by part", (file,)).fetchall()
    return b"".join(base64.b64decode(row["content"]) for row in rows) if rows else None


def purge(db: Database, before: datetime, limit: int) -> int:
    """Take away the parts of at most *limit* files that were kept before; returns how many files."""
    files = db.execute(
        "select file from file_parts where part = 0 and at < ? limit ?", (ms(before), limit)
    ).fetchall()
    db.executemany("delete from file_parts where file = ?", [(row["file"],) for row in files])
    return len(files)
