"""What a platform says of a token that somebody has just pasted."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import Problem


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """Whose token it is (*title*, and *name* as people write to it), and what keeps the bot from working.

    *number* is the community's at VK. *refused*: the platform does not take the token at all, or it is none;
    where the platform cannot be reached nobody knows, and it may be kept.
    """

    title: str = ""
    name: str = ""
    number: int = 0
    problems: tuple[Problem, ...] = ()
    refused: bool = False
