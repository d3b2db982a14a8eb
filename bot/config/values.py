"""Writes single values into the owner's settings file: comments, order and style of everything else stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.config.loader import read_config
from bot.errors import ConfigError
from bot.text.problems import problem
from bot.text.yaml_source import read_yaml


def write_values(file: Path, section: str, values: Mapping[str, float]) -> None:
    """Set *values* in a top-level section of *file*, which is made where there is none.

    Raises `ConfigError` where it cannot be read afterwards or cannot be written: then it is as it was.
    """
    draft = file.with_name(f".{file.name}.new")
    try:
        before = file.read_text("utf-8") if file.is_file() else ""
        draft.write_text(with_values(before, section, values), encoding="utf-8")
        if file.is_file():
            draft.chmod(file.stat().st_mode & 0o777)
        read_config(draft)  # never leave a config that cannot be read
        draft.replace(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([problem("config.unwritable", str(file), reason=reason)]) from error
    finally:
        draft.unlink(missing_ok=True)


def with_values(text: str, section: str, values: Mapping[str, float]) -> str:
    """The YAML with *values* in a top-level section."""
    for key, value in values.items():
        text = _with_value(text, section, key, f"{value:g}")
    return text


def _with_value(text: str, section: str, key: str, value: str) -> str:
    root = read_yaml(text)
    found = root.get(section) if root else None
    if found is None:
        return (text.rstrip("\n") + "\n" if text.strip() else "") + f"{section}:\n  {key}: {value}\n"
    if found.kind != "map":
        return text[: found.start] + f" {{{key}: {value}}}" + text[found.end :]
    if (old := found.get(key)) is not None:
        return text[: old.start] + value + text[old.end :]
    if found.flow:
        close = found.end - 1
        before = text[:close].rstrip()
        return (
            f"{before}{'' if before.endswith(('{', ',')) else ','} {key}: {value}" + text[close:]
            if found.pairs
            else f"{before}{key}: {value}" + text[close:]
        )
    first = next(iter(found.pairs.values()))[0]
    return text[: first.start] + f"{key}: {value}\n{' ' * (first.column - 1)}" + text[first.start :]
