"""Which conversations are being decided on: one at a time, by whom, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from bot.storage.codec import maybe_moment, ms
from bot.storage.database import Database

_READY = """select * from conversations indexed by conversations_ready where ready_at <= ? order by ready_at,
  id"""
_NEXT = """select id, ready_at from conversations indexed by conversations_ready where ready_at is not null
  order by ready_at"""


class TurnLocks(Protocol):
    """Law: a conversation has at most one turn under way, and what is committed of it is that turn's."""

    def ready(self, db: Database, now: datetime) -> Any:
        """The conversation that is ready longest and that nobody is at, its row locked; None where there is
        none.
        """
        ...

    def hold(
        self, db: Database, conversation: int, turn: int, inbounds: tuple[int, ...], since: datetime
    ) -> None: ...

    def inbounds(self, db: Database, conversation: int, turn: int) -> tuple[int, ...] | None:
        """The inbox rows of *turn*; None where it is not held any more."""
        ...

    def free(self, db: Database, conversation: int) -> None: ...

    def freeing(self, conversation: int) -> str:
        """The same, as the end of the assignments of an update of the conversation."""
        ...

    def next_ready(self, db: Database) -> datetime | None:
        """When the earliest conversation that nobody is at becomes ready."""
        ...

    def free_stuck(self, db: Database, before: datetime) -> int:
        """Free what is held since before then; returns how many."""
        ...


class MemoryLocks:
    """For a store of one process: in memory, following the transaction it was changed in. What is rolled back
    there is rolled back here. Only the writer's thread touches it.
    """

    def __init__(self) -> None:
        self.held: dict[int, tuple[int, tuple[int, ...], int]] = {}
        self._journal: list[tuple[int, tuple[int, tuple[int, ...], int] | None]] = []

    def ready(self, db: Database, now: datetime) -> Any:
        for row in db.execute(_READY, (ms(now),)):
            if row["id"] not in self.held:
                return row
        return None

    def hold(
        self, db: Database, conversation: int, turn: int, inbounds: tuple[int, ...], since: datetime
    ) -> None:
        self._journal.append((conversation, self.held.get(conversation)))
        self.held[conversation] = (turn, inbounds, ms(since))

    def inbounds(self, db: Database, conversation: int, turn: int) -> tuple[int, ...] | None:
        held = self.held.get(conversation)
        return None if held is None or held[0] != turn else held[1]

    def free(self, db: Database, conversation: int) -> None:
        self.freeing(conversation)

    def freeing(self, conversation: int) -> str:
        self._journal.append((conversation, self.held.pop(conversation, None)))
        return ""

    def next_ready(self, db: Database) -> datetime | None:
        for row in db.execute(_NEXT):
            if row["id"] not in self.held:
                return maybe_moment(row["ready_at"])
        return None

    def free_stuck(self, db: Database, before: datetime) -> int:
        stuck = [id for id, (_, _, since) in self.held.items() if since <= ms(before)]
        for id in stuck:
            self.free(db, id)
        return len(stuck)

    def mark(self) -> int:
        return len(self._journal)

    def back_to(self, mark: int) -> None:
        while len(self._journal) > mark:
            conversation, before = self._journal.pop()
            if before is None:
                self.held.pop(conversation, None)
            else:
                self.held[conversation] = before

    def keep(self) -> None:
        self._journal.clear()
