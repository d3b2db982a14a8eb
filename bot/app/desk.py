"""The operators' side of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from bot.app.channels import Platforms
from bot.app.config_parts import (
    open_canned,
    open_facts,
    open_playbooks,
    open_scenarios,
    open_scorecard,
    open_tone,
    sequence_faults,
)
from bot.app.service_parts import ServiceParts
from bot.config.handoff import length
from bot.config.loader import Config
from bot.dialogs.article_rendering import portion
from bot.dialogs.builtin_dialogs import DialogParts, our_dialogs
from bot.dialogs.personal_articles import personal
from bot.dialogs.question_reader import QuestionReader, SideAnswer
from bot.errors import ConfigError
from bot.handoff.desk import Desk
from bot.handoff.desk_context import ArticleAudience, DeskContext, DeskRules, FoundArticle
from bot.handoff.group_binding import BoundGroup, GroupBinding
from bot.handoff.group_status import Groups
from bot.handoff.operators.registry import Registry
from bot.handoff.operators.roster import Roster
from bot.handoff.operators.teams import Teams
from bot.handoff.outreach.commands import OutreachCommands
from bot.handoff.outreach.incidents import Incidents
from bot.handoff.outreach.questionnaires import Questionnaire
from bot.handoff.outreach.sequences import Sequences
from bot.handoff.outreach.surveys import Surveys
from bot.handoff.places import DeskPlaces
from bot.handoff.queue.queue import Queue
from bot.handoff.shared_state import SharedState
from bot.handoff.sla.hours import Hours
from bot.handoff.sla.targets import Deadlines
from bot.i18n.texts import Texts
from bot.knowledge.decision.similarity import SimilarityMatcher
from bot.knowledge.query.intents import read_act
from bot.knowledge.search import Knowledge
from bot.model import INNER, Answer, Attachment, Intent, Peer, RichText
from bot.text.day_spans import DaySpan
from bot.text.graphemes import shorten
from bot.text.markdown import to_rich

FOUND, SNIPPET = 5, 160  # articles that a search brings, characters of each


async def open_desk(parts: ServiceParts, group: Peer | None, outreach: OutreachCommands) -> Desk:
    """The operators' side; *group* is theirs where neither the config nor the store names one."""
    config, texts = parts.config, parts.texts
    named = Peer(config.desk.channel, config.desk.chat) if config.desk else None
    bound = BoundGroup(named or group, fixed=named is not None)
    rules = _rules(config, parts.knowledge, texts, parts.hours)
    roster, teams = Roster(), Teams(rules.teams)
    binding = GroupBinding(
        texts,
        lang=config.business.language,
        bound=bound,
        platforms=Platforms(parts.adapters),
        others=teams.is_desk,
        is_ours=lambda id: id in rules.routing.supervisors or roster.works(id),
    )
    incidents, groups = Incidents(), Groups()
    context = DeskContext(
        texts,
        config.business.language,
        parts.hours,
        rules,
        roster=roster,
        teams=teams,
        queue=Queue(rules.routing.priority, line=teams.line),
        deadlines=Deadlines(
            rules.sla,
            rules.routing,
            parts.hours,
            undecided=length(config.authority.remind) or timedelta(),
            upset_waits=config.vip.waits,
        ),
        incidents=incidents,
        groups=groups,
        places=DeskPlaces(binding, teams, parts.titles),
        shared=SharedState(
            parts.store.desk_state,
            (roster, teams, incidents, groups, binding),
            others=parts.store.shared,
        ),
        ticket_reader=parts.store,
        commands=Registry(assistant=config.assistant.operators),
        outreach=outreach,
        ask_rating=timedelta(minutes=config.rating.delay_minutes)
        if config.rating.ask or config.aftercare.thanks
        else None,
        check_in=length(config.aftercare.check_in),
    )
    parts.observers.add(context)
    await context.shared.catch_up()
    return Desk(context)


def open_outreach(
    parts: ServiceParts, similarity: SimilarityMatcher, questionnaires: Mapping[str, Questionnaire]
) -> OutreachCommands:
    """What is written to customers first."""
    config, store = parts.config, parts.store
    channels = tuple(name for name in parts.adapters if name not in INNER)
    span = DaySpan.parse(config.outreach.hours)
    if faults := sequence_faults(config):
        raise ConfigError(faults)
    surveys = Surveys(config.nps, store, hours=span, zone=parts.hours.zone, channels=channels)
    return OutreachCommands(
        store,
        similarity,
        channels,
        span,
        config.outreach.per_second,
        similarity.find,
        similarity.meant,
        similarity.title,
        surveys,
        Sequences(config.sequences, store, span, parts.hours.zone),
        questionnaires,
    )


def _rules(config: Config, knowledge: Knowledge, texts: Texts, hours: Hours) -> DeskRules:
    """How the desk is to work, with what the articles say about topics."""

    def about(article: str) -> Sequence[str]:
        found = knowledge.staff.article(article)
        return (
            tuple(
                dict.fromkeys(
                    t for t in (found.title, found.topic, found.section, *found.tags, found.id) if t
                )
            )
            if found
            else ()
        )

    def article(id: str, audience: ArticleAudience) -> RichText:
        found = knowledge.article_for(id, channel=audience.channel, segment=audience.fields)
        return portion(personal(found, texts, audience.customer)).text if found else RichText()

    def files(id: str, audience: ArticleAudience) -> tuple[Attachment, ...]:
        found = knowledge.article_for(id, channel=audience.channel, segment=audience.fields)
        named = portion(personal(found, texts, audience.customer)).files if found else ()
        return tuple(file.attachment(knowledge.folder) for file in named)

    def read(id: str, audience: ArticleAudience) -> RichText:
        found = knowledge.article(id)
        return portion(personal(found, texts, audience.customer)).text if found else RichText()

    def internal(id: str, audience: ArticleAudience) -> RichText:
        found = knowledge.staff.article(id)
        if found is None or not found.internal:
            return RichText()
        return portion(personal(found, texts, audience.customer)).text

    async def ask(question: str, audience: ArticleAudience) -> Answer:
        return await knowledge.staff.ask(
            question, language=audience.language, channel=audience.channel, segment=audience.fields
        )

    questions = QuestionReader(texts, read_act)
    return DeskRules(
        config.teams,
        config.routing,
        config.sla,
        about,
        article,
        read,
        files,
        internal=internal,
        has_internal=lambda: knowledge.staff is not knowledge,
        find=partial(find_articles, knowledge, texts),
        ask=ask if config.canned.prompter else None,
        canned=open_canned(config, texts, hours),
        facts={"business": config.business.name},
        undo=config.canned.undo,
        is_thanks=lambda text: read_act(text).act in (Intent.THANKS, Intent.BYE),
        question=questions.question,
        aside=SideAnswer(
            our_dialogs(
                texts, read_act, knowledge, None, DialogParts(open_facts(config, knowledge, hours))
            ),
            article,
            knowledge.article,
        ),
        meaning=questions.meaning,
        tone=open_tone(config),
        vip=config.vip,
        points=config.loyalty.field,
        upset=lambda text: read_act(text).upset,
        playbooks=open_playbooks(config),
        authority=config.authority,
        answer_choice=config.answer_choice.times or bool(config.answer_choice.by),
        assistant=config.assistant.operators,
        quality=config.quality,
        scorecard=open_scorecard(config, texts),
        scenarios=open_scenarios(config),
    )


async def find_articles(
    knowledge: Knowledge, texts: Texts, words: str, audience: ArticleAudience
) -> tuple[FoundArticle, ...]:
    """The likeliest articles for an operator's words, internal ones, too, of what the audience may be shown;
    of twins the one in their language.
    """
    answer = await knowledge.staff.ask(words, channel=audience.channel, segment=audience.fields)
    if answer.scope < knowledge.settings.handoff:  # what has nothing to do with it is no find
        return ()
    read = partial(knowledge.staff.article, language=audience.language)
    found = {a.id: a for c in answer.candidates if (a := read(c.article))}
    return tuple(
        FoundArticle(
            a.id,
            a.title,
            shorten(to_rich(texts.personal(a.lead, None, lang=a.lang)).text.replace("\n", " "), SNIPPET),
            a.internal,
        )
        for a in tuple(found.values())[:FOUND]
    )
