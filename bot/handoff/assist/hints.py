"""A hint: something that could be sent to the customer, offered to operators as a button."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Button
from bot.text.graphemes import border

MARKS = {"article": "💡", "internal": "🔒"}
LABEL = 40  # characters of a title on a button
LIKELY = 0.3  # score from which an article that is not sure is worth a look


@dataclass(frozen=True, slots=True)
class Hint:
    """`what` is "article:id", "canned:key", or "internal:id" of an article that is never sent; `title` is
    what the button says.
    """

    what: str
    title: str

    @property
    def button(self) -> Button:
        mark = MARKS.get(self.what.partition(":")[0], "📋")
        return Button(f"{mark} {self.title[: border(self.title, LABEL)]}", "preview", self.what)
