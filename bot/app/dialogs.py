"""What answers customers: the dialogs in the order of the config."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from bot.app.config_parts import open_facts, open_hours
from bot.app.entry_points import brought, imported, known_names
from bot.app.service_parts import ServiceParts
from bot.config.handoff import length
from bot.config.loader import Config
from bot.dialogs.api_requests import ApiRequests
from bot.dialogs.base import Dialog
from bot.dialogs.builtin_dialogs import our_dialogs
from bot.dialogs.consent import Consent, ConsentDialog
from bot.dialogs.faq import Faq
from bot.dialogs.first_contact import FirstContact
from bot.dialogs.flow import Flow
from bot.dialogs.forms.form import FIRST_CONTACT, Forms, FormShape, Questions
from bot.dialogs.incident_notice import Banner
from bot.dialogs.linking import Linking
from bot.dialogs.opt_out import OptOut as AboutNews
from bot.dialogs.surveys.nps import Nps
from bot.dialogs.surveys.rating import Rating, RatingPauses
from bot.errors import ConfigError
from bot.handoff.desk import Desk
from bot.handoff.outreach.low_rating import opened
from bot.handoff.outreach.surveys import commented
from bot.i18n.texts import Texts
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.query.intents import read_act
from bot.knowledge.search import Knowledge
from bot.model import Event, Ticket, Turn
from bot.text.problems import problem


def open_flow(parts: ServiceParts, desk: Desk, similarity: SimilarityMatcher) -> Banner:
    """The dialogs, under the notice of an incident."""
    config, texts, store = parts.config, parts.texts, parts.store

    async def refused(since: datetime) -> Sequence[Event]:
        return await store.events(since=since, kinds=("link_refused",))

    linking = Linking(texts, store.setting, store.joined, refused, parts.titles)
    first = config.first_contact.fields
    asked: tuple[FormShape, ...] = (
        *config.dialogs.forms,
        *([Questions(FIRST_CONTACT, FIRST_CONTACT, first)] if first else []),
    )
    forms = Forms(texts, asked, desk.escalate, Consent(texts, config.consent))
    dialogs = open_dialogs(config, texts, parts.knowledge, desk, forms, store.ticket)
    withdrawal = ConsentDialog(texts, [f for form in asked for f in form.fields])
    flow = Flow(
        [("consent", withdrawal), ("linking", linking), *dialogs],
        timeout=config.dialogs.timeout,
        escalate=desk.escalate,
        hand_over=forms.escalate,
        texts=texts,
    )
    faq = next((d for _, d in dialogs if isinstance(d, Faq)), None)
    new = FirstContact(flow, forms, faq.is_sure if faq is not None else _no_question)
    return Banner(new, desk.context.incidents, similarity, texts, store.has_met)


async def _no_question(turn: Turn, text: str) -> bool:
    return False


def open_dialogs(
    config: Config,
    texts: Texts,
    knowledge: Knowledge,
    desk: Desk,
    forms: Forms,
    ticket: Callable[[int], Awaitable[Ticket | None]],
) -> list[tuple[str, Dialog]]:
    """The dialogs in the order of the config: ours by name, others by dotted path. Raises `ConfigError`.

    The rating hears everything first, since it leaves all that does not answer its own question.
    """
    own = our_dialogs(
        texts,
        read_act,
        knowledge,
        forms.escalate,
        open_facts(config, knowledge, open_hours(config)),
        with_menu="menu" in config.dialogs.order,
    )
    intent, ours = own.intent, {"form": forms, **own.dialogs}
    days, apart = timedelta(days=config.rating.days_between), length(config.nps.apart) or timedelta()
    settles = timedelta(minutes=config.rating.settle_minutes)
    rating = Rating(
        texts,
        intent,
        ticket=ticket,
        tell=partial(opened, desk.context),
        pauses=RatingPauses(days, apart, settles),
    )
    nps = Nps(texts, intent, config.nps, tell=partial(commented, desk.context))
    dialogs: list[tuple[str, Dialog]] = [
        ("requests", ApiRequests(desk.context)),
        ("outreach", AboutNews(texts)),
        ("rating", rating),
        ("nps", nps),
    ]
    for name in config.dialogs.order:
        if name in ours:
            dialogs.append((name, ours[name]))
        else:
            dialogs.append((name, _foreign_dialog(name, tuple(ours))))
    return dialogs


def _foreign_dialog(name: str, ours: Sequence[str]) -> Dialog:
    """A dialog of somebody else's: by dotted path, or by the name that an installed package gives it."""
    found = imported(name) if ":" in name else brought("bot.dialogs", name)
    if found is None:
        known = known_names("bot.dialogs", *ours)
        raise ConfigError([problem("config.no_dialog", name=name, known=known)])
    return cast(Dialog, found() if isinstance(found, type) else found)
