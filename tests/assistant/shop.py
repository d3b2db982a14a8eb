"""A shop whose customers may be answered with the assistant's help, over a fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.config.assistant import AssistantSettings
from bot.config.loader import Config
from bot.model import Outbound
from bot.testing import TestBot, open_test_bot
from tests.fakes.assistant_server import KEY, Answering, AssistantServer, serving

RETURN = """---
title: Возврат товара
aliases: [как вернуть товар, хочу вернуть покупку, оформить возврат, возврат денег за товар]
lang: ru
---
Вернуть товар надлежащего качества можно в течение 14 дней после получения. Для этого нужны чек и упаковка. \
Деньги приходят на карту за 3–10 дней. Если платили наличными, деньги выдаём в магазине.

Обратная доставка стоит 250 ₽. Но при браке она бесплатна, и платить ничего не нужно.

## Что не принимаем

Не подлежат возврату:

- косметика и парфюмерия;
- нижнее бельё;
- товары по индивидуальному заказу, кроме брака.

## Как оформить

1. Откройте раздел «Мои заказы» на [сайте](https://romashka.example/orders).
2. Выберите товар и причину.
3. Передайте посылку курьеру до 20:00.

Курьер приезжает на следующий день. Позвонить ему можно за час до приезда.
"""
GIFT = """---
title: Подарочная упаковка
aliases: [упакуйте в подарок, подарочная упаковка сколько стоит]
lang: ru
---
Упаковка в подарок стоит 150 рублей.
"""
QUESTION = "как вернуть товар"
SENTENCES = (
    "Вернуть товар надлежащего качества можно в течение 14 дней после получения.",
    "Для этого нужны чек и упаковка.",
    "Деньги приходят на карту за 3–10 дней.",
    "Если платили наличными, деньги выдаём в магазине.",
)
BUTTON = "Подробнее"


@dataclass(frozen=True, slots=True)
class Shop:
    """The bot, and the server that its assistant asks."""

    testbot: TestBot
    server: AssistantServer

    async def told(self, text: str = QUESTION, name: str = "Анна", chat: str = "1001") -> str:
        """What a customer is answered."""
        customer = self.testbot.customer(name, chat=chat)
        await customer.says(text)
        return "\n".join(customer.hears())

    async def whys(self) -> list[dict[str, Any]]:
        """What the assistant had to do with each turn."""
        found = [turn.why.get("assistant") for turn in await self.testbot.store.turns()]
        return [dict(why) for why in found if isinstance(why, dict)]


def settings(server: AssistantServer, **changes: Any) -> AssistantSettings:
    given = {"customers": True, "customer_wait": 5, "model": "test", "api_key": SecretStr(KEY), **changes}
    return AssistantSettings(base_url=server.url, **given)


@asynccontextmanager
async def open_shop(
    folder: Path, answering: Answering | None = None, articles: tuple[str, ...] = (), **changes: Any
) -> AsyncIterator[Shop]:
    """The shop with these *articles* instead of ours, and other settings of the assistant."""
    for n, text in enumerate(articles or (RETURN, GIFT)):
        (folder / f"article{n}.md").write_text(text, encoding="utf-8")
    async with serving(AssistantServer(answering)) as server:
        config = Config(assistant=settings(server, **changes))
        async with open_test_bot(folder, config=config, threads=False) as testbot:
            yield Shop(testbot, server)


def buttons(message: Outbound) -> list[str]:
    return [button.label for row in message.buttons for button in row]
