"""Where a customer's question stands between two turns: a type for each stage, and every way from one to the
next.

    Idle ──────────► Answered          an article was told
     │                  │ "no"
     ├──► Clarifying ◄──┘              which of these was meant?
     │        │
     └────────┴──► Unanswered          nothing is known; shall a person be called? (silence calls one)

    PersonOffered                      the same offer where no question was missed: what was asked or told
                                       before it still stands
"""

from __future__ import annotations

from dataclasses import dataclass

FAILURES = 2  # questions in a row without an answer, after which a person comes at the next


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing of ours waits for the customer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An article was told: "no" means that it did not help.

    `second`: other articles were offered already after a "no"; the next one brings a person.
    """

    second: bool = False


@dataclass(frozen=True, slots=True)
class Clarifying:
    """It was asked which article is meant; `options` are what a number may choose.

    `lead`: the likeliest article was told above them. `second`: the options were offered after a "no".
    `missed`: a question before this one found no answer, `failures`: so many in a row were not answered.
    """

    options: tuple[str, ...] = ()
    lead: bool = False
    second: bool = False
    missed: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class PersonOffered:
    """It was asked whether to call a person, by the way: `before` still stands."""

    before: Idle | Answered | Clarifying = Idle()


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question found no answer and a person was offered; `failures` in a row were not answered."""

    failures: int = 0
    before: Idle | Answered | Clarifying = Idle()


Stage = Idle | Answered | Clarifying | PersonOffered | Unanswered


# --- what a stage tells


def standing(stage: Stage) -> Idle | Answered | Clarifying:
    """The stage without the offer of a person."""
    return stage.before if isinstance(stage, PersonOffered | Unanswered) else stage


def options_of(stage: Stage) -> tuple[str, ...]:
    """The articles that a number may choose."""
    return before.options if isinstance(before := standing(stage), Clarifying) else ()


def is_answered(stage: Stage) -> bool:
    """Whether our last word told an article."""
    before = standing(stage)
    return isinstance(before, Answered) or (isinstance(before, Clarifying) and before.lead)


def is_clarifying(stage: Stage) -> bool:
    return isinstance(standing(stage), Clarifying)


def is_person_offered(stage: Stage) -> bool:
    return isinstance(stage, PersonOffered | Unanswered)


def is_second(stage: Stage) -> bool:
    """Whether other articles were offered already after a "no"."""
    before = standing(stage)
    return isinstance(before, Answered | Clarifying) and before.second


def is_missed(stage: Stage) -> bool:
    """Whether a question found no answer, and a person was offered for it."""
    return isinstance(stage, Unanswered) or (isinstance(stage, Clarifying) and stage.missed)


def failures_of(stage: Stage) -> int:
    """How many questions in a row were not answered."""
    return stage.failures if isinstance(stage, Clarifying | Unanswered) else 0


def may_clarify(stage: Stage) -> bool:
    """Law: at most one clarification in a row, and none after too many failures."""
    return not is_clarifying(stage) and failures_of(stage) < FAILURES


def needs_person(stage: Stage) -> bool:
    """Whether the next question without an answer brings a person, instead of the offer of one."""
    return is_missed(stage) or failures_of(stage) >= FAILURES


# --- from one stage to the next


def answered(stage: Stage) -> Answered:
    return Answered(is_second(stage))


def clarified(stage: Stage, options: tuple[str, ...], *, lead: bool = False) -> Clarifying:
    """A question was not clear: it is asked which of *options* is meant."""
    return Clarifying(options, lead, missed=is_missed(stage), failures=failures_of(stage) + 1)


def asked_which(stage: Stage) -> Clarifying:
    """What was said to a list chooses nothing from it: the number is asked for."""
    return Clarifying(
        options_of(stage), second=is_second(stage), missed=is_missed(stage), failures=failures_of(stage) + 1
    )


def others_offered(options: tuple[str, ...]) -> Clarifying:
    """It did not help: *options* are offered in its place, once."""
    return Clarifying(options, second=True)


def unanswered(stage: Stage) -> Unanswered:
    """A question found no answer: a person is offered."""
    return Unanswered(failures_of(stage) + 1)


def repeated(stage: Stage) -> PersonOffered | Unanswered:
    """The same was asked once more: a person is offered; what was missed before stays missed."""
    before = Answered() if is_answered(stage) else Idle()
    return Unanswered(before=before) if is_missed(stage) else PersonOffered(before)


def interrupted(stage: Stage, *, person_offered: bool) -> Stage:
    """A smile between our question and its answer takes nothing away, and brings at most the offer of a
    person.
    """
    before = standing(stage)
    kept: Idle | Answered | Clarifying = Idle()
    if isinstance(before, Clarifying):
        kept = Clarifying(before.options, before.lead)
    elif isinstance(before, Answered):
        kept = Answered()
    return PersonOffered(kept) if person_offered else kept
