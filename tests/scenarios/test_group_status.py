"""The operators' group changes under the bot's feet: noticed at once, said by name, and nothing of the
tickets is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.errors import PeerGone, Problem, Refused
from bot.model import InboundKind, OutboundKind, Peer
from bot.testing import OperatorsGroup, TestBot, open_test_bot
from bot.testing.harness import PLACE

NO_TOPICS = Problem("no right to manage topics", code="TG013")
KINDS = {"forum": (PLACE, True), "plain": (PLACE, False), "vk": (Peer("vk", "2000000005"), False)}
BOSS = Config.model_validate({"routing": {"supervisors": ["telegram:7000"]}})


@pytest.fixture(params=KINDS)
async def desk(request: pytest.FixtureRequest, articles: Path) -> AsyncIterator[TestBot]:
    """A service with each kind of desk."""
    place, forum = KINDS[request.param]
    async with open_test_bot(articles, desk=OperatorsGroup(forum=forum, place=place), config=BOSS) as opened:
        yield opened


def group(testbot: TestBot) -> list[str]:
    """What was said in the operators' group, with the heading where it has no thread of its own."""
    said = testbot.channels[testbot.place.channel].in_chat(testbot.place.chat)
    return [f"{s.outbound.heading.text} {s.outbound.text.text}" for s in said]


def boss(testbot: TestBot) -> list[str]:
    return [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("7000")]


async def rounds(testbot: TestBot, seconds: int = 60) -> None:
    """So much time, with a round every twenty seconds, as the service goes them."""
    for _ in range(seconds // 20):
        await testbot.later(seconds=14)  # rest takes six more


async def test_without_the_right_to_topics_tickets_come_to_general(testbot: TestBot) -> None:
    """The right is taken away: the ticket is shown at once in General and can be worked on there; the right
    is named with the mending step.
    """
    channel, olga = testbot.channels["telegram"], testbot.operator()
    channel.problems = (NO_TOPICS,)
    anna = testbot.customer()
    await anna.says("позовите оператора")
    cards = [s for s in channel.in_chat(PLACE.chat) if s.outbound.name == "card:1"]
    assert len(cards) == 1 and not cards[0].outbound.to.thread
    await rounds(testbot)
    assert sum("Управление темами" in text for text in group(testbot)) == 1
    await olga.presses("Взять")
    await anna.says("вы тут?")
    assert any("№1" in text and "вы тут?" in text for text in group(testbot))
    await olga.says(
        "Тут",
        quotes=next(s.message for s in channel.in_chat(PLACE.chat) if s.outbound.text.text == "вы тут?"),
    )

    assert "Тут" in anna.hears()


async def test_the_right_given_back_brings_the_topics_within_a_minute(testbot: TestBot) -> None:
    """What was shown in General gets its topic, the card with the talk first."""
    channel, olga = testbot.channels["telegram"], testbot.operator()
    channel.problems = (NO_TOPICS,)
    await testbot.customer().says("позовите оператора")
    await rounds(testbot)
    channel.problems = ()
    await rounds(testbot)

    shown = [o for o in await olga.sees(1) if o.kind is OutboundKind.SAY]
    assert await olga.thread(1) and shown[0].name == "card:1" and "позовите оператора" in shown[0].text.text
    assert sum("Права на месте" in text for text in group(testbot)) == 1


async def test_a_change_of_rights_is_answered_at_once_and_by_name(testbot: TestBot) -> None:
    """Telegram tells of it: no "all is well" while something lacks, and no word where nothing changed."""
    olga = testbot.operator()
    data = {"before": "administrator", "status": "administrator", "forum": True}
    for problems, said in (
        ((), ""),
        ((NO_TOPICS,), "Управление темами"),
        ((NO_TOPICS,), ""),
        ((), "Права на месте"),
    ):
        before = len(group(testbot))
        testbot.channels["telegram"].problems = problems
        await testbot.arrive(olga.inbound(PLACE, InboundKind.ADDED, private=False, data=data))
        new = group(testbot)[before:]
        assert (len(new), all(said in text for text in new)) == (int(bool(said)), True)


async def test_topics_switched_off_and_on(testbot: TestBot) -> None:
    """In a running group: off, the ticket goes on in the chat itself; on, it has a topic again.

    Not a word is lost.
    """
    channel, olga, anna = testbot.channels["telegram"], testbot.operator(), testbot.customer()
    await rounds(testbot, 20)
    await anna.says("позовите оператора")
    channel.forum = False
    await anna.says("раз")
    assert any("№1" in text and "раз" in text for text in group(testbot))
    await rounds(testbot)
    assert any("Темы выключены" in text for text in group(testbot))
    channel.forum = True
    await rounds(testbot)
    await anna.says("два")

    shown = [o.text.text for o in await olga.sees(1) if o.kind is OutboundKind.SAY]
    assert "раз" in shown[0] and shown[-1] == "два"


async def test_the_only_group_lost_and_found(desk: TestBot) -> None:
    """Put out without a word: the supervisor hears it within a minute; back, every ticket is shown within a
    minute, with what was said meanwhile.
    """
    channel, anna = desk.channels[desk.place.channel], desk.customer()
    await anna.says("позовите оператора")
    await rounds(desk)
    channel.lost.add(desk.place.chat)
    await rounds(desk)
    assert sum("больше нет в группе" in text for text in boss(desk)) == 1
    await anna.says("вы меня слышите?")
    await desk.customer("Борис", chat="1002").says("позовите оператора")
    await rounds(desk, 240)
    assert sum("больше нет в группе" in text for text in boss(desk)) == 1
    channel.lost.clear()
    before = len(group(desk))
    await rounds(desk)

    new = "\n".join(group(desk)[before:])
    assert "Я на месте" in new and "вы меня слышите?" in new and "№2" in new


async def test_where_no_supervisor_is_named_the_operators_hear_it(articles: Path) -> None:
    """Nobody in the config: those who worked there are told in private."""
    async with open_test_bot(articles) as testbot:
        await testbot.customer().says("позовите оператора")
        await testbot.operator().says("/take", ticket=1)
        testbot.channels["telegram"].lost.add(PLACE.chat)
        await rounds(testbot)

        assert any(
            "больше нет в группе" in s.outbound.text.text
            for s in testbot.channels["telegram"].in_chat("9001")
        )


async def test_another_group_adds_the_bot(desk: TestBot) -> None:
    """The desk hears of it, tickets stay, and a stranger who owns that group cannot take them away."""
    channel = desk.channels[desk.place.channel]
    stranger, other = desk.operator("Чужой", id="6666"), Peer(desk.place.channel, "-100999")
    channel.members = {"6666": "administrator", f"{desk.place.chat}:6666": "none"}
    await desk.arrive(
        stranger.inbound(
            other,
            InboundKind.ADDED,
            private=False,
            data={"before": "left", "status": "administrator", "title": "Моя"},
        )
    )
    assert any("Чужой" in text and "Моя" in text for text in group(desk))
    offer = channel.in_chat("-100999")[-1]
    from bot.button_tokens import token

    await desk.arrive(
        stranger.inbound(
            other, InboundKind.PRESS, private=False, press=token(offer.nonce, 0, 0), callback="c"
        )
    )

    assert desk.service.desk.context.places.binding.place == desk.place


async def test_words_in_the_old_topic_after_the_desk_moved(desk: TestBot) -> None:
    """An operator of the old group hears that the customer does not get them, each time she writes about a
    ticket.
    """
    channel, olga, other = (
        desk.channels[desk.place.channel],
        desk.operator(),
        Peer(desk.place.channel, "-100999"),
    )
    channel.members = {"9001": "administrator"}
    anna = desk.customer()
    await anna.says("позовите оператора")
    await olga.says("/take", ticket=1, quotes=channel.in_chat(desk.place.chat)[-1].message)
    await desk.arrive(
        olga.inbound(
            other, InboundKind.ADDED, private=False, data={"before": "left", "status": "administrator"}
        )
    )
    offer = channel.in_chat("-100999")[-1]
    from bot.button_tokens import token

    await desk.arrive(
        olga.inbound(other, InboundKind.PRESS, private=False, press=token(offer.nonce, 0, 0), callback="c")
    )
    assert desk.service.desk.context.places.binding.place == other
    card = next(s.message for s in channel.in_chat(desk.place.chat) if s.outbound.name == "card:1")
    before = len(group(desk))
    await olga.says("уже смотрю", ticket=1, quotes=card)

    assert any("№1" in text and "не отправлено" in text for text in group(desk)[before:])
    assert "уже смотрю" not in anna.hears()


async def test_a_restart_says_nothing_twice(articles: Path, tmp_path: Path) -> None:
    """What lacked and was said is known after it."""
    said = 0
    for _ in range(2):
        async with open_test_bot(articles, storage=str(tmp_path / "bot.db")) as testbot:
            testbot.channels["telegram"].problems = (NO_TOPICS,)
            await rounds(testbot)
            said += sum("Управление темами" in text for text in group(testbot))

    assert said == 1


async def test_a_group_that_may_not_be_written_to(testbot: TestBot) -> None:
    """A card that was refused stands there once the right is back."""
    channel = testbot.channels["telegram"]
    channel.failures.extend([None, None, Refused("not enough rights to send text messages to the chat")])
    channel.problems = (Problem("may not write", code="TG016"),)
    await rounds(testbot, 20)
    channel.failures.clear()
    channel.failures.extend([None, None, Refused("not enough rights to send text messages to the chat")])
    await testbot.customer().says("позовите оператора")
    assert not [s for s in channel.in_chat(PLACE.chat) if s.outbound.name == "card:1"]
    channel.problems = ()
    await rounds(testbot)

    assert [s for s in channel.in_chat(PLACE.chat) if s.outbound.name == "card:1"]


async def test_a_vk_chat_that_does_not_say_whether_we_are_in_it(articles: Path) -> None:
    """VK answers the same to a community without rights and to one put out: refused words count, and nobody
    is told every minute.
    """
    async with open_test_bot(articles, desk=OperatorsGroup(place=KINDS["vk"][0]), config=BOSS) as testbot:
        channel, anna = testbot.channels["vk"], testbot.customer()
        channel.problems = (Problem("no rights", code="vk-chat-rights"),)
        await anna.says("позовите оператора")
        await rounds(testbot)
        channel.failures.append(PeerGone("917"))
        await anna.says("ау")
        await rounds(testbot, 300)

        assert sum("больше нет в группе" in text for text in boss(testbot)) == 1
        assert len(await testbot.service.store.events(kinds=["desk_found"])) == 0
        await rounds(testbot, 600)
        assert any("ау" in text for text in group(testbot)), "tried again later, it is all there"
