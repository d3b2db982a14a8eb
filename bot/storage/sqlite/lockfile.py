"""One process per database: the operating system holds the lock and lets it go when the process dies, however
it dies.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from bot.errors import StorageBusy
from bot.text.problems import told

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(1 << 30)  # far behind the number of the process, which others must be able to read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class LockFile:
    """The exclusive right to a database file, kept in `<database>.lock` beside it.

    The file itself stays when the lock goes: removing it would let two processes lock two different files of
    one name.
    """

    def __init__(self, database: Path) -> None:
        """Raises `StorageBusy` at once where another process (or another store of this one) has the lock."""
        self.path = database.with_name(database.name + ".lock")
        self._file = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii")  # noqa: SIM115, PTH123 (open as long as the lock is held)
        try:
            _lock(self._file)
        except OSError:
            holder = self._file.read(32).strip()
            self._file.close()
            raise StorageBusy(_refusal(database, holder)) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let the next one in. A second call changes nothing."""
        self._file.close()


def _refusal(database: Path, holder: str) -> str:
    if holder == str(os.getpid()):
        return told("database.own", file=database, holder=holder)
    return told("database.busy", file=database, holder=f" (pid {holder})" if holder else "")
