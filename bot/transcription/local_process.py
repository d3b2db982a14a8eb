"""The process that holds a faster-whisper model: reads a line of JSON and the sound behind it, answers with a
line of JSON, until nobody asks any more.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from bot.transcription.judgement import confidence_of


def answers(hears: Callable[[bytes, str], dict[str, Any]], asked: BinaryIO, told: BinaryIO) -> None:
    """Serve until *asked* ends."""
    while line := asked.readline():
        head = json.loads(line)
        sound = asked.read(int(head["size"]))
        try:
            answer = hears(sound, str(head["language"]))
        except Exception as error:  # noqa: BLE001 - a sound that cannot be read ends nothing but itself
            answer = {"error": type(error).__name__}
        told.write(json.dumps(answer).encode() + b"\n")
        told.flush()


def listener(folder: str, threads: int) -> Callable[[bytes, str], dict[str, Any]]:
    """The model of *folder*, loaded from the disk and never from a network."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
    )

    def hear(sound: bytes, language: str) -> dict[str, Any]:
        found, about = model.transcribe(io.BytesIO(sound), language=language or None, beam_size=5)
        segments = list(found)
        figures = [
            {
                "start": s.start,
                "end": s.end,
                "avg_logprob": s.avg_logprob,
                "no_speech_prob": s.no_speech_prob,
            }
            for s in segments
        ]
        text = " ".join(s.text.strip() for s in segments)
        return {"text": text, "language": about.language, "confidence": confidence_of(figures)}

    return hear


def main() -> None:
    # law: nothing that a library prints gets between the answers
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answers(listener(sys.argv[1], int(sys.argv[2])), sys.stdin.buffer, told)


if __name__ == "__main__":
    main()
