"""The pages of flows: the list, and each as a picture with the same in words beside it."""

from __future__ import annotations

import asyncio

from aiohttp import web
from markupsafe import Markup

from bot.dialogs.flows.flow_diagram import diagram
from bot.dialogs.flows.flow_file import FlowFile
from bot.dialogs.flows.flow_outline import beginnings, outline
from bot.dialogs.flows.flow_reader import FlowFolder
from bot.errors import ConfigError, Problem
from bot.text.problems import problem_in, reading
from bot.web.pages import Pages
from bot.web.services import WebServices


class FlowPages:
    """GET /flows and GET /flows/{name}. The files are read anew each time: what was just saved is shown, with
    its faults.
    """

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages

    async def show_all(self, request: web.Request) -> web.Response:
        """Every flow, and what is wrong with the files."""
        folder, problems = await self._read(request)
        language = self._pages.language(request)
        with reading(language):
            rows = [(f, f.called(language), beginnings(f, language)) for f in folder.flows.values()]
        return self._pages.show(request, "flows.html", "flows", rows=rows, problems=problems)

    async def show(self, request: web.Request) -> web.Response:
        """One flow."""
        folder, problems = await self._read(request)
        flow = folder.flows.get(request.match_info["name"])
        if flow is None:
            raise web.HTTPNotFound(text="no such flow")
        return self._pages.show(request, "flow.html", "flows", **self._shown(request, flow, problems))

    def _shown(self, request: web.Request, flow: FlowFile, problems: list[Problem]) -> dict[str, object]:
        language = self._pages.language(request)
        with reading(language):
            return {
                "flow": flow,
                "called": flow.called(language),
                "begins": beginnings(flow, language),
                "steps": outline(flow, language),
                "diagram": Markup(diagram(flow, language)),
                "problems": [p for p in problems if p.file.endswith(flow.file.name)],
            }

    async def _read(self, request: web.Request) -> tuple[FlowFolder, list[Problem]]:
        """The flows; where a file cannot be used, those that can, as they were when the bot started."""
        assert self._services.flows is not None
        language = self._pages.language(request)
        try:
            folder = await asyncio.to_thread(self._services.flows)
        except ConfigError as error:
            running = FlowFolder(self._services.running_flows)
            return running, [problem_in(p, language) for p in error.problems]
        return folder, [problem_in(p, language) for p in folder.warnings]
