"""How a dialog of one's own calls a person."""

from __future__ import annotations

from bot.dialogs.reply import speaker
from bot.model import Outcome, Turn


def hand_over(turn: Turn, reason: str, *, apology: bool = False) -> Outcome:
    """Calls a person: a ticket, an honest word to the customer, a card for the operators.

    *reason* is one word for the card, the events and the reports; the texts may say it better
    (`desk.reason.<reason>`). *apology*: the customer is told that we are sorry, and no form is asked first.
    Where a person has the conversation already, the customer hears that. Raises `LookupError` outside of a
    dialog that the bot is asking.
    """
    escalate = speaker().escalate
    if escalate is None:
        raise LookupError("hand_over: nobody to hand over to; call it in a dialog, while the bot asks it")
    return escalate(turn, reason=reason, apology=apology)
