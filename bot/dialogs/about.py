"""What customers ask about the bot itself and the business: answered from the settings, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from babel.dates import get_timezone_location

from bot.dialogs.dialog_state import DialogState, is_first_contact
from bot.dialogs.everyday import EverydayPhrases
from bot.dialogs.faq import Faq
from bot.dialogs.question_stage import Idle, PersonOffered
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import language_of
from bot.handoff.sla.hours import DayRange, Hours
from bot.i18n.texts import Texts
from bot.model import Event, Json, Outcome, Turn
from bot.text.day_spans import DAY, DaySpan

OF_BOT = frozenset({"who", "bot", "can", "ask", "languages"})
OF_PEOPLE = frozenset({"hours", "wait"})  # when somebody is there
OF_BUSINESS = {
    "where": "address",
    "phone": "phone",
    "email": "email",
    "site": "site",
}  # each with the fact that it cannot be answered without
TOPICS = 8  # named when asked what the bot can do


def _no_topics(language: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class BusinessFacts:
    """What is known of the business: `contacts` by name, each by language ("" in all), its hours, the topics
    of its articles.
    """

    contacts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hours: Hours | None = None
    topics: Callable[[str], Sequence[str]] = _no_topics

    def contact(self, name: str, language: str) -> str:
        known = self.contacts.get(name, {})
        return known.get(language) or known.get("") or next(iter(known.values()), "")


class AboutBusiness:
    """Where an article answers surely it goes first: its words are the owner's.

    What is not in the settings is left to the questions.
    """

    def __init__(self, texts: Texts, everyday: EverydayPhrases, faq: Faq, facts: BusinessFacts) -> None:
        self._speaker = ReplyContext(texts, "about")
        self._texts, self._everyday, self._faq, self._facts = texts, everyday, faq, facts

    async def __call__(self, turn: Turn) -> Outcome | None:
        text = turn.text.strip()
        topic = self._everyday.topic(text) if text and turn.press is None else ""
        if topic not in OF_BOT and topic not in OF_BUSINESS and topic not in OF_PEOPLE:
            return None
        language = language_of(turn, self._texts.lang)
        facts = self._told(turn, language)
        if topic in OF_BUSINESS and not facts[OF_BUSINESS[topic]]:
            return None
        if await self._faq.is_sure(turn, text, own_words=topic in OF_BOT):
            return None
        return self._say(turn, topic, facts)

    def _say(self, turn: Turn, topic: str, facts: Json) -> Outcome:
        memory = DialogState.of(turn)
        greets = topic not in OF_BOT - {"ask"} and not memory.greeted and is_first_contact(turn)
        greeting = ["hello.short"] if greets else []
        stage = PersonOffered() if topic in ("bot", "wait") else Idle()
        state = memory.now(turn, stage=stage, spare=memory.spare, earlier=memory.listed)
        buttons = [human_button(turn, self._texts)] if topic in ("who", "bot", "can", "wait") else []
        return replace(
            said(turn, self._speaker, *greeting, f"everyday.said.{topic}", buttons=buttons, facts=facts),
            reason=topic,
            state=state,
            events=(Event("told_about", data={"topic": topic}),),
        )

    def _told(self, turn: Turn, language: str) -> dict[str, object]:
        contacts = {name: self._facts.contact(name, language) for name in OF_BUSINESS.values()}
        return {
            **contacts,
            **self._opening(turn, language),
            "topics": tuple(self._facts.topics(language))[:TOPICS],
        }

    def _opening(self, turn: Turn, language: str) -> dict[str, object]:
        now, hours = turn.now, self._facts.hours
        if hours is None:
            return {
                "open": True,
                "always": False,
                "closes": now + timedelta(hours=1),
                "opens": None,
                "week": "",
                "zone": "",
                "minutes": None,
            }
        opened = hours.is_open(now)
        closes = hours.leaving(now)
        always = opened and closes is not None and closes - now > timedelta(days=1)
        return {
            "open": opened,
            "always": always,
            "closes": closes,
            "opens": hours.next_open(now),
            "week": self._week(hours, language),
            "zone": zone_name(hours, language),
            "minutes": hours.estimate(now, ahead=0, recent=turn.recent_answers).minutes,
        }

    def _week(self, hours: Hours, language: str) -> str:
        """«пн–пт 10:00–20:00, сб 11:00–18:00»."""
        runs = hours.runs()
        if len(runs) == 1 and runs[0].first == 0 and runs[0].last == 6:
            whole = runs[0].stretches == (DaySpan(0, DAY),)
            key = "everyday.week.always" if whole else "everyday.week.daily"
            return self._texts.text(key, lang=language, **_from_to(runs[0]))
        return ", ".join(
            self._texts.text(
                f"everyday.week.{'day' if run.first == run.last else 'days'}",
                lang=language,
                first=self._weekday(run.first, language),
                last=self._weekday(run.last, language),
                **_from_to(run),
            )
            for run in runs
        )

    def _weekday(self, day: int, language: str) -> str:
        return self._texts.text("everyday.week.names", lang=language, seed=day)


def zone_name(hours: Hours, language: str) -> str:
    """The city whose time the hours are told in: «Москва»."""
    return get_timezone_location(hours.zone, locale=language, return_city=True)


def _from_to(run: DayRange) -> dict[str, str]:
    """When people are there; a break stands inside: from «10:00» to «13:00, 14:00–20:00»."""
    opens, _, closes = ", ".join(map(str, run.stretches)).replace("-", "–").partition("–")
    return {"opens": opens, "closes": closes}
