"""One of each kind of attachment that Telegram, VK and MAX have, as the platforms send it: kind -> (its JSON,
words and address to be shown).
"""

from __future__ import annotations

from typing import Any

SIZES = [{"file_id": "P", "file_unique_id": "u", "width": 100, "height": 90}]
FILE = {"file_id": "F", "file_unique_id": "u", "file_size": 12, "duration": 3}
PLACE = {"latitude": 55.75, "longitude": 37.61}
SHOP = {"id": -100, "type": "channel", "title": "Цветы у дома", "username": "cvety"}
IRA = {"id": 7, "is_bot": False, "first_name": "Ира"}

TELEGRAM: dict[str, tuple[Any, tuple[str, ...]]] = {
    "animation": (FILE, ()),
    "audio": ({**FILE, "title": "Звезда"}, ()),
    "document": ({**FILE, "file_name": "чек.pdf"}, ()),
    "photo": (SIZES, ()),
    "sticker": ({**FILE, "emoji": "😀"}, ()),
    "video": (FILE, ()),
    "video_note": (FILE, ()),
    "voice": (FILE, ()),
    "live_photo": (FILE, ()),
    "location": (PLACE, ()),
    "venue": ({"location": PLACE, "title": "Склад", "address": "ул. Мира, 1"}, ("Склад", "ул. Мира, 1")),
    "contact": ({"phone_number": "+79990000000", "first_name": "Ира"}, ()),
    "dice": ({"emoji": "🎯", "value": 4}, ("Бросок", "🎯 4")),
    "game": ({"title": "Змейка", "description": "ползёт", "photo": SIZES}, ("Игра", "Змейка")),
    "giveaway": (
        {"chats": [SHOP], "winner_count": 1, "prize_description": "букет"},
        ("Розыгрыш", "букет", "https://t.me/cvety"),
    ),
    "giveaway_winners": (
        {"chat": SHOP, "giveaway_message_id": 9, "winner_count": 1, "winners": [IRA]},
        ("Победители розыгрыша", "Ира", "https://t.me/cvety/9"),
    ),
    "invoice": (
        {"title": "Букет", "description": "розы", "currency": "RUB", "total_amount": 150000},
        ("Счёт", "Букет", "1500.00 RUB"),
    ),
    "paid_media": (
        {"star_count": 50, "paid_media": [{"type": "preview"}, {"type": "photo", "photo": SIZES}]},
        ("Платная публикация", "50 ⭐"),
    ),
    "poll": (
        {"question": "Какой цвет?", "options": [{"text": "белый"}, {"text": "алый"}]},
        ("Опрос", "Какой цвет?", "белый", "алый"),
    ),
    "checklist": (
        {
            "title": "К свадьбе",
            "tasks": [{"id": 1, "text": "букет", "completion_date": 1}, {"id": 2, "text": "торт"}],
        },
        ("Список дел", "К свадьбе", "☑ букет", "☐ торт"),
    ),
    "rich_message": (
        {
            "blocks": [
                {"type": "heading", "text": ["Мой ", {"type": "bold", "text": "заказ"}]},
                {
                    "type": "list",
                    "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": "розы"}]}],
                },
                {"type": "table", "cells": [[{"text": "цена"}, {"text": "500"}]]},
                {"type": "photo", "photo": SIZES, "caption": {"text": "вот такие"}},
            ]
        },
        ("Мой заказ", "1. розы", "цена | 500", "вот такие"),
    ),
    "story": ({"chat": SHOP, "id": 12}, ("История", "Цветы у дома", "https://t.me/cvety/s/12")),
}


def _owned(**more: Any) -> dict[str, Any]:
    return {"id": 1, "owner_id": -2, **more}


URL = "https://files.example/x"
VK: dict[str, tuple[Any, tuple[str, ...]]] = {
    "photo": (_owned(sizes=[{"url": URL, "width": 9, "height": 9}]), ()),
    "doc": (_owned(title="чек", ext="pdf", url=URL), ()),
    "audio_message": (_owned(duration=7, link_ogg=URL), ()),
    "graffiti": (_owned(url=URL), ()),
    "video": (_owned(title="Кот", duration=65), ("Видео", "Кот", "1:05", "https://vk.com/video-2_1")),
    "audio": (_owned(artist="Кино", title="Звезда"), ("Аудио", "Кино – Звезда", "https://vk.com/audio-2_1")),
    "sticker": ({"sticker_id": 1, "images": [{"url": URL, "width": 9, "height": 9}]}, ("Стикер", URL)),
    "ugc_sticker": (_owned(images=[{"url": URL, "width": 9, "height": 9}]), ("Стикер", URL)),
    "video_message": (_owned(duration=5), ("Видеосообщение", "0:05", "https://vk.com/video-2_1")),
    "gift": ({"id": 5, "thumb_256": URL}, ("Подарок", URL)),
    "call": ({"initiator_id": 5, "receiver_id": -2, "state": "reached", "duration": 65}, ("Звонок", "1:05")),
    "group_call_in_progress": (
        {"initiator_id": 5, "join_link": "https://vk.com/call/join/x"},
        ("Групповой звонок", "https://vk.com/call/join/x"),
    ),
    "money_transfer": (
        {
            "id": 1,
            "from_id": 5,
            "to_id": 6,
            "amount": {"amount": "50000", "text": "500 ₽"},
            "comment": "за розы",
        },
        ("Денежный перевод", "500 ₽", "за розы"),
    ),
    "money_request": ({"id": 1, "amount": {"text": "500 ₽"}}, ("Запрос денег", "500 ₽")),
    "podcast": (_owned(title="О цветах"), ("Подкаст", "О цветах", "https://vk.com/podcast-2_1")),
    "narrative": (_owned(title="Наши розы"), ("Сюжет", "Наши розы", "https://vk.com/narrative-2_1")),
    "audio_playlist": (
        _owned(title="Утро", access_key="k"),
        ("Плейлист", "Утро", "https://vk.com/music/playlist/-2_1_k"),
    ),
    "video_playlist": (
        _owned(title="Уроки"),
        ("Плейлист видео", "Уроки", "https://vk.com/video/playlist/-2_1"),
    ),
    "market": (
        _owned(title="Букет", price={"amount": "150000", "text": "1 500 ₽"}),
        ("Товар", "Букет", "1 500 ₽", "https://vk.com/market-2?w=product-2_1"),
    ),
    "market_album": (
        _owned(title="Розы"),
        ("Подборка товаров", "Розы", "https://vk.com/market-2?section=album_1"),
    ),
    "wall": (
        {
            "id": 1,
            "to_id": -2,
            "text": "Новинка",
            "attachments": [{"type": "video", "video": _owned(id=8, title="Сад")}],
            "copy_history": [{"id": 3, "owner_id": -4, "text": "Исходная запись"}],
        },
        (
            "Запись",
            "Новинка",
            "https://vk.com/wall-2_1",
            "https://vk.com/video-2_8",
            "Исходная запись",
            "https://vk.com/wall-4_3",
        ),
    ),
    "wall_reply": (
        {"id": 7, "post_id": 3, "owner_id": -2, "text": "Хочу"},
        ("Комментарий", "Хочу", "https://vk.com/wall-2_3?reply=7"),
    ),
    "poll": (
        _owned(question="Цвет?", answers=[{"text": "алый"}]),
        ("Опрос", "Цвет?", "алый", "https://vk.com/poll-2_1"),
    ),
    "story": (_owned(), ("История", "https://vk.com/story-2_1")),
    "article": (
        _owned(title="Уход", view_url="https://vk.com/@shop-uhod"),
        ("Статья", "Уход", "https://vk.com/@shop-uhod"),
    ),
    "album": (_owned(title="Букеты"), ("Альбом", "Букеты", "https://vk.com/album-2_1")),
    "link": (
        {"url": "https://a.example/p", "title": "Наш сайт"},
        ("Ссылка", "Наш сайт", "https://a.example/p"),
    ),
    "event": ({"id": 9, "text": "Ярмарка"}, ("Мероприятие", "Ярмарка", "https://vk.com/event9")),
    "page": (
        {"id": 9, "group_id": 2, "title": "Правила"},
        ("Страница", "Правила", "https://vk.com/page-2_9"),
    ),
    "note": (_owned(title="Памятка"), ("Заметка", "Памятка", "https://vk.com/note-2_1")),
    "mini_app": (
        {"app": {"id": 77}, "title": "Запись"},
        ("Мини-приложение", "Запись", "https://vk.com/app77"),
    ),
    "artist": ({"id": "kino", "name": "Кино"}, ("Исполнитель", "Кино", "https://vk.com/artist/kino")),
    "something_of_2030": ({"id": 1}, ("Вложение",)),
}

_TOKEN = {"token": "t", "url": "https://i.example/1"}
_CARD = "BEGIN:VCARD\r\nFN:Анна Ким\r\nTEL:79991234567\r\nEND:VCARD"

MAX: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "image": ({"payload": {**_TOKEN, "photo_id": 1}}, ("🖼",)),
    "video": ({"payload": _TOKEN, "duration": 63}, ("🎬", "1:03")),
    "audio": ({"payload": _TOKEN}, ("🎤",)),
    "file": ({"payload": _TOKEN, "filename": "чек.pdf", "size": 2_000_000}, ("чек.pdf", "2.0 MB")),
    "sticker": ({"payload": {"url": "https://i.example/s", "code": "c"}}, ()),
    "contact": ({"payload": {"vcf_info": _CARD}}, ("79991234567", "Анна Ким")),
    "location": ({"latitude": 59.9, "longitude": 30.3}, ("59.9", "30.3")),
    "share": (
        {"payload": {"url": "https://a.example/p"}, "title": "Наш сайт"},
        ("Ссылка", "Наш сайт", "https://a.example/p"),
    ),
    "something_of_2030": ({"payload": {}}, ("Вложение",)),
}
