"""The bots that are compared: python -m benchmarks.bots NAME PORT PLACE. Each polls the server on PORT until
it is terminated.

aiogram and ptb (python-telegram-bot) are their own manuals' echo bots; `usual` is aiogram with rapidfuzz over
the questions of PLACE's articles, which keeps nothing. otklik is ours with the articles of PLACE and words
alone, `light` the same with our own encoder, `meaning` with the default one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

SURE = 80  # of rapidfuzz's score, from which the usual bot answers
MODELS = {"meaning": "auto", "light": "light"}
TOKEN = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr"


async def aiogram(base: str) -> None:
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import Message

    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(message.text or "")

    await dispatcher.start_polling(
        Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(base))), handle_signals=False
    )


async def usual(base: str, place: Path) -> None:
    """What is usually written: the nearest example question by rapidfuzz's default scorer, its article."""
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import Message
    from rapidfuzz import process

    from bot.knowledge.articles.schema import read_articles

    bodies = {q.lower(): a.body for a in read_articles(place / "kb")[0] for q in a.questions}
    questions, dispatcher = list(bodies), Dispatcher()

    @dispatcher.message()
    async def answer(message: Message) -> None:
        found = process.extractOne((message.text or "").lower(), questions)
        await message.answer(bodies[found[0]] if found and found[1] >= SURE else "Не знаю, спросите иначе.")

    await dispatcher.start_polling(
        Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(base))), handle_signals=False
    )


def ptb(base: str) -> None:
    from telegram import Update  # type: ignore[import-not-found]
    from telegram.ext import Application, ContextTypes, MessageHandler, filters  # type: ignore[import-not-found]

    async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        await update.message.reply_text(update.message.text)

    application = Application.builder().token(TOKEN).base_url(f"{base}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    application.run_polling(stop_signals=None)


async def otklik(base: str, place: Path, model: str) -> None:
    from benchmarks.run import config_of
    from bot.adapters.telegram.adapter import TelegramAdapter
    from bot.adapters.telegram.settings import TelegramSettings
    from bot.app import Overrides, build_service
    from bot.observability import set_up_logging
    from bot.service import run

    set_up_logging(level="critical")
    adapter = TelegramAdapter("telegram", TelegramSettings(token=TOKEN, api_base=base))
    adapter.limits = replace(adapter.limits, per_second=0, peer_per_second=0, group_per_minute=0)
    service = await build_service(
        config_of(place, model),
        Overrides(
            adapters={"telegram": adapter}, storage=str(place / f"e2e-{os.getpid()}.db"), log_events=False
        ),
    )
    if model != "off":
        service.knowledge.load_embeddings()  # otherwise the first answers would be by words alone
        service.knowledge.settings = replace(service.knowledge.settings, model="off")  # not a second time
    await run(service, asyncio.Event())


if __name__ == "__main__":
    name, server, folder = sys.argv[1], f"http://127.0.0.1:{sys.argv[2]}", Path(sys.argv[3])
    if name == "ptb":
        ptb(server)
    elif name == "aiogram":
        asyncio.run(aiogram(server))
    elif name == "usual":
        asyncio.run(usual(server, folder))
    else:
        asyncio.run(otklik(server, folder, MODELS.get(name, "off")))
