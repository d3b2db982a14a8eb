"""Two pages beside the report: what customers wrote to NPS, by theme, and who needs which help."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from aiohttp import web

from bot.knowledge.articles.writer import encoder_of
from bot.knowledge.search import Knowledge
from bot.reports.coaching import CoachingCase, coaching
from bot.reports.export import table_csv
from bot.reports.ledger import open_ledger
from bot.reports.nps_comments import NpsThemes, read_comments, themes_of
from bot.reports.periods import Period, between, last_days
from bot.reports.report import read_facts, topic_names
from bot.reports.tables import Cell
from bot.reports.texts import ReportTexts
from bot.storage.base import Store
from bot.web.pages import Pages
from bot.web.services import WebServices

FRESH = 300.0  # seconds for which what was counted is shown again
DAYS = 28


class InsightPages:
    """GET /themes, GET /coaching, and both as /file.csv below them."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._themes: dict[tuple[bool, Period], tuple[float, NpsThemes]] = {}
        self._cases: dict[tuple[bool, Period], tuple[float, tuple[CoachingCase, ...]]] = {}
        self._reading = asyncio.Lock()

    async def themes(self, request: web.Request) -> web.Response:
        """GET /themes: NPS comments of the period by theme."""
        demo, period = self._demo(request), self._period(request)
        return self._page(
            request, "themes.html", period, demo=demo, found=await self._found(period, demo=demo)
        )

    async def themes_file(self, request: web.Request) -> web.Response:
        """GET /themes/file.csv: every comment of the period with its theme."""
        saying, period = ReportTexts(self._pages.language(request)), self._period(request)
        found = await self._found(period, demo=self._demo(request))
        rows = [(t.name, c.score, c.text, c.conversation) for t in found.themes for c in t.comments]
        rows += [("", c.score, c.text, c.conversation) for c in found.alone]
        return csv_file("themes", period, [titles_of(saying, "themes"), *rows], saying)

    async def coaching_file(self, request: web.Request) -> web.Response:
        """GET /coaching/file.csv: operators and topics with a reason to talk, with the figures."""
        saying, period = ReportTexts(self._pages.language(request)), self._period(request)
        known = self._services.knowledge
        named = {a.id: a.title for a in known.articles()} if known else {}
        rows: list[Sequence[Cell]] = [titles_of(saying, "coaching")]
        for case in await self._known_cases(period, demo=self._demo(request)):
            articles = ", ".join(named.get(id, id) for id in case.articles)
            tickets = ", ".join(str(s.number) for s in case.examples)
            figures = (case.rating, case.score, case.seconds, case.others, case.unused, case.edited)
            rows.append((case.name, case.topic, case.tickets, *figures, articles, tickets))
        return csv_file("coaching", period, rows, saying)

    async def _found(self, period: Period, *, demo: bool) -> NpsThemes:
        async with self._reading:
            now = asyncio.get_running_loop().time()
            kept = self._themes.get((demo, period))
            if kept is None or now - kept[0] >= FRESH:
                kept = (now, await self._gather(self._store(demo=demo), period))
                self._themes = {(demo, period): kept}
        return kept[1]

    async def coaching(self, request: web.Request) -> web.Response:
        """GET /coaching: operators and topics with a reason to talk."""
        demo, period = self._demo(request), self._period(request)
        cases = await self._known_cases(period, demo=demo)
        known = self._services.knowledge
        titles = {a.id: a.title for a in known.articles()} if known else {}
        return self._page(request, "coaching.html", period, demo=demo, cases=cases, titles=titles)

    async def _known_cases(self, period: Period, *, demo: bool) -> tuple[CoachingCase, ...]:
        async with self._reading:
            now = asyncio.get_running_loop().time()
            kept = self._cases.get((demo, period))
            if kept is None or now - kept[0] >= FRESH:
                kept = (now, await self._coach(self._store(demo=demo), period))
                self._cases = {(demo, period): kept}
        return kept[1]

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


def titles_of(saying: ReportTexts, table: str) -> tuple[str, ...]:
    """The titles of a table's columns."""
    return tuple(str(saying.word(f"exports.{table}")).split("; "))


def csv_file(
    name: str, period: Period | None, rows: Sequence[Sequence[Cell]], saying: ReportTexts
) -> web.Response:
    """A table as a file to keep, named after what it holds and the days."""
    days = f"-{period.first}-{period.last}" if period is not None else ""
    held = f'attachment; filename="{name}{days}.csv"'
    body = table_csv(rows, saying)
    return web.Response(body=body, content_type="text/csv", headers={"Content-Disposition": held})
