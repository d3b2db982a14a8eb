"""Scenes of work on a ticket: card and buttons, answers, notes, help while answering, supervision."""

from __future__ import annotations

import re

from scenes import scene
from stations import Station, quiet
from world import until


@scene()
def card_and_contact(s: Station, platform: str) -> None:
    """The card says who, why and what was said; the contact is covered until somebody asks for it."""
    anna = s.customer(platform, "Анна")
    anna.say("какая гарантия")
    anna.hears("малахит")
    ticket = s.opened(anna, "позовите оператора, мой телефон +7 912 345-67-89")
    card = s.card(ticket)
    for words in ("Анна", "Почему: попросил человека", "Ждёт оператора", "какая гарантия", "Гарантия"):
        assert words in card.text, (words, card.text)
    assert "345-67-89" not in card.text, card.text
    for label in ("Взять", "Передать", "Шаблон", "Отложить", "Вернуть боту", "Закрыть", "Показать контакт"):
        assert label in card.buttons, (label, card.buttons)
    assert "345-67-89" in s.press(s.operators[0], ticket, "Показать контакт")
    s.write(s.operators[0], ticket, "/history")
    s.sees("Раньше этот клиент не обращался|Прошлые", ticket)
    s.finish(ticket)


@scene()
def taken_by_one(s: Station, platform: str) -> None:
    """Two press «Взять»: one has it, the other is told who; the customer hears the name; the late button
    changes nothing.
    """
    ticket = s.opened(s.customer(platform, "Борис"))
    s.press(s.operators[0], ticket, "Взять")
    ticket.customer.hears(f"вами {s.names[0]}")
    until(lambda: "Взять" not in s.card(ticket).buttons, "the card forgets «Взять»", 75)
    s.write(s.operators[1], ticket, "/take")
    s.sees(f"уже взял.*{s.names[0]}", ticket)
    s.card_says(ticket, f"В работе: {s.names[0]}")
    s.write(s.operators[0], ticket, "Здравствуйте! Смотрю ваш заказ.")
    ticket.customer.hears("^Здравствуйте! Смотрю ваш заказ.$")
    s.finish(ticket)


@scene()
def status_details_cancel(s: Station, platform: str) -> None:
    """Waiting: /status, «Дополнить», words that are added, «Отменить»; then there is no ticket."""
    vera = s.customer(platform, "Вера")
    ticket = s.opened(vera)
    vera.hears(r"№\s*\d+.*(-й|первый) в очереди", since=0)
    vera.say("/status")
    vera.hears(f"№{ticket.number} ждёт оператора.*в очереди")
    vera.press("Дополнить")
    vera.hears("подробности")
    s.mark = s.desk.last()
    vera.say("курьер так и не позвонил")
    s.sees("курьер так и не позвонил", ticket)
    vera.press("Отменить обращение")
    vera.hears("Отменил обращение")
    s.sees("отменил обращение", ticket)
    vera.say("/status")
    vera.hears("Открытых обращений у вас нет")


@scene()
def transfer_with_a_reason(s: Station, platform: str) -> None:
    """Handed to a colleague twice: the reason reaches him, the customer is told once, whoever has it
    answers.
    """
    gleb = s.customer(platform, "Глеб")
    ticket = s.opened(gleb)
    s.write(s.operators[1], ticket, "// я здесь")  # the desk knows whom it has seen
    s.take(ticket)
    s.write(s.operators[0], ticket, f"/transfer {s.names[1]} он знает склад")
    s.sees("он знает склад", ticket)
    gleb.hears("Ваш вопрос теперь у", since=0)
    s.write(s.operators[1], ticket, f"/transfer {s.names[0]} вернул обратно")
    s.sees("вернул обратно", ticket)
    s.card_says(ticket, f"В работе: {s.names[0]}")
    s.write(s.operators[0], ticket, "Заказ завтра у вас")
    gleb.hears("Заказ завтра у вас")
    assert gleb.times("Ваш вопрос теперь у") == 1
    assert gleb.times("знает склад|вернул обратно") == 0
    s.press(s.operators[0], ticket, "Передать")
    s.sees("Кому передать", ticket)
    s.press(s.operators[0], ticket, s.names[1])
    s.card_says(ticket, f"В работе: {s.names[1]}")
    s.finish(ticket)


@scene()
def back_to_the_bot(s: Station, platform: str) -> None:
    """«Вернуть боту»: the bot answers again, the words of the desk reach nobody."""
    dina = s.customer(platform, "Дина")
    ticket = s.opened(dina)
    s.take(ticket)
    s.press(s.operators[0], ticket, "Вернуть боту")
    dina.hears("снова на связи")
    dina.say("как вернуть товар")
    dina.hears("гранат")
    s.write(s.operators[0], ticket, "меня уже не слышно")
    s.sees("клиент этого не увидит", None)
    assert dina.times("не слышно") == 0


@scene()
def closing_and_category(s: Station, platform: str) -> None:
    """«Закрыть» asks for the reason, one tap names it; «Открыть снова» brings the ticket back."""
    egor = s.customer(platform, "Егор")
    ticket = s.opened(egor)
    s.take(ticket)
    s.write(s.operators[0], ticket, "Сделали!")
    egor.hears("Сделали!")
    s.press(s.operators[0], ticket, "Закрыть")
    egor.hears(f"№{ticket.number} закрыто")
    s.sees("По какой причине", None)
    s.press(s.operators[0], ticket, "Доставка")
    s.sees("Причина: Доставка", None, since=0)
    s.write(s.operators[0], ticket, "/reopen")
    s.card_says(ticket, f"В работе: {s.names[0]}")
    s.write(s.operators[0], ticket, "Ещё одно слово")
    egor.hears("Ещё одно слово")
    s.write(s.operators[0], ticket, "/close Возврат")
    egor.hears(f"№{ticket.number} закрыто")


@scene()
def notes_stay_inside(s: Station, platform: str) -> None:
    """`//`, /note, `//!` and a colleague's @name reach operators only; the order of the words stays."""
    zoya = s.customer(platform, "Зоя")
    ticket = s.opened(zoya)
    s.take(ticket)
    s.write(s.operators[0], ticket, "Первое")
    noted = s.write(s.operators[0], ticket, "// секрет один")
    s.write(s.operators[1], ticket, "/note секрет два")
    s.write(s.supervisor, ticket, "//! секрет три, предложи скидку")
    s.sees(f"{s.names[0]}|op{s.operators[0]}", ticket)
    s.write(s.operators[0], ticket, "Второе")
    zoya.hears("Второе", since=0)
    assert [p.text for p in zoya.heard(since=0)][-2:] == ["Первое", "Второе"], [
        p.text for p in zoya.heard(since=0)
    ]
    s.desk.edit(s.operators[0], noted, "// секрет четыре")
    quiet(2)
    assert zoya.times("секрет") == 0
    s.finish(ticket)


@scene(kinds=("forum", "plain"))
def a_mention_stays_inside(s: Station, platform: str) -> None:
    """@name of a colleague in a ticket is a word among operators."""
    ticket = s.opened(s.customer(platform, "Захар"))
    s.take(ticket)
    s.write(s.operators[0], ticket, f"@op{s.operators[1]} посмотри, секрет пять")
    s.write(s.operators[0], ticket, "Уже смотрим")
    ticket.customer.hears("Уже смотрим", since=0)
    assert ticket.customer.times("секрет пять") == 0
    s.finish(ticket)


@scene()
def edits_and_undo(s: Station, platform: str) -> None:
    """A changed answer changes at the customer's, his edit is shown in the desk, /undo takes the last answer
    back.
    """
    inna = s.customer(platform, "Инна")
    ticket = s.opened(inna)
    s.take(ticket)
    sent = s.write(s.operators[0], ticket, "Приедет в пятницу")
    inna.hears("Приедет в пятницу", since=0)
    s.desk.edit(s.operators[0], sent, "Приедет в субботу")
    inna.hears("Приедет в субботу", since=0)
    said = inna.say("адрес тот же")
    s.sees("адрес тот же", ticket)
    inna.chat.edit(inna.user, said, "адрес теперь другой")
    s.sees("адрес теперь другой", ticket)
    s.write(s.operators[0], ticket, "Это я зря сказал")
    inna.hears("Это я зря сказал")
    s.write(s.operators[0], ticket, "/undo")
    until(lambda: not any("зря сказал" in p.text for p in inna.heard(since=0)), "the answer goes away")
    assert any("субботу" in p.text for p in inna.heard(since=0))
    s.finish(ticket)


@scene()
def media_both_ways(s: Station, platform: str) -> None:
    """A photo of the customer stands in the desk, a photo of the operator at the customer's; a delivered
    answer has its mark.
    """
    kira = s.customer(platform, "Кира")
    ticket = s.opened(kira)
    s.take(ticket)
    s.mark = s.desk.last()
    picture = (
        {"attachments": [{"type": "photo", "size": 2000}]}
        if kira.chat.vk
        else {"photo": {"size": 2000}, "caption": "вот чек"}
    )
    kira.say("вот чек" if kira.chat.vk else "", **picture)
    assert s.sees("вот чек", ticket).media
    answer = (
        {"attachments": [{"type": "photo", "size": 2000}]}
        if s.desk.vk
        else {"photo": {"size": 2000}, "caption": "схема проезда"}
    )
    sent = s.write(s.operators[0], ticket, "схема проезда" if s.desk.vk else "", **answer)
    assert kira.hears("схема проезда").media
    if not s.desk.vk:
        until(
            lambda: any(p.reactions for p in s.desk.posts(after=sent - 1) if p.id == sent),
            "the mark of delivery",
            75,
        )
    s.finish(ticket)


@scene()
def a_failed_answer_is_said_loudly(s: Station, platform: str) -> None:
    """The customer shut the bot out: said under the words, and «Отправить ещё раз» repeats them once when he
    is back.
    """
    lev = s.customer(platform, "Лев")
    ticket = s.opened(lev)
    s.take(ticket)
    sim = lev.chat.sim
    if lev.chat.vk:
        sim.deny(group=lev.chat.account, user_id=lev.user)
    else:
        sim.block(bot=lev.chat.account, user_id=lev.user)
    s.write(s.operators[0], ticket, "Вы нас слышите?")
    s.sees("не получил.*Вы нас слышите", ticket)
    if lev.chat.vk:
        sim.allow(group=lev.chat.account, user_id=lev.user)
    else:
        sim.unblock(bot=lev.chat.account, user_id=lev.user)
    s.press(s.operators[0], ticket, "Отправить ещё раз")
    lev.hears("Вы нас слышите")
    assert "не действует" in s.press(s.operators[0], ticket, "Отправить ещё раз")
    quiet(2)
    assert lev.times("Вы нас слышите") == 1
    s.finish(ticket)


@scene()
def canned_answers(s: Station, platform: str) -> None:
    """`/t` with a typing error and «Шаблон»: shown before it is sent, then with the customer's name."""
    mila = s.customer(platform, "Мила")
    ticket = s.opened(mila)
    s.take(ticket)
    s.write(s.operators[0], ticket, "/t првет")
    s.sees(f"Мила, здравствуйте! Меня зовут {s.names[0]}", ticket)
    assert mila.times("Меня зовут") == 0
    s.press(s.operators[0], ticket, "Отправить клиенту")
    mila.hears(f"^Мила, здравствуйте! Меня зовут {s.names[0]}.$")
    s.press(s.operators[0], ticket, "Шаблон")
    s.sees("Какой из них", None)
    s.press(s.operators[0], ticket, "курьер")
    s.sees("Курьер позвонит за час", None)
    s.write(s.operators[0], ticket, "/t абракадабра")
    s.sees("нет", ticket)
    assert mila.times("Курьер позвонит") == 0
    s.finish(ticket)


@scene()
def the_prompter(s: Station, platform: str) -> None:
    """Under the customer's question stands the article that answers it; two taps send it; the customer sees
    no hint.
    """
    nina = s.customer(platform, "Нина")
    ticket = s.opened(nina)
    s.take(ticket)
    s.mark = s.desk.last()
    nina.say("как вернуть товар")
    asked = s.sees("как вернуть товар", ticket)
    hint = until(
        lambda: next((b for p in s.desk.posts(after=s.mark) for b in p.buttons if "💡" in b), ""),
        f"a hint under {asked.text!r}",
    )
    s.press(s.operators[0], ticket, hint)
    s.sees("Клиент увидит.*гранат", ticket)
    assert nina.times("гранат") == 0
    s.press(s.operators[0], ticket, "Отправить клиенту")
    nina.hears("гранат")
    assert nina.times("💡|Клиент увидит") == 0
    s.finish(ticket)


@scene()
def the_supervisor(s: Station, platform: str) -> None:
    """Priority and assignment are the supervisor's; he takes a ticket over; a whisper reaches no customer."""
    oleg = s.customer(platform, "Олег")
    ticket = s.opened(oleg)
    s.take(ticket)
    s.write(s.operators[1], ticket, "/priority 3")
    s.sees("только старший", ticket)
    s.write(s.supervisor, ticket, "/priority 3")
    s.card_says(ticket, "приоритет 3")
    s.write(s.supervisor, ticket, f"/assign {s.names[1]}")
    s.card_says(ticket, f"В работе: {s.names[1]}")
    s.write(s.supervisor, ticket, "//! мягче")
    s.write(s.supervisor, ticket, "/take")
    s.card_says(ticket, f"В работе: {s.names[3]}")
    assert oleg.times("мягче") == 0
    s.finish(ticket)


@scene()
def the_tone_guard(s: Station, platform: str) -> None:
    """Rude words are asked about and wait; one tap sends them as they are."""
    pavel = s.customer(platform, "Павел")
    ticket = s.opened(pavel)
    s.take(ticket)
    s.write(s.operators[0], ticket, "Ну, это ваши проблемы")
    s.sees("Точно отправить", ticket)
    quiet(1.5)
    assert pavel.times("ваши проблемы") == 0
    s.press(s.operators[0], ticket, "Всё равно отправить")
    pavel.hears("ваши проблемы")
    s.finish(ticket)


@scene(kinds=("forum",))
def a_deleted_topic(s: Station, platform: str) -> None:
    """A topic is a view: deleted, it is made again with card and talk, and the words arrive."""
    rita = s.customer(platform, "Рита")
    ticket = s.opened(rita)
    s.take(ticket)
    s.write(s.operators[0], ticket, "Слушаю вас")
    rita.hears("Слушаю вас")
    old = ticket.thread
    s.world.tg.topics(chat_id=s.desk.chat, user_id=s.operators[0], action="delete", thread_id=old)
    s.mark = s.desk.last()
    rita.say("вы тут? заказ 777123")
    s.sees("777123", None, 60)
    s.find_card(ticket)
    assert ticket.thread != old and "Слушаю вас" in s.card(ticket).text, s.card(ticket).text
    s.write(s.operators[0], ticket, "Снова здесь")
    rita.hears("Снова здесь")
    assert not re.search(
        r"777123.*777123",
        " ".join(p.text for p in s.desk.posts(after=s.mark, thread=ticket.thread) if "Почему" not in p.text),
    )
    s.finish(ticket)


@scene()
def somebody_answers_from_the_community(s: Station, platform: str) -> None:
    """VK: a colleague answers in the community's own inbox; the desk sees it, the bot keeps out."""
    sveta = s.customer("vk", "Света")
    ticket = s.opened(sveta)
    s.mark = s.desk.last()
    s.world.vk.admin_reply(
        group=s.vk_group, peer_id=sveta.user, admin_id=s.operators[0], text="Я из сообщества"
    )
    s.sees("Я из сообщества", ticket)
    s.finish(ticket)
