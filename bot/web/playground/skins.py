"""An article as a chat would show it: the enqueued messages in the form that the page's script draws, text as
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.adapters.playground.view import ShownMessage
from bot.adapters.rich_text import degrade
from bot.article_preview import SKINS, STYLES, preview
from bot.dialogs.protocols import KnowledgeSource
from bot.i18n.texts import Texts
from bot.model import Json, Outbound, Rows
from bot.text.graphemes import shorten


def skins(
    texts: Texts, knowledge: KnowledgeSource, article: str, now: datetime, language: str = ""
) -> dict[str, list[Json]]:
    """For each skin the messages in order: the answer, then (after the press of its button) the rest; to a
    customer of the *language*, "" = the article's own.
    """
    found: dict[str, list[Json]] = {}
    for skin in SKINS:
        made = preview(texts, knowledge, article, skin=skin, now=now, language=language)
        if made is None:
            continue
        found[skin] = _drawn(made.answer, skin, now, 1)
        if made.more:
            label = next(
                (b.label for o in made.answer for row in o.buttons for b in row if b.action == "more"), ""
            )
            press = ShownMessage("press", "customer", now, press=label).as_json(skin)
            found[skin] += [press, *_drawn(made.more, skin, now, 1 + len(made.answer))]
    return found


def _drawn(enqueued: Sequence[Outbound], skin: str, now: datetime, first: int) -> list[Json]:
    limit = SKINS[skin].label
    return [
        ShownMessage(
            f"p{n}",
            "bot",
            now,
            text=degrade(o.text, STYLES[skin]),
            buttons=_cut(o.buttons, limit),
            attachments=o.attachments,
            nonce=n,
        ).as_json(skin)
        for n, o in enumerate(enqueued, first)
    ]


def _cut(rows: Rows, limit: int) -> Rows:
    """Labels as the channel would cut them."""
    return tuple(tuple(replace(b, label=shorten(b.label, limit)) for b in row) for row in rows)
