"""Greetings, small talk, people who want people, and dialogs that fail."""

from __future__ import annotations

import asyncio

import pytest

from bot.dialogs.reply import reply
from bot.model import Customer, Media, Outcome, Result, Status, Turn
from tests.dialogs.talk import Talk


async def test_start_greets_by_name_and_says_what_the_bot_can_do() -> None:
    """/start: the name, what can be asked, the way to a person."""
    talk = Talk()
    heard = await talk.starts()

    assert heard.startswith("Здравствуйте, Анна! Это бот поддержки") and "оператора" in heard
    assert talk.labels == ["Позвать оператора"]


async def test_start_payload_shows_an_article_or_calls_a_person() -> None:
    """A deep link may name an article or a person; anything else is a greeting, and is kept."""
    talk = Talk()
    assert "Два дня." in await talk.starts("time")
    await talk.starts("human")
    assert talk.last.reason == "asked"
    assert "Это бот поддержки" in await talk.starts("vk_banner_7")
    assert talk.last.events[0].data == {"payload": "vk_banner_7"}


async def test_hello_is_answered_in_full_once_and_shortly_later() -> None:
    """The second greeting gets a short one, and never the same words twice in a row."""
    talk = Talk()
    assert "Это бот поддержки" in await talk.says("Привет!")
    second = await talk.says("привет")
    assert "Это бот" not in second and len(second) < 80 and second != await talk.says("привет")


async def test_nickname_is_not_said() -> None:
    """A greeting without a usable name has none."""
    assert (await Talk(customer=Customer(1, "❤️xXx❤️")).starts()).startswith("Здравствуйте! Это")


@pytest.mark.parametrize(
    "media", [Media.VOICE, Media.PHOTO, Media.VIDEO, Media.VIDEO_NOTE, Media.DOCUMENT, Media.AUDIO]
)
async def test_what_the_bot_cannot_perceive_is_admitted(media: Media) -> None:
    """Voice, pictures and files get an honest word and the offer of a person; «да» takes it."""
    talk = Talk()
    heard = await talk.sends(media)
    assert (
        "оператор" in heard and talk.labels == ["Позвать оператора"] and talk.last.result is Result.ANSWERED
    )
    await talk.says("давайте")
    assert talk.last.reason == "asked"


@pytest.mark.parametrize(
    "media", [Media.STICKER, Media.ANIMATION, Media.LOCATION, Media.CONTACT, Media.OTHER]
)
async def test_everything_else_without_words_is_answered_too(media: Media) -> None:
    """No kind of message meets silence or a ticket."""
    talk = Talk()
    assert await talk.sends(media)
    assert talk.last.result is Result.ANSWERED


async def test_photo_with_a_question_is_a_question() -> None:
    """The caption counts."""
    assert "За 14 дней." in await Talk().sends(Media.PHOTO, "как вернуть")


@pytest.mark.parametrize("text", ["?", "???", "…", "🙂", "👍", "!!!", ".", "🤷‍♀️"])
async def test_signs_without_words_get_a_sensible_word(text: str) -> None:
    """A lone question mark or emoji is answered without a ticket, before and after an answer."""
    talk = Talk()
    assert await talk.says(text)
    assert talk.last.result is Result.ANSWERED
    await talk.says("как вернуть")
    assert await talk.says(text) and talk.last.result is Result.ANSWERED


async def test_question_mark_between_list_and_answer_keeps_the_list() -> None:
    """After «?» the number still chooses."""
    talk = Talk()
    await talk.says("доставка")
    await talk.says("?")
    assert "Два дня." in await talk.says("2")


async def test_thumbs_tell_whether_it_helped() -> None:
    """👍 after an answer is thanks, 👎 is «не помогло»."""
    talk = Talk()
    assert "что-то не так" in await talk.says("👎")
    await talk.says("как вернуть")
    await talk.says("👍🏽")
    assert talk.last.reason == "helped" and talk.last.events[0].data["helped"] is True
    await talk.says("сколько стоит доставка")
    await talk.says("👎")
    assert talk.last.reason == "not_helped"


async def test_thanks_and_goodbye_are_short() -> None:
    """Politeness is answered in a line, without buttons."""
    talk = Talk()
    for text in ("спасибо", "пока"):
        assert 0 < len(await talk.says(text)) < 60
        assert talk.labels == [] and talk.last.result is Result.ANSWERED


async def test_a_person_is_called_in_any_state() -> None:
    """At the start, in a clarification, after an answer, by words, button or command."""
    for before in ((), ("доставка",), ("как вернуть",)):
        for words in ("позовите человека", "/operator", "Позвать оператора", "оператор", "talk to a person"):
            talk = Talk()
            for text in before:
                await talk.says(text)
            await talk.says(words)
            assert (talk.last.reason, talk.last.result) == ("asked", Result.HANDED_OFF), words
    talk = Talk()
    await talk.says("доставка")
    await talk.presses("Позвать оператора")
    assert talk.last.reason == "asked" and talk.last.status is Status.WAITING


async def test_upset_customer_gets_a_person_with_an_apology() -> None:
    """Anger is not answered with an article."""
    talk = Talk()
    assert await talk.says("это безобразие, верните деньги!!!") == "ticket: upset sorry"


async def test_no_after_the_offer_of_a_person_is_accepted() -> None:
    """«нет» to «позвать оператора?» calls nobody."""
    talk = Talk()
    await talk.sends(Media.VOICE)
    await talk.says("нет, спасибо")
    assert talk.last.result is Result.ANSWERED


async def ten_lines(turn: Turn) -> Outcome | None:
    if "заказ" not in turn.text:
        return None
    return reply(turn, "faq.option", number=7, title="в пути")


async def test_a_developers_dialog_is_ten_lines() -> None:
    """`reply` says the words of a key in the customer's language and signs with the dialog's name."""
    talk = Talk(before=(("order_status", ten_lines),))
    assert await talk.says("где заказ 7") == "7. в пути"
    assert (talk.last.dialog, talk.last.result) == ("order_status", Result.ANSWERED)
    assert "За 14 дней." in await talk.says("как вернуть")


async def test_reply_settles_what_was_asked_before() -> None:
    """After another dialog's answer a number no longer chooses from an old list."""
    talk = Talk(before=(("order_status", ten_lines),))
    await talk.says("доставка")
    await talk.says("где заказ 7")
    await talk.says("2")
    assert talk.last.reason == "out_of_scope"


async def raises(turn: Turn) -> Outcome | None:
    raise RuntimeError(f"secret words of {turn.text}")


async def hangs(turn: Turn) -> Outcome | None:
    await asyncio.sleep(60)
    return None


async def returns_words(turn: Turn) -> Outcome | None:
    return "words"  # type: ignore[return-value]


@pytest.mark.parametrize("broken", [raises, hangs, returns_words])
async def test_a_dialog_that_fails_ends_with_a_person(broken: object) -> None:
    """Raising, hanging and returning nonsense give a ticket that names the dialog."""
    talk = Talk(before=(("broken", broken),), timeout=0.05)  # type: ignore[arg-type]
    await talk.says("как вернуть")

    assert (talk.last.result, talk.last.reason) == (Result.HANDED_OFF, "dialog_failed")
    assert talk.last.explanation["dialog"] == "broken" and talk.last.events[-1].kind == "dialog_failed"
    assert "secret" not in str(talk.last)


async def test_answers_to_the_bots_own_questions_are_not_read_as_anything_else() -> None:
    """«второе», «ещё», «не то» mean what was asked, whatever they would mean elsewhere."""
    talk = Talk()
    await talk.says("хочу баллы")
    assert "За 14 дней." in await talk.says("второе")
    talk = Talk()
    await talk.says("сколько стоит доставка")
    assert "большую коробку" in await talk.says("ещё")
