"""The fourth step: a turn tells from which version of the articles it was decided."""

from __future__ import annotations

STATEMENTS = ("alter table turns add column articles text not null default ''",)
