"""What a Telegram message holds besides text, as our attachments; what we do not know is still something to
show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.adapters.sanitize import clean_file_name
from bot.adapters.telegram.contents import files, rich_words, told
from bot.model import Attachment, Media

Dict = Mapping[str, Any]

# Fields about the message, fields of messages that nobody wrote: everything else in a message is its content.
ENVELOPE = frozenset(
    """author_signature business_connection_id caption caption_entities chat date direct_messages_topic
    edit_date effect_id entities ephemeral_message_id external_reply forward_date forward_from
    forward_from_chat forward_from_message_id forward_origin forward_sender_name forward_signature from
    guest_bot_caller_chat guest_bot_caller_user guest_query_id has_media_spoiler has_protected_content
    is_automatic_forward is_from_offline is_paid_post is_topic_message link_preview_options
    media_group_id message_id message_thread_id paid_star_count quote receiver_user reply_markup
    reply_to_checklist_task_id reply_to_message reply_to_poll_option_id reply_to_story
    sender_boost_count sender_business_bot sender_chat sender_tag show_caption_above_media
    suggested_post_info text via_bot""".split()  # noqa: SIM905 - forty quoted words would read worse
)
SERVICE = frozenset(
    """boost_added channel_chat_created chat_background_set chat_owner_changed chat_owner_left chat_shared
    checklist_tasks_added checklist_tasks_done community_chat_added community_chat_joined
    community_chat_removed connected_website delete_chat_photo direct_message_price_changed
    forum_topic_closed forum_topic_created forum_topic_edited forum_topic_reopened
    general_forum_topic_hidden general_forum_topic_unhidden gift gift_upgrade_sent giveaway_completed
    giveaway_created group_chat_created left_chat_member left_chat_participant managed_bot_created
    message_auto_delete_timer_changed migrate_from_chat_id migrate_to_chat_id new_chat_member
    new_chat_members new_chat_participant new_chat_photo new_chat_title paid_message_price_changed
    passport_data pinned_message poll_option_added poll_option_deleted proximity_alert_triggered
    refunded_payment successful_payment suggested_post_approval_failed suggested_post_approved
    suggested_post_declined suggested_post_paid suggested_post_refunded supergroup_chat_created
    unique_gift user_shared users_shared video_chat_ended video_chat_participants_invited
    video_chat_scheduled video_chat_started web_app_data write_access_allowed""".split()  # noqa: SIM905
)
_FILES = {
    "animation": Media.ANIMATION,
    "document": Media.DOCUMENT,
    "voice": Media.VOICE,
    "video": Media.VIDEO,
    "video_note": Media.VIDEO_NOTE,
    "audio": Media.AUDIO,
    "sticker": Media.STICKER,
}
_MIME = {Media.VIDEO_NOTE: "video/mp4", Media.VOICE: "audio/ogg", Media.PHOTO: "image/jpeg"}


def read_attachments(m: Dict, channel: str) -> tuple[Attachment, ...]:
    """The content of a message besides its text: mostly one attachment; paid and rich messages hold
    several.
    """
    if m.keys() <= ENVELOPE:
        return ()
    if "photo" in m:
        return (_photo(m["photo"], channel),)
    for (
        name,
        media,
    ) in _FILES.items():  # an animation carries a document too, for old programs: the first one counts
        if name in m:
            return (_file(m[name], media, channel),)
    if "contact" in m:
        return (_contact(m["contact"], channel),)
    if "location" in m or "venue" in m:
        return (_location(m, channel),)
    for name in m:
        if name not in ENVELOPE and name not in SERVICE:
            inside = tuple(_inside(n, f, channel) for n, f in files({name: m[name]}))
            if name == "rich_message" and (inside or rich_words(m[name])):  # its words are the message's text
                return inside
            shown = name == "live_photo" and inside
            return (
                inside
                if shown
                else (Attachment(Media.OTHER, channel=channel, data=told(name, m[name])), *inside)
            )
    return ()


def file_id(message: object, media: Media) -> str:
    """Telegram's id of the file in a message that was sent as *media*; "" where it shows it otherwise."""
    found = message.get(media.value) if isinstance(message, Mapping) else None
    if isinstance(found, list) and found:  # the sizes of a photo
        found = max(found, key=lambda size: size.get("width", 0) * size.get("height", 0))
    return str(found.get("file_id") or "") if isinstance(found, Mapping) else ""


def _inside(name: str, found: Any, channel: str) -> Attachment:
    return _photo(found, channel) if name == "photo" else _file(found, _FILES[name], channel)


def _photo(sizes: list[Dict], channel: str) -> Attachment:
    best = max(sizes, key=lambda s: (s.get("width", 0) * s.get("height", 0), s.get("file_size", 0)))
    return Attachment(
        Media.PHOTO,
        best["file_id"],
        channel,
        mime=_MIME[Media.PHOTO],
        size=best.get("file_size", 0),
        data=_unique(best),
    )


def _file(f: Dict, media: Media, channel: str) -> Attachment:
    name = f.get("file_name") or " – ".join(t for t in (f.get("performer"), f.get("title")) if t)
    data = _unique(f)
    if media is Media.STICKER:
        data["emoji"] = f.get("emoji", "")
    return Attachment(
        media,
        f["file_id"],
        channel,
        name=clean_file_name(name) if name else "",
        mime=f.get("mime_type") or _MIME.get(media, ""),
        size=f.get("file_size", 0),
        duration=f.get("duration", 0),
        data=data,
    )


def _unique(f: Dict) -> dict[str, object]:
    return {"unique": f["file_unique_id"]} if f.get("file_unique_id") else {}


def _contact(c: Dict, channel: str) -> Attachment:
    name = " ".join(t for t in (c.get("first_name"), c.get("last_name")) if t)
    return Attachment(
        Media.CONTACT,
        channel=channel,
        data={"phone": c.get("phone_number", ""), "name": name, "user": str(c.get("user_id", ""))},
    )


def _location(m: Dict, channel: str) -> Attachment:
    venue = m.get("venue") or {}
    place = m.get("location") or venue["location"]
    data = {"latitude": place["latitude"], "longitude": place["longitude"]}
    data |= {k: venue[k] for k in ("title", "address") if venue.get(k)}
    return Attachment(Media.LOCATION, channel=channel, data=data)
