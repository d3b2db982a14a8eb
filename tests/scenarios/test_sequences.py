"""Follow-up sequences: after an event or for a segment, each step once, ended by what makes it needless,
stopped by supervisors, in hours for it, never two at once.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.config.loader import Config
from bot.errors import ConfigError
from bot.model import CustomerMerge, Priority
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import PlayedCustomer, PlayedOperator

CARE = {
    "title": "Забота",
    "event": "ticket_closed",
    "tag": "доставка",
    "steps": [
        {"after": "1d", "text": "{{ customer|name }}, всё ли приехало?"},
        {"after": "2d", "text": "Поделитесь **отзывом**!", "unless": ["wrote", "field:review"]},
    ],
}


def _config(**sequences: object) -> Config:
    return Config.model_validate(
        {
            "sequences": sequences or {"care": CARE},
            "rating": {"ask": False},
            "routing": {"supervisors": ["telegram:9001"]},
        }
    )


async def _closed(testbot: TestBot, tag: str = "доставка", chat: str = "1001") -> PlayedCustomer:
    """A customer whose ticket with this tag has just been closed."""
    anna, olga = testbot.customer(chat=chat), testbot.operator()
    await anna.says("позовите оператора")
    number = len(await testbot.store.tickets(open_only=False))
    await olga.says("Сейчас посмотрю", ticket=number)
    await olga.says(f"/tag {tag}", ticket=number)
    await olga.presses("Закрыть", ticket=number)
    anna.listens()
    await testbot.later(minutes=2)
    return anna


async def _story(testbot: TestBot) -> list[str]:
    kinds = ["sequence_began", "sequence_said", "sequence_ended"]
    return [
        f"{e.kind[9:]} {e.data.get('why', e.data.get('step', ''))}".strip()
        for e in await testbot.store.events(kinds=kinds)
    ]


async def test_steps_come_one_after_another_and_once(articles: Path) -> None:
    """After their days, with the way out in each, never before anybody's answer; then it is over."""
    async with open_test_bot(articles, config=_config()) as testbot:
        anna = await _closed(testbot)
        await testbot.later(hours=23)
        assert anna.hears() == []
        await testbot.later(hours=2)
        await testbot.later(days=1)
        assert anna.hears() == ["Анна, всё ли приехало?"]
        await testbot.later(days=1, minutes=5)
        await testbot.later(days=5)
        assert anna.hears() == ["Анна, всё ли приехало?", "Поделитесь отзывом!"]
        for sent in anna.sees():
            assert [b.action for row in sent.outbound.buttons for b in row] == ["news_off"]
            assert sent.outbound.priority is Priority.BULK
        assert await _story(testbot) == ["began", "said 1", "said 2", "ended done"]
        assert await testbot.store.check() == ()


async def test_other_tickets_begin_nothing(articles: Path) -> None:
    """Neither one without the tag nor one that was closed before it was looked for twice."""
    async with open_test_bot(articles, config=_config()) as testbot:
        await _closed(testbot, tag="возврат")
        await testbot.later(days=2)
        assert await _story(testbot) == []


async def test_what_was_hoped_for_ends_it(articles: Path) -> None:
    """The customer wrote, or a field is known by now: the next step is needless."""
    async with open_test_bot(articles, config=_config()) as testbot:
        anna = await _closed(testbot)
        await testbot.later(hours=1)
        await anna.says("всё приехало, спасибо")
        await testbot.later(days=4)
        assert await _story(testbot) == ["began", "ended unless"]
    async with open_test_bot(articles, config=_config()) as testbot:
        anna = await _closed(testbot)
        await testbot.later(days=1, minutes=5)
        [row] = await testbot.store.listeners()
        await testbot.store.change_fields(row.customer.id, {"review": "5"}, testbot.clock(), by="crm")
        await testbot.later(days=4)
        assert await _story(testbot) == ["began", "said 1", "ended unless"]


async def test_a_ticket_on_another_channel_makes_a_step_needless(articles: Path) -> None:
    """Nobody is asked for a review while their next trouble is being answered elsewhere."""
    steps = [{"after": "2d", "text": "Поделитесь отзывом!", "unless": ["ticket"]}]
    async with open_test_bot(
        articles, config=_config(care={"event": "ticket_closed", "steps": steps})
    ) as testbot:
        anna = await _closed(testbot)
        other = testbot.customer(channel="vk", chat="77")
        await testbot.later(hours=1)
        await other.says("привет")
        here, there = [await testbot.store.conversation(p.peer) for p in (anna, other)]
        assert here is not None and there is not None and here.customer and there.customer
        merge = CustomerMerge(here.customer, there.customer)
        assert await testbot.store.join_customers(merge, testbot.clock(), by="test")
        await other.says("позовите оператора")
        anna.listens()
        await testbot.later(days=2, hours=4)
        assert anna.hears() == [] and (await _story(testbot))[-1] == "ended unless"


async def test_who_opts_out_hears_no_more(articles: Path) -> None:
    """By the button below any step; the supervisors see it counted."""
    async with open_test_bot(articles, config=_config()) as testbot:
        anna, olga = await _closed(testbot), testbot.operator()
        await testbot.later(days=1, minutes=5)
        await anna.presses("Не присылать")
        await testbot.later(days=4)
        assert await _story(testbot) == ["began", "said 1", "ended opted_out"]
        await olga.says("/followups")
        [listed] = testbot.desk_texts("Цепочки за 30 дней")
        assert "Начали 1, сообщений 1" in listed and "отписались 1" in listed


async def test_never_two_at_once_and_not_again_too_soon(articles: Path) -> None:
    """A second sequence for the same event, and the same one after the next ticket, do not begin."""
    other = {**CARE, "title": "Другая"}
    async with open_test_bot(articles, config=_config(care=CARE, other=other)) as testbot:
        await _closed(testbot)
        await testbot.later(days=6)
        assert (await _story(testbot)).count("began") == 1
    async with open_test_bot(articles, config=_config()) as testbot:
        await _closed(testbot)
        await testbot.later(days=6)
        await _closed(testbot)
        await testbot.later(days=6)
        assert (await _story(testbot)).count("began") == 1


async def test_supervisors_stop_it_and_let_it_go_on(articles: Path) -> None:
    """Stopped, nobody gets the next step or begins; going on, others do. Only who leads may order it."""
    async with open_test_bot(articles, config=_config()) as testbot:
        anna, olga = await _closed(testbot), testbot.operator()
        await testbot.operator("Пётр", id="9005").says("/followups stop care")
        assert await testbot.store.setting("sequence_stopped:care") is None
        await olga.says("/followups stop care")
        await testbot.later(days=4)
        assert anna.hears() == [] and await _story(testbot) == ["began", "ended stopped"]
        await olga.says("/followups")
        assert "остановил(а) Ольга" in testbot.desk_texts("Цепочки за 30 дней")[-1]
        await olga.presses("▶️ Забота", ticket=None)
        boris = await _closed(testbot, chat="1002")
        await testbot.later(days=1, minutes=5)
        assert len(boris.hears()) == 1


async def test_the_words_are_tried_on_oneself(articles: Path) -> None:
    """Every step as a customer would see it, to whoever asks; nobody else hears it, nothing is counted."""
    async with open_test_bot(articles, config=_config()) as testbot:
        olga: PlayedOperator = testbot.operator()
        anna = testbot.customer()
        await anna.says("привет")
        anna.listens()
        await olga.says("/followups test care")
        texts = testbot.desk_texts()
        assert "Ольга, всё ли приехало?" in texts and "Поделитесь отзывом!" in texts
        assert anna.hears() == [] and await _story(testbot) == []
        await olga.says("/followups test нет")
        assert "Такой цепочки нет" in testbot.desk_texts()[-1]


async def test_a_step_waits_for_the_morning_and_for_the_end_of_a_talk(articles: Path) -> None:
    """Nobody is written to at night, nor while a person answers them."""
    night = {"event": "ticket_closed", "steps": [{"after": "11h", "text": "Доброе утро"}]}
    async with open_test_bot(articles, config=_config(night=night)) as testbot:
        anna = await _closed(testbot)
        await testbot.later(hours=11, minutes=5)
        assert anna.hears() == []
        await testbot.later(hours=10)
        assert anna.hears() == ["Доброе утро"]
    busy = {"event": "ticket_closed", "steps": [{"after": "1d", "text": "Как дела?", "unless": []}]}
    async with open_test_bot(articles, config=_config(busy=busy)) as testbot:
        anna = await _closed(testbot)
        await anna.says("позовите оператора")
        await testbot.later(days=1, minutes=5)
        assert "Как дела?" not in anna.hears()
        await testbot.operator().presses("Закрыть", ticket=1)
        await testbot.later(hours=7)
        assert "Как дела?" in anna.hears()


async def test_a_segment_is_looked_at_once_a_day(articles: Path) -> None:
    """Whoever has the field begins, once; whoever has not, does not."""
    gold = {"segment": "tier=gold", "steps": [{"after": "2h", "text": "Для вас закрытая распродажа"}]}
    async with open_test_bot(articles, config=_config(gold=gold)) as testbot:
        anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
        await anna.says("привет")
        await boris.says("привет")
        first = (await testbot.store.listeners())[0].customer.id
        await testbot.store.change_fields(first, {"tier": "gold"}, testbot.clock(), by="crm")
        anna.listens()
        boris.listens()
        await testbot.later(minutes=2)
        await testbot.later(hours=3)
        await testbot.later(days=1)
        assert anna.hears() == ["Для вас закрытая распродажа"] and boris.hears() == []
        assert await _story(testbot) == ["began", "said 1", "ended done"]
    wrong = {"segment": "channel=viber", "steps": [{"after": "2h", "text": "Никому"}]}
    async with open_test_bot(articles, config=_config(wrong=wrong)) as testbot:
        await testbot.later(minutes=2)
        assert any("viber" in text for text in testbot.desk_texts())


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": CARE["steps"]},
        {**CARE, "segment": "tier=gold"},
        {**CARE, "event": "ticket_closd"},
        {**CARE, "steps": []},
        {**CARE, "steps": [{"after": "1d", "text": "…", "unless": ["sneezed"]}]},
    ],
)
def test_a_sequence_that_could_not_work_is_refused(wrong: dict[str, object]) -> None:
    """At the start, with what is wrong."""
    with pytest.raises(ValidationError):
        _config(care=wrong)


async def test_words_that_cannot_be_read_are_told_at_the_start(articles: Path) -> None:
    """Nobody would get anything of them, so the bot does not start; the step is named."""
    broken = {"event": "ticket_closed", "steps": [{"after": "1d", "text": "{{ customer|nmae }}, привет"}]}
    with pytest.raises(ConfigError, match="broken"):
        async with open_test_bot(articles, config=_config(broken=broken)):
            raise AssertionError


async def test_a_low_rating_that_nobody_has_looked_at_goes_first(articles: Path) -> None:
    """Nobody asks an offended customer for a review while a supervisor owes them an apology."""
    steps = [{"after": "1d", "text": "Поделитесь отзывом!", "unless": ["ticket"]}]
    settings = {
        "sequences": {"care": {"event": "ticket_closed", "steps": steps}},
        "routing": {"supervisors": ["telegram:9001"]},
    }
    async with open_test_bot(articles, config=Config.model_validate(settings)) as testbot:
        anna = await _closed(testbot)
        await testbot.later(minutes=6)
        await anna.says("1")
        await testbot.later(minutes=4)
        anna.listens()
        for _ in range(4):
            await testbot.later(hours=6)
        assert anna.hears() == []
        await testbot.operator().presses("Разобрано без письма", ticket=1)
        for _ in range(4):
            await testbot.later(hours=6)
        assert anna.hears() == ["Поделитесь отзывом!"]
