"""The answers of a questionnaire as a table: a line for each answer, for any spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from bot.handoff.outreach.questionnaire_results import AskedStep, QuestionnaireResult

_BOM = "\ufeff"  # a Russian Excel opens it at once
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a cell beginning so is a formula to a spreadsheet
COLUMNS = ("who", "when", "question", "answer")


def answers_csv(
    result: QuestionnaireResult,
    steps: Sequence[AskedStep],
    titles: Mapping[str, str],
    zone: ZoneInfo,
) -> bytes:
    """UTF-8 with a header of *titles*, separated by `;`; customers are numbered, their words are masked."""
    out = io.StringIO()
    table = csv.writer(out, delimiter=";", lineterminator="\r\n")
    table.writerow([titles[name] for name in COLUMNS])
    asked = {step.name: step for step in steps}
    people = {who: n for n, who in enumerate(dict.fromkeys(a.conversation for a in result.answers), 1)}
    for answer in sorted(result.answers, key=lambda a: people[a.conversation]):
        step = asked.get(answer.step)
        labels = dict(step.options) if step is not None else {}
        words = result.said.get(answer.turn, "") if answer.turn else labels.get(answer.value, answer.value)
        at = answer.at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if answer.at else ""
        title = step.title if step is not None else answer.step
        table.writerow([people[answer.conversation], at, _harmless(title), _harmless(words)])
    return (_BOM + out.getvalue()).encode("utf-8")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text
