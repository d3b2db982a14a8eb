"""What very common words get of a customer who writes for the first time, in the demo shop, in both
languages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from bot.app import Overrides, open_knowledge
from bot.config.loader import Config, read_config
from bot.dialogs.everyday import TOPICS, EverydayPhrases
from bot.i18n.texts import Texts
from bot.knowledge.search import Knowledge
from bot.model import Outbound
from bot.testing.harness import PlayedCustomer, TestBot, open_test_bot

ROOT = Path(__file__).parents[2]
LINES: Mapping[str, Sequence[str]] = yaml.safe_load(
    (ROOT / "tests" / "everyday_lines.yaml").read_text("utf-8")
)
SAID = {
    "who": ("бот поддержки", "support bot"),
    "bot": ("Я бот, а не человек", "I am a bot, not a human"),
    "can": (
        "Отвечаю на вопросы",
        "I answer questions",
        "Напишите вопрос своими словами",
        "Ask in your own words",
    ),
    "ask": (
        "Слушаю",
        "Что хотите узнать",
        "Sure!",
        "would you like to know",
        "Чем помочь",
        "бот поддержки",
        "support bot",
    ),
    "where": ("Ромашковый проезд, 7", "Romashkovy proezd 7"),
    "wait": ("отвечаю сразу", "answers at once"),
    "languages": ("по-русски и по-английски", "Russian and English"),
    "hours": ("до 20:00", "until 20:00", "с 10:00 до 20:00", "from 10:00 to 20:00"),
    "phone": ("8 800 000-12-34",),
    "greet": ("Напишите вопрос своими словами", "Ask in your own words"),
    "no": ("Чем помочь", "что вас интересует", "How can I help", "would you like to know"),
    "person": ("Номер обращения", "Your request is"),
    "not_needed": (
        "Если появится вопрос",
        "Появится вопрос",
        "Понятно",
        "Обращайтесь",
        "пожалуйста",
        "All right",
        "Good!",
        "if you need anything",
    ),
}


@pytest.fixture(scope="module")
def config() -> Config:
    return read_config(ROOT / "config.yaml", environment={})


@pytest.fixture(scope="module")
def knowledge(config: Config) -> Knowledge:
    without = replace_model(config)
    return open_knowledge(without)


def replace_model(config: Config) -> Config:
    embeddings = config.knowledge.embeddings.model_copy(update={"model": "off"})
    return config.model_copy(
        update={"knowledge": config.knowledge.model_copy(update={"embeddings": embeddings})}
    )


@pytest.fixture
async def shop(config: Config, knowledge: Knowledge) -> AsyncIterator[TestBot]:
    async with open_test_bot(
        ROOT / "kb_articles", config=config, given=Overrides(knowledge=knowledge), threads=False
    ) as opened:
        yield opened


def stranger(shop: TestBot, number: int = 0) -> PlayedCustomer:
    return shop.customer("Анна", chat=str(2000 + number))


def heard(customer: PlayedCustomer) -> str:
    return " ‖ ".join(customer.hears())


@pytest.mark.parametrize("topic", SAID)
async def test_everyday_words_get_a_sensible_answer(shop: TestBot, topic: str) -> None:
    """Each line is said by somebody new; what is not answered so is listed, all of it."""
    wrong = []
    for number, line in enumerate(LINES[topic]):
        customer = stranger(shop, number)
        await customer.says(line)
        if not any(part in heard(customer) for part in SAID[topic]):
            wrong.append(f"{line} -> {heard(customer)[:120]}")
    assert not wrong, "\n".join(wrong)


def test_words_that_only_look_alike_are_left_to_the_articles() -> None:
    """A closed vocabulary: one word more than it knows makes it another question."""
    everyday = EverydayPhrases(Texts.load())
    assert {line: everyday.topic(line) for line in LINES["article"] if everyday.topic(line)} == {}


def test_every_topic_is_heard_in_both_languages() -> None:
    """The owner may put own lines in place of ours, key by key."""
    words = Texts.load()
    assert [t for t in TOPICS if not words.options(f"everyday.heard.{t}")] == []


async def test_a_call_for_a_person_brings_no_article(shop: TestBot) -> None:
    """At night, in a long queue, among other words: an article is offered only to a question."""
    for hour, wait in (("day", 0), ("night", 11)):
        shop.clock.advance(hours=wait)
        for number in range(5):
            customer = shop.customer(chat=f"{hour}{number}")
            await customer.says(
                "позовите оператора пожалуйста, заказ 123, мой телефон +79161234567"
                if number % 2
                else "позовите оператора"
            )
            assert "Номер обращения" in heard(customer)
            assert "Пока ждёте" not in heard(customer)


async def test_a_question_beside_the_call_keeps_its_article(shop: TestBot) -> None:
    """What is asked in the same breath and has an answer is offered while waiting."""
    for number in range(3):
        await stranger(shop, number).says("позовите оператора")
    customer = stranger(shop, 9)
    await customer.says("позовите оператора, как вернуть товар")
    assert "Как вернуть товар" in labels(customer.sees()[-1].outbound)


async def test_not_needed_any_more_cancels_after_one_tap(shop: TestBot) -> None:
    """The words reach the operators, too; nothing is cancelled before the tap."""
    customer = stranger(shop)
    await customer.says("позовите оператора")
    await customer.says("спасибо, уже не нужно")
    assert "отменю обращение №1" in heard(customer)
    ticket = await shop.service.store.ticket(1)
    assert ticket is not None and ticket.status == "waiting"
    assert any("уже не нужно" in o.text.text for o in await shop.operator().sees(1))
    await customer.presses("Отменить обращение")
    ticket = await shop.service.store.ticket(1)
    assert ticket is not None and ticket.status == "closed"


@pytest.mark.parametrize(
    "line",
    ["всё решилось, спасибо", "never mind", "отмена", "больше не актуально", "uzhe ne nado", "e;t yt yflj"],
)
async def test_a_typed_yes_cancels_as_the_tap_does(shop: TestBot, line: str) -> None:
    """And a yes that answers nothing is only carried."""
    customer = stranger(shop)
    await customer.says("позовите оператора")
    await customer.says("да")
    assert (await shop.service.store.ticket(1)).status == "waiting"  # type: ignore[union-attr]
    await customer.says(line)
    await customer.says("да")
    assert (await shop.service.store.ticket(1)).status == "closed"  # type: ignore[union-attr]


@pytest.mark.parametrize("wait", [0, 11])
async def test_who_waits_still_gets_what_the_bot_surely_knows(shop: TestBot, wait: int) -> None:
    """Once, day and night; ticket, place and words stay with the operators."""
    shop.clock.advance(hours=wait)
    customer = stranger(shop)
    await customer.says("позовите оператора")
    await customer.says("сколько стоит доставка?")
    assert "от 150 ₽" in heard(customer) and "Обращение №1 остаётся" in heard(customer)
    ticket = await shop.service.store.ticket(1)
    assert ticket is not None and ticket.status == "waiting" and not ticket.operator
    seen = [o.text.text for o in await shop.operator().sees(1)]
    assert any("сколько стоит доставка?" in text for text in seen) and any(
        "Стоимость доставки" in text for text in seen
    )
    await customer.says("так сколько стоит доставка?")
    assert "от 150 ₽" not in heard(customer)


async def test_who_waits_is_told_of_the_business_and_no_more_guesses(shop: TestBot) -> None:
    customer = stranger(shop)
    await customer.says("позовите оператора")
    await customer.says("вы где?")
    assert "Ромашковый проезд, 7" in heard(customer)
    for line in ("вы человек?", "доставка", "это кошмар, где мои деньги!!!", "вот фото трещины"):
        await customer.says(line)
        assert "Это помогло" not in heard(customer) and "1." not in heard(customer)


async def test_an_operator_who_is_at_it_is_not_talked_over(shop: TestBot) -> None:
    customer = stranger(shop)
    await customer.says("позовите оператора")
    await shop.operator().presses("Взять", ticket=1)
    for line in ("сколько стоит доставка?", "уже не нужно", "вы где?"):
        await customer.says(line)
        assert heard(customer) == ""


async def test_a_number_means_the_list_before_the_words_between(shop: TestBot) -> None:
    customer = stranger(shop)
    await customer.says("доставка")
    first = labels(customer.sees()[-1].outbound)[0]
    assert first.startswith("1. ")
    await customer.says("а бесплатно?")
    await customer.says("1")
    assert "от 150 ₽" in heard(customer) and "Стоимость доставки" in first
    await customer.says("2")
    assert "Это помогло" in heard(customer)


async def test_one_candidate_is_a_question_to_be_answered_with_yes_or_no(shop: TestBot) -> None:
    line = await one_candidate_line(shop)
    agreed, declined = stranger(shop, 1), stranger(shop, 2)
    for customer in (agreed, declined):
        await customer.says(line)
        assert labels(customer.sees()[-1].outbound)[:2] == ["Да, об этом", "Нет"]
        assert "1." not in heard(customer)
    await agreed.says("да")
    assert "Это помогло" in heard(agreed)
    await declined.presses("Нет")
    assert "Позвать оператора?" in heard(declined)
    await declined.says("да")
    assert "Номер обращения" in heard(declined)


async def one_candidate_line(shop: TestBot) -> str:
    for number, line in enumerate(
        ("когда приедет курьер", "где заказ", "деньги", "что можно вернуть", "есть ли у вас рассрочка")
    ):
        customer = stranger(shop, 50 + number)
        await customer.says(line)
        if "Да, об этом" in labels(customer.sees()[-1].outbound):
            return line
    raise AssertionError("no line has one candidate only: choose another")


async def test_without_contacts_in_the_settings_nothing_is_made_up(
    config: Config, knowledge: Knowledge
) -> None:
    """Where neither the settings nor an article know, the bot says so and offers a person."""
    bare = config.model_copy(
        update={"business": config.business.model_copy(update={"address": "", "phone": ""})}
    )
    async with open_test_bot(
        ROOT / "kb_articles", config=bare, given=Overrides(knowledge=knowledge), threads=False
    ) as service:
        customer = stranger(service)
        await customer.says("откуда вы")
        assert "проезд" not in heard(customer) and "Позвать оператора" in "".join(
            labels(customer.sees()[-1].outbound)
        )


async def test_hours_are_told_as_they_are_now(shop: TestBot) -> None:
    day, night = stranger(shop, 1), stranger(shop, 2)
    await day.says("вы работаете?")
    assert "Сейчас мы работаем — сегодня до 20:00" in heard(day)
    shop.clock.advance(hours=11)
    await night.says("вы работаете?")
    assert "Сейчас мы не работаем; откроемся завтра в 10:00" in heard(night)


async def test_how_long_a_reply_takes_is_told_as_it_is_now(shop: TestBot) -> None:
    """The hours by day and night; minutes only where past answers tell them; a yes calls the operator."""
    day, night = stranger(shop, 1), stranger(shop, 2)
    await day.says("сколько ждать оператора?")
    assert "сегодня работают до 20:00" in heard(day) and "минут" not in heard(day)
    shop.clock.advance(hours=11)
    await night.says("когда мне ответят")
    assert "Сейчас операторы не работают; ответят завтра с 10:00" in heard(night)
    await night.says("да")
    assert "Номер обращения" in heard(night)


async def test_minutes_of_waiting_come_from_past_answers(shop: TestBot) -> None:
    for number in range(3):
        await stranger(shop, number).says("позовите оператора")
    shop.clock.advance(minutes=8)
    operator = shop.operator()
    for number in (1, 2, 3):
        await operator.presses("Взять", ticket=number)
        await operator.says("Здравствуйте!", ticket=number)
    customer = stranger(shop, 9)
    await customer.says("how long until someone answers?")
    assert "10 minutes" in heard(customer) or "10 минут" in heard(customer)


async def test_hours_name_the_zone_they_are_told_in(shop: TestBot) -> None:
    """Whoever writes from another city cannot know it otherwise."""
    customer = stranger(shop)
    await customer.says("до скольки вы работаете")
    assert "10:00–20:00 (время: Москва)" in heard(customer)


def labels(outbound: Outbound) -> list[str]:
    return [button.label for row in outbound.buttons for button in row]
