"""Search channels of other packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import open_knowledge
from bot.config.loader import read_config
from bot.errors import ConfigError
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge
from tests.knowledge.shop import write_shop

PACKAGE = '''
from bot.knowledge.base import Match

class Codes:
    """Knows that any talk of a parrot means promo codes; anything else breaks it."""
    name = "parrot"
    def __init__(self, articles):
        self.ids = [a.id for a in articles]
    def find(self, question, limit):
        if "попугай" not in question:
            raise RuntimeError("no parrot")
        return [Match(i, 99.0) for i in ("promo/codes", "gone/away", "hidden",
        "returns/goods") if i in self.ids or i == "gone/away"]

def broken(articles):
    raise RuntimeError("no connection")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that brings two channels, one of which cannot be built."""
    (tmp_path / "site" / "parrots-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "parrots_search.py").write_text(PACKAGE, encoding="utf-8")
    (tmp_path / "site" / "parrots-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: parrots\nVersion: 1.0\n"
    )
    entries = (
        "[bot.retrievers]\nparrot = parrots_search:Codes\nbroken = parrots_search:broken\nmissing ="
        " parrots_search:nothing\n"
    )
    (tmp_path / "site" / "parrots-1.0.dist-info" / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.usefixtures("package")
def test_a_foreign_channel_lifts_what_it_finds_and_why_says_so(tmp_path: Path) -> None:
    """An article that our channels never thought of comes first by its vote; a draft never does, nor an
    article that is not there.
    """
    folder = write_shop(tmp_path / "kb", {"hidden.md": "---\ntitle: Секрет\ndraft: true\n---\nТекст.\n"})
    question = "у меня есть попугай"
    alone = Knowledge.open(folder, settings=KnowledgeSettings(model="off"))
    with_guest = Knowledge.open(folder, settings=KnowledgeSettings(model="off", retrievers=("parrot",)))

    before = {c.article: c.score for c in alone.answer(question).candidates}
    answer = with_guest.answer(question)

    assert answer.candidates[0].article == "promo/codes"
    assert answer.candidates[0].score > before.get("promo/codes", 0.0)
    assert answer.why["channels"]["parrot"] == {"promo/codes": 2.0, "returns/goods": 1.0}  # type: ignore[index]
    assert [m.article for m in with_guest.retrievers["parrot"].find(question, 1)][:1] == ["promo/codes"]


@pytest.mark.usefixtures("package")
def test_a_failing_foreign_channel_costs_only_its_vote(tmp_path: Path) -> None:
    """Whether it cannot be built or fails at a question, answers are those of our own channels, word for
    word.
    """
    folder = write_shop(tmp_path / "kb")
    alone = Knowledge.open(folder, settings=KnowledgeSettings(model="off")).answer("забыл пароль от аккаунта")
    answer = Knowledge.open(
        folder, settings=KnowledgeSettings(model="off", retrievers=("parrot", "broken"))
    ).answer("забыл пароль от аккаунта")

    assert (answer.decision, answer.candidates, answer.confidence, answer.scope) == (
        alone.decision,
        alone.candidates,
        alone.confidence,
        alone.scope,
    )
    assert set(answer.why["channels"]) == set(alone.why["channels"])  # type: ignore[call-overload]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "told"), [("nobody", "есть: broken, missing, parrot"), ("missing", "не загружается")]
)
def test_an_unknown_channel_is_a_fault_of_the_config(tmp_path: Path, name: str, told: str) -> None:
    """The config names the channels; a name that nobody brings says which names there are."""
    write_shop(tmp_path / "kb_articles")
    config = tmp_path / "config.yaml"
    config.write_text(
        f"knowledge:\n  embeddings: {{model: 'off'}}\n  retrievers: [{name}]\n", encoding="utf-8"
    )

    with pytest.raises(ConfigError, match=told):
        open_knowledge(read_config(config, environment={}))
