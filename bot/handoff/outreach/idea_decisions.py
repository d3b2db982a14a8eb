"""What becomes of customers' ideas: a supervisor decides on a page, and whoever wanted it hears it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.handoff.outreach.broadcasts import Broadcast
from bot.handoff.outreach.order_replies import ordered
from bot.model import Idea, IdeaDecision, IdeaStatus, Outcome, Result, RichText, Turn
from bot.model.ideas import STATUSES, TOLD
from bot.model.internal import DecideIdeas

if TYPE_CHECKING:
    from bot.handoff.desk_context import DeskContext

LONGEST = 600  # characters of a reason


async def decided(desk: DeskContext, turn: Turn, order: DecideIdeas) -> Outcome:
    """The ideas get the status. Of *done* and *declined* their customers hear, each once, as of a broadcast:
    in the hours in which customers are written to, and never against their wish.
    """
    known = await desk.outreach.source.ideas()
    status = next((s for s in STATUSES if s == order.status), None)
    heads = {i.id: i for i in known if not i.joined and i.id in order.ideas}
    reason = order.reason.strip()[:LONGEST]
    if not heads or status is None or (status == "declined" and not reason):
        return Outcome("desk", Result.IGNORED, "ideas_unclear")
    event = ordered(turn, "idea_status", ideas=list(heads), status=status)
    outcome = Outcome(
        "desk",
        Result.ANSWERED,
        "idea_status",
        ideas=(IdeaDecision(tuple(heads), status, reason),),
        events=(event,),
    )
    if status not in TOLD:
        return outcome
    settings, timers = dict[str, str | None](), list(outcome.timers)
    for head in heads.values():
        broadcast = _broadcast(head, known, status, reason)
        # law: of one decision about one idea a customer hears once, however often it is taken
        if broadcast.to and await desk.outreach.source.setting(broadcast.setting) is None:
            settings |= broadcast.kept()
            timers.append(broadcast.first(turn.now))
    return replace(outcome, settings=settings, timers=tuple(timers))


def _broadcast(head: Idea, known: Sequence[Idea], status: IdeaStatus, reason: str) -> Broadcast:
    """To everybody who wanted it, where they wrote of it last."""
    wanted = [i for i in known if head.id in (i.id, i.joined)]
    to = {i.customer: i.conversation for i in wanted if i.customer is not None}
    return Broadcast(
        f"d{head.id}-{status}",
        RichText(reason),
        tuple(sorted(to.values())),
        None,
        state="going",
        about={"idea": head.id, "status": status},
    )
