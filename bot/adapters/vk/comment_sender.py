"""What the community says under its posts, and what a person decides on comments of others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.adapters.rich_text import fit
from bot.adapters.vk.calls import compose_comment
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.comment_places import Comment, comment_of, root_of
from bot.adapters.vk.errors import VkRefusal, VkSilence, to_delivery_error
from bot.errors import Refused
from bot.model import Outbound, OutboundKind, Sent
from bot.text.problems import told

LONGEST = 2048  # UTF-16 units of a comment
NO_RIGHT = frozenset({7, 15, 27, 203, 211, 212, 213, 801})  # none of them means that the channel is no use
OF_ADMIN = NO_RIGHT | {5, 28, 1117}  # an administrator's key that does not work stops nothing else
LINKS = 222  # links are forbidden in comments
GONE = frozenset({104, 210})  # it is deleted already
_URL = re.compile(r"[^\n]*https?://\S+[^\n]*\n?")


class CommentSender:
    """Comments in the community's name. `guid` makes a repeat harmless."""

    def __init__(self, client: VkClient, admin: VkClient | None, group_id: int) -> None:
        self._client, self._admin, self._group = client, admin, group_id

    async def send(self, outbound: Outbound, *, guid: int) -> Sent:
        """See `Adapter.send`."""
        try:
            if outbound.kind is OutboundKind.SAY:
                return await self._say(outbound, guid)
            if outbound.kind is OutboundKind.MODERATE:
                return await self._moderate(outbound)
        except VkSilence as error:
            raise to_delivery_error(error) from None
        raise Refused("VK changes no comments for a community", code="not_editable")

    async def _say(self, outbound: Outbound, guid: int) -> Sent:
        place = comment_of(outbound.quotes) or root_of(outbound.to.thread)
        if place is None or not outbound.public:
            raise Refused(f"not a public place: {outbound.to.thread!r}")
        text = compose_comment(outbound)
        if not text:
            raise Refused("a comment needs words", code="comment_files" if outbound.attachments else "")
        parameters = self._parameters(place, fit(text, LONGEST), guid)
        method = f"{place.kind.methods}.createComment"
        try:
            answer = await self._call(place, method, parameters)
        except VkRefusal as error:
            bare = _URL.sub("", text).strip()
            if error.code != LINKS or not bare:
                raise _refused(error, own=place.kind.communal) from None
            answer = await self._again(place, method, {**parameters, "message": fit(bare, LONGEST)})
        number = answer.get("comment_id") if isinstance(answer, Mapping) else answer
        if not isinstance(number, int):
            raise to_delivery_error(VkSilence(f"{method}: no number in the answer"))
        return Sent(Comment(place.kind, place.owner, place.object, number).message)

    async def _again(self, place: Comment, method: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return await self._call(place, method, parameters)
        except VkRefusal as error:
            raise _refused(error, own=place.kind.communal) from None

    def _parameters(self, place: Comment, text: str, guid: int) -> dict[str, Any]:
        given: dict[str, Any] = {place.kind.id: place.object, "message": text, "guid": str(guid)}
        if place.kind.kind == "topic":
            return {**given, "group_id": self._group, "from_group": 1}
        given |= {"owner_id": place.owner, "reply_to_comment": place.number or None}
        return {**given, "from_group": self._group if place.kind.communal else 1}

    async def _moderate(self, outbound: Outbound) -> Sent:
        """Delete a comment, or shut its author out: only ever by a person's word."""
        comment = comment_of(outbound.quotes)
        if comment is None:
            raise Refused(f"no comment: {outbound.quotes!r}")
        try:
            if outbound.text.text == "ban":
                await self._call_admin(
                    "groups.ban", {"group_id": self._group, "owner_id": int(outbound.to.chat), "reason": 1}
                )
            elif comment.kind.kind == "topic":
                topic = {"group_id": self._group, "topic_id": comment.object, "comment_id": comment.number}
                await self._client.call("board.deleteComment", **topic)
            else:
                named = {"owner_id": comment.owner, "comment_id": comment.number}
                await self._call_admin(f"{comment.kind.methods}.deleteComment", named)
        except VkRefusal as error:
            if error.code not in GONE:
                raise _refused(error, own=False) from None
        return Sent()

    async def _call(self, place: Comment, method: str, parameters: Mapping[str, Any]) -> Any:
        if place.kind.communal:
            return await self._client.call(method, **parameters)
        return await self._call_admin(method, parameters)

    async def _call_admin(self, method: str, parameters: Mapping[str, Any]) -> Any:
        if self._admin is None:
            raise Refused(told("vk.comments_no_admin"), code="comment_rights")
        return await self._admin.call(method, **parameters)


def _refused(error: VkRefusal, *, own: bool) -> Exception:
    """What a refusal is for the outbox: no comment is worth the whole channel."""
    if error.code in (NO_RIGHT if own else OF_ADMIN):
        return Refused(str(error), code="comment_rights")
    if error.code == LINKS:
        return Refused(str(error), code="comment_links")
    return to_delivery_error(error)
