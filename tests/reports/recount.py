"""The other way to count: every figure of the report again, from the tables of the file by SQL and plain
loops, sharing nothing with bot/reports.

Written from the definitions that the report prints. Times are whole milliseconds as they lie in the file;
Moscow is UTC+3 all year.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil
from pathlib import Path

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
MOSCOW = 3 * HOUR_MS
OPENS, CLOSES = 10 * HOUR_MS, 20 * HOUR_MS  # of every day that is worked
DAYS_OFF = {date(2026, 11, 4)}  # holidays of the weeks that are played
EPOCH = date(1970, 1, 1)
OWN = ("rating", "nps", "outreach")  # words about what the service asked or sent by itself are no visit

Values = dict[str, float | None]


@dataclass
class Come:
    """A visit as the definition has it: words of a customer up to four hours of silence or the end of a
    ticket.
    """

    conversation: int
    start: int
    end: int
    channel: str
    shown: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    good: int = 0
    bad: int = 0
    without_answer: bool = False
    people: list[int] = field(default_factory=list)
    last_before_person: str = ""
    waited: float | None = None
    again: bool = False

    @property
    def wanted(self) -> bool:
        return bool(self.shown or self.offered or self.people or self.without_answer)

    @property
    def strict(self) -> bool:
        return bool(self.shown) and not (self.people or self.bad or self.again)


class Recount:
    """The figures of days *first* to *last* from the database *file*; *limit* is the seconds of the service
    level, *now* the last moment known (ms).
    """

    def __init__(
        self,
        file: Path,
        first: date,
        last: date,
        *,
        limit: float,
        now: int,
        article_topics: dict[str, str],
        titles: dict[str, str],
        article_tags: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        self.first, self.last = first, last
        self.start = (first - EPOCH).days * DAY_MS - MOSCOW
        self.end = ((last - EPOCH).days + 1) * DAY_MS - MOSCOW
        self.limit, self.now, self.article_topics, self.titles = limit, now, article_topics, titles
        self.article_tags = article_tags or {}
        self.values: Values = {}
        self.db.execute(
            "create temp view e as select id, kind, at, conversation c, ticket t, actor, data from"
            " main.events where conversation is null or conversation not in (select conversation from"
            " main.events where kind = 'mystery_begun')"
        )
        self._tickets()
        self._times()
        self._ratings()
        self._changes()
        self.come = [v for v in self._visits() if v.wanted and self._in(v.start)]
        self._contained()
        self._slices()
        self._articles()
        self._operators()
        self._ready()
        self._scores()
        self._playbooks()
        self._compensations()
        self._practices()
        self.db.close()

    def _in(self, at: int | None) -> bool:
        return at is not None and self.start <= at < self.end

    def _rows(self, query: str, **more: object) -> list[tuple]:  # type: ignore[type-arg]
        return self.db.execute(query, {"a": self.start, "b": self.end, **more}).fetchall()

    def _one(self, query: str, **more: object) -> float:
        return float(self._rows(query, **more)[0][0] or 0)

    # --- tickets

    def _tickets(self) -> None:
        set_ = self.values.__setitem__
        nst = self._one(
            "select count(distinct t) from e where kind = 'ticket_opened' and at >= :a and at < :b"
        )
        set_("nst", nst)
        late = "select count(distinct t) from e where kind = 'sla_breached' and at >= :a and at < :b"
        set_("ntb", self._one(late))
        set_("ntb.share", self.values["ntb"] / nst if nst else None)  # type: ignore[operator]
        for goal in ("first_reply", "next_reply", "resolution"):
            set_(f"ntb.{goal}", self._one(f"{late} and json_extract(data, '$.goal') = :goal", goal=goal))
        for reason, count in self._rows(
            "select json_extract(data, '$.reason'), count(*) from e where kind = 'ticket_opened' and at >= :a"
            " and at < :b group by 1"
        ):
            set_(f"reasons.{reason}.tickets", float(count))
            set_(f"reasons.{reason}.share", count / nst)

    # --- times

    def _times(self) -> None:
        opened = dict(self._rows("select t, min(at) from e where kind = 'ticket_opened' group by t"))
        reply = dict(self._rows("select t, min(at) from e where kind = 'first_reply' group by t"))
        self.opened, self.reply = opened, reply
        mine = [t for t, at in opened.items() if self._in(at)]
        self._spread("afrt", [(opened[t], reply[t]) for t in mine if t in reply])
        closings: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
        for id, t, at, actor in self._rows(
            "select id, t, at, actor from e where kind = 'ticket_closed' order by at, id"
        ):
            closings[t].append((at, id, actor))
        back = dict(self._rows("select t, max(at) from e where kind = 'ticket_reopened' group by t"))
        self.solved = {
            t: all_[-1][0]
            for t, all_ in closings.items()
            if self._in(all_[-1][0])
            and not (all_[-1][2] == "customer" and t not in reply)
            and back.get(t, 0) <= all_[-1][0]
        }
        self._spread("mttr", [(opened[t], at) for t, at in self.solved.items()])

        unanswered = {
            t: [at for at, _, by in all_ if by == "customer"]
            for t, all_ in closings.items()
            if t not in reply
        }
        called_off = {t: all_[0] for t, all_ in unanswered.items() if all_}
        good, bad = 0, 0
        for t in mine:
            if t in reply:
                good, bad = (good + 1, bad) if worked(opened[t], reply[t]) <= self.limit else (good, bad + 1)
            elif worked(opened[t], called_off.get(t, self.now)) > self.limit:
                bad += 1
        self.values["service_level"] = good / (good + bad) if good + bad else None
        self.values["abandoned"] = share(t in called_off for t in mine)

    def _spread(self, key: str, spans: list[tuple[int, int]]) -> None:
        working = sorted(worked(a, b) for a, b in spans)
        calendar = sorted(max(0, b - a) / 1000 for a, b in spans)
        self.values[f"{key}.n"] = float(len(spans))
        self.values[key] = mean(working)
        for prefix, numbers in (("", working), ("calendar_", calendar)):
            self.values |= {
                f"{key}.{prefix}mean": mean(numbers),
                f"{key}.{prefix}median": middle(numbers),
                f"{key}.{prefix}p90": ninth(numbers),
            }

    # --- ratings and changes

    def _ratings(self) -> None:
        scores = [
            s
            for (s,) in self._rows(
                "select json_extract(data, '$.rating') from e where kind = 'rated' and at >= :a and at < :b"
            )
        ]
        self.values["csi.n"] = float(len(scores))
        self.values["csi"] = mean(scores) if len(scores) >= 5 else None
        for score in range(1, 6):
            self.values[f"csi.rated_{score}"] = float(scores.count(score))
        asked = "select distinct t from e where kind = 'rating_asked' and at >= :a and at < :b"
        n = self._one(f"select count(*) from ({asked})")
        self.values["csi.asked"] = n
        answered = self._one(
            f"select count(*) from ({asked}) where t in (select t from e where kind = 'rated')"
        )
        self.values["csi.response"] = answered / n if n else None

        scores = [
            s
            for (s,) in self._rows(
                "select json_extract(data, '$.score') from e where kind = 'nps_scored' and at >= :a and at"
                " < :b"
            )
        ]
        kinds = {
            "promoters": sum(s > 8 for s in scores),
            "passives": sum(s in (7, 8) for s in scores),
            "detractors": sum(s < 7 for s in scores),
        }
        self.values |= {f"nps.{kind}": float(count) for kind, count in kinds.items()}
        self.values["nps.n"] = float(len(scores))
        self.values["nps"] = (
            100 * (kinds["promoters"] - kinds["detractors"]) / len(scores) if len(scores) >= 5 else None
        )
        polled = self._rows("select c, at from e where kind = 'nps_asked' and at >= :a and at < :b")
        told = dict(self._rows("select c, max(at) from e where kind = 'nps_scored' group by c"))
        self.values["nps.asked"] = float(len(polled))
        self.values["nps.response"] = share(at <= told.get(c, 0) for c, at in polled)

    def _changes(self) -> None:
        closed = dict(
            self._rows(
                "select t, min(at) from e where kind = 'ticket_closed' and at >= :a and at < :b group by t"
            )
        )
        again = {
            t
            for t, at in self._rows("select t, at from e where kind = 'ticket_reopened'")
            if t in closed and at > closed[t]
        }
        self.values["reopened"] = len(again) / len(closed) if closed else None
        passed = {
            t for (t,) in self._rows(
                "select t from e where kind = 'ticket_transferred' or (kind = 'ticket_moved' and actor <> '')"
                " or (kind = 'ticket_assigned' and coalesce(json_extract(data, '$.from'), '') <> '')"
            )
        }  # fmt: skip
        mine = [t for t, at in self.opened.items() if self._in(at)]
        self.values["transferred"] = share(t in passed for t in mine)

    # --- visits

    def _visits(self) -> list[Come]:
        lives: dict[int, list[tuple]] = defaultdict(list)  # type: ignore[type-arg]
        for row in self._rows(
            "select c, at, kind, t, actor, data from e where c is not null order by at, id"
        ):
            lives[row[0]].append(row)
        return [v for c, rows in lives.items() for v in _life(c, rows)]

    def _contained(self) -> None:
        come, set_ = self.come, self.values.__setitem__
        set_("conversations", float(len(come)))
        set_("containment", share(v.strict for v in come))
        set_("containment_naive", share(not v.people for v in come))
        set_("returns", share(v.again for v in come))
        good, bad = sum(v.good for v in come), sum(v.bad for v in come)
        set_("helped", good / (good + bad) if good + bad else None)
        waits = sorted(v.waited for v in come if v.waited is not None)
        set_("bot_reply", mean(waits))
        self.values |= {
            "bot_reply.n": float(len(waits)),
            "bot_reply.mean": mean(waits),
            "bot_reply.median": middle(waits),
            "bot_reply.p90": ninth(waits),
        }

    def _slices(self) -> None:
        by_day = Counter((local_day(v.start), bool(v.people)) for v in self.come)
        for n in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=n)
            self.values |= {
                f"days.{day}.bot": float(by_day[day, False]),
                f"days.{day}.person": float(by_day[day, True]),
            }
        grid = Counter(
            (local_day(v.start).isoweekday(), (v.start + MOSCOW) % DAY_MS // HOUR_MS) for v in self.come
        )
        for weekday in range(1, 8):
            for hour in range(24):
                self.values[f"load.{weekday}-{hour}.visits"] = float(grid[weekday, hour])
        own = dict(self._rows("select number, topic from main.tickets"))

        def topic(v: Come) -> str:
            for article in (*v.shown, *v.offered):
                return self.article_topics.get(article) or article.rpartition("/")[0] or article
            named = next((own[t] for t in v.people if own.get(t)), "")
            return self.article_topics.get(named, named) or "unknown"

        marked = {
            t: json.loads(raw).get("tags") or []
            for t, raw in self._rows("select t, data from e where kind = 'ticket_tagged' order by at, id")
        }

        def tags(v: Come) -> set[str]:
            article = (*v.shown, *v.offered)[:1]
            return {t.lower() for a in article for t in self.article_tags.get(a, ())} | {
                t for number in v.people for t in marked.get(number, ())
            }

        for key, sides in (("channels", lambda v: {v.channel}), ("topics", lambda v: {topic(v)}),
                           ("tags", tags)):  # fmt: skip
            parts: dict[str, list[Come]] = defaultdict(list)
            for v in self.come:
                for name in sides(v):
                    parts[name].append(v)
            for name, seen in parts.items():
                cells = {
                    "visits": float(len(seen)),
                    "person": float(sum(bool(v.people) for v in seen)),
                    "containment": share(v.strict for v in seen),
                    **self._served({t for v in seen for t in v.people if self._in(self.opened.get(t))}),
                }
                self.values |= {f"{key}.{name}.{k}": value for k, value in cells.items()}
        self._categories()

    def _served(self, numbers: set[int]) -> dict[str, float | None]:
        """Mean wait for a person, mean rating and number of ratings of these tickets."""
        scores = dict(
            self._rows("select t, json_extract(data, '$.rating') from e where kind = 'rated' order by at, id")
        )
        marks = [scores[t] for t in numbers if t in scores]
        return {
            "afrt": mean([worked(self.opened[t], self.reply[t]) for t in numbers if t in self.reply]),
            "csi": mean(marks) if len(marks) >= 5 else None,
            "ratings": float(len(marks)),
        }

    def _categories(self) -> None:
        back = {t for (t,) in self._rows("select t from e where kind = 'ticket_reopened'")}
        parts: dict[str, set[int]] = defaultdict(set)
        for t, category in self._rows("select number, category from main.tickets"):
            if self._in(self.opened.get(t)):
                parts[category or "unknown"].add(t)
        for name, numbers in parts.items():
            cells = {"tickets": float(len(numbers)), "reopened": share(t in back for t in numbers)}
            cells |= self._served(numbers)
            self.values |= {f"categories.{name}.{k}": value for k, value in cells.items()}

    def _articles(self) -> None:
        shown = Counter(a for v in self.come for a in v.shown)
        led = Counter(v.last_before_person for v in self.come if v.last_before_person)
        told = {
            (a, bool(h)): n
            for a, h, n in self._rows(
                "select json_extract(data, '$.article'), json_extract(data, '$.helped'), count(*) from e"
                " where kind = 'feedback' and at >= :a and at < :b group by 1, 2"
            )
        }
        for a in {*shown, *self.titles}:
            yes, no = told.get((a, True), 0), told.get((a, False), 0)
            cells = {"shown": shown[a], "yes": yes, "no": no, "led": led[a]}
            self.values |= {f"articles.{a}.{k}": float(n) for k, n in cells.items()}
            self.values[f"articles.{a}.helped_share"] = yes / (yes + no) if yes + no else None

    def _ready(self) -> None:
        used: dict[str, Counter[str]] = defaultdict(Counter)
        for kind, what in self._rows(
            "select kind, json_extract(data, '$.what') from e where kind in ('ready_sent', 'ready_edited')"
            " and at >= :a and at < :b and json_extract(data, '$.what') like 'canned:%'"
        ):
            used[what.partition(":")[2]][kind] += 1
        for key, n in used.items():
            sent, edited = float(n["ready_sent"]), float(n["ready_edited"])
            cells = {"sent": sent, "edited": edited, "as_is": sent / (sent + edited)}
            self.values |= {f"ready.{key}.{k}": value for k, value in cells.items()}

    def _scores(self) -> None:
        last: dict[tuple[str, int], dict[str, object]] = {}
        for kind, t, raw in self._rows(
            "select kind, t, data from e where kind in ('dialog_scored', 'dialog_reviewed') and at >= :a and"
            " at < :b order by at, id"
        ):
            last[kind, t] = json.loads(raw)
        marks: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for (kind, _), data in last.items():
            if data.get("of") and isinstance(data.get("score"), (int, float)):
                if kind == "dialog_scored":
                    marks[str(data["of"])]["scored"].append(float(data["score"]))  # type: ignore[arg-type]
                elif data.get("reason") == "sample":
                    marks[str(data["of"])]["sampled"].append(float(data["score"]))  # type: ignore[arg-type]
        for by, of in marks.items():
            for key, shown in (("scored", "by_itself"), ("sampled", "by_supervisor")):
                self.values[f"scores.{by}.{key}"] = float(len(of[key]))
                self.values[f"scores.{by}.{shown}"] = mean(of[key]) if len(of[key]) >= 5 else None

    def _playbooks(self) -> None:
        for name, count, steps, done, left in self._rows(
            "select json_extract(data, '$.playbook'), count(*), sum(json_extract(data, '$.steps')),"
            " sum(json_extract(data, '$.done')), sum(json_extract(data, '$.required_open') > 0) from e where"
            " kind = 'playbook_ended' and at >= :a and at < :b group by 1"
        ):
            cells = {"tickets": float(count), "steps_done": done / steps if steps else None}
            cells["required_open"] = float(left)
            self.values |= {f"playbooks.{name}.{k}": value for k, value in cells.items()}

    def _compensations(self) -> None:
        for by, given, asked, allowed, refused, total in self._rows(
            "select case kind when 'compensation_decided' then json_extract(data, '$.of') else actor end by_,"
            " sum(kind = 'compensation_given'), sum(kind = 'compensation_asked'),"
            " sum(json_extract(data, '$.decision') is 'yes'), sum(json_extract(data, '$.decision') is 'no'),"
            " sum(case when kind = 'compensation_given' or json_extract(data, '$.decision') is 'yes' then"
            " json_extract(data, '$.amount') else 0 end) from e where kind like 'compensation_%' and"
            " at >= :a and at < :b group by by_ having by_ <> ''"
        ):
            cells = {"given": given, "asked": asked, "allowed": allowed, "refused": refused, "sum": total}
            self.values |= {f"compensations.{by}.{k}": float(value) for k, value in cells.items()}

    def _practices(self) -> None:
        within = "from e where at >= :a and at < :b and"
        number, why = "json_extract(data, '$.number')", "json_extract(data, '$.why')"
        surveys = (
            f"{number} in (select {number} from main.events where kind = 'broadcast_started'"
            " and json_extract(data, '$.questionnaire') is not null)"
        )
        end = "kind = 'flow_ended' and json_extract(data, '$.ending')"
        for key, holds in {
            "sequence_said": "kind = 'sequence_said'",
            "sequence_needless": f"kind = 'sequence_ended' and {why} = 'unless'",
            "sequence_opted_out": f"kind = 'sequence_ended' and {why} = 'opted_out'",
            "check_in_asked": "kind = 'check_in_asked'",
            "check_in_well": "kind = 'check_in_answered' and json_extract(data, '$.helped')",
            "check_in_not_well": "kind = 'check_in_answered' and not json_extract(data, '$.helped')",
            "questionnaire_sent": f"kind = 'broadcast_said' and {surveys}",
            "questionnaire_begun": f"kind = 'flow_started' and {number} is not null",
            "questionnaire_done": f"{end} in ('done', 'article') and {number} is not null",
            "flow_begun": f"kind = 'flow_started' and {number} is null",
            "flow_done": f"{end} in ('done', 'article') and {number} is null",
            "flow_person": f"{end} = 'person' and {number} is null",
            "flow_given_up": f"{end} in ('cancelled', 'expired') and {number} is null",
            "upset_vip": "kind = 'upset_customer'",
        }.items():
            if n := self._one(f"select count(*) {within} {holds}"):
                self.values[f"after.{key}.count"] = n
        for kind, version, n in self._rows(
            f"select kind, json_extract(data, '$.version'), count(*) {within} kind in ('consent_given',"
            " 'consent_refused', 'consent_withdrawn') group by 1, 2"
        ):
            self.values[f"after.{kind}:{version}.count"] = float(n)

    # --- operators

    def _operators(self) -> None:
        hands: dict[int, list[tuple[int, str]]] = defaultdict(list)
        grips = (
            "kind in ('ticket_taken', 'ticket_assigned') or (kind = 'ticket_reopened' and actor not in ('',"
            " 'customer', 'bot'))"
        )
        for t, at, by in self._rows(f"select t, at, actor from e where {grips} order by at, id"):
            hands[t].append((at, by))
        first = dict(self._rows("select t, actor from e where kind = 'first_reply'"))
        last = {t: hands[t][-1][1] if hands[t] else first.get(t, "") for t in {*hands, *first}}
        did: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for t, grabs in hands.items():
            for at, by in grabs:
                if self._in(at):
                    did[by]["taken"].add(t)
        for t, by in first.items():
            if self._in(self.reply[t]):
                did[by]["taken"].add(t)
            if self._in(self.opened[t]):
                did[by]["answered"].add(t)
        for t in self.solved:
            if last.get(t):
                did[last[t]]["closed"].add(t)
        scores = dict(
            self._rows(
                "select t, json_extract(data, '$.rating') from e where kind = 'rated' and at >= :a and at"
                " < :b"
            )
        )
        for t in scores:
            if last.get(t):
                did[last[t]]["rated"].add(t)
        for t, by in self._rows(
            "select t, actor from e where kind = 'sla_breached' and actor <> '' and at >= :a and at < :b"
        ):
            did[by]["late"].add(t)
        for by, his in did.items():
            marks = [float(scores[t]) for t in his["rated"]]
            self.values |= {
                f"operators.{by}.taken": float(len(his["taken"])),
                f"operators.{by}.closed": float(len(his["closed"])),
                f"operators.{by}.afrt": mean(
                    [worked(self.opened[t], self.reply[t]) for t in his["answered"]]
                ),
                f"operators.{by}.mttr": mean([worked(self.opened[t], self.solved[t]) for t in his["closed"]]),
                f"operators.{by}.csi": mean(marks) if len(marks) >= 5 else None,
                f"operators.{by}.ratings": float(len(marks)),
                f"operators.{by}.breached": float(len(his["late"])),
            }


def _life(conversation: int, rows: list[tuple]) -> list[Come]:  # type: ignore[type-arg]
    """One customer's visits."""
    visits: list[Come] = []
    ticket_open = finished = False
    for _, at, kind, ticket, _actor, raw in rows:
        data = json.loads(raw)
        now = visits[-1] if visits else None
        if kind == "heard" and data["dialog"] not in OWN:
            if now is None or finished or (not ticket_open and at - now.end > 4 * HOUR_MS):
                now = Come(conversation, at, at, data["channel"])
                visits.append(now)
                finished = False
            now.end = at
            if now.waited is None and data["result"] in ("answered", "clarified", "handed_off"):
                now.waited = data["seconds"]
        if now is None:
            continue
        if kind == "answered":
            now.shown.append(data["article"])
        elif kind in ("clarified", "not_helped"):
            now.offered += data["offered"]
        elif kind == "unanswered":
            now.without_answer = True
        elif kind == "feedback":
            now.good, now.bad = (now.good + 1, now.bad) if data["helped"] else (now.good, now.bad + 1)
        elif kind in ("ticket_opened", "ticket_reopened"):
            ticket_open, finished = True, False
            if ticket not in now.people:
                now.people.append(ticket)
                now.last_before_person = now.shown[-1] if now.shown else ""
        elif kind == "ticket_closed":
            ticket_open, finished, now.end = False, True, max(now.end, at)
    for n, old in enumerate(visits):
        about = {*old.shown, *old.offered}
        old.again = any(
            0 <= new.start - old.end <= 72 * HOUR_MS and about & {*new.shown, *new.offered}
            for new in visits[n + 1 :]
        )
    return visits


def worked(start: int, end: int) -> float:
    """Seconds of opening hours between two moments."""
    total, a, b = 0, start + MOSCOW, end + MOSCOW
    for day in range(a // DAY_MS, b // DAY_MS + 1):
        if EPOCH + timedelta(days=day) not in DAYS_OFF:
            total += max(0, min(b, day * DAY_MS + CLOSES) - max(a, day * DAY_MS + OPENS))
    return total / 1000


def local_day(at: int) -> date:
    return EPOCH + timedelta(days=(at + MOSCOW) // DAY_MS)


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def middle(values: list[float]) -> float | None:
    """The median of sorted values."""
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2 if values else None


def ninth(values: list[float]) -> float | None:
    """The smallest of sorted values that nine of ten do not exceed."""
    return values[ceil(0.9 * len(values)) - 1] if values else None


def share(holds: object) -> float | None:
    marks = [bool(h) for h in holds]  # type: ignore[attr-defined]
    return sum(marks) / len(marks) if marks else None
