"""Whom a broadcast is for: conditions as a supervisor writes them, and the conversations they choose, one for
each customer.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.i18n.texts import Texts
from bot.model import Customer, Event, Json, Peer, Status
from bot.text.customer_fields import NEWS, OFF

BLOCKED = "_blocked"  # a customer's field: blocked by a supervisor (handoff/blocklist.py)
LINES = 20_000  # customers' lines compared at once
LATELY = 30  # days in which somebody asked, where no days are named
_LISTED = ("channel", "language", "asked", "article", "incident")


Saying = Callable[
    [Sequence[str], Sequence[str]], Sequence[bool]
]  # of each text whether it says one of the phrases


class SegmentMember(Protocol):
    """A customer's conversation, as the store shows it."""

    @property
    def conversation(self) -> int: ...

    @property
    def peer(self) -> Peer: ...

    @property
    def customer(self) -> Customer: ...

    @property
    def status(self) -> Status: ...

    @property
    def reachable(self) -> bool: ...

    @property
    def wrote(self) -> datetime | None: ...


class SegmentMessage(Protocol):
    """A customer's line."""

    @property
    def id(self) -> int: ...

    @property
    def conversation(self) -> int: ...

    @property
    def text(self) -> str: ...


class SegmentSource(Protocol):
    """The part of the store that knows the customers."""

    async def listeners(
        self, *, after: int = 0, limit: int = 1000, only: Collection[int] = ()
    ) -> Sequence[SegmentMember]: ...

    async def words_since(
        self, since: datetime, *, after: int = 0, limit: int = 5000
    ) -> Sequence[SegmentMessage]: ...

    async def incident_met(self, number: int) -> Sequence[int]: ...

    async def events(
        self, *, since: datetime | None = None, until: datetime | None = None, kinds: Collection[str] = ()
    ) -> Sequence[Event]: ...


class UnclearCondition(Exception):
    """A condition that means nothing here; `key` and `facts` are what is said about it."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


@dataclass(frozen=True, slots=True)
class Segment:
    """Everything that is given must hold; of several values of one kind, one."""

    fields: Mapping[str, str] = field(default_factory=dict)
    channel: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    article: tuple[str, ...] = ()
    incident: tuple[str, ...] = ()
    days: int | None = None

    def kept(self) -> Json:
        """As JSON."""
        return {
            "fields": dict(self.fields),
            "days": self.days,
            **{name: list(getattr(self, name)) for name in _LISTED},
        }

    @classmethod
    def read(cls, kept: object) -> Segment:
        """What `kept` has made; anything else means everybody."""
        data = kept if isinstance(kept, Mapping) else {}
        fields, days = data.get("fields"), data.get("days")
        listed = {name: tuple(str(v) for v in data.get(name) or ()) for name in _LISTED}
        return cls(
            {str(k): str(v) for k, v in fields.items()} if isinstance(fields, Mapping) else {},
            **listed,
            days=days if isinstance(days, int) else None,
        )

    @property
    def looks_back(self) -> bool:
        """Whether it is about what somebody asked lately."""
        return bool(self.asked or self.article or self.incident)


@dataclass(frozen=True, slots=True)
class SegmentSelection:
    """Whom it reaches, by conversation; and how many of the segment cannot be or do not want to be
    reached.
    """

    to: tuple[int, ...] = ()
    channels: Mapping[str, int] = field(default_factory=dict)
    out: int = 0
    unreachable: int = 0


def wants_none(customer: Customer) -> bool:
    """Whether this customer is not to be written to first: they said so, or are blocked."""
    return customer.fields.get(NEWS) == OFF or BLOCKED in customer.fields


def has_conditions(line: str) -> bool:
    """Whether the first line of a command holds conditions and not yet the text."""
    try:
        parts = shlex.split(line)
    except ValueError:
        return False
    return bool(parts) and all(
        "=" in part and not part.startswith("=") and " " not in part.partition("=")[0] for part in parts
    )


def read_conditions(
    line: str,
    texts: Texts,
    *,
    article: Callable[[str], str],
    channels: Collection[str],
    incidents: Collection[int],
) -> Segment:
    """`vip=yes channel=vk asked="где заказ,доставка" days=14` as a segment. Raises `UnclearCondition`.

    The names of conditions stand in the words (`outreach.key.*`); any other name is a field of the customer.
    *article* gives
    the id for a title or an id, "" where there is none.
    """
    names = {
        variant.casefold(): name
        for name in (*_LISTED, "days")
        for variant in texts.options(f"outreach.key.{name}")
    }
    fields: dict[str, str] = {}
    listed: dict[str, tuple[str, ...]] = {}
    days: int | None = None
    for part in shlex.split(line):
        key, _, value = part.partition("=")
        name = names.get(key.casefold(), "")
        values = tuple(v.strip() for v in value.split(",") if v.strip())
        if not values:
            raise UnclearCondition("outreach.no_value", name=key)
        if name == "days":
            if not value.isdecimal() or not 1 <= int(value) <= 366:
                raise UnclearCondition("outreach.bad_days", value=value)
            days = int(value)
        elif name:
            listed[name] = (*listed.get(name, ()), *values)
        else:
            fields[key] = value
    if unknown := [c for c in listed.get("channel", ()) if c not in channels]:
        raise UnclearCondition("outreach.no_channel", value=unknown[0], known=sorted(channels))
    if unknown := [n for n in listed.get("incident", ()) if not n.isdecimal() or int(n) not in incidents]:
        raise UnclearCondition("outreach.no_incident", number=unknown[0], open=[])
    found = []
    for title in listed.get("article", ()):
        if not (id := article(title)):
            raise UnclearCondition("outreach.no_article", value=title)
        found.append(id)
    return Segment(fields, **{**listed, "article": tuple(found)}, days=days)


async def choose(
    segment: Segment,
    source: SegmentSource,
    now: datetime,
    *,
    saying: Saying,
    channels: Collection[str],
) -> SegmentSelection:
    """The conversations of the segment: of each customer the one they wrote in last.

    Channels that do not run are left out.
    """
    since = now - timedelta(days=segment.days or LATELY)
    asked = await _asked(segment, source, since, saying) if segment.looks_back else None
    best: dict[int, SegmentMember] = {}
    out: set[int] = set()
    unreachable: set[int] = set()
    after = 0
    while rows := await source.listeners(after=after):
        after = rows[-1].conversation
        for row in rows:
            if (asked is not None and row.conversation not in asked) or not _belongs(segment, row, since):
                continue
            if wants_none(row.customer):
                out.add(row.customer.id)
            elif not row.reachable or row.peer.channel not in channels:
                unreachable.add(row.customer.id)
            elif (known := best.get(row.customer.id)) is None or _is_later(row, known):
                best[row.customer.id] = row
    counts: dict[str, int] = {}
    for row in best.values():
        counts[row.peer.channel] = counts.get(row.peer.channel, 0) + 1
    return SegmentSelection(
        tuple(sorted(r.conversation for r in best.values())), counts, len(out), len(unreachable - set(best))
    )


def _belongs(segment: Segment, row: SegmentMember, since: datetime) -> bool:
    if segment.channel and row.peer.channel not in segment.channel:
        return False
    if segment.language and not any(
        row.customer.language.casefold().startswith(lang.casefold()) for lang in segment.language
    ):
        return False
    if segment.days and not segment.looks_back and (row.wrote is None or row.wrote < since):
        return False
    known = row.customer.fields
    return all(
        str(known.get(k, "")).casefold() in {v.strip() for v in wanted.casefold().split(",")}
        for k, wanted in segment.fields.items()
    )


def _is_later(row: SegmentMember, known: SegmentMember) -> bool:
    return row.wrote is not None and (known.wrote is None or row.wrote > known.wrote)


async def _asked(
    segment: Segment,
    source: SegmentSource,
    since: datetime,
    saying: Saying,
) -> set[int]:
    """The conversations in which all of it was asked."""
    found: list[set[int]] = []
    if segment.incident:
        found.append({c for number in segment.incident for c in await source.incident_met(int(number))})
    if segment.article:
        answered = await source.events(since=since, kinds=("answered",))
        found.append(
            {
                e.conversation
                for e in answered
                if e.conversation is not None and e.data.get("article") in segment.article
            }
        )
    if segment.asked:
        said: set[int] = set()
        after = 0
        while rows := await source.words_since(since, after=after, limit=LINES):
            after = rows[-1].id
            found_in = await asyncio.to_thread(saying, [row.text for row in rows], segment.asked)
            said |= {row.conversation for row, fits in zip(rows, found_in, strict=True) if fits}
        found.append(said)
    return set.intersection(*found)
