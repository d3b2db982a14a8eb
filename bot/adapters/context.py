"""What a message came with that is not its author's own words: somebody else's words, or what it answers."""

from __future__ import annotations

from typing import Literal

from bot.model import Attachment, Media

Kind = Literal[
    "forward",
    "reply",
    "quote",
    "external",
    "story",
    "comment",
    "letter",
    "unverified",
    "unreadable",
    "too_big",
    "page",
]
LONGEST_NAME = 128


def context_of(
    kind: Kind, channel: str, *, who: str = "", text: str = "", link: str = "", **more: object
) -> Attachment:
    """A context of a message. `label` is how it is shown where nobody knows contexts: each line is marked."""
    who = " ".join(who.split())[:LONGEST_NAME]
    told = " ".join(t for t in (who, link) if t)
    label = "\n".join(f"» {line}" for line in (told, *text.splitlines()) if line) or "»"
    data: dict[str, object] = {"context": kind, "label": label, "who": who, "text": text, "link": link}
    return Attachment(Media.OTHER, channel=channel, data={k: v for k, v in {**data, **more}.items() if v})
