"""The list of conversations: filtered, searched, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from urllib.parse import urlencode

from aiohttp import web

from bot.knowledge.query.words import fold, lemma
from bot.model import Status
from bot.reports.periods import Period, between, last_days
from bot.storage.base import ConversationPage, ConversationQuery, FoundConversation, PageKey
from bot.text.person_names import full_name
from bot.text.pii import mask
from bot.web.pages import EMULATED, Pages, read_words
from bot.web.services import WebServices

LISTED = 50  # conversations of one page
DAYS = ("1", "7", "30", "90", "365")
USUAL = "30"
HAPPENED = ("answered", "unanswered", "ticket_opened", "operator_wrote", "low_rating", "sla_breached")
SHOWN = 180  # characters of a line
BEFORE = 60  # of these before the word that was found
FILTERS = ("q", "customer", "article", "event", "channel", "status", "days", "from", "to")


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One conversation as the list shows it."""

    found: FoundConversation
    name: str
    text: str


class ConversationPages:
    """GET /conversations."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages

    async def show(self, request: web.Request) -> web.Response:
        """The conversations that were asked for, the newest first."""
        period, asked = self._period(request), {k: request.query.get(k, "").strip() for k in FILTERS}
        query = await self._query(request, asked, period)
        page = await self._services.store.search_conversations(query, limit=LISTED)
        words = read_words(self._pages.language(request))
        kept = {k: v for k, v in asked.items() if v}
        return self._pages.show(
            request,
            "conversations.html",
            "talks",
            asked=asked,
            days="" if asked["from"] or asked["to"] else asked["days"] or USUAL,
            presets=DAYS,
            period=period,
            rows=[_row(found, query.words) for found in page.rows],
            more=_more(page, kept),
            looked_until=page.looked_until,
            searched=any(asked[k] for k in FILTERS[:6]),
            happened_titles=[(kind, words[f"happened_{kind}"]) for kind in HAPPENED],
            status_titles=[(s.value, words[f"talk_{s.value}"]) for s in Status],
            channels=self._channels(),
            article_titles=self._articles(),
            forgotten=request.query.get("forgotten", ""),
            before=request.query.get("before", ""),
            first=f"/conversations?{urlencode(kept)}",
        )

    async def _query(
        self, request: web.Request, asked: Mapping[str, str], period: Period
    ) -> ConversationQuery:
        words = await asyncio.to_thread(stems, asked["q"]) if asked["q"] else ()
        status = Status(asked["status"]) if asked["status"] in tuple(Status) else None
        return ConversationQuery(
            words=words,
            customer=asked["customer"],
            article=asked["article"],
            event=asked["event"] if asked["event"] in HAPPENED else "",
            channel=asked["channel"],
            status=status,
            since=period.start,
            until=period.end,
            before=_key(request.query.get("before", "")),
        )

    def _period(self, request: web.Request) -> Period:
        query, now, zone = request.query, self._services.clock(), self._services.timezone
        try:
            if query.get("from") or query.get("to"):
                first, last = (date.fromisoformat(query[k]) if query.get(k) else None for k in ("from", "to"))
                return between(first, last, now, zone)
            return last_days(max(1, min(366, int(query.get("days") or USUAL))), now, zone)
        except ValueError as error:
            raise web.HTTPBadRequest(
                text="from and to are days such as 2026-11-01, at most 400 of them"
            ) from error

    def _channels(self) -> list[tuple[str, str]]:
        """Those in which customers write, with their titles."""
        desk = self._services.playground[-1:]  # the last one is the operators'
        return [(name, EMULATED.get(name, name)) for name in self._services.channels if name not in desk]

    def _articles(self) -> list[tuple[str, str]]:
        knowledge = self._services.knowledge
        articles = knowledge.articles() if knowledge else ()
        return [(a.id, a.title) for a in sorted(articles, key=lambda a: a.title)]


def stems(words: str) -> tuple[str, ...]:
    """What of each word stays in its other forms, for a search that reads letters only.

    >>> stems("щётки, Когда привезут?")
    ('щетк', 'когда', 'привез')
    """
    made = []
    for word in fold(words).split():
        bare = word.strip(".,!?;:«»\"'()…")
        same = takewhile(lambda pair: pair[0] == pair[1], zip(bare, lemma(bare), strict=False))
        common = "".join(letter for letter, _ in same)
        made.append(common if len(common) >= 3 else bare)
    return tuple(dict.fromkeys(filter(None, made)))


def _row(found: FoundConversation, words: Sequence[str]) -> ConversationRow:
    return ConversationRow(found, full_name(found.customer), _excerpt(mask(found.text), words))


def _excerpt(text: str, words: Sequence[str]) -> str:
    """As much of a line as the list shows, with the word that was found in it."""
    text = " ".join(text.split())
    low = text.casefold().replace("ё", "е")
    place = min((p for w in words if (p := low.find(w)) >= 0), default=0)
    start = max(0, place - BEFORE) if place + BEFORE > SHOWN else 0
    return ("… " if start else "") + text[start : start + SHOWN] + (" …" if start + SHOWN < len(text) else "")


def _key(written: str) -> PageKey | None:
    at, _, line = written.partition("-")
    known = at.isdecimal() and line.isdecimal() and len(written) < 40
    return PageKey(int(at), int(line)) if known else None


def _more(page: ConversationPage, kept: Mapping[str, str]) -> str:
    """Where the list goes on; "" = nowhere."""
    if page.next is None:
        return ""
    return f"/conversations?{urlencode({**kept, 'before': f'{page.next.at}-{page.next.line}'})}"
