"""The owner's pages: who may sign in and as what, and what was done on the pages by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from aiohttp import web

from bot.article_editing import STEPS
from bot.model import Outbound, Peer, RichText
from bot.web.pages import Pages, read_words
from bot.web.security import ACTS, PageSecurity, hash_password
from bot.web.services import WebServices
from bot.web.shared_window import SharedWindow
from bot.web.users import NAME, OWNER, PageRole, PageUser, keep_users, new_code, take_code, users

OF_QUALITY = (
    "compensation_given",
    "compensation_asked",
    "compensation_decided",
    "dialog_reviewed",
    "mystery_started",
)
SHORTEST = 10  # characters of a password
LISTED = 300  # acts of one page
CODES, CODES_WITHIN = 5, timedelta(minutes=10)  # codes that one user is sent, and tries of theirs


class UserPages:
    """GET /users, GET /audit, and signing in by a code from the bot."""

    def __init__(self, services: WebServices, pages: Pages, guard: PageSecurity) -> None:
        self._services, self._pages, self._guard = services, pages, guard
        self._windows: dict[str, SharedWindow] = {}

    async def show(self, request: web.Request) -> web.Response:
        """GET /users."""
        return await self._page(request)

    async def save(self, request: web.Request) -> web.Response:
        """POST /users/save: a new user, or another role, name, operator or password for a known one."""
        form = {k: str(v).strip() for k, v in (await request.post()).items()}
        known = dict(await users(self._services.store))
        id, password = form.get("id", "").lower(), form.get("password", "")
        before = known.get(id)
        if problem := _fault(id, form, before):
            typed = form if before is None or "new" in form else None
            return await self._page(request, problem=problem, status=422, typed=typed)
        kept = hash_password(password) if password else before.password if before else ""
        known[id] = PageUser(id, form["name"], PageRole(form["role"]), kept, form.get("operator", ""))
        await keep_users(self._services.store, known)
        raise web.HTTPSeeOther("/users")

    async def remove(self, request: web.Request) -> web.Response:
        """POST /users/remove: their sessions end at once."""
        known = dict(await users(self._services.store))
        known.pop(str((await request.post()).get("id", "")), None)
        await keep_users(self._services.store, known)
        raise web.HTTPSeeOther("/users")

    async def audit(self, request: web.Request) -> web.Response:
        """GET /audit: the acts of the last thirty days, the latest first."""
        since = self._services.clock() - timedelta(days=30)
        events = await self._services.store.events(since=since, kinds=(*ACTS, *STEPS, *OF_QUALITY))
        names = {f"page:{u.id}": u.name for u in (await users(self._services.store)).values()}
        names |= {u.operator: u.name for u in (await users(self._services.store)).values() if u.operator}
        return self._pages.show(
            request, "audit.html", "users", acts=events[: -LISTED - 1 : -1], names=names, listed=LISTED
        )

    # --- signing in by a code

    async def send_code(self, request: web.Request) -> web.Response:
        """POST /login/code: the bot writes to the operator in private. Whoever asks is told the same,
        whatever is known of the name.
        """
        id = str((await request.post()).get("id", "")).strip().lower()
        user = (await users(self._services.store)).get(id)
        if user is not None and user.operator and await self._admits("ask", user):
            code = await new_code(self._services.store, user, self._services.clock())
            channel, _, chat = user.operator.partition(":")
            text = read_words(self._services.language)["code_message"].format(code=code)
            message = Outbound(Peer(channel, chat), RichText(text), author="")
            await self._services.store.enqueue((message,), self._services.clock())
            self._services.enqueued()
        return self._pages.show(request, "login.html", "login", wrong=False, code_for=id)

    async def take_code(self, request: web.Request) -> web.Response:
        """POST /login/enter with the code."""
        form = await request.post()
        id, code = str(form.get("id", "")).strip().lower(), str(form.get("code", "")).strip()
        user = (await users(self._services.store)).get(id)
        known = user is not None and await self._admits("try", user)
        if (
            user is None
            or not known
            or not await take_code(self._services.store, user, code, self._services.clock())
        ):
            await self._guard.note(request, "page_refused", f"page:{id[:32]}")
            page = self._pages.show(request, "login.html", "login", wrong=True, code_for=id)
            page.set_status(403)
            return page
        await self._guard.open_session(request, user)
        return web.Response(status=303, headers={"Location": "/"})

    async def _admits(self, what: str, user: PageUser) -> bool:
        name = f"page_{what}:{user.id}"
        window = self._windows.setdefault(
            name, SharedWindow(name, CODES, CODES_WITHIN, monotonic=self._services.clock.monotonic)
        )
        return not await window.admit(self._services.store, self._services.clock())

    async def _page(
        self,
        request: web.Request,
        *,
        problem: str = "",
        status: int = 200,
        typed: Mapping[str, str] | None = None,
    ) -> web.Response:
        """*typed*: what stands in the form of a new user; their password is to be typed again."""
        words = read_words(self._pages.language(request))
        known = (await users(self._services.store)).values()
        page = self._pages.show(
            request,
            "users.html",
            "users",
            known=[replace(u, password="yes" if u.password else "") for u in known],
            roles=[(role.value, words[f"role_{role.value}"]) for role in PageRole],
            people=[(id, name) for id, name in self._services.addressees() if ":" in id],
            problem=words[problem] if problem else "",
            typed={key: (typed or {}).get(key, "") for key in ("id", "name", "role", "operator")},
        )
        page.set_status(status)
        return page


def _fault(id: str, form: Mapping[str, str], before: PageUser | None) -> str:
    """The name of the words that say what is wrong; "" = nothing."""
    if not NAME.fullmatch(id) or id == OWNER:
        return "users_bad_id"
    if before is not None and "new" in form:
        return "users_taken"  # law: nobody takes another's place by a slip
    if not form.get("name") or len(form["name"]) > 60 or form.get("role") not in tuple(PageRole):
        return "users_bad_name"
    password = form.get("password", "")
    if password and len(password) < SHORTEST:
        return "users_short"
    if not password and not form.get("operator") and not (before and before.password):
        return "users_no_way_in"
    return ""
