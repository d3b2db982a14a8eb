"""What a check of the base finds, and where in which file it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from bot.knowledge.articles.schema import Article, article_files
from bot.text.yaml_source import read_own

_DATA = Path(__file__).parents[2] / "data"


@dataclass(frozen=True, slots=True)
class LintFault:
    """One finding without words: `code` names them in data/lint.yaml, `facts` fill them in."""

    code: str
    file: str
    line: int = 1
    column: int = 1
    facts: Mapping[str, object] = field(default_factory=dict)


@cache
def read_fillers() -> frozenset[str]:
    """Words that do not change what is asked, in all languages."""
    groups: list[dict[str, str]] = read_own(_DATA / "fillers.yaml")
    return frozenset(word for group in groups for words in group.values() for word in words.split())


class ArticleSources:
    """The files as they are written, to say where a text stands; *texts* are those not written yet."""

    def __init__(self, folder: Path, texts: Mapping[Path, str] = MappingProxyType({})) -> None:
        self.folder = folder
        self._rows = {path: text.splitlines() for path, text in texts.items()}

    def rows(self, path: Path) -> list[str]:
        """The lines of a file; none where it cannot be read."""
        if path not in self._rows:
            try:
                self._rows[path] = path.read_text("utf-8-sig").splitlines()
            except (OSError, UnicodeDecodeError):
                self._rows[path] = []
        return self._rows[path]

    def question(self, article: Article, question: str) -> tuple[str, int, int]:
        """File, line and column of an example question: in the article's head, else in a `.yaml` of extra
        questions.
        """
        extras = (
            (p for p in article_files(self.folder) if p.suffix.lower() in (".yaml", ".yml"))
            if self.folder.is_dir()
            else ()
        )
        for path in (article.path, *extras):
            for number, row in enumerate(self.rows(path), 1):
                column = row.find(question)
                if column >= 0:
                    return path.as_posix(), number, column + 1
        return article.path.as_posix(), article.places.get("aliases", article.places.get("title", 1)), 1

    def column(self, article: Article, line: int, text: str) -> int:
        """Where *text* begins in a line of the article's file, 1 where it is not found as it is."""
        rows = self.rows(article.path)
        return max(0, rows[line - 1].find(text)) + 1 if 0 < line <= len(rows) else 1
