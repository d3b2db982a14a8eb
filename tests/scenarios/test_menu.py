"""The menu of sections: every article can be reached by buttons alone, on every channel, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.vk.calls import INLINE_BUTTONS, INLINE_ROWS, to_keyboard
from bot.model import Outbound
from bot.testing import PlayedCustomer, TestBot, open_test_bot

CHANNELS = ("telegram", "vk")
SHOP: Mapping[str, tuple[str, str, str]] = {
    **{
        f"dostavka/d{n}": (f"Доставка в город {n}", "", f"Везём в город {n} за {n} дня.") for n in range(1, 8)
    },
    "dostavka/kurier/kurier": ("Курьер", "", "Курьер звонит за час."),
    "vozvrat/srok": ("Срок возврата", "topic: возврат", "Вернуть можно за 14 дней."),
    "vozvrat/draft": ("Ещё не решили", "status: draft", "Этого никто не видит."),
    "vozvrat/old": ("Прошлая акция", "valid_until: 2020-01-01", "Акция прошла."),
    "vozvrat/vip": ("Возврат для своих", "segment: {vip: true}", "Своим вернём за год."),
    "vozvrat/vk": ("Возврат через VK", "channels: [vk]", "Пишите в сообщество."),
}
NAMES = "dostavka: {ru: Доставка, en: Delivery}\n"


def shop(folder: Path, articles: Mapping[str, tuple[str, str, str]] = SHOP, names: str = NAMES) -> Path:
    for name, (title, head, body) in articles.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ntitle: {title}\nlang: ru\n{head}\n---\n{body}\n", encoding="utf-8")
    if names:
        (folder / "_sections.yaml").write_text(names, encoding="utf-8")
    return folder


@pytest.fixture
async def menu_bot(tmp_path: Path) -> AsyncIterator[TestBot]:
    async with open_test_bot(shop(tmp_path / "kb"), threads=False) as testbot:
        yield testbot


def labels(outbound: Outbound) -> list[str]:
    return [b.label for row in outbound.buttons for b in row]


def shown(customer: PlayedCustomer) -> Outbound:
    return customer.sees()[-1].outbound


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "word", ["/menu", "меню", "Разделы", "покажите, пожалуйста, список разделов", "vty."]
)
async def test_a_word_opens_the_sections(menu_bot: TestBot, channel: str, word: str) -> None:
    anna = menu_bot.customer(channel=channel)
    await anna.says(word)

    assert labels(shown(anna)) == ["Доставка", "Возврат", "Позвать оператора"]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_from_the_sections_to_an_answer_and_back(menu_bot: TestBot, channel: str) -> None:
    anna = menu_bot.customer(channel=channel)
    await anna.says("/menu")
    await anna.presses("Возврат")
    wanted = ["1. Срок возврата", "← Все разделы"]
    assert labels(shown(anna)) == (
        wanted if channel == "telegram" else [wanted[0], "2. Возврат через VK", wanted[1]]
    )

    await anna.presses("Срок возврата")
    assert "Вернуть можно за 14 дней." in shown(anna).text.text
    assert labels(shown(anna)) == ["Да, помогло", "Нет, не помогло", "← Возврат", "Позвать оператора"]

    await anna.presses("← Возврат")
    await anna.presses("← Все разделы")
    assert labels(shown(anna)) == ["Доставка", "Возврат", "Позвать оператора"]


async def test_many_articles_come_in_pages_and_inner_sections_open(menu_bot: TestBot) -> None:
    anna = menu_bot.customer()
    await anna.says("/menu")
    await anna.presses("Доставка")
    assert "страница 1 из 2" in shown(anna).text.text
    assert labels(shown(anna)) == [
        "Kurier",
        *(f"{n}. Доставка в город {n}" for n in range(1, 5)),
        "← Все разделы",
        "Дальше ›",
    ]

    await anna.presses("Дальше")
    assert labels(shown(anna)) == [
        *(f"{n - 4}. Доставка в город {n}" for n in range(5, 8)),
        "‹ Назад",
        "← Все разделы",
    ]
    await anna.says("2")
    assert "Везём в город 6" in anna.hears()[-1]

    await anna.says("/menu")
    await anna.presses("Доставка")
    await anna.presses("Kurier")
    assert labels(shown(anna)) == ["1. Курьер", "← Доставка"]


async def test_every_page_fits_under_a_message_of_vk(tmp_path: Path) -> None:
    """Nothing moves to the keyboard under the text field, and nothing is lost, however many there are."""
    many = {f"s{s:02}/a{n:02}": (f"Вопрос {s} {n}", "", "Ответ.") for s in range(21) for n in range(12)}
    async with open_test_bot(shop(tmp_path / "kb", many, ""), threads=False) as testbot:
        anna = testbot.customer(channel="vk")
        seen: set[str] = set()
        await anna.says("/menu")
        for _ in range(3):
            seen |= {label for label in labels(shown(anna)) if label.startswith("S")}
            fits(shown(anna))
            if "Дальше ›" in labels(shown(anna)):
                await anna.presses("Дальше")
        assert len(seen) == 21
        await anna.presses("S20")
        for _ in range(3):
            fits(shown(anna))
            if "Дальше ›" in labels(shown(anna)):
                await anna.presses("Дальше")
        await anna.presses("Вопрос 20 11")
        fits(shown(anna))


def fits(outbound: Outbound) -> None:
    keyboard: dict[str, Any] | None
    keyboard, lines = to_keyboard(outbound.buttons, 1)
    assert keyboard is not None and keyboard["inline"] and not lines
    assert len(keyboard["buttons"]) <= INLINE_ROWS and len(labels(outbound)) <= INLINE_BUTTONS


@pytest.mark.parametrize("channel", CHANNELS)
async def test_what_a_customer_may_not_see_is_in_no_page(menu_bot: TestBot, channel: str) -> None:
    """No draft, nothing out of date, nothing of another segment or channel."""
    anna = menu_bot.customer(channel=channel)
    await anna.says("/menu")
    await anna.presses("Возврат")

    text = shown(anna).text.text
    assert "Срок возврата" in text
    assert not any(hidden in text for hidden in ("Ещё не решили", "Прошлая акция", "для своих"))
    assert ("Возврат через VK" in text) is (channel == "vk")


async def test_an_article_that_went_away_brings_what_is_there(menu_bot: TestBot) -> None:
    anna = menu_bot.customer()
    await anna.says("/menu")
    await anna.presses("Возврат")
    knowledge = menu_bot.service.knowledge
    (knowledge.folder / "vozvrat/srok.md").unlink()
    knowledge.reload()
    await anna.presses("Срок возврата")

    assert "Доставка" in labels(shown(anna))
    assert "14 дней" not in shown(anna).text.text


async def test_an_article_about_the_menu_goes_first(tmp_path: Path) -> None:
    """A restaurant's menu is an article; the command still opens the sections."""
    cafe = {
        "kuhnya/menyu": ("Меню", "aliases: [меню, что поесть]", "Супы, горячее, десерты."),
        "zal/stol": ("Забронировать стол", "", "По телефону."),
    }
    async with open_test_bot(shop(tmp_path / "kb", cafe, ""), threads=False) as testbot:
        anna = testbot.customer()
        await anna.says("меню")
        assert "Супы, горячее" in anna.hears()[-1]
        await anna.says("/menu")
        assert labels(shown(anna)) == ["Kuhnya", "Zal", "Позвать оператора"]


async def test_english_customers_read_english_names(tmp_path: Path) -> None:
    both = {**SHOP}
    folder = shop(tmp_path / "kb", both)
    (folder / "dostavka/d1.en.md").write_text(
        "---\ntitle: Delivery to town 1\nlang: en\n---\nOne day.\n", encoding="utf-8"
    )
    async with open_test_bot(folder, threads=False) as testbot:
        john = testbot.customer("John", language="en")
        await john.says("/menu")
        assert labels(shown(john)) == ["Delivery", "Talk to a person"]
        await john.presses("Delivery")
        assert labels(shown(john)) == ["1. Delivery to town 1", "← All sections"]


async def test_the_greeting_offers_the_sections(menu_bot: TestBot) -> None:
    anna = menu_bot.customer()
    await anna.says("/start")
    assert labels(shown(anna)) == ["Разделы", "Позвать оператора"]
    await anna.presses("Разделы")
    assert "Доставка" in labels(shown(anna))


async def test_an_empty_base_says_so(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    async with open_test_bot(tmp_path / "kb", threads=False) as testbot:
        anna = testbot.customer()
        await anna.says("/menu")
        assert "Разделов пока нет" in anna.hears()[-1] and labels(shown(anna)) == ["Позвать оператора"]
