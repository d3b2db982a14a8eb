"""Whoever wants a person gets one: in any wording, in any state, and at once when upset."""

from __future__ import annotations

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.flows.flow_run import is_surveyed
from bot.dialogs.intent import IntentReader
from bot.dialogs.protocols import Escalation
from bot.dialogs.question_stage import is_person_offered
from bot.dialogs.short_answers import ShortAnswers, is_signs
from bot.i18n.texts import Texts
from bot.model import InboundKind, Intent, Outcome, Turn
from bot.text.customer_fields import CONTACTS, normal

PAYLOADS = frozenset({"human", "operator", "support"})  # of deep links: t.me/shop_bot?start=human

ANGRY = 0.6  # how upset (0..1) a question or a request may sound before a person answers it
UPSET = 0.65  # the same for words that do nothing but complain; below it they may as well be unknown words
CALL = 4  # words of a call for a person in the middle of a questionnaire, at most: more is a comment
_SERIOUS = (Intent.UPSET, Intent.QUESTION, Intent.HUMAN, Intent.NOT_HELPED)


def _is_contact(text: str) -> bool:
    return any(normal(name, text) for name in CONTACTS)


class HumanRequest:
    """Stands before all other dialogs."""

    def __init__(self, texts: Texts, intent: IntentReader, escalate: Escalation) -> None:
        self._hearing, self._intent, self._escalate = ShortAnswers(texts), intent, escalate

    async def __call__(self, turn: Turn) -> Outcome | None:
        if turn.press is not None and turn.press.action == "human":
            return self._escalate(turn, reason="asked")
        if any(i.kind is InboundKind.START and i.text.strip().lower() in PAYLOADS for i in turn.inbounds):
            return self._escalate(turn, reason="asked")
        if not turn.text.strip():
            return None
        memory = DialogState.of(turn)
        if self._hearing.means("human", turn.text) or (
            is_person_offered(memory.stage) and self._hearing.agreement(turn.text) == "yes"
        ):
            return self._escalate(turn, reason="asked")
        if (
            turn.text.startswith("/")
            or self._hearing.answers(turn.text, memory)
            or self._hearing.means("disliked", turn.text)
            or is_signs(turn.text)
            or (memory.form and _is_contact(turn.text))  # an answer to a form has no mood
        ):
            return None
        surveyed = is_surveyed(turn)
        if surveyed and len(turn.text.split()) > CALL:
            return None
        reading = await self._intent(turn, memory)
        upset = reading.upset >= (UPSET if reading.act is Intent.UPSET else ANGRY)
        if upset and reading.act in _SERIOUS and not surveyed:
            return self._escalate(turn, reason="upset", apology=True)
        return self._escalate(turn, reason="asked") if reading.act is Intent.HUMAN else None
