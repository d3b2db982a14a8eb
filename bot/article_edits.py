"""What the pages write into the folder of articles, kept in the store: any replica can undo it, and each
carries it out in a folder of its own.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.clock import Clock
from bot.errors import BotError, StorageError
from bot.knowledge.articles.writer import FileChange, become
from bot.knowledge.search import Knowledge
from bot.model import Event, Json
from bot.observability import get_logger
from bot.storage.base import Store

EDITED = "articles_edited"  # the event; its words stand in a setting, which does not stay
KEPT = timedelta(days=30)  # for which an edit can be undone, and is carried out by a replica that was away
EVERY = 10.0  # seconds between looks at what other replicas wrote
OVERLAP = timedelta(minutes=1)  # of these looks: an event may be committed a little later than its time
REMEMBERED = 100  # names of edits in the mark: more than can come within the overlap
MARK = ".otklik-edits"  # in the folder: up to when its edits are there; a hidden file is no article


@dataclass(frozen=True, slots=True)
class ArticleEdit:
    """Files that were written at once, and the suggested examples that were decided by it."""

    name: str
    changes: tuple[FileChange, ...] = ()
    examples: tuple[str, ...] = ()


class ArticleEdits:
    """The edits of all replicas.

    law: an edit is carried out in a folder only where the file is as it was before the edit where it was
    made; nothing that somebody wrote here is written over. In a shared folder it is there already. A folder
    remembers up to when it has them, so that nothing comes back that was deleted since, and a new copy begins
    with now: what was written before is in whatever it was copied from. A folder that cannot be written is
    left to whoever brings it up to date.
    """

    def __init__(self, store: Store, knowledge: Knowledge, clock: Clock) -> None:
        self._store, self._knowledge, self._clock = store, knowledge, clock
        self._folder = knowledge.folder.resolve()
        self._seen: set[str] = set()
        self._log = get_logger("articles")

    # --- the pages of this replica

    async def keep(self, changes: Sequence[FileChange], examples: Sequence[str] = ()) -> str:
        """What was written just now; the name by which it can be undone. Raises `StorageError`."""
        now, name = self._clock(), secrets.token_hex(8)
        rows = [self._row(change.path, change.before, change.after) for change in changes]
        await self._tell(name, {"changes": rows, "examples": list(examples)}, now)
        await self._forget(now)
        return name

    async def find(self, name: str) -> ArticleEdit | None:
        """An edit that can be undone, whichever replica made it. Raises `StorageError`."""
        if (kept := await self._read(name)) is None:
            return None
        changes = tuple(
            FileChange(self._folder / row["path"], _content(row, "before"), _content(row, "after"))
            for row in kept["changes"]
        )
        return ArticleEdit(name, changes, tuple(kept["examples"]))

    async def undone(self, edit: ArticleEdit) -> None:
        """Its files are as they were, here: it cannot be undone again, and the other folders follow. Raises
        `StorageError`.
        """
        await self._store.keep_setting(_setting(edit.name), None)
        if edit.changes:
            rows = [self._row(c.path, c.after, c.before) for c in edit.changes]
            await self._tell(secrets.token_hex(8), {"changes": rows, "examples": []}, self._clock())

    # --- the folder of this replica

    async def run(self) -> None:
        """Carry out what other replicas write, until cancelled; a store of one process has none."""
        while self._store.shared:
            try:
                if await self.catch_up():
                    await asyncio.to_thread(self._knowledge.reload)
            except StorageError as error:  # looked for again
                self._log.error("edits_not_read", error=str(error))
            await asyncio.sleep(EVERY)

    async def catch_up(self) -> int:
        """Carry out what was written since this folder was last brought up to date; how many files were
        changed. Raises `StorageError`.
        """
        now, changed = self._clock(), 0
        since, known = await asyncio.to_thread(self._marked)
        if since is None:
            await asyncio.to_thread(self._mark, now)
            return 0
        told = await self._store.events(since=max(since - OVERLAP, now - KEPT), kinds=(EDITED,))
        others = [str(e.data.get("edit", "")) for e in told if e.data.get("by") != self._store.holder]
        fresh = [name for name in others if name not in self._seen and name not in known]
        for name in fresh:
            kept = await self._read(name)
            for row in kept["changes"] if kept else ():
                changed += await asyncio.to_thread(self._carry_out, row)
            self._seen.add(name)
        if fresh:
            await asyncio.to_thread(self._mark, now, fresh)
        return changed

    def _carry_out(self, row: dict[str, str | None]) -> bool:
        place = row["path"] or ""
        try:
            done = become(self._folder, place, _content(row, "before"), _content(row, "after"))
        except BotError as error:
            self._log.warning("edit_not_carried_out", article=place, error=str(error))
            return False
        if done:
            self._log.info("edit_carried_out", article=place)
        return done

    def _marked(self) -> tuple[datetime | None, tuple[str, ...]]:
        """Up to when the folder has the edits, and the names of the last ones."""
        try:
            until, *names = (self._folder / MARK).read_text("utf-8").split()
            return datetime.fromisoformat(until), tuple(names)
        except (OSError, ValueError):
            return None, ()

    def _mark(self, now: datetime, names: Sequence[str] = ()) -> None:
        """Where the folder cannot be written, nothing can be carried out in it either."""
        last = [*self._marked()[1], *names][-REMEMBERED:]
        beside = self._folder / f"{MARK}.{secrets.token_hex(4)}"
        try:
            beside.write_text("\n".join([now.isoformat(), *last]) + "\n", encoding="utf-8")
            beside.replace(self._folder / MARK)
        except OSError:
            beside.unlink(missing_ok=True)

    # --- the store

    def _row(self, path: Path, before: bytes | None, after: bytes | None) -> dict[str, str | None]:
        row: dict[str, str | None] = {"path": path.relative_to(self._folder).as_posix()}
        for name, content in (("before", before), ("after", after)):
            try:
                row[name] = None if content is None else content.decode("utf-8")
            except UnicodeDecodeError:  # a picture
                row[name] = base64.b64encode(content or b"").decode()
                row["base64"] = f"{row.get('base64', '')} {name}".strip()
        return row

    async def _tell(self, name: str, edit: Json, now: datetime) -> None:
        await self._store.keep_setting(_setting(name), json.dumps(edit, ensure_ascii=False))
        event = Event(EDITED, now, actor="editor", data={"edit": name, "by": self._store.holder})
        await self._store.enqueue([], now, events=[event])
        if self._store.shared:
            await asyncio.to_thread(self._mark, now, [name])

    async def _read(self, name: str) -> dict[str, Any] | None:
        kept = await self._store.setting(_setting(name)) if name else None
        return None if kept is None else dict(json.loads(kept))

    async def _forget(self, now: datetime) -> None:
        """The words of what is too old to be undone."""
        for event in await self._store.events(since=now - 2 * KEPT, until=now - KEPT, kinds=(EDITED,)):
            await self._store.keep_setting(_setting(str(event.data.get("edit", ""))), None)


def _setting(name: str) -> str:
    return f"article_edit:{name}"


def _content(row: Mapping[str, str | None], name: str) -> bytes | None:
    if (text := row[name]) is None:
        return None
    return base64.b64decode(text) if name in (row.get("base64") or "").split() else text.encode("utf-8")
