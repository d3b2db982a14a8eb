"""What operators ask the assistant for, and what it brought: shown to them alone, sent by their own act.

A request is a delivery of the channel `ASSISTANT`, so that no turn waits for it and no crash loses it; the
reply is an inbound of the ticket's conversation, kept once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.handoff import card_posts, notices
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.answers import answered, shows_otherwise
from bot.handoff.operators.comment_answers import ask_where
from bot.handoff.operators.drafts import Draft
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.tickets import lifecycle
from bot.handoff.tone_remarks import remarked
from bot.model import (
    ASSISTANT,
    AnswerPreview,
    AssistantRequest,
    Button,
    Event,
    MessagePart,
    Outbound,
    OutboundKind,
    Outcome,
    Peer,
    Priority,
    Result,
    RichText,
    Rows,
    Ticket,
    Turn,
)
from bot.model.internal import AssistantReplied, PageOrder

DRAFT, SHORTEN, SOFTEN, TRANSLATE, UNDERSTAND, SUMMARY = (
    "draft",
    "shorten",
    "soften",
    "translate",
    "understand",
    "summary",
)
OF_WORDS = (SHORTEN, SOFTEN, TRANSLATE)  # they work on the operator's own words
FOR_CUSTOMER = (DRAFT, *OF_WORDS)  # what may be sent
ASKED, REPLIED, FAILED, SENT, EDITED, DROPPED = (
    "assistant_requested",
    "assistant_prepared",
    "assistant_failed",
    "assistant_sent",
    "assistant_edited",
    "assistant_dropped",
)
OFTEN, WHILE = 8, timedelta(minutes=1)  # requests of one operator in a while
LOST = timedelta(minutes=5)  # after which nobody waits for a reply any more
LONGEST = 4000  # characters of an operator's words
PREVIEW = "assistant:"  # begins the name of what operators look at before it is sent
LONG_TALK = 4  # lines, from which on who gets a ticket is told in short what they say


# --- asking


async def draft(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/draft: an answer from the articles; what follows is what it should say besides."""
    return await _ask(desk, turn, ticket, DRAFT, rest)


async def shorten(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    return await _ask(desk, turn, ticket, SHORTEN, rest)


async def soften(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    return await _ask(desk, turn, ticket, SOFTEN, rest)


async def translate(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/translate: the operator's words for the customer; without any, the customer's for the operator."""
    return await _ask(desk, turn, ticket, TRANSLATE if rest else UNDERSTAND, rest)


async def summary(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    return await _ask(desk, turn, ticket, SUMMARY, "")


async def _ask(desk: DeskContext, turn: Turn, ticket: Ticket, task: str, given: str) -> Outcome:
    """Kept with the ticket, and on its way: the operator sees at once that it is prepared."""
    if not desk.rules.assistant:  # a button of the time when it was on
        return notice(desk, turn, "desk.old_button")
    if ticket.status == "closed" and task != SUMMARY:
        return notice(desk, turn, "desk.closed_already")
    if task in OF_WORDS and not given:
        return say(desk, turn, "desk.assistant.how", task=task)
    if len(given) > LONGEST:
        return say(desk, turn, "desk.assistant.long", longest=LONGEST)
    if any(r.task == task and r.given == given and is_awaited(r, turn) for r in ticket.state.assistant):
        return notice(desk, turn, "desk.assistant.already")
    lately = await desk.ticket_reader.events(since=turn.now - WHILE, kinds=(ASKED,))
    if sum(e.actor == turn.actor for e in lately) >= OFTEN:
        return notice(desk, turn, "desk.assistant.often")
    first = turn.inbounds[0]
    on_page = first.data.get("page") is True
    request = AssistantRequest(
        str(turn.id), task, turn.actor, first.sender.name, turn.now, on_page=on_page, given=given
    )
    changed, sent, event = _asked(ticket, request)
    prepared = notice(desk, turn, "desk.assistant.preparing", task=task)
    told = () if on_page else prepared.messages
    return replace(prepared, messages=(*told, sent), ticket=changed, events=(event,))


def handed_over(ticket: Ticket, key: str) -> tuple[Ticket, Outbound, Event] | None:
    """The summary for whoever gets the ticket, under way: asked for by nobody, once for each *key*."""
    at = ticket.state.assigned or ticket.state.queued or ticket.opened
    if at is None:
        return None
    return _asked(ticket, AssistantRequest(f"auto{key}", SUMMARY, "", "", at))


def _asked(ticket: Ticket, request: AssistantRequest) -> tuple[Ticket, Outbound, Event]:
    """law: what goes on its way names the request only; what people wrote stays with the ticket."""
    body = json.dumps({"ticket": ticket.number, "request": request.id})
    sent = Outbound(
        Peer(ASSISTANT, str(ticket.number)),
        RichText(body),
        kind=OutboundKind.ANNOUNCE,
        name=f"assistant:{ticket.number}:{request.id}",
        priority=Priority.NOTICE,
        author="",
        ticket=ticket.number,
    )
    event = Event(ASKED, ticket=ticket.number, actor=request.by or "bot", data={"task": request.task})
    return lifecycle.assistant_asked(ticket, request), sent, event


def is_awaited(request: AssistantRequest, turn: Turn) -> bool:
    """Whether its reply is still to come."""
    return request.status == "asked" and turn.now - request.at < LOST


# --- the reply


async def replied(desk: DeskContext, turn: Turn, reply: AssistantReplied) -> Outcome:
    """What was asked for has come, or failed: shown where it was asked, once."""
    ticket = await _ticket(desk, turn, reply.ticket)
    request = find(ticket, reply.request) if ticket is not None else None
    if ticket is None or request is None or request.status != "asked" or not ticket.customer_peer.chat:
        return Outcome("desk", Result.IGNORED, "assistant_over")
    alone = not request.by  # nobody asked, so nobody hears that there is nothing
    changed = lifecycle.assistant_prepared(ticket, request, reply)
    settled = find(changed, request.id) or request
    data: dict[str, object] = {
        "task": request.task,
        "seconds": round((turn.now - request.at).total_seconds(), 1),
    }
    data |= {"why": reply.why} if reply.why else {"doubtful": sum(bool(m) for m, _ in reply.sentences)}
    event = Event(
        FAILED if reply.why else REPLIED, ticket=ticket.number, actor=request.by or "bot", data=data
    )
    to, shown = desk.places.thread(ticket), tuple[Outbound, ...]()
    if to is not None and not request.on_page and not (alone and reply.why):
        changed = _looked_at(desk, changed, settled, turn)
        shown = (_shown(desk, to, changed, settled),)
    reason = FAILED if reply.why else REPLIED
    told = () if alone and reply.why == "no_words" else (event,)
    return Outcome("desk", Result.ANSWERED, reason, shown, ticket=changed, events=told)


def _shown(desk: DeskContext, to: Peer, ticket: Ticket, request: AssistantRequest) -> Outbound:
    """The reply as a note to the operators, with what can be done with it."""
    key = f"desk.assistant.{'failed' if request.why else request.task}"
    facts = {
        "why": request.why,
        "sentences": [{"mark": mark, "text": words} for mark, words in request.sentences],
        "articles": [
            {"title": title, "internal": what.startswith("internal:")} for what, title in request.articles
        ],
        "own": bool(request.by),
        "unsupported": any(mark == "unsupported" for mark, _ in request.sentences),
        "internal": any(mark == "internal" for mark, _ in request.sentences),
    }
    note = notices.in_desk(desk, to, ticket, key, **facts)
    note = replace(note, buttons=_buttons(desk, request))
    return remarked(desk, note, request.text) if request.task in FOR_CUSTOMER and request.text else note


def _buttons(desk: DeskContext, request: AssistantRequest) -> Rows:
    if request.task not in FOR_CUSTOMER or request.why:
        return ()
    lang, texts = desk.lang, desk.texts
    label = "assistant_send_rest" if request.is_doubtful else "send"
    sends = Button(
        texts.text(f"desk.button.{label}", lang=lang), "assistant_send", request.id, style="primary"
    )
    drops = Button(texts.text("desk.button.assistant_drop", lang=lang), "assistant_drop", request.id)
    return ((sends, drops),) if request.text else ((drops,),)


def _looked_at(desk: DeskContext, ticket: Ticket, request: AssistantRequest, turn: Turn) -> Ticket:
    """By this the operator's own words are known for what became of a draft."""
    if request.task not in FOR_CUSTOMER or not request.sentences:
        return ticket
    whole = "".join(words for _, words in request.sentences).strip()
    return lifecycle.previewed(
        ticket, AnswerPreview(PREVIEW + request.id, title(desk, request), whole, turn.now)
    )


# --- what becomes of it


async def send(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap under a draft: what the articles say goes to the customer, once."""
    request = find(ticket, turn.press.value if turn.press else "")
    if request is None or request.task not in FOR_CUSTOMER or not request.text:
        return notice(desk, turn, "desk.old_button")
    if request.status != "ready":
        used = request.status in lifecycle.USED
        return notice(desk, turn, "desk.sent_already" if used else "desk.old_button")
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    if ticket.customer_peer.is_public:  # a comment: whether everybody may read it, the operator says
        made = Draft(f"ready:{turn.id}", (MessagePart("", request.text),))
        event = _used(SENT, ticket, request, turn)
        asked = ask_where(desk, turn, lifecycle.assistant_used(ticket, request, "sent"), made)
        return replace(asked, events=(*asked.events, event))
    name = f"ready:{turn.id}"
    changed, status, events = answered(ticket, turn, name)
    changed = lifecycle.assistant_used(changed, request, "sent")
    words = Outbound(
        ticket.customer_peer,
        RichText(request.text),
        name=name,
        ticket=ticket.number,
        author="operator",
        author_name=turn.inbounds[0].sender.name,
        on_uncertain=desk.rules.on_uncertain,
    )
    cards = card_posts.edited(desk, changed) if shows_otherwise(ticket, changed) else ()
    messages = (words, *cards, *done(desk, turn, "desk.sent").messages)
    event = _used(SENT, ticket, request, turn)
    return Outcome(
        "desk", Result.CARRIED, "assistant", messages, status=status, ticket=changed, events=(*events, event)
    )


async def drop(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """Not needed: nothing of it can be sent any more."""
    request = find(ticket, turn.press.value if turn.press else rest)
    if request is None or request.status != "ready":
        return notice(desk, turn, "desk.old_button")
    changed = lifecycle.assistant_used(ticket, request, "dropped")
    dropped = done(desk, turn, "desk.assistant.dropped")
    return replace(dropped, ticket=changed, events=(_used(DROPPED, ticket, request, turn),))


def became_words(ticket: Ticket, ready: Sequence[Event], turn: Turn) -> tuple[Ticket, Event] | None:
    """The operator's own words are what they made of a draft (*ready*: of what they had before them): it is
    used up. None where they are of something else.
    """
    what = str(ready[0].data.get("what", "")) if ready else ""
    request = find(ticket, what.removeprefix(PREVIEW)) if what.startswith(PREVIEW) else None
    if request is None:
        return None
    same = ready[0].kind == "ready_sent"
    changed = lifecycle.assistant_used(ticket, request, "sent" if same else "edited")
    return changed, _used(SENT if same else EDITED, ticket, request, turn)


def is_sent(ticket: Ticket, order: PageOrder) -> bool:
    """Whether what the page wants to send was sent already."""
    request = find(ticket, order.ready.removeprefix(PREVIEW)) if order.ready.startswith(PREVIEW) else None
    return request is not None and request.status in lifecycle.USED and order.value == order.shown


def _used(kind: str, ticket: Ticket, request: AssistantRequest, turn: Turn) -> Event:
    return Event(kind, ticket=ticket.number, actor=turn.actor, data={"task": request.task})


def title(desk: DeskContext, request: AssistantRequest) -> str:
    """What people call it."""
    return desk.texts.text(f"desk.assistant.title.{request.task}", lang=desk.lang)


def find(ticket: Ticket, id: str) -> AssistantRequest | None:
    return next((r for r in ticket.state.assistant if r.id == id), None)


async def _ticket(desk: DeskContext, turn: Turn, number: int) -> Ticket | None:
    """The ticket of this conversation; of a forgotten customer there is none."""
    if turn.ticket is not None and turn.ticket.number == number:
        return turn.ticket
    found = await desk.ticket_reader.ticket(number)
    return found if found is not None and found.conversation == turn.conversation.id else None
