"""What VK's refusals mean to us: one row for every error code that needs more than patience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.errors import AccountError, BadFormat, BotError, DeliveryError, PeerGone, Refused, RetryLater
from bot.text.problems import told

Meaning = Literal["later", "gone", "format", "refused", "account", "parameters"]


class VkRefusal(BotError):
    """VK answered with an error: nothing was done.

    `code` is VK's, the text is VK's without anything secret.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"VK {code}: {text}")
        self.code, self.text = code, text


class VkSilence(BotError):
    """No usable answer: no connection, a timeout, HTML instead of JSON.

    It may have been done; all our calls may be repeated.
    """


@dataclass(frozen=True, slots=True)
class VkErrorRule:
    """One line of the table. `after` is in seconds; `scope` and `counts` are those of `RetryLater`."""

    meaning: Meaning
    after: float = 1.0
    scope: Literal["peer", "account"] = "peer"
    counts: bool = True
    advice: str = ""  # which of the words for VK says what to do
    code: str = ""  # of `DeliveryError`

    @property
    def hint(self) -> str:
        """What to do about it, in the reader's language."""
        return told(f"vk.hint.{self.advice}") if self.advice else ""


_GONE = VkErrorRule("gone")
_REFUSED = VkErrorRule("refused")

TABLE: dict[int, VkErrorRule] = {
    1: VkErrorRule("later", 2.0),  # unknown error: VK's own trouble
    3: _REFUSED,  # unknown method
    5: VkErrorRule("account", advice="token"),
    6: VkErrorRule("later", 0.7, "account", counts=False),  # too many a second
    7: VkErrorRule("refused", advice="rights", code="rights"),
    8: _REFUSED,  # invalid request: our mistake
    9: VkErrorRule("later", 60.0, "peer"),  # flood control
    10: VkErrorRule("later", 2.0),  # internal server error
    14: VkErrorRule("later", 3600.0, "account", counts=False, advice="captcha"),
    15: VkErrorRule("refused", advice="rights", code="rights"),
    18: _GONE,  # deleted or banned user
    23: _REFUSED,  # method switched off
    27: VkErrorRule("account", advice="token"),
    28: VkErrorRule("account", advice="token"),
    29: VkErrorRule("later", 3600.0, "account", counts=False),  # the day's quota
    42: VkErrorRule(
        "account",
        advice="address",
    ),
    100: VkErrorRule("parameters"),
    113: _GONE,  # no such user
    900: _GONE,  # black list
    901: _GONE,  # messages are not allowed
    902: _GONE,  # privacy
    909: VkErrorRule("refused", code="not_editable"),  # too old to edit
    910: VkErrorRule("refused", code="too_long"),  # too big
    911: VkErrorRule("format", advice="keyboard_refused"),
    912: VkErrorRule("format", advice="keyboard"),
    913: _REFUSED,  # too many forwarded messages
    914: VkErrorRule("refused", code="too_long"),  # too long
    917: VkErrorRule("gone", advice="chat"),
    920: VkErrorRule("refused", code="not_editable"),  # cannot be edited
    921: _REFUSED,  # cannot be forwarded
    922: _GONE,  # left the chat
    924: _REFUSED,  # cannot be deleted for everybody any more
    927: _GONE,  # no such chat
    932: _GONE,  # the community cannot interact with this peer
    936: _GONE,  # no such contact
    939: _GONE,  # a message request waits for the customer's consent
    945: _GONE,  # chat was disabled
    946: _GONE,  # chat is not supported
    950: _GONE,  # the time to reply is over until they write again
    962: _GONE,  # paid chat without a subscription
    983: _GONE,  # 983-988: cannot be written to without a request or consent
    984: _GONE,
    985: _GONE,
    986: _GONE,
    987: _GONE,
    988: _GONE,
    1012: _GONE,  # writing is switched off in this chat
    1117: VkErrorRule("account", advice="token"),  # the token has expired
}

OTHERS = VkErrorRule("later", 30.0)  # whatever is not listed: patience, which the outbox counts
ACCOUNT_CODES = frozenset({5, 15, 27, 28, 42, 1117})  # of the first calls: the account cannot be used at all


def row(code: int) -> VkErrorRule:
    """The line of *code*; patience for anything unknown."""
    return TABLE.get(code, OTHERS)


def to_delivery_error(error: VkRefusal | VkSilence, *, styled: bool = False) -> DeliveryError | AccountError:
    """What to raise from a send.

    *styled* says that format_data or a keyboard went with it, so that plain text may pass.
    """
    if isinstance(error, VkSilence):
        return RetryLater(str(error), after=1.0)  # random_id makes a repeat harmless
    line = row(error.code)
    text = f"{error} → {line.hint}" if line.hint else str(error)
    match line.meaning:
        case "later":
            return RetryLater(text, after=line.after, scope=line.scope, counts=line.counts)
        case "gone":
            return PeerGone(text)
        case "format":
            return BadFormat(text)
        case "account":
            return AccountError(str(error), hint=line.hint)
        case "parameters":
            return BadFormat(text) if styled else Refused(text)
        case "refused":
            return Refused(text, code=line.code)


def to_account_error(error: VkRefusal) -> AccountError:
    """The same for the first calls of a channel, where every lack of rights is fatal."""
    return AccountError(str(error), hint=account_hint(error.code))


def account_hint(code: int) -> str:
    """What to do where VK refuses the account itself."""
    return told("vk.hint.group") if code == 15 else row(code).hint or told("vk.hint.token")
