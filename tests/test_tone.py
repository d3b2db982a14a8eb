"""What is worth saying otherwise is named with what to say instead; what is said well is left in peace."""

from __future__ import annotations

import pytest

from bot.i18n.texts import builtin
from bot.text.tone import ToneCheck

CHECK = ToneCheck()

TOLD = [
    ("Уважаемый клиент! Посылка в пути.", "address", "Уважаемый клиент"),
    ("Уважаемые покупатели, завтра мы закрыты.", "address", "Уважаемые покупатели"),
    ("ДОРОГИЕ ДРУЗЬЯ! Скидки.", "address", "ДОРОГИЕ ДРУЗЬЯ"),
    ("Благодарим за обращение. Заказ собран.", "address", "Благодарим за обращение"),
    ("Возврат осуществляется за 3 дня.", "official", "осуществляется"),
    ("В соответствии с\nправилами вернём деньги.", "official", "В соответствии с"),
    ("По данному вопросу ответим завтра.", "official", "данному вопросу"),
    ("Данная услуга платная.", "official", "Данная услуга"),
    ("Чек является подтверждением покупки.", "official", "является"),
    ("Согласно регламенту ответим за сутки.", "official", "Согласно регламенту"),
    ("Оплата производится картой.", "official", "Оплата производится"),
    ("Ответим в кратчайшие сроки.", "official", "в кратчайшие сроки"),
    ("К сожалению, это невозможно.", "refusal", "невозможно"),
    ("К сожалению, вернуть товар невозможно. Извините.", "refusal", "невозможно"),
    ("К сожалению, такого размера нет.", "refusal", "нет"),
    ("Мы не можем этого сделать.", "refusal", "не можем"),
    ("Здравствуйте! Ничем не можем помочь.", "refusal", "Ничем не можем помочь"),
    ("Возврат таких товаров не предусмотрен.", "refusal", "не предусмотрен"),
    ("Здравствуйте! Свечи не принимаем.", "refusal", "не принимаем"),
    ("Не обменяем и не вернём, к сожалению, нельзя.", "refusal", "нельзя"),
    ("Сожалеем, но вернуть товар нельзя.", "refusal", "нельзя"),
    ("Ваш запрос отклонён.", "refusal", "отклонён"),
    ("Dear valued customer, your order is on its way.", "address", "Dear valued customer"),
    ("We utilize couriers.", "official", "utilize"),
    ("Refunds are made in accordance with the law.", "official", "in accordance with"),
    ("Unfortunately, this is not possible.", "refusal", "not possible"),
    ("We can’t do that.", "refusal", "can’t"),
    ("I'm afraid that's impossible.", "refusal", "impossible"),
    ("Unfortunately, the item is out of stock.", "refusal", "out of stock"),
]

LEFT_IN_PEACE = [
    "Здравствуйте! Посылка в пути, привезём завтра.",
    "Уважаемая Анна Петровна, заказ готов.",
    "Не начинайте письмо с «Уважаемый клиент»: начните с ответа.",
    "Самый дорогой клиентский тариф стоит 500 ₽.",
    "Персональные данные заказа храним год, данные услуги видит только курьер.",
    "Изменение данных заказа — в кабинете.",
    "Товар надлежащего качества можно вернуть за 14 дней.",
    "Предложение не является публичной офертой.",
    "Имейте в виду: кольцо тяжёлое.",
    "Украшения нельзя мочить и чистить содой.",
    "Поцарапать экран почти невозможно.",
    "Вскрытые наушники не принимаем, остальное 14 дней с упаковкой.",
    "Комиссия не предусмотрена.",
    "Рекламу не отправляем никому.",
    "Коррекция 600, окраска 500. Снятие 400. Конъюнктивит не принимаем.",
    "Если не сможем дозвониться, посылка вернётся на склад.",
    "Когда вы не можете подойти, курьер подождёт.",
    "Не переживайте, мы не можем потерять вашу посылку.",
    "Не можем дождаться встречи!",
    "Картой оплатить невозможно, чиним до 18:00.",
    "Не могу найти ваш заказ. Пришлите номер.",
    "К сожалению, вернуть свечу невозможно, но можно обменять.",
    "К сожалению, такого размера нет. Хотите, подберём похожую модель?",
    "К сожалению, не сможем привезти сегодня. Привезём завтра с 10 до 14.",
    "Свечи не принимаем.\n\nНапишите нам, подберём замену.",
    "К сожалению, по телефону это невозможно: https://shop.example/vozvrat",
    "К сожалению, это невозможно: решает завод, +7 495 123-45-67.",
    "Не возвращаем: смотрите [[returns/goods]].",
    "> Возврат осуществляется продавцом\n\nПроще: вернём деньги за 3 дня.",
    "Покажите код `в соответствии с` кассиру.",
    "К сожалению, {{ why }} это невозможно.",
    "К сожалению, ключ потерялся, и мне нужно ещё 10 минут.",
    "Согласно прогнозу завтра снег, курьер может задержаться.",
    "Hello! Your order is on its way.",
    "The ring is dear to our customers.",
    "Thank you for your patience, the parcel arrives today.",
    "We cannot wait to see you!",
    "Dear Customer Support team is our name.",
    "You cannot wash it in a machine.",
    "Unfortunately, this is not possible online. Please call us.",
    "If we cannot reach you, the parcel goes back.",
    "We cannot refund a used candle, but we will exchange it.",
]


@pytest.mark.parametrize(("text", "kind", "found"), TOLD)
def test_what_sounds_like_an_office_is_told_with_other_words(text: str, kind: str, found: str) -> None:
    """One remark, at its place; all but refusals bring the words to say instead."""
    faults = CHECK.faults(text)

    assert [(f.kind, f.found) for f in faults] == [(kind, found)]
    assert text[faults[0].start :].startswith(found)
    assert bool(faults[0].instead) == (kind != "refusal")


@pytest.mark.parametrize("text", LEFT_IN_PEACE)
def test_what_is_said_well_is_left_in_peace(text: str) -> None:
    """A false remark costs more than a missed one."""
    assert CHECK.faults(text) == ()


def test_a_way_out_counts_near_the_refusal_only() -> None:
    """Buttons beside the text and the next paragraphs lead on; what stands far away does not."""
    refusal = "К сожалению, это невозможно."
    far = "\n\n".join([refusal, "Спасибо.", "Жаль.", "Пока.", "Напишите нам."])

    assert CHECK.faults(refusal, has_way_out=True) == ()
    assert [f.kind for f in CHECK.faults(far)] == ["refusal"]


def test_the_language_of_a_text_is_that_of_its_letters_unless_it_is_given() -> None:
    """A Russian text with a Latin name is Russian; who knows the language says it."""
    assert [f.kind for f in CHECK.faults("Уважаемый клиент Apple")] == ["address"]
    assert CHECK.faults("Уважаемый клиент", "en") == ()


def test_own_words_are_found_in_any_case_and_form() -> None:
    """A star stands for the rest of a word; what is said instead comes along."""
    check = ToneCheck([("ваша заявк*", "ваш вопрос")])

    (fault,) = check.faults("Добрый день! Вашей заявки нет. ВАША ЗАЯВКА принята.")

    assert (fault.kind, fault.found, fault.instead) == ("own", "ВАША ЗАЯВКА", "ваш вопрос")


def test_a_text_of_nothing_but_refusals_is_not_looked_at_to_its_end() -> None:
    """Whoever writes the same four hundred times keeps nobody waiting: the first twenty are enough."""
    assert len(CHECK.faults("Мы не можем. " * 400)) == 20


def test_what_the_bot_itself_says_sounds_as_it_should() -> None:
    """None of the words that come with it is told of; what it only listens for is not looked at."""
    listened = ("desk.tone",)
    told = [
        (key, fault.found)
        for (key, language), entry in builtin()[0].items()
        for text in entry.variants
        if key not in listened
        for fault in CHECK.faults(text, language)
    ]

    assert told == []
