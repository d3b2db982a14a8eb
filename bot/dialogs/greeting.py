"""The first words: who is here, what the bot can do."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogs.dialog_state import DialogState, is_first_contact
from bot.dialogs.everyday import everyday_of
from bot.dialogs.faq import Faq
from bot.dialogs.intent import IntentReader
from bot.dialogs.menu import SectionMenu
from bot.dialogs.protocols import KnowledgeSource
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import ShortAnswers, is_signs
from bot.i18n.texts import Texts
from bot.model import Event, Inbound, InboundKind, Intent, Outcome, Turn


class Greeting:
    """Answers a start, a greeting and a request for help.

    The payload of a deep link may name an article (`dostavka__sroki` for dostavka/sroki); any other is kept
    as an event.
    """

    def __init__(
        self,
        texts: Texts,
        intent: IntentReader,
        knowledge: KnowledgeSource,
        *,
        faq: Faq | None = None,
        menu: SectionMenu | None = None,
    ) -> None:
        self._speaker = ReplyContext(texts, "greeting")
        self._texts, self._intent, self._menu = texts, intent, menu
        self._hearing, self._everyday, self._faq = (
            ShortAnswers(texts),
            everyday_of(texts),
            faq or Faq(texts, intent, knowledge),
        )

    async def __call__(self, turn: Turn) -> Outcome | None:
        start = next((i for i in turn.inbounds if i.kind is InboundKind.START), None)
        if start is not None and not turn.text.strip():
            return self._started(turn, start)
        if turn.press is not None or not turn.text.strip():
            return None
        if self._hearing.means("help", turn.text) or self._everyday.topic(turn.text) == "start":
            return self._hello(turn)
        memory = DialogState.of(turn)
        if is_signs(turn.text) or self._hearing.answers(turn.text, memory):
            return None
        if (await self._intent(turn, memory)).act is not Intent.GREETING:
            return None
        if memory.greeted or not is_first_contact(turn):
            return replace(said(turn, self._speaker, "hello.again"), reason="greeting")
        return self._hello(turn)

    def _started(self, turn: Turn, start: Inbound) -> Outcome:
        payload = start.text.strip()
        if payload and (shown := self._faq.show(turn, payload.replace("__", "/"))):
            return shown
        return self._hello(turn, payload)

    def _hello(self, turn: Turn, payload: str = "") -> Outcome:
        events = (Event("started", data={"payload": payload[:64]}),) if payload else ()
        sections = self._menu.button(turn) if self._menu is not None else None
        buttons = [*([sections] if sections is not None else []), human_button(turn, self._texts)]
        return replace(
            said(turn, self._speaker, "hello.start", buttons=buttons),
            reason="greeting",
            events=events,
            state=DialogState.of(turn).now(turn, form={}),
        )
