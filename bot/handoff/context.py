"""The context of a customer's message in words: who said what, each line that is not the customer's own
marked.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n.texts import Texts
from bot.model import Attachment, Turn
from bot.text.graphemes import shorten

REPLY_LENGTH = 300  # characters of a whole message that is answered: operators can find the rest
# they tell what the words belong to or how they came, and are nothing by themselves
ANSWERED = frozenset({"reply", "quote", "letter", "unverified", "too_big", "page"})


def is_context(attachment: Attachment) -> bool:
    return bool(attachment.data.get("context"))


def brings_words(context: Sequence[Attachment]) -> bool:
    """Whether something came along that a person would look at, not only what is answered."""
    return any(c.data.get("context") not in ANSWERED for c in context)


def shown(context: Sequence[Attachment], texts: Texts, lang: str, *, most: int = 0) -> str:
    """All of *context* (of each text at most *most* characters, 0 = all of it), "" where there is none."""
    return "\n".join(_shown(c, texts, lang, most) for c in context)


def marked_lines(text: str) -> str:
    """Words of somebody else, each line marked.

    >>> marked_lines("one\\ntwo")
    '» one\\n» two'
    """
    return "\n".join(f"» {line}" for line in text.splitlines())


def quoted_part(turn: Turn) -> str:
    """The part of the customer's words that the operator answers; "" where they quote anything else."""
    theirs = [line.text for line in turn.history if line.author == "customer"]
    for inbound, quoted in zip(turn.inbounds, turn.quoted, strict=False):
        if quoted is None or not quoted.mirror_of:
            continue
        for context in (c for c in inbound.context if c.data.get("context") == "quote"):
            part = str(context.data.get("text", "")).strip()
            if part and any(
                part in text for text in theirs
            ):  # law: nothing of the desk's goes out by a quote
                return part
    return ""


def _shown(context: Attachment, texts: Texts, lang: str, most: int) -> str:
    data = context.data
    kind, text = str(data.get("context")), str(data.get("text", "")).strip()
    most = most or (REPLY_LENGTH if kind == "reply" else 0)
    text = shorten(text, most) if most else text
    facts = {k: str(data.get(k, "")) for k in ("who", "link")}
    head = texts.text(f"context.{kind}", lang=lang, ours=bool(data.get("ours")), **facts)
    return f"{head}\n{marked_lines(text)}" if text else head
