"""Limits of authority: within the limit at once, above it by a supervisor's yes, decided once, never
forgotten.
"""

from __future__ import annotations

from pathlib import Path

from bot.config.loader import Config
from bot.model import Compensation, Ticket
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedOperator

LIMITS = Config.model_validate(
    {
        "routing": {"supervisors": ["telegram:9009", "telegram:9010"]},
        "authority": {
            "limits": [
                {"role": "supervisor", "operators": ["telegram:9010"], "amount": 2000},
                {"role": "supervisor", "amount": None},
                {"operators": ["telegram:9002"], "amount": 3000},
                {"amount": 500},
            ],
            "remind": "15m",
        },
        "hours": {"week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "0:00-24:00")},
    }
)


async def _opened(testbot: TestBot) -> tuple[PlayedOperator, PlayedOperator]:
    olga, vera = testbot.operator(), testbot.operator("Вера", id="9009")
    await testbot.customer().says("позовите оператора")
    await vera.says("слежу", ticket=None)
    await olga.says("Здравствуйте, разберусь", ticket=1)
    return olga, vera


async def _asked(testbot: TestBot) -> tuple[Compensation, ...]:
    found = await testbot.store.ticket(1)
    assert isinstance(found, Ticket)
    return found.state.compensations


async def _events(testbot: TestBot) -> list[tuple[str, object, object]]:
    kinds = ("compensation_given", "compensation_asked", "compensation_decided")
    return [
        (e.kind, e.data["amount"], e.data.get("decision")) for e in await testbot.store.events(kinds=kinds)
    ]


async def test_within_the_limit_it_is_given_at_once(articles: Path) -> None:
    """And what one operator gave in a ticket counts together."""
    async with open_test_bot(articles, config=LIMITS) as testbot:
        olga, _ = await _opened(testbot)
        await olga.says("/compensate 400 руб опоздали", ticket=1)
        await olga.says("/compensate 200 и ещё", ticket=1)
        assert [(c.amount, c.decision, c.reason) for c in await _asked(testbot)] == [
            (400.0, "own", "опоздали"),
            (200.0, "", "и ещё"),
        ]
        await testbot.operator("Пётр", id="9002").says("/compensate 2 500,50 коробка смята", ticket=1)
        assert (await _asked(testbot))[-1].decision == "own"


async def test_more_waits_for_one_supervisor_and_is_decided_once(articles: Path) -> None:
    """Two press at once: the first one counts, the other hears whose word it was; the customer hears
    nothing.
    """
    async with open_test_bot(articles, config=LIMITS) as testbot:
        olga, vera = await _opened(testbot)
        gleb = testbot.operator("Глеб", id="9010")
        anna = testbot.customer()
        anna.listens()
        await olga.says("/compensate 1500 товар пришёл разбитым", ticket=1)
        assert any("Спросил старших смены" in o.text.text for o in await olga.sees(1))
        private = testbot.channels["telegram"].in_chat("9009")[-1].outbound
        assert "1\u00a0500\u00a0₽" in private.text.text and "товар пришёл разбитым" in private.text.text
        await olga.presses("Разрешить")
        assert (await _asked(testbot))[0].decision == ""  # not by an operator
        await vera.presses("Разрешить", run=False)
        await gleb.presses("Отказать")
        (made,) = await _asked(testbot)
        assert (made.decision, made.decided_by) == ("yes", "Вера")
        assert any("можно: товар пришёл разбитым. Решение — Вера" in o.text.text for o in await olga.sees(1))
        assert any("Уже решено: Вера" in o.text.text for o in await olga.sees())
        edited = testbot.channels["telegram"].in_chat("9009", kind=None)[-1].outbound
        assert "✅ Разрешено — Вера" in edited.text.text and not edited.buttons
        assert await _events(testbot) == [
            ("compensation_asked", 1500.0, None),
            ("compensation_decided", 1500.0, "yes"),
        ]
        assert anna.hears() == [] and await testbot.store.check() == ()


async def test_over_a_supervisors_own_limit_it_is_anothers(articles: Path) -> None:
    async with open_test_bot(articles, config=LIMITS) as testbot:
        olga, vera = await _opened(testbot)
        await olga.says("/compensate 5000 заказ потерян", ticket=1)
        await testbot.operator("Глеб", id="9010").presses("Разрешить")
        assert (await _asked(testbot))[0].decision == ""
        await vera.presses("Отказать")
        assert (await _asked(testbot))[0].decision == "no"
        assert any("нельзя: заказ потерян" in o.text.text for o in await olga.sees(1))


async def test_nobody_waits_unseen(articles: Path) -> None:
    """Called out after 15 minutes, then after 30, also where the ticket was closed meanwhile; after the
    decision no more.
    """
    async with open_test_bot(articles, config=LIMITS) as testbot:
        olga, vera = await _opened(testbot)
        await olga.says("/compensate 900 долго ждали", ticket=1)
        await olga.says("/close", ticket=1)
        await testbot.later(minutes=16)
        assert (await _asked(testbot))[0].reminders == 1
        assert any("решения по 900\u00a0₽ пока нет" in o.text.text for o in await olga.sees(1))
        assert "Напоминаю, решения нет" in testbot.channels["telegram"].in_chat("9009")[-1].outbound.text.text
        await testbot.later(minutes=5)
        assert (await _asked(testbot))[0].reminders == 1
        await testbot.later(minutes=15)
        assert (await _asked(testbot))[0].reminders == 2
        await vera.presses("Разрешить")
        assert (await _asked(testbot))[0].decision == "yes"
        await testbot.later(hours=5)
        assert (await _asked(testbot))[0].reminders == 2


async def test_without_supervisors_a_colleague_decides(articles: Path) -> None:
    """Four eyes: not the one who asks."""
    async with open_test_bot(articles) as testbot:
        olga, _ = await _opened(testbot)
        await olga.says("/compensate 300 опоздали", ticket=1)
        await olga.presses("Разрешить")
        assert (await _asked(testbot))[0].decision == ""
        await testbot.operator("Пётр", id="9002").presses("Разрешить")
        assert (await _asked(testbot))[0].decision == "yes"


async def test_a_step_with_a_sum_waits_for_the_yes(articles: Path, tmp_path: Path) -> None:
    """The step is done when the compensation is allowed; a second press asks nothing twice."""
    (tmp_path / "own.yaml").write_text(
        "late:\n  title: Опоздание\n  tags: [опоздали]\n  steps: [{text: Купон на 700, amount: 700}]\n",
        "utf-8",
    )
    settings = LIMITS.model_copy(
        update={"playbooks": LIMITS.playbooks.model_copy(update={"folder": str(tmp_path)})}
    )
    async with open_test_bot(articles, config=settings) as testbot:
        olga, vera = await _opened(testbot)
        await olga.says("/tag опоздали", ticket=1)
        await olga.presses("Купон на 700", ticket=1)
        await olga.presses("Купон на 700", ticket=1)
        assert len(await _asked(testbot)) == 1
        await vera.presses("Разрешить")
        ticket = await testbot.store.ticket(1)
        assert ticket is not None
        assert [d.step for d in ticket.state.steps_done] == ["Купон на 700"]


async def test_what_cannot_be_read_is_explained(articles: Path) -> None:
    async with open_test_bot(articles, config=LIMITS) as testbot:
        olga, _ = await _opened(testbot)
        for wrong in ("/compensate", "/compensate 500", "/compensate скидка", "/compensate 0 ничего"):
            await olga.says(wrong, ticket=1)
            assert "до 500\u00a0₽" in (await olga.sees(1))[-1].text.text
        assert await _asked(testbot) == ()


async def test_a_reason_that_begins_with_a_number_is_no_part_of_the_sum(articles: Path) -> None:
    """«500 2 дня опоздания» is five hundred; thousands may be written apart."""
    async with open_test_bot(articles, config=LIMITS) as testbot:
        olga, _ = await _opened(testbot)
        await olga.says("/compensate 500 2 дня опоздания", ticket=1)
        await olga.says("/compensate 1 500 ₽ 3 раза не привезли", ticket=1)
        await olga.says("/compensate 1500,50 12 роз завяли", ticket=1)
        await olga.says("/compensate 500 200 роз завяли", ticket=1)
        await olga.says("/compensate 100 000 за всю партию", ticket=1)
        await olga.says("/compensate 500 200 ₽ за партию", ticket=1)
        assert [(c.amount, c.decision, c.reason) for c in await _asked(testbot)] == [
            (500.0, "own", "2 дня опоздания"),
            (1500.0, "", "3 раза не привезли"),
            (1500.5, "", "12 роз завяли"),
            (500.0, "", "200 роз завяли"),
            (100_000.0, "", "за всю партию"),
            (500_200.0, "", "за партию"),
        ]
