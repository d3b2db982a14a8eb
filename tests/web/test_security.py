"""Who may open the pages, and who may press on them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.clock import HandClock
from bot.errors import ConfigError
from bot.storage.sqlite.store import SqliteStore
from bot.web.security import COOKIE, HEADERS, PageSecurity, check_binding, hash_password, password_matches
from bot.web.server import build_app
from tests.web.conftest import Opened, Page

HTML = {"Accept": "text/html"}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _replica(store: SqliteStore) -> tuple[PageSecurity, HandClock]:
    """The guard of one of several processes on a store, and its clock."""
    clock = HandClock(NOON)
    return PageSecurity(secret=b"s", host="127.0.0.1", store=store, password="верно", clock=clock), clock


def _routes(app: web.Application, method: str) -> list[str]:
    """A path for every route of the application, with something in place of its variables."""
    found = []
    for route in app.router.routes():
        if route.method not in (method, "*") or route.resource is None:
            continue
        path = route.resource.canonical
        for name in ("turn", "channel", "ref", "chat", "id", "filename"):
            path = path.replace("{" + name + "}", "x").replace("{" + name + ":.+}", "x")
        found.append(path + ("page.css" if path == "/static" else ""))
    return found


async def test_every_answer_carries_the_security_headers(serve: Opened) -> None:
    """Pages, JSON, streams, static files, hooks and failures alike; and no page loads anything from
    elsewhere.
    """

    async def hook(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    page = await serve(hooks={"shop": hook})
    paths = [*_routes(build_app(page.services), "GET"), "/static/page.js", "/nowhere", "/kb/../../etc/passwd"]

    assert "/hooks/shop" in paths and "/events" in paths
    for path in paths:
        async with page.client.get(path, headers=HTML, allow_redirects=False) as response:
            for name, value in HEADERS.items():
                assert response.headers.get(name) == value, (path, name)


async def test_the_policy_allows_nothing_inline_and_nothing_foreign(page: Page) -> None:
    """The policy is as strict as promised, and the pages keep to it: no inline script, style or handler."""
    html = await (await page.client.get("/", headers=HTML)).text()

    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
    )
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert (
        "<style" not in html and " style=" not in html and "<script>" not in html and " onclick" not in html
    )
    assert html.count("http://") == html.count("xmlns='http://www.w3.org")
    assert "https://" not in html


async def test_a_post_without_the_token_is_refused_everywhere(page: Page) -> None:
    """Neither without a token nor with a made-up one can anything be done."""
    paths = _routes(build_app(page.services), "POST")

    assert {"/say", "/press", "/upload", "/scene", "/clock", "/reset", "/kb/ask", "/login"} <= set(paths)
    for path in paths:
        assert (await page.client.post(path, json={})).status == 403, path
        assert (await page.client.post(path, json={}, headers={"X-CSRF-Token": "a" * 64})).status == 403, path


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_post_from_another_site_is_refused(page: Page, headers: dict[str, str]) -> None:
    """Even with the right token."""
    response = await page.client.post("/reset", json={}, headers={"X-CSRF-Token": page.token, **headers})

    assert response.status == 403


async def test_the_token_of_one_session_does_not_fit_another(page: Page) -> None:
    """A token is worth nothing without the cookie it was made for."""
    page.client.session.cookie_jar.clear()

    assert (await page.post("/reset")).status == 403


async def test_a_foreign_name_pointed_at_this_machine_reaches_nothing(page: Page) -> None:
    """DNS rebinding: the pages answer to the names of this machine only."""
    assert (await page.client.get("/state", headers={"Host": "evil.example"})).status == 421
    assert (await page.client.get("/healthz", headers={"Host": "10.0.0.7"})).status == 200
    assert (await page.client.get("/state", headers={"Host": "localhost:80"})).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "shop.example", ""])
def test_without_a_password_the_page_stays_on_this_machine(host: str) -> None:
    """Any other address is refused with what to do."""
    with pytest.raises(ConfigError, match="WEB_PASSWORD"):
        check_binding(host, "")
    check_binding(host, "secret")


async def test_with_a_password_everything_but_health_needs_a_login(serve: Opened) -> None:
    """People are led to the login, scripts are refused, health stays open."""
    page = await serve(password="правильно лошадь", host="0.0.0.0")
    get = page.client.get

    redirected = await get("/", headers=HTML, allow_redirects=False)
    assert (redirected.status, redirected.headers["Location"]) == (302, "/login")
    for path in ("/state", "/events", "/queue", "/kb", "/file/play-vk/x", "/metrics", "/why/1"):
        assert (await get(path, allow_redirects=False)).status == 401, path
    assert (await page.post("/reset")).status == 401
    assert (await get("/healthz")).status == 200
    assert (await get("/login", headers=HTML)).status == 200


async def test_the_right_password_opens_and_leaving_closes(serve: Opened) -> None:
    """The session's cookie cannot be read by scripts nor sent from other sites."""
    page = await serve(password=hash_password("верно"))

    async def log_in(password: str) -> tuple[int, str]:
        html = await (await page.client.get("/login", headers=HTML)).text()
        csrf = html.partition('name="csrf" value="')[2].partition('"')[0]
        answer = await page.client.post(
            "/login", data={"password": password, "csrf": csrf}, allow_redirects=False
        )
        return answer.status, answer.headers.get("Set-Cookie", "")

    assert (await log_in("неверно"))[0] == 403
    assert (await page.client.get("/state")).status == 401
    status, cookie = await log_in("верно")
    assert status == 303
    assert cookie.startswith(f"{COOKIE}=in.") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert (await page.client.get("/state")).status == 200
    await page.open()
    assert (await page.client.post("/logout", data={"csrf": page.token}, allow_redirects=False)).status == 303
    assert (await page.client.get("/state")).status == 401


async def test_guessing_the_password_is_slowed(serve: Opened) -> None:
    """After five wrong ones even the right one must wait."""
    page = await serve(password="верно")
    html = await (await page.client.get("/login", headers=HTML)).text()
    csrf = html.partition('name="csrf" value="')[2].partition('"')[0]

    statuses = [
        (await page.client.post("/login", data={"password": p, "csrf": csrf}, allow_redirects=False)).status
        for p in (*"abcde", "верно")
    ]

    assert statuses == [403] * 5 + [429]


async def test_who_waited_a_minute_may_try_again() -> None:
    """The minute is counted on the guard's own clock."""
    guard, clock = _replica(SqliteStore.open(":memory:"))
    request = make_mocked_request("POST", "/login")
    for _ in range(5):
        assert not await guard.log_in(request, "неверно")
    clock.advance(seconds=59.9)
    with pytest.raises(web.HTTPTooManyRequests):
        await guard.log_in(request, "верно")

    clock.advance(seconds=0.1)

    assert await guard.log_in(request, "верно")


async def test_wrong_passwords_are_counted_over_all_replicas() -> None:
    """Whoever goes from one to the other has five, too; then both wait, also for the right one."""
    store = SqliteStore.open(":memory:")
    (here, _), (there, _) = _replica(store), _replica(store)
    request = make_mocked_request("POST", "/login")
    for guard in (here, there, here, there, here):
        assert not await guard.log_in(request, "неверно")

    for guard in (there, here):
        with pytest.raises(web.HTTPTooManyRequests):
            await guard.log_in(request, "верно")


async def test_right_passwords_are_not_counted() -> None:
    """Ten colleagues log in within a minute."""
    guard, _ = _replica(SqliteStore.open(":memory:"))

    assert all([await guard.log_in(make_mocked_request("POST", "/login"), "верно") for _ in range(10)])


async def test_a_session_of_one_replica_holds_on_the_other() -> None:
    """With its token for posts, and though the other's clock is behind; without the same secret it does
    not.
    """
    store, at = SqliteStore.open(":memory:"), 1_800_000_000.0

    def replica(secret: bytes, now: float) -> PageSecurity:
        return PageSecurity(secret=secret, host="127.0.0.1", store=store, password="верно", now=lambda: now)

    here, there, foreign = replica(b"s", at), replica(b"s", at - 60), replica(b"t", at)
    request = make_mocked_request("POST", "/login")
    assert await here.log_in(request, "верно")
    session = here.session(request)
    sent = make_mocked_request("GET", "/", headers={"Cookie": f"{COOKIE}={session}"})

    assert there.session(sent) == session and there.csrf(sent) == here.csrf(request)
    assert foreign.session(sent).startswith("guest.")


async def test_a_session_lasts_a_week() -> None:
    """Then the password is asked for again."""
    now = 1_800_000_000.0
    store = SqliteStore.open(":memory:")
    guard = PageSecurity(secret=b"s", host="127.0.0.1", store=store, password="верно", now=lambda: now)
    first = make_mocked_request("POST", "/login")
    assert await guard.log_in(first, "верно")
    session = guard.session(first)

    def shown() -> str:
        return guard.session(make_mocked_request("GET", "/", headers={"Cookie": f"{COOKIE}={session}"}))

    now += 7 * 24 * 3600
    assert shown() == session
    now += 1
    assert shown().startswith("guest.")


async def test_a_forged_session_is_none(serve: Opened) -> None:
    """Neither "in" written into a guest's cookie nor another signature opens anything."""
    page = await serve(password="верно")
    cookie = next(c for c in page.client.session.cookie_jar if c.key == COOKIE).value

    for forged in (cookie.replace("guest", "in", 1), "in.1.a.b", "in", "", "ин.1"):
        answer = await page.client.get("/state", headers={"Cookie": f"{COOKIE}={forged}"})
        assert answer.status == 401, forged


def test_a_hash_with_one_changed_field_matches_nothing() -> None:
    """Kind, salt and hash all count; a broken hash is no error."""
    kind, salt, made = hash_password("верно").split("$")

    assert password_matches("верно", f"{kind}${salt}${made}")
    for kept in (
        f"md5${salt}${made}",
        f"{kind}${salt[::-1]}${made}",
        f"{kind}${salt}${made[:-2]}A=",
        "scrypt",
        "",
        f"{kind}$$",
        "a$b$c",
    ):
        assert not password_matches("верно", kept)
