"""What installed packages bring under the names of our entry points, and dotted paths of the config."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import cast

from bot.errors import ConfigError
from bot.text.problems import problem


def imported(path: str) -> object:
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError([problem("config.dialog_import", path=path, reason=error)]) from error


def brought(group: str, name: str) -> object | None:
    """What an installed package brings under this name of an entry point; None where none does."""
    for entry in entry_points(group=group, name=name):
        try:
            return cast(object, entry.load())
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                [problem("config.entry_import", name=name, group=group, reason=error)]
            ) from error
    return None


def known_names(group: str, *ours: str) -> str:
    """Our names and those that installed packages bring."""
    return ", ".join((*ours, *sorted({e.name for e in entry_points(group=group)})))
