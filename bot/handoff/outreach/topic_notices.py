"""A topic that customers ask about unusually often: told in the group once a rise, with a way to announce an
incident and one to hear no more of it today.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.handoff.outreach.order_replies import acknowledged, answer, by_whom, ordered
from bot.model import Button, Event, Outbound, OutboundKind, Outcome, Priority, Result, Turn
from bot.model.internal import TopicCalmed, TopicRise

if TYPE_CHECKING:
    from bot.handoff.desk_context import DeskContext

OPEN = (
    "topic_alarms"  # the setting with the rises that were told and are not over, written in the office alone
)
QUIET = "topic_quiet:"  # begins the settings that say until when a topic is not told of
UNANSWERED = "?"  # the topic of questions to which the base knows no answer
PRESSES = frozenset({"topic_incident", "topic_begin", "topic_quiet"})
HUSH = timedelta(hours=24)
TITLES = 8  # articles that an incident about the topic names


async def found(desk: DeskContext, turn: Turn, find: TopicRise | TopicCalmed) -> Outcome:
    """A topic has risen, or is asked about as usual again. What was told already is not told again."""
    source = desk.outreach.source
    told = json.loads(await source.setting(OPEN) or "{}")
    if (find.topic in told) is isinstance(find, TopicRise):
        return Outcome("desk", Result.IGNORED, "topic_known")
    if isinstance(find, TopicCalmed):
        kept = {topic: value for topic, value in told.items() if topic != find.topic}
        outcome = Outcome(
            "desk", Result.ANSWERED, "topic_calm", events=(Event("topic_calm", data={"topic": find.topic}),)
        )
        return replace(outcome, settings={OPEN: _json(kept)})
    until = await source.setting(QUIET + find.topic)
    hushed = until is not None and datetime.fromisoformat(until) > turn.now
    articles = [desk.outreach.title(a) for a in find.articles[:TITLES]]
    kept = {**told, find.topic: {"since": turn.now.isoformat(), "articles": articles}}
    outcome = Outcome("desk", Result.ANSWERED, "topic_rose") if hushed else _told(desk, turn, find)
    data = {"topic": find.topic, "count": find.count, "usual": find.usual}
    return replace(outcome, settings={OPEN: _json(kept)}, events=(Event("topic_rose", data=data),))


async def pressed(desk: DeskContext, turn: Turn, topic: str) -> Outcome:
    """The buttons under it: what to announce, announce it, and no more of it today."""
    action = turn.press.action if turn.press else ""
    if action == "topic_quiet":
        return _hushed(desk, turn, topic)
    told = json.loads(await desk.outreach.source.setting(OPEN) or "{}")
    named = told.get(topic, {}).get("articles", []) or ([topic] if topic != UNANSWERED else [])
    text = desk.texts.text("outreach.topic_incident_text", lang=desk.lang, topic=topic)
    if action == "topic_begin" and topic != UNANSWERED:
        return await desk.outreach.incidents(desk).begin(turn, text, named)
    label = desk.texts.text("outreach.button.topic_begin", lang=desk.lang)
    rows = ((Button(label, "topic_begin", topic),),) if topic != UNANSWERED else ()
    outcome = answer(
        desk,
        turn,
        "outreach.topic_incident",
        rows,
        text=text,
        words=", ".join(named),
        topic="" if topic == UNANSWERED else topic,
    )
    return replace(outcome, messages=(*acknowledged(desk, turn, "desk.done"), *outcome.messages))


def _told(desk: DeskContext, turn: Turn, find: TopicRise) -> Outcome:
    texts, lang = desk.texts, desk.lang
    rows = tuple(
        (Button(texts.text(f"outreach.button.{action}", lang=lang), action, find.topic),)
        for action in ("topic_incident", "topic_quiet")
    )
    return answer(
        desk,
        turn,
        "outreach.topic_rose",
        rows,
        _name(find.topic),
        topic="" if find.topic == UNANSWERED else find.topic,
        count=find.count,
        usual=round(find.usual),
        examples=find.examples,
    )


def _hushed(desk: DeskContext, turn: Turn, topic: str) -> Outcome:
    """Somebody has seen it: who, stands below the message, and its buttons go."""
    text = desk.texts.say(
        "outreach.topic_hushed",
        lang=desk.lang,
        topic="" if topic == UNANSWERED else topic,
        by=by_whom(turn),
    )
    edit = Outbound(
        turn.peer,
        text,
        kind=OutboundKind.EDIT,
        edits=_name(topic),
        priority=Priority.COSMETIC,
        author="",
    )
    return Outcome(
        "desk",
        Result.ANSWERED,
        "topic_quiet",
        (*acknowledged(desk, turn, "desk.done"), edit),
        settings={QUIET + topic: (turn.now + HUSH).isoformat()},
        events=(ordered(turn, "topic_quiet", topic=topic),),
    )


def _name(topic: str) -> str:
    return f"topic:{topic}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
