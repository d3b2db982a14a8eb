"""What keeps a community's comments from being heard or answered, each with the way to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.adapters.vk.client import VkClient
from bot.adapters.vk.comment_places import KINDS, events_of
from bot.adapters.vk.errors import VkRefusal, VkSilence
from bot.errors import Problem
from bot.text.problems import problem, told, warning


def events_lacking(events: Mapping[str, Any], watched: frozenset[str]) -> Iterator[Problem]:
    """The events of *watched* comments that are off among *events* of the queue."""
    for kind in (k for k in KINDS if k.watch in watched):
        off = [name for name in events_of(frozenset({kind.watch})) if not events.get(name)]
        if off:
            where = told(f"vk.comments_of.{kind.watch}")
            make = problem if f"{kind.events}_new" in off else warning
            yield make("vk.comments_off", code="vk-comments-off", where=where, events=", ".join(off))


async def check_admin(client: VkClient | None, group_id: int, watched: frozenset[str]) -> tuple[Problem, ...]:
    """What an administrator's key lacks for comments; without one, where nothing can be answered."""
    shut = ", ".join(
        told(f"vk.comments_of.{k.watch}") for k in KINDS if k.watch in watched and not k.communal
    )
    if client is None:
        if shut:
            return (warning("vk.comments_need_admin", code="vk-comments-admin", where=shut),)
        return (warning("vk.comments_no_moderation", code="vk-comments-moderation"),)
    try:
        found = await client.call("groups.getById", group_id=group_id, fields="is_admin")
        mask = await client.call("account.getAppPermissions")
    except VkRefusal as error:
        return (problem("vk.comments_admin_refused", code="vk-comments-admin", text=error.text),)
    except VkSilence as error:
        return (problem("vk.silent", code="vk-network", reason=error),)
    groups = found.get("groups") if isinstance(found, Mapping) else found
    first = groups[0] if isinstance(groups, list) and groups and isinstance(groups[0], Mapping) else {}
    if not first.get("is_admin"):
        return (problem("vk.comments_not_admin", code="vk-comments-admin"),)
    bits = mask if isinstance(mask, int) else 0
    lacking = [name for name, bit in _wanted_rights(watched).items() if not bits & bit]
    if not lacking:
        return ()
    return (warning("vk.comments_admin_rights", code="vk-comments-admin", rights=", ".join(lacking)),)


def _wanted_rights(watched: frozenset[str]) -> dict[str, int]:
    """The rights of an administrator's key, by name, with their bits in VK's mask."""
    wanted = {"wall": 1 << 13, "groups": 1 << 18}
    places = {"photos": ("photos", 1 << 2), "videos": ("video", 1 << 4), "goods": ("market", 1 << 27)}
    return wanted | dict(bit for place, bit in places.items() if place in watched)
