"""The fifth step: what people at work hand in beside words, and what customers suggest."""

from __future__ import annotations

STATEMENTS = (
    # a file that somebody attached on a page, in parts of base64, so that a row is never large
    """create table file_parts(
      file text not null, part integer not null, conversation integer not null references conversations,
      at integer not null, content text not null, primary key(file, part)) strict""",
    "create index file_parts_conversation on file_parts(conversation)",
    # what customers suggest; a support has the number of its idea in `joined`, and mostly no words
    """create table ideas(
      id integer primary key autoincrement, conversation integer not null references conversations,
      at integer not null, text text not null, joined integer not null default 0,
      status text not null default 'new', reason text not null default '', changed integer) strict""",
    "create index ideas_conversation on ideas(conversation)",
    "create index ideas_worded on ideas(id) where text <> ''",
    "create index file_parts_at on file_parts(at) where part = 0",
    # what a file of the articles held after a step on the pages; without content it was taken away
    """create table article_versions(
      id integer primary key autoincrement, article text not null, at integer not null,
      actor text not null default '', act text not null, reason text not null default '',
      content text) strict""",
    "create index article_versions_article on article_versions(article, id)",
)
