"""The engine: one turn of a conversation at a time is taken, decided and committed; whatever fails ends
with a person.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from bot.clock import Clock
from bot.delivery.flood_control import Flood
from bot.errors import StorageError, VersionConflict
from bot.model import Event, Inbound, InboundKind, Outbound, OutboundKind, Outcome, Result, Turn
from bot.model.desk_state import moved_setting
from bot.observability import Observers, get_logger
from bot.storage.base import Store
from bot.text.transcripts import spoken_turn, transcript_of

MAX_ATTEMPTS = (
    3  # a turn that cannot even be handed over this often is set aside, so that the conversation goes on
)

LOOK = 5.0  # seconds between looks at the store at least
SHARED_LOOK = 1.0  # the same, where other processes keep messages, too

_ASIDE = {  # what is known and kept, and needs nobody's decision
    InboundKind.OTHER: "unknown_kind",
    InboundKind.REACTION: "reaction",
    InboundKind.MEMBER: "membership",
    InboundKind.UNBLOCKED: "unblocked",
}


_WORDS = (InboundKind.MESSAGE, InboundKind.PRESS, InboundKind.START)


class OperatorDesk(Protocol):
    """The operators' side of a decision (bot/handoff/desk.py)."""

    def hears(self, turn: Turn) -> bool:
        """Whether this turn was said in a group, not by a customer."""
        ...

    async def catch_up(self, version: int) -> None:
        """Know what was committed up to this version of the desk's state, by whichever process."""
        ...

    async def decide(self, turn: Turn) -> Outcome: ...

    def escalate(self, turn: Turn, *, reason: str) -> Outcome:
        """Hand the conversation to a person. Pure; must not fail."""
        ...


class MessageRelay(Protocol):
    """An operator has the ticket: carry the words (bot/handoff/relay.py). None = nobody has it."""

    async def __call__(self, turn: Turn) -> Outcome | None: ...


class SpeechReader(Protocol):
    """Writes down what customers say in voice messages (bot/transcription/voice_reader.py)."""

    async def take(self, turn: Turn) -> bool:
        """Whether the turn was given back to the store, because somebody listens to it first."""
        ...

    async def settle(self) -> bool:
        """Wait for everybody who listens; false where nobody does."""
        ...


@dataclass(frozen=True, slots=True)
class Deciders:
    """Who decides a turn: the operators' side, the relay while an operator has the ticket, else the dialogs.

    A decision has `timeout` seconds; `flood` answers who writes too much in their place; `articles` tells the
    version of the articles that customers are answered from. With `voice` what customers say counts as words.
    """

    desk: OperatorDesk
    relay: MessageRelay
    flow: Callable[[Turn], Awaitable[Outcome]]
    timeout: float = 20.0
    flood: Flood | None = None
    articles: Callable[[], str] = lambda: ""
    voice: SpeechReader | None = None


class Engine:
    """Takes turns with several workers (`work`), which service.py starts and ends."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        deciders: Deciders,
        *,
        prepare: Callable[[Turn, tuple[Outbound, ...]], tuple[Outbound, ...]],
        committed: Callable[[], None] = lambda: None,
        observers: Observers | None = None,
    ) -> None:
        self._store, self._clock = store, clock
        self._desk, self._relay, self._flow = deciders.desk, deciders.relay, deciders.flow
        self._timeout, self._flood = deciders.timeout, deciders.flood
        self._articles, self._voice = deciders.articles, deciders.voice
        self._prepare, self._committed = prepare, committed
        self._observers = observers or Observers()
        self._awake = asyncio.Event()
        self._watched = False
        self._log = get_logger("engine")

    def wake(self) -> None:
        """Something may be ready: look again."""
        self._awake.set()

    async def work(self) -> None:
        """Take turn after turn until cancelled; a cancelled decision leaves its turn untaken for the next
        start.
        """
        while True:
            self._awake.clear()
            try:
                turn = await self._store.take_turn(self._clock())
                if turn is None:
                    await self._sleep()
                    continue
                self._awake.set()  # where there is one there may be more, for the other workers
                await self.take(turn)
            except StorageError as error:
                self._log.error("storage_failed", error=str(error))
                await asyncio.sleep(1)

    async def run_waiting(self) -> int:
        """Take all turns that are ready now, one after the other; returns how many.

        For tests, the terminal and replays.
        """
        taken = 0
        while True:
            while (turn := await self._store.take_turn(self._clock())) is not None:
                await self.take(turn)
                taken += 1
            if self._voice is None or not await self._voice.settle():
                return taken

    async def take(self, turn: Turn) -> None:
        """Decide a taken turn and commit it. Raises `StorageError` when even giving it back fails."""
        start = time.perf_counter()
        try:
            if self._voice is not None and not self._desk.hears(turn):
                if await self._voice.take(turn):
                    return
                turn = spoken_turn(turn)
            articles = "" if self._desk.hears(turn) else self._articles()  # as they were when it was begun
            outcome = replace(await self.decide_safely(turn), articles=articles)
            finished = await self._store.finish_turn(
                turn, self._ready(turn, self._with_heard(turn, outcome)), self._clock()
            )
        except VersionConflict:
            # somebody changed the conversation meanwhile: the store gave the turn back, it is decided anew
            return
        except asyncio.CancelledError:
            await asyncio.shield(self._store.release_turn(turn))
            raise
        except Exception as error:  # noqa: BLE001 - law: nothing that a decision breaks may lose the message
            self._log.exception("turn_failed", turn=turn.id, attempt=turn.attempts + 1)
            pause = timedelta(seconds=2**turn.attempts)
            await self._store.release_turn(turn, error=f"{type(error).__name__}", ready=self._clock() + pause)
            return
        self._committed()
        await self._catch_up(finished.desk_version)
        spent = time.perf_counter() - start
        self._observers.seen(
            Event("turn", data={"result": str(outcome.result), "dialog": outcome.dialog, "seconds": spent})
        )
        for event in finished.events:
            self._observers.seen(event)

    async def _sleep(self) -> None:
        """One worker watches the store for all; the others wait for what wakes them."""
        if self._watched:
            await self._awake.wait()
            return
        self._watched = True
        try:
            longest = SHARED_LOOK if self._store.shared else LOOK
            due = await self._store.next_due(self._clock())
            pause = longest if due is None else max(0.01, (due - self._clock()).total_seconds())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), min(longest, pause))
        finally:
            self._watched = False

    async def decide_safely(self, turn: Turn) -> Outcome:
        if turn.attempts >= MAX_ATTEMPTS:
            return Outcome("engine", Result.IGNORED, "poisoned")
        if turn.attempts and not self._desk.hears(
            turn
        ):  # behind operators' words stands nobody to hand over to: they are tried again
            return self._hand_over(turn, "failed")
        try:
            async with asyncio.timeout(self._timeout):
                await self._catch_up(turn.desk_version)
                return await self._decide(turn)
        except Exception:  # noqa: BLE001 - law: a dialog that raises or hangs ends in a handoff, never in silence
            self._log.exception("decision_failed", turn=turn.id)
            return self._hand_over(turn, "failed")

    async def _catch_up(self, version: int) -> None:
        try:
            await self._desk.catch_up(version)
        except StorageError as error:  # what is known still serves; the next turn looks again
            self._log.error("state_not_read", error=str(error))

    def _hand_over(self, turn: Turn, reason: str) -> Outcome:
        if self._desk.hears(turn):
            return Outcome("desk", Result.IGNORED, reason)
        return self._desk.escalate(turn, reason=reason)

    async def _decide(self, turn: Turn) -> Outcome:
        first = turn.inbounds[0]
        if first.kind is InboundKind.MOVED:
            return await self._moved(first)
        if first.kind in _ASIDE and not (first.kind is InboundKind.MEMBER and self._desk.hears(turn)):
            why = "automatic" if first.data.get("automatic") else _ASIDE[first.kind]
            return Outcome("engine", Result.IGNORED, why)
        if self._desk.hears(turn):
            return await self._desk.decide(turn)
        if (carried := await self._relay(turn)) is not None:
            return carried
        if self._flood is not None and (calm := self._flood(turn)) is not None:
            return calm
        if first.kind is InboundKind.EDIT:
            if not _worth_answering(turn, first):
                return Outcome("engine", Result.IGNORED, "edited")
            turn = replace(turn, inbounds=(replace(first, kind=InboundKind.MESSAGE),))
        return await self._flow(turn)

    async def _moved(self, inbound: Inbound) -> Outcome:
        channel, old, new = inbound.peer.channel, inbound.peer.chat, str(inbound.data.get("chat", ""))
        await self._store.move_chat(channel, old, new)
        event = Event("chat_moved", data={"channel": channel, "old": old, "new": new})
        return Outcome(
            "engine", Result.IGNORED, "moved", events=(event,), settings={moved_setting(channel, old): new}
        )

    def _with_heard(self, turn: Turn, outcome: Outcome) -> Outcome:
        """What a customer said leaves an event with what came of it, for the reports: the first of its
        turn.
        """
        first = turn.inbounds[0]
        if first.kind not in _WORDS or self._desk.hears(turn):
            return outcome
        seconds = round((self._clock() - first.at).total_seconds(), 3)
        data = {
            "channel": first.peer.channel,
            "dialog": outcome.dialog,
            "result": str(outcome.result),
            "seconds": max(0.0, seconds),
        }
        return replace(outcome, events=(Event("heard", data=data), *_voices(turn), *outcome.events))

    def _ready(self, turn: Turn, outcome: Outcome) -> Outcome:
        """The outcome as it is enqueued: every press acknowledged, every text short enough for its
        channel.
        """
        answered = {o.quotes for o in outcome.messages if o.kind is OutboundKind.ACKNOWLEDGE}
        acknowledged = tuple(
            Outbound(i.peer, kind=OutboundKind.ACKNOWLEDGE, quotes=i.callback, author="")
            for i in turn.inbounds
            if i.callback and i.callback not in answered
        )
        return replace(
            outcome,
            messages=self._prepare(turn, (*acknowledged, *outcome.messages)),
        )


def _voices(turn: Turn) -> tuple[Event, ...]:
    """What was listened to, for the reports: no words."""
    found = [(a, t) for a in turn.attachments if (t := transcript_of(a)) is not None]
    return tuple(
        Event("voice_transcribed", data={"sure": t.sure, "by": t.by, "seconds": a.duration}) for a, t in found
    )


def _worth_answering(turn: Turn, edit: Inbound) -> bool:
    """A customer who mends a fresh question expects the mended one answered; old edits and unchanged text do
    not count.
    """
    recent = [
        line
        for line in turn.history
        if line.author == "customer" and turn.now - line.at < timedelta(minutes=2)
    ]
    return bool(edit.text.strip()) and bool(recent) and recent[-1].text.strip() != edit.text.strip()
