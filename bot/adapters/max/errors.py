"""What MAX says when a call does not simply succeed, and what that means for us: one table, one row for each
meaning.
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
    DeliveryError,
    PeerGone,
    Refused,
    RetryLater,
    Uncertain,
)
from bot.observability import redact
from bot.text.problems import advice, told

_NETWORK_PAUSE = 5.0  # seconds until an account that cannot be reached is tried again
_GATEWAY_PAUSE = 15.0
_FLOOD_PAUSE = 1.0
_LONGEST = 300  # characters of what MAX says, in our log
_NOT_WRITTEN = "closing transport"  # aiohttp found the connection gone before the request was on it


class TooManyCalls(RetryLater):
    """More calls in a second than MAX takes of one account."""


class MaxCallDone(DeliveryError):
    """MAX says that it is so already, or too late to matter: a success."""


class MaxFileRefused(Refused):
    """The file is not taken in this form; nothing was sent, and another form (a file, words) may pass."""

    code = "file_unfit"


class FileUnprocessed(RetryLater):
    """The file was uploaded, and MAX has not worked it through yet; nothing was sent."""


class ReplyGone(Refused):
    """The message to reply to does not exist; nothing was sent."""


@dataclass(frozen=True, slots=True)
class MaxCallResult:
    """A refusal as it arrived, free of secrets: the status, `code` and `message` of the answer."""

    status: int
    code: str
    message: str
    retry_after: float = 0

    @property
    def said(self) -> str:
        return " ".join(t for t in (str(self.status), self.code, self.message) if t)


@dataclass(frozen=True, slots=True)
class MaxErrorRule:
    """Answers of one of *statuses* (none named: of any) whose code or message fits *pattern*."""

    statuses: tuple[int, ...]
    pattern: str
    error: Callable[[MaxCallResult], BotError]

    def fits(self, answer: MaxCallResult) -> bool:
        return (not self.statuses or answer.status in self.statuses) and (
            re.search(self.pattern, f"{answer.code} {answer.message}", re.IGNORECASE) is not None
        )


def _meant(
    kind: type[DeliveryError], hint: str = "", *, code: str = ""
) -> Callable[[MaxCallResult], BotError]:
    """*hint* is a key of the words for MAX."""

    def made(answer: MaxCallResult) -> BotError:
        return kind(f"{answer.said} → {told(f'max.{hint}')}" if hint else answer.said, code=code)

    return made


def _wrong_token(answer: MaxCallResult) -> BotError:
    return AccountError(told("max.wrong_token", reason=answer.said), told("max.token_hint"))


def _flood(answer: MaxCallResult) -> BotError:
    after = answer.retry_after or _FLOOD_PAUSE
    return TooManyCalls(answer.said, after=after, scope="account", counts=False)


def _not_ready(answer: MaxCallResult) -> BotError:
    return FileUnprocessed(answer.said, after=10.0)


# The first row that fits counts. What fits none: 4xx is refused for good or a gateway's word, the rest
# uncertain.
ROWS: tuple[MaxErrorRule, ...] = (
    MaxErrorRule((429,), r"", _flood),
    MaxErrorRule((), r"too\.many\.requests", _flood),
    MaxErrorRule((401,), r"", _wrong_token),
    MaxErrorRule((), r"verify\.token", _wrong_token),
    MaxErrorRule((), r"attachment\.not\.ready|not\.processed", _not_ready),
    MaxErrorRule(
        (200, 400, 403, 404),
        r"dialogs?\.suspended|chat\.denied|user\.blocked|blocked by|chat\.not[._]found|dialogs?\.not[._]found"
        r"|user\.not[._]found|chat not found|unknown recipient|not.*(member|participant) of",
        _meant(PeerGone),
    ),
    MaxErrorRule((400, 404), r"link\W+(mid|message)|reply\S* message", _meant(ReplyGone)),
    MaxErrorRule(
        (200, 404), r"message\S*[ .]not[._ ]found|no such message|already deleted", _meant(MaxCallDone)
    ),
    MaxErrorRule((200,), r"not modified|same", _meant(MaxCallDone)),
    MaxErrorRule(
        (200, 400, 403),
        r"(edit|too old|24 ?h|48 ?h|expired)",
        _meant(Refused, code="not_editable"),
    ),
    MaxErrorRule((403,), r"", _meant(Refused, "rights", code="rights")),
    MaxErrorRule((413,), r"", _meant(MaxFileRefused, code="file_large")),
    MaxErrorRule((400,), r"text\b.*(4000|long|length|size)", _meant(Refused, code="too_long")),
    MaxErrorRule((400,), r"markup|html|markdown|format|tag\b|keyboard|button", _meant(BadFormat)),
    MaxErrorRule(
        (400, 404, 415, 422), r"attachment|upload|photo|image|video|audio|file|token", _meant(MaxFileRefused)
    ),
    MaxErrorRule((400, 422), r"", _meant(Refused)),
)


def judge(answer: MaxCallResult) -> BotError:
    """What a refusal of the API means."""
    for row in ROWS:
        if row.fits(answer):
            return row.error(answer)
    return judge_unreadable(answer.status, answer.said)


def read_refusal(status: int, raw: object, retry_after: float, token: str) -> MaxCallResult | None:
    """The refusal in the API's own words; None where somebody else answered (a gateway's page, half an
    answer).
    """
    if not isinstance(raw, Mapping) or not (raw.get("code") or raw.get("message") or raw.get("error")):
        return None
    code, message = str(raw.get("code") or ""), str(raw.get("message") or raw.get("error") or "")
    return MaxCallResult(
        status, without_secrets(code, token)[:80], without_secrets(message, token)[:_LONGEST], retry_after
    )


def judge_unreadable(status: int, text: str = "") -> DeliveryError:
    """What an answer means that is not the API's."""
    if status == 413:
        return MaxFileRefused("the file is too big for the server", code="file_large")
    if 300 <= status < 500:
        return RetryLater(
            text or told("max.not_the_api", status=status), _GATEWAY_PAUSE, "account", counts=False
        )
    return Uncertain(text or told("max.unreadable", status=status))


def judge_network(error: BaseException | None) -> BotError:
    """What a call without an answer means: certainly not sent where there was no connection, uncertain where
    it broke.
    """
    name = type(error).__name__
    if isinstance(error, InvalidURL):
        return AccountError(told("max.bad_base"), advice("max.bad_base"))
    if name in ("ClientConnectorCertificateError", "ClientConnectorSSLError"):
        return RetryLater(told("max.certificate"), after=_GATEWAY_PAUSE, scope="account", counts=False)
    if isinstance(
        error,
        ClientConnectorError | ConnectionTimeoutError | ProxyError | ProxyConnectionError | ProxyTimeoutError,
    ):
        return RetryLater(
            told("max.no_connection", name=name), after=_NETWORK_PAUSE, scope="account", counts=False
        )
    if isinstance(error, ClientConnectionResetError) and _NOT_WRITTEN in str(error):
        return RetryLater(told("max.gone_before", name=name), after=1.0, counts=False)
    return Uncertain(told("max.broke", name=name))


def without_secrets(text: str, token: str) -> str:
    """The text with our token taken out."""
    return redact(text.replace(token, "<token>") if len(token) >= 3 else text)
