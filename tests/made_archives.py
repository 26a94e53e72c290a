"""Archives of any number of pages of made-up publishers, as several crawls would leave them.

The publishers are those of made_publisher.py, and the one that has a file. Of a hundred articles,
about thirty have several captures, often in different files: as a redirect, a revisit record, in
another layout, changed, or gone. The same arguments always give the same bytes.
"""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from archives import NEWS, http, page, record
from hosted import Answer
from made_addresses import Hosts
from made_publisher import MadeArticle, MadePublisher

from crawler.warc.records import digest_of

_PATHS = ("/{day:%Y/%m/%d}/{slug}", "/{section}/{slug}-{number}", "/{section}/{slug}.html")
_FIRST_CRAWL, _LAST_CRAWL = "2026-05-02T10:00:00Z", "2026-06-02T10:00:00Z"
_LEAST_ARTICLES = 30
# Of so many articles of a publisher, one is captured in each of the ways of _captures.
_ONE_IN = 33
# Of so many pages, one is of the publisher that has a file, and ids of its own.
_OF_A_FILE = 20
_SAME = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


def write_many(folder: Path, pages: int, files: int = 8, publishers: int = 20) -> int:
    """Write the pages into ``files`` gzipped WARC files. Return the number of articles.

    Raises ValueError if a publisher would have fewer articles than it needs for its lists.
    """
    known = pages // _OF_A_FILE
    each = (pages - known) // publishers
    if each < _LEAST_ARTICLES:
        raise ValueError(f"got {pages} pages of {publishers} publishers; takes more pages")
    folder.mkdir()
    with ExitStack() as stack:
        opened = [
            stack.enter_context((folder / f"{number:03}.warc.gz").open("wb"))
            for number in range(files)
        ]
        place = 0
        for number in range(publishers):
            for article, captures in _captures_of(number, each):
                for step, data in enumerate(captures):
                    # Later captures are in other files, which need not be read later.
                    opened[(place + step * (1 + article % 3)) % files].write(
                        gzip.compress(data, 1, mtime=0)
                    )
                place += 1
        for number in range(known):
            for step, data in enumerate(_known_article(1_500_000 + number)):
                opened[(place + step * 3) % files].write(gzip.compress(data, 1, mtime=0))
            place += 1
    return each * publishers + known


def _captures_of(number: int, count: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the place of each article of a publisher, and its captures."""
    domain = f"made{number}.example"
    hosts = Hosts(f"www.{domain}", domain, mobile=f"m.{domain}")
    publisher = MadePublisher(f"The Made-up News {number}", hosts, count, _PATHS)
    publisher.add_links([publisher])
    for place, article in enumerate(publisher.articles):
        yield place, list(_captures(publisher, article, place % _ONE_IN))


def _captures(publisher: MadePublisher, article: MadeArticle, way: int) -> Iterator[bytes]:
    def answer(path: str, host: str = publisher.hosts.main) -> Answer:
        return publisher.answer(host, "https", path)

    main = answer(article.path)
    yield _record(article.address, main, _FIRST_CRAWL)
    bare = f"https://{publisher.hosts.bare}{article.path}"
    mobile = f"https://{publisher.hosts.mobile}{article.path}"
    match way:
        case 1:
            yield _revisit(article.address, main, _FIRST_CRAWL)
        case 2:
            yield _revisit(bare, main)
        case 3:
            yield _record(mobile, answer(article.path, publisher.hosts.mobile), _LAST_CRAWL)
        case 4:
            moved = Answer(301, {**main.headers, "Location": article.address}, b"")
            yield _record(bare, moved, _LAST_CRAWL)
        case 5:
            changed = main.body.replace(b"</h1>", b", updated</h1>")
            yield _record(article.address, main._replace(body=changed), _LAST_CRAWL)
        case 6:
            yield _record(article.address, Answer(404, main.headers, b"<h1>Gone</h1>"), _LAST_CRAWL)
        case 7:
            print_page = f"{article.path}?print=1"
            yield _record(f"{publisher.root}{print_page}", answer(print_page), _LAST_CRAWL)
        case 8:
            yield _record(f"{publisher.root}/", answer("/"), _LAST_CRAWL)


def _known_article(number: int) -> Iterator[bytes]:
    """Yield the captures of an article of the publisher that has a file; a third has moved."""
    address, target = f"{NEWS}{number}", f"http://en.alalam.ir/story/{number}-the-bridge"
    answer = Answer(200, {}, page(number))
    if number % 3:
        yield _record(address, answer, _FIRST_CRAWL)
    else:
        yield _record(address, Answer(302, {"Location": target}, b""), _FIRST_CRAWL)
        yield _record(target, answer, _FIRST_CRAWL)
    if number % 5 == 1:
        yield _revisit(address, answer)


def _record(address: str, answer: Answer, date: str) -> bytes:
    headers = [f"{name}: {value}" for name, value in answer.headers.items() if name == "Location"]
    return record(
        address,
        http(answer.body, f"{answer.status} Of A Made-up Page", *headers),
        date,
        WARC_Record_ID=_record_id(address, date),
        WARC_Payload_Digest=digest_of(answer.body),
    )


def _revisit(address: str, answer: Answer, refers_to: str = "") -> bytes:
    """Return the record of an unchanged page, which may name the date of its earlier capture."""
    original = {"WARC_Refers_To_Target_URI": address, "WARC_Refers_To_Date": refers_to}
    return record(
        address,
        http(b""),
        _LAST_CRAWL,
        "revisit",
        WARC_Profile=_SAME,
        WARC_Record_ID=_record_id(address, _LAST_CRAWL),
        WARC_Payload_Digest=digest_of(answer.body),
        **(original if refers_to else {}),
    )


def _record_id(address: str, date: str) -> str:
    return f"<urn:uuid:{uuid5(NAMESPACE_URL, address + date)}>"
