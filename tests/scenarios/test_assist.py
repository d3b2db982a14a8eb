"""Help while answering: ready answers, hints, second thoughts, and what did not arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.errors import ConfigError, Refused
from bot.handoff.assist.canned import CannedAnswers
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.knowledge.quality.gaps import missed
from bot.model import Customer, InboundKind, OutboundKind, RichText
from bot.testing import TestBot, open_test_bot

READY = """
привет:
  title: Приветствие
  words: [здравствуйте]
  text: "{{ customer|name }}, здравствуйте! Меня зовут {{ operator }}."
возврат: |
  Оформим возврат заказа {{ order }}.
готов: "{% if order %}Заказ {{ order }} готов.{% else %}Ваш заказ готов.{% endif %}"
возмещение:
  text: Деньги вернутся за 3 дня.
"""


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    folder = tmp_path / "canned"
    folder.mkdir()
    (folder / "ready.yaml").write_text(READY, "utf-8")
    return folder


async def test_a_ready_answer_is_shown_first_and_sent_with_a_tap(articles: Path, ready: Path) -> None:
    """Found in spite of a typo, filled in for this customer, in the operator's name; nothing goes before the
    tap.
    """
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        anna.listens()
        await olga.says("/t превет", ticket=1)
        if not any("Отправить" in b.label for o in await olga.sees(1) for row in o.buttons for b in row):
            await olga.presses("Приветствие", ticket=1)
        assert anna.hears() == []
        await olga.presses("Отправить клиенту", ticket=1)

        assert "Анна, здравствуйте! Меня зовут Ольга." in anna.hears()
        ticket = await testbot.service.store.ticket(1)
        assert ticket is not None and ticket.operator == "telegram:9001" and ticket.first_reply is not None


@pytest.mark.parametrize(
    ("key", "missing"),
    [
        ("привет", ("имя клиента",)),
        ("возврат", ("номер заказа",)),
        ("склейка", ("имя клиента", "номер заказа")),
        ("поле", ("customer.fields.size",)),
    ],
)
async def test_a_ready_answer_is_never_shown_with_a_gap(
    articles: Path, ready: Path, key: str, missing: tuple[str, ...]
) -> None:
    """«, здравствуйте!» is no greeting: the operator hears which value is missing, and there is nothing to
    tap.
    """
    (ready / "more.yaml").write_text(
        """
        склейка: "{{ 'Здравствуйте, ' ~ customer|name }}! Заказ {{ order|upper }} готов."
        поле: "Размер {{ customer.fields.size }} есть."
        """,
        "utf-8",
    )
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        nobody, olga = testbot.customer("xXx_killer"), testbot.operator()
        await nobody.says("позовите оператора")
        nobody.listens()
        before = len(await olga.sees(1))
        await olga.says(f"/t {key}", ticket=1)

        told = (await olga.sees(1))[before:]
        assert all(name in told[-1].text.text for name in missing), told[-1].text.text
        assert "сами" in told[-1].text.text and nobody.hears() == []
        assert not any(b.action == "send_ready" for o in told for row in o.buttons for b in row)


async def test_a_ready_answer_that_means_to_leave_something_out_may(articles: Path, ready: Path) -> None:
    """A condition or a default of its own is no gap."""
    (ready / "more.yaml").write_text(
        "мягко: \"Здравствуйте{{ ', ' ~ customer|name if customer|name }}{{ order|default('') }}!\"\n",
        "utf-8",
    )
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        nobody, olga = testbot.customer("xXx_killer"), testbot.operator()
        await nobody.says("позовите оператора")
        nobody.listens()
        for key in ("мягко", "готов"):
            await olga.says(f"/t {key}", ticket=1)
            await olga.presses("Отправить клиенту", ticket=1)

        assert "Здравствуйте!" in nobody.hears() and "Ваш заказ готов." in nobody.hears()


async def test_a_ready_answer_that_lacks_its_value_is_no_hint(articles: Path, ready: Path) -> None:
    """Under the customer's words stands only what could be sent."""
    (ready / "more.yaml").write_text(
        'скидка: {title: Скидка по заказу, words: [скидка], text: "На заказ {{ order }} есть скидка."}\n',
        "utf-8",
    )
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await olga.says("Здравствуйте", ticket=1)
        await anna.says("а скидка будет или возмещение")
        labels = [b.label for row in (await olga.sees(1))[-1].buttons for b in row]

        assert not any("Скидка по заказу" in la for la in labels) and any(
            "возмещение" in la for la in labels
        ), labels


def test_single_braces_in_a_ready_answer_are_told_with_their_line(tmp_path: Path) -> None:
    """{customer.name} would reach the customer as it stands."""
    (tmp_path / "x.yaml").write_text(
        "привет: |\n  Здравствуйте!\n  Вас зовут {customer.name}, верно?\n", "utf-8"
    )
    with pytest.raises(ConfigError) as told:
        CannedAnswers(tmp_path, Texts.load(), Hours())
    assert (told.value.problems[0].line, told.value.problems[0].file) == (3, str(tmp_path / "x.yaml"))
    assert "{customer.name}" in str(told.value) and "{{ customer.name }}" in told.value.problems[0].hint


async def test_several_ready_answers_are_offered(articles: Path, ready: Path) -> None:
    """Two fit: buttons; none fits: one clear line, nothing for the customer."""
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await olga.says("/t воз", ticket=1)
        labels = {b.label for row in (await olga.sees(1))[-1].buttons for b in row}
        assert labels == {"возврат", "возмещение"}
        await olga.says("/t хщшгзц", ticket=1)

        assert "нет" in (await olga.sees(1))[-1].text.text


def test_a_ready_answer_may_not_do_more_than_say(tmp_path: Path) -> None:
    """A template that calls or includes things is refused at start, with its name."""
    (tmp_path / "x.yaml").write_text('зло: "{{ customer.__class__.mro() }}"\n', "utf-8")
    with pytest.raises(ConfigError, match="зло"):
        CannedAnswers(tmp_path, Texts.load(), Hours())


def test_a_changed_file_is_read_again_and_a_broken_one_keeps_the_older(ready: Path) -> None:
    """Editing ready answers needs no restart and cannot take them away."""
    canned = CannedAnswers(ready, Texts.load(), Hours())
    (ready / "more.yaml").write_text("новый: Текст\n", "utf-8")
    assert [r.key for r in canned.find("новый")] == ["новый"]
    (ready / "more.yaml").write_text("{{{", "utf-8")

    assert [r.key for r in canned.find("новый")] == ["новый"]
    made = canned.fill(canned.find("привет")[0], {"customer": Customer(1, "Пётр"), "operator": "Ольга"})
    assert isinstance(made, RichText) and made.text.startswith("Пётр")


async def test_the_article_that_answers_is_a_button_under_the_customers_words(testbot: TestBot) -> None:
    """Operators see it, the customer does not; two taps send it."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await anna.says("как вернуть товар")
    carried = (await olga.sees(1))[-1]
    assert carried.text.text == "как вернуть товар" and "Возврат" in carried.buttons[0][0].label
    assert anna.hears() == []
    await olga.presses("💡", ticket=1)
    assert anna.hears() == []
    await olga.presses("Отправить клиенту", ticket=1)

    assert any("14 дней" in text for text in anna.hears())


async def test_rude_words_are_asked_about_first(testbot: TestBot) -> None:
    """Not sent until somebody says so; then exactly those words."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    anna.listens()
    await olga.says("Это ваши проблемы", ticket=1, message="88")
    assert anna.hears() == [] and any("Точно отправить" in o.text.text for o in await olga.sees(1))
    await olga.presses("Всё равно", ticket=1)

    assert anna.hears() == ["Это ваши проблемы"]


async def test_the_last_answer_can_be_taken_back_while_it_is_fresh(testbot: TestBot) -> None:
    """/undo deletes it at the customer's; a minute later it is too late."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Не тому", ticket=1)
    sent = anna.sees()[-1].message
    await olga.says("/undo", ticket=1)
    deleted = testbot.channels["telegram"].in_chat("1001", kind=OutboundKind.DELETE)
    assert [s.target for s in deleted] == [sent]
    await olga.says("Тому", ticket=1)
    await testbot.later(minutes=2)
    await olga.says("/undo", ticket=1)

    assert len(testbot.channels["telegram"].in_chat("1001", kind=OutboundKind.DELETE)) == 1
    assert any("Поздно" in o.text.text for o in await olga.sees(1))


async def test_what_did_not_arrive_is_sent_again_once(testbot: TestBot) -> None:
    """The button under the notice sends the same words; a second press does nothing."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    testbot.channels["telegram"].failures.append(Refused("blocked"))
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    await olga.presses("Отправить ещё раз", ticket=1)
    await olga.presses("Отправить ещё раз", ticket=1)

    assert anna.hears() == ["Здравствуйте"]


async def test_a_whisper_calls_the_operator_and_nobody_else(testbot: TestBot) -> None:
    """A note with a call; the customer hears nothing."""
    anna, olga, vera = testbot.customer(), testbot.operator(), testbot.operator("Вера", id="9009")
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    await vera.says("//! предложи скидку", ticket=1)

    assert anna.hears() == []
    assert any("Ольга" in o.text.text and "Вера" in o.text.text for o in await olga.sees(1))
    assert [line.text for line in await testbot.service.store.history(1) if line.author == "note"] == [
        "предложи скидку"
    ]


async def test_ready_answers_are_offered_beside_articles(articles: Path, ready: Path) -> None:
    """By what the customer's words have in common with their names; two taps send one."""
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора, заказ 48213")
        await olga.says("Слушаю", ticket=1)
        await anna.says("как вернуть товар, нужен возврат")
        labels = [b.label for row in (await olga.sees(1))[-1].buttons for b in row]
        assert labels == ["💡 Возврат товара", "📋 возврат"]
        await olga.presses("📋 возврат", ticket=1)
        await olga.presses("Отправить клиенту", ticket=1)

        assert any("Оформим возврат" in text for text in anna.hears())
        sent = await testbot.service.store.events(kinds=["ready_sent"])
        assert [(e.data["what"], e.data["title"]) for e in sent] == [("canned:возврат", "возврат")]


async def test_the_card_itself_has_hints(testbot: TestBot) -> None:
    """For the question that opened the ticket, also where it came a message before the call for a person."""
    anna, boris, olga = testbot.customer(), testbot.customer("Борис", chat="1002"), testbot.operator()
    await anna.says("позовите оператора, хочу вернуть товар")
    await boris.says("здравствуйте, нужен возврат покупки, у меня беда", "позовите оператора")

    for number, customer in ((1, anna), (2, boris)):
        card = [o for o in await olga.sees(number) if o.buttons][-1]
        assert any(b.label == "💡 Возврат товара" for row in card.buttons for b in row), number
        assert not any(
            "Возврат товара" in b.label for s in customer.sees() for row in s.outbound.buttons for b in row
        )


async def test_in_a_long_queue_articles_are_offered_meanwhile(testbot: TestBot) -> None:
    """Whoever stands behind others gets what may answer them, reads it, and keeps their place; the one that
    did not help is not offered again.
    """
    for n in range(3):
        await testbot.customer(chat=str(2000 + n)).says("позовите оператора")
    anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
    await anna.says("позовите оператора, хочу вернуть товар")
    assert any("вдруг ответ здесь" in text for text in anna.hears())
    await anna.presses("Возврат товара")
    assert any("14 дней" in text for text in anna.hears())
    assert (await testbot.service.store.ticket(4)).status == "waiting"  # type: ignore[union-attr]
    await boris.says("Сколько идёт доставка?")
    await boris.presses("Нет, не помогло")
    await boris.says("позовите оператора")

    offered = [
        b.label for s in boris.sees() for row in s.outbound.buttons for b in row if b.action == "article"
    ]
    assert "Сроки доставки" not in offered


async def test_words_made_of_a_ready_answer_are_told_from_those_sent_as_they_are(
    articles: Path, ready: Path
) -> None:
    """A copied preview that was made to fit counts as edited; the same words count as sent; others as
    neither.
    """
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора, заказ 48213")
        for words in (
            "Оформим возврат заказа 48213. Курьер заедет завтра.",
            "Оформим возврат заказа 48213.",
            "Добрый день!",
        ):
            await olga.says("/t возврат", ticket=1)
            await olga.says(words, ticket=1)

        found = await testbot.service.store.events(kinds=["ready_sent", "ready_edited"])
        assert [e.kind for e in found] == ["ready_edited", "ready_sent"]
        assert "Курьер заедет" in anna.channel.in_chat("1001")[1].outbound.text.text


async def test_calling_a_colleague_stays_inside(testbot: TestBot) -> None:
    """At the beginning it is a note; in the middle it is asked about first. The customer hears neither."""
    anna, olga, pavel = testbot.customer(), testbot.operator(), testbot.operator("Павел", id="9002")
    pavel.sender = type(pavel.sender)("9002", "Павел", username="pavel_s")
    await pavel.says("на месте")
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    anna.listens()
    await olga.says("@Pavel_S, что с оплатой у него?", ticket=1)
    await olga.says("@new_colleague посмотри и ты", ticket=1)  # nobody has seen them here yet
    await olga.says("Вот это он просит, @pavel_s глянь", ticket=1)

    assert anna.hears() == []
    assert any("Точно отправить" in o.text.text for o in await olga.sees(1))
    ticket = await testbot.service.store.ticket(1)
    notes = [
        line.text
        for line in await testbot.service.store.history(ticket.conversation if ticket else 0)
        if line.author == "note"
    ]
    assert notes == ["@Pavel_S, что с оплатой у него?", "@new_colleague посмотри и ты"]
    await olga.says("Пишите на help@pavel_s.ru", ticket=1)
    assert anna.hears() == ["Пишите на help@pavel_s.ru"]


async def test_what_was_held_back_and_then_mended_is_sent_as_mended(testbot: TestBot) -> None:
    """Instead of pressing, the operator changes their message: the customer gets the kind words, once."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    anna.listens()
    await olga.says("Это ваши проблемы", ticket=1, message="88")
    await olga.does(InboundKind.EDIT, "Сейчас поможем", ticket=1, message="88")
    await olga.does(InboundKind.EDIT, "Сейчас всё решим", ticket=1, message="88")

    assert [(s.outbound.kind, s.outbound.text.text) for s in anna.sees()] == [
        (OutboundKind.SAY, "Сейчас поможем"),
        (OutboundKind.EDIT, "Сейчас всё решим"),
    ]


async def test_gaps_learn_from_what_operators_really_answer(testbot: TestBot) -> None:
    """A question asked of a person, which the articles do not answer, is a gap with their words as the
    draft's beginning.
    """
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Слушаю вас", ticket=1)
    await anna.says("а подарочная упаковка у вас бывает?")
    await olga.says("Да, упакуем за 150 рублей", ticket=1)
    store = testbot.service.store
    lines = {t.conversation: await store.history(t.conversation) for t in await store.turns()}
    found = missed(await store.turns(), lambda conversation: lines[conversation])

    assert [(m.question, m.replies) for m in found] == [
        ("а подарочная упаковка у вас бывает?", ("Да, упакуем за 150 рублей",))
    ]


async def test_a_ready_answer_can_be_taken_back_like_any_other(articles: Path, ready: Path) -> None:
    """/undo after the tap deletes what the customer got."""
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await olga.says("/t возмещение", ticket=1)
        await olga.presses("Отправить клиенту", ticket=1)
        sent = anna.sees()[-1]
        assert sent.outbound.text.text == "Деньги вернутся за 3 дня."
        await olga.says("/undo", ticket=1)

        assert [s.target for s in testbot.channels["telegram"].in_chat("1001", kind=OutboundKind.DELETE)] == [
            sent.message
        ]


async def test_a_card_keeps_to_ten_buttons(articles: Path, ready: Path) -> None:
    """Which is what VK puts under a message; with more they would become a keyboard for the whole group."""
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        await testbot.customer().says(
            "позовите оператора, возврат товара, возмещение, здравствуйте, мой телефон +7 912 345-67-89"
        )
        cards = [o for o in await testbot.operator().sees(1) if o.buttons]

        assert (
            max(sum(len(row) for row in o.buttons) for o in cards) <= 10
            and max(len(o.buttons) for o in cards) <= 6
        )
        assert any("💡" in b.label for row in cards[-1].buttons for b in row)


async def test_a_ready_answer_is_never_offered_with_a_gap(articles: Path, ready: Path) -> None:
    """Without the number that it prints it cannot be made; one that asks whether there is a number can."""
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(ready)}})
    ) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите оператора")
        await olga.says("/t возврат", ticket=1)
        await olga.says("/t готов", ticket=1)
        shown = [
            o for o in await olga.sees(1) if any(b.action == "send_ready" for row in o.buttons for b in row)
        ]

        assert any("Не хватает: номер заказа" in o.text.text for o in await olga.sees(1))
        assert [o.text.text.splitlines()[-1] for o in shown] == ["Ваш заказ готов."]

        petr = testbot.customer("Пётр", chat="1002")
        await petr.says("позовите оператора, заказ 48213")
        await olga.says("/t возврат", ticket=2)
        assert "заказа 48213" in [o.text.text for o in await olga.sees(2) if o.kind is OutboundKind.SAY][-1]
