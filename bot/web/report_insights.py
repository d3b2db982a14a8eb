"""Two pages beside the report: what customers wrote to NPS, by theme, and who needs which help."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date

from aiohttp import web

from bot.knowledge.articles.writer import encoder_of
from bot.knowledge.search import Knowledge
from bot.reports.coaching import CoachingCase, coaching
from bot.reports.ledger import open_ledger
from bot.reports.nps_comments import NpsThemes, read_comments, themes_of
from bot.reports.periods import Period, between, last_days
from bot.reports.report import read_facts, topic_names
from bot.reports.texts import ReportTexts
from bot.storage.base import Store
from bot.web.pages import Pages
from bot.web.services import WebServices

FRESH = 300.0  # seconds for which what was counted is shown again
DAYS = 28


class InsightPages:
    """GET /themes, GET /coaching."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._themes: dict[tuple[bool, Period], tuple[float, NpsThemes]] = {}
        self._cases: dict[tuple[bool, Period], tuple[float, tuple[CoachingCase, ...]]] = {}
        self._reading = asyncio.Lock()

    async def themes(self, request: web.Request) -> web.Response:
        """GET /themes: NPS comments of the period by theme."""
        demo, period = self._demo(request), self._period(request)
        async with self._reading:
            now = asyncio.get_running_loop().time()
            kept = self._themes.get((demo, period))
            if kept is None or now - kept[0] >= FRESH:
                kept = (now, await self._gather(self._store(demo=demo), period))
                self._themes = {(demo, period): kept}
        return self._page(request, "themes.html", period, demo=demo, found=kept[1])

    async def coaching(self, request: web.Request) -> web.Response:
        """GET /coaching: operators and topics with a reason to talk."""
        demo, period = self._demo(request), self._period(request)
        async with self._reading:
            now = asyncio.get_running_loop().time()
            kept = self._cases.get((demo, period))
            if kept is None or now - kept[0] >= FRESH:
                kept = (now, await self._coach(self._store(demo=demo), period))
                self._cases = {(demo, period): kept}
        known = self._services.knowledge
        titles = {a.id: a.title for a in known.articles()} if known else {}
        return self._page(request, "coaching.html", period, demo=demo, cases=kept[1], titles=titles)

    async def _gather(self, store: Store, period: Period) -> NpsThemes:
        knowledge = self._services.knowledge
        if knowledge is None:
            raise web.HTTPNotFound(text="no knowledge base")
        comments, blank = await read_comments(store, period)
        names = topic_names(knowledge.articles())
        encode = encoder_of(knowledge) if isinstance(knowledge, Knowledge) else None
        return await themes_of(comments, blank, knowledge.ask, names, encode)

    async def _coach(self, store: Store, period: Period) -> tuple[CoachingCase, ...]:
        services = self._services
        if services.hours is None:
            raise web.HTTPNotFound(text="no report")
        facts = await read_facts(store, services.hours, period, services.clock(), compare=False)
        articles = services.knowledge.articles() if services.knowledge else ()
        names = topic_names(articles)
        of_topic: dict[str, list[str]] = defaultdict(list)
        for article in articles:
            of_topic[names[article.id]].append(article.id)
        return await asyncio.to_thread(lambda: coaching(open_ledger(facts), period, names, of_topic))

    def _page(self, request: web.Request, template: str, period: Period, **facts: object) -> web.Response:
        saying = ReportTexts(self._pages.language(request))
        return self._pages.show(
            request,
            template,
            "report",
            w=saying.word,
            saying=saying,
            period=period,
            has_demo=self._services.demo is not None,
            **facts,
        )

    def _demo(self, request: web.Request) -> bool:
        return request.query.get("data", "demo") == "demo" and self._services.demo is not None

    def _store(self, *, demo: bool) -> Store:
        return self._services.demo if demo and self._services.demo is not None else self._services.store

    def _period(self, request: web.Request) -> Period:
        query, now, zone = request.query, self._services.clock(), self._services.timezone
        try:
            if query.get("from") or query.get("to"):
                first, last = (date.fromisoformat(query[k]) if query.get(k) else None for k in ("from", "to"))
                return between(first, last, now, zone)
            return last_days(DAYS, now, zone)
        except ValueError as error:
            raise web.HTTPBadRequest(text="from and to are days such as 2026-11-01") from error
