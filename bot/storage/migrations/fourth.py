"""The fourth step: a turn tells from which version of the articles it was decided; the history can be read by
time.
"""

from __future__ import annotations

STATEMENTS = (
    "alter table turns add column articles text not null default ''",
    # of the lease under which it was taken last; with one process always 0
    "alter table outbox add column epoch integer not null default 0",
    "create index history_at on history(at)",
)
