"""The page of a service: what it shows is taken from the service's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from aiohttp.web import RouteDef

from bot.adapters.base import Adapter
from bot.app import Service, open_flows, open_judge, release_limits
from bot.config.roles import ProcessRole
from bot.config.values import write_values
from bot.handoff.assist.page_answers import PageAnswers
from bot.handoff.delivery_views import DeskViews
from bot.handoff.operators.roster import labels
from bot.knowledge.quality.golden import GOLDEN
from bot.model import INNER, PLAYED
from bot.web.api.keys import ApiKeys
from bot.web.api.rest import RestApi
from bot.web.services import Hook, WebServices
from bot.web.setup_services import SetupServices
from bot.web.site import Site


def site_of(
    service: Service,
    *,
    playground: Sequence[str] = (),
    setup: SetupServices | None = None,
    key: str = "",
    secret: bytes = b"",
) -> Site:
    """The page of *service*; with channels of a *playground* it plays them, too, and may move the clock.

    *setup*, *key* and *secret* as in `WebServices`; without them there are no set-up pages, and sessions are
    signed as the store says.
    """
    config, hours = service.config, service.hours
    services = WebServices(
        service.store,
        {name: adapter for name, adapter in service.adapters.items() if name not in INNER},
        service.clock,
        knowledge=service.knowledge,
        playground=playground,
        hooks=_hooks(service.adapters),
        chats=_chats(service.adapters),
        title=config.business.name,
        timezone=hours.zone,
        language=config.business.language,
        host=config.web.host,
        password=config.web.password.get_secret_value() if config.web.password else "",
        secret=secret or service.secret,
        moved=service.wake if playground else _nothing,
        open_at=hours.is_open,
        hours=hours,
        answer_within=config.report.answer_within,
        answer_share=config.report.answer_share,
        at_once=config.report.at_once,
        topic_name=DeskViews(service.desk.context).topic_name,
        words=service.texts,
        enqueued=service.outbox.wake,
        incidents=service.desk.context.incidents,
        catch_up=service.desk.context.shared.catch_up if service.store.shared else None,
        judge=open_judge(config, service.knowledge),
        golden=config.path(GOLDEN.as_posix()),
        keep_days=config.privacy.keep_days,
        release=release_limits(config),
        set_threshold=_threshold_setter(service),
        flows=partial(open_flows, config, service.knowledge),
        running_flows=service.flows,
        tone=service.desk.context.rules.tone,
        rest=_rest(service),
        hand_in=service.inbox.accept,
        addressees=partial(_addressees, service),
        categories=service.desk.context.rules.routing.categories,
        points=config.loyalty.field,
        assistant=service.assistant,
        answers=PageAnswers(service.desk.context),
        files=service.outbox.files,
        playbooks=service.desk.context.rules.playbooks,
        currency=config.authority.currency,
        quality=config.quality,
        scenarios=service.desk.context.rules.scenarios,
        played_as=service.desk.context.places.title(PLAYED),
        assistant_state=service.assistant.state if service.assistant else None,
        health_only=ProcessRole.WEB not in service.roles,
        setup=setup,
        key=key,
    )
    return Site(services, service.observers)


def _threshold_setter(service: Service) -> Callable[[float], None] | None:
    """What sets the answer threshold, in the settings file and in the running bot; None without a file."""
    file = service.config.file
    if file is None:
        return None

    def keep(answer: float) -> None:
        write_values(file, "knowledge", {"answer_threshold": answer})
        service.knowledge.settings = replace(service.knowledge.settings, answer=answer)

    return keep


def _addressees(service: Service) -> list[tuple[str, str]]:
    """Teams, then the operators who are there."""
    desk = service.desk.context
    here = [m for m in desk.roster.members() if m.name and m.here]
    people = sorted(labels(here).items(), key=lambda pair: pair[1])
    return [*((team.name, f"👥 {team.title or team.name}") for team in desk.rules.teams), *people]


def _nothing() -> None:
    return None


def _rest(service: Service) -> RestApi | None:
    """The entry point for other systems; None without keys. Raises `ConfigError`."""
    api = service.config.api
    keys = ApiKeys.load(api, service.config.path(api.file) if api.file else None)
    return None if keys is None else RestApi(service.store, service.inbox.accept, keys, service.clock)


def _hooks(channels: Mapping[str, Adapter]) -> dict[str, Hook]:
    """The webhooks of the channels that have one."""
    return {
        name: route.handler
        for name, adapter in channels.items()
        for route in adapter.routes()
        if route.path.startswith("/hooks/")
    }


def _chats(channels: Mapping[str, Adapter]) -> list[RouteDef]:
    """What the channels that live on pages serve."""
    return [
        route
        for adapter in channels.values()
        for route in adapter.routes()
        if route.path.startswith("/chat/")
    ]
