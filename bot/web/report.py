"""The supervisor's pages: figures of a period, the conversations behind each figure, and one conversation
with every turn's why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Literal
from urllib.parse import urlencode

from aiohttp import web

from bot.handoff.contacts import mask
from bot.handoff.context import is_context
from bot.handoff.context import shown as shown_context
from bot.knowledge.decision.explanation import sentence_of
from bot.knowledge.search import Knowledge
from bot.model import Attachment, HistoryEntry, Ticket
from bot.reports.channels import channels_of, of_channel
from bot.reports.export import to_csv, to_xlsx
from bot.reports.metrics import COUNTS, TILES, FigureCase
from bot.reports.periods import Period, between, last_days
from bot.reports.report import Report, make_report, read_facts
from bot.reports.texts import UNITS, ReportTexts, row_name
from bot.storage.base import Store, TurnRecord
from bot.text.person_names import full_name
from bot.text.transcripts import Transcript, transcript_of, written
from bot.web.charts import bars, shares, squares
from bot.web.content_gaps import ContentGaps, gaps_table
from bot.web.pages import Pages
from bot.web.services import WebServices
from bot.web.ticket_files import mark_of
from bot.web.ticket_orders import TicketOrders
from bot.web.wait_analysis import AROUND, AT_WORK, SHOWN, FirstAnswerWait, TicketStep, timeline, wait_of

FRESH = 20.0  # seconds for which a counted report is shown again
LISTED = 200  # conversations listed behind one figure
LINES = 400  # lines of a transcript
BESIDE = 500  # tickets before and behind one, among which those are looked for that waited beside it
TABLES = (
    "topics",
    "categories",
    "tags",
    "channels",
    "articles",
    "operators",
    "gaps",
    "ready",
    "scores",
    "playbooks",
    "compensations",
    "after",
    "assistant",
)
PARTS = {
    "night": (0, 6),
    "morning": (6, 12),
    "day": (12, 18),
    "evening": (18, 24),
}  # hours of the day, from and up to
GAPS_FRESH = 300.0  # seconds for which the questions that nobody answered are not gathered anew
Data = Literal["own", "demo"]


class ReportPages:
    """GET /report, /report/list, /report/file.xlsx|csv and /conversation/{id}.

    `?data=demo` shows the played history of the playground.
    """

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._orders = TicketOrders(services, pages)
        self._made: dict[tuple[str, str, Period], tuple[float, Report, tuple[str, ...]]] = {}
        self._missing: dict[str, ContentGaps] = {}

    async def show(self, request: web.Request) -> web.Response:
        """GET /report: tiles, charts, tables."""
        data, saying = self._data(request), self._saying(request)
        report = await self._report(request)
        days, lines = bars(report.tables["days"])
        return self._page(
            request,
            "report.html",
            data,
            report,
            saying,
            tiles=[self._tile(report, key, saying) for key in TILES],
            more=[self._tile(report, c.__name__, saying) for c in COUNTS if c.__name__ not in TILES],
            bars=days,
            lines=lines,
            squares=squares(report.tables["load"]),
            reasons=shares(report.tables["reasons"].rows[:9], "tickets"),
            tables=[
                (t, [r for r in t.rows if any(r.cells.values())][:25])
                for key in TABLES
                if (t := report.tables.get(key)) and (t.rows or key not in ("ready", "tags"))
            ],
        )

    async def list(self, request: web.Request) -> web.Response:
        """GET /report/list?of=FIGURE: the conversations it was counted from, the heaviest first."""
        data, saying = self._data(request), self._saying(request)
        report, of = await self._report(request), request.query.get("of", "")
        table, _, key = of.partition(":")
        if of not in report.figures and table not in report.tables:
            raise web.HTTPNotFound(text="no such figure")
        part, zone = request.query.get("part", ""), report.period.zone
        found = [
            c
            for c in report.cases(of)
            if part not in PARTS or PARTS[part][0] <= c.at.astimezone(zone).hour < PARTS[part][1]
        ]
        cases = sorted(found, key=lambda c: (-(c.value or 0.0), -c.at.timestamp()))
        title = (
            saying.name(of)
            if of in report.figures
            else f"{saying.word(f'tables.{table}.name')}: {self._row(report, table, key, saying)}"
        )
        store = self._store(data)
        shown = cases[:LISTED]
        known = {
            t.number: t for t in await store.tickets_of({c.ticket for c in shown if c.ticket is not None})
        }
        rows = [
            (c, known.get(c.ticket or 0), await self._name(store, c, known), self._amount(of, c, saying))
            for c in shown
        ]
        return self._page(
            request,
            "report_list.html",
            data,
            report,
            saying,
            of=of,
            heading=title,
            rows=rows,
            columns=_filled(rows),
            all=len(cases),
            listed=LISTED,
            parts=tuple(PARTS),
            part=part,
        )

    async def conversation(self, request: web.Request) -> web.Response:
        """GET /conversation/{id}: what was said, and why the bot did what it did. Contacts are masked."""
        data, saying = self._data(request), self._saying(request)
        try:
            number = int(request.match_info["id"])
        except ValueError:
            raise web.HTTPNotFound(text="no such conversation") from None
        store = self._store(data)
        turns = await store.turns(conversation=number, limit=LINES)
        lines = await store.history(number, limit=LINES)
        if not turns and not lines:
            raise web.HTTPNotFound(text="no such conversation")
        tickets = await store.tickets_in(number)
        happened, waits = await self._waits(store, tickets)
        met = await store.listeners(only=(number,))
        return self._pages.show(
            request,
            "conversation.html",
            "talks" if data == "own" else "report",
            w=saying.word,
            data=data,
            back=f"/report?{self._query(request, data)}"
            if data == "demo" or _of_report(request)
            else "/conversations",
            panel=self._orders.panel(request, tickets) if met and data == "own" else None,
            ordered=request.query.get("done", ""),
            bad_file=request.query.get("file", "")[:120],
            heard=_heard,
            came_with=partial(self._came_with, self._pages.language(request)),
            mark_of=mark_of if self._services.files and data == "own" else None,
            customer=met[0].customer.id if met and data == "own" else None,
            number=number,
            name=await self._customer(store, turns),
            tickets=tickets,
            entries=_merged(lines, turns, happened),
            saying=saying,
            sentence_of=sentence_of,
            waits=waits,
        )

    async def file(self, request: web.Request) -> web.Response:
        """GET /report/file.xlsx and .csv."""
        saying, period = self._saying(request), self._period(request)
        report, kind = await self._report(request), request.match_info["kind"]
        body = await asyncio.to_thread(to_xlsx if kind == "xlsx" else to_csv, report, saying)
        name = f"report-{period.first}-{period.last}.{kind}"
        types = {
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "csv": "text/csv",
        }
        return web.Response(
            body=body,
            content_type=types[kind],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    # --- what is shown

    def _came_with(self, language: str, attachment: Attachment) -> str:
        """A message's context in words, as operators read it in their chats; "" for a file."""
        words = self._services.words
        return mask(shown_context((attachment,), words, language)) if words and is_context(attachment) else ""

    async def _report(self, request: web.Request) -> Report:
        data, period, channel = self._data(request), self._period(request), request.query.get("channel", "")
        services, now = self._services, asyncio.get_running_loop().time()
        if (known := self._made.get((data, channel, period))) is not None and now - known[0] < FRESH:
            return known[1]
        if services.hours is None:
            raise web.HTTPNotFound(text="no report")
        facts = await read_facts(
            self._store(data), services.hours, period, services.clock(), answer_within=services.answer_within
        )
        articles, channels = services.knowledge.articles() if services.knowledge else (), channels_of(facts)
        if channel and channel not in channels:
            raise web.HTTPNotFound(text="no such channel")
        report = await asyncio.to_thread(
            make_report, of_channel(facts, channel) if channel else facts, period, articles
        )
        if isinstance(services.knowledge, Knowledge):
            missing = self._missing.setdefault(
                data, ContentGaps(self._store(data), services.knowledge, fresh=GAPS_FRESH)
            )
            report = replace(
                report,
                tables={**report.tables, "gaps": gaps_table(await missing.read(), period.holds, channel)},
            )
        self._made = {k: v for k, v in self._made.items() if now - v[0] < FRESH} | {
            (data, channel, period): (now, report, channels)
        }
        return report

    async def _waits(
        self, store: Store, tickets: Sequence[Ticket]
    ) -> tuple[Sequence[TicketStep], Sequence[FirstAnswerWait]]:
        """What happened to the tickets of a conversation, and why each waited for its first answer: beside
        how many of those that were opened around it, or are open still.
        """
        near = {n for t in tickets for n in range(max(1, t.number - BESIDE), t.number + BESIDE)}
        known = {t.number: t for t in await store.tickets(bare=True)}
        known |= {t.number: t for t in await store.tickets_of(near, bare=True)}
        names = {t.operator: t.operator_name for t in known.values() if t.operator}
        happened, waits = tuple[TicketStep, ...](), tuple[FirstAnswerWait, ...]()
        for ticket in (t for t in tickets if t.opened):
            opened, hours = ticket.opened or self._services.clock(), self._services.hours
            until = (ticket.closed or self._services.clock()) + timedelta(days=3)
            happened += tuple(
                timeline(
                    (ticket.number,),
                    await store.events(since=opened - timedelta(minutes=1), until=until, kinds=SHOWN),
                    names,
                )
            )
            around = await store.events(since=opened - AROUND, until=opened + AROUND, kinds=AT_WORK)
            took = (
                hours.working(opened, ticket.first_reply).total_seconds()
                if hours and ticket.first_reply
                else None
            )
            if (wait := wait_of(ticket, tuple(known.values()), around, took)) is not None:
                waits += (wait,)
        return happened, waits

    def _store(self, data: Data) -> Store:
        return (
            self._services.demo
            if data == "demo" and self._services.demo is not None
            else self._services.store
        )

    def _data(self, request: web.Request) -> Data:
        """In the playground the played history is shown first, everywhere else only the bot's own."""
        wanted = request.query.get("data", "demo")
        return "demo" if wanted == "demo" and self._services.demo is not None else "own"

    def _period(self, request: web.Request) -> Period:
        query, now, zone = request.query, self._services.clock(), self._services.timezone
        try:
            if query.get("from") or query.get("to"):
                first, last = (date.fromisoformat(query[k]) if query.get(k) else None for k in ("from", "to"))
                return between(first, last, now, zone)
            return last_days(max(1, min(366, int(query.get("days", "14")))), now, zone)
        except ValueError as error:
            raise web.HTTPBadRequest(
                text="from and to are days such as 2026-11-01, at most 400 of them"
            ) from error

    def _saying(self, request: web.Request) -> ReportTexts:
        return ReportTexts(self._pages.language(request))

    def _query(self, request: web.Request, data: Data, *, channels: bool = True) -> str:
        kept = {
            k: v
            for k, v in request.query.items()
            if k in ("from", "to", "days") and v.replace("-", "").isdecimal()
        }
        channel = {"channel": request.query["channel"]} if channels and request.query.get("channel") else {}
        return urlencode({**kept, **channel, "data": data})

    def _page(
        self,
        request: web.Request,
        template: str,
        data: Data,
        report: Report,
        saying: ReportTexts,
        **facts: object,
    ) -> web.Response:
        today = self._services.clock().astimezone(self._services.timezone).date()
        return self._pages.show(
            request,
            template,
            "report",
            report=report,
            saying=saying,
            w=saying.word,
            data=data,
            has_demo=self._services.demo is not None,
            coming=self._services.demo is None and bool(self._services.playground),
            query=self._query(request, data),
            days=request.query.get("days", "" if request.query.get("from") else "14"),
            channel=request.query.get("channel", ""),
            channels=next((c for _, made, c in self._made.values() if made is report), ()),
            near=(("today", today), ("yesterday", today - timedelta(days=1))),
            apart=self._query(request, data, channels=False),
            row_name=lambda table, row: row_name(report, table, row.key, row.name, saying),
            **facts,
        )

    def _tile(self, report: Report, key: str, saying: ReportTexts) -> Mapping[str, object]:
        figure = report.figures[key]
        change = saying.change(key, figure, report.before[key])
        return {
            "key": key,
            "short": saying.short(key),
            "name": saying.name(key),
            "text": saying.definition(key, report),
            "value": saying.value(key, figure.value),
            "change": change,
            "below": self._below(report, key, saying),
        }

    def _below(self, report: Report, key: str, saying: ReportTexts) -> str:
        """The small line under a figure."""
        figure, w = report.figures[key], saying.word
        if key in ("afrt", "mttr") and figure.n:
            spread = {k: saying.value(k, v) for k, v in figure.parts.items()}
            return (
                f"{w('page.median').format(**spread)} ·"
                f" {w('page.calendar').format(mean=spread['calendar_mean'])}"
            )
        if key in ("csi", "nps"):
            if figure.value is None:
                return f"{w('few')}: {figure.n}"
            return str(w("page.of_asked")).format(
                n=figure.n, share=saying.show("share", figure.parts["response"])
            )
        if key == "containment":
            return str(w("page.naive")).format(
                value=saying.value("containment_naive", report.figures["containment_naive"].value)
            )
        if key == "service_level":
            return str(w("page.goal")).format(
                share=saying.show("share", self._services.answer_share), n=saying.show("count", figure.n)
            )
        if key == "ntb":
            return saying.show("share", figure.parts["share"])
        return str(w("page.of")).format(n=saying.show("count", figure.n)) if UNITS[key] == "share" else ""

    def _row(self, report: Report, table: str, key: str, saying: ReportTexts) -> str:
        row = next((r for r in report.tables[table].rows if r.key == key), None)
        if row is not None and table == "load":
            return (
                f"{saying.word('weekdays')[int(row.cells['weekday'] or 1) - 1]},"
                f" {int(row.cells['hour'] or 0)}:00"
            )
        return row_name(report, table, key, row.name if row else key, saying)

    def _amount(self, of: str, case: FigureCase, saying: ReportTexts) -> str:
        if case.value is None or of not in UNITS:
            return ""
        if UNITS[of] == "share":
            return str(saying.word("page.yes" if case.value else "page.no"))
        return saying.value(of, case.value)

    async def _name(self, store: Store, case: FigureCase, tickets: Mapping[int, Ticket]) -> str:
        if (ticket := tickets.get(case.ticket or 0)) is not None and ticket.state.name:
            return ticket.state.name
        return await self._customer(store, await store.turns(conversation=case.conversation, limit=1))

    async def _customer(self, store: Store, turns: tuple[TurnRecord, ...]) -> str:
        for turn in turns[:1]:
            found = await store.conversation(turn.peer)
            if (
                found is not None
                and found.customer is not None
                and (customer := await store.customer(found.customer))
            ):
                return full_name(customer)
        return ""


def _filled(rows: Sequence[tuple[FigureCase, Ticket | None, str, str]]) -> tuple[str, ...]:
    """The columns of a list that say anything."""
    tickets = [t for _, t, _, _ in rows if t]
    says = {
        "amount": any(amount for *_, amount in rows),
        "ticket": tickets,
        "operator": any(t.operator_name for t in tickets),
        "reason": any(t.reason for t in tickets),
    }
    return tuple(
        c for c in ("customer", "when", "amount", "ticket", "operator", "reason") if says.get(c, True)
    )


def _of_report(request: web.Request) -> bool:
    """Whether somebody came from a figure of the report."""
    return any(k in request.query for k in ("days", "from", "to"))


Entry = Literal["line", "turn", "event"]


def _merged(
    lines: tuple[HistoryEntry, ...], turns: tuple[TurnRecord, ...], happened: Sequence[TicketStep]
) -> list[tuple[Entry, object]]:
    """Words, decisions and what happened to the tickets, in the order of time; a decision stands before the
    words it led to.
    """
    entries: list[tuple[float, int, Entry, object]] = []
    entries += [
        (line.at.timestamp(), 2 if line.author != "customer" else 0, "line", _shown(line)) for line in lines
    ]
    told = [
        t
        for t in turns
        if t.result != "ignored" and (t.dialog != "desk" or t.result == "handed_off" or t.error)
    ]  # the desk's own acts are told by the moments
    entries += [(t.at.timestamp(), 1, "turn", t) for t in told]
    entries += [(h.at.timestamp(), 3, "event", h) for h in happened]
    entries.sort(key=lambda e: e[:2])
    return [(kind, what) for _, _, kind, what in entries]


def _shown(line: HistoryEntry) -> HistoryEntry:
    own = written(line.text, line.attachments)  # what was said stands beside the audio
    return HistoryEntry(line.at, line.author, mask(own), line.name, line.attachments)


def _heard(attachment: Attachment) -> Transcript | None:
    found = transcript_of(attachment)
    return None if found is None else replace(found, text=mask(found.text))
