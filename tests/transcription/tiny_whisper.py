"""A model of the Whisper family, as small as it can be, made of numbers drawn here: it hears nothing in what
it is given and says "o" and "k", but it is loaded and run by the real engine.
"""

from __future__ import annotations

import math
import struct
import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import whisper_spec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SIZE = 16
SPECIAL = (
    *("endoftext", "startoftranscript", "en", "ru", "translate", "transcribe", "startoflm", "startofprev"),
    *("nospeech", "notimestamps", *(f"{step * 0.02:.2f}" for step in range(1501))),
)


def make_model(folder: Path) -> None:
    """Write model.bin and what belongs to it into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _tokens(folder / "tokenizer.json")
    spec = whisper_spec.WhisperSpec(1, 2, 1, 2)
    drawn = np.random.default_rng(1)
    _encoder(spec.encoder, drawn)
    _decoder(spec.decoder, drawn, tokens)
    place = {token: n for n, token in enumerate(tokens)}
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = [place["<|nospeech|>"]]
    spec.config.suppress_ids_begin = [place["<|endoftext|>"]]
    spec.config.lang_ids = [place["<|en|>"], place["<|ru|>"]]
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))


def tone(seconds: float = 1.0) -> bytes:
    """A WAV of a plain tone."""
    written = BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        waves = (int(8000 * math.sin(n / 10)) for n in range(int(16_000 * seconds)))
        file.writeframes(b"".join(struct.pack("<h", n) for n in waves))
    return written.getvalue()


def _tokens(file: Path) -> list[str]:
    letters = {letter: n for n, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Tokenizer(models.BPE(vocab=letters, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in SPECIAL])
    made.save(str(file))
    return [token for token, _ in sorted(made.get_vocab().items(), key=lambda pair: pair[1])]


def _drawn(random: Any, *shape: int) -> Any:
    return (random.standard_normal(shape) * 0.05).astype(np.float32)


def _zeros(size: int) -> Any:
    return np.zeros(size, np.float32)


def _norm(part: Any) -> None:
    part.gamma, part.beta = np.ones(SIZE, np.float32), _zeros(SIZE)


def _linear(part: Any, random: Any, to: int, of: int = SIZE) -> None:
    part.weight, part.bias = _drawn(random, to, of), _zeros(to)


def _layer(layer: Any, random: Any, *, crosses: bool) -> None:
    _norm(layer.self_attention.layer_norm)
    for part, size in zip(layer.self_attention.linear, (3 * SIZE, SIZE), strict=True):
        _linear(part, random, size)
    if crosses:
        _norm(layer.attention.layer_norm)
        for part, size in zip(layer.attention.linear, (SIZE, 2 * SIZE, SIZE), strict=True):
            _linear(part, random, size)
    _norm(layer.ffn.layer_norm)
    _linear(layer.ffn.linear_0, random, 2 * SIZE)
    _linear(layer.ffn.linear_1, random, SIZE, 2 * SIZE)


def _encoder(part: Any, random: Any) -> None:
    part.conv1.weight, part.conv1.bias = _drawn(random, SIZE, 80, 3), _zeros(SIZE)
    part.conv2.weight, part.conv2.bias = _drawn(random, SIZE, SIZE, 3), _zeros(SIZE)
    part.position_encodings.encodings = _drawn(random, 1500, SIZE)
    _norm(part.layer_norm)
    for layer in part.layer:
        _layer(layer, random, crosses=False)


def _decoder(part: Any, random: Any, tokens: list[str]) -> None:
    part.embeddings.weight = _drawn(random, len(tokens), SIZE)
    part.position_encodings.encodings = _drawn(random, 448, SIZE)
    _norm(part.layer_norm)
    for layer in part.layer:
        _layer(layer, random, crosses=True)
    part.projection.weight, likely = part.embeddings.weight, _zeros(len(tokens))
    for letter in "ok":
        likely[tokens.index(letter)] = 12
    part.projection.bias = likely
