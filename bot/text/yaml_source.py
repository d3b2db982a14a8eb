"""The one reader of YAML: every value is the text that stands there, with its line; what would change on the
way is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from bot.errors import Problem
from bot.text.problems import problem, told

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
EMPTY = frozenset({"", "~", "null"})  # what stands for no value, unless it is in quotes
Kind = Literal["text", "list", "map"]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # parses ten times as fast; both give the same events
_COMMENT = re.compile(r"[ \t]+#[^\n\r]*")
_CODES = {
    "size": "KB005",
    "depth": "KB005",
    "anchor": "KB004",
    "tag": "KB004",
    "document": "KB003",
    "key": "KB003",
    "twice": "KB013",
    "cut": "KB017",
    "characters": "KB003",
    "syntax": "KB003",
}
_SYNTAX = {  # what the parser says, and how we say it
    "mapping values are not allowed": "colon",
    "could not find expected ':'": "no_colon",
    "found character '\\t'": "tab",
    "found character that cannot start any token": "sign",
    "unexpected end of stream": "quotation",
    "expected <block end>": "block",
    "did not find expected key": "indent",
    "did not find expected '-' indicator": "list_indent",
    "did not find expected ',' or": "bracket",
    "did not find expected node content": "bracket",
}


@dataclass(slots=True)
class YamlNode:
    """A value with its place. `text` is a scalar as written, `pairs` a mapping's keys and values, `items` a
    list's.

    `line` and `column` count from 1 in the file; `start` and `end` are characters of the text that was read.
    `cut` is the comment that follows an unquoted text on its line: perhaps words that were meant to belong to
    it.
    """

    kind: Kind
    line: int
    column: int
    start: int
    end: int = 0
    text: str = ""
    plain: bool = False  # without quotes
    block: bool = False  # a text under | or >
    flow: bool = False  # a list or mapping in brackets
    cut: str = ""
    items: list[YamlNode] = field(default_factory=list)
    pairs: dict[str, tuple[YamlNode, YamlNode]] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        """Texts, lists and dicts; None where nothing, `null` or `~` stands."""
        if self.kind == "map":
            return {key: value.value for key, (_, value) in self.pairs.items()}
        if self.kind == "list":
            return [item.value for item in self.items]
        return None if self.plain and self.text in EMPTY else self.text

    def get(self, key: str) -> YamlNode | None:
        """The value of a key."""
        found = self.pairs.get(key)
        return found[1] if found else None

    def cut_words(self) -> YamlError | None:
        """The fault of a text for customers whose end was taken for a remark: a `#` with a word at it, as in
        «заказ #5».
        """
        cut = self.cut if len(self.cut) > 1 and not self.cut[1].isspace() else ""
        return YamlError("cut", self.line, self.column, cut) if cut else None

    def find(self, *place: str | int) -> tuple[YamlNode, int]:
        """The node at *place* or the nearest above it, and the line of its key."""
        node, line = self, self.line
        for step in place:
            if pair := node.pairs.get(str(step)):
                line, node = pair[0].line, pair[1]
            elif node.kind == "list" and str(step).isdigit() and int(step) < len(node.items):
                node = node.items[int(step)]
                line = node.line
            else:
                break
        return node, line


class YamlError(Exception):
    """YAML that cannot be read as it is meant. `kind` names the fault, `detail` what it quotes."""

    def __init__(self, kind: str, line: int = 1, column: int = 1, detail: str = "") -> None:
        super().__init__(kind, line, column, detail)
        self.kind, self.line, self.column, self.detail = kind, line, column, detail

    def problem(self, file: str) -> Problem:
        """The fault in words."""
        detail = self.detail
        if self.kind == "syntax":
            known = next((key for said, key in _SYNTAX.items() if said in detail), "other")
            detail = told(f"yaml.syntax_of.{known}")
        return problem(
            f"yaml.{self.kind}", file, self.line, self.column, _CODES.get(self.kind, ""), detail=detail
        )


def read_yaml(text: str, first_line: int = 1) -> YamlNode | None:
    """The tree of *text*, None where it holds nothing. Raises `YamlError`, nothing else.

    Refused: a key that stands twice in one mapping, anchors, aliases and tags (an unquoted word that begins
    with `&`, `*` or `!`), a key that is not a word, nesting over 50 levels, more than 1 MB.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise YamlError("size", first_line)
    builder = _Builder(text, first_line)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        raise YamlError(
            "syntax", first_line + line, column + 1, error.problem or error.context or ""
        ) from None
    except yaml.reader.ReaderError as error:
        raise YamlError("characters", first_line + text[: error.position].count("\n")) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise YamlError("characters", first_line) from None
    return builder.root


def read_yaml_file(path: Path) -> YamlNode | None:
    """The tree of a file, None where it holds nothing. Raises `YamlError`, nothing else."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise YamlError("size")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise YamlError("missing", 0, 0) from None
    except (OSError, UnicodeDecodeError):
        raise YamlError("unreadable", 0, 0) from None
    return read_yaml(text)


def read_own(path: Path) -> Any:
    """The values of a YAML file that is part of the package. Every value is a text."""
    root = read_yaml(path.read_text("utf-8"))
    return root.value if root else None


class _Builder:
    """Makes the tree out of the parser's events, one by one, so that nothing is built that is not allowed."""

    def __init__(self, text: str, first_line: int) -> None:
        self.root: YamlNode | None = None
        self._text, self._first = text, first_line
        self._open: list[YamlNode] = []
        self._keys: list[YamlNode | None] = []

    def take(self, event: yaml.Event) -> None:
        mark = event.start_mark
        line, column = (self._first + mark.line, mark.column + 1) if mark else (self._first, 1)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError("anchor", line, column)
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise YamlError("document", line, column)
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.tag is not None:
                raise YamlError("tag", line, column)
            self._add(event, YamlNode("text", line, column, mark.index if mark else 0))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._keys.pop()
            self._open.pop().end = _end(event)

    def _add(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, node: YamlNode) -> None:
        if isinstance(event, yaml.ScalarEvent):
            node.text, node.end = str(event.value), _end(event)
            node.plain, node.block = event.style is None or event.style == "", event.style in ("|", ">")
            if node.plain and (cut := _COMMENT.match(self._text, node.end)):
                node.cut = cut[0].strip()
        else:
            node.kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
            node.flow = bool(event.flow_style)
        self._place(node)
        if node.kind != "text":
            self._open.append(node)
            self._keys.append(None)
            if len(self._open) > MAX_DEPTH:
                raise YamlError("depth", node.line, node.column)

    def _place(self, node: YamlNode) -> None:
        if not self._open:
            self.root = node
            return
        above, key = self._open[-1], self._keys[-1]
        if above.kind == "list":
            above.items.append(node)
        elif key is not None:
            above.pairs[key.text] = key, node
            self._keys[-1] = None
        elif node.kind != "text":
            raise YamlError("key", node.line, node.column)
        elif node.text in above.pairs:
            raise YamlError("twice", node.line, node.column, node.text)
        else:
            self._keys[-1] = node


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark else 0
