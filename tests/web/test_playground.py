"""What people do on the page becomes messages of their channels, once, and stays visible."""

from __future__ import annotations

import io
import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.button_tokens import token
from bot.model import Attachment, Button, Media, Outbound, OutboundKind, Peer, RichText, Span, Style
from bot.storage.base import DeliveryResult
from bot.testing.fakes import FakeFiles
from bot.web.playground.scene_player import next_moment
from tests.web.conftest import Page

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
MOSCOW = ZoneInfo("Europe/Moscow")


async def deliver(page: Page, *outbounds: Outbound) -> list[int]:
    """Enqueue and send, as the outbox would."""
    ids: list[int] = []
    for outbound in outbounds:
        ids += await page.store.enqueue([outbound], page.services.clock())
        for delivery in await page.store.take_deliveries(page.services.clock()):
            channel = page.services.channels[delivery.outbound.to.channel]
            sent = await channel.send(
                delivery.outbound, nonce=delivery.id, target=delivery.target, files=FakeFiles()
            )
            await page.store.settle(
                delivery, DeliveryResult("sent", message=sent.message), page.services.clock()
            )
    return ids


async def shown(page: Page, channel: str = "play-telegram", thread: str = "") -> list[dict[str, object]]:
    """The messages of the first customer (or of a thread of the desk), as the page would show them."""
    state = await (await page.client.get("/state")).json()
    view = next(v for v in state["channels"] if v["name"] == channel)
    chat = view["group"] or view["people"][0]["id"]
    return next((r["messages"] for r in view["chats"] if (r["chat"], r["thread"]) == (chat, thread)), [])


async def test_a_message_is_kept_once_however_often_it_is_posted(page: Page) -> None:
    """A browser that repeats itself after a broken connection says nothing twice."""
    key = str(uuid.uuid4())

    answers = [await (await page.say("где мой заказ", key=key)).json() for _ in range(3)]

    assert {a["id"] for a in answers} == {f"u{key}"}
    assert (await page.store.counts())["inbounds_waiting"] == 1
    assert [(m["text"], m["ticks"]) for m in await shown(page)] == [("где мой заказ", "kept")]


async def test_script_in_a_message_is_only_text(page: Page) -> None:
    """It travels as JSON, never as HTML: neither in the page nor in what scripts read."""
    answer = await page.say(SCRIPT)
    state = await page.client.get("/state")
    html = await (await page.client.get("/", headers={"Accept": "text/html"})).text()
    turn = await page.store.take_turn(page.services.clock())

    assert answer.content_type == state.content_type == "application/json"
    assert (await shown(page))[0]["text"] == SCRIPT
    assert turn is not None and turn.text == SCRIPT
    assert "alert(1)" not in html


async def test_script_in_a_name_is_only_text(page: Page) -> None:
    """Customers choose their names; the queue shows them."""
    made = await (await page.post("/customer", channel="play-vk", name="<script>alert(1)</script>")).json()

    assert page.vk.people[made["chat"]].name == "<script>alert(1)</script>"
    html = await (await page.client.get("/queue", headers={"Accept": "text/html"})).text()
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "1"},
        {"text": "  "},
        {"text": ["a"]},
        {"text": "я" * 100_001},
        {"files": "x"},
        {"chat": {"a": 1}},
    ],
    ids=["key", "empty", "list", "long", "files", "chat"],
)
async def test_what_makes_no_sense_is_refused(page: Page, wrong: dict[str, object]) -> None:
    """With 400 and a word, and nothing is kept."""
    body = {
        "channel": "play-telegram",
        "chat": page.customer,
        "user": page.customer,
        "text": "да",
        "key": str(uuid.uuid4()),
        **wrong,
    }
    answer = await page.post("/say", **body)

    assert answer.status == 400
    assert (await answer.json())["error"]
    assert (await page.store.counts())["inbounds_waiting"] == 0


async def test_text_that_no_store_can_keep_is_cleaned_at_the_border(page: Page) -> None:
    """NUL and lone surrogates become visible marks; the page goes on working."""
    assert (await page.say("a\x00b\ud800c")).status == 200
    assert (await shown(page))[0]["text"] == "a\ufffdb\ufffdc"


async def test_only_buttons_that_are_shown_can_be_pressed(page: Page) -> None:
    """A pressed one is kept with its token and acknowledged by its callback; a made-up one is refused."""
    to = Peer("play-telegram", page.customer)
    (row,) = await deliver(
        page,
        Outbound(
            to,
            RichText("Помогло?"),
            buttons=((Button("Да", "helped", "yes"), Button("Сайт", url="https://shop.example")),),
        ),
    )
    press = {"channel": "play-telegram", "chat": page.customer, "user": page.customer, "message": f"n{row}"}

    assert (await page.post("/press", token=token(row, 0, 1), key=str(uuid.uuid4()), **press)).status == 409
    assert (await page.post("/press", token="ff.00", key=str(uuid.uuid4()), **press)).status == 409
    answer = await page.post("/press", token=token(row, 0, 0), key=str(uuid.uuid4()), **press)
    turn = await page.store.take_turn(page.services.clock())

    assert (await answer.json()) == {"label": "Да"}
    assert turn is not None and turn.press is not None
    assert (turn.press.action, turn.press.value) == ("helped", "yes")
    assert (await shown(page))[-1]["press"] == "Да"


async def test_only_ones_own_message_can_be_changed(page: Page) -> None:
    """The change is a message of its own kind; ours and others' stay as they are."""
    said = await (await page.say("зкаказ")).json()
    await deliver(page, Outbound(Peer("play-telegram", page.customer), RichText("Уточните")))
    _, ours = await shown(page)
    who = {"channel": "play-telegram", "chat": page.customer, "user": page.customer}

    assert (
        await page.post("/edit", message=ours["id"], text="взлом", key=str(uuid.uuid4()), **who)
    ).status == 409
    assert (
        await page.post("/edit", message=said["id"], text="заказ", key=str(uuid.uuid4()), **who)
    ).status == 200
    assert [(m["text"], m["edited"]) for m in await shown(page)] == [("заказ", True), ("Уточните", False)]


async def test_files_are_kept_and_never_run(page: Page) -> None:
    """A picture is shown; a page or script that somebody sends is only downloaded; names lose their
    folders.
    """
    head = {"X-CSRF-Token": page.token}

    async def upload(name: str, mime: str, content: bytes) -> dict[str, Any]:
        query = {"channel": "play-telegram", "name": name}
        id = (
            await (
                await page.client.post(
                    "/upload", params=query, data=content, headers={**head, "Content-Type": mime}
                )
            ).json()
        )["id"]
        return (await (await page.say("", files=[id])).json())["attachments"][0]  # type: ignore[no-any-return]

    photo = await upload("cup.png", "image/png", b"\x89PNG....")
    evil = await upload("../../evil.html", "text/html", SCRIPT.encode())
    drawing = await upload("a.svg", "image/svg+xml", b"<svg onload=alert(1)>")
    pages = {a["name"]: await page.client.get(f"/file/{a['file']}") for a in (photo, evil, drawing)}

    assert (photo["picture"], evil["picture"], drawing["picture"]) == (True, False, False)
    assert pages["cup.png"].content_type == "image/png"
    for name in ("evil.html", "a.svg"):
        assert pages[name].content_type == "application/octet-stream"
        assert pages[name].headers["Content-Disposition"] == "attachment"
    for ref in ("../web.py", "%2e%2e%2fweb.py", "0000000000000000"):
        assert (await page.client.get(f"/file/play-telegram/{ref}")).status == 404


async def test_a_file_over_the_limit_is_refused(page: Page) -> None:
    """20 MB is kept, one byte more is not; the answer says so and nothing stays behind."""
    query = {"channel": "play-telegram", "name": "big.bin"}
    answer = await page.client.post(
        "/upload",
        params=query,
        data=io.BytesIO(b"0" * (20 * 1024 * 1024 + 1)),
        headers={"X-CSRF-Token": page.token},
    )

    assert answer.status == 413


async def test_a_voice_message_is_a_real_file(page: Page) -> None:
    """Other channels must be able to carry it on."""
    voice = await page.client.post(
        "/upload", params={"channel": "play-vk", "kind": "voice"}, headers={"X-CSRF-Token": page.token}
    )
    chat = next(iter(page.vk.people))
    said = await (
        await page.say("", files=[(await voice.json())["id"]], channel="play-vk", chat=chat, user=chat)
    ).json()

    attachment = said["attachments"][0]
    assert (attachment["media"], attachment["duration"]) == ("voice", 3)
    assert (
        await page.vk.read(Attachment(Media.VOICE, attachment["file"].split("/")[1], "play-vk"))
    ).content.startswith(b"RIFF")


async def test_the_page_shows_the_same_after_a_restart(page: Page, tmp_path: Path) -> None:
    """Customers, their words, our answers with styles and buttons, edits and topics come back from the
    store.
    """
    to = Peer("play-telegram", page.customer)
    await page.say("где мой заказ")
    turn = await page.store.take_turn(page.services.clock())
    assert turn is not None and turn.conversation.customer is not None
    await page.store.release_turn(turn)
    outbound = Outbound(
        to,
        RichText("Ваш заказ 😀 в пути", (Span(Style.BOLD, 4, 5),)),
        buttons=((Button("Да", "helped"),),),
        name="answer",
    )
    await deliver(
        page, outbound, Outbound(to, RichText("Заказ приехал"), kind=OutboundKind.EDIT, edits="answer")
    )
    before = await shown(page)

    again = await page.restart(tmp_path / "files")
    after = await shown(again)
    await again.client.close()

    assert list(again.telegram.people) == list(page.telegram.people)
    ours = [m for m in after if m["author"] == "bot"]
    assert [(m["id"], m["text"], m["edited"]) for m in ours] == [
        (m["id"], m["text"], m["edited"]) for m in before if m["author"] == "bot"
    ]
    assert ours[0]["text"] == "Заказ приехал"


async def test_why_finds_the_turn_of_an_answer(page: Page) -> None:
    """Unknown turns and made-up ids are 404, never an error."""
    (row,) = await deliver(page, Outbound(Peer("play-telegram", page.customer), RichText("Да")))

    for wanted in (f"n{row}", "n999", "nx", "0", "-1", "abc", "99999"):
        assert (await page.client.get(f"/why/{wanted}")).status == 404, wanted


async def test_reset_brings_new_customers(page: Page) -> None:
    """Their chats are new, so their conversations start anew; the clock goes back."""
    before = set(page.telegram.people) | set(page.vk.people)
    await deliver(page, Outbound(Peer("play-telegram", page.customer), RichText("раз")))
    await page.post("/clock", to="23:07")

    assert (await page.post("/reset")).status == 200

    assert not before & (set(page.telegram.people) | set(page.vk.people))
    assert await shown(page) == []
    assert page.services.clock.shift == timedelta()


async def test_the_clock_can_be_moved_and_put_right(page: Page) -> None:
    """Forward to the next such moment; anything else is refused with an example."""
    moved = await (await page.post("/clock", to="23:07")).json()

    assert datetime.fromisoformat(moved["now"]).strftime("%H:%M") == "23:07"
    assert moved["shifted"] is True and timedelta() <= page.services.clock.shift < timedelta(days=1)
    for wrong in ("25:00", "утро", "12", "12:60"):
        assert (await page.post("/clock", to=wrong)).status == 400, wrong
    assert (await (await page.post("/clock", to="")).json())["shifted"] is False


def test_the_next_moment_is_never_in_the_past() -> None:
    """Today where it is still to come, else tomorrow, or on the wished weekday."""
    now = datetime(2026, 11, 21, 20, 0, tzinfo=MOSCOW)  # a Saturday

    assert next_moment(now, "23:07") == datetime(2026, 11, 21, 23, 7, tzinfo=MOSCOW)
    assert next_moment(now, "09:00") == datetime(2026, 11, 22, 9, 0, tzinfo=MOSCOW)
    assert next_moment(now, "mon 12:30") == datetime(2026, 11, 23, 12, 30, tzinfo=MOSCOW)
    with pytest.raises(ValueError):
        next_moment(now, "сорок")


async def test_what_happened_can_be_kept_as_a_test(page: Page) -> None:
    """The story holds the steps in order, ours shortened to what identifies them."""
    to = Peer("play-telegram", page.customer)
    await page.say("где мой заказ")
    (row,) = await deliver(
        page,
        Outbound(
            to, RichText("Заказ в пути.\nПодробности на сайте"), buttons=((Button("Помогло", "helped"),),)
        ),
    )
    who = {"channel": "play-telegram", "chat": page.customer, "user": page.customer}
    await page.post("/press", message=f"n{row}", token=token(row, 0, 0), key=str(uuid.uuid4()), **who)

    answer = await page.client.get(f"/story/play-telegram/{page.customer}")
    (story,) = yaml.safe_load(await answer.text())

    assert story["channel"] == "telegram"
    assert story["customer"]["name"] == "Анна"
    assert story["steps"] == [{"says": "где мой заказ"}, {"hears": "Заказ в пути."}, {"presses": "Помогло"}]
    assert "attachment" in answer.headers["Content-Disposition"]


async def test_the_pages_speak_both_languages(page: Page) -> None:
    """A choice of language stays; every word has its twin."""
    russian = await (await page.client.get("/queue", headers={"Accept": "text/html"})).text()
    english = await (await page.client.get("/queue?lang=en", headers={"Accept": "text/html"})).text()
    after = await (await page.client.get("/queue", headers={"Accept": "text/html"})).text()

    assert '<html lang="ru">' in russian and "Открытые обращения" in russian
    for html in (english, after):
        assert '<html lang="en">' in html and "Open tickets" in html


def test_every_word_has_its_twin() -> None:
    """The catalogues of the pages have the same names and the same gaps to fill."""
    folder = Path(__file__).parents[2] / "bot" / "web" / "locales"
    ru, en = (yaml.safe_load((folder / f"{lang}.yaml").read_text("utf-8")) for lang in ("ru", "en"))

    assert list(ru) == list(en)
    for name in ru:
        assert json.dumps(ru[name]).count("{") == json.dumps(en[name]).count("{"), name
