"""What goes to a customer from a ticket's page besides bare words: ready answers with their facts, files."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from bot.config.loader import Config
from bot.model import Attachment, Media
from bot.testing import open_test_bot
from bot.testing.harness import DESK_CHAT
from bot.web.ticket_files import mark_of
from bot.web.users import PageRole, may
from tests.web.test_conversations import HTML, Office, pages_of

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(200_000)
READY = """правила: {title: Правила возврата, words: [вернуть], text: "{{ customer|name }}, вот [правила](https://shop.example/r)."}
где: {title: Где заказ, words: [заказ], text: "Заказ {{ order }} в пути."}
"""


@pytest.fixture
async def office(articles: Path, tmp_path: Path) -> AsyncIterator[Office]:
    """Anna waits for a person, and there are two ready answers."""
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "own.yaml").write_text(READY, "utf-8")
    config = Config.model_validate({"canned": {"folder": str(tmp_path / "ready")}})
    async with open_test_bot(articles, config=config) as testbot:
        await testbot.customer("Анна", channel="vk", chat="7").says("хочу вернуть товар, позовите оператора")
        async with pages_of(testbot) as opened:
            yield opened


async def _sent(office: Office, *files: tuple[str, bytes], **fields: str) -> Any:
    """The panel's form, as a browser sends it."""
    page = await office.text("/conversation/1?data=own")
    form = FormData(quote_fields=False, default_to_multipart=True)
    token = page.partition('name="csrf" content="')[2].partition('"')[0]
    for name, value in {"csrf": token, "ticket": "1", "order": "answer", "key": "k", **fields}.items():
        form.add_field(name, value)
    for name, content in files:
        form.add_field("files", io.BytesIO(content), filename=name, content_type="application/octet-stream")
    return await office.client.post("/conversation/1/order", data=form, headers=HTML, allow_redirects=False)


def _heard(office: Office) -> list[Any]:
    return [s.outbound for s in office.testbot.channels["vk"].in_chat("7") if s.outbound.author == "operator"]


async def test_ready_answers_are_offered_with_the_customers_facts(office: Office) -> None:
    """Those that fit the words first; one that lacks a value says which, and is not to be sent."""
    answer = await office.client.get("/conversation/1/ready?ticket=1&q=")
    found = json.loads(await answer.text())
    assert [a["key"] for a in found] == ["правила", "где"]
    assert found[0]["text"] == "Анна, вот правила (https://shop.example/r)."
    assert found[1]["lacks"] == ["номер заказа"]
    searched = await office.client.get("/conversation/1/ready?ticket=1&q=где")
    assert [a["key"] for a in json.loads(await searched.text())] == ["где"]
    assert (await office.client.get("/conversation/1/ready?ticket=9")).status == 404
    assert 'id="pick"' in await office.text("/conversation/1?data=own")


async def test_a_ready_answer_is_sent_as_shown_and_counted(office: Office) -> None:
    """Unchanged it keeps its link; changed it is the operator's words; each is counted as in the group."""
    text = "Анна, вот правила (https://shop.example/r)."
    await _sent(office, value=text, ready="правила")
    [first] = _heard(office)
    assert first.text.text == "Анна, вот правила." and first.text.spans[0].url == "https://shop.example/r"
    await _sent(office, value=f"{text} Жду вас!", ready="правила", key="k2")
    assert _heard(office)[-1].text.text == f"{text} Жду вас!"
    await _sent(office, value="Совсем другое, пишу сама", ready="правила", key="k3")
    events = await office.testbot.store.events(kinds=["ready_sent", "ready_edited"])
    assert [(e.kind, e.data["what"]) for e in events] == [
        ("ready_sent", "canned:правила"),
        ("ready_edited", "canned:правила"),
    ]


async def test_a_file_reaches_the_customer_and_the_topic(office: Office) -> None:
    """As a picture where it is one; kept in the store, where any process reads it; sent twice it is once."""
    for _ in range(2):
        done = await _sent(office, ("фото.png", PICTURE), ("счёт.pdf", b"%PDF-1"), value="Вот фото")
        assert "done=operator" in done.headers["Location"]
    assert [o.text.text for o in _heard(office) if o.text] == ["Вот фото"]
    files = [a for o in _heard(office) for a in o.attachments]
    assert [(a.media, a.name) for a in files] == [
        (Media.PHOTO, "фото.png"),
        (Media.DOCUMENT, "счёт.pdf"),
    ]
    shown = [s.outbound for s in office.testbot.channels["telegram"].in_chat(DESK_CHAT)]
    assert [a.name for o in shown for a in o.attachments] == ["фото.png", "счёт.pdf"]
    picture = files[0]
    assert (await office.testbot.service.outbox.files.read(picture)).content == PICTURE

    page = await office.text("/conversation/1?data=own")
    assert f"/conversation/1/file/{mark_of(picture)}" in page
    answer = await office.client.get(f"/conversation/1/file/{mark_of(picture)}")
    assert (answer.content_type, await answer.read()) == ("image/png", PICTURE)
    other = Attachment(Media.DOCUMENT, "kept:1-k-1")
    answer = await office.client.get(f"/conversation/1/file/{mark_of(other)}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (await office.client.get("/conversation/2/file/" + mark_of(picture))).status == 404


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("вирус.exe", b"MZ", "file_kind"),
        ("страница.html", b"<script>", "file_kind"),
        ("большой.pdf", bytes(10 * 1024 * 1024 + 1), "file_large"),
        ("пустой.pdf", b"", "file_empty"),
    ],
)
async def test_a_file_that_is_not_sent_is_named(office: Office, name: str, content: bytes, why: str) -> None:
    """With the reason, and the words do not go without it."""
    done = await _sent(office, (name, content), value="Вот файл")
    assert f"done={why}" in done.headers["Location"]
    assert name in await office.text(done.headers["Location"].partition("#")[0])
    assert _heard(office) == [] and await office.testbot.store.kept_file("1-k-0") is None


def test_who_only_looks_reads_no_files() -> None:
    """They may hold what is masked in the words."""
    for path in ("/conversation/1/file/x", "/conversation/1/ready"):
        assert not may(PageRole.OBSERVER, "GET", path) and may(PageRole.OPERATOR, "GET", path)
