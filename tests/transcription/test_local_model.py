"""A model on this machine is run by the real engine in its own process; nobody waits for it in vain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.base import File
from bot.config.loader import Config
from bot.model import Attachment, Media
from bot.testing import FakeAdapter, open_test_bot
from bot.text.transcripts import transcript_of
from bot.transcription import TranscriptionFailed
from bot.transcription.judgement import is_sure
from bot.transcription.local_model import LocalModel
from tests.transcription.tiny_whisper import make_model, tone

SOUND = File(tone(), "voice.wav", "audio/wav")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("whisper")
    make_model(made)
    return made


@pytest.fixture
async def model(folder: Path) -> AsyncIterator[LocalModel]:
    made = LocalModel(folder)
    yield made
    await made.close()


async def test_it_listens_again_and_again_and_survives_what_is_no_sound(model: LocalModel) -> None:
    """One process for all; a file that cannot be read ends nothing but itself. What it says of a tone is
    stuttering, which is nobody's words.
    """
    heard = await model.transcribe(SOUND, timeout=50)
    with pytest.raises(TranscriptionFailed, match="InvalidDataError"):
        await model.transcribe(File(b"no sound", "voice.ogg", "audio/ogg"), timeout=50)
    again = await model.transcribe(SOUND, timeout=50)

    assert heard == again and set(heard.text) <= set("ok ") and heard.text
    assert heard.confidence is not None and 0 < heard.confidence <= 1
    assert not is_sure(heard, languages={"en"}, least=0)


async def test_it_is_stopped_where_it_hangs_or_dies(model: LocalModel) -> None:
    """Its time is over: the process ends, and the next message starts another, without an old answer."""
    with pytest.raises(TranscriptionFailed, match="in time"):
        await model.transcribe(SOUND, timeout=0.01)
    first = await model.running()
    asking = asyncio.create_task(model.transcribe(SOUND, timeout=50))
    await asyncio.sleep(0)
    first.kill()
    with pytest.raises(TranscriptionFailed, match="process failed"):
        await asking

    assert (await model.transcribe(SOUND, timeout=50)).text


async def test_a_service_listens_with_it(folder: Path, articles: Path) -> None:
    """From the config to the customer: here nothing is understood, so a person is offered."""
    config = Config.model_validate({"voice": {"engine": "local", "model": str(folder), "deadline": 50}})
    async with open_test_bot(articles, config=config, threads=False) as testbot:
        telegram = testbot.channels["telegram"]
        assert isinstance(telegram, FakeAdapter)
        telegram.contents["voice-1"] = SOUND
        anna = testbot.customer()
        await anna.says(attachments=(Attachment(Media.VOICE, "voice-1", "telegram", duration=1),))

        (line, *_) = await testbot.store.history(1)
        kept = transcript_of(line.attachments[0])
        assert kept is not None and kept.by == "local" and not kept.sure and line.text == ""
        assert anna.sees()[0].outbound.buttons
