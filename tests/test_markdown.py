"""Markdown as editors write it becomes text as chats show it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.model import RichText, Span, Style
from bot.text.markdown import INDENT, cut, fill, join, plain, to_rich


def looks(markdown: str) -> list[tuple[Style, str, str]]:
    rich = to_rich(markdown)
    return [(s.style, rich.text[s.offset : s.offset + s.length], s.url) for s in rich.spans]


def test_emphasis_becomes_spans() -> None:
    """Bold, italic, strike and code leave their marks behind and keep their place."""
    assert plain("**a** *b* ~~c~~ `d`") == "a b c d"
    assert looks("**a** *b* ~~c~~ `d`") == [
        (Style.BOLD, "a", ""),
        (Style.ITALIC, "b", ""),
        (Style.STRIKE, "c", ""),
        (Style.CODE, "d", ""),
    ]


def test_offsets_count_characters_after_emoji() -> None:
    """An emoji is one character for spans, whatever the platforms count."""
    rich = to_rich("🙂 **жирно**")
    assert rich.spans == (Span(Style.BOLD, 2, 5),)


def test_heading_is_a_bold_line() -> None:
    """A heading stands alone in bold."""
    assert plain("# Цены\nтекст") == "Цены\n\nтекст"
    assert looks("## Цены **сегодня**") == [(Style.BOLD, "Цены сегодня", "")]


def test_nested_lists_keep_marks_and_indent() -> None:
    """Bullets and numbers survive, inner lists are indented with spaces no channel folds, spans move
    along.
    """
    markdown = "3. раз\n   - **да**\n   - нет\n4. два"
    assert plain(markdown) == f"3. раз\n{INDENT}• да\n{INDENT}• нет\n4. два"
    assert looks(markdown) == [(Style.BOLD, "да", "")]


def test_table_of_two_columns_reads_as_pairs() -> None:
    """Two columns: the heads stand above, each row is a pair."""
    assert (
        plain("| Город | Цена |\n|---|---|\n| Казань | 220 ₽ |\n| Москва | **150 ₽** |")
        == "Город — Цена\nКазань — 220 ₽\nМосква — 150 ₽"
    )


def test_wide_table_names_its_values() -> None:
    """With three or more columns each value carries its column's name, and empty cells say nothing."""
    rows = "| Город | В пункт выдачи | ПВЗ |\n|---|---|---|\n| Казань | 220 ₽ | 100 ₽ |\n| Москва | | 90 ₽ |"
    assert plain(rows) == "Казань — в пункт выдачи: 220 ₽, ПВЗ: 100 ₽\nМосква — ПВЗ: 90 ₽"


def test_quotes_and_callouts() -> None:
    """A quote is styled as one; a callout loses its sign and shows its title in bold."""
    assert looks("> раз\n> два") == [(Style.QUOTE, "раз\nдва", "")]
    assert looks("> [!warning] Важно\n> текст") == [
        (Style.QUOTE, "Важно\nтекст", ""),
        (Style.BOLD, "Важно", ""),
    ]
    assert looks("> [!note]\n> текст") == [(Style.QUOTE, "текст", "")]


def test_links_lead_to_the_web_only() -> None:
    """Web, mail and phone links are links; relative files and app links are just their words."""
    assert looks("[сайт](https://a.b/?q=1&r=я)") == [(Style.LINK, "сайт", "https://a.b/?q=1&r=я")]
    assert looks("[x](tg://user?id=1) [y](javascript:alert(1)) [z](../file.md)") == []
    assert plain("[x](tg://user?id=1) [z](../file.md)") == "x z"


def test_wiki_links_become_their_words_and_pictures_nothing() -> None:
    """[[page|words]] shows words, [[folder/page]] the page, ![[picture]] and images disappear with their
    paragraph.
    """
    assert plain("[[a/b|Как вернуть]] и [[a/Доставка]]") == "Как вернуть и Доставка"
    assert plain("раз\n\n![[x.png]]\n\n![alt](y.png)\n\nдва") == "раз\n\nдва"
    assert plain("`[[a]]`") == "[[a]]"


def test_html_styles_as_markdown_would_and_does_nothing_else() -> None:
    """Tags that only style are what they look like, where they are closed; all others are words."""
    assert looks("<b>x</b> <i>y</i><br>z") == [(Style.BOLD, "x", ""), (Style.ITALIC, "y", "")]
    assert plain("<b>x</b> <i>y</i><br>z") == "x y\nz"
    for words in (
        "<script>alert(1)</script>",
        "<b>x",
        "<b onclick=x>y</b>",
        "<имя>",
        "введите <token>",
        "1 < 2 и 3 > 2",
    ):
        assert (plain(words), looks(words)) == (words, [])


@pytest.mark.parametrize(
    "words",
    [
        "2019.", "500)", "-", "+", "*", "#", "007.", "60*40*20 см", "2*2=4, 3*3=9", "5*x*3", "10~~20~~30",
        "5%% … 10%%", "5%%, 10%%",
        ">5 кг — 300 ₽", "[Важно]: звоните", "[сайт]: https://a.ru", "a==b==c", "м ^2", "1. a\n3. b",
        "500) руб", "1) а\n2) б", "1. а\n2.\n3. в",
        "`%% a %%` <!", "% %% ", "x_1_2", "№ 1*",
    ],
)  # fmt: skip
def test_words_that_only_look_like_markup_stay(words: str) -> None:
    """A number alone, sizes, percents: what an editor wrote is what a customer reads."""
    assert plain(words) == words.replace("`", "").strip()


def test_remarks_are_never_shown_and_never_taken_out_of_code() -> None:
    """Over several paragraphs, in the middle of one, in both ways of writing; a fence shows everything."""
    assert plain("раз\n\n%%\nтайна\n\n# тайна\n%%\n\nдва <!-- тайна\nтайна -->три") == "раз\n\nдва три"
    assert (
        plain("```\n%% a %%\n<!-- b -->\n[[c]]\n```\n\n    %% d %%")
        == "%% a %%\n<!-- b -->\n[[c]]\n\n%% d %%"
    )


def test_tasks_headings_and_highlights() -> None:
    """Boxes are boxes, a line under words makes a heading, == marks."""
    assert plain("- [ ] раз\n- [x] два") == "• ☐ раз\n• ☑ два"
    assert looks("Введение\n========\n==важно== 60*40*20 *да*") == [
        (Style.BOLD, "Введение", ""), (Style.BOLD, "важно", ""), (Style.ITALIC, "да", ""),
    ]  # fmt: skip
    assert looks("[а][1] ![б](https://a.ru/b.png)\n\n[1]: https://a.ru") == [
        (Style.LINK, "а", "https://a.ru"), (Style.LINK, "б", "https://a.ru/b.png"),
    ]  # fmt: skip


_WORDS = st.text(
    st.characters(categories=("L", "N"), include_characters=" ,.;:?!%*+-=()/№«»—₽"), min_size=1, max_size=60
)


@given(_WORDS)
def test_a_line_without_markup_arrives_as_written(words: str) -> None:
    """Letters, numbers and the signs of everyday texts, in any order: only the spaces around are not kept."""
    line = " ".join(words.split())
    if re.search(r"%%|==|(?:^|[^\w*])\*+[^\s*]|\*\*|\]\(", line) or re.match(r"[-+*]\s|[-*=_ ]{2,}$", line):
        return  # markup, by the rules of Markdown
    assert plain(line) == line


def test_line_breaks_of_the_editor_are_kept() -> None:
    """A new line in the file is a new line in the chat."""
    assert plain("раз\nдва") == "раз\nдва"


MARKS = [
    "**",
    "*",
    "_",
    "~~",
    "`",
    "```\n",
    "> ",
    "# ",
    "- ",
    "[",
    "](https://a.example)",
    "\n\n",
    "👍",
    "\\",
]


@given(st.lists(st.sampled_from([*MARKS, "слово", " "]) | st.text(max_size=9), max_size=40).map("".join))
@example("**раз** [два](https://a.example) `три`")
def test_any_text_gives_spans_inside_it(markdown: str) -> None:
    """Whatever is written, nothing raises and every span lies within the text."""
    rich = to_rich(markdown)
    assert all(s.offset >= 0 and s.length > 0 and s.offset + s.length <= len(rich.text) for s in rich.spans)


def test_cut_and_join_carry_styles() -> None:
    """Cutting shortens the spans at the border, joining moves them."""
    rich = to_rich("раз **два три**")
    assert cut(rich, 4, 7) == RichText("два", (Span(Style.BOLD, 0, 3),))
    assert join(("a", cut(rich, 4, 7)), "\n") == RichText("a\nдва", (Span(Style.BOLD, 2, 3),))


def test_facts_are_filled_in_after_parsing() -> None:
    """A placeholder becomes its fact; spans around and after it move, the fact's own are kept."""
    rich = to_rich("**\ue0000\ue001!** и *\ue0001\ue001*")
    filled = fill(rich, [RichText("**а**"), to_rich("`я`")])
    assert filled.text == "**а**! и я"
    assert filled.spans == (Span(Style.BOLD, 0, 6), Span(Style.ITALIC, 9, 1), Span(Style.CODE, 9, 1))
