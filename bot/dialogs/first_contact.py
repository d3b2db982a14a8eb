"""What a new customer is asked once, after their first question was answered and never before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.dialogs.dialog_state import is_customers_word, is_first_contact
from bot.dialogs.forms.form import FIRST_CONTACT, Forms
from bot.dialogs.open_question import STATE as OPEN_QUESTION
from bot.model import Customer, Outcome, Result, Turn

MARK = "_first_contact"  # with the customer: DUE until there is an answer to ask after, then ASKED
DUE, ASKED = "due", "asked"
_OWN = frozenset(
    {"consent", "linking", "requests", "outreach", "rating", "nps", "form", "flows"}
)  # ask themselves


@dataclass(frozen=True, slots=True)
class FirstContact:
    """Stands around the dialogs: after an answer to somebody new the first question of the form follows, as a
    message of its own.

    law: words that are a question of the customer's own are answered, and never taken for an answer to ours;
    who wants a person, or writes while one has the conversation, is asked nothing.
    """

    dialogs: Callable[[Turn], Awaitable[Outcome]]
    forms: Forms
    is_question: Callable[[Turn, str], Awaitable[bool]]

    async def __call__(self, turn: Turn) -> Outcome:
        if self.forms.takes_any_words(turn, FIRST_CONTACT) and await self._asks(turn):
            turn = self._without_form(turn)
        outcome = await self.dialogs(turn)
        customer = outcome.customer or turn.customer
        if customer is None or not self.forms.has(FIRST_CONTACT) or not is_customers_word(turn):
            return outcome
        mark = customer.fields.get(MARK)
        if mark == ASKED or (mark != DUE and not is_first_contact(turn)):
            return outcome
        if outcome.result is Result.HANDED_OFF:
            return outcome
        if not _may_follow(outcome):
            return outcome if mark == DUE else replace(outcome, customer=_marked(customer, DUE))
        return self.forms.following(turn, outcome, _marked(customer, ASKED), FIRST_CONTACT)

    async def _asks(self, turn: Turn) -> bool:
        text = turn.text.strip()
        return bool(text) and (text.endswith("?") or await self.is_question(turn, text))

    def _without_form(self, turn: Turn) -> Turn:
        state = {k: v for k, v in turn.conversation.state.items() if k != "form"}
        return replace(turn, conversation=replace(turn.conversation, state=state))


def _may_follow(outcome: Outcome) -> bool:
    """Whether the outcome ends with an answer, and nothing is asked already."""
    state = outcome.state or {}
    asking = state.get("form") or state.get(OPEN_QUESTION)
    return outcome.result is Result.ANSWERED and not asking and outcome.dialog not in _OWN


def _marked(customer: Customer, mark: str) -> Customer:
    return replace(customer, fields={**customer.fields, MARK: mark})
