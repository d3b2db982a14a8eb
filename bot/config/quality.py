"""The parts of the config about good service: playbooks, limits of authority, the scorecard of dialogs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from bot.config.handoff import FIELD_NAME, Duration, Section

CriterionName = Literal["greeting", "name", "needs", "complete", "alternatives", "next_step", "tone"]


class PlaybookSettings(Section):
    """Checklists for tickets that want care: a complaint, a conflict, a return."""

    builtin: bool = Field(True, description="those that come with the bot")
    folder: str | None = Field(
        None,
        description=(
            "folder of own playbooks (YAML or Markdown), relative to this file; one of the same name stands"
            " in place of ours"
        ),
    )


class AuthorityLimit(Section):
    """How much somebody may promise a customer without asking. Everything that is given must hold."""

    amount: float | None = Field(ge=0, description="up to this sum without asking; null = any sum")
    role: Literal["operator", "supervisor"] | None = Field(None, description="for operators or supervisors")
    operators: tuple[str, ...] = Field((), description="for these people, as channel:id")
    teams: tuple[str, ...] = Field((), description="for operators of these teams")


class AuthoritySettings(Section):
    """Compensations: what operators may give, and what needs a supervisor's yes."""

    currency: str = Field("₽", min_length=1, max_length=8, description="sign of the money")
    limits: tuple[AuthorityLimit, ...] = Field(
        (AuthorityLimit(amount=None, role="supervisor"), AuthorityLimit(amount=0)),
        description="the first that fits holds; whom none fits has to ask for any sum",
    )
    remind: Duration = Field(
        "15m", description="a request that nobody decides is called out this often, in working time"
    )


class OwnCriterion(Section):
    """A further criterion of the scorecard, for supervisors to score."""

    name: str = Field(pattern=FIELD_NAME, description="short name")
    title: Mapping[str, str] = Field(description="how it is called by language: {ru: …, en: …}")
    weight: float = Field(1, gt=0, le=100, description="how much it counts")


class QualitySettings(Section):
    """The scorecard of dialogs."""

    score: bool = Field(True, description="score each closed dialog by itself, as far as it can be seen")
    weights: Mapping[CriterionName, float] = Field(
        default_factory=dict,
        description="how much each criterion counts (default 1; 0 = not used), as greeting: 0.5",
    )
    criteria: tuple[OwnCriterion, ...] = Field((), max_length=10, description="further criteria of one's own")
    words: Mapping[CriterionName, tuple[str, ...]] = Field(
        default_factory=dict,
        description="further words by which greeting and next_step are seen; a star stands for an ending",
    )
    sample: int = Field(
        3, ge=0, le=50, description="dialogs of each operator and week that a supervisor is asked to look at"
    )
    least: int = Field(
        5, ge=1, le=1000, description="fewer scored dialogs than this make no figure of an operator"
    )
    mystery: bool = Field(
        False, description="mystery customers: conversations that are played, started by supervisors"
    )
    scenarios: str | None = Field(
        None, description="folder of own scenarios for mystery customers, relative to this file"
    )
