"""Everything about a VK community's account that would keep the bot from working, each with the way to mend
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.adapters.vk.client import VkClient
from bot.adapters.vk.errors import ACCOUNT_CODES, VkRefusal, VkSilence, account_hint
from bot.errors import Problem
from bot.text.problems import problem, told, warning

OLDEST = (5, 131)
NEEDED = ("message_new", "message_event", "message_edit", "message_reply", "message_allow", "message_deny")
SCOPES: dict[str, Literal["error", "warning"]] = {
    "messages": "error",
    "manage": "error",
    "photos": "warning",
    "docs": "warning",
}


def settings_problems(
    name: str, mode: str, secret: str | None, confirmation: str | None, proxy: str | None
) -> list[Problem]:
    """What is wrong with the channel's settings before anybody is asked."""
    problems = []
    if mode == "callback" and not secret:
        problems.append(problem("vk.secret", code="vk-secret", name=name))
    if mode == "callback" and not confirmation:
        problems.append(problem("vk.confirmation", code="vk-confirmation", name=name))
    if proxy and not proxy.startswith(("http://", "https://", "socks5://", "socks5h://")):
        problems.append(problem("vk.proxy", code="vk-proxy", name=name))
    return problems


async def check_account(
    client: VkClient, group_id: int, *, longpoll: bool, watched: frozenset[str] = frozenset()
) -> tuple[Problem, ...]:
    """All problems at once; an unreachable VK is one problem, not an exception."""
    try:
        problems = [*await _check_group(client, group_id), *await _check_scopes(client, watched)]
        if longpoll:
            problems += await check_longpoll(client, group_id, watched)
    except VkRefusal as error:
        what = "vk.no_key" if error.code in ACCOUNT_CODES else "vk.refused"
        refused = problem(
            what, code=f"vk-{error.code}", hint=account_hint(error.code), number=error.code, text=error.text
        )
        return (refused,)
    except VkSilence as error:
        return (problem("vk.silent", code="vk-network", reason=error),)
    return tuple(problems)


async def check_longpoll(
    client: VkClient, group_id: int, watched: frozenset[str] = frozenset()
) -> list[Problem]:
    """Whether the queue is on, in a version we know, with the events we need, those of *watched* comments
    among them.

    Raises `VkRefusal`, `VkSilence`.
    """
    found = await client.call("groups.getLongPollSettings", group_id=group_id)
    if not isinstance(found, Mapping):
        return []
    problems = []
    if not found.get("is_enabled"):
        problems.append(problem("vk.longpoll_off", code="vk-longpoll-off"))
    version = str(found.get("api_version") or "")
    if _version(version) < OLDEST:
        known = version or told("vk.unknown")
        problems.append(problem("vk.longpoll_version", code="vk-longpoll-version", version=known))
    events: Mapping[str, Any] = found.get("events") or {}
    for name in NEEDED:
        if not events.get(name):
            make = problem if name in ("message_new", "message_event") else warning
            what = told(f"vk.event.{name}")
            problems.append(make("vk.event_off", code="vk-event-off", event=name, what=what))
    if watched:
        from bot.adapters.vk.comment_check import events_lacking  # only where they are watched

        problems.extend(events_lacking(events, watched))
    return problems


async def _check_group(client: VkClient, group_id: int) -> list[Problem]:
    found = await client.call("groups.getById")
    groups = found.get("groups") if isinstance(found, Mapping) else found
    ids = [g.get("id") for g in groups if isinstance(g, Mapping)] if isinstance(groups, list) else []
    if group_id in ids or not ids:
        return []
    return [problem("vk.group", code="vk-group", given=ids[0], wanted=group_id)]


async def _check_scopes(client: VkClient, watched: frozenset[str]) -> list[Problem]:
    found = await client.call("groups.getTokenPermissions")
    settings = found.get("settings") if isinstance(found, Mapping) else None
    names = (
        {s.get("name") for s in settings if isinstance(s, Mapping)} if isinstance(settings, list) else set()
    )
    return [
        (problem if severity == "error" else warning)(
            "vk.no_scope", code="vk-scope", what=told(f"vk.scope.{scope}"), scope=scope
        )
        for scope, severity in (SCOPES | ({"wall": "error"} if "posts" in watched else {})).items()
        if scope not in names
    ]


def _version(text: str) -> tuple[int, int]:
    """VK's versions are two whole numbers: 5.199 is newer than 5.90."""
    major, _, minor = text.partition(".")
    return (int(major), int(minor or 0)) if major.isdigit() and (minor or "0").isdigit() else (0, 0)
