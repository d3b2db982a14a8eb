"""The pages of flows: the list, and each as a picture with the same in words beside it."""

from __future__ import annotations

import asyncio
import uuid
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup

from bot.dialogs.flows.flow_diagram import diagram
from bot.dialogs.flows.flow_file import FlowFile
from bot.dialogs.flows.flow_outline import beginnings, outline
from bot.dialogs.flows.flow_questions import questions_of
from bot.dialogs.flows.flow_reader import FlowFolder
from bot.errors import ConfigError, Problem
from bot.handoff.outreach.questionnaire_results import QuestionnaireResult, results
from bot.reports.questionnaires import COLUMNS, answers_csv
from bot.text.problems import problem_in, reading
from bot.web.pages import Pages, read_words
from bot.web.questionnaire_orders import QuestionnaireOrders
from bot.web.services import WebServices


class FlowPages:
    """GET /flows and GET /flows/{name}. The files are read anew each time: what was just saved is shown, with
    its faults.
    """

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._orders = QuestionnaireOrders(services)

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
        shown = self._shown(request, flow, problems)
        came = await self._came(request, flow) if flow.questionnaire is not None else None
        counted = None
        if came is not None and self._orders.open and "to" in request.query:
            counted = await self._orders.counted(request.query["to"].strip(), self._pages.language(request))
        more = {"counted": counted, "may_send": self._orders.open, "key": uuid.uuid4().hex}
        sent = "sent" in request.query
        return self._pages.show(request, "flow.html", "flows", came=came, sent=sent, **more, **shown)

    async def send(self, request: web.Request) -> web.Response:
        """POST /flows/{name}/send {to, key}: the questionnaire goes to the segment."""
        form = await request.post()
        flow = self._services.running_flows.get(request.match_info["name"])
        if flow is None or flow.questionnaire is None:
            raise web.HTTPNotFound(text="no such questionnaire")
        await self._orders.send(request, flow, str(form.get("to", "")).strip(), str(form.get("key", "")))
        raise web.HTTPSeeOther(f"/flows/{quote(flow.name)}?sent")

    async def answers(self, request: web.Request) -> web.Response:
        """GET /flows/{name}/answers.csv: every answer of a questionnaire."""
        folder, _ = await self._read(request)
        flow = folder.flows.get(request.match_info["name"])
        if flow is None or flow.questionnaire is None:
            raise web.HTTPNotFound(text="no such questionnaire")
        language = self._pages.language(request)
        words = read_words(language)
        titles = {column: words[f"flows_column_{column}"] for column in COLUMNS}
        came, steps = await self._came(request, flow), questions_of(flow, language)
        return web.Response(
            body=answers_csv(came, steps, titles, self._services.timezone),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": f"attachment; filename={quote(flow.name)}.csv"},
        )

    async def _came(self, request: web.Request, flow: FlowFile) -> QuestionnaireResult:
        steps = questions_of(flow, self._pages.language(request))
        return await results(self._services.store, flow.name, steps)

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
