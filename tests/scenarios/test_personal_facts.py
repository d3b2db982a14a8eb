"""Personal facts in articles: filled in for each customer, never braces, never somebody else's markup."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.knowledge.quality.lint.checks import lint
from bot.knowledge.search import Knowledge
from bot.testing import PlayedCustomer, TestBot, open_test_bot

POINTS = """У вас {{ customer.fields.points|default('пока 0') }} баллов.

{% if customer.fields.vip %}Вам положена скидка.{% else %}Скидка будет после пятой покупки.{% endif %}

{{ customer|name }}, ваш уровень: {{ customer.fields.level }}.

- Уровень {{ customer.fields.level }}
- Списать можно до 30 %.

Пишите так: `{{ код }}`.
"""
CHANNELS = ("telegram", "vk")


def base(folder: Path, body: str = POINTS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "bally.md").write_text(
        f"---\ntitle: Сколько у меня баллов\naliases: [мои баллы, баланс баллов]\nlang: ru\n---\n{body}",
        encoding="utf-8",
    )
    (folder / "vozvrat.md").write_text(
        "---\ntitle: Возврат товара\naliases: [как вернуть товар]\nlang: ru\n---\nЗа 14 дней.\n",
        encoding="utf-8",
    )
    return folder


async def knows(testbot: TestBot, customer: PlayedCustomer, **fields: object) -> None:
    """Another system told this of them."""
    await customer.says("/start")
    conversation = await testbot.store.conversation(customer.peer)
    assert conversation is not None and conversation.customer is not None
    await testbot.store.change_fields(conversation.customer, fields, testbot.clock(), by="crm")


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_customer_reads_their_own_facts(tmp_path: Path, channel: str) -> None:
    async with open_test_bot(base(tmp_path / "kb"), threads=False) as testbot:
        anna, boris = (
            testbot.customer(channel=channel),
            testbot.customer("Борис", channel=channel, chat="1002"),
        )
        await knows(testbot, anna, points="120", level="золотой", vip=True)
        await anna.says("мои баллы")
        await boris.says("мои баллы")
        his, hers = (
            boris.hears()[-1],
            [s.outbound for s in anna.channel.in_chat(anna.peer.chat)][-1].text.text,
        )

    assert "У вас 120 баллов." in hers and "Вам положена скидка." in hers
    assert "Анна, ваш уровень: золотой." in hers and "Уровень золотой" in hers
    assert "У вас пока 0 баллов." in his and "после пятой покупки" in his
    assert "уровень" not in his.lower() and "Списать можно до 30" in his
    assert "{{ код }}" in his and his.count("{{") == 1, "code stays as it is written"


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "body",
    [
        "Начало.\n\nУ вас {{ customer.fields.points }} баллов.\n",
        "Начало.\n\n{{ nobody.knows }} {{ customer.__class__ }}\n",
        "Начало.\n\n{% if customer %}не закрыто\n",
        "Начало.\n\n{{ customer.fields.points|нетфильтра }}\n",
        "Начало.\n\n{% for x in range(9999999) %}x{% endfor %}\n",
        "Начало.\n\n{{ customer.fields\n",
        "Начало.\n\n{{ 1 / 0 }}\n",
        "Начало.\n\n{% include 'x' %}\n",
    ],
)
async def test_no_customer_reads_braces(tmp_path: Path, channel: str, body: str) -> None:
    """Whatever the editor wrote: what cannot be made is left out, the rest is said."""
    async with open_test_bot(base(tmp_path / "kb", body), threads=False) as testbot:
        anna = testbot.customer(channel=channel)
        await anna.says("мои баллы")
        told = anna.hears()[-1]
        assert "Начало." in told and not any(sign in told for sign in ("{{", "}}", "{%", "%}"))


async def test_a_fact_is_words_and_never_markup(tmp_path: Path) -> None:
    body = "Уровень: {{ customer.fields.level|default('обычный') }}.\n"
    async with open_test_bot(base(tmp_path / "kb", body), threads=False) as testbot:
        anna = testbot.customer()
        await knows(testbot, anna, level="**жирный** [тык](https://зло) {{ business }}")
        await anna.says("мои баллы")
        shown = anna.sees()[-1].outbound.text
        assert "**жирный** [тык](https://зло) {{ business }}" in shown.text
        assert not any(span.url for span in shown.spans)


async def test_marks_of_the_bot_itself_are_no_facts(tmp_path: Path) -> None:
    body = "Начало.\n\nБлок: {{ customer.fields._blocked }} {{ customer.fields.news }}.\n"
    async with open_test_bot(base(tmp_path / "kb", body), threads=False) as testbot:
        anna = testbot.customer()
        await anna.says("/stop")
        await anna.says("мои баллы")
        assert "Блок" not in anna.hears()[-1] and "Начало." in anna.hears()[-1]


async def test_an_operator_sends_the_customers_facts(tmp_path: Path) -> None:
    async with open_test_bot(base(tmp_path / "kb"), threads=False) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await knows(testbot, anna, points="77")
        await anna.says("позовите человека")
        await olga.presses("Взять", ticket=1)
        await olga.says("/kb мои баллы", ticket=1)
        await olga.presses("Сколько у меня баллов", ticket=1)
        anna.listens()
        await olga.presses("Отправить", ticket=1)
        assert "У вас 77 баллов." in anna.hears()[-1]


def test_the_lint_tells_what_would_go_wrong(tmp_path: Path) -> None:
    wrong = "{{ order }} и {{ customer.nam }}\n\n{% if now %}\n## Дальше\n{% endif %}\n"
    body = "У вас {{ customer.fields.points }}.\n\n" + wrong
    knowledge = Knowledge.open(base(tmp_path / "kb", body))
    found = [
        (p.code, p.line)
        for p in lint(knowledge, today=date(2026, 11, 20))
        if p.code in ("KB030", "KB042", "KB043")
    ]
    assert sorted(found) == [("KB030", 8), ("KB030", 8), ("KB042", 10), ("KB043", 6), ("KB043", 8)]
    sound = Knowledge.open(base(tmp_path / "kb2"))
    assert {p.code for p in lint(sound, today=date(2026, 11, 20))} & {"KB030", "KB042"} == set()
