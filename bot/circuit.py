"""The circuit breaker: what failed several times in a row is left alone for a while.

Its state lies in the store, where all processes, `bot doctor` and /readyz see it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

FAILURES = 3  # in a row, until it rests
REST = timedelta(minutes=1)


class CircuitStore(Protocol):
    """The store, as far as a breaker needs it. Everything raises `StorageError`."""

    async def setting(self, name: str) -> str | None: ...

    async def keep_setting(self, name: str, value: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class CircuitState:
    """How often it failed in a row, why last, and until when it is left alone."""

    failures: int = 0
    reason: str = ""
    until: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


class Circuit:
    """The breaker of one helper; its state is kept under the name *setting*. Everything raises
    `StorageError`.
    """

    def __init__(self, store: CircuitStore, setting: str) -> None:
        self._store, self._setting = store, setting

    async def state(self) -> CircuitState:
        """What is known; what cannot be understood counts for nothing."""
        try:
            found = json.loads(await self._store.setting(self._setting) or "{}")
            until = found.get("until")
            return CircuitState(
                int(found.get("failures", 0)),
                str(found.get("reason", "")),
                datetime.fromisoformat(until) if until else None,
            )
        except (ValueError, AttributeError, TypeError):
            return CircuitState()

    async def admit(self, now: datetime, seconds: float) -> CircuitState:
        """The state before a try; where it is resting, nobody may try. After the rest one try shows whether
        it works again, and the others wait for what comes of it, *seconds* at most.
        """
        state = await self.state()
        if state.failures >= FAILURES and not state.is_resting(now):
            await self._keep(CircuitState(state.failures, state.reason, now + timedelta(seconds=seconds)))
        return state

    async def failed(self, now: datetime, reason: str) -> bool:
        """It did not do its part; true where it is left alone from now on."""
        failures = (await self.state()).failures + 1
        is_given_up = failures >= FAILURES
        await self._keep(CircuitState(failures, reason, now + REST if is_given_up else None))
        return is_given_up

    async def worked(self, before: CircuitState) -> None:
        """It answers; *before* is what `admit` gave."""
        if before.failures:
            await self._store.keep_setting(self._setting, None)

    async def _keep(self, state: CircuitState) -> None:
        told = {
            "failures": state.failures,
            "reason": state.reason,
            "until": state.until.isoformat() if state.until else None,
        }
        await self._store.keep_setting(self._setting, json.dumps(told))
