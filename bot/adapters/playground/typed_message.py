"""What somebody in front of the page typed."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Attachment


@dataclass(frozen=True, slots=True)
class TypedMessage:
    """The words, the message they answer, and the files sent with them."""

    text: str
    quotes: str = ""
    attachments: tuple[Attachment, ...] = ()
