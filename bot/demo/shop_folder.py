"""The demo shop that comes with the package: shown from a copy of its own, so that nothing of it mixes with
an owner's folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

PARTS = ("config.yaml", "kb_articles")


def shop_source() -> Path:
    """Where the shop lies: inside an installed package, or at the top of the sources."""
    packaged = Path(__file__).with_name("shop")
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def open_shop(cache: Path) -> Path:
    """A copy of this version's shop in the folder *cache*, made at the first time; what was changed there
    stays. Raises OSError.
    """
    source = shop_source()
    target = cache / f"demo-{_digest(source)}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix="demo-", suffix=".new", dir=cache))
    try:
        shutil.copy2(source / "config.yaml", draft)
        shutil.copytree(source / "kb_articles", draft / "kb_articles")
        _moved(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _moved(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was first, with the same shop
            raise


def _digest(source: Path) -> str:
    made = sha256()
    for file in _files(source):
        made.update(file.relative_to(source).as_posix().encode() + b"\0")
        made.update(sha256(file.read_bytes()).digest())
    return made.hexdigest()[:12]


def _files(source: Path) -> Iterator[Path]:
    for part in PARTS:
        place = source / part
        yield from [place] if place.is_file() else sorted(f for f in place.rglob("*") if f.is_file())
