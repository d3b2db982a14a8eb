"""The criteria of the scorecard, with their weights, and what a score is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.config.quality import QualitySettings
from bot.i18n.texts import Texts
from bot.model import ScoreMark

# Those of every business, in the order of a dialog. What a person alone can tell is not seen by itself.
OURS = ("greeting", "name", "needs", "complete", "alternatives", "next_step", "tone")
SEEN = frozenset(OURS) - {"complete"}
MarkValue = Literal["", "yes", "partly", "no"]
MARK_VALUES: tuple[MarkValue, ...] = ("yes", "partly", "no")
WORTH = {"yes": 1.0, "partly": 0.5, "no": 0.0}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question of the scorecard. *seen*: it can be answered by itself, at least now and then."""

    name: str
    weight: float = 1.0
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> bool:
        return self.name in SEEN


def criteria_of(settings: QualitySettings) -> tuple[Criterion, ...]:
    """Ours that are used, and those of the business."""
    weights: Mapping[str, float] = {str(name): weight for name, weight in settings.weights.items()}
    ours = [Criterion(name, weights.get(name, 1.0)) for name in OURS]
    own = [Criterion(c.name, c.weight, c.title) for c in settings.criteria if c.name not in OURS]
    return tuple(c for c in (*ours, *own) if c.weight > 0)


def title_of(criterion: Criterion, texts: Texts, lang: str) -> str:
    """How people call it."""
    if criterion.titles:
        return criterion.titles.get(lang) or next(iter(criterion.titles.values()))
    return texts.text(f"quality.criterion.{criterion.name}", lang=lang)


def total(marks: Iterable[ScoreMark], criteria: Sequence[Criterion]) -> float | None:
    """From 0 to 1, weighted; what was not seen counts for nothing. None where nothing was."""
    weights = {c.name: c.weight for c in criteria}
    told = [(weights.get(m.criterion, 0.0), WORTH[m.value]) for m in marks if m.value]
    whole = sum(weight for weight, _ in told)
    return sum(weight * worth for weight, worth in told) / whole if whole else None


def merged(seen: Iterable[ScoreMark], said: Iterable[ScoreMark]) -> tuple[ScoreMark, ...]:
    """The marks by themselves with a supervisor's laid over them."""
    found = {m.criterion: m for m in seen} | {m.criterion: m for m in said}
    return tuple(found.values())
