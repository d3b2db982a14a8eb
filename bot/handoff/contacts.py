"""Phones, e-mails and order numbers in what customers write: found for the operator, masked wherever they are
kept in view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bot.model import Contacts
from bot.text.phones import find
from bot.text.pii import EMAIL, mask

__all__ = ["contacts", "mask"]

ORDER = re.compile(r"(?:заказ\w*|order|№|#)\s*(?:номер\s*|number\s*|no\.?\s*)?[№#]?\s*(\d{4,10})(?!\d)", re.I)


def contacts(texts: Iterable[str], fields: Mapping[str, object]) -> Contacts:
    """What is known of the customer, from the profile first, then from the
    newest words.
    """
    found = {key: str(fields[key]) for key in ("phone", "email", "order") if fields.get(key)}
    for text in texts:
        if "phone" not in found and (phones := find(text)):
            found["phone"] = phones[0].written
        if "email" not in found and (match := EMAIL.search(text)):
            found["email"] = match[0]
        if "order" not in found and (match := ORDER.search(text)):
            found["order"] = match[1]
    return Contacts(**found)
