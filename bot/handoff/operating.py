"""What operators write in the desk: words for the customer, notes for one another, commands; each in its place."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import replace

from bot.handoff import overview
from bot.handoff.acts import BUTTONS, GENERAL, ON_TICKETS, is_closed
from bot.handoff.answering import answered, shows_otherwise
from bot.handoff.gate import refusal, refuse
from bot.handoff.marks import marked, words
from bot.handoff.naming import message_name
from bot.handoff.noting import NOTE, WHISPER, note, whisper
from bot.handoff.offering import ask_first, of_preview
from bot.handoff.outreach import COMMANDS as ORDERS
from bot.handoff.room import DeskRoom
from bot.handoff.saying import notice, place, say, who
from bot.model import Event, Inbound, InboundKind, Later, Outbound, Outcome, Receipt, Result, RichText, Sender, Ticket, Turn, Verb

CALL = re.compile(r"@\w{3,32}\b")
COMMAND = re.compile(r"/(\w+)(?:@\w+)?(?:\s+(.*))?$", re.S)
COMMANDS = (*ON_TICKETS, *(name for name in GENERAL if name != "start"), "overview", *ORDERS)
ONLY_HERE = frozenset(  # what nobody means for another bot, or for the customers' dialogs
    {"take", "close", "reopen", "transfer", "snooze", "promise", "assign", "priority", "queue", "away", "undo", "contact", "overview", "whisper", *ORDERS}
)


async def decide(desk: DeskRoom, turn: Turn) -> Outcome:
    """What an inbound of the desk's group does. Anything out of place is refused with one clear line."""
    inbound = turn.said[0]
    name, rest = command_of(inbound)
    if (refused := await refusal(desk, turn, name)) is not None:
        return refused
    if (ordered := await desk.orders(turn, name, rest)) is not None:
        return ordered
    if overview.is_for_overview(turn, name, rest):
        return await overview.decide(desk, turn, name, rest)
    if inbound.kind is InboundKind.PRESS:
        return await _pressed(desk, turn)
    if inbound.kind is InboundKind.TOPIC_CLOSED and turn.ticket and turn.ticket.status != "closed":
        return desk.close(turn, turn.ticket, by=who(inbound))
    if inbound.kind is InboundKind.EDIT:
        return _edited(desk, turn, inbound)
    if inbound.kind is InboundKind.MEMBER:
        return await _member(desk, turn, inbound)
    if inbound.kind is not InboundKind.MESSAGE:
        return Outcome("desk", Result.IGNORED, str(inbound.kind))
    if name:
        return await _commanded(desk, turn, name, rest)
    if turn.ticket is None and inbound.data.get("quotes_us") and not any(turn.quoted):
        return say(desk, turn, "desk.which_ticket")  # a copy of a card that a broken connection left behind: nobody may write into the void
    if turn.ticket is None:
        return Outcome("desk", Result.IGNORED, "talk_among_operators")
    if inbound.text.startswith(WHISPER):
        return whisper(desk, turn, turn.ticket, inbound.text.removeprefix(WHISPER).strip())
    if CALL.match(inbound.text):  # law: whoever is called by name, known here or not, what is said to him is not for the customer
        return note(desk, turn, inbound, inbound.text)
    if inbound.text.startswith(NOTE):
        return note(desk, turn, inbound, inbound.text.removeprefix(NOTE).strip())
    return words_of_operator(desk, turn, turn.ticket)


def elsewhere(desk: DeskRoom, turn: Turn) -> Outcome:
    """A group that is no desk: operators' commands and buttons are refused there, everything else is not ours."""
    name, _ = command_of(turn.said[0])
    if turn.said[0].kind is InboundKind.PRESS:
        return refuse(desk, turn, "desk.old_button")
    if name in ONLY_HERE:
        return refuse(desk, turn, "desk.not_the_desk", name)
    if turn.ticket is not None and turn.said[0].kind is InboundKind.MESSAGE:  # it was the desk once: who writes there would wait in vain
        return refuse(desk, turn, "desk.desk_moved", "words", number=turn.ticket.number)
    return Outcome("desk", Result.IGNORED, "not_the_desk")


def command_of(inbound: Inbound) -> tuple[str, str]:
    """The command of a message and what follows it; "" where it is none."""
    found = COMMAND.match(inbound.text) if inbound.kind is InboundKind.MESSAGE and not inbound.text.startswith(NOTE) else None
    return ("", "") if found is None else (found[1].lower(), (found[2] or "").strip())


async def _commanded(desk: DeskRoom, turn: Turn, name: str, rest: str) -> Outcome:
    if (general := GENERAL.get(name)) is not None:
        return await _ready(general(desk, turn, rest))
    act = ON_TICKETS.get(name)
    if turn.ticket is None:
        return say(desk, turn, "desk.which_ticket") if act else Outcome("desk", Result.IGNORED, "talk_among_operators")
    return await _ready(act(desk, turn, turn.ticket, rest)) if act else say(desk, turn, "desk.unknown_command", command=name)


async def _pressed(desk: DeskRoom, turn: Turn) -> Outcome:
    press = turn.press
    if press is None or turn.ticket is None or (act := BUTTONS.get(press.action)) is None:
        return notice(desk, turn, "desk.old_button")
    return await _ready(act(desk, turn, turn.ticket, ""))


async def _ready(outcome: Outcome | Awaitable[Outcome]) -> Outcome:
    return outcome if isinstance(outcome, Outcome) else await outcome


def words_of_operator(desk: DeskRoom, turn: Turn, ticket: Ticket) -> Outcome:
    """Words for the customer; the first ones take a ticket that nobody has."""
    inbound = turn.said[0]
    if ticket.status == "closed":
        return is_closed(desk, turn, ticket)
    if (asked := ask_first(desk, turn, ticket, inbound)) is not None:
        return asked
    ready = of_preview(ticket, inbound.text, turn.now, who(inbound))
    changed, status, events = answered(marked(ticket, preview=None), turn)
    carried = []
    for each, quoted in zip(turn.said, turn.quoted or (None,) * len(turn.said), strict=False):
        carried.append(
            Outbound(
                ticket.customer_peer,
                each.rich,
                attachments=each.attachments,
                name=message_name(each),
                mirrors=each.message,
                quotes=quoted.mirrors if quoted else "",
                ticket=ticket.number,
                author="operator",
                author_name=inbound.sender.name,
                receipt=Receipt(place(turn), each.message),
                on_doubt=desk.rules.on_doubt,
            )
        )
    cards = desk.card_edit(changed) if shows_otherwise(ticket, changed) else ()
    return Outcome("desk", Result.CARRIED, "operator", (*_album(carried), *cards), status=status, ticket=changed, events=(*events, *ready))


def _album(carried: list[Outbound]) -> list[Outbound]:
    """The parts of an album travel as one message again."""
    if len(carried) < 2 or not all(o.attachments for o in carried):
        return carried
    text = next((o.text for o in carried if o.text), RichText())
    return [replace(carried[0], text=text, attachments=tuple(a for o in carried for a in o.attachments))]


def _edited(desk: DeskRoom, turn: Turn, inbound: Inbound) -> Outcome:
    """A changed message is changed at the customer's; notes and commands are not his business. What was held back goes as it is now."""
    ticket = turn.ticket
    inside = inbound.text.startswith("/") or CALL.match(inbound.text) is not None or desk.crew.called(inbound.text) is not None
    if ticket is None or inside or ticket.status == "closed":
        return Outcome("desk", Result.IGNORED, "edit_inside")
    if inbound.message and words(ticket, "held") == inbound.message:
        return words_of_operator(desk, replace(turn, said=(replace(inbound, kind=InboundKind.MESSAGE),)), marked(ticket, held=None))
    edit = Outbound(
        ticket.customer_peer,
        inbound.rich,
        verb=Verb.EDIT,
        edits=message_name(inbound),
        ticket=ticket.number,
        author="operator",
        author_name=inbound.sender.name,
        attachments=inbound.attachments,
        receipt=Receipt(place(turn), inbound.message),
    )
    return Outcome("desk", Result.CARRIED, "edit", (edit,))


async def _member(desk: DeskRoom, turn: Turn, inbound: Inbound) -> Outcome:
    """Who leaves the group leaves his tickets to the others."""
    id = f"{inbound.peer.channel}:{inbound.data.get('user', '')}"
    if inbound.data.get("status") in ("administrator", "member"):
        return await _came(desk, inbound, id)
    if inbound.data.get("status") not in ("left", "kicked", "none") or not any(m.id == id for m in desk.crew.members()):
        return Outcome("desk", Result.IGNORED, "membership")
    his = [t for t in await desk.records.tickets(limit=1000) if t.operator == id]
    later = tuple(Later(f"gone:{t.number}", "desk.stranded", turn.now, {"why": "operator_gone"}, conversation=t.conversation) for t in his)
    return Outcome("desk", Result.IGNORED, "operator_left", events=(Event("operator_left", actor=id),), later=later)


async def _came(desk: DeskRoom, inbound: Inbound, id: str) -> Outcome:
    """Who comes into the group can be named from then on, also before a first word."""
    user = str(inbound.data.get("user", ""))
    name, last_name, username = (str(inbound.data.get(key) or "") for key in ("name", "last_name", "username"))
    sender = Sender(user, name, last_name, username) if "name" in inbound.data else await desk.profile(inbound.peer, user) or Sender(user)
    return Outcome("desk", Result.IGNORED, "operator_joined", events=desk.crew.joined(id, sender, inbound.peer.chat))
