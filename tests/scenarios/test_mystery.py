"""A mystery customer: comes as any other, follows the operator's words, survives a restart, ends by itself
and is in no figure.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.errors import ConfigError
from bot.handoff.mystery.player import ENDED, STARTED, runs_of
from bot.handoff.mystery.scenario import builtin_scenarios, read_scenarios
from bot.model import PLAYED
from bot.quality import figures
from bot.reports.periods import last_days
from bot.reports.report import make_report, read_facts
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer

WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "0:00-24:00")
ON = Config.model_validate(
    {
        "quality": {"mystery": True},
        "routing": {"supervisors": ["telegram:9009"]},
        "hours": {"week": WEEK},
    }
)


def _vera(testbot: TestBot) -> PlayedCustomer:
    """A supervisor in her own chat with the bot."""
    return testbot.customer("Вера", chat="9009")


async def _started(testbot: TestBot) -> PlayedCustomer:
    vera = _vera(testbot)
    await vera.says("/mystery")
    await vera.presses("Магазин: заказ опоздал")
    await testbot.later(seconds=5)  # the first line
    await testbot.later(seconds=30)  # a person is called
    return vera


async def _lines(testbot: TestBot) -> list[str]:
    """What the played customer has said."""
    ticket = await testbot.store.ticket(1)
    assert ticket is not None and ticket.customer_peer.channel == PLAYED
    history = await testbot.store.history(ticket.conversation)
    return [line.text for line in history if line.author == "customer"]


async def test_it_comes_as_any_other_and_follows_the_operator(articles: Path) -> None:
    async with open_test_bot(articles, config=ON) as testbot:
        vera = await _started(testbot)
        assert any("Чего ждём: извиниться" in text for text in vera.hears())
        olga = testbot.operator()
        card = (await olga.sees(1))[0].text.text
        assert "№1 · Марина · telegram" in card and "попросил человека" in card
        assert not any(word in card.casefold() for word in ("тайн", "myster", PLAYED))

        await olga.says("Здравствуйте, Марина! Простите. Какой номер заказа?", ticket=1)
        await testbot.later(seconds=10)
        assert len(await _lines(testbot)) == 1  # nobody types so fast
        await testbot.later(seconds=60)
        assert (await _lines(testbot))[-1] == "48213, на имя Марины"
        assert any("48213" in o.text.text for o in await olga.sees(1))
        await olga.says("Понимаю", ticket=1)
        await testbot.later(seconds=60)
        assert (await _lines(testbot))[-1] == "Когда именно? Мне надо планировать день"
        await olga.says("Привезём завтра до 12", ticket=1)
        await testbot.later(seconds=60)
        assert (await _lines(testbot))[-1] == "Хорошо, спасибо, жду"
        await olga.says("/close", ticket=1)
        await testbot.later(minutes=2)
        (run,) = await testbot.store.events(kinds=[STARTED])
        assert [e.data["run"] for e in await testbot.store.events(kinds=[ENDED])] == [run.data["run"]]
        await testbot.later(minutes=11)
        (scored,) = await testbot.store.events(kinds=[figures.SCORED])
        assert scored.data["played"] is True and scored.data["of"] == "telegram:9001"
        assert not any(e.kind == "delivery_failed" for e in await testbot.store.events())
        assert await testbot.store.check() == ()


async def test_it_is_in_no_figure(articles: Path) -> None:
    """Not in the report, not among customers to write to, not in what is read of customers' words."""
    async with open_test_bot(articles, config=ON) as testbot:
        await _started(testbot)
        await testbot.operator().says("Здравствуйте", ticket=1)
        await testbot.operator().says("/close", ticket=1)
        await testbot.later(minutes=20)
        now, hours = testbot.clock(), testbot.service.hours
        period = last_days(1, now, hours.zone)
        report = make_report(await read_facts(testbot.store, hours, period, now), period)
        assert (report.figures["nst"].value, report.figures["csi"].parts["asked"]) == (0, 0)
        assert "scores" not in report.tables
        assert all(r.peer.channel != PLAYED for r in await testbot.store.listeners())
        assert all(t.peer.channel != PLAYED for t in await testbot.store.turns(limit=500))
        said = [m.text for m in await testbot.store.words_since(period.start)]
        assert not any("Заказ обещали" in text for text in said)
        assert figures.by_operator(await testbot.store.events(), hours.zone) == {}


async def test_a_restart_repeats_nothing_and_it_ends_by_itself(articles: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "bot.db")
    async with open_test_bot(articles, config=ON, storage=file) as testbot:
        await _started(testbot)
        await testbot.operator().says("Какой номер?", ticket=1)
        await testbot.later(seconds=60)
        now = testbot.clock()
    async with open_test_bot(articles, config=ON, storage=file) as testbot:
        testbot.clock.at = now
        await testbot.later(seconds=60)
        assert len(await _lines(testbot)) == 2
        await testbot.operator().says("Ждите завтра", ticket=1)
        for _ in range(3):  # rounds that come before the line is decided on
            testbot.clock.advance(seconds=60)
            await testbot.service.rounds.go(testbot.clock())
        await testbot.rest()
        assert len(await _lines(testbot)) == 3
        await testbot.later(hours=25)
        runs = runs_of(await testbot.store.events())
        assert [over for _, over in runs] == ["done"]
        ticket = await testbot.store.ticket(1)
        assert ticket is not None and ticket.status == "closed"
        assert len(await _lines(testbot)) == 3


async def test_only_supervisors_and_only_in_private(articles: Path) -> None:
    async with open_test_bot(articles, config=ON) as testbot:
        supervisor = testbot.operator("Вера", id="9009")
        await supervisor.says("/mystery late_order")
        assert "в личном чате" in (await supervisor.sees())[-1].text.text
        olga = testbot.customer("Ольга", chat="9001")
        await testbot.operator().says("/back")
        await olga.says("/mystery late_order")
        assert await testbot.store.events(kinds=[STARTED]) == ()


async def test_it_is_off_until_the_owner_wants_it(articles: Path) -> None:
    off = Config.model_validate({"routing": {"supervisors": ["telegram:9009"]}})
    async with open_test_bot(articles, config=off) as testbot:
        vera = _vera(testbot)
        await vera.says("/mystery")
        assert "quality: {mystery: true}" in vera.hears()[0]
        assert PLAYED not in testbot.service.adapters


def test_scenarios_of_the_owner_and_ours(tmp_path: Path) -> None:
    ru, en = (read_scenarios(lang, None).known for lang in ("ru", "en"))
    assert [(s.name, s.trade, len(s.lines)) for s in ru.values()] == [
        (s.name, s.trade, len(s.lines)) for s in en.values()
    ]
    assert {s.trade for s in ru.values()} == {"shop", "salon", "repair", "courses", "other"}
    (tmp_path / "own.yaml").write_text(
        'late_order:\n  title: Своё\n  lines: [Где?, {if: ["?"], say: Пятый, else: Алло}, Ок]\n', "utf-8"
    )
    own = read_scenarios("ru", tmp_path).known
    assert next(iter(own)) == "late_order" and own["late_order"].title == "Своё"
    line = own["late_order"].lines[1]
    assert (line.after("Какой номер?"), line.after("Ждите")) == ("Пятый", "Алло")
    (tmp_path / "own.yaml").write_text("late:\n  title: Своё\n  lines: [Где?]\n", "utf-8")
    with pytest.raises(ConfigError) as fault:
        read_scenarios("ru", tmp_path)
    assert fault.value.problems[0].line == 1 and builtin_scenarios("de").name == "en.yaml"


async def test_nobody_asks_a_played_customer_how_it_was(articles: Path) -> None:
    """Neither a rating nor whether all is well: nobody is there to answer."""
    played = ON.model_copy(update={"aftercare": ON.aftercare.model_copy(update={"check_in": "1d"})})
    async with open_test_bot(articles, config=played) as testbot:
        await _started(testbot)
        olga = testbot.operator()
        await olga.says("Здравствуйте, Марина! Простите. Какой номер заказа?", ticket=1)
        await olga.says("/close", ticket=1)
        for _ in range(3):
            await testbot.later(hours=12)
        assert not await testbot.store.events(kinds=["rating_asked", "check_in_asked"])
