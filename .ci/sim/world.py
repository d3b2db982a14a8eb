"""The world around the bot for the checks of the desk: both simulators, a config, and `bot run` as a process
that can be killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

PATIENCE = float(os.environ.get("SIM_PATIENCE", "1"))  # a slow machine waits longer for everything
WINDOW, BUDGET = 60.0, 20  # what Telegram gives one group: messages a minute

ARTICLES = {
    "delivery-time": (
        "Сроки доставки",
        ["сколько идёт доставка", "когда привезут заказ"],
        "Доставка занимает 3–5 дней. Кодовое слово: аметист.",
    ),
    "return": (
        "Возврат товара",
        ["как вернуть товар", "оформить возврат"],
        "Вернуть товар можно за 14 дней. Кодовое слово: гранат.",
    ),
    "warranty": (
        "Гарантия",
        ["какая гарантия", "гарантийный ремонт"],
        "Гарантия 12 месяцев. Кодовое слово: малахит.",
    ),
    "promo": (
        "Промокод не работает",
        ["не применяется промокод", "ошибка промокода"],
        "Проверьте срок действия. Кодовое слово: коралл.",
    ),
}
READY = {
    "привет": {
        "title": "Приветствие",
        "words": ["здравствуйте"],
        "text": "{{ customer|name }}, здравствуйте! Меня зовут {{ operator }}.",
    },
    "возврат": "Оформим возврат за 3 дня.",
    "курьер": "Курьер позвонит за час до приезда.",
}


class Sim:
    """The control API of a simulator: `sim.send(user_id=1001, text="hi")`."""

    def __init__(self, base: str) -> None:
        self.base = base

    def __getattr__(self, what: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            asked = urllib.request.Request(
                f"{self.base}/sim/{what}", json.dumps(params).encode(), {"Content-Type": "application/json"}
            )
            try:
                with urllib.request.urlopen(asked, timeout=90) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                raise AssertionError(f"/sim/{what}: {error.read().decode()}") from None

        return call


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], Any], what: str | Callable[[], str], timeout: float = 15.0) -> Any:
    """What *ready* gives once it gives something; AssertionError with *what* was awaited."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        if found := ready():
            return found
        if time.monotonic() > end:
            raise AssertionError(
                f"waited {timeout * PATIENCE:.0f} s in vain: {what() if callable(what) else what}"
            )
        time.sleep(0.2)


class World:
    """Simulators and one bot.

    *settings* are merged over the config below; channels, desk and teams come from the stations
    (stations.py).
    """

    def __init__(self, sims: Path, settings: Mapping[str, Any] | None = None) -> None:
        self._sims, self.settings = sims, dict(settings or {})
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.channels: dict[str, Any] = {}
        self.teams: list[dict[str, Any]] = []
        self.desk: dict[str, Any] | None = None  # of all; the teams are the stations
        self.environment: dict[str, str] = {}
        self._people = 10_000
        self.general: Any = None  # the chat of the desk of all
        self.second: Any = None  # the chat of the second line's team
        self.bot: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> World:
        ports = free_port(), free_port()
        python = os.environ.get("SIM_PYTHON", sys.executable)
        self._peers = [
            subprocess.Popen(
                [python, str(self._sims / name), "--port", str(port)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name, port in zip(("tg_sim.py", "vk_sim.py"), ports, strict=True)
        ]
        self.tg, self.vk = (Sim(f"http://127.0.0.1:{port}") for port in ports)
        for sim in (self.tg, self.vk):
            until(lambda sim=sim: _answers(sim), "the simulator starts", 30)
        for folder in ("kb", "ready"):
            (self.folder / folder).mkdir()
        for slug, (title, aliases, body) in ARTICLES.items():
            front = yaml.safe_dump({"title": title, "aliases": aliases}, allow_unicode=True)
            (self.folder / "kb" / f"{slug}.md").write_text(f"---\n{front}---\n\n{body}\n", encoding="utf-8")
        (self.folder / "ready" / "all.yaml").write_text(
            yaml.safe_dump(READY, allow_unicode=True), encoding="utf-8"
        )
        return self

    def __exit__(self, *failure: object) -> None:
        if self.bot and self.bot.poll() is None:
            self.kill()
        for peer in self._peers:
            peer.terminate()
            peer.wait()
        if kept := os.environ.get("SIM_KEEP"):
            (Path(kept) / f"bot-{os.getpid()}.log").write_bytes((self.folder / "bot.log").read_bytes())
        self._folder.cleanup()

    # --- accounts

    def telegram(self, name: str, token: str) -> None:
        """A bot account in the simulator and in the config."""
        with contextlib.suppress(AssertionError):  # the simulator brings the first one itself
            self.tg.bots(token=token)
        self.environment[f"TOKEN_{name.upper()}"] = token
        self.channels[name] = {
            "type": "telegram",
            "token": f"${{TOKEN_{name.upper()}}}",
            "api_base": self.tg.base,
        }

    def community(self, name: str, number: int, token: str) -> None:
        self.vk.groups(id=number, token=token)
        self.environment[f"TOKEN_{name.upper()}"] = token
        self.channels[name] = {
            "type": "vk",
            "token": f"${{TOKEN_{name.upper()}}}",
            "group_id": number,
            "api_base": self.vk.base,
        }

    def new_person(self) -> int:
        """An id that nobody has yet."""
        self._people += 1
        return self._people

    # --- the bot

    def config(self) -> dict[str, Any]:
        week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
        made: dict[str, Any] = {
            "storage": {"url": "sqlite:///bot.db"},
            "knowledge": {"folder": "kb", "embeddings": {"model": "off"}, "watch": False},
            "channels": self.channels,
            "teams": self.teams,
            "hours": {"timezone": "UTC", "week": week, "country": None},
            "canned": {"folder": "ready"},
            "dialogs": {"settle": 0.3, "settle_limit": 1, "typing": False},
            "rating": {"ask": False},
        }
        if self.desk:
            made["desk"] = self.desk
        for key, value in self.settings.items():
            made[key] = (
                {**made[key], **value}
                if isinstance(made.get(key), dict) and isinstance(value, Mapping)
                else value
            )
        return made

    def start(self) -> None:
        """Start the bot and wait until every channel listens."""
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(self.config(), allow_unicode=True), encoding="utf-8")
        command = shlex.split(os.environ.get("BOT", f"{sys.executable} -m bot"))
        marks = {"tg": _last(self.tg), "vk": _last(self.vk)}
        with (self.folder / "bot.log").open("ab") as log:
            self.bot = subprocess.Popen(
                [*command, "run", "--config", str(path), "--no-web"],
                env={**os.environ, **self.environment},
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self._listens(marks), lambda: f"the bot starts\n{self.tail()}", 90)

    def _listens(self, marks: Mapping[str, int]) -> bool:
        assert self.bot
        if self.bot.poll() is not None:
            raise AssertionError(f"bot run ended with {self.bot.returncode}:\n{self.tail()}")
        here = {call["bot"] for call in self.tg.calls(method="getMe", after_seq=marks["tg"])["calls"]}
        asked = {
            call["bot"]
            for call in self.vk.calls(method="groups.getLongPollServer", after_seq=marks["vk"])["calls"]
        }
        kinds = [channel["type"] for channel in self.channels.values()]
        return len(here) >= kinds.count("telegram") and len(asked) >= kinds.count("vk")

    def kill(self) -> None:
        """kill -9."""
        assert self.bot
        os.killpg(self.bot.pid, signal.SIGKILL)
        self.bot.wait()

    def stop(self) -> float:
        """SIGTERM; seconds it took."""
        assert self.bot
        began = time.monotonic()
        self.bot.terminate()
        self.bot.wait(20)
        return time.monotonic() - began

    def tail(self, size: int = 2500) -> str:
        path = self.folder / "bot.log"
        return path.read_bytes()[-size:].decode("utf-8", "replace") if path.exists() else ""

    # --- what the judges say

    def violations(self) -> list[str]:
        """What the platforms would have refused, and groups whose budget was passed."""
        told = [str(v) for sim in (self.tg, self.vk) for v in sim.violations()["violations"]]
        return told + [
            f"group {chat}: {most} messages in a minute"
            for chat, most in self.busiest().items()
            if most > BUDGET
        ]

    def busiest(self) -> dict[str, int]:
        """The most messages that each Telegram group got within a minute, counted from the calls that the
        simulator carried out.
        """
        calls = self.tg.calls(
            method="/^(send(?!ChatAction)|copy|forward|editMessage|createForumTopic|editForumTopic|closeForumTopic|reopenForumTopic)/"
        )["calls"]
        times: dict[str, list[float]] = {}
        for call in calls:
            chat = str(call["params"].get("chat_id", ""))
            if chat.startswith("-") and call["result"]:
                times.setdefault(f"{call['bot']}{chat}", []).append(call["t_done"])
        return {
            chat: max(sum(1 for t in ts[i:] if t - start < WINDOW) for i, start in enumerate(ts))
            for chat, ts in times.items()
        }


def _answers(sim: Sim) -> bool:
    try:
        sim.state()
    except OSError:
        return False
    return True


def _last(sim: Sim) -> int:
    return int(sim.calls(method="none")["last_seq"])
