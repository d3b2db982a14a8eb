"""Where a question stands: what older releases stored is understood, what a stage holds is stored whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.question_stage import (
    FAILURES,
    Answered,
    Clarifying,
    Idle,
    PersonOffered,
    Stage,
    Unanswered,
    answered,
    asked_which,
    clarified,
    interrupted,
    is_clarifying,
    may_clarify,
    needs_person,
    others_offered,
    repeated,
    unanswered,
)
from bot.model import Conversation, Inbound, InboundKind, Json, Sender, Turn
from bot.model.internal import OfferUnanswered
from tests.dialogs.talk import NOW, PEER, Talk

# states as the first release stored them, with nine flags, and the stage that each of them means
STORED: list[tuple[dict[str, object], Stage]] = [
    ({}, Idle()),
    ({"greeted": True, "earlier": ["cost", "time"]}, Idle()),
    ({"answered": True, "greeted": True}, Answered()),
    ({"last_article": "cost", "answered": True, "second": True, "spare": ["time"]}, Answered(second=True)),
    (
        {"candidates": ["cost", "time"], "clarified": True, "failures": 1},
        Clarifying(("cost", "time"), failures=1),
    ),
    (
        {"candidates": ["time"], "clarified": True, "answered": True, "failures": 1, "last_article": "cost"},
        Clarifying(("time",), lead=True, failures=1),
    ),
    (
        {"candidates": ["cost", "time"], "clarified": True, "missed": True, "failures": 2},
        Clarifying(("cost", "time"), missed=True, failures=2),
    ),
    ({"candidates": ["time"], "clarified": True, "second": True}, Clarifying(("time",), second=True)),
    ({"clarified": True, "failures": 1}, Clarifying(failures=1)),
    ({"offered": True}, PersonOffered()),
    ({"offered": True, "answered": True, "last_article": "cost"}, PersonOffered(Answered())),
    (
        {"offered": True, "candidates": ["cost", "time"], "clarified": True},
        PersonOffered(Clarifying(("cost", "time"))),
    ),
    ({"offered": True, "missed": True, "failures": 1}, Unanswered(1)),
    ({"offered": True, "missed": True, "answered": True}, Unanswered(0, Answered())),
]


def turn(state: Json) -> Turn:
    inbound = Inbound("1", PEER, Sender("77"), NOW, InboundKind.MESSAGE, "?")
    return Turn(1, Conversation(1, PEER, 1, state=state), (inbound,), NOW)


@pytest.mark.parametrize(("state", "stage"), STORED)
def test_a_state_of_the_first_release_is_understood(state: dict[str, object], stage: Stage) -> None:
    """The flags mean a stage, and the stage is stored as the same flags."""
    memory = DialogState.of(turn(state))
    stored = memory.now(turn(state), stage=memory.stage, earlier=memory.earlier, spare=memory.spare)

    assert memory.stage == stage
    assert stored == {**state, "greeted": True, "at": NOW.isoformat()}


async def test_a_conversation_of_the_first_release_goes_on() -> None:
    """A number chooses, "no" is no help, "yes" calls the person that was offered."""
    listed: dict[str, object] = {"candidates": ["cost", "time"], "clarified": True, "failures": 1}
    missed: dict[str, object] = {"offered": True, "missed": True, "failures": 1}
    told: dict[str, object] = {"last_article": "cost", "answered": True, "spare": ["time", "return"]}

    assert "Два дня." in await Talk(state=listed).says("2")
    assert "Сроки доставки" in await Talk(state=told).says("нет")
    assert await Talk(state={**told, "second": True}).says("нет") == "ticket: not_helped"
    assert await Talk(state=missed).says("да") == "ticket: asked"
    assert await Talk(state=missed).says("абракадабра полная") == "ticket: out_of_scope"


async def test_silence_after_the_offer_of_a_person_calls_one_only_while_the_question_is_missed() -> None:
    """Small talk between the offer and the silence settles it."""
    left, talked = Talk(), Talk()
    await left.says("абракадабра полная")
    await talked.says("абракадабра полная")
    await talked.says("спасибо")
    due = Inbound("9", PEER, Sender("77"), talked.now, InboundKind.INTERNAL, payload=OfferUnanswered())

    assert await left.does(due) == "ticket: no_answer"
    assert await talked.does(due) == ""


STEPS: list[Callable[[Stage], Stage]] = [
    lambda stage: Idle(),
    lambda stage: PersonOffered(),
    answered,
    asked_which,
    unanswered,
    repeated,
    lambda stage: clarified(stage, ("a", "b")),
    lambda stage: clarified(stage, ("b",), lead=True),
    lambda stage: others_offered(("c",)),
    partial(interrupted, person_offered=True),
    partial(interrupted, person_offered=False),
]


@given(st.lists(st.sampled_from(STEPS), max_size=8))
def test_every_stage_that_can_be_reached_is_stored_whole(steps: list[Callable[[Stage], Stage]]) -> None:
    """Stored and read again it is the same, whatever led to it."""
    stage: Stage = Idle()
    for step in steps:
        stage = step(stage)

    assert DialogState.of(turn(DialogState().now(turn({}), stage=stage))).stage == stage


def test_a_second_clarification_in_a_row_is_not_allowed() -> None:
    """Law: once, however the first one was interrupted; after so many failures none at all, but a person."""
    first = clarified(Idle(), ("a", "b"))
    failed: Stage = Idle()
    for _ in range(FAILURES):
        failed = asked_which(failed)

    assert may_clarify(Idle()) and may_clarify(answered(Idle()))
    assert not may_clarify(first) and not may_clarify(interrupted(first, person_offered=True))
    assert is_clarifying(failed) and not may_clarify(failed) and needs_person(failed)
    assert needs_person(unanswered(Idle())) and needs_person(repeated(unanswered(Idle())))
    assert not needs_person(interrupted(unanswered(Idle()), person_offered=True))
