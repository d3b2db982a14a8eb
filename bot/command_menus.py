"""What channels show behind "/": customers see their commands, operators theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from bot.adapters.base import CommandMenu
from bot.app import Service
from bot.handoff.operators.command_words import entry


async def offer_commands(service: Service) -> None:
    """What channels show behind "/": customers see theirs, operators theirs and only in the desk,
    supervisors theirs in private.
    """
    for adapter in service.adapters.values():
        place = service.desk.context.places.binding.place
        menus = []
        for lang in ("", "en"):  # "" is what everybody sees who speaks no other
            spoken = lang or service.config.business.language
            menus.append(
                CommandMenu(
                    "private",
                    _described(
                        service,
                        "customer",
                        ("start", "menu", "operator", "status", "link", "idea", "stop", "news", "help"),
                        spoken,
                    ),
                    language=lang,
                )
            )
            if place is not None and place.channel == adapter.name:
                menus.append(
                    CommandMenu(
                        "chat",
                        _of_operators(service, spoken),
                        chat=place.chat,
                        language=lang,
                    )
                )
        with contextlib.suppress(Exception):  # a convenience: without the menu the commands work all the same
            await adapter.publish_commands(menus)
        for channel, _, user in (id.partition(":") for id in service.config.routing.supervisors):
            if channel == adapter.name:
                own = CommandMenu(
                    "chat", _of_operators(service, service.config.business.language, afar=True), chat=user
                )
                with contextlib.suppress(Exception):  # who has not written to the bot yet has no chat with it
                    await adapter.publish_commands([own])


def _of_operators(service: Service, lang: str, *, afar: bool = False) -> tuple[tuple[str, str], ...]:
    return tuple(entry(c, service.texts, lang) for c in service.desk.context.commands.menu(afar=afar))


def _described(
    service: Service, whose: str, commands: Sequence[str], lang: str
) -> tuple[tuple[str, str], ...]:
    known = [c for c in commands if service.texts.has(f"commands.{whose}.{c}")]
    return tuple((c, service.texts.text(f"commands.{whose}.{c}", lang=lang)) for c in known)
