"""Who a visitor is: a signed value that their browser keeps, or a login that the shop itself has signed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner

from bot.adapters.sanitize import clean_text
from bot.errors import BotError

DAY = 24 * 3600
LOGIN_TOKEN = 12 * 3600  # seconds for which a browser is believed to be the customer who logged in
LOGIN_LIFE = 24 * 3600  # seconds at most between now and the end of a login that the shop signs
LEEWAY = 60  # seconds that the shop's clock may be wrong
LONGEST_LOGIN, LONGEST_NAME, LONGEST_TOKEN = 128, 128, 4096


class BadLogin(BotError):
    """What claims to be a login of the shop is none; the text says why, for whoever builds the page."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody's browser: an anonymous visitor has a chat of their own, a customer of the shop a *login*."""

    chat: str
    login: str = ""
    name: str = ""
    email: str = ""
    language: str = ""


class VisitorTokens:
    """Signs who a browser belongs to. The newest of *keys* comes last; what an older one signed holds."""

    def __init__(
        self, keys: Sequence[str], channel: str, clock: Callable[[], datetime], *, days: int
    ) -> None:
        self._key, self._channel, self._days = keys[-1].encode(), channel, days
        self._clock = clock

        class _Clocked(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock().timestamp())

        self._signed = URLSafeTimedSerializer(
            list(keys),
            salt=f"visitor {channel}",
            signer=_Clocked,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def anonymous(self) -> Identity:
        """Somebody new."""
        return Identity(f"v{secrets.token_hex(16)}")

    def logged_in(self, login: str) -> Identity:
        """The customer *login*, in the chat that they have where they wrote nowhere else before."""
        chat = hmac.digest(self._key, f"{self._channel}\n{login}".encode(), "sha256").hex()[:32]
        return Identity(f"c{chat}", login)

    def sign(self, who: Identity) -> str:
        """What the browser keeps."""
        told = {"g": who.language, "v": who.chat}
        if who.login:
            told = {"g": who.language, "l": who.login, "n": who.name, "e": who.email}
        return str(self._signed.dumps({name: value for name, value in told.items() if value}))

    def read(self, token: str) -> Identity | None:
        """Whose browser it is; None for what was not signed here, or too long ago."""
        if not token or len(token) > LONGEST_TOKEN:
            return None
        try:
            data, signed = self._signed.loads(token, return_timestamp=True)
            # law: a clock that was set back makes nobody unknown; what is signed by us was signed before
            age = (self._clock() - signed).total_seconds()
            if not isinstance(data, dict) or age > self._days * DAY:
                return None
            if isinstance(login := data.get("l"), str):
                if age > LOGIN_TOKEN:
                    return None
                name, email = str(data.get("n", "")), str(data.get("e", ""))
                return replace(self.logged_in(login), name=name, email=email, language=str(data.get("g", "")))
        except (BadSignature, UnicodeError):
            return None
        chat = data.get("v")
        return Identity(chat, language=str(data.get("g", ""))) if isinstance(chat, str) else None


def read_login(token: object, secret: str, now: datetime) -> tuple[str, str, str]:
    """Who the shop says is logged in: their id there, name and e-mail ("" where it does not say).

    Raises `BadLogin` for anything but an HS256 token of this secret that has not ended, and ends soon.
    """
    import jwt  # an extra: only where a site has logins

    if not secret:
        raise BadLogin("no secret is set for this channel")
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
        raise BadLogin("no token")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={
                "require": ["exp", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidTokenError as error:
        raise BadLogin(f"{type(error).__name__}: {error}") from None
    end, sub = claims["exp"], claims["sub"]
    if isinstance(end, bool) or not isinstance(end, int | float):
        raise BadLogin("exp is no number")
    if end <= now.timestamp() - LEEWAY:
        raise BadLogin("the login has ended: sign a new one for each page")
    if end > now.timestamp() + LOGIN_LIFE + LEEWAY:
        raise BadLogin("exp is more than a day away")
    if not isinstance(sub, str) or not sub.strip() or len(sub) > LONGEST_LOGIN:
        raise BadLogin("sub has to be the customer's id, as text")
    return clean_text(sub), _text(claims.get("name")), _text(claims.get("email"))


def _text(value: object) -> str:
    return clean_text(value)[:LONGEST_NAME] if isinstance(value, str) else ""
