"""The pages themselves: templates and their words, in Russian and English."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.article_editing import DISCARDED
from bot.errors import Problem
from bot.handoff.outreach.low_rating import waiting as unsettled
from bot.knowledge.articles.schema import Article
from bot.knowledge.decision.explanation import as_read
from bot.knowledge.quality.lint.links import file_faults
from bot.knowledge.search import Knowledge
from bot.leases import LASTING
from bot.model import PLAYED, Answer, Customer, Ticket
from bot.text.person_names import full_name
from bot.text.problems import plain_words, problem_in, reading
from bot.text.yaml_source import read_own
from bot.web.article_rows import article_rows, counts_of, deleted_places
from bot.web.playground.page import Playground
from bot.web.playground.skins import skins
from bot.web.replica_differences import ReplicaDifference, differences
from bot.web.replica_health import living
from bot.web.security import USER, PageSecurity
from bot.web.services import KnowledgeService, WebServices
from bot.web.users import may

HOME = Path(__file__).parent
LANGUAGES = ("ru", "en")


DELETED_SINCE = timedelta(days=90)
COLUMNS = (
    "number",
    "state",
    "customer_name",
    "channel",
    "reason",
    "topic",
    "operator",
    "opened",
    "waited",
    "due",
    "rating",
)  # of the queue
EMULATED = {"play-telegram": "Telegram", "play-vk": "VK"}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One ticket as the queue shows it; `waited` is how long a person let wait, in words."""

    ticket: Ticket
    customer: str
    channel: str
    topic: str
    waited: str
    late: bool


@cache
def read_words(language: str) -> Mapping[str, str]:
    """The words of the pages in one language, by their names."""
    words: dict[str, str] = read_own(HOME / "locales" / f"{language}.yaml")
    for part in sorted((HOME / "locales").glob(f"*.{language}.yaml")):
        words |= read_own(part)
    return words


@cache
def _for_scripts(language: str) -> str:
    """The words as scripts read them; those of the set-up stand in its templates alone."""
    words = read_words(language)
    return json.dumps({k: w for k, w in words.items() if not k.startswith("setup_")}, ensure_ascii=False)


@cache
def static_mark() -> str:
    """Changes when a style or script changes, so that browsers fetch it anew."""
    content = b"".join(p.read_bytes() for p in sorted((HOME / "static").iterdir()))
    return hashlib.sha256(content).hexdigest()[:10]


class Pages:
    """Everything a person opens: the playground, the queue, the knowledge base, the login."""

    def __init__(self, services: WebServices, guard: PageSecurity, playground: Playground | None) -> None:
        self._services, self._guard, self._playground = services, guard, playground
        self._templates = Environment(
            loader=FileSystemLoader(HOME / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def home(self, request: web.Request) -> web.Response:
        """GET /: the playground, or the queue where there is none; where there is no bot yet, its set-up."""
        if self._services.setup is not None and self._services.setup.is_new:
            raise web.HTTPFound("/setup")
        if self._playground is None:
            raise web.HTTPFound("/queue")
        scenes = tuple(self._playground.scenes.values())
        return self._page(
            request,
            "playground.html",
            "play",
            scenes=scenes,
            messengers=tuple(self._playground.messengers.values()),
            demo_chats=self._services.demo_chats,
        )

    async def queue(self, request: web.Request) -> web.Response:
        """GET /queue: the open tickets, who waits longest first."""
        everything = "all" in request.query
        tickets = await self._services.store.tickets(open_only=not everything)
        words = read_words(self._language(request))
        rows = [await self._row(t, words) for t in tickets]
        filled = {"topic": any(r.topic for r in rows), "rating": any(r.ticket.rating for r in rows)}
        low = unsettled(await self._services.store.tickets(open_only=False, limit=1000))
        return self._page(
            request,
            "queue.html",
            "queue",
            rows=rows,
            everything=everything,
            low=low,
            columns=[c for c in COLUMNS if filled.get(c, True)],
        )

    async def _row(self, ticket: Ticket, words: Mapping[str, str]) -> QueueRow:
        found = await self._customer(ticket)
        name = full_name(found) if found else ""
        article = (
            self._services.knowledge.article(ticket.topic)
            if self._services.knowledge and ticket.topic
            else None
        )
        topic = article.title if article else ticket.topic or ticket.category
        channel = self._channel_names().get(ticket.customer_peer.channel, ticket.customer_peer.channel)
        late = bool(ticket.due and not ticket.first_reply and ticket.due < self._services.clock())
        return QueueRow(ticket, name, channel, topic, _lasting(self._waited(ticket), words), late)

    async def _customer(self, ticket: Ticket) -> Customer | None:
        conversation = await self._services.store.conversation(ticket.customer_peer)
        if conversation is None or conversation.customer is None:
            return None
        return await self._services.store.customer(conversation.customer)

    def _waited(self, ticket: Ticket) -> int | None:
        """Minutes until a person answered, or so far."""
        if ticket.opened is None:
            return None
        return max(
            0,
            round(
                (
                    (ticket.first_reply or ticket.closed or self._services.clock()) - ticket.opened
                ).total_seconds()
                / 60
            ),
        )

    async def articles(self, request: web.Request) -> web.Response:
        """GET /kb: articles, what is broken, and a box to ask."""
        knowledge = self._services.knowledge
        if knowledge is None:
            raise web.HTTPNotFound(text="no knowledge base")
        articles = _with_internal(knowledge).articles()
        problems = [
            *(problem_in(p, self._language(request)) for p in knowledge.problems),
            *self._file_faults(articles, request),
        ]
        wanted, folder = request.query.get("q", "").strip().casefold(), knowledge.folder
        rows = await asyncio.to_thread(article_rows, articles, problems, folder, wanted)
        state = request.query.get("state", "all")
        since = self._services.clock() - DELETED_SINCE
        deleted = await self._services.store.events(since=since, kinds=(DISCARDED,))
        return self._page(
            request,
            "kb.html",
            "kb",
            rows=[row for row in rows if row.has(state)],
            state=state,
            section_names=self.section_names(request),
            counts=counts_of(rows),
            deleted=deleted_places(deleted, folder),
            problems=[{"severity": p.severity, "words": plain_words(p, folder)} for p in problems],
            known=knowledge.status,
            threshold=knowledge.threshold.value if isinstance(knowledge, Knowledge) else None,
            version=knowledge.articles_version if isinstance(knowledge, Knowledge) else "",
            differences=await self._differences(),
            q=request.query.get("q", ""),
        )

    def _file_faults(self, articles: Sequence[Article], request: web.Request) -> tuple[Problem, ...]:
        """What keeps pictures and files of the articles from being sent."""
        knowledge = self._services.knowledge
        with reading(self._language(request)):
            return tuple(file_faults(articles, knowledge.folder)) if knowledge else ()

    async def _differences(self) -> tuple[ReplicaDifference, ...]:
        """In what the replicas at work differ; nothing where there is but one."""
        now = self._services.clock()
        return differences(living(await self._services.store.replicas(now - LASTING), now))

    async def article(self, request: web.Request) -> web.Response:
        """GET /kb/{id}: one article as it is written, and as customers see it."""
        knowledge = self._services.knowledge
        found = _with_internal(knowledge).article(request.match_info["id"]) if knowledge else None
        if found is None:
            raise web.HTTPNotFound(text="no such article")
        faults = [p for p in knowledge.problems if p.file.endswith(found.path.name)] if knowledge else []
        problems = [
            *(problem_in(p, self._language(request)) for p in faults),
            *self._file_faults([found], request),
        ]
        return self._page(
            request,
            "article.html",
            "kb",
            article=found,
            place=self._place(found),
            problems=problems,
            skins=await self._skins(found),
            offset=self._offset(),
        )

    def _place(self, article: Article) -> str:
        """Where an article's file is in the folder; "" where it is in none that can be changed."""
        if not isinstance(self._services.knowledge, Knowledge):
            return ""
        path, folder = article.path.resolve(), self._services.knowledge.folder.resolve()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""

    async def _skins(self, article: Article) -> str:
        """The article as both kinds of chat show it, for the page's script; "" where there are no words to
        say it with.
        """
        words, knowledge = self._services.words, self._services.knowledge
        if words is None or not isinstance(knowledge, Knowledge):
            return ""
        return json.dumps(
            await asyncio.to_thread(skins, words, knowledge.staff, article.id, self._services.clock()),
            ensure_ascii=False,
        )

    def _offset(self) -> int:
        """Seconds between the business's time and UTC."""
        return round(
            (
                self._services.clock().astimezone(self._services.timezone).utcoffset() or timedelta()
            ).total_seconds()
        )

    async def ask(self, request: web.Request) -> web.Response:
        """POST /kb/ask {text}: the decision and everything behind it."""
        if self._services.knowledge is None:
            raise web.HTTPNotFound(text="no knowledge base")
        try:
            text = (await request.json())["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text="{text} expected") from error
        if not isinstance(text, str) or not text.strip() or len(text) > 4000:
            raise web.HTTPBadRequest(text="a question of at most 4000 characters")
        judge = self._services.judge
        answer = await asyncio.to_thread(judge, text) if judge else await self._services.knowledge.ask(text)
        return web.json_response(answer_json(answer), dumps=lambda o: json.dumps(o, default=str))

    # --- the password

    async def login(self, request: web.Request) -> web.Response:
        """GET /login."""
        if not self._guard.asks_password:
            raise web.HTTPFound("/")
        return self._page(request, "login.html", "login", wrong=False, code_for="")

    async def log_in(self, request: web.Request) -> web.Response:
        """POST /login with the form."""
        form = await request.post()
        name = str(form.get("id", "")).strip().lower()
        if await self._guard.log_in(request, str(form.get("password", "")), name):
            return web.Response(status=303, headers={"Location": "/"})
        return self._page(request, "login.html", "login", wrong=True, code_for="", status=403)

    async def log_out(self, request: web.Request) -> web.Response:
        """POST /logout."""
        self._guard.log_out(request)
        return web.Response(status=303, headers={"Location": "/login"})

    def failure(self, request: web.Request, status: int, text: str) -> web.Response:
        """A page for what went wrong, in words."""
        return self._page(request, "error.html", "", code=status, text=text, status=status)

    def show(self, request: web.Request, template: str, tab: str, **facts: object) -> web.Response:
        """A page of a neighbour (report.py) in the same frame."""
        return self._page(request, template, tab, status=200, **facts)

    def may(self, request: web.Request, method: str, path: str) -> bool:
        """Whether who looks at the page may make a request."""
        return self._may(request)(method, path)

    def section_names(self, request: web.Request) -> Mapping[str, str]:
        """What customers call the sections, in the language of the page."""
        knowledge, language = self._services.knowledge, self._language(request)
        if not isinstance(knowledge, Knowledge):
            return {}
        named = {s: names.get(language) or names.get("", "") for s, names in knowledge.sections.items()}
        return {section: name for section, name in named.items() if name}

    def offset(self) -> int:
        """Seconds between the business's time and UTC."""
        return self._offset()

    def language(self, request: web.Request) -> str:
        """ru or en: asked for, kept, or the business's own."""
        return self._language(request)

    # --- inside

    def _page(
        self, request: web.Request, template: str, tab: str, *, status: int = 200, **facts: object
    ) -> web.Response:
        language = self._language(request)
        words = read_words(language)
        html = self._templates.get_template(template).render(
            t=words,
            lang=language,
            tab=tab,
            tabs=self._tabs(request),
            may=self._may(request),
            user=request.get(USER),
            csrf=self._guard.csrf(request),
            words=_for_scripts(language),
            mark=static_mark(),
            chips=self._chips(words),
            title=self._services.title,
            password=self._guard.asks_password,
            local_time=self._local_time,
            channel_names=self._channel_names(),
            path=request.path,
            incidents=self._services.incidents,
            **facts,
        )
        response = web.Response(text=html, content_type="text/html", status=status)
        if request.query.get("lang") in LANGUAGES:
            response.set_cookie("lang", language, samesite="Lax", path="/", max_age=365 * 24 * 3600)
        return response

    def _channel_names(self) -> Mapping[str, str]:
        """How people call channels whose name says nothing, or too much."""
        played_as = self._services.played_as
        return {**EMULATED, PLAYED: EMULATED.get(played_as, played_as)}

    def _may(self, request: web.Request) -> Callable[[str, str], bool]:
        """Whether who looks at the page may make a request."""
        user = request.get(USER)
        return lambda method, path: user is not None and may(user.role, method, path)

    def _tabs(self, request: web.Request) -> tuple[tuple[str, str], ...]:
        """Only what exists, and is theirs."""
        setup = (("setup", "/setup"),) if self._services.setup and self._may(request)("GET", "/setup") else ()
        if self._services.setup is not None and self._services.setup.is_new:
            return setup
        owner = self._guard.asks_password and self._may(request)("GET", "/users")
        users = (("users", "/users"),) if owner else ()
        play = (("play", "/"),) if self._playground is not None else ()
        kb = (("kb", "/kb"),) if self._services.knowledge is not None else ()
        report = (("report", "/report"),) if self._services.hours is not None else ()
        leads = self._services.hand_in is not None and self._may(request)("GET", "/quality")
        quality = (("quality", "/quality"),) if leads else ()
        gaps = (("gaps", "/gaps"),) if isinstance(self._services.knowledge, Knowledge) else ()
        flows = (("flows", "/flows"),) if self._services.flows is not None else ()
        first = (*play, ("talks", "/conversations"), ("queue", "/queue"), *kb, *flows, *gaps)
        return (*first, *report, *quality, *users, *setup)

    def _chips(self, words: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """What runs, at a glance: name, words, and how it is doing."""
        chips = [(name, text, "") for name, text in self._services.summary.items()]
        for name, channel in self._services.channels.items():
            if name in self._services.playground:
                if kind := EMULATED.get(name):
                    chips.append((name, f"{kind}: {words['emulated']}", ""))
            else:
                state = channel.health.state
                mood = "" if state in ("working", "standby") else "warm"
                chips.append((name, f"{name}: {words['channel_' + state]}", mood))
        if (knowledge := self._services.knowledge) is not None:
            status = knowledge.status
            meaning = (
                words["search_loading"]
                if status.loading
                else words["search_both"]
                if status.embeddings
                else words["search_words"]
            )
            shown = ": ".join(filter(None, (meaning, status.reason if status.loading else "")))
            chips.append(
                (
                    ": ".join(filter(None, (words["kb"], status.reason))),
                    f"{words['search']}: {shown}",
                    "warm" if status.loading or (status.embeddings and status.reason) else "",
                )
            )
        return chips

    def _language(self, request: web.Request) -> str:
        for wanted in (request.query.get("lang"), request.cookies.get("lang"), self._services.language):
            if wanted in LANGUAGES:
                return str(wanted)
        return "ru"

    def _local_time(self, moment: datetime | None) -> str:
        return moment.astimezone(self._services.timezone).strftime("%d.%m %H:%M") if moment else ""


def _with_internal(knowledge: KnowledgeService) -> KnowledgeService:
    """The base as the people of the business may read it."""
    return knowledge.staff if isinstance(knowledge, Knowledge) else knowledge


def _lasting(minutes: int | None, words: Mapping[str, str]) -> str:
    """Minutes as people say them: 7 min, 2 h 05 min, 3 d 4 h."""
    if minutes is None:
        return ""
    hours, rest = divmod(minutes, 60)
    days, left = divmod(hours, 24)
    parts = (
        (f"{rest}", "", "")
        if not hours
        else (f"{rest:02}", f"{hours}", "")
        if not days
        else ("", f"{left}", f"{days}")
    )
    units = zip((parts[2], parts[1], parts[0]), ("days_short", "hours_short", "minutes_short"), strict=True)
    return " ".join(f"{part} {words[unit]}" for part, unit in units if part)


def answer_json(answer: Answer) -> dict[str, object]:
    """What the knowledge base said, in the form of `bot ask --json`."""
    return {
        "decision": answer.decision.value,
        "article": answer.article,
        "confidence": answer.confidence,
        "scope": answer.scope,
        "act": answer.act.value,
        "candidates": [{"article": c.article, "title": c.title, "score": c.score} for c in answer.candidates],
        "why": as_read(answer.why),
    }
