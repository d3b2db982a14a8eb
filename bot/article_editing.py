"""An editor's work on one article: opened, looked at while it is written, saved as a draft, published, taken
back. The files of the folder are the truth; whoever changed one meanwhile is never written over.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.article_edits import ArticleEdits
from bot.article_history import ArticleHistory, EditorName
from bot.clock import Clock
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import BotError, Problem
from bot.knowledge.articles.blanks import UNFILLED
from bot.knowledge.articles.encodings import read_any
from bot.knowledge.articles.fields import read_fields
from bot.knowledge.articles.file_upload import keep_upload
from bot.knowledge.articles.frontmatter import read_head, split_head
from bot.knowledge.articles.head_keys import with_status
from bot.knowledge.articles.schema import Article, join_articles, read_text
from bot.knowledge.articles.writer import (
    DRAFTS,
    ArticleChanged,
    FileChange,
    OutsideFolder,
    ReadOnlyArticles,
    place_in,
    rewrite,
)
from bot.knowledge.base import ReloadResult
from bot.knowledge.quality.golden import GoldenQuestion, read_golden
from bot.knowledge.quality.publish_effect import Bases, PublishEffect, publish_effect
from bot.knowledge.search import Knowledge
from bot.model import Event
from bot.storage.base import Store

SAVED, PUBLISHED, WITHDRAWN, DISCARDED, UNDONE, ATTACHED = (
    "article_saved",
    "article_published",
    "article_withdrawn",
    "article_discarded",
    "article_undone",
    "article_attached",
)
STEPS = (
    SAVED,
    PUBLISHED,
    WITHDRAWN,
    DISCARDED,
    UNDONE,
    ATTACHED,
)  # events, with who did it
SUFFIXES = (".md", ".markdown")


class UnfitArticle(BotError):
    """The article cannot be published as it is; `problems` say why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class SeenText:
    """What an editor has before them, by marks: of the file, and of the draft of a change; "" = there is
    none.
    """

    file: str = ""
    draft: str = ""


@dataclass(frozen=True, slots=True)
class OpenArticle:
    """An article to work on: its text (the draft of a change where there is one), and how it stands.

    `served` says that customers are answered with the file. `overtaken` is what the file holds now, where a
    draft was begun from something else; `restored` names the version whose text it is.
    """

    place: str
    text: str
    seen: SeenText
    served: bool
    published: str | None = None
    overtaken: str | None = None
    restored: str = ""


@dataclass(frozen=True, slots=True)
class ReadDraft:
    """What a text would be as an article (None = none), its place among the others, and what is wrong."""

    article: Article | None
    problems: tuple[Problem, ...]
    others: tuple[Article, ...] = field(default=(), repr=False)

    @property
    def together(self) -> tuple[Article, ...]:
        """The articles as they would be with it."""
        return self.others if self.article is None else (*self.others, self.article)


class ArticleEditing:
    """The folder of one base, worked on through the pages of any replica."""

    def __init__(
        self,
        store: Store,
        knowledge: Knowledge,
        clock: Clock,
        judge: OfflineDecision,
        golden: Path | None,
        reloaded: Callable[[ReloadResult], Awaitable[None]],
    ) -> None:
        self._store, self._knowledge, self._clock = store, knowledge, clock
        self._judge, self._golden, self._reloaded = judge, golden, reloaded
        self._edits, self._writing = ArticleEdits(store, knowledge, clock), asyncio.Lock()
        self.history = ArticleHistory(store, knowledge.folder, clock)

    # --- looking

    async def open(self, place: str) -> OpenArticle | None:
        """The article at *place*; None where there is no such file.

        Raises `OutsideFolder`, `StorageError`.
        """
        content, draft = await asyncio.to_thread(self._contents, place)
        if content is None and draft is None:
            return None
        file = None if content is None else _text(content)
        text = _text(draft) if draft is not None else file or ""
        base = await self._base(place) if draft is not None else ""
        overtaken = file if draft is not None and base and base != mark(content) else None
        served = content is not None and self.is_served(place, file or "")
        return OpenArticle(
            place, text, SeenText(mark(content), mark(draft)), served, file if served else None, overtaken
        )

    async def changed(self, place: str, seen: SeenText) -> ArticleChanged | None:
        """What is not as an editor saw it; None where all is. Raises `OutsideFolder`."""
        try:
            await self._as_seen(place, seen)
        except ArticleChanged as changed:
            return changed
        return None

    def free_place(self, section: str, name: str) -> str:
        """Where a new article of this name goes: a number is added where the name is taken. Raises
        `OutsideFolder`.
        """
        for number in range(1, 1000):
            stem, dot, rest = name.partition(".")
            place = f"{section}/{stem}{f'-{number}' if number > 1 else ''}{dot}{rest}".lstrip("/")
            if not any(self._path(p).exists() for p in (place, f"{DRAFTS}/{place}")):
                return place
        raise OutsideFolder(name)

    def is_served(self, place: str, text: str) -> bool:
        """Whether customers (or operators) are answered with the file: also with the last good version of one
        that is broken.
        """
        path = self._path(place)
        article, problems = read_text(text, path, self._knowledge.folder)
        if article is not None or not any(p.severity == "error" for p in problems):
            return article is not None and article.status == "published"
        known = (a for a in self._knowledge.staff.articles() if a.path.resolve() == path)
        return any(a.status == "published" for a in known)

    def read(self, place: str, text: str) -> ReadDraft:
        """What *text* would be as the file at *place*, with the links of its words. Raises
        `OutsideFolder`.
        """
        path, folder = self._path(place), self._knowledge.folder
        known = self._knowledge.staff.articles()
        mine = next((a for a in known if a.path.resolve() == path), None)
        others = tuple(a for a in known if a is not mine)
        path = mine.path if mine is not None else folder / place
        article, problems = read_text(text, path, folder, known_channels=self._knowledge.settings.channels)
        if article is None:
            return ReadDraft(None, problems, others)
        article = replace(article, aliases=(*article.aliases, *self._extra(mine, article)))
        joined, faults = join_articles((*others, article), (), folder)
        found = next((a for a in joined if a.path == path), None)
        return ReadDraft(found, (*problems, *faults), tuple(a for a in joined if a is not found))

    def _extra(self, known: Article | None, article: Article) -> tuple[str, ...]:
        """Example questions that stand in a `.yaml` beside it."""
        if known is None or not known.path.is_file():
            return ()
        written, _ = read_text(_text(known.path.read_bytes()), known.path, self._knowledge.folder)
        own = {*(written.aliases if written else known.aliases), *article.aliases}
        return tuple(q for q in known.aliases if q not in own)

    def trial(self, draft: ReadDraft) -> Knowledge:
        """The base as it would be with it."""
        article = replace(draft.article, status="published") if draft.article else None
        return self._knowledge.trial([a for a in replace(draft, article=article).together if not a.internal])

    def effect(self, draft: ReadDraft, golden: bool = True) -> PublishEffect:
        """What its publication would do to the golden questions (where they are wanted) and those of the
        others; to be run in a thread. Raises `ConfigError` where the golden questions cannot be read.
        """
        after = self.trial(draft)
        judges = (self._judge, self._judge.over(after))
        answers = (self._knowledge.answer, after.answer)
        today = self._knowledge.today()
        shown = [
            a
            for a in after.articles()
            if a.status == "published" and (a.valid_until is None or a.valid_until >= today)
        ]
        changed = draft.article.id if draft.article else ""
        goldens = self._goldens() if golden else ()
        return publish_effect(Bases(judges, answers), goldens, shown, changed)

    def _goldens(self) -> Sequence[GoldenQuestion]:
        file = self._golden
        return read_golden(file) if file is not None and file.is_file() else ()

    # --- writing

    async def save(self, place: str, text: str, seen: SeenText, by: EditorName) -> OpenArticle:
        """Keep *text* as a draft that the bot does not serve: beside the file of a published article, else as
        the file itself.

        Raises `ArticleChanged` where either is not as it was *seen*, `OutsideFolder`, `ReadOnlyArticles`,
        `StorageError`; then nothing is written.
        """
        async with self._writing:
            content, draft = await self._as_seen(place, seen)
            if content is not None and self.is_served(place, _text(content)):
                changes = await self._write([(f"{DRAFTS}/{place}", draft, text)])
                await self._keep_base(place, seen.file)
            else:
                text = _unpublished(text)
                changes = await self._write([(place, content, text), (f"{DRAFTS}/{place}", draft, None)])
            await self._done(SAVED, place, changes, by)
        opened = await self.open(place)
        assert opened is not None
        return opened

    async def publish(self, place: str, text: str, seen: SeenText, by: EditorName, **facts: object) -> str:
        """From now on the bot answers from *text*; the name by which that can be undone.

        Raises as `save` does, and `UnfitArticle` where it would be no article that is served.
        """
        async with self._writing:
            content, draft = await self._as_seen(place, seen)
            text = published(text)
            read = await asyncio.to_thread(self.read, place, text)
            if problems := unfit(read):
                raise UnfitArticle(problems)
            changes = await self._write([(place, content, text), (f"{DRAFTS}/{place}", draft, None)])
            await self._store.keep_setting(_setting(place), None)
            return await self._done(PUBLISHED, place, changes, by, **facts)

    async def withdraw(self, place: str, seen: SeenText, by: EditorName) -> str:
        """A published article becomes a draft: the bot answers with it no more. Raises as `save` does."""
        async with self._writing:
            content, _ = await self._as_seen(place, seen)
            text = with_status(_text(content or b""), "draft")
            return await self._done(WITHDRAWN, place, await self._write([(place, content, text)]), by)

    async def discard(self, place: str, seen: SeenText, by: EditorName) -> str:
        """The draft of a change goes, or the article that was never published; it can be undone. Raises as
        `save` does.
        """
        async with self._writing:
            content, draft = await self._as_seen(place, seen)
            what = (f"{DRAFTS}/{place}", draft) if draft is not None else (place, content)
            if draft is None and content is not None and self.is_served(place, _text(content)):
                raise ReadOnlyArticles(place)
            await self._store.keep_setting(_setting(place), None)
            return await self._done(DISCARDED, place, await self._write([(*what, None)]), by)

    async def add_file(self, place: str, name: str, content: bytes, by: EditorName) -> str:
        """Keep a picture or a file for the article; where it is in the folder. Raises `UnfitFile`,
        `ReadOnlyArticles`, `StorageError`. A repeat keeps nothing twice.
        """
        async with self._writing:
            kept, change = await asyncio.to_thread(keep_upload, self._knowledge.folder, name, content)
            if change is not None:
                if self._store.shared:
                    await self._edits.keep([change])
                await self.history.keep(ATTACHED, [change], by)
                await self._tell(ATTACHED, place or kept, by, file=kept)
            return kept

    async def undo(self, name: str, by: EditorName) -> str:
        """The files as they were before a step; where its article is. "" where it cannot be undone any more.

        Raises `ReadOnlyArticles` where somebody wrote there since.
        """
        async with self._writing:
            if (edit := await self._edits.find(name)) is None:
                return ""
            for change in edit.changes:
                await asyncio.to_thread(change.undo)
            await self._edits.undone(edit)
            folder = self._knowledge.folder.resolve()
            places = [c.path.relative_to(folder).as_posix().removeprefix(f"{DRAFTS}/") for c in edit.changes]
            place = places[0] if places else ""
            back = [FileChange(c.path, c.after, c.before) for c in edit.changes]
            await self.history.keep(UNDONE, back, by)
            await self._reload()
            await self._tell(UNDONE, place, by)
            return place

    # --- inside

    async def _reload(self) -> None:
        if done := await asyncio.to_thread(self._knowledge.reload):
            await self._reloaded(done)

    def _path(self, place: str) -> Path:
        if not place.lower().endswith(SUFFIXES):
            raise OutsideFolder(place)
        return place_in(self._knowledge.folder, place)

    def _contents(self, place: str) -> tuple[bytes | None, bytes | None]:
        paths = self._path(place), self._path(f"{DRAFTS}/{place}")
        first, second = (p.read_bytes() if p.is_file() else None for p in paths)
        return first, second

    async def _as_seen(self, place: str, seen: SeenText) -> tuple[bytes | None, bytes | None]:
        content, draft = await asyncio.to_thread(self._contents, place)
        if mark(content) != seen.file:
            raise ArticleChanged(place, content)
        if mark(draft) != seen.draft:
            raise ArticleChanged(place, draft)
        return content, draft

    async def _write(self, files: Sequence[tuple[str, bytes | None, str | None]]) -> list[FileChange]:
        """Each place with what it held and is to hold; where one cannot be written none is."""
        done: list[FileChange] = []
        for place, before, text in files:
            after = None if text is None else text.encode("utf-8")
            try:
                change = await asyncio.to_thread(rewrite, self._knowledge.folder, place, before, after)
            except BotError:
                for change in reversed(done):
                    await asyncio.to_thread(change.undo)
                raise
            done += [change] if change is not None else []
        return done

    async def _done(
        self, kind: str, place: str, changes: Sequence[FileChange], by: EditorName, **facts: object
    ) -> str:
        name = await self._edits.keep(changes) if changes else ""
        if kind != SAVED:
            await self.history.keep(kind, changes, by, str(facts.get("reason", "")))
        await self._reload()
        await self._tell(kind, place, by, **facts)
        return name

    async def _tell(self, kind: str, place: str, by: EditorName, **facts: object) -> None:
        now = self._clock()
        event = Event(kind, now, actor=by.actor, data={"article": place, **facts})
        await self._store.enqueue([], now, events=[event])

    async def _base(self, place: str) -> str:
        """From which text of the file the draft of a change was begun; "" where nobody knows."""
        kept: Mapping[str, str] = json.loads(await self._store.setting(_setting(place)) or "{}")
        return kept.get("base", "")

    async def _keep_base(self, place: str, base: str) -> None:
        await self._store.keep_setting(_setting(place), json.dumps({"base": base}))


def mark(content: bytes | None) -> str:
    """Tells one content of a file from another; "" = there is no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()[:16]


def unfit(draft: ReadDraft) -> tuple[Problem, ...]:
    """Why a text cannot be published: what is broken, and blanks that nobody filled."""
    return tuple(p for p in draft.problems if p.severity == "error" or p.code == UNFILLED)


def published(text: str) -> str:
    """The text of a file that is served; as it is where its head cannot be read."""
    try:
        return with_status(text, "published")
    except ValueError:
        return text


def _unpublished(text: str) -> str:
    """The text of a file that is not served: archived stays archived, what is published becomes a draft."""
    try:
        head, _ = read_head(split_head(text)[0] or "", "")
        shown = head is not None and read_fields(head, "")[0].status == "published"
        return with_status(text, "draft") if shown else text
    except ValueError:
        return text


def _text(content: bytes) -> str:
    return read_any(content).replace("\r\n", "\n").replace("\r", "\n")


def _setting(place: str) -> str:
    return f"article_draft:{place}"
