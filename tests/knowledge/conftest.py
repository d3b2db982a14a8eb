"""The real rows of our own encoder, built once and kept between runs of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.knowledge.encoder.loader import load
from bot.knowledge.encoder.own_encoder import identity
from bot.knowledge.encoder.sentence_models import MINILM


@pytest.fixture(scope="session")
def encoders(request: pytest.FixtureRequest) -> Path:
    """A cache folder with the rows; they take half a minute to build."""
    folder = Path(request.config.cache.mkdir("encoder"))
    load("light", folder)
    if MINILM.find() is not None and MINILM.open(folder) is None:
        MINILM.convert(folder)
    return folder


@pytest.fixture
def cache(encoders: Path, tmp_path: Path) -> Path:
    """A cache folder of the test's own that holds the rows and nothing else."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    for name in (identity(), MINILM.version):
        (folder / name).symlink_to(encoders / name)
    return folder
