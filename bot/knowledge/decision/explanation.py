"""Says why: everything that led to an answer as plain values, and one sentence for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.query.correction import Repair
from bot.knowledge.query.words import lemma
from bot.knowledge.retrieval.channels import COLUMNS
from bot.knowledge.retrieval.external import Votes
from bot.knowledge.retrieval.features import FEATURES, AnalyzedQuery, Evidence
from bot.knowledge.retrieval.index import Index
from bot.model import Answer, Decision, Json


def explain(
    raw: str,
    understood: str,
    asked: AnalyzedQuery,
    evidence: Evidence,
    index: Index,
    answer: Answer,
    settings: KnowledgeSettings,
    scores: np.ndarray,
    *,
    repairs: Sequence[Repair],
    votes: Votes,
    language: str,
    kind: str,
    followed: bool,
    options: int,
    spent: float,
) -> Json:
    """The whole way of a question as JSON: what was understood, each channel's scores, the fusion,
    thresholds, the sentence.
    """
    ids = [index.ids[a] for a in evidence.articles]
    place = {name: i for i, name in enumerate(ids)}
    shown = [c.article for c in answer.candidates]
    table = np.round(evidence.table[[place[name] for name in shown]].astype(float), 3).tolist()
    rows = {
        name: {f: v for f, v in zip(FEATURES, row, strict=True) if v}
        for name, row in zip(shown, table, strict=True)
    }
    channels = {
        channel: {name: best for name in shown if (best := max([rows[name].get(c, 0.0) for c in columns]))}
        for channel, columns in COLUMNS.items()
    }
    return {
        "raw": raw[:500],
        "understood": understood[:500],
        "repairs": [{"raw": r.raw, "fixed": r.fixed, "kind": r.kind} for r in repairs],
        "language": language,
        "lemmas": [lemma(w) for w in asked.reading.words[:60]],
        "followed": followed,
        "search": kind,
        "known": round(evidence.known, 3),
        "channels": (
            {name: found for name, found in channels.items() if found}
            | {n: {a: round(v, 3) for a, v in f.items()} for n, f in votes.by_guest.items()}
        ),
        "candidates": [
            {
                "article": c.article,
                "title": c.title,
                "score": round(c.score, 4),
                "fused": round(float(scores[place[c.article]]), 3),
                **rows[c.article],
            }
            for c in answer.candidates
        ],
        "confidence": round(answer.confidence, 4),
        "scope": round(answer.scope, 4),
        "thresholds": {"answer": settings.answer, "handoff": settings.handoff, "lead": settings.lead},
        "options": options,
        "decision": answer.decision.value,
        "sentence": sentence(answer, settings, repairs, followed),
        "timings": {"ms": round(spent, 2)},
    }


def sentence(answer: Answer, settings: KnowledgeSettings, repairs: Sequence[Repair], followed: bool) -> str:
    """Why it was decided so, in Russian, with the numbers."""
    if not answer.candidates:
        return "Ни одна статья не подходит, поэтому зовём оператора."
    first = answer.candidates[0]
    mended = f"Исправлено: {', '.join(f'«{r.raw}» → «{r.fixed}»' for r in repairs[:3])}. " if repairs else ""
    leaning = "Вопрос понят как продолжение прошлой темы. " if followed else ""
    sure, covered = f"{answer.confidence:.0%}", f"{answer.scope:.0%}"
    if answer.decision is Decision.ANSWER:
        end = (
            f"«{first.title}» подходит с вероятностью {sure} — не ниже порога {settings.answer:.0%}, поэтому"
            " бот отвечает."
        )
    elif answer.decision is Decision.HANDOFF:
        end = (
            f"База знаний, похоже, об этом не говорит (покрытие {covered}, порог {settings.handoff:.0%}),"
            " поэтому зовём оператора."
        )
    else:
        end = (
            f"Ближе всего «{first.title}» ({sure}), но до порога {settings.answer:.0%} не хватает, а тема"
            f" базе знакома (покрытие {covered}), поэтому бот уточняет."
        )
    return mended + leaning + end
