"""Scenes of deadlines: nobody takes it, a silent operator, SLA, a silent customer, reopening, ratings, snooze
and promises.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from scenes import scene
from stations import Station, quiet
from world import until


@scene(service="hasty")
def nobody_takes_it(s: Station, platform: str) -> None:
    """Said aloud, again after twice the time and then with the supervisors; a tap on that word takes it."""
    s.desk.send(s.supervisor, "я на месте")  # who has never been seen cannot be called
    ticket = s.opened(s.customer(platform, "Прохор"))
    loud = s.sees(f"№{ticket.number}.*никто не взял", None, 60)
    assert "Взять" in loud.buttons
    s.sees(f"№{ticket.number}.*никто не взял.*({s.names[3]}|op{s.supervisor})", None, 60, since=loud.id)
    s.take(ticket)
    s.finish(ticket)


@scene(service="hasty")
def a_silent_operator(s: Station, platform: str) -> None:
    """Who takes a ticket and says nothing loses it; the next one answers."""
    ticket = s.opened(s.customer(platform, "Роман"))
    s.take(ticket)
    s.sees(f"№{ticket.number}.*{s.names[0]} долго не отвечает", None, 60)
    s.card_says(ticket, "Ждёт оператора")
    s.write(s.operators[1], ticket, "Отвечаю за коллегу")
    ticket.customer.hears("Отвечаю за коллегу")
    s.finish(ticket)


@scene(service="hasty")
def a_broken_promise(s: Station, platform: str) -> None:
    """A topic with deadlines: warned before, the supervisors called at the breach, each once; the card is
    red; an answer clears it.
    """
    s.desk.send(s.supervisor, "я на месте")
    sima = s.customer(platform, "Сима")
    sima.say("какая гарантия")
    sima.hears("малахит")
    ticket = s.opened(sima, "позовите оператора")
    assert "Тема: Гарантия" in s.card(ticket).text, s.card(ticket).text
    s.sees("срока «первый ответ» осталось", ticket, 60)
    s.sees(f"№{ticket.number}.*срок «первый ответ» прошёл.*({s.names[3]}|op{s.supervisor})", None, 60)
    s.card_says(ticket, "🔴")
    s.write(s.operators[0], ticket, "Простите, отвечаю")
    sima.hears("Простите, отвечаю")
    s.card_says(ticket, "🟢")
    posts = [p.text for p in s.desk.posts()]
    for words in ("«первый ответ» осталось", "«первый ответ» прошёл"):
        told = [t for t in posts if words in t and f"№{ticket.number}" in t]
        assert len(told) == 1, told
    s.finish(ticket)


@scene(service="hasty")
def a_silent_customer(s: Station, platform: str) -> None:
    """Asked politely, then closed; the wish for a person opens the same ticket again with the same
    operator.
    """
    tanya = s.customer(platform, "Таня")
    ticket = s.opened(tanya)
    s.write(s.operators[0], ticket, "Готово, проверяйте")
    tanya.hears("Готово, проверяйте")
    tanya.hears("решён", 40, since=0)
    tanya.press("Ещё нужна помощь")
    s.sees("Ещё нужна помощь", ticket, 60)
    s.write(s.operators[0], ticket, "Слушаю")
    tanya.hears("Слушаю")
    tanya.hears(f"Закрыл обращение №{ticket.number}", 75)
    assert tanya.times("решён\\?") == 2
    s.mark = s.desk.last()
    tanya.say("позовите оператора, вопрос остался")
    tanya.hears(f"№{ticket.number}.*{s.names[0]} вернётся к нему")
    s.sees("вернулся с этим вопросом.*вопрос остался", ticket, 60)
    s.write(s.operators[0], ticket, "Снова я")
    tanya.hears("Снова я")
    s.finish(ticket)


@scene(service="hasty")
def a_low_rating(s: Station, platform: str) -> None:
    """Asked after the talk with buttons; a low score and its comment reach the supervisors; the same customer
    is not asked again so soon.
    """
    ulyana = s.customer(platform, "Ульяна")
    ticket = s.opened(ulyana)
    s.write(s.operators[0], ticket, "Ждите")
    ulyana.hears("Ждите")
    s.write(s.operators[0], ticket, "/close")
    ulyana.hears("Оцените", 40)
    ulyana.press("2")
    ulyana.hears("вышло на 2")
    s.sees("на 2 из 5", ticket, 60)
    ulyana.say("ждала неделю и ничего")
    ulyana.hears("Спасибо")
    s.sees("ждала неделю", ticket, 60)
    ulyana.say("позовите оператора")
    ulyana.hears(f"№{ticket.number}", since=ulyana.mark)
    s.write(s.operators[0], ticket, "Простите нас")
    ulyana.hears("Простите нас")
    s.write(s.operators[0], ticket, "/close")
    ulyana.hears("закрыто")
    quiet(5)
    assert ulyana.times("Оцените") == 1


@scene(service="hasty")
def a_typed_rating(s: Station, platform: str) -> None:
    """A lone number is a rating, a question after it is a question."""
    foma = s.customer(platform, "Фома")
    ticket = s.opened(foma)
    s.write(s.operators[0], ticket, "Сделали")
    foma.hears("Сделали")
    s.write(s.operators[0], ticket, "/close")
    foma.hears("Оцените", 40)
    foma.say("5")
    foma.hears("Спасибо за оценку 5")
    foma.say("как вернуть товар?")
    foma.hears("гранат")


def soon() -> str:
    """The next full minute that is more than ten seconds away, as people write it."""
    return (datetime.now(tz=UTC) + timedelta(seconds=70)).strftime("%H:%M")


@scene(long=True)
def snoozed(s: Station, platform: str) -> None:
    """Put off until a moment: called back then; the customer's words wake it at once."""
    yura = s.customer(platform, "Юра")
    ticket = s.opened(yura)
    s.take(ticket)
    s.press(s.operators[0], ticket, "Отложить")
    s.sees("На сколько отложить", None)
    s.press(s.operators[0], ticket, "Завтра утром")
    s.card_says(ticket, "Отложено")
    s.mark = s.desk.last()
    yura.say("есть новости?")
    s.card_says(ticket, f"В работе: {s.names[0]}")
    s.write(s.operators[0], ticket, f"/snooze {soon()}")
    s.sees("Отложено: напомню", ticket)
    s.sees(f"⏰ №{ticket.number}.*(op{s.operators[0]}|{s.names[0]}), пора вернуться", None, 120)
    assert yura.times("пора вернуться|Отложено") == 0
    s.finish(ticket)


@scene(long=True)
def promised(s: Station, platform: str) -> None:
    """An answer promised to the customer: both sides are reminded when it is due."""
    yakov = s.customer(platform, "Яков")
    ticket = s.opened(yakov)
    s.take(ticket)
    s.write(s.operators[0], ticket, "Уточняю")
    s.write(s.operators[0], ticket, f"/promise {soon()} уточню на складе")
    yakov.hears(r"вернусь к вам с ответом .*до \d\d:\d\d", since=0)
    s.sees(f"⏰.*№{ticket.number}.*уточню на складе", None, 120)
    yakov.hears("обещали вернуться", since=0)
    assert yakov.times("складе") == 0 and yakov.times("обещали вернуться") == 1
    until(lambda: not re.search("Обещан ответ", s.card(ticket).text), "the card forgets the promise", 75)
    s.finish(ticket)
