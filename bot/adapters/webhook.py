"""Another system as a channel: each event is one signed POST (Standard Webhooks), tried until it is taken or
too old.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import aiohttp

from bot.adapters.base import Accept, ChatInfo, File, Files, Health, Limits
from bot.adapters.groupless_adapter import GrouplessAdapter
from bot.adapters.url_safety import PublicResolver, check_address
from bot.clock import Clock
from bot.errors import DeliveryError, Problem, Refused, RetryLater
from bot.model import Attachment, Outbound, OutboundKind, Sent
from bot.observability import get_logger
from bot.text.problems import problem, warning

PATIENCE = timedelta(days=3)  # an event older than this is given up
TIMEOUT = 15.0  # seconds for one call
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 3600.0  # seconds between two tries, doubled each time
_CONTENT_REFUSED = (400, 413, 415, 422)  # this event, not this address: tried some times, then passed over


def sign(secrets: str, id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a body, one signature for each of the secrets (parted by spaces).

    >>> sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test":
    2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{id}.{timestamp}.".encode() + body
    return " ".join(
        f"v1,{base64.b64encode(hmac.digest(_key(one), signed, hashlib.sha256)).decode()}"
        for one in secrets.split()
    )


class WebhookAdapter(GrouplessAdapter):
    """One address that is told of events. What it does not take waits in the outbox, in order, and delays
    nobody else.

    *private* allows addresses of this machine and its network. The pause after a failure grows with each
    further one.
    """

    kind = "webhook"

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        url: str,
        secret: str,
        private: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        self.name, self._clock, self._url, self._secret, self._private = name, clock, url, secret, private
        self.limits = Limits(per_second=0, peer_per_second=0, group_per_minute=0)
        self.health = Health("working", awaited=False)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._failures = 0
        self._log = get_logger("webhook").bind(channel=name)

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        await asyncio.Event().wait()  # it only listens

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """See `Adapter.send`: any 2xx is success; the id stays the same however often it is tried."""
        if outbound.kind is not OutboundKind.ANNOUNCE:
            raise Refused("a webhook takes events only")
        body, now = outbound.text.text.encode(), self._clock()
        headers = self._headers(outbound.name, body, now)
        try:
            status, pause = await self._post(body, headers)
        except aiohttp.ClientConnectorError as error:
            raise self._failed(outbound, f"no connection: {type(error).__name__}", doubted=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._failed(outbound, f"no answer: {type(error).__name__}", doubted=True) from None
        except Refused as error:
            raise self._failed(outbound, str(error), doubted=False) from None
        if 200 <= status < 300:
            self._mended()
            return Sent()
        raise self._failed(
            outbound, f"HTTP {status}", doubted=False, after=pause, counts=status in _CONTENT_REFUSED
        )

    async def read(self, attachment: Attachment) -> File:
        raise Refused("a webhook holds no files")

    async def chat_info(self, chat: str) -> ChatInfo:
        return ChatInfo(chat)

    async def check(self) -> tuple[Problem, ...]:
        """Whether somebody answers there at all; nothing is announced for it."""
        try:
            if not self._private:
                check_address(self._url)
            async with self._opened().head(self._url, allow_redirects=False):
                return ()
        except Refused as error:
            return (problem("webhook.bad_address", reason=error),)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return (warning("webhook.silent", reason=type(error).__name__),)

    async def close(self) -> None:
        self.health.state = "stopped"
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        """Status and the pause that the other side asks for.

        A redirect is no success: it would lead the signature elsewhere.
        """
        if not self._private:
            check_address(self._url)
        async with self._opened().post(
            self._url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, _seconds(answer.headers.get("Retry-After", ""))

    def _headers(self, id: str, body: bytes, now: datetime) -> dict[str, str]:
        timestamp = int(now.timestamp())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "otklik-webhook/1",
            "Idempotency-Key": id,
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._secret, id, timestamp, body),
        }

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = (
                aiohttp.TCPConnector() if self._private else aiohttp.TCPConnector(resolver=PublicResolver())
            )
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    def _failed(
        self, outbound: Outbound, reason: str, *, doubted: bool, after: float = 0.0, counts: bool = False
    ) -> DeliveryError:
        if not self._failures:
            self._log.warning("webhook_failing", reason=reason)
            self.health.details["failing_since"] = self._clock().isoformat(timespec="seconds")
        self._failures += 1
        self.health.state, self.health.last_error = "failing", reason
        if self._clock() - _happened(outbound) > PATIENCE:
            return Refused(f"given up after {PATIENCE.days} days: {reason}")
        pause = max(
            after,
            FIRST_PAUSE if counts else min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 12)),
        )
        return RetryLater(
            reason, after=pause, scope="peer" if counts else "account", counts=counts, doubted=doubted
        )

    def _mended(self) -> None:
        if self._failures:
            self._log.info("webhook_mended", failures=self._failures)
        self._failures = 0
        self.health.state, self.health.last_error = "working", ""
        self.health.details.pop("failing_since", None)


def _key(secret: str) -> bytes:
    """The bytes that sign; the form is checked where the config is read."""
    return base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()


def _happened(outbound: Outbound) -> datetime:
    """When the event happened; the start of time where the body does not say."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return datetime.fromisoformat(json.loads(outbound.text.text)["timestamp"])
    return datetime.fromtimestamp(0, UTC)


def _seconds(text: str) -> float:
    return min(float(text), LONGEST_PAUSE) if text.isdecimal() else 0.0
