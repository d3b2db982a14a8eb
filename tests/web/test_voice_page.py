"""A voice message on the page of a conversation: to be listened to and to be read."""

from __future__ import annotations

import re
from pathlib import Path

from bot.adapters.base import File
from bot.config.loader import Config
from bot.model import Attachment, Media
from bot.testing import open_test_bot
from tests.fakes.transcription_server import KEY, answer_of, fake_transcription
from tests.web.test_conversations import pages_of

OGG = b"OggS" + bytes(3000)


async def test_a_voice_message_is_heard_and_read_on_the_page(articles: Path) -> None:
    """The player, what was understood without contacts, what was not with its mark, and no words twice; any
    other sound is only downloaded.
    """
    async with fake_transcription() as server:
        server.answers = ["Это <b>Пелагея</b>, телефон 8 916 123-45-67", answer_of("кхм", logprob=-3)]
        own = {"engine": "openai", "address": server.address, "key": KEY}
        config = Config.model_validate({"voice": own})
        async with open_test_bot(articles, config=config, threads=False) as testbot:
            for ref, content in (("voice-1", OGG), ("voice-2", b"<html>")):
                testbot.channels["telegram"].contents[ref] = File(content, "voice.ogg", "audio/ogg")
                voice = Attachment(Media.VOICE, ref, "telegram", "voice.ogg", "audio/ogg", duration=3)
                await testbot.customer().says(attachments=(voice,))
            async with pages_of(testbot) as office:
                page = await office.text("/conversation/1?data=own")
                players = re.findall(r'<audio controls preload="none"[^>]* src="([^"]+)"', page)
                heard = [await office.client.get(path) for path in players]

        assert page.count("Расшифровка: Это &lt;b&gt;Пелагея&lt;/b&gt;") == 1 == page.count("Пелагея")
        assert "123-45-67" not in page and "Расшифровка (неточно): кхм" in page
        assert [(a.status, a.content_type) for a in heard] == [
            (200, "audio/ogg"),
            (200, "application/octet-stream"),
        ]
        assert heard[0].headers["Content-Disposition"].startswith("inline")
        assert "media-src 'self'" in heard[0].headers["Content-Security-Policy"]
