"""What Telegram says when a call does not simply succeed, and what that means for us: one table, one row for
each meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import ClientConnectionResetError, ClientConnectorError, ConnectionTimeoutError, InvalidURL
from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError

from bot.errors import (
    AccountError,
    BadFormat,
    BotError,
    ChatMoved,
    DeliveryError,
    PeerGone,
    Refused,
    RetryLater,
    TopicGone,
    TopicRefused,
    Uncertain,
)
from bot.observability import redact
from bot.text.problems import advice, told

_NETWORK_PAUSE = 5.0  # seconds until an account that cannot be reached is tried again
_GATEWAY_PAUSE = 15.0
_NOT_WRITTEN = (  # aiohttp found the connection gone before the request was on it, or in the middle
    "closing transport"
)


class RedundantCall(DeliveryError):
    """Telegram says that it is so already, or too late to matter: a success."""


class FileRefused(Refused):
    """The file is not taken in this form; nothing was sent, and another form (a document, words) may pass."""

    code = "file_unfit"


class NoTextThere(Refused):
    """The message to edit has a caption, not a text."""


class UpdatesConflict(RetryLater):
    """Somebody else reads this bot's updates, or a webhook is set."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """A refusal as it arrived. `description` is already free of secrets."""

    status: int
    description: str
    retry_after: float = 0
    moved_to: str = ""


@dataclass(frozen=True, slots=True)
class TelegramErrorRule:
    """Answers of *status* whose description fits *pattern* mean *error*."""

    status: int
    pattern: str
    error: Callable[[CallResult], BotError]

    def fits(self, answer: CallResult) -> bool:
        return (
            answer.status == self.status
            and re.search(self.pattern, answer.description, re.IGNORECASE) is not None
        )


def _told(kind: type[DeliveryError], hint: str = "", *, code: str = "") -> Callable[[CallResult], BotError]:
    """*hint* is a key of the words for Telegram."""

    def made(answer: CallResult) -> BotError:
        advised = f"{answer.description} → {told(f'telegram.{hint}')}" if hint else answer.description
        return kind(advised, code=code)

    return made


def _wrong_token(answer: CallResult) -> BotError:
    return AccountError(told("telegram.wrong_token", reason=answer.description), told("telegram.token_hint"))


def _flood(answer: CallResult) -> BotError:
    return RetryLater(
        answer.description, after=answer.retry_after or _NETWORK_PAUSE, scope="peer", counts=False
    )


def _read_elsewhere(answer: CallResult) -> BotError:
    return UpdatesConflict(answer.description, after=10.0, scope="account", counts=False)


def _moved(answer: CallResult) -> BotError:
    return ChatMoved(answer.description, answer.moved_to) if answer.moved_to else PeerGone(answer.description)


# The first row that fits counts. What fits none: 400 is refused for good, 401 to 499 a gateway's word, the
# rest uncertain.
ROWS: tuple[TelegramErrorRule, ...] = (
    TelegramErrorRule(429, r"", _flood),
    TelegramErrorRule(401, r"", _wrong_token),
    TelegramErrorRule(404, r"method not found", _told(Refused, "old_server")),
    TelegramErrorRule(404, r"^not found$", _wrong_token),
    TelegramErrorRule(409, r"", _read_elsewhere),
    TelegramErrorRule(400, r"BUSINESS_PEER_USAGE_MISSING", _told(Refused, code="reply_window")),
    TelegramErrorRule(
        400, r"business connection not found|BUSINESS_(CONNECTION|PEER|BOT)_\w+", _told(PeerGone)
    ),
    TelegramErrorRule(403, r"", _told(PeerGone)),  # blocked, deactivated, kicked, never started
    TelegramErrorRule(400, r"upgraded to a supergroup", _moved),
    TelegramErrorRule(
        400, r"message is not modified|TOPIC_NOT_MODIFIED|CHAT_NOT_MODIFIED", _told(RedundantCall)
    ),
    TelegramErrorRule(400, r"query is too old|query id is invalid|QUERY_ID_INVALID", _told(RedundantCall)),
    TelegramErrorRule(400, r"message to delete not found|message to unpin not found", _told(RedundantCall)),
    TelegramErrorRule(
        400,
        r"chat not found|PEER_ID_INVALID|CHAT_ID_INVALID|CHANNEL_PRIVATE|USER_DEACTIVATED|group chat was"
        r" deactivated",
        _told(PeerGone),
    ),
    TelegramErrorRule(
        400,
        r"message thread not found|TOPIC_DELETED|TOPIC_ID_INVALID|MESSAGE_THREAD_INVALID",
        _told(TopicGone),
    ),
    # Only a bot without the right to manage topics meets a closed one; reopening, or opening another, needs
    # the same right.
    TelegramErrorRule(
        400,
        r"TOPIC_CLOSED|not enough rights to (create|manage|edit|close|reopen) .*topic|not a forum|available"
        r" only for supergroups",
        _told(TopicRefused, "topic_right"),
    ),
    TelegramErrorRule(400, r"can't parse entit|can't find end|ENTITY|ENTITIES", _told(BadFormat)),
    TelegramErrorRule(
        400, r"no text in the message to edit|no caption in the message to edit", _told(NoTextThere)
    ),
    TelegramErrorRule(413, r"", _told(FileRefused, code="file_large")),
    TelegramErrorRule(400, r"file is too big", _told(FileRefused, code="file_large")),
    TelegramErrorRule(
        400,
        r"PHOTO_\w+|IMAGE_PROCESS_FAILED|MEDIA_EMPTY|MEDIA_INVALID|VIDEO_\w+_INVALID|VOICE_MESSAGES_FORBIDDEN|STICKER_INVALID"
        r"|wrong (remote )?file|can't use file|file must be non-empty|file reference|invalid file|FILE_\w+"
        r"|failed to get http url content|wrong type of the web page content|can't use the media of the"
        r" specified type",
        _told(FileRefused),
    ),
    TelegramErrorRule(
        400,
        r"not enough rights|have no rights|need administrator rights|CHAT_ADMIN_REQUIRED",
        _told(Refused, "rights", code="rights"),
    ),
    TelegramErrorRule(
        400, r"message to edit not found|message can't be edited", _told(Refused, code="not_editable")
    ),
    TelegramErrorRule(400, r"(message|caption) is too long", _told(Refused, code="too_long")),
    TelegramErrorRule(400, r"", _told(Refused)),
)


def judge(status: int, body: Mapping[str, object], *, token: str = "") -> BotError:
    """What an answer of the Bot API with `ok: false` means.

    No secret of ours is in the text of what is returned.
    """
    parameters = body.get("parameters")
    known = parameters if isinstance(parameters, dict) else {}
    retry_after, moved_to = known.get("retry_after"), known.get("migrate_to_chat_id")
    code = body.get("error_code")
    answer = CallResult(
        code if isinstance(code, int) else status,
        without_secrets(str(body.get("description", "")), token),
        retry_after if isinstance(retry_after, int | float) else 0,
        str(moved_to) if moved_to else "",
    )
    for row in ROWS:
        if row.fits(answer):
            return row.error(answer)
    return judge_unreadable(answer.status, answer.description)


def judge_unreadable(status: int, text: str = "") -> DeliveryError:
    """What an answer means that is not the Bot API's: a gateway's page, half an answer."""
    if status == 413:
        return FileRefused("the file is too big for the server", code="file_large")
    if 300 <= status < 500:
        return RetryLater(
            text or told("telegram.not_the_api", status=status),
            _GATEWAY_PAUSE,
            "account",
            counts=False,
        )
    return Uncertain(text or told("telegram.unreadable", status=status))


def judge_network(error: Exception) -> BotError:
    """What a call without an answer means: certainly not sent where there was no connection, uncertain where
    it broke.
    """
    name = type(error).__name__
    if isinstance(error, InvalidURL):
        return AccountError(told("telegram.bad_base"), advice("telegram.bad_base"))
    if isinstance(
        error,
        ClientConnectorError | ConnectionTimeoutError | ProxyError | ProxyConnectionError | ProxyTimeoutError,
    ):
        return RetryLater(
            told("telegram.no_connection", name=name), after=_NETWORK_PAUSE, scope="account", counts=False
        )
    if isinstance(error, ClientConnectionResetError) and _NOT_WRITTEN in str(error):
        return RetryLater(told("telegram.gone_before", name=name), after=1.0, counts=False)
    return Uncertain(told("telegram.broke", name=name))


def without_secrets(text: str, token: str) -> str:
    """The text with our token, whole or its secret half, taken out."""
    secret = token.partition(":")[2]
    for part in (token, secret):
        if len(part) >= 3:
            text = text.replace(part, "<token>")
    return redact(text)
