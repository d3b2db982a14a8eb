"""Scenarios of mystery customers: what they say after each answer, and what is expected of the operator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import ConfigError, Problem
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, YamlNode, read_yaml_file

_KEYS = frozenset({"title", "trade", "customer", "expects", "lines"})
_LINE_KEYS = frozenset({"if", "say", "else"})


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """What the customer says; *otherwise* where the operator's words have none of *words*."""

    say: str
    words: tuple[str, ...] = ()
    otherwise: str = ""

    def after(self, answer: str) -> str:
        """The line that follows the operator's *answer*."""
        if not self.words or any(re.search(_pattern(w), answer, re.IGNORECASE) for w in self.words):
            return self.say
        return self.otherwise or self.say


@dataclass(frozen=True, slots=True)
class Scenario:
    """A conversation to be played: the first line opens it, each further one follows an answer."""

    name: str
    title: str
    lines: tuple[ScenarioStep, ...]
    trade: str = ""
    customer: str = ""
    expects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenarios:
    """All that are known, the business's own first."""

    known: Mapping[str, Scenario] = field(default_factory=dict)

    def named(self, name: str) -> Scenario | None:
        typed = name.strip().casefold()
        return next(
            (s for s in self.known.values() if typed in (s.name.casefold(), s.title.casefold())), None
        )


def builtin_scenarios(language: str) -> Path:
    """The file of those that come with the bot."""
    folder = Path(__file__).parent / "builtin"
    file = folder / f"{language}.yaml"
    return file if file.is_file() else folder / "en.yaml"


def read_scenarios(language: str, own: Path | None) -> Scenarios:
    """Ours, and those of the folder *own*; one of its own name stands in place of ours. Raises `ConfigError`
    with every fault of the files.
    """
    problems: list[Problem] = []
    if own is not None and not own.is_dir():
        raise ConfigError([problem("scenarios.no_folder", own.as_posix())])
    files = sorted(p for p in own.iterdir() if p.suffix in (".yaml", ".yml")) if own is not None else []
    mine = {s.name: s for file in files for s in _read(file, problems)}
    ours = {s.name: s for s in _read(builtin_scenarios(language), problems)}
    if problems:
        raise ConfigError(problems)
    return Scenarios({**mine, **{name: s for name, s in ours.items() if name not in mine}})


def _read(file: Path, problems: list[Problem]) -> Iterable[Scenario]:
    try:
        root = read_yaml_file(file)
    except YamlError as error:
        problems.append(error.problem(str(file)))
        return
    for name, (place, node) in root.pairs.items() if root is not None else ():
        given = node.get("lines")
        lines = [_line(n) for n in given.items] if given is not None and given.kind == "list" else []
        told = tuple(line for line in lines if line is not None)
        if set(node.pairs) - _KEYS or len(told) < 2 or len(told) != len(lines):
            problems.append(problem("scenarios.shape", str(file), place.line, name=name))
            continue
        title, trade, customer = (_text(node.get(key)) for key in ("title", "trade", "customer"))
        yield Scenario(name, title or name, told, trade, customer, _texts(node.get("expects")))


def _line(node: YamlNode) -> ScenarioStep | None:
    if node.kind == "text":
        return ScenarioStep(node.text) if node.text.strip() else None
    say = _text(node.get("say"))
    if node.kind != "map" or set(node.pairs) - _LINE_KEYS or not say:
        return None
    return ScenarioStep(say, _texts(node.get("if")), _text(node.get("else")))


def _text(node: YamlNode | None) -> str:
    return node.text if node is not None and node.kind == "text" else ""


def _texts(node: YamlNode | None) -> tuple[str, ...]:
    if node is None:
        return ()
    nodes: Sequence[YamlNode] = node.items if node.kind == "list" else [node]
    return tuple(n.text for n in nodes if n.kind == "text")


def _pattern(words: str) -> str:
    if not any(c.isalnum() for c in words):
        return re.escape(words)
    parts = (re.escape(w.removesuffix("*")) + (r"\w*" if w.endswith("*") else "") for w in words.split())
    return r"(?<!\w)" + r"\s+".join(parts) + r"(?!\w)"
