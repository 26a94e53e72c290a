"""The related lists of pages: which links a page itself calls related."""

import time

import pytest

from crawler.extraction.page import ParsedPage, parse
from crawler.extraction.publishers import Publisher

SITE = "https://courier.example"
HEADLINE = "Divers examine the harbour wall"
TEXT = "".join(
    f"<p>The divers went down {number} times on Monday, and found that the wall has moved.</p>"
    for number in ("two", "three", "four")
)
STORIES = {
    number: f"{subject} after the long storm"
    for number, subject in enumerate(
        ("Pier falls", "Mole holds", "Ferry waits", "Port opens", "Crane leans", "Boats return"), 1
    )
}


def path(number: int) -> str:
    return f"/2026/05/0{number}/{STORIES[number].lower().replace(' ', '-')}"


def link(number: int, text: str | None = None) -> str:
    return f'<a href="{path(number)}">{text or STORIES[number]}</a>'


def items(*numbers: int, tag: str = "li") -> str:
    return "".join(f"<{tag}>{link(number)}</{tag}>" for number in numbers)


def read(page: str, publisher: Publisher | None = None) -> ParsedPage:
    page = page.replace("TEXT", f"<h1>{HEADLINE}</h1>{TEXT}")
    return parse(page.encode(), url=f"{SITE}/2026/05/09/divers-examine-wall", publisher=publisher)


def listed(page: str) -> list[str | None]:
    related = read(page).related
    return [item.title for item in related.items] if related else []


def numbers(page: str) -> list[int]:
    """Return the numbers of the stories that a page lists; 0 for any other link."""
    related = read(page).related
    known = {SITE + path(number): number for number in STORIES}
    return [known.get(item.url or "", 0) for item in related.items] if related else []


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(
            f"<article>TEXT</article><aside><h3>Related</h3><ul>{items(1, 2)}</ul></aside>",
            [1, 2],
            id="a heading and a list",
        ),
        pytest.param(
            f"<div>TEXT</div><div class=box><h3>Lire aussi</h3><ul>{items(1, 2)}</ul></div>"
            f"<div class=footer-box><p>Sur le même sujet</p><ul>{items(3)}</ul></div>",
            [1, 2, 3],
            id="two boxes",
        ),
        pytest.param(
            f"<h1>A wall</h1><div class=box><h2>Foto</h2></div>{TEXT}<p>Read also: {link(1)}</p>"
            f"{TEXT}<p>Read also: {link(4)}</p>{TEXT.replace('Monday', 'Friday')}"
            f"<div class=related-posts>{items(2, 3, tag='p')}</div>",
            [1, 4, 2, 3],
            id="inline and a named box",
        ),
        pytest.param(
            f"TEXT<h3>Related news</h3><ul>{items(1, 2)}</ul>"
            f"<h3>Most read</h3><ul>{items(3, 4, 5)}</ul>",
            [1, 2],
            id="most read below",
        ),
        pytest.param(
            f"TEXT<aside><div><h3>Meistgelesen</h3><ul>{items(3, 4, 5)}</ul></div>"
            f"<div><h3>Mehr zum Thema</h3><ul>{items(1, 2)}</ul></div></aside>",
            [1, 2],
            id="most read above",
        ),
        pytest.param(
            f"TEXT<div class=related><h4>Most viewed</h4><ul>{items(1, 2)}</ul>"
            f"<h4>Related</h4><ul>{items(3)}</ul></div>",
            [3],
            id="most viewed in a named box",
        ),
        pytest.param(
            "TEXT<h3>Related topics:</h3><p><a href=/tag/harbour>Harbour</a> <a href=/tag/wall>Wall"
            f"</a> <a href=/tag/sea>Sea</a></p><div><ul>{items(1, 2, 3)}</ul></div>",
            [],
            id="tags, and another list",
        ),
        pytest.param(
            "TEXT<h3>Related topics</h3><ul><li><a href=/harbour>Harbour</a></li>"
            "<li><a href=/the-sea>The Sea</a></li></ul>",
            [],
            id="tags that look like articles",
        ),
        pytest.param(
            "TEXT<h3>Related articles</h3>"
            + "".join(
                f"<div class=card><a href={path(n)}><img src=/{n}.jpg></a>"
                f"<a class=kicker href=/politics>Politics</a><h4>{link(n)}</h4>"
                f"<a class=author href=/jane-doe>Jane Doe</a><time>1 May 2026</time></div>"
                for n in (1, 2, 3)
            ),
            [1, 2, 3],
            id="cards with sections and authors",
        ),
        pytest.param(
            "TEXT<div><h3>Related</h3><ul>"
            + "".join(
                f"<li>{link(n)} The wall was built long ago, and nobody knows how long it will "
                f"stand against the sea.</li>"
                for n in (1, 2)
            )
            + "</ul></div>",
            [1, 2],
            id="summaries",
        ),
        pytest.param(
            f"TEXT<div class=head><h3>Related</h3></div><div class=list>{items(1, 2, tag='p')}"
            f"</div><div class=text><p>As we wrote on Monday, {link(3, 'the ferry still waits')} "
            "in the port, and nobody knows for how long it will have to stay there.</p></div>",
            [1, 2],
            id="a text below",
        ),
        pytest.param(
            f"<div dir=rtl>TEXT<h3>اقرأ أيضا</h3><ul>{items(1, 2)}</ul>"
            f"<h3>الأكثر قراءة</h3><ul>{items(3)}</ul></div>",
            [1, 2],
            id="Arabic",
        ),
        pytest.param(
            f"TEXT<nav class=related-links><h3>Related</h3><p>{link(1)}</p></nav>",
            [1],
            id="a menu of related links",
        ),
        pytest.param(
            f"TEXT<h3>Keep reading</h3><footer><ul>{items(1, 2)}</ul><p>x</p></footer>",
            [],
            id="a heading without a list",
        ),
        pytest.param(
            f"<h2><a href=/1-wall>A wall</a></h2><p>It stands.</p><a href=/x>Read more</a>"
            f"<h2>{link(1)}</h2><p>It fell.</p><a href={path(1)}>Read more</a>",
            [],
            id="teasers with Read more",
        ),
    ],
)
def test_related_lists(page: str, expected: list[int]) -> None:
    assert numbers(page) == expected


@pytest.mark.parametrize(
    "words",
    [
        *("Read also", "READ MORE", "Lire aussi", "Lesen Sie auch", "Lees ook", "Leggi anche"),
        *("Lea también", "Leia também", "Читайте также", "Czytaj też", "Čtěte také", "Läs också"),
        *("Les også", "Læs også", "Lue myös", "İlgili haber", "Διαβάστε επίσης", "اقرأ أيضا"),
        *("بیشتر بخوانید", "קראו גם", "यह भी पढ़ें", "আরও পড়ুন", "Baca juga", "Xem thêm"),
        *("อ่านเพิ่มเติม", "延伸阅读", "関連記事", "관련 기사"),
    ],
)
def test_links_after_words_in_the_text(words: str) -> None:
    def line(form: str, number: int) -> str:
        return form.format(words=words, link=link(number), url=path(number), title=STORIES[number])

    for form in (
        "<p>{words}: {link}</p>",
        "<p><strong>{words}</strong> {link}</p>",
        "<p><a href={url}>{words}: {title}</a></p>",
        "<p>{words} {link}</p>",
        "<p><b>{words}:</b><br>{link}<br></p>",
    ):
        others = (TEXT.replace("Monday", day) for day in ("Thursday", "Friday"))
        texts = (f"<div>TEXT{line(form, 1)}", *others)
        assert listed(f"{texts[0]}{texts[1]}{line(form, 2)}{texts[2]}</div>") == [
            STORIES[1],
            STORIES[2],
        ], form
        # One such line within a text is no list.
        assert listed(f"{texts[0]}{texts[1]}</div>") == [], form
        assert words not in "\n".join(read(f"{texts[0]}{texts[1]}</div>").body)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (f"<div>TEXT<ul>{items(1, 2, 3)}</ul>{TEXT.replace('Monday', 'Friday')}</div>", [1, 2, 3]),
        (f"<div>TEXT<ul>{items(1, 2)}</ul>{TEXT.replace('Monday', 'Friday')}</div>", []),
        (f"<article>TEXT<ul>{items(1, 2, 3)}</ul></article>", [1, 2, 3]),
        (f"<article>TEXT<aside><ul>{items(1, 2, 3)}</ul></aside></article>", [1, 2, 3]),
        (f"<article>TEXT<h3>Latest</h3><ul>{items(1, 2, 3)}</ul></article>", []),
        (f"<article>TEXT<div class=popular><ul>{items(1, 2, 3)}</ul></div></article>", []),
        (f"<article>TEXT<footer><ul>{items(1, 2, 3)}</ul><p>x</p></footer></article>", []),
        (f"<article>TEXT</article><div><ul>{items(1, 2, 3)}</ul></div>", []),
        (
            f"<article>TEXT<ul>{items(1, 2, 3)}</ul><p>Read also: {link(4)}</p></article>",
            [4],
        ),
        (
            "<article>TEXT<ul><li><a href=/sport>Sport</a><li><a href=/politics>Politics</a>"
            "<li><a href=/business>Business</a></ul></article>",
            [],
        ),
    ],
)
def test_lists_that_only_their_structure_shows(page: str, expected: list[int]) -> None:
    assert numbers(page) == expected


def test_places_that_readers_understand() -> None:
    def where(page: str) -> str | None:
        related = read(page).related
        return related.where if related else None

    assert where(f"TEXT<h3>Related:</h3><ul>{items(1)}</ul>") == "links under 'Related:'"
    assert where(f"TEXT<ul class=related>{items(1)}</ul>") == "list named as related"
    assert where(f"TEXT<p>Read also: {link(1)}</p>") == "links under 'Read also'"
    assert (
        where(f"TEXT<p>Read also: {link(1)}</p><ul class=related>{items(1, 2)}</ul>")
        == "links under 'Read also'; list named as related"
    )
    run = f"<article>TEXT<ul>{items(1, 2, 3)}</ul></article>"
    assert where(run) == "links that form a list in the article"


@pytest.mark.parametrize(
    ("entry", "title", "picture"),
    [
        ("<a href=URL>A pier falls</a>", "A pier falls", None),
        ("<a href=URL><img data-src=/1.jpg src=/wait.gif alt=Sea></a>", "Sea", "/1.jpg"),
        ("<a href=URL><img src=/1.jpg alt='A long text'></a><a href=URL>A pier falls</a>",) * 1
        + ("A pier falls", "/1.jpg"),
        ("<a href=URL>News</a><h4>A pier falls</h4>", "A pier falls", None),
        ("<h4>A pier falls</h4><p>It fell.</p><a href=URL>Read more</a>", "A pier falls", None),
        ("<a href=URL><span>Sea</span><h4>A pier falls</h4><p>x</p></a>", "A pier falls", None),
        (
            "<a href=URL><div>Sea</div><div class=card__title>A pier falls</div><p>x</p></a>",
            "A pier falls",
            None,
        ),
        ("<a href=URL title='A pier falls'><div>Sea</div><div>A pier falls</div></a>",) * 1
        + ("A pier falls", None),
        ("<a href=URL><div>1 May</div><div>A pier falls</div></a>", "1 May A pier falls", None),
        ("<a href=URL>Read also: A pier falls</a>", "A pier falls", None),
    ],
)
def test_titles_and_pictures(entry: str, title: str, picture: str | None) -> None:
    entry = f"<li>{entry.replace('URL', path(1))}</li>"
    related = read(f"TEXT<h3>Related</h3><ul>{entry}{items(2)}</ul>").related
    assert related is not None
    first, second = related.items
    assert (first.title, second.title) == (title, STORIES[2])
    assert first.picture == (SITE + picture if picture else None)


def test_headlines_without_spaces() -> None:
    titles = ("港の壁が嵐のあとに動いた", "嵐のあと桟橋が倒れて三人がけが")
    links = "".join(f"<li><a href=/a{n}>{title}</a>" for n, title in enumerate(titles))
    assert listed(f"TEXT<h3>関連記事</h3><ul>{links}</ul>") == list(titles)


def test_links_to_other_publishers_count() -> None:
    others = (
        "<li><a href=https://herald.example/2026/05/01/pier>A pier falls after the storm</a>"
        "<li><a href=https://photos.example/show.php?g=77>Our photos of the pier</a>"
        "<li><a href=https://www.facebook.com/sharer.php?u=1>Share this story with friends</a>"
        "<li><a href=https://herald.example/>The Herald of the harbour</a>"
    )
    page = f"TEXT<h3>Related</h3><ul>{items(1)}{others}</ul>"
    titles = [STORIES[1], "A pier falls after the storm", "Our photos of the pier"]
    assert listed(page) == titles


def test_urls_have_no_spaces_and_line_breaks() -> None:
    entry = '<li><a href="https://herald.example/2026/05/01/a pier-&#10;falls">A pier falls on</a>'
    related = read(f"TEXT<h3>Related</h3><ul>{items(1)}{entry}</ul>").related
    assert related is not None
    assert related.items[-1].url == "https://herald.example/2026/05/01/a%20pier-falls"


def test_the_selector_of_a_publisher_wins() -> None:
    publisher = Publisher(name="courier.example", related_selector="ul.mine")
    page = f"TEXT<h3>Related</h3><ul>{items(1)}</ul><ul class=mine>{items(2, 3)}</ul>"
    related = read(page, publisher).related
    assert related is not None
    assert related.where == "links in ul.mine"
    assert [item.title for item in related.items] == [STORIES[2], STORIES[3]]


@pytest.mark.slow_after(3)
@pytest.mark.parametrize(
    "part",
    [
        "<h2>Related</h2><ul>" + items(1, 2) * 5_000 + "</ul>",
        ("<h2>Related</h2><ul>" + items(1) + "</ul>") * 5_000,
        "<h2>Related</h2>" * 10_000 + items(1),
        "<div class=related>" * 1_500 + link(1),
        ("<div class=related><h3>x</h3>" + link(1) + "</div>") * 5_000,
        ("<p><b>Read also</b> " + link(1) + "</p>") * 5_000,
        ("<p>Read also: " + link(1) + "</p>") * 5_000,
        "<h2>Related</h2>" + f"<a href={path(1)}><div>x" * 3_000,
        f"<h2>Related</h2><a href={path(1)}>" + "x " * 500_000,
        "<h2>Related</h2><a href='http://[x'>x</a><a href=''></a><a href='javascript:'>y</a>",
    ],
    ids=range(10),
)
def test_hostile_sizes(part: str) -> None:
    start = time.process_time()
    read(f"TEXT{part}")
    assert time.process_time() - start < 5
