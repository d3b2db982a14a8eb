"""Scenes of bad input: refused with one clear line, and nothing is changed."""

from __future__ import annotations

from scenes import scene
from stations import Station, quiet
from world import until


@scene()
def commands_in_the_wrong_place(s: Station, platform: str) -> None:
    """A ticket's command outside of tickets, an unknown one in a ticket, operators' commands from a
    customer.
    """
    miron = s.customer(platform, "Мирон")
    ticket = s.opened(miron)
    s.mark = s.desk.last()
    s.desk.send(s.operators[0], "/close")
    s.sees("К какому обращению", None)
    s.write(s.operators[0], ticket, "/clsoe")
    s.sees("Команды /clsoe нет", None)
    for command in ("/take", "/close", "/priority 9", "/queue"):
        miron.say(command)
    quiet(3)
    assert "Ждёт оператора" in s.card(ticket).text and "приоритет" not in s.card(ticket).text
    assert miron.times("clsoe|Ждут, первым|закрыто") == 0
    s.desk.send(s.operators[0], "Просто разговор в группе")
    quiet(2)
    assert miron.times("Просто разговор") == 0
    s.finish(ticket)


@scene(kinds=("forum", "plain"))
def a_forged_press(s: Station, platform: str) -> None:
    """A customer sends the data of an operators' button, and data that nobody made: no word of it changes
    anything.
    """
    frol = s.customer("telegram", "Фрол")
    ticket = s.opened(frol)
    raw = next(
        m
        for m in s.world.tg.messages(bot=s.tg_token, chat_id=s.desk.chat)["messages"]
        if m["message_id"] == ticket.card
    )
    buttons = [b for row in raw["reply_markup"]["inline_keyboard"] for b in row]
    own = frol.heard(since=0)[-1].id
    for data in [b["callback_data"] for b in buttons] + ["zzz.99", "ff.ff", "'; drop table tickets;--"]:
        s.world.tg.click(bot=s.tg_token, user_id=frol.user, message_id=own, data=data, force=True, wait=10)
    assert "Ждёт оператора" in s.card(ticket).text
    assert frol.times("закрыто|снова на связи|С вами") == 0
    s.finish(ticket)


@scene(kinds=("vk",))
def a_forged_press_in_vk(s: Station, platform: str) -> None:
    """The same by a message_event of VK."""
    frol = s.customer("vk", "Фрол")
    ticket = s.opened(frol)
    raw = next(
        m
        for m in s.world.vk.messages(group=s.vk_group, peer_id=s.desk.chat)["messages"]
        if m["conversation_message_id"] == ticket.card
    )
    payloads = [b["action"]["payload"] for row in raw["keyboard"]["buttons"] for b in row]
    for number, payload in enumerate([*payloads, {"t": "zzz.99"}, {"x": 1}, [], "slot"]):
        event = {
            "user_id": frol.user,
            "peer_id": frol.user,
            "event_id": f"forged{number}",
            "payload": payload,
            "conversation_message_id": 1,
        }
        s.world.vk.event(group=s.vk_group, type="message_event", object=event)
    quiet(4)
    assert "Ждёт оператора" in s.card(ticket).text
    assert frol.times("закрыто|снова на связи|С вами") == 0
    s.finish(ticket)


@scene(kinds=("forum", "plain"))
def outsiders(s: Station, platform: str) -> None:
    """A former member's late press and somebody who writes in the name of the group: refused in words, the
    customer hears nothing.
    """
    ticket = s.opened(s.customer(platform, "Устин"))
    gone = s.operators[4]
    s.world.tg.members(chat_id=s.desk.chat, user_id=gone, action="kick", by=s.operators[0])
    told = s.desk.click(gone, ticket.card, "Взять")
    assert told, "a former member hears why"
    assert "Ждёт оператора" in s.card(ticket).text, s.card(ticket).text
    nameless = {
        "sender_chat": {"id": s.desk.chat, "type": "supergroup", "title": "Поддержка"},
        "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
    }
    s.write(s.operators[0], ticket, "слова без имени", raw=nameless)
    s.sees("от имени группы", None)
    assert ticket.customer.times("без имени") == 0
    s.world.tg.members(chat_id=s.desk.chat, user_id=gone, action="join", by=s.operators[0])
    s.finish(ticket)


@scene()
def late_buttons(s: Station, platform: str) -> None:
    """Buttons of what is over: the customer's and the operators' get one line, the ticket stays closed."""
    arina = s.customer(platform, "Арина")
    ticket = s.opened(arina)
    s.press(s.operators[0], ticket, "Шаблон")
    s.sees("Какой из них", None)
    s.take(ticket)
    s.finish(ticket)
    arina.press("Отменить обращение")
    arina.hears("уже закрыто", since=0)
    s.press(s.operators[0], ticket, "курьер")
    quiet(1)
    own = s.desk.posts(after=ticket.card, thread=ticket.thread or None)
    sent = [p for p in own if "Отправить клиенту" in p.buttons]
    if sent:
        assert "закрыто" in s.press(s.operators[0], ticket, "Отправить клиенту")
    assert arina.times("Курьер позвонит") == 0
    until(lambda: s.card(ticket).text.find("Закрыто") > 0, "the card is closed", 75)


@scene(kinds=("forum",))
def a_topic_closed_by_hand(s: Station, platform: str) -> None:
    """Closing the topic closes the ticket, and the customer is told."""
    ticket = s.opened(s.customer(platform, "Агата"))
    s.take(ticket)
    s.world.tg.topics(chat_id=s.desk.chat, user_id=s.operators[0], action="close", thread_id=ticket.thread)
    ticket.customer.hears("закрыто", since=0)
