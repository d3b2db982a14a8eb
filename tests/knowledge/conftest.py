"""The real rows of our own encoder, built once and kept between runs of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.knowledge.encoder.loader import load
from bot.knowledge.encoder.own_encoder import identity


@pytest.fixture(scope="session")
def encoders(request: pytest.FixtureRequest) -> Path:
    """A cache folder with the rows; they take half a minute to build."""
    folder = Path(request.config.cache.mkdir("encoder"))
    load("light", folder)
    return folder


@pytest.fixture
def cache(encoders: Path, tmp_path: Path) -> Path:
    """A cache folder of the test's own that holds the rows and nothing else."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    (folder / identity()).symlink_to(encoders / identity())
    return folder
