"""Help while answering: ready answers, hints, second thoughts, and what did not arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Config
from bot.errors import ConfigError, Refused
from bot.handoff.canned import Canned
from bot.handoff.hours import Hours
from bot.model import Customer, Verb
from bot.testing import Theatre, open_theatre
from bot.wording import Wording

READY = """
привет:
  title: Приветствие
  words: [здравствуйте]
  text: "{{ customer|name }}, здравствуйте! Меня зовут {{ operator }}."
возврат: |
  Оформим возврат заказа {{ order }}.
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
    """Found in spite of a typo, filled in for this customer, in the operator's name; nothing goes before the tap."""
    async with open_theatre(articles, config=Config.model_validate({"canned": {"folder": str(ready)}})) as theatre:
        anna, olga = theatre.customer(), theatre.operator()
        await anna.says("позовите оператора")
        anna._mark = len(theatre.channels["telegram"].said)
        await olga.says("/t превет", ticket=1)
        if not any("Отправить" in b.label for o in await olga.sees(1) for row in o.buttons for b in row):
            await olga.presses("Приветствие", ticket=1)
        assert anna.hears() == []
        await olga.presses("Отправить клиенту", ticket=1)

        assert "Анна, здравствуйте! Меня зовут Ольга." in anna.hears()
        ticket = await theatre.house.store.ticket(1)
        assert ticket is not None and ticket.operator == "telegram:9001" and ticket.first_reply is not None


async def test_several_ready_answers_are_offered(articles: Path, ready: Path) -> None:
    """Two fit: buttons; none fits: one clear line, nothing for the customer."""
    async with open_theatre(articles, config=Config.model_validate({"canned": {"folder": str(ready)}})) as theatre:
        anna, olga = theatre.customer(), theatre.operator()
        await anna.says("позовите оператора")
        await olga.says("/t воз", ticket=1)
        labels = {b.label for row in (await olga.sees(1))[-1].buttons for b in row}
        assert labels == {"возврат", "возмещение"}
        await olga.says("/t хщшгзц", ticket=1)

        assert "нет" in (await olga.sees(1))[-1].text.text


def test_a_ready_answer_may_not_do_more_than_say(tmp_path: Path) -> None:
    """A template that calls or includes things is refused at start, with its name."""
    (tmp_path / "x.yaml").write_text("зло: \"{{ customer.__class__.mro() }}\"\n", "utf-8")
    with pytest.raises(ConfigError, match="зло"):
        Canned(tmp_path, Wording.load(), Hours())


def test_a_changed_file_is_read_again_and_a_broken_one_keeps_the_older(ready: Path) -> None:
    """Editing ready answers needs no restart and cannot take them away."""
    canned = Canned(ready, Wording.load(), Hours())
    (ready / "more.yaml").write_text("новый: Текст\n", "utf-8")
    assert [r.key for r in canned.find("новый")] == ["новый"]
    (ready / "more.yaml").write_text("{{{", "utf-8")

    assert [r.key for r in canned.find("новый")] == ["новый"]
    assert canned.render(canned.find("привет")[0], {"customer": Customer(1, "Пётр"), "operator": "Ольга"}).text.startswith("Пётр")


async def test_the_article_that_answers_is_a_button_under_the_customers_words(theatre: Theatre) -> None:
    """Operators see it, the customer does not; two taps send it."""
    anna, olga = theatre.customer(), theatre.operator()
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


async def test_rude_words_are_asked_about_first(theatre: Theatre) -> None:
    """Not sent until somebody says so; then exactly those words."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    anna._mark = len(theatre.channels["telegram"].said)
    await olga.says("Это ваши проблемы", ticket=1, message="88")
    assert anna.hears() == [] and any("Точно отправить" in o.text.text for o in await olga.sees(1))
    await olga.presses("Всё равно", ticket=1)

    assert anna.hears() == ["Это ваши проблемы"]


async def test_the_last_answer_can_be_taken_back_while_it_is_fresh(theatre: Theatre) -> None:
    """/undo deletes it at the customer's; a minute later it is too late."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    await olga.says("Не тому", ticket=1)
    sent = anna.sees()[-1].message
    await olga.says("/undo", ticket=1)
    deleted = theatre.channels["telegram"].in_chat("1001", verb=Verb.DELETE)
    assert [s.target for s in deleted] == [sent]
    await olga.says("Тому", ticket=1)
    await theatre.later(minutes=2)
    await olga.says("/undo", ticket=1)

    assert len(theatre.channels["telegram"].in_chat("1001", verb=Verb.DELETE)) == 1
    assert any("Поздно" in o.text.text for o in await olga.sees(1))


async def test_what_did_not_arrive_is_sent_again_once(theatre: Theatre) -> None:
    """The button under the notice sends the same words; a second press does nothing."""
    anna, olga = theatre.customer(), theatre.operator()
    await anna.says("позовите оператора")
    theatre.channels["telegram"].failures.append(Refused("blocked"))
    await olga.says("Здравствуйте", ticket=1)
    anna._mark = len(theatre.channels["telegram"].said)
    await olga.presses("Отправить ещё раз", ticket=1)
    await olga.presses("Отправить ещё раз", ticket=1)

    assert anna.hears() == ["Здравствуйте"]


async def test_a_whisper_calls_the_operator_and_nobody_else(theatre: Theatre) -> None:
    """A note with a call; the customer hears nothing."""
    anna, olga, vera = theatre.customer(), theatre.operator(), theatre.operator("Вера", id="9009")
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    anna._mark = len(theatre.channels["telegram"].said)
    await vera.says("//! предложи скидку", ticket=1)

    assert anna.hears() == []
    assert any("Ольга" in o.text.text and "Вера" in o.text.text for o in await olga.sees(1))
    assert [line.text for line in await theatre.house.store.history(1) if line.author == "note"] == ["предложи скидку"]
