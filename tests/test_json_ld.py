"""Reading of JSON-LD: damaged JSON, the node that describes the page, and its texts."""

import json
from typing import Any

import pytest
from lxml import html

from crawler.extraction.page import json_ld, metadata

TEXT = '{"@type":"NewsArticle","headline":"A \\"b\\" c","url":"https://x.org/a//b","l":["a","b"]}'
NODE = json.loads(TEXT)
DAMAGED: dict[str, tuple[str, list[Any]]] = {
    "valid": (TEXT, [NODE]),
    "CDATA": (f"<![CDATA[ {TEXT} ]]>", [NODE]),
    "CDATA in a line comment": (f"\n//<![CDATA[\n{TEXT}\n//]]>\n", [NODE]),
    "CDATA in a comment": (f"/* <![CDATA[ */ {TEXT} /* ]]> */", [NODE]),
    "HTML comment": (f"<!-- {TEXT} -->", [NODE]),
    "comments": (TEXT.replace(',"l"', ', // the "list"\n /* " */ "l"'), [NODE]),
    "byte order mark": ("\ufeff" + TEXT, [NODE]),
    "semicolon": (TEXT + " ; \n", [NODE]),
    "assignment": (f"var data = {TEXT};", [NODE]),
    "trailing commas": (TEXT.replace('"]}', '", ] , }'), [NODE]),
    "two commas": (TEXT.replace(',"l"', ' , ,"l"'), [NODE]),
    "two objects": (TEXT + TEXT, [NODE, NODE]),
    "two objects and a comma": (f"{TEXT},\n{TEXT}", [NODE, NODE]),
    "entities": (TEXT.replace('\\"', "'").replace('"', "&quot;"), [NODE | {"headline": "A 'b' c"}]),
    "needless escape": (TEXT.replace('\\"', "\\'"), [NODE | {"headline": "A 'b' c"}]),
    "unescaped quotes": (TEXT.replace('\\"', '"'), [NODE]),
    "quote before a comma": (
        '{"headline":"He said "no", and left","b":"x"}',
        [{"headline": 'He said "no", and left', "b": "x"}],
    ),
    "missing value": (
        '{"date": , "headline": "a", "b":}',
        [{"date": None, "headline": "a", "b": None}],
    ),
    "control characters": ('{"a":"b\n\t\x01"}', [{"a": "b\n\t\x01"}]),
    "bad Unicode escape": ('{"a":"\\u12 \\u00e9"}', [{"a": "u12 é"}]),
    "cut": (TEXT[:60], []),
    "nothing": ("", []),
    "no JSON": ("hello { world", []),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_parse(name: str) -> None:
    text, expected = DAMAGED[name]
    assert json_ld.parse(text) == expected


HOSTILE = (
    '"',
    '{"a":',
    '" ',
    "/*",
    "\\",
    ", ",
    ": ",
    "<!--",
    "-->",
    "[",
    ";",
    '"a" ,',
    "{&quot;",
    " ",
)


@pytest.mark.slow_after(4)
@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_scripts_take_linear_time(piece: str) -> None:
    json_ld.parse('{"a":"' + piece * (300_000 // len(piece)) + "x")
    json_ld.paragraphs("<script>" + f"<{piece}" * (300_000 // len(piece)))


URL = "https://www.paper.example/news/crane-stops"
OWN = {"@type": "NewsArticle", "headline": "Crane Stops at the Quay", "datePublished": "2019-03-12"}
OTHER = {
    "@type": "NewsArticle",
    "headline": "Ferry Sails Again",
    "url": "https://paper.example/news/ferry",
    "datePublished": "2018-01-01",
}
VIDEO = {"@type": "VideoObject", "name": "The quay from above", "uploadDate": "2016-01-01"}
CHOICES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "headline": ([OTHER, OWN], OWN),
    "alone, with another headline": (
        [OWN | {"headline": "Standstill"}],
        OWN | {"headline": "Standstill"},
    ),
    "alone, of another page": ([OTHER], {}),
    "URL": (
        [OTHER, OTHER | {"url": "http://paper.example/news/crane-stops/"}],
        OTHER | {"url": "http://paper.example/news/crane-stops/"},
    ),
    "mainEntityOfPage": (
        [OTHER, {"@type": "Article", "mainEntityOfPage": {"@id": URL}}],
        {"@type": "Article", "mainEntityOfPage": {"@id": URL}},
    ),
    "relative URL": (
        [OTHER, {"@type": "Article", "url": "/news/crane-stops"}],
        {"@type": "Article", "url": "/news/crane-stops"},
    ),
    "several that are not known to be the page's": ([OTHER, OTHER | {"headline": "Storm"}], {}),
    "video before the article": ([VIDEO, OWN], OWN),
    "video alone": ([VIDEO], {}),
    "video of the headline": (
        [VIDEO | {"name": "Crane stops at the quay"}],
        VIDEO | {"name": "Crane stops at the quay"},
    ),
    "encoded headline": (
        [OTHER, OWN | {"headline": "Crane &amp;quot;Stops&amp;quot; at the Quay"}],
        OWN | {"headline": "Crane &amp;quot;Stops&amp;quot; at the Quay"},
    ),
    "two of the page": (
        [OWN | {"datePublished": ""}, OWN | {"articleBody": "Text."}],
        OWN | {"articleBody": "Text."},
    ),
    "none": ([], {}),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choose(name: str) -> None:
    nodes, expected = CHOICES[name]
    assert json_ld.choose(nodes, (URL, None), ["Crane Stops at the Quay | The Paper"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A &quot;b&quot; &#8217; c", 'A "b" ’ c'),
        ("&amp;quot;b&amp;quot;", '"b"'),
        ("&#150; &lt;em&gt;so&lt;/em&gt;", "– so"),
        ("R&D, AT&T and 3 < 4 & 5 > 4", "R&D, AT&T and 3 < 4 & 5 > 4"),
        ("a &copy b &nosuch; c", "a &copy b &nosuch; c"),
    ],
)
def test_readable(text: str, expected: str) -> None:
    assert json_ld.readable(text) == expected


def read(*nodes: Any, head: str = "") -> metadata.Metadata:
    texts = [json.dumps(node).replace("</", "<\\/") for node in nodes]
    scripts = "".join(f'<script type="application/LD+JSON">{text}</script>' for text in texts)
    page = f"<title>Crane Stops at the Quay</title>{head}{scripts}<p>x"
    return metadata.read(html.fromstring(page), URL)


def test_the_body_is_declared_without_markup() -> None:
    text = "<p>It  stopped.</p><script>x()</script><p>Nobody was &amp;quot;hurt&amp;quot;.</p>"
    body = read(OTHER, OWN | {"articleBody": text}).body
    assert body == metadata.Declared('It stopped.\nNobody was "hurt".', "JSON-LD articleBody")
    assert read(OTHER, OWN).body is None
    assert read(OWN | {"articleBody": {"a": 1}}).body is None


def test_types_are_read_in_any_spelling() -> None:
    kinds = ["http://schema.org/NewsArticle", "schema:Article", "BLOGPOSTING", 3, None]
    assert read(OWN | {"@type": kinds}).kinds == {"newsarticle", "article", "blogposting"}
    for kind in ("SocialMediaPosting", "LiveBlogPosting", "ReportageNewsArticle", "TechArticle"):
        assert [p.value for p in read(OWN | {"@type": kind}).published] == ["2019-03-12"]


def test_nested_nodes_are_found() -> None:
    for nested in (
        [[OWN]],
        {"@graph": [[OWN]]},
        {"@graph": OWN},
        {"@type": "WebPage", "mainEntity": OWN},
    ):
        assert [h.value for h in read(nested).headlines] == [OWN["headline"]]
    items = {"@type": "WebPage", "mainEntity": {"@type": "ItemList", "itemListElement": [OWN]}}
    assert read(items).headlines == ()


def test_articles_that_a_page_lists_are_not_its_kind() -> None:
    listed = [OTHER, OTHER | {"headline": "Storm", "url": "https://paper.example/news/storm"}]
    assert read(listed, {"@type": "CollectionPage"}).kinds == {"collectionpage"}


def test_titles_are_decoded_twice() -> None:
    head = '<meta property="og:title" content="A &amp;quot;b&amp;quot;">'
    assert read(head=head).headlines == (metadata.Declared('A "b"', "meta og:title"),)
