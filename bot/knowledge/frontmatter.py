"""Reads the YAML head of an article safely: every problem with its line, nothing that can blow up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from bot.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FENCE = re.compile(r"\A---[ \t]*\r?\n")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Head:
    """The values of a YAML text and the line of each: `places` maps "title", "aliases[2]" to line numbers of the file."""

    values: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)


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


def read_yaml(text: str, file: str, first_line: int = 1) -> tuple[Head | None, tuple[Problem, ...]]:
    """Reads a YAML mapping. None and at least one error where it cannot be used; never raises.

    Anchors, aliases, nesting over 50 levels and texts over 1 MB are refused: nobody writes them by hand.
    """

    def problem(words: str, code: str, hint: str, line: int = 0, column: int = 0) -> tuple[None, tuple[Problem, ...]]:
        return None, (Problem(words, file, first_line + line, column + 1, hint, code),)

    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return problem("шапка больше 1 МБ", "KB005", "разделите статью на несколько")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            mark = event.start_mark
            row, place = (mark.line, mark.column) if mark else (0, 0)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                return problem("якоря и ссылки YAML (& и *) здесь не читаются", "KB004", "возьмите текст в кавычки или повторите значение", row, place)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    return problem(f"вложенность больше {MAX_DEPTH} уровней", "KB005", "упростите шапку", row, place)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
        node = yaml.compose(text, Loader=_LOADER)
        if node is None:
            return Head(), ()
        if not isinstance(node, yaml.MappingNode):
            return problem("ожидались строки вида «ключ: значение»", "KB003", "например: title: Как вернуть товар", node.start_mark.line)
        places: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in places:
                return problem(f"ключ «{name}» встречается дважды", "KB013", "оставьте один", key.start_mark.line, key.start_mark.column)
            places[name] = first_line + key.start_mark.line
            if isinstance(value, yaml.SequenceNode):
                for i, item in enumerate(value.value):
                    places[f"{name}[{i}]"] = first_line + item.start_mark.line
        values = yaml.load(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        line, column = (where.line, where.column) if where else (0, 0)
        return problem(f"шапка не читается: {_in_russian(error)}", "KB003", _hint(text, line), line, column)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return problem(f"шапка не читается: {type(error).__name__}", "KB003", "проверьте даты, кавычки и отступы")
    return Head({str(k): v for k, v in values.items()}, places), ()


def _in_russian(error: yaml.MarkedYAMLError) -> str:
    words = error.problem or ""
    for known, said in (
        ("mapping values are not allowed", "двоеточие внутри значения"),
        ("could not find expected ':'", "нет двоеточия после ключа"),
        ("found character '\\t'", "табуляция вместо пробелов"),
        ("cannot start any token", "недопустимый знак в начале"),
        ("unexpected end of stream", "не закрыта кавычка"),
        ("expected <block end>", "сбит отступ или не закрыта кавычка"),
        ("did not find expected key", "сбит отступ"),
        ("did not find expected '-' indicator", "сбит отступ в списке"),
        ("did not find expected ',' or ']'", "не закрыта квадратная скобка"),
    ):
        if known in words:
            return said
    return words


def _hint(text: str, line: int) -> str:
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    if here.count(":") > 1:
        return "возьмите значение в кавычки, если в нём есть двоеточие"
    return "проверьте отступы и кавычки в этой строке и в строке перед ней"
