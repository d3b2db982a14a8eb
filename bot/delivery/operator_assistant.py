"""What operators ask the assistant for, carried out: the words of one ticket and what the articles say go to
it, and what comes back is looked at before anybody sees it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.adapters.sanitize import clean_text
from bot.assistant.errors import AssistantError
from bot.assistant.task import Assistant, Task
from bot.delivery.sentence_support import facts_of
from bot.errors import BotError
from bot.handoff.assist.assistant_requests import (
    DRAFT,
    LONG_TALK,
    LONGEST,
    LOST,
    SUMMARY,
    TRANSLATE,
    UNDERSTAND,
    find,
)
from bot.handoff.desk_context import ArticleAudience, DeskContext, FoundArticle
from bot.model import AssistantRequest, Customer, HistoryEntry, Ticket
from bot.model.internal import AssistantReplied
from bot.observability import get_logger

LINES, LINE = 40, 800  # of the talk, and characters of one
TALK = 8000  # characters of it in all
ARTICLES, ARTICLE = 4, 2500
QUESTION = 5  # of the customer's newest lines, in which the question is
WISH = "wish"  # the operator's own words as a source
BEFORE = timedelta(days=1)  # before a ticket was opened its talk began at most
SPARE = 5.0  # seconds beyond the assistant's own time
_SENTENCE = re.compile(r".+?(?:[.!?…]+[\"»”)]*(?=\s|$)|\n+|$)\s*", re.S)
Pairs = tuple[tuple[str, str], ...]


class Passages(Protocol):
    """Says whether a sentence is what a passage says."""

    def __call__(self, sentence: str, passage: str) -> bool: ...


class NoMaterialError(BotError):
    """There is nothing to work on; *why* says what is missing."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class OperatorAssistant:
    """Does what was asked for. *is_supported* checks a draft against its passages."""

    def __init__(
        self,
        desk: DeskContext,
        assistant: Assistant,
        clock: Callable[[], datetime],
        is_supported: Passages,
        seconds: float,
    ) -> None:
        self._desk, self._assistant, self._clock = desk, assistant, clock
        self._is_supported, self._seconds = is_supported, seconds

    async def carry_out(self, number: int, id: str) -> tuple[Ticket, AssistantReplied] | None:
        """What came of a request; None where nobody waits for it any more. Raises `StorageError`."""
        ticket = await self._desk.ticket_reader.ticket(number)
        request = find(ticket, id) if ticket is not None else None
        if ticket is None or request is None or request.status != "asked" or not ticket.customer_peer.chat:
            return None
        if self._clock() - request.at >= LOST:
            return ticket, AssistantReplied(number, id, why="lost")
        try:
            async with asyncio.timeout(self._seconds + SPARE):
                sentences, articles = await self._done(ticket, request)
            return ticket, AssistantReplied(number, id, sentences, articles)
        except NoMaterialError as nothing:
            return ticket, AssistantReplied(number, id, why=nothing.why)
        except AssistantError as error:
            return ticket, AssistantReplied(number, id, why=error.reason)
        except TimeoutError:
            return ticket, AssistantReplied(number, id, why="timeout")
        except (TypeError, ValueError, LookupError):
            get_logger("assistant").exception("request_failed", task=request.task)
            return ticket, AssistantReplied(number, id, why="malformed")

    async def _done(self, ticket: Ticket, request: AssistantRequest) -> tuple[Pairs, Pairs]:
        customer = await self._customer(ticket)
        talk = await self._talk(ticket)
        if request.task == DRAFT:
            return await self._draft(ticket, request, customer, talk)
        if request.task == SUMMARY:
            return await self._summary(ticket, request, customer, talk), ()
        words = "\n".join(_newest(talk))
        if request.task == UNDERSTAND:
            if not words:
                raise NoMaterialError("no_words")
            data: dict[str, Any] = {"text": words}
        elif request.task == TRANSLATE:
            data = {"text": request.given, "customer": words}
        else:
            data = {"text": request.given}
        text = await self._asked(ticket, request, customer, data)
        source = words if request.task == UNDERSTAND else request.given
        return checked_words(text, source), ()

    async def _draft(
        self,
        ticket: Ticket,
        request: AssistantRequest,
        customer: Customer | None,
        talk: Sequence[HistoryEntry],
    ) -> tuple[Pairs, Pairs]:
        """An answer from the articles found for the customer's words, each sentence marked by its source."""
        rules = self._desk.rules
        asked = _newest(talk, rules.question) or _newest(
            talk, lambda text: "" if rules.meaning(text) == "call" else text
        )
        if not asked and not request.given:
            raise NoMaterialError("no_words")
        audience = ArticleAudience(customer, ticket.customer_peer.channel, self._desk.lang_of(customer))
        passages = await self._passages(asked or (request.given,), audience)
        if not passages and not request.given:
            raise NoMaterialError("no_articles")
        shown = [
            {"id": f"p{n}", "title": title, "text": text} for n, (_, title, text) in enumerate(passages, 1)
        ]
        # law: what operators noted among themselves is no material for words to the customer
        data = {"conversation": _lines(talk, notes=False), "passages": shown, "wish": request.given}
        found = await self._asked(ticket, request, customer, data, shape="json")
        known = {f"p{n}": passage for n, passage in enumerate(passages, 1)}
        sentences, used = [], dict[str, str]()
        for text, source in said(found):
            what, title, passage = known.get(source, ("", "", request.given if source == WISH else ""))
            supported = self._is_supported(text, passage)
            mark = "" if supported else "unsupported"
            sentences.append(("internal" if what.startswith("internal:") else mark, text))
            if what:
                used[what] = title
        if not sentences:
            raise NoMaterialError("no_answer")
        return _joined(sentences), tuple(used.items())

    async def _passages(self, asked: Sequence[str], audience: ArticleAudience) -> list[tuple[str, str, str]]:
        """(what, title, text) of the articles that fit, those for operators alone, too: what fits all of the
        lines, else what fits the newest of them that anything fits.
        """
        rules, found = self._desk.rules, tuple[FoundArticle, ...]()
        for words in ("\n".join(asked), *reversed(asked)):
            if rules.find is not None and not found:
                found = tuple(await rules.find(words, audience))
        passages = []
        for article in found[:ARTICLES]:
            read = rules.internal if article.internal else rules.article
            text = read(article.id, audience).text if read is not None else ""
            if text:
                kind = "internal" if article.internal else "article"
                passages.append((f"{kind}:{article.id}", article.title, text[:ARTICLE]))
        return passages

    async def _summary(
        self,
        ticket: Ticket,
        request: AssistantRequest,
        customer: Customer | None,
        talk: Sequence[HistoryEntry],
    ) -> Pairs:
        lines = _lines(talk, notes=True)
        if not lines or (not request.by and len(lines) < LONG_TALK):
            raise NoMaterialError("no_words")
        found = await self._asked(ticket, request, customer, {"conversation": lines}, shape="json")
        told = ((part, found.get(part)) for part in ("asked", "tried", "open"))
        kept = tuple((p, clean_text(t).strip()[:400]) for p, t in told if isinstance(t, str) and t.strip())
        if not kept:
            raise NoMaterialError("empty")
        return kept

    async def _asked(
        self,
        ticket: Ticket,
        request: AssistantRequest,
        customer: Customer | None,
        data: Mapping[str, Any],
        shape: str = "text",
    ) -> Any:
        """The reply: its text, or its JSON. Raises `AssistantError`."""
        own = (customer.name, customer.last_name, customer.username) if customer is not None else ()
        drafted = request.task == DRAFT
        task = Task(
            name=f"operator_{request.task}",
            audience="operators",
            data=data,
            language=self._desk.lang_of(customer) if drafted else self._desk.lang,
            shape="json" if shape == "json" else "text",
            by=request.by,
            names=tuple(n for n in (*own, ticket.state.name, ticket.state.username) if n),
            customer=customer.id if customer is not None else None,
            conversation=ticket.conversation,
            ticket=ticket.number,
            longest=1500,
            seconds=self._seconds,
        )
        reply = await self._assistant.complete(task)
        return reply.data if shape == "json" else clean_text(reply.text).strip()[:LONGEST]

    async def _customer(self, ticket: Ticket) -> Customer | None:
        talk = await self._desk.ticket_reader.conversation(ticket.customer_peer)
        return await self._desk.ticket_reader.customer(talk.customer) if talk and talk.customer else None

    async def _talk(self, ticket: Ticket) -> Sequence[HistoryEntry]:
        """law: of this conversation alone, and of this ticket: nothing of anybody else is sent."""
        since = ticket.opened - BEFORE if ticket.opened is not None else None
        return await self._desk.ticket_reader.history(ticket.conversation, limit=LINES, since=since)


def said(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(sentence, source) of a reply; what has another form is left out."""
    rows = found.get("sentences")
    told = [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list) else []
    pairs = ((r.get("text"), r.get("source")) for r in told[:30])
    return [
        (clean_text(text).strip()[:1000], str(source or ""))
        for text, source in pairs
        if isinstance(text, str) and text.strip()
    ]


def checked_words(text: str, source: str) -> Pairs:
    """Sentences of a rewritten text; one with a number, link or address that *source* has not is marked."""
    known = facts_of(source)
    parts = [m[0] for m in _SENTENCE.finditer(text) if m[0].strip()]
    return tuple(("" if facts_of(part) <= known else "unsupported", part) for part in parts)


def _newest(
    talk: Sequence[HistoryEntry], question: Callable[[str], str] = lambda text: text
) -> tuple[str, ...]:
    """The customer's lines since an operator answered last; where there are none, their last one. *question*
    gives what of a line is wanted, "" = nothing.
    """
    lines = [h for h in talk if h.author in ("customer", "operator") and h.text.strip()]
    after = next((n for n in range(len(lines), 0, -1) if lines[n - 1].author == "operator"), 0)
    wanted = [(n, question(h.text).strip()) for n, h in enumerate(lines) if h.author == "customer"]
    said = [(n, text[:LINE]) for n, text in wanted if text]
    return tuple(text for n, text in said if n >= after)[-QUESTION:] or tuple(t for _, t in said[-1:])


def _lines(talk: Sequence[HistoryEntry], *, notes: bool) -> list[dict[str, str]]:
    """The newest lines, the oldest first, within what may be sent."""
    authors = ("customer", "bot", "operator", *(("note",) if notes else ()))
    kept: list[dict[str, str]] = []
    left = TALK
    for line in reversed([h for h in talk if h.author in authors and h.text.strip()]):
        text = line.text[:LINE]
        if (left := left - len(text)) < 0:
            break
        kept.append({"who": line.author, "text": text})
    return kept[::-1]


def _joined(sentences: Sequence[tuple[str, str]]) -> Pairs:
    """With what stands between them, so that they read as one text."""
    last = len(sentences) - 1
    return tuple((mark, text if n == last else f"{text} ") for n, (mark, text) in enumerate(sentences))
