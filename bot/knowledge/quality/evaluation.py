"""Measures the decision on questions whose right article is known: how often it is right, how honest its
confidence is, what a threshold costs.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError, Problem
from bot.knowledge.quality.golden import read_golden
from bot.knowledge.tables import table_names
from bot.model import Answer, Decision, Intent
from bot.text.problems import problem

BINS = 10
STEPS = (*(round(n / 100, 2) for n in range(5, 100, 5)), 0.97, 0.99)
STRANGERS = 10  # foreign questions below which no scope is advised
KEPT = 0.95  # share of the questions the base knows that a scope threshold must let through


@dataclass(frozen=True, slots=True)
class EvaluationCase:
    """A question with its right article, "" where none answers it."""

    question: str
    article: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """What was made of a case.

    `place` is where the right article stands among the candidates (1 = first, 0 = not there).
    """

    case: EvaluationCase
    place: int
    decision: Decision
    confidence: float
    scope: float

    @property
    def right(self) -> bool:
        return self.place == 1


@dataclass(frozen=True, slots=True)
class Costs:
    """What each thing costs the business, in any unit: a wrong answer, a person's time, one more question."""

    wrong: float = 10.0
    handoff: float = 3.0
    clarify: float = 1.0


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """What would happen with this answer threshold: numbers of questions, and the cost of one question on
    average.
    """

    threshold: float
    answered: int
    wrong: int
    clarified: int
    handed_over: int
    precision: float
    coverage: float
    cost: float


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Everything measured.

    Shares are 0..1; `precision` is of all answers given, `coverage` the share of known questions answered
    rightly at once.
    """

    questions: int
    in_scope: int
    recall1: float
    recall3: float
    answered: int
    precision: float
    coverage: float
    offered: float
    strangers_answered: int
    strangers_handed: int
    ece: float
    bins: tuple[tuple[float, float, int], ...]
    points: tuple[ThresholdPoint, ...]
    wrong: tuple[JudgedCase, ...]

    @property
    def strangers(self) -> int:
        """Questions that no article answers."""
        return self.questions - self.in_scope


@dataclass(frozen=True, slots=True)
class ThresholdAdvice:
    """Thresholds for a wanted precision; `reached` False where no threshold gives it (then the best there
    is).
    """

    answer: float
    scope: float | None
    precision: float
    coverage: float
    reached: bool
    cheapest: float


def read_cases(path: Path) -> tuple[EvaluationCase, ...]:
    """Questions of a YAML (as golden questions), JSONL or CSV file. Raises ConfigError with the line of what
    cannot be read.

    An empty or missing article, or the decision "handoff", means that nothing in the base answers it.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        return tuple(
            EvaluationCase(g.q, g.article, g.language)
            for g in read_golden(path)
            if not g.answered and (g.article or g.decision == "handoff")
        )
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError([problem("articles.golden.unreadable", path.as_posix())]) from None
    problems: list[Problem] = []
    cases: list[EvaluationCase] = []
    for line, row in _csv_rows(text) if path.suffix.lower() in (".csv", ".tsv") else _json_rows(text):
        question = (
            next((str(row[k]) for k in table_names().question if row.get(k)), "") if row is not None else ""
        )
        if row is None or not question.strip():
            problems.append(problem("articles.golden.no_case", path.as_posix(), line, 1))
            continue
        gold = next((row[k] for k in table_names().gold if row.get(k)), None)
        cases.append(EvaluationCase(question, str(gold or ""), str(row.get("language") or "")))
    if problems:
        raise ConfigError(problems)
    return tuple(cases)


def _json_rows(text: str) -> list[tuple[int, Mapping[str, object] | None]]:
    rows: list[tuple[int, Mapping[str, object] | None]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            rows.append((number, row if isinstance(row, dict) else None))
    return rows


def _csv_rows(text: str) -> list[tuple[int, Mapping[str, object] | None]]:
    first = text.splitlines()[0] if text else ""
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    return [(reader.line_num, {(k or "").strip().lower(): v for k, v in row.items()}) for row in reader]


def judge_cases(
    cases: Iterable[EvaluationCase],
    ask: Callable[[EvaluationCase], Answer],
    family: Mapping[str, str] | None = None,
) -> tuple[JudgedCase, ...]:
    """What is made of each; *family* maps a twin to the article it stands for, so that either language
    counts. Calls for a person and small talk are left out: no article decides them.
    """
    twins = family or {}
    done = []
    for case in cases:
        answer = ask(case)
        if answer.act is not Intent.QUESTION:
            continue
        gold = twins.get(case.article, case.article)
        shown = [twins.get(c.article, c.article) for c in answer.candidates]
        place = shown.index(gold) + 1 if gold and gold in shown else 0
        done.append(JudgedCase(case, place, answer.decision, answer.confidence, answer.scope))
    return tuple(done)


def measure(judged: Sequence[JudgedCase], *, handoff: float, costs: Costs | None = None) -> EvaluationReport:
    """The report over what was judged; *handoff* is the scope threshold that the table of thresholds
    keeps.
    """
    known = [j for j in judged if j.case.article]
    strangers = [j for j in judged if not j.case.article]
    answered = [j for j in judged if j.decision is Decision.ANSWER]
    right = sum(j.right for j in answered)
    return EvaluationReport(
        questions=len(judged),
        in_scope=len(known),
        recall1=_ratio(sum(j.right for j in known), len(known)),
        recall3=_ratio(sum(1 <= j.place <= 3 for j in known), len(known)),
        answered=len(answered),
        precision=_ratio(right, len(answered), empty=1.0),
        coverage=_ratio(right, len(known)),
        offered=_ratio(
            sum(
                (j.decision is Decision.ANSWER and j.right)
                or (j.decision is Decision.CLARIFY and 1 <= j.place <= 3)
                for j in known
            ),
            len(known),
        ),
        strangers_answered=sum(j.decision is Decision.ANSWER for j in strangers),
        strangers_handed=sum(j.decision is Decision.HANDOFF for j in strangers),
        ece=calibration_error(judged),
        bins=reliability(judged),
        points=tuple(point(judged, t, handoff, costs or Costs()) for t in STEPS),
        wrong=tuple(j for j in answered if not j.right),
    )


def _ratio(part: int, whole: int, *, empty: float = 0.0) -> float:
    return part / whole if whole else empty


def reliability(judged: Sequence[JudgedCase]) -> tuple[tuple[float, float, int], ...]:
    """For each tenth of confidence that occurs: mean confidence, share that was right, how many."""
    rows = []
    for n in range(BINS):
        here = [j for j in judged if min(BINS - 1, int(j.confidence * BINS)) == n]
        if here:
            rows.append(
                (
                    sum(j.confidence for j in here) / len(here),
                    sum(j.right for j in here) / len(here),
                    len(here),
                )
            )
    return tuple(rows)


def calibration_error(judged: Sequence[JudgedCase]) -> float:
    """Expected calibration error: how far confidence is from the share that is right, on average."""
    return sum(abs(sure - right) * count for sure, right, count in reliability(judged)) / max(1, len(judged))


def point(judged: Sequence[JudgedCase], threshold: float, handoff: float, costs: Costs) -> ThresholdPoint:
    """What would happen with this answer threshold.

    A clarification that does not offer the right article ends with a person.
    """
    covered = [j for j in judged if j.scope >= handoff]
    answered = [j for j in covered if j.confidence >= threshold]
    clarified = [j for j in covered if j.confidence < threshold]
    wrong = sum(not j.right for j in answered)
    in_vain = sum(not 1 <= j.place <= 3 for j in clarified)
    handed = len(judged) - len(covered)
    total = wrong * costs.wrong + (handed + in_vain) * costs.handoff + len(clarified) * costs.clarify
    known = sum(bool(j.case.article) for j in judged)
    right = len(answered) - wrong
    return ThresholdPoint(
        threshold,
        len(answered),
        wrong,
        len(clarified),
        handed,
        _ratio(right, len(answered), empty=1.0),
        _ratio(right, known),
        total / max(1, len(judged)),
    )


def advise(
    judged: Sequence[JudgedCase], *, precision: float, handoff: float, costs: Costs | None = None
) -> ThresholdAdvice:
    """The lowest answer threshold whose answers (and those of every higher one that still answers) are right
    often enough, and the scope that lets 95 % of the known questions through.
    """
    steps = [round(n / 100, 2) for n in range(1, 100)]
    points = [point(judged, t, handoff, costs or Costs()) for t in steps]
    good: list[ThresholdPoint] = []
    for p in reversed(points):
        if p.answered and p.precision < precision:
            break
        if p.answered:
            good.append(p)
    fallback = max(
        (p for p in points if p.answered), key=lambda p: (p.precision, p.answered), default=points[-1]
    )
    best = good[-1] if good else fallback
    known = sorted(j.scope for j in judged if j.case.article)
    strangers = [j for j in judged if not j.case.article]
    scope = round(known[int(len(known) * (1 - KEPT))], 2) if known and len(strangers) >= STRANGERS else None
    cheapest = min(points, key=lambda p: (p.cost, -p.threshold))
    return ThresholdAdvice(
        best.threshold, scope, best.precision, best.coverage, bool(good), cheapest.threshold
    )
