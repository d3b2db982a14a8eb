"""Reads the YAML head of an article safely: every problem with its line, nothing that can blow up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.errors import Problem
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, YamlNode, read_yaml

_FENCE = re.compile(r"\A---[ \t]*\r?\n")
_UNSEEN = " \t\r\n\v\f\u00a0\u00ad\u200b\u200c\u200d\u2028\u2029\u2060\ufeff"
_OPENERS = re.compile(r"[-\u2010-\u2015\u2212+=*_~`;.]+[ \t]*\w*")
_KEY = re.compile(r"[\"']?([A-Za-z][\w-]*)[\"']?[ \t]*[:=](?:\s|[\"'\[]|\Z)")
_OWN_KEYS = frozenset(
    {
        "title",
        "aliases",
        "alias",
        "questions",
        "status",
        "draft",
        "publish",
        "lang",
        "topic",
        "tags",
        "owner",
        "valid_until",
        "buttons",
        "audience",
    }
)
_SURE = ("title:", "status:", "aliases:", "draft:", "valid_until:", "audience:")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_HIDES = re.compile(r"\baud\w*[\"']?[ \t]*[:=][ \t]*[\"']?(?!customers\b)\w|[:=][ \t]*[\"']?staff\b", re.I)


@dataclass(frozen=True, slots=True)
class CutValue:
    """Words after an unquoted value of *key* that YAML takes for a remark."""

    key: str
    line: int
    column: int
    words: str


@dataclass(frozen=True, slots=True)
class Frontmatter:
    """The values of a YAML text, each text as written, and the line of each: `places` maps "title",
    "aliases[2]" to lines.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    cuts: tuple[CutValue, ...] = ()


def split_head(text: str) -> tuple[str | None, str, int]:
    """The YAML head (None where there is none, "" where it is empty), the body, and the file line the body
    starts at.

    A head that is opened and never closed raises `ValueError`.
    """
    opened = _FENCE.match(text)
    if not opened:
        return None, text, 1
    closed = _CLOSE.search(text, opened.end())
    if not closed:
        raise ValueError("head is not closed")
    return text[opened.end() : closed.start()], text[closed.end() :], text.count("\n", 0, closed.end()) + 1


def lost_head(text: str) -> tuple[int, str] | None:
    """The line and words of a head that opens in a way nobody reads, so that it would be published; None
    where there is none.
    """
    if _FENCE.match(text):
        return None
    rows = text.split("\n")
    seen = [(n, bare) for n, row in enumerate(rows, 1) if (bare := row.strip(_UNSEEN))]
    if not seen:
        return None
    (line, first), inner = seen[0], [row for _, row in seen[1:4]]
    if _OPENERS.fullmatch(first) and any(_KEY.match(row) for row in inner):
        return line, rows[line - 1].strip() or first
    keys = [match[1] for row in (first, *inner) if (match := _KEY.match(row))]
    return (
        (line, first[:40])
        if _KEY.match(first) and len(_OWN_KEYS.intersection(keys)) >= (1 if first.startswith(_SURE) else 2)
        else None
    )


def hides_from_customers(head: str) -> bool:
    """Whether a head means its article for operators alone, also where it cannot be read: in doubt yes."""
    return _HIDES.search(head) is not None


def read_head(text: str, file: str, first_line: int = 1) -> tuple[Frontmatter | None, tuple[Problem, ...]]:
    """Reads a YAML mapping. None and an error where it cannot be used; never raises."""
    try:
        root = read_yaml(text, first_line)
    except YamlError as error:
        return None, (error.problem(file),)
    if root is None or (root.kind == "text" and root.value is None):
        return Frontmatter(), ()
    if root.kind != "map":
        return None, (problem("articles.not_head", file, root.line, 1, "KB003"),)
    places: dict[str, int] = {}
    cuts: list[CutValue] = []
    for name, (key, value) in root.pairs.items():
        places[name] = key.line
        places |= {f"{name}[{i}]": item.line for i, item in enumerate(value.items)}
        cuts += [CutValue(name, node.line, node.column, node.cut) for node in _texts(value) if node.cut]
    return Frontmatter(root.value, places, tuple(cuts)), ()


def _texts(node: YamlNode) -> Iterator[YamlNode]:
    if node.kind == "text":
        yield node
    for inner in (*node.items, *(value for _, value in node.pairs.values())):
        yield from _texts(inner)
