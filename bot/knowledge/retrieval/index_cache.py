"""The built index of a large base, kept in the cache folder between starts; whatever is wrong with it, it is
built again.

One `.safetensors` file: arrays, and texts as JSON. Nothing in it can be run, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from bot.knowledge.articles.catalog import ArticleCatalog
from bot.knowledge.articles.repository import ArticleRepository, ReadFile
from bot.knowledge.query.analyzer import KINDS, PackedBlocks, TextAnalyzer
from bot.knowledge.query.synonyms import Synonyms
from bot.knowledge.retrieval.index import Index, SavedField, SavedIndex
from bot.knowledge.retrieval.lexical import Array
from bot.knowledge.retrieval.private_folder import is_private, make_private

_SOURCES = (  # what the kept index is made by, below `bot`: a change of any of them makes it anew
    *(f"knowledge/retrieval/{name}.py" for name in ("index", "lexical")),
    *(f"knowledge/query/{name}.py" for name in ("analyzer", "words", "synonyms")),
    *(
        f"knowledge/articles/{name}.py"
        for name in ("attached", "catalog", "schema", "markup", "frontmatter", "fields", "repository")
    ),
    *(f"text/{name}.py" for name in ("markdown", "markdown_rules", "yaml_source")),
)
FORMAT = 5  # to be raised with every change of what is kept
_PACKED = ("numbers", "counts", "lengths", "ends", "held", "holders", "held_ends")


@dataclass(frozen=True, slots=True)
class RestoredIndex:
    """What a start takes over: the catalog of articles and the index over them (with its reader)."""

    catalog: ArticleCatalog
    index: Index


def place_of(cache: Path, folder: Path) -> Path:
    return cache / f"index-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.safetensors"


def key_of(synonyms: tuple[Path, ...], channels: tuple[str, ...]) -> str:
    """Changes with everything but the articles that the index depends on."""
    digest = hashlib.sha256(f"{FORMAT} {channels}".encode())
    for path in (*sorted((Path(__file__).parents[1] / "data").glob("*_??.*")), *synonyms):
        digest.update(path.read_bytes() if path.exists() else b"")
    for name in _SOURCES:
        digest.update((Path(__file__).parents[2] / name).read_bytes())
    return digest.hexdigest()


def load(path: Path, key: str, repository: ArticleRepository, speech: Synonyms) -> RestoredIndex | None:
    """The index kept under this key, or None; *repository* then knows the files that were read.

    A file that somebody else could have written is not read. What was read of each article is taken from the
    file when an article is first to be read again.
    """
    if not is_private(path):
        return None
    try:
        file = _open(path)
        head = file.metadata() or {}
        if head.get("key") != key or head.get("folder") != str(repository.folder):
            return None
        texts = _Texts(file)
        kept = repository.restore(_read_files().validate_json(texts.raw("library")))
        catalog = ArticleCatalog([a for a in kept if not a.internal])
        reader = TextAnalyzer.restored(
            speech, {kind: texts[f"words.{kind}"] for kind in KINDS}, lambda: _packed(file)
        )
        names = [n for n in file.keys() if n.startswith("index.")]  # noqa: SIM118 - not a mapping
        arrays = {n.removeprefix("index."): file.get_tensor(n) for n in names}
        sides = [
            SavedField(_tuples(texts[f"{side}.words"]), frozenset(texts[f"{side}.forms"]))
            for side in ("questions", "passages")
        ]
        unknown = texts["unknown"]
        index = Index(
            catalog.published, reader, SavedIndex((sides[0], sides[1]), (unknown[0], unknown[1]), arrays)
        )
        return RestoredIndex(catalog, index)
    except Exception:  # noqa: BLE001 - a torn, old or foreign file of any kind only costs a rebuild
        repository.restore({})
        return None


def save(path: Path, key: str, repository: ArticleRepository, index: Index) -> None:
    """Writes beside and renames; a full disk only costs a rebuild at the next start."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    beside = path.with_suffix(".tmp")
    try:
        make_private(path.parent)
        beside.touch(0o600)
        save_file(dict(_told(repository, index)), beside, {"key": key, "folder": str(repository.folder)})
        beside.chmod(0o600)
        beside.replace(path)
    except (OSError, SafetensorError):
        beside.unlink(missing_ok=True)


def _told(repository: ArticleRepository, index: Index) -> Mapping[str, Array]:
    """Everything as arrays; texts are the bytes of their JSON."""
    kept, reader = index.kept(), index.reader.kept()
    texts: dict[str, object] = {f"words.{kind}": words for kind, words in reader.vocabularies.items()}
    texts |= {
        "unknown": kept.unknown,
        "read.texts": reader.packed.texts,
        "read.words": reader.packed.words,
        "read.forms": reader.packed.forms,
    }
    for name, side in zip(("questions", "passages"), kept.sides, strict=True):
        texts |= {f"{name}.words": side.words, f"{name}.forms": sorted(side.forms)}
    told: dict[str, Array] = {}
    for place, text in texts.items():
        told[place] = np.frombuffer(
            json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"), np.uint8
        )
    told["library"] = np.frombuffer(_read_files().dump_json(repository.kept()), np.uint8)
    for kind, arrays in zip(KINDS, reader.packed.terms, strict=True):
        told.update(
            (f"read.{kind}.{name}", np.asarray(array)) for name, array in zip(_PACKED, arrays, strict=True)
        )
    told.update({f"index.{name}": array for name, array in kept.arrays.items()})
    return {name: np.ascontiguousarray(array) for name, array in told.items()}


def _open(path: Path) -> Any:  # the library's own class is not typed
    from safetensors import safe_open

    return safe_open(path, framework="numpy")


def _packed(file: Any) -> PackedBlocks:
    texts = _Texts(file)
    terms = tuple(tuple(file.get_tensor(f"read.{kind}.{name}") for name in _PACKED) for kind in KINDS)
    return PackedBlocks(
        _tuples(texts["read.texts"]), _tuples(texts["read.words"]), tuple(texts["read.forms"]), terms
    )


class _Texts:
    """The texts of a kept file by name."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def raw(self, name: str) -> bytes:
        return bytes(self._file.get_tensor(name).tobytes())

    def __getitem__(self, name: str) -> Any:
        return json.loads(self.raw(name).decode("utf-8", "surrogatepass"))


def _tuples(texts: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, texts))


@cache
def _read_files() -> TypeAdapter[dict[Path, ReadFile]]:
    return TypeAdapter(dict[Path, ReadFile])
