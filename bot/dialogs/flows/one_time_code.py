"""A code of six digits that shows that the customer has a phone, a mailbox or another chat."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.dialogs.flows.flow_run import moment
from bot.model import Json

SENT = "_codes"  # the customer's field that keeps when codes were sent lately
PER_DAY = 5  # codes that a customer may have sent in a day: each costs money, each is three guesses
DIGITS = 6
_DIGITS = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code that was sent: its hash alone is kept."""

    hash: str
    until: datetime
    left: int

    @classmethod
    def read(cls, kept: Json) -> OneTimeCode | None:
        until, left = moment(kept.get("until")), kept.get("left")
        if until is None or not isinstance(left, int):
            return None
        return cls(str(kept.get("hash", "")), until, left)

    def kept(self) -> Json:
        return {"hash": self.hash, "until": self.until.isoformat(), "left": self.left}

    def tried(self) -> OneTimeCode:
        return replace(self, left=self.left - 1)

    def fits(self, said: str, secret: bytes, key: str) -> bool:
        """Whether *said* holds this code, whatever stands between its digits."""
        return hmac.compare_digest(self.hash, hidden("".join(_DIGITS.findall(said)), secret, key))


def code_for(secret: bytes, key: str) -> str:
    """The code of a step that is come to: the same however often that is decided, and nobody can guess it."""
    number = int.from_bytes(hmac.digest(secret, f"code\n{key}".encode(), "sha256")[:8], "big")
    return f"{number % 10**DIGITS:0{DIGITS}}"


def hidden(code: str, secret: bytes, key: str) -> str:
    return hmac.new(secret, f"hash\n{key}\n{code}".encode(), hashlib.sha256).hexdigest()


def looks_like_code(said: str) -> bool:
    return len(_DIGITS.findall(said)) == DIGITS


def sent_lately(kept: object, now: datetime) -> tuple[str, ...]:
    """Of the moments that a customer's field keeps those of the last day."""
    rows: Sequence[object] = kept if isinstance(kept, list | tuple) else ()
    return tuple(str(row) for row in rows if (at := moment(row)) is not None and now - at < timedelta(days=1))
