"""The folder of an owner's bot: config, three articles of the trade, ready answers, a file for tokens."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.setup.opening_hours import STARTER, country_of

TRADES = ("shop", "salon", "repair", "courses", "other")
CONFIG, TOKENS, IGNORED = "config.yaml", ".env", ".gitignore"
READY = "answers.yaml"
PRIVATE = 0o600  # tokens are read by their owner alone


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What is asked before a folder is made; `trade` is "" where no starting articles are wanted, `week` is
    the opening hours by weekday.
    """

    name: str
    trade: str
    language: str
    timezone: str
    week: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnerFolder:
    """Where the parts of a bot lie: the folder itself, and in it those of articles and of ready answers ("" =
    its config names none).
    """

    path: Path
    articles: str = "kb_articles"
    canned: str = "canned"

    @property
    def config(self) -> Path:
        return self.path / CONFIG

    def trade(self, language: str) -> str:
        """The trade whose starting articles are there; "" where there is none of them."""
        folder = self.path / self.articles
        found = {
            trade: sum(
                _is_ours(folder / name, STARTER / language / "articles" / trade / name)
                for name in _article_names(language, trade)
            )
            for trade in TRADES
        }
        best = max(found, key=lambda trade: found[trade])
        return best if found[best] else ""

    @property
    def has_articles(self) -> bool:
        """Whether somebody wrote articles here before."""
        return any((self.path / self.articles).rglob("*.md"))

    def write(self, facts: FolderFacts) -> WrittenFiles:
        """Make what is missing; a file that is there stays as it is. No starting articles join those of an
        owner (`trade` is "").

        Raises OSError where the folder cannot be written to: what was made before stays and is complete.
        """
        made, kept = [], []
        for file, text in self._files(facts):
            if _made(file, text, PRIVATE if file.name == TOKENS else 0o644):
                made.append(file)
            else:
                kept.append(file)
        return WrittenFiles(tuple(made), tuple(kept))

    def _files(self, facts: FolderFacts) -> Iterator[tuple[Path, str]]:
        source = STARTER / facts.language
        yield self.config, _config(facts)
        for name in _article_names(facts.language, facts.trade) if facts.trade else ():
            text = (source / "articles" / facts.trade / name).read_text("utf-8")
            yield self.path / self.articles / name, text
        if self.canned:
            parts = ("common", facts.trade or TRADES[-1])
            ready = [(source / "canned" / f"{part}.yaml").read_text("utf-8") for part in parts]
            yield self.path / self.canned / READY, "".join(ready)
        yield self.path / TOKENS, (source / "env.txt").read_text("utf-8")
        yield self.path / IGNORED, (source / "gitignore.txt").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """Which files were made, and which were there already."""

    made: tuple[Path, ...]
    kept: tuple[Path, ...]


def _is_ours(file: Path, start: Path) -> bool:
    """Whether *file* began as the article *start*: it has that name and still that title."""
    if not file.is_file():
        return False
    title = start.read_text("utf-8").splitlines()[1]
    return title in file.read_text("utf-8-sig", errors="replace").splitlines()[:20]


def _article_names(language: str, trade: str) -> list[str]:
    return sorted(file.name for file in (STARTER / language / "articles" / trade).glob("*.md"))


def _config(facts: FolderFacts) -> str:
    text = (STARTER / facts.language / "config.yaml").read_text("utf-8")
    week = ", ".join(f"{day}: {json.dumps(hours)}" for day, hours in facts.week.items())
    values = {
        "name": json.dumps(" ".join(facts.name.split()), ensure_ascii=False),
        "timezone": facts.timezone,
        "week": f"{{{week}}}",
        "country": country_of(facts.timezone) or "null",
    }
    for name, value in values.items():
        text = text.replace(f"@@{name}@@", value)
    return text


def _made(file: Path, text: str, mode: int) -> bool:
    """Whether *file* was made with *text*: never over one that is there, and never half of it."""
    if os.path.lexists(file):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8", newline="\n"
        ) as new:
            new.write(text)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return True
