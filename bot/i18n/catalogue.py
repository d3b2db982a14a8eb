"""Reads the words of the project: YAML and Markdown files per language become checked templates, every fault
with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import TemplateSyntaxError, meta, nodes

from bot.errors import Problem
from bot.i18n.sandbox import Sandbox, bare_variables
from bot.text.nearest import nearest
from bot.text.problems import problem, problem_of, warning
from bot.text.yaml_source import MAX_BYTES, YamlError, YamlNode, read_yaml

ALWAYS = frozenset({"lang", "customer", "now", "seed", "business"})  # facts every template may use
_WORDS_FILE = re.compile(r"(?:[\w-]+\.)?(?P<lang>[a-z]{2})\.ya?ml")
_LONG_FILE = re.compile(r"(?P<key>[\w.-]+)\.(?P<lang>[a-z]{2})\.md")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """The words for one key in one language: one template, or several that take turns.

    `line` is where they stand, `variables` the facts they use and the line of each.
    """

    key: str
    lang: str
    variants: tuple[str, ...]
    variables: Mapping[str, int]
    file: str = ""
    line: int = 0


Catalogue = Mapping[tuple[str, str], CatalogueEntry]


def read_folder(
    folder: Path, sandbox: Sandbox | None
) -> tuple[dict[tuple[str, str], CatalogueEntry], list[Problem]]:
    """Every `ru.yaml`, `part.ru.yaml` and `some.key.ru.md` of *folder*, and every problem found in them;
    never raises for a text.

    Without a *sandbox* no template is looked into, and entries come without their `variables`: for words that
    are known to be sound.
    """
    entries: dict[tuple[str, str], CatalogueEntry] = {}
    problems: list[Problem] = []
    if not folder.is_dir():
        return {}, [problem("texts.no_folder", str(folder))]
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")) or path.is_dir() or path.name.lower().startswith("readme"):
            continue
        words, long = _WORDS_FILE.fullmatch(path.name), _LONG_FILE.fullmatch(path.name)
        if not words and not long:
            problems.append(warning("texts.name", str(path)))
            continue
        text = _read(path, problems)
        if text is None:
            continue
        if long:
            found = _entry(_Leaf(long["key"], long["lang"], [(text, 1)], 1), path, sandbox, problems)
            entries |= {(found.key, found.lang): found} if found else {}
            continue
        for key, values, line in _leaves(text, str(path), problems):
            lang = words["lang"] if words else ""
            if found := _entry(_Leaf(key, lang, values, line), path, sandbox, problems):
                entries[key, lang] = found
    return entries, problems


def _read(path: Path, problems: list[Problem]) -> str | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.append(problem("texts.large", str(path)))
            return None
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(problem("texts.not_utf8", str(path)))
    except OSError:
        problems.append(problem("texts.unreadable", str(path)))
    return None


Values = Sequence[tuple[str, int]]


def _leaves(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[str, Values, int]]:
    """Dotted keys with their values and lines."""
    try:
        root = read_yaml(text)
    except YamlError as error:
        problems.append(error.problem(file))
        return
    if root is not None:
        yield from _walk(root, "", file, problems)


def _walk(node: YamlNode, key: str, file: str, problems: list[Problem]) -> Iterator[tuple[str, Values, int]]:
    if node.kind == "map":
        for name, (_, value) in node.pairs.items():
            yield from _walk(value, f"{key}.{name}" if key else name, file, problems)
        return
    texts = node.items if node.kind == "list" else [node]
    if not key or not texts or any(t.kind != "text" for t in texts):
        problems.append(problem("texts.not_text", file, node.line, key=key))
        return
    problems += [cut.problem(file) for t in texts if (cut := t.cut_words())]
    yield key, [(t.text, t.line + t.block) for t in texts], node.line


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One key as it stands in a file, in one language."""

    key: str
    lang: str
    values: Values
    line: int


def _entry(
    leaf: _Leaf, path: Path, sandbox: Sandbox | None, problems: list[Problem]
) -> CatalogueEntry | None:
    key, lang, values, line = leaf.key, leaf.lang, leaf.values, leaf.line
    variables: dict[str, int] = {}
    count = len(problems)
    if sandbox is None:
        return CatalogueEntry(key, lang, tuple(text for text, _ in values), {}, str(path), line)
    for text, first in values:
        try:
            tree = sandbox.parse(text)
        except TemplateSyntaxError as error:
            problems.append(problem("texts.syntax", str(path), first + error.lineno - 1, key=key))
            continue
        faults = [
            problem("texts.template", str(path), first + at - 1, hint=hint, key=key, why=words)
            for words, at, hint in sandbox.faults(tree)
        ]
        problems += faults
        for bare, at, hint in bare_variables(text):
            problems.append(problem("texts.bare", str(path), first + at - 1, hint=hint, key=key, found=bare))
        unknown = set() if faults else meta.find_undeclared_variables(tree) - set(sandbox.globals)
        for node in tree.find_all(nodes.Name):
            if node.name in unknown:
                variables.setdefault(node.name, first + node.lineno - 1)
    if len(problems) > count:
        return None
    return CatalogueEntry(key, lang, tuple(text for text, _ in values), variables, str(path), line)


def twin_problems(entries: Catalogue, languages: Sequence[str], *, strict: bool) -> Iterator[Problem]:
    """Keys that one language has and another has not (errors where *strict*, warnings elsewhere)."""
    for (key, lang), entry in entries.items():
        for other in languages:
            if other != lang and (key, other) not in entries and lang in languages:
                make = problem if strict else warning
                yield make("texts.no_twin", entry.file, entry.line, key=key, language=other)


def fact_problems(own: Catalogue, builtin: Catalogue) -> Iterator[Problem]:
    """What an owner's words use that nobody gives: unknown variables (errors), keys that look mistyped
    (warnings).
    """
    known: dict[str, set[str]] = {}
    for (key, _), entry in builtin.items():
        known.setdefault(key, set()).update(entry.variables)
    for (key, _), entry in own.items():
        if key not in known:
            near = nearest(key, known, likeness=80)
            if near:
                facts = {"key": key, "near": near[0]}
                told_now = problem_of("texts.unknown", facts, entry.file, entry.line, 0, "")
                yield replace(told_now, severity="warning")
            continue
        for name in sorted(set(entry.variables) - known[key] - ALWAYS):
            facts = {"key": key, "name": name, "known": _listed(known[key] | ALWAYS)}
            yield problem_of("texts.variable", facts, entry.file, entry.variables[name], 0, "")


def mismatches(entries: Catalogue, languages: Sequence[str]) -> Iterator[Problem]:
    """Keys whose twins use different facts; our own words may not."""
    for (key, lang), entry in entries.items():
        for other in languages:
            twin = entries.get((key, other))
            if twin and other != lang and (extra := set(entry.variables) - set(twin.variables) - ALWAYS):
                facts = {"key": key, "language": other, "names": _listed(extra), "other": lang}
                yield problem_of("texts.variables", facts, twin.file, twin.line, 0, "")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
