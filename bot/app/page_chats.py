"""The channels whose chats lie in the store, joined to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.adapters.page_channel import ChatParts, PageChannel
from bot.app.service_parts import ServiceParts
from bot.dialogs.consent import FIRST, Consent, ConsentPlace
from bot.handoff.places import DeskPlaces
from bot.i18n.texts import Texts
from bot.model import Button, Customer, Event, Outbound, Peer, RichText, Status
from bot.outbox import Outbox
from bot.storage.base import Store


def attach_chats(parts: ServiceParts, places: DeskPlaces, outbox: Outbox) -> None:
    """Give each of them what it needs of the service."""
    for adapter in parts.adapters.values():
        if isinstance(adapter, PageChannel):
            consent = PageConsent(Consent(parts.texts, parts.config.consent))
            business = parts.config.business
            typing = DeskTyping(parts.store, places, outbox).show
            letter = partial(_letter, parts.texts)
            made = ChatParts(
                parts.store,
                consent,
                business.name,
                business.language,
                typing,
                letter,
                partial(_said, parts.texts),
            )
            adapter.attach(made)


def _said(texts: Texts, key: str, language: str) -> str:
    return texts.text(key, lang=language)


def _letter(texts: Texts, language: str, words: str, address: str) -> Outbound:
    """What somebody who is away is written: the words, and a link that opens the chat."""
    text = texts.say("page_chat.letter", lang=language, words=words)
    link = Button(texts.text("page_chat.open", lang=language), url=address)
    return Outbound(Peer("", ""), text, ((link,),), author="")


@dataclass(frozen=True, slots=True)
class DeskTyping:
    """Shows "typing…" in the topic of a visitor's ticket while they type."""

    store: Store
    places: DeskPlaces
    outbox: Outbox

    async def show(self, visitor: Peer) -> None:
        conversation, place = await self.store.conversation(visitor), self.places.binding.place
        if conversation is None or place is None or conversation.ticket is None:
            return
        if conversation.status is Status.OPERATOR:
            thread = await self.store.topic(conversation.ticket, place.channel, place.chat)
            if thread:
                await self.outbox.hint_typing(Peer(place.channel, place.chat, thread))


class PageConsent:
    """Consent as a page asks for it: outside of any turn, with the same record."""

    def __init__(self, consent: Consent) -> None:
        self._consent = consent

    @property
    def is_on(self) -> bool:
        return self._consent.is_on

    def has(self, customer: Customer | None) -> bool:
        return customer is not None and self._consent.standing(customer) == "given"

    def shown(self, language: str) -> tuple[RichText, str]:
        return self._consent.shown(language)

    def answered(
        self, customer: Customer, agreed: bool, *, channel: str, language: str, now: datetime
    ) -> tuple[dict[str, object], Event]:
        record = self._consent.answered(customer, agreed, ConsentPlace(channel, language, now, FIRST))
        after = record.customer.fields
        gone = dict.fromkeys(customer.fields.keys() - after.keys())
        return {**gone, **after}, record.event
