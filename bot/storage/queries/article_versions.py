"""What the files of the articles held after each step on the pages, so that any replica can bring it back."""

from __future__ import annotations

from bot.storage.base import ArticleVersion
from bot.storage.codec import moment, ms
from bot.storage.database import Database

MOST = 100  # versions of one file


def keep(db: Database, version: ArticleVersion) -> None:
    """Keep it, and let go of what is older than the newest ones."""
    db.execute(
        "insert into article_versions(article, at, actor, act, reason, content) values(?, ?, ?, ?, ?, ?)",
        (version.article, ms(version.at), version.actor, version.act, version.reason, version.content),
    )
    oldest = db.execute(
        "select id from article_versions where article = ? order by id desc limit 1 offset ?",
        (version.article, MOST - 1),
    ).fetchone()
    if oldest is not None:
        db.execute(
            "delete from article_versions where article = ? and id < ?", (version.article, oldest["id"])
        )


def of(db: Database, article: str) -> tuple[ArticleVersion, ...]:
    """The kept versions of a file, the newest first."""
    rows = db.execute("select * from article_versions where article = ? order by id desc", (article,))
    return tuple(
        ArticleVersion(
            row["article"],
            moment(row["at"]),
            row["actor"],
            row["act"],
            row["content"],
            row["reason"],
            row["id"],
        )
        for row in rows
    )
