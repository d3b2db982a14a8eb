"""Ready answers on a ticket's page: offered with the customer's facts in them, sent as they were shown."""

from __future__ import annotations

from aiohttp import web

from bot.adapters.rich_text import plain
from bot.handoff.assist.page_answers import AnswerCase
from bot.model import RichText, Ticket
from bot.web.security import USER
from bot.web.services import WebServices

READY = "canned:"  # begins the name of a ready answer, as operators' previews have it


class ReadyAnswers:
    """GET /conversation/{id}/ready?ticket=…&q=…."""

    def __init__(self, services: WebServices, somebody: str) -> None:
        self._services, self._somebody = services, somebody

    async def find(self, request: web.Request) -> web.Response:
        """As JSON: title and text of each, or what it lacks for this customer."""
        number, answers = request.query.get("ticket", ""), self._services.answers
        known = number.isdecimal() and len(number) < 10
        ticket = await self._services.store.ticket(int(number)) if known else None
        if answers is None or ticket is None or str(ticket.conversation) != request.match_info["id"]:
            raise web.HTTPNotFound(text="no such ticket")
        typed = request.query.get("q", "").strip()[:100]
        found = answers.find(await self._case(request, ticket), typed)
        return web.json_response(
            [{"key": a.key, "title": a.title, "text": plain(a.text), "lacks": list(a.lacks)} for a in found]
        )

    async def chosen(self, request: web.Request, ticket: Ticket, key: str) -> RichText:
        """The answer as it is made for this customer now; empty where it cannot be."""
        answers = self._services.answers
        made = answers.get(await self._case(request, ticket), key) if answers else None
        return made.text if made is not None else RichText()

    async def _case(self, request: web.Request, ticket: Ticket) -> AnswerCase:
        store = self._services.store
        talk = await store.listeners(only=(ticket.conversation,))
        lines = await store.history(ticket.conversation, limit=20)
        said = next((line.text for line in reversed(lines) if line.author == "customer"), "")
        operator = request[USER].name or self._somebody
        return AnswerCase(ticket, talk[0].customer if talk else None, operator, self._services.clock(), said)


def unchanged(text: RichText, typed: str) -> bool:
    """Whether the words in the field are still those of the answer."""
    return plain(text).replace("\r\n", "\n").strip() == typed.replace("\r\n", "\n").strip()
