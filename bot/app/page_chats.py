"""The channels whose chats lie in the store, joined to it."""

from __future__ import annotations

from datetime import datetime

from bot.adapters.page_channel import ChatParts, PageChannel
from bot.app.service_parts import ServiceParts
from bot.dialogs.consent import Consent, ConsentPlace
from bot.model import Customer, Event, RichText


def attach_chats(parts: ServiceParts) -> None:
    """Give each of them what it needs of the service."""
    for adapter in parts.adapters.values():
        if isinstance(adapter, PageChannel):
            consent = PageConsent(Consent(parts.texts, parts.config.consent))
            business = parts.config.business
            adapter.attach(ChatParts(parts.store, consent, business.name, business.language))


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
        record = self._consent.answered(customer, agreed, ConsentPlace(channel, language, now))
        after = record.customer.fields
        gone = dict.fromkeys(customer.fields.keys() - after.keys())
        return {**gone, **after}, record.event
