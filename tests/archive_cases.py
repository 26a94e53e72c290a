"""Archives with every case that the tests of archives know, for articles of their own each.

``write_cases(folder)`` writes them into the files of one folder, where captures in one file refer
to those in another. Archives that are read in two ways must give the same records.
"""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import brotli
import stories
from archive_revisits import revisits
from archives import ARC_HEAD, NEWS, Warc, arc_record, http, page, record
from test_archive import forms
from test_archive_compression import DICTIONARY, GZIP
from test_archive_faults import DAMAGE, INCOMPLETE_HEADERS, damage_headers, write_damaged
from test_archive_files import PLAIN
from test_texts import FORMS as TEXT_FORMS
from test_wacz import inside, wacz
from test_wild_captures import NEWER
from wild_archives import GOOD, ID, URL

from crawler.warc.records import digest_of
from crawler.warc.writer import Exchange, WarcWriter

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FIRST, BETWEEN, LATER = "2015-10-20T10:00:00Z", "2015-10-23T10:00:00Z", "2015-10-25T09:00:00Z"
# Seven digits, as the ids that the cases of other modules are made for.
_FIRST_NUMBER = 2_000_000
# A case may use the numbers up to that of the next.
_STEP = 10
_HEADLINE = "Bridge is open again"
_BLOCKED = page("of nothing").split(b"<h1>")[0] + b"<h1>Just a moment</h1><p>Checking</p>"

Write = Callable[[Path, int], object]
"""Writes the files of a case into a folder, under names that begin with the given number."""


def write_cases(folder: Path, cases: dict[str, Write]) -> dict[int, str]:
    """Write the cases into a folder, and return their names by number.

    The article of a case has its number as id, or in its id; a case may use the numbers up to the
    next one.
    """
    folder.mkdir()
    names = {_FIRST_NUMBER + _STEP * place: name for place, name in enumerate(cases)}
    for number, name in names.items():
        cases[name](folder, number)
    return names


def write_texts(folder: Path) -> None:
    """Write texts in JSON Lines, in all forms whose fields are known by default."""
    folder.mkdir()
    for number, (name, data, settings) in enumerate(TEXT_FORMS.values()):
        if not settings:
            (folder / f"{number}-{name}").write_bytes(data)


def case_of(article_id: str, names: dict[int, str]) -> str:
    """Return the name of the case that an article belongs to."""
    digits = "".join(letter if letter.isdigit() else " " for letter in article_id).split()
    numbers = (int(part) - int(part) % _STEP for part in digits)
    return next((names[number] for number in numbers if number in names), "unknown")


def files(make: Callable[[int], dict[str, bytes]]) -> Write:
    """Return a writer of files whose contents are made from a number."""

    def write(folder: Path, number: int) -> None:
        for name, data in make(number).items():
            (folder / f"{number}-{name}").write_bytes(data)

    return write


def one_file(make: Callable[[int], bytes], name: str = "a.warc") -> Write:
    return files(lambda number: {name: make(number)})


def url(number: int) -> str:
    return f"{NEWS}{number}"


def elsewhere(number: int, place: object = "") -> str:
    """Return an address of the same publisher from which no id follows."""
    return f"http://en.alalam.ir/story/{number}-the-bridge{place}"


def story(number: int, slug: str = "the-bridge-is-open-again", host: str = "www.") -> str:
    """Return the address of an article of a publisher without a file."""
    return f"https://{host}news{number}.example/2026/05/01/{slug}"


def capture(
    address: str,
    body: bytes,
    date: str = BETWEEN,
    status: str = "200 OK",
    *headers: str,
    **more: str,
) -> bytes:
    fields = {"WARC_Record_ID": record_id(address, date), "WARC_Payload_Digest": digest_of(body)}
    return record(address, http(body, status, *headers), date, **{**fields, **more})


def record_id(address: str, date: str) -> str:
    return f"<urn:uuid:{uuid5(NAMESPACE_URL, address + date)}>"


def moved(address: str, target: str, date: str = LATER, status: str = "302 Found") -> bytes:
    return capture(address, b"", date, status, f"Location: {target}")


def revisit(address: str, body: bytes, date: str = LATER, **more: str) -> bytes:
    """Return a revisit record of a capture with this body, which ``more`` refers to."""
    fields = {
        "WARC_Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        "WARC_Record_ID": record_id(address, date),
        "WARC_Payload_Digest": digest_of(body),
    }
    return record(address, http(b""), date, "revisit", **{**fields, **more})


def _redirects() -> Iterator[tuple[str, Write]]:
    def in_two(number: int, target: str, *targets: bytes) -> dict[str, bytes]:
        return {"a.warc": moved(url(number), target), "b.warc": b"".join(targets)}

    yield (
        "in one file",
        one_file(lambda n: moved(url(n), elsewhere(n)) + capture(elsewhere(n), page(n))),
    )
    yield (
        "to another file",
        files(lambda n: in_two(n, elsewhere(n), capture(elsewhere(n), page(n)))),
    )
    yield (
        "through three files",
        files(
            lambda n: {
                "a.warc": moved(elsewhere(n), elsewhere(n, 2)),
                "b.warc": moved(url(n), elsewhere(n)),
                "c.warc": capture(elsewhere(n, 2), page(n)),
            }
        ),
    )
    yield (
        "to the capture nearest to its date",
        files(
            lambda n: {
                "a.warc": moved(url(n), elsewhere(n), BETWEEN),
                "b.warc": capture(elsewhere(n), page(n, " long before"), "2014-01-01T00:00:00Z")
                + capture(elsewhere(n), page(n, " a day later"), "2015-10-24T00:00:00Z"),
                "c.warc": capture(elsewhere(n), page(n, " long after"), "2017-01-01T00:00:00Z"),
            }
        ),
    )
    yield (
        "to a page whose nearest capture is bad",
        files(
            lambda n: {
                "a.warc": moved(url(n), elsewhere(n), BETWEEN),
                "b.warc": capture(elsewhere(n), _BLOCKED, "2015-10-24T00:00:00Z"),
                "c.warc": capture(elsewhere(n), page(n), "2017-01-01T00:00:00Z"),
            }
        ),
    )
    yield "to itself", one_file(lambda n: moved(url(n), url(n)))
    yield (
        "around through two files",
        files(lambda n: in_two(n, elsewhere(n), moved(elsewhere(n), url(n)))),
    )
    yield (
        "around, and an older page",
        files(
            lambda n: in_two(
                n, elsewhere(n), moved(elsewhere(n), url(n)), capture(url(n), page(n), FIRST)
            )
        ),
    )
    yield (
        "25 times",
        one_file(
            lambda n: (
                moved(url(n), elsewhere(n, 0))
                + b"".join(moved(elsewhere(n, k), elsewhere(n, k + 1)) for k in range(24))
                + capture(elsewhere(n, 24), page(n))
            )
        ),
    )
    yield (
        "to another article",
        files(lambda n: in_two(n, url(n + 1), capture(url(n + 1), page(n + 1)))),
    )
    yield "to another article that is missing", one_file(lambda n: moved(url(n), url(n + 1)))
    yield "to a page that is missing", one_file(lambda n: moved(url(n), elsewhere(n)))
    yield (
        "to another publisher",
        files(lambda n: in_two(n, story(n), capture(story(n), stories.page(f"Bridge {n}")))),
    )
    yield (
        "to a revisit of a page in a third file",
        files(
            lambda n: {
                "a.warc": moved(url(n), elsewhere(n)),
                "b.warc": revisit(
                    elsewhere(n),
                    page(n),
                    WARC_Refers_To_Target_URI=elsewhere(n, "/print"),
                    WARC_Refers_To_Date=FIRST,
                ),
                "c.warc": capture(elsewhere(n, "/print"), page(n), FIRST),
            }
        ),
    )
    yield (
        "newer than a page",
        files(
            lambda n: in_two(n, "http://en.alalam.ir/", capture(url(n), page(n), FIRST)),
        ),
    )
    yield (
        "to https",
        one_file(
            lambda n: (
                moved(url(n), url(n).replace("http:", "https:"), BETWEEN, "301 Moved Permanently")
                + capture(url(n).replace("http:", "https:"), page(n), "2015-10-23T10:00:01Z")
            )
        ),
    )
    yield (
        "of a revisit record",
        files(
            lambda n: {
                "a.warc": revisit(url(n), page(n), WARC_Refers_To_Target_URI=elsewhere(n, "old")),
                "b.warc": moved(elsewhere(n, "old"), elsewhere(n), FIRST),
                "c.warc": capture(elsewhere(n), page(n)),
            }
        ),
    )
    for captured in (True, False):
        yield (
            f"to a new headline, {'captured' if captured else 'missing'}, without a publisher file",
            files(
                lambda n, captured=captured: {
                    "a.warc": moved(story(n, "the-old-headline-of-it"), story(n)),
                    **(
                        {"b.warc": capture(story(n), stories.page(f"Bridge {n}"))}
                        if captured
                        else {}
                    ),
                }
            ),
        )


def _revisits() -> Iterator[tuple[str, Write]]:
    def of(name: str, number: int, apart: bool) -> dict[str, bytes]:
        originals, headers, _ = revisits(number)[name]
        address = url(number)
        last = record(address, b"", LATER, WARC_Record_ID=f"<urn:{number}:revisit>", **headers)
        # The file with the revisit is the first to be read.
        return (
            {"a.warc": last, "b.warc": b"".join(originals)}
            if apart
            else {"a.warc": b"".join(originals) + last}
        )

    for name in revisits():
        for apart in (False, True):
            yield (
                f"{name}, {'two files' if apart else 'one file'}",
                files(partial(of, name, apart=apart)),
            )
    yield (
        "of a revisit",
        one_file(
            lambda n: (
                capture(url(n), page(n), FIRST)
                + revisit(url(n), page(n), BETWEEN, WARC_Refers_To_Target_URI=url(n))
                + revisit(url(n), page(n), WARC_Refers_To=record_id(url(n), BETWEEN))
            )
        ),
    )
    yield (
        "of a page of another publisher",
        files(
            lambda n: {
                "a.warc": revisit(story(n), stories.page(f"Bridge {n}")),
                "b.warc": capture(story(n, host="m."), stories.page(f"Bridge {n}"), FIRST),
            }
        ),
    )


def _captures() -> Iterator[tuple[str, Write]]:
    for name, (newer, _) in NEWER.items():
        yield (
            f"newer: {name}",
            one_file(
                lambda n, newer=newer: (record(URL, GOOD) + newer).replace(
                    ID.encode(), str(n).encode()
                )
            ),
        )
        yield (
            f"newer, in another file: {name}",
            files(
                lambda n, newer=newer: {
                    file: data.replace(ID.encode(), str(n).encode())
                    for file, data in {"a.warc": newer, "b.warc": record(URL, GOOD)}.items()
                }
            ),
        )
    days = ("2014-03-01", "2015-10-22", "2015-10-23", "2016-01-01")
    yield (
        "of several days",
        files(
            lambda n: {
                f"{day}.warc": capture(url(n), page(n, f" on {day}"), f"{day}T23:59:59Z")
                for day in days
            }
        ),
    )
    yield (
        "more bad ones than are tried",
        files(
            lambda n: {
                "a.warc": capture(url(n), page(n), "2012-01-01T00:00:00Z"),
                "b.warc": b"".join(
                    capture(url(n), _BLOCKED + b"%d" % day, f"2014-10-{day}T00:00:00Z")
                    for day in range(10, 31)
                ),
            }
        ),
    )
    yield (
        "of one moment in two files",
        files(
            lambda n: {
                "a.warc": capture(url(n), page(n, " in a")),
                "b.warc": capture(url(n), page(n, " in b")),
            }
        ),
    )
    yield (
        "of several hosts, without a publisher file",
        files(
            lambda n: {
                f"{place}.warc": capture(
                    story(n, host=host), stories.page(f"Bridge {n} {host}"), date
                )
                for place, (host, date) in enumerate(
                    (("www.", FIRST), ("m.", LATER), ("", BETWEEN), ("amp.", FIRST))
                )
            }
        ),
    )
    for how in ("the request names it", "it names the request", "neither", "in another file"):
        yield f"an answer to POST: {how}", files(partial(_post, how))


def _post(how: str, number: int) -> dict[str, bytes]:
    request = b"POST /news HTTP/1.1\r\nHost: en.alalam.ir\r\n\r\na=b"
    answer, asked = record_id(url(number), LATER), f"<urn:{number}:q>"
    of_request = {"WARC_Concurrent_To": answer} if how == "the request names it" else {}
    of_answer = {"WARC_Concurrent_To": asked} if how == "it names the request" else {}
    first = capture(url(number), page(number), FIRST)
    last = capture(url(number), page(number, " after the form"), LATER, **of_answer)
    query = record(url(number), request, LATER, "request", WARC_Record_ID=asked, **of_request)
    if how == "in another file":
        return {"a.warc": first + last, "b.warc": query}
    return {"a.warc": first + last + query}


def _duplicates() -> Iterator[tuple[str, Write]]:
    """Pages of publishers without a file, which name other addresses as their canonical URL."""

    def stored(number: int, *pages: tuple[str, str], apart: bool = False) -> dict[str, bytes]:
        records = [
            capture(
                story(number, slug),
                stories.page(_HEADLINE, canonical=_canonical(number, canonical)),
                f"2026-05-02T10:00:{place:02}Z",
            )
            for place, (slug, canonical) in enumerate(pages)
        ]
        if apart:
            return {f"{place}.warc": data for place, data in enumerate(records)}
        return {"a.warc": b"".join(records)}

    # An address that has nothing of the headline is believed not to be the canonical one.
    main, first, last = "bridge-is-open-again", "aa-an-old-address-of-it", "zz-a-new-address-of-it"
    longer, longest = f"{main}-after-repairs", f"{main}-after-repairs-at-last"
    for apart in (False, True):
        where = "several files" if apart else "one file"
        by_name: dict[str, tuple[tuple[str, str], ...]] = {
            "canonical URL that is captured": ((first, main), (main, main), (last, main)),
            "canonical URL that is missing": ((first, main), (last, main)),
            "canonical URL and tracking": ((f"{main}?utm_source=x&page=2", main), (main, main)),
            "chain of canonical URLs": ((first, main), (main, longer), (longer, longest)),
            "pages that name each other": ((main, longer), (longer, main)),
            "pages that name each other around": (
                (main, longer),
                (longer, longest),
                (longest, main),
            ),
            "canonical URL of the home page": ((first, ""), (last, "")),
            "AMP page": ((f"{main}/amp", main), (main, main)),
        }
        for name, pages in by_name.items():
            yield f"{name}, {where}", files(lambda n, p=pages, a=apart: stored(n, *p, apart=a))
    yield (
        "canonical URL that is an error",
        files(
            lambda n: {
                **stored(n, (first, main)),
                "b.warc": capture(story(n, main), b"gone", status="404 Not Found"),
            }
        ),
    )
    yield (
        "canonical URL in an older capture only",
        one_file(
            lambda n: (
                capture(story(n, first), stories.page(_HEADLINE, canonical=story(n, main)), FIRST)
                + capture(story(n, first), stories.page(_HEADLINE), LATER)
            )
        ),
    )
    yield (
        "one canonical URL of different articles",
        one_file(
            lambda n: b"".join(
                capture(story(n, slug), stories.page(headline, canonical=story(n, main)))
                for slug, headline in ((first, _HEADLINE), (last, "Bridge is shut again"))
            )
        ),
    )
    yield (
        "canonical URL of another publisher",
        one_file(
            lambda n: capture(
                story(n), stories.page(f"Bridge {n}", canonical="https://elsewhere.example/a-b-c-d")
            )
        ),
    )


def _canonical(number: int, slug: str) -> str:
    return story(number, slug) if slug else f"https://www.news{number}.example/"


def _forms() -> Iterator[tuple[str, Write]]:
    def of(name: str, number: int) -> bytes:
        address, headers, body = forms(number)[name]
        return record(address, http(body, "200 OK", *(": ".join(header) for header in headers)))

    for name in forms(1):
        yield name, one_file(partial(of, name))
    codings = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}
    for coding, encode in {**codings, "zstd": zstd.compress}.items():
        for cut in (4, 30):
            yield (
                f"{coding}, cut by {cut} bytes",
                one_file(
                    lambda n, encode=encode, coding=coding, cut=cut: capture(
                        url(n),
                        encode(page(n))[:-cut],
                        BETWEEN,
                        "200 OK",
                        f"Content-Encoding: {coding}",
                    )
                ),
            )
    yield (
        "a coding that was taken off",
        one_file(lambda n: capture(url(n), page(n), BETWEEN, "200 OK", "Content-Encoding: gzip")),
    )
    yield (
        "a resource",
        one_file(lambda n: record(url(n), page(n), BETWEEN, "resource", Content_Type="text/html")),
    )
    yield (
        "other types",
        one_file(
            lambda n: b"".join(
                record(
                    story(n, f"a-file-with-a-long-name.{suffix}"),
                    http(b"\x00\x01 bytes").replace(b"text/html; charset=utf-8", media.encode()),
                )
                for suffix, media in (
                    ("pdf", "application/pdf"),
                    ("jpg", "image/jpeg"),
                    ("xml", "application/rss+xml"),
                    ("json", "application/json"),
                )
            )
        ),
    )


def _writers() -> Iterator[tuple[str, Write]]:
    yield "ARC", one_file(lambda n: ARC_HEAD + arc_record(url(n), http(page(n))), "a.arc")
    yield (
        "ARC in gzip",
        one_file(
            lambda n: gzip.compress(ARC_HEAD) + gzip.compress(arc_record(url(n), http(page(n)))),
            "a.arc.gz",
        ),
    )
    yield (
        "zstd",
        one_file(lambda n: zstd.compress(capture(url(n), page(n))), "a.warc.zst"),
    )
    yield "zstd with a dictionary", one_file(_with_dictionary, "a.warc.zst")
    yield (
        "a file that is being written",
        one_file(
            lambda n: (
                gzip.compress(capture(url(n), page(n)))
                + gzip.compress(capture(url(n + 1), page(n + 1)))[:-20]
            ),
            "a.warc.gz.open",
        ),
    )
    yield "WET", lambda folder, n: _wet(folder / f"{n}-a.wet.gz", n)
    yield (
        "WET, and the page in another file",
        lambda folder, n: (
            _wet(folder / f"{n}-a.warc.wet.gz", n),
            (folder / f"{n}-b.warc").write_bytes(capture(url(n), page(n), FIRST)),
        ),
    )
    yield "a page as a browser shows it", _rendered
    yield (
        "WACZ",
        lambda folder, n: wacz(
            folder / f"{n}.wacz", {"archive/a.warc.gz": gzip.compress(capture(url(n), page(n)))}
        ),
    )
    yield (
        "WACZ in a WACZ, and a revisit in one of a page in the other",
        lambda folder, n: (
            wacz(
                folder / f"{n}.wacz",
                {
                    "archive/a.warc": capture(url(n), page(n), FIRST),
                    "in.wacz": inside(
                        folder / f"{n}.part",
                        {
                            "archive/a.warc": revisit(url(n), page(n))
                            + moved(url(n + 1), elsewhere(n + 1))
                            + capture(elsewhere(n + 1), page(n + 1))
                        },
                    ),
                },
            )
            and (folder / f"{n}.part").unlink()
        ),
    )


def _with_dictionary(number: int) -> bytes:
    words = DICTIONARY.dict_content
    head = b"\x5d\x2a\x4d\x18" + len(words).to_bytes(4, "little") + words
    return head + zstd.compress(capture(url(number), page(number)), zstd_dict=DICTIONARY)


def _wet(path: Path, number: int) -> Warc:
    body = "\n".join(
        (
            f"Bridge number {number} reopens",
            "Fri Oct 23, 2015 13:26:08",
            "The bridge in the north of the city was opened again on Friday, officials said.",
            "It had been closed for repairs since the second week of March.",
        )
    )
    return Warc(path).text(url(number), body).text(story(number), body)


def _rendered(folder: Path, number: int) -> None:
    """Write the page with the crawler's own writer, which notes what a browser made of it."""
    writer = WarcWriter(folder / f"{number}-a.warc.gz", {"software": "a crawler"})
    request = f"GET /news/{number} HTTP/1.1\r\nHost: en.alalam.ir\r\n\r\n".encode()
    shell = http(b"<!doctype html><title>Loading</title><script></script>")
    at = datetime(2015, 10, 23, 10, tzinfo=UTC)
    for address in (url(number), url(number + 1)):
        writer.write(Exchange(address, at, request, shell))
        writer.write_conversion(address, page(address.rpartition("/")[2]))
    writer.close()


def _damage() -> Iterator[tuple[str, Write]]:
    for what in DAMAGE:
        yield what, lambda folder, n, what=what: write_damaged(folder, what, n)
    for what in INCOMPLETE_HEADERS:
        yield (
            what,
            one_file(
                lambda n, what=what: (
                    capture(url(n + 1), page(n + 1))
                    + damage_headers(what, capture(url(n), page(n)))
                )
            ),
        )
    for kind, table in (("warc.gz", GZIP), ("warc", PLAIN)):
        # All of these have captures of the same three articles.
        for what, (data, _) in table.items():
            yield f"{kind}: {what}", one_file(lambda _, data=data: data, f"a.{kind}")
    yield "junk", one_file(lambda _: b"<html><p>hello</p></html>", "a.warc.gz")


_GROUPS: dict[str, Callable[[], Iterator[tuple[str, Write]]]] = {
    "redirect": _redirects,
    "revisit": _revisits,
    "captures": _captures,
    "duplicates": _duplicates,
    "form": _forms,
    "writer": _writers,
    "damage": _damage,
}
CASES: dict[str, Write] = {
    f"{group}: {name}": write for group, cases in _GROUPS.items() for name, write in cases()
}
"""All cases by name."""
