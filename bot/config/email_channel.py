"""The part of the config that says how a mailbox is reached."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.config.handoff import Section
from bot.config.mail_servers import LOOPBACK, NO_PROVIDER, PROVIDERS, MailProvider, MailServer, provider_of
from bot.text.problems import told

_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*")  # a name, or an address of IPv6
_ADDRESS = re.compile(r"[^\s@<>\"',;:]+@[^\s@<>\"',;:]+")


class EmailChannel(Section):
    """A mailbox (`pip install 'otklik[email]'`)."""

    type: Literal["email"] = Field(description="email")
    address: str = Field(description="address that customers write to and answers come from: help@shop.ru")
    name: str = Field("", description="name beside the address; without one that of the business")
    user: str | None = Field(None, description="login of the mailbox, where it is not the address")
    password: SecretStr | None = Field(None, description='password for applications, as "${EMAIL_PASSWORD}"')
    provider: Literal["yandex", "mailru", "gmail"] | None = Field(
        None, description="whose servers; known by the address for its own domains (yandex.ru, gmail.com …)"
    )
    imap_host: str | None = Field(None, description="server that letters are read from")
    imap_port: int = Field(993, ge=1, le=65535, description="its port: 993 for tls, 143 for starttls")
    imap_security: Literal["tls", "starttls", "none"] = Field(
        "tls", description="none only for a server on this machine; the certificate is always checked"
    )
    smtp_host: str | None = Field(None, description="server that letters are handed to")
    smtp_port: int = Field(465, ge=1, le=65535, description="its port: 465 for tls, 587 for starttls")
    smtp_security: Literal["tls", "starttls", "none"] = Field(
        "tls", description="none only for a server on this machine; the certificate is always checked"
    )
    folder: str = Field("INBOX", description="folder that is read")
    signature: str | None = Field(
        None, description="below every letter; without one the name of the business, empty for none"
    )
    trusted: str | None = Field(
        None,
        description=(
            "whose Authentication-Results are believed: the name in front of them in a letter that came;"
            ' ".shop.ru" for every host of it (default: that of the provider)'
        ),
    )
    mark_read: bool = Field(True, description="mark letters as read once they are kept")
    max_mb: int = Field(25, ge=1, le=100, description="a larger letter comes without its files")
    per_hour: int = Field(
        30,
        ge=1,
        le=1000,
        description="letters of one address in an hour that are answered; the last guard"
        " against two machines that answer each other",
    )

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not _ADDRESS.fullmatch(value):
            raise ValueError(told("email.address", address=value))
        return value.lower()

    @model_validator(mode="after")
    def _has_hosts(self) -> EmailChannel:
        if not (self.provider or provider_of(self.address) or (self.imap_host and self.smtp_host)):
            raise ValueError(told("email.hosts", address=self.address))
        for host, security, key in (
            (self.imap_host, self.imap_security, "open_imap"),
            (self.smtp_host, self.smtp_security, "open_smtp"),
        ):
            if host is not None and not _HOST.fullmatch(host):
                raise ValueError(told("email.host_name", host=host))
            if security == "none" and host not in LOOPBACK:
                raise ValueError(told(f"email.{key}", host=host))
        return self

    @property
    def enabled(self) -> bool:
        """Whether what it needs is there."""
        return self.password is not None

    @property
    def imap(self) -> MailServer:
        """Where letters are read."""
        host = self.imap_host or self._provider.imap
        return MailServer(host, self.imap_port, self._login, self._secret, self.imap_security)

    @property
    def smtp(self) -> MailServer:
        """Where letters are handed in."""
        host = self.smtp_host or self._provider.smtp
        return MailServer(host, self.smtp_port, self._login, self._secret, self.smtp_security)

    @property
    def believed(self) -> str:
        """Whose Authentication-Results are believed; "" = nobody's."""
        return self.trusted if self.trusted is not None else self._provider.trusted

    @property
    def _provider(self) -> MailProvider:
        named = self.provider or provider_of(self.address)
        return PROVIDERS.get(named, NO_PROVIDER)

    @property
    def _login(self) -> str:
        return self.user or self.address

    @property
    def _secret(self) -> str:
        return self.password.get_secret_value() if self.password else ""
