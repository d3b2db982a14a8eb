"""What installed packages bring under the names of our entry points, and dotted paths of the config."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import cast

from bot.errors import ConfigError, Problem
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
            raise ConfigError([_not_loaded(name, group, entry.value, error)]) from error
    return None


def _not_loaded(name: str, group: str, module: str, error: ImportError | AttributeError) -> Problem:
    """One of our own lacks a library, which an extra of its name brings; anything else is a package at
    odds with this version.
    """
    lacking = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if module.startswith("bot.") and lacking and not lacking.startswith("bot"):
        return problem("config.extra", name=name, package=lacking)
    return problem("config.entry_import", name=name, group=group, reason=error)


def known_names(group: str, *ours: str) -> str:
    """Our names and those that installed packages bring."""
    return ", ".join((*ours, *sorted({e.name for e in entry_points(group=group)})))
