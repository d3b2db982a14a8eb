"""Any sentence-transformers model the owner names; only here is torch imported."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from bot.knowledge.encoder.base import Encoder, EncoderUnavailable, Vectors, in_short
from bot.text.problems import told

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

    def __init__(self, model: object, identity: str, name: str) -> None:
        self._model = model
        self._prefixes = _prefixes_of(model, name)
        self.id = identity
        self.dimensions = int(model.get_embedding_dimension())  # type: ignore[attr-defined]

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        prefix = self._prefixes[0 if query else 1]
        found = self._model.encode(  # type: ignore[attr-defined]
            [prefix + t for t in texts],
            batch_size=64,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return np.ascontiguousarray(found, np.float32)


def open_named(model: str) -> Encoder:
    """The model in a folder or of a hub id; what was downloaded once needs no network.

    Raises EncoderUnavailable.
    """
    place = Path(model).expanduser()
    if place.exists():
        return _Sentences(_open(place, model), f"{place.name}-{_digest(place)}", model)
    if place.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise EncoderUnavailable(told("articles.model.no_folder", model=model))
    try:
        place = _download(model, None, local=True)
        found = _open(place, model)
    except EncoderUnavailable:
        place = _download(model, None)
        found = _open(place, model)
    return _Sentences(found, f"{model}@{place.name}", model)


def pull(hub_id: str, folder: Path) -> Path:
    """Downloads a model from the hub into *folder*, to be named in config.yaml; returns where it is.

    Raises EncoderUnavailable. A repeat downloads what is missing or has changed.
    """
    return _download(hub_id, folder / hub_id.replace("/", "--"))


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
            told("articles.model.not_downloaded", model=hub_id, reason=in_short(error))
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
            told("articles.model.not_opened", model=name, reason=in_short(error))
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
