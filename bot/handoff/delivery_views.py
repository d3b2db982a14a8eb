"""What the desk sees of deliveries: receipts, what did not arrive, and topics that have to be made again."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.card import numbered, topic_name
from bot.handoff.card_posts import reposted
from bot.handoff.desk_context import DeskContext, SettledDelivery
from bot.model import Button, Event, Outbound, OutboundKind, Peer, Priority, RichText, Rows


class DeskViews:
    """What the outbox asks about the tickets it shows.

    The process that sends need not be one that decides: what it says of tickets and groups is read from the
    store, not remembered from decisions.
    """

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk

    async def topic_name(self, ticket: int) -> str:
        """How the topic of a ticket is called."""
        found = await self._desk.ticket_reader.ticket(ticket)
        return (
            topic_name(found, self._desk.texts, self._desk.lang)
            if found
            else numbered(ticket, self._desk.texts, self._desk.lang)
        )

    async def repost(self, ticket: int, to: Peer) -> tuple[Outbound, ...]:
        """The card with the newest history, for a topic that was deleted."""
        await self._desk.shared.catch_up()
        return await reposted(self._desk, ticket, to)

    async def lost(self, to: Peer) -> tuple[Event, ...]:
        """What follows when a chat cannot be written to any more: a group of operators that is gone shows its
        tickets elsewhere.
        """
        await self._desk.shared.catch_up()
        if not self._desk.places.is_desk(to) or self._desk.teams.is_lost(replace(to, thread="")):
            return ()
        return (Event("desk_lost", data={"channel": to.channel, "chat": to.chat}),)

    async def undelivered(self, delivery: SettledDelivery, code: str) -> tuple[Outbound, ...]:
        """Tell the operators of a ticket that the customer did not get something, and why: the code of a
        `DeliveryError`.
        """
        known = code and self._desk.texts.has(f"desk.why_undelivered.{code}")
        reason = self._desk.texts.text(
            f"desk.why_undelivered.{code if known else 'other'}", lang=self._desk.lang
        )
        return await self._of_delivery(delivery, "desk.undelivered", reason=reason)

    async def doubtful(self, delivery: SettledDelivery) -> tuple[Outbound, ...]:
        """Ask the operators of a ticket what to do about words that may have arrived or not."""
        if delivery.outbound.kind is not OutboundKind.SAY:
            return ()
        return await self._of_delivery(delivery, "desk.doubtful")

    async def _of_delivery(
        self, delivery: SettledDelivery, key: str, **facts: object
    ) -> tuple[Outbound, ...]:
        outbound = delivery.outbound
        if outbound.kind is OutboundKind.MODERATE and outbound.receipt is not None:
            reason = str(facts.get("reason", ""))
            said = self._desk.texts.say("desk.comment.not_done", lang=self._desk.lang, reason=reason)
            return (Outbound(outbound.receipt.peer, said, quotes=outbound.receipt.message, author=""),)
        if outbound.ticket is None:
            return ()
        await self._desk.shared.catch_up()
        if self._desk.places.is_desk(outbound.to):
            return ()
        to = outbound.receipt.peer if outbound.receipt else await self._thread(outbound.ticket)
        if to is None:
            return ()
        text = self._desk.texts.say(key, lang=self._desk.lang, text=_shown(outbound)[:80], **facts)
        again: Rows = ()
        if outbound.author == "operator" and outbound.kind is OutboundKind.SAY:
            again = (
                (
                    Button(
                        self._desk.texts.text("desk.button.resend", lang=self._desk.lang),
                        "resend",
                        str(delivery.id),
                    ),
                ),
            )
        return (
            Outbound(
                to,
                text,
                buttons=again,
                quotes=outbound.receipt.message if outbound.receipt else "",
                ticket=outbound.ticket,
                author="",
                priority=Priority.NOTICE,
            ),
        )

    async def _thread(self, number: int) -> Peer | None:
        """Where the ticket is shown now; None while there is no desk."""
        ticket = await self._desk.ticket_reader.ticket(number)
        if ticket is not None:
            return self._desk.places.thread(ticket)
        place = self._desk.places.binding.place
        return replace(place, thread=f"ticket:{number}") if place else None

    def delivered(self, delivery: SettledDelivery) -> tuple[Outbound, ...]:
        """The receipt under an operator's words."""
        receipt = delivery.outbound.receipt
        if receipt is None:
            return ()
        mark = RichText(self._desk.texts.text("desk.receipt.delivered", lang=self._desk.lang))
        # by this name a reply to the operator's own words finds the ticket
        name = receipt.peer.message_name(receipt.message)
        number = delivery.outbound.ticket
        return (
            Outbound(
                receipt.peer,
                mark,
                kind=OutboundKind.REACT,
                name=name,
                quotes=receipt.message,
                priority=Priority.COSMETIC,
                ticket=number,
                author="",
            ),
        )


def _shown(outbound: Outbound) -> str:
    """By what an operator knows a message again: its words, or the names of its files."""
    return outbound.text.text or ", ".join(a.name for a in outbound.attachments if a.name)
