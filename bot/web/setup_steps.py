"""The steps from an empty folder to a bot at work: which are done, and which comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bot.config.loader import Config
from bot.knowledge.articles.blanks import blanks
from bot.knowledge.articles.schema import article_files
from bot.model import Peer
from bot.setup.channel_tokens import ChannelTokens, Platform

State = Literal["done", "open", "optional", "later"]
NAMES = ("business", "articles", "telegram", "vk", "max", "start", "group", "access", "threshold")


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step: *href* is where it is done, *facts* what is told of it."""

    name: str
    href: str
    state: State
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """What the steps are counted from; *config* is None while there is no folder. *asks_password*: the pages
    do. *can_start*: this process starts the channels from the page.
    """

    config: Config | None
    live: bool = False
    desk: Peer | None = None
    asks_password: bool = False
    can_start: bool = False

    def steps(self) -> Sequence[SetupStep]:
        if self.config is None:
            return (SetupStep("business", "/setup/business", "open"),)
        return tuple(self._steps(self.config))

    def _steps(self, config: Config) -> Iterator[SetupStep]:
        named = config.business.name
        facts = (named, config.hours.timezone) if named else ()
        yield SetupStep("business", "/setup/business", "done" if named else "open", facts)
        unfilled = unfilled_articles(config)
        yield SetupStep("articles", "/setup/articles", "open" if unfilled else "done", tuple(unfilled))
        tokens = [ChannelTokens.of(config, name) for name in get_args(Platform)]
        some = any(t.token for t in tokens)
        for found in tokens:
            state: State = "done" if found.token else "optional" if some else "open"
            yield SetupStep(found.platform, f"/setup/{found.platform}", state)
        if self.can_start:
            yield SetupStep("start", "/setup/start", "done" if self.live else "open" if some else "later")
        yield SetupStep("group", "/setup/group", "done" if self.desk else "open" if self.live else "later")
        yield SetupStep("access", "/setup/access", "done" if self.asks_password else "optional")
        yield SetupStep("threshold", "/threshold", "optional")


def unfilled_articles(config: Config) -> list[str]:
    """The files of articles in which the owner's own words still lack."""
    folder = config.path(config.knowledge.folder)
    return [
        Path(file).relative_to(folder).as_posix()
        for file in article_files(folder)
        if blanks(file.read_text("utf-8", errors="replace"))
    ]


def next_step(steps: Sequence[SetupStep], after: str = "") -> SetupStep | None:
    """The first open step, behind *after* if there is one there."""
    names = [step.name for step in steps]
    behind = steps[names.index(after) + 1 :] if after in names else ()
    return next((s for s in (*behind, *steps) if s.state == "open" and s.name != after), None)
