"""Where a mailbox is read and where letters are handed in; known hosts by the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Security = Literal["tls", "starttls", "none"]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})  # the only hosts that may be spoken to openly


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server with the account on it. The certificate is always verified; *security* "none" is for a server
    on this machine alone.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    security: Security = "tls"


@dataclass(frozen=True, slots=True)
class MailProvider:
    """The hosts of a provider, and who signs `Authentication-Results` there (the end of the name)."""

    imap: str
    smtp: str
    trusted: str


PROVIDERS: Mapping[str, MailProvider] = {
    "yandex": MailProvider("imap.yandex.ru", "smtp.yandex.ru", ".yandex.net"),
    "mailru": MailProvider("imap.mail.ru", "smtp.mail.ru", ".mail.ru"),
    "gmail": MailProvider("imap.gmail.com", "smtp.gmail.com", "mx.google.com"),
}
NO_PROVIDER = MailProvider("", "", "")
_DOMAINS: Mapping[str, str] = {
    **dict.fromkeys(
        ("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.uz", "narod.ru"), "yandex"
    ),
    **dict.fromkeys(("mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru"), "mailru"),
    **dict.fromkeys(("gmail.com", "googlemail.com"), "gmail"),
}


def provider_of(address: str) -> str:
    """The provider of an address, "" where its domain tells nothing.

    >>> provider_of("help@ya.ru"), provider_of("help@shop.example")
    ('yandex', '')
    """
    return _DOMAINS.get(address.rpartition("@")[2].strip().lower(), "")
