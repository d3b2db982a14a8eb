"""The questions of a questionnaire, as its results are counted by."""

from __future__ import annotations

from bot.dialogs.flows.flow_file import FlowFile, spoken
from bot.handoff.outreach.questionnaire_results import AskedStep
from bot.text.markdown import plain


def questions_of(flow: FlowFile, language: str) -> tuple[AskedStep, ...]:
    """Every question in the order of the file, called by its label, else by its words."""
    return tuple(
        AskedStep(
            flow.named(n),
            plain(spoken(step.label or step.ask, language)),
            step.type,
            tuple((option.kept, spoken(option.text, language)) for option in step.options),
        )
        for n, step in enumerate(flow.steps)
        if step.ask is not None
    )
