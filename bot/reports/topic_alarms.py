"""Finds topics that customers ask about unusually often, for the operators' side to tell of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.handoff.outreach.order_replies import OFFICE
from bot.handoff.outreach.topic_notices import OPEN, UNANSWERED
from bot.model import Event, HistoryEntry, Inbound, InboundKind, Sender
from bot.model.internal import CheckFound, TopicCalmed, TopicRise
from bot.reports.ledger import without_played
from bot.reports.report import ReportedArticle, topic_names
from bot.reports.rises import ENOUGH, WEEKS, WINDOW, TopicLevel, levels, past_windows
from bot.text.graphemes import shorten
from bot.text.pii import mask

EVERY = timedelta(minutes=5)  # between two looks
KINDS = ("answered", "clarified", "unanswered", "mystery_begun")
EXAMPLES, LONGEST = 3, 90  # how many questions are shown, and characters of each
Window = Mapping[str, Mapping[int, Sequence[str]]]  # by topic and conversation the articles that were shown


class AlarmSource(Protocol):
    """The part of the store that knows what was asked."""

    async def setting(self, name: str) -> str | None: ...

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> Sequence[Event]: ...

    async def history(
        self, conversation: int, *, limit: int = 100, since: datetime | None = None
    ) -> Sequence[HistoryEntry]: ...


class TopicAlarms:
    """Looks every five minutes. A rise is found until the operators' side keeps that it was told; what is
    remembered here is only when it was looked last, and on which past days customers wrote at all.
    """

    def __init__(
        self,
        source: AlarmSource,
        articles: Callable[[], Iterable[ReportedArticle]],
        *,
        zone: ZoneInfo,
        least: int,
    ) -> None:
        self._source, self._articles, self._zone, self._least = source, articles, zone, least
        self._looked: datetime | None = None
        self._lived: dict[date, bool] = {}

    async def look(self, now: datetime) -> tuple[Inbound, ...]:
        """What has risen or is calm again since it was told last."""
        if not self._least or (self._looked is not None and timedelta() <= now - self._looked < EVERY):
            return ()
        self._looked = now
        told: Mapping[str, object] = json.loads(await self._source.setting(OPEN) or "{}")
        names = topic_names(tuple(self._articles()))
        current = _by_topic(await self._source.events(since=now - WINDOW, until=now, kinds=KINDS), names)
        busy = {t: len(c) for t, c in current.items() if len(c) >= self._least and t not in told}
        wanted = {**busy, **{t: len(current.get(t, ())) for t in told}}
        past = await self._past(now, names) if wanted else ()
        if not past:
            return ()
        found = list[Inbound]()
        for seen in levels(wanted, past):
            if seen.topic in told and seen.is_calm:
                found.append(_inbound(TopicCalmed(seen.topic), now))
            elif seen.topic not in told and seen.has_risen(self._least):
                found.append(_inbound(await self._rose(seen, current[seen.topic], now), now))
        return tuple(found)

    async def _past(self, now: datetime, names: Mapping[str, str]) -> Sequence[Mapping[str, int]]:
        """The same hours of the weeks in which the service lived; nothing where these are too few."""
        windows = past_windows(now, WEEKS, self._zone)
        weeks = [windows[n : n + 3] for n in range(0, len(windows), 3)]
        lived = [week for week in weeks if await self._lived_on(week[1][0].astimezone(self._zone).date())]
        if len(lived) < ENOUGH:
            return ()
        counted = list[Mapping[str, int]]()
        for week in lived:
            events = await self._source.events(since=week[0][0], until=week[-1][1], kinds=KINDS)
            for start, end in week:
                inside = [e for e in events if e.at is not None and start <= e.at < end]
                counted.append({t: len(c) for t, c in _by_topic(inside, names).items()})
        return counted

    async def _lived_on(self, day: date) -> bool:
        if day not in self._lived:
            start = datetime.combine(day, time(), self._zone)
            some = await self._source.events(
                since=start, until=start + timedelta(days=1), kinds=("answered",)
            )
            self._lived[day] = bool(some)
        return self._lived[day]

    async def _rose(self, seen: TopicLevel, asked: Mapping[int, Sequence[str]], now: datetime) -> TopicRise:
        examples = list[str]()
        for conversation in reversed(tuple(asked)):
            lines = await self._source.history(conversation, since=now - WINDOW)
            said = [line.text for line in lines if line.author == "customer"]
            if words := next((w for w in said if len(w.split()) > 1), ""):
                examples.append(shorten(mask(" ".join(words.split())), LONGEST))
            if len(examples) == EXAMPLES:
                break
        articles = tuple(dict.fromkeys(a for shown in asked.values() for a in shown if a))
        return TopicRise(seen.topic, seen.count, seen.usual, articles, tuple(examples))


def _by_topic(events: Iterable[Event], names: Mapping[str, str]) -> Window:
    """Who asked about what; a customer who asks twice counts once."""
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for event in without_played(events):
        if event.conversation is None:
            continue
        offered = event.data.get("offered")
        first = offered[0] if isinstance(offered, (list, tuple)) and offered else ""
        article = "" if event.kind == "unanswered" else str(event.data.get("article") or first)
        topic = (names.get(article) or article.rpartition("/")[0] or article) if article else UNANSWERED
        found[topic][event.conversation].append(article)
    return found


def _inbound(payload: CheckFound, now: datetime) -> Inbound:
    """One find; found again before it was decided on, it is decided on as something known."""
    name = f"{type(payload).__name__}:{getattr(payload, 'topic', '')}:{now:%Y-%m-%dT%H:%M}"
    return Inbound(name, OFFICE, Sender(""), now, InboundKind.INTERNAL, private=False, payload=payload)
