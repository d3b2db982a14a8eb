"""What a card offers: ready answers only where there are some, articles only where they are near."""

from __future__ import annotations

from pathlib import Path

from bot.config.loader import Config
from bot.handoff.card import card
from bot.i18n.texts import Texts
from bot.model import Peer, Ticket, TicketState
from bot.testing import TestBot, open_test_bot


async def labels(testbot: TestBot) -> set[str]:
    return {b.label for o in await testbot.operator().sees(1) for row in o.buttons for b in row}


async def test_without_ready_answers_there_is_no_button_for_them(testbot: TestBot) -> None:
    """The button would lead nowhere; the command says in one line how to add them."""
    await testbot.customer().says("позовите оператора")
    olga = testbot.operator()
    assert "Передать" in await labels(testbot)
    assert "Шаблон" not in await labels(testbot)
    await olga.says("/t привет", ticket=1)

    told = (await olga.sees(1))[-1].text.text
    assert "пока нет" in told and "canned.folder" in told and "\n" not in told


async def test_the_button_comes_with_the_first_ready_answer(articles: Path, tmp_path: Path) -> None:
    """An empty folder is no choice either; a file put into it needs no restart."""
    async with open_test_bot(
        articles, config=Config.model_validate({"canned": {"folder": str(tmp_path)}})
    ) as testbot:
        await testbot.customer().says("позовите оператора")
        assert "Шаблон" not in await labels(testbot)
        (tmp_path / "a.yaml").write_text("привет: Здравствуйте!\n", "utf-8")
        await testbot.operator().presses("Взять", ticket=1)
        assert "Шаблон" in await labels(testbot)


def test_a_card_shows_no_article_that_is_far() -> None:
    """What would not be offered to a customer tells an operator nothing."""
    near = (("Возврат", 0.3), ("Оплата", 0.29), ("Доставка", 0.01))
    ticket = Ticket(1, 1, Peer("telegram", "1"), state=TicketState(name="Анна", candidates=near))
    shown = card(ticket, Texts.load(), "ru").text
    assert "Возврат (30 %)" in shown
    assert "Оплата" not in shown and "Доставка" not in shown

    far = Ticket(1, 1, Peer("telegram", "1"), state=TicketState(name="Анна", candidates=near[1:]))
    assert "Похожие" not in card(far, Texts.load(), "ru").text
