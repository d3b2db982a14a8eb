"""Listens through any address that speaks OpenAI's `/v1/audio/transcriptions`: a whisper server of one's own,
or a hosted one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.adapters.base import File
from bot.transcription import HeardSpeech, TranscriptionFailed
from bot.transcription.judgement import confidence_of

LARGEST = 2_000_000  # bytes of an answer that are read
PAUSE = 0.2  # seconds before the second try
_SUFFIXES = {"audio/ogg": "ogg", "audio/mpeg": "mp3", "video/mp4": "mp4", "audio/wav": "wav"}


class OpenAiAddress:
    """*address* ends before `/audio/transcriptions` (`http://127.0.0.1:8000/v1`); *key* may be empty where
    the server wants none. *language* is a hint, "" = the model finds it out.
    """

    name = "openai"

    def __init__(self, address: str, *, key: str = "", model: str = "whisper-1", language: str = "") -> None:
        self._url = f"{address.rstrip('/')}/audio/transcriptions"
        self._models = f"{address.rstrip('/')}/models"
        self._key, self._model, self._language = key, model, language
        self._detailed = True  # until the server says that it knows plain answers alone
        self._session: aiohttp.ClientSession | None = None

    async def transcribe(self, audio: File, *, timeout: float) -> HeardSpeech:
        try:
            async with asyncio.timeout(timeout):
                return await self._tried(audio)
        except TimeoutError:
            raise TranscriptionFailed("no answer in time") from None

    async def check(self) -> str:
        """Asks for the list of models, which every such server has; one that lacks it only has to answer."""
        try:
            async with (
                asyncio.timeout(10),
                self._connection().get(self._models, headers=self._headers()) as got,
            ):
                return f"HTTP {got.status}" if got.status in (401, 403) or got.status >= 500 else ""
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return type(error).__name__

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _tried(self, audio: File) -> HeardSpeech:
        try:
            return await self._once(audio)
        except TranscriptionFailed as error:
            if not error.again:
                raise
        await asyncio.sleep(PAUSE)
        return await self._once(audio)

    async def _once(self, audio: File) -> HeardSpeech:
        try:
            status, raw = await self._posted(audio)
            if status == 400 and self._detailed:
                self._detailed = False  # such models answer with the words alone
                status, raw = await self._posted(audio)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TranscriptionFailed(f"no answer: {type(error).__name__}") from None
        if status != 200:
            raise TranscriptionFailed(f"HTTP {status}", again=status == 429 or status >= 500)
        return _heard(raw)

    async def _posted(self, audio: File) -> tuple[int, bytes]:
        form = aiohttp.FormData()
        form.add_field("file", audio.content, filename=_name(audio), content_type=audio.mime or None)
        form.add_field("model", self._model)
        form.add_field("response_format", "verbose_json" if self._detailed else "json")
        if self._language:
            form.add_field("language", self._language)
        # law: a redirect would lead the key and a customer's voice elsewhere
        async with self._connection().post(
            self._url, data=form, headers=self._headers(), allow_redirects=False
        ) as answer:
            raw = await answer.content.read(LARGEST + 1)
            if len(raw) > LARGEST:
                raise ValueError("the answer is too long")
            return answer.status, raw

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _connection(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _name(audio: File) -> str:
    """Servers tell the kind of a file by the end of its name, so it has one; the customer's own name for it
    is nobody's business.
    """
    ours = _SUFFIXES.get(audio.mime.partition(";")[0].strip(), "")
    suffix = audio.name.rpartition(".")[2].lower() if "." in audio.name else ""
    return f"voice.{ours or (suffix if suffix.isalnum() and len(suffix) < 5 else 'ogg')}"


def _heard(raw: bytes) -> HeardSpeech:
    try:
        answer: Any = json.loads(raw)
    except ValueError:
        raise TranscriptionFailed("the answer is no JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        raise TranscriptionFailed("the answer has no text", again=False)
    found = answer.get("segments")
    segments = [s for s in found if isinstance(s, dict)] if isinstance(found, list) else []
    return HeardSpeech(answer["text"], str(answer.get("language") or ""), confidence_of(segments))
