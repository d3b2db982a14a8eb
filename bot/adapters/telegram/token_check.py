"""A token of Telegram that was just pasted: whose it is, and what is missing."""

from __future__ import annotations

from bot.adapters.telegram.account import TelegramAccount
from bot.adapters.telegram.session import TelegramConnection
from bot.adapters.token_check import TokenCheck
from bot.clock import Clock

PATIENCE = 10.0  # seconds of one call


async def check_token(token: str, *, api_base: str | None = None, proxy: str | None = None) -> TokenCheck:
    """Ask Telegram: getMe, the privacy of groups, a webhook that stands. Changes nothing there."""
    line = TelegramConnection(token, api_base=api_base, proxy=proxy, timeout=PATIENCE)
    try:
        account = TelegramAccount(line, line.bot_id, Clock())
        problems = await account.check(webhook=None)
    finally:
        await line.close()
    me = account.me
    refused = any(p.code == "TG001" for p in problems)
    return TokenCheck(str(me.get("first_name", "")), str(me.get("username", "")), 0, problems, refused)
