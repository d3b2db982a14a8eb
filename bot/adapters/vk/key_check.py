"""A key of a VK community that was just pasted: whose it is, what is missing, and the queue of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.adapters.token_check import TokenCheck
from bot.adapters.vk.check import NEEDED, check_account
from bot.adapters.vk.client import API_VERSION, VkClient
from bot.adapters.vk.errors import ACCOUNT_CODES, VkRefusal, VkSilence, account_hint
from bot.errors import Problem
from bot.text.problems import problem


async def check_key(key: str, *, api_base: str | None = None, proxy: str | None = None) -> TokenCheck:
    """Ask VK: which community it is, the rights of the key, Long Poll and its events. Changes nothing."""
    client = VkClient(key, api_base=api_base, proxy=proxy)
    try:
        found = await _community(client)
        if found.refused or not found.number:
            return found
        return replace(found, problems=await check_account(client, found.number, longpoll=True))
    finally:
        await client.close()


async def switch_on_longpoll(
    key: str, group: int, *, api_base: str | None = None, proxy: str | None = None
) -> tuple[Problem, ...]:
    """Let VK keep the events we need for us; what it said against it."""
    client = VkClient(key, api_base=api_base, proxy=proxy)
    try:
        wanted = dict.fromkeys(NEEDED, 1)
        await client.call(
            "groups.setLongPollSettings", group_id=group, enabled=1, api_version=API_VERSION, **wanted
        )
    except VkRefusal as error:
        return (_refused(error),)
    except VkSilence as error:
        return (problem("vk.silent", code="vk-network", reason=error),)
    finally:
        await client.close()
    return ()


async def _community(client: VkClient) -> TokenCheck:
    """Whose key it is. A key of a person, not of a community, belongs to none."""
    try:
        found = await client.call("groups.getById")
    except VkRefusal as error:
        return TokenCheck(problems=(_refused(error),), refused=error.code in {*ACCOUNT_CODES, 100})
    except VkSilence as error:
        return TokenCheck(problems=(problem("vk.silent", code="vk-network", reason=error),))
    groups = found.get("groups") if isinstance(found, Mapping) else found
    first = groups[0] if isinstance(groups, list) and groups and isinstance(groups[0], Mapping) else {}
    if not isinstance(first.get("id"), int):
        return TokenCheck(problems=(problem("vk.no_community", code="vk-group"),), refused=True)
    return TokenCheck(str(first.get("name", "")), str(first.get("screen_name", "")), first["id"])


def _refused(error: VkRefusal) -> Problem:
    what = "vk.no_key" if error.code in ACCOUNT_CODES else "vk.refused"
    hint = account_hint(error.code)
    return problem(what, code=f"vk-{error.code}", hint=hint, number=error.code, text=error.text)
