"""Users of the pages: who signs in how, what each role may do, and the record of what was done."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.cli.site import site_of
from bot.testing import TestBot, open_test_bot
from bot.web.server import build_app
from bot.web.users import PageRole, may, users

HTML = {"Accept": "text/html"}
PASSWORD, HERS = "пароль владельца", "пароль редактора"


class Visitor:
    """A browser without scripts."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self.client = client

    async def get(self, path: str) -> Any:
        return await self.client.get(path, headers=HTML, allow_redirects=False)

    async def text(self, path: str) -> str:
        answer = await self.get(path)
        assert answer.status == 200, (path, answer.status)
        return str(await answer.text())

    async def send(self, page: str, action: str, **fields: str) -> Any:
        html = await (await self.get(page)).text()
        token = html.partition('name="csrf" content="')[2].partition('"')[0]
        data = {"csrf": token, **fields}
        return await self.client.post(action, data=data, headers=HTML, allow_redirects=False)

    async def enter(self, password: str, id: str = "") -> int:
        return int((await self.send("/login", "/login", id=id, password=password)).status)


class Office:
    """The pages of a testbot behind a password, with as many browsers as are wanted."""

    def __init__(self, testbot: TestBot, server: TestServer) -> None:
        self.testbot, self._server = testbot, server
        self.visitors: list[Visitor] = []

    async def visitor(self) -> Visitor:
        client: TestClient[Any, Any] = TestClient(self._server)
        await client.start_server()
        self.visitors.append(Visitor(client))
        return self.visitors[-1]

    async def owner(self) -> Visitor:
        owner = await self.visitor()
        assert await owner.enter(PASSWORD) == 303
        return owner

    async def user(self, role: str, *, id: str = "olga", operator: str = "", password: str = HERS) -> int:
        made = {"id": id, "name": "Ольга", "role": role, "operator": operator, "password": password}
        return int((await (await self.owner()).send("/users", "/users/save", **made)).status)


@pytest.fixture
async def office(articles: Path) -> AsyncIterator[Office]:
    """Anna waits for a person; Olga is an operator of the group."""
    async with open_test_bot(articles) as testbot:
        await testbot.customer("Анна").says("позовите оператора")
        await testbot.operator().says("/back")
        services = site_of(testbot.service).services
        services.password = PASSWORD
        inbox = testbot.service.inbox

        async def hand_in(channel: str, inbounds: Any) -> None:
            await inbox.accept(channel, inbounds)
            await testbot.rest()

        services.hand_in = hand_in
        server: TestServer = TestServer(build_app(services))
        opened = Office(testbot, server)
        yield opened
        for visitor in opened.visitors:
            await visitor.client.close()


async def test_the_password_of_the_config_is_the_owners(office: Office) -> None:
    """As before, and only the owner sees the users."""
    owner = await office.owner()
    assert 'href="/users"' in await owner.text("/queue")
    stranger = await office.visitor()
    assert (await stranger.get("/users")).headers["Location"] == "/login"
    assert await stranger.enter("не тот") == 403


async def test_each_role_may_do_its_own(office: Office) -> None:
    """An observer reads; nothing they send changes anything, and they are not offered what they may not."""
    assert await office.user("observer") == 303
    olga = await office.visitor()
    assert await olga.enter(HERS, "olga") == 303
    page = await olga.text("/conversation/1?data=own")
    assert 'id="desk"' not in page and 'href="/users"' not in page
    order = {"order": "take", "ticket": "1", "key": "k"}
    assert (await olga.send("/queue", "/conversation/1/order", **order)).status == 403
    phone: dict[str, object] = {"phone": "+79123456789"}
    await office.testbot.store.change_fields(1, phone, office.testbot.clock(), by="crm")
    assert "9123456789" not in await olga.text("/customer/1")
    for path in ("/users", "/audit", "/customer/1/forget", "/customer/1/data.json"):
        assert (await olga.get(path)).status == 403, path

    assert await office.user("operator", password="") == 303
    assert 'id="desk"' in await olga.text("/conversation/1?data=own"), "the new role counts at once"
    assert (await olga.send("/queue", "/conversation/1/order", **order)).status == 303
    ticket = await office.testbot.store.ticket(1)
    assert ticket is not None and ticket.operator_name == "Ольга"


@pytest.mark.parametrize(
    ("role", "method", "path", "allowed"),
    [
        ("editor", "POST", "/gaps/add", True),
        ("operator", "POST", "/gaps/add", False),
        ("editor", "POST", "/conversation/1/order", False),
        ("supervisor", "POST", "/threshold/set", True),
        ("editor", "POST", "/threshold/set", False),
        ("supervisor", "GET", "/customer/1/data.json", True),
        ("supervisor", "POST", "/customer/1/forget", False),
        ("observer", "POST", "/kb/ask", True),
        ("supervisor", "POST", "/something/new", False),
        ("owner", "POST", "/something/new", True),
    ],
)
def test_rights_are_a_table(role: str, method: str, path: str, allowed: bool) -> None:
    """What nobody listed is the owner's alone."""
    assert may(PageRole(role), method, path) is allowed


async def test_a_new_password_and_a_removal_end_sessions(office: Office) -> None:
    """At once, on every page."""
    await office.user("editor")
    olga = await office.visitor()
    await olga.enter(HERS, "olga")
    assert (await olga.get("/queue")).status == 200
    await office.user("editor", password="совсем другой пароль")
    assert (await olga.get("/queue")).status == 302
    assert await olga.enter(HERS, "olga") == 403 and await olga.enter("совсем другой пароль", "olga") == 303
    await (await office.owner()).send("/users", "/users/remove", id="olga")
    assert (await olga.get("/queue")).status == 302


async def test_an_operator_signs_in_by_a_code_from_the_bot(office: Office) -> None:
    """It comes in private, opens one session, once, and as the operator whom colleagues know."""
    await office.user("operator", operator="telegram:9001", password="")
    olga = await office.visitor()
    assert "прислал ему код" in await (await olga.send("/login", "/login/code", id="olga")).text()
    await office.testbot.rest()
    code = _code(office)
    wrong = await olga.send("/login", "/login/enter", id="olga", code="000000" if code != "000000" else "1")
    assert wrong.status == 403
    assert (await olga.send("/login", "/login/enter", id="olga", code=code)).status == 303
    order = {"order": "take", "ticket": "1", "key": "k"}
    assert (await olga.send("/queue", "/conversation/1/order", **order)).status == 303
    ticket = await office.testbot.store.ticket(1)
    assert ticket is not None and ticket.operator == "telegram:9001"
    again = await office.visitor()
    assert (await again.send("/login", "/login/enter", id="olga", code=code)).status == 403


async def test_a_code_ends_and_is_not_guessed(office: Office) -> None:
    """After ten minutes, and after five tries even the right one is refused; nobody unknown is told so."""
    await office.user("operator", operator="telegram:9001", password="")
    olga = await office.visitor()
    await olga.send("/login", "/login/code", id="olga")
    await office.testbot.rest()
    code = _code(office)
    office.testbot.clock.advance(minutes=11)
    assert (await olga.send("/login", "/login/enter", id="olga", code=code)).status == 403

    await olga.send("/login", "/login/code", id="olga")
    await office.testbot.rest()
    code = _code(office)
    for n in range(5):
        await olga.send("/login", "/login/enter", id="olga", code=f"x{n}")
    assert (await olga.send("/login", "/login/enter", id="olga", code=code)).status == 403
    unknown = await (await olga.send("/login", "/login/code", id="nobody")).text()
    assert "прислал ему код" in unknown


async def test_what_was_done_is_on_record(office: Office) -> None:
    """Sign-ins, refused ones, changes and orders, with who and when; no password among them."""
    await office.user("operator")
    olga = await office.visitor()
    await olga.enter("мимо", "olga")
    await olga.enter(HERS, "olga")
    await olga.send("/customer/1", "/customer/1/fields", name="город", value="Казань")
    await olga.send("/queue", "/conversation/1/order", order="take", ticket="1", key="k")
    html = await (await office.owner()).text("/audit")
    for words in ("неудачный вход", "вход", "/customer/1/fields", "обращение: Взять", "Ольга", "/users/save"):
        assert words in html, words
    since = office.testbot.clock() - timedelta(hours=1)
    acts = await office.testbot.store.events(since=since, kinds=["page_act", "attributes_changed"])
    assert {a.actor for a in acts} == {"page:owner", "page:olga"}
    assert HERS not in str(await office.testbot.store.events())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "owner"}, "не owner"),
        ({"id": "Ольга"}, "латинских"),
        ({"name": ""}, "Впишите, как зовут"),
        ({"role": "king"}, "выберите роль"),
        ({"password": "коротко"}, "короче 10"),
        ({"password": ""}, "Войти будет нечем"),
    ],
)
async def test_a_user_who_could_not_work_is_not_kept(
    office: Office, fields: dict[str, str], words: str
) -> None:
    """With the reason, in words."""
    made = {"id": "olga", "name": "Ольга", "role": "operator", "operator": "", "password": HERS, **fields}
    answer = await (await office.owner()).send("/users", "/users/save", **made)
    shown = await answer.text()
    assert 'name="id"' in await (await office.owner()).text("/users")
    assert answer.status == 422 and words in shown
    for typed in (made["id"], made["name"]):  # what was typed need not be typed again, but for the password
        assert f'value="{typed}"' in shown
    assert HERS not in shown


async def test_a_new_user_takes_nobodys_place(office: Office) -> None:
    """The name of somebody who is there already is refused; they go on with their own password."""
    made = {"id": "olga", "name": "Ольга", "role": "operator", "operator": "", "password": HERS}
    owner = await office.owner()
    await owner.send("/users", "/users/save", **made, new="1")
    answer = await owner.send("/users", "/users/save", **{**made, "name": "Другая", "role": "owner"}, new="1")
    assert answer.status == 422 and "уже есть" in await answer.text()
    kept = (await users(office.testbot.store))["olga"]
    assert (kept.name, kept.role) == ("Ольга", PageRole.OPERATOR)


def _code(office: Office) -> str:
    """The last one that the bot has sent to Olga in private."""
    texts = [s.outbound.text.text for s in office.testbot.channels["telegram"].in_chat("9001")]
    found = re.search(r"\d{6}", texts[-1])
    assert found is not None
    return found[0]
