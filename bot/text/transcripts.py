"""What was said in a voice message, as words: where it is kept with the attachment, and how it joins the
text of the message.

`Attachment.data["transcript"]` holds {"text", "sure", "by", "tries"}. A transcript that is sure counts as the
customer's words; one that is not is for operators to read beside the audio.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bot.model import Attachment, Inbound, InboundKind, Media, Turn

KEPT = "transcript"  # the key of an attachment's data
PLATFORM = "platform_transcript"  # the platform's own transcript, as the adapter found it
SPOKEN = frozenset({Media.VOICE, Media.VIDEO_NOTE, Media.AUDIO})
LONGEST = 8000  # characters that are kept of one


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words of a voice message; *sure*: they may be taken for what was said. *by* names who wrote them
    down.
    """

    text: str = ""
    sure: bool = False
    by: str = ""


def transcript_of(attachment: Attachment) -> Transcript | None:
    """What is kept with it; None where nobody listened, or nothing was understood."""
    kept = attachment.data.get(KEPT)
    if not isinstance(kept, dict) or not (text := str(kept.get("text") or "")):
        return None
    return Transcript(text, kept.get("sure") is True, str(kept.get("by") or ""))


def tries_of(attachment: Attachment) -> int:
    """How often somebody began to listen to it."""
    kept = attachment.data.get(KEPT)
    return int(kept.get("tries") or 0) if isinstance(kept, dict) else 0


def with_transcript(attachment: Attachment, transcript: Transcript | None, *, tries: int = 0) -> Attachment:
    """The attachment that remembers *transcript*, or only that it was listened to so often."""
    kept: dict[str, Any] = {"tries": tries}
    if transcript is not None and transcript.text:
        kept |= {"text": transcript.text[:LONGEST], "sure": transcript.sure, "by": transcript.by}
    return replace(attachment, data={**attachment.data, KEPT: kept})


def spoken_words(attachments: Iterable[Attachment]) -> str:
    """The words of all sure transcripts, one after the other."""
    found = (transcript_of(a) for a in attachments)
    return "\n".join(_words(t.text) for t in found if t is not None and t.sure)


def spoken(inbound: Inbound) -> Inbound:
    """The message as if what was said in it had been written below its text."""
    if inbound.kind is not InboundKind.MESSAGE or not (words := spoken_words(inbound.attachments)):
        return inbound
    return replace(inbound, text="\n".join(t for t in (inbound.text, words) if t))


def spoken_turn(turn: Turn) -> Turn:
    """The turn with each voice message that was understood read as words."""
    heard = tuple(spoken(i) for i in turn.inbounds)
    return turn if all(a is b for a, b in zip(heard, turn.inbounds, strict=True)) else _of(turn, heard)


def written(text: str, attachments: Iterable[Attachment]) -> str:
    """What was written beside the audio: the *text* of a message that `spoken` made, without what was
    said.
    """
    words = spoken_words(attachments)
    return text.removesuffix(words).removesuffix("\n") if words and text.endswith(words) else text


def without_words(attachments: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """Those that are more than words: all but voice messages that were understood."""
    return tuple(a for a in attachments if not ((found := transcript_of(a)) and found.sure))


def _of(turn: Turn, inbounds: tuple[Inbound, ...]) -> Turn:
    return replace(turn, inbounds=inbounds)


def _words(text: str) -> str:
    """Law: what is said is no command, however it is written down."""
    return text.strip().lstrip("/\\").strip()
