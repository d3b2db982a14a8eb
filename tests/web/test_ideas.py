"""The page of customers' ideas: similar ones on one card, a decision from the page, masked words."""

from __future__ import annotations

from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from bot.testing import open_test_bot
from bot.web.server import WebServices, build_app

HTML = {"Accept": "text/html"}


async def test_a_decision_on_the_page_reaches_the_customers(articles: Path) -> None:
    """Three customers on one card; declined without a reason is refused, with one everybody hears it once."""
    async with open_test_bot(articles) as testbot:
        people = [testbot.customer(f"Имя{n}", chat=str(3000 + n)) for n in range(3)]
        await people[0].says("Предлагаю доставку вечером, мой номер +7 912 345-67-89")
        await people[1].says("предлагаю вечером делать доставку")
        await people[2].says("Предлагаю продавать чехлы для телефонов")
        service = testbot.service

        async def hand_in(channel: str, inbounds: object) -> None:
            await service.inbox.accept(channel, inbounds)  # type: ignore[arg-type]
            await testbot.rest()

        services = WebServices(service.store, {}, service.clock, knowledge=service.knowledge, hand_in=hand_in)
        async with TestClient(TestServer(build_app(services))) as client:
            html = await (await client.get("/ideas", headers=HTML)).text()
            assert html.count('class="panel"') == 2 and '<b class="num">2</b>' in html
            assert "345-67" not in html and "•••" in html
            assert 'href="/ideas/file.csv"' in html
            file = (await (await client.get("/ideas/file.csv?lang=ru")).read()).decode("utf-8-sig")
            assert file.startswith("Идея;Клиентов;") and file.count("\r\n") == 3 and "345-67" not in file
            token = html.partition('name="csrf" value="')[2].partition('"')[0]
            card = html.partition('name="ideas" value="')[2].partition('"')[0]
            form = {"csrf": token, "ideas": card, "status": "declined", "reason": ""}
            refused = await client.post("/ideas/decide", data=form, headers=HTML)
            assert refused.status == 422 and "почему не будем" in await refused.text()
            form |= {"reason": "курьеры вечером не работают"}
            done = await client.post("/ideas/decide", data=form, headers=HTML)
            assert done.status == 200 and (await done.text()).count('class="panel"') == 1
            settled = await (await client.get("/ideas?settled=1&lang=en", headers=HTML)).text()
        await testbot.later(minutes=2)

        assert "курьеры вечером не работают" in settled and "declined" in settled
        heard = [sum("курьеры вечером" in text for text in p.hears()) for p in people]
        assert heard == [1, 1, 0]
