"""The first shape. Times are milliseconds UTC, JSON is text; partial indexes hold only what is still open.

Hot paths name their index (`indexed by`): without statistics the planner likes the wrong ones. What is asked
once a year (export, forgetting) has no index: each one costs every message.
"""

from __future__ import annotations

STATEMENTS = (
    """create table customers(
      id integer primary key autoincrement, name text not null default '', last_name text not null default '',
      username text not null default '', language text not null default 'ru', gender text not null default '',
      fields text not null default '{}',
      -- the names as the platform last told them: ours change only when these do
      told text not null default '',
      created integer not null, erased integer) strict""",
    """create table conversations(
      id integer primary key autoincrement, channel text not null, chat text not null,
      thread text not null default '',
      private integer not null, customer integer references customers,
      status text not null default 'bot' check(status in ('bot', 'waiting', 'operator')),
      state text not null default '{}', version integer not null default 0, ticket integer,
      reachable integer not null default 1,
      ready_at integer,    -- when its waiting inbounds may be taken; null = none wait
      ready_max integer,   -- the latest `ready` of those that wait
      limit_at integer,    -- never later than this
      rest_until integer,  -- after a failure: not before this
      attempts integer not null default 0, error text not null default '', created integer not null,
      unique(channel, chat, thread)) strict""",
    "create index conversations_ready on conversations(ready_at) where ready_at is not null",
    "create index conversations_customer on conversations(customer) where customer is not null",
    """create table turns(
      id integer primary key autoincrement, conversation integer not null references conversations,
      subject integer references conversations, ticket integer, at integer not null, dialog text not null,
      result text not null,
      reason text not null, text text not null, why text not null, error text not null default '') strict""",
    "create index turns_conversation on turns(conversation, id)",
    "create index turns_subject on turns(subject) where subject is not null",
    """create table inbox(
      id integer primary key, channel text not null, key text not null,
      conversation integer not null references conversations, kind text not null, at integer not null,
      received integer not null,
      ready integer not null, limit_at integer not null, message text not null default '',
      payload text not null,
      turn integer references turns, done_at integer, result text,
      check((done_at is null) = (result is null)), unique(channel, key)) strict""",
    "create index inbox_waiting on inbox(conversation, id, ready, limit_at) where done_at is null",
    """create trigger inbox_result_once before update of result, done_at on inbox when old.result is not null
      begin select raise(abort, 'an inbound has exactly one result'); end""",
    """create table tickets(
      number integer primary key, conversation integer not null references conversations,
      channel text not null, chat text not null, thread text not null,
      status text not null check(status in ('waiting', 'operator', 'snoozed', 'closed')),
      reason text not null default '', topic text not null default '', category text not null default '',
      priority integer not null default 0, operator text not null default '',
      operator_name text not null default '',
      opened integer, taken integer, first_reply integer, closed integer, due integer, rating integer,
      version integer not null default 0, data text not null default '{}') strict""",
    "create unique index tickets_open on tickets(conversation) where status <> 'closed'",
    "create index tickets_conversation on tickets(conversation, number)",
    "create index tickets_status on tickets(status, number)",
    "create index tickets_replied on tickets(number) where first_reply is not null",
    """create table topics(
      channel text not null, chat text not null, thread text not null, ticket integer not null,
      primary key(channel, chat, thread), unique(ticket, channel, chat)) strict""",
    """create table outbox(
      id integer primary key autoincrement, dedupe text unique,
      channel text not null, chat text not null, thread text not null, lane integer not null,
      verb text not null, name text not null default '', edits text not null default '',
      quotes text not null default '',
      mirrors text not null default '', ticket integer, conversation integer references conversations,
      turn integer references turns, payload text not null,
      on_doubt text not null check(on_doubt in ('resend', 'hold')),
      status text not null default 'pending'
        check(status in ('pending', 'sending', 'sent', 'unknown', 'failed', 'cancelled')),
      -- below 0 = goes before what was enqueued earlier (a remade topic's history)
      place integer not null default 0,
      -- 1 = the oldest open row of its (channel, chat, thread, lane): only it may go
      head integer not null default 0,
      tries integer not null default 0, doubts integer not null default 0,
      created integer not null, due integer not null, started integer, settled integer,
      message text not null default '', error text not null default '') strict""",
    (
        "create index outbox_open on outbox(channel, chat, thread, lane, place, id) where status in"
        " ('pending', 'sending')"
    ),
    "create index outbox_heads on outbox(channel, lane, due, id) where head = 1 and status = 'pending'",
    "create index outbox_ended on outbox(status) where status in ('unknown', 'failed', 'cancelled')",
    "create index outbox_message on outbox(channel, chat, message) where message <> ''",
    "create index outbox_name on outbox(channel, chat, name) where name <> ''",
    """create table history(
      id integer primary key, conversation integer not null references conversations, at integer not null,
      author text not null check(author in ('customer', 'bot', 'operator', 'note', 'system')),
      name text not null default '',
      text text not null, attachments text not null default '[]', message text not null default '',
      outbound integer) strict""",
    "create index history_conversation on history(conversation, id)",
    "create index history_outbound on history(outbound) where outbound is not null",
    """create table timers(
      id integer primary key autoincrement, key text not null,
      conversation integer not null references conversations,
      kind text not null, due integer not null, data text not null default '{}', created integer not null,
      fired integer, cancelled integer) strict""",
    "create unique index timers_key on timers(key) where fired is null and cancelled is null",
    "create index timers_due on timers(due, id) where fired is null and cancelled is null",
    """create table events(
      id integer primary key, kind text not null, at integer not null, conversation integer, ticket integer,
      actor text not null default '', data text not null default '{}') strict""",
    "create index events_at on events(at)",
    "create table cursors(channel text primary key, value text not null, moved integer not null) strict",
    "create table settings(name text primary key, value text not null) strict",
)
