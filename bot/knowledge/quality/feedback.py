"""What people's clicks say of the answers: judged questions read from the records, and the shift of
confidence that they support.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from bot.knowledge.quality.turn_log import LoggedTurn, found_for, searched
from bot.model import Event

Source = Literal["picked", "sent", "helped", "not_helped"]
FEWEST = 20  # judged questions from which confidence moves
NEWEST = 300  # judged questions that are looked at
EVENTS = ("answered", "feedback", "ready_sent", "ticket_opened")
SLOPE_WEIGHT = 25.0  # how firmly the slope is held at 1, in units of information
OFFSET_WEIGHT = 4.0  # how firmly the offset is held at 0
FARTHEST = 2.0  # log odds: nothing moves farther, however many say so
_STEPS = 12


@dataclass(frozen=True, slots=True)
class Feedback:
    """A real question and what somebody said of an article for it: the right one, or not.

    `source` is what they did last: picked it among options, sent it as an operator, said that it helped. The
    question `mixed` several where its parts were answered apart.
    """

    question: str
    article: str
    right: bool
    language: str = ""
    source: Source = field(default="helped", compare=False)
    conversation: int = field(default=0, compare=False)
    at: datetime | None = field(default=None, compare=False)
    mixed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ConfidenceShift:
    """How confidence moves: its log odds times `slope` plus `offset`, at most `limit` away.

    `labels` is how many said so (0: nothing moves).
    """

    slope: float = 1.0
    offset: float = 0.0
    limit: float = 0.0
    labels: int = 0

    def __call__(self, chance: float) -> float:
        """The refined probability; the order of probabilities stays."""
        if not self.labels or not 0 < chance < 1:
            return chance
        odds = math.log(chance / (1 - chance))
        moved = odds + min(self.limit, max(-self.limit, self.slope * odds + self.offset - odds))
        return 1 / (1 + math.exp(-moved))


NO_SHIFT = ConfidenceShift()


def shift_of(cases: Sequence[tuple[float, bool]]) -> ConfidenceShift:
    """Platt scaling of (confidence, whether the first article was right), shrunken towards no change: a few
    judged questions move little, and never farther than log(1 + n / 10) in log odds.
    """
    if len(cases) < FEWEST:
        return NO_SHIFT
    chance = np.clip(np.array([c for c, _ in cases], np.float64), 1e-3, 1 - 1e-3)
    right = np.array([r for _, r in cases], np.float64)
    inputs = np.stack((np.log(chance / (1 - chance)), np.ones(len(cases))), 1)
    start = np.array((1.0, 0.0))
    firm = np.diag((SLOPE_WEIGHT, OFFSET_WEIGHT))
    now = start
    for _ in range(_STEPS):
        said = 1 / (1 + np.exp(-np.clip(inputs @ now, -30, 30)))
        slope = inputs.T @ (said - right) + firm @ (now - start)
        bend = (inputs * (said * (1 - said))[:, None]).T @ inputs + firm
        now = now - np.clip(np.linalg.solve(bend, slope), -1, 1)
    return ConfidenceShift(
        float(np.clip(now[0], 0.5, 1.5)),
        float(now[1]),
        min(FARTHEST, math.log1p(len(cases) / 10)),
        len(cases),
    )


def judged(
    turns: Iterable[LoggedTurn], events: Iterable[Event], *, newest: int = NEWEST
) -> tuple[Feedback, ...]:
    """The *newest* judged questions, oldest first, one verdict each: «помогло» and «не помогло» under an
    answer, the option picked from a clarification, the article that an operator sent. What only continues an
    older topic says nothing of the question alone.

    *turns* are all turns of the conversations that *events* (of the kinds `EVENTS`) speak of.
    """
    talks: dict[int, list[tuple[datetime, int, int, LoggedTurn | Event]]] = {}
    for turn in turns:
        if searched(turn):
            talks.setdefault(turn.conversation, []).append(
                (turn.at, 1, turn.id, turn)
            )  # after the events of its own turn
    whose: dict[int, int] = {}
    for number, event in enumerate(events):
        if event.kind == "ticket_opened" and event.ticket is not None and event.conversation is not None:
            whose[event.ticket] = event.conversation
        home = whose.get(event.ticket, event.conversation) if event.ticket is not None else event.conversation
        if event.at is not None and home is not None:
            talks.setdefault(home, []).append((event.at, 0, number, event))
    found: list[tuple[datetime, Feedback]] = []
    for talk in talks.values():
        found += _verdicts(talk)
    return tuple(f for _, f in sorted(found, key=lambda x: x[0])[-newest:])


def _verdicts(talk: list[tuple[datetime, int, int, LoggedTurn | Event]]) -> list[tuple[datetime, Feedback]]:
    found: list[tuple[datetime, Feedback]] = []
    own = {
        at for at, *_, what in talk if not isinstance(what, Event)
    }  # what is answered then is the question's own answer, not a pick
    question: LoggedTurn | None = None
    said: dict[str, Source] = {}
    for *_, what in sorted(talk, key=lambda x: x[:3]):
        if isinstance(what, Event):
            if what.kind == "answered" and what.at in own:
                continue
            if question is not None and (word := _word(what, question)) is not None:
                article, source = word
                before = said.pop(article, None)  # the last word on an article counts
                said[article] = before if source == "helped" and before in ("picked", "sent") else source
            continue
        if question is not None:
            found += _verdict(question, said)
        question, said = (None if what.why.get("followed") else what), {}
    return found + (_verdict(question, said) if question is not None else [])


def _verdict(question: LoggedTurn, said: Mapping[str, Source]) -> list[tuple[datetime, Feedback]]:
    """The article found right last, else the one found wrong last."""
    newest = list(said)[::-1]
    chosen = next((a for a in newest if said[a] != "not_helped"), newest[0] if newest else "")
    if not chosen:
        return []
    verdict = Feedback(
        question.text.strip(),
        chosen,
        said[chosen] != "not_helped",
        str(question.why.get("language") or ""),
        said[chosen],
        question.conversation,
        question.at,
        bool(question.why.get("several")),
    )
    return [(question.at, verdict)]


def _word(event: Event, question: LoggedTurn) -> tuple[str, Source] | None:
    """What an event after a question says of which article."""
    article = str(event.data.get("article") or "")
    if event.kind == "feedback" and article:
        return article, "helped" if event.data.get("helped") else "not_helped"
    if event.kind == "answered" and question.result == "clarified":
        return (article, "picked") if article in {a for a, _ in found_for(question)} else None
    kind, _, sent = str(event.data.get("what") or "").partition(":")
    if event.kind == "ready_sent" and kind == "article" and sent:
        return sent, "sent"
    return None
