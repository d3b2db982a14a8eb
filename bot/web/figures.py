"""The supervisor's figures for Prometheus: the same counts over the same events as on the page, of the last
seven days.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bot.model import Ticket
from bot.reports import slices, tables
from bot.reports.ledger import ReportFacts, open_ledger
from bot.reports.metrics import COUNTS
from bot.reports.periods import Period, last_days
from bot.reports.report import read_facts
from bot.web.services import WebServices

DAYS = 7
MOST = 1000  # open tickets that are looked at
FRESH = 300.0  # seconds for which counted figures are given out again: counting a busy week costs a second


class ServiceFigures:
    """Counted when somebody asks, and no more often than every five minutes.

    What there is too little for is left out.
    """

    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._counted = b""
        self._at: float | None = None

    async def render(self) -> bytes:
        """The figures in the text form of Prometheus; nothing where there are no opening hours.

        Raises `StorageError`.
        """
        services, now = self._services, asyncio.get_running_loop().time()
        if services.hours is None:
            return b""
        async with self._lock:
            if self._at is None or now - self._at >= FRESH:
                moment = services.clock()
                period = last_days(DAYS, moment, services.timezone)
                facts = await read_facts(
                    services.store,
                    services.hours,
                    period,
                    moment,
                    answer_within=services.answer_within,
                    compare=False,
                )
                self._counted, self._at = await asyncio.to_thread(_written, facts, period), now
        waiting = [t for t in await services.store.tickets(limit=MOST) if t.status == "waiting"]
        return self._counted + _queue(waiting, services.clock())


def _written(facts: ReportFacts, period: Period) -> bytes:
    registry, ledger = CollectorRegistry(), open_ledger(facts)
    figures = Gauge(
        "otklik_report",
        "Figures of the last 7 days and their parts; times in seconds, shares from 0 to 1",
        ["figure", "part"],
        registry=registry,
    )
    cases = Gauge(
        "otklik_report_cases",
        "How many cases a figure of the report is made of",
        ["figure"],
        registry=registry,
    )
    sides = Gauge(
        "otklik_report_by",
        "Tickets by reason, conversations by channel, of the last 7 days",
        ["side", "name"],
        registry=registry,
    )
    for count in COUNTS:
        figure = count(ledger, period)
        cases.labels(figure.key).set(figure.n)
        for part, value in {"value": figure.value, **figure.parts}.items():
            if value is not None:
                figures.labels(figure.key, part).set(value)
    known = ((tables.reasons(ledger, period), "tickets"), (slices.channels(ledger, period, None), "visits"))
    for table, column in known:
        for row in table.rows:
            sides.labels(table.key, row.key).set(float(row.cells[column] or 0))
    return generate_latest(registry)


def _queue(waiting: list[Ticket], now: datetime) -> bytes:
    registry = CollectorRegistry()
    oldest = min((t.opened for t in waiting if t.opened is not None), default=None)
    Gauge(
        "otklik_waiting_oldest_seconds",
        "How long the ticket that waits longest has been open",
        registry=registry,
    ).set(max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
    Gauge("otklik_waiting_overdue", "Waiting tickets whose deadline has passed", registry=registry).set(
        sum(t.due is not None and t.due < now for t in waiting)
    )
    return generate_latest(registry)
