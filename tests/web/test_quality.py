"""The page of quality: the sample, the scorecard with its reasons, a supervisor's score, what waits for a
yes; for supervisors alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.config.loader import Config
from bot.model import PLAYED, DialogScore, Ticket
from bot.quality import figures
from bot.testing import open_test_bot
from bot.web.users import PageRole, may
from tests.web.browser import ARGS, CHROMIUM, FAINT
from tests.web.test_conversations import Office, office, pages_of

__all__ = ["office"]


async def _ticket(office: Office, number: int = 1) -> Ticket:
    found = await office.testbot.store.ticket(number)
    assert found is not None
    return found


async def _scored(office: Office, *words: str) -> None:
    """Olga answers the customer of ticket 1 and closes it; the card is filled in."""
    olga = office.testbot.operator()
    for text in words or ("Добрый день! Какая щётка нужна? Напишу завтра.",):
        await olga.says(text, ticket=1)
    await olga.says("/close", ticket=1)
    await office.testbot.later(minutes=11)


async def _reviewed(office: Office, **fields: str) -> DialogScore:
    answer = await office.send("/quality/1?why=sample", "/quality/1", **{"key": "r1", **fields})
    assert answer.status == 303 and "done=reviewed" in str(answer.headers["Location"])
    found = (await _ticket(office)).state.reviewed
    assert found is not None
    return found


async def test_the_card_shows_why_and_a_supervisor_has_the_last_word(office: Office) -> None:
    await _scored(office)
    page = await office.text("/quality")
    assert 'href="/quality/1?why=sample"' in page and "выборка" in page
    dialog = await office.text("/quality/1")
    assert "«Добрый день»" in dialog and "Какая щётка нужна?" in dialog
    assert 'name="mark.complete" value="yes"' in dialog
    kept = await _reviewed(
        office,
        **{
            "mark.greeting": "yes",
            "mark.complete": "partly",
            "mark.next_step": "no",
            "remark": "Назови срок",
        },
    )
    values = {m.criterion: m.value for m in kept.marks}
    assert (values["complete"], values["next_step"], kept.reason) == ("partly", "no", figures.SAMPLE)
    assert kept.remark == "Назови срок" and kept.name
    (event,) = await office.testbot.store.events(kinds=[figures.REVIEWED])
    assert "remark" not in event.data and event.data["of"] == "telegram:9001"
    after = await office.text("/quality?done=reviewed")
    assert 'href="/quality/1?why=sample"' not in after and "Оценка сохранена" in after
    assert "Насколько карта согласна" in after
    assert "Назови срок" in await office.text("/quality/1")

    olga = office.testbot.operator()
    await olga.says("/quality")
    private = office.testbot.channels["telegram"].in_chat("9001")[-1].outbound.text.text
    assert "💬 №1: Назови срок" in private


async def test_the_same_form_twice_is_one_score(office: Office) -> None:
    await _scored(office)
    for _ in range(2):
        await _reviewed(office, **{"mark.tone": "yes"})
    assert len(await office.testbot.store.events(kinds=[figures.REVIEWED])) == 1


async def test_few_dialogs_make_no_figure(office: Office) -> None:
    """A dash and the count, and nobody is put below anybody."""
    await _scored(office)
    page = await office.text("/quality")
    row = page.partition('<th scope="row">Ольга</th>')[2].partition("</tr>")[0]
    assert '<td class="num">1</td>' in row and "%" not in row.replace(" %,", "") and "—" in row
    assert "n=1" in row


async def test_a_request_is_decided_on_the_page(office: Office) -> None:
    olga = office.testbot.operator()
    await olga.says("/compensate 700 разбили", ticket=1)
    page = await office.text("/quality")
    assert "<h2>Ждут вашего решения</h2>" in page and "разбили" in page
    form = {"ticket": "1", "number": "1", "word": "yes", "key": "d1"}
    answer = await office.send("/quality", "/quality/decide", **form)
    assert "done=compensation_decided" in str(answer.headers["Location"])
    (made,) = (await _ticket(office)).state.compensations
    assert made.decision == "yes"
    assert any("можно: разбили" in o.text.text for o in await olga.sees(1))
    assert "<h2>Ждут вашего решения</h2>" not in await office.text("/quality")


async def test_a_forgotten_customer_leaves_no_words(office: Office) -> None:
    """The score of the event stays a number; words, marks and remarks go with the ticket."""
    await _scored(office)
    await _reviewed(office, **{"mark.tone": "no", "remark": "Вере нагрубили"})
    customer = await office.number("Вера")
    exported = str(await office.testbot.store.export_customer(customer))
    assert "нагрубили" in exported and "dialog_scored" in exported
    assert await office.testbot.store.forget_customer(customer, office.testbot.clock())
    ticket = await _ticket(office)
    assert ticket.state.scored is None and ticket.state.reviewed is None
    kept = await office.testbot.store.events(kinds=figures.KINDS)
    assert kept and all(set(e.data) <= {"of", "score"} for e in kept)
    assert (await office.client.get("/quality/1")).status == 404


def test_operators_do_not_see_it() -> None:
    for role, allowed in (
        (PageRole.SUPERVISOR, True),
        (PageRole.OPERATOR, False),
        (PageRole.OBSERVER, False),
    ):
        for method, path in (("GET", "/quality"), ("GET", "/quality/1"), ("POST", "/quality/decide")):
            assert may(role, method, path) is allowed


async def test_a_mystery_customer_is_started_once_and_looks_like_anybody(articles: Path) -> None:
    """From the page: two presses of one form are one; the queue shows a channel of real customers."""
    settings = Config.model_validate({"quality": {"mystery": True}})
    async with open_test_bot(articles, config=settings) as testbot, pages_of(testbot) as office:
        assert "Выключено. Включает" not in (await office.text("/quality")).partition("<main")[2]
        for _ in range(2):
            form = {"scenario": "rude_colleague", "key": "k1"}
            answer = await office.send("/quality", "/quality/mystery", **form)
            assert "done=mystery" in str(answer.headers["Location"])
        await testbot.later(seconds=5)
        await testbot.later(seconds=30)
        queue = await office.text("/queue")
        assert "Татьяна" in queue and PLAYED not in queue and "telegram" in queue
        assert len(await testbot.store.tickets()) == 1
        await testbot.operator().says("Простите, Татьяна. Когда это было?", ticket=1)
        await testbot.operator().says("/close", ticket=1)
        await testbot.operator().says("/close", ticket=1)
        await testbot.later(minutes=12)
        page = await office.text("/quality")
        assert "заполнена карта" in page and "why=sample" not in page
        dialog = await office.text("/quality/1?why=mystery")
        assert "Тайный покупатель. Чего ждали:" in dialog and "не оправдываться" in dialog
        kept = await _reviewed(office, **{"mark.tone": "yes"})
        assert kept.reason == figures.MYSTERY
        assert "оценён старшим" in await office.text("/quality")
        assert "начал(а) тайного покупателя" in await office.text("/audit")


@pytest.mark.parametrize("lang", ["ru", "en"])
async def test_without_the_owners_yes_there_is_none(office: Office, lang: str) -> None:
    page = await office.text(f"/quality?lang={lang}")
    assert "quality: {mystery: true}" in page and 'action="/quality/mystery"' not in page
    answer = await office.send("/quality", "/quality/mystery", scenario="late_order", key="k1")
    assert answer.status == 404


async def serious(tab: Any) -> list[str]:
    """What keeps people from reading the page or working with it."""
    from axe_playwright_python.async_playwright import Axe

    found = (await Axe().run(tab)).response["violations"]
    told = [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in found if v["impact"] != "minor"]
    return told + list(await tab.evaluate(FAINT))


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine (apt install chromium)")
async def test_a_supervisor_works_in_a_browser(office: Office) -> None:
    """A step ticked on the ticket's page, a yes to a compensation, a dialog scored: nothing complains,
    nothing is cut, axe finds nothing serious.
    """
    api: Any = pytest.importorskip("playwright.async_api")
    await _scored(office)
    olga, boris = office.testbot.operator(), (await _ticket(office, 2)).conversation
    await olga.says("/playbook возврат", ticket=2)
    await olga.says("/compensate 700 разбили", ticket=2)
    complaints: list[str] = []
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        tab = await browser.new_page(viewport={"width": 1440, "height": 900})
        tab.set_default_timeout(15_000)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        for path in (f"/conversation/{boris}?data=own", "/quality", "/quality/1?why=sample"):
            await tab.goto(str(office.client.make_url(path)))
            for width, scheme in ((1440, "dark"), (390, "light")):
                await tab.set_viewport_size({"width": width, "height": 900})
                await tab.emulate_media(color_scheme=scheme)
                assert await tab.evaluate("document.documentElement.scrollWidth") <= width
                assert await serious(tab) == [], (path, width, scheme)
        await tab.check('[name="mark.complete"][value="partly"]')
        await tab.fill("[name=remark]", "Назови срок")
        await tab.click("text=Сохранить оценку")
        await tab.wait_for_selector("text=Оценка сохранена")
        await tab.click("text=Разрешить")
        await tab.wait_for_selector("text=Решено.")
        await tab.goto(str(office.client.make_url(f"/conversation/{boris}?data=own")))
        await tab.click("text=☐ Попросить фото")
        await tab.wait_for_selector("text=☑ Попросить фото")
        await browser.close()
    assert complaints == []
    review = (await _ticket(office)).state.reviewed
    assert review is not None and review.remark == "Назови срок"
    assert (await _ticket(office, 2)).state.compensations[0].decision == "yes"
    assert [d.step for d in (await _ticket(office, 2)).state.steps_done] == ["Попросить фото, если брак"]
