"""The two messages of a task: our instructions, and the data between marks that nobody can guess.

Law: no word of a customer, an article or an operator stands in the instructions.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROMPTS = Path(__file__).with_name("prompts")
LANGUAGES = ("ru", "en")
_RULES = "rules"  # stands above each
_TELLING = 40  # characters of a line of ours from which a repeat is no chance


@dataclass(frozen=True, slots=True)
class Messages:
    """What is sent: *system* is ours, *user* holds the data between two lines of *fence*."""

    system: str
    user: str
    fence: str

    @property
    def size(self) -> int:
        return len(self.system) + len(self.user)

    def is_repeated_in(self, reply: str) -> bool:
        """Whether *reply* says the fence, or a line of the instructions."""
        folded = " ".join(reply.split()).casefold()
        return self.fence in reply or any(line in folded for line in _lines(self.system))


def messages_of(name: str, language: str, data: Mapping[str, Any]) -> Messages:
    """The messages of a task. Raises `KeyError` where there are no instructions of that name."""
    fence = secrets.token_hex(12)
    # JSON keeps every line of the data on one line, so that nothing in it looks like the end of the data
    body = json.dumps(data, ensure_ascii=False)
    return Messages(instructions(name, language), f"{fence}\n{body}\n{fence}", fence)


@cache
def instructions(name: str, language: str) -> str:
    """Our words for a task, below the rules that hold for all. Raises `KeyError`."""
    lang = language if language in LANGUAGES else "en"
    if not re.fullmatch(r"[a-z_]+", name) or not (file := PROMPTS / f"{name}.{lang}.md").is_file():
        raise KeyError(name)
    rules = (PROMPTS / f"{_RULES}.{lang}.md").read_text("utf-8").strip()
    return f"{rules}\n\n{file.read_text('utf-8').strip()}"


@cache
def _lines(system: str) -> tuple[str, ...]:
    lines = (" ".join(line.lstrip("-# ").split()).casefold() for line in system.splitlines())
    return tuple(line for line in lines if len(line) >= _TELLING)
