"""The supervisor's pages over a day that was lived in a testbot: figures, what is behind them, and the words
themselves.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp.test_utils import TestClient, TestServer

from bot.cli.weekly_digest import send_due
from bot.errors import StorageError
from bot.handoff.sla.hours import Hours
from bot.model import InboundKind
from bot.storage.sqlite.store import SqliteStore
from bot.testing import TestBot, open_test_bot
from bot.web.server import WebServices, build_app
from tests.web.conftest import Opened, Page

DAYS = "from=2026-11-20&to=2026-11-20&data=demo"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def lived(articles: Path) -> AsyncIterator[SqliteStore]:
    """A customer who was answered, one whom Olga helped, and one with a script in their name."""
    async with open_test_bot(articles) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("Сколько идёт доставка?")
        await anna.presses("Да, помогло")
        boris = testbot.customer("<b>Борис</b>", channel="vk", chat="2002")
        await boris.says("мой телефон +7 912 345-67-89, позовите оператора")
        await testbot.later(minutes=5)
        await olga.says("Здравствуйте, решено", ticket=1)
        await olga.says("/close", ticket=1)
        await testbot.later(minutes=6)
        yield testbot.sqlite_store


@pytest.fixture
async def page(serve: Opened, lived: SqliteStore) -> Page:
    return await serve(hours=Hours(country=None), demo=lived)


async def _text(page: Page, path: str) -> str:
    answer = await page.client.get(path, headers=HTML)
    assert answer.status == 200, path
    return str(await answer.text())


async def test_the_report_shows_figures_with_their_definitions(page: Page) -> None:
    """Tiles, charts and tables; nothing that the page's own rules would refuse."""
    html = await _text(page, f"/report?{DAYS}")
    for words in (
        "NST",
        "AFRT",
        "Сколько обращений к операторам открыто за период",
        "попросил человека",
        "Ольга",
        "delivery",
        "<svg",
    ):
        assert words in html, words
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*src)", html), (
        "strict CSP: no inline style or script"
    )
    tile = html[html.index("of=nst") :]
    assert re.search(r'class="figure">1<', tile[:500])


async def test_from_a_figure_to_the_words(page: Page) -> None:
    """Figure, list, conversation: with the reason of each turn, the name escaped and the phone masked."""
    listed = await _text(page, f"/report/list?of=nst&{DAYS}")
    assert "№ 1" in listed and "&lt;b&gt;Борис" in listed and "<b>Борис" not in listed
    link = re.search(r'href="(/conversation/\d+\?[^"#]*)#m(\d+)"', listed)
    assert link is not None
    talk = await _text(page, link[1].replace("&amp;", "&"))
    assert "Здравствуйте, решено" in talk and f'id="m{link[2]}"' in talk
    assert "345-67-89" not in talk and "•••" in talk and "<b>Борис" not in talk
    assert "№ 1" in talk and "почему так" in talk


@pytest.mark.parametrize(
    "of",
    [
        "afrt",
        "containment",
        "reasons:asked",
        "days:2026-11-20",
        "operators:telegram:9001",
        "articles:delivery",
        "channels:vk",
    ],
)
async def test_every_number_opens(page: Page, of: str) -> None:
    """Also rows of tables and bars of charts lead to conversations."""
    assert "/conversation/" in await _text(page, f"/report/list?of={of}&{DAYS}")


async def test_a_report_is_downloaded_as_excel_and_csv(page: Page) -> None:
    """Excel and CSV of the same period."""
    book = await page.client.get(f"/report/file.xlsx?{DAYS}")
    assert (await book.read())[:2] == b"PK" and "report-2026-11-20" in book.headers["Content-Disposition"]
    rows = await page.client.get(f"/report/file.csv?{DAYS}")
    assert (await rows.read()).startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/report?from=yesterday", 400), ("/report?from=2026-11-02&to=2026-11-01", 400),
    ("/report?days=x", 400), ("/report/list?of=nonsense", 404),
     ("/conversation/999999", 404), ("/conversation/x", 404), ("/report/file.exe", 404)],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(page: Page, path: str, status: int) -> None:
    """One clear page, never a traceback."""
    assert (await page.client.get(path, headers=HTML)).status == status


async def test_own_data_and_played_data_are_apart(page: Page) -> None:
    """The played history says so; the bot's own report knows nothing of it."""
    own = await _text(page, "/report?data=own&from=2026-11-20&to=2026-11-20")
    assert "Пока нет ни одного разговора" in own and "Ольга" not in own


async def test_the_report_asks_the_password(serve: Opened, lived: SqliteStore) -> None:
    """Who is not logged in sees no figure, no list and no conversation."""
    page = await serve(hours=Hours(country=None), demo=lived, password="ромашка")
    for path in ("/report", "/report/list?of=nst", "/conversation/1", "/report/file.csv"):
        answer = await page.client.get(path, headers=HTML, allow_redirects=False)
        assert answer.status in (302, 303) and answer.headers["Location"] == "/login"


def test_the_words_of_the_page_are_twins() -> None:
    """Every word has its English twin."""
    home = Path(__file__).parents[2] / "bot/reports/words"
    russian, english = (yaml.safe_load((home / f"{lang}.yaml").read_text("utf-8")) for lang in ("ru", "en"))
    assert set(russian) == set(english) and set(russian["page"]) == set(english["page"])


async def test_the_digest_is_sent_once_a_week(testbot: TestBot) -> None:
    """Not at the first start; on the next Monday once, whatever is restarted."""
    service, clock = testbot.service, testbot.clock
    await testbot.customer().says("", kind=InboundKind.START)
    assert not await send_due(service)
    assert not await send_due(service)
    clock.advance(days=3)  # Monday noon
    assert await send_due(service) and not await send_due(service)
    await testbot.rest()
    posts = [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("-100500", kind=None)]
    assert sum("📊 Неделя 16.11 – 22.11" in text for text in posts) == 1


async def test_prometheus_gets_the_same_figures(articles: Path) -> None:
    """/metrics has every figure of the last seven days with its parts, reasons and the queue, and names
    nobody.
    """
    async with open_test_bot(articles) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await testbot.later(minutes=5)
        await olga.says("Здравствуйте, решено", ticket=1)
        boris = testbot.customer("Борис", channel="vk", chat="2002")
        await boris.says("позовите оператора")
        await testbot.later(minutes=40)
        services = WebServices(testbot.service.store, {}, testbot.clock, hours=testbot.service.hours)
        async with TestClient(TestServer(build_app(services))) as client:
            text = await (await client.get("/metrics")).text()
    assert (
        'otklik_report{figure="nst",part="value"} 2.0' in text
        and 'otklik_report_cases{figure="afrt"} 1.0' in text
    )
    assert (
        'otklik_report{figure="afrt",part="calendar_p90"} 3' in text
        and 'otklik_report_by{name="asked",side="reasons"} 2.0' in text
    )
    assert (
        'otklik_report_by{name="vk",side="channels"} 1.0' in text and 'figure="csi",part="value"' not in text
    )
    assert "otklik_waiting_oldest_seconds 24" in text and "otklik_waiting_overdue 1.0" in text
    assert "Ольга" not in text and "Борис" not in text and "9001" not in text


async def test_one_channel_alone(page: Page) -> None:
    """The picker names the channels that were written in; chosen, it stays in every link, and the other
    channel's conversations are gone.
    """
    whole = await _text(page, f"/report?{DAYS}")
    assert "channel=telegram" in whole and "channel=vk" in whole
    vk = await _text(page, f"/report?{DAYS}&channel=vk")
    assert "of=nst&amp;from=2026-11-20&amp;to=2026-11-20&amp;channel=vk" in vk
    assert "Борис" in await _text(page, f"/report/list?of=conversations&{DAYS}&channel=vk")
    telegram = await _text(page, f"/report/list?of=conversations&{DAYS}&channel=telegram")
    assert "Анна" in telegram and "Борис" not in telegram
    assert (await page.client.get(f"/report?{DAYS}&channel=fax", headers=HTML)).status == 404


async def test_why_did_they_wait_in_the_evening(page: Page) -> None:
    """From the figure to the part of the day, to the conversation: how long, who else waited, who was at
    work, and what happened when.
    """
    assert "/conversation/" in await _text(page, f"/report/list?of=afrt&part=day&{DAYS}")
    assert "/conversation/" not in await _text(page, f"/report/list?of=afrt&part=evening&{DAYS}")
    listed = await _text(page, f"/report/list?of=afrt&{DAYS}")
    link = re.search(r'href="(/conversation/\d+\?[^"#]*)', listed)
    assert link is not None
    talk = await _text(page, link[1].replace("&amp;", "&"))
    for words in (
        "Ждал первого ответа человека",
        "5 мин",
        "отвечали операторов: 1",
        "открыто обращение",
        "первый ответ человека · Ольга",
        "закрыто · Ольга",
    ):
        assert words in talk, words


async def test_a_list_shows_only_columns_that_say_something(page: Page) -> None:
    """Conversations that the bot ended by itself have no ticket, operator and reason; those of people
    have.
    """
    alone, helped = (
        await _text(page, f"/report/list?of=containment&{DAYS}"),
        await _text(page, f"/report/list?of=nst&{DAYS}"),
    )

    def heads(html: str) -> int:
        return html.count('<th scope="col"')

    assert "Оператор</th>" in helped and "Значение" not in helped and heads(helped) == 5
    assert heads(alone) >= 2
    columns = _columns(alone)
    assert all(any(cells) for cells in columns), "no column is empty"
    assert all(any(cells) for cells in _columns(helped))


def _columns(html: str) -> list[tuple[str, ...]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2], re.S)
    cells = [
        [re.sub(r"<[^>]+>", "", c).strip() for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in rows
    ]
    assert rows
    return list(zip(*cells, strict=True))


async def test_the_queue_leads_to_the_conversations(serve: Opened, lived: SqliteStore) -> None:
    """Each row is a link to what was said; nothing empty is shown, waits are said as people say them."""
    page = await serve(hours=Hours(country=None), demo=lived)
    page.services.store = lived
    async with TestClient(TestServer(build_app(page.services))) as client:
        html = await (await client.get("/queue?all", headers=HTML)).text()
        (link,) = re.findall(r'<th scope="row"><a href="(/conversation/\d+\?data=own)">№ 1</a>', html)
        assert (await client.get(link, headers=HTML)).status == 200
    assert "5 мин</td>" in html and '<th scope="col">Оценка' not in html


async def test_a_digest_that_failed_is_tried_again_and_never_doubled(
    testbot: TestBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails as it is enqueued, then as it is marked: the week is not lost, and posted once."""
    service, clock = testbot.service, testbot.clock
    await testbot.customer().says("", kind=InboundKind.START)
    await send_due(service)
    clock.advance(days=3)
    for broken in ("enqueue", "keep_setting"):
        with monkeypatch.context() as patch, pytest.raises(StorageError):
            patch.setattr(service.store, broken, _full)
            await send_due(service)
    await send_due(service)
    assert not await send_due(service)
    await testbot.rest()
    posts = [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("-100500", kind=None)]
    assert sum("📊 Неделя 16.11 – 22.11" in text for text in posts) == 1


async def _full(*_: object) -> None:
    raise StorageError("disk is full")
