"""What a process of the service does, where several share the work: `bot run --roles web,decide,send`."""

from __future__ import annotations

from enum import StrEnum

from bot.errors import ConfigError
from bot.text.problems import problem


class ProcessRole(StrEnum):
    """WEB serves pages, the REST API and the platforms' webhooks; DECIDE takes turns, timers and rounds; SEND
    delivers and polls.
    """

    WEB = "web"
    DECIDE = "decide"
    SEND = "send"


EVERY_ROLE = frozenset(ProcessRole)


def read_roles(text: str) -> frozenset[ProcessRole]:
    """The roles of a list with commas; every role where it is empty. Raises `ConfigError`."""
    named = [name.strip() for name in text.split(",") if name.strip()]
    known = ", ".join(ProcessRole)
    if wrong := [name for name in named if name not in list(ProcessRole)]:
        raise ConfigError([problem("leases.no_role", name=name, known=known) for name in wrong])
    return frozenset(map(ProcessRole, named)) or EVERY_ROLE
