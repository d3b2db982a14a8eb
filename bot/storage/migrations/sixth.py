"""The sixth step: chats that the business itself shows, on its own pages."""

from __future__ import annotations

STATEMENTS = (
    # who writes there; `last` numbers the lines of their chat, `upto` is the last one they
    # saw, `joined` is the chat in which it goes on
    """create table visitors(
      channel text not null, chat text not null, conversation integer not null references conversations,
      login text not null default '', joined text not null default '', last integer not null default 0,
      upto integer not null default 0, seen integer not null, mailed integer,
      email text not null default '', primary key(channel, chat)) strict""",
    "create unique index visitors_login on visitors(channel, login) where login <> ''",
    "create index visitors_conversation on visitors(conversation)",
    "create index visitors_email on visitors(channel, seen) where email <> ''",
    # what is shown in such a chat, in order; of a message as it is by now
    """create table chat_lines(
      channel text not null, chat text not null, number integer not null, source text not null,
      kind text not null, message text not null, own integer not null default 0,
      edited integer not null default 0, conversation integer not null references conversations,
      at integer not null, payload text not null default '', primary key(channel, chat, number),
      unique(channel, source)) strict""",
    "create index chat_lines_conversation on chat_lines(conversation)",
    "create index chat_lines_at on chat_lines(at)",
)
