"""The editor's page of unanswered questions: groups, what to do about each, and what that changed, in
numbers.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from bot.article_edits import ArticleEdits
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import BotError
from bot.knowledge.articles.writer import (
    ArticleExists,
    FileChange,
    OutsideFolder,
    ReadOnlyArticles,
    add_question,
    changed_at,
    write_draft,
)
from bot.knowledge.quality.gaps import (
    DISMISSED,
    RESTORED,
    DraftEffect,
    DraftWords,
    Gap,
    effect,
    is_closed,
    marks_of,
)
from bot.knowledge.search import Knowledge
from bot.model import Answer, Event
from bot.text.pii import HIDDEN
from bot.web.answer_notices import TOLD, Audience, GapFacts, audience, tell
from bot.web.content_gaps import ContentGaps, MissedQuestions
from bot.web.filled_words import filled
from bot.web.pages import Pages, read_words
from bot.web.security import USER
from bot.web.services import WebServices

if TYPE_CHECKING:
    from bot.web.article_drafts import ArticleDrafts

FRESH = 15.0  # seconds for which the questions are not read again
SHOWN = 40  # groups of each kind on the page
EXAMPLES, REPLIES = 5, 3
NEAR = 0.7  # how near an article must come to be filled in as the place of a question: then four of five fit
DONE = "gap_remedied"  # an event: what an editor did about a group, so that it can be taken back later
RECENT, LISTED = timedelta(days=7), 10  # acts that the page offers to take back
PATIENCE = 1.5  # seconds for asking the base what it says by now; what is left is asked at the next look
FIRST = 10  # groups that are asked about in any case
_BLANKED = re.compile(
    rf"(?:\+\d{1, 3} )?\S*{HIDDEN[0]}\S*(?:\s\S*{HIDDEN[0]}\S*)*"
)  # marks in place of a phone are no words to search by


@dataclass(frozen=True, slots=True)
class GapRow:
    """One group as the page shows it: `score` is how near its best rejected article comes now, 0..1. `now` is
    None where the base was not asked yet.
    """

    gap: Gap
    now: DraftEffect | None
    closed: bool
    score: float
    audience: Audience | None

    @property
    def examples(self) -> tuple[str, ...]:
        return tuple(q for q in self.gap.questions if q != self.gap.question)[:EXAMPLES]

    @property
    def replies(self) -> tuple[str, ...]:
        return self.gap.replies[:REPLIES]

    @property
    def choices(self) -> tuple[str, ...]:
        """The wordings that may become an example: nothing masked, and not a story."""
        clean = [
            q
            for q in dict.fromkeys((self.gap.question, *self.gap.questions))
            if HIDDEN not in q and len(q) <= 200
        ]
        return tuple(clean[:20])

    @property
    def near(self) -> str:
        """The article that is offered; "" where none comes near."""
        return self.gap.article if self.score >= NEAR else ""

    @property
    def section(self) -> str:
        return self.near.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class GapEdit:
    """What was done about a group lately and can be taken back: `act` is add or draft."""

    act: str
    gap: str
    article: str
    title: str
    change: str
    at: datetime


class GapPages:
    """GET /gaps; POST /gaps/add, /gaps/draft, /gaps/assist, /gaps/undo, /gaps/dismiss, /gaps/restore and
    /gaps/tell.

    Everything shown is masked.
    """

    def __init__(self, services: WebServices, pages: Pages, knowledge: Knowledge) -> None:
        self._services, self._pages, self._knowledge = services, pages, knowledge
        self._judge = services.judge or OfflineDecision(knowledge, services.words)
        self._writing, self._missing = asyncio.Lock(), ContentGaps(services.store, knowledge, fresh=FRESH)
        self._answers: dict[str, Answer] = {}
        self._answers_of: object = None
        self._before: dict[str, GapRow] = {}
        self._edits = ArticleEdits(services.store, knowledge, services.clock)
        self._drafts = _drafts(services, knowledge)

    async def show(self, request: web.Request) -> web.Response:
        """GET /gaps: the open groups, the most asked first; then those that are answered by now."""
        heard = await self._missing.read()
        rows = await asyncio.to_thread(self._rows, heard.gaps)
        events = await self._services.store.events(kinds=(TOLD,))
        shown = [*[r for r in rows if not r.closed][:SHOWN], *[r for r in rows if r.closed][:SHOWN]]
        full = [
            replace(row, audience=await self._audience(row.gap, heard, events))
            if row.now is not None and row.now.answered
            else row
            for row in shown
        ]
        return self._pages.show(
            request,
            "gaps.html",
            "gaps",
            open=[r for r in full if not r.closed],
            closed=[r for r in full if r.closed],
            foreign=heard.aside[:SHOWN],
            count=sum(not r.closed for r in rows),
            asked=sum(r.gap.count for r in rows if not r.closed),
            unread=sum(r.now is None for r in rows),
            acts=await self._acts(),
            articles=sorted(self._knowledge.articles(), key=lambda a: a.id),
            can_tell=self._services.words is not None,
            can_draft=self._drafts is not None,
        )

    async def add(self, request: web.Request) -> web.Response:
        """POST /gaps/add {gap, article, question}: one more example for an article, and what that changed."""
        fields, words = await _fields(request), self._words(request)
        gap = await self._gap(fields, words)
        article = self._knowledge.article(fields.get("article", "").strip())
        question = fields.get("question") or gap.question
        if article is None:
            raise web.HTTPNotFound(text=words["gaps_no_article"])
        if question not in gap.questions or HIDDEN in question:
            raise web.HTTPBadRequest(text=words["gaps_no_question"])
        async with self._writing:
            before = await self._effect(gap)
            try:
                was = article.path.read_bytes()
                added = await asyncio.to_thread(add_question, article, question)
            except ReadOnlyArticles as error:
                raise web.HTTPConflict(text=filled(words["gaps_unwritable"], reason=str(error))) from error
            except ValueError as error:
                raise web.HTTPConflict(text=filled(words["gaps_bad_head"], article=article.id)) from error
            await self._reload()
            after = await self._effect(gap)
        text = filled(words["gaps_added" if added else "gaps_there"], question=question, article=article.id)
        undo = await self._remember(article.path, was) if added else ""
        if undo:
            facts = {"act": "add", "gap": gap.id, "article": article.id, "change": undo}
            await self._record(request, DONE, facts)
        return self._told(
            gap,
            after,
            text + " " + _change(words, before, after),
            f"/kb/{article.id}",
            article.title,
            undo=undo,
        )

    async def draft(self, request: web.Request) -> web.Response:
        """POST /gaps/draft {gap, section, reply}: a draft from the operators' words (those of *reply*, all of
        them where it is not given), for a person to edit and publish.
        """
        fields, words = await _fields(request), self._words(request)
        gap = await self._gap(fields, words)
        reply = fields.get("reply")
        if reply and reply not in (*gap.replies, gap.answer):
            raise web.HTTPBadRequest(text=words["gaps_no_reply"])
        replies = gap.replies if reply is None else (reply,) if reply else ()
        text = filled(words["gaps_drafted"], replies=str(len(replies)))
        return await self._drafted(request, gap, fields.get("section", ""), replies, text)

    async def _drafted(
        self,
        request: web.Request,
        gap: Gap,
        section: str,
        replies: Sequence[str],
        text: str,
        made: DraftWords | None = None,
    ) -> web.Response:
        """A draft is written, and where it is told with *text*."""
        words = self._words(request)
        async with self._writing:
            try:
                path = await asyncio.to_thread(
                    write_draft,
                    self._knowledge.folder,
                    section,
                    gap,
                    placeholder=words["gaps_placeholder"],
                    replies=replies,
                    words=made,
                )
            except OutsideFolder as error:
                raise web.HTTPBadRequest(text=words["gaps_outside"]) from error
            except ArticleExists as error:
                raise web.HTTPConflict(text=filled(words["gaps_taken"], article=str(error))) from error
            except ReadOnlyArticles as error:
                raise web.HTTPConflict(text=filled(words["gaps_unwritable"], reason=str(error))) from error
            await self._reload()
        place = path.relative_to(self._knowledge.folder.resolve())
        told = filled(text, path=(Path(self._knowledge.folder.name) / place).as_posix())
        undo = await self._remember(path, None)
        facts = {"act": "draft", "gap": gap.id, "article": place.with_suffix("").as_posix(), "change": undo}
        facts |= {"by": "assistant"} if made is not None else {}
        await self._record(request, DONE, facts)
        link = f"/articles/edit?{urlencode({'file': place.as_posix()})}"
        return self._told(gap, await self._effect(gap), told, link, words["gaps_read_draft"], undo=undo)

    async def assist(self, request: web.Request) -> web.Response:
        """POST /gaps/assist {gap, section}: a draft that the assistant words from what operators answered,
        with blanks where they did not say it; for a person to edit and publish.
        """
        fields, words = await _fields(request), self._words(request)
        gap = await self._gap(fields, words)
        if self._drafts is None:
            raise web.HTTPConflict(text=words["gaps_no_assistant"])
        by = request[USER].actor
        try:
            made = await self._drafts.write(gap, self._services.language, by, words["gaps_blank"])
        except BotError as error:  # what the assistant raises; where it is off it is not imported
            why = words.get(f"assistant_why_{getattr(error, 'reason', '')}", words["assistant_why_other"])
            raise web.HTTPServiceUnavailable(
                text=filled(words["gaps_assistant_failed"], reason=why)
            ) from error
        if made is None:
            raise web.HTTPConflict(text=words["gaps_no_draft"])
        sources = tuple(filled(words["gaps_source"], reply=source) for source in made.sources)
        drafted = DraftWords(made.title, made.body, sources)
        text = filled(words["gaps_assisted"], replies=str(len(made.sources)), doubtful=str(made.doubtful))
        return await self._drafted(request, gap, fields.get("section", ""), (), text, drafted)

    async def undo(self, request: web.Request) -> web.Response:
        """POST /gaps/undo {gap, change}: the file as it was before an example or a draft was written; the
        group may be gone meanwhile.
        """
        fields, words = await _fields(request), self._words(request)
        async with self._writing:
            if (edit := await self._edits.find(fields.get("change", ""))) is None:
                raise web.HTTPNotFound(text=words["gaps_no_undo"])
            try:
                for change in edit.changes:
                    await asyncio.to_thread(change.undo)
            except ReadOnlyArticles as error:
                raise web.HTTPConflict(text=words["gaps_no_undo"]) from error
            await self._edits.undone(edit)
            await self._reload()
        gap = next((g for g in (await self._missing.read()).gaps if g.id == fields.get("gap")), None)
        if gap is None:
            return web.json_response({"text": words["gaps_undone"], "undo": "", "href": ""})
        return self._told(gap, await self._effect(gap), words["gaps_undone"], "", "")

    async def dismiss(self, request: web.Request) -> web.Response:
        """POST /gaps/dismiss {gap}: these questions are no business of ours; the group is put aside.

        A repeat changes nothing.
        """
        return await self._mark(request, DISMISSED, "gaps_dismissed")

    async def restore(self, request: web.Request) -> web.Response:
        """POST /gaps/restore {gap}: they are, after all."""
        return await self._mark(request, RESTORED, "gaps_restored")

    async def _mark(self, request: web.Request, kind: str, text: str) -> web.Response:
        fields, words = await _fields(request), self._words(request)
        gap = await self._gap(fields, words)
        await self._record(request, kind, {"questions": sorted(marks_of(gap))})
        return self._told(gap, await self._effect(gap), words[text], "", "")

    async def _record(self, request: web.Request, kind: str, data: Mapping[str, object]) -> None:
        now = self._services.clock()
        event = Event(kind, now, actor=request[USER].actor, data=dict(data))
        await self._services.store.enqueue([], now, events=[event])

    async def _acts(self) -> Sequence[GapEdit]:
        """What was done lately and can be taken back, the newest first."""
        since = self._services.clock() - RECENT
        found: list[GapEdit] = []
        for event in reversed(await self._services.store.events(since=since, kinds=(DONE,))):
            facts = {name: str(event.data.get(name, "")) for name in ("act", "gap", "article", "change")}
            if len(found) == LISTED:
                break
            if event.at is not None and await self._edits.find(facts["change"]) is not None:
                article = self._knowledge.article(facts["article"])
                title = article.title if article is not None else facts["article"]
                found.append(GapEdit(**facts, title=title, at=event.at))
        return found

    async def _remember(self, path: Path, before: bytes | None) -> str:
        """The name under which what was just written can be undone, on any replica."""
        return await self._edits.keep([FileChange(path.resolve(), before, path.read_bytes())])

    async def tell(self, request: web.Request) -> web.Response:
        """POST /gaps/tell {gap, everyone}: those who asked and are not told yet hear that there is an answer.

        A repeat tells nobody twice.
        """
        fields, words = await _fields(request), self._words(request)
        gap = await self._gap(fields, words)
        if self._services.words is None:
            raise web.HTTPConflict(text=words["gaps_cannot_tell"])
        async with self._writing:
            now_answered = await self._effect(gap)
            events = await self._services.store.events(kinds=(TOLD,))
            found = await self._audience(
                gap, await self._missing.read(), events, everyone=bool(fields.get("everyone"))
            )
            count = await tell(
                self._services.store,
                self._services,
                self._services.words,
                gap,
                found.waiting,
                self._services.clock(),
            )
        return self._told(
            gap, now_answered, filled(words["gaps_told" if count else "gaps_nobody"], n=str(count)), "", ""
        )

    # --- what was asked

    async def _gap(self, fields: Mapping[str, str], words: Mapping[str, str]) -> Gap:
        heard = await self._missing.read()
        found = next((g for g in (*heard.gaps, *heard.aside) if g.id == fields.get("gap")), None)
        if found is None:
            raise web.HTTPNotFound(text=words["gaps_gone"])
        return found

    # --- what the base makes of it now

    def _ask(self, question: str) -> Answer:
        """What the bot would say now; kept until the base changes."""
        state = (self._knowledge.articles(), self._knowledge.status.embeddings)
        if state != self._answers_of:
            self._answers, self._answers_of = {}, state
        answers = self._answers
        if (known := answers.get(question)) is None:
            known = answers[question] = self._judge(_BLANKED.sub(" ", question))
        return known

    def _rows(self, gaps: Sequence[Gap]) -> list[GapRow]:
        """What the base makes of each group: asked while there is patience; of the others what it said before
        it changed.
        """
        began, rows = time.perf_counter(), list[GapRow]()
        for n, gap in enumerate(gaps):
            if n < FIRST or time.perf_counter() - began < PATIENCE:
                self._before[gap.id] = self._row(gap)
            known = self._before.get(gap.id)
            rows.append(GapRow(gap, None, False, 0.0, None) if known is None else replace(known, gap=gap))
        self._before = {row.gap.id: row for row in rows if row.now is not None}
        return rows

    def _row(self, gap: Gap) -> GapRow:
        now = effect(gap, self._ask)
        scores = [c.score for q in gap.questions for c in self._ask(q).candidates if c.article == gap.article]
        return GapRow(gap, now, is_closed(gap, now, self._changed), max(scores, default=0.0), None)

    async def _effect(self, gap: Gap) -> DraftEffect:
        return await asyncio.to_thread(effect, gap, self._ask)

    async def _audience(
        self, gap: Gap, heard: MissedQuestions, events: Sequence[Event], *, everyone: bool = False
    ) -> Audience:
        answers = await asyncio.to_thread(lambda: {q: self._ask(q) for q in {m.question for m in gap.missed}})
        facts = GapFacts(heard.peers or {}, answers, self._changed, events)
        return await audience(self._services, self._knowledge, gap, facts, everyone=everyone)

    def _changed(self, article: str) -> datetime | None:
        return changed_at(self._knowledge, article)

    async def _reload(self) -> None:
        reloaded = await asyncio.to_thread(self._knowledge.reload)
        if reloaded:
            await self._services.tell_reloaded(reloaded)

    # --- words

    def _words(self, request: web.Request) -> Mapping[str, str]:
        return read_words(self._pages.language(request))

    def _told(
        self, gap: Gap, now: DraftEffect, text: str, href: str, link: str, *, undo: str = ""
    ) -> web.Response:
        told = {
            "gap": gap.id,
            "answered": now.answered,
            "total": now.total,
            "text": text,
            "href": href,
            "link": link,
            "undo": undo,
        }
        return web.json_response(told)


def _drafts(services: WebServices, knowledge: Knowledge) -> ArticleDrafts | None:
    """Who writes drafts with the assistant, where it works for editors."""
    if services.assistant is None or not services.assistant.allows("editors"):
        return None
    from bot.delivery.sentence_support import SentenceSupport
    from bot.web.article_drafts import ArticleDrafts

    return ArticleDrafts(services.assistant, knowledge, SentenceSupport())


async def _fields(request: web.Request) -> Mapping[str, str]:
    """The posted JSON: texts by name, none of them endless."""
    try:
        data = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="JSON expected") from error
    if not isinstance(data, dict) or not all(isinstance(v, str) and len(v) <= 1000 for v in data.values()):
        raise web.HTTPBadRequest(text="texts of at most 1000 characters expected")
    return data


def _change(words: Mapping[str, str], before: DraftEffect, after: DraftEffect) -> str:
    return filled(
        words["gaps_change"], before=str(before.answered), after=str(after.answered), total=str(after.total)
    )
