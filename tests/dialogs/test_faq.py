"""Questions are answered briefly, cleared up once, never answered twice with the same words, and end with a
person.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.article_preview import SKINS
from bot.delivery.splitting import parts
from bot.dialogs import dialog_state
from bot.dialogs.article_rendering import ENOUGH, portion
from bot.model import Answer, Candidate, Decision, Media, Press, Result, Style
from bot.text.markdown import plain
from tests.dialogs.talk import ANSWERS, ARTICLES, Shelf, Talk, article, found

ALWAYS = ["Ничего из этого", "Позвать оператора"]  # below every list of options


async def test_answer_is_the_main_points_with_the_rest_behind_a_button() -> None:
    """The lead is said with article buttons, «Подробнее», the question whether it helped, and the way to a
    person.
    """
    talk = Talk()
    heard = await talk.says("сколько стоит доставка")

    assert heard.startswith("Здравствуйте, Анна!\n\nКурьером — от 290 ₽.") and heard.endswith("Это помогло?")
    assert len(heard) < ENOUGH + 60 and "большую коробку" not in heard
    assert talk.labels == [
        "Сроки",
        "Сайт",
        "Подробнее",
        "Да, помогло",
        "Нет, не помогло",
        "Позвать оператора",
    ]
    assert (talk.last.dialog, talk.last.result, talk.last.reason) == ("faq", Result.ANSWERED, "answered")
    assert talk.last.explanation == {"sentence": "because"}


async def test_more_says_exactly_the_rest() -> None:
    """«Подробнее», pressed or typed, tells what was left out, once, and nothing again."""
    for way in ("press", "type"):
        talk = Talk()
        first = await talk.says("сколько стоит доставка")
        rest = await (talk.presses("Подробнее") if way == "press" else talk.says("а подробнее?"))

        assert "большую коробку" in rest and "Курьером — от 290" not in rest
        assert not {row for row in rest.split("\n") if len(row) > 20} & {
            row for row in first.split("\n") if len(row) > 20
        }
        assert "Подробнее" not in talk.labels


async def test_more_of_a_long_article_comes_in_three_messages_at_most() -> None:
    """Twenty sections: «Ещё», pressed or typed, goes on where the last press ended; nothing is left out or
    said twice.
    """
    sections = [
        f"## Раздел {n}\n\n" + "\n\n".join(f"Абзац {n}-{p}. " + "Слова о доставке. " * 30 for p in range(4))
        for n in range(20)
    ]
    for typed in (False, True):
        talk = Talk(
            catalog=Shelf(
                [article("cost", "Доставка", "Коротко.\n\n" + "\n\n".join(sections))],
                {"про доставку вещей": found("cost")},
            )
        )
        heard = [await talk.says("про доставку вещей")]
        button = "Подробнее"
        while button in talk.labels and len(heard) < 20:
            heard.append(await (talk.says(button.lower()) if typed else talk.presses(button)))
            for skin, limits in SKINS.items():
                assert sum(len(parts(o, {"telegram": limits})) for o in talk.last.messages) <= 3, skin
            button = "Ещё"

        told = [n for text in heard for n in re.findall(r"Абзац (\d+-\d)\.", text)]
        assert told == [f"{n}-{p}" for n in range(20) for p in range(4)] and "Подробнее" not in talk.labels


async def test_short_article_is_said_whole_and_pictures_go_before_it() -> None:
    """No button for two lines; pictures are deliveries of their own before the text with the buttons."""
    talk = Talk()
    await talk.says("как вернуть")

    pictures, text = talk.last.messages
    assert [(a.media, a.ref) for a in pictures.attachments] == [
        (Media.PHOTO, "kb/images/x.png"),
        (Media.DOCUMENT, "kb/images/y.svg"),
    ]
    assert not pictures.buttons and "За 14 дней." in text.text.text and "Подробнее" not in talk.labels


async def test_greeting_line_stands_only_above_the_first_answer() -> None:
    """The second answer of a conversation comes without a greeting."""
    talk = Talk()
    await talk.says("как вернуть")
    assert not (await talk.says("сколько стоит доставка")).startswith("Здравствуйте")


async def test_helped_and_not_helped_are_kept_as_events() -> None:
    """Both buttons leave a feedback event that names the article."""
    talk = Talk()
    await talk.says("как вернуть")
    await talk.presses("Да, помогло")

    assert talk.last.events[0].data == {"article": "return", "helped": True}
    assert talk.last.reason == "helped" and talk.last.result is Result.ANSWERED


async def test_not_helped_offers_the_next_candidates_once_then_a_person() -> None:
    """After the first «не помогло» other articles are offered, after the second a person comes."""
    talk = Talk()
    await talk.says("сколько стоит доставка")
    await talk.presses("Нет, не помогло")
    assert talk.labels == ["1. Сроки доставки", "2. Как вернуть товар", *ALWAYS]
    assert talk.last.reason == "not_helped" and talk.last.events[0].data == {
        "article": "cost",
        "helped": False,
    }

    await talk.says("1")
    assert "Два дня." in talk.heard
    await talk.says("нет")
    assert (talk.last.result, talk.last.reason) == (Result.HANDED_OFF, "not_helped")


async def test_not_helped_without_other_candidates_calls_a_person() -> None:
    """Where nothing else is known nobody is asked to guess."""
    talk = Talk()
    await talk.says("как вернуть")
    await talk.says("это не помогло")
    assert talk.last.reason == "not_helped" and talk.last.result is Result.HANDED_OFF


async def test_clarification_offers_three_titles_and_a_person() -> None:
    """In doubt up to three numbered titles are buttons, and so is the way to a person."""
    talk = Talk()
    heard = await talk.says("доставка")

    assert heard.endswith("1. Стоимость доставки\n2. Сроки доставки\n3. Как вернуть товар")
    assert talk.labels == [
        "1. Стоимость доставки",
        "2. Сроки доставки",
        "3. Как вернуть товар",
        *ALWAYS,
    ]
    assert (talk.last.result, talk.last.reason) == (Result.CLARIFIED, "clarified")


async def test_clarification_is_answered_by_button_number_ordinal_or_title() -> None:
    """Every way people answer a list is understood."""
    for answer in (
        "2",
        "№2",
        "2️⃣",
        "второе",
        "про второе",
        "the second one",
        "вариант 2",
        "сроки",
        "Сроки доставки",
        "2.",
    ):
        talk = Talk()
        await talk.says("доставка")
        assert "Два дня." in await talk.says(answer), answer
    talk = Talk()
    await talk.says("доставка")
    assert "Два дня." in await talk.presses("2. Сроки доставки")
    talk = Talk()
    await talk.says("доставка")
    assert "За 14 дней." in await talk.says("последнее")


async def test_a_number_out_of_the_list_is_asked_about_once() -> None:
    """ "7" is no answer to three options: the list still stands; insisting brings the offer of a person."""
    talk = Talk()
    await talk.says("доставка")
    assert "номер" in await talk.says("7")
    assert "Два дня." in await talk.says("2")
    await talk.says("доставка")
    await talk.says("7")
    await talk.says("8")
    assert talk.last.result is Result.HANDED_OFF


async def test_a_word_wider_than_the_options_is_a_new_question() -> None:
    """«доставка» after a list that happens to hold «Стоимость доставки» chooses nothing when other articles
    fit it as well.
    """
    catalog = Shelf(
        ARTICLES,
        {"чепуха": found("cost", "sizes", sure=False), "доставка": found("cost", "time", sure=False)},
    )
    talk = Talk(catalog=catalog)
    await talk.says("чепуха")
    assert "Курьером" not in await talk.says("доставка")
    talk = Talk(catalog=catalog)
    await talk.says("чепуха")
    assert "Курьером" in await talk.says("стоимость доставки")


async def test_nobody_clarifies_twice_in_a_row_or_asks_in_vain_for_ever() -> None:
    """After a clarification a person is offered, and whatever the order of failures, the third in a row is a
    ticket.
    """
    person = ["Позвать оператора"]
    for first, second, offered in (
        ("доставка", "что-то про доставку и баллы", person),
        ("доставка", "кто убил Лору Палмер", person),
        ("чепуха", "что-то про доставку и баллы", ["1. Стоимость доставки", "2. Бонусы и баллы", *ALWAYS]),
        ("чепуха", "кто убил Лору Палмер", []),  # the second miss in a row: the person comes
    ):
        for third in ("сломалось", "какая погода в Рязани"):
            talk = Talk()
            await talk.says(first)
            await talk.says(second)
            assert talk.labels == offered and (talk.last.result is Result.HANDED_OFF) == (not offered)
            if offered:
                await talk.says(third)
            assert talk.last.result is Result.HANDED_OFF
            assert talk.last.reason in ("low_confidence", "out_of_scope")


async def test_a_clear_question_after_a_clarification_is_answered() -> None:
    """A list does not stand in the way of another question, and search knows what was offered."""
    talk = Talk()
    await talk.says("доставка")
    assert "За 14 дней." in await talk.says("how do I return it")
    context = talk.catalog.heard[-1][2]
    assert context and context.clarified and context.candidates == ("cost", "time", "return")


async def test_none_of_these_offers_a_person_and_no_second_list() -> None:
    """«Ничего из этого», typed or pressed: nobody is asked twice which article they mean."""
    for way in ("press", "type"):
        talk = Talk()
        await talk.says("доставка")
        await (talk.presses("Ничего из этого") if way == "press" else talk.says("ничего из этого"))
        assert talk.labels == ["Позвать оператора"] and talk.last.reason == "low_confidence"
        assert talk.heard.endswith("Позвать оператора?") and "оним" not in talk.heard
        await talk.says("да")
        assert talk.last.result is Result.HANDED_OFF


async def test_yes_and_no_are_heard_however_they_are_typed() -> None:
    """One option is a yes or no: in several words, drawn out, mistyped, in the wrong layout, in English."""
    for text in (
        "да",
        "ага",
        "Да!",
        "дааа",
        "lf",
        "lf/",
        "da",
        "да, это",
        "именно",
        "конешно",
        "yep",
        "yess",
        "нуы",
    ):
        talk = Talk()
        await talk.says("сломалось")
        assert "За 14 дней." in await talk.says(text), text
    for text in (
        "нет",
        "не",
        "неет",
        "нте",
        "ytn",
        "нет, другое",
        "ytn? lheujt",
        "nope",
        "nah",
        "не, не то",
        "да нет",
    ):
        talk = Talk()
        await talk.says("сломалось")
        await talk.says(text)
        assert talk.labels == ["Позвать оператора"] and talk.last.reason == "low_confidence", text
    for text in ("как вернуть", "нет, как вернуть"):
        talk = Talk(catalog=Shelf(ARTICLES, {**ANSWERS, "нет, как вернуть": found("return")}))
        await talk.says("сломалось")
        assert "За 14 дней." in await talk.says(text), text


async def test_no_more_options_are_offered_than_search_names() -> None:
    """Search says how many candidates are worth a line; one is asked about with yes or no."""
    for options, labels in (
        (1, ["Да, об этом", "Нет", "Позвать оператора"]),
        (2, ["1. Стоимость доставки", "2. Сроки доставки", *ALWAYS]),
    ):
        answer = replace(ANSWERS["доставка"], options=options)
        talk = Talk(catalog=Shelf(ARTICLES, {"доставка": answer}))
        await talk.says("доставка")
        assert talk.labels == labels


async def test_the_button_of_an_old_list_turns_down_no_article() -> None:
    """«Ничего из этого» pressed after an article was told says nothing about that article."""
    talk = Talk()
    await talk.says("доставка")
    old = next(b for b in talk.buttons if b.label == "Ничего из этого")
    await talk.says("как вернуть")
    await talk.press(Press(old.action, old.value, label=old.label))
    assert talk.last.reason == "pressed_old" and not talk.last.events


async def test_yes_and_no_to_a_list() -> None:
    """«Нет» is none of these, «да» asks for the number, but takes the only option and thanks for the article
    shown above.
    """
    talk = Talk()
    await talk.says("доставка")
    assert "номер" in await talk.says("да") and talk.last.result is Result.CLARIFIED
    assert "Два дня." in await talk.says("2")
    talk = Talk()
    await talk.says("сломалось")
    assert "За 14 дней." in await talk.says("да")
    talk = Talk()
    await talk.says("хочу баллы")
    await talk.says("да")
    assert talk.last.reason == "helped" and talk.last.events[0].data["article"] == "bonus"
    talk = Talk()
    await talk.says("доставка")
    await talk.says("нет")
    assert talk.last.reason == "low_confidence" and talk.last.result is Result.CLARIFIED


async def test_options_of_one_title_are_told_apart_or_one() -> None:
    """By section, by the first example question, and where nothing differs only the likelier is asked
    about.
    """

    def talk(*more: tuple[str, str], bodies: tuple[str, str] = ("Ответ.", "Ответ.")) -> Talk:
        both = [
            replace(article(id, "Возврат", body), section=section, aliases=(example,) if example else ())
            for id, (section, example), body in zip("ab", more, bodies, strict=True)
        ]
        options = tuple(Candidate(a.id, a.title, 0.5 - n / 10) for n, a in enumerate(both))
        return Talk(catalog=Shelf(both, {"вернуть покупку": Answer(Decision.CLARIFY, options, scope=0.95)}))

    by_section = talk(("Билеты", ""), ("Товары", ""))
    await by_section.says("вернуть покупку")
    assert by_section.labels[:2] == ["1. Возврат (Билеты)", "2. Возврат (Товары)"]
    await by_section.says("товары")
    assert by_section.last.events[0].data["article"] == "b"

    by_example = talk(("bilety", "вернуть билет"), ("tovary", "вернуть пальто"))
    await by_example.says("вернуть покупку")
    assert by_example.labels[:2] == ["1. Возврат: вернуть билет", "2. Возврат: вернуть пальто"]

    by_text = talk(("bilety", ""), ("bilety", ""), bodies=("Ответ про билет.", "Ответ про пальто."))
    await by_text.says("вернуть покупку")
    assert by_text.labels[:2] == ["1. Возврат: … билет.", "2. Возврат: … пальто."]
    await by_text.says("пальто")
    assert by_text.last.events[0].data["article"] == "b"

    one = talk(("bilety", ""), ("bilety", ""))
    assert "Возврат" in await one.says("вернуть покупку")
    assert one.labels[:2] == ["Да, об этом", "Нет"]


async def test_likely_article_is_shown_above_the_other_options() -> None:
    """«Возможно, вы об этом»: the first candidate's lead, the others by number."""
    talk = Talk()
    heard = await talk.says("хочу баллы")

    assert "Бонусы и баллы\nБаллы копятся." in heard
    assert talk.labels == ["1. Размеры", "2. Как вернуть товар", *ALWAYS]
    assert any(
        s.style is Style.BOLD and s.length == len("Бонусы и баллы") for s in talk.last.messages[0].text.spans
    )
    assert "Таблица." in await talk.says("1")


async def test_same_question_again_is_not_answered_with_the_same_words() -> None:
    """The second time the gist is quoted and a person is offered; «да» calls, «нет» is accepted."""
    talk = Talk()
    first = await talk.says("сколько стоит доставка")
    heard = await talk.says("Сколько стоит доставка?!")
    assert (
        "Курьером — от 290 ₽." in heard
        and "В магазине бесплатно" not in heard
        and len(heard) < len(first) / 2
    )
    assert talk.labels == ["Позвать оператора", "Показать ответ ещё раз"] and "оператора?" in heard
    assert (talk.last.reason, talk.last.result) == ("repeated", Result.CLARIFIED)
    assert "В магазине бесплатно" in await talk.says("Показать ответ ещё раз")

    assert await talk.says("Сколько стоит доставка") != heard
    await talk.says("нет")
    assert talk.last.result is Result.ANSWERED and talk.last.dialog == "smalltalk"
    await talk.says("как вернуть")
    assert "В магазине бесплатно" in await talk.says("сколько стоит доставка")
    await talk.says("сколько стоит доставка")
    await talk.says("да")
    assert (talk.last.reason, talk.last.result) == ("asked", Result.HANDED_OFF)


async def test_same_answer_to_other_words_is_not_repeated() -> None:
    """A paraphrase whose answer was just given is treated like a repetition, even after «Подробнее»."""
    for more in (False, True):
        talk = Talk()
        await talk.says("сколько стоит доставка")
        if more:
            await talk.presses("Подробнее")
        assert "В магазине бесплатно" not in await talk.says("почём доставка")
        assert talk.last.reason == "repeated"


async def test_follow_up_gets_the_part_it_is_about() -> None:
    """«а в Казань?» is answered with the fitting part of the last article, without its beginning."""
    talk = Talk()
    await talk.says("сколько стоит доставка")
    heard = await talk.says("а в Казань?")

    assert "Казань — 390 ₽" in heard and "Курьером — от" not in heard
    assert talk.catalog.heard[-1][2].article == "cost"  # type: ignore[union-attr]


async def test_first_unknown_question_offers_a_person_the_next_one_gets_one() -> None:
    """What the articles do not cover is admitted with the offer of a person; the second time in a row the
    person comes.
    """
    talk = Talk()
    heard = await talk.says("кто убил Лору Палмер")
    assert "оператора?" in heard and talk.labels == ["Позвать оператора"]
    assert (talk.last.result, talk.last.reason, talk.last.events[0].kind) == (
        Result.CLARIFIED,
        "out_of_scope",
        "unanswered",
    )
    await talk.says("какая погода в Рязани")
    assert (talk.last.result, talk.last.reason) == (Result.HANDED_OFF, "out_of_scope")

    talk = Talk()
    await talk.says("кто убил Лору Палмер")
    assert "За 14 дней." in await talk.says("как вернуть")
    await talk.says("кто убил Лору Палмер")
    assert talk.last.result is Result.CLARIFIED
    await talk.says("давай")
    assert talk.last.reason == "asked"


async def test_one_word_is_never_guessed() -> None:
    """An unclear word gets titles only, however far ahead the first of them is."""
    talk = Talk()
    assert "Баллы копятся" not in await talk.says("баллы")
    assert talk.labels[0] == "1. Бонусы и баллы"
    talk = Talk()
    await talk.says("сроки")
    assert talk.labels == ["1. Сроки доставки", "2. Стоимость доставки", *ALWAYS]
    assert "Таблица." in await Talk(catalog=Shelf(ARTICLES, {"размеры": found("sizes", "cost")})).says(
        "размеры"
    )


async def test_old_forged_and_foreign_presses_are_answered() -> None:
    """A press that means nothing, a removed article and a button of an article are each answered sensibly."""
    talk = Talk()
    assert "кнопка уже не действует" in await talk.press(None)
    assert "кнопка уже не действует" in await talk.press(Press("cancel_ticket", "7"))
    assert "уже убрали" in await talk.press(Press("article", "gone"))
    assert "Два дня." in await talk.press(Press("article", "time", label="Сроки"))
    assert "За 14 дней." in await talk.press(Press("article", "нет такой", label="как вернуть"))


async def test_numbers_are_no_answer_after_hours_of_silence() -> None:
    """A list of this morning is forgotten by the evening."""
    talk = Talk()
    await talk.says("доставка")
    talk.now += timedelta(hours=9)
    await talk.says("2")
    assert talk.last.reason == "out_of_scope"


async def test_english_question_is_answered_in_english() -> None:
    """The language of the words decides, whatever the platform says."""
    talk = Talk()
    heard = await talk.says("how do I return it")
    assert "Did this help?" in heard and talk.catalog.heard[-1][1] == "en"
    assert "Yes, thanks" in talk.labels
    assert talk.last.customer and talk.last.customer.language == "en"
    assert "helped" in await talk.presses("Yes, thanks")
    assert "Можно номером" in await talk.says("доставка")
    assert talk.customer.language == "ru"


async def test_state_is_small_and_plain() -> None:
    """What is remembered is JSON, holds no words of the customer and stays small."""
    talk = Talk()
    for _ in range(30):
        await talk.says("как вернуть")
        await talk.says("доставка")
        await talk.says("1")
    kept = json.dumps(talk.state, ensure_ascii=False)
    assert len(kept) < 1500 and "вернуть" not in kept


def test_portions_never_lose_or_repeat_a_word() -> None:
    """Whatever part fits best, what is said and what is left are together the words of the article, each
    once.
    """
    code = article("y", "Код", "текст\n\n```\nа\n\nб\n```\n\n1. раз\n\n   ещё\n\n2. два\n\n" + "слово " * 300)
    for one in (*ARTICLES, code):
        whole = sorted(
            plain(
                "\n\n".join(f"# {p.heading}\n\n{p.text}" if p.heading else p.text for p in one.passages)
            ).split()
        )
        for passage in range(len(one.passages)):
            part = portion(one, passage)
            assert sorted(part.text.text.split() + part.rest.text.split()) == whole
            assert len(part.text.text) < ENOUGH + 200 or not part.rest

    assert portion(article("x", "Пусто", "")).text.text == "Пусто"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=6), x, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*sorted(dialog_state.KEYS), "rating", "somebody_elses"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, JSON), st.text(max_size=60) | st.sampled_from([*ANSWERS, "1", "да", "нет", "?"]))
def test_no_state_and_no_words_break_a_dialog(state: dict[str, object], text: str) -> None:
    """Whatever another version left in the state and whatever is typed, some dialog decides without
    failing.
    """
    talk = Talk(state=state)
    asyncio.run(talk.says(text))
    assert talk.last.reason != "dialog_failed"
    json.dumps(talk.state)
