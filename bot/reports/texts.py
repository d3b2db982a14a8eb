"""How figures are said: their names and definitions, numbers and times as people read them, and what a change
means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bot.reports.metrics import Figure
from bot.reports.report import Report
from bot.text.yaml_source import read_own

Unit = Literal["count", "share", "seconds", "score"]
UNITS: Mapping[str, Unit] = {
    "nst": "count",
    "ntb": "count",
    "conversations": "count",
    "containment": "share",
    "containment_naive": "share",
    "service_level": "share",
    "returns": "share",
    "helped": "share",
    "reopened": "share",
    "transferred": "share",
    "abandoned": "share",
    "afrt": "seconds",
    "mttr": "seconds",
    "bot_reply": "seconds",
    "csi": "score",
    "nps": "score",
    "promoters": "count",
    "passives": "count",
    "detractors": "count",
    "share": "share",
    "response": "share",
    "asked": "count",
    "helped_share": "share",
    "as_is": "share",
    "by_itself": "share",
    "by_supervisor": "share",
    "steps_done": "share",
    "mean": "seconds",
    "median": "seconds",
    "p90": "seconds",
    "calendar_mean": "seconds",
    "calendar_median": "seconds",
    "calendar_p90": "seconds",
}
BETTER: Mapping[str, Literal["more", "less"]] = {  # what is not here is neither good nor bad
    "containment": "more",
    "containment_naive": "more",
    "service_level": "more",
    "helped": "more",
    "csi": "more",
    "nps": "more",
    "ntb": "less",
    "afrt": "less",
    "mttr": "less",
    "bot_reply": "less",
    "returns": "less",
    "reopened": "less",
    "abandoned": "less",
}
NOTHING = "—"
HOME = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class FigureChange:
    """How a figure moved against the period before, and whether that is good."""

    text: str
    mood: Literal["good", "bad", ""]


@cache
def _words(lang: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = read_own(HOME / f"{lang}.yaml")
    return loaded


class ReportTexts:
    """The words of one language."""

    def __init__(self, lang: str = "ru") -> None:
        self.lang = lang if lang in ("ru", "en") else "ru"
        self._words = _words(self.lang)

    def word(self, key: str) -> Any:
        """Any word by its dotted key; the last part of the key itself where there is none."""
        value: Any = self._words
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return key.rpartition(".")[2] if value is None else value

    def short(self, key: str) -> str:
        return str(self.word(f"metrics.{key}.short"))

    def name(self, key: str) -> str:
        return str(self.word(f"metrics.{key}.name"))

    def definition(self, key: str, report: Report) -> str:
        """What the figure means, with the owner's limit filled in."""
        return str(self.word(f"metrics.{key}.text")).replace(
            "{limit}", self.show("seconds", report.answer_within)
        )

    def value(self, key: str, value: float | str | None) -> str:
        """A number of this figure, part or column as people read it."""
        return value if isinstance(value, str) else self.show(UNITS.get(key, "count"), value)

    def show(self, unit: Unit, value: float | None) -> str:
        if value is None:
            return NOTHING
        if unit == "share":
            return f"{self._number(100 * value, 1 if 0 < value < 1 else 0)} %"
        if unit == "seconds":
            return self._time(value)
        return self._number(value, 1 if unit == "score" else 0)

    def change(self, key: str, now: Figure, before: Figure) -> FigureChange:
        """The difference: in per cent for counts and times, in points for shares, in points of the scale for
        ratings.
        """
        if now.value is None or before.value is None:
            return FigureChange("", "")
        difference, unit = now.value - before.value, UNITS[key]
        if abs(difference) < (0.0005 if unit == "share" else 0.05):
            return FigureChange("±0", "")
        sign = "+" if difference > 0 else "−"
        size = abs(difference)
        if unit == "share":
            text = f"{sign}{self._number(100 * size, 1)} {self.word('units.points')}"
        elif unit == "score":
            text = f"{sign}{self._number(size, 1)}"
        elif unit == "seconds":
            text = f"{sign}{self._time(size)}"
        else:
            text = (
                f"{sign}{self._number(100 * size / before.value, 0)} %"
                if before.value
                else f"{sign}{self._number(size, 0)}"
            )
        if key not in BETTER:
            return FigureChange(text, "")
        return FigureChange(text, "good" if (difference > 0) is (BETTER[key] == "more") else "bad")

    def reason(self, key: str) -> str:
        return str(self.word(f"reasons.{key}"))

    def _number(self, value: float, digits: int) -> str:
        text = f"{value:,.{digits}f}"
        return text.replace(",", "\u202f").replace(".", ",") if self.lang == "ru" else text

    def _time(self, seconds: float) -> str:
        h, m, s, d = (str(self.word(f"units.{u}")) for u in "hmsd")
        if seconds < 10:
            return f"{self._number(seconds, 1 if seconds % 1 else 0)} {s}"
        whole = round(seconds)
        if whole < 60:
            return f"{whole} {s}"
        if whole < 3600:
            return f"{whole // 60} {m}" + (f" {whole % 60} {s}" if whole % 60 and whole < 600 else "")
        minutes = round(seconds / 60)
        if minutes < 48 * 60:
            return f"{minutes // 60} {h}" + (f" {minutes % 60} {m}" if minutes % 60 else "")
        hours = round(seconds / 3600)
        return f"{hours // 24} {d}" + (f" {hours % 24} {h}" if hours % 24 else "")


def row_name(report: Report, table: str, key: str, name: str, saying: ReportTexts) -> str:
    """How a row is called: reasons, practices and the assistant's tasks have words of their own."""
    if table == "after":
        kind, _, version = key.partition(":")
        return str(saying.word(f"practices.{kind}")).replace("{version}", version)
    if table == "assistant":
        return str(saying.word(f"assistant_tasks.{key}"))
    return saying.reason(key) if table == "reasons" or key == "unknown" else name
