"""Ten tickets of one customer, one after another: each is answered in its own, and they are never left
without anybody.
"""

from __future__ import annotations

from bot.model import Status
from bot.testing import TestBot


async def test_ten_tickets_of_one_customer(testbot: TestBot) -> None:
    anna, olga = testbot.customer(), testbot.operator()
    for n in range(1, 11):
        await anna.says("позовите оператора")
        conversation = await testbot.service.store.conversation(anna.peer)
        assert conversation is not None and conversation.status is Status.WAITING
        await anna.says(f"вопрос номер {n}")
        assert any(f"вопрос номер {n}" in o.text.text for o in await olga.sees(n)), n
        await olga.says(f"ответ номер {n}", ticket=n)
        testbot.clock.advance(minutes=2)
        await testbot.rest()
        assert anna.hears()[-1].endswith(f"ответ номер {n}")
        await olga.says("/close", ticket=n)
        testbot.clock.advance(days=8)  # past the time in which the same ticket would be opened again
        await testbot.rest()

    tickets = await testbot.service.store.tickets(open_only=False, limit=50)
    assert sorted(t.number for t in tickets) == list(range(1, 11)) and all(
        t.status == "closed" for t in tickets
    )
