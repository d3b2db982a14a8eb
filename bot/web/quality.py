"""The supervisors' page of quality: how each operator's dialogs were, which to look at, what waits for a yes;
and one dialog with its scorecard.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from aiohttp import web

from bot.handoff.compensation import pending, written
from bot.handoff.contacts import mask
from bot.handoff.mystery import player
from bot.model import PLAYED, ApiRequest, DialogScore, Event, HistoryEntry, ScoreMark, Ticket
from bot.model.internal import PageOrder, ReviewDialog
from bot.quality import figures
from bot.quality.criterion import MARK_VALUES, Criterion, total
from bot.quality.figures import ScoreFigures
from bot.web.pages import Pages, read_words
from bot.web.services import WebServices
from bot.web.ticket_orders import PageRequests

SPANS = (4, 8, 13)  # weeks to choose from
USUAL = 8
LISTED = 60  # dialogs to look at
LINES = 400
RUNS = 10  # mystery customers that are listed
OPEN = 500  # newest tickets among which low ratings and requests are looked for
BEFORE = timedelta(minutes=10)  # what led to the ticket is shown with it
PATIENCE, GLANCE = 2.0, 0.05
LONGEST = 1000  # characters of a remark
WIDTH, HEIGHT, BAR = 18, 40, 12  # of a week in the picture


@dataclass(frozen=True, slots=True)
class WeekBar:
    """One week of an operator: how high, and what it says; no height where there are too few dialogs."""

    x: int
    height: int
    text: str


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """An operator's line: means in percent, None where there are too few dialogs."""

    name: str
    figures: ScoreFigures
    seen: int | None
    said: int | None
    marks: Mapping[str, tuple[int, int]]
    bars: Sequence[WeekBar]


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A dialog to look at, and why."""

    ticket: Ticket
    reason: str


@dataclass(frozen=True, slots=True)
class PlayedDialog:
    """A mystery customer as the page lists them."""

    title: str
    started: datetime
    over: bool
    ticket: Ticket | None

    @property
    def score(self) -> DialogScore | None:
        """The supervisor's where there is one, else what was seen by itself."""
        state = self.ticket.state if self.ticket is not None else None
        return (state.reviewed or state.scored) if state is not None else None


class QualityPages:
    """GET /quality, GET and POST /quality/{ticket}, POST /quality/decide and /quality/mystery."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services, self._pages = services, pages
        self._requests = PageRequests(services)

    async def show(self, request: web.Request) -> web.Response:
        """GET /quality?weeks=8."""
        services, store, lang = self._services, self._services.store, self._pages.language(request)
        weeks = _weeks(request)
        since = services.clock() - timedelta(weeks=weeks)
        events = await store.events(since=since, kinds=figures.KINDS)
        newest = await store.tickets(open_only=False, limit=OPEN)
        to_look = await self._to_look(events, newest)
        operators = figures.by_operator(events, services.timezone)
        names = {t.operator: t.operator_name for t in (*newest, *(k.ticket for k in to_look)) if t.operator}
        names |= await self._names(events, set(operators) - set(names))
        return self._pages.show(
            request,
            "quality.html",
            "quality",
            weeks=weeks,
            spans=SPANS,
            least=services.quality.least,
            rows=[self._row(o, names.get(o.operator, o.operator), weeks) for o in _ranked(operators)],
            criteria=[(c.name, self._title(c, lang)) for c in services.criteria],
            agreed=[
                (self._title(c, lang), found)
                for c in services.criteria
                if (found := figures.agreement(events).get(c.name))
            ],
            to_look=to_look,
            requests=[(t, c, written(c.amount, services.currency)) for t, c in pending(newest)],
            playbooks=await self._playbooks(since),
            scenarios=list(services.scenarios.known.values()),
            mystery=services.quality.mystery,
            runs=await self._runs(since),
            key=str(uuid.uuid4()),
            done=request.query.get("done", ""),
        )

    async def dialog(self, request: web.Request) -> web.Response:
        """GET /quality/{ticket}: what was said, the marks by themselves with their words, and the form."""
        ticket = await self._ticket(request)
        lang = self._pages.language(request)
        since = ticket.opened - BEFORE if ticket.opened else None
        lines = await self._services.store.history(ticket.conversation, limit=LINES, since=since)
        seen, said = _by_name(ticket.state.scored), _by_name(ticket.state.reviewed)
        review = ticket.state.reviewed
        return self._pages.show(
            request,
            "quality_dialog.html",
            "quality",
            ticket=ticket,
            lines=[_masked(line) for line in lines if ticket.closed is None or line.at <= ticket.closed],
            criteria=[
                (c.name, self._title(c, lang), seen.get(c.name), said.get(c.name) or seen.get(c.name))
                for c in self._services.criteria
            ],
            values=MARK_VALUES,
            expects=await self._expects(ticket),
            score=_percent(total(seen.values(), self._services.criteria)),
            review=review,
            reviewed=_percent(total(said.values(), self._services.criteria)),
            reason=request.query.get("why", "") or (review.reason if review else ""),
            key=str(uuid.uuid4()),
            longest=LONGEST,
        )

    async def review(self, request: web.Request) -> web.Response:
        """POST /quality/{ticket}: the supervisor's marks; the same form twice is one review."""
        ticket = await self._ticket(request)
        form = {k: str(v).strip() for k, v in (await request.post()).items()}
        names = [c.name for c in self._services.criteria]
        marks = {name: form.get(f"mark.{name}", "") for name in names}
        why = await self._reason(ticket, form.get("why", ""))
        asked = ReviewDialog(ticket.number, marks, form.get("remark", "")[:LONGEST], why)
        result = await self._carried_out(request, ticket, asked, form.get("key", ""), figures.REVIEWED)
        raise web.HTTPSeeOther(f"/quality?done={result}")

    async def decide(self, request: web.Request) -> web.Response:
        """POST /quality/decide {ticket, number, word}: yes or no to a compensation."""
        form = {k: str(v).strip() for k, v in (await request.post()).items()}
        number = form.get("ticket", "")
        found = await self._services.store.ticket(int(number)) if number.isdecimal() else None
        if found is None or form.get("word") not in ("yes", "no"):
            raise web.HTTPNotFound(text="no such request")
        order = PageOrder(found.number, "decide", f"{form.get('number', '')} {form['word']}")
        result = await self._carried_out(request, found, order, form.get("key", ""), "page_ordered")
        raise web.HTTPSeeOther(f"/quality?done={result}")

    async def mystery(self, request: web.Request) -> web.Response:
        """POST /quality/mystery {scenario}: a mystery customer; the same form twice is one."""
        form = {k: str(v).strip() for k, v in (await request.post()).items()}
        services, now = self._services, self._services.clock()
        found = services.scenarios.known.get(form.get("scenario", ""))
        if found is None or not services.quality.mystery:
            raise web.HTTPNotFound(text="no such scenario")
        run = f"p{form.get('key') or uuid.uuid4()}"[:60]
        known = await services.store.events(since=now - player.KNOWN, kinds=(player.STARTED,))
        if not any(e.data.get("run") == run for e in known):
            who = self._requests.who(request)
            name = found.customer or read_words(services.language)["quality_mystery_customer"]
            event = player.start(run, found.name, name, who.id, now)
            await services.store.enqueue([], now, events=(event,))
        raise web.HTTPSeeOther("/quality?done=mystery")

    # --- inside

    async def _runs(self, since: datetime) -> list[PlayedDialog]:
        """The mystery customers of late, the newest first, each with its ticket."""
        store = self._services.store
        events = await store.events(since=since, kinds=(player.STARTED, player.ENDED))
        found = []
        for run, over in player.runs_of(events)[-RUNS:][::-1]:
            talk = await store.conversation(run.peer)
            tickets = await store.tickets_in(talk.id) if talk is not None else ()
            scenario = self._services.scenarios.known.get(run.scenario)
            title = scenario.title if scenario is not None else run.scenario
            found.append(PlayedDialog(title, run.started, bool(over), tickets[-1] if tickets else None))
        return found

    async def _expects(self, ticket: Ticket) -> Sequence[str]:
        """What a mystery customer's scenario expects of the operator; nothing for a real one."""
        if ticket.customer_peer.channel != PLAYED or ticket.opened is None:
            return ()
        since = ticket.opened - player.LONGEST
        for event in await self._services.store.events(since=since, kinds=(player.STARTED,)):
            if event.data.get("chat") == ticket.customer_peer.chat:
                scenario = self._services.scenarios.known.get(str(event.data.get("scenario")))
                return scenario.expects if scenario is not None else ()
        return ()

    async def _reason(self, ticket: Ticket, claimed: str) -> str:
        """Why it was looked at: only what is of the sample counts as that, whatever the form says."""
        since = self._services.clock() - timedelta(weeks=SPANS[-1])
        events = await self._services.store.events(since=since, kinds=figures.KINDS)
        each = self._services.quality.sample
        if ticket.state.reviewed is not None:
            return ticket.state.reviewed.reason
        if ticket.customer_peer.channel == PLAYED:
            return figures.MYSTERY
        if ticket.number in figures.sample(events, self._services.timezone, each):
            return figures.SAMPLE
        low = ticket.rating is not None and ticket.rating <= figures.LOW_RATING
        return figures.LOW if low else figures.CHOSEN

    async def _to_look(self, events: Sequence[Event], newest: Sequence[Ticket]) -> list[LookedAt]:
        """Low ratings first, then the sample; what was looked at is done."""
        low = [
            t
            for t in newest
            if t.status == "closed"
            and t.customer_peer.channel != PLAYED
            and t.rating is not None
            and t.rating <= figures.LOW_RATING
            and t.state.scored is not None
            and t.state.reviewed is None
        ]
        numbers = figures.sample(events, self._services.timezone, self._services.quality.sample)
        chosen = await self._services.store.tickets_of(numbers)
        listed = {t.number: LookedAt(t, figures.SAMPLE) for t in chosen if t.state.scored}
        listed = {t.number: LookedAt(t, figures.LOW) for t in low} | {
            n: found for n, found in listed.items() if n not in {t.number for t in low}
        }
        return list(listed.values())[:LISTED]

    async def _names(self, events: Sequence[Event], missing: set[str]) -> dict[str, str]:
        """Names of operators from one ticket of each."""
        known = {str(e.data.get("of")): e.ticket for e in events if e.ticket and e.data.get("of") in missing}
        tickets = await self._services.store.tickets_of(known.values(), bare=True)
        return {t.operator: t.operator_name for t in tickets if t.operator_name}

    async def _playbooks(self, since: datetime) -> list[tuple[str, int, int, int]]:
        """By playbook: tickets, percent of steps done, tickets with required steps left open."""
        ended = await self._services.store.events(since=since, kinds=("playbook_ended",))
        rows = []
        for name in dict.fromkeys(str(e.data.get("playbook")) for e in ended):
            mine = [e for e in ended if e.data.get("playbook") == name]
            steps, done = (sum(_number(e.data.get(k)) for e in mine) for k in ("steps", "done"))
            known = self._services.playbooks.known.get(name)
            left = sum(_number(e.data.get("required_open")) > 0 for e in mine)
            rows.append((known.title if known else name, len(mine), round(100 * done / (steps or 1)), left))
        return sorted(rows, key=lambda row: -row[1])

    def _row(self, mine: ScoreFigures, name: str, weeks: int) -> OperatorRow:
        least = self._services.quality.least
        marks = {
            c: (round(100 * sum(values) / len(values)), len(values))
            for c, values in mine.marks.items()
            if len(values) >= least
        }
        seen, said = (_percent(mine.mean(of, least)) for of in (mine.seen, mine.said))
        return OperatorRow(name, mine, seen, said, marks, self._bars(mine, weeks))

    def _bars(self, mine: ScoreFigures, weeks: int) -> list[WeekBar]:
        """The weeks up to now; a week with too few dialogs stays empty and says how many it had."""
        now, least = self._services.clock(), self._services.quality.least
        this = figures.week_of(now, self._services.timezone)
        mondays: list[date] = [this - timedelta(weeks=n) for n in range(weeks - 1, -1, -1)]
        bars = []
        for n, monday in enumerate(mondays):
            scores = mine.weeks.get(monday, [])
            mean = mine.mean(scores, least)
            shown = (
                f"{monday:%d.%m}: "
                + (f"{_percent(mean)} %, " if mean is not None else "")
                + f"n={len(scores)}"
            )
            bars.append(WeekBar(n * WIDTH, 0 if mean is None else max(2, round(mean * HEIGHT)), shown))
        return bars

    def _title(self, criterion: Criterion, lang: str) -> str:
        own = criterion.titles
        if own:
            return own.get(lang) or next(iter(own.values()))
        return read_words(lang)[f"quality_{criterion.name}"]

    async def _ticket(self, request: web.Request) -> Ticket:
        number = request.match_info["ticket"]
        found = await self._services.store.ticket(int(number)) if number.isdecimal() else None
        if found is None or not found.customer_peer.chat:
            raise web.HTTPNotFound(text="no such ticket")
        return found

    async def _carried_out(
        self, request: web.Request, ticket: Ticket, asked: ApiRequest, key: str, kind: str
    ) -> str:
        """How it ended; "waits" where nobody has decided on it yet."""
        since = self._services.clock() - timedelta(minutes=5)
        talk = await self._services.store.listeners(only=(ticket.conversation,))
        if not talk:
            raise web.HTTPNotFound(text="no such customer")
        kept = await self._requests.hand_in(talk[0].peer, self._requests.who(request), asked, key)
        for _ in range(round(PATIENCE / GLANCE)):
            for event in await self._services.store.events(since=since, kinds=(kind,)):
                if event.data.get("key") == kept:
                    return str(event.data.get("result") or "reviewed")
            await asyncio.sleep(GLANCE)
        return "waits"


def _ranked(operators: Mapping[str, ScoreFigures]) -> list[ScoreFigures]:
    """By how many dialogs there are, not by how good they were: nobody is put last."""
    return sorted(operators.values(), key=lambda o: (-len(o.seen), o.operator))


def _by_name(score: object) -> dict[str, ScoreMark]:
    marks = getattr(score, "marks", ())
    return {m.criterion: m for m in marks}


def _masked(line: HistoryEntry) -> HistoryEntry:
    return HistoryEntry(line.at, line.author, mask(line.text), line.name, line.attachments)


def _percent(value: float | None) -> int | None:
    return None if value is None else round(100 * value)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _weeks(request: web.Request) -> int:
    wanted = request.query.get("weeks", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) in SPANS else USUAL
