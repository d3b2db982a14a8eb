"""The glossary has every noun: of public classes, and of modules."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def singular(word: str) -> str:
    """The form under which a word is listed."""
    word = word.lower()
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if word.endswith(ending) and (word == "menus" or not word.endswith(("ss", "us", "is"))):
            return word.removesuffix(ending) + instead
    return word


def public_classes() -> Iterator[tuple[str, str]]:
    """Name and module of each class that others may use."""
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, path.relative_to(ROOT).as_posix()


def listed() -> set[str]:
    """Every word of the first column of the tables, and of the list at the end."""
    text = GLOSSARY.read_text("utf-8")
    tables, _, plain = text.partition("## Words of the trade")
    cells = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| ")]
    return {singular(w) for part in (*cells, plain) for w in re.findall(r"[A-Za-z0-9]+", part)}


# What happened to the noun before it: exceptions, internal inbounds and stages are named so (`TopicGone`).
HAPPENED = re.compile(
    r"\w+(ed|ing)|done|due|gone|away|silent|over|near|began|took|there|elsewhere|exist|later|newer|busy"
    r"|unavailable|found|uncertain|idle|to|words|out|up|for|from|several|open"
)


def is_known(words: Iterable[str], known: set[str]) -> bool:
    """Whether the noun of a name, its last word but for what happened to it, is in the glossary."""
    parts = [singular(w) for w in words]
    if "".join(parts) in known:
        return True
    while len(parts) > 1 and parts[-1] not in known and HAPPENED.fullmatch(parts[-1]):
        parts.pop()
    return parts[-1] in known


def test_the_noun_of_every_public_class_is_in_the_glossary() -> None:
    known = listed()
    strange = {f"{name} ({at})" for name, at in public_classes() if not is_known(WORD.findall(name), known)}
    assert not strange, f"name them by a word of docs/glossary.md, or add theirs: {sorted(strange)}"


def test_the_noun_of_every_module_is_in_the_glossary() -> None:
    known = listed()
    paths = [p for p in (ROOT / "bot").rglob("*.py") if not p.name.startswith("_")]
    strange = {p.relative_to(ROOT).as_posix() for p in paths if not is_known(p.stem.split("_"), known)}
    assert not strange, f"name them by a word of docs/glossary.md, or add theirs: {sorted(strange)}"


def test_no_two_public_classes_share_a_name() -> None:
    twice = [name for name, n in Counter(name for name, _ in public_classes()).items() if n > 1]
    assert not twice, [found for found in public_classes() if found[0] in twice]


def test_each_word_is_defined_once() -> None:
    text = GLOSSARY.read_text("utf-8")
    heads = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    words = [w.strip() for head in heads if head not in ("word", "---") for w in head.split(",")]
    words += [w.strip(" .\n") for w in text.partition("programming:")[2].split(",")]
    assert [w for w, n in Counter(words).items() if n > 1] == []


# law: rooms and houses are those of customers; what names such stands here
REAL = re.compile(r"\broom=7\b|\{\{ room \}\}")
PICTURES = re.compile(r"\b(house|theatre|room|floor)s?\b", re.IGNORECASE)
TEXTS = {".py", ".md", ".yaml", ".js", ".css", ".html", ".j2", ".sql"}


@pytest.mark.parametrize("folder", ["bot", "docs", "tests"])
def test_no_picture_stands_in_for_a_word_of_the_field(folder: str) -> None:
    """Stages, packages and the service have names of their own."""
    found = [
        f"{path.relative_to(ROOT)}:{n}: {line.strip()[:80]}"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in TEXTS and path != Path(__file__)
        for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if PICTURES.search(REAL.sub("", line))
    ]
    assert not found
