"""A playbook: chosen by itself, its steps a tap away on the card, kept with who and when, asked about once at
closing, the owner's own in YAML and Markdown.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config
from bot.errors import ConfigError
from bot.handoff.playbooks.playbook import Playbook
from bot.handoff.playbooks.playbook_files import builtin_playbooks, read_playbooks
from bot.model import Peer, Ticket
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import OperatorsGroup, PlayedOperator


async def _ticket(testbot: TestBot) -> Ticket:
    found = await testbot.store.ticket(1)
    assert found is not None
    return found


async def _opened(testbot: TestBot, words: str = "хочу вернуть деньги, позовите оператора") -> PlayedOperator:
    await testbot.customer().says(words)
    return testbot.operator()


def _labels(testbot: TestBot) -> list[str]:
    """The buttons of the card as it now is."""
    cards = [
        s.outbound
        for s in testbot.channels["telegram"].said
        if "card:1" in (s.outbound.name, s.outbound.edits)
    ]
    return [b.label for row in cards[-1].buttons for b in row]


async def test_steps_are_ticked_on_the_card_and_counted_at_the_end(testbot: TestBot) -> None:
    olga = await _opened(testbot)
    card = (await olga.sees(1))[0].text.text
    assert "📋 Возврат · 0 из 5" in card and "☐ Уточнить номер заказа и причину — обязательно" in card
    assert [label for label in _labels(testbot) if "☐" in label] == [
        "☐ Уточнить номер заказа и причину",
        "☐ Попросить фото, если брак",
    ]
    await olga.presses("☐ Уточнить номер", ticket=1)
    await olga.presses("☐ Уточнить номер", ticket=1)  # the button of the first card: done already
    state = (await _ticket(testbot)).state
    assert [(d.step, d.name) for d in state.steps_done] == [("Уточнить номер заказа и причину", "Ольга")]
    assert "☐ Сказать условия: сроки и вид товара" in _labels(testbot)

    await olga.says("/close", ticket=1)
    assert (await _ticket(testbot)).status != "closed"
    asked = (await olga.sees(1))[-1]
    assert "обязательные шаги не отмечены" in asked.text.text and "Уточнить номер" not in asked.text.text
    await olga.presses("Всё равно закрыть", ticket=1)
    assert (await _ticket(testbot)).status == "closed"
    (ended,) = await testbot.store.events(kinds=["playbook_ended"])
    counted = {"steps": 5, "done": 1, "required_open": 2}
    assert dict(ended.data) == {"playbook": "return", "title": "Возврат", **counted}
    assert await testbot.store.check() == ()


async def test_the_whole_list_takes_steps_back_and_changes_the_playbook(testbot: TestBot) -> None:
    olga = await _opened(testbot)
    await olga.says("/playbook", ticket=1)
    assert "📋 Возврат · 0 из 5" in (await olga.sees(1))[-1].text.text
    await olga.presses("☐ Предложить обмен", ticket=1)
    assert len((await _ticket(testbot)).state.steps_done) == 1
    await olga.presses("☑ Предложить обмен", ticket=1)
    assert (await _ticket(testbot)).state.steps_done == ()
    await olga.presses("Жалоба", ticket=1)
    state = (await _ticket(testbot)).state
    assert (state.playbook, state.playbook_by) == ("complaint", "telegram:9001")
    await olga.says("/tag возврат", ticket=1)  # what an operator chose stays
    assert (await _ticket(testbot)).state.playbook == "complaint"
    await olga.says("/playbook -", ticket=1)
    await olga.says("/close", ticket=1)
    assert (await _ticket(testbot)).status == "closed"


async def test_a_tag_or_a_topic_brings_the_playbook(testbot: TestBot) -> None:
    """Nothing in the words fits: the operator names what it is."""
    olga = await _opened(testbot, "позовите оператора")
    assert (await _ticket(testbot)).state.playbook == ""
    await olga.says("/tag жалоба", ticket=1)
    assert (await _ticket(testbot)).state.playbook == "complaint"
    assert any("Жалоба · 0 из 6" in o.text.text for o in await olga.sees(1))


@pytest.mark.parametrize(
    ("words", "playbook"),
    [
        ("позовите, пожалуйста, оператора", ""),
        ("хочу пожаловаться, позовите оператора", "complaint"),
        ("оформите возврат, позовите оператора", "return"),
    ],
)
async def test_the_customers_words_bring_it(testbot: TestBot, words: str, playbook: str) -> None:
    await _opened(testbot, words)
    assert (await _ticket(testbot)).state.playbook == playbook


async def test_a_plain_group_has_the_steps_too(articles: Path) -> None:
    """A VK chat as the operators' group: no topics, the buttons stand under the card."""
    place = OperatorsGroup(Peer("vk", "2000000007"), forum=False)
    async with open_test_bot(articles, desk=place) as testbot:
        await testbot.customer().says("хочу вернуть деньги, позовите оператора")
        olga = testbot.operator()
        await olga.presses("☐ Уточнить номер")
        assert [d.by for d in (await _ticket(testbot)).state.steps_done] == ["vk:9001"]


def test_own_files_stand_before_ours(tmp_path: Path) -> None:
    """YAML with a sum, Markdown with bold steps; one of the same name replaces ours."""
    (tmp_path / "own.yaml").write_text(
        "return:\n  title: Наш возврат\n  words: [брак*]\n"
        "  steps: [{text: Скидка, amount: 300, required: true}, Проверить чек]\n",
        "utf-8",
    )
    (tmp_path / "late.md").write_text(
        "---\ntitle: Опоздание\nwords: [опозда*]\n---\n# Шаги\n\n- [ ] **Извиниться**\n- Скидка (500 ₽)\n",
        "utf-8",
    )
    known = read_playbooks([builtin_playbooks("ru"), tmp_path]).known
    assert list(known)[:2] == ["late", "return"] and "complaint" in known
    own, late = known["return"], known["late"]
    assert [(s.text, s.required, s.amount) for s in own.steps] == [
        ("Скидка", True, 300.0),
        ("Проверить чек", False, None),
    ]
    assert [(s.text, s.required, s.amount) for s in late.steps] == [
        ("Извиниться", True, None),
        ("Скидка (500 ₽)", False, 500.0),
    ]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("bad.yaml", "complaint:\n  title: Жалоба\n", 1),
        ("bad.yaml", "a:\n  steps: [x]\nb:\n  step: [y]\n", 3),
        ("bad.md", "- Извиниться\n", 0),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, name: str, text: str, line: int) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ConfigError) as fault:
        read_playbooks([tmp_path])
    (problem,) = fault.value.problems
    assert problem.file.endswith(name) and problem.line == line and problem.hint


def test_ours_are_the_same_in_both_languages() -> None:
    def shape(playbook: Playbook) -> list[bool]:
        return [s.required for s in playbook.steps]

    ru, en = (read_playbooks([builtin_playbooks(lang)]).known for lang in ("ru", "en"))
    assert {name: shape(p) for name, p in ru.items()} == {name: shape(p) for name, p in en.items()}


async def test_config_names_the_folder(articles: Path, tmp_path: Path) -> None:
    """The owner's own alone, where ours are switched off."""
    (tmp_path / "own.yaml").write_text(
        "late:\n  title: Опоздание\n  tags: [опоздали]\n  steps: [Извиниться]\n", "utf-8"
    )
    settings = Config.model_validate({"playbooks": {"builtin": False, "folder": str(tmp_path)}})
    async with open_test_bot(articles, config=settings) as testbot:
        olga = await _opened(testbot)
        assert (await _ticket(testbot)).state.playbook == ""
        await olga.says("/tag опоздали", ticket=1)
        assert (await _ticket(testbot)).state.playbook == "late"
