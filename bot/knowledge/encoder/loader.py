"""Chooses the encoder that turns texts into vectors of meaning, and makes ready what it runs on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.knowledge.encoder.base import Encoder, EncoderUnavailable, Heard, Vectors, in_short
from bot.knowledge.encoder.e5 import E5Encoder
from bot.knowledge.encoder.e5_weights import find_e5
from bot.knowledge.encoder.named_model import open_named, pull
from bot.knowledge.encoder.own_encoder import open_own
from bot.knowledge.encoder.paired import PairedEncoder, convert_apart, open_e5
from bot.text.problems import told

__all__ = ["Encoder", "EncoderUnavailable", "Vectors", "load", "prepare", "pull", "stages"]

Say = Callable[[str], object]  # hears, in the reader's words, how far a slow preparation is
LEAST_MEMORY = 1_500_000_000  # bytes; converting takes 1 GB of them, serving some 100 MB
STEPS = 5  # how often a preparation tells how far it is
_converting = threading.Lock()


def load(model: str, cache: Path | None, say: Say = lambda _: None) -> Encoder:
    """The best encoder that *model* names: `auto` (our own with multilingual-e5-small beside it), `light`
    (our own alone), a folder, or a hub id. From any thread.

    The first time our own rows are built (about half a minute) and the sentence encoder is converted (some
    15 s of one core); both are kept in *cache*, later ones read them. Raises EncoderUnavailable with what to
    do; a repeat after mending succeeds.
    """
    return list(stages(model, cache, say))[-1][0]


def prepare(model: str, cache: Path | None, say: Say = lambda _: None) -> str:
    """Makes ready what *model* runs on, so that the first start of the bot need not; why it is not all of it,
    or nothing. Raises EncoderUnavailable.
    """
    return list(stages(model, cache, say))[-1][1]


def stages(model: str, cache: Path | None, say: Say = lambda _: None) -> Iterator[tuple[Encoder, str]]:
    """What search may run on, each better than the one before, and why it is not better still ("" = best).

    `auto` (`e5` says the same) is our own encoder at once and multilingual-e5-small beside it once that is
    converted. Raises EncoderUnavailable.
    """
    if model not in ("auto", "e5", "light"):
        yield open_named(model), ""
        return
    own = open_own(cache, _steps("articles.model.building", say))
    if model == "light":
        yield own, ""
        return
    sentences, reason = _converted(cache)
    if sentences is None and not reason and cache is not None:
        yield own, told("articles.model.converting", percent=0)
        reason = _convert(cache, _steps("articles.model.converting", say))
        sentences, _ = _converted(cache)
    if sentences is None:
        yield own, reason
    else:
        yield PairedEncoder(own, sentences), ""


def _steps(text: str, say: Say) -> Heard:
    """Tells of the text named *text* whenever one more of STEPS parts is done."""
    done = -1

    def heard(share: float) -> None:
        nonlocal done
        if int(share * STEPS) != done:
            done = int(share * STEPS)
            say(told(text, percent=100 * done // STEPS))

    return heard


def _converted(cache: Path | None) -> tuple[E5Encoder | None, str]:
    """The sentence encoder, or why there will be none; neither where it has only to be converted."""
    if cache is None:
        return None, told("articles.model.no_cache")
    try:
        if (found := open_e5(cache)) is not None:
            return found, ""
    except ImportError as error:
        return None, told("articles.model.no_runtime", library=error.name or "onnxruntime")
    if _memory() < LEAST_MEMORY:
        return None, told("articles.model.small_machine", gigabytes=LEAST_MEMORY / 1_000_000_000)
    if find_e5() is None:
        return None, told("articles.model.no_sentences")
    return None, ""


def _convert(cache: Path, heard: Heard) -> str:
    """Why it could not be converted, or nothing."""
    with _converting:
        try:
            if open_e5(cache) is None:  # another thread may have done it meanwhile
                convert_apart(cache, heard)
        except (OSError, ValueError) as error:
            return told("articles.model.not_converted", reason=in_short(error))
    return ""


def _memory() -> int:
    """Bytes of memory that the machine has; much where nobody knows."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return LEAST_MEMORY
