"""The keys of other systems: who calls, what they may do, and how often."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot.config.handoff import SHORTEST_SECRET, Api
from bot.errors import ConfigError
from bot.text.problems import problem
from bot.web.api.problem_details import BadRequest
from bot.web.shared_window import HitCount, SharedWindow

EVERYTHING = ("customers", "messages", "tickets")
WINDOW = timedelta(minutes=1)  # in which requests are counted
WRONG_KEYS = 60  # a minute, all callers of all replicas together, before a pause is asked for
_LINE = re.compile(r"([a-z][a-z0-9_-]{0,29})\s+(\S+)")


@dataclass(slots=True)
class ApiCaller:
    """Whose key it is, and how often it asked lately."""

    name: str
    asked: SharedWindow
    may: tuple[str, ...] = EVERYTHING


class ApiKeys:
    """Knows callers by the hash of their key; compares all of them, however early one fits.

    Requests are counted in the store, for all replicas together.
    """

    def __init__(
        self,
        keys: Mapping[str, tuple[str, tuple[str, ...]]],
        *,
        per_minute: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:

        def window(name: str, most: int) -> SharedWindow:
            return SharedWindow(name, most, WINDOW, monotonic=monotonic)

        self._callers = [
            (_hash(secret), ApiCaller(name, window(f"key:{name}", per_minute), may))
            for name, (secret, may) in keys.items()
        ]
        self._wrong = window("unknown_key", WRONG_KEYS)

    @classmethod
    def load(cls, api: Api, file: Path | None) -> ApiKeys | None:
        """The keys of the config and of its file; None where there are none.

        Raises `ConfigError` with file and line.
        """
        keys: dict[str, tuple[str, tuple[str, ...]]] = {
            name: (key.secret.get_secret_value(), key.may) for name, key in api.keys.items() if key.secret
        }
        if file is not None:
            keys = {**_read(file), **keys}
        return cls(keys, per_minute=api.per_minute) if keys else None

    async def admit(self, request: web.Request, store: HitCount, now: datetime) -> ApiCaller:
        """Who asks. Raises `BadRequest` (401 without a known key, 429 when it asks too often),
        `StorageError`.
        """
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        found = self._known(secret.strip()) if kind.lower() == "bearer" else None
        if found is None:
            if await self._wrong.admit(store, now):
                raise BadRequest(
                    429,
                    "too_many_unknown_keys",
                    "too many unknown keys lately: wait a minute",
                    headers={"Retry-After": "60"},
                )
            raise BadRequest(
                401,
                "unknown_key",
                "send a known key as `Authorization: Bearer KEY`",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if wait := await found.asked.admit(store, now):
            raise BadRequest(
                429,
                "too_many_requests",
                f"at most {found.asked.most} requests a minute with this key",
                headers={"Retry-After": str(max(1, round(wait + 0.5)))},
            )
        return found

    def _known(self, secret: str) -> ApiCaller | None:
        given, found = _hash(secret), None
        for kept, caller in self._callers:
            if hmac.compare_digest(given, kept):
                found = caller
        return found


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _read(file: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The keys of a file: NAME KEY a line; blank lines and lines with # are passed over."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError([problem("config.keys_unreadable", str(file))]) from None
    keys: dict[str, tuple[str, tuple[str, ...]]] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            problems.append(problem("config.keys_line", str(file), number))
        elif len(found[2]) < SHORTEST_SECRET:
            problems.append(problem("config.key_line_short", str(file), number, least=SHORTEST_SECRET))
        elif found[1] in keys:
            problems.append(problem("config.key_twice", str(file), number, name=found[1]))
        else:
            keys[found[1]] = (found[2], EVERYTHING)
    if problems:
        raise ConfigError(problems)
    return keys
