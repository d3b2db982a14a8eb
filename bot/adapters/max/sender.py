"""Carrying one delivery out: each kind as one sending call of MAX, plainer where MAX refuses the finery."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.adapters.base import Files
from bot.adapters.max.attachments import fields
from bot.adapters.max.calls import (
    CarriedAttachments,
    Json,
    address,
    keyboard,
    notice,
    reply,
    text_fields,
    words,
)
from bot.adapters.max.client import MaxClient
from bot.adapters.max.errors import FileUnprocessed, MaxCallDone, MaxFileRefused, ReplyGone
from bot.adapters.max.uploads import MaxUploads
from bot.adapters.rich_text import placeholder
from bot.errors import BadFormat, Refused, RetryLater, Uncertain
from bot.model import Outbound, OutboundKind, Sent


class MaxSender:
    """What the bot says.

    *ready_pauses* are the seconds between tries while MAX works through a file; *dialogs* is told a person
    and the number of their dialog.
    """

    def __init__(
        self,
        client: MaxClient,
        channel: str,
        *,
        ready_pauses: tuple[float, ...],
        dialogs: Callable[[str, int], None],
    ) -> None:
        self._client, self._ready_pauses, self._dialogs = client, ready_pauses, dialogs
        self._uploads = MaxUploads(client, channel)

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """See `Adapter.send`. Only a new message cannot be repeated: MAX knows no key for it."""
        try:
            if outbound.kind is OutboundKind.SAY:
                await self._client.stand()
                return await self._say(outbound, nonce, files)
            await self._do(outbound, nonce, target, files)
        except MaxCallDone:
            pass
        except Uncertain as error:
            if outbound.kind is OutboundKind.SAY:
                raise
            raise RetryLater(str(error), after=2.0) from None
        return Sent(target)

    async def _do(self, outbound: Outbound, nonce: int, target: str, files: Files) -> None:
        match outbound.kind:
            case OutboundKind.EDIT:
                await self._edit(outbound, nonce, target, files)
            case OutboundKind.ACKNOWLEDGE:
                await self._acknowledge(outbound)
            case OutboundKind.REACT:
                return  # MAX has no reactions of bots; they are cosmetics
            case OutboundKind.PIN:
                await self._pin(outbound, target)
            case OutboundKind.DELETE:
                await self._delete(target)
            case _:
                raise Refused("chats of MAX have no topics")

    async def _say(self, outbound: Outbound, nonce: int, files: Files) -> Sent:
        where: Mapping[str, object] = {**address(outbound.to.chat), "disable_link_preview": "true"}
        more: Json = {"notify": False} if outbound.silent else {}
        if link := reply(outbound):
            more["link"] = link
        answer = await self._written("POST", outbound, nonce, files, (where, more))
        message = fields(answer.get("message"))
        recipient, body = fields(message.get("recipient")), fields(message.get("body"))
        if "user_id" in where and isinstance(recipient.get("chat_id"), int):
            self._dialogs(outbound.to.chat, recipient["chat_id"])
        return Sent(str(body.get("mid") or ""))

    async def _edit(self, outbound: Outbound, nonce: int, target: str, files: Files) -> None:
        if not target:
            raise Refused("no message to edit", code="not_editable")
        where: Mapping[str, object] = {"message_id": target}
        try:
            await self._written("PUT", outbound, nonce, files, (where, {"notify": False}))
        except MaxCallDone as error:
            if "found" in str(error):  # there is nothing to change any more
                raise Refused(str(error), code="not_editable") from None
            raise

    async def _written(
        self,
        method: str,
        outbound: Outbound,
        nonce: int,
        files: Files,
        call: tuple[Mapping[str, object], Json],
    ) -> Mapping[str, Any]:
        """One message written, with less and less finery where MAX refuses it: a refused call has sent
        nothing.
        """
        # an operator must hear that their file did not pass; a customer sees a note
        strict = outbound.author == "operator"
        carried = await self._uploads.carry(outbound.attachments, files, strict=strict)
        if not outbound.text.text and outbound.author == "bot":
            outbound = replace(outbound, text=carried.captions)
        params, more = call
        plain, as_files, fresh = False, False, False
        while True:
            body = {**_body(outbound, carried, nonce, plain=plain), **more}
            try:
                return await self._once_ready(method, params, body)
            except (ReplyGone, MaxCallDone) as error:
                if method == "PUT":
                    raise
                if "link" not in more:  # law: only what MAX took counts as sent
                    raise Refused(str(error)) from None
                more = {k: v for k, v in more.items() if k != "link"}
            except BadFormat:
                if plain:
                    raise
                plain = True
            except MaxFileRefused:
                if not carried.items or (as_files and strict):
                    raise
                if carried.reused and not fresh:  # MAX has forgotten what it was given before
                    fresh = True
                    carried = await self._uploads.carry(
                        outbound.attachments, files, strict=strict, fresh=True
                    )
                    continue
                if as_files:
                    outbound, carried = _in_words(outbound), CarriedAttachments()
                    continue
                as_files = True
                carried = await self._uploads.carry(outbound.attachments, files, strict=strict, as_files=True)

    async def _once_ready(self, method: str, params: Mapping[str, object], body: Json) -> Mapping[str, Any]:
        """The call, again while MAX still works through what was uploaded; nothing is sent until then."""
        for pause in self._ready_pauses:
            try:
                return await self._client.call(method, "/messages", params=params, body=body)
            except FileUnprocessed:
                await asyncio.sleep(pause)
        return await self._client.call(method, "/messages", params=params, body=body)

    async def _acknowledge(self, outbound: Outbound) -> None:
        if not outbound.quotes:
            return
        said = notice(outbound)
        with contextlib.suppress(Refused, BadFormat):  # answered before, or too late: nobody waits any more
            await self._client.call(
                "POST",
                "/answers",
                params={"callback_id": outbound.quotes},
                body={"notification": said} if said else {},
            )

    async def _pin(self, outbound: Outbound, target: str) -> None:
        group = address(outbound.to.chat).get("chat_id")
        if group is None or not target:
            raise Refused("no message to pin")
        body: Json = {"message_id": target, "notify": False}
        await self._client.call("PUT", f"/chats/{group}/pin", body=body)

    async def _delete(self, target: str) -> None:
        if not target:
            raise Refused("no message to delete")
        for each in target.split():
            with contextlib.suppress(MaxCallDone):
                await self._client.call("DELETE", "/messages", params={"message_id": each})


def _body(outbound: Outbound, carried: CarriedAttachments, nonce: int, *, plain: bool) -> Json:
    """What SAY and EDIT share. An edited message loses the attachments that are not named."""
    buttons, lines = keyboard(outbound.buttons, nonce)
    rich = words(outbound, (*carried.notes, *lines))
    items = [*carried.items, *([buttons] if buttons else [])]
    if not rich.text and not items and outbound.kind is OutboundKind.SAY:
        raise Refused("there is nothing to say")
    return {**(text_fields(rich, plain=plain) if rich.text else {}), "attachments": items}


def _in_words(outbound: Outbound) -> Outbound:
    """The message in words alone."""
    text = outbound.text
    for attachment in outbound.attachments:
        note = placeholder(attachment)
        text = text + "\n" + note if text else note
    return replace(outbound, text=text, attachments=())
