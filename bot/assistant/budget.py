"""What the assistant may spend in a day: counted in the store, so that all processes and starts share it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from bot.assistant.errors import AssistantUnavailable
from bot.assistant.store import AssistantStore
from bot.config.assistant import AssistantBudgetSettings

PREFIX = "assistant:spent:"
DAY = f"{PREFIX}day"  # the setting that names the day that is counted


@dataclass(frozen=True, slots=True)
class SpentBudget:
    """How much of a day's budget is spent."""

    calls: int
    tokens: int


class DayBudget:
    """The budget of a day in *zone*."""

    def __init__(self, store: AssistantStore, limits: AssistantBudgetSettings, zone: tzinfo) -> None:
        self._store, self._limits, self._zone = store, limits, zone

    async def take(self, now: datetime, tokens: int, customer: int | None) -> date:
        """Take a call and *tokens* out of the day's budget before they are spent; returns the day.

        What a process that dies has taken stays taken. Raises `AssistantUnavailable`.
        """
        day = now.astimezone(self._zone).date()
        if customer is not None and self._limits.customer_calls:
            within = await self._store.hit(f"assistant:{customer}", now, timedelta(days=1))
            if within > self._limits.customer_calls:
                raise AssistantUnavailable("customer_budget")
        calls = await self._store.count_up(_name(day, "calls"), 1)
        if calls == 1:
            await self._begin(day)
        spent = await self._store.count_up(_name(day, "tokens"), tokens)
        if (self._limits.calls and calls > self._limits.calls) or (
            self._limits.tokens and spent > self._limits.tokens
        ):
            await self.give_back(day, tokens)
            await self._store.count_up(_name(day, "calls"), -1)
            raise AssistantUnavailable("budget")
        return day

    async def give_back(self, day: date, tokens: int) -> None:
        """What was taken and not spent; what was spent beyond it where it is negative."""
        if tokens:
            await self._store.count_up(_name(day, "tokens"), -tokens)

    async def spent(self, now: datetime) -> SpentBudget:
        """How much of today's is gone."""
        day = now.astimezone(self._zone).date()
        calls, tokens = [int(await self._store.setting(_name(day, k)) or 0) for k in ("calls", "tokens")]
        return SpentBudget(calls, tokens)

    async def _begin(self, day: date) -> None:
        """The counts of the day before are needed no more."""
        before = await self._store.setting(DAY)
        if before and before != day.isoformat():
            for kind in ("calls", "tokens"):
                await self._store.keep_setting(f"{PREFIX}{before}:{kind}", None)
        await self._store.keep_setting(DAY, day.isoformat())


def _name(day: date, kind: str) -> str:
    return f"{PREFIX}{day.isoformat()}:{kind}"
