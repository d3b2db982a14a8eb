"""What is said in a voice message counts as words where it was understood, and is heard by a person where it
was not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.model import Attachment, InboundKind, Media, Turn
from bot.testing import OperatorsGroup, TestBot, open_test_bot
from bot.testing.harness import PLACE, PlayedCustomer
from bot.text.transcripts import PLATFORM, Transcript, transcript_of
from tests.fakes.transcription_server import KEY, FakeTranscription, answer_of, fake_transcription

VOICE = Attachment(Media.VOICE, "voice-1", "telegram", "voice.ogg", "audio/ogg", 5_000, 4)
NOTE = Attachment(Media.VIDEO_NOTE, "note-1", "telegram", "", "video/mp4", 50_000, 6)
DELIVERY = "Сколько идёт доставка?"
CANNOT_HEAR, UNCLEAR = "слушать голосовые", "Не получилось разобрать"


@pytest.fixture
async def server() -> AsyncIterator[FakeTranscription]:
    async with fake_transcription() as fake:
        fake.answers = [DELIVERY]
        yield fake


@asynccontextmanager
async def listening(
    articles: Path, server: FakeTranscription | None, *, forum: bool = True, storage: str = "", **keys: object
) -> AsyncIterator[TestBot]:
    own = {"engine": "openai", "address": server.address, "key": KEY} if server else {"engine": "platform"}
    config = Config.model_validate({"voice": {**own, "deadline": 2, **keys}})
    group = OperatorsGroup(PLACE, forum)
    async with open_test_bot(articles, config=config, desk=group, storage=storage, threads=False) as testbot:
        yield testbot


async def says_aloud(who: PlayedCustomer, *attachments: Attachment, run: bool = True) -> None:
    await who.says(attachments=attachments or (VOICE,), run=run)


async def test_what_is_said_is_answered_like_words(articles: Path, server: FakeTranscription) -> None:
    """Searched, answered, and kept with the audio: history, turn and event know it, and no word is in the
    event.
    """
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna)

        assert any("3–5 дней" in text for text in anna.hears())
        (line, *_) = await testbot.store.history(1)
        assert line.text == DELIVERY
        assert transcript_of(line.attachments[0]) == Transcript(DELIVERY, True, "openai")
        (turn,) = await testbot.store.turns()
        assert turn.text == DELIVERY and turn.result == "answered"
        events = [e for e in await testbot.store.events() if e.kind == "voice_transcribed"]
        assert [e.data for e in events] == [{"sure": True, "by": "openai", "seconds": 4}]
    sent = server.heard[0]
    assert sent["file"] == b"content of voice-1" and sent["name"] == "voice.ogg"


async def test_without_an_engine_all_is_as_before(testbot: TestBot) -> None:
    """Nobody listens, and a person is offered who will."""
    anna = testbot.customer()
    await says_aloud(anna)

    assert CANNOT_HEAR in anna.hears()[0]
    (line, *_) = await testbot.store.history(1)
    assert line.text == "" and line.attachments == (VOICE,)


async def test_a_burst_of_voices_and_words_is_one_turn_in_order(
    articles: Path, server: FakeTranscription
) -> None:
    """Said and written belong together; a video note counts, too."""
    server.answers = ["Здравствуйте", "сколько идёт доставка"]
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna, VOICE, run=False)
        await anna.says("подскажите", run=False)
        await says_aloud(anna, NOTE)

        (turn,) = await testbot.store.turns()
        assert turn.text == "Здравствуйте\nподскажите\nсколько идёт доставка"
        assert any("3–5 дней" in text for text in anna.hears())
    assert [h["name"] for h in server.heard] == ["voice.ogg", "voice.mp4"]


@pytest.mark.parametrize("forum", [True, False])
async def test_operators_have_the_audio_and_its_transcript(
    articles: Path, server: FakeTranscription, forum: bool
) -> None:
    """In the topic or the plain group; what the bot did not trust is marked, and is nobody's words."""
    async with listening(articles, server, forum=forum) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await olga.presses("Взять", ticket=1 if forum else None)
        server.answers = ["Где мой заказ 12345", answer_of("кхм шум", logprob=-3.0)]
        await says_aloud(anna)
        await says_aloud(anna, replace(VOICE, ref="voice-2"))

        posts = [p for p in testbot.desk_posts() if p.attachments]
        assert [p.attachments[0].ref for p in posts] == ["voice-1", "voice-2"]
        assert posts[0].text.text == "🎤 Расшифровка: Где мой заказ 12345"
        assert posts[1].text.text == "🎤 Расшифровка (неточно): кхм шум"
        assert [line.text for line in await testbot.store.history(1) if line.attachments][-1] == ""


async def test_a_ticket_opens_with_what_was_said(articles: Path, server: FakeTranscription) -> None:
    """On the card as the customer's words, and below it the audio with its transcript."""
    server.answers = ["позовите оператора", "у меня сломался чайник, телефон 89161234567"]
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna, replace(VOICE, ref="voice-2"), run=False)
        await says_aloud(anna)

        card = testbot.desk_posts()[0].text.text
        assert "🎤 Расшифровка: позовите оператора" in card and "89161234567" not in card
        audio = [p for p in testbot.desk_posts() if p.attachments]
        assert next(p.text.text for p in audio) == "🎤 Расшифровка: позовите оператора"


UNSURE = [
    answer_of("", logprob=-0.1),
    answer_of("[Музыка]"),
    answer_of("Субтитры сделал DimaTorzok"),
    answer_of("Продолжение следует..."),
    answer_of("да " * 40),
    answer_of("где мой заказ", logprob=-2.5),
    answer_of("где мой заказ", silent=0.95),
    answer_of("wo ist meine Bestellung", language="german"),
]


async def test_what_is_unsure_goes_the_ordinary_way(articles: Path, server: FakeTranscription) -> None:
    """Empty, music, words that models make up, another language, low confidence: no answer is guessed."""
    async with listening(articles, server) as testbot:
        for n, answer in enumerate(UNSURE):
            server.answers = [answer]
            anna = testbot.customer(chat=str(2000 + n))
            await says_aloud(anna)

            assert UNCLEAR in anna.hears()[-1] and anna.sees()[-1].outbound.buttons, answer
        assert all(t.text == "" for t in await testbot.store.turns())


@pytest.mark.parametrize("fault", ["slow", "broken", "error", "cut", "busy"])
async def test_an_engine_that_fails_leaves_nobody_waiting(
    articles: Path, server: FakeTranscription, fault: str
) -> None:
    """Tried once more within the deadline; then a person is offered, and nothing is lost."""
    server.faults.extend([fault] * 4)  # type: ignore[list-item]
    async with listening(articles, server, deadline=0.8) as testbot:
        anna = testbot.customer()
        await says_aloud(anna)

        assert UNCLEAR in anna.hears()[0]
        assert [t.result for t in await testbot.store.turns()] == ["answered"]
    assert server.asked <= 2


async def test_one_failure_is_tried_again(articles: Path, server: FakeTranscription) -> None:
    server.faults.append("error")
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna)

        assert any("3–5 дней" in text for text in anna.hears())


async def test_an_engine_that_is_down_is_left_alone(articles: Path, server: FakeTranscription) -> None:
    """After three messages in vain nobody waits for it; after a minute one message finds out."""
    server.faults.extend(["broken"] * 6)
    async with listening(articles, server) as testbot:
        for n in range(5):
            await says_aloud(testbot.customer(chat=str(3000 + n)))
        assert server.asked == 6
        testbot.clock.advance(seconds=61)
        anna = testbot.customer()
        await says_aloud(anna)

        assert any("3–5 дней" in text for text in anna.hears())


async def test_all_processes_leave_it_alone(
    articles: Path, server: FakeTranscription, tmp_path: Path
) -> None:
    """What one process found out, one that starts after it knows, too."""
    server.faults.extend(["broken"] * 6)
    storage = f"sqlite:///{tmp_path}/bot.db"
    async with listening(articles, server, storage=storage) as testbot:
        for n in range(3):
            await says_aloud(testbot.customer(chat=str(3000 + n)))
    async with listening(articles, server, storage=storage) as testbot:
        anna = testbot.customer()
        await says_aloud(anna)

        assert CANNOT_HEAR in anna.hears()[-1] and server.asked == 6


async def _taken(testbot: TestBot) -> Turn:
    testbot.clock.advance(seconds=6)
    turn = await testbot.store.take_turn(testbot.clock())
    assert turn is not None
    return turn


async def test_a_process_that_died_while_it_listened(
    articles: Path, server: FakeTranscription, tmp_path: Path
) -> None:
    """The next one listens once more and answers once, after the rest; the third does not listen again."""
    file = f"sqlite:///{tmp_path / 'bot.db'}"
    for tries in (1, 2):
        begun = replace(VOICE, ref=f"voice-{tries}", data={"transcript": {"tries": tries, "begun": True}})
        async with listening(articles, server, storage=file) as testbot:
            await says_aloud(testbot.customer(chat=f"400{tries}"), begun, run=False)
            turn = await _taken(testbot)
            await testbot.store.rest_turn(turn, turn.inbounds, testbot.clock() + timedelta(seconds=20))
    async with listening(articles, server, storage=file) as testbot:
        await testbot.rest()
        telegram = testbot.channels["telegram"]
        assert not telegram.said, "it rests: somebody may listen to it yet"
        testbot.clock.advance(seconds=60)
        await testbot.rest()

        assert sorted(t.text for t in await testbot.store.turns()) == ["", DELIVERY]
        assert sum("3–5 дней" in s.outbound.text.text for s in telegram.said) == 1
    assert [h["file"] for h in server.heard] == [b"content of voice-1"]


async def test_a_process_that_ends_while_it_listens_keeps_nobody_waiting(
    articles: Path, server: FakeTranscription, tmp_path: Path
) -> None:
    """The next one listens at once, and what was heard already is not asked again."""
    file = f"sqlite:///{tmp_path / 'bot.db'}"
    async with listening(articles, server, storage=file, deadline=30) as testbot:
        server.answers, server.faults = ["Здравствуйте", DELIVERY], deque(["", "slow"])
        anna = testbot.customer()
        await says_aloud(anna, VOICE, replace(VOICE, ref="voice-2"), run=False)
        turn, voice = await _taken(testbot), testbot.service.voice
        assert voice is not None and await voice.take(turn)
        await server.hangs.wait()
    async with listening(articles, server, storage=file) as testbot:
        testbot.clock.advance(seconds=6)
        await testbot.rest()

        assert [t.text.splitlines()[-1] for t in await testbot.store.turns()] == [DELIVERY]
    assert len(server.heard) == 2


async def test_what_was_heard_is_kept_before_it_is_decided(articles: Path, server: FakeTranscription) -> None:
    """A decision that is taken again does not listen again."""
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna, run=False)
        testbot.clock.advance(seconds=6)
        first = await testbot.store.take_turn(testbot.clock())
        assert first is not None and await testbot.service.voice.take(first)  # type: ignore[union-attr]
        await testbot.service.voice.settle()  # type: ignore[union-attr]
        again = await testbot.store.take_turn(testbot.clock())
        assert again is not None
        await testbot.store.release_turn(again)
        await testbot.rest()

        assert [t.text for t in await testbot.store.turns()] == [DELIVERY]
    assert len(server.heard) == 1


async def test_what_is_too_much_is_not_listened_to(articles: Path, server: FakeTranscription) -> None:
    """Too long, too large, too many an hour: a person is offered as before; operators' own voices and a
    blocked customer's are nobody's business.
    """
    async with listening(articles, server, an_hour=2, longest=60) as testbot:
        anna = testbot.customer()
        await says_aloud(anna, replace(VOICE, duration=61))
        assert CANNOT_HEAR in anna.hears()[0]
        await says_aloud(anna, replace(VOICE, size=21 * 1024 * 1024))
        assert CANNOT_HEAR in anna.hears()[0] and server.heard == []
        for n in range(3):
            await says_aloud(anna, replace(VOICE, ref=f"voice-{n}"))
        assert len(server.heard) == 2 and CANNOT_HEAR in anna.hears()[0]
        boris = testbot.customer("Борис", chat="1002")
        await boris.says("позовите оператора")
        await testbot.operator().says("", ticket=1, attachments=(VOICE,))
        await testbot.operator().says("/block спам", ticket=1)
        await says_aloud(boris)
        assert len(server.heard) == 2


async def test_spoken_words_are_no_command(articles: Path, server: FakeTranscription) -> None:
    server.answers = ["/stop"]
    async with listening(articles, server) as testbot:
        await says_aloud(testbot.customer())

        assert [t.text for t in await testbot.store.turns()] == ["stop"]


async def test_a_model_that_knows_plain_answers_only(articles: Path, server: FakeTranscription) -> None:
    server.plain = True
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna)

        assert any("3–5 дней" in text for text in anna.hears())


@pytest.mark.parametrize("engine", [True, False])
async def test_what_the_platform_wrote_down_is_used(
    articles: Path, server: FakeTranscription, engine: bool
) -> None:
    """VK's own transcript costs nothing, with an engine or without."""
    async with listening(articles, server if engine else None) as testbot:
        boris = testbot.customer("Борис", channel="vk", chat="77")
        await says_aloud(boris, replace(VOICE, channel="vk", data={PLATFORM: DELIVERY}))
        assert any("3–5 дней" in text for text in boris.hears())
        await says_aloud(boris, replace(VOICE, channel="vk", ref="other"))
        assert bool(server.asked) == engine


async def test_nothing_is_left_of_who_is_forgotten(articles: Path, server: FakeTranscription) -> None:
    """The words of a transcript are the customer's: in the export, gone when they are forgotten; also while
    somebody listens.
    """
    server.answers = ["меня зовут Пелагея", "мой адрес Тверская 5"]
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna)
        assert "Пелагея" in str(await testbot.store.export_customer(1))
        await says_aloud(anna, replace(VOICE, ref="voice-2"), run=False)
        testbot.clock.advance(seconds=6)
        turn = await testbot.store.take_turn(testbot.clock())
        assert turn is not None and await testbot.service.voice.take(turn)  # type: ignore[union-attr]
        await testbot.store.forget_customer(1, testbot.clock())
        await testbot.service.voice.settle()  # type: ignore[union-attr]
        await testbot.rest()

        left = str(await testbot.store.export_customer(1)) + str(await testbot.store.history(1))
        assert "Пелагея" not in left and "Тверская" not in left


async def test_old_words_are_blanked_with_their_transcripts(
    articles: Path, server: FakeTranscription
) -> None:
    async with listening(articles, server) as testbot:
        anna = testbot.customer()
        await says_aloud(anna)
        await testbot.later(days=400)
        await testbot.store.purge(testbot.clock())

        assert DELIVERY not in str(await testbot.store.export_customer(1))


async def test_an_edit_is_not_listened_to(articles: Path, server: FakeTranscription) -> None:
    async with listening(articles, server) as testbot:
        await testbot.customer().says("", attachments=(VOICE,), kind=InboundKind.EDIT)

        assert not server.asked
