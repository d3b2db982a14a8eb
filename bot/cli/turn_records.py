"""Reads what the bot has been asked, beside a running bot; nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from bot.cli.store_reader import StoreReader, store_beside
from bot.config.loader import Config
from bot.errors import StorageError
from bot.model import Event, HistoryEntry
from bot.storage.base import TurnRecord
from bot.text.person_names import names_of
from bot.text.problems import told

Made = TypeVar("Made")
BATCH = 1000
PLAYGROUND = "data/playground.db"


class TurnRecords:
    """Turns, words and events as they were kept, read when somebody asks; `source` says where."""

    def __init__(self, runner: asyncio.Runner, store: StoreReader, source: str) -> None:
        self._run, self._store, self.source = runner.run, store, source

    def done(self, work: Callable[[StoreReader], Coroutine[Any, Any, Made]]) -> Made:
        """What *work* makes of the store they are in."""
        return self._run(work(self._store))

    def turns(self) -> Iterator[TurnRecord]:
        """All turns, oldest first."""
        after = 0
        while rows := self._run(self._store.turns(after=after, limit=BATCH)):
            yield from rows
            after = rows[-1].id

    def history(self, conversation: int) -> tuple[HistoryEntry, ...]:
        """What was said in a conversation, oldest first."""
        return self._run(self._store.history(conversation, limit=10_000))

    def names(self, conversation: int) -> tuple[str, ...]:
        """What the customer of a conversation is called."""
        found = self._run(self._store.listeners(only=[conversation]))
        return names_of(found[0].customer) if found else ()

    def events(self, *kinds: str) -> tuple[Event, ...]:
        return self._run(self._store.events(kinds=kinds))


def looked_in(config: Config) -> tuple[str, ...]:
    """Where records are looked for when no file is named."""
    return (config.storage_place, str(config.path(PLAYGROUND)))


@contextmanager
def open_records(config: Config, file: Path | None = None) -> Iterator[TurnRecords | None]:
    """The records in *file*, else in the store of the config, else in the playground's file; None where there
    is none yet.

    Raises `StorageError` where the file is no database of ours.
    """
    found = file
    if file is None and config.storage.is_file:
        choices = (Path(config.storage_path), config.path(PLAYGROUND))
        found = next((f for f in choices if f.is_file() and f.stat().st_size), None)
        if found is None:
            yield None
            return
    elif file is not None and not (file.is_file() and file.stat().st_size):
        raise StorageError(told("database.no_file", file=file))
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        store = runner.run(stack.enter_async_context(store_beside(config, found)))
        try:
            runner.run(store.turns(limit=1))  # whether it is a database of ours
            yield TurnRecords(runner, store, str(found or config.storage_place))
        finally:
            runner.run(stack.aclose())
