"""Scenes of queue and routing: places, turns, away and back, overflow, teams, groups that are lost, hours."""

from __future__ import annotations

import re

from scenes import scene
from stations import Station, quiet
from world import until


@scene()
def away_and_back(s: Station, platform: str) -> None:
    """Who is away gives his ticket back when the customer writes; it is said with a button; /back ends it;
    /queue names who waits.
    """
    toma = s.customer(platform, "Тома")
    ticket = s.opened(toma)
    s.take(ticket)
    s.write(s.operators[0], ticket, "Минуту")
    toma.hears("Минуту")
    s.write(s.operators[0], ticket, "/away")
    s.sees("новых обращений вам не дам", None)
    toma.say("вы где?")
    s.sees(f"№{ticket.number}.*нет на месте", None)
    s.write(s.operators[1], ticket, "/queue")
    s.sees(f"№{ticket.number}", None)
    s.card_says(ticket, "Ждёт оператора")
    s.write(s.operators[1], ticket, "Я за коллегу")
    toma.hears("Я за коллегу")
    s.write(s.operators[0], ticket, "/back")
    s.sees("С возвращением", None)
    s.finish(ticket)


@scene()
def to_another_team(s: Station, platform: str) -> None:
    """A team with a group of its own gets the card with the whole talk there; its answer arrives; the old
    place is told.
    """
    ulya = s.customer(platform, "Уля")
    ticket = s.opened(ulya)
    s.take(ticket)
    s.write(s.operators[0], ticket, "Сейчас спрошу")
    ulya.hears("Сейчас спрошу")
    s.write(s.operators[0], ticket, "/transfer second нужен склад")
    ulya.hears("Ваш вопрос теперь у", since=0)
    second = s.world.second
    card = until(lambda: second.cards(ticket), f"the card of №{ticket.number} in the second line", 75)[-1]
    assert "Сейчас спрошу" in card.text and "48213" in card.text, card.text
    until(
        lambda: any("нужен склад" in p.text for p in second.posts(thread=card.thread)),
        "the reason goes along",
        75,
    )
    s.sees("нужен склад", ticket)
    second.send(900_000, "Я из второй линии", thread=card.thread)
    ulya.hears("Я из второй линии")
    second.send(900_000, "/close", thread=card.thread)
    ulya.hears("закрыто")


@scene(long=True)
def the_bot_is_put_out(s: Station, platform: str) -> None:
    """The group is lost: what waited there and what was in hand is shown in the desk of all, loudly; let in
    again, it works on.
    """
    fedya, fima = s.customer(platform, "Федя"), s.customer(platform, "Фима")
    waiting, taken = s.opened(fedya), s.opened(fima)
    s.take(taken)
    change = (
        {"group": s.vk_group, "peer_id": s.desk.chat}
        if s.desk.vk
        else {"bot": s.tg_token, "chat_id": s.desk.chat, "by": s.operators[0]}
    )
    if s.desk.vk:
        s.world.vk.chat(action="kick", user_id=-s.vk_group, by=s.operators[0], **change)
    else:
        s.world.tg.bot_status(status="kicked", **change)
    fedya.say("вы меня слышите? 4455")
    general = s.world.general
    for ticket in (waiting, taken):
        until(lambda ticket=ticket: general.cards(ticket), f"№{ticket.number} in the desk of all", 240)
    until(
        lambda: any("🚨" in p.text and f"№{waiting.number}" in p.text for p in general.posts()),
        "the alarm",
        60,
    )
    until(
        lambda: any("4455" in p.text for p in general.posts()), "the customer's words in the desk of all", 60
    )
    thread = general.cards(waiting)[-1].thread
    general.send(900_000, "Слышим вас", thread=thread)
    fedya.hears("Слышим вас")
    general.send(900_000, "/close", thread=thread)
    fedya.hears("закрыто")
    general.send(900_000, "/close", thread=general.cards(taken)[-1].thread)
    fima.hears("закрыто")
    if s.desk.vk:
        s.world.vk.chat(action="add", user_id=-s.vk_group, by=s.operators[0], **change)
    else:
        s.world.tg.bot_status(status="administrator", **change)
    s.finish(s.opened(s.customer(platform, "Филя")))


@scene(service="given")
def in_turn(s: Station, platform: str) -> None:
    """Round robin with a limit: one after the other; who is at his limit or away gets nothing; a free one is
    found when he is back.
    """
    first, second = s.operators[:2]
    for operator in (first, second):
        s.desk.send(operator, "доброе утро")
    quiet(2)
    people = [s.customer(platform, name) for name in ("Яна", "Юля", "Эля", "Эмма")]
    tickets = [s.opened(person) for person in people]
    owners = [re.search(r"В работе: (\S+)", s.card_says(t, "В работе: ").text)[1] for t in tickets]  # type: ignore[index]
    assert sorted(owners) == sorted([*s.names[:2], *s.names[:2]]) and owners[0] != owners[1], owners
    fifth = s.opened(s.customer(platform, "Фрол"))
    quiet(3)
    assert "Ждёт оператора" in s.card(fifth).text, s.card(fifth).text
    taken = next(t for t, o in zip(tickets, owners, strict=True) if o == s.names[0])
    s.write(first, taken, "Здравствуйте")
    taken.customer.hears("Здравствуйте")
    s.write(first, taken, "/close")
    taken.customer.hears("закрыто")
    s.card_says(fifth, f"В работе: {s.names[0]}")
    for ticket in (*tickets, fifth):
        if ticket is not taken:
            s.finish(ticket)


@scene(service="given")
def a_full_group_overflows(s: Station, platform: str) -> None:
    """Nobody is there: as many wait as the team holds, the next is shown in the desk of all."""
    for operator in s.operators[:2]:
        s.desk.send(operator, "/away")
    waiting = [s.opened(s.customer(platform, name)) for name in ("Ася", "Аня", "Ада")]
    over = s.customer(platform, "Алла").asks_for_a_person()
    until(lambda: s.world.general.cards(over), f"№{over.number} in the desk of all", 60)
    until(lambda: any("длинная очередь" in p.text for p in s.world.general.posts()), "why it is there", 60)
    s.world.general.send(900_000, "Здравствуйте, Алла", thread=s.world.general.cards(over)[-1].thread)
    over.customer.hears("Здравствуйте, Алла")
    for ticket in waiting:
        s.finish(ticket)
    s.world.general.send(900_000, "/close", thread=s.world.general.cards(over)[-1].thread)
    for operator in s.operators[:2]:
        s.desk.send(operator, "/back")


@scene(service="line", kinds=("forum",))
def a_line_moves(s: Station, platform: str) -> None:
    """Everybody knows his place and is told when it changes much; articles are offered to who waits long; the
    board tells the desk.
    """
    people = [
        s.customer(p, n)
        for p, n in (("telegram", "Аким"), ("vk", "Борис"), ("telegram", "Влас"), ("vk", "Гена"))
    ]
    tickets = [s.opened(p) for p in people[:3]]
    assert "первый в очереди" in people[0].hears("очереди", since=0).text
    assert "3-й в очереди" in people[2].hears("очереди", since=0).text
    people[3].say("какая гарантия")
    people[3].hears("малахит")
    people[3].press("Нет, не помогло")
    quiet(2)
    if not people[3].times(r"№\d"):
        people[3].say("позовите оператора")
    people[3].hears("4-й в очереди", since=0)
    board = until(lambda: next((p for p in s.desk.posts() if p.pinned), None), "the pinned board", 60)
    assert re.search(r"Ждут: \d", board.text), board.text
    for ticket in tickets:
        s.write(s.operators[0], ticket, "Здравствуйте, смотрю")
        ticket.customer.hears("Здравствуйте, смотрю", 60, since=0)
    people[3].hears("Вы 1-й в очереди|Вы первый", 60, since=0)
    until(
        lambda: any(p.pinned and p.id == board.id and "Ждут: 1" in p.text for p in s.desk.posts()),
        "the board changes in place",
        150,
    )
    assert sum(p.pinned for p in s.desk.posts()) == 1


@scene(service="night", kinds=("plain",))
def at_night(s: Station, platform: str) -> None:
    """Nobody is at work: the customer hears the day and the hour, the words wait in the desk, and an answer
    at night arrives all the same.
    """
    person = s.customer(platform, "Ночка")
    ticket = s.opened(person)
    assert re.search(
        "Сейчас операторы не работают; ответят .*10:00", person.hears("операторы", since=0).text
    ), person.heard(since=0)
    s.mark = s.desk.last()
    person.say("ещё вот что")
    s.sees("ещё вот что", ticket)
    s.write(s.operators[0], ticket, "Не спится, отвечаю")
    person.hears("Не спится")
    s.finish(ticket)
