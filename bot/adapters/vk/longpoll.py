"""VK's Bots Long Poll: events are kept together with where the queue stands, and a cut history is caught
up.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.adapters.base import Accept
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.community import Community
from bot.adapters.vk.errors import ACCOUNT_CODES, VkRefusal, VkSilence, row, to_account_error
from bot.adapters.vk.intake import FORGOTTEN, Cursor, Intake, read_cursor
from bot.errors import StorageError
from bot.model import Inbound
from bot.observability import get_logger

WAIT = 10  # seconds one poll waits for events
LONGEST_PAUSE = 30.0
RENEW_AFTER = 4  # failures in a row until the server is asked for again
ACCOUNT_PAUSE = 30.0  # between tries while the token or a right is missing


class LongPoll:
    """One queue of one community. `ts` never moves before the events up to it are kept."""

    def __init__(
        self,
        client: VkClient,
        intake: Intake,
        community: Community,
        *,
        kept: Callable[[Sequence[Inbound]], None],
        wait: int = WAIT,
    ) -> None:
        self._client, self._intake, self._kept, self._wait = client, intake, kept, wait
        self._health, self._clock, self._group = community.health, community.clock, community.group_id
        self._server = self._key = ""
        self._cursor: Cursor | None = None
        self._worked = False
        self._log = get_logger("vk").bind(channel=community.channel)

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        """Take events in until cancelled.

        Raises `AccountError` where the first call already shows that the account is no use.
        """
        self._cursor = read_cursor(cursor) if cursor else None
        failures = 0
        while True:
            pause = 0.0
            try:
                await self._step(accept)
            except VkRefusal as error:
                if error.code in ACCOUNT_CODES and not self._worked:
                    raise to_account_error(error) from None
                failures += 1
                pause = ACCOUNT_PAUSE if row(error.code).meaning == "account" else _pause(failures)
                self._failed(error, failures, row(error.code).hint)
            except (VkSilence, StorageError) as error:
                failures += 1
                pause = _pause(failures)
                self._failed(error, failures)
                if failures % RENEW_AFTER == 0:
                    self._key = ""  # perhaps the server has moved
            except Exception as error:  # noqa: BLE001 - nothing was confirmed: the same events come again
                failures += 1
                pause = _pause(failures)
                self._failed(error, failures)
                self._log.exception("intake_broken")
            else:
                failures = 0
                self._works()
            if pause:
                await asyncio.sleep(pause)

    async def _step(self, accept: Accept) -> None:
        if not self._key:
            await self._connect(accept)
        if self._cursor is None:
            raise VkSilence("longpoll: no ts")
        answer = await self._client.poll(self._server, self._key, self._cursor.ts, self._wait)
        match answer.get("failed"):
            case None:
                await self._keep(accept, answer)
            case 1:
                await self._catch_up(accept, _ts(answer))
            case 2:
                self._key = ""  # nothing is lost: a new key, the same ts
            case _:
                self._key = ""
                self._cursor = Cursor("", self._cursor.at)

    async def _connect(self, accept: Accept) -> None:
        answer = await self._client.call("groups.getLongPollServer", group_id=self._group)
        if not isinstance(answer, Mapping) or not answer.get("key") or not answer.get("server"):
            raise VkSilence("longpoll: no server in the answer")
        self._worked = True
        if self._cursor is None:  # the very first start: what was written before is history
            await self._move(accept, (), Cursor(_ts(answer), self._clock().timestamp()))
        elif not self._cursor.ts:
            await self._catch_up(accept, _ts(answer))
        self._server, self._key = str(answer["server"]), str(answer["key"])
        self._works()

    async def _keep(self, accept: Accept, answer: Mapping[str, Any]) -> None:
        events = answer.get("updates")
        if not isinstance(events, list):
            raise VkSilence("longpoll: no updates in the answer")
        if not events and self._cursor is not None and _ts(answer) == self._cursor.ts:
            return
        await self._move(
            accept, await self._intake.read(events), Cursor(_ts(answer), self._clock().timestamp())
        )

    async def _catch_up(self, accept: Accept, ts: str) -> None:
        """The events before *ts* are gone: what customers wrote meanwhile is asked for.

        Only then may the queue go on.
        """
        now = self._clock().timestamp()
        since = self._cursor.at if self._cursor and self._cursor.at else now - FORGOTTEN
        missed: tuple[Inbound, ...] = ()
        try:
            missed = await self._intake.missed(since)
        except VkRefusal as error:
            if row(error.code).meaning == "later":
                raise
            self._log.error(
                "cannot_catch_up", error=str(error)
            )  # no right to read conversations: better to go on than to stand still
            self._health.details["catch_up"] = str(error)
        await self._move(accept, missed, Cursor(ts, now))

    async def _move(self, accept: Accept, inbounds: Sequence[Inbound], cursor: Cursor) -> None:
        await accept(inbounds, cursor=str(cursor))
        self._cursor = cursor
        self._kept(inbounds)

    def _works(self) -> None:
        self._health.state, self._health.last_poll = "working", self._clock()
        self._health.details.pop("hint", None)

    def _failed(self, error: Exception, failures: int, hint: str = "") -> None:
        self._health.last_error = str(error) or type(error).__name__
        if hint:
            self._health.details["hint"] = hint
        if failures >= 2 or hint:
            self._health.state = "failing"
        self._log.warning("poll_failed", error=str(error), failures=failures)


def _ts(answer: Mapping[str, Any]) -> str:
    ts = answer.get("ts")
    if isinstance(ts, bool) or not isinstance(ts, (int, str)) or not str(ts).isdigit():
        raise VkSilence("longpoll: no ts in the answer")
    return str(ts)


def _pause(failures: int) -> float:
    return min(LONGEST_PAUSE, 0.5 * 2.0 ** min(failures - 1, 8)) * random.uniform(0.6, 1.0)
