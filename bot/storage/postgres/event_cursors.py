"""How far the events were passed on, between engines and servers.

In PostgreSQL a cursor is the transaction and the number of the last event that was passed on, or the number
alone (`bot/storage/queries/announcements.py`). Transactions are counted by each server for itself, so a
cursor that goes elsewhere is told by the number alone: everything up to it was passed on. Where numbers and
transactions disagree about the order, what was passed on may be passed on again, and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.storage.database import Database

EVENTS_OF = "hook-"  # begins the names of these cursors; those of channels belong to the platforms
_RESTORED = """select coalesce(max(xid), 0) >= cast(cast(pg_snapshot_xmax(pg_current_snapshot()) as text) as
  bigint) from events"""


def by_number(db: Database) -> Mapping[str, str]:
    """The cursors of events, each as a number of an event."""
    found = {}
    for name, value in db.execute("select channel, value from cursors").fetchall():
        if name.startswith(EVENTS_OF) and ":" in value:
            xid, _, id = value.rpartition(":")
            row = db.execute("select min(id) from events where (xid, id) > (?, ?)", (int(xid), int(id)))
            first = row.fetchone()[0]
            found[name] = id if first is None or first > int(id) else str(first - 1)
    return found


def begin_anew(db: Database) -> bool:
    """Count the transactions of the events anew where another server counted them: after pg_restore they
    would be of the future, and nothing would be passed on. Whether that was so.
    """
    if not db.execute(_RESTORED).fetchone()[0]:
        return False
    cursors = by_number(db)
    db.execute("update events set xid = 0 where xid <> 0")
    for name, number in cursors.items():
        db.execute("update cursors set value = ? where channel = ?", (number, name))
    return True
