"""The versions of articles that the pages made: commits where the folder is a git checkout, else (and where
several replicas are at work) rows of the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.clock import Clock
from bot.knowledge.articles.encodings import read_any
from bot.knowledge.articles.git_history import CommitAuthor, GitHistory
from bot.knowledge.articles.writer import DRAFTS, FileChange
from bot.storage.base import ArticleVersion, Store
from bot.text.problems import told

FOUND = "article_found"  # a version that nobody wrote on the pages: what the file held before


@dataclass(frozen=True, slots=True)
class EditorName:
    """Who works on an article: as events name them, and as people do."""

    actor: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version as it is listed: `key` finds it again, `act` names the step ("" = a commit of git, told by
    its `subject`).
    """

    key: str
    at: datetime
    who: str
    act: str = ""
    subject: str = ""
    gone: bool = False


class ArticleHistory:
    """What the files of one folder held, step by step."""

    def __init__(self, store: Store, folder: Path, clock: Clock) -> None:
        self._store, self._folder, self._clock = store, folder.resolve(), clock
        self._git = GitHistory(self._folder)

    async def keep(self, act: str, changes: Sequence[FileChange], by: EditorName, reason: str = "") -> None:
        """Keep what a step made of the articles; drafts of changes have no history. Raises `StorageError`."""
        mine = [(self._place(c), c) for c in changes]
        mine = [(place, c) for place, c in mine if not place.startswith(f"{DRAFTS}/")]
        if not mine:
            return
        message = told(f"articles.step.{act}", article=mine[0][0]) + (f"\n\n{reason}" if reason else "")
        committed = await asyncio.to_thread(self._commit, [p for p, _ in mine], message, by)
        if committed and not self._store.shared:
            return
        for place, change in mine:
            if _is_binary(change.after) or _is_binary(change.before):
                continue  # pictures have no versions: each has a name of its own
            await self._keep(act, place, change, by, reason)

    def _commit(self, places: Sequence[str], message: str, by: EditorName) -> bool:
        if not all(self._git.is_kept(place) for place in places):
            return False
        name = by.name or by.actor.removeprefix("page:")
        return self._git.commit(places, message, CommitAuthor(name, f"{_plain(by.actor)}@otklik.invalid"))

    async def _keep(self, act: str, place: str, change: FileChange, by: EditorName, reason: str) -> None:
        """The step, and before it what was found, where that is in no version."""
        known = await self._store.article_versions(place)
        before, now = _text(change.before), self._clock()
        if before is not None and (not known or known[0].content != before):
            await self._store.keep_version(ArticleVersion(place, now, "", FOUND, before))
        version = ArticleVersion(place, now, by.actor, act, _text(change.after), reason)
        await self._store.keep_version(version)

    async def versions(self, place: str) -> tuple[KeptVersion, ...]:
        """All that is known of a file, the newest first. Raises `StorageError`."""
        rows = await self._store.article_versions(place)
        commits = await asyncio.to_thread(self._git.commits, place)
        found = [
            KeptVersion(f"s{v.id}", v.at, v.actor, v.act, v.reason, gone=v.content is None) for v in rows
        ]
        found += [KeptVersion(f"g{c.hash}", c.at, c.author, "", c.subject) for c in commits]
        return tuple(sorted(found, key=lambda v: v.at, reverse=True))

    async def text(self, place: str, key: str) -> str | None:
        """What the file held in a version; None where there is no such version, or no file in it. Raises
        `StorageError`.
        """
        if key.startswith("g"):
            return await asyncio.to_thread(self._git.text, key[1:], place)
        rows = await self._store.article_versions(place)
        return next((v.content for v in rows if f"s{v.id}" == key), None)

    def _place(self, change: FileChange) -> str:
        return change.path.relative_to(self._folder).as_posix()


def _text(content: bytes | None) -> str | None:
    return None if content is None else read_any(content)


def _is_binary(content: bytes | None) -> bool:
    try:
        return content is not None and "\0" in content.decode("utf-8")
    except UnicodeDecodeError:
        return b"\0" in (content or b"")


def _plain(actor: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in actor)
