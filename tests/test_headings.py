"""The headings of parts of a page that are not its article are recognised by their words."""

import pytest

from crawler.extraction.page.headings import LONGEST_HEADING, Part, part_headed_by

HEADINGS = [
    ("Related", Part.RELATED),
    ("RELATED NEWS:", Part.RELATED),
    ("More on this story", Part.RELATED),
    ("You may also like…", Part.RELATED),
    ("A lire aussi", Part.RELATED),
    ("À lire aussi :", Part.RELATED),
    ("Ähnliche Artikel", Part.RELATED),
    ("Похожие материалы", Part.RELATED),
    ("الأخبار ذات الصلة", Part.RELATED),
    ("اخبار ذات صله", None),
    ("خبرهای مرتبط", Part.RELATED),
    ("خبر های مرتبط", Part.RELATED),
    ("خبر‌های مرتبط", Part.RELATED),
    ("أخبار مرتبطة", Part.RELATED),
    ("Comments (12)", Part.COMMENTS),
    ("12 comments", Part.COMMENTS),
    ("Kommentare ( 56 )", Part.COMMENTS),
    ("Leave a reply", Part.COMMENTS),
    ("Top 10 stories", Part.OTHER),
    ("Most read", Part.OTHER),
    ("The most read in Sport", Part.OTHER),
    ("Latest from Europe", Part.OTHER),
    ("Latest figures show a rise", None),
    ("Editor’s picks", Part.OTHER),
    ("Don't miss", Part.OTHER),
    ("Follow us on Telegram", Part.OTHER),
    ("Weather", Part.OTHER),
    ("Weather stops the race", None),
    ("Related to the king", None),
    ("The ferries stay in port", None),
    ("", None),
    ("2026", None),
    ("…", None),
]


@pytest.mark.parametrize(("text", "part"), HEADINGS)
def test_headings(text: str, part: Part | None) -> None:
    assert part_headed_by(text) is part


def test_a_long_text_is_no_heading() -> None:
    assert part_headed_by("Follow us " + "and more " * 3) is Part.OTHER
    assert part_headed_by("Follow us " + "on " * LONGEST_HEADING) is None
