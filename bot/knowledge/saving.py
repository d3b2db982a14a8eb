"""The built index of a large base, kept in the cache folder between starts; whatever is wrong with it, it is built again."""

from __future__ import annotations

import gc
import hashlib
import itertools
import mmap
import os
import pickle
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.index import Index
from bot.knowledge.library import Library
from bot.knowledge.shelf import Shelf

ALIGN = 64  # bytes: where an array may begin
FORMAT = 3  # to be raised with every change of what is kept


@dataclass(frozen=True, slots=True)
class Saved:
    """What is kept: the files as they were read, the shelf of articles, and the index over them (with its reader)."""

    library: Library
    shelf: Shelf
    index: Index


def place_of(cache: Path, folder: Path) -> Path:
    return cache / f"index-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.pickle"


def key_of(synonyms: tuple[Path, ...], channels: tuple[str, ...]) -> str:
    """Changes with everything but the articles that the index depends on."""
    digest = hashlib.sha256(f"{FORMAT} {channels}".encode())
    for path in (*sorted((Path(__file__).parent / "data").glob("*_??.*")), *synonyms):
        digest.update(path.read_bytes() if path.exists() else b"")
    for name in ("index", "lexical", "reading", "words", "speech", "shelf", "articles", "markup", "frontmatter", "fields"):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    for name in ("markdown", "markdown_rules", "yaml_reader"):
        digest.update((Path(__file__).parents[1] / f"{name}.py").read_bytes())
    return digest.hexdigest()


def _room(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def load(path: Path, key: str) -> Saved | None:
    """The index kept under this key, or None. The cache folder is the owner's own: nothing foreign is ever written to it.

    Large arrays stay in the file, mapped: they are read when they are first needed.
    """
    collecting = gc.isenabled()
    gc.disable()  # a million fresh objects and no rubbish among them
    try:
        with path.open("rb") as file:
            if pickle.load(file) != key:
                return None
            sizes, objects = pickle.load(file), pickle.load(file)
            start = -(-file.tell() // ALIGN) * ALIGN
            if file.seek(0, os.SEEK_END) < start + sum(map(_room, sizes)):
                return None
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if sizes else memoryview(b"")
        starts = itertools.accumulate(map(_room, sizes), initial=start)
        found = pickle.loads(objects, buffers=[mapped[a : a + size] for a, size in zip(starts, sizes, strict=False)])
    except Exception:  # noqa: BLE001 - a torn, old or foreign file of any kind only costs a rebuild
        return None
    finally:
        if collecting:
            gc.enable()
    return found if isinstance(found, Saved) else None


def save(path: Path, key: str, saved: Saved) -> None:
    """Writes beside and renames; a full disk only costs a rebuild at the next start."""
    beside = path.with_suffix(".tmp")
    buffers: list[pickle.PickleBuffer] = []
    objects = pickle.dumps(saved, 5, buffer_callback=buffers.append)
    views = [b.raw() for b in buffers]
    sizes = [v.nbytes for v in views]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            for part in (key, sizes, objects):
                pickle.dump(part, file, 5)
            file.write(b"\0" * (-file.tell() % ALIGN))
            for view, size in zip(views, sizes, strict=True):
                file.write(view)
                file.write(b"\0" * (_room(size) - size))
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
