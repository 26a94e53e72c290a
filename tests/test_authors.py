"""Authors are read from declarations and bylines, in the languages of news."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extraction import page
from crawler.extraction.page.author_names import (
    Outlets,
    declared_names,
    labelled_names,
    shown_names,
    signature_names,
)

OUTLETS = Outlets(
    ["Harbour Daily News", "the Lantern", "Le Phare.fr", "Küsten-Bote – Zeitung am Meer"],
    "lantern.example",
)
TEXT = "The port authority said on Tuesday that all four cranes on the quay had stopped working."
PARAGRAPHS = "".join(f"<p>{TEXT} It was the {n}th time this year.</p>" for n in range(4, 9))
HEADLINE = "Fire Stops All Cranes on the Eastern Quay"

LINES = [
    # English
    ("By Jane Doe", ["Jane Doe"]),
    ("BY JANE DOE AND JOHN ROE", ["JANE DOE", "JOHN ROE"]),
    ("By Jane Doe, John Roe and Ann Poe", ["Jane Doe", "John Roe", "Ann Poe"]),
    ("By Jane Doe, Chief Political Correspondent", ["Jane Doe"]),
    ("By Jane Doe Political Editor", ["Jane Doe"]),
    ("By Jane Doe, BBC News, Washington", ["Jane Doe"]),
    ("By Jane Doe in Washington", ["Jane Doe"]),
    ("By Jane Doe, Associated Press", ["Jane Doe"]),
    ("By JANE DOE Associated Press", ["JANE DOE"]),
    ("By Jane Doe | 12 May 2020 | 3 min read", ["Jane Doe"]),
    ("By Jane Doe (jane@lantern.example)", ["Jane Doe"]),
    ("By Jane Doe @janedoe", ["Jane Doe"]),
    ("Opinion by Jane Doe", ["Jane Doe"]),
    ("Written by: Dr. Jane Doe", ["Dr. Jane Doe"]),
    ("By J.K. Poe and Martin Roe Jr.", ["J.K. Poe", "Martin Roe Jr."]),
    ("By Reuters", ["Reuters"]),
    ("By The Lantern", []),
    ("By Staff Writer", []),
    ("Words: Jane Doe Photos: John Roe", ["Jane Doe"]),
    ("Posted by Jane Doe on 12 May 2020", ["Jane Doe"]),
    ("By Jane Doe | Reviewed by John Roe", ["Jane Doe"]),
    ("By Jane Doe · Updated by John Roe", ["Jane Doe"]),
    ("By Jane Doe, Updated: 12 May 2020", ["Jane Doe"]),
    # German
    ("Von Jan Müller und Eva Maria Weiß", ["Jan Müller", "Eva Maria Weiß"]),
    ("Von: Jan Müller", ["Jan Müller"]),
    ("Von Dr. Jan von der Heide, Berlin", ["Dr. Jan von der Heide"]),
    ("Kommentar von Jan Müller", ["Jan Müller"]),
    ("Ein Gastbeitrag von Jan Müller", ["Jan Müller"]),
    ("Von unserer Redaktion", None),
    ("Datum: 3. Mai 2020 Autor: Jan Müller", ["Jan Müller"]),
    ("Text: Jan Müller / Fotos: Eva Weiß", ["Jan Müller"]),
    # French
    ("Par Jean Dupont", ["Jean Dupont"]),
    ("Par Jean Dupont avec Marie Curé", ["Jean Dupont", "Marie Curé"]),
    ("Par Le Phare avec AFP", ["AFP"]),
    ("Publié par Jean Dupont le 1 mai 2026", ["Jean Dupont"]),
    ("Propos recueillis par Jean Dupont", ["Jean Dupont"]),
    # Dutch, Italian, Spanish, Portuguese
    ("Door Jan van den Berg", ["Jan van den Berg"]),
    ("Tekst: Jan de Vries", ["Jan de Vries"]),
    ("Di Mario Rossi", ["Mario Rossi"]),
    ("di Mario Rossi e Anna Bianchi", ["Mario Rossi", "Anna Bianchi"]),
    ("Por Ana Silva y Luis de la Cruz", ["Ana Silva", "Luis de la Cruz"]),
    ("Por José Ortega y Gasset", ["José Ortega y Gasset"]),
    ("Por João Costa e Silva", ["João Costa e Silva"]),
    ("Texto: Ana Silva", ["Ana Silva"]),
    # Russian, Ukrainian, Polish, Czech
    ("Автор: Иван Петров", ["Иван Петров"]),
    ("Текст: Иван Петров и Анна Белова", ["Иван Петров", "Анна Белова"]),
    ("Автор: Олена Коваль", ["Олена Коваль"]),
    ("Autor: Jan Kowalski", ["Jan Kowalski"]),
    ("Autoři: Jan Novák, Petr Dvořák", ["Jan Novák", "Petr Dvořák"]),
    # Swedish, Danish, Norwegian, Finnish
    ("Text: Anna Lind Foto: Per Berg", ["Anna Lind"]),
    ("Av Anna Lind", ["Anna Lind"]),
    ("Af Anne Holm", ["Anne Holm"]),
    ("Tekst: Kari Nordmann", ["Kari Nordmann"]),
    ("Teksti: Matti Virtanen", ["Matti Virtanen"]),
    # Turkish, Greek
    ("Yazan: Mehmet Yılmaz", ["Mehmet Yılmaz"]),
    ("Συντάκτης: Γιώργος Παππάς", ["Γιώργος Παππάς"]),
    ("Γράφει ο Γιώργος Παππάς", ["Γιώργος Παππάς"]),
    # Arabic, Persian, Hebrew
    ("بقلم أحمد علي", ["أحمد علي"]),
    ("الكاتب: أحمد علي", ["أحمد علي"]),
    ("نویسنده: علی رضایی", ["علی رضایی"]),
    ("מאת דוד כהן", ["דוד כהן"]),
    # Hindi, Bengali, Indonesian, Vietnamese, Thai
    ("लेखक: राम शर्मा", ["राम शर्मा"]),
    ("লেখক: রহিম উদ্দিন", ["রহিম উদ্দিন"]),
    ("Oleh Budi Santoso", ["Budi Santoso"]),
    ("Penulis: Budi Santoso", ["Budi Santoso"]),
    ("Bởi Nguyễn Văn An", ["Nguyễn Văn An"]),
    ("Tác giả: Nguyễn Văn An", ["Nguyễn Văn An"]),
    ("เขียนโดย สมชาย ใจดี", ["สมชาย ใจดี"]),
    # Chinese, Japanese, Korean
    ("作者：王小明", ["王小明"]),
    ("記者王小明／台北報導", ["王小明"]),
    ("本报记者 王小明", ["王小明"]),
    ("執筆：山田太郎", ["山田太郎"]),
    ("글 홍길동 기자", ["홍길동"]),
    ("글쓴이: 홍길동", ["홍길동"]),
    ("来源：新华社 作者：王小明 编辑：李雷", ["王小明"]),
    ("홍길동 기자 hong@lantern.example", ["홍길동"]),
]
NOT_BYLINES = [
    "By the time he left, John Smith was gone",
    "By now everybody knows",
    "Photo: Jane Doe",
    "Foto: Jan Müller",
    "Editor: Jane Doe",
    "Translated by Jane Doe",
    "Übersetzung: Jan Müller",
    "编辑：王小明",
    "来源：新华社",
    "홍길동 기자가 화요일 부두를 찾았다",
    "Updated by Jane Doe",
    "Posted by the harbour gate",
    "Von Tuesday",
    "Par hasard",
    "Di Maio",
    "Jane Doe",
    "Published 12 May 2020",
    "",
    "By " + "Jane Doe, " * 200,
]


@pytest.mark.parametrize(("line", "names"), LINES)
def test_lines(line: str, names: list[str] | None) -> None:
    assert (labelled_names(line, OUTLETS) or []) == (names or [])


@pytest.mark.parametrize("line", NOT_BYLINES)
def test_other_lines(line: str) -> None:
    assert not labelled_names(line, OUTLETS)


DECLARED = [
    ("Jane Doe", ["Jane Doe"]),
    ("Jane Doe and John Roe", ["Jane Doe", "John Roe"]),
    ("Jane Doe, John Roe", ["Jane Doe", "John Roe"]),
    ("Jane Doe; John Roe", ["Jane Doe", "John Roe"]),
    ("DOE, Jane", ["DOE, Jane"]),
    ("Doe, Jane", ["Doe, Jane"]),
    ("jane doe", ["jane doe"]),
    ("JANE DOE", ["JANE DOE"]),
    ("dpa", ["dpa"]),
    ("AFP, dpa", ["AFP", "dpa"]),
    ("AFP, MANILA", ["AFP"]),
    ("Jane Doe und John Roe, Nairobi", ["Jane Doe", "John Roe"]),
    ("Associated Press in Valencia", ["Associated Press"]),
    ("Jane Doe For Lantern.Example", ["Jane Doe"]),
    ("홍길동 기자", ["홍길동"]),
    ("記者王小明", ["王小明"]),
    ("文在寅", ["文在寅"]),
    ("Kumar a/l Raj", ["Kumar a/l Raj"]),
    ("Jane Doe (text) and John Roe (photos)", ["Jane Doe"]),
    # The outlet, desks, companies and accounts.
    ("The Lantern", []),
    ("lantern.example", []),
    ("Lantern Online", []),
    ("Le Phare", []),
    ("Küsten-Bote", []),
    ("Lantern staff reporter", []),
    ("HDN Staff", []),
    ("Staff", []),
    ("Editorial Board", []),
    ("Online-Redaktion", []),
    ("Politikredaktion", []),
    ("Nieuwsredactie", []),
    ("Redacción", []),
    ("Sports Desk", []),
    ("Haber Merkezi", []),
    ("编辑部", []),
    ("admin", []),
    ("webmaster", []),
    ("Harbour Trading GmbH, Vienna, Austria", []),
    # A team with a name of its own is kept.
    ("राम शर्मा, नई दिल्ली", ["राम शर्मा"]),
    ("Jane Doe, Professor of Ports, University", ["Jane Doe"]),
    ("Garden Team", ["Garden Team"]),
    # No names.
    ("https://lantern.example/jane", []),
    ("@janedoe", []),
    ("jane-doe", []),
    ("2020-05-12", []),
    ("(Image: Harbour Pictures)", []),
    ("Das Magazin für alle am Meer", []),
    ("null", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "names"), DECLARED)
def test_declared_names(text: str, names: list[str]) -> None:
    assert declared_names(text, OUTLETS) == names


def test_signatures() -> None:
    assert signature_names("Jane Doe/John Roe", OUTLETS) == ["Jane Doe", "John Roe"]
    assert signature_names("JANE DOE", OUTLETS) == ["JANE DOE"]
    for line in (
        "Breaking News",
        "Premier League",
        "Jane",
        "Jane Doe was here",
        "Read More Stories",
    ):
        assert signature_names(line, OUTLETS) == []


@given(st.text(max_size=400))
def test_no_line_raises(text: str) -> None:
    for name in (
        *declared_names(text, OUTLETS),
        *shown_names(text, OUTLETS),
        *(labelled_names(text, OUTLETS) or ()),
        *signature_names(text, OUTLETS),
    ):
        assert name.strip() == name != ""
        assert len(name) <= 60


@pytest.mark.parametrize(
    "piece",
    [
        "Jane Doe, ",
        "by ",
        "(",
        "a/",
        "1 ",
        "von ",
        "; ",
        "and ",
        "文/",
        ". ",
        "Photo: ",
        "기자 ",
        "A",
    ],
)
def test_long_lines_are_read_quickly(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    declared_names(text, OUTLETS)
    shown_names(text, OUTLETS)
    labelled_names(text, OUTLETS)
    assert time.process_time() - start < 0.5


def authors_of(
    *, head: str = "", top: str = "", end: str = "", ld: object = None, body: str = PARAGRAPHS
) -> list[tuple[str, str | None]]:
    if ld is not None:
        head += f'<script type="application/ld+json">{json.dumps(ld)}</script>'
    html = (
        f"<!doctype html><html lang=en><head><title>{HEADLINE}</title>{head}</head><body>"
        f"<article><h1>{HEADLINE}</h1>{top}<div>{body}</div>{end}</article></body></html>"
    )
    parsed = page.parse(html.encode(), url="https://lantern.example/news/harbour/fire-stops-cranes")
    assert [p for p in parsed.body if p.startswith(TEXT)] == list(parsed.body)
    return [(author.name, author.url) for author in parsed.authors]


def article(author: object, **more: object) -> dict[str, object]:
    return {"@type": "NewsArticle", "headline": HEADLINE, "author": author, **more}


JANE, JOHN = ("Jane Doe", None), ("John Roe", None)
OUTLET = {"@type": "Organization", "name": "The Lantern"}
JSON_LD = [
    (article("Jane Doe"), [JANE]),
    (article(["Jane Doe", "John Roe"]), [JANE, JOHN]),
    (article([["Jane Doe"], [{"@type": "Person", "name": "John Roe"}]]), [JANE, JOHN]),
    (article({"@list": ["Jane Doe", "John Roe"]}), [JANE, JOHN]),
    (article("Jane Doe and John Roe"), [JANE, JOHN]),
    (article({"@type": "Person", "name": "<b>Jane</b> Doe"}), [JANE]),
    (article({"@type": "Person", "name": "Jane &amp;nbsp; Doe"}), [JANE]),
    (article({"@type": "Person", "name": ["Jane Doe", "John Roe"]}), [JANE, JOHN]),
    (article({"@type": "Person", "givenName": "Jane", "familyName": "Doe"}), [JANE]),
    (
        article({"@type": "Person", "name": "Jane Doe", "url": "/authors/jane"}),
        [("Jane Doe", "/authors/jane")],
    ),
    (
        article({"name": "Jane Doe", "sameAs": ["https://lantern.example/author/jane"]}),
        [("Jane Doe", "https://lantern.example/author/jane")],
    ),
    (article({"name": "Jane Doe", "sameAs": "https://social.example/jane"}), [JANE]),
    (article({"name": "Jane Doe", "url": "https://lantern.example/"}), [JANE]),
    (article({"name": "Jane Doe", "url": "doe"}), [JANE]),
    (article({"@type": "Organization", "name": "dpa"}), [("dpa", None)]),
    (article(OUTLET, publisher=OUTLET), []),
    (article({"name": "Phare"}, publisher={"name": "Phare", "@type": "Organization"}), []),
    (article(OUTLET, publisher=OUTLET, creator=["Jane Doe"]), [JANE]),
    (article({"name": "Admin"}), []),
    (article({"name": None}), []),
    (article([[[[[[["Jane Doe"]]]]]]]), []),
    (article([{}, [], "", 7, None, True, {"name": {}}, {"name": [[]]}, "Jane Doe"]), [JANE]),
    (
        {
            "@graph": [
                article({"@id": "#jane"}),
                {"@type": "Person", "@id": "#jane", "name": "Jane Doe"},
            ]
        },
        [JANE],
    ),
    (
        {
            "@graph": [
                article([{"@id": "#a"}, {"@id": "#b"}], publisher={"@id": "#o"}),
                {"@type": "Organization", "@id": "#o", "name": "The Quay"},
                {"@type": "Organization", "@id": "#a", "name": "Quay"},
                {"@type": "Person", "@id": "#b", "name": "Jane Doe"},
            ]
        },
        [JANE],
    ),
    (
        {"@type": "WebPage", "name": HEADLINE, "author": {"@type": "Person", "name": "Jane Doe"}},
        [JANE],
    ),
]


@pytest.mark.parametrize(("ld", "authors"), JSON_LD)
def test_json_ld(ld: object, authors: list[tuple[str, str | None]]) -> None:
    assert authors_of(ld=ld) == authors


METAS = [
    ('<meta name="author" content="Jane Doe">', [JANE]),
    ('<meta name="Author" content="Jane Doe, John Roe">', [JANE, JOHN]),
    ('<meta property="article:author" content="Jane Doe">', [JANE]),
    ('<meta name="byl" content="By Jane Doe">', [JANE]),
    ('<meta name="parsely-author" content="Jane Doe">', [JANE]),
    ('<meta name="sailthru.author" content="Jane Doe">', [JANE]),
    ('<meta name="dc.creator" content="Doe, Jane">', [("Doe, Jane", None)]),
    ('<meta name="citation_author" content="Jane Doe">' * 2, [JANE]),
    ('<meta name="cxenseparse:author" content="Jane Doe">', [JANE]),
    (
        '<meta name="author" content="The Lantern"><meta name="byl" content="By Jane Doe">',
        [JANE],
    ),
    (
        '<meta property="article:author" content="https://lantern.example/authors/jane-doe/">'
        '<meta name="author" content="Jane Doe">',
        [("Jane Doe", "https://lantern.example/authors/jane-doe/")],
    ),
    ('<meta property="article:author" content="https://social.example/lantern">', []),
    ('<meta name="author" content="lantern.example, Vienna, Austria">', []),
    ('<meta name="twitter:creator" content="@jane">', []),
]


@pytest.mark.parametrize(("head", "authors"), METAS)
def test_metas(head: str, authors: list[tuple[str, str | None]]) -> None:
    assert authors_of(head=head) == authors


LINKED_JANE = ("Jane Doe", "/authors/jane")
TOPS = [
    ("<p>By Jane Doe</p>", [JANE]),
    ("<p>By <a href=/authors/jane>Jane Doe</a></p>", [LINKED_JANE]),
    ("<div class=byline><a rel=author href=/x/jane>Jane Doe</a></div>", [("Jane Doe", "/x/jane")]),
    ("<div class=byline>Jane Doe<span>Lifestyle Writer</span></div>", [JANE]),
    ("<div class=byline>By<b>Jane Doe</b>14:00, 28 Apr 2024</div>", [JANE]),
    ("<div class=author><a href='mailto:j@x.example' rel=author>Jane Doe</a></div>", [JANE]),
    ("<div><span itemprop=author><span itemprop=name>Jane Doe</span></span></div>", [JANE]),
    ("<div class=post-author><div>By</div><div>Jane Doe</div></div>", [JANE]),
    ("<ul class=authors><li>Jane Doe</li><li>John Roe</li></ul>", [JANE, JOHN]),
    ("<p>Jane Doe</p><p>12 May 2020, 14:00</p>", [JANE]),
    ("<div>Jane Doe | 12 May 2020</div>", [JANE]),
    ("<h2>Port Authority Silent</h2><p>By Jane Doe</p>", [JANE]),
    ("<div class=byline>The Lantern</div>", []),
    ("<div class=byline>Updated 3 hours ago</div>", []),
    ("<div class=image-author>Jane Doe</div>", []),
    ("<figure><img src=a.jpg><div class=author>Jane Doe</div></figure>", []),
    ("<p>Photo: Jane Doe</p>", []),
    ("<dl><dt>Publish Date</dt><dd>12 May 2020, 14:00</dd></dl>", []),
    ("<div>Publish Date</div><div>12 May 2020, 14:00</div>", []),
    ("<p>Port Authority</p><p>12 May 2020, 14:00</p>", []),
    ("<div class=related><a href=/a>Other</a><span class=author>Jane Doe</span></div>", []),
    ("<aside><p>By Jane Doe</p></aside>", []),
]


@pytest.mark.parametrize(("top", "authors"), TOPS)
def test_above_the_text(top: str, authors: list[tuple[str, str | None]]) -> None:
    assert authors_of(top=top) == authors


ENDS = [
    ("<p>Von Jan Müller</p>", [("Jan Müller", None)]),
    ("<p>Text: Jan Müller / Fotos: Eva Weiß</p>", [("Jan Müller", None)]),
    (
        "<div class=author-box><a href=/author/jane>Jane Doe</a></div>",
        [("Jane Doe", "/author/jane")],
    ),
    ("<div class=comments><div class=comment-author>Jane Doe</div><p>So true!</p></div>", []),
    ("<div class=reactions><div class=author>Jane Doe</div></div>", []),
    ("<div class=most-read><div class=author>By Jane Doe</div></div>", []),
    ("<section><h2>Related</h2><h3>Other story</h3><p>By Jane Doe</p></section>", []),
]


@pytest.mark.parametrize(("end", "authors"), ENDS)
def test_below_the_text(end: str, authors: list[tuple[str, str | None]]) -> None:
    assert authors_of(end=end) == authors


def test_a_byline_with_more_authors_is_taken_instead_of_json_ld() -> None:
    top = "<ul class=authors><li>Jane Doe</li><li>John Roe</li></ul>"
    assert authors_of(ld=article("John Roe"), top=top) == [JANE, JOHN]


def test_an_agency_in_the_byline_is_not_added_to_json_ld() -> None:
    assert authors_of(ld=article("Jane Doe"), top="<p>By Jane Doe with AP</p>") == [JANE]


def test_a_declared_editor_is_no_author() -> None:
    assert authors_of(
        ld=article("John Roe"),
        top="<div class=author>Jane Doe</div>",
        end="<div class=info>Editor: John Roe</div>",
    ) == [JANE]


def test_links_of_the_byline_are_added_to_declared_authors() -> None:
    top = "<p>By <a href=/authors/jane>Jane Doe</a></p>"
    assert authors_of(ld=article("Jane Doe"), top=top) == [LINKED_JANE]


def test_a_page_with_ten_thousand_authors_is_read_quickly() -> None:
    start = time.process_time()
    people = [
        f"Jane {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[n % 26]}{'oe' * (n % 9)} Doe" for n in range(10_000)
    ]
    found = authors_of(
        ld=article([{"@type": "Person", "name": name} for name in people]),
        head="".join(f'<meta name="author" content="{name}">' for name in people),
        top="".join(f"<div class=author><a rel=author href=/a>{name}</a></div>" for name in people),
    )
    assert 0 < len(found) <= 60
    assert time.process_time() - start < 5


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda children: (
            st.lists(children, max_size=4)
            | st.dictionaries(
                st.sampled_from(["@type", "@id", "@list", "name", "url", "sameAs", "author", "x"]),
                children,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_ld_raises(value: object) -> None:
    for author in authors_of(ld=[article(value, publisher=value), value]):
        assert author[0]


WHOLE = (
    f"<!doctype html><html lang=en><head><title>{HEADLINE}</title>"
    '<meta name=author content="Jane Doe, John Roe"><script type="application/ld+json">'
    f"{json.dumps(article([{'@type': 'Person', 'name': 'Jane Doe', 'url': '/authors/jane'}]))}"
    f"</script></head><body><article><h1>{HEADLINE}</h1><div class=byline>By <a rel=author "
    f"href=/authors/jane>Jane Doe</a> and <b itemprop=author>John Roe</b></div>{PARAGRAPHS}"
    "<p>Text: Jane Doe / Photos: John Roe</p></article></body></html>"
).encode()
PIECES = (
    b"<",
    b">",
    b'"',
    b"{",
    b"[",
    b"\\",
    b"</script>",
    b"<a href='//[x'>",
    b"&#xD800;",
    b"By ",
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.sampled_from(PIECES)), max_size=8))
def test_no_damaged_page_raises(damages: list[tuple[int, bytes]]) -> None:
    body = WHOLE
    for position, piece in damages:
        body = body[:position] + piece + body[position + len(piece) :]
    for author in page.parse(body, url="https://lantern.example/news/harbour/1").authors:
        assert author.name
        assert author.where
