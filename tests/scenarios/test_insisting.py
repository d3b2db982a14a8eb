"""Who waits and calls again: the desk hears it once and loudly, not as a post for each call; they are never
met with silence.
"""

from __future__ import annotations

from bot.testing import TestBot


async def test_ten_calls_in_a_row_cost_the_desk_little(any_testbot: TestBot) -> None:
    """The same word again tells nobody anything; a question between them does."""
    anna = any_testbot.customer()
    await anna.says("позовите оператора")
    posts = len(any_testbot.desk_posts())
    for n in range(10):
        await anna.says("оператор")
        if n == 7:
            await anna.says("заказ 12345, где он?")
    said = [o.text.text for o in any_testbot.desk_posts(posts)]

    assert len(said) <= 4 and any("12345" in text for text in said)
    history = await any_testbot.service.store.history(1, limit=50)
    assert sum(line.author == "customer" and line.text == "оператор" for line in history) == 10


async def test_who_grows_impatient_is_heard_and_called_for_once(any_testbot: TestBot) -> None:
    """A short sign each time, and the ticket is said aloud once, with the button that takes it."""
    anna = any_testbot.customer()
    await anna.says("позовите оператора")
    await any_testbot.later(minutes=5)
    posts = len(any_testbot.desk_posts())
    for _ in range(3):
        await anna.says("ответьте!!!")
        assert anna.hears(), "silence"
        await any_testbot.later(minutes=2)
    loud = [o for o in any_testbot.desk_posts(posts) if "зовёт ещё раз" in o.text.text]

    assert len(loud) == 1 and [b.action for row in loud[0].buttons for b in row] == ["take"]
