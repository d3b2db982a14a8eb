"""Reads the words of the project: YAML and Markdown files per language become checked templates, every fault
with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateSyntaxError, meta, nodes

from bot.errors import Problem
from bot.i18n.sandbox import Sandbox, bare_variables
from bot.text.nearest import nearest
from bot.text.yaml_source import MAX_BYTES, Node, YamlError, read_yaml

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
        return {}, [
            Problem("папки со словами нет", str(folder), hint="создайте её или исправьте wording.folder")
        ]
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")) or path.is_dir() or path.name.lower().startswith("readme"):
            continue
        words, long = _WORDS_FILE.fullmatch(path.name), _LONG_FILE.fullmatch(path.name)
        if not words and not long:
            hint = "назовите файл ru.yaml, часть.ru.yaml или ключ.ru.md (так же en)"
            problems.append(
                Problem("по имени файла непонятно, что в нём", str(path), hint=hint, severity="warning")
            )
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
            problems.append(
                Problem("файл больше 1 МБ", str(path), hint="разделите его на части: часть.ru.yaml")
            )
            return None
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem("файл не в кодировке UTF-8", str(path), hint="сохраните его как UTF-8"))
    except OSError as error:
        problems.append(
            Problem(f"файл не читается: {error.strerror}", str(path), hint="проверьте права на файл")
        )
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


def _walk(node: Node, key: str, file: str, problems: list[Problem]) -> Iterator[tuple[str, Values, int]]:
    if node.kind == "map":
        for name, (_, value) in node.pairs.items():
            yield from _walk(value, f"{key}.{name}" if key else name, file, problems)
        return
    texts = node.items if node.kind == "list" else [node]
    if not key or not texts or any(t.kind != "text" for t in texts):
        problems.append(
            Problem(f"у «{key}» ожидался текст или список вариантов", file, node.line, hint='ключ: "текст"')
        )
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
            hint = "проверьте скобки {{ }} и {% %}"
            problems.append(
                Problem(f"шаблон «{key}»: {error.message}", str(path), first + error.lineno - 1, hint=hint)
            )
            continue
        faults = [
            Problem(f"шаблон «{key}»: {words}", str(path), first + at - 1, hint=hint)
            for words, at, hint in sandbox.faults(tree)
        ]
        problems += faults
        for bare, at, hint in bare_variables(text):
            words = f"«{key}»: {bare} — не переменная, клиент увидит это как есть"
            problems.append(Problem(words, str(path), first + at - 1, hint=hint))
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
                hint = f"добавьте «{key}» в слова языка {other}"
                yield Problem(
                    f"у «{key}» нет перевода",
                    entry.file,
                    entry.line,
                    hint=hint,
                    severity="error" if strict else "warning",
                )


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
                yield Problem(
                    f"ключ «{key}» неизвестен",
                    entry.file,
                    entry.line,
                    hint=f"возможно, «{near[0]}»",
                    severity="warning",
                )
            continue
        for name in sorted(set(entry.variables) - known[key] - ALWAYS):
            yield Problem(
                f"в «{key}» нет переменной «{name}»",
                entry.file,
                entry.variables[name],
                hint=f"есть: {_listed(known[key] | ALWAYS)}",
            )


def mismatches(entries: Catalogue, languages: Sequence[str]) -> Iterator[Problem]:
    """Keys whose twins use different facts; our own words may not."""
    for (key, lang), entry in entries.items():
        for other in languages:
            twin = entries.get((key, other))
            if twin and other != lang and (extra := set(entry.variables) - set(twin.variables) - ALWAYS):
                yield Problem(
                    f"в «{key}» ({other}) нет переменных: {_listed(extra)}",
                    twin.file,
                    twin.line,
                    hint=f"они есть в {lang}",
                )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
