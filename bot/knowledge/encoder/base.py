"""What the parts of the encoders agree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bot.errors import BotError

Vectors = npt.NDArray[np.float32]
Heard = Callable[[float], None]  # called with the share that is done of something slow, 0..1


class EncoderUnavailable(BotError):
    """There is no encoder: the text says why and how to mend it. Search goes on with words alone."""


class Encoder(Protocol):
    """Texts in, vectors out.

    `id` changes whenever the vectors of the same text would; `dimensions` is their width.
    """

    id: str
    dimensions: int
    split: int  # columns before it are our own encoder's, where a sentence encoder stands beside it; else 0

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """(n, dimensions) float32, rows of length 1; a row of zeros where nothing of the text is known.
        *query* marks questions for models that tell them from passages.
        """
        ...


def in_short(error: BaseException) -> str:
    """The first line of what *error* says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
