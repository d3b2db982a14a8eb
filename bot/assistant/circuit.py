"""The circuit breaker: an assistant that failed several times in a row is left alone for a while.

Its state lies in the store, where all processes, `bot doctor` and /readyz see it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.assistant.errors import AssistantReason, AssistantUnavailable
from bot.assistant.store import AssistantStore

SETTING = "assistant:circuit"
FAILURES = 3  # in a row, until it rests
REST = timedelta(minutes=1)
BREAKING: frozenset[AssistantReason] = frozenset(
    {"timeout", "connection", "server", "busy", "account", "request"}
)  # what tells of the server, not of one reply


@dataclass(frozen=True, slots=True)
class CircuitState:
    """How often it failed in a row, why last, and until when it is left alone."""

    failures: int = 0
    reason: str = ""
    until: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


class Circuit:
    """The breaker of one store's assistant."""

    def __init__(self, store: AssistantStore) -> None:
        self._store = store

    async def state(self) -> CircuitState:
        """What is known; what cannot be read counts for nothing."""
        try:
            found = json.loads(await self._store.setting(SETTING) or "{}")
            until = found.get("until")
            return CircuitState(
                int(found.get("failures", 0)),
                str(found.get("reason", "")),
                datetime.fromisoformat(until) if until else None,
            )
        except (ValueError, AttributeError, TypeError):
            return CircuitState()

    async def admit(self, now: datetime, seconds: float) -> CircuitState:
        """Raises `AssistantUnavailable` while it rests; afterwards one call tries it, and the others wait for
        what comes of it, *seconds* at most.
        """
        state = await self.state()
        if state.is_resting(now):
            raise AssistantUnavailable("resting", state.reason)
        if state.failures >= FAILURES:
            await self._keep(CircuitState(state.failures, state.reason, now + timedelta(seconds=seconds)))
        return state

    async def failed(self, now: datetime, reason: AssistantReason) -> None:
        """The server did not do its part; other reasons change nothing."""
        if reason not in BREAKING:
            return
        failures = (await self.state()).failures + 1
        await self._keep(CircuitState(failures, reason, now + REST if failures >= FAILURES else None))

    async def worked(self, before: CircuitState) -> None:
        """It answers; *before* is what `admit` gave."""
        if before.failures:
            await self._store.keep_setting(SETTING, None)

    async def _keep(self, state: CircuitState) -> None:
        told = {
            "failures": state.failures,
            "reason": state.reason,
            "until": state.until.isoformat() if state.until else None,
        }
        await self._store.keep_setting(SETTING, json.dumps(told))
