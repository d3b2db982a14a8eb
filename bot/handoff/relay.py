"""While a person is at it the bot only carries words: the customer's to the desk, and keeps silent itself."""

from __future__ import annotations

from datetime import timedelta

from bot.handoff.card import heading
from bot.handoff.desk import Desk
from bot.handoff.naming import message_name
from bot.model import Event, Inbound, InboundKind, Later, Line, Outbound, Outcome, Peer, Result, Status, Ticket, Turn

STEP_BACK = timedelta(minutes=30)  # silence after a person wrote by hand, before the bot answers again
ACK_PAUSE = timedelta(minutes=3)  # a waiting customer is told no more often that the words were added


class Relay:
    """Always first among the dialogs. None = no person is at it, and none was asked for."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._words = desk, desk.words

    async def __call__(self, turn: Turn) -> Outcome | None:
        first = turn.said[0]
        if first.kind is InboundKind.STEPPED_IN:
            return self._stepped_in(turn, first)
        if first.kind is InboundKind.TIMER and first.text == "relay.resume":
            return self._resume(turn)
        if first.kind is InboundKind.BLOCKED:
            return self._blocked(turn)
        if first.kind is InboundKind.TIMER or turn.conversation.status is Status.BOT:
            return self._late_press(turn)
        if turn.ticket is None or turn.ticket.status == "closed":
            return Outcome("relay", Result.IGNORED, "person_at_it", later=(self._step_back(turn),))
        if first.kind is InboundKind.PRESS and turn.press and turn.press.action == "cancel_ticket":
            return self._desk.close(turn, turn.ticket, by="customer")
        if first.kind is InboundKind.START or (turn.press and turn.press.action == "ticket_status") or turn.text.strip().lower() == "/status":
            say = Outbound(first.peer, self._desk.standing(turn, turn.ticket), ticket=turn.ticket.number, author="bot")
            return Outcome("relay", Result.ANSWERED, "status", (say,))
        return self._carry(turn, turn.ticket)

    def _carry(self, turn: Turn, ticket: Ticket) -> Outcome:
        to = self._desk.thread(ticket)
        say: list[Outbound] = []
        if to is not None:
            say += [o for i, q in zip(turn.said, turn.quoted or (None,) * len(turn.said), strict=False) for o in self._carried(turn, ticket, to, i, q)]
        if turn.conversation.status is Status.WAITING and not self._spoke_lately(turn):
            say.append(Outbound(turn.said[-1].peer, self._desk.standing(turn, ticket, key="handoff.added"), ticket=ticket.number, author="bot"))
        events = (Event("customer_wrote", ticket=ticket.number, data={"messages": len(turn.said)}),)
        return Outcome("relay", Result.CARRIED, "carried" if to else "kept_for_desk", tuple(say), events=events)

    def _carried(self, turn: Turn, ticket: Ticket, to: Peer, inbound: Inbound, quoted: object) -> list[Outbound]:
        lang, text = self._desk.lang, inbound.rich
        if inbound.kind is InboundKind.EDIT:
            text = self._words.say("desk.edited", lang=lang) + text
        elif inbound.kind is InboundKind.PRESS:
            label = turn.press.label if turn.press else ""
            text = self._words.say("desk.pressed", lang=lang, label=label)
        elif inbound.kind is not InboundKind.MESSAGE:
            return []
        return [
            Outbound(
                to,
                text,
                attachments=inbound.attachments,
                heading=heading(ticket, self._words, lang),
                name=message_name(inbound),
                mirrors=inbound.message,
                quotes=getattr(quoted, "mirrors", "") or "",
                ticket=ticket.number,
                author="",
            )
        ]

    def _spoke_lately(self, turn: Turn) -> bool:
        last = next((line for line in reversed(turn.history) if line.author in ("bot", "operator", "system")), None)
        return last is not None and turn.now - last.at < ACK_PAUSE

    def _late_press(self, turn: Turn) -> Outcome | None:
        """Buttons of a ticket that is over do nothing, politely."""
        if turn.press and turn.press.action in ("cancel_ticket", "ticket_status"):
            say = Outbound(turn.said[0].peer, self._words.say("handoff.over", lang=self._desk.customer_lang(turn)), author="bot")
            return Outcome("relay", Result.ANSWERED, "ticket_over", (say,))
        return None

    def _blocked(self, turn: Turn) -> Outcome:
        say: tuple[Outbound, ...] = ()
        if turn.ticket and turn.ticket.status != "closed" and (to := self._desk.thread(turn.ticket)):
            say = (self._desk.notice(to, turn.ticket, "desk.customer_blocked"),)
        return Outcome("relay", Result.IGNORED, "blocked", say, events=(Event("customer_blocked"),))

    def _stepped_in(self, turn: Turn, inbound: Inbound) -> Outcome:
        """A colleague answered in the community's own inbox: the bot steps back, the desk hears of it."""
        note = (Line(inbound.at, "operator", inbound.text, inbound.sender.name, inbound.attachments),)
        say: tuple[Outbound, ...] = ()
        if turn.ticket and turn.ticket.status != "closed" and (to := self._desk.thread(turn.ticket)):
            told = self._words.say("desk.stepped_in", lang=self._desk.lang, name=inbound.sender.name) + inbound.rich
            say = (Outbound(to, told, attachments=inbound.attachments, heading=heading(turn.ticket, self._words, self._desk.lang), ticket=turn.ticket.number, author=""),)
        later = () if turn.ticket and turn.ticket.status != "closed" else (self._step_back(turn),)
        return Outcome("relay", Result.CARRIED, "stepped_in", say, status=Status.OPERATOR, later=later, notes=note, events=(Event("stepped_in"),))

    def _step_back(self, turn: Turn) -> Later:
        return Later(f"resume:{turn.conversation.id}", "relay.resume", turn.now + STEP_BACK)

    def _resume(self, turn: Turn) -> Outcome:
        if turn.conversation.status is Status.OPERATOR and (turn.ticket is None or turn.ticket.status == "closed"):
            return Outcome("relay", Result.IGNORED, "resumed", status=Status.BOT, state={})
        return Outcome("relay", Result.IGNORED, "timer_over")
