"""The listed words that tell what a customer does: of a call for a person, of anger, of a courtesy; the owner
may add to them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bot.errors import ConfigError, Problem
from bot.knowledge.query.words import fold
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, read_own, read_yaml_file


class WordCounts(NamedTuple):
    """How many words and phrases of each category a text holds, in the order the weights were trained in."""

    person: int = 0
    call: int = 0
    bot: int = 0
    greeting: int = 0
    thanks: int = 0
    bye: int = 0
    filler: int = 0
    asking: int = 0
    negation: int = 0
    helped: int = 0
    profanity: int = 0
    insult: int = 0
    accusation: int = 0
    threat: int = 0
    outrage: int = 0
    again: int = 0

    @property
    def angry(self) -> int:
        """Words of any kind of anger."""
        return self.profanity + self.insult + self.accusation + self.threat + self.outrage


CATEGORIES = WordCounts._fields


@dataclass(frozen=True, slots=True, eq=False)
class IntentWords:
    """The words of each category: whole words, beginnings of words, and phrases of several words."""

    exact: Mapping[str, tuple[int, ...]]
    beginnings: tuple[tuple[int, tuple[str, ...]], ...]
    phrases: tuple[tuple[int, re.Pattern[str]], ...]

    def categories(self, word: str) -> tuple[int, ...]:
        """The categories one folded *word* belongs to."""
        return _categories(self, word)


@functools.lru_cache(maxsize=50_000)
def _categories(words: IntentWords, word: str) -> tuple[int, ...]:
    return (*words.exact.get(word, ()), *(c for c, starts in words.beginnings if word.startswith(starts)))


def read_words(extra: Sequence[Path] = ()) -> IntentWords:
    """The bundled words and those of the owner's files.

    Raises ConfigError with every problem of the files.
    """
    table: dict[str, list[str]] = read_own(Path(__file__).parents[1] / "data" / "acts_words.yaml")
    problems: list[Problem] = []
    for path in extra:
        try:
            root = read_yaml_file(path)
            own = (root.value if root else None) or {}
        except YamlError as error:
            problems.append(error.problem(str(path)))
            continue
        for category, words in own.items() if isinstance(own, dict) else [("", None)]:
            if category not in CATEGORIES or not isinstance(words, list):
                problems.append(
                    problem(
                        "articles.words.category", str(path), category=category, known=", ".join(CATEGORIES)
                    )
                )
                continue
            table.setdefault(category, []).extend(words)
    if problems:
        raise ConfigError(problems)
    return _words_of(table)


def _words_of(table: Mapping[str, Sequence[str]]) -> IntentWords:
    exact: dict[str, tuple[int, ...]] = {}
    beginnings: dict[int, list[str]] = {}
    phrases: dict[int, list[str]] = {}
    for number, category in enumerate(CATEGORIES):
        for entry in map(fold, table.get(category, ())):
            if " " in entry:
                phrases.setdefault(number, []).append(
                    re.escape(entry).replace(r"\*", r"\w*").replace(r"\ ", r"\W+")
                )
            elif entry.endswith("*"):
                beginnings.setdefault(number, []).append(entry[:-1])
            else:
                exact[entry] = (*exact.get(entry, ()), number)
    return IntentWords(
        exact,
        tuple((c, tuple(b)) for c, b in beginnings.items()),
        tuple((c, re.compile(rf"(?<!\w)(?:{'|'.join(p)})(?!\w)")) for c, p in phrases.items()),
    )


@functools.cache
def bundled_words() -> IntentWords:
    return read_words()
