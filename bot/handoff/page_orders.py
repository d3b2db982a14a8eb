"""What somebody asks for on a ticket's page: the same commands and words as in its topic, met by the
ticket as it then is.

The topic shows what was done, and by whom; where there is no operators' group, the page alone does.
"""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import compensation, notices
from bot.handoff.assist import assistant_requests
from bot.handoff.assist.sending import looked_at
from bot.handoff.customer_posts import shown_file
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.notes import note
from bot.handoff.operators.operator_message import MessageKind, OperatorMessage
from bot.handoff.operators.replies import say
from bot.handoff.operators.router import words_of_operator
from bot.handoff.playbooks import playbook_commands
from bot.handoff.tickets.settle import settled
from bot.model import Event, Inbound, InboundKind, Outcome, Peer, Result, Sender, Ticket, Turn
from bot.model.internal import PageOrder

PAGE = "page"  # the channel of whoever has no other address
ANSWER, NOTE = "answer", "note"
COMMANDS = frozenset(("take", "close", "return", "reopen", "transfer", "snooze", "playbook", "compensate"))
OF_ASSISTANT = frozenset(("draft", "shorten", "soften", "translate", "summary"))
DROP = "assistant_drop"  # of what the assistant brought: not needed
STEP, DECIDE = "step", "decide"  # of the playbook; on a compensation: its number and yes or no
ORDERED = "page_ordered"  # the event of each order, with how it ended


async def carry_out(desk: DeskContext, turn: Turn, order: PageOrder) -> Outcome:
    """The order, and an event that says whose it was and what came of it."""
    asked = turn.inbounds[0]
    ticket = await _ticket(desk, turn, order)
    if ticket is None:
        return _recorded(Outcome("desk", Result.IGNORED, "desk.no_such_ticket"), asked, order)
    theirs = _as_said_there(desk, turn, ticket, order)
    done = await _done(desk, theirs, ticket, order, asked)
    messages = tuple(m for m in done.messages if m.to.channel != PAGE)
    return _recorded(settled(desk, ticket, replace(done, messages=messages)), asked, order)


async def _done(desk: DeskContext, theirs: Turn, ticket: Ticket, order: PageOrder, asked: Inbound) -> Outcome:
    inbound = theirs.inbounds[0]
    if order.order == ANSWER and assistant_requests.is_sent(ticket, order):
        return say(desk, theirs, "desk.sent_already")
    if order.order == ANSWER:
        chosen = looked_at(desk, theirs, ticket, order.ready, order.shown) if order.ready else ticket
        done = words_of_operator(desk, theirs, chosen, OperatorMessage(MessageKind.WORDS))
        return done if done.reason != "operator" else _shown(desk, theirs, ticket, done, "desk.page_said")
    if order.order == NOTE:
        done = replace(note(desk, theirs, inbound, order.value), messages=())
        return _shown(desk, theirs, ticket, done, "desk.page_noted")
    if order.order == STEP:
        return playbook_commands.step(desk, theirs, ticket, order.value)
    if order.order == DECIDE:
        return compensation.decide_on_page(desk, theirs, ticket, order.value, asked.sender)
    if order.order == DROP:
        return await assistant_requests.drop(desk, theirs, ticket, order.value)
    command = desk.commands.named(order.order) if order.order in COMMANDS | OF_ASSISTANT else None
    if command is None:
        return say(desk, theirs, "desk.unknown_command", command=order.order)
    return await command.run(desk, theirs, order.value)


def _shown(desk: DeskContext, theirs: Turn, ticket: Ticket, done: Outcome, key: str) -> Outcome:
    """The topic has the words, too."""
    inbound = theirs.inbounds[0]
    told = notices.in_desk(desk, theirs.peer, ticket, key, by=inbound.sender.name, text=inbound.text)
    files = (shown_file(desk, theirs.peer, ticket, file) for file in inbound.attachments)
    return replace(done, messages=(*done.messages, told, *files))


async def _ticket(desk: DeskContext, turn: Turn, order: PageOrder) -> Ticket | None:
    """The ticket of this conversation that the order is about; of a forgotten customer there is none."""
    if turn.ticket is not None and turn.ticket.number == order.ticket:
        return turn.ticket
    found = await desk.ticket_reader.ticket(order.ticket)
    own = found is not None and found.conversation == turn.conversation.id
    return found if own and turn.customer is not None else None


def _as_said_there(desk: DeskContext, turn: Turn, ticket: Ticket, order: PageOrder) -> Turn:
    """The turn as if the words stood in the ticket's topic."""
    asked = turn.inbounds[0]
    there = desk.places.thread(ticket) or Peer(PAGE, "", f"ticket:{ticket.number}")
    channel, _, user = asked.sender.id.partition(":")
    sender = Sender(user if channel == there.channel else f"{channel}.{user}", asked.sender.name)
    said = Inbound(
        asked.key,
        there,
        sender,
        turn.now,
        InboundKind.MESSAGE,
        order.value,
        spans=asked.spans,
        attachments=asked.attachments,
        private=False,
        data={"page": True},
    )
    return replace(turn, inbounds=(said,), presses=(), quoted=(), ticket=ticket, subject=turn.conversation)


def _recorded(outcome: Outcome, asked: Inbound, order: PageOrder) -> Outcome:
    data = {"order": order.order, "result": outcome.reason, "key": asked.key}
    event = Event(ORDERED, ticket=order.ticket, actor=asked.sender.id, data=data)
    return replace(outcome, events=(*outcome.events, event))
