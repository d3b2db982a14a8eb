"""A topic's state is the ticket's: whatever the order in which calls return, the last wish of the operators
holds.
"""

from __future__ import annotations

from bot.errors import RetryLater
from bot.model import OutboundKind
from bot.testing import TestBot

STATES = (OutboundKind.CLOSE_TOPIC, OutboundKind.REOPEN_TOPIC)


async def states(testbot: TestBot, ticket: int) -> list[OutboundKind]:
    return [o.kind for o in await testbot.operator().sees(ticket) if o.kind in STATES]


async def test_closed_and_opened_again_at_once_stays_open(testbot: TestBot) -> None:
    """/close and /reopen in one go: the topic is not closed after it was opened."""
    olga = testbot.operator()
    await testbot.customer().says("позовите оператора")
    await olga.says("/take", ticket=1)
    await olga.says("/close", ticket=1, run=False)
    await olga.says("/reopen", ticket=1, run=False)
    await testbot.rest()

    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.status == "operator"
    assert (await states(testbot, 1))[-1:] in ([], [OutboundKind.REOPEN_TOPIC])


async def test_a_closing_that_is_tried_again_does_not_overtake_the_opening(testbot: TestBot) -> None:
    """The platform asks to wait with the first wish: the second waits behind it, or takes its place."""
    olga, channel = testbot.operator(), testbot.channels["telegram"]
    await testbot.customer().says("позовите оператора")
    await olga.says("/take", ticket=1)
    send = channel.send
    refused: list[OutboundKind] = []

    async def slow(outbound, **more):  # type: ignore[no-untyped-def]
        if outbound.kind is OutboundKind.CLOSE_TOPIC and not refused:
            refused.append(outbound.kind)
            raise RetryLater("429", after=5)
        return await send(outbound, **more)

    channel.send = slow  # type: ignore[method-assign]
    await olga.says("/close", ticket=1)
    await olga.says("/reopen", ticket=1)
    await testbot.later(seconds=20)

    assert refused and (await states(testbot, 1))[-1:] in ([], [OutboundKind.REOPEN_TOPIC])


async def test_opened_and_closed_at_once_stays_closed(testbot: TestBot) -> None:
    """The same the other way round."""
    olga = testbot.operator()
    await testbot.customer().says("позовите оператора")
    await olga.says("/take", ticket=1)
    await olga.says("/close", ticket=1)
    await olga.says("/reopen", ticket=1, run=False)
    await olga.says("/close", ticket=1, run=False)
    await testbot.rest()

    assert (await states(testbot, 1))[-1] is OutboundKind.CLOSE_TOPIC


async def test_the_topic_is_open_before_operators_are_told_of_a_return(testbot: TestBot) -> None:
    """Whoever reads that the customer is back can answer there at once: views wait, and this must not."""
    olga, anna = testbot.operator(), testbot.customer()
    await anna.says("позовите оператора")
    await olga.says("Готово, проверяйте", ticket=1)
    await olga.says("/close", ticket=1)
    await anna.says("позовите оператора, вопрос остался")

    seen = await olga.sees(1)
    opened = [n for n, o in enumerate(seen) if o.kind is OutboundKind.REOPEN_TOPIC]
    told = [n for n, o in enumerate(seen) if "вопрос остался" in o.text.text]
    assert opened and told and opened[0] < told[0]
