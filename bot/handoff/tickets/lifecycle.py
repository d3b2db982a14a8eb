"""The transitions of a ticket: each takes one as it is and returns it whole, as it becomes.

law: nobody else writes a ticket's status or its state, so that no transition forgets half of what it means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from bot.model import (
    AnswerPreview,
    AssistantRequest,
    AssistantStatus,
    Compensation,
    Contacts,
    DialogScore,
    DoneStep,
    HeldMessage,
    LastAnswer,
    Peer,
    SentAlbum,
    Ticket,
)
from bot.model.internal import AssistantReplied
from bot.text.customer_fields import CONTACTS, shown

REPLIES = ("first_reply", "next_reply")  # deadlines that end with an operator's words
LONGEST_PREVIEW = 1000  # characters that are remembered of what was shown
MOST_HELD, MOST_ALBUMS, MOST_TAPPED = 20, 5, 20
MOST_COMPENSATIONS = 20
MOST_REQUESTS, USED = 10, ("sent", "edited")  # to the assistant; what became of those that were used


# --- whose it is


def taken(ticket: Ticket, operator: str, name: str, now: datetime) -> Ticket:
    """An operator took it."""
    state = replace(ticket.state, queued=None, reminders=0, assigned=None, snoozed_until=None)
    return replace(ticket, status="operator", operator=operator, operator_name=name, taken=now, state=state)


def assigned(ticket: Ticket, operator: str, name: str, now: datetime) -> Ticket:
    """It was given to an operator, who did not ask for it."""
    state = replace(
        ticket.state,
        assigned=now,
        queued=None,
        reminders=0,
        snoozed_until=None,
        quiet_asked=None,
        previous_operator="",
    )
    return replace(ticket, status="operator", operator=operator, operator_name=name, state=state)


def queued(ticket: Ticket, now: datetime) -> Ticket:
    """In the queue again: nobody's, and waiting since now."""
    state = replace(
        ticket.state,
        queued=now,
        reminders=0,
        assigned=None,
        snoozed_until=None,
        quiet_asked=None,
        calls=0,
        calls_announced=False,
        previous_operator=ticket.operator,
    )
    return replace(ticket, status="waiting", operator="", operator_name="", taken=None, state=state)


def transferred(ticket: Ticket, team: str, desk: str, now: datetime) -> Ticket:
    """In the queue of a team ("" = of all), shown in the group of *desk* ("" = in that of all)."""
    return queued(shown_in(ticket, team, desk), now)


def shown_in(ticket: Ticket, team: str, desk: str) -> Ticket:
    """Of a team ("" = of none), shown in the group of *desk* ("" = of all); whoever has it keeps it."""
    return replace(ticket, state=replace(ticket.state, team=team, desk=desk))


def transfer_told(ticket: Ticket) -> Ticket:
    """The customer has heard that somebody else has it now."""
    return replace(ticket, state=replace(ticket.state, transfer_told=True))


def reminded(ticket: Ticket) -> Ticket:
    """It was said once more that nobody takes it."""
    return replace(ticket, state=replace(ticket.state, reminders=ticket.state.reminders + 1))


# --- when


def snoozed(ticket: Ticket, until: datetime, operator: str, name: str, now: datetime) -> Ticket:
    """Put off; by whoever has it, or by the operator who takes it with that."""
    mine = ticket if ticket.operator else replace(ticket, operator=operator, operator_name=name, taken=now)
    state = replace(ticket.state, snoozed_until=until, queued=None, reminders=0)
    return replace(mine, status="snoozed", state=state)


def resumed(ticket: Ticket, now: datetime) -> Ticket:
    """The time it was put off to has come: it is its operator's turn from now on."""
    back = woken(ticket, now)
    return replace(back, state=replace(back.state, assigned=now))


def woken(ticket: Ticket, now: datetime) -> Ticket:
    """Its customer wrote before the time it was put off to."""
    return replace(ticket, status="operator", state=replace(ticket.state, snoozed_until=None, woken=now))


def wished(ticket: Ticket, at: datetime | None, until: datetime | None, by: str) -> Ticket:
    """Its customer says when and where to be answered; its deadlines and the reminders begin then."""
    state = replace(ticket.state, wish_at=at, wish_until=until, wish_by=by)
    later = at is not None and (ticket.state.wish_at is None or at > ticket.state.wish_at)
    if later:
        state = replace(state, reminders=0, warned=(), breached=())
    return replace(ticket, state=state)


def answered_at(ticket: Ticket, peer: Peer) -> Ticket:
    """Its customer wants the answer in another chat of theirs."""
    return replace(ticket, customer_peer=peer)


def contact_given(ticket: Ticket, kind: str, value: str) -> Ticket:
    """Its customer gave the phone ("phone") or the e-mail ("email") to be reached by."""
    contacts = replace(ticket.state.contacts, **{kind: value})
    return replace(ticket, state=replace(ticket.state, contacts=contacts))


def promised(ticket: Ticket, due: datetime, what: str) -> Ticket:
    """An operator promised the customer something."""
    return replace(ticket, state=replace(ticket.state, promise_due=due, promise=what))


def promise_reminded(ticket: Ticket) -> Ticket:
    """Both sides were reminded of the promise: it is due only once."""
    return replace(ticket, state=replace(ticket.state, promise_due=None))


# --- what is said


def customer_wrote(ticket: Ticket, now: datetime, *, owed: bool) -> Ticket:
    """The customer is not silent any more; *owed*: from the first words on somebody owes an answer."""
    starts = owed and ticket.first_reply is not None and ticket.state.asked is None
    asked = now if starts else ticket.state.asked
    return replace(ticket, state=replace(ticket.state, quiet_asked=None, asked=asked))


def answered(ticket: Ticket, operator: str, name: str, now: datetime, last: LastAnswer | None) -> Ticket:
    """An operator's words went to the customer: taken where it was nobody's, and nothing is owed any more."""
    state = replace(
        ticket.state,
        asked=None,
        answered=now,
        quiet_asked=None,
        last_words=last,
        preview=None,
        wish_at=None,
        wish_until=None,
        warned=_without_replies(ticket.state.warned),
        breached=_without_replies(ticket.state.breached),
    )
    first = ticket.first_reply or now
    if ticket.operator and ticket.status == "operator":
        return replace(ticket, first_reply=first, state=state)
    state = replace(state, queued=None, reminders=0, snoozed_until=None)
    mine = ticket if ticket.operator else replace(ticket, operator=operator, operator_name=name, taken=now)
    return replace(mine, status="operator", first_reply=first, state=state)


def _without_replies(goals: Iterable[str]) -> tuple[str, ...]:
    return tuple(g for g in goals if g not in REPLIES)


def undone(ticket: Ticket) -> Ticket:
    """The last answer was taken back."""
    return replace(ticket, state=replace(ticket.state, last_words=None))


def previewed(ticket: Ticket, shown: AnswerPreview) -> Ticket:
    """An operator looks at what would be sent."""
    kept = replace(shown, text=shown.text[:LONGEST_PREVIEW])
    return replace(ticket, state=replace(ticket.state, preview=kept))


def assistant_asked(ticket: Ticket, request: AssistantRequest) -> Ticket:
    """Something is prepared for the operator; the same task asked for anew takes the place of an older one
    that came and was never used.
    """
    kept = (r for r in ticket.state.assistant if r.task != request.task or r.status in (*USED, "asked"))
    asked = (*kept, request)[-MOST_REQUESTS:]
    return replace(ticket, state=replace(ticket.state, assistant=asked))


def assistant_prepared(ticket: Ticket, request: AssistantRequest, reply: AssistantReplied) -> Ticket:
    """What was asked for has come, or failed; what nobody asked for fails without a word."""
    failed: AssistantStatus = "failed" if request.by else "dropped"
    settled = replace(
        request,
        status=failed if reply.why else "ready",
        sentences=reply.sentences,
        articles=reply.articles,
        why=reply.why,
    )
    return _with_request(ticket, settled)


def assistant_used(ticket: Ticket, request: AssistantRequest, how: AssistantStatus) -> Ticket:
    """An operator sent it, sent what they made of it, or dropped it."""
    return _with_request(ticket, replace(request, status=how))


def _with_request(ticket: Ticket, request: AssistantRequest) -> Ticket:
    known = tuple(request if r.id == request.id else r for r in ticket.state.assistant)
    return replace(ticket, state=replace(ticket.state, assistant=known))


def held(ticket: Ticket, asked: HeldMessage) -> Ticket:
    """An operator's message waits for a yes; a newer question about it makes the older one void."""
    state = ticket.state
    questions = {h.message: h for h in state.held} | {asked.message: asked}
    return replace(ticket, state=replace(state, held=tuple(questions.values())[-MOST_HELD:]))


def released(ticket: Ticket, message: str = "") -> Ticket:
    """Nothing is asked about *message* ("" = about any) any more: the buttons mean nothing."""
    kept = tuple(h for h in ticket.state.held if message and h.message != message)
    return replace(ticket, state=replace(ticket.state, held=kept))


def album_sent(ticket: Ticket, sent: SentAlbum) -> Ticket:
    """The customer has this album: a later edit names one part of it only."""
    others = (a for a in ticket.state.albums if a.album != sent.album)
    return replace(ticket, state=replace(ticket.state, albums=(*others, sent)[-MOST_ALBUMS:]))


def tapped(ticket: Ticket, row: int) -> Ticket:
    """A button that sends something was pressed in the post of this outbox row."""
    return replace(ticket, state=replace(ticket.state, tapped=(*ticket.state.tapped, row)[-MOST_TAPPED:]))


# --- what is late


def deadline_near(ticket: Ticket, goal: str) -> Ticket:
    """The operators were warned of a deadline."""
    return replace(ticket, state=replace(ticket.state, warned=(*ticket.state.warned, goal)))


def deadline_broken(ticket: Ticket, goal: str) -> Ticket:
    """A deadline has passed."""
    return replace(ticket, state=replace(ticket.state, breached=(*ticket.state.breached, goal)))


def upset_told(ticket: Ticket, now: datetime) -> Ticket:
    """The supervisors were told that an important customer is upset."""
    return replace(ticket, state=replace(ticket.state, upset_told=now))


def upset_waited(ticket: Ticket, now: datetime) -> Ticket:
    """And that this customer still waits."""
    return replace(ticket, state=replace(ticket.state, upset_waited=now))


def quiet_asked(ticket: Ticket, now: datetime) -> Ticket:
    """The silent customer was asked whether it is solved."""
    return replace(ticket, state=replace(ticket.state, quiet_asked=now))


# --- while the customer waits


def place_told(ticket: Ticket, place: int) -> Ticket:
    """The customer knows the place in the queue."""
    return replace(ticket, state=replace(ticket.state, place_told=place))


def wrote_while_waiting(ticket: Ticket, now: datetime) -> Ticket:
    """More words of a customer whom nobody has answered."""
    return replace(ticket, state=replace(ticket.state, wrote=now))


def called_again(ticket: Ticket) -> Ticket:
    """The customer called for a person once more, and said nothing else."""
    return replace(ticket, state=replace(ticket.state, calls=ticket.state.calls + 1))


def calls_announced(ticket: Ticket) -> Ticket:
    """Everybody in the desk has heard that the customer keeps calling."""
    return replace(ticket, state=replace(ticket.state, calls_announced=True))


def article_told(ticket: Ticket, article: str) -> Ticket:
    """The bot answered a question meanwhile."""
    told = (*ticket.state.articles_told, article)
    return replace(ticket, state=replace(ticket.state, articles_told=told))


# --- what is to be done, and what was allowed


def playbook_chosen(ticket: Ticket, playbook: str, by: str = "") -> Ticket:
    """What is to be done with it, step by step; *by* whom it was chosen ("" = by itself). Steps done of
    another playbook are no steps of this one.
    """
    kept = ticket.state.steps_done if playbook == ticket.state.playbook else ()
    state = replace(ticket.state, playbook=playbook, playbook_by=by, steps_done=kept, steps_asked=False)
    return replace(ticket, state=state)


def step_done(ticket: Ticket, done: DoneStep) -> Ticket:
    """Somebody did a step; whoever did it first stays named."""
    if any(d.step == done.step for d in ticket.state.steps_done):
        return ticket
    return replace(ticket, state=replace(ticket.state, steps_done=(*ticket.state.steps_done, done)))


def step_undone(ticket: Ticket, step: str) -> Ticket:
    """It was no step done: pressed by mistake."""
    kept = tuple(d for d in ticket.state.steps_done if d.step != step)
    return replace(ticket, state=replace(ticket.state, steps_done=kept))


def steps_asked(ticket: Ticket) -> Ticket:
    """It was said that steps are open: closing asks no more."""
    return replace(ticket, state=replace(ticket.state, steps_asked=True))


def compensation_asked(ticket: Ticket, asked: Compensation) -> Ticket:
    """A compensation that a supervisor has to allow, or that was given at once."""
    kept = (*ticket.state.compensations, asked)[-MOST_COMPENSATIONS:]
    return replace(ticket, state=replace(ticket.state, compensations=kept))


def compensation_changed(ticket: Ticket, changed: Compensation) -> Ticket:
    """A compensation was decided on, or it was said once more that nobody does."""
    kept = tuple(changed if c.number == changed.number else c for c in ticket.state.compensations)
    return replace(ticket, state=replace(ticket.state, compensations=kept))


# --- the end, and what comes after


def closed(ticket: Ticket, now: datetime, *, over_silence: bool = False) -> Ticket:
    """Over; *over_silence*: because the customer said nothing any more."""
    state = replace(
        ticket.state,
        snoozed_until=None,
        promise_due=None,
        asked=None,
        quiet_asked=None,
        closed_over_silence=over_silence,
        wish_at=None,
        wish_until=None,
    )
    return replace(ticket, status="closed", closed=now, state=state)


def reopened(ticket: Ticket, operator: str, name: str, now: datetime) -> Ticket:
    """An operator opened it again, and has it."""
    opened = _open_again(ticket, now)
    state = replace(opened.state, assigned=now, asked=None, queued=None)
    return replace(opened, status="operator", operator=operator, operator_name=name, state=state)


def came_back(ticket: Ticket, now: datetime, *, same_operator: bool) -> Ticket:
    """Its customer opened it again: its operator has it, or it is in the queue."""
    opened = _open_again(ticket, now)
    if same_operator:
        return replace(
            opened, status="operator", state=replace(opened.state, asked=now, assigned=now, queued=None)
        )
    waiting = queued(opened, now)
    return replace(waiting, state=replace(waiting.state, asked=now if ticket.first_reply else None))


def _open_again(ticket: Ticket, now: datetime) -> Ticket:
    state = replace(
        ticket.state,
        reopened=now,
        answered=None,
        quiet_asked=None,
        warned=(),
        breached=(),
        reminders=0,
        snoozed_until=None,
    )
    return replace(ticket, closed=None, state=state)


def rated(ticket: Ticket, score: int, first: datetime) -> Ticket:
    """The customer's score; *first*: when the first one was given, which may be corrected."""
    return replace(ticket, rating=score, state=replace(ticket.state, rated=first))


def commented(ticket: Ticket, text: str) -> Ticket:
    """The customer's words about a score."""
    return replace(ticket, state=replace(ticket.state, comment=text))


def followup_opened(ticket: Ticket) -> Ticket:
    """The supervisors see a low score: somebody has to look at it."""
    return replace(ticket, state=replace(ticket.state, followup="open"))


def followed_up(ticket: Ticket, apologized: datetime | None) -> Ticket:
    """Somebody looked at the low score; *apologized*: when the customer was told so."""
    return replace(ticket, state=replace(ticket.state, followup="done", apologized=apologized))


def scored(ticket: Ticket, score: DialogScore) -> Ticket:
    """How the dialog was, as far as it can be seen by itself."""
    return replace(ticket, state=replace(ticket.state, scored=score))


def reviewed(ticket: Ticket, score: DialogScore) -> Ticket:
    """How the dialog was, as a supervisor sees it; a later look replaces it."""
    return replace(ticket, state=replace(ticket.state, reviewed=score))


# --- what the card shows


def prioritized(ticket: Ticket, priority: int) -> Ticket:
    """More or less urgent, with the deadlines that belong to it."""
    return replace(ticket, priority=priority)


def categorized(ticket: Ticket, category: str) -> Ticket:
    """Why the customer wrote, as the operators say it."""
    return replace(ticket, category=category)


def renamed(ticket: Ticket, topic: str) -> Ticket:
    """About another topic, with the deadlines that belong to it."""
    return replace(ticket, topic=topic)


def due(ticket: Ticket, at: datetime | None) -> Ticket:
    """Its nearest deadline; None = nothing is owed."""
    return replace(ticket, due=at)


def tagged(ticket: Ticket, tags: Iterable[str]) -> Ticket:
    return replace(ticket, state=replace(ticket.state, tags=tuple(tags)))


def hinted(ticket: Ticket, hints: Iterable[tuple[str, str]]) -> Ticket:
    """What may be sent, as (what, title)."""
    return replace(ticket, state=replace(ticket.state, hints=tuple(hints)))


def described(ticket: Ticket, attributes: Mapping[str, object]) -> Ticket:
    """What is known of the customer."""
    return replace(ticket, state=replace(ticket.state, attributes=tuple(attributes.items())))


def contacts_withdrawn(ticket: Ticket, attributes: Mapping[str, object]) -> Ticket:
    """Its customer took back the consent to keep how to reach them: only *attributes* and the order stay."""
    known = described(ticket, shown(attributes))
    by = "" if known.state.wish_by in CONTACTS else known.state.wish_by  # nobody calls a number that is gone
    contacts = Contacts(order=known.state.contacts.order)
    return replace(known, state=replace(known.state, contacts=contacts, wish_by=by))


def transcribed(ticket: Ticket, lines: Iterable[tuple[str, str]]) -> Ticket:
    """The talk so far, as (who, what)."""
    return replace(ticket, state=replace(ticket.state, transcript=tuple(lines)))


def came_over(ticket: Ticket, channel: str) -> Ticket:
    """Its customer writes on another channel, called *channel*."""
    return replace(ticket, state=replace(ticket.state, channel=channel))


def moved_to(ticket: Ticket, conversation: int, peer: Peer) -> Ticket:
    """It belongs to the conversation in which its customer writes now."""
    return replace(ticket, conversation=conversation, customer_peer=peer)
