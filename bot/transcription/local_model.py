"""Listens on this machine: a faster-whisper model in a process of its own, which is started at the first
voice message, stopped where it hangs, and holds nobody up.
"""

from __future__ import annotations

import asyncio
import json
import sys
from importlib.util import find_spec
from pathlib import Path

from bot.adapters.base import File
from bot.transcription import HeardSpeech, TranscriptionFailed

LINE = 1_000_000  # bytes of an answer
PATIENCE = 2.0  # seconds for it to end by itself


def is_installed() -> bool:
    """Whether the library of the extra `voice` is there; it is not imported for that."""
    return find_spec("faster_whisper") is not None


class LocalModel:
    """*folder* holds the model (`model.bin` and what belongs to it), which is loaded once. One message is
    listened to at a time: a second one at once would take as long in all.
    """

    name = "local"

    def __init__(self, folder: Path, *, language: str = "", threads: int = 2) -> None:
        self._folder, self._language, self._threads = folder, language, threads
        self._process: asyncio.subprocess.Process | None = None
        self._free = asyncio.Lock()

    async def transcribe(self, audio: File, *, timeout: float) -> HeardSpeech:
        try:
            async with asyncio.timeout(timeout), self._free:
                try:
                    return _heard(await self._asked(audio))
                except BaseException:  # also where its time is over: it would answer the next one with this
                    await self._end()
                    raise
        except TimeoutError:
            raise TranscriptionFailed("no answer in time") from None
        except (OSError, ValueError, EOFError) as error:
            raise TranscriptionFailed(f"the model's process failed: {type(error).__name__}") from None

    async def check(self) -> str:
        if not is_installed():
            return "faster-whisper"
        return "" if (self._folder / "model.bin").is_file() else str(self._folder)

    async def close(self) -> None:
        await self._end()

    async def _asked(self, audio: File) -> bytes:
        process = await self.running()
        assert process.stdin is not None and process.stdout is not None
        head = {"size": len(audio.content), "language": self._language}
        process.stdin.write(json.dumps(head).encode() + b"\n" + audio.content)
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line

    async def running(self) -> asyncio.subprocess.Process:
        """The process that holds the model, started where there is none."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot.transcription.local_process",
                str(self._folder),
                str(self._threads),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LINE,
            )
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.kill()
        try:
            await asyncio.wait_for(asyncio.shield(process.wait()), PATIENCE)
        except TimeoutError:
            pass


def _heard(line: bytes) -> HeardSpeech:
    """Raises `TranscriptionFailed` where the sound could not be read, ValueError where this is no answer."""
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise ValueError
    if why := answer.get("error"):
        raise TranscriptionFailed(str(why), again=False)
    return HeardSpeech(str(answer["text"]), str(answer["language"]), answer["confidence"])
