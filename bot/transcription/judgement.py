"""Whether what an engine understood may be taken for the customer's words: pure functions of what it told."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from bot.transcription import HeardSpeech

SILENT = 0.6  # an engine that finds it likelier than this that nobody speaks
STUTTERS = 2.4  # a text that can be packed this much says the same again and again
PHANTOM_WORDS = 12  # a longer text is more than what models hear in silence
_NOTES = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫🎵🎶]+")
_WORD = re.compile(r"\w+")
_CODES = {"russian": "ru", "english": "en"}


def code_of(language: str) -> str:
    """The code of a language that engines name in several ways."""
    name = language.strip().lower()
    return _CODES.get(name, name.replace("_", "-").split("-")[0])


def clean_words(text: str) -> str:
    """The words without notes of the engine's own, such as "[music]"."""
    return " ".join(_NOTES.sub(" ", text).split())


def confidence_of(segments: Sequence[Mapping[str, Any]]) -> float | None:
    """How sure a model of the Whisper family is: the mean of its words' probabilities over their time;
    stretches in which it hears nobody count as nothing. None where it does not say.
    """
    whole = weighed = 0.0
    for segment in segments:
        mean = _figure(segment.get("avg_logprob"))
        if mean is None:
            continue
        begin, end = _figure(segment.get("start")) or 0.0, _figure(segment.get("end")) or 0.0
        time = max(end - begin, 0.1)
        speaks = (_figure(segment.get("no_speech_prob")) or 0.0) <= SILENT
        whole += time
        weighed += time * math.exp(min(mean, 0.0)) if speaks else 0.0
    return weighed / whole if whole else None


def is_sure(heard: HeardSpeech, *, languages: Collection[str], least: float) -> bool:
    """Whether the words count: not too unsure, in a language that is spoken here, and nothing that models
    make up in silence.
    """
    words = _WORD.findall(heard.text.lower().replace("ё", "е"))
    if not words or (heard.confidence is not None and heard.confidence < least):
        return False
    if heard.language and languages and code_of(heard.language) not in languages:
        return False
    raw = heard.text.encode()
    if len(raw) / len(zlib.compress(raw)) > STUTTERS:
        return False
    said = " ".join(words)
    return len(words) > PHANTOM_WORDS or not any(said.startswith(p) or said == p for p in _phantoms())


def _figure(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


@cache
def _phantoms() -> tuple[str, ...]:
    raw = yaml.safe_load(files("bot.transcription").joinpath("phantoms.yaml").read_text("utf-8"))
    return tuple(" ".join(_WORD.findall(p.replace("ё", "е"))) for group in raw.values() for p in group)
