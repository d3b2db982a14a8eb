"""The editor's page of examples from use: by article, with where each comes from; accepted ones are written
into the article, rejected ones never come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web

from bot.article_edits import ArticleEdits
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import ConfigError
from bot.feedback_loader import examples_from_use
from bot.knowledge.articles.schema import Article
from bot.knowledge.articles.writer import FileChange, ReadOnlyArticles, add_questions
from bot.knowledge.quality.example_effect import ExampleEffect, NewExample, effect_of, with_examples
from bot.knowledge.quality.examples import (
    ACCEPTED,
    REJECTED,
    RESTORED,
    SuggestedExample,
    by_article,
    hindrance_of,
    owner_of,
)
from bot.knowledge.quality.golden import GoldenQuestion, read_golden
from bot.knowledge.search import Knowledge
from bot.model import Event
from bot.text.customer_words import LONGEST
from bot.text.pii import HIDDEN
from bot.web.filled_words import filled
from bot.web.json_body import json_object
from bot.web.pages import Pages, read_words
from bot.web.services import WebServices

FRESH = 15.0  # seconds for which use is not read again
SHOWN, LINES = 40, 25  # articles on the page, and suggestions of each
MOST = 200  # lines of one request
BY = "editor"


@dataclass(frozen=True, slots=True)
class ExampleGroup:
    """The suggestions of one article as the page shows them; `hidden` ones are shown when these are
    decided.
    """

    article: str
    title: str
    hindrance: str
    lines: tuple[SuggestedExample, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class AcceptedExample:
    """A suggestion as the editor wants it: their own words, perhaps for another article."""

    id: str
    article: str
    question: str


@dataclass(slots=True)
class WrittenExamples:
    """What came of writing: the lines that are in their articles, the files as they were, and what went
    wrong.
    """

    lines: list[AcceptedExample] = field(default_factory=list)
    changes: list[FileChange] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class ExamplePages:
    """GET /examples; POST /examples/try, /examples/accept, /examples/reject and /examples/undo.

    Everything shown is masked.
    """

    def __init__(self, services: WebServices, pages: Pages, knowledge: Knowledge) -> None:
        self._services, self._pages, self._knowledge = services, pages, knowledge
        self._judge = services.judge or OfflineDecision(knowledge, services.words)
        self._deciding = asyncio.Lock()
        self._known: tuple[float, tuple[Article, ...], tuple[SuggestedExample, ...]] | None = None
        self._edits = ArticleEdits(services.store, knowledge, services.clock)

    async def show(self, request: web.Request) -> web.Response:
        """GET /examples: articles with suggestions, those that most speaks for first."""
        found = await self._found()
        articles = {a.id: a for a in self._knowledge.articles()}
        today = self._knowledge.today()
        groups = [
            ExampleGroup(
                article,
                lines[0].title,
                hindrance_of(articles.get(article), today),
                tuple(lines[:LINES]),
                max(0, len(lines) - LINES),
            )
            for article, lines in by_article(found).items()
        ]
        return self._pages.show(
            request,
            "examples.html",
            "gaps",
            groups=groups[:SHOWN],
            count=len(found),
            marked=sum(line.chosen for line in found),
            more=max(0, len(groups) - SHOWN),
            articles=sorted(articles.values(), key=lambda a: a.id),
            longest=LONGEST,
        )

    async def try_out(self, request: web.Request) -> web.Response:
        """POST /examples/try {lines}: what accepting these would change; nothing is written."""
        words = self._words(request)
        lines = self._wanted(await self._found(), await json_object(request, "{lines}"), words)
        effect = await self._effect(lines, words)
        return web.json_response({"text": _told(words, effect), "worse": list(effect.worse)})

    async def accept(self, request: web.Request) -> web.Response:
        """POST /examples/accept {lines, anyway}: they become examples of their articles.

        Nothing is written where a golden question would come right no more, unless *anyway*. What was decided
        meanwhile is passed over, so a repeat does nothing twice.
        """
        data, words = await json_object(request, "{lines}"), self._words(request)
        async with self._deciding:
            lines = self._wanted(await self._found(), data, words)
            effect = await self._effect(lines, words)
            if effect.worse and not data.get("anyway"):
                return web.json_response({"text": _told(words, effect), "worse": list(effect.worse)})
            written = await asyncio.to_thread(self._write, lines, words)
            if not written.lines:
                raise web.HTTPConflict(text=" ".join(written.failed))
            ids = [line.id for line in written.lines]
            await self._keep(ACCEPTED, ids)
            await self._reload()
        text = filled(words["examples_accepted"], n=str(len(ids)))
        return web.json_response(
            {
                "text": " ".join([text, _told(words, effect), *written.failed]),
                "worse": [],
                "done": ids,
                "undo": await self._edits.keep(written.changes, ids),
            }
        )

    async def reject(self, request: web.Request) -> web.Response:
        """POST /examples/reject {lines}: they never come back. A repeat changes nothing."""
        data, words = await json_object(request, "{lines}"), self._words(request)
        async with self._deciding:
            ids = [line.id for line in self._lines(await self._found(), data, words)]
            await self._keep(REJECTED, ids)
        text = filled(words["examples_rejected"], n=str(len(ids)))
        return web.json_response({"text": text, "done": ids, "undo": await self._edits.keep((), ids)})

    async def undo(self, request: web.Request) -> web.Response:
        """POST /examples/undo {change}: the files as they were before, and the suggestions in the list
        again.
        """
        data, words = await json_object(request, "{lines}"), self._words(request)
        async with self._deciding:
            if (edit := await self._edits.find(str(data.get("change") or ""))) is None:
                raise web.HTTPNotFound(text=words["gaps_no_undo"])
            try:
                for file in edit.changes:
                    await asyncio.to_thread(file.undo)
            except ReadOnlyArticles as error:
                raise web.HTTPConflict(text=words["gaps_no_undo"]) from error
            await self._edits.undone(edit)
            await self._keep(RESTORED, edit.examples)
            await self._reload()
        return web.json_response({"text": words["examples_undone"], "restored": list(edit.examples)})

    # --- what use says

    async def _found(self) -> tuple[SuggestedExample, ...]:
        now, articles = asyncio.get_running_loop().time(), self._knowledge.articles()
        if self._known is not None and now - self._known[0] < FRESH and self._known[1] == articles:
            return self._known[2]
        moment = self._services.clock()
        since = moment - timedelta(days=self._services.keep_days)
        found = await examples_from_use(self._services.store, self._knowledge, since, moment)
        self._known = (now, articles, found)
        return found

    def _lines(
        self, found: Sequence[SuggestedExample], data: Mapping[str, object], words: Mapping[str, str]
    ) -> list[AcceptedExample]:
        """The suggestions that a request names and that are still open."""
        rows = data.get("lines")
        if not isinstance(rows, list) or not 0 < len(rows) <= MOST:
            raise web.HTTPBadRequest(text=words["examples_nothing"])
        known = {s.id: s for s in found}
        lines = []
        for row in rows:
            if isinstance(row, dict) and (one := known.get(str(row.get("id")))) is not None:
                question = " ".join(str(row.get("question") or one.question).split())
                lines.append(
                    AcceptedExample(one.id, str(row.get("article") or one.article).strip(), question)
                )
        if not lines:
            raise web.HTTPConflict(text=words["examples_gone"])
        return lines

    def _wanted(
        self, found: Sequence[SuggestedExample], data: Mapping[str, object], words: Mapping[str, str]
    ) -> list[AcceptedExample]:
        """The same, fit to be written: there is such an article, and the question may be its example."""
        lines = self._lines(found, data, words)
        articles = self._knowledge.articles()
        for line in lines:
            facts = {"question": line.question, "article": line.article}
            if self._knowledge.article(line.article) is None:
                raise web.HTTPNotFound(text=filled(words["examples_no_article"], **facts))
            if (
                HIDDEN in line.question
                or len(line.question) > LONGEST
                or not any(c.isalpha() for c in line.question)
            ):
                raise web.HTTPBadRequest(text=filled(words["examples_unfit"], n=str(LONGEST), **facts))
            if owner := owner_of(line.question, articles, line.article):
                raise web.HTTPConflict(text=filled(words["examples_owned"], owner=owner, **facts))
        return lines

    async def _effect(self, lines: Sequence[AcceptedExample], words: Mapping[str, str]) -> ExampleEffect:
        """What the bot would make of the golden questions and of all from use about these articles."""
        new = [NewExample(line.article, line.question) for line in lines]
        mine = {e.article for e in new}
        own = {line.id for line in lines}
        asked = [
            *new,
            *(
                NewExample(s.article, s.question)
                for s in await self._found()
                if s.article in mine and s.id not in own
            ),
        ]
        articles = self._knowledge.articles()

        def measured() -> ExampleEffect:
            trial = self._judge.over(self._knowledge.trial(with_examples(articles, new)))
            twins = {a.id: a.twin_of for a in articles if a.twin_of}
            return effect_of(asked, self._golden(), self._judge, trial, twins)

        try:
            return await asyncio.to_thread(measured)
        except ConfigError as error:
            raise web.HTTPConflict(text=filled(words["examples_bad_golden"], reason=str(error))) from error

    def _golden(self) -> Sequence[GoldenQuestion]:
        file = self._services.golden
        return read_golden(file) if file is not None and file.is_file() else ()

    # --- what is decided

    def _write(self, lines: Sequence[AcceptedExample], words: Mapping[str, str]) -> WrittenExamples:
        """Article by article: what one refuses keeps no other from its examples."""
        written = WrittenExamples()
        for name in dict.fromkeys(line.article for line in lines):
            mine = [line for line in lines if line.article == name]
            article = self._knowledge.article(name)
            assert article is not None
            try:
                change = add_questions(article, [line.question for line in mine])
            except ReadOnlyArticles as error:
                written.failed.append(filled(words["examples_unwritable"], article=name, reason=str(error)))
            except ValueError:
                written.failed.append(filled(words["gaps_bad_head"], article=name))
            else:
                written.lines += mine
                written.changes += [change] if change is not None else []
        return written

    async def _keep(self, kind: str, ids: Sequence[str]) -> None:
        """The decision on record, without anybody's words."""
        now = self._services.clock()
        event = Event(kind, now, actor=BY, data={"examples": list(ids)})
        await self._services.store.enqueue([], now, events=[event])
        self._known = None

    async def _reload(self) -> None:
        if reloaded := await asyncio.to_thread(self._knowledge.reload):
            await self._services.tell_reloaded(reloaded)

    def _words(self, request: web.Request) -> Mapping[str, str]:
        return read_words(self._pages.language(request))


def _told(words: Mapping[str, str], effect: ExampleEffect) -> str:
    """What changes, in numbers."""
    facts = {
        name: str(getattr(effect, name))
        for name in ("total", "before", "after", "golden", "golden_before", "golden_after")
    }
    parts = [filled(words["examples_change"], **facts)]
    parts += [filled(words["examples_golden"], **facts)] if effect.golden else [words["examples_no_golden"]]
    return " ".join(parts)
