"""What can be seen of the scorecard in the words alone: each mark with the words that it was seen by.

law: what is not there to be seen is no fault. Without a known name, a refusal or an operator's words there is
no mark, and no mark counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.i18n.texts import Texts
from bot.model import HistoryEntry, ScoreMark
from bot.quality.criterion import Criterion
from bot.text.graphemes import shorten
from bot.text.person_names import shown_name
from bot.text.short_names import folded, name_pattern
from bot.text.tone import ToneCheck

BEGINNING = 160  # characters of an operator's first words in which a greeting is looked for
SHOWN = 60  # characters of the words that a mark was seen by
Mark = tuple[Literal["", "yes", "no"], str]
_QUESTION = re.compile(r"[^.!?\n]*\?")
_UNSEEN: Mark = ("", "")


@dataclass(frozen=True, slots=True)
class DialogWords:
    """What was said in one ticket, and the name of its customer; *promised*: a time was promised besides."""

    lines: Sequence[HistoryEntry]
    customer: str = ""
    promised: bool = False

    @property
    def runs(self) -> tuple[str, ...]:
        """The operators' words, each run of messages as one text."""
        found: list[str] = []
        open_run = False
        for line in self.lines:
            if line.author == "operator" and line.text.strip():
                if open_run:
                    found[-1] += "\n\n" + line.text
                else:
                    found.append(line.text)
                open_run = True
            elif line.author == "customer":
                open_run = False
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Fills the card in. *words* are the business's own, beside those of the locale files
    (`quality.words.*`).
    """

    texts: Texts
    criteria: tuple[Criterion, ...]
    tone: ToneCheck = field(default_factory=ToneCheck)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def marks(self, dialog: DialogWords) -> tuple[ScoreMark, ...]:
        """A mark for each criterion; one that cannot be seen has no value."""
        runs = dialog.runs
        made = []
        for criterion in self.criteria:
            see = _SEERS.get(criterion.name)
            value, words = see(self, dialog, runs) if see is not None and runs else _UNSEEN
            found = shorten(" ".join(words.split()), SHOWN)
            made.append(ScoreMark(criterion.name, value, found))
        return tuple(made)

    def _greeting(self, dialog: DialogWords, runs: Sequence[str]) -> Mark:
        found = self._said("greeting", runs[0][:BEGINNING])
        return ("yes", found) if found else ("no", "")

    def _name(self, dialog: DialogWords, runs: Sequence[str]) -> Mark:
        names = [w for w in re.findall(r"[^\W\d_]+", shown_name(dialog.customer)) if len(w) > 1]
        if not names:
            return _UNSEEN
        called = name_pattern(names)
        for run in runs:
            if found := called.search(folded(run)):
                return "yes", run[found.start() : found.end()]
        return "no", ""

    def _needs(self, dialog: DialogWords, runs: Sequence[str]) -> Mark:
        """Only a question that was asked is seen: who writes everything at once need not be asked."""
        for run in runs:
            for sentence in _QUESTION.findall(run):
                if not self._said("no_question", sentence):
                    return "yes", sentence.strip()
            if found := self._said("needs", run):
                return "yes", found
        return _UNSEEN

    def _alternatives(self, dialog: DialogWords, runs: Sequence[str]) -> Mark:
        found = [refusal for run in runs for refusal in self.tone.refusals(run)]
        bare = next((r for r in found if not r.leads_on), None)
        if bare is not None:
            return "no", bare.found
        return ("yes", found[0].found) if found else _UNSEEN

    def _next_step(self, dialog: DialogWords, runs: Sequence[str]) -> Mark:
        found = next((w for run in reversed(runs) if (w := self._said("next_step", run))), "")
        if found or dialog.promised:
            return "yes", found or "/promise"
        return "no", ""

    def _tone(self, dialog: DialogWords, runs: Sequence[str]) -> Mark:
        faults = [f for run in runs for f in self.tone.faults(run, has_way_out=True)]
        return ("no", faults[0].found) if faults else ("yes", "")

    def _said(self, key: str, text: str) -> str:
        """The first of the words of *key* that stands in the text; "" = none."""
        known = (*self.texts.options(f"quality.words.{key}"), *self.words.get(key, ()))
        found = (re.search(_pattern(words), text, re.IGNORECASE) for words in known)
        return next((m[0] for m in found if m), "")


_Seer = Callable[[Scorecard, DialogWords, Sequence[str]], Mark]
_SEERS: Mapping[str, _Seer] = {
    "greeting": Scorecard._greeting,
    "name": Scorecard._name,
    "needs": Scorecard._needs,
    "alternatives": Scorecard._alternatives,
    "next_step": Scorecard._next_step,
    "tone": Scorecard._tone,
}


def values(marks: Iterable[ScoreMark]) -> dict[str, str]:
    """The marks that say anything, without words: what an event may keep for good."""
    return {m.criterion: m.value for m in marks if m.value}


def _pattern(words: str) -> str:
    parts = (re.escape(w.removesuffix("*")) + (r"\w*" if w.endswith("*") else "") for w in words.split())
    return r"(?<!\w)" + r"\s+".join(parts) + r"(?!\w)"
