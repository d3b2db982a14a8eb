"""How one Telegram bot is reached: the keys of its channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """*webhook_url* is the whole public address that reaches the adapter's `routes`, *secret* what Telegram
    must show there. *business*: the bot answers in chats of people who connect it to their own account.
    *rich_tables* and *private_hints* need clients that show them.
    """

    token: str = field(repr=False)
    api_base: str | None = None
    proxy: str | None = field(default=None, repr=False)
    mode: Literal["polling", "webhook"] = "polling"
    secret: str | None = field(default=None, repr=False)
    webhook_url: str = ""
    poll_seconds: int = 25
    timeout: float = 30.0
    business: bool = False
    rich_tables: bool = False
    private_hints: bool = False
