"""Who answers for the business: an operator as everybody in it knows them, and how they are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.model.messages import RichText, Span, Style


class CallName(str):
    """A name by which operators are called; `whom` are the names in it and the ids of those who must hear
    it.
    """

    whom: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, *people: tuple[str, str]) -> CallName:
        made = cls(" ".join(name for name, _ in people))
        made.whom = people
        return made

    def mentioned(self, text: RichText, channel: str) -> RichText:
        """The text in which they are really called: platforms notify by id, not by what a name looks like."""
        spans, at = list(text.spans), 0
        for name, id in self.whom:
            of, _, user = id.partition(":")
            found = text.text.find(name, at)
            if found >= 0 and of == channel and name:
                spans.append(Span(Style.MENTION, found, len(name), user))
                at = found + len(name)
        return RichText(text.text, tuple(spans))


@dataclass(frozen=True, slots=True)
class Member:
    """An operator as the desk knows them. `assigned` is when they were last given a ticket, `chats` the
    groups they were seen in.

    `silent`: they came into the group and have not written or pressed anything yet, so nothing is given to
    them by itself.
    """

    id: str
    name: str = ""
    username: str = ""
    away: bool = False
    left: bool = False
    assigned: datetime | None = None
    last_name: str = ""
    chats: frozenset[str] = frozenset()
    silent: bool = False

    @property
    def here(self) -> bool:
        return not (self.away or self.left)

    @property
    def full_name(self) -> str:
        return " ".join(p for p in (self.name, self.last_name) if p)

    @property
    def channel(self) -> str:
        return self.id.partition(":")[0]

    @property
    def user(self) -> str:
        """The platform's id."""
        return self.id.partition(":")[2]

    @property
    def call(self) -> CallName:
        """How they are called in the group so that they are notified."""
        return (
            CallName.of((f"@{self.username}" if self.username else self.name, self.id))
            if self.name or self.username
            else CallName()
        )
