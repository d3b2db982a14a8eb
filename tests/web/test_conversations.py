"""The list of conversations and a customer's page, over a day that was lived in a testbot."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.adapters.context import context_of
from bot.cli.site import site_of
from bot.model import Inbound, InboundKind
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import DESK_CHAT
from bot.web.conversations import stems
from bot.web.server import build_app

HTML = {"Accept": "text/html"}


@dataclass
class Office:
    """The pages of a testbot, and a browser without scripts."""

    testbot: TestBot
    client: TestClient[Any, Any]

    async def text(self, path: str) -> str:
        answer = await self.client.get(path, headers=HTML)
        assert answer.status == 200, (path, answer.status)
        return str(await answer.text())

    async def send(self, page: str, action: str, **fields: str) -> Any:
        """The form of *page* as a browser sends it."""
        token = (await self.text(page)).partition('name="csrf" content="')[2].partition('"')[0]
        data = {"csrf": token, **fields}
        return await self.client.post(action, data=data, headers=HTML, allow_redirects=False)

    async def listed(self, query: str = "") -> list[str]:
        """The names in the list."""
        return re.findall(r'<a href="/conversation/\d+\?data=own">([^<]*)</a>', await self.listed_html(query))

    async def listed_html(self, query: str = "") -> str:
        return await self.text(f"/conversations{'?' if query else ''}{query}")

    async def number(self, name: str) -> int:
        found = [r.customer for r in await self.testbot.store.listeners() if r.customer.name == name]
        return found[0].id


@asynccontextmanager
async def pages_of(testbot: TestBot) -> AsyncIterator[Office]:
    """The pages of a testbot; what they ask for is decided before they look."""
    services = site_of(testbot.service).services

    async def hand_in(channel: str, inbounds: Sequence[Inbound]) -> None:
        await testbot.service.inbox.accept(channel, inbounds)
        await testbot.rest()

    services.hand_in = hand_in
    client: TestClient[Any, Any] = TestClient(TestServer(build_app(services)))
    await client.start_server()
    yield Office(testbot, client)
    await client.close()


@pytest.fixture
async def office(articles: Path) -> AsyncIterator[Office]:
    """Anna was answered, Boris waits for a person, Vera asks what nobody knows and leaves her phone."""
    async with open_test_bot(articles) as testbot:
        anna = testbot.customer("Анна")
        await anna.says("Сколько идёт доставка щётки?")
        await anna.presses("Да, помогло")
        await testbot.later(minutes=5)
        vera = testbot.customer("Вера", channel="vk", chat="2003")
        await vera.says("мой телефон +7 912 345-67-89, есть ли щётка для барсука?")
        await testbot.later(minutes=30)
        boris = testbot.customer("<b>Борис</b>", channel="vk", chat="2002")
        await boris.says("позовите оператора")

        async with pages_of(testbot) as opened:
            yield opened


async def test_the_list_shows_who_wrote_and_what(office: Office) -> None:
    """The newest first, names escaped, contacts masked, nothing the page's own rules would refuse."""
    html = await office.listed_html()
    names = re.findall(r'<a href="/conversation/\d+\?data=own">([^<]*)</a>', html)
    assert names == ["&lt;b&gt;Борис&lt;/b&gt;", "Вера", "Анна"]
    assert "345-67-89" not in html and "<b>Борис" not in html
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*src)", html)


async def test_words_are_found_in_any_form(office: Office) -> None:
    """All words in one message; the line that was found is shown."""
    assert await office.listed("q=щётки") == ["Вера", "Анна"]
    assert await office.listed("q=ЩЕТКАМИ+барсуки") == ["Вера"]
    assert "барсука" in await office.listed_html("q=барсуком")
    assert await office.listed("q=слон") == []
    assert "Ничего не нашлось" in await office.listed_html("q=слон")


async def test_each_filter_leaves_its_own(office: Office) -> None:
    """Customer, article, what happened, channel, who answers, period."""
    assert await office.listed("customer=вер") == ["Вера"]
    assert await office.listed("customer=2003") == ["Вера"]
    assert await office.listed("article=delivery") == ["Анна"]
    assert await office.listed("event=unanswered") == ["Вера"]
    assert await office.listed("channel=telegram") == ["Анна"]
    assert "Анна" not in await office.listed("status=waiting")
    assert "&lt;b&gt;Борис&lt;/b&gt;" in await office.listed("status=waiting&channel=vk")
    assert await office.listed("from=2001-01-01&to=2001-01-31") == []
    answer = await office.client.get("/conversations?from=never", headers=HTML)
    assert answer.status == 400


async def test_pages_go_on_by_key(office: Office) -> None:
    """A page of fifty, the rest behind it, nobody twice."""
    for n in range(60):
        await office.testbot.customer(f"Клиент{n}", channel="vk", chat=str(5000 + n)).says("привет")
    html = await office.listed_html()
    first = re.findall(r'data=own">([^<]*)</a>', html)
    more = re.search(r'href="/conversations\?([^"]*before=[^"]*)"', html)
    assert more is not None and len(first) == 50
    second = await office.listed(more[1].replace("&amp;", "&"))
    assert len(second) == 13 and not set(first) & set(second) and second[-1] == "Анна"


async def test_from_the_list_to_the_words_and_to_the_customer(office: Office) -> None:
    """A row opens the conversation with its why, and that the customer's card with every conversation."""
    link = re.search(r'href="(/conversation/\d+\?data=own)">Анна', await office.listed_html())
    assert link is not None
    talk = await office.text(link[1])
    assert "Сколько идёт доставка щётки?" in talk and "Почему" in talk
    card = re.search(r'href="(/customer/\d+)"', talk)
    assert card is not None
    profile = await office.text(card[1])
    assert "Анна" in profile and link[1].replace("&", "&amp;") in profile


async def test_what_a_message_came_with_stands_above_its_words(office: Office) -> None:
    """The page a visitor writes from, words somebody else wrote: read as in the operators' chats."""
    page = context_of("page", "telegram", who="<b>Щётки</b>", link="https://shop.example/brushes")
    forward = context_of("forward", "telegram", who="Глеб", text="звоните +7 912 345-67-89")
    anna = office.testbot.customer("Анна")
    inbound = anna.inbound(anna.peer, InboundKind.MESSAGE, "а такая есть?", private=True, message="m-page")
    await office.testbot.arrive(replace(inbound, context=(page, forward)))

    link = re.search(r'href="(/conversation/\d+\?data=own)">Анна', await office.listed_html())
    assert link is not None
    words = re.findall(r'<span class="words">(.*?)</span></li>', await office.text(link[1]), re.DOTALL)
    [line] = [w for w in words if "а такая есть?" in w]
    assert "Пишет со страницы «&lt;b&gt;Щётки&lt;/b&gt;» (https://shop.example/brushes)" in line
    assert "Переслано, автор: Глеб\n» звоните" in line and "345-67-89" not in line
    assert "[Вложение]" not in line


async def test_fields_are_changed_as_everything_else_is_decided(office: Office) -> None:
    """The change is an inbound of the customer's conversation: with an event that says who; the card in the
    group shows it, too.
    """
    number = await office.number("<b>Борис</b>")
    page = f"/customer/{number}"
    answer = await office.send(page, f"{page}/fields", name="VIP", value="да")
    assert answer.status == 303 and answer.headers["Location"].startswith(page)
    html = await office.text(page)
    assert re.search(r'name="field.vip" value="да"', html)
    events = await office.testbot.store.events(kinds=["attributes_changed"])
    assert [(e.actor, e.data["names"]) for e in events] == [("page:owner", ["vip"])]
    posts = office.testbot.channels["telegram"].in_chat(DESK_CHAT, kind=None)
    assert any("vip" in s.outbound.text.text for s in posts)

    await office.send(page, f"{page}/fields", **{"field.vip": ""})
    assert "field.vip" not in await office.text(page)


async def test_what_a_field_is_stays(office: Office) -> None:
    """Yes and no stay what another system told, and what was not changed in the form is not touched."""
    number = await office.number("Анна")
    fields: dict[str, object] = {"vip": True, "orders": 7, "city": "Казань"}
    await office.testbot.store.change_fields(number, fields, office.testbot.clock(), by="crm")
    page = f"/customer/{number}"
    form = {"field.vip": "false", "field.orders": "7", "field.city": "Пермь"}
    await office.send(page, f"{page}/fields", **form)
    kept = await office.testbot.store.customer(number)
    assert kept is not None and kept.fields == {"vip": False, "orders": 7, "city": "Пермь"}


async def test_a_field_that_cannot_be_kept_is_told(office: Office) -> None:
    """With the reason, and nothing is changed."""
    page = f"/customer/{await office.number('Вера')}"
    answer = await office.send(page, f"{page}/fields", name="phone", value="не скажу")
    assert answer.status == 422 and "phone:" in await answer.text()
    assert await office.testbot.store.events(kinds=["attributes_changed"]) == ()


async def test_everything_about_a_customer_is_downloaded(office: Office) -> None:
    """As a file, with their words."""
    answer = await office.client.get(f"/customer/{await office.number('Анна')}/data.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    data = json.loads(await answer.text())
    assert data["customer"]["name"] == "Анна" and "щётки" in json.dumps(data["history"], ensure_ascii=False)


async def test_a_customer_is_forgotten_after_their_number_was_typed(office: Office) -> None:
    """The question names what will go; a wrong number deletes nothing; afterwards nothing is found."""
    number = await office.number("Вера")
    page = f"/customer/{number}/forget"
    asked = await office.text(page)
    assert "реплик: " in asked and "2003" in asked and "Забыть навсегда" in asked

    wrong = await office.send(page, page, number="999")
    assert wrong.status == 200 and "Номер не тот" in await wrong.text()
    assert await office.testbot.store.customer(number) is not None

    done = await office.send(page, page, number=str(number))
    assert done.status == 303
    assert f"№ {number} забыт" in await office.text(done.headers["Location"])
    assert await office.listed("q=барсук") == [] and "Вера" not in await office.listed()
    assert (await office.client.get(f"/customer/{number}", headers=HTML)).status == 404


async def test_a_form_without_its_token_does_nothing(office: Office) -> None:
    """Another site cannot forget a customer."""
    number = await office.number("Вера")
    answer = await office.client.post(f"/customer/{number}/forget", data={"number": str(number)})
    assert answer.status == 403
    assert await office.testbot.store.customer(number) is not None


@pytest.mark.parametrize("path", ["/customer/0", "/customer/999999", "/customer/x", "/customer/9" + "9" * 30])
async def test_nobody_has_this_number(office: Office, path: str) -> None:
    """A page that says so, for any number."""
    assert (await office.client.get(path, headers=HTML)).status == 404


def test_words_are_cut_to_what_their_forms_share() -> None:
    """Enough of a word to be found in other forms, never nothing."""
    assert stems("щётки, Щётку") == ("щетк",) and stems("!") == () and stems("шла") == ("шла",)
