"""An installed package brings dialogs, channels, search channels and stores by their entry points; what it
brings here is the code of the guides.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.app import Overrides, Service, build_service, open_adapters
from bot.clock import Clock
from bot.config.loader import Config, read_config
from bot.errors import ConfigError
from bot.service import run
from bot.storage.sqlite.store import SqliteStore
from bot.testing import open_test_bot
from tests.packaging.conftest import Install, of_guide

STORE = '''
from bot.storage.sqlite.store import SqliteStore

opened = []

def open_memory(url, *, now):
    """A store that is told its address and the clock."""
    opened.append(url)
    return SqliteStore.open(":memory:", now=now)
'''


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """The whole service, with its tasks, until the end of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(service, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_a_dialog_is_named_by_its_entry_point(install: Install, articles: Path) -> None:
    """dialogs.order takes the name that the package gives it; a class is made once."""
    code = (
        "from bot import reply, RichText\n\nclass Parrot:\n    async def __call__(self, turn):\n"
        "        return reply(turn, RichText('Попугай говорит')) if 'попугай' in turn.text else None\n"
    )
    install({"outside_dialogs.py": code}, "[bot.dialogs]\nparrot = outside_dialogs:Parrot\n")
    config = Config.model_validate({"dialogs": {"order": ["human", "parrot", "faq"]}})
    async with open_test_bot(articles, config=config) as testbot:
        anna = testbot.customer()
        await anna.says("попугай?")

        assert anna.hears() == ["Попугай говорит"]


async def test_the_channel_of_the_guide_carries_a_talk(
    install: Install, articles: Path, tmp_path: Path
) -> None:
    """Named by `type:` in the config: a file that comes in is answered by a file that goes out and is
    forgotten only then; one that cannot be read stops nothing.
    """
    install(
        {"myfolder.py": of_guide("docs/en/adapters.md", "myfolder.py")},
        "[bot.adapters]\nfolder = myfolder:FolderAdapter\n",
    )
    folder = tmp_path / "letters"
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    config = Config.model_validate(
        {
            "channels": {"post": {"type": "folder", "token": "none", "folder": str(folder)}},
            "knowledge": {"folder": str(articles), "embeddings": {"model": "off"}},
            "dialogs": {"settle": 0},
        }
    )
    (folder / "in" / "1.json").write_text("{", encoding="utf-8")
    question = {"from": "anna", "text": "Сколько идёт доставка?"}
    (folder / "in" / "2.json").write_text(json.dumps(question), encoding="utf-8")
    service = await build_service(config, Overrides(storage=":memory:", log_events=False))
    async with running(service), asyncio.timeout(20):
        while not (said := sorted((folder / "out").iterdir())):
            await asyncio.sleep(0.05)

    answer = json.loads(said[0].read_text("utf-8"))
    assert answer["to"] == "anna" and "3–5 дней" in answer["text"]
    assert not list((folder / "in").iterdir())


def test_the_search_channel_of_the_guide_votes(install: Install, articles: Path) -> None:
    """knowledge.retrievers names it; an article with the tag comes first."""
    from bot.knowledge.base import KnowledgeSettings
    from bot.knowledge.search import Knowledge

    install(
        {"mysearch.py": of_guide("docs/en/retrievers.md", "mysearch.py")},
        "[bot.retrievers]\ntags = mysearch:Tags\n",
    )
    tagged = (articles / "payment.md").read_text("utf-8").replace("title:", "tags: [хомяк]\ntitle:", 1)
    (articles / "payment.md").write_text(tagged, encoding="utf-8")
    knowledge = Knowledge.open(articles, settings=KnowledgeSettings(model="off", retrievers=("tags",)))

    assert knowledge.answer("мой хомяк").why["channels"]["tags"] == {"payment": 2.0}  # type: ignore[index]


async def test_a_store_is_named_by_the_scheme_of_its_address(install: Install, articles: Path) -> None:
    """storage.url says which; it is given the whole address, and the bot lives on it."""
    install({"outside_store.py": STORE}, "[bot.stores]\nnowhere = outside_store:open_memory\n")
    config = Config.model_validate(
        {
            "storage": {"url": "nowhere://host/shop"},
            "knowledge": {"folder": str(articles), "embeddings": {"model": "off"}},
        }
    )
    service = await build_service(config, Overrides(adapters={}, log_events=False))
    try:
        outside = __import__("outside_store")
        assert outside.opened == ["nowhere://host/shop"]
        assert isinstance(service.store, SqliteStore) and service.store.file is None
    finally:
        await service.close()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"dialogs": {"order": ["human", "parot"]}}, "parot.*faq.*parrot"),
        ({"dialogs": {"order": ["human", "broken"]}}, r"broken.*bot\.dialogs"),
        (
            {"storage": {"url": "mysql://db"}},
            "mysql://.*nowhere",
        ),
    ],
)
async def test_a_name_that_nobody_brings_is_told_with_those_that_are_there(
    install: Install, articles: Path, settings: dict[str, object], told: str
) -> None:
    """At the start, as a fault of the config."""
    dialogs = "[bot.dialogs]\nparrot = outside_store:opened\nbroken = outside_store:nothing\n"
    entries = dialogs + "[bot.stores]\nnowhere = outside_store:open_memory\n"
    install({"outside_store.py": STORE}, entries)
    knowledge = {"folder": str(articles), "embeddings": {"model": "off"}}
    config = Config.model_validate({**settings, "knowledge": knowledge})

    with pytest.raises(ConfigError, match=told):
        await build_service(
            config, Overrides(adapters={}, storage=None if "storage" in settings else ":memory:")
        )


def test_a_channel_that_nobody_brings_is_told_with_those_that_are_there() -> None:
    """Ours are brought the same way."""
    config = Config.model_validate({"channels": {"post": {"type": "pigeon", "token": "none"}}})

    with pytest.raises(ConfigError, match=r"channels\.post.*pigeon.*telegram, vk"):
        open_adapters(config, Clock())


def test_what_works_on_a_file_refuses_another_store(tmp_path: Path) -> None:
    """No file of a strange name is made beside the config."""
    file = tmp_path / "config.yaml"
    file.write_text('storage:\n  url: "postgres://db/shop"\n', encoding="utf-8")

    with pytest.raises(ConfigError, match=r"postgres://.*SQLite"):
        _ = read_config(file, environment={}).storage_path
