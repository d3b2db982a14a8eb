"""The page of the coming week: what is expected each hour, how far such a forecast was off, and how many
operators it takes.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

from aiohttp import web

from bot.reports.forecast import Forecast, ServiceGoal, read_forecast
from bot.reports.texts import ReportTexts
from bot.web.pages import Pages
from bot.web.services import WebServices

FRESH = 600.0  # seconds for which a forecast is shown again


class ForecastPages:
    """GET /forecast."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._made: dict[str, tuple[float, Forecast]] = {}
        self._reading = asyncio.Lock()

    async def show(self, request: web.Request) -> web.Response:
        """GET /forecast; `?data=demo`: of the played history."""
        services = self._services
        if services.hours is None:
            raise web.HTTPNotFound(text="no forecast")
        demo = request.query.get("data", "demo") == "demo" and services.demo is not None
        found = await self._forecast(demo=demo)
        saying = ReportTexts(self._pages.language(request))
        return self._pages.show(
            request,
            "forecast.html",
            "report",
            w=saying.word,
            saying=saying,
            forecast=found,
            days=found.days(),
            rounded=partial(rounded, lang=saying.lang),
            demo=demo,
            has_demo=services.demo is not None,
            goal=self._goal,
        )

    @property
    def _goal(self) -> ServiceGoal:
        services = self._services
        return ServiceGoal(services.answer_share, services.answer_within, services.at_once)

    async def _forecast(self, *, demo: bool) -> Forecast:
        services, key = self._services, "demo" if demo else "own"
        async with self._reading:
            now = asyncio.get_running_loop().time()
            if key in self._made and now - self._made[key][0] < FRESH:
                return self._made[key][1]
            store = services.demo if demo and services.demo is not None else services.store
            assert services.hours is not None
            moment: datetime = services.clock()
            found = await read_forecast(store, services.hours, moment, self._goal)
            self._made[key] = (now, found)
            return found


def rounded(value: float, lang: str = "en") -> str:
    """As people read a forecast: whole from ten on, else with a tenth."""
    text = f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"
    return text.replace(".", ",") if lang == "ru" else text
