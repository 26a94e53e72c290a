"""The ids in the addresses of articles, and the patterns that find them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extraction.address_patterns import find_pattern, list_folders

ROOT = "https://www.publisher.example"
UUIDS = ("141e61e9-8a07-42e4-a527-2f03f45e7ef0", "3c53a5b8-27fc-4886-a0bf-a10908331abc")
# Paths of articles, the pattern of their addresses, and the ids in them.
FOUND = {
    ("/politics/a-storm-8123456", "/sport/tennis/a-match-9123457"): (
        "-([0-9]{5,})/?$",
        ("8123456", "9123457"),
    ),
    ("/politics/a-storm-81234.html", "/sport/a-match_in-june-912345.html"): (
        r"-([0-9]{5,})\.html$",
        ("81234", "912345"),
    ),
    ("/world/a-storm-8123.html", "/world/a-match-9123.html"): (
        r"-([0-9]{4,})\.html$",
        ("8123", "9123"),
    ),
    ("/en/a-storm/a-65464327", "/en/world/a-match/a-5897191?maca=rss"): (
        "/a-([0-9]{5,})/?$",
        ("65464327", "5897191"),
    ),
    ("/a-storm/!5928990/", "/a-match/!6028990/"): ("/!([0-9]{5,})/?$", ("5928990", "6028990")),
    ("/a-storm,3412544.html", "/a-match.3512544.html"): (
        r"[,.]([0-9]{5,})\.html$",
        ("3412544", "3512544"),
    ),
    ("/a/article242192802/Storm-1.html", "/b/c/article408587681/a-match.html"): (
        "/article([0-9]{5,})/",
        ("242192802", "408587681"),
    ),
    ("/a/a-storm-artikel13351201", "/b/a-match-artikel13615373"): (
        "-artikel([0-9]{5,})/?$",
        ("13351201", "13615373"),
    ),
    ("/artikel/474126.a-storm.html", "/artikel/522721.a-match.html"): (
        r"/([0-9]{5,})\.",
        ("474126", "522721"),
    ),
    ("/a/a-storm-20241202105634-nt.html", "/b/a-match-20260425145127-nts.html"): (
        "-([0-9]{5,})-",
        ("20241202105634", "20260425145127"),
    ),
    ("/2024/11/22/a-storm/157698", "/2024/11/22/a-match/157699"): (
        "/([0-9]{5,})/?$",
        ("157698", "157699"),
    ),
    # The second number is that of a section.
    ("/a/a-storm_6187099_8234.html", "/b/a-match_6187100_8235.html"): (
        "_([0-9]{5,})_",
        ("6187099", "6187100"),
    ),
    tuple(f"/world/a-storm/{uuid}" for uuid in UUIDS): (
        "/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?$",
        UUIDS,
    ),
    ("/articles/AST1F4445T1FUTIL02SM.html", "/articles/AST1F4446T1FUTIL03.html"): (
        r"/([0-9A-Z]{18,})\.html$",
        ("AST1F4445T1FUTIL02SM", "AST1F4446T1FUTIL03"),
    ),
    ("/news/articles/c5yx2m4g1jlo", "/news/articles/c9yx2m4g1jla"): (
        "/([0-9a-z]{12,})/?$",
        ("c5yx2m4g1jlo", "c9yx2m4g1jla"),
    ),
    ("/story.php?storyid=81234", "/story.php?lang=en&storyid=9123"): (
        r"/story\.php\?(?:.*&)?storyid=([0-9]{4,})(?![^&])",
        ("81234", "9123"),
    ),
    ("/a-storm-81234", "/a-match-91234.html"): ("-([0-9]{5,})(?=[./]|$)", ("81234", "91234")),
    ("/a/a-storm-81234",): ("-([0-9]{5,})/?$", ("81234",)),
    ("/a/81234",): ("/([0-9]{5,})/?$", ("81234",)),
}
# Paths of articles that have no id in common.
NOT_FOUND = (
    ("/politics/a-storm", "/sport/a-match"),
    ("/politics/a-storm-81234", "/sport/a-match"),
    ("/politics/a-storm-81234", "/sport/article81234/a-match"),
    ("/2024/11/22/a-storm", "/2024/11/23/a-match"),
    ("/a-storm-20241122", "/a-match-20241123"),
    # The same number in both addresses is no id.
    ("/articles/d41586-025-03571-x", "/articles/d41586-025-04160-8"),
    ("/news-12345/a-storm", "/news-12345/a-match"),
    ("/a/Ard8wM/a-storm", "/a/OklJOk/a-match"),
    ("/", "/a-match-81234"),
)


def urls_of(paths: tuple[str, ...]) -> list[str]:
    return [ROOT + path for path in paths]


@pytest.mark.parametrize("paths", FOUND)
def test_ids(paths: tuple[str, ...]) -> None:
    found = find_pattern(urls_of(paths))
    assert found is not None
    assert (found.pattern, found.ids) == FOUND[paths]
    assert [found.id_in(url) for url in urls_of(paths)] == list(found.ids)


@pytest.mark.parametrize("paths", NOT_FOUND)
def test_no_ids(paths: tuple[str, ...]) -> None:
    assert find_pattern(urls_of(paths)) is None


@pytest.mark.parametrize(
    ("paths", "path"),
    [
        (("/stories/3376705/", "/stories/3376706/"), "/stories/{id}"),
        (("/news,142489.html", "/news,142490.html"), "/news,{id}.html"),
        (("/a/3376705", "/b/3376706"), None),
        (("/stories/3376705",), None),
        (("/story?id=81234", "/story?id=91234"), None),
    ],
)
def test_path_of_any_article(paths: tuple[str, ...], path: str | None) -> None:
    found = find_pattern(urls_of(paths))
    assert found is not None and found.path == path


def test_links_show_that_a_path_is_that_of_a_section() -> None:
    urls = urls_of(("/sport/3376705", "/sport/3376706"))
    found = find_pattern(urls, urls_of(("/world/3376707", "/sport/3376708", "/sport/3376705")))
    assert found is not None and found.path is None
    found = find_pattern(urls, urls_of(("/sport/3376707/", "/sport/3376708?x=1", "/world")))
    assert found is not None and found.path == "/sport/{id}"


def test_links_show_that_a_number_is_a_section() -> None:
    urls = urls_of(("/a/a-storm-12345.html", "/b/a-match-54321.html"))
    assert find_pattern(urls) is not None
    links = urls_of((*(f"/a/{name}-12345.html" for name in "xyz"), "/b/w-54321.html"))
    assert find_pattern(urls, links) is None


def test_links_to_the_same_article_from_several_places() -> None:
    urls = urls_of(("/a/a-storm-12345", "/b/a-match-54321"))
    links = urls_of(
        (
            "/a/a-storm-12345?ico=most_popular",
            "/a/a-storm-12345?ico=more",
            "/a/a-storm-12345/amp",
            "/a/a-storm-12345#comments",
        )
    )
    assert find_pattern(urls, links) is not None


def test_folders_of_lists() -> None:
    pattern = find_pattern(urls_of(("/a/a-storm-12345", "/b/a-match-54321")))
    assert pattern is not None
    links = urls_of(
        (
            "/topics/harbour-81234",
            "/tag/harbour-81235",
            "/a/tag/harbour-81236",
            "/a/harbour-bridge-reopens-today-81237",
            "/tag/harbour",
        )
    )
    assert list_folders(pattern, links) == ("tag", "topics")


@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text()))
def test_any_text(texts: list[str], links: list[str]) -> None:
    urls = [f"{ROOT}/{text}" for text in texts]
    found = find_pattern(urls, links)
    if found is not None:
        assert re.compile(found.pattern).groups == 1
        assert [found.id_in(url) for url in urls] == list(found.ids)
        list_folders(found, links)
