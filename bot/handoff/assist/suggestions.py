"""Hints while answering: the articles and ready answers that fit the customer's words, for operators' eyes;
in a long queue, for theirs, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice

from bot.handoff import card_posts
from bot.handoff.assist.hints import LIKELY, Hint
from bot.handoff.desk_context import ArticleAudience, DeskContext
from bot.handoff.filling import filled
from bot.handoff.tickets import lifecycle
from bot.model import (
    Answer,
    Button,
    Decision,
    Event,
    Outbound,
    Outcome,
    Result,
    RichText,
    Rows,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import SuggestionsDue
from bot.observability import get_logger

PATIENCE = 3.0  # seconds the search may take; the customer's words never wait longer for a hint
ARTICLES, READY, OFFERED = 2, 2, 3
SOMEBODY = "…"  # stands for whoever will answer: the one who taps has a name
LINES = 3  # of the customer's newest ones that may hold the question


async def look_up(
    desk: DeskContext, turn: Turn, ticket: Ticket | None, text: str
) -> tuple[tuple[Hint, ...], Answer | None]:
    """What fits these words, the likeliest first, and what the articles say to them; a search that fails
    costs nothing but the hint.
    """
    if (
        desk.rules.ask is None
        or desk.rules.article is None
        or not (question := desk.rules.question(text)).strip()
    ):
        return (), None
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await desk.rules.ask(question, desk.audience(turn, ticket))
    except Exception:  # noqa: BLE001 - a hint is help, and must not cost the words it belongs to
        get_logger("desk").exception("hint_failed")
        return of_ready(desk, turn, ticket, text), None
    if question != text and answer.decision is not Decision.ANSWER:
        return (
            of_ready(desk, turn, ticket, text),
            None,
        )  # what is left beside a call for a person is a question only where it has an answer
    return (*of_answer(desk, answer), *of_ready(desk, turn, ticket, text)), answer


def of_answer(desk: DeskContext, answer: Answer) -> tuple[Hint, ...]:
    """The sure article, else those worth a look."""
    sure = answer.decision is Decision.ANSWER
    likely = [
        c
        for n, c in enumerate(answer.candidates[:ARTICLES])
        if (sure and n == 0) or (answer.decision is not Decision.HANDOFF and c.score >= LIKELY)
    ]
    return tuple(of_article(desk, c.article, c.title) for c in likely)


def of_article(desk: DeskContext, id: str, title: str) -> Hint:
    """law: an article for operators alone is offered under a name of its own, which nothing can send."""
    return Hint(f"{'internal' if desk.rules.internal(id, ArticleAudience()) else 'article'}:{id}", title)


def of_ready(desk: DeskContext, turn: Turn, ticket: Ticket | None, text: str) -> tuple[Hint, ...]:
    """The ready answers that fit, without those that lack a value for this customer."""
    found = (
        desk.rules.canned.fitting(text)
        if desk.rules.canned is not None and desk.rules.ask is not None
        else ()
    )
    case = ticket or Ticket(turn.next_number, turn.conversation.id, turn.conversation.peer)
    whole = (
        r
        for r in found
        if isinstance(
            filled(desk, r, case, turn.customer, case.operator_name or SOMEBODY, turn.now), RichText
        )
    )
    return tuple(Hint(f"canned:{r.key}", r.title) for r in islice(whole, READY))


def under(hints: Sequence[Hint]) -> Rows:
    """The buttons under the customer's words."""
    return tuple((h.button,) for h in hints)


def kept(ticket: Ticket, hints: Sequence[Hint]) -> Ticket:
    """The ticket whose card shows them."""
    return lifecycle.hinted(ticket, ((h.what, h.title) for h in hints))


def look_later(desk: DeskContext, ticket: Ticket, turn: Turn, place: int) -> tuple[Timer, ...]:
    """Where nothing was searched yet, or the queue is long: looked for at once, in a turn of its own, so that
    opening a ticket never waits for it.
    """
    is_short = place < desk.rules.routing.articles_from and not desk.rules.has_internal()
    if desk.rules.ask is None or (_has_article(ticket) and is_short):
        return ()
    return (Timer(f"prompt:{ticket.number}", SuggestionsDue(), turn.now, conversation=ticket.conversation),)


async def on_opening(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome:
    """The card gets its hints; whoever waits behind others gets the articles to read meanwhile."""
    hints = await _of_question(desk, turn)
    hinted = _with_hints(ticket, [h for h in hints if h.what != f"article:{_shown(turn)}"])
    say = list(card_posts.edited(desk, hinted)) if hinted != ticket else []
    events: tuple[Event, ...] = ()
    articles = [h for h in hints if h.what.startswith("article:") and h.what != f"article:{_shown(turn)}"][
        :OFFERED
    ]
    ahead = desk.queue.ahead(ticket, await desk.ticket_reader.queue(), turn.now)
    if articles and ticket.status == "waiting" and ahead + 1 >= desk.rules.routing.articles_from:
        buttons = tuple((Button(h.title, "article", h.what.partition(":")[2]),) for h in articles)
        say.append(
            Outbound(
                ticket.customer_peer,
                desk.texts.say("handoff.meanwhile", lang=desk.lang_of(turn.customer)),
                buttons=buttons,
                ticket=ticket.number,
            )
        )
        events = (
            Event(
                "offered_meanwhile",
                ticket=ticket.number,
                data={"articles": [h.what.partition(":")[2] for h in articles]},
            ),
        )
    return Outcome(
        "desk",
        Result.ANSWERED if say else Result.IGNORED,
        "prompted",
        tuple(say),
        ticket=hinted,
        events=events,
    )


def _with_hints(ticket: Ticket, hints: Sequence[Hint]) -> Ticket:
    """With these on its card; where it has articles already, what is for operators alone comes first."""
    if not _has_article(ticket):
        return kept(ticket, hints) if hints else ticket
    known = [Hint(what, title) for what, title in ticket.state.hints]
    inside = [h for h in hints if h.what.startswith("internal:") and h not in known]
    return kept(ticket, [*inside[:1], *known]) if inside else ticket


async def _of_question(desk: DeskContext, turn: Turn) -> tuple[Hint, ...]:
    """For the newest of the customer's lines that anything fits: "позовите человека" alone says nothing."""
    for line in [h.text for h in reversed(turn.history) if h.author == "customer" and h.text.strip()][:LINES]:
        if hints := (await look_up(desk, turn, turn.ticket, line))[0]:
            return hints
    return ()


def _has_article(ticket: Ticket) -> bool:
    return any(what.startswith("article:") for what, _ in ticket.state.hints)


def _shown(turn: Turn) -> str:
    """The article that was answered with before and did not help.

    Opening a ticket clears the state, so the newest answer tells.
    """
    return turn.ticket.state.article_shown if turn.ticket else ""
