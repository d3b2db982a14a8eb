"""The second step: who waits is counted by team, without looking into every ticket's data."""

from __future__ import annotations

STATEMENTS = (
    "alter table tickets add column team text not null default ''",  # as in its data
    "update tickets set team = coalesce(json_extract(data, '$.team'), '') where status <> 'closed'",
    "create index tickets_team on tickets(team, priority) where status = 'waiting'",
)
