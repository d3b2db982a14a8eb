"""Reads the YAML head of an article safely: every problem with its line, nothing that can blow up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.errors import Problem
from bot.yaml_reader import Node, YamlError, read_yaml

_FENCE = re.compile(r"\A---[ \t]*\r?\n")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cut:
    """Words after an unquoted value of *key* that YAML takes for a remark."""

    key: str
    line: int
    column: int
    words: str


@dataclass(frozen=True, slots=True)
class Head:
    """The values of a YAML text, each text as written, and the line of each: `places` maps "title", "aliases[2]" to lines."""

    values: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()


def split_head(text: str) -> tuple[str | None, str, int]:
    """The YAML head (None where there is none, "" where it is empty), the body, and the file line the body starts at.

    A head that is opened and never closed raises `ValueError`.
    """
    opened = _FENCE.match(text)
    if not opened:
        return None, text, 1
    closed = _CLOSE.search(text, opened.end())
    if not closed:
        raise ValueError("head is not closed")
    return text[opened.end() : closed.start()], text[closed.end() :], text.count("\n", 0, closed.end()) + 1


def read_head(text: str, file: str, first_line: int = 1) -> tuple[Head | None, tuple[Problem, ...]]:
    """Reads a YAML mapping. None and an error where it cannot be used; never raises."""
    try:
        root = read_yaml(text, first_line)
    except YamlError as error:
        return None, (error.problem(file),)
    if root is None or (root.kind == "text" and root.value is None):
        return Head(), ()
    if root.kind != "map":
        words, hint = "ожидались строки вида «ключ: значение»", "например: title: Как вернуть товар"
        return None, (Problem(words, file, root.line, 1, hint, "KB003"),)
    places: dict[str, int] = {}
    cuts: list[Cut] = []
    for name, (key, value) in root.pairs.items():
        places[name] = key.line
        places |= {f"{name}[{i}]": item.line for i, item in enumerate(value.items)}
        cuts += [Cut(name, node.line, node.column, node.cut) for node in _texts(value) if node.cut]
    return Head(root.value, places, tuple(cuts)), ()


def _texts(node: Node) -> Iterator[Node]:
    if node.kind == "text":
        yield node
    for inner in (*node.items, *(value for _, value in node.pairs.values())):
        yield from _texts(inner)
