"""Who may open the pages and who may press on them: headers, hosts, tokens, the password and its session."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import BasicAuth, web
from itsdangerous import BadSignature, Signer, TimestampSigner

from bot.clock import Clock
from bot.errors import ConfigError
from bot.model import Event
from bot.storage.base import Store
from bot.text.problems import problem, told
from bot.web.shared_window import SharedWindow
from bot.web.users import OWNER, PageRole, PageUser, may, users

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": (
        "same-origin"
    ),  # not no-referrer: with it browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# as browsers send a form; it carries the token as a field
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
COOKIE = "otklik_session"
WEEK = 7 * 24 * 3600
AHEAD = 3600  # seconds that the clock of the replica which opened a session may be ahead of ours
TRIES, TRY_WINDOW = (
    5,
    timedelta(minutes=1),
)  # wrong passwords per minute, all callers of all replicas together

_NEW_SESSION = web.RequestKey("new_session", str)
USER = web.RequestKey("user", PageUser)  # who makes the request; set by `PageSecurity.middleware`
ACTS = (
    "page_signed_in",
    "page_refused",
    "page_act",
    "page_ordered",
    "release_allowed",
)  # events of what is done on the pages
_UNRECORDED = re.compile(
    r"/(login|logout|events|say|edit|press|happen|upload|customer$|reset|clock|scene|kb/ask|gate/|articles/)|/conversation/"
)  # the playground's, and what has an event of its own
_CHATS = "/chat/"  # of other sites' visitors: each answers for itself
_SECRETS_OF_THEIR_OWN = ("/hooks/", "/api/", _CHATS)
_OPEN = (
    "/healthz",
    "/readyz",
    "/static/",
    "/login",
    *_SECRETS_OF_THEIR_OWN,
)  # reachable without the password
_ANY_HOST = ("/healthz", "/readyz", "/metrics", *_SECRETS_OF_THEIR_OWN)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach *host*.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0"),
    is_loopback("")
    (True, True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_binding(host: str, password: str) -> None:
    """Raises `ConfigError` when the pages would be open to others without a password."""
    if not is_loopback(host) and not password:
        raise ConfigError(
            [
                problem(
                    "config.pages_open",
                    "config.yaml",
                    code="WEB001",
                    host=host or told("config.every_address"),
                )
            ]
        )


def hash_password(password: str, salt: bytes | None = None) -> str:
    """A password as it may stand in an environment: `scrypt$salt$hash`, each Base64."""
    salt = salt or secrets.token_bytes(16)
    made = hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=2**14, r=8, p=1)
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def password_matches(given: str, kept: str) -> bool:
    """Compare in constant time with a hash made by `hash_password`; anything malformed matches nothing."""
    try:
        kind, salt, _ = kept.split("$")
        made = hash_password(given, base64.b64decode(salt, validate=True))
    except ValueError:
        return False
    return kind == "scrypt" and hmac.compare_digest(made.encode(), kept.encode())


class _Sessions(TimestampSigner):
    """Signs sessions with the moment they were opened at, on the clock *now* (seconds since 1970)."""

    def __init__(self, secret: bytes, now: Callable[[], float]) -> None:
        super().__init__(secret, salt="session", key_derivation="hmac", digest_method=hashlib.sha256)
        self._now = now

    def get_timestamp(self) -> int:
        return int(self._now())


_AS_OWNER = PageUser(OWNER, "", PageRole.OWNER)


class PageSecurity:
    """Keeps the pages: give it `middleware`, and every answer gets the headers by `add_headers`.

    *password* is the words or a hash of them, "" leaves the pages open to this machine alone. What is signed
    with one *secret* holds on every replica, and wrong passwords are counted in the store, for all of them.
    """

    def __init__(
        self,
        *,
        secret: bytes,
        host: str,
        store: Store,
        password: str = "",
        clock: Clock | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        check_binding(host, password)
        self._local, self._key = is_loopback(host), ""
        self._sessions = _Sessions(secret, now)
        self._posts = Signer(secret, salt="csrf", key_derivation="hmac", digest_method=hashlib.sha256)
        self._kept = password if password.startswith("scrypt$") or not password else hash_password(password)
        self._store, self._clock = store, clock or Clock()
        self._tries = SharedWindow("login", TRIES, TRY_WINDOW, monotonic=self._clock.monotonic)

    @property
    def asks_password(self) -> bool:
        return bool(self._kept)

    def ask_for(self, key: str) -> None:
        """From now on the pages open to whoever comes by the address that holds the key (`?key=`): they are
        the owner.
        """
        self._key = key

    # --- what every request passes

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses foreign hosts, callers without the password, and posts that our own page did not send."""
        path = request.path
        if not path.startswith(_ANY_HOST) and not self._knows_host(request):
            raise web.HTTPMisdirectedRequest(text="unknown host")
        if self._shows_key(request):
            await self.open_session(request, _AS_OWNER)
            raise web.HTTPFound(path)
        user = await self._user(request)
        if user is None and self._key and not self._kept and not path.startswith(_OPEN):
            raise web.HTTPUnauthorized(text="the address that the terminal shows is needed")
        if user is None and not path.startswith(_OPEN):
            if path == "/metrics":
                raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Basic"})
            if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
                raise web.HTTPFound("/login")
            raise web.HTTPUnauthorized(text="password needed")
        if request.method not in ("GET", "HEAD", "OPTIONS") and not path.startswith(_SECRETS_OF_THEIR_OWN):
            await self._check_post(request)
        if user is None:
            return await handler(request)
        request[USER] = user
        if not may(user.role, request.method, path) and not path.startswith((*_OPEN, "/metrics")):
            raise web.HTTPForbidden(text="your role does not allow this")
        return await self._recorded(request, handler, user)

    async def _recorded(self, request: web.Request, handler: Handler, user: PageUser) -> web.StreamResponse:
        """What changes something, or takes a customer's data away, is kept with who did it."""
        acts = request.method not in ("GET", "HEAD", "OPTIONS") or request.path.endswith("/data.json")
        acts = acts and not _UNRECORDED.match(request.path) and not request.path.startswith(_OPEN)
        try:
            response = await handler(request)
        except web.HTTPRedirection:
            if acts:
                await self.note(request, "page_act", user.actor)
            raise
        if acts and response.status < 400:
            await self.note(request, "page_act", user.actor)
        return response

    async def note(self, request: web.Request, kind: str, actor: str) -> None:
        """Keep what was done on a page, and by whom."""
        event = Event(kind, self._clock(), actor=actor, data={"path": request.path})
        await self._store.enqueue((), self._clock(), events=(event,))

    async def _user(self, request: web.Request) -> PageUser | None:
        """Who makes the request; without a password everybody at this machine is the owner."""
        kind = self._kind(request.cookies.get(COOKIE, ""))
        name, _, mark = kind.removeprefix("u-").partition("-")
        if kind.startswith("u-"):
            user = (await users(self._store)).get(name)
            return user if user is not None and hmac.compare_digest(user.mark, mark) else None
        return _AS_OWNER if not (self._kept or self._key) or self._logged_in(request) else None

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """For `on_response_prepare`: the headers, and a session where there is none yet."""
        for name, value in HEADERS.items():
            if not request.path.startswith(_CHATS):
                response.headers[name] = value
            elif name not in ("Cross-Origin-Resource-Policy", "Cross-Origin-Opener-Policy"):
                response.headers.setdefault(name, value)
        response.headers.setdefault(
            "Cache-Control", "no-cache" if request.path.startswith("/static/") else "no-store"
        )
        if _NEW_SESSION in request:
            self._set_cookie(request, response, request[_NEW_SESSION])

    # --- sessions and tokens

    def session(self, request: web.Request) -> str:
        """The session of the caller; a new one is set with the answer where there was none."""
        sent = request.cookies.get(COOKIE, "")
        if self._kind(sent):
            return sent
        if _NEW_SESSION not in request:
            request[_NEW_SESSION] = self._make_session("guest")
        return request[_NEW_SESSION]

    def csrf(self, request: web.Request) -> str:
        """The token that posts of this session must carry."""
        return self._posts.get_signature(self.session(request)).decode()

    async def log_in(self, request: web.Request, password: str, name: str = "") -> bool:
        """Opens a session if the password is right: the owner's, or that of the user of this *name*.

        Raises 429 after too many wrong ones, `StorageError`. A try is counted before it is looked at, so that
        many at once are no way around.
        """
        if await self._tries.admit(self._store, self._clock()):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "60"})
        user = _AS_OWNER if name in ("", OWNER) else (await users(self._store)).get(name)
        kept = self._kept if user is _AS_OWNER else user.password if user is not None else ""
        if not password_matches(password, kept or self._kept) or user is None or not kept:
            await self.note(request, "page_refused", f"page:{name[:32] or OWNER}")
            return False
        self._tries.forgive()
        await self.open_session(request, user)
        return True

    async def open_session(self, request: web.Request, user: PageUser) -> None:
        """From now on the caller is this user."""
        kind = "in" if user is _AS_OWNER else f"u-{user.id}-{user.mark}"
        request[_NEW_SESSION] = self._make_session(kind)
        await self.note(request, "page_signed_in", user.actor)

    def log_out(self, request: web.Request) -> None:
        request[_NEW_SESSION] = self._make_session("guest")

    def _logged_in(self, request: web.Request) -> bool:
        sent = request.cookies.get(COOKIE, "")
        if self._kind(sent) == "in":
            return True
        try:
            auth = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            return False
        return request.path == "/metrics" and password_matches(auth.password, self._kept)

    def _make_session(self, kind: str) -> str:
        return self._sessions.sign(f"{kind}.{secrets.token_hex(12)}").decode()

    def _shows_key(self, request: web.Request) -> bool:
        given = request.query.get("key", "")
        return (
            bool(self._key)
            and request.method == "GET"
            and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._key.encode())
        )

    def _kind(self, session: str) -> str:
        """A guest's session or one that is logged in ("in"); "" where no replica opened it or it is old."""
        try:
            stem, opened = self._sessions.unsign(
                session.encode("utf-8", "surrogatepass"), return_timestamp=True
            )
        except BadSignature:
            return ""
        if not -AHEAD <= self._sessions.get_timestamp() - opened.timestamp() <= WEEK:
            return ""
        return stem.decode().partition(".")[0]

    def _set_cookie(self, request: web.Request, response: web.StreamResponse, session: str) -> None:
        secure = "; Secure" if request.secure or request.headers.get("X-Forwarded-Proto") == "https" else ""
        response.headers.add(
            "Set-Cookie", f"{COOKIE}={session}; Max-Age={WEEK}; Path=/; HttpOnly; SameSite=Lax{secure}"
        )

    # --- where a request comes from

    def _knows_host(self, request: web.Request) -> bool:
        """Bound to this machine alone, the pages answer to its names only: a foreign name pointed here
        reaches nothing.
        """
        return (
            bool(self._kept)
            or not self._local
            or is_loopback(urlsplit("//" + (request.host or "")).hostname or "")
        )

    async def _check_post(self, request: web.Request) -> None:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="foreign origin")
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise web.HTTPForbidden(text="foreign site")
        sent = request.headers.get("X-CSRF-Token", "")
        if not sent and request.content_type in FORMS:
            sent = str((await request.post()).get("csrf", ""))
        session = request.cookies.get(COOKIE, "")
        if not self._kind(session) or not self._posts.verify_signature(
            session.encode(), sent.encode("utf-8", "surrogatepass")
        ):
            raise web.HTTPForbidden(text="the page is out of date: load it again")
