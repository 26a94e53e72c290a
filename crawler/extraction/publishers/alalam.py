"""Al-Alam News Network in English: http://en.alalam.ir as of 2015.

Its article pages leaked a ``var_dump`` of the related items. That site is gone from its domain; the
URLs are those under which web archives keep its pages.
"""

import re
from datetime import datetime, timedelta

from crawler.extraction.publishers import Publisher

# "/2015/10/23/alalam_635811884533498601_25f_4x3.jpg": the digits are .NET ticks.
_TICKS = re.compile(r"_([0-9]{18})_")
# 1990 and 2100. Numbers outside this range are not ticks.
_FIRST_TICK, _LAST_TICK = 627_667_488_000_000_000, 662_380_416_000_000_000
# "X + Video", "X+VIDEO", "VIDEO: X" and "VIDEO, X", all on the page of 2015-10-23, and on others
# "In Pictures: X", "X: photos", "X : Pictorial Report" and "Drone VIDEO: X". A mark before a comma
# must be in capitals, because "Video, then photos emerge" is a complete headline.
_STILL = r"photos?|pics?|pictures?|images?|audio|infographics?|pictorial\s+report"
_MARK = re.compile(
    rf"\s*\+\s*(?i:(?P<video>videos?)|{_STILL})\s*$"
    rf"|\s*:\s*(?i:(?P<video_last>videos?)|{_STILL})\s*$"
    rf"|^(?i:(?:drone\s+)?(?P<video_first>videos?)|(?:in\s+)?(?:{_STILL}))\s*:\s*"
    r"|^(?:(?P<video_comma>VIDEOS?)|PHOTOS?|PICS?|PICTURES?|IMAGES?|AUDIO|INFOGRAPHICS?),\s*"
)


def _uploaded(picture_path: str) -> datetime | None:
    """Read .NET ticks: units of 100 ns since 0001-01-01, truncated to microseconds.

    They always agree with the date in the picture's folder. The time zone is not stated.
    """
    match = _TICKS.search(picture_path)
    if not match or not _FIRST_TICK <= int(match[1]) <= _LAST_TICK:
        return None
    return datetime.min + timedelta(microseconds=int(match[1]) // 10)


PUBLISHER = Publisher(
    name="alalam",
    base_url="http://en.alalam.ir",
    hosts=frozenset({"en.alalam.ir", "en.alalamtv.net"}),
    article_path="/news/{id}",
    article_pattern=re.compile(r"/news/([0-9]{1,18})(?![0-9])"),
    ids_are_numbers=True,
    # The publisher is in Tehran; its pages state no zone.
    time_zone="Asia/Tehran",
    names=("Al-Alam", "Alalam", "Al Alam", "Al-Alam News Network", "Alalam News Network", "العالم"),
    picture_url="http://media.alalam.ir/news/image/original{path}",
    uploaded=_uploaded,
    headline_mark=_MARK,
    signature=re.compile(
        rb"alalam_[0-9]{18}_25f|Al-?Alam News Network|media\.alalam(?:\.ir|tv\.net)"
    ),
    # The site of 2015 is gone, and web archives keep its pages.
    default_source="live,wayback",
)
