"""`channels:`, `segment:` and `lang:` of an article: who it is not for is led to it by nothing, and gets
no word of it: no answer, list, button, deep link, menu, hint of an operator.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import InboundKind, Outbound
from bot.testing import PlayedCustomer, TestBot, open_test_bot

SECRET = "скидка двадцать процентов"
ARTICLES = {
    "bonus/vip": f"title: Бонусы для VIP\naliases: [скидки постоянным]\nsegment: {{vip: true}}|{SECRET}.",
    "bonus/vk": f"title: Бонусы ВКонтакте\naliases: [скидка подписчикам]\nchannels: [vk]|{SECRET}, группа.",
    "bonus/chernovik": f"title: Бонусы к празднику\naliases: [скидка к празднику]\nstatus: draft|{SECRET}.",
    "bonus/proshlo": f"title: Бонусы лета\naliases: [летняя скидка]\nvalid_until: 2026-09-01|{SECRET}.",
    "bonus/vsem": (
        "title: Какие есть скидки\naliases: [скидки, есть ли скидки, бонусы]\nbuttons:\n"
        "  - VIP: bonus/vip\n  - ВКонтакте: bonus/vk\n  - К празднику: bonus/chernovik\n"
        "  - Доставка: dostavka|Скидка пять процентов всем."
    ),
    "dostavka": "title: Сколько стоит доставка\naliases: [цена доставки]|290 ₽.",
    "dostavka.en": "title: Delivery cost\naliases: [how much is delivery]\nlang: en|It is 290 roubles.",
}
HIDDEN = ("bonus/vip", "bonus/vk", "bonus/chernovik", "bonus/proshlo")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[TestBot]:
    for name, written in ARTICLES.items():
        head, _, body = written.partition("|")
        lang = "" if "lang:" in head else "\nlang: ru"
        file = tmp_path / "kb" / f"{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\n{head}{lang}\n---\n{body}\n", encoding="utf-8")
    async with open_test_bot(tmp_path / "kb", threads=False) as testbot:
        yield testbot


def labels(outbound: Outbound) -> list[str]:
    return [b.label for row in outbound.buttons for b in row]


def heard(customer: PlayedCustomer) -> str:
    told = [t for s in customer.sees() for t in (s.outbound.text.text, *labels(s.outbound))]
    return "\n".join(told)


@pytest.mark.parametrize("id", HIDDEN)
async def test_neither_words_nor_a_deep_link_lead_to_it(shop: TestBot, id: str) -> None:
    anna = shop.customer()
    title = ARTICLES[id].partition("\n")[0].removeprefix("title: ")
    for text in (title, ARTICLES[id].partition("[")[2].partition("]")[0]):
        await anna.says(text)
        assert SECRET not in heard(anna) and title not in heard(anna)
    await anna.says(id.replace("/", "__"), kind=InboundKind.START)
    assert SECRET not in heard(anna)


async def test_buttons_lead_only_to_what_the_customer_may_see(shop: TestBot) -> None:
    anna, boris = shop.customer(), shop.customer("Борис", channel="vk", chat="5")
    await anna.says("есть ли скидки")
    assert "пять процентов" in heard(anna) and "Доставка" in heard(anna)
    assert not {"VIP", "ВКонтакте", "К празднику"} & {x for s in anna.sees() for x in labels(s.outbound)}
    await boris.says("есть ли скидки")
    assert "ВКонтакте" in {x for s in boris.sees() for x in labels(s.outbound)}
    await boris.presses("ВКонтакте")
    assert SECRET in heard(boris)


async def test_a_button_of_yesterday_opens_nothing_that_is_no_longer_theirs(shop: TestBot) -> None:
    anna = shop.customer()
    await anna.says("цена доставки")
    await shop.store.change_fields(1, {"vip": "yes"}, shop.clock(), by="crm")
    await anna.says("есть ли скидки")
    await shop.store.change_fields(1, {"vip": None}, shop.clock(), by="crm")
    await anna.presses("VIP")
    assert SECRET not in heard(anna)


async def test_the_menu_shows_them_nothing_else(shop: TestBot) -> None:
    anna = shop.customer()
    await anna.says("/menu")
    await anna.presses("Bonus")
    assert "Какие есть скидки" in heard(anna) and "VIP" not in heard(anna) and "ВКонтакте" not in heard(anna)


async def test_an_operator_is_offered_what_may_be_sent(shop: TestBot) -> None:
    anna, boris, olga = shop.customer(), shop.customer("Борис", channel="vk", chat="5"), shop.operator()
    for number, customer in enumerate((anna, boris), 1):
        await customer.says("позовите человека")
        await olga.presses("Взять", ticket=number)
        await customer.says("а какая скидка подписчикам?")
        await olga.says("/kb скидка подписчикам", ticket=number)
    assert "Бонусы ВКонтакте" not in "\n".join(x for p in await olga.sees(1) for x in labels(p))
    assert "Бонусы ВКонтакте" in "\n".join(x for p in await olga.sees(2) for x in labels(p))


async def test_hints_are_in_the_customers_language(shop: TestBot) -> None:
    john, olga = shop.customer("John", chat="77", language="en"), shop.operator()
    await john.says("call a person please")
    await olga.presses("Взять", ticket=1)
    await john.says("how much is delivery?")
    assert "Delivery cost" in "\n".join(x for p in await olga.sees(1) for x in labels(p))
    await olga.presses("Delivery cost", ticket=1)
    john.listens()
    await olga.presses("Отправить", ticket=1)
    assert "290 roubles" in heard(john)


async def test_what_is_read_while_waiting_is_for_them(shop: TestBot) -> None:
    """A hint of a moment when it was theirs sends nothing afterwards."""
    anna, olga = shop.customer(), shop.operator()
    await anna.says("цена доставки")
    await shop.store.change_fields(1, {"vip": "yes"}, shop.clock(), by="crm")
    await anna.says("позовите человека")
    await olga.presses("Взять", ticket=1)
    await anna.says("какие скидки постоянным клиентам?")
    await shop.store.change_fields(1, {"vip": None}, shop.clock(), by="crm")
    await olga.presses("Бонусы для VIP", ticket=1)
    shown = (await olga.sees(1))[-1]
    assert SECRET not in shown.text.text and "Отправить клиенту" not in labels(shown)
