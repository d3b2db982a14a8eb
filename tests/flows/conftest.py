"""A service whose flows are written by the test, with a connector that answers as the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from bot.app import Overrides
from bot.config.loader import Config
from bot.testing import TestBot, open_test_bot
from bot.testing.stubbed_connector import StubbedConnector, StubbedReply

OpenedFlows = Callable[..., AbstractAsyncContextManager[tuple[TestBot, StubbedConnector]]]


@pytest.fixture
def opened(articles: Path, tmp_path: Path) -> OpenedFlows:
    """Open a service over one flow, `opened(yaml)`, with the replies of other systems by "METHOD url"."""

    @asynccontextmanager
    async def open_one(
        flow: str,
        replies: Mapping[str, StubbedReply] | None = None,
        name: str = "flow",
        **settings: object,
    ) -> AsyncIterator[tuple[TestBot, StubbedConnector]]:
        folder = tmp_path / "flows"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(dedent(flow), "utf-8")
        hosts = {"flows": {"hosts": ["shop.example.com"]}}
        config = Config.model_validate({"base": tmp_path, **hosts, **settings})
        connector = StubbedConnector(replies or {})
        async with open_test_bot(
            articles, config=config, given=Overrides(connector=connector), threads=False
        ) as testbot:
            yield testbot, connector

    return open_one
