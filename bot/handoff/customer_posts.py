"""What a customer sent, as posts of the desk."""

from __future__ import annotations

from bot.handoff.card import heading
from bot.handoff.context import shown
from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.message_names import shown_name
from bot.handoff.transcripts import shown_transcripts
from bot.model import Attachment, Outbound, Peer, RichText, Ticket


def shown_file(desk: DeskContext, to: Peer, ticket: Ticket, file: Attachment) -> Outbound:
    """What the customer sent, in the desk; a voice message with its transcript."""
    above = heading(ticket, desk.texts, desk.lang)
    return Outbound(
        to,
        RichText(shown_transcripts((file,), desk.texts, desk.lang)),
        attachments=(file,),
        heading=above,
        name=shown_name(ticket.number),
        ticket=ticket.number,
        author="",
    )


def shown_context(
    desk: DeskContext, to: Peer, ticket: Ticket, context: tuple[Attachment, ...]
) -> list[Outbound]:
    """Words that came with the customer's and are not theirs, as one post."""
    if not context:
        return []
    above, text = heading(ticket, desk.texts, desk.lang), RichText(shown(context, desk.texts, desk.lang))
    return [
        Outbound(to, text, heading=above, name=shown_name(ticket.number), ticket=ticket.number, author="")
    ]
