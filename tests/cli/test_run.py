"""`bot run` as a process: a changed config is taken over without losing anything, a wrong one changes
nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.telegram_server import TOKEN, FakeTelegram
from tests.knowledge.shop import write_shop

CONFIG = """
business: {{name: {name}}}
storage: {{url: "sqlite:///bot.db"}}
knowledge: {{folder: kb, embeddings: {{model: "off"}}, watch: false}}
channels: {{telegram: {{type: telegram, token: "${{TELEGRAM_BOT_TOKEN}}", api_base: "{base}"}}}}
dialogs: {{settle: 0, typing: false}}
"""
ANNA = {"id": 5, "is_bot": False, "first_name": "Анна"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")
async def test_a_changed_config_is_taken_over_while_running(tmp_path: Path) -> None:
    """SIGHUP: the next words of the bot are the new ones; a fault, of the config or of a flow, is told and
    the old one stays; SIGTERM ends.
    """
    write_shop(tmp_path / "kb")
    config = tmp_path / "config.yaml"
    async with FakeTelegram() as telegram:

        def write(name: str) -> None:
            config.write_text(CONFIG.format(name=name, base=telegram.base), encoding="utf-8")

        async def greeted(number: int, name: str) -> None:
            chat = {"id": 5, "type": "private", "first_name": "Анна"}
            telegram.push(
                "message",
                {"message_id": number, "date": 1_700_000_000, "chat": chat, "from": ANNA, "text": "/start"},
            )
            await telegram.wait_for(
                lambda: any(name in str(c.params.get("text")) for c in telegram.of("sendMessage")), 30
            )

        write("Ромашка")
        environment = {
            **os.environ,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        with (tmp_path / "log").open("wb") as log:
            bot = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "run",
                "--config",
                str(config),
                "--no-web",
                cwd=tmp_path,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            await greeted(1, "Ромашка")
            write("Лютик")
            bot.send_signal(signal.SIGHUP)  # who writes before it is read is greeted as before
            await telegram.wait_for(
                lambda: (tmp_path / "log").read_text("utf-8").count("channel_starting") == 2, 30
            )
            await greeted(2, "Лютик")
            write("Сирень}}\nхвост")
            bot.send_signal(signal.SIGHUP)
            await telegram.wait_for(lambda: "config_refused" in (tmp_path / "log").read_text("utf-8"), 10)
            before = len(telegram.of("sendMessage"))
            await greeted(3, "Лютик")
            write("Пион")
            (tmp_path / "flows").mkdir()
            (tmp_path / "flows" / "sizes.yaml").write_text(
                "title: Размеры\nsteps:\n  - {typ: phone}\n", "utf-8"
            )
            bot.send_signal(signal.SIGHUP)
            await telegram.wait_for(lambda: "sizes.yaml:3" in (tmp_path / "log").read_text("utf-8"), 10)
            await telegram.wait_for(lambda: len(telegram.of("sendMessage")) > before, 30)
            bot.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(bot.wait(), 20) == 0
        finally:
            if bot.returncode is None:
                bot.kill()
            print((tmp_path / "log").read_text("utf-8"))
    assert len(telegram.of("sendMessage")) == 3


VECTORS_UNDER_WAY = """
import sys, threading
from pathlib import Path
from typer.testing import CliRunner
from bot.cli.root import app, main
from bot.process_end import EMBEDDING_THREAD

threading.Thread(target=threading.Event().wait, name=EMBEDDING_THREAD, daemon=True).start()
told = CliRunner().invoke(app, ["chat", "--config", sys.argv[1]], input="/quit\\n")
print("the program goes on", told.exit_code)
sys.argv = ["bot", "nothing-like-it"]
main()
"""


def test_a_command_never_ends_the_program_that_runs_it(tmp_path: Path) -> None:
    """Even where vectors are still being computed; only the entry point ends the process, with its code."""
    (tmp_path / "kb_articles").mkdir()
    config = tmp_path / "config.yaml"
    config.write_text("knowledge: {folder: kb_articles, embeddings: {model: 'off'}}\n", "utf-8")
    program = [sys.executable, "-c", VECTORS_UNDER_WAY, str(config)]
    run = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "the program goes on 0" in run.stdout, run.stderr
    assert run.returncode == 2
