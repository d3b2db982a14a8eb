"""Ready answers: templates of the business in a folder of YAML files, found by a word however it is typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateError, TemplateSyntaxError
from rapidfuzz import fuzz

from bot.errors import ConfigError, Problem
from bot.handoff.sla.hours import Hours
from bot.i18n.filters import Phrases
from bot.i18n.sandbox import Sandbox, bare_variables
from bot.i18n.texts import Texts
from bot.model import RichText
from bot.text.markdown import fill, to_rich
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, YamlNode, read_yaml_file

BUILTIN = "builtin"  # in place of a folder: the ready answers that come with the bot
ALIKE = 70  # how alike (0..100) a typed word and a name must be
SHOWN = 5
ROOT = 5  # letters of a word that two of its forms share
_KEYS = frozenset({"title", "words", "text"})


def builtin_answers(language: str) -> Path:
    """The folder of the ready answers that come with the bot, in the language of the business."""
    folder = Path(__file__).parent / "ready" / language
    return folder if folder.is_dir() else folder.with_name("en")


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """One ready answer: its key, what operators call it, further words it is found by, the template and where
    it stands.
    """

    key: str
    title: str
    text: str
    words: tuple[str, ...] = ()
    file: str = ""
    line: int = 0

    @property
    def roots(self) -> frozenset[str]:
        """What a customer's words are compared with."""
        return _roots(" ".join((self.key, self.title, *self.words)))

    def likeness(self, typed: str) -> float:
        """How well a typed word fits, 0..100."""
        names = [n.casefold() for n in (self.key, self.title, *self.words)]
        if any(n.startswith(typed) for n in names):
            return 100.0
        return max(
            max(fuzz.ratio(typed, n), fuzz.partial_ratio(typed, n) - 5 if len(typed) > 3 else 0.0)
            for n in names
        )


@dataclass(frozen=True, slots=True)
class MissingValues:
    """The values without which a ready answer would have a gap, as its editor wrote them: customer, order,
    customer.fields.size.
    """

    values: tuple[str, ...]


class CannedAnswers:
    """All ready answers of a folder.

    Read again when a file changed; a fault then leaves the older ones standing.
    """

    def __init__(self, folder: Path | None, texts: Texts, hours: Hours) -> None:
        self._folder = folder
        self._sandbox = Sandbox(Phrases(texts.text, hours.zone).filters())
        self._stamp: object = None
        self._all: Mapping[str, CannedAnswer] = {}
        self._read()

    def find(self, typed: str) -> tuple[CannedAnswer, ...]:
        """The likeliest first; all of them (as far as they are shown) for no word."""
        self._refresh()
        typed = typed.strip().casefold()
        if not typed:
            return tuple(self._all.values())[:SHOWN]
        scored = sorted(((r.likeness(typed), r) for r in self._all.values()), key=lambda s: -s[0])
        return tuple(r for score, r in scored if score >= ALIKE)[:SHOWN]

    def fitting(self, said: str) -> tuple[CannedAnswer, ...]:
        """Those whose names and words a customer's text has, the most in common first; short words and
        endings say nothing.
        """
        self._refresh()
        roots = _roots(said)
        found = [(len(roots & r.roots), r) for r in self._all.values()]
        return tuple(r for common, r in sorted(found, key=lambda f: -f[0]) if common)

    @property
    def answers(self) -> tuple[CannedAnswer, ...]:
        """All of them, in the order of the files."""
        return tuple(self._all.values())

    def get(self, key: str) -> CannedAnswer | None:
        return self._all.get(key)

    def fill(self, ready: CannedAnswer, facts: Mapping[str, object]) -> RichText | MissingValues | None:
        """The answer for this customer; which values it lacks for them; None where it cannot be made at
        all.
        """
        lacking: list[str] = []
        try:
            template = self._sandbox.compiled(ready.text, ready.file, whole=True)
            markdown, kept = self._sandbox.run(template, {**facts, "_lacking": lacking})
        except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError):
            return MissingValues(tuple(dict.fromkeys(lacking))) if lacking else None
        return MissingValues(tuple(dict.fromkeys(lacking))) if lacking else fill(to_rich(markdown), kept)

    def _refresh(self) -> None:
        if self._folder is not None and _stamp(self._folder) != self._stamp:
            try:
                self._read()
            except ConfigError:
                self._stamp = _stamp(self._folder)

    def _read(self) -> None:
        if self._folder is None:
            return
        if not self._folder.is_dir():
            raise ConfigError([problem("texts.canned.no_folder", self._folder.as_posix())])
        found: dict[str, CannedAnswer] = {}
        problems: list[Problem] = []
        for path in sorted(self._folder.glob("*.y*ml")):
            for ready in self._file(path, problems):
                if ready.key in found:
                    problems.append(
                        problem("texts.canned.twice", str(path), name=ready.key, other=found[ready.key].file)
                    )
                found[ready.key] = ready
        if problems:
            raise ConfigError(problems)
        self._all, self._stamp = found, _stamp(self._folder)

    def _file(self, path: Path, problems: list[Problem]) -> Sequence[CannedAnswer]:
        try:
            root = read_yaml_file(path)
        except YamlError as error:
            problems.append(error.problem(str(path)))
            return ()
        if root is not None and root.value is not None and root.kind != "map":
            problems.append(problem("texts.canned.not_a_mapping", str(path), root.line))
            return ()
        made = []
        for key, (place, value) in root.pairs.items() if root else ():
            text = value if value.kind == "text" else value.get("text")
            if text is None or text.kind != "text" or text.value is None or not _is_ready(value):
                problems.append(problem("texts.canned.shape", str(path), place.line, name=key))
                continue
            told = (value.get("title"), *_listed(value.get("words")), text)
            problems += [cut.problem(str(path)) for node in told if node and (cut := node.cut_words())]
            problems += self._faults(key, text, path)
            title = value.get("title")
            words = tuple(w.text for w in _listed(value.get("words")))
            called = (title.text if title else "") or key
            made.append(CannedAnswer(key, called, text.text, words, str(path), text.line))
        return made

    def _faults(self, key: str, text: YamlNode, path: Path) -> list[Problem]:
        first, file = text.line + text.block - 1, str(path)
        try:
            found = [
                problem("texts.canned.template", file, first + at, hint=hint, name=key, why=words)
                for words, at, hint in self._sandbox.faults(self._sandbox.parse(text.text))
            ]
        except TemplateSyntaxError as error:
            found = [problem("texts.canned.syntax", file, first + error.lineno, name=key)]
        except TemplateError:
            found = [problem("texts.canned.syntax", file, first + 1, name=key)]
        return found + [
            problem("texts.canned.bare", file, first + at, hint=hint, name=key, found=bare)
            for bare, at, hint in bare_variables(text.text)
        ]


def _is_ready(value: YamlNode) -> bool:
    known = not set(value.pairs) - _KEYS
    title = value.get("title")
    return (
        known
        and (title is None or title.kind == "text")
        and all(w.kind == "text" for w in _listed(value.get("words")))
    )


def _listed(node: YamlNode | None) -> Sequence[YamlNode]:
    if node is None:
        return ()
    return node.items if node.kind == "list" else [node]


def _roots(text: str) -> frozenset[str]:
    return frozenset(w[:ROOT] for w in re.findall(r"\w{4,}", text.casefold().replace("ё", "е")))


def _stamp(folder: Path) -> object:
    return tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.glob("*.y*ml")))
