"""What a customer does with the words is read before anything is searched."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.knowledge.query.intent_features import RULES, features_of
from bot.knowledge.query.intent_words import bundled_words, read_words
from bot.knowledge.query.intents import read_act
from bot.model import Intent


@pytest.mark.parametrize(
    "text",
    [
        "Соедините меня с вашим сотрудником, пожалуйста",
        "хватит отвечать как автомат, дайте живого",
        "Здравствуйте! Посылка пришла вскрытой, фото приложила. Позовите менеджера.",
        "ПОЗОВИ ОПЕРАТОРА",
        "апиратора пазавите",
        "jgthfnjh",  # «оператор», typed on the English layout
        "gjpjdbnt xtkjdtrf",  # «позовите человека»
        "pozovite operatora pozhaluysta",
        "could you put me through to a real person?",
        "I want to talk to a human, not a bot",
        "get me your manager",
    ],
)
def test_a_person_is_wanted_in_any_wording(text: str) -> None:
    """A request for a person is never searched: other words, typing mistakes, the wrong layout,
    transliteration, English.
    """
    assert read_act(text).act is Intent.HUMAN


@pytest.mark.parametrize(
    "text",
    [
        "какой оператор связи присылает ваши смс?",
        "Спасибо заранее, подскажите, как поменять адрес",
        "человек не может войти в свой кабинет",
        "как стать оператором в вашей компании",
        "позвоните курьеру, он заблудился",
        "менеджер обещал скидку, почему её нет в заказе?",
        "как подключить робота-пылесоса к вайфаю",
        "how do I become a delivery agent?",
        "thanks in advance, when will my parcel arrive?",
        "пока не оплатила, бронь сохранится?",
        "Здравствуйте, сколько стоит доставка до Казани?",
        "не работает промокод",
    ],
)
def test_a_question_with_such_words_in_it_stays_a_question(text: str) -> None:
    """Words that look like a request, thanks or goodbye do not hide a question."""
    assert read_act(text).act is Intent.QUESTION


@pytest.mark.parametrize(
    "text",
    [
        "не нужен менеджер, просто скажите цену",
        "консультант больше не нужен",
        "i don't need a manager, just the invoice",
        "номер поддержки скажите",
        "нужна ли запись к специалисту",
        "do i have to speak to a lawyer before signing",
        "оператор погрузчика обучение",
        "tour operator insurance",
        "вы живой или программа",
        "живые раки бывают?",
        "можно мне замену",
        "давайте на понедельник перепишем",
    ],
)
def test_a_question_about_people_calls_nobody(text: str) -> None:
    """A person who is refused, paid, learnt to be, or who is only named, and words of asking for a thing."""
    assert read_act(text).act is Intent.QUESTION


@pytest.mark.parametrize(
    "text",
    [
        "обалденные булочки, состав какой",
        "ужасно удобные стулья, есть чёрные?",
        "чертовски вкусный суп, что в составе",
        "почему доставка такая дорогая?",
        "не работает кнопка оплаты",
        "awfully nice boots, size 40?",
        "killer deal on the tent, still on?",
    ],
)
def test_strong_words_and_trouble_are_not_anger(text: str) -> None:
    """Praise with a strong word, and a calm complaint that asks."""
    found = read_act(text)

    assert found.act is Intent.QUESTION
    assert found.upset < 0.6


@pytest.mark.parametrize(
    "text",
    [
        "вы вообще сообщения читаете?",
        "немедленно верните мои деньги",
        "бред а не ответ",
        "четвёртый раз вам пишу",
        "give me back my money right now",
        "total waste of my evening",
        "i've lost all patience",
        "unbelievable, wrong cake again, well done",
    ],
)
def test_anger_without_a_swear_word_is_seen(text: str) -> None:
    assert read_act(text).act is Intent.UPSET


@pytest.mark.parametrize(
    "text", ["could a colleague of yours join this chat", "i'd like to chat with one of your advisors"]
)
def test_a_person_is_wanted_without_the_usual_words(text: str) -> None:
    assert read_act(text).act is Intent.HUMAN


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("Добрый день!", Intent.GREETING),
        ("hello there", Intent.GREETING),
        ("ghbdtn", Intent.GREETING),
        ("спасибо большое, выручили", Intent.THANKS),
        ("thank you so much", Intent.THANKS),
        ("до свидания, хорошего вечера", Intent.BYE),
        ("goodbye", Intent.BYE),
        ("вы что там, совсем обнаглели?!", Intent.UPSET),
        ("я подам на вас в суд", Intent.UPSET),
        ("this is absolutely unacceptable, shame on you", Intent.UPSET),
    ],
)
def test_courtesies_and_anger_are_told_apart(text: str, act: Intent) -> None:
    """A greeting, thanks, a goodbye and anger each have their act."""
    assert read_act(text).act is act


def test_yes_and_no_mean_something_only_after_an_answer() -> None:
    """«да» and «нет» say whether an answer helped; without an answer they are left to whoever asked."""
    assert read_act("да, получилось", answered=True).act is Intent.YES_HELPED
    assert read_act("нет, это не то", answered=True).act is Intent.NOT_HELPED
    assert read_act("нет").act is Intent.QUESTION
    assert read_act("да").act is Intent.QUESTION


@pytest.mark.parametrize(
    "text", ["0", "7", "4512", "89210001122", "+7 916 000 11 22", "12.05.2024", "15:30", "?", "...", "№ 88"]
)
def test_a_text_without_a_word_is_no_call_and_no_greeting(text: str) -> None:
    """A number, a date, a mark: it answers a question or is one."""
    found = read_act(text)

    assert found.act is Intent.QUESTION
    assert found.why["human"] == 0


def test_not_helped_is_understood_without_being_asked() -> None:
    """A clear «не помогло» needs no question before it."""
    assert read_act("это совсем не помогло").act is Intent.NOT_HELPED


def test_upset_is_a_degree() -> None:
    """Calm words are near 0, angry ones near 1, and the same question asked angrily stands between."""
    calm = read_act("Подскажите, когда приедет курьер?").upset
    cross = read_act("ДА КОГДА УЖЕ ПРИЕДЕТ ВАШ КУРЬЕР???!!! СКОЛЬКО МОЖНО ЖДАТЬ").upset
    furious = read_act("мошенники, верните деньги, твари! подаю в суд!!!").upset

    assert calm < 0.2 < cross < furious
    assert furious > 0.7


def test_masked_swearing_is_seen() -> None:
    """Stars in a swear word do not make it polite."""
    assert (
        read_act("да вы о**ели, сколько можно п***ц").upset
        > read_act("да вы решили, сколько можно прождать").upset
    )


def test_the_owner_adds_words_of_anger(tmp_path: Path) -> None:
    """A word from the owner's file raises the degree at once, without training."""
    own = tmp_path / "upset.yaml"
    own.write_text("insult: [барыг*]\n", encoding="utf-8")
    words = read_words([own])

    assert read_act("ну вы и барыги барыжные", words=words).upset >= 0.6
    assert read_act("ну вы и барыги барыжные", words=words).upset > read_act("ну вы и барыги барыжные").upset


def test_a_broken_words_file_says_what_to_do(tmp_path: Path) -> None:
    """Every problem of the owner's files comes at once, with the file's name."""
    own = tmp_path / "upset.yaml"
    own.write_text("rage: [зараза]\ninsult: зараза\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        read_words([own, tmp_path / "absent.yaml"])

    assert len(caught.value.problems) == 3
    assert all("yaml" in p.file for p in caught.value.problems)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n", "???", "0", "🤬", "a" * 50_000, "слово " * 20_000, "\ud800", "‮тёкст", "*" * 5_000],
)
def test_any_text_can_be_read(text: str) -> None:
    """Nothing a customer sends makes reading fail, and a long text costs no more than a moment."""
    start = time.process_time()
    reading = read_act(text)

    assert 0 <= reading.upset <= 1
    assert time.process_time() - start < 0.5


def test_why_names_the_words() -> None:
    """The explanation shows the chances of the acts and which listed words were found."""
    why = read_act("позовите оператора").why

    assert why["human"] > 0.5  # type: ignore[operator]
    assert "person" in why["words"]  # type: ignore[operator]


def test_reading_needs_neither_torch_nor_a_dictionary() -> None:
    """Acts are read in a process that never loads torch or pymorphy3."""
    code = (
        "import sys; from bot.knowledge.query.intents import read_act; print(read_act('позовите"
        " оператора').act);print(sorted(m for m in ('torch', 'pymorphy3', 'sentence_transformers', 'scipy')"
        " if m in sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert said == ["human", "[]"]


@pytest.mark.parametrize(
    "word",
    [
        "синий",
        "деньги",
        "queen",
        "рассрочка",
        "шоурум",
        "ортодонт",
        "парковка",
        "виниры",
        "instalments",
        "opening hours",
    ],
)
def test_the_name_of_a_thing_is_a_question(word: str) -> None:
    """One or two calm words that no list knows ask about a thing: nobody is angry and nobody greets."""
    found = read_act(word)

    assert found.act is Intent.QUESTION
    assert found.upset < 0.4


@pytest.mark.parametrize("word", ["обмен", "абонемент", "опт", "виниры", "warranty", "parking", "vegan menu"])
def test_the_name_of_a_thing_after_an_answer_is_the_next_question(word: str) -> None:
    """It does not say that the answer helped."""
    assert read_act(word, answered=True).act is Intent.QUESTION


READINGS = json.loads((Path(__file__).parent / "intent_readings.json").read_text("utf-8"))


@pytest.mark.parametrize("row", READINGS, ids=[row["text"][:30] for row in READINGS])
def test_every_feature_stands_where_the_weights_were_trained_for_it(row: dict[str, Any]) -> None:
    """A feature that is named anew or moved changes no number the weights are multiplied by, and no decision.

    `rules` of a row holds the numbers that are not 0, by their place.
    """
    rules = features_of(row["text"], bundled_words()).rules
    expected = [row["rules"].get(str(place), 0.0) for place in range(RULES)]
    readings = {name: read_act(row["text"], answered=name == "answered") for name in ("alone", "answered")}

    assert rules == pytest.approx(expected, rel=1e-12)
    for name, reading in readings.items():
        assert [reading.act.value, reading.upset, reading.why["human"]] == row[name]
