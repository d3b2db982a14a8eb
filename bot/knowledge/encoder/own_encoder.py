"""Our own small encoder of Russian and English: its rows are built once and kept in the cache folder."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Sequence
from functools import cache as remember
from importlib.resources import as_file, files
from pathlib import Path

from bot.knowledge.encoder.background_builder import run_apart, work_apart
from bot.knowledge.encoder.base import EncoderUnavailable, Heard, Vectors, in_short
from bot.knowledge.encoder.navec import find_navec, read_navec
from bot.knowledge.encoder.rows import (
    ENGLISH,
    EnglishRows,
    RowTable,
    TrainedRows,
    build,
    read_english,
    read_trained,
)
from bot.knowledge.encoder.word_rows import WordRows
from bot.knowledge.retrieval.private_folder import make_private
from bot.text.problems import told

WORDS, UNIT = "0_SupportWords", "1_Normalize"  # where sentence-transformers keeps the modules
MODULES = (  # so that the folder is a model of sentence-transformers, too
    {"idx": 0, "name": "0", "path": WORDS, "type": "bot.knowledge.encoder.static.SupportWords"},
    {"idx": 1, "name": "1", "path": UNIT, "type": "sentence_transformers.models.Normalize"},
)
_building = threading.Lock()


class OwnEncoder:
    """Our own rows behind `Encoder`. Safe to be called from several threads."""

    split = 0

    def __init__(self, words: WordRows, identity: str) -> None:
        self._words = words
        self.id, self.dimensions = identity, words.dimensions

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        return self._words.vectors(texts)


def open_own(cache: Path | None, heard: Heard) -> OwnEncoder:
    """What is kept in *cache*; the first time it is built, in a process of its own where there is a cache.

    Raises EncoderUnavailable.
    """
    name = identity()
    with _building:
        words = _kept(cache / name) if cache else None
        if words is None and cache:
            if (path := find_navec()) is None:
                rows_from(path, _trained(), _english())
            _build_apart(cache, heard)
            words = _kept(cache / name)
        if words is None:
            words = WordRows(rows_from(find_navec(), _trained(), _english(), heard))
    return OwnEncoder(words, name)


def is_built(cache: Path | None) -> bool:
    """Whether the rows are kept in *cache* already."""
    return cache is not None and (cache / identity() / WORDS).is_dir()


def build_here(cache: Path, heard: Heard) -> None:
    """Builds the rows in this process and leaves them in *cache*. Raises EncoderUnavailable."""
    keep(WordRows(rows_from(find_navec(), _trained(), _english(), heard)), cache / identity())


def identity() -> str:
    """Changes whenever the vectors do."""
    return f"encoder-{_trained().version}-{_english().version}"


def rows_from(
    path: Path | None, trained: TrainedRows, english: EnglishRows, heard: Heard = lambda _: None
) -> RowTable:
    """The rows of our own encoder over the navec file at *path*. Raises EncoderUnavailable."""
    if path is None:
        raise EncoderUnavailable(told("articles.model.no_vectors"))
    try:
        return build(read_navec(path), trained, english, heard)
    except (OSError, ValueError, KeyError, EOFError, tarfile.TarError) as error:
        raise EncoderUnavailable(told("articles.model.broken_vectors", reason=in_short(error))) from error


def keep(words: WordRows, place: Path) -> None:
    """Saves beside and renames, so that a reader or a second process never sees half a folder.

    A full disk only costs time.
    """
    try:
        make_private(place.parent)
        fresh = Path(tempfile.mkdtemp(prefix=".encoder-", dir=place.parent))
    except OSError:
        return
    try:
        for part in (WORDS, UNIT):
            (fresh / part).mkdir()
        words.save(fresh / WORDS)
        (fresh / UNIT / "config.json").write_text("{}", "utf-8")
        (fresh / "modules.json").write_text(json.dumps(MODULES, indent=1), "utf-8")
        shutil.rmtree(place, ignore_errors=True)
        fresh.replace(place)
        for old in place.parent.glob("encoder-*"):
            if old != place:
                shutil.rmtree(old, ignore_errors=True)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)


def _build_apart(cache: Path, heard: Heard) -> None:
    try:
        run_apart(__name__, cache, heard)
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(told("articles.model.not_built", reason=in_short(error))) from error


def _kept(folder: Path) -> WordRows | None:
    """What was built before, or None if it does not read: then it is built again."""
    try:
        return WordRows.read(folder / WORDS)
    except Exception:  # noqa: BLE001 - a torn file: safetensors, OS and key errors alike
        return None


@remember
def _trained() -> TrainedRows:
    with as_file(files("bot.knowledge") / "data" / "encoder.npz") as path:
        return read_trained(path)


@remember
def _english() -> EnglishRows:
    with as_file(files("bot.knowledge") / "data" / ENGLISH) as path:
        return read_english(path)


if __name__ == "__main__":
    work_apart(build_here)
