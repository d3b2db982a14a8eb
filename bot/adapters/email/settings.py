"""How one mailbox is read and written from: the keys of its channel."""

from __future__ import annotations

from dataclasses import dataclass

from bot.config.mail_servers import MailServer


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings:
    """*business* names the mailbox's owner in what customers read; *salt* names the store, so that a fresh
    one never repeats the Message-IDs of an older one.
    """

    address: str
    imap: MailServer
    smtp: MailServer
    name: str = ""
    folder: str = "INBOX"
    signature: str | None = None
    trusted: str = ""
    mark_read: bool = True
    max_bytes: int = 25_000_000
    per_hour: int = 30
    business: str = ""
    language: str = "ru"
    salt: str = ""
    poll_seconds: float = 20.0  # where the server tells nothing by itself
    timeout: float = 60.0  # for one answer of a server
