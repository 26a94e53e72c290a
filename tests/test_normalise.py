"""From what a page says to the record: the parts that pages in files do not reach."""

import pytest

from crawler import sites
from crawler.normalise import related_items
from crawler.page import Listed, Related
from crawler.page import read as read_page

SITE = sites.load("alalam")

HEADLINES = {
    "Many Killed in Offensive + VIDEO": ("Many Killed in Offensive", "video"),
    "Advances in Different Areas+VIDEO": ("Advances in Different Areas", "video"),
    "VIDEO: Army Troops Advance": ("Army Troops Advance", "video"),
    "VIDEO, Syrian Army’s Advance": ("Syrian Army’s Advance", "video"),
    "Video, then Photos, Emerge": ("Video, then Photos, Emerge", "image"),
    "A Day in Homs + Photos + Video": ("A Day in Homs", "video"),
    "A Day in Homs + Photos": ("A Day in Homs", "image"),
    "Video": ("Video", "image"),
    "C++ Turns 30": ("C++ Turns 30", "image"),
    "Army &amp; Allies&nbsp;Advance": ("Army & Allies Advance", "image"),
}
CREDITS = {
    "…of the Arab country; Press TV reported.": "Press TV",
    "They left on Monday; the Syrian Arab News Agency reported on Friday.": "Syrian Arab News Agency",
    "The road is open, Fars News Agency reports.": "Fars News Agency",
    "The road is open, according to Reuters.": "Reuters",
    "The road is open, according to the United Nations.": None,
    "The road is open, Syria reported.": None,
    "He said that Press TV reported the matter to the police.": None,
    "It was over by noon.": None,
}


@pytest.mark.parametrize("raw", HEADLINES)
def test_headline_of_a_list(raw: str) -> None:
    [item] = related_items(Related((Listed("1", raw, "/a.jpg"),), True, "a test"), SITE) or ()
    assert (item.headline, item.kind) == HEADLINES[raw]
    assert item.headline_raw == raw


@pytest.mark.parametrize("picture", ["/a/x_25f_4x3.mp4", "http://media.alalam.ir/x.mp4?x=1"])
def test_a_film_makes_a_video(picture: str) -> None:
    [item] = related_items(Related((Listed("1", "x", picture),), True, "a test"), SITE) or ()
    assert item.kind == "video"


def test_nothing_tells_the_kind_of_a_bare_link() -> None:
    [item] = related_items(Related((Listed("1", "x"),), True, "a test"), SITE) or ()
    assert (item.kind, item.picture_url, item.uploaded_at) == (None, None, None)


@pytest.mark.parametrize("given", ["../../etc/passwd", "١٢٣", "12a", "-1", "1" * 19, None])
def test_an_id_is_digits(given: str | None) -> None:
    [item] = related_items(Related((Listed(given, "x"),), True, "a test"), SITE) or ()
    assert (item.id, item.url) == (None, None)


@pytest.mark.parametrize("sentence", CREDITS)
def test_credit(sentence: str) -> None:
    from datetime import UTC, datetime

    from crawler.normalise import Fetch, article

    page = read_page(f"Headline\nFri Oct 23, 2015 13:26:08\n\n{sentence}\n".encode(), SITE)
    fetch = Fetch(
        id="1",
        url=None,
        depth=0,
        found_on=None,
        fetched_at=datetime.now(UTC),
        source="folder",
        status=200,
    )
    record = article(page, fetch, None, SITE)
    assert record.credit == CREDITS[sentence]
    assert ("credit" in record.missing) is (CREDITS[sentence] is None)
