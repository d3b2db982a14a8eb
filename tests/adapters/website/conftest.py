"""The chat of a shop, open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.website.shop_site import Site, open_site


@pytest.fixture
async def site(articles: Path) -> AsyncIterator[Site]:
    async with open_site(articles) as opened:
        yield opened
