"""What SQLite leaves behind inside the pages of its file, and how it is blanked while the bot goes on.

`secure_delete` blanks what is deleted, but where rows move to another page, copies of them stay in the space
between the page's list of cells and its cells (measured). That space belongs to nobody: SQLite neither reads
it nor expects anything there (file format, "B-tree Pages", the unallocated region). Writing the whole file
anew (VACUUM) would blank it, too, but everybody who writes would wait for that.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from bot.storage.database import Database

AT_ONCE = 256  # pages blanked while the writer waits
_READ = 1024  # pages read at once
_HEADER = 100  # bytes of the file's own header, in front of the first page's
_TREE = {2: 12, 5: 12, 10: 8, 13: 8}  # first byte of a page of a tree: length of its header
_LOG = 4000  # pages after which the log is written into the file


class FreeSpace:
    """The unallocated regions of one database file.

    Law: the file stays open until SQLite's own connections are closed: closing it earlier would take away
    their locks.
    """

    def __init__(self, file: Path) -> None:
        self._raw = FileIO(file, "r+")
        size = int.from_bytes(self._read(0, _HEADER)[16:18], "big")
        self._page = 65536 if size == 1 else size

    def close(self) -> None:
        self._raw.close()

    def begin(self, db: Database) -> bool:
        """Put everything into the file, and nothing more until `end`; False where somebody still reads the
        log. Outside a transaction.
        """
        db.execute("pragma wal_autocheckpoint = 0")
        return _empty_log(db)

    def stale(self) -> list[int]:
        """The pages with something left behind, beside a writer who does not touch the file."""
        found, first = list[int](), 1
        while data := self._read((first - 1) * self._page, _READ * self._page):
            for number in range(first, first + len(data) // self._page):
                start, end = self._region(data, (number - first) * self._page, first_page=number == 1)
                if data.count(0, start, end) < end - start:
                    found.append(number)
            first += _READ
        return found

    def blank(self, db: Database, pages: Sequence[int]) -> bool:
        """Blank what is left behind in these pages as they are now; False where somebody still reads the log
        (then nothing is done). For the writer, outside a transaction.
        """
        if not _empty_log(db):
            return False
        self._blank(pages)
        db.execute("pragma shrink_memory")  # the writer's own copies of these pages go, too
        return True

    def _blank(self, pages: Sequence[int]) -> None:
        for number in pages:
            place = (number - 1) * self._page
            data = self._read(place, self._page)
            start, end = self._region(data, 0, first_page=number == 1)
            if data.count(0, start, end) < end - start:
                self._raw.seek(place + start)
                self._raw.write(bytes(end - start))
        os.fsync(self._raw.fileno())

    def end(self, db: Database) -> None:
        db.execute(f"pragma wal_autocheckpoint = {_LOG}")

    def clean(self) -> None:
        """All of it at once: of a file that is nobody's yet, whose log is empty."""
        self._blank(self.stale())

    def _read(self, place: int, length: int) -> bytes:
        self._raw.seek(place)
        return self._raw.read(length) or b""

    def _region(self, data: bytes, place: int, *, first_page: bool) -> tuple[int, int]:
        """From where to where nothing is, in a page that begins at *place*; nothing for other pages."""
        head = place + (_HEADER if first_page else 0)
        length = _TREE.get(data[head])
        if length is None:
            return place, place
        cells = int.from_bytes(data[head + 3 : head + 5], "big")
        start = head + length + 2 * cells
        end = place + (int.from_bytes(data[head + 5 : head + 7], "big") or 65536)
        return (start, end) if start <= end <= place + self._page else (place, place)


def portions(pages: Sequence[int]) -> Iterator[Sequence[int]]:
    """So many that the writer waits for a few milliseconds."""
    return (pages[n : n + AT_ONCE] for n in range(0, len(pages), AT_ONCE))


def _empty_log(db: Database) -> bool:
    """Put the log into the file and cut it off, without waiting for readers; whether that is done."""
    db.execute("pragma busy_timeout = 0")
    try:
        busy = db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    finally:
        db.execute("pragma busy_timeout = 5000")
    return not busy
