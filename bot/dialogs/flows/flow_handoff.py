"""A person goes on where a flow was: its answers are on the card, and the flow is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.dialogs.flows.flow_file import FlowFile, spoken
from bot.dialogs.flows.flow_run import LEFT, FlowRun, expiry, moment, run_of, without_run
from bot.dialogs.protocols import Escalation
from bot.model import Answer, Customer, Event, Json, Outcome, Turn

FRESH = timedelta(hours=1)  # for so long answers wait while a form before the person is filled in
CONTACTS = frozenset({"order", "phone", "email"})  # what a card shows at a place of its own


def with_answers(escalate: Escalation, flows: Mapping[str, FlowFile], lang: str) -> Escalation:
    """*escalate*, which also knows what a flow has asked before."""

    def handed_over(
        turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None
    ) -> Outcome:
        run, state = run_of(turn), turn.conversation.state
        told = answers_of(run, flows, lang) if run is not None else _left(state, turn.now)
        if run is None and not told:
            return escalate(turn, reason=reason, apology=apology, answer=answer)
        kept = {**without_run(state), LEFT: {"at": turn.now.isoformat(), "answers": told}}
        known = turn.customer or Customer(0)
        fields = {**told, **{k: v for k, v in known.fields.items() if k not in told}}
        there = replace(
            turn,
            conversation=replace(turn.conversation, state=kept),
            customer=replace(known, fields=fields) if turn.customer is not None else None,
        )
        outcome = escalate(there, reason=reason, apology=apology, answer=answer)
        if outcome.customer is not None:
            own = {k: v for k, v in outcome.customer.fields.items() if k not in told or k in known.fields}
            own |= {
                k: known.fields[k]
                for k in told
                if k in known.fields and outcome.customer.fields[k] == told[k]
            }
            outcome = replace(outcome, customer=replace(outcome.customer, fields=own))
        return _over(turn, outcome, run) if run is not None else outcome

    return handed_over


def answers_of(run: FlowRun, flows: Mapping[str, FlowFile], lang: str) -> dict[str, str]:
    """What is known by then, each under what operators call it."""
    flow = flows.get(run.flow)
    labels = {
        flow.named(n): spoken(step.label, lang)
        for n, step in enumerate(flow.steps if flow else ())
        if flow is not None and step.label is not None
    }
    return {
        name if name in CONTACTS else labels.get(name, name): value
        for name, value in run.known.items()
        if value
    }


def _over(turn: Turn, outcome: Outcome, run: FlowRun) -> Outcome:
    data = {"flow": run.flow, "ending": "person", "step": run.step + 1}
    if run.sending:
        data["number"] = run.sending
    return replace(
        outcome,
        events=(*outcome.events, Event("flow_ended", data=data)),
        cancel=(*outcome.cancel, expiry(turn)),
    )


def _left(state: Json, now: datetime) -> dict[str, str]:
    kept = state.get(LEFT)
    if not isinstance(kept, Mapping) or (at := moment(kept.get("at"))) is None or now - at > FRESH:
        return {}
    answers = kept.get("answers")
    return {str(k): str(v) for k, v in answers.items()} if isinstance(answers, Mapping) else {}
