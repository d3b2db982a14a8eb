"""What supervisors see of the follow-up sequences, stop, let go on, and try on themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.config.sequences import SequenceSettings
from bot.handoff.desk_context import DeskContext
from bot.handoff.outreach.order_replies import answer, answers_to, by_whom, ordered
from bot.handoff.outreach.sequences import STOPPED
from bot.i18n.texts import Texts
from bot.model import Button, Customer, Outbound, Outcome, Priority, RichText, Turn
from bot.text.markdown import to_rich

STOP, START, TEST = "sequence_stop", "sequence_start", "sequence_test"
PRESSES = frozenset({STOP, START, TEST})


def words(
    texts: Texts, rules: SequenceSettings, step: int, customer: Customer | None, language: str, now: datetime
) -> RichText:
    """A step as this customer reads it; empty where nothing is left of it."""
    return to_rich(texts.personal(rules.steps[step].said(language), customer, lang=language, now=now).strip())


async def with_sequences(desk: DeskContext, turn: Turn, listed: Outcome) -> Outcome:
    """The list of low scores, and below it how the sequences are."""
    known, figures = desk.outreach.sequences.known, await desk.outreach.sequences.figures(turn.now)
    if not known or answers_to(desk, turn) is None:
        return listed
    stopped = {name: await desk.ticket_reader.setting(STOPPED + name) for name in known}
    rows = [
        {
            "name": name,
            "title": rules.title or name,
            "steps": len(rules.steps),
            "stopped": stopped[name],
            "figures": figures[name],
        }
        for name, rules in known.items()
    ]
    buttons = [
        (_button(desk, START if stopped[name] else STOP, name, rules), _button(desk, TEST, name, rules))
        for name, rules in known.items()
    ]
    told = answer(desk, turn, "sequence.listed", tuple(buttons), rows=rows)
    return replace(listed, messages=(*listed.messages, *told.messages))


async def command(desk: DeskContext, turn: Turn, rest: str) -> Outcome | None:
    """/followups stop NAME, start NAME, test NAME; None = none of these."""
    word, _, name = rest.strip().partition(" ")
    for action in PRESSES:
        if word.casefold() in {w.casefold() for w in desk.texts.options(f"sequence.word.{action}")}:
            return await pressed(desk, turn, action, name.strip())
    return None


async def pressed(desk: DeskContext, turn: Turn, action: str, name: str) -> Outcome:
    """One of the sequences is stopped, goes on, or is shown to whoever asks."""
    known = desk.outreach.sequences.known
    rules = known.get(name) or next((r for r in known.values() if name and r.title == name), None)
    if rules is None:
        return answer(desk, turn, "sequence.unknown", name=name, known=list(known))
    name = next(key for key, value in known.items() if value is rules)
    if action == TEST:
        return _tried(desk, turn, name, rules)
    value = by_whom(turn) if action == STOP else None
    key = "sequence.stopped" if action == STOP else "sequence.goes_on"
    done = answer(desk, turn, key, title=_title(name, rules))
    event = ordered(turn, "sequence_stopped" if action == STOP else "sequence_resumed", number=name)
    return replace(done, settings={STOPPED + name: value}, events=(*done.events, event))


def _tried(desk: DeskContext, turn: Turn, name: str, rules: SequenceSettings) -> Outcome:
    """Every step as a customer of this name would get it; nobody else does."""
    head = answer(desk, turn, "sequence.tried", title=_title(name, rules), steps=_steps(rules))
    to = answers_to(desk, turn)
    if to is None:
        return head
    somebody = Customer(0, turn.inbounds[0].sender.name, language=desk.lang)
    stop = Button(desk.texts.text("outreach.stop", lang=desk.lang), "sequence_shown", name)
    shown = [
        Outbound(to, text, ((stop,),), author="", priority=Priority.NOTICE)
        for n in range(len(rules.steps))
        if (text := words(desk.texts, rules, n, somebody, desk.lang, turn.now))
    ]
    return replace(head, messages=(*head.messages, *shown))


def _steps(rules: SequenceSettings) -> list[Mapping[str, object]]:
    return [{"after": step.after, "unless": list(step.unless)} for step in rules.steps]


def _title(name: str, rules: SequenceSettings) -> str:
    return rules.title or name


def _button(desk: DeskContext, action: str, name: str, rules: SequenceSettings) -> Button:
    label = desk.texts.text(f"sequence.button.{action}", lang=desk.lang, title=_title(name, rules))
    return Button(label, action, name)
