"""The chat of an OpenAI-compatible server, through the `openai` package, imported with the first call."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from bot.assistant.errors import AssistantFailed
from bot.assistant.instructions import Messages

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

NO_KEY = "none"  # for servers that want none
_ACCOUNT = (401, 402, 403)
_BUSY = 429


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a chat said, and how many tokens it read and wrote; 0 = it did not tell."""

    text: str
    tokens: int = 0


class ChatClient(Protocol):
    """One call of a language model."""

    async def ask(self, messages: Messages, longest: int) -> ChatReply:
        """Raises `AssistantFailed`; whoever waits limits the time."""
        ...

    async def check(self) -> None:
        """Whether the server is there, knows us and the model, without spending anything: at most it is sent
        a request of no words. Raises `AssistantFailed`.
        """
        ...

    async def close(self) -> None: ...


class OpenAiChat:
    """*model* at *base_url*. Nothing is imported or opened before the first call."""

    def __init__(self, base_url: str, model: str, key: str = "") -> None:
        self._base_url, self._model, self._key = base_url, model, key
        self._opened: AsyncOpenAI | None = None
        self._is_modern = False  # the server wants max_completion_tokens and no temperature

    async def ask(self, messages: Messages, longest: int) -> ChatReply:
        await _imported()
        from openai import APIConnectionError, APIError, APIStatusError, BadRequestError

        try:
            try:
                return _reply(await self._create(messages, longest))
            except BadRequestError as error:
                if self._is_modern or getattr(error, "param", "") not in ("max_tokens", "temperature"):
                    raise
                self._is_modern = True
                return _reply(await self._create(messages, longest))
        # law: what a server says may repeat what it was sent, so only the status is told of
        except APIStatusError as error:
            raise _of_status(error.status_code) from None
        except APIConnectionError as error:
            raise AssistantFailed("connection", type(error.__cause__ or error).__name__) from None
        except (APIError, ValueError, TypeError) as error:
            raise AssistantFailed("server", type(error).__name__) from None

    async def check(self) -> None:
        await _imported()
        from openai import APIConnectionError, APIError, APIStatusError

        try:
            if not await self._is_listed():
                await self._client().chat.completions.create(model=self._model, messages=[])
        except APIStatusError as error:
            if error.status_code not in (400, 422):  # such an answer had to find the address and the model
                raise _of_status(error.status_code) from None
        except APIConnectionError as error:
            raise AssistantFailed("connection", type(error.__cause__ or error).__name__) from None
        except (APIError, ValueError, TypeError) as error:
            raise AssistantFailed("server", type(error).__name__) from None

    async def _is_listed(self) -> bool:
        """Whether the server names the model among its own; not every one tells them, or tells all."""
        from openai import APIStatusError

        try:
            named = {model.id async for model in self._client().models.list()}
        except APIStatusError as error:
            if error.status_code in (404, 405, 501):
                return False
            raise
        return not named or bool(named & {self._model, f"{self._model}:latest"})

    async def close(self) -> None:
        if self._opened is not None:
            opened, self._opened = self._opened, None
            await opened.close()

    async def _create(self, messages: Messages, longest: int) -> ChatCompletion:
        limits: dict[str, Any] = (
            {"max_completion_tokens": longest}
            if self._is_modern
            else {"max_tokens": longest, "temperature": 0}
        )
        found: ChatCompletion = await self._client().chat.completions.create(
            model=self._model,
            messages=[
                {"role": "system", "content": messages.system},
                {"role": "user", "content": messages.user},
            ],
            **limits,
        )
        return found

    def _client(self) -> AsyncOpenAI:
        if self._opened is None:
            from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

            self._opened = AsyncOpenAI(
                base_url=self._base_url,
                api_key=self._key or NO_KEY,
                max_retries=0,  # repeats are ours: they count against the time
                # law: a redirect would lead key and data elsewhere
                http_client=DefaultAsyncHttpx2Client(follow_redirects=False),
            )
        return self._opened


async def _imported() -> None:
    """It takes a second, in which others are answered."""
    if "openai.resources.chat.completions" not in sys.modules:
        await asyncio.to_thread(import_module, "openai.resources.chat.completions")


def _of_status(status: int) -> AssistantFailed:
    if status in _ACCOUNT:
        return AssistantFailed("account", str(status))
    if status == _BUSY:
        return AssistantFailed("busy", str(status))
    return AssistantFailed("server" if status >= 500 else "request", str(status))


def _reply(found: ChatCompletion) -> ChatReply:
    """The words of a completion. Raises `AssistantFailed` where it is something else."""
    if not getattr(found, "choices", None):
        raise AssistantFailed("server", "no choices")
    choice = found.choices[0]
    message = choice.message
    if message is None or getattr(message, "tool_calls", None) or getattr(message, "function_call", None):
        raise AssistantFailed("tools" if message is not None else "empty")
    if choice.finish_reason in ("length", "content_filter"):
        raise AssistantFailed("cut", str(choice.finish_reason))
    text = message.content
    if not isinstance(text, str) or not text.strip():
        raise AssistantFailed("empty")
    used = getattr(found.usage, "total_tokens", 0) if found.usage is not None else 0
    return ChatReply(text.strip(), used if isinstance(used, int) and used > 0 else 0)
