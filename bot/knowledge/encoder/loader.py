"""Turns texts into vectors of meaning: our own small encoder of Russian and English, or any
sentence-transformers model the owner names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache as remember
from hashlib import blake2b
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from bot.errors import BotError
from bot.knowledge.encoder.e5 import E5Encoder
from bot.knowledge.encoder.e5_weights import find_e5
from bot.knowledge.encoder.navec import find_navec, read_navec
from bot.knowledge.encoder.paired import PairedEncoder, convert_apart, open_e5
from bot.knowledge.encoder.rows import (
    ENGLISH,
    EnglishRows,
    RowTable,
    TrainedRows,
    build,
    read_english,
    read_trained,
)
from bot.knowledge.retrieval.private_folder import make_private
from bot.text.problems import told

Vectors = npt.NDArray[np.float32]
T = TypeVar("T")
LEAST_MEMORY = 1_500_000_000  # bytes; converting takes 1 GB of them, serving some 300 MB


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
        *query* marks
        questions for models that tell them from passages."""
        ...


def load(model: str, cache: Path | None) -> Encoder:
    """The encoder named *model*: `auto` (our own), `e5`, a folder, or a hub id. From any thread.

    The first time our own rows are built (about half a minute) and, for `e5`, the sentence encoder is
    converted (some 15 s of one core); both are kept in *cache*, later ones read them. Raises
    EncoderUnavailable with what to do; a repeat after mending succeeds.
    """
    return list(stages(model, cache))[-1][0]


def stages(model: str, cache: Path | None) -> Iterator[tuple[Encoder, str]]:
    """What search may run on, each better than the one before, and why it is not better still ("" = best).

    `e5` is our own encoder at once and multilingual-e5-small beside it once that is converted.
    Raises EncoderUnavailable.
    """
    if model not in ("auto", "e5"):
        yield _named(model), ""
        return
    own = _own(cache)
    if model == "auto":
        yield own, ""
        return
    sentences, reason = _converted(cache)
    if sentences is None and not reason and cache is not None:
        yield own, told("articles.model.converting")
        reason = _convert(cache)
        sentences, _ = _converted(cache)
    if sentences is None:
        yield own, reason
    else:
        yield PairedEncoder(own, sentences), ""


def _converted(cache: Path | None) -> tuple[E5Encoder | None, str]:
    """The sentence encoder, or why there will be none; neither where it has only to be converted."""
    if cache is None:
        return None, told("articles.model.no_cache")
    if (found := open_e5(cache)) is not None:
        return found, ""
    if _memory() < LEAST_MEMORY:
        return None, told("articles.model.small_machine", gigabytes=LEAST_MEMORY / 1_000_000_000)
    if find_e5() is None:
        return None, told("articles.model.no_sentences")
    return None, ""


def _convert(cache: Path) -> str:
    """Why it could not be converted, or nothing."""
    with _building:
        try:
            if open_e5(cache) is None:  # another thread may have done it meanwhile
                convert_apart(cache)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return told("articles.model.not_converted", reason=_short(error))
    return ""


def _memory() -> int:
    """Bytes of memory that the machine has; much where nobody knows."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return LEAST_MEMORY


def prepare(model: str, cache: Path | None) -> str:
    """Makes ready what *model* runs on, so that the first start of the bot need not; why it is not all of it,
    or nothing. Raises EncoderUnavailable.
    """
    return list(stages(model, cache))[-1][1]


def pull(hub_id: str, folder: Path) -> Path:
    """Downloads a model from the hub into *folder*, to be named in config.yaml; returns where it is.

    Raises EncoderUnavailable. A repeat downloads what is missing or has changed.
    """
    return _download(hub_id, folder / hub_id.replace("/", "--"))


# --- any sentence-transformers model
# ---------------------------------------------------------------------------------

# (part of the name, for questions, for passages): models that were trained to see a word in front
_PREFIXES = (
    (
        "multilingual-e5-large-instruct",
        "Instruct: Given a customer question, retrieve the article that answers it\nQuery: ",
        "",
    ),
    ("e5", "query: ", "passage: "),
    ("user-base", "query: ", "passage: "),
    ("frida", "search_query: ", "search_document: "),
    ("nomic-embed", "search_query: ", "search_document: "),
    ("ru-en-rosberta", "search_query: ", "search_document: "),
)


class _Sentences:
    """A sentence-transformers model behind `Encoder`."""

    split = 0

    def __init__(
        self, model: object, identity: str, name: str, alone: Callable[[str], Vectors] | None = None
    ) -> None:
        """*alone* is a shorter way to the same vector of one text."""
        self._model, self._alone = model, alone
        self._prefixes = _prefixes_of(model, name)
        self.id = identity
        self.dimensions = int(model.get_embedding_dimension())  # type: ignore[attr-defined]

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        if self._alone is not None and len(texts) == 1:
            return self._alone(texts[0])[None]
        prefix = self._prefixes[0 if query else 1]
        found = self._model.encode(  # type: ignore[attr-defined]
            [prefix + t for t in texts],
            batch_size=64,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return np.ascontiguousarray(found, np.float32)


def _named(model: str) -> Encoder:
    place = Path(model).expanduser()
    if place.exists():
        return _Sentences(_open(place, model), f"{place.name}-{_digest(place)}", model)
    if place.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise EncoderUnavailable(told("articles.model.no_folder", model=model))
    try:
        place = _download(model, None, local=True)  # what was downloaded once needs no network
        found = _open(place, model)
    except EncoderUnavailable:
        place = _download(model, None)
        found = _open(place, model)
    return _Sentences(found, f"{model}@{place.name}", model)


_NEEDLESS = ("*.onnx", "*.msgpack", "*.h5", "*.ot", "*.gguf", "openvino/*", "onnx/*")


def _download(hub_id: str, folder: Path | None, *, local: bool = False) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise _no_library(error) from error
    try:
        return Path(
            snapshot_download(
                hub_id, local_dir=folder, ignore_patterns=list(_NEEDLESS), local_files_only=local
            )
        )
    except Exception as error:  # the hub's client raises its own, its transport's and OS errors
        raise EncoderUnavailable(
            told("articles.model.not_downloaded", model=hub_id, reason=_short(error))
        ) from error


def _open(folder: Path, name: str) -> object:
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging
    except ImportError as error:
        raise _no_library(error) from error
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except Exception as error:  # whatever the libraries below raise for a broken or foreign folder
        raise EncoderUnavailable(
            told("articles.model.not_opened", model=name, reason=_short(error))
        ) from error


def _prefixes_of(model: object, name: str) -> tuple[str, str]:
    """What the model wants in front of questions and passages: its own prompts first, then what is known of
    its family.
    """
    prompts: dict[str, str] = {k: v for k, v in getattr(model, "prompts", {}).items() if v}
    if prompts:
        passage = next((prompts[k] for k in ("passage", "document", "search_document") if k in prompts), "")
        return next((prompts[k] for k in ("query", "search_query") if k in prompts), ""), passage
    names = f"{name} {getattr(getattr(model, 'model_card_data', None), 'base_model', '') or ''}".lower()
    return next(((q, p) for part, q, p in _PREFIXES if part in names), ("", ""))


def _digest(folder: Path) -> str:
    """Changes whenever a file of the model does."""
    marks = sorted(
        (str(f.relative_to(folder)), f.stat().st_size, f.stat().st_mtime_ns)
        for f in folder.rglob("*")
        if f.is_file()
    )
    return blake2b(repr(marks).encode(), digest_size=6).hexdigest()


def _no_library(error: ImportError) -> EncoderUnavailable:
    return EncoderUnavailable(
        told("articles.model.no_library", library=error.name or "sentence_transformers")
    )


def _short(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


# --- our own
# ---------------------------------------------------------------------------------------------------------

_building = threading.Lock()
WORDS = "0_SupportWords"  # where sentence-transformers keeps the first module


def _own(cache: Path | None) -> Encoder:
    """Built in a process of its own if there is a *cache* to leave it in: half a minute of counting would
    slow every answer.
    """
    try:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize

        from bot.knowledge.encoder.static import SupportWords
    except ImportError as error:
        raise _no_library(error) from error
    torch.set_num_threads(1)  # a few rows are added up: threads would only wait for one another
    name = _name()
    with _building:
        words = _kept(SupportWords, cache / name / WORDS) if cache else None
        if words is None and cache:
            if (path := find_navec()) is None:
                rows_from(path, _trained(), _english())
            _build_apart(cache)
            words = _kept(SupportWords, cache / name / WORDS)
        if words is None:
            words = SupportWords(rows_from(find_navec(), _trained(), _english()))
    return _Sentences(
        SentenceTransformer(modules=[words, Normalize()], device="cpu"), name, "auto", words.vector
    )


def _build_apart(cache: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "bot.knowledge.encoder.builder", str(cache)]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EncoderUnavailable(told("articles.model.not_built", reason=_short(error))) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        reason = said[-1][:300] if said else told("articles.model.exit_code", code=done.returncode)
        raise EncoderUnavailable(told("articles.model.not_built", reason=reason))


def build_here(cache: Path) -> None:
    """Builds the rows in this process and leaves them in *cache*. Raises EncoderUnavailable."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize

    from bot.knowledge.encoder.static import SupportWords

    words = SupportWords(rows_from(find_navec(), _trained(), _english()))
    _keep(SentenceTransformer(modules=[words, Normalize()], device="cpu"), cache / _name())


def _name() -> str:
    return f"encoder-{_trained().version}-{_english().version}"


def _kept(module: type[T], folder: Path) -> T | None:
    """What was built before, or None if it does not read: then it is built again."""
    try:
        return module.load(str(folder))  # type: ignore[attr-defined, no-any-return]
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


def rows_from(path: Path | None, trained: TrainedRows, english: EnglishRows) -> RowTable:
    """The rows of our own encoder over the navec file at *path*. Raises EncoderUnavailable."""
    if path is None:
        raise EncoderUnavailable(told("articles.model.no_vectors"))
    try:
        return build(read_navec(path), trained, english)
    except (OSError, ValueError, KeyError, EOFError, tarfile.TarError) as error:
        raise EncoderUnavailable(told("articles.model.broken_vectors", reason=_short(error))) from error


def _keep(model: object, place: Path) -> None:
    """Saves beside and renames, so that a reader or a second process never sees half a folder.

    A full disk only costs time.
    """
    try:
        make_private(place.parent)
        fresh = Path(tempfile.mkdtemp(prefix=".encoder-", dir=place.parent))
    except OSError:
        return
    try:
        model.save(str(fresh), create_model_card=False)  # type: ignore[attr-defined]
        shutil.rmtree(place, ignore_errors=True)
        fresh.replace(place)
        for old in place.parent.glob("encoder-*"):
            if old != place:
                shutil.rmtree(old, ignore_errors=True)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
