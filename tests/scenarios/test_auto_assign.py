"""Tickets that are given: several at once go to several people, and free hands get what waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.config.handoff import Routing
from bot.config.loader import Config
from bot.handoff.operators.roster import Roster
from bot.handoff.operators.teams import Teams
from bot.model import Event, Member, Peer, Ticket
from bot.testing import open_test_bot


def config(**sections: Any) -> Config:
    return Config.model_validate(sections)


def test_decisions_made_at_once_do_not_all_choose_the_same() -> None:
    """Four tickets are decided on before the first is committed: each operator gets their limit, the fifth
    ticket nobody.
    """
    roster, teams = Roster([Member("t:1", "Ольга"), Member("t:2", "Вера")]), Teams()
    tickets = [Ticket(n, n, Peer("t", str(n))) for n in range(1, 6)]
    routing = Routing(assign="round_robin", limit=2)

    chosen = [teams.choose(t, roster, tickets, routing) for t in tickets]

    assert [m and m.id for m in chosen] == ["t:1", "t:2", "t:1", "t:2", None]
    roster.seen(Event("ticket_closed", ticket=1))
    again = teams.choose(tickets[4], roster, tickets[1:], routing)
    assert again is not None and again.id == "t:1"


async def test_free_hands_get_who_waits(articles: Path) -> None:
    """Whoever closes a ticket at their limit is given the next in line, and nobody else is disturbed."""
    async with open_test_bot(
        articles, config=config(routing={"assign": "least_loaded", "limit": 1})
    ) as testbot:
        olga = testbot.operator("Ольга", id="1")
        await olga.says("на месте")
        for n in range(3):
            await testbot.customer(chat=str(2000 + n)).says("позовите оператора")
        await testbot.later(seconds=20)
        assert [t.operator for t in await testbot.service.store.tickets()].count("") == 2
        await olga.says("/close", ticket=1)
        await testbot.later(seconds=20)

        owners = {t.number: t.operator for t in await testbot.service.store.tickets()}
        assert owners == {2: "telegram:1", 3: ""}
