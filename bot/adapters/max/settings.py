"""How one MAX bot is reached: the keys of its channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxSettings:
    """*webhook_url* is the whole public address that reaches the adapter's `routes`, *secret* what MAX must
    show there. *ca_file* holds the root certificates that the API's own is checked with; without one it is
    the bundle of the client library, beside those of the system.

    *poll_seconds* is how long one poll waits, *poll_pause* the least time between two (MAX takes two in a
    second), *ready_pauses* how long a file that was uploaded is waited for.
    """

    token: str = field(repr=False)
    api_base: str | None = None
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    mode: Literal["polling", "webhook"] = "polling"
    secret: str | None = field(default=None, repr=False)
    webhook_url: str = ""
    poll_seconds: float = 25
    poll_pause: float = 0.6
    timeout: float = 30.0
    ready_pauses: tuple[float, ...] = (0.3, 0.6, 1.2, 2.5, 5.0)
