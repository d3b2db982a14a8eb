"""Transcripts as operators read them: beside the audio, and marked as what they are."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n.texts import Texts
from bot.model import Attachment, Inbound, RichText, Span
from bot.text.transcripts import transcript_of, written


def shown_transcripts(attachments: Sequence[Attachment], texts: Texts, lang: str) -> str:
    """What is said in *attachments*, a line each; "" where nobody listened or understood."""
    found = [t for a in attachments if (t := transcript_of(a)) is not None]
    return "\n".join(
        texts.text(f"voice.{'sure' if t.sure else 'unsure'}", lang=lang, text=t.text) for t in found
    )


def shown_words(inbound: Inbound, texts: Texts, lang: str) -> RichText:
    """What the customer wrote, and below it what they said."""
    heard = shown_transcripts(inbound.attachments, texts, lang)
    if not heard:
        return inbound.rich
    own = written(inbound.text, inbound.attachments)
    spans: tuple[Span, ...] = tuple(s for s in inbound.spans if s.offset + s.length <= len(own))
    return RichText(own, spans) + (f"\n{heard}" if own else heard)
