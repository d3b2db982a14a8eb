"""/away with open tickets: what a customer already waits for goes to somebody who is there, at once."""

from __future__ import annotations

import pytest

from bot.testing import TestBot


async def taken(testbot: TestBot, *words: str) -> None:
    """Anna's ticket, taken by Olga, who wrote such words."""
    await testbot.customer().says("позовите оператора")
    olga = testbot.operator()
    await olga.presses("Взять")
    for text in words:
        group = testbot.channels[testbot.place.channel]
        card = next(s for s in group.in_chat(testbot.place.chat) if s.outbound.name == "card:1")
        await olga.says(text, ticket=1, quotes=card.message)


@pytest.mark.parametrize(
    ("before", "after"),
    [((), ""), (("Здравствуйте",), "а где мой возврат?")],
    ids=["taken and not answered", "answered, and asked again"],
)
async def test_words_that_wait_for_an_answer_go_to_the_others_at_once(
    any_testbot: TestBot,
    before: tuple[str, ...],
    after: str,
) -> None:
    """Said where everybody sees it, with the button that takes it; nobody waits for a deadline."""
    await taken(any_testbot, *before)
    if after:
        await any_testbot.customer().says(after)
    posts = len(any_testbot.desk_posts())
    await any_testbot.operator().says("/away")
    ticket = await any_testbot.service.store.ticket(1)
    loud = [o for o in any_testbot.desk_posts(posts) if "нет на месте" in o.text.text]

    assert ticket is not None and ticket.status == "waiting" and not ticket.operator
    assert len(loud) == 1 and [b.action for row in loud[0].buttons for b in row] == ["take"]


async def test_what_is_answered_stays_with_its_operator(any_testbot: TestBot) -> None:
    """Nobody waits for anything: it is hers when she is back."""
    await taken(any_testbot, "Здравствуйте, всё готово")
    await any_testbot.operator().says("/away")
    ticket = await any_testbot.service.store.ticket(1)

    assert ticket is not None and ticket.operator.endswith(":9001")


async def test_back_at_once_nothing_is_taken_away(any_testbot: TestBot) -> None:
    """/away and /back in one go."""
    await taken(any_testbot)
    olga = any_testbot.operator()
    await olga.says("/away", run=False)
    await olga.says("/back")
    ticket = await any_testbot.service.store.ticket(1)

    assert ticket is not None and ticket.operator.endswith(":9001")
