"""Contract modules are shipped with the package: pytest is told to explain their asserts too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(
        f"bot.testing.store_{part}"
        for part in ("scene", "turns", "finishing", "deliveries", "people", "contract")
    )
)
