"""How supervisors start a mystery customer from their own chat with the bot, where no operator reads."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.desk_context import DeskContext
from bot.handoff.mystery.player import ENDED, KNOWN, STARTED, runs_of, start
from bot.handoff.mystery.scenario import Scenario
from bot.handoff.operators.replies import notice
from bot.model import Button, Outbound, Outcome, Priority, Result, RichText, Turn

MOST = 10  # buttons of one post: VK puts no more under it


async def mystery(desk: DeskContext, turn: Turn, rest: str) -> Outcome:
    """/mystery: what can be played and what is going on; /mystery NAME starts one."""
    if not turn.inbounds[0].private:
        return notice(desk, turn, "mystery.only_private")
    if not desk.rules.quality.mystery:
        return _told(desk, turn, desk.texts.say("mystery.off", lang=desk.lang))
    if rest.strip():
        found = desk.rules.scenarios.named(rest)
        return _started(desk, turn, found) if found else _told(desk, turn, _unknown(desk))
    events = await desk.ticket_reader.events(since=turn.now - KNOWN, kinds=(STARTED, ENDED))
    known = desk.rules.scenarios.known
    going = [known[run.scenario].title for run, over in runs_of(events) if not over and run.scenario in known]
    text = desk.texts.say("mystery.list", lang=desk.lang, going=going)
    buttons = tuple((Button(s.title, "mystery_start", s.name),) for s in list(known.values())[:MOST])
    told = _told(desk, turn, text)
    return replace(told, messages=(replace(told.messages[0], buttons=buttons),))


async def pressed(desk: DeskContext, turn: Turn, value: str) -> Outcome:
    """The button of a scenario."""
    found = desk.rules.scenarios.known.get(value)
    if found is None or not desk.rules.quality.mystery or not turn.inbounds[0].private:
        return notice(desk, turn, "desk.old_button")
    return _started(desk, turn, found)


def _started(desk: DeskContext, turn: Turn, scenario: Scenario) -> Outcome:
    name = scenario.customer or desk.texts.text("mystery.customer", lang=desk.lang)
    event = start(f"m{turn.id}", scenario.name, name, turn.actor, turn.now)
    text = desk.texts.say(
        "mystery.started", lang=desk.lang, title=scenario.title, name=name, expects=scenario.expects
    )
    told = _told(desk, turn, text)
    acknowledged = notice(desk, turn, "desk.done").messages if turn.inbounds[0].callback else ()
    messages = (*acknowledged, *told.messages)
    return replace(told, reason="mystery_started", messages=messages, events=(event,))


def _unknown(desk: DeskContext) -> RichText:
    titles = [s.title for s in desk.rules.scenarios.known.values()]
    return desk.texts.say("mystery.unknown", lang=desk.lang, titles=titles)


def _told(desk: DeskContext, turn: Turn, text: RichText) -> Outcome:
    said = Outbound(turn.peer, text, author="", priority=Priority.NOTICE)
    return Outcome("desk", Result.ANSWERED, "mystery", (said,))
