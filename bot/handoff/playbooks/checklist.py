"""The playbook of a ticket as operators see it: chosen by itself, shown on the card, counted at the end."""

from __future__ import annotations

from bot.handoff.desk_context import DeskContext
from bot.handoff.playbooks.playbook import Playbook, PlaybookStep, customer_words
from bot.handoff.tickets import lifecycle
from bot.model import Button, Event, RichText, Rows, Ticket
from bot.text.graphemes import border

ON_CARD = 2  # steps offered on the card: with its own buttons and one hint ten, as many as VK puts there
LABEL = 40  # characters of a step on a button


def chosen(desk: DeskContext, ticket: Ticket) -> Ticket:
    """The ticket with the playbook that fits it; one that an operator chose, or has begun, stays."""
    state = ticket.state
    if ticket.status == "closed" or state.playbook_by or state.steps_done or not desk.rules.playbooks.known:
        return ticket
    nameless = desk.texts.text("desk.nameless", lang=desk.lang)
    found = desk.rules.playbooks.fitting(ticket, customer_words(state, nameless))
    if found is None or found.name == state.playbook:
        return ticket
    return lifecycle.playbook_chosen(ticket, found.name)


def shown(desk: DeskContext, ticket: Ticket, *, whole: bool = False) -> RichText:
    """How far it is, and the next steps (the *whole* list with who did what); nothing where there is none."""
    playbook = desk.rules.playbooks.of(ticket)
    if playbook is None:
        return RichText()
    steps = playbook.steps if whole else playbook.open_steps(ticket.state)[:ON_CARD]
    return desk.texts.say(
        "playbook.whole" if whole else "playbook.on_card",
        lang=desk.lang,
        title=playbook.title,
        done=len(playbook.done(ticket.state)),
        all=len(playbook.steps),
        steps=[_line(ticket, s) for s in steps],
    )


def buttons(desk: DeskContext, ticket: Ticket) -> Rows:
    """The next steps, each a tap away."""
    playbook = desk.rules.playbooks.of(ticket)
    if playbook is None or ticket.status == "closed":
        return ()
    return tuple((step_button(s, "playbook_step"),) for s in playbook.open_steps(ticket.state)[:ON_CARD])


def step_button(step: PlaybookStep, action: str, *, done: bool = False) -> Button:
    return Button(f"{'☑' if done else '☐'} {step.text[: border(step.text, LABEL)]}", action, step.key)


def required(playbook: Playbook, ticket: Ticket) -> tuple[PlaybookStep, ...]:
    """The steps that are open and should not be."""
    return tuple(s for s in playbook.open_steps(ticket.state) if s.required)


def ended(desk: DeskContext, ticket: Ticket) -> tuple[Event, ...]:
    """What a closed ticket tells of its playbook, for the report."""
    playbook = desk.rules.playbooks.of(ticket)
    if playbook is None:
        return ()
    data = {
        "playbook": playbook.name,
        "title": playbook.title,
        "steps": len(playbook.steps),
        "done": len(playbook.done(ticket.state)),
        "required_open": len(required(playbook, ticket)),
    }
    return (Event("playbook_ended", ticket=ticket.number, actor=ticket.operator, data=data),)


def _line(ticket: Ticket, step: PlaybookStep) -> dict[str, object]:
    done = next((d for d in ticket.state.steps_done if d.step == step.key), None)
    return {
        "text": step.text,
        "required": step.required,
        "done": done is not None,
        "by": done.name if done else "",
        "at": done.at if done else None,
    }
