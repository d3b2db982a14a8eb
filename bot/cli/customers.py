"""`bot customers`: what a CRM knows of customers, and one person on several channels."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import typer

from bot.cli import settings
from bot.cli.clock import command_clock
from bot.cli.messages import EXIT_PROBLEM, EXIT_USAGE, fail, say, show_problems
from bot.cli.privacy import find_customer, unknown_customer
from bot.cli.store_reader import store_beside, with_store
from bot.errors import BotError, ConfigError
from bot.model import CustomerMerge, Event, Peer
from bot.storage.base import Store
from bot.text.customer_fields import CustomerRow, read_table
from bot.text.points_history import with_history
from bot.text.problems import problem

BY = "import"
CONSENTS = ("consent_given", "consent_refused", "consent_withdrawn")
TOGETHER = 500  # customers written at once, so that they share commits


def bring(path: Path | None, table: Path) -> None:
    """Lay the table's attributes over the customers it names; nothing is written where a line of it is wrong
    (exit code 2).
    """
    try:
        rows = read_table(table.read_bytes(), str(table))
    except ConfigError as error:
        show_problems(error.problems)
        raise typer.Exit(EXIT_USAGE) from None
    except OSError:
        raise fail(ConfigError([problem("customers.unreadable", str(table))])) from None

    points = settings.load(path).loyalty.field

    async def done(store: Store) -> None:
        now, meant = command_clock()(), [await _meant(store, row) for row in rows]
        changes = [
            (id, {k: v or None for k, v in row.values.items()})
            for row, ids in zip(rows, meant, strict=True)
            for id in ids
        ]
        laid = [await _with_points(store, id, told, now, points) for id, told in changes]
        for start in range(0, len(laid), TOGETHER):
            await asyncio.gather(
                *(store.change_fields(id, told, now, by=BY) for id, told in laid[start : start + TOGETHER])
            )
        unknown = sum(not ids for ids in meant)
        typer.echo(say("message.customers_imported", rows=len(rows), known=len(changes), unknown=unknown))

    with_store(path, done, busy=say("message.customers_busy_hint"))


def join(path: Path | None, into: str, other: str) -> None:
    """Two customers are one person from now on; exit code 1 where one of them is not known or they are one
    already.
    """

    async def done(store: Store) -> None:
        kept, gone = await find_customer(store, into), await find_customer(store, other)
        for id, who in ((kept, into), (gone, other)):
            if not id:
                raise unknown_customer(who)
        if not await store.join_customers(CustomerMerge(kept, gone), command_clock()(), by=BY):
            typer.secho(say("message.customers_same"), fg="red", err=True)
            raise typer.Exit(EXIT_PROBLEM)
        typer.echo(say("message.customers_joined", into=kept))

    with_store(path, done)


def part(path: Path | None, who: str) -> None:
    """Undo the latest joining of a customer; exit code 1 where there is none."""

    async def done(store: Store) -> None:
        kept = await find_customer(store, who)
        others = await store.joined(kept)
        if not others or not await store.join_customers(
            CustomerMerge(kept, others[0], undone=True), command_clock()(), by=BY
        ):
            typer.secho(say("message.customers_same"), fg="red", err=True)
            raise typer.Exit(EXIT_PROBLEM)
        typer.echo(say("message.customers_parted", into=kept, other=others[0]))

    with_store(path, done)


def consents(path: Path | None) -> None:
    """Who agreed to which version of the notice, and who took it back, oldest first: one line each."""

    async def read() -> tuple[Event, ...]:
        async with store_beside(settings.load(path)) as store:
            return await store.events(kinds=CONSENTS)

    try:
        events = asyncio.run(read())
    except BotError as error:
        raise fail(error) from None
    for event in events:
        at = f"{event.at:%Y-%m-%d %H:%M} UTC" if event.at else "-"
        facts = [event.data.get(key) or "-" for key in ("customer", "version", "channel", "text")]
        line = [at, say(f"message.{event.kind}"), *map(str, facts)]
        typer.echo("\t".join(line))
    if not events:
        typer.echo(say("message.no_consents"))


async def _with_points(
    store: Store, id: int, told: Mapping[str, object], now: datetime, points: str
) -> tuple[int, Mapping[str, object]]:
    """The changes, with the history of points where they are among them."""
    known = await store.customer(id) if points in told else None
    return id, with_history(known.fields, told, points, now, BY) if known else told


async def _meant(store: Store, row: CustomerRow) -> tuple[int, ...]:
    """The customers a row is about: by address, else everybody with this phone or e-mail."""
    if row.channel:
        found = await store.conversation(Peer(row.channel, row.chat))
        return (found.customer,) if found and found.customer else ()
    return tuple(c.id for c in await store.find_customers(row.contacts))
