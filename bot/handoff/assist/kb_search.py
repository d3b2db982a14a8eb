"""/kb word: the base as operators search it, internal articles, too; what is for customers can be sent with a
tap.
"""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.assist.hints import Hint
from bot.handoff.assist.sending import show_article
from bot.handoff.desk_context import ArticleAudience, DeskContext
from bot.handoff.operators.replies import notice, say
from bot.model import Event, Outcome, Rows, Turn


async def search(desk: DeskContext, turn: Turn, words: str) -> Outcome:
    """The likeliest articles with their first words. In a ticket a tap shows what the customer would get, and
    another sends it; elsewhere it is only read.
    """
    if not words:
        return say(desk, turn, "desk.kb.how")
    found = await desk.rules.find(words, _audience(desk, turn)) if desk.rules.find is not None else ()
    if not found:
        return say(desk, turn, "desk.kb.none", word=words)
    action = "preview" if turn.ticket is not None else "kb_article"
    rows: Rows = tuple(
        (replace(Hint(f"{'internal' if a.internal else 'article'}:{a.id}", a.title).button, action=action),)
        for a in found
    )
    told = [{"title": a.title, "snippet": a.snippet, "internal": a.internal} for a in found]
    inside = any(a.internal for a in found)
    said = say(desk, turn, "desk.kb.found", rows, word=words, found=told, inside=inside)
    return replace(said, events=(Event("kb_searched", actor=turn.actor, data={"found": len(found)}),))


def shown(desk: DeskContext, turn: Turn, what: str) -> Outcome:
    """The tap where no ticket is at hand."""
    return show_article(desk, turn, what) if what else notice(desk, turn, "desk.old_button")


def _audience(desk: DeskContext, turn: Turn) -> ArticleAudience:
    """The ticket's customer, who gets nothing that is not for them; where none is at hand, the operators."""
    if turn.ticket is None:
        return ArticleAudience(language=desk.lang)
    return desk.audience(turn, turn.ticket)
