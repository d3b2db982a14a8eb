"""What is opened from a config, for a service and for commands alike: articles, hours, texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from bot.clock import Clock
from bot.config.loader import Config
from bot.dialogs.about import BusinessFacts
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import ConfigError, Problem
from bot.handoff.assist.canned import BUILTIN, CannedAnswers, builtin_answers
from bot.handoff.mystery.scenario import Scenarios, read_scenarios
from bot.handoff.playbooks.playbook import Playbooks
from bot.handoff.playbooks.playbook_files import builtin_playbooks, read_playbooks
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts, article_grammar
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.release import ReleaseLimits
from bot.knowledge.search import Knowledge
from bot.quality.criterion import criteria_of
from bot.quality.scorecard import Scorecard
from bot.text.day_spans import spans
from bot.text.problems import problem
from bot.text.tone import ToneCheck


def cache_folder(config: Config) -> Path:
    """Where vectors and the search index are kept between starts."""
    return (
        config.path(config.knowledge.cache)
        if config.knowledge.cache
        else platformdirs.user_cache_path("otklik")
    )


def open_knowledge(config: Config, *, channels: Sequence[str] = ()) -> Knowledge:
    """The articles, read and searchable by words; raises `ConfigError` where the folder is not there."""
    folder = config.path(config.knowledge.folder)
    if not folder.is_dir():
        raise ConfigError([problem("articles.no_folder", folder.as_posix())])
    defaults = KnowledgeSettings()
    settings = KnowledgeSettings(
        model=config.knowledge.embeddings.model,
        answer=config.knowledge.answer_threshold,
        handoff=(
            defaults.handoff if config.knowledge.scope_threshold is None else config.knowledge.scope_threshold
        ),
        options=config.knowledge.clarify_options,
        synonyms=(config.path(config.knowledge.synonyms),) if config.knowledge.synonyms else (),
        channels=tuple(channels),
        retrievers=config.knowledge.retrievers,
    )
    knowledge = Knowledge.open(folder, settings=settings, cache=cache_folder(config))
    follow_calendar(knowledge, Clock(), open_hours(config))
    return knowledge


def follow_calendar(knowledge: Knowledge, clock: Clock, hours: Hours) -> None:
    """An article ends with the last day of the business's own calendar, not of the machine's."""
    knowledge.today = lambda: clock().astimezone(hours.zone).date()


def open_hours(config: Config) -> Hours:
    hours = config.hours
    return Hours(
        hours.timezone,
        {day: spans(text) for day, text in hours.week.items()},
        country=hours.country,
        exceptions={day: spans(text) for day, text in hours.exceptions.items()},
    )


def open_facts(config: Config, knowledge: Knowledge, hours: Hours) -> BusinessFacts:
    """What the bot tells about the business: the settings, and what its articles are about."""

    def topics(language: str) -> Sequence[str]:
        named = Counter(
            a.topic
            for a in knowledge.articles()
            if a.topic and a.status == "published" and a.lang == language
        )
        return [topic for topic, _ in named.most_common()]

    return BusinessFacts(config.business.contacts, hours, topics)


def open_judge(config: Config, knowledge: Knowledge) -> OfflineDecision:
    """What the bot of this config says to words alone; used by the commands and the pages."""
    hours = open_hours(config)
    return OfflineDecision(knowledge, open_texts(config, hours), open_facts(config, knowledge, hours))


def release_limits(config: Config) -> ReleaseLimits:
    """What publishing may change without a supervisor's yes."""
    wanted = config.knowledge.release
    return ReleaseLimits(wanted.days, wanted.questions, wanted.max_lost_share, wanted.golden)


def open_texts(config: Config, hours: Hours) -> Texts:
    overrides = config.path(config.wording.folder) if config.wording.folder else None
    return Texts.load(
        config.business.language, overrides, zone=hours.zone, facts={"business": config.business.name}
    )


def open_canned(config: Config, texts: Texts, hours: Hours) -> CannedAnswers:
    """The ready answers. Raises `ConfigError` with every fault of their files."""
    folder = config.canned.folder
    if folder == BUILTIN:
        return CannedAnswers(builtin_answers(config.business.language), texts, hours)
    return CannedAnswers(config.path(folder) if folder else None, texts, hours)


def open_playbooks(config: Config) -> Playbooks:
    """The playbooks, the business's own first. Raises `ConfigError` with every fault of their files."""
    own, language = config.playbooks.folder, config.business.language
    ours = (builtin_playbooks(language),) if config.playbooks.builtin else ()
    return read_playbooks((*ours, *((config.path(own),) if own else ())))


def sequence_faults(config: Config) -> tuple[Problem, ...]:
    """Steps of follow-up sequences whose templates cannot be read: nothing would be left of them."""
    grammar = article_grammar()
    return tuple(
        problem("config.sequence_template", str(config.file or ""), name=name, step=number)
        for name, rules in config.sequences.items()
        for number, step in enumerate(rules.steps, 1)
        if any(grammar.syntax_fault(text) for text in step.texts)
    )


def open_tone(config: Config) -> ToneCheck | None:
    """What looks at texts for customers; None where the business wants no remarks."""
    own = ((words.pattern, words.instead) for words in config.tone.own)
    return ToneCheck(own) if config.tone.check else None


def open_scorecard(config: Config, texts: Texts) -> Scorecard | None:
    """What fills in the scorecard of dialogs; None where the business wants none."""
    rules = config.quality
    if not rules.score:
        return None
    tone = open_tone(config) or ToneCheck()
    words = {str(name): listed for name, listed in rules.words.items()}
    return Scorecard(texts, criteria_of(rules), tone, words)


def open_scenarios(config: Config) -> Scenarios:
    """What mystery customers may play. Raises `ConfigError` with every fault of the files."""
    rules = config.quality
    if not rules.mystery:
        return Scenarios()
    own = config.path(rules.scenarios) if rules.scenarios else None
    return read_scenarios(config.business.language, own)
