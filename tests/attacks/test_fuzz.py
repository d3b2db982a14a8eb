"""The parsers of strangers' bytes hold, whatever the bytes: good examples damaged at random (fuzzing.py goes
on for longer).
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.fuzzing import SEEDS, TARGETS

PIECES = (
    b"{{",
    b"}}",
    b"{%",
    b"%}",
    b"---\n",
    b": ",
    b"[",
    b"]",
    b'"',
    b"null",
    b"-1",
    b"1e999",
    b"\\ud800",
    b"\x00",
    b"&a ",
    b"*a",
    b"  ",
    b"\n",
    b"|",
    b"`",
    b"<",
    b"\xff",
    "👍".encode(),
    b"[[",
    b"![[",
)


def damaged(name: str) -> st.SearchStrategy[bytes]:
    """A good example with some stretches cut out, doubled or replaced, or anything at all."""

    def damage(seed: bytes, wounds: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, piece in wounds:
            place = at % (len(seed) + 1)
            seed = seed[:place] + piece + seed[place + length :]
        return seed

    wound = st.tuples(
        st.integers(0, 1000), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=4)
    )
    return st.builds(damage, st.sampled_from(SEEDS[name]), st.lists(wound, max_size=5)) | st.binary(
        max_size=60
    )


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_survives(name: str) -> None:
    """Anything that is no clear error of ours is a defect."""

    @settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(damaged(name))
    def survives(data: bytes) -> None:
        TARGETS[name](data)

    for seed in SEEDS[name]:
        TARGETS[name](seed)
    survives()
