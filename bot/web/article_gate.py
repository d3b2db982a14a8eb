"""What is asked before one article is published: the golden questions, those of the other articles, and what
customers asked in the last days.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from bot.article_editing import ArticleEditing, ReadDraft
from bot.dialogs.offline_decision import OfflineDecision
from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.publish_effect import PublishEffect
from bot.knowledge.quality.release import DecisionChange, GateReport
from bot.knowledge.search import Knowledge
from bot.model import Json
from bot.release_gate import GateTerms, ReleaseGate, draft_of
from bot.text.pii import mask
from bot.web.services import WebServices

QUESTIONS = (
    300  # of customers, asked while an editor waits; the page of the gate asks as many as the owner wants
)
FRESH = 300.0  # seconds for which what was found of a draft is not asked again
SHOWN = 30  # broken questions that are named
CHANGES = 8  # changes of customers' questions that are shown


@dataclass(frozen=True, slots=True)
class PublishCheck:
    """What came of it; `allowed` says that a supervisor said yes to this very draft at the gate."""

    effect: PublishEffect
    report: GateReport | None = None
    golden_holds: bool = True
    allowed: bool = False

    @property
    def held(self) -> bool:
        """Whether publishing needs somebody who may, and their reason."""
        broken = [b for b in self.effect.broken if self.golden_holds or not b.golden]
        lost = self.report is not None and bool(self.report.blocked)
        return not self.allowed and (bool(broken) or lost)


class PublishGate:
    """Asks both bases; to be asked again before anything is written."""

    def __init__(self, services: WebServices, knowledge: Knowledge, editing: ArticleEditing) -> None:
        judge = services.judge or OfflineDecision(knowledge, services.words)
        wanted = services.release
        self._golden = wanted.golden
        limits = replace(wanted, golden="skip", questions=min(wanted.questions, QUESTIONS))
        self._gate = ReleaseGate(
            services.store, knowledge, judge, GateTerms(limits, services.golden, services.clock)
        )
        self._services, self._knowledge, self._editing = services, knowledge, editing
        self._last: tuple[object, float, PublishCheck] | None = None

    async def check(self, draft: ReadDraft) -> PublishCheck:
        """What publishing it would do; what was just found of the same draft over the same base is not asked
        again. Raises `ConfigError` where the golden questions cannot be read, `StorageError`.
        """
        if draft.article is None or draft.article.internal:
            return PublishCheck(PublishEffect())
        changed = replace(draft.article, status="published")
        key, now = self._key(changed), self._services.clock.monotonic()
        if self._last is not None and self._last[0] == key and now - self._last[1] < FRESH:
            check = self._last[2]
        else:
            effect = await asyncio.to_thread(self._editing.effect, draft, self._golden != "skip")
            report = await self._gate.compare(draft_of(self._knowledge, changed=[changed]))
            check = PublishCheck(effect, report, self._golden == "must")
            self._last = key, now, check
        assert check.report is not None
        allowed = await self._gate.allowed(self._services.store, check.report)
        return replace(check, allowed=allowed is not None)

    def _key(self, changed: Article) -> object:
        """What an answer of the gate depends on."""
        base, golden = self._knowledge, self._services.golden
        written = golden.stat().st_mtime_ns if golden is not None and golden.is_file() else 0
        state = base.articles_version, base.status.embeddings, base.threshold, base.today()
        return changed, state, written


def check_json(check: PublishCheck, words: Mapping[str, str]) -> Json:
    """What came of it, in words; questions of customers are masked."""
    effect, report = check.effect, check.report
    facts = {"n": effect.golden, "before": effect.before, "after": effect.after}
    return {
        "held": check.held,
        "golden": words["art_golden"].format(**facts) if effect.golden else words["examples_no_golden"],
        "broken": [asdict(b) for b in effect.broken[:SHOWN]],
        "more": max(0, len(effect.broken) - SHOWN),
        "astray": list(effect.astray[:SHOWN]),
        "replayed": _replayed(report, words) if report is not None else "",
        "reasons": _reasons(report, words) if report is not None else [],
        "changes": [_change(c, words) for c in report.changes[:CHANGES]] if report is not None else [],
    }


def _replayed(report: GateReport, words: Mapping[str, str]) -> str:
    if not report.questions:
        return words["art_no_replay"]
    facts = {"n": report.questions, "before": report.answered, "after": report.answered_after}
    return words["art_replayed"].format(**facts)


def _reasons(report: GateReport, words: Mapping[str, str]) -> Sequence[str]:
    lost = [r for r in report.blocked if r.code == "lost"]
    return [
        words["gate_held_lost"].format(value=f"{100 * r.value:.1f}", limit=f"{100 * r.limit:.1f}")
        for r in lost
    ]


def _change(change: DecisionChange, words: Mapping[str, str]) -> Json:
    return {
        "question": mask(change.question.question),
        "kind": words[f"gate_kind_{change.kind}"],
        "before": change.before.title or words[f"gate_decision_{change.before.decision}"],
        "after": change.after.title or words[f"gate_decision_{change.after.decision}"],
        "harm": change.harmful,
    }
