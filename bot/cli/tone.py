"""How the owner's texts for customers sound: ready answers, own texts, and what is about to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.app import open_tone
from bot.config.loader import Config
from bot.errors import Problem
from bot.handoff.assist.canned import CannedAnswers
from bot.i18n.texts import Texts
from bot.knowledge.codes import worded
from bot.knowledge.quality.lint.texts import CODES

_LISTENS = (  # keys of what customers and operators say: nobody hears it from the bot
    "hears.",
    "everyday.heard.",
    "link.hears",
    "desk.tone",
    "desk.hold_back",
    "outreach.off",
    "outreach.start_words",
    "outreach.stop_words",
    "outreach.key.",
    "quality.words.",
)


def of_text(config: Config, text: str, *, has_way_out: bool = False) -> Iterator[Problem]:
    """Remarks on words that are about to be sent."""
    yield from _remarks(config, text, "", "", 0, has_way_out=has_way_out)


def of_ready_answers(config: Config, canned: CannedAnswers) -> Iterator[Problem]:
    """Remarks on ready answers, by file and line."""
    for ready in canned.answers:
        yield from _remarks(config, ready.text, "", ready.file, ready.line)


def of_sequences(config: Config) -> Iterator[Problem]:
    """Remarks on the words of follow-up sequences; the way out is the button below them."""
    for rules in config.sequences.values():
        for text in (text for step in rules.steps for text in step.texts):
            yield from of_text(config, text, has_way_out=True)


def of_own_texts(config: Config, words: Texts) -> Iterator[Problem]:
    """Remarks on the owner's own texts, by file and line."""
    for (key, language), entry in words.own.items():
        for text in () if key.startswith(_LISTENS) else entry.variants:
            yield from _remarks(config, text, language, entry.file, entry.line)


def _remarks(
    config: Config, text: str, language: str, file: str, line: int, *, has_way_out: bool = False
) -> Iterator[Problem]:
    check = open_tone(config)
    for fault in check.faults(text, language, has_way_out=has_way_out) if check is not None else ():
        at, column = _place(file, line, fault.found) if file else (0, 0)
        yield worded(CODES[fault.kind], file, at, column, {"found": fault.found, "advice": fault.instead})


def _place(file: str, first: int, found: str) -> tuple[int, int]:
    """Line and column of words in a file from a line on; its begin where they are not found as they are."""
    rows = Path(file).read_text("utf-8-sig").splitlines()
    words = found.split("\n")[0]
    at = next((n for n, row in enumerate(rows, 1) if n >= first and words in row), first)
    return at, max(0, rows[at - 1].find(words)) + 1 if 0 < at <= len(rows) else 1
