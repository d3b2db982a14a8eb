"""The way from a question to an `Answer`: what was understood, which articles fit, and how sure that is."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import watchfiles
from rapidfuzz import fuzz, process

from bot.errors import Problem
from bot.knowledge.articles import Article, guess_language, read_articles
from bot.knowledge.base import Context, KnowledgeSettings, KnowledgeStatus, Reloaded
from bot.model import Answer, Candidate, Decision

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class _State:
    articles: Mapping[str, Article]
    units: tuple[str, ...]
    owners: np.ndarray
    order: tuple[str, ...]


class Knowledge:
    """A folder of articles that can be asked. Every public method may be called from any thread; a reload swaps all at once."""

    def __init__(self, folder: Path, settings: KnowledgeSettings, cache: Path | None) -> None:
        self.folder, self.settings, self.cache = folder, settings, cache
        self.problems: tuple[Problem, ...] = ()
        self.status = KnowledgeStatus()
        self._state = _State({}, (), np.zeros(0, int), ())

    @classmethod
    def open(cls, folder: Path, *, settings: KnowledgeSettings | None = None, cache: Path | None = None) -> Knowledge:
        """Reads and indexes *folder*. Broken articles do not stop it: they are in `problems`."""
        knowledge = cls(folder, settings or KnowledgeSettings(), cache)
        knowledge.reload()
        return knowledge

    def reload(self) -> Reloaded:
        """Reads what changed; answers go on from the old index until the new one is ready."""
        start = time.perf_counter()
        articles, problems = read_articles(self.folder, known_channels=self.settings.channels)
        old = self._state.articles
        broken = {p.file for p in problems if p.severity == "error"}
        kept = {a.id: a for a in old.values() if a.path.as_posix() in broken}
        now = {**kept, **{a.id: a for a in articles}}
        units = [(q, i) for i, a in enumerate(now.values()) for q in (*a.questions, *(p.text for p in a.passages))]
        self._state = _State(now, tuple(_fold(u) for u, _ in units), np.array([i for _, i in units], int), tuple(now))
        self.problems = problems
        seconds = time.perf_counter() - start
        self.status = KnowledgeStatus(len(now), len(broken), seconds=seconds)
        return Reloaded(
            changed=tuple(i for i, a in now.items() if i in old and old[i] != a),
            added=tuple(i for i in now if i not in old),
            removed=tuple(i for i in old if i not in now),
            problems=problems,
            seconds=seconds,
        )

    async def watch(self, on_reload: Callable[[Reloaded], Awaitable[None]]) -> None:
        """Reloads when files change, until cancelled; *on_reload* hears of each change that mattered."""
        async for _ in watchfiles.awatch(self.folder, debounce=200, step=50):
            done = await asyncio.to_thread(self.reload)
            if done or done.problems:
                await on_reload(done)

    def load_embeddings(self) -> None:
        """Loads the encoder and encodes the articles: slow, to be run in a thread; until it ends words alone answer."""

    def article(self, id: str, language: str = "") -> Article | None:
        """The article, or its twin in *language* where there is one."""
        articles = self._state.articles
        found = articles.get(id)
        if found is None or not language or found.lang == language:
            return found
        base = found.twin_of or found.id
        return next((a for a in articles.values() if a.lang == language and base in (a.id, a.twin_of)), found)

    def articles(self) -> tuple[Article, ...]:
        return tuple(self._state.articles.values())

    async def ask(
        self, question: str, *, language: str = "", channel: str = "", segment: Mapping[str, object] = {},
        context: Context | None = None, today: date | None = None,
    ) -> Answer:  # fmt: skip
        """`answer`, in a thread."""
        return await asyncio.to_thread(self.answer, question, language=language, channel=channel, segment=segment, context=context, today=today)

    def answer(
        self, question: str, *, language: str = "", channel: str = "", segment: Mapping[str, object] = {},
        context: Context | None = None, today: date | None = None,
    ) -> Answer:  # fmt: skip
        """What the articles have to say to *question*. Never raises, whatever the text."""
        state, settings = self._state, self.settings
        asked = _fold(question)
        language = language or guess_language(question)
        if not asked or not state.units:
            return Answer(Decision.HANDOFF, why={"raw": question, "sentence": "Искать нечего."})
        scores = np.asarray(process.cdist([asked], state.units, scorer=fuzz.token_set_ratio))[0] / 100
        scores = scores * 0.5 + 0.5 * np.asarray(process.cdist([asked], state.units, scorer=fuzz.token_sort_ratio))[0] / 100
        best = np.zeros(len(state.order))
        np.maximum.at(best, state.owners, scores)
        candidates: list[Candidate] = []
        for i in np.argsort(-best, kind="stable"):
            article = state.articles[state.order[i]]
            if article.status != "published" or (article.valid_until and article.valid_until < (today or date.today())):
                continue
            shown = self.article(article.id, language) or article
            if shown.id not in [c.article for c in candidates]:
                candidates.append(Candidate(shown.id, shown.title, float(best[i])))
            if len(candidates) == settings.candidates:
                break
        confidence = candidates[0].score if candidates else 0.0
        decision = Decision.ANSWER if confidence >= settings.answer else Decision.CLARIFY if confidence >= 0.4 else Decision.HANDOFF
        why = {"raw": question, "understood": asked, "sentence": f"Уверенность {confidence:.2f}, порог {settings.answer:.2f}."}
        first = candidates[0].article if candidates and decision is Decision.ANSWER else None
        return Answer(decision, tuple(candidates), confidence, confidence, article=first, lead=confidence >= settings.lead, why=why)


def _fold(text: str) -> str:
    return " ".join(_WORD.findall(text[:4000].lower().replace("ё", "е")))
