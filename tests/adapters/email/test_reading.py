"""Letters that came: own words, files, who wrote them, and what nobody waits for an answer to."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.adapters.email.quotes import own_words
from bot.adapters.email.reading import ORIGINAL, Mailbox, part_of, read_letter
from bot.model import Media
from tests.adapters.email.mail_platform import letter
from tests.fakes.imap_server import USER

BOX = Mailbox(USER, "mx.shop.example")

QUOTES = {
    "gmail ru": (
        "Да, беру\n\nпт, 5 июн. 2026 г. в 12:01, Клевер <help@shop.example>:\n\n> Брать будете?\n> —\n"
    ),
    "gmail en": (
        "Yes please\n\nOn Fri, Jun 5, 2026 at 12:01 PM Clover <help@shop.example> wrote:\n\n> Take it?\n"
    ),
    "gmail broken line": (
        "Да\n\nOn Fri, Jun 5, 2026 at 12:01 PM Clover Customer Care\n<help@shop.example> wrote:\n> Take?\n"
    ),
    "yandex": 'Да\n\n05.06.2026, 12:01, "Клевер" <help@shop.example>:\n> Брать будете?\n\n-- \nАнна\n',
    "mail.ru": "Да\n\nПятница, 5 июня 2026, 12:01 +03:00 от Клевер <help@shop.example>:\nБрать будете?\n",
    "mail.ru old": (
        "Да\n\n>Пятница, 5 июня 2026, 12:01 +03:00 от Клевер <help@shop.example>:\n>Брать будете?\n"
    ),
    "apple": "Да\n\n> 5 июня 2026 г., в 12:01, Клевер <help@shop.example> написал(а):\n> \n> Брать будете?\n",
    "apple phone": (
        "Да\n\nОтправлено с iPhone\n\n> 5 июня 2026 г., в 12:01, Клевер написал(а):\n> \n> Брать?\n"
    ),
    "outlook ru": (
        "Да\n\nС уважением,\nАнна Иванова\n+7 900 000-00-00\n\n"
        "________________________________\nОт: Клевер <help@shop.example>\nОтправлено: 5 июня 2026 г. 12:01\n"
        "Кому: Анна\nТема: Заказ\n\nБрать будете?\n"
    ),
    "outlook en": (
        "Yes\n\n-----Original Message-----\nFrom: Clover [mailto:help@shop.example]\nSent: Friday, June 5\n"
        "To: Anna\nSubject: Order\n\nTake it?\n"
    ),
    "outlook phone": (
        "Да\n\nПолучите Outlook для iOS<https://aka.ms/o0ukef>\n\nFrom: Клевер <help@shop.example>\n"
        "Date: Friday, 5 June 2026\nTo: Anna <anna@example.org>\nSubject: Re: Order\nTake it?\n"
    ),
    "mail.ru app": (
        "Да\n\n"
        "--\nОтправлено из Mail для Android\n\nпятница, 5 июня 2026, 12:01 от Клевер <a@b.ru>:\nБрать?\n"
    ),
    "thunderbird": "Да\n\n05.06.2026 12:01, Клевер пишет:\n> Брать будете?\n",
    "samsung": (
        "Да\n\n"
        "Отправлено с моего Galaxy\n\n-------- Исходное сообщение --------\nОт: Клевер <a@b.ru>\nБрать?\n"
    ),
}


@pytest.mark.parametrize("program", QUOTES)
def test_what_a_program_quotes_and_signs_is_cut(program: str) -> None:
    own = own_words(QUOTES[program])
    assert own.text in ("Да", "Да, беру", "Yes", "Yes please") and not own.forwarded


def test_answers_between_quoted_lines_stay() -> None:
    text = '05.06.2026, 12:01, "Клевер" <a@b.ru>:\n> Какой цвет?\nСиний\n'
    text += "> Куда везти?\nВ Тверь, к 18:00:\nул. Мира, 1\n"
    assert own_words(text).text == "Синий\nВ Тверь, к 18:00:\nул. Мира, 1"


@pytest.mark.parametrize(
    "text",
    [
        "Здравствуйте! Мне написали: заказ готов. Когда забрать?",
        "От: Москва\nДо: Тверь\nСколько стоит?",
        "С уважением отношусь к вашей работе, но где заказ?",
        "Курьер сказал:\nприеду завтра\nне приехал",
        "Размеры: 10 -- 20 см\n--- важно ---\nХрупкое",
        "On Monday I wrote you: no answer",
        "Моя подруга вчера вам написала:\nзаказ не пришёл",
    ],
)
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert own_words(text).text == text


def test_a_forwarded_letter_is_somebody_elses_words() -> None:
    text = "Посмотрите\n\n---------- Forwarded message ---------\n"
    text += "От: Банк <info@bank.example>\nDate: вчера\nSubject: Отказ\n\nПлатёж отклонён\n"
    own = own_words(text)
    assert own.text == "Посмотрите" and own.forwarded == "Платёж отклонён" and "Банк" in own.author


def test_a_forwarded_letter_of_html_alone_is_shown_too() -> None:
    quote = "<div class='gmail_quote'>---------- Forwarded message ---------<br>От: Банк &lt;a@b.ru&gt;<br>"
    read = read_letter(
        html(f"<p>Что это?</p>{quote}Тема: Отказ<br><br>Платёж отклонён</div>").as_bytes(), BOX
    )
    assert (read.text, read.forwarded) == (
        "Заказ\nЧто это?",
        "Платёж отклонён",
    ) and "Банк" in read.forwarded_by


def html(body: str) -> EmailMessage:
    made = letter("", subject="Заказ")
    made.clear_content()
    made.set_content(body, subtype="html")
    return made


def test_html_alone_becomes_words_and_nothing_is_run_or_fetched() -> None:
    read = read_letter(
        html(
            "<html><head><style>p{}</style><title>x</title></head><body><p>Здравствуйте!<br>Где&nbsp;заказ"
            " <b>17</b>?</p><script>alert(1)</script><img src='https://spy.example/p.gif'>"
            "<div style='display:none'>скрыто</div><ul><li>раз</li><li>два</li></ul>"
            "<a href='https://shop.example/17'>мой заказ</a>"
            "<div class='gmail_quote'>On … wrote:<blockquote>старое</blockquote></div></body></html>"
        ).as_bytes(),
        BOX,
    )
    assert read.text == "Здравствуйте!\nГде заказ 17?\n- раз\n- два\nмой заказ (https://shop.example/17)"


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251", "utf-8", "cp866", "wrong-name", ""])
def test_charsets_are_read_also_where_they_are_not_told(charset: str) -> None:
    known = charset if charset not in ("wrong-name", "") else "windows-1251"
    head = "From: =?koi8-r?B?4c7OwQ==?= <anna@example.org>\r\n"
    head += f"Content-Type: text/plain; charset={charset}\r\n\r\n"
    read = read_letter(head.encode() + "Здравствуйте, где мой заказ?".encode(known), BOX)
    assert read.text == "Здравствуйте, где мой заказ?" and read.name == "Анна"


def test_dashes_above_a_question_are_no_signature() -> None:
    """Nothing that asks is cut off: nobody would ever see it."""
    assert own_words("Заказ 17\n--\nКогда привезут?\n\n-- \nАнна").text == "Заказ 17\n--\nКогда привезут?"
    assert own_words("Заказ 17\n--\nАнна\n+7 900 000-00-00").text == "Заказ 17"


def test_files_have_safe_names_and_pictures_of_signatures_are_none() -> None:
    made = letter("Вот чек\n", subject="Re: Заказ")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../../чек.pdf")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="фото.png")
    made.add_attachment("BEGIN:VCALENDAR", subtype="calendar")
    read = read_letter(made.as_bytes(), BOX)

    assert [(f.name, f.media) for f in read.files] == [
        ("чек.pdf", Media.DOCUMENT),
        ("фото.png", Media.PHOTO),
        ("invite.ics", Media.DOCUMENT),
    ]
    assert part_of(made.as_bytes(), read.files[0].ref)[0] == b"%PDF"
    assert part_of(made.as_bytes(), ORIGINAL)[0] == made.as_bytes()

    shown = html(
        "<p>Сломалось: <img src='cid:broken'></p><div class='gmail_signature'><img src='cid:logo'></div>"
    )
    shown.add_related(b"1", maintype="image", subtype="png", cid="<broken>")
    shown.add_related(b"2", maintype="image", subtype="png", cid="<logo>")
    read = read_letter(shown.as_bytes(), BOX)
    assert len(read.files) == 1 and part_of(shown.as_bytes(), read.files[0].ref)[0] == b"1"


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        ("Где заказ 17?", "Жду неделю", "Где заказ 17?\nЖду неделю"),
        ("Вопрос", "Где заказ?", "Где заказ?"),
        ("Где заказ", "Здравствуйте! Где заказ?", "Здравствуйте! Где заказ?"),
        ("Где заказ?", "", "Где заказ?"),
        ("Re: Где заказ?", "Жду", "Жду"),
    ],
)
def test_the_subject_of_a_new_letter_is_a_part_of_the_question(
    subject: str, text: str, expected: str
) -> None:
    assert read_letter(letter(text, subject=subject).as_bytes(), BOX).text == expected


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Auto-Submitted": "auto-replied"}, "auto_reply"),
        ({"Auto-Submitted": "auto-generated; x=1"}, "auto_reply"),
        ({"X-Autoreply": "yes"}, "auto_reply"),
        ({"Precedence": "bulk"}, "list"),
        ({"List-Id": "<news.example>"}, "list"),
        ({"Return-Path": "<>"}, "auto_reply"),
        ({"X-Loop": USER}, "own"),
        ({"From": f"Мы <{USER}>"}, "own"),
        ({"From": "No Reply <no-reply@bank.example>"}, "no_reply"),
        ({"From": "MAILER-DAEMON@example.org"}, "bounce"),
        ({"Subject": "Автоответ: в отпуске"}, "auto_reply"),
        ({"Auto-Submitted": "no"}, ""),
        ({"From": f"Сайт <{USER}>", "Reply-To": "anna@example.org"}, ""),
    ],
)
def test_nobody_waits_for_an_answer_to_machines(headers: dict[str, str], why: str) -> None:
    made = letter("Заявка с сайта")
    for name, value in headers.items():
        del made[name]
        made[name] = value
    assert read_letter(made.as_bytes(), BOX).automatic == why


@pytest.mark.parametrize(
    ("results", "doubtful"),
    [
        (["mx.shop.example; dmarc=pass header.from=example.org"], False),
        (["mx.shop.example; spf=fail smtp.mailfrom=example.org; dkim=none; dmarc=fail"], True),
        (["mx.shop.example; spf=softfail smtp.mailfrom=example.org; dkim=pass header.d=example.org"], False),
        (["mx.shop.example; spf=pass smtp.mailfrom=bulk.example; dkim=fail header.d=example.org"], True),
        (["evil.example; dmarc=fail", "mx.shop.example; dmarc=pass"], False),
        (["mx.shop.example; dmarc=fail", "mx.shop.example; dmarc=pass"], True),
        (["mx.shop.example (evil; dmarc=pass); dmarc=fail"], True),
        (["evil.example; dmarc=fail"], False),
        ([], False),
    ],
)
def test_only_the_trusted_server_raises_doubts(results: list[str], doubtful: bool) -> None:
    made = letter("Какой у меня адрес доставки?")
    for result in results:
        made["Authentication-Results"] = result
    assert read_letter(made.as_bytes(), BOX).doubtful is doubtful


def test_the_same_letter_has_the_same_key_whatever_way_it_came() -> None:
    made = letter("Раз").as_bytes()
    again = b"Received: from b.example\r\n" + made
    assert (
        read_letter(made, BOX).key
        == read_letter(again, BOX).key
        != read_letter(letter("Два").as_bytes(), BOX).key
    )


def test_a_letter_that_breaks_its_reader_is_handed_on_whole() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)
    )
    read = read_letter(b"From: Anna <anna@example.org>\r\nSubject: x\r\n" + deep, BOX)
    assert read.author == "anna@example.org" and not read.automatic


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--<", "</", '<a b="c', "<div>", "05.06.2026 12:01 " * 20 + ":\n"]
)
def test_no_letter_takes_its_reader_minutes(piece: str) -> None:
    """Some kilobytes of never closed tags took the usual parser two of them; this ends at all."""
    made = letter("x", subject="Re: Заказ")
    made.set_content(piece * (100_000 // len(piece)), subtype="plain" if "\n" in piece else "html")
    assert read_letter(made.as_bytes(), BOX).problem == ""


def _within(count: int) -> bytes:
    """Parts within parts."""
    begun = b'Content-Type: multipart/mixed; boundary="b0"\r\n\r\n'
    for n in range(1, count):
        begun += b'--b%d\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (n - 1, n)
    return begun


MIXED = b"Content-Type: multipart/mixed; boundary=B\r\n\r\n"


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(_within(80), id="depth"),
        pytest.param(MIXED + b"--B\r\n\r\nx\r\n" * 3000, id="parts"),
        pytest.param(b"\r\n" * 700_000, id="lines"),
    ],
)
def test_a_letter_made_to_keep_its_reader_busy_is_handed_on_whole(made: bytes) -> None:
    """Some megabytes of them took minutes. Its author is known, and a person looks at it as it came."""
    raw = b"From: Anna <anna@example.org>\r\nMessage-ID: <1@example.org>\r\n" + made
    read = read_letter(raw, BOX)
    assert (read.problem, read.author, read.text) == ("unreadable", "anna@example.org", "")
    assert part_of(raw, ORIGINAL)[0] == raw


@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "unicode_escape"])
def test_a_charset_that_no_letter_is_written_in_is_not_used(charset: str) -> None:
    raw = f"From: anna@example.org\r\nContent-Type: text/plain; charset={charset}\r\n\r\nДа, \\u0041-b."
    read = read_letter(raw.encode(), BOX)
    assert read.text == "Да, \\u0041-b." and read.problem == ""


def test_headers_without_end_are_looked_at_up_to_a_limit() -> None:
    """Parameters by the hundred thousand took the parser time that grew with their square."""
    endless = b"Content-Type: text/plain; " + b"a=b; " * 100_000 + b"\r\n"
    read = read_letter(b"From: anna@example.org\r\n" + b"X-A: b\r\n" * 20_000 + endless + b"\r\nx", BOX)
    assert (read.author, read.problem) == ("anna@example.org", "")


def test_lines_of_nothing_but_rulers_are_read() -> None:
    """Each looked at all the others below it, one within the other."""
    read = read_letter(letter("Заказ 17\n" + "_" * 40 + "\n" + ("_" * 40 + "\n") * 2500).as_bytes(), BOX)
    assert read.problem == "" and read.text.startswith("Заказ 17")


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251"])
def test_an_author_in_bare_letters_is_known_by_name_and_address(encoding: str) -> None:
    """As forms of sites and mailboxes of .рф write them: nobody could be answered otherwise."""
    raw = "From: Анна Иванова <anna@почта.рф>\r\nSubject: Заказ\r\n\r\nДа\r\n".encode(encoding)
    read = read_letter(raw, BOX)
    assert (read.name, read.author, read.automatic) == ("Анна Иванова", "anna@почта.рф", "")


PIECES = [
    b"From: Anna <anna@example.org>\r\n",
    b"From: \r\n",
    b"Subject: =?utf-8?B?////?=\r\n",
    b"Subject: =?x?Q?=FF?=\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Type: multipart/alternative\r\n",
    b'Content-Type: text/html; charset="\xff"\r\n',
    b"Content-Type: message/rfc822\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Disposition: attachment; filename*0*=koi8-r''%FF; filename*1=x\r\n",
    b"Date: Mon, 99 Foo 20\r\n",
    b"Message-ID: <>\r\n",
    b"References: <a><b\r\n",
    b"Authentication-Results: mx.shop.example; =;\r\n",
    b"\r\n",
    b"--x\r\n",
    b"--x--\r\n",
    b"<blockquote><p>\x00</div><!-- <![if",
    b"\xd0\xbf\xd1\x80=\xff\r\n> ",
    b"On x wrote:\r\n",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=14))
def test_whatever_a_letter_is_made_of_it_is_read(pieces: list[bytes]) -> None:
    raw = b"From: Anna <anna@example.org>\r\n" + b"".join(pieces)
    read = read_letter(raw, BOX)

    assert read.key and "\x00" not in read.text
    for file in read.files:
        part_of(raw, file.ref)
