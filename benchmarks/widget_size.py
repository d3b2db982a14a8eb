"""How large the chat's script for shops' pages is, unpacked and as it travels: `make widget-size`."""

from __future__ import annotations

import gzip

from bot.adapters.website.widget.script import widget_script


def sizes() -> tuple[int, int]:
    """Bytes unpacked, and packed as the page server sends them."""
    body = widget_script({"title": "Лютик", "colour": "#6b3fa0"})
    return len(body), len(gzip.compress(body, 6))


if __name__ == "__main__":
    raw, packed = sizes()
    print(f"widget.js: {raw / 1000:.1f} kB, {packed / 1000:.1f} kB as it travels (gzip)")
