"""What PostgreSQL says is wrong, in the words of whoever runs the bot: what it is, what to do, never a
password.

A connection that fails brings no code, only the server's words, in the server's language: English and Russian
ones are known here, others are passed on as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.errors import StorageError
from bot.text.problems import TranslatableText, told
from bot.text.url import shown_url

SCHEMES = ("postgresql", "postgres")
LEAST = 15  # the oldest server that is tested
_MIXED_UP = re.compile(r"[@/?#]|%(?![0-9A-Fa-f]{2})")  # what a name or password may hold only as a code
_SHORTEST = 3  # characters of a piece of a password that is taken out of a message

_SAID = tuple(  # what a server or libpq says of a connection that failed, the first that fits
    (re.compile(pattern), key)
    for pattern, key in (
        (r"no password supplied", "no_password"),
        (r"password authentication failed|не прошёл проверку подлинности", "wrong_password"),
        (r"authentication failed|проверку подлинности", "wrong_password"),
        (r"role .* does not exist|роль .* не существует", "no_user"),
        (r"database .* does not exist|база данных .* не существует", "no_database"),
        (r"permission denied for database|доступ к базе данных .* запрещ|нет доступа к базе", "no_connect"),
        (r"no pg_hba\.conf entry|в pg_hba\.conf нет записи|pg_hba\.conf rejects", "not_let_in"),
        (r"too many (clients|connections)|connection slots are reserved", "crowded"),
        (r"слишком много (клиентов|подключений)|слоты подключений зарезервированы", "crowded"),
        (r"no more connections allowed|max_client_conn", "crowded"),
        (r"is (starting up|shutting down|in recovery mode)|not yet accepting connections", "starting"),
        (r"система баз данных (запускается|останавливается|в режиме восстановления)", "starting"),
        (r"is not read-write|session is read-only|server is in hot standby", "read_only"),
        (r"invalid response to SSL|expected authentication request|unsupported frontend", "not_postgres"),
        (r"does not support SSL|SSL error|certificate|SSL was required|SSL connection", "encryption"),
        (r"failed to resolve host|could not translate host name|Name or service not known", "no_host"),
        (
            r"invalid (integer|port|sslmode)|invalid connection option|invalid URI|percent-encoded",
            "unreadable",
        ),
        (r"couldn't get a connection", "busy_pool"),
        (r"connection is (lost|closed)|consuming input failed|server closed the connection", "lost"),
        (r"terminating connection|connection already closed|sending query failed|SYSCALL", "lost"),
        (r"[Cc]onnection refused|timeout expired|No such file|unreachable|timed out", "unreachable"),
        (r"connection timeout|could not connect|connection failed|connection is bad", "unreachable"),
    )
)
_CODES = (  # beginnings of a code of the SQL standard, the first that fits
    ("28P01", "wrong_password"),
    ("28", "not_let_in"),
    ("3D000", "no_database"),
    ("42501", "no_rights"),
    ("25006", "read_only"),
    ("53100", "full"),
    ("53300", "crowded"),
    ("57014", "slow"),
    ("55P03", "slow"),
    ("57P03", "starting"),
    ("57P", "lost"),
    ("08", "lost"),
)


def url_fault(url: str) -> TranslatableText | None:
    """What is wrong with an address before anybody is called by it; None = nothing.

    libpq would take a piece of an unescaped password for the host, and say it.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        return told("postgres.scheme", scheme=scheme)
    if _MIXED_UP.search(rest.rpartition("@")[0]):
        return told("postgres.mixed_up")
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        reason = without_password(str(error).strip(), url)
        return told("postgres.unreadable", url=shown_url(url), reason=reason)
    if not parts.get("dbname"):
        return told("postgres.no_database_named", url=shown_url(url))
    return None


def without_password(text: str, url: str) -> str:
    """*text* with *** for the password of *url*, and for each piece that a wrong reading made of it."""
    for secret in sorted(set(_secrets(url)), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def explained(error: psycopg.Error, url: str) -> StorageError:
    """What *error* means for whoever runs the bot that works at *url*."""
    key = _key(error)
    return StorageError(told(f"postgres.{key}", **_facts(url), reason=_reason(error, url)))


def old_server(version: int, url: str) -> TranslatableText | None:
    """What to say of a server of this `server_version` (150004 = 15.4); None = it is new enough."""
    if version >= LEAST * 10_000:
        return None
    shown = f"{version // 10_000}.{version % 10_000}"
    return told("postgres.old_server", **_facts(url), version=shown, least=LEAST)


def wrong_encoding(encoding: str, url: str) -> TranslatableText | None:
    """What to say of a database that keeps text as *encoding*; None = it keeps all of it."""
    good = encoding.upper().replace("-", "") == "UTF8"
    return None if good else told("postgres.encoding", **_facts(url), encoding=encoding)


def no_hints(url: str) -> TranslatableText:
    """What to say where LISTEN hears nothing through *url*."""
    return told("postgres.no_hints", **_facts(url))


def _key(error: psycopg.Error) -> str:
    code = error.sqlstate or ""
    if found := next((key for start, key in _CODES if code.startswith(start)), None):
        return found
    said = str(error)
    if not code and (found := next((key for pattern, key in _SAID if pattern.search(said)), None)):
        return found
    return "lost" if isinstance(error, psycopg.OperationalError) and not code else "failed"


def _reason(error: psycopg.Error, url: str) -> str:
    """The server's own words in one line; of wrong values only the kind, for they may be somebody's words."""
    if (error.sqlstate or "").startswith(("22", "23")) or isinstance(error, psycopg.DataError):
        return f"{type(error).__name__} {error.sqlstate or ''}".strip()
    said = error.diag.message_primary or str(error).strip().partition("\n")[0]
    said = said.removeprefix("connection failed: ").removeprefix("connection is bad: ")
    return without_password(said, url)


def _facts(url: str) -> dict[str, object]:
    """Server, database and user of an address, for the words."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        parts = {}
    host, port = str(parts.get("host") or "localhost"), str(parts.get("port") or "5432")
    server = host if "," in host else f"{host}:{port}"
    user = str(parts.get("user") or "—")
    return {"server": server, "database": parts.get("dbname") or user, "user": user, "url": shown_url(url)}


def _secrets(url: str) -> Iterator[str]:
    """The password, as it stands and decoded, and the pieces between its signs."""
    _, _, rest = url.partition("://")
    head, at, _ = rest.rpartition("@")
    password = head.partition(":")[2] if at else ""
    query = re.search(r"[?&]password=([^&]*)", rest)
    for secret in (password, query[1] if query else ""):
        for whole in {secret, unquote(secret)} - {""}:
            yield whole
            yield from (p for p in re.split(r"[@:/?#%]", whole) if len(p) >= _SHORTEST)
