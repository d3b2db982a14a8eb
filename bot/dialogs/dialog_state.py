"""What dialogs remember about a conversation between turns, as a value over `Conversation.state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from bot.model import InboundKind, Json, Turn

FORGET = timedelta(hours=8)  # after this silence a number or a "yes" is no answer to an old question
KEPT = 12  # asked questions


class Changes(TypedDict, total=False):
    """What a turn may change of the memory."""

    article: str
    passage: int
    told: int
    options: tuple[str, ...]
    earlier: tuple[str, ...]
    spare: tuple[str, ...]
    clarified: bool
    second: bool
    offered: bool
    answered: bool
    missed: bool
    failures: int
    asked: tuple[str, ...]
    greeted: bool
    form: Json


@dataclass(frozen=True, slots=True)
class Memory:
    """`article` and `passage` are what was shown last, `options` the articles a number may choose, `spare`
    further candidates.
    `earlier` is the last list of options, which a number alone still means when other words came between.

    `clarified`: our last word was a clarification. `offered`: it asked whether to call a person. `answered`:
    it was an
    answer. `asked` are hashes of answered questions, `form` is the form under way, `rest` keys of other
    dialogs.
    """

    article: str = ""
    passage: int = 0
    told: int = 0  # pieces of the rest of the article that «Подробнее» has brought
    options: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    clarified: bool = False
    second: bool = False  # "not this" was already answered with other candidates
    offered: bool = False
    answered: bool = False
    missed: bool = False  # a question found no answer, and a person was offered
    failures: int = 0  # questions in a row that were not answered
    asked: tuple[str, ...] = ()
    greeted: bool = False
    form: Json = field(default_factory=dict)
    at: datetime | None = None
    rest: Json = field(default_factory=dict)

    @classmethod
    def of(cls, turn: Turn) -> Memory:
        """What is still remembered at this turn; a state written by anybody else is never a reason to
        fail.
        """
        state = turn.conversation.state
        if not state:
            return cls()
        kept = cls(
            article=_text(state, "last_article"),
            passage=_number(state, "passage"),
            told=_number(state, "told"),
            options=_texts(state, "candidates"),
            earlier=_texts(state, "earlier"),
            spare=_texts(state, "spare"),
            clarified=state.get("clarified") is True,
            second=state.get("second") is True,
            offered=state.get("offered") is True,
            answered=state.get("answered") is True,
            missed=state.get("missed") is True,
            failures=_number(state, "failures"),
            asked=_texts(state, "asked"),
            greeted=state.get("greeted") is True,
            form=form if isinstance(form := state.get("form"), Mapping) else {},
            at=_moment(state, "at"),
            rest={k: v for k, v in state.items() if k not in _KEYS},
        )
        if kept.at is not None and turn.now - kept.at > FORGET:
            return Memory(rest=kept.rest)
        return kept

    @property
    def listed(self) -> tuple[str, ...]:
        """What a number would choose from: the options, or the list before them where they are no list."""
        return self.options if len(self.options) > 1 else self.earlier

    def now(self, turn: Turn, **changes: Unpack[Changes]) -> Json:
        """The state to be kept: *changes* made, everything that only the last turn could mean forgotten."""
        settled = replace(
            self,
            told=0,
            options=(),
            earlier=(),
            spare=(),
            clarified=False,
            second=False,
            offered=False,
            answered=False,
            missed=False,
            failures=0,
            greeted=True,
            at=turn.now,
        )
        kept = replace(settled, **changes)
        state: dict[str, object] = {
            "last_article": kept.article,
            "passage": kept.passage,
            "told": kept.told,
            "candidates": list(kept.options),
            "earlier": list(kept.earlier),
            "spare": list(kept.spare),
            "clarified": kept.clarified,
            "second": kept.second,
            "offered": kept.offered,
            "answered": kept.answered,
            "missed": kept.missed,
            "failures": kept.failures,
            "asked": list(kept.asked[-KEPT:]),
            "greeted": kept.greeted,
            "form": dict(kept.form),
        }
        done = {**kept.rest, **{k: v for k, v in state.items() if v}}
        return {**done, "at": kept.at.isoformat()} if kept.at else done


_KEYS = frozenset(
    """last_article passage told candidates earlier spare clarified second offered answered missed failures
    asked greeted form at""".split()  # noqa: SIM905 - sixteen quoted words would read worse
)


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
