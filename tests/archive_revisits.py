"""Revisit records, and which other record each of them stands for."""

import hashlib
from functools import partial

from archives import NEWS, http, page, record

from crawler.warc.records import digest_of

DATE, LATER = "2015-10-23T10:00:00Z", "2015-10-25T09:00:00Z"
SAME = {"kind": "revisit", "WARC_Profile": "…/identical-payload-digest"}
UNCHANGED = {"kind": "revisit", "WARC_Profile": "…/server-not-modified"}
UNKNOWN_DIGEST = {"WARC_Payload_Digest": "crc32:abcd"}
NOT_FOUND = ", which is in none of these files"


def original(
    more: str = "",
    date: str = DATE,
    url: str = "",
    number: int = 1,
    status: str = "200 OK",
    article: int = 1,
) -> bytes:
    """Return a capture of an article; ``number`` tells it from the article's other captures."""
    body = page(article, more)
    record_id = f"<urn:{article}:{number}>"
    return record(
        url or f"{NEWS}{article}",
        http(body, status, f"X-Number: {number}"),
        date,
        WARC_Record_ID=record_id,
        WARC_Payload_Digest=digest_of(body),
    )


def refers_to(date: str | None, url: str) -> dict[str, str]:
    dated = {"WARC_Refers_To_Date": date} if date else {}
    return {"WARC_Refers_To_Target_URI": url, **dated}


Revisit = tuple[list[bytes], dict[str, str], tuple[int, bool] | str]


def revisits(article: int = 1) -> dict[str, Revisit]:
    """Return, by name, the cases of an article whose revisit record is of the date LATER.

    Each has the originals and the headers of the revisit record; then the number of the original
    that is read and whether that is an assumption, or the error.
    """
    url = f"{NEWS}{article}"
    print_url = f"{url}/print"
    body = page(article)
    digest = digest_of(body)
    with_digest = {"WARC_Payload_Digest": digest}
    no_digest = record(url, http(body), WARC_Record_ID=f"<urn:{article}:1>")
    one = partial(original, article=article)
    return {
        "by URL and date": ([one()], {**SAME, **with_digest, **refers_to(DATE, url)}, (1, False)),
        "by id": (
            [one(), one(url=print_url, number=2)],
            {**SAME, **with_digest, "WARC_Refers_To": f"<urn:{article}:2>"},
            (2, False),
        ),
        "by URL and date, and an id": (
            [one(number=1), one(url=print_url, number=2, date=LATER)],
            {**SAME, **with_digest, **refers_to(DATE, url), "WARC_Refers_To": f"<urn:{article}:2>"},
            (1, False),
        ),
        "by an id, and a date of other bytes": (
            [one(" others"), one(url=print_url, number=2)],
            {**SAME, **with_digest, **refers_to(DATE, url), "WARC_Refers_To": f"<urn:{article}:2>"},
            (2, False),
        ),
        "by an id that has other bytes": (
            [one(), one(" others", url=print_url, number=2)],
            {**SAME, **with_digest, "WARC_Refers_To": f"<urn:{article}:2>"},
            (1, True),
        ),
        "by digest": ([one(url=print_url)], {**SAME, **with_digest}, (1, True)),
        "by digest in hexadecimal": (
            [one(url=print_url)],
            {**SAME, "WARC_Payload_Digest": f"SHA-1:{hashlib.sha1(body).hexdigest()}"},
            (1, True),
        ),
        "by digest, nearest to the date": (
            [
                one(url=print_url, number=1, date="2015-10-20"),
                one(url=print_url, number=2, date="2015-10-22"),
                one(url=print_url, number=3, date="2015-10-24"),
            ],
            {**SAME, **with_digest, **refers_to("2015-10-21T18:00:00Z", url)},
            (2, True),
        ),
        "by digest, nearest to the revisit": (
            [
                one(url=print_url, number=1, date="2015-10-20"),
                one(url=print_url, number=2, date="2015-10-22"),
            ],
            {**SAME, **with_digest},
            (2, True),
        ),
        "by digest, earlier ones first": (
            [
                one(url=print_url, number=1, date="2015-10-10"),
                one(url=print_url, number=2, date="2015-10-26"),
            ],
            {**SAME, **with_digest},
            (1, True),
        ),
        "by digest, a later one": (
            [one(url=print_url, date="2015-10-26")],
            {**SAME, **with_digest},
            (1, True),
        ),
        "an earlier one of its URL, by its bytes": (
            [no_digest],
            {**SAME, **with_digest, **refers_to("2014", url)},
            (1, True),
        ),
        "one of its URL of the same second": (
            [no_digest.replace(DATE.encode(), LATER.encode())],
            {**SAME, **with_digest},
            (1, True),
        ),
        "a later one of its URL": (
            [no_digest.replace(DATE.encode(), b"2015-10-26T10:00:00Z")],
            {**SAME, **with_digest},
            f"none ({url}){NOT_FOUND}",
        ),
        "an error of its URL": (
            [no_digest.replace(b"200 OK", b"500 No")],
            {**SAME, **with_digest},
            f"none ({url}){NOT_FOUND}",
        ),
        "an error that is named": (
            [no_digest.replace(b"200 OK", b"500 No")],
            {**SAME, **with_digest, **refers_to(DATE, url)},
            (1, False),
        ),
        "other bytes": (
            [one(" others")],
            {**SAME, **with_digest, **refers_to(DATE, url)},
            f"none of 2015-10-23 10:00:00 ({url}){NOT_FOUND}",
        ),
        "other bytes of another URL": (
            [one(" others")],
            {**SAME, **with_digest, **refers_to(DATE, print_url)},
            f"none of 2015-10-23 10:00:00 ({print_url}){NOT_FOUND}",
        ),
        "an unknown digest, named": (
            [one()],
            {**SAME, **UNKNOWN_DIGEST, **refers_to(DATE, url)},
            (1, False),
        ),
        "an unknown digest, not named": (
            [one()],
            {**SAME, **UNKNOWN_DIGEST},
            f"none ({url}){NOT_FOUND}",
        ),
        "the same unknown digest": (
            [one().replace(digest.encode(), b"crc32:abcd")],
            {**SAME, **UNKNOWN_DIGEST},
            (1, True),
        ),
        "no digest": ([one(number=1)], {**SAME}, (1, True)),
        "no digest, 15 hours off": (
            [one()],
            {**SAME, **refers_to("2015-10-24T01:00:00Z", url)},
            (1, True),
        ),
        "no digest, over 15 hours off": (
            [one()],
            {**SAME, **refers_to("2015-10-24T01:00:01Z", url)},
            f"none of 2015-10-24 01:00:01 ({url}){NOT_FOUND}",
        ),
        "not modified, whatever its digest": (
            [one(" others")],
            {**UNCHANGED, **with_digest, **refers_to(DATE, url)},
            (1, False),
        ),
        "not modified, over 15 hours off": (
            [one(" others")],
            {**UNCHANGED, **with_digest, **refers_to("2015-10-22T18:59:59Z", url)},
            f"none of 2015-10-22 18:59:59 ({url}){NOT_FOUND}",
        ),
        "not modified, 15 hours off": (
            [one(" others")],
            {**UNCHANGED, **with_digest, **refers_to("2015-10-22T19:00:00Z", url)},
            (1, True),
        ),
        "not modified, no date": (
            [one(" a", "2015-10-20", number=1), one(" b", "2015-10-21", number=2)],
            {**UNCHANGED},
            (2, True),
        ),
        "a date that is none": (
            [one()],
            {**SAME, **with_digest, **refers_to("some day", url)},
            (1, True),
        ),
        "a URL with brackets": ([one()], {**SAME, **refers_to(DATE, f"<{url}>")}, (1, False)),
        "damaged": (
            [one().replace(b"Friday", b"Monday")],
            {**SAME, **with_digest, **refers_to(DATE, url)},
            (
                f"none of 2015-10-23 10:00:00 ({url}), which cannot be read: "
                f"{{first}}: its content does not match its digest "
                f"(WARC-Payload-Digest {digest})"
            ),
        ),
        "two damaged": (
            [
                one(url=print_url, number=1).replace(b"Friday", b"Monday"),
                one(url=print_url, number=2).replace(b"Friday", b"Monday"),
            ],
            {**SAME, **with_digest, **refers_to(DATE, print_url)},
            (
                f"none of 2015-10-23 10:00:00 ({print_url}), which cannot be read: "
                f"{{first}}: its content does not match its digest "
                f"(WARC-Payload-Digest {digest})"
            ),
        ),
        "damaged, and a copy": (
            [one().replace(b"Friday", b"Monday"), one(url=print_url, number=2)],
            {**SAME, **with_digest, **refers_to(DATE, url)},
            (2, True),
        ),
        "twenty looked at": (
            [
                *(one(" others", f"2015-10-22T10:00:{n:02}Z", number=n) for n in range(10, 29)),
                one(number=2, date="2015-10-21"),
            ],
            {**SAME, "WARC_Payload_Digest": f"md5:{hashlib.md5(body).hexdigest()}"},
            (2, True),
        ),
        "twenty-one looked at": (
            [
                *(one(" others", f"2015-10-22T10:00:{n:02}Z", number=n) for n in range(10, 30)),
                one(number=2, date="2015-10-21"),
            ],
            {**SAME, "WARC_Payload_Digest": f"md5:{hashlib.md5(body).hexdigest()}"},
            f"none ({url}){NOT_FOUND}",
        ),
    }
