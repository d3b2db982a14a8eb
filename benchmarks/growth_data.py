"""Years of a shop's messages, written by plain SQL that SQLite and PostgreSQL both understand: the whole
history, or its last weeks alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from string import Template

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS, KEEP, LATELY = 730, 365, 70  # of history; of them with their words; of the small database
INBOUNDS = 500_000  # with as many answers: a million messages; three events each
CUSTOMERS = INBOUNDS // 5
STEP = DAYS * 86_400_000 // INBOUNDS  # milliseconds between two messages
YEARS = 1  # the first message of the whole history
WEEKS = INBOUNDS - LATELY * INBOUNDS // DAYS // 10 * 10 + 1
OPEN = 40  # tickets, half of them waiting
DESK = "-100500"

# Message i is written by customer i / 5 + 1; every tenth calls an operator.
_NUMBERS = (
    "with recursive n(i) as (select cast($first as bigint) union all select i + 1 from n where i < $last) "
)
_PARTS = {
    "first": "",
    "last": str(INBOUNDS - 1),
    "customers": str(CUSTOMERS),
    "desk": DESK,
    "own": "(i / 5 + 1)",
    "number": "(i / 10 + 1)",
    "at": f"({int(NOW.timestamp() * 1000)} - ({INBOUNDS} - i) * {STEP})",
    "kept": f"i > {INBOUNDS - KEEP * INBOUNDS // DAYS}",  # what is older has lost its words
    "open": f"i > {INBOUNDS - 10 * OPEN}",
    "asked": "'Когда привезут заказ из ' || (i % 199) || ' магазина?'",
    "told": "'Доставка занимает от одного до трёх дней, курьер позвонит за час до приезда.'",
    "operator": "'telegram:' || (9000 + i / 10 % 40)",
    "blank_in": '\'{"key":"","peer":{"channel":"","chat":""},"sender":{"id":""},'
    '"at":"1970-01-01T00:00:00+00:00"}\'',
    "blank_out": '\'{"to":{"channel":"","chat":""}}\'',
    "why": '\'{"raw":"Когда привезут заказ","understood":"когда привезти заказ","language":"ru","lemmas":'
    '["когда","привезти","заказ"],"followed":false,"search":"words","known":1.0,"channels":{"letters":'
    '{"a1":1.0,"a2":0.57,"a3":0.02},"words":{"a1":0.9,"a2":0.4}},"candidates":[{"article":"a1","title":'
    '"Доставка","score":0.91},{"article":"a2","title":"Оплата","score":0.44},{"article":"a3","title":'
    '"Возврат","score":0.12}],"confidence":0.87,"decision":"\' || case when i % 10 = 7 then \'handoff\''
    " else 'answer' end || '\"}'",
}
_STATEMENTS = (
    """insert into customers(id, name, last_name, fields, told, created) $numbers select $own,
    'Анна', 'Ильина', '{"phone":"+7900' || (1000000 + i) || '"}', '["Анна","Ильина",""]', $at
    from n where i % 5 = 1""",
    """insert into conversations(id, channel, chat, private, customer, status, ticket, created, state)
    $numbers select $own, 'telegram', '' || $own, 1, $own, case when not ($open and i % 10 = 6) then 'bot'
    when i % 20 = 6 then 'waiting' else 'operator' end, case when $open and i % 10 = 6 then $number end, $at,
    '{"greeted":true}' from n where i % 5 = 1""",
    """insert into conversations(id, channel, chat, thread, private, created) $numbers select $customers +
    $number, 'telegram', '$desk', '' || $number, 0, $at from n where i % 10 = 5""",
    """insert into turns(id, conversation, ticket, at, dialog, result, reason, text, why) $numbers select i,
    $own, case when i % 10 = 5 then $number end, $at, 'faq', case i % 10 when 5 then 'handed_off' when 7 then
    'clarified' else 'answered' end, case when i % 10 = 7 then 'out_of_scope' else 'answered' end, case when
    $kept then $asked else '' end, case when $kept then $why else '{}' end from n""",
    """insert into inbox(id, channel, key, conversation, kind, at, received, ready, limit_at, message,
    payload, turn, done_at, result) $numbers select i, 'telegram', 'u' || i, $own, 'message', $at, $at, $at,
    $at, 'm' || i, case when $kept then '{"key":"u' || i || '","peer":{"channel":"telegram","chat":"' ||
    $own || '"},"sender":{"id":"' || $own || '","name":"Анна"},"at":"2026-03-01T12:00:00+00:00","text":"' ||
    $asked || '","message":"m' || i || '"}' else $blank_in end, i, $at + 900, 'answered' from n""",
    """insert into tickets(number, conversation, channel, chat, thread, status, reason, topic, operator,
    operator_name, opened, taken, first_reply, closed, rating, data) $numbers select $number, $own,
    'telegram', '' || $own, '', case when not $open then 'closed' when i % 20 = 5 then 'waiting' else
    'operator' end, 'asked', 'a1', case when $open and i % 20 = 5 then '' else $operator end, 'Ольга', $at,
    case when $open and i % 20 = 5 then null else $at + 60000 end, case when $open and i % 20 = 5 then null
    else $at + 90000 end, case when $open then null else $at + 600000 end, case when i % 20 = 5 then 5 end,
    case when $kept then '{"name":"Анна","channel":"telegram","transcript":[["Анна","Где заказ"]]}' else '{}'
    end from n where i % 10 = 5""",
    """insert into topics(channel, chat, thread, ticket) $numbers select 'telegram', '$desk', '' || $number,
    $number from n where i % 10 = 5""",
    """insert into timers(key, conversation, kind, due, created, cancelled) $numbers select 'goal:' ||
    $number, $own, 'desk.goal', $at + 900000, $at, $at + 90000 from n where i % 10 = 5""",
    """insert into outbox(id, dedupe, channel, chat, thread, lane, verb, conversation, turn, payload,
    on_doubt, status, tries, created, due, started, settled, message) $numbers select 2 * i - 1, i || ':0',
    'telegram', '' || $own, '', 0, 'say', $own, i, case when $kept then
    '{"to":{"channel":"telegram","chat":"' || $own || '"},"text":{"text":"' || $told ||
    '"},"buttons":[[{"label":"Да","action":"helped","value":"a1"}]]}' else $blank_out end, 'resend', 'sent',
    1, $at + 900, $at + 900, $at + 950, $at + 990, 'b' || i from n""",
    """insert into outbox(id, dedupe, channel, chat, thread, lane, verb, name, ticket, conversation, turn,
    payload, on_doubt, status, tries, created, due, started, settled, message) $numbers select 2 * i, i ||
    ':1', 'telegram', '$desk', '' || $number, 0, 'say', 'card:' || $number, $number, $own, i, case when $kept
    then '{"to":{"channel":"telegram","chat":"$desk"},"text":{"text":"Обращение ' || $number ||
    ' · Анна Ильина · ' || $asked || '"}}' else $blank_out end, 'resend', 'sent', 1, $at + 900, $at + 900,
    $at + 950, $at + 990, 'c' || i from n where i % 10 = 5""",
    """insert into history(id, conversation, at, author, name, text, message) $numbers select 2 * i - 1, $own,
    $at, 'customer', 'Анна', case when $kept then $asked else '' end, 'm' || i from n""",
    """insert into history(id, conversation, at, author, text, outbound) $numbers select 2 * i, $own, $at +
    900, 'bot', case when $kept then $told else '' end, 2 * i - 1 from n""",
    """insert into events(id, kind, at, conversation, ticket, actor, data) $numbers select 3 * i - 2, 'heard',
    $at, $own, case when i % 10 between 5 and 8 then $number end, '',
    '{"channel":"telegram","dialog":"faq","result":"answered","seconds":6.0}' from n""",
    """insert into events(id, kind, at, conversation, ticket, actor, data) $numbers select 3 * i - 1, case i %
    10 when 5 then 'ticket_opened' when 7 then 'unanswered' when 8 then 'feedback' when 9 then
    'operator_wrote' else 'answered' end, $at + case when i % 10 = 8 then 5000 else 900 end, $own, case when
    i % 10 between 5 and 8 then $number end, '', case i % 10 when 8 then '{"article":"a1","helped":true}' when
    5 then '{"reason":"asked"}' else '{"article":"a1"}' end from n""",
    """insert into events(id, kind, at, conversation, ticket, actor, data) $numbers select 3 * i, case i % 10
    when 5 then 'ticket_taken' when 6 then 'first_reply' when 7 then 'ticket_closed' when 8 then 'rated' else
    'sla_near' end, $at + 60000, $own, case when i % 10 between 5 and 8 then $number end, $operator, case when
    i % 10 = 8 then '{"rating":5}' else '{}' end from n""",
)
_JOINED = """insert into settings(name, value) with recursive n(i) as (select cast(1 as bigint)
    union all select i + 1 from n where i < 2000) select
    'joined:' || i, '{"into":' || (i + 50000) || ',"conversations":[],"fields":[]}'
    from n"""


def statements(first: int) -> Iterator[str]:
    """The rows of all messages from *first* on, a statement a table."""
    parts = dict(_PARTS, first=str(first))
    parts["numbers"] = Template(_NUMBERS).substitute(parts)
    for statement in _STATEMENTS:
        yield Template(statement).substitute(parts)
    if first == YEARS:
        yield _JOINED
