"""The built index of a large base, kept in the cache folder between starts; whatever is wrong with it, it is built again."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.index import Index
from bot.knowledge.library import Library

FORMAT = 2  # to be raised with every change of what is kept


@dataclass(frozen=True, slots=True)
class Saved:
    """What is kept: the files as they were read, and the index over them (with its reader)."""

    library: Library
    index: Index


def place_of(cache: Path, folder: Path) -> Path:
    return cache / f"index-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.pickle"


def key_of(synonyms: tuple[Path, ...], channels: tuple[str, ...]) -> str:
    """Changes with everything but the articles that the index depends on."""
    digest = hashlib.sha256(f"{FORMAT} {channels}".encode())
    for path in (*sorted((Path(__file__).parent / "data").glob("*_??.*")), *synonyms):
        digest.update(path.read_bytes() if path.exists() else b"")
    for name in ("index", "lexical", "reading", "words", "speech", "articles", "markup", "fields"):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()


def load(path: Path, key: str) -> Saved | None:
    """The index kept under this key, or None. The cache folder is the owner's own: nothing foreign is ever written to it."""
    try:
        with path.open("rb") as file:
            if pickle.load(file) != key:
                return None
            found = pickle.load(file)
    except Exception:  # noqa: BLE001 - a torn, old or foreign file of any kind only costs a rebuild
        return None
    return found if isinstance(found, Saved) else None


def save(path: Path, key: str, saved: Saved) -> None:
    """Writes beside and renames; a full disk only costs a rebuild at the next start."""
    beside = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            pickle.dump(key, file, 5)
            pickle.dump(saved, file, 5)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
