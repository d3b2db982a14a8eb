"""What an owner may add words to: preambles that carry no question, slang and synonyms, groups of words used
for one another.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import ConfigError
from bot.knowledge.query.words import lemma, words_of
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, read_yaml_file

_DATA = Path(__file__).parents[1] / "data"
_LONGEST = 5


@dataclass(frozen=True, slots=True)
class Synonyms:
    """`same` maps a word or phrase to the words it stands for; `groups` a phrase of lemmas to the meanings it
    may have.
    """

    same: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    preambles: frozenset[tuple[str, ...]] = frozenset()
    _longest: tuple[Mapping[str, int], ...] = field(
        init=False, repr=False, compare=False
    )  # how long a phrase of each kind that a word opens may be

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "_longest",
            tuple(_longest_by_first(phrases) for phrases in (self.same, self.preambles, self.groups)),
        )

    def canonical(self, words: Sequence[str]) -> list[str]:
        """The words with slang and abbreviations replaced; longest phrases first."""
        done: list[str] = []
        longest, i = self._longest[0], 0
        while i < len(words):
            for n in range(min(longest.get(words[i], 0), len(words) - i), 0, -1):
                if (found := self.same.get(tuple(words[i : i + n]))) is not None:
                    done += found
                    i += n
                    break
            else:
                done.append(words[i])
                i += 1
        return done

    def without_preamble(self, words: Sequence[str]) -> list[str]:
        """The words without greetings and politeness; all of them where nothing else would be left."""
        done: list[str] = []
        longest, i = self._longest[1], 0
        while i < len(words):
            for n in range(min(longest.get(words[i], 0), len(words) - i), 0, -1):
                if tuple(words[i : i + n]) in self.preambles:
                    i += n
                    break
            else:
                done.append(words[i])
                i += 1
        return done or list(words)

    def meanings(self, lemmas: Sequence[str]) -> list[str]:
        """Lemmas with every word or phrase that belongs to groups replaced by the names of these groups."""
        done: list[str] = []
        longest = self._longest[2]
        for i, word in enumerate(lemmas):
            if word not in longest:
                done.append(word)
                continue
            for n in range(2, min(longest[word], len(lemmas) - i) + 1):
                done += self.groups.get(tuple(lemmas[i : i + n]), ())
            done += self.groups.get((word,), (word,))
        return done


def _longest_by_first(phrases: Iterable[tuple[str, ...]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for phrase in phrases:
        if phrase:
            found[phrase[0]] = max(found.get(phrase[0], 0), min(len(phrase), _LONGEST))
    return found


def read_speech(files: Iterable[Path] = ()) -> Synonyms:
    """The bundled lists and the owner's *files* over them.

    A file that cannot be read raises `ConfigError`.
    """
    return _read_speech(tuple(files))


@functools.lru_cache(maxsize=8)
def _read_speech(files: tuple[Path, ...]) -> Synonyms:
    same: dict[tuple[str, ...], tuple[str, ...]] = {}
    groups: dict[tuple[str, ...], list[str]] = {}
    preambles: set[tuple[str, ...]] = set()
    for file in (_DATA / "synonyms_ru.yaml", _DATA / "synonyms_en.yaml", *files):
        for name, entry in _entries(file).items():
            if name == "preambles":
                preambles |= {tuple(words_of(str(p))) for p in entry if isinstance(p, str)}
            elif name == "same" and isinstance(entry, dict):
                for target, variants in entry.items():
                    for variant in variants if isinstance(variants, list) else [variants]:
                        same[tuple(words_of(str(variant)))] = tuple(words_of(str(target)))
            elif name == "groups":
                for group in entry:
                    phrases = group if isinstance(group, list) else []
                    first = next(iter(phrases), "")
                    for phrase in phrases:
                        groups.setdefault(tuple(lemma(w) for w in words_of(str(phrase))), []).append(
                            f"#{first}"
                        )
    same.pop((), None)
    groups.pop((), None)
    return Synonyms(
        same, {k: tuple(dict.fromkeys(v)) for k, v in groups.items()}, frozenset(p for p in preambles if p)
    )


def _entries(file: Path) -> Mapping[str, list[object] | dict[str, object]]:
    try:
        root = read_yaml_file(file)
        found = root.value if root else None
    except YamlError as error:
        missing = error.kind == "missing"
        fault = problem("articles.synonyms.missing", str(file)) if missing else error.problem(str(file))
        raise ConfigError([fault]) from error
    if not isinstance(found, dict):
        raise ConfigError([problem("articles.synonyms.no_keys", str(file), 1)])
    plain = all(k not in ("same", "groups", "preambles") for k in found)
    return {"same": found} if plain else found
