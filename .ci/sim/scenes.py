"""The list of scenes: each is played by real people of the simulators in one group of operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stations import KINDS, Station

Play = Callable[[Station, str], None]


@dataclass(frozen=True)
class Scene:
    """*service*: the settings under which it is played (desk_checks.SETUPS).

    *long*: it waits more than a minute for something.
    """

    name: str
    play: Play
    kinds: tuple[str, ...]
    service: str
    long: bool


SCENES: list[Scene] = []


def scene(
    *, kinds: tuple[str, ...] = KINDS, service: str = "calm", long: bool = False
) -> Callable[[Play], Play]:
    """Put a function of a station and the customer's platform on the list."""

    def keep(play: Play) -> Play:
        SCENES.append(Scene(play.__name__, play, kinds, service, long))
        return play

    return keep
