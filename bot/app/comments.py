"""What comments of a community are answered with, around the dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bot.app.service_parts import ServiceParts
from bot.config.channels import Channel, VkChannel
from bot.dialogs.comments import SPOKEN, CommentContext, CommentDialog, CommentRules
from bot.dialogs.incident_notice import Banner
from bot.handoff.comment_moderation import flagged
from bot.handoff.desk import Desk
from bot.knowledge.query.intents import read_act
from bot.model import Event


def open_comments(parts: ServiceParts, desk: Desk, banner: Banner) -> CommentDialog:
    """The dialog of comments; what is said in private goes on to *banner*."""

    async def recent(since: datetime) -> Sequence[Event]:
        return await parts.store.events(since=since, kinds=(SPOKEN,))

    rules = {n: r for n, c in parts.config.channels.items() if (r := _rules(c)) is not None}
    flag = partial(flagged, desk.context)
    tools = CommentContext(parts.texts, read_act, parts.knowledge, desk.escalate, flag, recent)
    return CommentDialog(banner, tools, rules)


def _rules(channel: Channel) -> CommentRules | None:
    """What a channel wants of comments; None where it watches none."""
    wanted = channel.comments if isinstance(channel, VkChannel) else None
    return CommentRules(wanted.length, wanted.per_post, wanted.answer) if wanted is not None else None
