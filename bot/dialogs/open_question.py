"""A question that a dialog of one's own has asked and that waits for the customer's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.dialogs.dialog_state import FORGET
from bot.model import Json, Turn

STATE = "question"  # where it is kept in the conversation's state


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What was asked: the *key* of its words, the *facts* that came with it, and the *dialog* that asked."""

    key: str
    facts: Json = field(default_factory=dict)
    dialog: str = ""


def open_question(turn: Turn) -> OpenQuestion | None:
    """The question that waits; an old one is forgotten as everything else that was asked is."""
    kept = turn.conversation.state.get(STATE)
    if not isinstance(kept, Mapping):
        return None
    facts = kept.get("facts")
    try:
        asked = datetime.fromisoformat(str(kept.get("at")))
    except ValueError:
        return None
    if turn.now - asked > FORGET:
        return None
    key, dialog = str(kept.get("key", "")), str(kept.get("dialog", ""))
    return OpenQuestion(key, facts if isinstance(facts, Mapping) else {}, dialog)


def with_question(state: Json, question: OpenQuestion, now: datetime) -> Json:
    """The state with a question that waits from *now* on, in place of any other."""
    kept = {"key": question.key, "facts": dict(question.facts), "dialog": question.dialog}
    return {**state, STATE: {**kept, "at": now.isoformat()}}


def without_question(state: Json, dialog: str) -> Json:
    """The state without a question of *dialog*; those of others stay open."""
    kept = state.get(STATE)
    if isinstance(kept, Mapping) and kept.get("dialog") == dialog:
        return {k: v for k, v in state.items() if k != STATE}
    return state
