"""What is wrong with PostgreSQL is told in the owner's words, says what to do, and never holds a password."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from bot.config.loader import password_in_url, read_config
from bot.errors import ConfigError
from bot.observability import redact
from bot.storage.postgres.problems import (
    explained,
    no_hints,
    old_server,
    url_fault,
    without_password,
    wrong_encoding,
)
from bot.text.problems import told_in
from bot.text.url import shown_url
from tests.postgres import Cluster

SECRET = "s3cretW0rd"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://h/shop", "postgresql://"),
        ("postgresql://", "не названа база"),
        (f"postgresql://bot:{SECRET}@db.example.com", "не названа база"),
        (f"postgresql://bot:{SECRET}@x/y@db/shop", "%40"),
        (f"postgresql://bot:{SECRET}#1@db/shop", "%40"),
        (f"postgresql://bot:{SECRET}%zz@db/shop", "%40"),
        (f"postgresql://bot:{SECRET}@db/shop?speed=high", "speed"),
    ],
)
def test_a_wrong_address_is_told_before_anybody_is_called(url: str, words: str) -> None:
    fault = url_fault(url)
    assert fault is not None and words in fault and SECRET not in fault
    assert fault != told_in(fault, "en") and SECRET not in told_in(fault, "en")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot@db/shop",
        "postgres://bot:a%40b@db:6432/shop?sslmode=require",
        "postgresql:///shop?host=/run/postgresql",
        "postgresql://bot:x@one,two/shop?target_session_attrs=read-write",
    ],
)
def test_a_good_address_is_none_of_its_faults(url: str) -> None:
    assert url_fault(url) is None


def _told(url: str) -> str:
    """What is told of the error that connecting there brings."""
    try:
        with psycopg.connect(url, connect_timeout=5):
            raise AssertionError("connected")
    except psycopg.Error as error:
        return str(explained(error, url))


def _with(url: str, **parts: str) -> str:
    """The address with other parts."""
    found = urlsplit(url)
    user, password = parts.get("user", found.username), parts.get("password", found.password)
    database = parts.get("database", found.path.removeprefix("/"))
    return f"postgresql://{user}:{password}@{found.hostname}:{found.port}/{database}"


def test_a_real_server_refuses_in_words(database: str, postgres: Cluster) -> None:
    """Password, user, database, connections: each with what to do, none with the password."""
    name = database.rpartition("/")[2]
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("create role guest login password 'guest-s3cret'")
        owner.execute(sql.SQL("revoke connect on database {} from public").format(sql.Identifier(name)))
    try:
        for url, words in (
            (_with(database, password=SECRET), "не принял пароль пользователя postgres"),
            (_with(database, user="nobody", password=SECRET), "не принял пароль пользователя nobody"),
            (_with(database, database="nowhere"), "createdb --owner postgres nowhere"),
            (_with(database, user="guest", password="guest-s3cret"), "grant connect on database"),
        ):
            told = _told(url)
            assert words in told and SECRET not in told and "s3cret" not in told
            password = urlsplit(url).password
            assert password and password not in told
    finally:
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute("drop role guest")


def test_a_user_without_rights_is_told_which(database: str) -> None:
    name = database.rpartition("/")[2]
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("create role clerk login password 'clerk'")
        try:
            url = _with(database, user="clerk", password="clerk")
            with psycopg.connect(url) as db, pytest.raises(psycopg.Error) as refused:
                db.execute("create table t (id bigint)")
            told = str(explained(refused.value, url))
            assert f"alter database {name} owner to clerk" in told and "grant all on schema public" in told
        finally:
            owner.execute("drop role clerk")


def test_a_server_that_goes_away_or_is_read_only(database: str, postgres: Cluster) -> None:
    with psycopg.connect(database) as db:
        db.execute("set transaction read only")
        with pytest.raises(psycopg.Error) as refused:
            db.execute("create table t (id bigint)")
        assert "основной сервер" in str(explained(refused.value, database))
        db.rollback()
        postgres.cut_connections(database)
        with pytest.raises(psycopg.Error) as lost:
            db.execute("select 1")
        assert "прервалась" in str(explained(lost.value, database))


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        told = _told(f"postgresql://bot:{SECRET}@127.0.0.1:{taken.getsockname()[1]}/shop")
    assert "не отвечает" in told and "127.0.0.1" in told and SECRET not in told
    assert "не нашлось" in _told(f"postgresql://bot:{SECRET}@nowhere.invalid/shop")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  password authentication failed for user "bot"', "не принял пароль"),
        ('ВАЖНО:  пользователь "bot" не прошёл проверку подлинности (по паролю)', "не принял пароль"),
        ("fe_sendauth: no password supplied", "ждёт пароль"),
        ('FATAL:  role "bot" does not exist', "createuser bot"),
        ('ВАЖНО:  база данных "shop" не существует', "createdb --owner bot shop"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "bot"', "pg_hba.conf"),
        ('FATAL:  permission denied for database "shop"', "grant connect on database shop to bot"),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        ("FATAL:  the database system is starting up", "подождите"),
        ("ВАЖНО:  система баз данных запускается", "подождите"),
        ("session is not read-write", "основной сервер"),
        ("received invalid response to SSL negotiation: H", "не PostgreSQL"),
        ("server does not support SSL, but SSL was required", "sslmode"),
        ("couldn't get a connection after 5.00 sec", "storage.pool"),
        ("the connection is closed", "прервалась"),
        ("something else altogether", "прервалась"),
    ],
)
def test_words_of_the_server_are_understood_in_its_language(said: str, words: str) -> None:
    """A connection that fails has no code; a server speaks Russian where it was installed so."""
    url = f"postgresql://bot:{SECRET}@db:6432/shop"
    assert words in str(explained(psycopg.OperationalError(said), url))


def test_no_word_of_a_customer_is_told() -> None:
    """A value that the database refuses may be what somebody wrote."""
    error = psycopg.errors.InvalidTextRepresentation('invalid input for integer: "мой пароль 12345"')
    assert "12345" not in str(explained(error, "postgresql://bot@db/shop"))


def test_each_kind_of_fault_names_what_to_do() -> None:
    url = f"postgresql://bot:{SECRET}@db/shop"
    assert old_server(150004, url) is None
    old = old_server(130011, url)
    assert old is not None and "13.11" in old and "15" in old
    assert wrong_encoding("UTF8", url) is None
    other = wrong_encoding("SQL_ASCII", url)
    assert other is not None and "--encoding UTF8" in other
    assert "storage.listen_url" in no_hints(url)


def test_a_password_is_taken_out_in_every_form() -> None:
    """Whole, decoded, and in the pieces that a wrong reading of the address makes."""
    url = f"postgresql://bot:{SECRET}%40tail@db/shop?password=other"
    for leak in (SECRET, f"{SECRET}@tail", f"{SECRET}%40tail", "tail", "other"):
        assert without_password(f"host {leak}!", url) == "host ***!"
    assert shown_url(url) == "postgresql://bot@db/shop"


def test_the_log_hides_the_password_of_any_address() -> None:
    for text in (
        f"to postgresql://bot:{SECRET}@db/shop",
        f"to redis://:{SECRET}@ha:1",
        f"a://b:{SECRET}/x@c",
    ):
        assert SECRET not in redact(text)


def test_it_is_said_again_in_another_language() -> None:
    """To a page or a log in English, though the command line was asked in Russian."""
    url = f"postgresql://bot:{SECRET}@db/shop"
    told = explained(psycopg.OperationalError("server is in recovery mode"), url).args[0]
    assert "подождите" in told and "wait" in told_in(told, "en")


def test_the_password_comes_from_the_environment_as_it_is(tmp_path: Path) -> None:
    """With any signs; the whole address may come from there, too. One in the file is found by doctor."""
    file = tmp_path / "config.yaml"
    file.write_text(
        'storage: {url: "postgresql://bot:${DATABASE_PASSWORD}@db/shop", listen_url: "${LISTEN}", pool: 9}\n'
    )
    environment = {"DATABASE_PASSWORD": "p@s/s:#%1", "LISTEN": "postgresql://bot:x%40@db/shop"}
    storage = read_config(file, environment=environment).storage
    assert (storage.url, storage.listen_url, storage.pool) == (
        "postgresql://bot:p%40s%2Fs%3A%23%251@db/shop",
        "postgresql://bot:x%40@db/shop",
        9,
    )
    assert url_fault(storage.url) is None and "p%40s" not in repr(storage)
    assert password_in_url(file) == ""
    with pytest.raises(ConfigError, match="DATABASE_PASSWORD"):
        read_config(file, environment={})
    file.write_text(f'storage: {{url: "postgresql://bot:{SECRET}@db/shop"}}\n')
    assert password_in_url(file) == "storage.url"
