"""A server that speaks `/v1/audio/transcriptions` as strictly as real ones, and misbehaves when told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "fake-voice-key"
Fault = Literal["", "slow", "broken", "error", "cut", "busy"]
_ENDS = ("ogg", "mp3", "mp4", "wav", "m4a", "webm", "flac", "mpga", "mpeg", "oga")


class FakeTranscription:
    """`answers` are said in their order, the last one again and again: a text, or the whole answer. `faults`
    come before them: "slow" never answers, "broken" answers what is no JSON, "error" is a 500, "busy" a 429,
    "cut" drops the connection. `plain`: a model that knows no verbose answers.
    """

    def __init__(self) -> None:
        self.answers: list[str | Mapping[str, Any]] = ["когда вы работаете"]
        self.faults: deque[Fault] = deque()
        self.plain = False
        self.heard: list[dict[str, Any]] = []  # what was sent: file, name, model, language, format
        self.asked = 0
        self.hangs = asyncio.Event()  # somebody waits in vain
        self.address = ""

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _refused(401, "Incorrect API key provided")
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField) or not form.get("model"):
            return _refused(400, "file and model are required")
        content = file.file.read()
        file.file.close()
        if file.filename.rpartition(".")[2] not in _ENDS:
            return _refused(400, f"Invalid file format: {file.filename}")
        how = str(form.get("response_format") or "json")
        if how not in ("json", "text", "srt", "verbose_json", "vtt") or (self.plain and how != "json"):
            return _refused(400, f"response_format '{how}' is not compatible with the model")
        match self.faults.popleft() if self.faults else "":
            case "slow":
                self.hangs.set()
                await asyncio.Event().wait()
            case "broken":
                return web.Response(text="<html>Bad Gateway</html>", content_type="text/html")
            case "error":
                return _refused(500, "internal error")
            case "busy":
                return _refused(429, "Rate limit reached")
            case "cut":
                assert request.transport is not None
                request.transport.abort()
        self.heard.append({**form, "file": content, "name": file.filename})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        whole = answer_of(answer) if isinstance(answer, str) else dict(answer)
        return web.json_response(whole if how == "verbose_json" else {"text": whole["text"]})


def answer_of(
    text: str, *, logprob: float = -0.2, language: str = "russian", silent: float = 0.01
) -> dict[str, Any]:
    """A whole answer, as a model of the Whisper family gives it."""
    part = {"id": 0, "start": 0.0, "end": 3.0, "text": text, "avg_logprob": logprob, "no_speech_prob": silent}
    return {"task": "transcribe", "language": language, "duration": 3.0, "text": text, "segments": [part]}


def _refused(status: int, text: str) -> web.Response:
    return web.json_response({"error": {"message": text, "type": "invalid_request_error"}}, status=status)


@asynccontextmanager
async def fake_transcription() -> AsyncIterator[FakeTranscription]:
    fake, app = FakeTranscription(), web.Application(client_max_size=30 * 1024 * 1024)
    app.router.add_post("/v1/audio/transcriptions", fake.transcribe)
    app.router.add_get("/v1/models", _models)
    server = TestServer(app)
    await server.start_server()
    fake.address = str(server.make_url("/v1"))
    try:
        yield fake
    finally:
        await server.close()


async def _models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "whisper-1", "object": "model"}]})
