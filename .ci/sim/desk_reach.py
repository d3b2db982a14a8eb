"""Scenes of what the service says first: incidents, broadcasts, surveys; one person in two channels; the
supervisor's follow-ups and overview.
"""

from __future__ import annotations

import re

from scenes import scene
from stations import Station, quiet
from world import until


@scene(service="reach", kinds=("plain",))
def an_incident(s: Station, platform: str) -> None:
    """Declared by one command: who asks about it hears it first, others do not; when it is over those who met
    it hear so once.
    """
    s.desk.send(s.operators[0], "/incident Сбой доставки. Чиним до 18:00 | посылка")
    s.sees("старш|Сбой №", None, since=0)
    s.mark = s.desk.last()
    s.desk.send(s.supervisor, "/incident Сбой доставки. Чиним до 18:00 | доставка, привезут")
    s.sees("Сбой №\\d+ объявлен", None)
    met, other = s.customer(platform, "Ефим"), s.customer(platform, "Клим")
    met.say("сколько идёт доставка")
    met.hears("Чиним до 18:00")
    other.say("как вернуть товар")
    other.hears("гранат")
    assert other.times("Чиним") == 0
    s.desk.send(s.supervisor, "/incident off")
    met.hears("Уже исправили|всё работает", 90, since=0)
    quiet(3)
    assert met.times("Уже исправили|всё работает") == 1 and other.times("Уже исправили|всё работает") == 0


@scene(service="reach", kinds=("forum",))
def a_broadcast(s: Station, platform: str) -> None:
    """To who asked about it: shown and counted first, sent with a tap, once each; who said no gets none; an
    operator who is no supervisor may not.
    """
    tg, vk, out, other = (
        s.customer(p, n)
        for p, n in (("telegram", "Тихон"), ("vk", "Титан"), ("telegram", "Тамара"), ("vk", "Терентий"))
    )
    for person in (tg, vk, out):
        person.say("какая гарантия на зебру")
        person.hears(".")
    other.say("как вернуть товар")
    other.hears("гранат")
    out.say("/stop")
    out.hears("рассылок больше не будет")
    order = '/broadcast спрашивали="зебра" дней=1\nТеперь гарантия на зебру пять лет!'
    s.desk.send(s.operators[0], order)
    quiet(2)
    assert tg.times("пять лет") == 0
    s.mark = s.desk.last()
    s.desk.send(s.supervisor, order)
    shown = s.sees("Получат: 2", None)
    assert tg.times("пять лет") == 0
    s.desk.click(s.supervisor, shown.id, "Отправить: 2")
    for person in (tg, vk):
        person.hears("пять лет", 60, since=0)
    s.sees("доставлено 2 из 2", None, 60, since=0)
    assert [p.times("пять лет") for p in (tg, vk, out, other)] == [1, 1, 0, 0]


@scene(service="reach", kinds=("forum", "vk"))
def one_person_in_two_channels(s: Station, platform: str) -> None:
    """A code joins Telegram and VK: the open ticket goes on where he writes, the answer comes there."""
    here, there = s.customer("telegram", "Ян"), s.customer("vk", "Ян")
    ticket = s.opened(here)
    s.take(ticket)
    here.say("/link")
    code = re.search(r"Ваш код: (.+?)\. Он", here.hears("Ваш код").text)[1]  # type: ignore[index]
    there.say(f"/link {code}")
    there.hears("Это вы")
    there.press("Да, это я")
    there.hears(f"№{ticket.number} открыто", since=0)
    s.mark = s.desk.last()
    there.say("теперь я пишу отсюда")
    s.sees("теперь я пишу отсюда", ticket)
    s.write(s.operators[0], ticket, "Вижу вас здесь")
    there.hears("Вижу вас здесь")
    assert here.times("Вижу вас здесь") == 0
    s.write(s.supervisor, ticket, "/close")
    until(lambda: there.times("закрыто") or here.times("закрыто"), "the end is told")


@scene(service="reach", kinds=("plain",), long=True)
def would_they_recommend_us(s: Station, platform: str) -> None:
    """NPS at its hour: asked once, the number and the words reach the desk."""
    person = s.customer(platform, "Эдуард")
    person.say("как вернуть товар")
    person.hears("гранат")
    person.hears("вероятно, что вы посоветуете", 300, since=0)
    person.press("9")
    person.hears("Спасибо за 9")
    person.say("быстро отвечаете")
    person.hears("Спасибо", since=person.mark)
    desks = (s.desk, s.world.general)
    until(
        lambda: any(
            "Посоветует на 9 из 10" in p.text and "быстро отвечаете" in p.text
            for d in desks
            for p in d.posts()
        ),
        "the words in a desk",
        60,
    )
    assert person.times("вероятно, что вы посоветуете") == 1
