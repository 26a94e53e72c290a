"""Write ten WARC files of a made-up newspaper, one for each year from 2015 to 2024.

python make_captures.py captures

Every month the newspaper has one article, which links to the three before it. Every article is
captured on the day after it appeared, and those of January again two years later, when their
headlines have been changed.
"""

import io
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

YEARS = range(2015, 2025)
SUBJECTS = (
    "Harbour bridge",
    "Night bus",
    "Flood barrier",
    "Primary school",
    "Market hall",
    "Reservoir",
    "Tram line",
    "Swimming pool",
    "Town archive",
    "Wind farm",
    "Cycle path",
    "Ferry terminal",
)
EVENTS = ("opens late", "needs repair", "divides council", "costs more", "wins prize")
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{headline} - The Courier</title>
<meta property="og:type" content="article">
<meta property="article:published_time" content="{day}T08:00:00+00:00">
</head><body><article><h1>{headline}</h1>
<p class="byline">By <a rel="author" href="/authors/ada-brindle">Ada Brindle</a></p>
<p>The {subject} was the subject of the last meeting of the council, which lasted six hours and
ended without a vote. About a hundred people had come, and some of them had to stand outside.</p>
<p>“We have waited for years, and nobody here wants to wait for another one,” said a woman who
lives a street away. Officials expect an answer from the ministry within three weeks.</p>
</article>
<aside class="related"><h2>Related articles</h2><ul>{related}</ul></aside>
</body></html>
"""
DAYS = [date(year, month, 5) for year in YEARS for month in range(1, 13)]


def headline(number: int) -> str:
    subject = SUBJECTS[number % len(SUBJECTS)]
    return f"{subject} {EVENTS[number % len(EVENTS)]}"


def address(number: int) -> str:
    words = headline(number).lower().replace(" ", "-")
    return f"https://www.courier.example/{DAYS[number]:%Y/%m}/{words}"


def page(number: int, title: str) -> bytes:
    related = "".join(
        f'<li><a href="{address(earlier)}">{headline(earlier)}</a></li>'
        for earlier in range(max(0, number - 3), number)
    )
    subject = SUBJECTS[number % len(SUBJECTS)].lower()
    return PAGE.format(headline=title, day=DAYS[number], subject=subject, related=related).encode()


def capture(writer: WARCWriter, number: int, title: str, day: date) -> None:
    at = datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)
    headers = StatusAndHeaders(
        "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
    )
    record = writer.create_warc_record(
        address(number),
        "response",
        payload=io.BytesIO(page(number, title)),
        http_headers=headers,
        warc_headers_dict={
            "WARC-Date": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "WARC-Record-ID": f"<{uuid5(NAMESPACE_URL, f'{address(number)} {day}').urn}>",
        },
    )
    writer.write_record(record)


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for year in YEARS:
        path = folder / f"courier-{year}.warc.gz"
        with path.open("wb") as file:
            writer = WARCWriter(file, gzip=True)
            for number, day in enumerate(DAYS):
                if day.year == year:
                    capture(writer, number, headline(number), day + timedelta(days=1))
                elif day.month == 1 and day.year == year - 2:
                    title = f"{headline(number)}, two years on"
                    capture(writer, number, title, day.replace(year=year, month=6))
        print(path)


main(Path(sys.argv[1]))
