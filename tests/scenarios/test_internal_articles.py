"""Internal articles (`audience: staff`): operators find and read them, and no path brings a word of them to a
customer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.knowledge.search import Knowledge
from bot.model import InboundKind, Outbound
from bot.testing import PlayedCustomer, TestBot, open_test_bot

SECRET = "скидка 40 процентов по коду ВЕРНИСЬ"
TITLE = "Удержание недовольных"
INTERNAL = f"""---
title: {TITLE}
aliases: [как удержать клиента, сколько скидки можно дать, курьер опоздал компенсация]
audience: staff
lang: ru
topic: удержание
---
Если клиент уходит: {SECRET}.

## Подробности для смены

Не больше раза в год, {SECRET}.
"""
PUBLIC = {
    "kurier": ("Курьер опаздывает", "курьер опоздал, где мой курьер", "Позвоним курьеру и скажем вам время."),
    "vozvrat": ("Возврат товара", "как вернуть товар, хочу вернуть", "Вернуть можно за 14 дней."),
}
CHANNELS = ("telegram", "vk")


def base(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "smena").mkdir(exist_ok=True)
    (folder / "smena/uderzhanie.md").write_text(INTERNAL, encoding="utf-8")
    for name, (title, aliases, body) in PUBLIC.items():
        article(folder, name, title, aliases, body)
    return folder


def article(folder: Path, name: str, title: str, aliases: str, body: str, more: str = "") -> None:
    head = f"---\ntitle: {title}\naliases: [{aliases}]\nlang: ru\n{more}---\n"
    (folder / f"{name}.md").write_text(f"{head}{body}\n", encoding="utf-8")


@pytest.fixture
async def staffed(tmp_path: Path) -> AsyncIterator[TestBot]:
    async with open_test_bot(base(tmp_path / "kb"), threads=False) as testbot:
        yield testbot


def leaks(testbot: TestBot) -> list[str]:
    """Everything that left for anybody but the operators' group and tells of the internal article."""
    told = []
    for channel in testbot.channels.values():
        for said in channel.said:
            outbound = said.outbound
            if outbound.to.chat == testbot.place.chat:
                continue
            words = [outbound.text.text, outbound.heading.text, *labels(outbound)]
            told += [w for w in words if any(s in w for s in (SECRET, TITLE, "ВЕРНИСЬ", "uderzhanie"))]
    return told


def labels(outbound: Outbound) -> list[str]:
    return [b.label for row in outbound.buttons for b in row]


def group(testbot: TestBot) -> str:
    return "\n".join([*testbot.desk_texts(), *(label for p in testbot.desk_posts() for label in labels(p))])


# --- what operators get


async def test_an_operator_finds_it_reads_it_and_cannot_send_it(staffed: TestBot) -> None:
    anna, olga = staffed.customer(), staffed.operator()
    await anna.says("позовите человека")
    await olga.presses("Взять", ticket=1)
    await olga.says("/kb удержать недовольных", ticket=1)
    found = (await olga.sees(1))[-1]
    assert f"🔒 {TITLE}" in found.text.text and f"🔒 {TITLE}" in labels(found)

    await olga.presses(f"🔒 {TITLE}", ticket=1)
    shown = (await olga.sees(1))[-1]
    assert SECRET in shown.text.text and "внутренняя" in shown.text.text and not labels(shown)
    assert not leaks(staffed)


async def test_a_public_article_is_found_and_sent_in_two_taps(staffed: TestBot) -> None:
    anna, olga = staffed.customer(), staffed.operator()
    await anna.says("позовите человека")
    await olga.presses("Взять", ticket=1)
    await olga.says("/kb вернуть", ticket=1)
    assert "Вернуть можно за 14 дней" in (await olga.sees(1))[-1].text.text  # the snippet
    await olga.presses("💡 Возврат товара", ticket=1)
    anna.listens()
    await olga.presses("Отправить", ticket=1)

    assert anna.hears() == ["Вернуть можно за 14 дней."]


async def test_in_the_group_without_a_ticket_it_is_read_only(staffed: TestBot) -> None:
    olga = staffed.operator()
    await olga.says("/kb возврат")
    await olga.presses("Возврат товара")
    post = (await olga.sees())[-1]
    assert "Вернуть можно за 14 дней" in post.text.text and not labels(post)
    await olga.says("/kb")
    assert "Что найти?" in (await olga.sees())[-1].text.text
    await olga.says("/kb абракадабра")
    assert "ничего нет" in (await olga.sees())[-1].text.text


async def test_the_prompter_offers_it_under_a_lock(staffed: TestBot) -> None:
    anna, olga = staffed.customer(), staffed.operator()
    await anna.says("позовите человека")
    await olga.presses("Взять", ticket=1)
    await anna.says("курьер опоздал компенсация")

    assert f"🔒 {TITLE}" in group(staffed)
    await olga.presses(f"🔒 {TITLE}", ticket=1)
    assert SECRET in (await olga.sees(1))[-1].text.text
    assert not leaks(staffed)


async def test_the_command_is_in_the_help(staffed: TestBot) -> None:
    olga = staffed.operator()
    await olga.says("/help")
    assert "/kb слово" in (await olga.sees())[-1].text.text


async def test_who_is_not_in_the_group_reads_nothing(staffed: TestBot) -> None:
    """In a public group strangers see the buttons, too."""
    await staffed.operator().says("/kb удержать недовольных")
    staffed.channels["telegram"].members = {"666": "none"}
    await staffed.operator("Пётр", id="666").presses(f"🔒 {TITLE}")
    assert not any("Не больше раза в год" in text for text in staffed.desk_texts())


# --- who tries to get it out


@pytest.mark.parametrize("channel", CHANNELS)
async def test_no_words_bring_it(staffed: TestBot, channel: str) -> None:
    """Its title, its questions, its text, its id, commands of operators, a deep link, numbers."""
    anna = staffed.customer(channel=channel)
    for words in (
        TITLE,
        "как удержать клиента",
        "сколько скидки можно дать",
        "курьер опоздал компенсация",
        SECRET,
        "код ВЕРНИСЬ",
        "/kb удержать",
        "/kb",
        "smena/uderzhanie",
        "подробнее",
        "1",
        "ещё раз",
        "/menu",
        "не помогло",
    ):
        await anna.says(words)
        await anna.says("не нужно, спасибо")
    await start(anna, "smena__uderzhanie")
    await start(anna, "smena/uderzhanie")

    assert not leaks(staffed)


async def start(customer: PlayedCustomer, payload: str) -> None:
    await customer.says(payload, kind=InboundKind.START)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_the_menu_does_not_know_its_section(staffed: TestBot, channel: str) -> None:
    anna = staffed.customer(channel=channel)
    await anna.says("/menu")
    shown = anna.sees()[-1].outbound
    assert labels(shown) == ["1. Курьер опаздывает", "2. Возврат товара", "Позвать оператора"]


async def test_a_long_queue_offers_no_internal_article(staffed: TestBot) -> None:
    for number in range(6):
        one = staffed.customer(f"Клиент{number}", chat=str(3000 + number))
        await one.says("курьер опоздал компенсация")
        await one.says("позовите человека")
        await one.says("курьер опоздал компенсация")
        await staffed.later(minutes=1)
    assert not leaks(staffed)


async def test_buttons_given_before_it_became_internal_are_dead(tmp_path: Path) -> None:
    """Customers' and operators' buttons alike: menu, article, "more", preview, send."""
    folder = base(tmp_path / "kb")
    (folder / "smena/uderzhanie.md").write_text(INTERNAL.replace("audience: staff\n", ""), encoding="utf-8")
    async with open_test_bot(folder, threads=False) as testbot:
        anna, boris, olga = testbot.customer(), testbot.customer("Борис", chat="1002"), testbot.operator()
        await anna.says("сколько скидки можно дать")
        assert leaks(testbot), "it is public yet"
        await anna.says("/menu")
        await anna.presses("Удержание")
        menu = anna.sees()[-1]
        await boris.says("позовите человека")
        await olga.presses("Взять", ticket=1)
        await olga.says("/kb удержать недовольных", ticket=1)
        await olga.presses(f"💡 {TITLE}", ticket=1)

        (folder / "smena/uderzhanie.md").write_text(INTERNAL, encoding="utf-8")
        testbot.service.knowledge.reload()
        told = len(leaks(testbot))
        await anna.taps(menu, 0, 0)
        await anna.says("1")
        await anna.says("ещё раз")
        await anna.says("подробнее")
        await olga.presses("Отправить", ticket=1)
        assert len(leaks(testbot)) == told
        assert "не собрался" in "".join(s.outbound.text.text for s in testbot.channels["telegram"].said[-3:])


async def test_a_public_article_cannot_carry_it(tmp_path: Path) -> None:
    """Links, buttons and includes: the title stays inside, what includes it is refused with its line."""
    folder = base(tmp_path / "kb")
    article(
        folder,
        "obmen",
        "Обмен",
        "хочу обмен",
        "Как обменять: [[smena/uderzhanie]].",
        "buttons: [{label: Ещё, to: smena/uderzhanie}]\n",
    )
    article(folder, "vstavka", "Вставка", "вставка", "Ответ.\n\n![[smena/uderzhanie]]")
    article(
        folder, "vstavka2", "Вставка вторая", "вставка вторая", "Ответ.\n\n{{ include smena/uderzhanie.md }}"
    )
    async with open_test_bot(folder, threads=False) as testbot:
        anna = testbot.customer()
        await anna.says("хочу обмен")
        assert "Как обменять" in anna.hears()[-1]
        assert "Ещё" not in [label for sent in anna.sees() for label in labels(sent.outbound)]
        await anna.says("вставка")
        await anna.says("вставка вторая")
        said = [s.outbound.text.text for s in testbot.channels["telegram"].said]
        assert not any(SECRET in text or TITLE in text for text in said)
        problems = testbot.service.knowledge.problems
        assert {Path(p.file).name for p in problems if p.code == "KB039"} == {"vstavka.md", "vstavka2.md"}


@pytest.mark.parametrize(
    "head",
    [
        "audience: stuff",
        "audiense: staff",
        "visibility: staff",
        "audience: staff\nbuttons: 5",
        "audience: staff\n  x: y",
    ],
)
async def test_a_slip_never_publishes_it(tmp_path: Path, head: str) -> None:
    """A mistyped key or value, or a fault elsewhere in the head: nobody sees it, not even the version before
    it became internal; the editor reads where the fault is.
    """
    folder = base(tmp_path / "kb")
    (folder / "smena/uderzhanie.md").write_text(INTERNAL.replace("audience: staff\n", ""), encoding="utf-8")
    knowledge = Knowledge.open(folder)
    assert knowledge.answer("сколько скидки можно дать").article == "smena/uderzhanie"
    (folder / "smena/uderzhanie.md").write_text(INTERNAL.replace("audience: staff", head), encoding="utf-8")
    knowledge.reload()

    assert all(
        c.article != "smena/uderzhanie" for c in knowledge.answer("сколько скидки можно дать").candidates
    )
    assert knowledge.article("smena/uderzhanie") is None
    assert any(p.severity == "error" and p.file.endswith("uderzhanie.md") for p in knowledge.problems)


def test_another_start_from_the_kept_index_knows_it_as_internal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.knowledge.search.WORTH_SAVING", -1.0)
    folder, cache = base(tmp_path / "kb"), tmp_path / "cache"
    Knowledge.open(folder, cache=cache)
    again = Knowledge.open(folder, cache=cache)

    assert again.article("smena/uderzhanie") is None and again.staff.article("smena/uderzhanie") is not None
    assert "uderzhanie" not in str(again.answer(TITLE).candidates)
    assert again.staff.answer(TITLE).candidates[0].article == "smena/uderzhanie"
