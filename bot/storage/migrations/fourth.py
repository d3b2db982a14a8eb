"""The fourth step: a turn tells from which version of the articles it was decided; and what years of history
would slow down is looked up by an index, or counted once.

`INDEXES` are the same in PostgreSQL. Each costs every row that it holds, so each holds as few as it can.
"""

from __future__ import annotations

# Kinds of events that come with every message or every ticket: looked for by time.
FREQUENT = (
    "heard",
    "answered",
    "clarified",
    "not_helped",
    "unanswered",
    "feedback",
    "operator_wrote",
    "customer_wrote",
    "ticket_opened",
    "ticket_taken",
    "first_reply",
    "ticket_closed",
    "rating_asked",
    "rated",
    "ready_sent",
    "ready_edited",
)
RARE = f"kind not in {FREQUENT}"  # as a query has to say it for the index to be used
BLANK_OUT = '{"to":{"channel":"","chat":""}}'  # a delivery without words
UNNAMED = f"ticket is null and desk = 1 and payload <> '{BLANK_OUT}'"

INDEXES = (
    "create index events_rare on events(kind, at) where " + RARE,
    # all about a customer: to export and to forget
    "create index turns_ticket on turns(ticket) where ticket is not null",
    "create index inbox_turn on inbox(turn) where turn is not null",
    "create index outbox_conversation on outbox(conversation) where conversation is not null",
    "create index outbox_ticket on outbox(ticket) where ticket is not null",
    "create index outbox_turn on outbox(turn) where turn is not null",
    "create index outbox_desk on outbox(id) where " + UNNAMED,
    "create index events_conversation on events(conversation) where conversation is not null",
    "create index events_ticket on events(ticket) where ticket is not null",
    "create index timers_conversation on timers(conversation)",
    # the list of conversations
    "create index history_at on history(at, id)",
    # what the rounds look for
    "create index conversations_unattended on conversations(id) where status <> 'bot' and ticket is null",
    "create index tickets_closed on tickets(status, closed, number)",
    "create index customers_phone on customers(json_extract(fields, '$.\"phone\"'))",
    "create index customers_email on customers(json_extract(fields, '$.\"email\"'))",
    "create index settings_joined on settings(cast(json_extract(value, '$.into') as text))"
    " where name like 'joined:%'",
    "create index customers_erased on customers(id) where erased is not null",
)
STATEMENTS = (
    "alter table turns add column articles text not null default ''",
    # of the lease under which it was taken last; with one process always 0
    "alter table outbox add column epoch integer not null default 0",
    # 1 = for the desk or its people: it may name customers whom it is not about
    "alter table outbox add column desk integer not null default 0",
    """update outbox set desk = 1 where ticket is null and (instr(payload, '"author":""') > 0
      or turn in (select id from turns where dialog = 'desk') or not exists(select 1 from conversations c
      where c.channel = outbox.channel and c.chat = outbox.chat and c.thread = outbox.thread and c.customer is
      not null))""",
    # up to which row something was looked at, and how many were counted
    """create table row_cursors(
      name text primary key, upto integer not null, number integer not null default 0) strict""",
    # rows below the mark that could not be blanked yet
    "create table purge_later(name text not null, id integer not null, primary key(name, id)) strict",
    *INDEXES,
)
