"""What only newer clients and servers show, where the owner wants it, and how it is said everywhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.settings import TelegramSettings
from bot.errors import PeerGone
from bot.model import Button, Outbound, Peer, RichText
from bot.testing.fakes import FakeFiles
from bot.text.markdown import to_rich
from tests.fakes.telegram_server import TOKEN, FakeTelegram

CUSTOMER, TOPIC = Peer("telegram", "1001"), Peer("telegram", "-100500", "77")
TABLE = """**Доставка** по городам ([карта](https://shop.example/map)):

| Город | Срок | Цена |
|---|---|---|
| Москва | 1 день | 300 ₽ |
| Казань | 3 дня | *450* ₽ |

Заказы от 5000 ₽ — бесплатно."""


@pytest.fixture
async def modern(server: FakeTelegram, files: FakeFiles) -> AsyncIterator[Any]:
    """Says something by an adapter with everything on."""
    own = TelegramSettings(token=TOKEN, api_base=server.base, rich_tables=True, private_hints=True)
    adapter = TelegramAdapter("telegram", own)

    async def send(outbound: Outbound) -> Any:
        return await adapter.send(outbound, nonce=42, target="", files=files)

    yield send
    await adapter.close()


async def test_a_table_is_a_table_where_the_owner_wants_it(
    server: FakeTelegram, modern: Any, say: Any
) -> None:
    """With its head, the words around it with their looks, and the buttons; readable lines elsewhere."""
    text = to_rich(TABLE)
    answer = Outbound(CUSTOMER, text, buttons=((Button("Да", "yes"),),))
    await modern(answer)
    await say(answer)

    rich, plain = server.of("sendRichMessage")[0].params, server.of("sendMessage")[0].params
    first, table, last = rich["rich_message"]["blocks"]
    assert first["text"][0] == {"type": "bold", "text": "Доставка"}
    assert {"type": "url", "text": "карта", "url": "https://shop.example/map"} in first["text"]
    assert [[cell["text"] for cell in row] for row in table["cells"]] == [
        ["Город", "Срок", "Цена"],
        ["Москва", "1 день", "300 ₽"],
        ["Казань", "3 дня", "450 ₽"],
    ]
    assert all(cell["is_header"] for cell in table["cells"][0]) and last["text"].startswith("Заказы от 5000")
    assert rich["reply_markup"] == plain["reply_markup"]
    assert plain["text"] == text.text and "Москва — срок: 1 день" in plain["text"]
    assert not any(e["type"] == "table" for e in plain["entities"])


@pytest.mark.parametrize(
    "text",
    [
        RichText(to_rich(TABLE).text.replace("1 день", "2 дня"), to_rich(TABLE).spans),
        RichText(to_rich(TABLE).text[:-120], to_rich(TABLE).spans),
        to_rich("| a | b |\n|---|---|\n| [c](https://a.ru) | d |"),
        to_rich("|" + "a|" * 21 + "\n|" + "-|" * 21 + "\n|" + "b|" * 21),
        RichText("без таблицы"),
    ],
    ids=["filled in later", "cut", "with links", "too wide", "none"],
)
async def test_lines_that_are_not_those_of_the_cells_are_lines(
    server: FakeTelegram, modern: Any, text: RichText
) -> None:
    """Nobody reads an old table: what was cut or filled in after it was read is said as it stands."""
    await modern(Outbound(CUSTOMER, text))

    assert [c.method for c in server.calls] == ["sendMessage"]


@pytest.mark.parametrize("refusal", ["old", "refused"])
async def test_what_is_refused_of_a_table_is_said_in_lines(
    server: FakeTelegram, modern: Any, refusal: str
) -> None:
    """A server that does not know it, an account that may not: the ordinary message comes, once; a customer
    who is gone is gone.
    """
    if refusal == "old":
        server.modern = False
    else:
        server.refuse("sendRichMessage", 400, "Bad Request: RICH_MESSAGE_INVALID")
    sent = await modern(Outbound(CUSTOMER, to_rich(TABLE)))

    assert sent.message and len(server.of("sendMessage")) == 1
    server.modern = True
    server.refuse("sendRichMessage", 403, "Forbidden: bot was blocked by the user")
    with pytest.raises(PeerGone):
        await modern(Outbound(CUSTOMER, to_rich(TABLE)))
    assert len(server.of("sendMessage")) == 1


async def test_a_word_for_one_operator_is_for_their_eyes_alone(
    server: FakeTelegram, modern: Any, say: Any
) -> None:
    """In a group, where it is wanted and known; everywhere else as ever."""
    hint = Outbound(TOPIC, RichText("Это может только старший"), only_for="9001")
    await modern(hint)
    await modern(Outbound(CUSTOMER, RichText("да"), only_for="1001"))
    await say(hint)
    server.modern = False
    await modern(hint)

    readers = [c.params.get("ephemeral_message_parameters") for c in server.of("sendMessage")]
    one = {"receiver_user_id": 9001}
    assert readers == [one, None, None, one, None], "the fourth was refused, and said to all"
    assert server.calls[-1].params["message_thread_id"] == 77
