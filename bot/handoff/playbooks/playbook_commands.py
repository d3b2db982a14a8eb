"""What operators do with a playbook: tick a step, see the whole list, take another one."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff import card_posts, compensation
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.playbooks import checklist
from bot.handoff.playbooks.playbook import NONE, Playbook
from bot.handoff.tickets import lifecycle
from bot.model import (
    Button,
    DoneStep,
    Event,
    InboundKind,
    Outbound,
    OutboundKind,
    Outcome,
    Priority,
    Result,
    Rows,
    Ticket,
    Turn,
)

MOST = 10  # buttons of one post: VK puts no more under it


def playbook(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/playbook: the whole list with its buttons; /playbook NAME: another one."""
    if rest:
        found = desk.rules.playbooks.named(rest)
        if found is None and rest.strip() != NONE:
            return say(desk, turn, "playbook.unknown", names=_titles(desk))
        return _changed(desk, turn, ticket, found)
    return say(
        desk,
        turn,
        "playbook.list",
        _list_buttons(desk, ticket),
        f"playbook:{ticket.number}",
        shown=checklist.shown(desk, ticket, whole=True).text,
        names=_titles(desk),
    )


def step(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """A step is done, by a button of the card or of the list, or on the page; pressed again in the list, it
    is open again.
    """
    key, in_list = (turn.press.value, turn.press.action == "playbook_tick") if turn.press else (rest, False)
    own = desk.rules.playbooks.of(ticket)
    found = own.step(key) if own is not None else None
    if found is None:
        return notice(desk, turn, "playbook.no_step")
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    is_done = any(d.step == key for d in ticket.state.steps_done)
    if is_done and not in_list:
        return notice(desk, turn, "playbook.done_already")
    if found.amount is not None and not is_done:
        return compensation.ask(desk, turn, ticket, compensation.Wish(found.amount, found.text, key))
    by, name = turn.actor, turn.inbounds[0].sender.name
    changed = (
        lifecycle.step_undone(ticket, key)
        if is_done
        else lifecycle.step_done(ticket, DoneStep(key, by, name, turn.now))
    )
    event = Event(
        "playbook_step",
        ticket=ticket.number,
        actor=by,
        data={"playbook": ticket.state.playbook, "step": key, "done": not is_done},
    )
    messages = (
        *card_posts.edited(desk, changed),
        *(_list_edited(desk, turn, changed) if in_list else ()),
        *done(desk, turn, "playbook.undone" if is_done else "playbook.ticked").messages,
    )
    return Outcome("desk", Result.ANSWERED, "playbook_step", messages, ticket=changed, events=(event,))


def choose(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """Another playbook, by a button below the list."""
    name = turn.press.value if turn.press else ""
    return _changed(desk, turn, ticket, desk.rules.playbooks.known.get(name))


def unfinished(desk: DeskContext, turn: Turn, ticket: Ticket) -> Outcome | None:
    """At closing: required steps are open, said once; None = nothing is to be said."""
    own = desk.rules.playbooks.of(ticket)
    left = checklist.required(own, ticket) if own is not None else ()
    if not left or ticket.state.steps_asked or own is None:
        return None
    close = Button(desk.texts.text("playbook.close_anyway", lang=desk.lang), "close", str(ticket.number))
    asked = say(
        desk,
        turn,
        "desk.steps_open",
        ((close,),),
        title=own.title,
        steps=[s.text for s in left],
    )
    if turn.inbounds[0].kind is InboundKind.PRESS:
        asked = replace(asked, messages=(*notice(desk, turn, "playbook.look").messages, *asked.messages))
    return replace(asked, ticket=lifecycle.steps_asked(ticket))


def _changed(desk: DeskContext, turn: Turn, ticket: Ticket, to: Playbook | None) -> Outcome:
    changed = lifecycle.playbook_chosen(ticket, to.name if to else NONE, turn.actor)
    event = Event(
        "playbook_chosen", ticket=ticket.number, actor=turn.actor, data={"playbook": changed.state.playbook}
    )
    messages = (
        *card_posts.edited(desk, changed),
        *(_list_edited(desk, turn, changed) if turn.press else ()),
        *done(desk, turn, "playbook.changed").messages,
    )
    return Outcome("desk", Result.ANSWERED, "playbook_chosen", messages, ticket=changed, events=(event,))


def _list_edited(desk: DeskContext, turn: Turn, ticket: Ticket) -> tuple[Outbound, ...]:
    """The list as it now is, where it stands."""
    shown = checklist.shown(desk, ticket, whole=True).text
    post = Outbound(
        turn.peer,
        desk.texts.say("playbook.list", lang=desk.lang, shown=shown, names=_titles(desk)),
        buttons=_list_buttons(desk, ticket),
        kind=OutboundKind.EDIT,
        edits=f"playbook:{ticket.number}",
        priority=Priority.COSMETIC,
        ticket=ticket.number,
        author="",
    )
    return (post,)


def _list_buttons(desk: DeskContext, ticket: Ticket) -> Rows:
    own = desk.rules.playbooks.of(ticket)
    finished = own.done(ticket.state) if own else frozenset()
    steps = [
        checklist.step_button(s, "playbook_tick", done=s.key in finished) for s in (own.steps if own else ())
    ]
    others = [
        Button(p.title, "playbook_choose", p.name)
        for p in desk.rules.playbooks.known.values()
        if own is None or p.name != own.name
    ]
    none = [Button(desk.texts.text("playbook.none", lang=desk.lang), "playbook_choose", NONE)] if own else []
    below = [*others, *none][: max(2, MOST - len(steps))]
    rows = tuple((b,) for b in steps[: MOST - len(below)])
    return (*rows, *(tuple(below[i : i + 2]) for i in range(0, len(below), 2)))


def _titles(desk: DeskContext) -> list[str]:
    return [p.title for p in desk.rules.playbooks.known.values()]
