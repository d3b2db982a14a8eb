"""Two replicas as real processes on one PostgreSQL: one is killed, the server restarted, connections cut."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.cluster.run import SHORT, Storm
from tests.postgres import running


async def test_two_replicas_lose_and_double_nothing(tmp_path: Path) -> None:
    """Every message has one result, in order, within the limits (`make chaos-cluster` is the long one)."""
    with running() as cluster:  # its own: the one of the other tests must not be restarted under them
        run = await Storm(SHORT, 1, tmp_path, cluster, cluster.database()).run()

    assert run.broken == [], "\n".join([*run.broken, run.logs])
    assert run.figures["messages"] > 5 and run.figures["arrivals"] > 5
