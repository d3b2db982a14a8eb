"""What the operators' side knows besides tickets: one value, as of one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model.addresses import Peer
from bot.model.incidents import Incident
from bot.model.operators import Member

DESK_SETTING = "desk"  # under which the bound group is kept


def moved_setting(channel: str, chat: str) -> str:
    """Under which it is kept where a chat has gone."""
    return f"moved:{channel}:{chat}"


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """How a group is: *kind* (group, forum), the codes of the rights that lack, and whether the bot is in it
    at all.
    """

    kind: str = ""
    lacks: tuple[str, ...] = ()
    gone: bool = False

    @property
    def is_calm(self) -> bool:
        return not self.gone and not self.lacks


@dataclass(frozen=True, slots=True)
class DeskState:
    """Who the operators are, how their groups are and what is broken. `version` grows with each change.

    `bound` is the group that was chosen by a button, `moved` where chats have gone, `lost` the groups that
    the bot was put out of, `checked` how groups were when that last changed. `incidents` are those that last,
    the oldest first; `met` says how many conversations heard of each, without making a new version.
    """

    version: int = 0
    operators: tuple[Member, ...] = ()
    bound: Peer | None = None
    moved: Mapping[Peer, Peer] = field(default_factory=dict)
    lost: frozenset[Peer] = frozenset()
    checked: Mapping[Peer, GroupStatus] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    next_incident: int = 1
    met: Mapping[int, int] = field(default_factory=dict)

    def now_at(self, place: Peer) -> Peer:
        """Where a chat is by now."""
        passed = set[Peer]()
        while place in self.moved and place not in passed:
            passed.add(place)
            place = self.moved[place]
        return place
