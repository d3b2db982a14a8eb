"""Asks the dialogs in order; whatever goes wrong, or if nobody knows an answer, a person gets the
conversation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.dialogs.base import Dialog
from bot.dialogs.dialog_state import is_customers_word
from bot.dialogs.open_question import open_question
from bot.dialogs.protocols import Escalation
from bot.dialogs.reply import speaking
from bot.dialogs.short_answers import in_spoken_language
from bot.i18n.texts import Texts
from bot.model import Event, InboundKind, Outcome, Result, Turn
from bot.model.internal import DialogTimer

# seconds that dialogs may spend before the next one's time is counted anew: a timer for each costs more than
# most of them
SLACK = 0.05
SURVEYS = frozenset({"rating", "check_in", "nps"})  # whose answers may be lone numbers
PERSON = "human"  # the dialog that calls a person: nobody's question goes before it

log = logging.getLogger(__name__)


class Flow:
    """Named dialogs in order of priority, each with *timeout* seconds; *escalate* is the end that always
    answers, *hand_over* how a dialog calls a person (default: the same).

    Reasons it gives itself: `dialog_failed` (raised, hung, or returned something else; `why` names the
    dialog) and `no_answer`.
    """

    def __init__(
        self,
        dialogs: Sequence[tuple[str, Dialog]],
        *,
        timeout: float,
        escalate: Escalation,
        hand_over: Escalation | None = None,
        texts: Texts | None = None,
    ) -> None:
        self._dialogs, self._timeout, self._escalate = tuple(dialogs), timeout, escalate
        self._hand_over, self._words = hand_over or escalate, texts or Texts.load()

    async def __call__(self, turn: Turn) -> Outcome:
        """The outcome of the first dialog that has one.

        Never raises but for cancellation and a failing *escalate*.
        """
        spoken_in = in_spoken_language(turn)
        outcome = await self._first(spoken_in)
        if spoken_in is not turn and outcome.customer is None:
            return replace(outcome, customer=spoken_in.customer)
        return outcome

    async def _first(self, turn: Turn) -> Outcome:
        spoken = is_customers_word(turn)
        if not spoken and not any(i.kind is InboundKind.INTERNAL for i in turn.inbounds):
            return _ignored(turn)
        name, loop = "", asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(self._timeout) as timer:
                for name, dialog in self._in_turn(turn):
                    if loop.time() - begun > SLACK:
                        begun = loop.time()
                        timer.reschedule(begun + self._timeout)
                    with speaking(self._words, name, self._hand_over):
                        outcome = await dialog(turn)
                    if outcome is not None and not isinstance(outcome, Outcome):
                        raise TypeError(f"{name} returned {type(outcome).__name__}, not Outcome or None")
                    if outcome is not None:
                        return outcome if outcome.dialog else replace(outcome, dialog=name)
        except Exception as error:
            # law: a dialog that raises or hangs ends in a handoff, never in silence; the words of the error
            # may be personal
            log.exception("dialog %s failed on turn %s: %s", name, turn.id, type(error).__name__)
            return self._failed(turn, name, error)
        return self._escalate(turn, reason="no_answer") if spoken else _ignored(turn)

    def _in_turn(self, turn: Turn) -> Sequence[tuple[str, Dialog]]:
        """Who is asked, in order: the dialog that set the timer alone; after those that call a person the one
        that asked the customer, before surveys, whose question is older.
        """
        if isinstance(timer := turn.inbounds[0].payload, DialogTimer):
            return [d for d in self._dialogs if d[0] == timer.dialog]
        question = open_question(turn)
        if question is None:
            return self._dialogs
        place = next((n for n, d in enumerate(self._dialogs, 1) if d[0] == PERSON), 0)
        first = [d for d in self._dialogs[:place] if d[0] not in SURVEYS]
        rest = [d for d in self._dialogs if d not in first]
        asking = [d for d in rest if d[0] == question.dialog]
        return (*first, *asking, *(d for d in rest if d[0] != question.dialog))

    def _failed(self, turn: Turn, name: str, error: Exception) -> Outcome:
        outcome = self._escalate(turn, reason="dialog_failed")
        event = Event("dialog_failed", data={"dialog": name, "error": type(error).__name__})
        return replace(
            outcome,
            events=(*outcome.events, event),
            explanation={**outcome.explanation, "dialog": name, "error": type(error).__name__},
        )


def _ignored(turn: Turn) -> Outcome:
    return Outcome("flow", Result.IGNORED, turn.inbounds[0].kind.value if turn.inbounds else "nothing")
