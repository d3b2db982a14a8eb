"""VK's chats and who is in them, asked when somebody needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.adapters.base import ChatInfo
from bot.adapters.vk.calls import is_private, peer_id
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.errors import VkRefusal, VkSilence, row, to_delivery_error
from bot.adapters.vk.users import SenderCache
from bot.errors import PeerGone
from bot.model import Sender
from bot.text.problems import problem

MEMBERS_PAGE, MEMBERS_PAGES = 200, 50


class Chats:
    """See `Adapter.chat_info`, `membership` and `profile`. All raise the subclasses of `DeliveryError`."""

    def __init__(self, client: VkClient, people: SenderCache, *, group_id: int) -> None:
        self._client, self._people, self._group = client, people, group_id

    async def chat_info(self, chat: str) -> ChatInfo:
        peer = peer_id(chat)
        if is_private(peer):
            person = await self.profile(chat)
            return ChatInfo(chat, " ".join(t for t in (person.name, person.last_name) if t) if person else "")
        told = await self._ask("messages.getConversationsById", peer_ids=peer, group_id=self._group)
        items = told.get("items") if isinstance(told, Mapping) else None
        if not items or not isinstance(items[0], Mapping):
            raise PeerGone(f"the community does not see chat {chat}")
        settings = items[0].get("chat_settings")
        if isinstance(settings, Mapping) and settings.get("state") in ("kicked", "left", "out"):
            raise PeerGone(f"the community is not in chat {chat} any more")
        title = str(settings.get("title") or "") if isinstance(settings, Mapping) else ""
        try:
            await self._client.call(
                "messages.getConversationMembers", peer_id=peer, count=1, group_id=self._group
            )
        except VkRefusal as error:
            if row(error.code).meaning not in ("gone", "refused"):
                raise to_delivery_error(error) from None
            return ChatInfo(
                chat,
                title,
                "group",
                (problem("vk.chat_rights", code="vk-chat-rights", chat=title or chat),),
            )
        except VkSilence as error:
            raise to_delivery_error(error) from None
        return ChatInfo(chat, title, "group")

    async def membership(self, chat: str, user: str) -> Literal["administrator", "member", "none"]:
        peer = peer_id(chat)
        if is_private(peer):
            return "member" if chat == user else "none"
        for page in range(MEMBERS_PAGES):
            told = await self._ask(
                "messages.getConversationMembers",
                peer_id=peer,
                count=MEMBERS_PAGE,
                offset=page * MEMBERS_PAGE,
                group_id=self._group,
            )
            items = told.get("items") if isinstance(told, Mapping) else None
            members = [m for m in items if isinstance(m, Mapping)] if isinstance(items, list) else []
            for member in members:
                if str(member.get("member_id")) == user:
                    return "administrator" if member.get("is_admin") or member.get("is_owner") else "member"
            if len(members) < MEMBERS_PAGE:
                break
        return "none"

    async def profile(self, user: str) -> Sender | None:
        if (known := self._people.known(user)) is None and user.isdigit():
            try:
                await self._people.ask([user])
            except (VkRefusal, VkSilence) as error:
                raise to_delivery_error(error) from None
            known = self._people.known(user)
        return known

    async def _ask(self, method: str, **parameters: Any) -> Any:
        try:
            return await self._client.call(method, **parameters)
        except (VkRefusal, VkSilence) as error:
            raise to_delivery_error(error) from None
