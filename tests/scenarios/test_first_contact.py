"""What a new customer is asked once: after their question, never in its place, and never of who wants a
person.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.config.loader import Config
from bot.model import InboundKind
from bot.testing import TestBot, open_test_bot

CITY = {"name": "city", "ask": {"ru": "Из какого вы города?", "en": "Which city are you from?"}}
EMAIL = {"name": "email", "type": "email", "ask": {"ru": "Ваша почта?", "en": "Your e-mail?"}}
KIND = {
    "name": "kind",
    "type": "choice",
    "options": ["Для себя", "В подарок"],
    "required": True,
    "ask": {"ru": "Для кого выбираете?", "en": "Whom is it for?"},
}


@asynccontextmanager
async def bot(
    folder: Path, *fields: Mapping[str, object], policy: str = "", storage: str = ":memory:"
) -> AsyncIterator[TestBot]:
    folder.mkdir(exist_ok=True)
    for name, title, aliases, text in (
        ("dostavka", "Сколько стоит доставка", "цена доставки", "Доставка стоит 290 ₽."),
        ("vozvrat", "Как вернуть товар", "вернуть заказ", "Вернуть можно за 14 дней."),
    ):
        head = f"---\ntitle: {title}\naliases: [{aliases}]\nlang: ru\n---\n"
        (folder / f"{name}.md").write_text(f"{head}{text}\n", encoding="utf-8")
    settings = {"first_contact": {"fields": list(fields)}, "consent": {"policy": policy}}
    config = Config.model_validate(settings)
    async with open_test_bot(folder, config=config, storage=storage, threads=False) as testbot:
        yield testbot


async def kept(testbot: TestBot) -> Mapping[str, object]:
    customer = await testbot.store.customer(1)
    assert customer is not None
    return {k: v for k, v in customer.fields.items() if not k.startswith("_")}


def asked(texts: Sequence[str], words: str) -> bool:
    return any(words in text for text in texts)


async def test_the_question_is_answered_first_and_then_ours_are_asked(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", CITY, KIND) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("сколько стоит доставка")
        first, second = anna.hears()
        assert "290 ₽" in first and "Из какого вы города?" in second and "пара вопросов" in second
        await anna.says("Казань")
        assert "Для кого выбираете?" in anna.hears()[0]
        await anna.presses("В подарок")
        assert await kept(testbot) == {"city": "Казань", "kind": "В подарок"}

        await testbot.later(days=2)
        await anna.says("как вернуть товар")  # once
        assert len(anna.hears()) == 1 and "14 дней" in anna.hears()[0]
        await anna.says("позовите человека")
        card = "\n".join(post.text.text for post in await olga.sees(1))
        assert "city — Казань" in card and "kind — В подарок" in card


async def test_a_question_of_the_customers_is_no_answer_to_ours(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", CITY) as testbot:
        anna = testbot.customer()
        await anna.says("сколько стоит доставка")
        await anna.says("как вернуть товар")
        assert "14 дней" in anna.hears()[0] and not asked(anna.hears(), "города")
        assert await kept(testbot) == {}
        await anna.says("спасибо")
        assert not asked(anna.hears(), "города")  # nobody is pestered


async def test_words_that_are_no_value_go_to_the_bot(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", EMAIL) as testbot:
        anna = testbot.customer(channel="vk", chat="5")
        await anna.says("цена доставки")
        assert "Ваша почта?" in anna.hears()[1]
        await anna.says("вернуть заказ")
        assert "14 дней" in anna.hears()[0]
        await anna.says("Anna@Example.ru")  # the question still stands
        assert await kept(testbot) == {"email": "anna@example.ru"}


async def test_who_wants_a_person_gets_one_and_is_asked_nothing(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", CITY) as testbot:
        anna = testbot.customer()
        await anna.says("позовите человека")
        assert (await testbot.store.ticket(1)) is not None and not asked(anna.hears(), "города")
        boris = testbot.customer("Борис", chat="1002")
        await boris.says("сколько стоит доставка")
        await boris.says("позовите человека")
        assert (await testbot.store.ticket(2)) is not None


async def test_after_a_start_the_greeting_comes_first_and_skipping_is_final(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", CITY, EMAIL) as testbot:
        anna = testbot.customer()
        await anna.says(kind=InboundKind.START)
        assert len(anna.hears()) == 2 and "города" in anna.hears()[1]
        await anna.presses("Пропустить")
        assert "Ваша почта?" in anna.hears()[0]
        await anna.presses("Отмена")
        await anna.says("сколько стоит доставка")
        assert len(anna.hears()) == 1


async def test_an_unclear_first_question_is_cleared_up_before(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", CITY) as testbot:
        anna = testbot.customer()
        await anna.says("абракадабра")
        assert not asked(anna.hears(), "города")
        await anna.says("сколько стоит доставка")
        assert "290 ₽" in anna.hears()[0] and asked(anna.hears(), "города")


async def test_consent_comes_before_the_personal_ones_only(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", CITY, EMAIL, policy="https://shop.example/p") as testbot:
        anna = testbot.customer()
        await anna.says("сколько стоит доставка")
        assert asked(anna.hears(), "города")
        await anna.says("Казань")
        assert asked(anna.hears(), "согласие на обработку")
        await anna.says("как вернуть товар")
        assert "14 дней" in anna.hears()[0]
        await anna.presses("Не сейчас")
        assert await kept(testbot) == {"city": "Казань"}


async def test_who_was_here_before_is_not_asked(tmp_path: Path) -> None:
    storage = str(tmp_path / "bot.db")
    async with bot(tmp_path / "kb", storage=storage) as testbot:
        await testbot.customer().says("сколько стоит доставка")
    async with bot(tmp_path / "kb", CITY, storage=storage) as testbot:
        anna = testbot.customer()
        await anna.says("как вернуть товар")
        assert len(anna.hears()) == 1
