"""How far a conversation is in a flow, as a value over the question that waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.dialogs.open_question import STATE, OpenQuestion, open_question
from bot.model import Json, Turn

NAME = "flows"  # of the dialog
LEFT = "flow_answers"  # of the conversation's state: answers of a flow that a person goes on with


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A flow under way. *key* names this run for ever, *step* is the one that waits, *known* are answers and
    what was taken from other systems.

    *visits* counts how often a step was come to; *sending* is the questionnaire's broadcast.
    """

    flow: str
    key: str
    step: int = 0
    known: Mapping[str, str] = field(default_factory=dict)
    tries: int = 0
    visits: Mapping[str, int] = field(default_factory=dict)
    code: Json = field(default_factory=dict)
    sending: str = ""

    def question(self) -> OpenQuestion:
        """As the conversation's state keeps it."""
        facts = {
            "key": self.key,
            "step": self.step,
            "known": dict(self.known),
            "tries": self.tries,
            "visits": dict(self.visits),
            "code": dict(self.code),
            "sending": self.sending,
        }
        return OpenQuestion(self.flow, facts, NAME)

    def came_to(self, name: str) -> FlowRun:
        return replace(self, visits={**self.visits, name: self.visits.get(name, 0) + 1})

    def knows(self, more: Mapping[str, str]) -> FlowRun:
        return replace(self, known={**self.known, **more})


def run_of(turn: Turn) -> FlowRun | None:
    """The flow that is under way here; None where none is."""
    asked = open_question(turn)
    if asked is None or asked.dialog != NAME:
        return None
    facts = asked.facts
    known, visits, code = facts.get("known"), facts.get("visits"), facts.get("code")
    step, tries = facts.get("step"), facts.get("tries")
    return FlowRun(
        asked.key,
        str(facts.get("key", "")),
        step if isinstance(step, int) else 0,
        {str(k): str(v) for k, v in known.items()} if isinstance(known, Mapping) else {},
        tries if isinstance(tries, int) else 0,
        {str(k): v for k, v in visits.items() if isinstance(v, int)} if isinstance(visits, Mapping) else {},
        code if isinstance(code, Mapping) else {},
        str(facts.get("sending", "")),
    )


def is_surveyed(turn: Turn) -> bool:
    """Whether a question of a questionnaire waits: a complaint is an answer to it, not a call."""
    run = run_of(turn)
    return run is not None and bool(run.sending)


def without_run(state: Json) -> Json:
    """The state of a conversation in which no flow is under way."""
    kept = state.get(STATE)
    if isinstance(kept, Mapping) and kept.get("dialog") == NAME:
        return {k: v for k, v in state.items() if k != STATE}
    return state


def expiry(turn: Turn) -> str:
    """The key of the timer that ends the run where the customer falls silent."""
    return f"dialog_timer:{turn.conversation.id}:{NAME}:expires"


def moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
