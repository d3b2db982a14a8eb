"""A questionnaire on its way to a segment: the broadcast carries an invitation with a button, and each is
reminded once where the owner wants it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.handoff.outreach.segment import SegmentMember, UnclearCondition
from bot.i18n.texts import Texts
from bot.model import Button, Json, RichText, Timer
from bot.model.internal import DialogTimer
from bot.text.markdown import to_rich

START = "flow_start"  # the button's action; the dialog of flows hears it
DIALOG, REMIND = "flows", "remind"
KEY = "questionnaire"  # of a broadcast's `about`, and the name of the condition


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A flow that is sent: its *invite* and the label of its *button* by language ("" = any), and after how
    many seconds who has not answered is reminded (0 = never).
    """

    name: str
    invite: Mapping[str, str] = field(default_factory=dict)
    button: Mapping[str, str] = field(default_factory=dict)
    remind: float = 0.0

    def kept(self) -> Json:
        """As JSON: a broadcast that is on its way stays as it was ordered."""
        return {
            "name": self.name,
            "invite": dict(self.invite),
            "button": dict(self.button),
            "remind": self.remind,
        }

    @classmethod
    def read(cls, kept: object) -> Questionnaire | None:
        """What `kept` has made; None where a broadcast is none."""
        if not isinstance(kept, Mapping):
            return None
        return cls(str(kept["name"]), dict(kept["invite"]), dict(kept["button"]), float(kept["remind"]))

    def words(self, language: str) -> RichText:
        return to_rich(_spoken(self.invite, language))

    def start(self, texts: Texts, language: str, number: str) -> Button:
        """The button that begins it; *number* is the broadcast's."""
        label = _spoken(self.button, language) or texts.text("flow.begin", lang=language)
        return Button(label, START, f"{self.name}\n{number}", style="primary")

    def reminder(self, row: SegmentMember, number: str, now: datetime) -> tuple[Timer, ...]:
        """The time at which the customer is reminded, in their own conversation."""
        if not self.remind:
            return ()
        payload = DialogTimer(DIALOG, REMIND, {"flow": self.name, "number": number})
        due = now + timedelta(seconds=self.remind)
        key = f"{KEY}:{number}:{row.conversation}"
        return (Timer(key, payload, due, conversation=row.conversation),)


def questionnaire_in(
    line: str, texts: Texts, known: Mapping[str, Questionnaire]
) -> tuple[Questionnaire | None, str]:
    """The questionnaire that the conditions name, and the conditions without it. Raises
    `UnclearCondition`.
    """
    names = {name.casefold() for name in texts.options(f"outreach.key.{KEY}")}
    found: Questionnaire | None = None
    rest = []
    for part in shlex.split(line):
        key, mark, value = part.partition("=")
        if not mark or key.casefold() not in names:
            rest.append(part)
        elif (found := known.get(value)) is None:
            raise UnclearCondition("outreach.no_questionnaire", value=value, known=sorted(known))
    return found, shlex.join(rest) if found else line


def _spoken(words: Mapping[str, str], language: str) -> str:
    base = language.replace("_", "-").split("-")[0].lower()
    return words.get(base) or words.get("") or next(iter(words.values()), "")
