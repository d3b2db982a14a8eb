"""What all surveys share: how long an answer counts as one, and where the conversation keeps what was
asked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.dialogs.dialog_state import DialogState
from bot.model import Json, Turn

PATIENCE = timedelta(hours=2)  # words that come later than this are no comment
TYPED = timedelta(days=3)  # for so long a lone number is read as the answer that was asked for
SKEW = timedelta(seconds=5)  # the platform's clock and ours may differ by so much
LONGEST = 1000  # characters of a comment


def stated(turn: Turn, survey: str, waiting: Json | None) -> Json:
    """The conversation's state with what *survey* waits for now; None = nothing any more."""
    kept = {k: v for k, v in DialogState.of(turn).now(turn).items() if k != survey}
    return {**kept, survey: waiting} if waiting else kept


def wrote_since(turn: Turn, at: datetime) -> bool:
    return any(line.author == "customer" and line.at >= at for line in turn.history)
