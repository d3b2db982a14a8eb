"""Thanks after a talk with a person: one message with the question for a rating, or alone; never to somebody
who left angry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.dialogs.human import ANGRY
from bot.dialogs.reply import ReplyContext, said
from bot.handoff.outreach.segment import wants_none
from bot.i18n.texts import Texts
from bot.model import Event, Outcome, Result, Ticket, Timer, Turn
from bot.model.internal import RatingDue

LAST = 2  # of the customer's messages in the ticket: how they left
KEY = "aftercare.thanks"


@dataclass(frozen=True, slots=True)
class Thanks:
    """*upset* tells how angry words are (0..1), *opens* the moment from which people may be written to."""

    texts: Texts
    upset: Callable[[str], float]
    opens: Callable[[datetime], datetime]

    def words(self, turn: Turn, ticket: Ticket) -> tuple[str, ...]:
        """The key of the words; nothing where thanks would mock."""
        said_last = [
            line.text
            for line in turn.history
            if line.author == "customer" and (ticket.opened is None or line.at >= ticket.opened)
        ][-LAST:]
        return () if any(self.upset(text) >= ANGRY for text in said_last) else (KEY,)

    def alone(self, turn: Turn, due: RatingDue, ticket: Ticket) -> Outcome | None:
        """The thanks as a message of its own, in the hours in which people may be written to."""
        words = self.words(turn, ticket)
        if not words or (turn.customer is not None and wants_none(turn.customer)):
            return None
        if (opens := self.opens(turn.now)) > turn.now:
            again = Timer(f"rating:{ticket.number}", due, opens, conversation=turn.conversation.id)
            return Outcome("rating", Result.IGNORED, "thanks_wait", timers=(again,))
        facts = {"number": ticket.number, "operator": ticket.operator_name}
        outcome = said(turn, ReplyContext(self.texts, "rating"), *words, facts=facts)
        # law: said once: what may have arrived is not said again
        say = tuple(replace(o, on_uncertain="hold", ticket=ticket.number) for o in outcome.messages)
        event = Event("thanked", ticket=ticket.number, actor=ticket.operator)
        return replace(outcome, reason="thanked", messages=say, state=None, events=(event,))
