"""Test judging by its address alone whether a link leads to an article."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extraction.article_urls import (
    is_article_address,
    is_telling,
    looks_like_article,
    template_of,
)

# Links of real news pages, each judged by hand: verdict, page, link.
LINKS = Path(__file__).with_name("article_links.tsv")
PRECISION, RECALL = 0.97, 0.90

ARTICLES = (
    "https://example.com/2026/05/01/storm",
    "https://example.com/2026/may/01/storm-hits-coast",
    "https://example.com/news/20260501/storm",
    "https://example.com/world/2026-05-01-storm/",
    "https://example.com/2026/05/storm.html",
    "https://example.com/storm-leaves-the-coast/2026/05/01/",
    "example.com/2026/05/01/storm?page=2",
    "//example.com/2026/05/01/storm/amp",
    "https://example.com/storm-leaves-coast-without-power-for-days",
    "https://example.com/storm_leaves_coast_without_power_for_days;jsessionid=AB12CD",
    "https://example.com/weather/storm-leaves-coast-without-power-12345",
    "https://example.com/world/storm/141e61e9-8a07-42e4-a527-2f03f45e7ef0",
    "https://example.com/d/6deadbeef0123456789abcdef01234567",
    "https://example.com/news/articles/c4g5xyz8kko",
    "https://example.com/article/1234",
    "https://example.com/articles/view/sports/12345",
    "https://example.com/politik/article242242744/feuer.html",
    "https://example.com/politik/feuer-artikel13351201",
    "https://example.com/artikel/sturm.12345.html",
    "https://example.com/kultur/0,1518,123456,00.html",
    "https://example.com/sport/123456.cms",
    "https://example.com/de/sturm-an-der-kueste/a-12345678",
    "https://example.com/haber/firtina-vurdu-1234567",
    "https://example.com/story.php?storyid=123",
    "https://example.com/spip.php?article8532",
    "https://example.com/?p=12345",
    # Arabic and Russian slugs of seven words; a Japanese one of sixteen characters.
    "https://example.com/%D8%A3%D8%AE/%D8%A3-%D8%A8-%D8%AC-%D8%AF-%D8%B1-%D8%B3-%D8%B5",
    "https://example.com/политика/президент-подписал-закон-о-бюджете-на-год",
    "https://example.com/社会/国会で新しい予算案が可決された",
)
OTHERS = (
    "",
    "example.com",
    "https://example.com/?utm_source=menu",
    "https://example.com/index.html",
    "https://example.com/2026/",
    "https://example.com/sport/2026/05/",
    "https://example.com/tag/storm-leaves-coast-without-power-for-days",
    "https://example.com/category/news/storms/north-coast",
    "https://example.com/author/jane-doe-12345",
    "https://example.com/topics/climate-change",
    "https://example.com/thema/12345-sturm",
    "https://example.com/search?q=storm",
    "https://example.com/page/2/",
    "https://example.com/privacy-policy-of-example",
    "https://example.com/service/impressum-der-redaktion-1234567.html",
    "https://example.com/quienes-somos",
    "https://example.com/live",
    "https://example.com/wetter/",
    "https://example.com/feed/",
    "https://example.com/files/report-on-the-storm-of-the-first-of-may.pdf",
    "https://example.com/2026/05/01/storm.jpg",
    "https://example.com/2026/05/01/storm/?share=mail",
    "https://example.com/2026/05/01/storm/?lang=en&replytocom=12",
    "https://shop.example.com/books/12345678",
    "https://login.news.example.com/2026/05/01/storm",
    "mailto:desk@example.com",
    "javascript:void(0)",
    "#comments",
)
UNDECIDED = (
    "https://example.com/politics",
    "https://example.com/real-estate",
    "https://example.com/dogs-that-bark-twice",
    "https://example.com/sport/football/premier-league.html",
    "https://example.com/de/stuerme/s-12345",
    "https://example.com/news.php?id=123",
    "https://example.com/社会",
)
TEMPLATES = {
    "https://example.com/": "/",
    "https://example.com/sport/football/": "/{section}/{word}",
    "https://example.com/real-estate": "/{words}",
    "https://example.com/dogs-that-bark-twice/amp": "/{slug}",
    "https://example.com/post/dogs-bark-twice": "/post/{slug}",
    "https://example.com/uk/2026/05/01/dogs-bark": "/{section}/{date}/{words}",
    "https://example.com/uk/2026-05-01-dogs-bark/": "/{section}/{date}-{slug}",
    "https://example.com/uk/law/dogs-bark-1234567.html": "/{section}/{slug}-{number}.html",
    "https://example.com/uk/1234567,1,dogs-bark.read": "/{section}/{number}-{slug}.read",
    "https://example.com/de/dogs-bark/a-12345678": "/{section}/a-{number}",
    "https://example.com/de/dogs/s-12345": "/{section}/s-{number}",
    "https://example.com/uk/article12345678/dogs.html": "/{section}/article{number}/{word}.html",
    "https://example.com/a/7p0XM9/dogs-bark-in-vain": "/a/{section}/{slug}",
    "https://example.com/uk/dogs/141e61e9-8a07-42e4-a527-2f03f45e7ef0": "/{section}/{uuid}",
    "https://example.com/home-15682146.bild.html": "/home-{number}.bild.html",
    "https://example.com/view_news.htm?lang=e&seq_code=12345": "/view_news.htm?seq_code={number}",
    "https://example.com/dogs-bark-in-2026": "/{words}",
    "mailto:desk@example.com": "",
}


def test_judged_links() -> None:
    _, *lines = LINKS.read_text(encoding="utf-8").splitlines()
    hits, missed, wrong = 0, [], []
    for line in lines:
        verdict, page, link = line.split("\t")
        if is_article_address(link, {template_of(page)}):
            if verdict == "article":
                hits += 1
            else:
                wrong.append(link)
        elif verdict == "article":
            missed.append(link)
    misses = "\n".join(["taken for articles:", *wrong, "", "missed:", *missed])
    assert hits / (hits + len(wrong)) >= PRECISION, misses
    assert hits / (hits + len(missed)) >= RECALL, misses


@pytest.mark.parametrize(
    ("verdict", "url"),
    [
        *((True, url) for url in ARTICLES),
        *((False, url) for url in OTHERS),
        *((None, url) for url in UNDECIDED),
    ],
)
def test_verdict(verdict: bool | None, url: str) -> None:
    assert looks_like_article(url) is verdict


@pytest.mark.parametrize(("url", "template"), TEMPLATES.items())
def test_template(url: str, template: str) -> None:
    assert template_of(url) == template


def test_undecided_address_needs_a_known_template_that_tells_articles_from_sections() -> None:
    link = "https://example.com/dogs-that-bark-twice"
    assert not is_article_address(link, ())
    assert is_article_address(link, {"/{slug}"})
    assert is_article_address(link, {"/{words}"})
    assert not is_article_address("https://example.com/real-estate", {"/{words}"})
    assert not is_article_address("https://example.com/politics", {"/{word}"})


def test_telling_templates() -> None:
    telling = ("/{slug}", "/{section}/{number}", "/{date}/{word}", "/d/{uuid}", "/{id}.html")
    assert all(map(is_telling, telling))
    assert not any(map(is_telling, ("", "/", "/{word}", "/{section}/{words}.html", "/{year}")))


@given(
    st.text()
    | st.text(alphabet="ab1209-_/.?=&;%#: ")
    | st.lists(st.sampled_from(["tag", "2026", "05", "a-12345", "storm", ".html", ""])).map(
        "/".join
    )
)
def test_any_text_is_judged(text: str) -> None:
    assert looks_like_article(text) in (True, False, None)
    assert isinstance(is_article_address(text, {template_of(text)}), bool)
    assert template_of(f"http://{text}") == template_of(f"https://{text}")
    assert looks_like_article(f"http://{text}") == looks_like_article(f"https://{text}")
