"""The page of customers' ideas: similar ones on one card, how many want it, and what becomes of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.handoff.outreach.order_replies import OFFICE
from bot.knowledge.articles.writer import encoder_of
from bot.knowledge.quality.themes import grouped
from bot.knowledge.search import Knowledge
from bot.model import Idea, Inbound, InboundKind
from bot.model.ideas import STATUSES
from bot.model.internal import DecideIdeas
from bot.reports.tables import Cell
from bot.reports.texts import ReportTexts
from bot.text.pii import mask
from bot.web.pages import Pages
from bot.web.report_insights import csv_file, titles_of
from bot.web.services import WebServices
from bot.web.ticket_orders import GLANCE, PATIENCE, PageRequests

OPEN = ("new", "considered", "planned")
MOST = 400  # open ideas that are gathered by meaning; older ones stand by themselves
WORDINGS = 6
LONGEST = 600  # characters of a reason


@dataclass(frozen=True, slots=True)
class IdeaCard:
    """Ideas that mean the same: the numbers they are decided on by, and how many customers want it."""

    ids: tuple[int, ...]
    text: str
    others: tuple[str, ...]
    customers: int
    since: datetime
    status: str
    reason: str


class IdeaPages:
    """GET /ideas, POST /ideas/decide."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._requests = PageRequests(services)

    async def show(self, request: web.Request) -> web.Response:
        """GET /ideas: the open ones, the most wanted first; `?settled=1`: what was done or declined."""
        return await self._page(request)

    async def file(self, request: web.Request) -> web.Response:
        """GET /ideas/file.csv: the cards of the page, the open ones or (`?settled=1`) the settled."""
        saying, zone = ReportTexts(self._pages.language(request)), self._services.timezone
        rows: list[Sequence[Cell]] = [titles_of(saying, "ideas")]
        for card in await self._cards(settled="settled" in request.query):
            since, said = card.since.astimezone(zone).strftime("%Y-%m-%d"), f"ideas.said.{card.status}"
            others = " / ".join(card.others)
            rows.append((card.text, card.customers, since, str(saying.word(said)), card.reason, others))
        return csv_file("ideas", None, rows, saying)

    async def decide(self, request: web.Request) -> web.Response:
        """POST /ideas/decide: a status with a reason, met by the ideas as they then are."""
        form = {k: str(v).strip() for k, v in (await request.post()).items()}
        status, reason = form.get("status", ""), form.get("reason", "")[:LONGEST]
        ids = tuple(int(n) for n in form.get("ideas", "").split(",") if n.isdecimal())
        if not ids or status not in STATUSES:
            raise web.HTTPBadRequest(text="ideas and a status are wanted")
        if status == "declined" and not reason:
            return await self._page(request, "needs_reason", 422)
        if self._services.hand_in is None:
            raise web.HTTPServiceUnavailable(text="this page only reads")
        order, key = DecideIdeas(ids, status, reason), f"page:{form.get('key') or uuid.uuid4()}"
        who, now = self._requests.who(request), self._services.clock()
        inbound = Inbound(key, OFFICE, who, now, InboundKind.INTERNAL, private=False, payload=order)
        await self._services.hand_in(OFFICE.channel, [inbound])
        if not await self._done(ids, status):
            return await self._page(request, "not_now", 202)
        raise web.HTTPSeeOther("/ideas")

    async def _done(self, ids: Sequence[int], status: str) -> bool:
        """Whether the decision was met while somebody waits for the page."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while True:
            known = {i.id: i.status for i in await self._services.store.ideas()}
            if all(known.get(id, status) == status for id in ids):
                return True
            if loop.time() >= end:
                return False
            await asyncio.sleep(GLANCE)

    async def _page(self, request: web.Request, problem: str = "", status: int = 200) -> web.Response:
        saying = ReportTexts(self._pages.language(request))
        settled = "settled" in request.query
        cards = await self._cards(settled=settled)
        page = self._pages.show(
            request,
            "ideas.html",
            "report",
            w=saying.word,
            cards=cards,
            settled=settled,
            statuses=STATUSES,
            problem=problem,
            key=str(uuid.uuid4()),
            open=self._services.hand_in is not None and self._pages.may(request, "POST", "/ideas/decide"),
        )
        page.set_status(status)
        return page

    async def _cards(self, *, settled: bool) -> Sequence[IdeaCard]:
        known = await self._services.store.ideas()
        heads = [i for i in known if not i.joined and (i.status not in OPEN) is settled]
        groups: list[tuple[Idea, ...]] = [(i,) for i in heads]
        knowledge = self._services.knowledge
        if not settled and heads:
            recent = heads[-MOST:]
            encode = encoder_of(knowledge) if isinstance(knowledge, Knowledge) else None
            found = await asyncio.to_thread(grouped, [i.text or f"#{i.id}" for i in recent], encode)
            groups = [*((i,) for i in heads[:-MOST]), *(tuple(recent[n] for n in places) for places in found)]
        cards = [_card(group, known) for group in groups]
        return sorted(cards, key=lambda c: (-c.customers, -c.since.timestamp()))


def _card(group: Sequence[Idea], known: Sequence[Idea]) -> IdeaCard:
    ids = tuple(i.id for i in group)
    wanted = [i for i in known if i.id in ids or i.joined in ids]
    texts = list(dict.fromkeys(mask(i.text) for i in wanted if i.text))
    furthest = max(group, key=lambda i: STATUSES.index(i.status))
    people = {i.customer if i.customer is not None else -i.conversation for i in wanted}
    return IdeaCard(
        ids,
        texts[0] if texts else "",
        tuple(texts[1 : WORDINGS + 1]),
        len(people),
        min(i.at for i in wanted),
        furthest.status,
        furthest.reason,
    )
