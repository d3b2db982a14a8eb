"""The assistant on a ticket's page in a real browser: asked without leaving it, put into the field, sent."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.assistant_server import KEY, AssistantServer, copies, serving
from tests.web.browser import Watched, faults
from tests.web.browser import folder as shop_folder

__all__ = ["shop_folder"]

ASSISTANT = """
assistant: {{base_url: "{url}", model: test, api_key: "${{ASSISTANT_KEY}}", operators: true, timeout: 10}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[AssistantServer]:
    """The fake server, in a thread of its own."""
    made, up, loop = AssistantServer(), threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with serving(made):
            up.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert up.wait(10)
    yield made
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="module")
def folder(shop_folder: Path, server: AssistantServer) -> Path:
    config = shop_folder / "config.yaml"
    config.write_text(config.read_text("utf-8") + ASSISTANT.format(url=server.url), "utf-8")
    (shop_folder / ".env").write_text(f"ASSISTANT_KEY={KEY}\n", "utf-8")
    return shop_folder


def _says(server: AssistantServer) -> None:
    """The first sentences of the articles, and one that nobody wrote."""

    def answering(data: Any, system: str) -> str:
        if "conversation" in data and "passages" not in data:
            told = {"asked": "Сколько стоит доставка.", "tried": "Бот ответил.", "open": "Ждёт человека."}
            return json.dumps(told)
        found = json.loads(copies(data, system)) if "passages" in data else None
        if found is None:
            return "Привезём завтра."
        lie = {"text": "Доставка в подарок за 1 рубль.", "source": found["sentences"][0]["source"]}
        return json.dumps({"sentences": [*found["sentences"][:2], lie]})

    server.answering = answering


def test_a_draft_is_asked_for_put_into_the_field_and_sent(watched: Watched, server: AssistantServer) -> None:
    """What is being written stays, also where the server is dead; nothing goes out before the operator
    sends it.
    """
    _says(server)
    page = watched.page
    watched.open()
    watched.say("сколько стоит доставка")
    page.wait_for_selector("#why .said >> text=сколько стоит доставка")
    watched.say("позовите оператора")
    page.wait_for_selector(".topics [aria-current]")
    watched.open("queue")
    page.click("tbody a >> nth=0")
    page.fill("#order textarea", "Привезём вашу посылку завтра, ждите, пожалуйста")
    page.click("#assistant [value=shorten]")
    page.wait_for_selector("#assistant .reply.ready >> text=Привезём завтра.")
    assert page.input_value("#order textarea").startswith("Привезём вашу посылку")
    page.click("#assistant [data-put] >> nth=0")
    assert page.input_value("#order textarea") == "Привезём завтра."

    page.fill("#order textarea", "")
    page.click("#assistant [value=shorten]")
    page.wait_for_selector("#assistant > [role=status] >> text=Сначала напишите текст")
    page.click("#assistant [value=draft]")
    page.wait_for_selector("#assistant mark.unsupported")
    page.click("#assistant [value=summary]")
    page.wait_for_selector("#assistant >> text=Ждёт человека.")
    assert page.locator(".line.operator").count() == 0
    for width, scheme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#assistant [data-whole=''] >> nth=0")
    assert "рубль" not in page.input_value("#order textarea")
    page.press("#order textarea", "Control+Enter")
    page.wait_for_selector("#assistant .reply.sent")
    assert page.locator(".line.operator").count() == 1

    server.always = "500"
    page.fill("#order textarea", "Ждите")
    page.click("#assistant [value=soften]")
    page.wait_for_selector("#assistant .reply.failed >> text=не смог ответить")
    assert page.input_value("#order textarea") == "Ждите"
