"""What an editor does about a gap: one more example for an article, or the draft of a new one, written so
that a reload reads whole files.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import BotError
from bot.knowledge.articles.drafts import slug_of, with_question
from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.gaps import DraftWords, Encode, Gap, draft
from bot.knowledge.search import Knowledge

if sys.platform == "win32":  # pragma: no cover (one process at a time writes there)

    def _hold(folder: int) -> None:
        pass

else:
    import fcntl

    def _hold(folder: int) -> None:
        fcntl.flock(folder, fcntl.LOCK_EX)


DRAFTS = "_drafts"  # in the folder: unpublished changes of published articles, under their paths
LONGEST_NAME = 200  # bytes of a file's name: what is written beside it has a longer one
_ONE_AT_A_TIME = threading.Lock()


class ReadOnlyArticles(BotError):
    """The articles cannot be written to here; nothing was changed."""


class ArticleExists(BotError):
    """There is such an article already; nothing was changed. The text is its id."""


class ArticleChanged(BotError):
    """The file is not as whoever changes it knows it; nothing was changed. `current` is what it holds now."""

    def __init__(self, name: str, current: bytes | None) -> None:
        super().__init__(name)
        self.current = current


class OutsideFolder(BotError):
    """The place is not inside the folder of articles; nothing was changed."""


def encoder_of(knowledge: Knowledge) -> Encode | None:
    """What makes vectors of questions, where the knowledge base runs on some."""
    if not knowledge.status.embeddings:
        return None
    from bot.knowledge.encoder.loader import load

    model = knowledge.settings.model
    encoder = load("light" if model in ("auto", "e5") else model, knowledge.cache)
    return lambda texts: encoder.encode(list(texts), query=True)


def changed_at(knowledge: Knowledge, article: str) -> datetime | None:
    """When an article's file was last written; None where there is none."""
    found = knowledge.article(article)
    try:
        return datetime.fromtimestamp(found.path.stat().st_mtime, UTC) if found else None
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that was written: what it held before (None = it was not there) and what it holds now."""

    path: Path
    before: bytes | None
    after: bytes | None

    def undo(self) -> None:
        """Brings the file back as it was.

        Raises `ReadOnlyArticles` where somebody wrote it since, or it cannot be written.
        """
        try:
            with _alone_in(self.path.parent):
                if (self.path.read_bytes() if self.path.exists() else None) != self.after:
                    raise ReadOnlyArticles(self.path.name)
                _put(self.path, self.before)
        except OSError as error:
            raise ReadOnlyArticles(error.strerror or self.path.name) from error


def add_question(article: Article, question: str) -> bool:
    """One more example question in the article's head, the rest as it was; False where it was there already.

    Raises as `add_questions` does.
    """
    return add_questions(article, [question]) is not None


def add_questions(article: Article, questions: Sequence[str]) -> FileChange | None:
    """More example questions in the article's head, the rest as it was; None where all were there already.

    Whoever else writes it this way waits, in this process or another, so that nobody's example is lost.
    Raises `ValueError` where the head cannot be read, `ReadOnlyArticles` where the file cannot be changed:
    then it is as it was.
    """
    path = article.path.resolve()
    try:
        with _alone_in(path.parent):
            was = path.read_bytes()
            before = text = was.decode("utf-8")
            for question in questions:
                text = with_question(text, question)
            if text == before:
                return None
            if not os.access(path, os.W_OK):
                raise ReadOnlyArticles(path.name)
            _replace(path, text.encode("utf-8"))
    except OSError as error:
        raise ReadOnlyArticles(error.strerror or path.name) from error
    return FileChange(path, was, text.encode("utf-8"))


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One writer of a folder's articles at a time; the operating system lets go when a process dies."""
    with _ONE_AT_A_TIME:
        if sys.platform == "win32":  # pragma: no cover
            yield
            return
        place = os.open(folder, os.O_RDONLY)
        try:
            _hold(place)
            yield
        finally:
            os.close(place)


def write_draft(
    folder: Path,
    section: str,
    gap: Gap,
    *,
    placeholder: str,
    replies: Sequence[str] | None = None,
    words: DraftWords | None = None,
) -> Path:
    """A draft article about *gap* in a section of *folder*, for a person to edit; returns its file. *replies*
    are the operators' words it is made of (None = all), *words* what was made of them.

    Raises `OutsideFolder`, `ArticleExists` or `ReadOnlyArticles`; a repeat is `ArticleExists`.
    """
    folder = folder.resolve()
    title, text = draft(gap, placeholder=placeholder, replies=replies, words=words)
    target = _place(folder, f"{section.strip().strip('/')}/{slug_of(title)}.md".lstrip("/"))
    if target.exists():
        raise ArticleExists(target.relative_to(folder).with_suffix("").as_posix())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:  # somebody was quicker; or the section is a file
        raise (
            ArticleExists(target.relative_to(folder).with_suffix("").as_posix())
            if target.exists()
            else ReadOnlyArticles(section)
        ) from error
    except OSError as error:
        raise ReadOnlyArticles(error.strerror or target.name) from error
    return target


def become(folder: Path, place: str, before: bytes | None, after: bytes | None) -> bool:
    """Make of the file at *place* in *folder* what it became elsewhere (None = it is not there); False where
    it is not as it was there before, and then nothing is changed.

    Raises `OutsideFolder`, `ReadOnlyArticles`.
    """
    try:
        return rewrite(folder, place, before, after) is not None
    except ArticleChanged:
        return False


def rewrite(folder: Path, place: str, before: bytes | None, after: bytes | None) -> FileChange | None:
    """Write a file of *folder* (None = take it away) that is still as it was *before*; None where that is
    what it is to become.

    Raises `ArticleChanged` where somebody changed it meanwhile, `OutsideFolder`, `ReadOnlyArticles`.
    """
    path = place_in(folder, place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(path.parent):
            if (now := path.read_bytes() if path.exists() else None) != before:
                raise ArticleChanged(path.name, now)
            if before == after:
                return None
            if before is not None and not os.access(path, os.W_OK):
                raise ReadOnlyArticles(path.name)
            _put(path, after)
    except OSError as error:
        raise ReadOnlyArticles(error.strerror or path.name) from error
    return FileChange(path, before, after)


def place_in(folder: Path, place: str) -> Path:
    """The file at *place* in *folder*, among the articles or among the drafts of changes (`DRAFTS`).

    Raises `OutsideFolder`.
    """
    inner = place.removeprefix(f"{DRAFTS}/")
    return _place(folder.resolve() / DRAFTS if inner != place else folder.resolve(), inner)


def _place(folder: Path, place: str) -> Path:
    try:
        target = (folder / place).resolve()
        long = any(len(part.encode("utf-8")) > LONGEST_NAME for part in target.parts)
    except ValueError as error:  # no name of a file: a NUL, half a character
        raise OutsideFolder(place) from error
    if (
        long
        or not target.is_relative_to(folder)
        or any(part.startswith((".", "_")) for part in target.relative_to(folder).parts)
    ):
        raise OutsideFolder(place)
    return target


def _put(path: Path, content: bytes | None) -> None:
    """What the file is to hold; None takes it away."""
    if content is None:
        path.unlink(missing_ok=True)
    elif path.exists():
        _replace(path, content)
    else:
        with path.open("xb") as file:
            file.write(content)


def _replace(path: Path, content: bytes) -> None:
    """The whole new file in place of the old one, with its rights: nobody reads a half."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a full disk shows here, before the old file is gone
        beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
