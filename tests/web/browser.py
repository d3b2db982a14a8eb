"""Chromium in front of the real `bot play`: what every test of a page in a browser needs.

The browser is opened once a module: while it is open its loop runs, and other modules start loops of
their own.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CONFIG = """storage: {{url: "sqlite:///data/bot.db"}}
knowledge: {{folder: "{articles}", cache: cache, embeddings: {{model: "off"}}, watch: true}}
dialogs: {{settle: 0.3, settle_limit: 1}}
flows: {{hosts: [shop.example.com]}}
canned: {{folder: builtin}}
"""

FLOW = """
title: Запись на примерку
start: {words: [записаться на примерку], command: fitting}
steps:
  - {id: phone, ask: Ваш телефон?, type: phone}
  - {id: size, ask: Размер?, type: choice, options: [S, {text: XL, go: big}, {text: Другой, go: person}]}
  - {http: {url: "https://shop.example.com/fittings/{{ size }}", method: PUT}, failed: phone}
  - {end: Записал.}
  - {id: big, end: "Записал, большой размер."}
  - {say: Сюда никто не дойдёт.}
"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """`bot play` as a person starts it in *folder*, on a free port; it must also end in time."""
    command = [
        sys.executable,
        "-c",
        "from bot.cli import main; main()",
        "play",
        "--config",
        str(folder / "config.yaml"),
        "--port",
        "0",
        "--no-open",
    ]
    env = {k: v for k, v in os.environ.items() if "TOKEN" not in k} | {
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    log_file = (folder / "log.txt").open("wb")
    with (
        log_file as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=env, cwd=ROOT) as process,
    ):
        try:
            yield printed_url(process, folder / "log.txt")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
    assert "Traceback" not in (folder / "log.txt").read_text("utf-8")


def printed_url(
    process: subprocess.Popen[bytes],
    log: Path,
    pattern: str = r"http://127\.0\.0\.1:\d+/",
    seconds: float = 90,
) -> str:
    """The address that a process prints when its pages are open."""
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    end, text = time.monotonic() + seconds, ""
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < end and process.poll() is None:
            if waiting.select(1):
                text += (process.stdout.read() or b"").decode()
            if found := re.search(pattern, text):
                return found[0]
    raise AssertionError(f"no address was printed: {text!r} {log.read_text('utf-8')[-2000:]}")


class Watched:
    """A browser page that notes what it must not do."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.on(
            "console",
            lambda m: (
                self.complaints.append(f"console {m.type}: {m.text}")
                if m.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.complaints.append(f"request to {request.url}")

    def open(self, path: str = "?speed=6") -> None:
        self.page.goto(self.url + path)
        if path.startswith("?"):
            self.page.wait_for_selector("#clock:not([hidden])")

    def play(self, scene: str) -> str:
        """Start a scene by its button and wait for its end: done, failed or stopped."""
        self.page.click(f'[data-scene="{scene}"]')
        self.page.wait_for_selector(f"body[data-played^='{scene}:']", timeout=90_000)
        return str(self.page.evaluate("document.body.dataset.played")).partition(":")[2]

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))

    def say(self, text: str, pane: str = "play-telegram") -> None:
        self.page.fill(f'[data-channel="{pane}"] textarea', text)
        self.page.press(f'[data-channel="{pane}"] textarea', "Enter")


# Words whose colour stands out too little from what is behind them (WCAG AA: 4.5, large ones 3), as "text
# ratio".
FAINT = """() => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const linear = (v) => (v <= 10.01 ? v / 3294.6 : ((v / 255 + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e), image = style.backgroundImage.match(/rgba?\\([^)]*\\)/);
      if (image) { layers.push(parse(image[0])); break; }
      const colour = parse(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reduceRight((under, top) => over(top, under), dark ? [18, 18, 18] : [255, 255, 255]);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) =>
    n.textContent.trim()).join("");
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    if (!words || element.closest("svg, option, .unseen, .skip, :disabled, .avatar") || box.width < 2 ||
    style.visibility !== "visible") continue;
    const under = behind(element), ink = parse(style.color);
    const [a, b] = [light(over(ink, under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 &&
    Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${words.slice(0, 30)} ${ratio.toFixed(2)}
    ${element.className}`);
  }
  return found;
}"""


DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def faults(page: Any) -> list[str]:
    """What keeps people from reading the page or working with it: serious findings of axe, and words that
    stand out too little from a background that axe cannot judge.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(DRAWN)  # colours that were changed a moment ago are those that are seen
    found = Axe().run(page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    told = [f"{v['id']}: {n['target']} {n['failureSummary']}" for v in serious for n in v["nodes"]]
    return told + list(page.evaluate(FAINT))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of its own: the demo articles, a config, no tokens."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copytree(ROOT / "kb_articles", folder / "kb_articles")
    (folder / "config.yaml").write_text(CONFIG.format(articles="kb_articles"), "utf-8")
    (folder / "flows").mkdir()
    (folder / "flows/fitting.yaml").write_text(FLOW, "utf-8")
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Where the pages of `bot play` are."""
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (apt install chromium)")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture
def watched(browser: Any, url: str) -> Iterator[Watched]:
    """A page of its own for a test; at its end there must have been no complaint."""
    context = browser.new_context(viewport={"width": 1680, "height": 950}, accept_downloads=True)
    context.set_default_timeout(20_000)
    page = Watched(context.new_page(), url)
    yield page
    context.close()
    assert page.complaints == []
