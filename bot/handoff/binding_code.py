"""A code by which a group becomes the operators': the owner sees it on the set-up page and sends it in the
group. Whoever knows it may choose, administrator of the group or not."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.model import Inbound, InboundKind

CODE_SETTING = "desk_code"  # under which it is kept
LIFE = timedelta(minutes=30)
LENGTH, SIGNS = 8, "23456789abcdefghjkmnpqrstuvwxyz"  # none that is mistaken for another; guessed by nobody
_SAID = re.compile(
    r"(?:\[club\d+\|[^\]]*\][\s,]*|@\S+\s+)?/(?P<how>bind|start)(?:@\w+)?\s+(?P<code>\S+)\s*", re.IGNORECASE
)  # /start comes of the link that adds the bot to a group


class Settings(Protocol):
    """The store, as far as a code is kept in it."""

    async def setting(self, name: str) -> str | None: ...

    async def keep_setting(self, name: str, value: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class BindingCode:
    """The words to be sent in the group, and until when they hold."""

    code: str
    until: datetime

    def holds(self, now: datetime) -> bool:
        return now < self.until


def said_code(inbound: Inbound) -> str:
    """The code that was sent in a group; "" where none was, and "?" where `/bind` stands without one."""
    if inbound.kind is not InboundKind.MESSAGE or inbound.private:
        return ""
    found = _SAID.fullmatch(inbound.text)
    if found is None:
        return "?" if re.fullmatch(r"/bind(?:@\w+)?\s*", inbound.text) else ""
    is_code = len(found["code"]) == LENGTH and set(found["code"].lower()) <= set(SIGNS)
    return found["code"].lower() if is_code else "?" if found["how"].lower() == "bind" else ""


async def new_code(store: Settings, now: datetime) -> BindingCode:
    """A code for one group; the one before holds no longer."""
    made = BindingCode("".join(secrets.choice(SIGNS) for _ in range(LENGTH)), now + LIFE)
    kept = {"code": made.code, "until": made.until.timestamp()}
    await store.keep_setting(CODE_SETTING, json.dumps(kept))
    return made


def kept_code(value: str | None, now: datetime) -> BindingCode | None:
    """The code that the setting holds, where it still does."""
    if not value:
        return None
    kept = json.loads(value)
    code = BindingCode(kept["code"], datetime.fromtimestamp(kept["until"], UTC))
    return code if code.holds(now) else None


def is_same(code: str, kept: BindingCode | None) -> bool:
    return kept is not None and hmac.compare_digest(code.encode(), kept.code.encode())
