"""The assistant behind its guards: allowed, within the budget, not resting, masked, in time, on record."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from bot.assistant.budget import DayBudget, SpentBudget
from bot.assistant.errors import AssistantError, AssistantFailed, AssistantReason, AssistantUnavailable
from bot.assistant.instructions import Messages, messages_of
from bot.assistant.masking import Masking
from bot.assistant.openai_client import ChatClient, ChatReply
from bot.assistant.store import AssistantStore
from bot.assistant.task import Audience, Reply, Task
from bot.circuit import Circuit, CircuitState
from bot.config.assistant import AssistantSettings
from bot.errors import StorageError
from bot.model import Event

CIRCUIT = "assistant:circuit"  # the setting that keeps it
LONGEST = 24_000  # characters that are sent at most
LONGEST_REPLY = 20_000  # and that are read
PER_TOKEN = 2.5  # characters of a token, in Russian, at least
_AGAIN: frozenset[AssistantReason] = frozenset({"connection", "server", "busy"})
# what tells of the server, not of one reply
_BREAKING: frozenset[str] = frozenset({"timeout", "connection", "server", "busy", "account", "request"})
_WORKED = frozenset({"done", "empty", "cut", "malformed", "tools", "leaked"})
_PAUSE = 0.3  # seconds before the second try
_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.S)


@dataclass(frozen=True, slots=True)
class AssistantState:
    """How the assistant is, for `bot doctor` and /readyz."""

    model: str
    circuit: CircuitState
    spent: SpentBudget
    is_resting: bool


class GuardedAssistant:
    """An `Assistant` that asks *chat*."""

    def __init__(
        self,
        settings: AssistantSettings,
        chat: ChatClient,
        store: AssistantStore,
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._settings, self._chat, self._store, self._clock = settings, chat, store, clock
        self._budget, self._circuit = DayBudget(store, settings.budget, zone), Circuit(store, CIRCUIT)

    def allows(self, audience: Audience) -> bool:
        return self._settings.allows(audience)

    async def state(self) -> AssistantState:
        """Raises `StorageError`."""
        now, circuit = self._clock(), await self._circuit.state()
        spent = await self._budget.spent(now)
        return AssistantState(self._settings.model, circuit, spent, circuit.is_resting(now))

    async def close(self) -> None:
        await self._chat.close()

    async def complete(self, task: Task) -> Reply:
        """Raises `AssistantError`, also where the store cannot be asked: then nothing is spent."""
        if not self.allows(task.audience):
            raise AssistantUnavailable("not_allowed")
        if _size(task.data) > LONGEST:  # before anything looks through it
            raise await self._refused(task, AssistantUnavailable("too_long"))
        masking = Masking(task.names)
        messages = messages_of(task.name, task.language, masking.hide_all(task.data))
        started, seconds = time.monotonic(), task.seconds or self._settings.timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._guarded(task, messages, masking, started)
        except TimeoutError:
            raise AssistantFailed("timeout") from None
        except StorageError:
            raise AssistantUnavailable("resting", "storage") from None

    async def _guarded(self, task: Task, messages: Messages, masking: Masking, started: float) -> Reply:
        if messages.size > LONGEST:
            raise await self._refused(task, AssistantUnavailable("too_long"))
        reserved = round(messages.size / PER_TOKEN) + task.longest
        limit = task.seconds or self._settings.timeout
        try:
            before = await self._circuit.admit(now := self._clock(), limit)
            if before.is_resting(now):
                raise AssistantUnavailable("resting", before.reason)
            day = await self._budget.take(
                self._clock(), reserved, task.customer if task.audience == "customers" else None
            )
        except AssistantUnavailable as error:
            raise await self._refused(task, error) from None
        await self._record(task, "assistant_asked", reserved=reserved)
        tokens, outcome = reserved, "interrupted"
        try:
            found = await self._asked(messages, task.longest, started + limit)
            tokens = found.tokens or round((messages.size + len(found.text)) / PER_TOKEN)
            reply = _read(task, messages, masking, found)
            outcome = "done"
            return Reply(reply.text, reply.data, tokens, time.monotonic() - started)
        except AssistantError as error:
            outcome = error.reason
            raise
        except asyncio.CancelledError:
            outcome = "timeout"  # or whoever asked waits no more
            raise
        finally:
            # told of even where the time is over: a call that is on no record would be free
            await asyncio.shield(
                self._settle(task, _Call(day, reserved, tokens, outcome, before, time.monotonic() - started))
            )

    async def _asked(self, messages: Messages, longest: int, until: float) -> ChatReply:
        """A second try where the first one met a server that was not there, and there is time for it."""
        try:
            return await self._chat.ask(messages, longest)
        except AssistantFailed as error:
            if error.reason not in _AGAIN or time.monotonic() + 2 * _PAUSE > until:
                raise
        await asyncio.sleep(_PAUSE)
        return await self._chat.ask(messages, longest)

    async def _settle(self, task: Task, call: _Call) -> None:
        """What the call came to: in the budget, in the breaker, on record."""
        await self._budget.give_back(call.day, call.reserved - call.tokens)
        await self._record(
            task,
            "assistant_replied",
            outcome=call.outcome,
            tokens=call.tokens,
            seconds=round(call.seconds, 2),
        )
        if call.outcome in _WORKED:
            await self._circuit.worked(call.before)
        elif call.outcome in _BREAKING:
            await self._circuit.failed(self._clock(), call.outcome)

    async def _refused(self, task: Task, error: AssistantUnavailable) -> AssistantUnavailable:
        """Not asked; told of once for each who asked, so that a spent budget is seen."""
        await self._record(task, "assistant_refused", outcome=error.reason)
        return error

    async def _record(self, task: Task, kind: str, **data: object) -> None:
        """Law: who, what for, how much and how it ended; never a word of what was sent or came back."""
        event = Event(
            kind,
            conversation=task.conversation,
            ticket=task.ticket,
            actor=task.by,
            data={"task": task.name, "audience": task.audience, "model": self._settings.model, **data},
        )
        await self._store.enqueue((), self._clock(), events=(event,))


@dataclass(frozen=True, slots=True)
class _Call:
    day: date
    reserved: int
    tokens: int
    outcome: str
    before: CircuitState
    seconds: float


def _read(task: Task, messages: Messages, masking: Masking, found: ChatReply) -> Reply:
    """The reply as it was asked for, with what was masked. Raises `AssistantFailed`."""
    if len(found.text) > LONGEST_REPLY:
        raise AssistantFailed("cut", "too long")
    if messages.is_repeated_in(found.text):
        raise AssistantFailed("leaked")
    if task.shape == "text":
        return Reply(masking.show(found.text))
    data = _json(found.text)
    return Reply(found.text, masking.show_all(data))


def _size(value: Any) -> int:
    """How many characters the texts of the data have."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_size(v) for v in value.values())
    return sum(_size(v) for v in value) if isinstance(value, list | tuple) else 0


def _json(text: str) -> Mapping[str, Any]:
    fenced = _FENCED.match(text)
    try:
        found = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        raise AssistantFailed("malformed") from None
    if not isinstance(found, dict):
        raise AssistantFailed("malformed")
    return found
