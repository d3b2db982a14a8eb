"""Consent to keep personal data: a notice before they are asked, the record of the answer, and its end.

What was said is kept with the customer, so that it is on their card, in their export and gone with them; who
said yes to which version is an event, too. Without the address of a policy nothing of this happens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from bot.dialogs.reply import ReplyContext, said
from bot.dialogs.short_answers import fold, language_of
from bot.handoff.answer_wish import CONTACT
from bot.handoff.tickets import lifecycle
from bot.i18n.texts import Texts
from bot.model import Button, Customer, Event, Outcome, RichText, Rows, Turn
from bot.text.customer_fields import CONSENT as VERSION
from bot.text.customer_fields import CONSENT_AT as AT
from bot.text.customer_fields import CONSENT_CHANNEL as CHANNEL
from bot.text.customer_fields import CONTACTS

FIRST = "consent.first"  # the notice where nothing can be written without a yes
REFUSED = "_consent_refused"  # the version that they said no to
YES, NO = "consent_yes", "consent_no"  # the actions of its buttons
_NAMES = "name first_name last_name full_name surname patronymic fio address birthday birth_date passport"

Standing = Literal["given", "refused", "unknown"]


class ConsentTerms(Protocol):
    """What customers agree to, as config.yaml tells it."""

    @property
    def policy(self) -> str | Mapping[str, str]: ...

    @property
    def version(self) -> str: ...

    @property
    def text(self) -> Mapping[str, str]: ...


class ConsentField(Protocol):
    """A question of a form, as far as consent goes."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def personal(self) -> bool | None: ...


def is_personal(field: ConsentField, texts: Texts) -> bool:
    """Whether the answer says who somebody is or how to reach them: as the owner says, else by its kind."""
    if field.personal is not None:
        return field.personal
    return field.type in CONTACTS or field.name.casefold() in (
        *_NAMES.split(),
        *texts.options("consent.fields"),
    )


@dataclass(frozen=True, slots=True)
class ConsentPlace:
    """Where somebody answered, in which language and by which notice they were asked, and when."""

    channel: str
    language: str
    at: datetime
    notice: str = "consent.ask"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """The text that was agreed to, and the customer who has it on record now."""

    customer: Customer
    event: Event


class Consent:
    """Who said what to the present version, and the words for it."""

    def __init__(self, texts: Texts, terms: ConsentTerms | None = None) -> None:
        self._texts, self._terms = texts, terms

    @property
    def is_on(self) -> bool:
        return self._terms is not None and bool(self._terms.policy)

    @property
    def version(self) -> str:
        """Of the text that holds now."""
        return self._terms.version if self._terms else ""

    def standing(self, customer: Customer) -> Standing:
        """What they said to the version that holds now; to an older one means nothing."""
        version = self.version
        if customer.fields.get(VERSION) == version:
            return "given"
        return "refused" if customer.fields.get(REFUSED) == version else "unknown"

    def is_asked_before(self, field: ConsentField, customer: Customer) -> bool:
        """Whether the notice has to come before this question."""
        return self.is_on and is_personal(field, self._texts) and self.standing(customer) == "unknown"

    def forbids(self, field: ConsentField, customer: Customer) -> bool:
        """Whether the question is left out, since they said no."""
        return self.is_on and is_personal(field, self._texts) and self.standing(customer) == "refused"

    def notice(self, turn: Turn) -> tuple[str | RichText, dict[str, object], Rows]:
        """The words (or their key), their facts, and the buttons: yes, no, the policy itself."""
        language = language_of(turn, self._texts.lang)
        own = self._terms.text.get(language, "") if self._terms else ""

        def label(key: str) -> str:
            return self._texts.text(f"consent.button.{key}", lang=language)

        policy = self._policy(language)
        version = self.version
        rows = (
            (Button(label("yes"), YES, version, style="primary"), Button(label("no"), NO, version)),
            (Button(label("policy"), url=policy),),
        )
        return RichText(own) if own else "consent.ask", {"policy": policy}, rows

    def given(self, turn: Turn, customer: Customer) -> ConsentRecord:
        """A yes, to the version that holds now."""
        return self.answered(customer, True, self._place(turn))

    def refused(self, turn: Turn, customer: Customer) -> ConsentRecord:
        """A no: the contacts of this customer are not asked for until the text is another one."""
        return self.answered(customer, False, self._place(turn))

    def answered(self, customer: Customer, agreed: bool, place: ConsentPlace) -> ConsentRecord:
        """A yes or a no to the version that holds now, and where it was said."""
        assert self._terms is not None
        version = self._terms.version
        if agreed:
            kept = {VERSION: version, AT: place.at.isoformat(timespec="seconds"), CHANNEL: place.channel}
            fields = {**_without(customer.fields, (REFUSED,)), **kept}
        else:
            fields = {**_without(customer.fields, (VERSION, AT, CHANNEL)), REFUSED: version}
        event = self._event("consent_given" if agreed else "consent_refused", place, customer)
        return ConsentRecord(replace(customer, fields=fields), event)

    def shown(self, language: str) -> tuple[RichText, str]:
        """The notice before the first word, as a page shows it, and the address of the policy."""
        own = self._terms.text.get(language, "") if self._terms else ""
        policy = self._policy(language)
        return RichText(own) if own else self._texts.say(FIRST, lang=language, policy=policy), policy

    def _place(self, turn: Turn) -> ConsentPlace:
        return ConsentPlace(turn.conversation.peer.channel, language_of(turn, self._texts.lang), turn.now)

    def reconsidered(self, customer: Customer) -> Customer:
        """The customer who may be asked again."""
        return replace(customer, fields=_without(customer.fields, (REFUSED,)))

    def _event(self, kind: str, place: ConsentPlace, customer: Customer) -> Event:
        assert self._terms is not None
        language = place.language
        shown = self._terms.text.get(language) or self._texts.text(place.notice, lang=language, policy="")
        digest = hashlib.sha256(f"{shown}\n{self._policy(language)}".encode()).hexdigest()[:12]
        return Event(
            kind,
            data={
                "customer": customer.id,
                "version": self._terms.version,
                "channel": place.channel,
                "text": digest,
            },
        )

    def _policy(self, language: str) -> str:
        policy = self._terms.policy if self._terms else ""
        if isinstance(policy, str):
            return policy
        return policy.get(language) or next(iter(policy.values()), "")


class ConsentDialog:
    """Hears «отзываю согласие», whoever has the conversation: the record ends, and so do the contacts that
    were asked for. The same words again change nothing.
    """

    def __init__(self, texts: Texts, fields: Iterable[ConsentField] = ()) -> None:
        self._speaker = ReplyContext(texts, "consent")
        self._words = withdrawal_words(texts)
        self._names = frozenset({*CONTACTS, *(f.name for f in fields if is_personal(f, texts))})

    async def __call__(self, turn: Turn) -> Outcome | None:
        if turn.customer is None or fold(turn.text) not in self._words:
            return None
        known = turn.customer.fields
        left = _without(known, {VERSION, AT, CHANNEL, *self._names})
        if left == known:
            return replace(said(turn, self._speaker, "consent.none"), reason="consent_none", state=None)
        had = str(known.get(VERSION, ""))
        event = Event(
            "consent_withdrawn",
            data={
                "customer": turn.customer.id,
                "version": had,
                "channel": turn.conversation.peer.channel,
            },
        )
        ticket = turn.ticket if turn.ticket is not None and turn.ticket.status != "closed" else None
        return replace(
            said(turn, self._speaker, "consent.withdrawn"),
            reason="consent_withdrawn",
            state=_without(
                turn.conversation.state, (CONTACT,)
            ),  # a number asked for before is not waited for
            customer=replace(turn.customer, fields=left),
            ticket=None if ticket is None else lifecycle.contacts_withdrawn(ticket, left),
            events=(event,),
        )


def withdrawal_words(texts: Texts) -> frozenset[str]:
    return frozenset(map(fold, texts.options("consent.withdraw_words")))


def _without(fields: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    gone = frozenset(names)
    return {k: v for k, v in fields.items() if k not in gone}
