"""Reads what the bot has been asked, beside a running bot: the file is opened for reading only, and nothing
is changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.config.loader import Config
from bot.errors import StorageError
from bot.model import Event, HistoryEntry
from bot.storage.base import TurnRecord
from bot.storage.database import SqliteDatabase
from bot.storage.queries import events as looking
from bot.storage.queries import turns
from bot.text.person_names import names_of
from bot.text.problems import told

BATCH = 1000
PLAYGROUND = "data/playground.db"


class TurnRecords:
    """Turns, words and events as they were kept."""

    def __init__(self, db: SqliteDatabase, file: Path) -> None:
        self._db, self.file = db, file

    def turns(self) -> Iterator[TurnRecord]:
        """All turns, oldest first."""
        after = 0
        while rows := looking.records(self._db, None, after, BATCH):
            yield from rows
            after = rows[-1].id

    def history(self, conversation: int) -> tuple[HistoryEntry, ...]:
        """What was said in a conversation, oldest first."""
        return turns.history(self._db, conversation, 10_000)

    def names(self, conversation: int) -> tuple[str, ...]:
        """What the customer of a conversation is called."""
        row = self._db.execute("select customer from conversations where id = ?", (conversation,)).fetchone()
        found = turns.customer(self._db, row["customer"]) if row and row["customer"] else None
        return names_of(found)

    def events(self, *kinds: str) -> tuple[Event, ...]:
        return looking.events(self._db, None, None, kinds)


def looked_in(config: Config) -> tuple[str, ...]:
    """Where records are looked for when no file is named."""
    return (str(config.storage_path), str(config.path(PLAYGROUND)))


@contextmanager
def open_records(config: Config, file: Path | None = None) -> Iterator[TurnRecords | None]:
    """The records in *file*, else in the database of the config, else in the playground's; None where there
    is none yet.

    Raises `StorageError` where the file is no database of ours.
    """
    choices = [file] if file else [Path(config.storage_path), config.path(PLAYGROUND)]
    found = next((f for f in choices if f.is_file() and f.stat().st_size), None)
    if found is None:
        if file is not None:
            raise StorageError(told("database.no_file", file=file))
        yield None
        return
    try:
        db = sqlite3.connect(
            f"{found.resolve().as_uri()}?mode=ro", uri=True, timeout=5, factory=SqliteDatabase
        )
        db.row_factory = sqlite3.Row
        db.execute("select 1 from turns limit 1").fetchone()
    except sqlite3.Error as error:
        raise StorageError(told("database.not_read", file=found, reason=error)) from error
    try:
        yield TurnRecords(db, found)
    finally:
        db.close()
