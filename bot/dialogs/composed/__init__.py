"""Answers that the assistant picks out of an article: its sentences, in the article's own words."""
