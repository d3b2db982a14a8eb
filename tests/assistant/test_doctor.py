"""What `bot doctor` tells of the assistant; nothing where nobody may use it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.root import app
from tests.fakes.assistant_server import KEY

ARTICLE = "---\ntitle: Доставка\naliases: [сколько идёт доставка]\nlang: ru\n---\nДва дня.\n"


@pytest.fixture(scope="module")
def models() -> Iterator[str]:
    """The address of a server that tells its models to whoever has the key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == f"Bearer {KEY}"
            body = b'{"object": "list", "data": [{"id": "qwen", "object": "model"}]}'
            self._answers(200 if known and self.path == "/v1/models" else 404 if known else 401, body)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert asked["messages"] == []  # nothing is spent
            there = self.path == "/v1/chat/completions" and asked["model"] in ("qwen", "unlisted")
            self._answers(400 if there else 404, b'{"error": {"message": "no"}}')

        def _answers(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[tuple[str, str]]]:
    """What the doctor says of the assistant with these settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb_articles").mkdir()
    (tmp_path / "kb_articles" / "a.md").write_text(ARTICLE, encoding="utf-8")

    def run(settings: str) -> list[tuple[str, str]]:
        config = f"knowledge: {{embeddings: {{model: 'off'}}}}\n{settings}\n"
        (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
        said = CliRunner().invoke(app, ["doctor", "--json"]).stdout.splitlines()
        rows = [json.loads(line) for line in said]
        return [(r["state"], r["text"]) for r in rows if r["what"] == "помощник"]

    return run


def test_off_it_is_not_named(told: Callable[[str], list[tuple[str, str]]]) -> None:
    assert told("") == []


def test_whom_it_works_for_and_what_is_spent(
    told: Callable[[str], list[tuple[str, str]]], models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_KEY", KEY)
    settings = (
        f'assistant: {{base_url: "{models}", model: qwen, api_key: "${{ASSISTANT_KEY}}", customers: true}}'
    )

    assert told(settings) == [
        ("ok", "qwen отвечает; разрешён: клиентам"),
        ("ok", "сегодня потрачено: обращений 0 из 300, токенов 0 из 300000"),
    ]
    monkeypatch.setenv("ASSISTANT_KEY", "sk-other-1234567890")
    [(state, text), _] = told(settings)
    assert state == "warning" and "ключ не подошёл" in text and "sk-other" not in text


@pytest.mark.parametrize(
    ("path", "model", "state"),
    [
        ("/v1", "unlisted", "ok"),
        ("/v1", "qven", "warning"),
        ("", "qwen", "warning"),
        ("/v1/chat/completions", "qwen", "warning"),
    ],
)
def test_a_wrong_address_or_model_is_no_assistant_that_answers(
    told: Callable[[str], list[tuple[str, str]]],
    models: str,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    model: str,
    state: str,
) -> None:
    """Every server answers something at every address, and not each tells all of its models."""
    monkeypatch.setenv("ASSISTANT_KEY", KEY)
    url = models.removesuffix("/v1") + path
    found = told(
        f'assistant: {{base_url: "{url}", model: {model}, api_key: "${{ASSISTANT_KEY}}", operators: true}}'
    )
    assert found[0][0] == state
    assert state == "ok" or "имя модели и адрес" in found[0][1]


def test_words_are_not_sent_openly_through_the_net(told: Callable[[str], list[tuple[str, str]]]) -> None:
    """An http address of somebody else's is warned of; nobody is there, and that is a warning, too."""
    found = told('assistant: {base_url: "http://assistant.invalid/v1", model: m, operators: true}')

    assert [state for state, _ in found] == ["warning", "warning", "ok"] and "без шифрования" in found[0][1]
