"""The pages beside the report: NPS comments by theme, and who needs help, for those who may see it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from bot.config.loader import Config
from bot.handoff.sla.hours import Hours
from bot.model import Event
from bot.testing import TestBot, open_test_bot
from bot.web.server import WebServices, build_app
from bot.web.users import PageRole, may

HTML = {"Accept": "text/html"}
SAID = (
    (2, "сколько идёт доставка, месяц, мой телефон +7 912 345-67-89"),
    (5, "когда привезут заказ, долгая доставка"),
    (10, "всё быстро и вежливо"),
    (9, "вежливо и быстро всё"),
    (8, "абракадабра"),
)


async def _commented(testbot: TestBot) -> None:
    """Words of customers beside their scores, as the survey keeps them."""
    for n, (score, text) in enumerate(SAID):
        person = testbot.customer(f"Имя{n}", chat=str(4000 + n))
        await person.says(text)
        found = await testbot.store.conversation(person.peer)
        assert found is not None
        now = testbot.clock()
        event = Event("nps_commented", now, found.id, data={"score": score})
        await testbot.store.enqueue((), now, events=(event,))


async def test_comments_stand_under_themes_with_their_scores(articles: Path) -> None:
    """A topic of the base, a wording that two share, and what fits nowhere; phones are masked."""
    async with open_test_bot(articles, config=Config()) as testbot:
        await _commented(testbot)
        service = testbot.service
        services = WebServices(
            service.store, {}, service.clock, knowledge=service.knowledge, hours=Hours(country=None)
        )
        async with TestClient(TestServer(build_app(services))) as client:
            html = await (await client.get("/themes", headers=HTML)).text()
            english = await (await client.get("/themes?lang=en", headers=HTML)).text()
            coaching = await (await client.get("/coaching?lang=ru", headers=HTML)).text()
            file = await client.get("/themes/file.csv?lang=ru")
            assert file.headers["Content-Disposition"].startswith('attachment; filename="themes-')
            rows = list(csv.reader(io.StringIO((await file.read()).decode("utf-8-sig")), delimiter=";"))
            helped = await client.get("/coaching/file.csv?lang=en")
            assert (await helped.read()).decode("utf-8-sig").startswith("Operator;Topic;Tickets")
            bad = await client.get("/themes?from=x", headers=HTML)
        assert rows[0] == ["Тема", "Оценка", "Слова", "Разговор"] and len(rows) == len(SAID) + 1
        assert not any("345-67" in cell for row in rows for cell in row), "phones are masked in the file, too"

    assert "Отзывов 5" in html and "в темы вошло 4, не вошло 1" in html
    assert "«всё быстро и вежливо»" in html and "345-67" not in html and "•••" in html
    assert "In no theme" in english and "абракадабра" in english
    assert "Кому помочь" in coaching and "поводов нет" in coaching and bad.status == 400


def test_only_who_leads_sees_whom_to_help() -> None:
    """Not operators about one another."""
    seeing = [role for role in PageRole if may(role, "GET", "/coaching")]
    assert seeing == [PageRole.OWNER, PageRole.SUPERVISOR]
