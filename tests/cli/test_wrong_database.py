"""A `storage.url` that does not work: each command says what is wrong and what to do, never a password."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.storage.postgres import schema
from tests.cli.conftest import Run

SECRET = "s3cretW0rd"
REST = """
knowledge: {folder: kb_articles, embeddings: {model: "off"}}
business: {name: Shop}
channels: {telegram: {type: telegram, token: "${SHOP_TOKEN}"}}
"""
Point = Callable[[str], None]


@pytest.fixture
def point(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Point:
    """The config names this address; the password comes from the environment."""

    def written(url: str) -> None:
        monkeypatch.setenv("DATABASE_PASSWORD", urlsplit(url).password or SECRET)
        named = url.replace(f":{urlsplit(url).password}@", ":${DATABASE_PASSWORD}@")
        (shop / "config.yaml").write_text(f'storage: {{url: "{named}"}}{REST}', encoding="utf-8")

    return written


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://bot:{SECRET}@db.example.com", "не названа база"),
        (f"postgresql://bot:{SECRET}@nowhere.invalid/shop", "не нашлось"),
        (f"postgresql://bot:{SECRET}@db/shop?sped=1", "sped"),
        ("mongodb://db/shop", "mongodb://"),
    ],
)
@pytest.mark.parametrize("command", [("db", "check"), ("db", "migrate"), ("run", "--no-web"), ("report",)])
def test_a_wrong_address(
    run: Run, point: Point, url: str, words: str, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    point(url)
    monkeypatch.setenv("SHOP_TOKEN", "123456:none")
    said = run(*command, code=1).output
    assert words in said and SECRET not in said and "Traceback" not in said


def test_a_server_that_does_not_answer(run: Run, point: Point) -> None:
    """Doctor goes on with what else there is to look at."""
    with socket.socket() as silent:  # bound, and nobody listens
        silent.bind(("127.0.0.1", 0))
        point(f"postgresql://bot:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/shop")
        for command in (("db", "check"), ("doctor",), ("export", "--customer", "1"), ("incident", "show")):
            said = run(*command, code=1).output
            assert "не отвечает" in said and SECRET not in said
        assert "статей: 7" in run("doctor", code=1).output


def test_a_variable_that_is_not_set_is_no_other_database(
    run: Run, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot must not begin an empty file in its place."""
    point(f"postgresql://bot:{SECRET}@db/shop")
    monkeypatch.delenv("DATABASE_PASSWORD")
    assert "DATABASE_PASSWORD" in run("db", "check", code=1).output
    assert not Path("data").exists()


def test_a_package_that_is_not_installed(run: Run, point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    point(f"postgresql://bot:{SECRET}@db/shop")
    for name in [n for n in sys.modules if n.split(".")[0] in ("psycopg", "psycopg_pool")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [n for n in sys.modules if n.startswith("bot.storage.postgres.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for command in (("db", "check"), ("db", "backup", "copy.dump")):
        assert "pip install 'otklik[postgres]'" in run(*command, code=1).output


def test_a_user_who_may_not_create_tables(run: Run, point: Point, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("create role porter login password 'porter-s3cret'")
        try:
            to = urlsplit(database)
            point(f"postgresql://porter:porter-s3cret@{to.hostname}:{to.port}{to.path}")
            said = run("db", "migrate", code=1).output
            assert "owner to porter" in said and "porter-s3cret" not in said
        finally:
            owner.execute("drop role porter")


def test_an_older_version_stops_where_it_must_and_goes_on_where_it_can(
    run: Run, point: Point, database: str
) -> None:
    """A newer version has been at the database: what it only added does no harm."""
    point(database)
    run("db", "migrate")
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("insert into migrations values('900_added', 1, 0)")
        assert "Всё в порядке" in run("db", "check").output
        db.execute("insert into migrations values('901_changed', 0, 0)")
    said = run("db", "check", code=1).output
    assert "901_changed" in said and "обновите этот процесс" in said


def test_a_step_that_breaks_others_waits_until_they_are_stopped(
    run: Run, point: Point, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go on; one that only adds is taken beside them."""
    point(database)
    run("db", "migrate")

    def report(seen: str) -> None:
        with psycopg.connect(database, autocommit=True) as db:
            db.execute("delete from replicas")
            db.execute(
                "insert into replicas values('shop-1', '1', '', '', '', 0, 0, cast(extract(epoch from"
                f" clock_timestamp() {seen}) * 1000 as bigint))"
            )

    added = schema.Step("900_added", ("create table added(id bigint)",), additive=True)
    changed = schema.Step("901_changed", ("drop table added",), additive=False)
    report("- interval '1 second'")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, added))
    run("db", "migrate")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, changed))
    said = run("db", "migrate", code=1).output
    assert "shop-1" in said and "901_changed" in said
    report("- interval '1 hour'")
    run("db", "migrate")


def test_a_password_in_the_file_is_warned_of(run: Run, shop: Path, database: str) -> None:
    """It works; doctor says how to do it better."""
    (shop / "config.yaml").write_text(f'storage: {{url: "{database}"}}{REST}', encoding="utf-8")
    said = run("doctor").output
    assert "storage.url: пароль базы стоит прямо в файле" in said and "${DATABASE_PASSWORD}" in said
    assert str(urlsplit(database).password) not in said
