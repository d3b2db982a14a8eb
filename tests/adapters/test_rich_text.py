"""Text on its way to a platform keeps its words, its look and its limits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.rich_text import (
    VK_STYLES,
    degrade,
    fit,
    from_entities,
    placeholder,
    plain,
    split,
    tidy,
    to_entities,
    to_format_data,
    utf16_length,
    with_heading,
)
from bot.adapters.sanitize import clean_file_name, clean_json, clean_rich, clean_text
from bot.model import Attachment, Media, RichText, Span, Style

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇷🇺"
CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
    st.sampled_from(["👍", FAMILY, FLAG, "é", " ", "\n", "\n\n", ". ", "слово", "👋🏽", "\r\n", "1️⃣"]),
)
TEXTS = st.lists(CHARACTERS, max_size=60).map("".join)
LINKS = st.sampled_from(
    ["https://example.com/a?b=1", "http://x.ru", "mailto:a@b.ru", "tg://resolve?domain=x"]
)


@st.composite
def rich_texts(draw: st.DrawFn, styles: tuple[Style, ...] = tuple(Style)) -> RichText:
    text = draw(TEXTS)
    spans = []
    for _ in range(draw(st.integers(0, 5))):
        style = draw(st.sampled_from(styles))
        offset, length = draw(st.integers(-3, len(text) + 3)), draw(st.integers(-1, len(text) + 3))
        spans.append(Span(style, offset, length, draw(LINKS) if style is Style.LINK else ""))
    return RichText(text, tuple(spans))


FREE = tuple(
    s for s in Style if s not in (Style.CODE, Style.PRE, Style.TABLE)
)  # Telegram has no entity of tables


def looks(rich: RichText) -> list[tuple[str, frozenset[tuple[Style, str]]]]:
    """Each visible character with the styles it has."""
    result = []
    for i, c in enumerate(rich.text):
        if not c.isspace():
            result.append(
                (
                    c,
                    frozenset(
                        (s.style, s.url) for s in tidy(rich).spans if s.offset <= i < s.offset + s.length
                    ),
                )
            )
    return result


def stretch(entity: Mapping[str, object]) -> tuple[int, int]:
    """Where an entity begins and ends."""
    begin, length = entity["offset"], entity["length"]
    assert isinstance(begin, int) and isinstance(length, int)
    return begin, begin + length


@given(rich_texts(FREE))
def test_entities_come_back_as_they_were(rich: RichText) -> None:
    """Any styled text turned into Telegram's entities and back looks the same."""
    assert from_entities(rich.text, to_entities(rich)) == tidy(rich)


@given(rich_texts())
def test_entities_lie_inside_the_text_and_on_whole_characters(rich: RichText) -> None:
    """Offsets count UTF-16 units, never outside the text and never inside a surrogate pair."""
    units = rich.text.encode("utf-16-le")

    for entity in to_entities(rich):
        begin, end = stretch(entity)
        assert end > begin >= 0 and end <= len(units) // 2
        units[2 * begin : 2 * end].decode("utf-16-le")


@given(rich_texts())
def test_code_holds_no_other_style(rich: RichText) -> None:
    """Telegram refuses styles inside code, so none is sent there."""
    entities = to_entities(rich)
    codes = [e for e in entities if e["type"] in ("code", "pre")]

    for code in codes:
        begin, end = stretch(code)
        inside = [e for e in entities if e is not code and stretch(e)[0] < end and begin < stretch(e)[1]]
        assert all(e["type"] == "blockquote" for e in inside)


@given(rich_texts(), st.integers(2, 40))
def test_pieces_fit_and_lose_nothing_visible(rich: RichText, limit: int) -> None:
    """Pieces keep the limit, and together show every character in its style."""
    pieces = split(rich, limit)

    assert all(utf16_length(p.text) <= limit for p in pieces)
    assert [c for p in pieces for c in looks(p)] == looks(rich)
    assert all(p.text.strip() for p in pieces) or utf16_length(rich.text) <= limit


@given(rich_texts(), st.integers(2, 40))
def test_pieces_have_spans_of_their_own(rich: RichText, limit: int) -> None:
    """A span over a cut is cut with the text and never points outside its piece."""
    pieces = split(rich, limit)

    if len(pieces) > 1:
        assert all(
            s.offset >= 0 and s.length > 0 and s.offset + s.length <= len(p.text)
            for p in pieces
            for s in p.spans
        )


def test_a_text_that_fits_stays_whole() -> None:
    """Exactly the limit is one piece, one unit more is two."""
    assert len(split(RichText("а" * 4096), 4096)) == 1
    assert [len(p.text) for p in split(RichText("а" * 4097), 4096)] == [4096, 1]


def test_4096_emoji_are_two_messages() -> None:
    """An emoji is two units, so 4096 of them do not fit one message."""
    pieces = split(RichText("👍" * 4096), 4096)

    assert [len(p.text) for p in pieces] == [2048, 2048]


def test_paragraphs_come_before_lines_and_lines_before_words() -> None:
    """The cut is made where a reader would make it."""
    paragraphs = RichText("один два три\nчетыре\n\nпять шесть семь восемь")
    lines = RichText("один два три четыре\nпять шесть семь восемь")
    sentences = RichText("Один два три четыре. Пять шесть семь восемь")
    words = RichText("один два три четыре пять шесть семь восемь")

    assert [p.text for p in split(paragraphs, 30)] == ["один два три\nчетыре", "пять шесть семь восемь"]
    assert [p.text for p in split(lines, 26)] == ["один два три четыре", "пять шесть семь восемь"]
    assert [p.text for p in split(sentences, 26)] == ["Один два три четыре.", "Пять шесть семь восемь"]
    assert [p.text for p in split(words, 26)] == ["один два три четыре пять", "шесть семь восемь"]


@pytest.mark.parametrize("one", [FAMILY, FLAG, "👋🏽", "e\u0301", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
@pytest.mark.parametrize("more", [1, 2])
def test_a_character_people_see_as_one_is_not_torn(one: str, more: int) -> None:
    """Families, flags, skin tones and accents stay together at a cut."""
    pieces = split(RichText(one * 50), utf16_length(one) * 3 + more)

    assert len(pieces) > 1 and all(p.text == one * (len(p.text) // len(one)) for p in pieces)


def test_the_indent_of_code_survives_a_cut() -> None:
    """The line after a cut keeps the spaces it begins with."""
    pieces = split(RichText("первая строка\n    вторая строка"), 20)

    assert [p.text for p in pieces] == ["первая строка", "    вторая строка"]


def test_a_megabyte_is_split_in_good_time() -> None:
    """A huge text becomes pieces in linear time."""
    pieces = split(RichText("слово 👍 " * 120_000, (Span(Style.BOLD, 0, 900_000),)), 4096)

    assert len(pieces) > 200 and all(utf16_length(p.text) <= 4096 for p in pieces)


def test_nothing_visible_gives_no_pieces() -> None:
    """A long stretch of blanks has nothing to send."""
    assert split(RichText(" " * 100), 10) == ()


def test_a_piece_must_have_room() -> None:
    """A limit that no emoji fits is the caller's mistake."""
    with pytest.raises(ValueError, match="limit"):
        split(RichText("а"), 1)


@given(TEXTS, st.integers(0, 30))
def test_fit_gives_a_beginning(text: str, limit: int) -> None:
    """A cut name is a beginning of the name and keeps the limit, but for one torn character at the very
    start.
    """
    short = fit(text, limit)

    assert text.startswith(short)
    assert utf16_length(short) <= max(limit, 2)


def test_foreign_entities_are_taken_with_care() -> None:
    """Unknown kinds, numbers from nowhere and offsets inside an emoji never raise."""
    text = "👍 да"
    entities = [
        {"type": "mention", "offset": 0, "length": 2},
        {"type": "bold", "offset": 1, "length": 1000},
        {"type": "italic", "offset": "x", "length": 2},
        {"type": "expandable_blockquote", "offset": 3, "length": 2},
        {"type": "text_link", "offset": 3, "length": 2, "url": "https://a.ru"},
    ]

    assert from_entities(text, entities).spans == (
        Span(Style.BOLD, 1, 3),
        Span(Style.QUOTE, 2, 2),
        Span(Style.LINK, 2, 2, "https://a.ru"),
    )


def test_links_nobody_should_open_are_not_sent() -> None:
    """A script address is text, not a link."""
    assert to_entities(RichText("жми", (Span(Style.LINK, 0, 3, "javascript:alert(1)"),))) == []


def test_vk_gets_four_styles_in_utf16() -> None:
    """Bold, italic, underline and links travel, the others become plain text."""
    rich = RichText(
        "👍 да нет",
        (Span(Style.BOLD, 2, 2), Span(Style.SPOILER, 5, 3), Span(Style.LINK, 5, 3, "https://a.ru")),
    )

    assert to_format_data(degrade(rich, VK_STYLES)) == {
        "version": 1,
        "items": [
            {"type": "bold", "offset": 3, "length": 2},
            {"type": "url", "offset": 6, "length": 3, "url": "https://a.ru"},
        ],
    }


def test_links_become_words_where_there_are_none() -> None:
    """The address follows the words, unless the words are the address; the other styles move along."""
    rich = RichText(
        "наш сайт и https://b.ru и ещё",
        (
            Span(Style.LINK, 4, 4, "https://a.ru"),
            Span(Style.BOLD, 4, 4),
            Span(Style.LINK, 11, 12, "https://b.ru/"),
            Span(Style.BOLD, 26, 3),
        ),
    )

    shown = degrade(rich, frozenset({Style.BOLD}))

    assert shown.text == "наш сайт (https://a.ru) и https://b.ru и ещё"
    assert [shown.text[s.offset : s.offset + s.length] for s in shown.spans] == ["сайт", "ещё"]
    assert plain(rich) == shown.text


@given(rich_texts())
def test_degrading_keeps_every_word(rich: RichText) -> None:
    """What is taken away is the look, never a character."""
    rest = iter(plain(rich))

    assert all(c in rest for c in rich.text)


def test_a_heading_is_a_bold_first_line() -> None:
    """The heading stands above the words, whose styles move down with them."""
    shown = with_heading(RichText("№ 7"), RichText("да", (Span(Style.ITALIC, 0, 2),)))

    assert shown == RichText("№ 7\nда", (Span(Style.BOLD, 0, 3), Span(Style.ITALIC, 4, 2)))
    assert with_heading(RichText(), RichText("да")) == RichText("да")
    assert with_heading(RichText("№ 7"), RichText()).text == "№ 7"


@pytest.mark.parametrize("media", list(Media))
def test_every_attachment_has_something_to_show(media: Media) -> None:
    """What cannot travel is never nothing, even where nothing is known of it."""
    assert placeholder(Attachment(media)).text.strip()


def test_a_placeholder_says_what_is_known() -> None:
    """Names, sizes, lengths, places and phones are told."""
    told = [
        placeholder(Attachment(Media.DOCUMENT, name="чек.pdf", size=61_000_000)).text,
        placeholder(Attachment(Media.VOICE, duration=72)).text,
        placeholder(Attachment(Media.STICKER, data={"emoji": "😀"})).text,
        placeholder(Attachment(Media.CONTACT, data={"name": "Анна", "phone": "+70000000000"})).text,
        placeholder(Attachment(Media.LOCATION, data={"latitude": 55.75, "longitude": 37.61})).text,
        placeholder(Attachment(Media.OTHER, data={"label": "🎲 5"})).text,
    ]

    assert told == [
        "📎 чек.pdf (61.0 MB)",
        "🎤 1:12",
        "😀",
        "👤 Анна +70000000000",
        "📍 55.75, 37.61",
        "🎲 5",
    ]


def test_poison_is_cleaned_one_for_one() -> None:
    """NUL and lone surrogates never reach a store, and offsets stay right."""
    rich = RichText("a\x00b\ud800c", (Span(Style.BOLD, 4, 1),))

    assert clean_rich(rich) == RichText("a\ufffdb\ufffdc", (Span(Style.BOLD, 4, 1),))
    assert clean_json({"a\x00": ["\udfff", 1, None, {"b": "ok"}]}) == {
        "a\ufffd": ["\ufffd", 1, None, {"b": "ok"}]
    }


@given(st.text())
def test_clean_text_can_be_stored(text: str) -> None:
    """Whatever arrives, what is kept has the same length, encodes as UTF-8 and holds no NUL."""
    cleaned = clean_text(text)

    assert len(cleaned) == len(text) and "\x00" not in cleaned
    cleaned.encode()


@given(st.text(max_size=300))
def test_file_names_are_harmless(name: str) -> None:
    """No path, no quote, no line break, no text-direction trick, and not endless."""
    cleaned = clean_file_name(name)

    assert len(cleaned) <= 120
    assert not set(cleaned) & set('/\\"\r\n\x00\u202e\u2066') and not cleaned.startswith(".")


def test_a_long_file_name_keeps_its_suffix() -> None:
    """The kind of a file stays visible."""
    assert clean_file_name("д" * 300 + ".pdf").endswith(".pdf")
