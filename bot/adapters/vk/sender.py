"""Carrying one delivery out: each kind as one call of VK that may be repeated, plainer where VK refuses the
finery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.adapters.base import Files, Health
from bot.adapters.vk.calls import (
    RandomIds,
    UploadedAttachments,
    acknowledgement,
    compose,
    is_private,
    label_lines,
    message_id,
    peer_id,
    reaction,
    reply,
    unstyled,
)
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.errors import VkRefusal, VkSilence, row, to_delivery_error
from bot.adapters.vk.uploads import VkUploads
from bot.errors import Refused
from bot.model import Outbound, OutboundKind, RichText, Sent
from bot.observability import get_logger

_DONE = Sent()


class VkSender:
    """What the community says."""

    def __init__(
        self, client: VkClient, health: Health, random_ids: RandomIds, *, channel: str, group_id: int
    ) -> None:
        self._client, self._health, self._random_ids, self._group = client, health, random_ids, group_id
        self._noted: set[str] = set()
        self._uploads = VkUploads(client, channel)
        self._log = get_logger("vk").bind(channel=channel)

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """See `Adapter.send`."""
        try:
            sent = await self._do(outbound, nonce, target, files)
        except VkRefusal as error:
            self._note(error)
            raise to_delivery_error(error, styled=bool(outbound.text.spans or outbound.buttons)) from None
        except VkSilence as error:
            raise to_delivery_error(error) from None
        self._mended()
        return sent

    async def _do(self, outbound: Outbound, nonce: int, target: str, files: Files) -> Sent:
        match outbound.kind:
            case OutboundKind.SAY:
                return await self._say(outbound, nonce, files)
            case OutboundKind.EDIT:
                return await self._edit(outbound, nonce, target, files)
            case OutboundKind.ACKNOWLEDGE:
                return await self._acknowledge(outbound)
            case OutboundKind.REACT:
                return await self._react(outbound)
            case OutboundKind.PIN:
                return await self._pin(outbound, target)
            case OutboundKind.DELETE:
                return await self._delete(outbound, target)
        raise Refused("VK chats have no topics")

    async def _say(self, outbound: Outbound, nonce: int, files: Files) -> Sent:
        peer = peer_id(outbound.to.chat)
        # In group chats only the answer to `peer_ids` tells the number of the message; in private ones its id
        # is told at once.
        address = {"peer_id": peer} if is_private(peer) else {"peer_id": None, "peer_ids": peer}
        unique = {"random_id": self._random_ids.of(nonce), "forward": reply(outbound)}
        answer = await self._written("messages.send", outbound, nonce, files, {**unique, **address})
        return _sent(answer)

    async def _edit(self, outbound: Outbound, nonce: int, target: str, files: Files) -> Sent:
        if not (edited := message_id(target)):
            raise Refused(f"no message to edit: {target!r}", code="not_editable")
        await self._written(
            "messages.edit",
            outbound,
            nonce,
            files,
            {**edited, "keep_forward_messages": 1, "keep_snippets": 1},
        )
        return Sent(target)

    async def _written(
        self, method: str, outbound: Outbound, nonce: int, files: Files, more: Mapping[str, Any]
    ) -> Any:
        """One message written, with less and less finery where VK refuses it: a refused call has sent
        nothing.
        """
        peer = peer_id(outbound.to.chat)
        # an operator must hear that their file did not pass; a customer sees a note
        strict = outbound.author == "operator"
        carried = await self._uploads.carry(outbound.attachments, peer, files, strict=strict)
        if not outbound.text.text and outbound.author == "bot":
            outbound = replace(outbound, text=carried.captions)
        bare, fresh = False, False
        parameters = {**compose(outbound, carried, nonce), **more}
        if not parameters["message"] and not carried.names and carried.place is None:
            raise Refused("there is nothing to say")
        while True:
            try:
                answer = await self._client.call(method, **parameters)
                _raise_peer_error(answer)
                return answer
            except VkRefusal as error:
                if error.code == 100 and parameters["format_data"] is not None:
                    parameters |= {
                        "format_data": None,
                        "message": unstyled(outbound, _notes(outbound, carried, bare=bare)),
                    }
                elif error.code in (911, 912) and parameters["keyboard"] is not None:
                    bare = True
                    self._note(error)
                    parameters = {
                        **compose(replace(outbound, buttons=()), _with_labels(outbound, carried), nonce),
                        **more,
                    }
                elif error.code == 921 and parameters.get("forward") is not None:
                    more = {**more, "forward": None}  # the quoted message is gone
                    parameters |= more
                elif error.code == 100 and carried.reused and not fresh:
                    fresh = True
                    carried = await self._uploads.carry(
                        outbound.attachments, peer, files, strict=strict, reuse=False
                    )
                    parameters |= {"attachment": ",".join(carried.names) or None}
                else:
                    raise

    async def _acknowledge(self, outbound: Outbound) -> Sent:
        if (parameters := acknowledgement(outbound)) is not None:
            try:
                await self._client.call("messages.sendMessageEventAnswer", **parameters)
            except VkRefusal as error:
                if row(error.code).meaning not in ("parameters", "gone", "refused"):
                    raise
                # answered before, or older than a minute: nobody waits for it any more
        return _DONE

    async def _react(self, outbound: Outbound) -> Sent:
        number, emoji = message_id(outbound.quotes), outbound.text.text.strip()
        given = reaction(emoji)
        if "cmid" not in number or (emoji and given is None):
            return _DONE
        address = {"peer_id": peer_id(outbound.to.chat), **number}
        try:
            if given is None:
                await self._client.call("messages.deleteReaction", **address)
            else:
                await self._client.call("messages.sendReaction", **address, reaction_id=given)
        except VkRefusal as error:
            if row(error.code).meaning == "account" or error.code in (1, 6, 9, 10, 14, 29):
                raise
            # cosmetics: a reaction that VK does not take is not worth a word
        return _DONE

    async def _pin(self, outbound: Outbound, target: str) -> Sent:
        if not (pinned := message_id(target)):
            raise Refused(f"no message to pin: {target!r}")
        await self._client.call("messages.pin", peer_id=peer_id(outbound.to.chat), **pinned)
        return Sent(target)

    async def _delete(self, outbound: Outbound, target: str) -> Sent:
        named = [message_id(each) for each in target.split()]
        if not named or not all(named):
            raise Refused(f"no message to delete: {target!r}")
        kind = "cmid" if "cmid" in named[0] else "message_id"
        ids = {f"{kind}s": ",".join(str(n[kind]) for n in named)}
        await self._client.call(
            "messages.delete",
            peer_id=peer_id(outbound.to.chat),
            delete_for_all=1,
            group_id=self._group,
            **ids,
        )
        return Sent(target)

    def _mended(self) -> None:
        """A send that passed takes back what stood against it, but for keyboards, which most messages do not
        have.
        """
        for name in self._noted - {"vk-911", "vk-912"}:
            self._health.details.pop(name, None)
        self._noted &= {"vk-911", "vk-912"}

    def _note(self, error: VkRefusal) -> None:
        """What a person should mend is shown with the channel's health."""
        if hint := row(error.code).hint:
            self._health.details[f"vk-{error.code}"] = hint
            self._noted.add(f"vk-{error.code}")
            self._log.warning("vk_refused", code=error.code, hint=hint)


def _sent(answer: object) -> Sent:
    """Private chats answer with an id, group chats with the number of the message in each."""
    if isinstance(answer, list):
        first = answer[0] if answer and isinstance(answer[0], Mapping) else {}
        return Sent(str(first.get("conversation_message_id") or ""))
    return Sent(f"m{answer}" if isinstance(answer, int) and answer > 0 else "")


def _raise_peer_error(answer: object) -> None:
    if not isinstance(answer, list):
        return
    for told in answer:
        error = told.get("error") if isinstance(told, Mapping) else None
        if isinstance(error, Mapping):
            raise VkRefusal(int(error.get("code") or 0), str(error.get("description") or ""))


def _notes(outbound: Outbound, carried: UploadedAttachments, *, bare: bool) -> tuple[RichText, ...]:
    return _with_labels(outbound, carried).notes if bare else carried.notes


def _with_labels(outbound: Outbound, carried: UploadedAttachments) -> UploadedAttachments:
    return replace(carried, notes=(*carried.notes, *label_lines(outbound.buttons)))
