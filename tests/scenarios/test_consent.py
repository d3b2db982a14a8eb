"""Consent before personal data are asked: a notice, a yes on record, a no that costs no person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.root import app
from bot.config.loader import Config
from bot.model import Event
from bot.testing import TestBot, open_test_bot

POLICY = "https://shop.example/policy"
PHONE = {"name": "phone", "type": "phone", "ask": {"ru": "Ваш телефон?", "en": "Your phone?"}}
ORDER = {"name": "order", "type": "order", "ask": {"ru": "Номер заказа?", "en": "Order number?"}}


def shop(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "dostavka.md").write_text(
        "---\ntitle: Сколько стоит доставка\naliases: [доставка, цена доставки]\nlang: ru\n---\n290 ₽.\n",
        encoding="utf-8",
    )
    return folder


def config(*fields: Mapping[str, object], version: str = "1", **consent: object) -> Config:
    forms = [{"name": "contact", "when": "handoff", "fields": list(fields)}]
    command = {"name": "callback", "when": "command", "fields": [PHONE]}
    return Config.model_validate(
        {
            "consent": {"policy": POLICY, "version": version, **consent},
            "dialogs": {"forms": [*forms, command]},
        }
    )


@asynccontextmanager
async def bot(folder: Path, settings: Config, storage: str = ":memory:") -> AsyncIterator[TestBot]:
    async with open_test_bot(shop(folder), config=settings, storage=storage, threads=False) as testbot:
        yield testbot


async def fields(testbot: TestBot, chat: str = "1001") -> Mapping[str, object]:
    customer = await testbot.store.customer(1)
    assert customer is not None
    return customer.fields


async def consents(testbot: TestBot) -> list[Event]:
    kinds = ("consent_given", "consent_refused", "consent_withdrawn")
    return list(await testbot.store.events(kinds=kinds))


async def test_a_yes_is_asked_once_kept_and_shown(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", config(ORDER, PHONE)) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        assert "Номер заказа?" in anna.hears()[0]  # nothing personal: no notice
        await anna.says("12345")
        notice = anna.sees()[-1].outbound
        assert "согласие на обработку персональных данных" in notice.text.text
        assert POLICY in [b.url for row in notice.buttons for b in row]
        assert POLICY in [s.url for s in notice.text.spans] and "телефон?" not in notice.text.text
        await anna.presses("Согласиться")
        assert "Ваш телефон?" in anna.hears()[0]
        await anna.says("+7 912 345-67-89")

        kept = await fields(testbot)
        assert (kept["phone"], kept["_consent"], kept["_consent_channel"]) == (
            "+79123456789",
            "1",
            "telegram",
        )
        assert str(kept["_consent_at"]).startswith("2026-11-20")
        [given] = await consents(testbot)
        assert (given.kind, given.data["version"], given.data["customer"]) == ("consent_given", "1", 1)
        card = "согласие на контакты — редакция 1 от 2026-11-20"
        assert any(card in post.text.text for post in await olga.sees(1))
        exported = await testbot.store.export_customer(1)
        assert "_consent_at" in str(exported)


async def test_a_no_leads_on_to_a_person_without_contacts(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", config(PHONE, ORDER)) as testbot:
        anna = testbot.customer()
        await anna.says("позовите человека")
        await anna.says("нет")
        assert "контакты не спрашиваю" in anna.hears()[0] and "Номер заказа?" in anna.hears()[0]
        await anna.says("12345")
        assert (await testbot.store.ticket(1)) is not None
        assert "phone" not in await fields(testbot)

        await testbot.operator().presses("Закрыть", ticket=1)
        await testbot.later(days=3)
        await anna.says("позовите человека")  # asked once: the next time nothing is asked
        assert not any("согласие" in text for text in anna.hears())


@pytest.mark.parametrize("words", ["а зачем вам это вообще?", "ммм"])
async def test_who_says_neither_still_reaches_a_person(tmp_path: Path, words: str) -> None:
    async with bot(tmp_path / "kb", config(PHONE)) as testbot:
        anna = testbot.customer(channel="vk", chat="7")
        await anna.says("позовите человека")
        await anna.says(words)
        assert "можно записать контакты" in anna.hears()[0]
        await anna.says(words)
        assert (await testbot.store.ticket(1)) is not None and not await consents(testbot)

    async with bot(tmp_path / "kb", config(PHONE)) as testbot:
        anna = testbot.customer()
        await anna.says("позовите человека")
        await testbot.later(minutes=6)  # silence
        assert (await testbot.store.ticket(1)) is not None


async def test_another_version_is_asked_for_anew(tmp_path: Path) -> None:
    storage = str(tmp_path / "bot.db")
    async with bot(tmp_path / "kb", config(PHONE), storage) as testbot:
        anna = testbot.customer()
        await anna.says("/callback")
        await anna.presses("Согласиться")
        await anna.says("пропустить")
        assert (await fields(testbot))["phone"] == ""
    async with bot(
        tmp_path / "kb", config(PHONE, version="2", text={"ru": "Новые условия"}), storage
    ) as testbot:
        anna = testbot.customer()
        await testbot.later(days=2)
        await anna.says("/callback")
        assert "Новые условия" in anna.hears()[0]
        await anna.presses("Согласиться")
        assert [e.data["version"] for e in await consents(testbot)] == ["1", "2"]
        assert len({e.data["text"] for e in await consents(testbot)}) == 2


async def test_a_refused_form_says_so_and_may_be_asked_for_again(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", config(PHONE)) as testbot:
        anna = testbot.customer()
        await anna.says("/callback")
        await anna.presses("Не сейчас")
        assert "контакты не записываю" in anna.hears()[0]
        await anna.says("сколько стоит доставка")
        assert "290 ₽" in anna.hears()[0]
        await anna.says("/callback")
        await anna.presses("Согласиться")
        assert "Ваш телефон?" in anna.hears()[0]


async def test_the_consent_is_withdrawn_in_words_also_while_a_person_answers(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", config(PHONE)) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        await anna.presses("Согласиться")
        await anna.says("+7 912 345-67-89")
        await olga.presses("Взять", ticket=1)
        await anna.says("Отзываю согласие.")
        assert "контакты из анкет удалены" in anna.hears()[0]
        assert not {"phone", "_consent", "_consent_at"} & set(await fields(testbot))
        ticket = await testbot.store.ticket(1)
        assert ticket is not None and ticket.state.contacts.phone == "" and ticket.status == "operator"
        assert [e.kind for e in await consents(testbot)] == ["consent_given", "consent_withdrawn"]
        await anna.says("отзываю согласие")
        assert "отзывать нечего" in anna.hears()[0]


async def test_forgetting_leaves_nothing_of_it(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", config(PHONE)) as testbot:
        anna = testbot.customer()
        await anna.says("/callback")
        await anna.presses("Согласиться")
        await testbot.store.forget_customer(1, testbot.clock())
        customer = await testbot.store.customer(1)
        assert customer is None or not customer.fields


async def test_without_a_policy_nothing_is_asked(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", config(PHONE, policy="")) as testbot:
        anna = testbot.customer()
        await anna.says("позовите человека")
        assert "Ваш телефон?" in anna.hears()[0] and not await consents(testbot)


async def test_the_owner_reads_who_agreed_to_what(tmp_path: Path) -> None:
    storage = tmp_path / "bot.db"
    async with bot(tmp_path / "kb", config(PHONE), str(storage)) as testbot:
        anna = testbot.customer()
        await anna.says("/callback")
        await anna.presses("Согласиться")
    (tmp_path / "config.yaml").write_text(f"storage: {{url: 'sqlite:///{storage}'}}\n", encoding="utf-8")
    command = ["customers", "consents", "--config", str(tmp_path / "config.yaml")]
    told = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert told.exit_code == 0 and "согласие\t1\t1\ttelegram" in told.stdout


async def test_a_number_after_the_withdrawal_is_not_kept_without_another_yes(tmp_path: Path) -> None:
    """The form had asked for it before."""
    async with bot(tmp_path / "kb", config(PHONE)) as testbot:
        anna = testbot.customer()
        await anna.says("/callback")
        await anna.presses("Согласиться")
        await anna.says("отзываю согласие")
        await anna.says("+7 912 345-67-89")
        assert "phone" not in await fields(testbot)
        await anna.presses("Согласиться")
        await anna.says("+7 912 345-67-89")
        assert (await fields(testbot))["phone"] == "+79123456789"
