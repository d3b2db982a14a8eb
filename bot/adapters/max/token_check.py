"""A token of MAX that was just pasted: whose it is, and what is missing."""

from __future__ import annotations

from bot.adapters.max.account import MaxAccount
from bot.adapters.max.client import MaxClient
from bot.adapters.max_context import name_of
from bot.adapters.token_check import TokenCheck
from bot.clock import Clock

PATIENCE = 10.0  # seconds of one call


async def check_token(token: str, *, api_base: str | None = None, proxy: str | None = None) -> TokenCheck:
    """Ask MAX: whose token it is, and the webhooks that stand. Changes nothing there."""
    line = MaxClient(token, api_base=api_base, proxy=proxy, timeout=PATIENCE)
    try:
        account = MaxAccount(line, Clock())
        problems = await account.check(webhook=None)
    finally:
        await line.close()
    me = account.me
    refused = any(p.code == "MAX001" for p in problems)
    return TokenCheck(name_of(me), str(me.get("username") or ""), 0, problems, refused)
