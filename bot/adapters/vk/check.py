"""Everything about a VK community's account that would keep the bot from working, each with the way to mend
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.adapters.vk.client import VkClient
from bot.adapters.vk.errors import GROUP_HINT, RIGHTS_HINT, TOKEN_HINT, VkRefusal, VkSilence, row
from bot.errors import Problem

OLDEST = (5, 131)
NEEDED = {
    "message_new": "входящие сообщения",
    "message_event": "нажатия кнопок",
    "message_edit": "изменённые сообщения",
    "message_reply": "ответы руководителей сообщества руками",
    "message_allow": "разрешение на сообщения",
    "message_deny": "запрет сообщений",
}
SCOPES: dict[str, tuple[str, Literal["error", "warning"]]] = {
    "messages": ("сообщения сообщества", "error"),
    "manage": ("управление сообществом", "error"),
    "photos": ("фотографии", "warning"),
    "docs": ("документы", "warning"),
}
_SETTINGS = "Управление сообществом → Настройки → Работа с API → Long Poll API"


def settings_problems(
    name: str, mode: str, secret: str | None, confirmation: str | None, proxy: str | None
) -> list[Problem]:
    """What is wrong with the channel's settings before anybody is asked."""
    problems = []
    if mode == "callback" and not secret:
        hint = "задайте secret: то же слово, что в настройках сервера Callback API сообщества"
        problems.append(
            Problem(
                f"channels.{name}: режиму callback нужен secret, иначе события может подделать кто угодно",
                code="vk-secret",
                hint=hint,
            )
        )
    if mode == "callback" and not confirmation:
        hint = "задайте confirmation: строку, которую показывает VK при добавлении сервера"
        problems.append(
            Problem(
                f"channels.{name}: режиму callback нужна строка confirmation",
                code="vk-confirmation",
                hint=hint,
            )
        )
    if proxy and not proxy.startswith(("http://", "https://", "socks5://", "socks5h://")):
        problems.append(
            Problem(
                f"channels.{name}: proxy для VK может быть http://, https:// или socks5://",
                code="vk-proxy",
                hint="укажите адрес прокси вместе со схемой",
            )
        )
    return problems


async def check_account(client: VkClient, group_id: int, *, longpoll: bool) -> tuple[Problem, ...]:
    """All problems at once; an unreachable VK is one problem, not an exception."""
    try:
        problems = [*await _check_group(client, group_id), *await _check_scopes(client)]
        if longpoll:
            problems += await check_longpoll(client, group_id)
    except VkRefusal as error:
        return (
            Problem(
                str(error),
                code=f"vk-{error.code}",
                hint=GROUP_HINT if error.code == 15 else row(error.code).hint or TOKEN_HINT,
            ),
        )
    except VkSilence as error:
        return (
            Problem(
                f"VK не отвечает ({error})",
                code="vk-network",
                hint="проверьте сеть, api_base и proxy этого канала",
            ),
        )
    return tuple(problems)


async def check_longpoll(client: VkClient, group_id: int) -> list[Problem]:
    """Whether the queue is on, in a version we know, with the events we need.

    Raises `VkRefusal`, `VkSilence`.
    """
    told = await client.call("groups.getLongPollSettings", group_id=group_id)
    if not isinstance(told, Mapping):
        return []
    problems = []
    if not told.get("is_enabled"):
        problems.append(
            Problem(
                "Long Poll API выключен: бот ничего не услышит",
                code="vk-longpoll-off",
                hint=f"включите: {_SETTINGS}",
            )
        )
    version = str(told.get("api_version") or "")
    if _version(version) < OLDEST:
        text = f"версия событий Long Poll {version or 'неизвестна'}, нужна не ниже 5.131"
        problems.append(
            Problem(text, code="vk-longpoll-version", hint=f"выберите 5.199: {_SETTINGS} → Версия API")
        )
    events: Mapping[str, Any] = told.get("events") or {}
    for name, what in NEEDED.items():
        if not events.get(name):
            severity: Literal["error", "warning"] = (
                "error" if name in ("message_new", "message_event") else "warning"
            )
            hint = f"отметьте «{what}»: {_SETTINGS} → Типы событий"
            problems.append(
                Problem(f"событие {name} выключено", code="vk-event-off", hint=hint, severity=severity)
            )
    return problems


async def _check_group(client: VkClient, group_id: int) -> list[Problem]:
    told = await client.call("groups.getById")
    groups = told.get("groups") if isinstance(told, Mapping) else told
    ids = [g.get("id") for g in groups if isinstance(g, Mapping)] if isinstance(groups, list) else []
    if group_id in ids or not ids:
        return []
    return [
        Problem(
            f"ключ выдан сообществу {ids[0]}, а в настройках group_id {group_id}",
            code="vk-group",
            hint=GROUP_HINT,
        )
    ]


async def _check_scopes(client: VkClient) -> list[Problem]:
    told = await client.call("groups.getTokenPermissions")
    settings = told.get("settings") if isinstance(told, Mapping) else None
    names = (
        {s.get("name") for s in settings if isinstance(s, Mapping)} if isinstance(settings, list) else set()
    )
    return [
        Problem(f"у ключа нет права «{what}» ({scope})", code="vk-scope", hint=RIGHTS_HINT, severity=severity)
        for scope, (what, severity) in SCOPES.items()
        if scope not in names
    ]


def _version(text: str) -> tuple[int, int]:
    """VK's versions are two whole numbers: 5.199 is newer than 5.90."""
    major, _, minor = text.partition(".")
    return (int(major), int(minor or 0)) if major.isdigit() and (minor or "0").isdigit() else (0, 0)
