"""What is broken now, and low ratings that wait, stand on the supervisor's pages."""

from __future__ import annotations

from bot.handoff.outreach.incidents import Incidents
from bot.model import Incident
from tests.web.conftest import Opened


async def test_the_incident_stands_on_the_page_as_text(serve: Opened) -> None:
    """Its words, whoever wrote them, never as HTML; nothing where there is none."""
    incidents = Incidents((Incident(1, "Сбой <b>доставки</b> в Казани"),))
    page = await serve(incidents=incidents)
    with_one = await (await page.client.get("/queue", headers={"Accept": "text/html"})).text()
    quiet = await serve()
    without = await (await quiet.client.get("/queue", headers={"Accept": "text/html"})).text()

    assert "Сбой №1" in with_one and "&lt;b&gt;доставки&lt;/b&gt;" in with_one and "🚧" not in without
