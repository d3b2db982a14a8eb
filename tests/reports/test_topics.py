"""A topic has one name, however a visit came to it."""

from __future__ import annotations

from bot.knowledge.articles.schema import Article
from bot.reports.report import topic_names


def test_a_topic_is_named_once() -> None:
    """By id and by title alike: its own topic, else that of its section, else the section; a title only where
    there is no section.
    """
    named = topic_names((
        Article("dostavka/sroki", "Сроки доставки", topic="Доставка"), Article("dostavka/cena", "Стоимость"),
        Article("oplata/karta", "Картой"), Article("vakansii", "Вакансии"),
    ))  # fmt: skip

    assert (
        named["dostavka/sroki"]
        == named["Сроки доставки"]
        == named["dostavka/cena"]
        == named["Стоимость"]
        == "Доставка"
    )
    assert named["oplata/karta"] == named["Картой"] == "oplata"
    assert named["vakansii"] == named["Вакансии"] == "Вакансии"
