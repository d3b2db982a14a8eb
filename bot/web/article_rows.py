"""The list of articles as the editor's page shows it: how each stands, what is wrong with it, and what was
deleted lately.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Problem
from bot.knowledge.articles.schema import Article
from bot.knowledge.articles.writer import DRAFTS
from bot.model import Event

STATES = ("all", "published", "draft", "changed", "internal", "problems")
DELETED = 20  # articles that are named


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """One article of the list: `place` is its file in the folder, `changed` says that a draft of a change
    waits, `problems` counts what is wrong. A file that gives no article has its place as the title.
    """

    place: str
    title: str
    section: str
    id: str = ""
    lang: str = ""
    status: str = ""
    internal: bool = False
    changed: bool = False
    problems: int = 0

    def has(self, state: str) -> bool:
        """Whether it belongs to this state."""
        match state:
            case "published" | "draft":
                return self.status == state
            case "changed":
                return self.changed
            case "internal":
                return self.internal
            case "problems":
                return self.problems > 0
        return True


def article_rows(
    articles: Iterable[Article], problems: Sequence[Problem], folder: Path, wanted: str
) -> list[ArticleRow]:
    """Those whose words hold what is *wanted*, by section and title; files that give no article come, too."""
    found = Counter(_place(Path(p.file), folder) for p in problems if p.file)
    rows = []
    for article in articles:
        place = _place(article.path, folder)
        words = f"{article.id} {article.title} {' '.join(article.aliases)} {' '.join(article.tags)}"
        count, draft = found.pop(place, 0), folder / DRAFTS / place
        if wanted in words.casefold():
            rows.append(_row(article, place, count, draft.is_file()))
    broken = [(place, n) for place, n in found.items() if place.endswith((".md", ".markdown"))]
    rows += [
        ArticleRow(place, place, place.rpartition("/")[0], problems=n)
        for place, n in broken
        if wanted in place.casefold() and (folder / place).is_file()
    ]
    return sorted(rows, key=lambda r: (r.section, r.title))


def counts_of(rows: Sequence[ArticleRow]) -> Mapping[str, int]:
    """How many there are of each state; those that none has are left out."""
    counts = {state: sum(row.has(state) for row in rows) for state in STATES}
    return {state: n for state, n in counts.items() if n or state == "all"}


def deleted_places(events: Sequence[Event], folder: Path) -> Sequence[str]:
    """The files that were deleted on the pages and are not there again, the latest first."""
    places = dict.fromkeys(str(e.data.get("article", "")) for e in reversed(events))
    return [place for place in places if place and not (folder / place).exists()][:DELETED]


def _row(article: Article, place: str, count: int, changed: bool) -> ArticleRow:
    return ArticleRow(
        place,
        article.title,
        article.section,
        article.id,
        article.lang,
        article.status,
        article.internal,
        changed,
        count,
    )


def _place(path: Path, folder: Path) -> str:
    path, folder = path.resolve(), folder.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""
