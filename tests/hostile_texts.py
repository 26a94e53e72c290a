"""Texts that try to break out of a page, and records that have them wherever they can."""

from dataclasses import replace
from typing import Any

from corpora import teaser
from jobs import article, failure, related_item

from crawler.items import (
    Alternate,
    Article,
    Author,
    Failure,
    Link,
    Media,
    Provenance,
    RelatedItem,
    Teaser,
)

ATTACKS = (
    "</script><script>broken()</script>",
    "</noscript><img src=https://evil.example/x.png onerror=broken()>",
    "</title></style><style>*{display:none}</style>",
    "</textarea></select></option><svg onload=broken()>",
    "<!-- <script> <!--",
    "]]> --> <plaintext>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href=https://evil.example/><iframe srcdoc='<script>broken()</script>'>",
    "<form id=filters><input name=value><a id=table name=days>",
    '" onmouseover="broken()" autofocus onfocus=\'broken()\' x="',
    "' onmouseover='broken()' autofocus onfocus='broken()",
    "javascript:broken()",
    "data:text/html,<script>broken()</script>",
    "&lt;script&gt;broken()&lt;/script&gt;&amp;&#x3c;",
    "{{ 7*7 }}{% include 'macros.html' %}${7*7}`",
    "\u202egnp.exe \u2066 \u200f\u061c(\u202d",
    "\u2028\u2029*/ alert(1) //\\u003cscript\\x3c",
    "a\tb\x00\x01\x02\x1b[31m\x7f\x85\x9f\ufffe\ufeff",
    "constructor __proto__ toString",
    "m" * 10_000,
    "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿 \u0300\u0301" + "e" + "\u0301" * 300,
    "'\"><script src=//evil.example/x.js></script>",
    "<a href=javascript:broken()>click</a>",
)
HARMLESS = tuple(f"words {number:02}" for number in range(len(ATTACKS)))


def records(texts: tuple[str, ...]) -> list[Article | Teaser | Failure]:
    """Return an article, a revision of it, a teaser and a failure for each text."""
    found: list[Article | Teaser | Failure] = []
    ids = [f"article {number} {text}" for number, text in enumerate(texts)]
    for number, text in enumerate(texts):
        next_id = ids[(number + 1) % len(ids)]
        changes: dict[str, Any] = {"changed": ("headline", "body", "tags"), "body": "short"}
        found += [
            _article(number, text, next_id),
            _article(number, text, next_id, revision=2, **changes),
            teaser(f"teaser {number} {text}", site=f"site {number} {text}", **_headlines(text)),
            _failure(number, text),
        ]
    return found


def _headlines(text: str) -> dict[str, str]:
    return {"headline": text, "headline_raw": f"{text} {text}", "url": _url(text)}


def _url(text: str) -> str:
    return f"https://evil.example/{text}"


def _article(number: int, text: str, next_id: str, **fields: Any) -> Article:
    names = ("headline", "body", "authors", "media", "tags", "url", "id", "section", "links")
    texts = ("section", "description", "published_raw", "credit", "language", "source")
    given: dict[str, Any] = {
        **dict.fromkeys(texts, text),
        **_headlines(text),
        "site": f"site {number} {text}",
        "body": f"{text}\n\n{text} {text}",
        "published_at": "2026-01-02T03:04:05+00:00",
        "authors": (Author(name=text, url=_url(text)), Author(name=text, url="file:///etc/x")),
        "tags": (text, f"{text} {text}"),
        "aliases": (f"alias {number} {text}",),
        "media": (Media(kind="image", url=_url(text), caption=text, credit=text),),
        "alternates": (Alternate(kind="language", url=_url(text), language=text),),
        "canonical_url": f"file:///{text}",
        "found_on": next_id,
        "related": (_item(next_id, text), _item(f"elsewhere {text}", text)),
        "links": (_link(next_id, text), _link(f"elsewhere {text}", text)),
        "missing": ("modified_at",),
        "provenance": {
            name: Provenance(where=text, assumed=text, doubt=text) for name in names
        },
    }  # fmt: skip
    return article(f"article {number} {text}", **{**given, **fields})


def _item(article_id: str, text: str) -> RelatedItem:
    item = related_item(article_id, words=text)
    return replace(item, url=_url(text), picture_url=_url(text), kind="video")


def _link(article_id: str, text: str) -> Link:
    facts: dict[str, Any] = {"paragraph": 1, "rel": (), "where": text, "internal": True}
    return Link(role="text", url=_url(text), id=article_id, text=text, **facts)


def _failure(number: int, text: str) -> Failure:
    made = failure(f"failure {number} {text}", "timeout")
    fields: dict[str, Any] = {"detail": f"{text} {text}", "site": f"site {number} {text}"}
    return replace(made, **fields, **_headlines(text))
