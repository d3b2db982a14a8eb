"""What a customer says about being written to (no more, or again), and the reminders that dialogs asked
for.
"""

from __future__ import annotations

from dataclasses import replace

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.kept_facts import facts_of
from bot.dialogs.reply import ReplyContext, said
from bot.dialogs.short_answers import fold
from bot.handoff.outreach.segment import wants_none
from bot.i18n.texts import Texts
from bot.model import Event, InboundKind, Outcome, Result, Turn
from bot.model.internal import ReminderDue
from bot.text.customer_fields import NEWS, OFF

STOP = "news_off"


class OptOut:
    """Stands before all other dialogs.

    The choice is kept on the customer, so it holds on every channel they write from.
    """

    def __init__(self, texts: Texts) -> None:
        self._speaker = ReplyContext(texts, "outreach")
        self._texts = texts
        self._stop, self._bare, self._start = (
            frozenset(map(fold, texts.options(f"outreach.{kind}")))
            for kind in ("stop_words", "bare_stop_words", "start_words")
        )

    async def __call__(self, turn: Turn) -> Outcome | None:
        first = turn.inbounds[0]
        if first.kind is InboundKind.INTERNAL:
            return self._reminded(turn, first.payload) if isinstance(first.payload, ReminderDue) else None
        if turn.press is not None:
            return self._chosen(turn, news=False) if turn.press.action == STOP else None
        text = fold(turn.text) if len(turn.text) < 60 else ""
        if text in self._stop or (text in self._bare and not DialogState.of(turn).form):
            return self._chosen(turn, news=False)
        return self._chosen(turn, news=True) if text in self._start else None

    def _chosen(self, turn: Turn, *, news: bool) -> Outcome | None:
        if turn.customer is None:
            return None
        key = "outreach.started_news" if news else "outreach.stopped_news"
        outcome = replace(
            replace(said(turn, self._speaker, key), reason="news_on" if news else "news_off"), state=None
        )
        if wants_none(turn.customer) is not news:
            return outcome  # as it was
        fields = {k: v for k, v in turn.customer.fields.items() if k != NEWS}
        customer = replace(turn.customer, fields=fields if news else {**fields, NEWS: OFF})
        number = turn.press.value if turn.press else ""
        event = Event(
            "news_on" if news else "news_off",
            data={"channel": turn.conversation.peer.channel, "number": number},
        )
        return replace(outcome, customer=customer, events=(event,))

    def _reminded(self, turn: Turn, reminder: ReminderDue) -> Outcome:
        if not turn.conversation.reachable:
            return Outcome("outreach", Result.IGNORED, "unreachable")
        outcome = replace(
            said(turn, self._speaker, reminder.key, facts=facts_of(reminder.facts)), reason="reminded"
        )
        # law: a reminder arrives once: what may have arrived waits for a person to settle
        say = tuple(replace(o, on_uncertain="hold") for o in outcome.messages)
        return replace(
            outcome,
            messages=say,
            state=None,
            events=(Event("reminded", data={"channel": turn.conversation.peer.channel}),),
        )
