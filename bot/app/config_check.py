"""Whether a service could be built on what the owner's files say by now."""

from __future__ import annotations

from collections.abc import Callable

from bot.app.assistant import open_chat
from bot.app.config_parts import (
    open_canned,
    open_hours,
    open_playbooks,
    open_scenarios,
    open_texts,
    sequence_faults,
)
from bot.app.flows import open_flows
from bot.config.loader import Config
from bot.errors import ConfigError, Problem
from bot.knowledge.search import Knowledge


def check_files(config: Config, knowledge: Knowledge | None) -> None:
    """Read what a service reads when it is built, before the present one closes for it.

    *knowledge*: the articles that flows may show; None where they will be other ones. Raises `ConfigError`
    with the faults of every file, and what to do about each.
    """
    hours = open_hours(config)
    texts = open_texts(config, hours)
    found: list[Problem] = list(sequence_faults(config))
    readers: tuple[Callable[[], object], ...] = (
        lambda: open_canned(config, texts, hours),
        lambda: open_playbooks(config),
        lambda: open_scenarios(config),
        lambda: open_flows(config, knowledge),
        lambda: open_chat(config),
    )
    for read in readers:
        try:
            read()
        except ConfigError as error:
            found += error.problems
    if found:
        raise ConfigError(found)
