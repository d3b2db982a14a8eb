"""How the chat of one site is shown and guarded: the keys of its channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsiteSettings:
    """See `bot/config/website_channel.py`, where each key is checked."""

    origins: tuple[str, ...]
    address: str = ""
    title: str | Mapping[str, str] = ""
    colour: str = "#0b57d0"
    secret: str = field(default="", repr=False)
    consent: bool = False
    ask_email: bool = False
    letters: str = ""
    letters_after: str = "10m"
    remember_days: int = 180
    max_mb: int = 10
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    demo: bool = False

    @property
    def offers_letters(self) -> bool:
        """Whether visitors are asked for an address: only where something is sent to it."""
        return self.ask_email and bool(self.letters)

    def title_in(self, language: str) -> str:
        if isinstance(self.title, str):
            return self.title
        return self.title.get(language) or next(iter(self.title.values()), "")
