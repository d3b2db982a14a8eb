"""What is off costs nothing: with Telegram and VK alone no part behind another setting is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

START = """
import asyncio, sys
from bot.app import Overrides, build_service
from bot.config.loader import Config

far = "http://127.0.0.1:9"
config = Config.model_validate({
    "knowledge": {"folder": sys.argv[1], "embeddings": {"model": "off"}, "cache": sys.argv[1]},
    "channels": {
        "telegram": {"type": "telegram", "token": f"123456789:{'A' * 35}", "api_base": far},
        "vk": {"type": "vk", "token": "vk1.a.0", "group_id": 1, "api_base": far},
    },
})

async def main():
    service = await build_service(config, Overrides(storage=":memory:", log_events=False))
    await service.close()
    print(*sorted(sys.modules), sep="\\n")

asyncio.run(main())
"""
LIBRARIES = {
    "openai",
    "maxapi",
    "aiosmtplib",
    "imapclient",
    "mailparser_reply",
    "jwt",
    "faster_whisper",
    "torch",
}
PARTS = (
    "bot.adapters.email",
    "bot.adapters.max",
    "bot.adapters.website",
    "bot.adapters.telegram.rich_tables",
    "bot.adapters.vk.comment",
    "bot.assistant",
    "bot.dialogs.comments",
    "bot.dialogs.composed",
    "bot.transcription",
)


def test_what_is_not_configured_is_not_loaded(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, check=True
    )
    loaded = run.stdout.split()

    assert "bot.adapters.vk.adapter" in loaded
    assert LIBRARIES & {name.partition(".")[0] for name in loaded} == set()
    assert [name for name in loaded if name.startswith(PARTS)] == []
