"""The fifth step: what people at work hand in beside words."""

from __future__ import annotations

STATEMENTS = (
    # a file that somebody attached on a page, in parts of base64, so that a row is never large
    """create table file_parts(
      file text not null, part integer not null, conversation integer not null references conversations,
      at integer not null, content text not null, primary key(file, part)) strict""",
    "create index file_parts_conversation on file_parts(conversation)",
    "create index file_parts_at on file_parts(at) where part = 0",
)
