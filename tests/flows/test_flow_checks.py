"""What is wrong with the file of a flow is told with its line and what to do; and the picture of a flow."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from bot.dialogs.flows.flow_diagram import diagram
from bot.dialogs.flows.flow_reader import FlowRules, allowed, read_flows
from bot.dialogs.flows.flow_templates import UnfitValue, filled_url
from bot.errors import ConfigError, Problem
from bot.text.problems import reading

ROOT = Path(__file__).parents[2]
RULES = FlowRules(("shop.example.com",), 20.0, lambda id: id == "delivery", ())
HEAD = "title: Т\nstart: {command: t}\nsteps:\n"
WRONG = [  # the steps, the line of the fault, what must be named
    ("  - {say: a, ask: b}\n", 4, ("say, ask",)),
    ("  - {ask: a, type: choice}\n", 4, ("options",)),
    ("  - {ask: a, go: nowhere}\n", 4, ("nowhere", "person")),
    ("  - {say: a, colour: red}\n", 4, ("colour",)),
    ("  - {id: a, say: a}\n  - {id: a, say: b}\n", 5, ("a",)),
    ("  - {id: a, say: a}\n  - {say: b, go: a}\n", 4, ("a",)),
    ("  - {say: '{{ size }}'}\n", 4, ("size",)),
    ("  - {say: '{{ oops'}\n", 4, ("{{ }}",)),
    ("  - {article: gone}\n", 4, ("gone",)),
    ("  - {http: {url: 'https://evil.example/x'}}\n", 4, ("evil.example", "shop.example.com")),
    ("  - {http: {url: 'https://{{ host }}/x'}}\n", 4, ("https://",)),
    ("  - {http: {url: 'https://shop.example.com/'}, take: {a: 'x['}}\n", 4, ("x[",)),
    ("  - {ask: a, type: number}\n  - {when: [{below: 3, go: end}]}\n", 5, ("answer",)),
    ("  - {code: {minutes: 5}}\n", 4, ("linked",)),
    ("  - {ask: a, id: _codes}\n", 4, ("_codes",)),
]


def problems(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    (tmp_path / "t.yaml").write_text(text, "utf-8")
    try:
        return read_flows(tmp_path, RULES).warnings
    except ConfigError as error:
        return error.problems


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize(("steps", "line", "named"), WRONG)
def test_a_fault_is_told_with_its_line_and_words(
    tmp_path: Path, steps: str, line: int, named: tuple[str, ...], language: str
) -> None:
    with reading(language):
        found = problems(tmp_path, HEAD + steps)

    assert any(
        p.severity == "error" and p.line == line and all(n in f"{p.text} {p.hint}" for n in named)
        for p in found
    ), found


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ("  - {ask: Номер?, typ: order}\n", "typ, шаг 1"),
        ("  - {say: a}\n  - {id: size, ask: Размер?, type: huge}\n", "type, шаг 2 («size»)"),
        ("  - {say: a, ask: b}\n", "шаг 1"),
        ("  - {say: a}\n  - {when: [{answer: a, belw: 3, go: end}]}\n", "belw, шаг 2"),
    ],
)
def test_a_place_is_called_as_people_call_it(tmp_path: Path, steps: str, named: str) -> None:
    """Steps are counted from one, by the names their author gave them."""
    with reading("ru"):
        found = problems(tmp_path, HEAD + steps)
    assert any(named in p.text for p in found), found
    assert not any("steps." in p.text for p in found)


def test_what_nobody_gets_to_is_a_warning(tmp_path: Path) -> None:
    """So are a flow without a beginning, calls that take too long, and a secret that is not set."""
    slow = "{url: 'https://shop.example.com/', timeout: 30, headers: {A: '${SHOP_TOKEN}'}}"
    found = problems(
        tmp_path, f"title: Т\nsteps:\n  - {{http: {slow}, failed: end}}\n  - {{end: a}}\n  - {{say: b}}\n"
    )

    told = {p.line: p.text for p in found if p.severity == "warning"}
    assert len(found) == 4 and "3" in told[5] and "SHOP_TOKEN" in told[3]


def test_addresses_lead_to_listed_hosts_only() -> None:
    hosts = ("shop.example.com", "http://127.0.0.1:8099")
    assert allowed("https://shop.example.com/a", hosts) and allowed("http://127.0.0.1:8099/a", hosts)
    for url in (
        "http://shop.example.com/",
        "https://shop.example.com.evil.example/",
        "https://shop.example.com@evil.example/",
        "https://shop.example.com:8443/",
        "http://127.0.0.1:80/",
    ):
        assert not allowed(url, hosts), url


def test_a_value_is_one_piece_of_an_address() -> None:
    url = "https://shop.example.com/orders/{{ number }}?a={{ number }}"
    assert filled_url(url, {"number": "1/../2?x=&y#z"}).count("/") == 4
    with pytest.raises(UnfitValue):
        filled_url(url, {"number": ".."})


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_diagram_shows_every_step_and_way(tmp_path: Path, language: str) -> None:
    """It is well formed, needs no network, and says the same to who cannot see it."""
    (tmp_path / "order_status.yaml").write_bytes((ROOT / "examples/order_status.yaml").read_bytes())
    flow = read_flows(tmp_path, RULES).flows["order_status"]
    with reading(language):
        drawn = diagram(flow, language)

    root = Xml.fromstring(drawn)
    boxes = [e for e in root.iter() if e.tag.endswith("rect")]
    assert len(boxes) == len(flow.steps) + 1 and "http://" not in drawn.replace(
        "http://www.w3.org/2000/svg", ""
    )
    assert ("человек" if language == "ru" else "person") in drawn and root.get("aria-label")
