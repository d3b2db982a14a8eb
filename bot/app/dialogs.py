"""What answers customers: the dialogs in the order of the config."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from bot.app.assistant import open_composer
from bot.app.config_parts import open_facts, open_hours
from bot.app.entry_points import brought, imported, known_names
from bot.app.flows import FlowParts
from bot.app.service_parts import ServiceParts
from bot.config.channels import VkChannel
from bot.config.handoff import length
from bot.dialogs.api_requests import ApiRequests
from bot.dialogs.base import Dialog
from bot.dialogs.builtin_dialogs import DialogParts, our_dialogs
from bot.dialogs.consent import Consent, ConsentDialog
from bot.dialogs.faq import Faq
from bot.dialogs.first_contact import FirstContact
from bot.dialogs.flow import Flow
from bot.dialogs.flows.declared_flows import DeclaredFlows, FlowHearing, Saying
from bot.dialogs.flows.flow_answers import asked_fields
from bot.dialogs.flows.flow_handoff import with_answers
from bot.dialogs.flows.flow_player import FlowContext
from bot.dialogs.flows.flow_run import NAME as FLOWS
from bot.dialogs.forms.form import FIRST_CONTACT, Forms, FormShape, Questions
from bot.dialogs.ideas import Ideas
from bot.dialogs.incident_notice import Banner
from bot.dialogs.linking import Linking
from bot.dialogs.loyalty import NAME as POINTS
from bot.dialogs.loyalty import Loyalty
from bot.dialogs.opt_out import OptOut as AboutNews
from bot.dialogs.protocols import Escalation
from bot.dialogs.sequences import SequenceDialog
from bot.dialogs.surveys.check_in import CheckIn
from bot.dialogs.surveys.nps import Nps
from bot.dialogs.surveys.rating import Rating, RatingPauses
from bot.dialogs.surveys.thanks import Thanks
from bot.dialogs.wish_dialog import WishDialog
from bot.errors import ConfigError
from bot.handoff.desk import Desk
from bot.handoff.outreach.broadcasts import opening
from bot.handoff.outreach.low_rating import opened
from bot.handoff.outreach.surveys import commented
from bot.handoff.tickets.reopening import not_well
from bot.knowledge.articles.writer import encoder_of
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.quality.themes import alike
from bot.knowledge.query.intents import read_act
from bot.knowledge.search import Knowledge
from bot.model import Button, Event, Outcome, Ticket, Turn
from bot.storage.base import Store
from bot.text.day_spans import DaySpan
from bot.text.problems import problem


def open_flow(
    parts: ServiceParts, desk: Desk, similarity: SimilarityMatcher, flows: FlowParts
) -> Callable[[Turn], Awaitable[Outcome]]:
    """The dialogs, under the notice of an incident; around them what comments are answered with, where a
    channel watches any.
    """
    config, texts, store = parts.config, parts.texts, parts.store

    async def refused(since: datetime) -> Sequence[Event]:
        return await store.events(since=since, kinds=("link_refused",))

    linking = Linking(texts, store.setting, store.joined, refused, parts.titles)
    lang, first = config.business.language, config.first_contact.fields
    escalate = with_answers(desk.escalate, flows.flows, lang)
    own = (Questions(FIRST_CONTACT, FIRST_CONTACT, first),) if first else ()
    asked: tuple[FormShape, ...] = (*config.dialogs.forms, *own)
    consent = Consent(texts, config.consent)
    forms = Forms(texts, asked, escalate, consent)
    ways = DialogEscalation(
        escalate, with_answers(forms.escalate, flows.flows, lang), similarity.saying, consent
    )
    dialogs = open_dialogs(parts, desk, forms, flows, ways)
    of_flows = [f for flow in flows.flows.values() for f in asked_fields(flow)]
    withdrawal = ConsentDialog(texts, [*(f for form in asked for f in form.fields), *of_flows])
    flow = Flow(
        [
            ("wish", WishDialog(desk.context, config.answer_choice, consent)),
            ("consent", withdrawal),
            ("linking", linking),
            *dialogs,
        ],
        timeout=config.dialogs.timeout,
        escalate=ways.escalate,
        hand_over=ways.after_form,
        texts=texts,
    )
    faq = next((d for _, d in dialogs if isinstance(d, Faq)), None)
    new = FirstContact(flow, forms, faq.is_sure if faq is not None else _no_question)
    banner = Banner(new, desk.context.incidents, similarity, texts, store.has_met)
    if any(isinstance(c, VkChannel) and c.comments for c in config.channels.values()):
        from bot.app.comments import open_comments  # only where they are watched

        return open_comments(parts, desk, banner)
    return banner


async def _no_question(turn: Turn, text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class DialogEscalation:
    """How dialogs reach a person, at once or after the form, how phrases are heard, and who has consented."""

    escalate: Escalation
    after_form: Escalation
    saying: Saying
    consent: Consent


def open_dialogs(
    parts: ServiceParts, desk: Desk, forms: Forms, flows: FlowParts, ways: DialogEscalation
) -> list[tuple[str, Dialog]]:
    """The dialogs in the order of the config: ours by name, others by dotted path. Raises `ConfigError`.

    The rating hears everything first, since it leaves all that does not answer its own question. The flows
    of the owner's folder come after the form where the config does not say.
    """
    config, texts, knowledge = parts.config, parts.texts, parts.knowledge
    shown: list[DeclaredFlows] = []

    def flows_of(turn: Turn) -> Sequence[Button]:
        return shown[0].buttons(turn) if shown else ()

    own = our_dialogs(
        texts,
        read_act,
        knowledge,
        ways.after_form,
        DialogParts(
            open_facts(config, knowledge, open_hours(config)),
            flows_of if "menu" in config.dialogs.order else None,
            open_composer(config, parts.assistant),
        ),
    )
    span = DaySpan.parse(config.outreach.hours)

    def opens(now: datetime) -> datetime:
        return opening(now, span, parts.hours.zone)

    tools = FlowContext(
        texts, flows.connector, ways.escalate, own.faq.show, flows.secret, ways.consent, opens
    )
    declared = DeclaredFlows(flows.flows, tools, FlowHearing(ways.saying, own.faq))
    shown.append(declared)
    intent = own.intent
    ours: dict[str, Dialog] = {"form": forms, FLOWS: declared, **own.dialogs}
    days, apart = timedelta(days=config.rating.days_between), length(config.nps.apart) or timedelta()
    settles = timedelta(minutes=config.rating.settle_minutes)
    rating = Rating(
        texts,
        intent,
        ticket=parts.store.ticket,
        tell=partial(opened, desk.context),
        pauses=RatingPauses(days, apart, settles, config.rating.ask),
        thanks=Thanks(texts, upset, opens) if config.aftercare.thanks else None,
    )
    check_in = CheckIn(texts, ticket=parts.store.ticket, reopen=partial(not_well, desk.context), opens=opens)
    nps = Nps(texts, intent, config.nps, tell=partial(commented, desk.context))
    dialogs: list[tuple[str, Dialog]] = [
        ("requests", ApiRequests(desk.context)),
        ("outreach", AboutNews(texts)),
        ("rating", rating),
        ("check_in", check_in),
        ("sequences", _open_sequences(parts, opens)),
        ("nps", nps),
        ("ideas", Ideas(texts, parts.store.ideas, partial(_alike, knowledge))),
    ]
    if config.loyalty.field:
        ours[POINTS] = Loyalty(texts, config.loyalty.field, ways.saying)
    for name in with_flows(config.dialogs.order, *((POINTS,) if config.loyalty.field else ())):
        if name in ours:
            dialogs.append((name, ours[name]))
        else:
            dialogs.append((name, _foreign_dialog(name, tuple(ours))))
    return dialogs


def _open_sequences(parts: ServiceParts, opens: Callable[[datetime], datetime]) -> SequenceDialog:
    tickets = partial(_tickets, parts.store)
    return SequenceDialog(parts.texts, parts.config.sequences, opens, parts.store.setting, tickets)


async def _tickets(store: Store, customer: int) -> Sequence[Ticket]:
    """All tickets of a customer."""
    talks = [talk.id for talk in await store.conversations(customer)]
    return [ticket for talk in talks for ticket in await store.tickets_in(talk)]


def _alike(knowledge: Knowledge, text: str, others: Sequence[str]) -> int | None:
    """By meaning where the base has an encoder, else by words."""
    return alike(text, others, encoder_of(knowledge))


def with_flows(order: Sequence[str], *others: str) -> Sequence[str]:
    """The order with the place of the flows, and of *others* before them: where they are not named, after
    whoever calls a person or asks a form.
    """
    missing = [name for name in (*others, FLOWS) if name not in order]
    place = max((n for n, name in enumerate(order, 1) if name in ("human", "form")), default=0)
    return (*order[:place], *missing, *order[place:])


def upset(text: str) -> float:
    """How angry words are, 0..1."""
    return read_act(text).upset


def _foreign_dialog(name: str, ours: Sequence[str]) -> Dialog:
    """A dialog of somebody else's: by dotted path, or by the name that an installed package gives it."""
    found = imported(name) if ":" in name else brought("bot.dialogs", name)
    if found is None:
        known = known_names("bot.dialogs", *ours)
        raise ConfigError([problem("config.no_dialog", name=name, known=known)])
    return cast(Dialog, found() if isinstance(found, type) else found)
