"""The folder of articles as it is now: only changed files are read again, and a broken file keeps its last
good version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Problem
from bot.knowledge.articles.encodings import read_any
from bot.knowledge.articles.frontmatter import hides_from_customers
from bot.knowledge.articles.schema import Article, ExtraQuestions, article_files, join_articles, read_file
from bot.knowledge.articles.strays import stray_files
from bot.text.problems import problem

Stamp = tuple[int, int]
HEAD = 4000  # characters of a broken file in which its head is looked for


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One file: its stamp, what it holds, what is wrong with it.

    `composed` files include or name others and are always read again.
    """

    stamp: Stamp
    found: Article | ExtraQuestions | None
    problems: tuple[Problem, ...]
    composed: bool


class ArticleRepository:
    """Reads a folder again and again, cheaply."""

    def __init__(self, folder: Path, known_channels: Sequence[str] = ()) -> None:
        self.folder, self.known_channels = folder, tuple(known_channels)
        self._shelves: dict[Path, ReadFile] = {}

    def read(self) -> tuple[tuple[Article, ...], tuple[Problem, ...]]:
        """All articles and all problems now.

        Never raises: a folder that is gone is a problem, and what was read stays.
        """
        if not self.folder.is_dir():
            kept, _ = self._joined(self._shelves)
            return kept, (problem("articles.no_folder", str(self.folder), code="KB001"),)
        shelves: dict[Path, ReadFile] = {}
        for path in article_files(self.folder):
            known = self._shelves.get(path)
            if (stamp := _stamp(path)) is None:
                continue
            if known and known.stamp == stamp and not known.composed:
                shelves[path] = known
                continue
            found, problems = read_file(path, self.folder, known_channels=self.known_channels)
            broken = found is None and any(p.severity == "error" for p in problems)
            if broken and known and not _is_internal_now(path, problems):
                found = known.found
            shelves[path] = ReadFile(stamp, found, problems, _is_composed(path) or _names_files(found))
        self._shelves = shelves
        articles, joint = self._joined(shelves)
        return articles, (
            *(p for s in shelves.values() for p in s.problems),
            *stray_files(self.folder),
            *joint,
        )

    def is_changed(self) -> bool:
        """Whether a file came, went or was written since the last `read`, by its time and size: cheap, and
        true on folders whose file system tells of no changes (a network share).
        """
        now = {path: stamp for path in article_files(self.folder) if (stamp := _stamp(path)) is not None}
        return now != {path: shelf.stamp for path, shelf in self._shelves.items()}

    def kept(self) -> dict[Path, ReadFile]:
        """What the next start makes this library of again, by `restore`."""
        return self._shelves

    def restore(self, kept: dict[Path, ReadFile]) -> tuple[Article, ...]:
        """Takes over what another start had read; the articles as they were then."""
        self._shelves = kept
        return self._joined(kept)[0]

    def _joined(self, shelves: dict[Path, ReadFile]) -> tuple[tuple[Article, ...], tuple[Problem, ...]]:
        found = [s.found for s in shelves.values()]
        articles = [f for f in found if isinstance(f, Article)]
        return join_articles(articles, [f for f in found if isinstance(f, ExtraQuestions)], self.folder)


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _is_internal_now(path: Path, problems: Sequence[Problem]) -> bool:
    """law: a broken file that is meant for operators from now on leaves no version for customers."""
    if any(p.code == "KB039" for p in problems):
        return True
    try:
        return hides_from_customers(read_any(path.read_bytes())[:HEAD])
    except (OSError, UnicodeDecodeError):
        return False


def _names_files(found: Article | ExtraQuestions | None) -> bool:
    """Whether it names pictures or files, which may come and go without it."""
    return isinstance(found, Article) and bool(
        found.images or found.files or any(link.kind in ("image", "file") for link in found.links)
    )


def _is_composed(path: Path) -> bool:
    if path.suffix.lower() not in (".md", ".markdown"):
        return False
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return b"![[" in text or (b"include" in text and b"{{" in text)
