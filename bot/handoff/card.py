"""The card of a ticket in the desk: who, why, what was said, what the bot would have answered."""

from __future__ import annotations

from collections.abc import Sequence

from bot.handoff.assist.hints import LIKELY, Hint
from bot.handoff.contacts import mask
from bot.handoff.context import is_context, shown
from bot.handoff.transcripts import shown_transcripts
from bot.i18n.texts import Texts
from bot.model import HistoryEntry, RichText, Rows, Span, Style, Ticket
from bot.text.graphemes import shorten
from bot.text.person_names import shown_name
from bot.text.transcripts import transcript_of, written

TRANSCRIPT_LINES = 12
LINE_LENGTH = 300  # characters of a customer's line in the transcript
HINTS = 3  # with the card's own buttons ten, which is what VK puts under a message
ATTRIBUTES, ATTRIBUTE = 8, 60  # how many are shown, and characters of each
BOT_LENGTH = 120  # the bot's own words are known to operators
CARD_LENGTH = 3500  # UTF-16 units stay below every channel's limit of one message
_MARKS = {"waiting": "🟡", "operator": "🟢", "snoozed": "💤", "closed": "✅"}
_NEAR, _BROKEN = "🟠", "🔴"


def called(ticket: Ticket, texts: Texts, lang: str) -> str:
    """How operators call the customer."""
    return shown_name(ticket.state.name) or texts.text("desk.nameless", lang=lang)


def topic_name(ticket: Ticket, texts: Texts, lang: str) -> str:
    """Name of the ticket's topic: state, number, customer, topic; at most 128 characters."""
    name = called(ticket, texts, lang)
    return " · ".join(
        p for p in (f"{_mark(ticket)} {numbered(ticket.number, texts, lang)} {name}", ticket.topic) if p
    )[:128]


def numbered(number: int, texts: Texts, lang: str) -> str:
    """A number with the sign of the language."""
    return texts.text("desk.number", lang=lang, number=number)


def heading(ticket: Ticket, texts: Texts, lang: str) -> RichText:
    """What stands above a customer's words where tickets share one chat."""
    name = called(ticket, texts, lang)
    text = f"{numbered(ticket.number, texts, lang)} · {name}"
    return RichText(text, (Span(Style.BOLD, 0, len(text)),))


def card(ticket: Ticket, texts: Texts, lang: str, *, below: RichText | None = None) -> RichText:
    """The card itself; *below* its head stands what is to be done. Contacts are masked; the button shows
    them.
    """
    state, contacts = ticket.state, ticket.state.contacts
    head = texts.say(
        "desk.card",
        lang=lang,
        mark=_mark(ticket),
        number=ticket.number,
        name=called(ticket, texts, lang),
        username=state.username,
        channel=state.channel,
        reason=(
            texts.text(f"desk.reason.{ticket.reason}", lang=lang)
            if texts.has(f"desk.reason.{ticket.reason}")
            else ticket.reason
        ),
        state=texts.text(f"desk.state.{ticket.status}", lang=lang, operator=ticket.operator_name),
        order=contacts.order,
        phone=mask(contacts.phone),
        email=mask(contacts.email),
        attributes=[f"{k} — {mask(str(v))[:ATTRIBUTE]}" for k, v in state.attributes[:ATTRIBUTES]],
        topic=ticket.topic,
        priority=ticket.priority,
        category=ticket.category,
        tags=state.tags,
        team=state.team,
        past=state.past,
        due=ticket.due if ticket.status in ("waiting", "operator") else None,
        until=state.snoozed_until,
        promised=state.promise_due,
        wish_at=state.wish_at,
        wish_until=state.wish_until,
        wish_by=state.wish_by,
        candidates=_similar(ticket),
    )
    head = head + "\n\n" + below if below else head
    lines = _transcript(state.transcript)
    return _fitted(head + "\n", lines) if lines else head


def hidden_buttons(ticket: Ticket, *, ready: bool) -> tuple[str, ...]:
    """The commands whose buttons the card has no use for now; *ready*: whether there are ready answers."""
    known = ticket.state.contacts.phone or ticket.state.contacts.email
    return (*(() if known else ("contact",)), *(() if ready else ("t",)))


def hints(ticket: Ticket) -> Rows:
    """What may answer the customer's question, each a tap away; a closed ticket asks nothing."""
    if ticket.status == "closed":
        return ()
    return tuple((Hint(what, title).button,) for what, title in ticket.state.hints[:HINTS])


def transcript(
    history: Sequence[HistoryEntry], customer: str, texts: Texts, lang: str
) -> tuple[tuple[str, str], ...]:
    """The last lines of a conversation as (who, what), masked, ready to be kept with the ticket."""
    authors = {
        "bot": texts.text("desk.author.bot", lang=lang),
        "operator": texts.text("desk.author.operator", lang=lang),
    }
    kept = []
    for line in [h for h in history if h.author in ("customer", "bot", "operator")][-TRANSCRIPT_LINES:]:
        who = customer if line.author == "customer" else (line.name or authors[line.author])
        context = [a for a in line.attachments if is_context(a)]
        media = " ".join(
            f"[{texts.text(f'media.{a.media}', lang=lang)}]"
            for a in line.attachments
            if a not in context and transcript_of(a) is None
        )
        own, said = (
            written(line.text, line.attachments),
            shown_transcripts(line.attachments, texts, lang),
        )
        text = " ".join(p for p in (media, mask(own), mask(said)) if p)
        most = BOT_LENGTH if line.author == "bot" else LINE_LENGTH
        text = " ".join(text.split()) if line.author == "bot" else text
        text = shorten(text, most)
        above = mask(shown(context, texts, lang, most=BOT_LENGTH))
        kept.append((who, "\n".join(t for t in (above, text) if t)))
    return tuple(kept)


def _mark(ticket: Ticket) -> str:
    """State at a glance: broken and nearly broken deadlines before everything else."""
    if ticket.status != "closed":
        if ticket.state.breached:
            return _BROKEN
        if ticket.state.warned:
            return _NEAR
    return _MARKS[ticket.status]


def _similar(ticket: Ticket) -> list[dict[str, object]]:
    """The articles near the question; those that would not be offered are not shown either."""
    return [
        {"title": title, "percent": round(100 * score)}
        for title, score in ticket.state.candidates
        if score >= LIKELY
    ]


def _transcript(lines: Sequence[tuple[str, str]]) -> list[RichText]:
    return [RichText(f"{who}: {what}", (Span(Style.BOLD, 0, len(who) + 1),)) for who, what in lines]


def _fitted(head: RichText, lines: Sequence[RichText]) -> RichText:
    """The head and as many of the newest lines as a message holds."""
    space, kept = CARD_LENGTH - _units(head.text), []
    for line in reversed(lines):
        space -= _units(line.text) + 1
        if space < 0:
            break
        kept.append(line)
    for line in reversed(kept):
        head = head + "\n" + line
    return head


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
