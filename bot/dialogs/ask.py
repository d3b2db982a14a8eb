"""How a dialog of one's own asks the customer something, and hears the answer in a later turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.dialogs.kept_facts import facts_of, kept_facts
from bot.dialogs.open_question import OpenQuestion, open_question, with_question
from bot.dialogs.reply import reply, speaker
from bot.model import Button, Outcome, Result, Rows, Turn


def ask(turn: Turn, key: str, /, *, buttons: Rows | Sequence[Button] = (), **facts: object) -> Outcome:
    """Asks the customer with the words of *key*; `asked` tells the dialog so when the answer comes.

    The dialog that asked hears the customer's next words before all others but those that call a person. The
    question stays open until the dialog answers with anything but `ask`, a person gets the conversation, or
    the customer is silent for eight hours. *facts* are for the words and for whoever hears the answer: JSON
    values or aware datetimes; anything else is a `TypeError`. Raises ConfigError when there is no such key.
    """
    question = OpenQuestion(key, kept_facts(f"ask: facts of {key}", facts), speaker().dialog)
    outcome = replace(
        reply(turn, key, buttons=buttons, **facts), result=Result.CLARIFIED, reason="asked_back"
    )
    return replace(outcome, state=with_question(outcome.state or {}, question, turn.now))


def asked(turn: Turn) -> OpenQuestion | None:
    """What this dialog has asked and has not heard the answer to; None where it asked nothing."""
    question = open_question(turn)
    if question is None or question.dialog != speaker().dialog:
        return None
    return replace(question, facts=facts_of(question.facts))
