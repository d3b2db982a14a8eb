"""A remark to an operator on how a text sounds, below the preview they look at anyway."""

from __future__ import annotations

from dataclasses import replace

from bot.handoff.desk_context import DeskContext
from bot.model import Outbound, Outcome, RichText

SHOWN = 5  # remarks on one text


def remarked(desk: DeskContext, shown: Outbound, text: str, *, has_way_out: bool = False) -> Outbound:
    """*shown* with what is worth saying otherwise in *text*, which it asks about; as it is where nothing is.

    *has_way_out*: what customers get beside the text leads them on.
    """
    remarks = _remarks(desk, text, has_way_out)
    return replace(shown, text=shown.text + "\n\n" + remarks) if remarks else shown


def remarked_last(desk: DeskContext, outcome: Outcome, text: str, *, has_way_out: bool = False) -> Outcome:
    """The same below the last message of *outcome*; one without messages stays as it is."""
    if not outcome.messages:
        return outcome
    *before, last = outcome.messages
    return replace(outcome, messages=(*before, remarked(desk, last, text, has_way_out=has_way_out)))


def _remarks(desk: DeskContext, text: str, has_way_out: bool) -> RichText:
    check = desk.rules.tone
    faults = check.faults(text, has_way_out=has_way_out) if check is not None else ()
    if not faults:
        return RichText()
    rows = [{"kind": f.kind, "found": f.found, "instead": f.instead} for f in faults[:SHOWN]]
    return desk.texts.say("desk.remarks", lang=desk.lang, remarks=rows)
