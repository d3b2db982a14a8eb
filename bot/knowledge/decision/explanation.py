"""Says why: everything that led to an answer as plain values, and one sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.decision.finding import SearchReading
from bot.knowledge.decision.threshold import AnswerThreshold
from bot.knowledge.query.words import lemma
from bot.knowledge.retrieval.channels import COLUMNS
from bot.knowledge.retrieval.features import ALL_FEATURES
from bot.knowledge.retrieval.index import Index
from bot.model import Answer, Json
from bot.text.problems import reader_language, reading, told

_DIALOGS = ("human", "menu", "greeting", "about", "smalltalk", "flow")
_LIMITS = {"answer": "answer", "clarify": "answer", "handoff": "handoff"}  # the threshold that decided


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """How a question was asked: its `raw` words, the language it is answered in, whether it was understood as
    one that `followed` the last article, the `least` from which something is offered, the milliseconds
    `spent`.
    """

    raw: str
    language: str
    followed: bool
    least: float
    spent: float


def explain(
    asked: AskedQuestion,
    found: SearchReading,
    answer: Answer,
    index: Index,
    settings: KnowledgeSettings,
    threshold: AnswerThreshold,
) -> Json:
    """The whole way of a question as JSON: what was understood, each channel's scores, the fusion,
    thresholds (and on how many examined questions the one for answers rests), the sentence.
    """
    evidence = found.evidence
    ids = [index.ids[a] for a in evidence.articles]
    place = {name: i for i, name in enumerate(ids)}
    shown = [c.article for c in answer.candidates]
    table = np.round(evidence.table[[place[name] for name in shown]].astype(float), 3).tolist()
    rows = {
        name: {f: v for f, v in zip(ALL_FEATURES, row, strict=True) if v}
        for name, row in zip(shown, table, strict=True)
    }
    channels = {
        channel: {name: best for name in shown if (best := max([rows[name].get(c, 0.0) for c in columns]))}
        for channel, columns in COLUMNS.items()
    }
    why: Json = {
        "raw": asked.raw[:500],
        "understood": found.text[:500],
        "repairs": [{"raw": r.raw, "fixed": r.fixed, "kind": r.kind} for r in found.repairs],
        "language": asked.language,
        "lemmas": [lemma(w) for w in found.asked.reading.words[:60]],
        "followed": asked.followed,
        "search": found.kind,
        "known": round(evidence.known, 3),
        "channels": (
            {name: best for name, best in channels.items() if best}
            | {n: {a: round(v, 3) for a, v in f.items()} for n, f in found.votes.by_guest.items()}
        ),
        "candidates": [
            {
                "article": c.article,
                "title": c.title,
                "score": round(c.score, 4),
                "fused": round(float(found.scores[place[c.article]]), 3),
                **rows[c.article],
            }
            for c in answer.candidates
        ],
        "confidence": round(answer.confidence, 4),
        "scope": round(answer.scope, 4),
        "thresholds": {
            "answer": threshold.value,
            "handoff": settings.handoff,
            "lead": settings.lead,
            "offer": round(asked.least, 4),
        },
        "threshold": {"precision": round(threshold.precision, 3), "asked": threshold.asked},
        "options": answer.options,
        "decision": answer.decision.value,
        "timings": {"ms": round(asked.spent, 2)},
    }
    return {**why, "sentence": sentence_of(why)}


def sentence_of(why: Mapping[str, Any], language: str = "") -> str:
    """Why it was decided so, with the numbers, in *language* (default: the reader's); "" where nothing was
    searched. *why* is what `explain` made, or `bot.dialogs.offline_decision` after it, perhaps long ago.
    """
    with reading(language or reader_language()):
        dialog, decision = str(why.get("dialog", "faq")), str(why.get("decision", ""))
        if dialog in _DIALOGS:
            return told(f"why.{dialog}")
        if why.get("overruled"):
            return told(f"why.faq_{decision}")
        if not (limits := why.get("thresholds")) or decision not in _LIMITS:
            return str(why.get("sentence", ""))
        if not why.get("candidates"):
            return told("why.nothing")
        repairs = ", ".join(
            told("why.repair", raw=r["raw"], fixed=r["fixed"]) for r in why.get("repairs", ())[:3]
        )
        key, limit = f"why.{decision}", limits[_LIMITS[decision]]
        if decision == "handoff" and why["scope"] >= limit:
            key, limit = "why.unlikely", limits.get("offer", limit)
        return "".join(
            [
                told("why.mended", repairs=repairs) if repairs else "",
                told("why.followed") if why.get("followed") else "",
                told(
                    key,
                    title=why["candidates"][0]["title"],
                    sure=f"{why['confidence']:.0%}",
                    covered=f"{why['scope']:.0%}",
                    limit=f"{limit:.0%}",
                ),
            ]
        )


def as_read(why: Mapping[str, Any]) -> dict[str, Any]:
    """*why* with its sentence in the reader's language."""
    return {**why, "sentence": sentence} if (sentence := sentence_of(why)) else dict(why)
