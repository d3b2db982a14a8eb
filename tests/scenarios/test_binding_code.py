"""A group becomes the operators' by the code that the owner's set-up page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.handoff.binding_code import CODE_SETTING, new_code
from bot.model import InboundKind, Peer
from bot.testing import TestBot, open_test_bot

OTHER = Peer("telegram", "-100777")


def in_other(testbot: TestBot) -> list[str]:
    return [o.outbound.text.text for o in testbot.channels["telegram"].in_chat(OTHER.chat)]


async def sends(testbot: TestBot, text: str, place: Peer = OTHER) -> None:
    """Somebody who is nobody's administrator writes in a group."""
    anyone = testbot.operator("Пётр", id="7001")
    testbot.channels["telegram"].members["7001"] = "member"
    await testbot.arrive(anyone.inbound(place, InboundKind.MESSAGE, text, private=False))


async def test_the_code_makes_a_group_the_desk_and_shows_what_waits(articles: Path) -> None:
    """Whoever sends it, by hand or by the link that adds the bot; who waited until then is shown at once."""
    async with open_test_bot(articles, desk=None) as testbot:
        await testbot.customer().says("позовите оператора")
        code = (await new_code(testbot.store, testbot.clock())).code
        await sends(testbot, f"/start@shop_bot {code.upper()}")

        assert testbot.service.desk.context.places.binding.place == OTHER
        said = "\n".join(in_other(testbot))
        assert "обращения будут приходить сюда" in said and "№1" in said
        assert await testbot.store.setting(CODE_SETTING) is None


async def test_a_code_holds_once_and_for_half_an_hour(testbot: TestBot) -> None:
    """An old one, a used one and a wrong one change nothing, and say where to get another."""
    before = testbot.service.desk.context.places.binding.place
    old = await new_code(testbot.store, testbot.clock())
    testbot.clock.advance(minutes=31)
    await sends(testbot, f"/bind {old.code}")
    for wrong in ("/bind", "/bind 1", "/bind abcdefgh"):
        await sends(testbot, wrong)
    assert testbot.service.desk.context.places.binding.place == before
    assert sum("Код не подошёл" in text for text in in_other(testbot)) == 4
    code = (await new_code(testbot.store, testbot.clock())).code
    await sends(testbot, f"/bind {code}")
    await sends(testbot, f"/bind {code}", Peer("telegram", "-100888"))
    assert testbot.service.desk.context.places.binding.place == OTHER


@pytest.mark.parametrize("text", ["/start", "/start promo", "привет", "/binding abcdefgh", "bind abcdefgh"])
async def test_what_is_no_code_is_not_answered(testbot: TestBot, text: str) -> None:
    await new_code(testbot.store, testbot.clock())
    await sends(testbot, text)
    assert in_other(testbot) == []


async def test_a_code_in_private_is_a_customers_word(testbot: TestBot) -> None:
    """It chooses nothing: customers write there."""
    before = testbot.service.desk.context.places.binding.place
    code = (await new_code(testbot.store, testbot.clock())).code
    await testbot.customer().says(f"/bind {code}")
    assert testbot.service.desk.context.places.binding.place == before
