"""A group that is gone without a word (VK tells nobody who was put out of a chat): the next send finds it
out.
"""

from __future__ import annotations

from pathlib import Path

from bot.config.loader import Config
from bot.errors import PeerGone
from bot.testing import open_test_bot


async def test_a_send_that_finds_no_group_brings_its_tickets_to_the_desk_of_all(articles: Path) -> None:
    """The customer's words that found nobody stand on the new card."""
    sections = {
        "teams": [
            {"name": "shop", "desk": {"channel": "telegram", "chat": "-100700"}, "channels": ["telegram"]}
        ]
    }
    async with open_test_bot(articles, config=Config.model_validate(sections)) as testbot:
        anna, channel = testbot.customer(), testbot.channels["telegram"]
        await anna.says("позовите оператора")
        assert channel.in_chat("-100700") and not channel.in_chat("-100500")
        await anna.says(
            "я жду"
        )  # told that it was added; what follows in the same minute goes to the group alone
        channel.failures.append(PeerGone("917"))
        await anna.says("вы меня слышите?")
        await anna.says("ау")
        await testbot.later(minutes=3)

        assert len(await testbot.service.store.events(kinds=["desk_lost"])) == 1
        cards = [s.outbound.text.text for s in channel.in_chat("-100500") if "Почему" in s.outbound.text.text]
        assert cards and "вы меня слышите?" in cards[-1]
