"""The file that shops' pages load: small, whole, in both languages."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.adapters.website.widget.script import widget_script
from tests.adapters.website.shop_site import Site

KILOBYTES = 30
FROM_FILES = ("open", "close", "send", "attach")  # said through variables: buttons of an icon


def setup_in(code: str) -> Any:
    """What the server has put in."""
    return json.JSONDecoder().raw_decode(code.partition("const SETUP = ")[2])[0]


async def test_the_script_travels_in_less_than_thirty_kilobytes(site: Site) -> None:
    """As the page server sends it, style and words included; the same file is not sent twice."""
    headers = {"Accept-Encoding": "gzip"}
    answer = await site.client.get("/chat/site/widget.js", headers=headers, auto_decompress=False)
    packed = await answer.read()
    print(f"widget.js: {len(packed)} bytes as it travels")

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(packed) < KILOBYTES * 1000
    again = await site.client.get(
        "/chat/site/widget.js", headers={**headers, "If-None-Match": answer.headers["ETag"]}
    )
    assert again.status == 304


def test_each_word_the_script_says_is_there_in_both_languages() -> None:
    code = widget_script({}).decode()
    setup = setup_in(code)
    said = {*re.findall(r'\b(?:say|link|hider)\("(\w+)"', code), *FROM_FILES}

    assert list(setup["words"]) == ["ru", "en"]
    assert set(setup["words"]["ru"]) == set(setup["words"]["en"])
    assert said <= set(setup["words"]["ru"])
    for key, text in setup["words"]["ru"].items():
        places = re.findall(r"\{\w+\}", text)
        assert sorted(places) == sorted(re.findall(r"\{\w+\}", setup["words"]["en"][key])), key


def test_settings_cannot_break_out_of_the_script() -> None:
    """A title is a title, whatever is written in it."""
    title = '"};alert(1);//</script>\u2028\\'
    code = widget_script({"title": title}).decode()
    setup = setup_in(code)

    assert setup["settings"]["title"] == title
    assert "`/*style*/`" not in code and "const SETUP = {};" not in code
