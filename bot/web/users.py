"""Who may open the pages: users with roles, kept in the store, and what each role may do.

law: what a request needs is said here, in one table; a change that nobody listed is the owner's alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

USERS = "page_users"  # the setting that keeps them
CODE = "page_code:"  # begins the settings that keep codes
LIFE = timedelta(minutes=10)  # of a code
NAME = re.compile(r"[a-z0-9_]{2,32}")
OWNER = "owner"  # the name of whoever signs in with the password of config.yaml


class PageRole(StrEnum):
    OWNER = "owner"
    SUPERVISOR = "supervisor"
    EDITOR = "editor"
    OPERATOR = "operator"
    OBSERVER = "observer"


_EVERY = frozenset(PageRole)
_OWNER = frozenset({PageRole.OWNER})
_LEADS = frozenset({PageRole.OWNER, PageRole.SUPERVISOR})
_WRITES = _LEADS | {PageRole.EDITOR}
_ANSWERS = _LEADS | {PageRole.OPERATOR}

# What begins with the path, by which method ("" = any), and whose it is; the first that fits counts.
_RIGHTS: Sequence[tuple[str, str, frozenset[PageRole]]] = (
    (r"/(login|logout|static|events|healthz|readyz)", "", _EVERY),
    (r"/flows/[^/]+/(answers\.csv|send)", "", _LEADS),
    (r"/(users|audit|setup)", "", _OWNER),
    (r"/customer/[^/]+/forget", "", _OWNER),
    (r"/customer/[^/]+/data\.json", "", _LEADS),
    (r"/customer/[^/]+/(merge|separate)", "", _LEADS),
    (r"/customer/[^/]+/fields", "POST", _ANSWERS),
    (r"/conversation/[^/]+/order", "POST", _ANSWERS),
    (r"/conversation/[^/]+/(file|ready)", "GET", _ANSWERS),
    (r"/kb/ask", "POST", _EVERY),
    (r"/(gaps|examples)/", "POST", _WRITES),
    (r"/articles/publish/anyway", "POST", _LEADS),
    (r"/articles", "", _WRITES),
    (r"/threshold/", "POST", _LEADS),
    (r"/ideas", "POST", _LEADS),
    (r"/coaching", "", _LEADS),
    (r"/quality", "", _LEADS),
    (r"/gate/allow", "POST", _LEADS),
    (r"/gate/", "POST", _WRITES),
    (r"/", "GET", _EVERY),
)


@dataclass(frozen=True, slots=True)
class PageUser:
    """Somebody who may sign in. *password* is a hash, "" = by a code only; *operator* is who they are among
    the operators ("telegram:900"), "" = nobody.
    """

    id: str
    name: str
    role: PageRole
    password: str = ""
    operator: str = ""

    @property
    def mark(self) -> str:
        """Changes with the password: sessions opened before hold no longer."""
        return hashlib.sha256(f"{self.id} {self.password}".encode()).hexdigest()[:10]

    @property
    def actor(self) -> str:
        """As events name them."""
        return self.operator or f"page:{self.id}"


class SettingStore(Protocol):
    """The store, as far as users are kept in it."""

    async def setting(self, name: str) -> str | None: ...

    async def keep_setting(self, name: str, value: str | None) -> None: ...


def may(role: PageRole, method: str, path: str) -> bool:
    """Whether somebody of this role may make the request.

    >>> may(PageRole.OBSERVER, "GET", "/queue"), may(PageRole.OBSERVER, "POST", "/conversation/1/order")
    (True, False)
    """
    asked = "GET" if method in ("GET", "HEAD", "OPTIONS") else method
    for pattern, needed, roles in _RIGHTS:
        if needed in ("", asked) and re.match(pattern, path):
            return role in roles
    return role is PageRole.OWNER


async def users(store: SettingStore) -> Mapping[str, PageUser]:
    """Everybody who may sign in besides the owner, by their name."""
    kept = json.loads(await store.setting(USERS) or "{}")
    return {id: PageUser(**{**user, "role": PageRole(user["role"])}) for id, user in kept.items()}


async def keep_users(store: SettingStore, known: Mapping[str, PageUser]) -> None:
    value = {id: asdict(user) for id, user in sorted(known.items())}
    await store.keep_setting(USERS, json.dumps(value, ensure_ascii=False))


async def new_code(store: SettingStore, user: PageUser, now: datetime) -> str:
    """A code for one sign-in; the one before holds no longer."""
    code = f"{secrets.randbelow(10**6):06}"
    kept = {"code": _hidden(user, code), "until": (now + LIFE).timestamp()}
    await store.keep_setting(CODE + user.id, json.dumps(kept))
    return code


async def take_code(store: SettingStore, user: PageUser, code: str, now: datetime) -> bool:
    """Whether this is their code; it then holds no longer."""
    kept = json.loads(await store.setting(CODE + user.id) or "{}")
    right = hmac.compare_digest(str(kept.get("code", "")), _hidden(user, code))
    if not right or kept["until"] < now.timestamp():
        return False
    await store.keep_setting(CODE + user.id, None)
    return True


def _hidden(user: PageUser, code: str) -> str:
    return hashlib.scrypt(code.encode("utf-8", "replace"), salt=user.id.encode(), n=2**12, r=8, p=1).hex()
