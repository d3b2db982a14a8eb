"""Help while answering: ready answers and articles are shown to the operator first, and sent to the customer
with one tap.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rapidfuzz import fuzz

from bot.handoff import card_posts
from bot.handoff.assist.canned import MissingValues
from bot.handoff.assist.hints import LABEL
from bot.handoff.desk_context import DeskContext
from bot.handoff.filling import filled
from bot.handoff.operators.answers import answered, shows_otherwise
from bot.handoff.operators.drafts import tapped
from bot.handoff.operators.replies import done, notice, say
from bot.handoff.tickets import lifecycle
from bot.handoff.tone_remarks import remarked
from bot.model import (
    AnswerPreview,
    Attachment,
    Button,
    Event,
    Outbound,
    OutboundKind,
    Outcome,
    Priority,
    Result,
    RichText,
    Ticket,
    Turn,
)
from bot.text.graphemes import border

LATELY = timedelta(days=7)  # a failed delivery may be sent again
COPIED = timedelta(minutes=15)  # so long after a preview, words may be what became of it
EDITED, SAME = 60, 99.5  # how alike (0..100) they are then


def template(desk: DeskContext, turn: Turn, ticket: Ticket, rest: str) -> Outcome:
    """/t слово: the ready answer it means, shown as the customer would get it; several to choose from where
    it is not clear.
    """
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    found = desk.rules.canned.find(rest) if desk.rules.canned is not None else ()
    if not found:
        some = bool(rest) and desk.rules.canned is not None and bool(desk.rules.canned.find(""))
        return say(desk, turn, "desk.no_template", word=rest, some=some)
    exact = rest and (len(found) == 1 or found[0].key.casefold() == rest.casefold())
    if exact:
        return _preview(desk, turn, ticket, f"canned:{found[0].key}")
    buttons = tuple((Button(r.title[: border(r.title, LABEL)], "preview", f"canned:{r.key}"),) for r in found)
    return say(desk, turn, "desk.templates", buttons)


def preview(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    return _preview(desk, turn, ticket, turn.press.value if turn.press else "")


def _preview(desk: DeskContext, turn: Turn, ticket: Ticket, what: str) -> Outcome:
    if what.startswith("internal:"):
        return show_article(desk, turn, what)
    text = _text(desk, turn, ticket, what)
    if not isinstance(text, RichText):
        return _not_made(desk, turn, what, text)
    send = Button(desk.texts.text("desk.button.send", lang=desk.lang), "send_ready", what, style="primary")
    head = desk.texts.say("desk.preview", lang=desk.lang)
    named = "".join(f"\n📎 {f.data.get('caption') or f.name}" for f in _files(desk, turn, ticket, what))
    shown = Outbound(
        turn.peer,
        head + "\n\n" + text + named,
        buttons=((send,),),
        ticket=ticket.number,
        author="",
        priority=Priority.NOTICE,
    )
    shown = remarked(desk, shown, text.text, has_way_out=not what.startswith("canned:"))
    looked = lifecycle.previewed(ticket, AnswerPreview(what, _title(desk, what), text.text, turn.now))
    return Outcome("desk", Result.ANSWERED, "preview", (shown,), ticket=looked)


def looked_at(desk: DeskContext, turn: Turn, ticket: Ticket, what: str, shown: str) -> Ticket:
    """The ticket after an operator chose a ready answer on a page, where they edit it before it is sent."""
    return lifecycle.previewed(ticket, AnswerPreview(what, _title(desk, what), shown, turn.now))


def show_article(desk: DeskContext, turn: Turn, what: str) -> Outcome:
    """An article for the operator's own eyes: nothing under it sends it."""
    kind, _, key = what.partition(":")
    read = desk.rules.internal if kind == "internal" else desk.rules.read
    text = read(key, desk.audience(turn, turn.ticket))
    if not text:
        return notice(desk, turn, "desk.template_failed")
    head = desk.texts.say(f"desk.kb.{kind}", lang=desk.lang, title=_title(desk, what))
    number = turn.ticket.number if turn.ticket else None
    shown = Outbound(turn.peer, head + "\n\n" + text, ticket=number, author="", priority=Priority.NOTICE)
    return Outcome("desk", Result.ANSWERED, "article_shown", (shown,))


def send_ready(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """The tap under a preview: the customer gets it, in the name of the one who tapped."""
    what = turn.press.value if turn.press else ""
    text = _text(desk, turn, ticket, what)
    if not isinstance(text, RichText):
        return _not_made(desk, turn, what, text)
    if (once := tapped(ticket, turn)) is None:
        return notice(desk, turn, "desk.sent_already")
    ticket = once
    data = {"what": what, "title": _title(desk, what)}
    return _say_to_customer(
        desk,
        turn,
        ticket,
        text,
        Event("ready_sent", ticket=ticket.number, actor=turn.actor, data=data),
    )


def of_preview(ticket: Ticket, text: str, now: datetime, actor: str) -> tuple[Event, ...]:
    """What the operator's own words have to do with the ready answer they have just looked at: the same, or
    made to fit the case.
    """
    shown = ticket.state.preview
    if shown is None or now - shown.at > COPIED:
        return ()
    alike = fuzz.ratio(text.strip(), shown.text.strip())
    if alike < EDITED:
        return ()
    data = {"what": shown.what, "title": shown.title}
    return (
        Event(
            "ready_sent" if alike >= SAME else "ready_edited", ticket=ticket.number, actor=actor, data=data
        ),
    )


async def resend(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """«Отправить ещё раз» under a notice of failure or doubt: once."""
    id = int(turn.press.value) if turn.press and turn.press.value.isdecimal() else 0
    found = (
        [d for d in await desk.ticket_reader.deliveries(after=id - 1, limit=1) if d.id == id] if id else []
    )
    event = Event("sent_again", ticket=ticket.number, actor=turn.actor, data={"delivery": id})
    told = done(desk, turn, "desk.sending_again").messages
    if found and found[0].status == "unknown":
        return Outcome("desk", Result.CARRIED, "resent", told, events=(event,), retry_delivery=id)
    again = await desk.ticket_reader.events(since=turn.now - LATELY, kinds=["sent_again"])
    if (
        not found
        or found[0].status not in ("failed", "cancelled")
        or any(e.data.get("delivery") == id for e in again)
    ):
        return notice(desk, turn, "desk.old_button")
    return Outcome("desk", Result.CARRIED, "resent", (found[0].outbound, *told), events=(event,))


def undo(desk: DeskContext, turn: Turn, ticket: Ticket, _rest: str) -> Outcome:
    """/undo: the last answer is taken back from the customer's chat, while it is fresh."""
    last = ticket.state.last_words
    if last is None or turn.now - last.at > timedelta(seconds=desk.rules.undo):
        return notice(desk, turn, "desk.too_late")
    gone = Outbound(
        ticket.customer_peer,
        kind=OutboundKind.DELETE,
        edits=last.name,
        ticket=ticket.number,
        author="",
    )
    event = Event("words_undone", ticket=ticket.number, actor=turn.actor)
    return Outcome(
        "desk",
        Result.ANSWERED,
        "undone",
        (gone, *done(desk, turn, "desk.done").messages),
        ticket=lifecycle.undone(ticket),
        events=(event,),
    )


def _say_to_customer(desk: DeskContext, turn: Turn, ticket: Ticket, text: RichText, event: Event) -> Outcome:
    inbound = turn.inbounds[0]
    if ticket.status == "closed":
        return notice(desk, turn, "desk.closed_already")
    name = f"ready:{turn.id}"
    changed, status, events = answered(ticket, turn, name)
    words = Outbound(
        ticket.customer_peer,
        text,
        name=name,
        ticket=ticket.number,
        author="operator",
        author_name=inbound.sender.name,
        on_uncertain=desk.rules.on_uncertain,
    )
    cards = card_posts.edited(desk, changed) if shows_otherwise(ticket, changed) else ()
    files = _files(desk, turn, ticket, str(event.data.get("what", "")))
    beside = (replace(words, text=RichText(), attachments=files, name=""),) if files else ()
    say_ = (*beside, words, *cards, *done(desk, turn, "desk.sent").messages)
    return Outcome(
        "desk", Result.CARRIED, "ready", say_, status=status, ticket=changed, events=(*events, event)
    )


def _title(desk: DeskContext, what: str) -> str:
    """How people call it."""
    kind, _, key = what.partition(":")
    if kind == "assistant":
        return desk.texts.text("desk.assistant.title.draft", lang=desk.lang)
    if kind in ("article", "internal"):
        return next(iter(desk.rules.about(key)), key)
    ready = desk.rules.canned.get(key) if desk.rules.canned is not None else None
    return ready.title if ready else key


def _text(desk: DeskContext, turn: Turn, ticket: Ticket, what: str) -> RichText | MissingValues | None:
    """What the customer would get; which values it lacks; None where it is gone or cannot be made."""
    kind, _, key = what.partition(":")
    if kind == "internal":
        return None
    if kind == "article":
        return (desk.rules.article(key, desk.audience(turn, ticket)) if desk.rules.article else None) or None
    ready = desk.rules.canned.get(key) if desk.rules.canned is not None else None
    if ready is None:
        return None
    return filled(desk, ready, ticket, turn.customer, turn.inbounds[0].sender.name, turn.now)


def _files(desk: DeskContext, turn: Turn, ticket: Ticket, what: str) -> tuple[Attachment, ...]:
    """The pictures and files that come with an article."""
    kind, _, key = what.partition(":")
    return desk.rules.files(key, desk.audience(turn, ticket)) if kind == "article" else ()


def _not_made(desk: DeskContext, turn: Turn, what: str, lacking: MissingValues | None) -> Outcome:
    """Nothing is sent with a gap: the operator hears by name which value is missing."""
    if lacking is None:
        return notice(desk, turn, "desk.template_failed")
    named = [value_name(desk, value) for value in lacking.values]
    return notice(desk, turn, "desk.template_lacks", title=_title(desk, what), values=named)


def value_name(desk: DeskContext, value: str) -> str:
    """What people call a value that a ready answer lacks."""
    key = f"desk.value.{value}"
    return desk.texts.text(key, lang=desk.lang) if desk.texts.has(key) else value
