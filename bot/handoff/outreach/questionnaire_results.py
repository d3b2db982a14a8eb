"""What came of a questionnaire: who answered, and how often each answer was given.

Counted from events alone; the words of free answers are those of the turns in which they were said, so they
go when these are blanked or forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.model import Event
from bot.text.pii import mask

KINDS = ("broadcast_started", "broadcast_said", "flow_started", "flow_ended", "questionnaire_answered")


@dataclass(frozen=True, slots=True)
class AskedStep:
    """A question: what it is called, and of a choice what may be picked, as it is kept and as it is shown."""

    name: str
    title: str
    type: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One customer's answer to a step: the *value* of a choice or a number, or the *turn* whose words it
    is.
    """

    conversation: int
    number: str
    step: str
    at: datetime | None
    value: str = ""
    turn: int = 0


@dataclass(slots=True)
class StepResult:
    """The answers to one step: how many, how often each was picked, the mean of numbers, and the words."""

    step: AskedStep
    answered: int = 0
    skipped: int = 0
    counts: list[tuple[str, int]] = field(default_factory=list)
    mean: float | None = None
    words: list[str] = field(default_factory=list)


@dataclass(slots=True)
class QuestionnaireResult:
    """A questionnaire as it stands: customers who got it, began, and came to the end."""

    sent: int = 0
    begun: int = 0
    done: int = 0
    steps: list[StepResult] = field(default_factory=list)
    answers: list[GivenAnswer] = field(default_factory=list)
    said: Mapping[int, str] = field(default_factory=dict)  # words of answers by their turn, masked

    @property
    def share(self) -> float:
        """Of those who got it, who came to the end (0..1)."""
        return self.done / self.sent if self.sent else 0.0


class TurnWords(Protocol):
    """A turn, as far as its words are wanted."""

    @property
    def id(self) -> int: ...

    @property
    def text(self) -> str: ...


class ResultSource(Protocol):
    """The part of the store that results are read from."""

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Sequence[str] = ()
    ) -> Sequence[Event]: ...

    async def turns(
        self, *, conversation: int | None = None, after: int = 0, limit: int = 50
    ) -> Sequence[TurnWords]: ...


async def results(source: ResultSource, name: str, steps: Sequence[AskedStep]) -> QuestionnaireResult:
    """What came of the questionnaire *name*, of all its sendings together."""
    events = await source.events(kinds=KINDS)
    found = counted(name, steps, events)
    turns = {a.turn: "" for a in found.answers if a.turn}
    for turn in turns:
        rows = await source.turns(after=turn - 1, limit=1)
        turns[turn] = mask(rows[0].text) if rows and rows[0].id == turn else ""
    found.said = turns
    for result in found.steps:
        mine = [a for a in found.answers if a.step == result.step.name and a.turn]
        result.words = [turns[a.turn] for a in mine if turns[a.turn]]
    return found


def counted(name: str, steps: Sequence[AskedStep], events: Sequence[Event]) -> QuestionnaireResult:
    """The figures. Of somebody who began anew the last way through counts, so a branch that was left is not
    mixed with the one that was taken.
    """
    numbers = {
        str(e.data.get("number"))
        for e in events
        if e.kind == "broadcast_started" and e.data.get("questionnaire") == name
    }
    sent = {
        e.conversation for e in events if e.kind == "broadcast_said" and str(e.data.get("number")) in numbers
    }
    mine = [e for e in events if e.data.get("flow") == name and str(e.data.get("number", "")) in numbers]
    given: dict[int, dict[str, GivenAnswer]] = {}
    begun: set[int] = set()
    done: set[int] = set()
    for event in mine:
        who = event.conversation or 0
        if event.kind == "flow_started":
            begun.add(who)
            given[who] = {}
        elif event.kind == "flow_ended" and event.data.get("ending") in ("done", "article"):
            done.add(who)
        elif event.kind == "questionnaire_answered":
            answer = _answer(event, who)
            given.setdefault(who, {})[answer.step] = answer
    answers = [a for one in given.values() for a in one.values()]
    return QuestionnaireResult(
        len(sent), len(begun), len(done), [_result(step, answers) for step in steps], answers
    )


def _answer(event: Event, who: int) -> GivenAnswer:
    turn = event.data.get("turn")
    return GivenAnswer(
        who,
        str(event.data.get("number", "")),
        str(event.data.get("step", "")),
        event.at,
        str(event.data.get("option", "")),
        turn if isinstance(turn, int) else 0,
    )


def _result(step: AskedStep, answers: Sequence[GivenAnswer]) -> StepResult:
    mine = [a for a in answers if a.step == step.name]
    answered = [a for a in mine if a.value or a.turn]
    result = StepResult(step, len(answered), len(mine) - len(answered))
    counts = Counter(a.value for a in answered if a.value)
    if step.type == "choice":
        labels: Mapping[str, str] = dict(step.options)
        kept = [*labels, *(v for v in counts if v not in labels)]
        result.counts = [(labels.get(v, v), counts[v]) for v in kept]
    elif step.type == "number":
        numbers = [n for v, times in counts.items() if (n := _number(v)) is not None for _ in range(times)]
        result.counts = sorted(counts.items(), key=lambda pair: _number(pair[0]) or 0.0)
        result.mean = sum(numbers) / len(numbers) if numbers else None
    return result


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
