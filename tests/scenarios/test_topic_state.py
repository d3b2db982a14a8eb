"""A topic's state is the ticket's: whatever the order in which calls return, the last wish of the operators holds."""

from __future__ import annotations

from bot.errors import RetryLater
from bot.model import Verb
from bot.testing import Theatre

STATES = (Verb.CLOSE_TOPIC, Verb.REOPEN_TOPIC)


async def states(theatre: Theatre, ticket: int) -> list[Verb]:
    return [o.verb for o in await theatre.operator().sees(ticket) if o.verb in STATES]


async def test_closed_and_opened_again_at_once_stays_open(theatre: Theatre) -> None:
    """/close and /reopen within one breath: the topic is not closed after it was opened."""
    olga = theatre.operator()
    await theatre.customer().says("позовите оператора")
    await olga.says("/take", ticket=1)
    await olga.says("/close", ticket=1, run=False)
    await olga.says("/reopen", ticket=1, run=False)
    await theatre.rest()

    ticket = await theatre.house.store.ticket(1)
    assert ticket is not None and ticket.status == "operator"
    assert (await states(theatre, 1))[-1:] in ([], [Verb.REOPEN_TOPIC])


async def test_a_closing_that_is_tried_again_does_not_overtake_the_opening(theatre: Theatre) -> None:
    """The platform asks to wait with the first wish: the second waits behind it, or takes its place."""
    olga, channel = theatre.operator(), theatre.channels["telegram"]
    await theatre.customer().says("позовите оператора")
    await olga.says("/take", ticket=1)
    send = channel.send
    refused: list[Verb] = []

    async def slow(outbound, **more):  # type: ignore[no-untyped-def]
        if outbound.verb is Verb.CLOSE_TOPIC and not refused:
            refused.append(outbound.verb)
            raise RetryLater("429", after=5)
        return await send(outbound, **more)

    channel.send = slow  # type: ignore[method-assign]
    await olga.says("/close", ticket=1)
    await olga.says("/reopen", ticket=1)
    await theatre.later(seconds=20)

    assert refused and (await states(theatre, 1))[-1:] in ([], [Verb.REOPEN_TOPIC])


async def test_opened_and_closed_at_once_stays_closed(theatre: Theatre) -> None:
    """The same the other way round."""
    olga = theatre.operator()
    await theatre.customer().says("позовите оператора")
    await olga.says("/take", ticket=1)
    await olga.says("/close", ticket=1)
    await olga.says("/reopen", ticket=1, run=False)
    await olga.says("/close", ticket=1, run=False)
    await theatre.rest()

    assert (await states(theatre, 1))[-1] is Verb.CLOSE_TOPIC
