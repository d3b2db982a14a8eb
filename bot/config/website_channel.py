"""The part of the config that says how the chat on the business's own pages is shown and guarded."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.config.handoff import Duration, Section
from bot.text.problems import told

SHORTEST = 32  # characters of a secret that signs logins
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


class WebsiteChannel(Section):
    """A chat on your own site (`pip install 'otklik[website]'` for customers who are logged in)."""

    type: Literal["website"] = Field(description="website")
    origins: tuple[str, ...] = Field(
        min_length=1,
        max_length=50,
        description="sites that show the chat, as https://shop.example; anything else is refused",
    )
    address: str | None = Field(
        None,
        description="https address at which customers' browsers reach the page: https://chat.shop.example",
    )
    title: str | Mapping[str, str] = Field(
        "",
        description="what stands above the chat; one, or by language; without one the name of the business",
    )
    colour: str = Field("#0b57d0", pattern=r"^#[0-9a-fA-F]{6}$", description="colour of button and heading")
    secret: SecretStr | None = Field(
        None,
        description='what your site signs logins with (HS256), 32 characters or more, as "${WEBSITE_SECRET}"',
    )
    consent: bool = Field(
        False,
        description="ask for the consent of `consent:` before the first message, not before contacts only",
    )
    ask_email: bool = Field(
        False, description="offer to leave an e-mail, to which `letters` go; whoever is away hears there"
    )
    letters: str | None = Field(
        None, description="channel of type email from which those letters go; without one none are sent"
    )
    letters_after: Duration = Field("10m", description="how long somebody is away before a letter is sent")
    remember_days: int = Field(
        180, ge=1, le=730, description="days after their last visit in which a visitor is known again"
    )
    max_mb: int = Field(10, ge=1, le=50, description="largest file that visitors may send")
    proxies: tuple[str, ...] = Field(
        ("127.0.0.1", "::1"),
        description="addresses or networks of your own proxies, whose X-Forwarded-For is believed",
    )
    demo: bool = Field(False, description="show a page with the chat at /chat/NAME/demo")

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_origin(written) for written in value)

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        return None if value is None else _origin(value)

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for written in value:
            try:
                ipaddress.ip_network(written, strict=False)
            except ValueError as error:
                raise ValueError(told("website.proxy", value=written)) from error
        return value

    @model_validator(mode="after")
    def _secret_is_long(self) -> WebsiteChannel:
        secret = self.secret.get_secret_value() if self.secret else ""
        if secret and len(secret) < SHORTEST:
            raise ValueError(told("website.secret", least=SHORTEST))
        return self

    @property
    def enabled(self) -> bool:
        """Whether what it needs is there."""
        return True


def _origin(written: str) -> str:
    """An origin as browsers send it. Raises ValueError for anything else."""
    try:
        parts = urlsplit(written.strip().rstrip("/"))
        host, port = parts.hostname or "", parts.port
        host = host if ":" in host else host.encode("idna").decode()
    except ValueError:  # brackets, a port, a name that are none
        raise ValueError(told("website.origin", value=written)) from None
    named = f"[{host}]" if ":" in host else host
    wanted = parts.scheme == "https" or (parts.scheme == "http" and named in _LOCAL)
    if not wanted or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(told("website.origin", value=written))
    if not (":" in host or _HOST.fullmatch(host)):
        raise ValueError(told("website.origin", value=written))
    usual = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{named}" + (f":{port}" if port not in (None, usual) else "")
