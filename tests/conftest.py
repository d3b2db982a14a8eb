"""What most tests stand on: a small knowledge base and a service in memory over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from bot.clock import HandClock
from bot.model import Peer
from bot.storage.base import Store
from bot.storage.postgres.store import PostgresStore, ServerSettings
from bot.testing import OperatorsGroup, TestBot, harness, open_test_bot
from bot.text.problems import prefer_language
from tests.postgres import Cluster, running

# the suite says the same twice (`make fuzz` draws anew), also on a busy machine: no example has a deadline
hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")

ARTICLES = {
    "delivery": (
        "Сроки доставки",
        ["сколько идёт доставка", "когда привезут заказ", "срок доставки"],
        "Доставка занимает 3–5 дней.",
    ),
    "cost": ("Стоимость доставки", ["сколько стоит доставка", "цена доставки"], "Доставка стоит 350 рублей."),
    "return": (
        "Возврат товара",
        ["как вернуть товар", "хочу вернуть покупку", "оформить возврат"],
        "Вернуть товар можно за 14 дней.",
    ),
    "payment": (
        "Способы оплаты",
        ["как оплатить заказ", "можно ли оплатить картой"],
        "Картой, по СБП или наличными.",
    ),
}


@pytest.fixture(autouse=True)
def russian_reader() -> Iterator[None]:
    """A command that read an English config leaves nothing behind."""
    yield
    prefer_language("ru")


@pytest.fixture
def plain_log() -> None:
    """What an earlier test made of the log is forgotten: for tests that look at what is logged."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server for the whole run, started by the first test that asks for it."""
    with running() as cluster:
        yield cluster


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=("sqlite", "postgres"), default="sqlite", help="of tests' bots")


@pytest.fixture(scope="session")
def shaped_database(postgres: Cluster) -> str:
    """The URL of a database of this version without rows, to make copies of."""
    url = postgres.database()
    asyncio.run(PostgresStore.open(url).close())
    return url


@pytest.fixture(autouse=True)
def store_of_bots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`--store postgres` plays what a test's bot does on PostgreSQL: each bot has a database of its own."""
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    if request.node.get_closest_marker("sqlite"):
        pytest.skip("about SQLite alone")
    postgres: Cluster = request.getfixturevalue("postgres")
    shaped: str = request.getfixturevalue("shaped_database")
    made: list[str] = []

    def on_postgres(clock: HandClock) -> Store:
        made.append(postgres.database(shaped))
        server = ServerSettings(made[-1], connections=3)
        return PostgresStore.open(server, now=clock, holder="tests", own_time=True)

    monkeypatch.setattr(harness, "make_store", on_postgres)
    yield
    for url in made:
        postgres.drop(url)


@pytest.fixture
def database(postgres: Cluster) -> Iterator[str]:
    """The URL of an empty database."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A folder with a few articles."""
    folder = tmp_path / "kb"
    folder.mkdir()
    for name, (title, aliases, body) in ARTICLES.items():
        (folder / f"{name}.md").write_text(
            f"---\ntitle: {title}\naliases: [{', '.join(aliases)}]\n---\n\n{body}\n", encoding="utf-8"
        )
    return folder


@pytest.fixture
async def testbot(articles: Path) -> AsyncIterator[TestBot]:
    """A service whose desk is a forum."""
    async with open_test_bot(articles) as opened:
        yield opened


DESKS = {
    "topics": OperatorsGroup(),
    "plain": OperatorsGroup(forum=False),
    "vk": OperatorsGroup(place=Peer("vk", "2000000001")),
}


@pytest.fixture(params=list(DESKS))
async def any_testbot(articles: Path, request: pytest.FixtureRequest) -> AsyncIterator[TestBot]:
    """A service with each kind of desk."""
    async with open_test_bot(articles, desk=DESKS[request.param]) as opened:
        yield opened


@pytest.fixture
async def plain_testbot(articles: Path) -> AsyncIterator[TestBot]:
    """A service whose desk is a plain group."""
    async with open_test_bot(articles, desk=OperatorsGroup(forum=False)) as opened:
        yield opened
