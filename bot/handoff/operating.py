"""What operators do with a ticket: take, answer, note, close, give back; in words, by commands and by buttons."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from bot.handoff.naming import message_name
from bot.model import Button, Event, Inbound, InboundKind, Lane, Line, Outbound, Outcome, Peer, Receipt, Result, RichText, Rows, Status, Ticket, Turn, Verb
from bot.wording import Wording

COMMAND = re.compile(r"/(\w+)(?:@\w+)?(?:\s+(.*))?$", re.S)
NOTE = "//"


class Promise(Protocol):
    """A delivery, as far as the desk looks at it."""

    @property
    def outbound(self) -> Outbound: ...


class DeskRoom(Protocol):
    """What operating needs of the desk (desk.py)."""

    words: Wording
    lang: str

    def card_edit(self, ticket: Ticket) -> tuple[Outbound, ...]: ...
    def notice(self, to: Peer, ticket: Ticket | None, key: str, **facts: object) -> Outbound: ...
    def customer_lang(self, turn: Turn) -> str: ...
    def close(self, turn: Turn, ticket: Ticket, *, by: str, told: bool = True) -> Outcome: ...
    def thread(self, ticket: Ticket) -> Peer | None: ...


def decide(desk: DeskRoom, turn: Turn) -> Outcome:
    """What an inbound of the desk's group does. Anything out of place is refused with one clear line."""
    inbound = turn.said[0]
    if inbound.kind is InboundKind.PRESS:
        return _pressed(desk, turn, inbound)
    if inbound.kind is InboundKind.TOPIC_CLOSED and turn.ticket and turn.ticket.status != "closed":
        return desk.close(turn, turn.ticket, by=_who(inbound))
    if inbound.kind is InboundKind.EDIT:
        return _edited(turn, inbound)
    if inbound.kind is not InboundKind.MESSAGE:
        return Outcome("desk", Result.IGNORED, str(inbound.kind))
    command = COMMAND.match(inbound.text) if not inbound.text.startswith(NOTE) else None
    if turn.ticket is None:
        if command and command[1].lower() in ("help", "start"):
            return _say(desk, turn, "desk.help")
        if command and command[1].lower() in _COMMANDS:
            return _say(desk, turn, "desk.which_ticket")
        return Outcome("desk", Result.IGNORED, "talk_among_operators")
    if inbound.text.startswith(NOTE):
        return _note(desk, turn, inbound, inbound.text.removeprefix(NOTE).strip())
    if command:
        act = _COMMANDS.get(command[1].lower())
        return act(desk, turn, turn.ticket, (command[2] or "").strip()) if act else _say(desk, turn, "desk.unknown_command", command=command[1])
    return _words(desk, turn, turn.ticket)


# --- words


def _words(desk: DeskRoom, turn: Turn, ticket: Ticket) -> Outcome:
    inbound = turn.said[0]
    if ticket.status == "closed":
        reopen = Button(desk.words.text("desk.button.reopen", lang=desk.lang), "reopen", str(ticket.number))
        return _say(desk, turn, "desk.is_closed", buttons=((reopen,),))
    if inbound.sender.anonymous:
        return _say(desk, turn, "desk.anonymous")
    events: list[Event] = []
    say: list[Outbound] = []
    status = None
    changed = ticket
    if not ticket.operator:
        changed, status = _taken(turn, ticket), Status.OPERATOR
        events.append(Event("ticket_taken", ticket=ticket.number, actor=_who(inbound), data={"how": "words"}))
        say += desk.card_edit(changed)
    if changed.first_reply is None:
        changed = replace(changed, first_reply=turn.now)
        events.append(Event("first_reply", ticket=ticket.number, actor=_who(inbound)))
    events.append(Event("operator_wrote", ticket=ticket.number, actor=_who(inbound)))
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
                receipt=Receipt(_place(turn), each.message),
            )
        )
    carried = _album(carried)
    return Outcome("desk", Result.CARRIED, "operator", (*carried, *say), status=status, ticket=changed if changed != ticket else None, events=tuple(events))


def _album(carried: list[Outbound]) -> list[Outbound]:
    """The parts of an album travel as one message again."""
    if len(carried) < 2 or not all(o.attachments for o in carried):
        return carried
    text = next((o.text for o in carried if o.text), RichText())
    return [replace(carried[0], text=text, attachments=tuple(a for o in carried for a in o.attachments))]


def _edited(turn: Turn, inbound: Inbound) -> Outcome:
    """A changed message is changed at the customer's; notes and commands are not his business."""
    ticket = turn.ticket
    if ticket is None or inbound.text.startswith("/") or ticket.status == "closed":
        return Outcome("desk", Result.IGNORED, "edit_inside")
    edit = Outbound(
        ticket.customer_peer,
        inbound.rich,
        verb=Verb.EDIT,
        edits=message_name(inbound),
        ticket=ticket.number,
        author="operator",
        author_name=inbound.sender.name,
        attachments=inbound.attachments,
        receipt=Receipt(_place(turn), inbound.message),
    )
    return Outcome("desk", Result.CARRIED, "edit", (edit,))


def _note(desk: DeskRoom, turn: Turn, inbound: Inbound, text: str) -> Outcome:
    note = (Line(inbound.at, "note", text, inbound.sender.name, inbound.attachments),)
    mark = Outbound(_place(turn), RichText(desk.words.text("desk.receipt.note", lang=desk.lang)), verb=Verb.REACT, quotes=inbound.message, lane=Lane.VIEW, author="")
    return Outcome("desk", Result.ANSWERED, "note", (mark,), notes=note)


# --- commands and buttons


def _pressed(desk: DeskRoom, turn: Turn, inbound: Inbound) -> Outcome:
    press = turn.press
    if press is None or turn.ticket is None:
        return _notice(desk, turn, "desk.old_button")
    act = _BUTTONS.get(press.action)
    if act is None:
        return _notice(desk, turn, "desk.old_button")
    return act(desk, turn, turn.ticket, "")


def _take(desk: DeskRoom, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    inbound = turn.said[0]
    if inbound.sender.anonymous:
        return _notice(desk, turn, "desk.anonymous")
    if ticket.status == "closed":
        return _notice(desk, turn, "desk.closed_already")
    if ticket.operator:
        return _notice(desk, turn, "desk.yours_already" if ticket.operator == _who(inbound) else "desk.taken_by", operator=ticket.operator_name)
    taken = _taken(turn, ticket)
    told = desk.words.say("handoff.taken", lang=desk.customer_lang(turn), customer=turn.customer, operator=inbound.sender.name)
    say = (
        Outbound(ticket.customer_peer, told, ticket=ticket.number),
        *desk.card_edit(taken),
        *_done(desk, turn, "desk.you_took_it", operator=inbound.sender.name).say,
    )
    event = Event("ticket_taken", ticket=ticket.number, actor=_who(inbound), data={"how": "button" if inbound.kind is InboundKind.PRESS else "command"})
    return Outcome("desk", Result.ANSWERED, "taken", say, status=Status.OPERATOR, ticket=taken, events=(event,))


def _close(desk: DeskRoom, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    if ticket.status == "closed":
        return _notice(desk, turn, "desk.closed_already")
    closed = desk.close(turn, ticket, by=_who(turn.said[0]))
    return replace(closed, say=(*closed.say, *_done(desk, turn, "desk.you_closed_it").say))


def _return(desk: DeskRoom, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    if ticket.status == "closed":
        return _notice(desk, turn, "desk.closed_already")
    closed = desk.close(turn, ticket, by=_who(turn.said[0]), told=False)
    told = Outbound(ticket.customer_peer, desk.words.say("handoff.returned", lang=desk.customer_lang(turn)), ticket=ticket.number)
    event = Event("ticket_returned", ticket=ticket.number, actor=_who(turn.said[0]))
    return replace(closed, reason="returned", say=(told, *closed.say, *_done(desk, turn, "desk.you_returned_it").say), events=(*closed.events, event))


def _reopen(desk: DeskRoom, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    if ticket.status != "closed":
        return _notice(desk, turn, "desk.open_already")
    if turn.subject is not None and turn.subject.ticket not in (None, ticket.number):
        return _notice(desk, turn, "desk.has_newer", number=turn.subject.ticket)
    inbound = turn.said[0]
    opened = replace(ticket, status="operator", operator=_who(inbound), operator_name=inbound.sender.name, closed=None)
    place = desk.thread(ticket)
    topic = (Outbound(place, verb=Verb.REOPEN_TOPIC, ticket=ticket.number, author=""),) if place else ()
    say = (*topic, *desk.card_edit(opened), *_done(desk, turn, "desk.you_reopened_it").say)
    event = Event("ticket_reopened", ticket=ticket.number, actor=_who(inbound))
    return Outcome("desk", Result.ANSWERED, "reopened", say, status=Status.OPERATOR, ticket=opened, events=(event,))


def _show_contact(desk: DeskRoom, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The unmasked contact, to the one who pressed; who saw it is kept."""
    known = ticket.data.get("contacts")
    shown = ", ".join(str(v) for k, v in known.items() if k in ("phone", "email")) if isinstance(known, dict) else ""
    event = Event("contact_shown", ticket=ticket.number, actor=_who(turn.said[0]))
    return replace(_notice(desk, turn, "desk.contact", contact=shown or "—"), events=(event,))


def _note_command(desk: DeskRoom, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    return _note(desk, turn, turn.said[0], rest)


def _help(desk: DeskRoom, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    return _say(desk, turn, "desk.help")


_Act = Callable[[DeskRoom, Turn, Ticket, str], Outcome]
_BUTTONS: dict[str, _Act] = {"take": _take, "close": _close, "return_to_bot": _return, "reopen": _reopen, "show_contact": _show_contact}
_COMMANDS: dict[str, _Act] = {
    "take": _take,
    "close": _close,
    "return": _return,
    "reopen": _reopen,
    "contact": _show_contact,
    "note": _note_command,
    "help": _help,
}
COMMANDS = tuple(_COMMANDS)


# --- small words


def _taken(turn: Turn, ticket: Ticket) -> Ticket:
    inbound = turn.said[0]
    return replace(ticket, status="operator", operator=_who(inbound), operator_name=inbound.sender.name, taken=turn.now)


def _who(inbound: Inbound) -> str:
    return f"{inbound.peer.channel}:{inbound.sender.id}"


def _place(turn: Turn) -> Peer:
    """Where the answer to an operator goes: the ticket's thread if it was said there, else the chat itself."""
    return turn.said[0].peer


def _notice(desk: DeskRoom, turn: Turn, key: str, **facts: object) -> Outcome:
    """A short answer: beside the pressed button, or as a message after a command."""
    inbound = turn.said[0]
    if inbound.callback:
        say = Outbound(inbound.peer, desk.words.say(key, lang=desk.lang, **facts), verb=Verb.ACKNOWLEDGE, quotes=inbound.callback, author="")
        return Outcome("desk", Result.ANSWERED, key, (say,))
    return _say(desk, turn, key, **facts)


def _done(desk: DeskRoom, turn: Turn, key: str, **facts: object) -> Outcome:
    """It worked: words beside the button, a mark on the command (a message would cost the group's budget)."""
    inbound = turn.said[0]
    if inbound.callback or not inbound.message:
        return _notice(desk, turn, key, **facts)
    mark = Outbound(_place(turn), RichText(desk.words.text("desk.receipt.delivered", lang=desk.lang)), verb=Verb.REACT, quotes=inbound.message, lane=Lane.VIEW, author="")
    return Outcome("desk", Result.ANSWERED, key, (mark,))


def _say(desk: DeskRoom, turn: Turn, key: str, *, buttons: Rows = (), **facts: object) -> Outcome:
    inbound = turn.said[0]
    say = replace(desk.notice(_place(turn), turn.ticket, key, **facts), buttons=buttons, quotes=inbound.message if not inbound.peer.thread else "")
    return Outcome("desk", Result.ANSWERED, key, (say,))
