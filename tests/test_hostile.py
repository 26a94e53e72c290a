"""Pages built to break a parser give valid records, in time proportional to their size.

Nothing is timed: if the parser read a page again for each of its parts, or if a regular expression
backtracked exponentially, the test would run for hours.
"""

import pytest
from test_page import make_record

PROSE = (
    b"<p>This is a sentence of an article that is long enough to be taken for one, "
    b"and it ends here.</p>" * 3
)


def page(body: bytes, head: bytes = b"<title>A title of the page here</title>") -> bytes:
    return (
        b"<!doctype html><html lang=en><head>"
        + head
        + b"</head><body><h1>A title of the page here</h1>"
        + body
        + PROSE
    )


def linked_data(json: bytes) -> bytes:
    return page(b"", b'<script type="application/ld+json">' + json + b"</script>")


# Values that no record may contain, however a page writes them.
ODD = {
    "half a character in JSON-LD": linked_data(
        b'{"@type":"NewsArticle","image":"http://x/\\ud800.jpg","headline":"\\ud800"}'
    ),
    "half a character in a date": linked_data(
        b'{"@type":"NewsArticle","datePublished":"2015-10-23T12:00\\ud800"}'
    ),
    "half a character in a leak": page(
        b'<pre>string(72) "[{"id":"1","title":"\\ud800","pic":"/a","sort":"\\udfff"}]"</pre>'
    ),
    "local mean time": page(b"<div class=date>23 October 1910 12:30</div>"),
    "ticks of the year one": page(
        b'string(99) "[{"id":"1","title":"x","pic":"/a_000000000000000000_.jpg"}]"'
    ),
    "ticks after the last year": page(
        b'string(99) "[{"id":"1","title":"x","pic":"/a_999999999999999999_.jpg"}]"'
    ),
    "invisible title of a list": page(
        b'string(72) "[{"id":"1","title":"&#8203;","pic":"/a"},'
        b'{"id":"2","title":"\xe2\x80\x8b","pic":"/b"}]"'
    ),
    "invisible headline": page(b"", b"<title>\xe2\x80\x8b - Alalam</title>").replace(
        b"A title of the page here", b"\xe2\x80\x8b"
    ),
    "controls as references": page(
        b"<p>This &#1;is &#2;text &#3;with &#8;controls&#xFFFE;, a whole sentence of them.</p>"
    ),
    "JSON-LD of wrong types": linked_data(
        b'{"@type":["NewsArticle",5],"headline":{"a":1},"datePublished":[7],'
        b'"image":[{},null,5],"video":true}'
    ),
    "an id of 400 digits": page(
        b'string(499) "[{"id":"' + b"1" * 400 + b'","title":"x","pic":"/a"}]"'
    ),
    "a number of 5,000 digits": page(
        b'string(5100) "[{"id":' + b"1" * 5000 + b',"title":"x","pic":"/a"}]"'
    ),
    "hrefs that are none": page(
        b"<h3>Related</h3>" + b"<a href='http://[::1'>x</a><a href='http://h:port/news/1'>y</a>"
        b"<a href='javascript:'>z</a>"
    ),
    "a base that is none": page(
        b"<a href=/news/5>x</a><img src=http://[bad>", b"<base href='http://[bad'>"
    ),
    "meta without content": page(
        b"", b"<meta name=date><meta property=og:url content='http://[x'><html lang='\xff'>"
    ),
}
HUGE = {
    "dashes after a date": page(b"<p>23 October 2015 " + b"-" * 4000 + b"x</p>"),
    "spaces in a time": page(b'<time datetime="2015-10-23 12:30' + b" " * 20_000 + b'x">'),
    "clocks without end": page(b"<p>2015 " + b"12:12 " * 50_000 + b"</p>"),
    "arrays that never close": page(b"array(1) {" * 20_000),
    "broken arrays": page(b'array(2) {["a"]=>int(5)x\n' * 10_000),
    "strings of a wrong length": page(b'string(7) "a"\n' * 10_000),
    "escaped strings of a wrong length": page(b"string(5) &quot;a&quot;\n" * 10_000),
    "strings that promise everything": page(b'string(99999999) "[<p>' * 10_000),
    "inputs": page(b"<div>" + b"<input>x" * 5000 + b"</div>"),
    "lines wrapped by hand": page(b"<p>" + b"some words on a line here<br>" * 10_000),
    "a credit of dashes": page(b"<p>" + b"- A " * 20_000 + b"and the end of it was here.</p>")[
        : -len(PROSE)
    ],
    "spans in a cell": b"<title>t</title><table><tr><td>"
    + b"<span>some bold words in here of it</span><br><br>" * 3000,
    "related cards": page(b"<div class=related-x><a href=/news/5>x</a></div>" * 3000),
    "related headings": page(b"<h3>Related</h3><a href=/news/5>x</a>" * 3000),
    "h1 after h1": page(b"<h1>xyzzy</h1>" * 10_000, b"<title>foo</title>"),
    "items after the text": page(PROSE + b"<li>x</li>" * 30_000),
    "short lines of text": b"Head\n" + b"ab\n" * 300_000,
    "marks in a headline": page(
        b"", b"<meta property=og:title content='" + b"+ video " * 30_000 + b"'>"
    ),
    "a title of a megabyte": page(
        b"<p>abcdefgh</p>" * 2000, b"<title>" + b"abcdefghijklmnop" * 60_000 + b"</title>"
    ),
    "unescaped quotes in every item": page(
        b'string(9) "[' + b'{"id":"1","title":"a"b","pic":"p"}, ' * 6000
    ),
    "nested elements": page(b"<div>" * 100_000),
    "nested bold": page(b"<b>x" * 5000),
    "line breaks": page(b"<br>" * 300_000),
    "dates of every comment": page(b"<p>le 2015 fut bien</p>" * 3000).replace(
        b"lang=en", b"lang=fr"
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_pages(case: str) -> None:
    make_record(ODD[case], None)


@pytest.mark.slow_after(3)
@pytest.mark.parametrize("case", HUGE)
def test_huge_pages(case: str) -> None:
    make_record(HUGE[case], None)


@pytest.mark.parametrize(
    "charset",
    [
        "zip",
        "rot13",
        "undefined",
        "punycode",
        "idna",
        "unicode_escape",
        "utf-8\x00",
        "mbcs",
        "\xe9",
        "x" * 5000,
    ],
)
def test_charsets_that_do_not_exist(charset: str) -> None:
    make_record(page(b"<p>caf\xc3\xa9 \\ud800 and some words more.</p>"), charset)
    make_record(
        page(
            b"<p>caf\xe9 \\ud800 and some words more.</p>",
            b"<meta charset=" + charset.encode() + b">",
        ),
        None,
    )
