"""What dialogs remember about a conversation between turns, as a value over `Conversation.state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from bot.dialogs.question_stage import (
    Answered,
    Clarifying,
    Idle,
    PersonOffered,
    Stage,
    Unanswered,
    failures_of,
    is_answered,
    is_clarifying,
    is_missed,
    is_person_offered,
    is_second,
    options_of,
)
from bot.model import InboundKind, Json, Turn

FORGET = timedelta(hours=8)  # after this silence a number or a "yes" is no answer to an old question
KEPT = 12  # asked questions


class StateChanges(TypedDict, total=False):
    """What a turn may change of the memory."""

    stage: Stage
    article: str
    passage: int
    told: int
    excerpted: bool
    earlier: tuple[str, ...]
    spare: tuple[str, ...]
    asked: tuple[str, ...]
    form: Json


@dataclass(frozen=True, slots=True)
class DialogState:
    """`stage` is where the question stands, `article` and `passage` are what was shown last, `spare` further
    candidates.

    `earlier` is the last list of options, which a number alone still means when other words came between.
    `asked` are hashes of answered questions, `form` is the form under way, `rest` keys of other dialogs.
    """

    stage: Stage = Idle()  # noqa: RUF009 - frozen
    article: str = ""
    passage: int = 0
    told: int = 0  # pieces of the rest of the article that «Подробнее» has brought
    excerpted: bool = False  # of the article no more than an excerpt was told
    earlier: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    greeted: bool = False
    form: Json = field(default_factory=dict)
    at: datetime | None = None
    rest: Json = field(default_factory=dict)

    @classmethod
    def of(cls, turn: Turn) -> DialogState:
        """What is still remembered at this turn; a state written by anybody else is never a reason to
        fail.
        """
        state = turn.conversation.state
        if not state:
            return cls()
        kept = cls(
            stage=_stage(state),
            article=_text(state, "last_article"),
            passage=_number(state, "passage"),
            told=_number(state, "told"),
            excerpted=state.get("excerpted") is True,
            earlier=_texts(state, "earlier"),
            spare=_texts(state, "spare"),
            asked=_texts(state, "asked"),
            greeted=state.get("greeted") is True,
            form=form if isinstance(form := state.get("form"), Mapping) else {},
            at=_moment(state, "at"),
            rest={k: v for k, v in state.items() if k not in KEYS},
        )
        if kept.at is not None and turn.now - kept.at > FORGET:
            return DialogState(rest=kept.rest)
        return kept

    @property
    def options(self) -> tuple[str, ...]:
        """The articles that a number may choose."""
        return options_of(self.stage)

    @property
    def answered(self) -> bool:
        """Whether our last word told an article."""
        return is_answered(self.stage)

    @property
    def listed(self) -> tuple[str, ...]:
        """What a number would choose from: the options, or the list before them where they are no list."""
        return self.options if len(self.options) > 1 else self.earlier

    def now(self, turn: Turn, **changes: Unpack[StateChanges]) -> Json:
        """The state to be kept: *changes* made, everything that only the last turn could mean forgotten."""
        settled = replace(self, stage=Idle(), told=0, excerpted=False, earlier=(), spare=())
        settled = replace(settled, greeted=True, at=turn.now)
        kept = replace(settled, **changes)
        state: dict[str, object] = {
            "last_article": kept.article,
            "passage": kept.passage,
            "told": kept.told,
            "excerpted": kept.excerpted,
            "earlier": list(kept.earlier),
            "spare": list(kept.spare),
            "asked": list(kept.asked[-KEPT:]),
            "greeted": kept.greeted,
            "form": dict(kept.form),
            **_flags(kept.stage),
        }
        done = {**kept.rest, **{k: v for k, v in state.items() if v}}
        return {**done, "at": kept.at.isoformat()} if kept.at else done


KEYS = frozenset(
    """last_article passage told excerpted candidates earlier spare clarified second offered answered missed
    failures asked greeted form at""".split()  # noqa: SIM905 - seventeen quoted words would read worse
)


# law: a stage is stored under the keys of the first release, so that a conversation goes on after an update,
# and after the update was taken back


def _flags(stage: Stage) -> dict[str, object]:
    return {
        "candidates": list(options_of(stage)),
        "clarified": is_clarifying(stage),
        "second": is_second(stage),
        "offered": is_person_offered(stage),
        "answered": is_answered(stage),
        "missed": is_missed(stage),
        "failures": failures_of(stage),
    }


def _stage(state: Json) -> Stage:
    answered, second = state.get("answered") is True, state.get("second") is True
    missed, failures = state.get("missed") is True, _number(state, "failures")
    options = _texts(state, "candidates")
    before: Idle | Answered | Clarifying = Answered(second) if answered else Idle()
    if options or state.get("clarified") is True:
        before = Clarifying(options, answered, second, missed, failures)
    if state.get("offered") is not True:
        return before
    return Unanswered(failures, before) if missed else PersonOffered(before)


def is_first_contact(turn: Turn) -> bool:
    """Whether the bot has not said a word here yet."""
    return not any(line.author in ("bot", "operator") for line in turn.history)


def is_customers_word(turn: Turn) -> bool:
    """Whether there is anything to answer: words, a press or a start (not a timer, not a block)."""
    return any(i.kind in (InboundKind.MESSAGE, InboundKind.PRESS, InboundKind.START) for i in turn.inbounds)


def _text(state: Json, key: str) -> str:
    value = state.get(key)
    return value if isinstance(value, str) else ""


def _number(state: Json, key: str) -> int:
    value = state.get(key)
    return value if isinstance(value, int) else 0


def _texts(state: Json, key: str) -> tuple[str, ...]:
    value = state.get(key)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list | tuple) else ()


def _moment(state: Json, key: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(_text(state, key))
    except ValueError:
        return None
    return found if found.tzinfo else None
