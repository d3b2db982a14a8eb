"""The set-up pages: from an empty folder to a bot at work, and later whatever of it is to be changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from aiohttp import web

from bot.config.environment import keep_variable
from bot.config.loader import Config
from bot.config.values import Setting, write_settings
from bot.errors import ConfigError, Problem
from bot.setup.channel_tokens import Platform
from bot.setup.opening_hours import LANGUAGES, country_of, read_week, read_zone, said_week, starter_words
from bot.setup.owner_folder import TRADES, FolderFacts, OwnerFolder
from bot.web.pages import Pages, read_words
from bot.web.security import Handler, PageSecurity, hash_password
from bot.web.services import WebServices
from bot.web.setup_services import SetupServices
from bot.web.setup_steps import SetupProgress, SetupStep, next_step, unfilled_articles
from bot.web.user_pages import SHORTEST

PASSWORD = "WEB_PASSWORD"
CONTACTS = ("address", "phone", "email", "site")
LONGEST = 200  # characters of a fact
_LOOKS = {  # law: the bot tells them to customers, so that no slip of the pen gets there
    "email": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    "site": re.compile(r"[^\s@]+\.[^\s@]+"),
}


class _KeptOnly(ConfigError):
    """What *step* changed is kept, and the bot cannot work with it: another file of the owner is wrong."""

    def __init__(self, problems: Sequence[Problem], step: str) -> None:
        super().__init__(problems)
        self.step = step


class SetupContext:
    """What all set-up pages share: the steps beside them, and the owner's settings."""

    def __init__(
        self, services: WebServices, pages: Pages, guard: PageSecurity, setup: SetupServices
    ) -> None:
        self.services, self.pages, self.guard, self.setup = services, pages, guard, setup
        self._restarting = False

    def words(self, request: web.Request) -> Mapping[str, str]:
        return read_words(self.pages.language(request))

    def config(self) -> Config:
        """The settings. Without a folder there are none: raises the way to its step, and `ConfigError`."""
        if self.setup.is_new:
            raise web.HTTPSeeOther("/setup/business")
        return self.setup.config()

    def progress(self) -> SetupProgress:
        setup = self.setup
        return SetupProgress(
            None if setup.is_new else setup.config(),
            live=setup.live,
            desk=setup.desk() if setup.live else None,
            asks_password=self.guard.asks_password,
            can_start=setup.play is not None,
        )

    def show(
        self,
        request: web.Request,
        step: str,
        *,
        status: int = 200,
        facts: Mapping[str, object] | None = None,
        **more: object,
    ) -> web.Response:
        """One step; *faults* are the remarks above it, each with what to do."""
        steps = self.progress().steps()
        page = self.pages.show(
            request,
            f"setup_{step}.html",
            "setup",
            step=step,
            steps=steps,
            following=next_step(steps, step),
            setup=self.setup,
            **{"faults": (), "done": "done" in request.query, **(facts or {}), **more},
        )
        page.set_status(status)
        return page

    def went_well(self, step: str) -> web.HTTPException:
        """To be raised when something was kept: the process reads it, and the step says so.

        Raises `ConfigError` where a file of the owner stops it from working so: the page says which.
        """
        try:
            self.setup.restart()
        except ConfigError as error:
            raise _KeptOnly(error.problems, step) from error
        self._restarting = True
        return _apart(web.HTTPSeeOther(f"/setup/{step}?done"))

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who comes while the service ends comes to the next one: no page shows what was true before."""
        if self._restarting and not request.path.startswith(("/hooks/", "/api/")):
            raise _apart(web.HTTPTemporaryRedirect(request.path_qs))
        if not request.path.startswith("/setup"):
            return await handler(request)
        try:
            return await handler(request)
        except ConfigError as error:  # somebody edits the file by hand, too
            kept = error.step if isinstance(error, _KeptOnly) else ""
            page = self.pages.show(request, "setup_broken.html", "setup", problems=error.problems, kept=kept)
            page.set_status(422)
            return page


@dataclass(frozen=True, slots=True)
class _BusinessForm:
    """The first step as it was filled in."""

    values: Mapping[str, str]

    def facts(self, language: str) -> FolderFacts:
        """Raises `ValueError` that says what is wrong."""
        name = " ".join(self.values.get("name", "").split())[:LONGEST]
        trade, lang = self.values.get("trade", ""), self.values.get("language", language)
        if not name:
            raise ValueError("setup_no_name")
        for key, looks in _LOOKS.items():
            if (said := self.values.get(key, "")) and not looks.fullmatch(said):
                raise ValueError(f"setup_bad_{key}")
        return FolderFacts(
            name,
            trade if trade in TRADES else "",
            lang if lang in LANGUAGES else language,
            read_zone(self.values.get("timezone", "")),
            read_week(self.values.get("hours", "")),
        )


class SetupPages:
    """GET /setup, and the steps that need no platform."""

    def __init__(self, frame: SetupContext) -> None:
        self._frame, self._setup = frame, frame.setup

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/setup", self.overview)
        app.router.add_get("/setup/business", self.business)
        app.router.add_post("/setup/business", self.keep_business)
        app.router.add_get("/setup/articles", self.articles)
        app.router.add_get("/setup/start", self.start)
        app.router.add_post("/setup/start", self.change)
        app.router.add_get("/setup/access", self.access)
        app.router.add_post("/setup/access", self.keep_access)

    async def overview(self, request: web.Request) -> web.Response:
        """GET /setup: what is done and what comes next."""
        if self._setup.is_new:
            raise web.HTTPFound("/setup/business")
        return self._frame.show(request, "overview")

    # --- the business

    async def business(self, request: web.Request) -> web.Response:
        """GET /setup/business: the name, the hours, how to be reached."""
        return self._frame.show(request, "business", facts=self._of_business(request))

    async def keep_business(self, request: web.Request) -> web.Response:
        """POST /setup/business: makes the folder, or changes its settings."""
        form = {k: str(v).strip() for k, v in (await request.post()).items()}
        try:
            facts = _BusinessForm(form).facts(self._frame.pages.language(request))
            is_new = self._setup.is_new
            if is_new:
                self._make(facts)
            self._change(facts, form, is_new)
        except (ValueError, ConfigError, OSError) as error:
            faults = self._faults(request, error)
            filled = {**self._of_business(request), "filled": form, "faults": faults}
            return self._frame.show(request, "business", status=422, facts=filled)
        raise self._frame.went_well("business")

    def _make(self, facts: FolderFacts) -> None:
        target = OwnerFolder(self._setup.folder)
        with_own = target.has_articles and not target.trade(facts.language)
        trade = "" if with_own else facts.trade or TRADES[-1]
        target.write(FolderFacts(facts.name, trade, facts.language, facts.timezone, facts.week))

    def _change(self, facts: FolderFacts, form: Mapping[str, str], is_new: bool) -> None:
        """Write what is other than it was."""
        before = self._setup.config()
        wanted: dict[tuple[str, ...], Setting] = {
            ("business", key): form[key][:LONGEST]
            for key in CONTACTS
            if key in form and form[key] != getattr(before.business, key)
        }
        if facts.name != before.business.name:
            wanted["business", "name"] = facts.name
        if facts.language != before.business.language:
            wanted["business", "language"] = facts.language
        if facts.timezone != before.hours.timezone:
            wanted["hours", "timezone"] = facts.timezone
            if not is_new and country_of(before.hours.timezone) == before.hours.country:
                wanted["hours", "country"] = country_of(facts.timezone)
        if dict(facts.week) != {str(day): hours for day, hours in before.hours.week.items()}:
            wanted["hours", "week"] = facts.week
        if wanted:
            write_settings(self._setup.file, wanted)

    def _of_business(self, request: web.Request) -> dict[str, object]:
        words, lang = self._frame.words(request), self._frame.pages.language(request)
        trades = [(trade, words[f"setup_trade_{trade}"]) for trade in TRADES]
        if self._setup.is_new:
            known = starter_words(lang)
            usual = {"timezone": known["usual_zone"], "hours": known["usual_hours"]}
            usual |= {"name": "", "language": lang, "trade": TRADES[0]}
            own = OwnerFolder(self._setup.folder).has_articles
            return {"filled": usual, "trades": () if own else trades, "contacts": CONTACTS}
        config = self._setup.config()
        business = config.business
        own_words = {key: value for key in CONTACTS if isinstance(value := getattr(business, key), str)}
        filled = {
            "name": business.name,
            "language": business.language,
            "timezone": config.hours.timezone,
            "hours": said_week({str(d): h for d, h in config.hours.week.items()}, lang),
            **own_words,
        }
        return {"filled": filled, "trades": (), "contacts": tuple(own_words)}

    def _faults(self, request: web.Request, error: Exception) -> list[tuple[str, str]]:
        """What went wrong, and what to do about it."""
        words = self._frame.words(request)
        if isinstance(error, ConfigError):
            return [(p.text, p.hint) for p in error.problems]
        if isinstance(error, OSError):
            said = words["setup_not_written"].replace("{folder}", str(self._setup.folder))
            return [(said.replace("{reason}", error.strerror or str(error)), "")]
        return [(words.get(str(error), str(error)), "")]

    # --- articles, the start, the password

    async def articles(self, request: web.Request) -> web.Response:
        """GET /setup/articles: which starting articles wait for the owner's own words."""
        config = self._frame.config()
        unfilled = unfilled_articles(config)
        return self._frame.show(request, "articles", unfilled=unfilled, folder=config.knowledge.folder)

    async def start(self, request: web.Request) -> web.Response:
        """GET /setup/start: the real channels, or trying out."""
        self._frame.config()
        return self._frame.show(request, "start", has_token=_has_token(self._frame.progress().steps()))

    async def change(self, request: web.Request) -> web.Response:
        """POST /setup/start: from trying out to the real channels, or back."""
        wanted = str((await request.post()).get("mode", ""))
        if self._setup.play is None or wanted not in ("live", "play"):
            raise web.HTTPBadRequest(text="nothing to start here")
        if wanted == "live" and not _has_token(self._frame.progress().steps()):
            raise web.HTTPConflict(text="no token")
        self._setup.play(wanted == "play")
        try:
            raise self._frame.went_well("group" if wanted == "live" else "start")
        except ConfigError:
            self._setup.play(not self._setup.live)  # law: a later save must not open the channels by surprise
            raise

    async def access(self, request: web.Request) -> web.Response:
        """GET /setup/access: the owner's password, and the way to everybody else's."""
        self._frame.config()
        return self._frame.show(request, "access", shortest=SHORTEST)

    async def keep_access(self, request: web.Request) -> web.Response:
        """POST /setup/access {password}: kept as a hash. Sessions end with it, but those of the key."""
        self._frame.config()
        password = str((await request.post()).get("password", ""))
        if len(password) < SHORTEST:
            faults = [(self._frame.words(request)["users_short"], "")]
            return self._frame.show(request, "access", status=422, shortest=SHORTEST, faults=faults)
        try:
            keep_variable(self._setup.file.parent, PASSWORD, hash_password(password))
            write_settings(self._setup.file, {("web", "password"): f"${{{PASSWORD}}}"})
        except ConfigError as error:
            faults = self._faults(request, error)
            return self._frame.show(request, "access", status=422, shortest=SHORTEST, faults=faults)
        raise self._frame.went_well("access")


def _apart(answer: web.HTTPException) -> web.HTTPException:
    """The same answer, after which the caller opens a new connection: the next service takes it."""
    answer.force_close()
    return answer


def _has_token(steps: Sequence[SetupStep]) -> bool:
    return any(s.state == "done" for s in steps if s.name in get_args(Platform))
