"""Writes single values into the owner's settings file: comments, order and style of everything else stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bot.config.loader import read_config
from bot.errors import ConfigError
from bot.text.problems import problem
from bot.text.yaml_source import YamlNode, read_yaml

Setting = float | str | None | Mapping[str, object]
Place = tuple[str, ...]


def write_values(file: Path, section: str, values: Mapping[str, Setting]) -> None:
    """Set *values* in a top-level section of *file*, which is made where there is none.

    Raises `ConfigError` where it cannot be read afterwards or cannot be written: then it is as it was.
    """
    write_settings(file, {(section, key): value for key, value in values.items()})


def write_settings(file: Path, settings: Mapping[Place, Setting]) -> None:
    """Set each value at its place in *file* ("channels", "vk", "group_id"), all of them or none.

    Raises `ConfigError` where it cannot be read afterwards or cannot be written: then it is as it was.
    """
    draft = file.with_name(f".{file.name}.new")
    try:
        text = file.read_text("utf-8") if file.is_file() else ""
        for place, value in settings.items():
            text = with_value(text, place, value)
        draft.write_text(text, encoding="utf-8")
        if file.is_file():
            draft.chmod(file.stat().st_mode & 0o777)
        read_config(draft)  # never leave a config that cannot be read
        draft.replace(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([problem("config.unwritable", str(file), reason=reason)]) from error
    finally:
        draft.unlink(missing_ok=True)


def with_values(text: str, section: str, values: Mapping[str, Setting]) -> str:
    """The YAML with *values* in a top-level section."""
    for key, value in values.items():
        text = with_value(text, (section, key), value)
    return text


def with_value(text: str, place: Place, value: Setting) -> str:
    """The YAML with *value* at *place*; what is above it is made where it lacks."""
    node, depth = read_yaml(text), 0
    while node and depth < len(place) - 1 and (inner := node.get(place[depth])) and inner.kind == "map":
        node, depth = inner, depth + 1
    key, said = place[depth], _written(value, place[depth + 1 :])
    if node is None or (depth == 0 and len(place) > 1 and node.get(key) is None):
        return (text.rstrip("\n") + "\n" if text.strip() else "") + _section(place, value)
    if (old := node.get(key)) is not None:
        gap = "" if text[old.start - 1 : old.start].isspace() else " "
        return text[: old.start] + gap + said + text[_end(old) :]
    if node.flow:
        close = node.end - 1
        before = text[:close].rstrip()
        comma = "," if node.pairs and not before.endswith((",", "{")) else ""
        return f"{before}{comma}{' ' if node.pairs else ''}{key}: {said}{text[close:]}"
    first = next(iter(node.pairs.values()))[0]
    return text[: first.start] + f"{key}: {said}\n{' ' * (first.column - 1)}" + text[first.start :]


def _section(place: Place, value: Setting) -> str:
    if len(place) == 1:
        return f"{place[0]}: {_written(value)}\n"
    return f"{place[0]}:\n  {place[1]}: {_written(value, place[2:])}\n"


def _written(value: Setting, below: Place = ()) -> str:
    """A value as it stands on one line, inside the mappings of the names *below*."""
    plain = f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    for key in reversed(below):
        plain = f"{{{key}: {plain}}}"
    return plain


def _end(node: YamlNode) -> int:
    """Where the last of a value stands; a block's own end is where the next key begins."""
    if node.kind == "text" or node.flow:
        return node.end
    parts = node.items or [value for _, value in node.pairs.values()]
    return _end(parts[-1]) if parts else node.end
