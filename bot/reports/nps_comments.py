"""What customers wrote beside their NPS score, gathered into themes: by the topic that the base knows, else
by their own words; what fits nowhere is said so and not pressed into a theme.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.knowledge.quality.gaps import Encode
from bot.knowledge.quality.themes import grouped
from bot.model import Answer, Event, HistoryEntry
from bot.reports.periods import Period
from bot.text.graphemes import shorten
from bot.text.pii import mask

NEAR, LIKELY, IN_SCOPE = 0.3, 0.15, 0.7  # of an article; of all of a topic, where the base knows the subject
AROUND = timedelta(minutes=5)  # between a comment's line and its event
EXAMPLES, LONGEST, NAMED = 4, 200, 60
MOST = 400  # the newest comments that are gathered
Ask = Callable[[str], Awaitable[Answer]]


class CommentSource(Protocol):
    """The part of the store that knows what was said."""

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> Sequence[Event]: ...

    async def history(
        self, conversation: int, *, limit: int = 100, since: datetime | None = None
    ) -> Sequence[HistoryEntry]: ...


@dataclass(frozen=True, slots=True)
class NpsComment:
    """One comment, masked, with the score it was written beside."""

    at: datetime
    conversation: int
    score: int
    text: str


@dataclass(frozen=True, slots=True)
class CommentTheme:
    """Comments about one thing; `topic`: whether its name is a topic of the base, else it is a customer's
    wording.
    """

    name: str
    topic: bool
    comments: tuple[NpsComment, ...]

    @property
    def detractors(self) -> int:
        return sum(c.score <= 6 for c in self.comments)

    @property
    def promoters(self) -> int:
        return sum(c.score >= 9 for c in self.comments)

    @property
    def passives(self) -> int:
        return len(self.comments) - self.detractors - self.promoters

    @property
    def examples(self) -> tuple[NpsComment, ...]:
        """The lowest scores first, the newest of equals."""
        ranked = sorted(self.comments, key=lambda c: (c.score, -c.at.timestamp()))
        return tuple({c.text: c for c in reversed(ranked)}.values())[::-1][:EXAMPLES]


@dataclass(frozen=True, slots=True)
class NpsThemes:
    """`alone` are the comments that fit nowhere, `blank` how many have no words any more (forgotten, or kept
    long enough).
    """

    themes: tuple[CommentTheme, ...] = ()
    alone: tuple[NpsComment, ...] = ()
    blank: int = 0

    @property
    def count(self) -> int:
        return sum(len(t.comments) for t in self.themes) + len(self.alone)


async def read_comments(source: CommentSource, period: Period) -> tuple[tuple[NpsComment, ...], int]:
    """The comments of the period, the newest last; and how many have no words any more."""
    events = await source.events(since=period.start, until=period.end, kinds=("nps_commented",))
    found, blank = list[NpsComment](), 0
    for event in events[-MOST:]:
        if event.at is None or event.conversation is None:
            continue
        lines = await source.history(event.conversation, since=event.at - AROUND)
        said = [n for n in lines if n.author == "customer" and n.at <= event.at + AROUND / 10 and n.text]
        if not said:
            blank += 1
            continue
        score = event.data.get("score")
        text = shorten(mask(" ".join(said[-1].text.split())), LONGEST)
        found.append(NpsComment(event.at, event.conversation, score if isinstance(score, int) else 0, text))
    return tuple(found), blank


async def themes_of(
    comments: Sequence[NpsComment], blank: int, ask: Ask, names: Mapping[str, str], encode: Encode | None
) -> NpsThemes:
    """Gather them. *names* gives the topic of an article by its id, *ask* what the base says to a text."""
    by_topic: dict[str, list[NpsComment]] = defaultdict(list)
    rest = list[NpsComment]()
    for comment in comments:
        topic = topic_in(await ask(comment.text), names)
        (by_topic[topic] if topic else rest).append(comment)
    themes = [CommentTheme(topic, True, tuple(found)) for topic, found in by_topic.items()]
    alone = list[NpsComment]()
    for places in grouped([c.text for c in rest], encode):
        some = tuple(rest[n] for n in places)
        if len(some) > 1:
            shortest = min((c.text for c in some), key=len)
            themes.append(CommentTheme(shorten(shortest, NAMED), False, some))
        else:
            alone += some
    themes.sort(key=lambda t: (-t.detractors, -len(t.comments), t.name))
    return NpsThemes(tuple(themes), tuple(alone), blank)


def topic_in(answer: Answer, names: Mapping[str, str]) -> str:
    """The topic that a text is about, "" where the base does not surely know it."""
    scores: dict[str, float] = defaultdict(float)
    best: dict[str, float] = defaultdict(float)
    for found in answer.candidates:
        topic = names.get(found.article, "")
        scores[topic] += found.score
        best[topic] = max(best[topic], found.score)
    topic = max((t for t in scores if t), key=lambda t: scores[t], default="")
    sure = topic and (best[topic] >= NEAR or (scores[topic] >= LIKELY and answer.scope >= IN_SCOPE))
    return topic if sure else ""
