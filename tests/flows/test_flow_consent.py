"""Before a flow asks for what is personal the customer is asked for consent; a no is no hindrance."""

from __future__ import annotations

from bot.testing import TestBot
from tests.flows.conftest import OpenedFlows

FITTING = """
title: Запись
start: {words: [записаться на примерку]}
steps:
  - {id: phone, ask: Ваш телефон?, type: phone, field: phone}
  - {id: day, ask: Когда?, type: date}
  - end: "Записал на {{ day }}{{ ', ' ~ phone if phone }}."
"""
TERMS = {"policy": "https://shop.example.com/privacy", "version": "2"}


async def events(testbot: TestBot, *kinds: str) -> list[str]:
    return [event.kind for event in await testbot.store.events(kinds=kinds)]


async def test_consent_is_asked_before_a_phone_and_kept(opened: OpenedFlows) -> None:
    """Once: the next flow asks for nothing but what it needs."""
    async with opened(FITTING, consent=TERMS) as (testbot, _):
        anna = testbot.customer(channel="vk")
        await anna.says("записаться на примерку")
        (notice,) = anna.sees()
        urls = [b.url for row in notice.outbound.buttons for b in row if b.url]
        assert "Ваш телефон?" not in notice.outbound.text.text and urls == [TERMS["policy"]]
        await anna.says("да")
        assert anna.hears()[0].startswith("Ваш телефон?")
        await anna.says("8 912 345-67-89")
        await anna.says("25.12")
        assert anna.hears() == ["Записал на 2026-12-25, +79123456789."]
        assert await events(testbot, "consent_given", "consent_refused") == ["consent_given"]
        await anna.says("записаться на примерку")

        assert anna.hears()[0].startswith("Когда?")


async def test_a_no_leaves_the_personal_question_out(opened: OpenedFlows) -> None:
    """By the button; the flow goes on without it."""
    async with opened(FITTING, consent=TERMS) as (testbot, _):
        anna = testbot.customer()
        await anna.says("записаться на примерку, мой телефон 8 912 345-67-89")
        row = anna.sees()[-1].outbound.buttons[0]
        await anna.presses(row[1].label)
        assert anna.hears()[0].startswith("Когда?")
        await anna.says("25.12")

        assert anna.hears() == ["Записал на 2026-12-25."]
        customer = await testbot.store.customer(1)
        assert customer is not None and "phone" not in customer.fields
        assert await events(testbot, "consent_given", "consent_refused") == ["consent_refused"]


async def test_who_says_neither_is_not_held_up(opened: OpenedFlows) -> None:
    """Asked once more, then the question is left out, and nothing is on record."""
    async with opened(FITTING, consent=TERMS) as (testbot, _):
        anna = testbot.customer()
        await anna.says("записаться на примерку")
        first = anna.hears()
        await anna.says("хм")
        assert anna.hears() == first
        await anna.says("хм")

        assert anna.hears()[0].startswith("Когда?")
        assert await events(testbot, "consent_given", "consent_refused") == []


async def test_what_is_said_after_the_withdrawal_needs_another_yes(opened: OpenedFlows) -> None:
    """The flow had asked for the phone before."""
    async with opened(FITTING, consent=TERMS) as (testbot, _):
        anna = testbot.customer()
        for words in ("записаться на примерку", "да", "отзываю согласие", "8 912 345-67-89"):
            await anna.says(words)
        customer = await testbot.store.customer(1)
        assert customer is not None and "phone" not in customer.fields
        for words in ("да", "8 912 345-67-89", "25.12"):
            await anna.says(words)
        assert anna.hears() == ["Записал на 2026-12-25, +79123456789."]
