"""Parse a page into raw values, each with its place in the page.

Takes the bytes of a page as received (HTML in any encoding, or the plain text of a saved page), the
charset from its HTTP header, if any, and its publisher; returns a ``ParsedPage``. Does no I/O,
normalises nothing and never raises: missing values are None.

The order matters. Dumps are read from the raw bytes and cut out first, because decoding and HTML
parsers damage them. The text is then decoded and parsed once, and all other values are read from
that tree.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element

from crawler import vardump
from crawler.extraction.page import (
    article,
    authors,
    blocks,
    dates,
    debug_output,
    leak,
    links,
    media,
    metadata,
    related_links,
    script_data,
    second_opinion,
    subjects,
    tree,
)
from crawler.extraction.page.anchors import AnchorReader
from crawler.extraction.page.article import Chosen
from crawler.extraction.page.bylines import Byline
from crawler.extraction.page.dateline import Dated
from crawler.extraction.page.encoding import decode
from crawler.extraction.page.leak import Listed, Related
from crawler.extraction.page.links import PageLink
from crawler.extraction.page.media import Media
from crawler.extraction.page.metadata import Alternate, Declared
from crawler.extraction.page.parts import without_furniture
from crawler.extraction.page.plain import read_plain
from crawler.extraction.page.text import has_controls, key, without_controls
from crawler.extraction.publishers import Publisher, publisher_at

__all__ = [
    "Alternate",
    "Byline",
    "Dated",
    "Declared",
    "Listed",
    "Media",
    "PageLink",
    "ParsedPage",
    "Related",
    "parse",
]

_MARKUP = re.compile(
    r"<(?:!doctype|html|head|body|title|meta|div|p|br|table|h[1-6]|span|article|font|center|a\s)",
    re.IGNORECASE,
)
# Xdebug prints the location above a dump: /srv/www/page.php:12: or C:\\www\\page.php:12:
_XDEBUG_PLACE = re.compile(
    rb"(?<![^\r\n>])[ \t]*(?:<small>)?(?:<a [^<>\n]{1,1000}>)?"
    rb"(?:(?:[a-z]{2,10}:/)?/|[A-Za-z]:[\\/]|Command line code|php shell code)[^<>\r\n:]{0,500}"
    rb":[0-9]{1,9}(?:</a>)?:(?:</small>)?(?:\s|<br ?/?>)*\Z"
)
# Bytes. Anything longer is not a location in a file.
_LONGEST_PLACE = 2_000
# Remains of truncated dumps, bare scalars, and separator lines such as "* * *".
_REMAINS = re.compile(
    r"(?>\[[^\]\s]{1,40}\]=>|"
    r"(?:array|int|float|bool|object|string|enum)\([^()]{0,80}\)?(?:#\d+\s*\(\d+\))?|"
    r"NULL|\(more\)|\W)++",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPage:
    """The raw values of one page, each with its place in the page.

    ``id`` is the publisher's own id of the article, if it has one, ``url`` the page's address,
    ``canonical`` the declared canonical URL and ``base`` the base of relative URLs. ``kinds`` are
    the types that the page declares for itself, in lower case, such as "newsarticle" or "website".
    ``free`` is what the page declares about free access, "true" or "false".
    ``body_doubt`` says why the body may be wrong; None if nothing speaks against it.
    ``media`` is None if the page cannot have any, such as the text of a saved page. ``teasers``
    counts links followed by their own paragraph. ``is_text`` means that only the text of the page
    is known. ``dumps`` are the raw PHP dumps that the page
    leaked.
    """

    id: str | None = None
    url: str | None = None
    headline: Declared | None = None
    dated: Dated | None = None
    modified: Dated | None = None
    authors: tuple[Byline, ...] = ()
    description: Declared | None = None
    section: Declared | None = None
    tags: tuple[Declared, ...] = ()
    body: tuple[str, ...] = ()
    body_where: str
    body_doubt: str | None = None
    language: Declared | None = None
    canonical: Declared | None = None
    alternates: tuple[Alternate, ...] = ()
    free: Declared | None = None
    kinds: frozenset[str] = frozenset()
    related: Related | None = None
    links: tuple[PageLink, ...] = ()
    media: tuple[Media, ...] | None = None
    base: str | None = None
    title: str | None = None
    asks_password: bool = False
    teasers: int = 0
    is_text: bool = False
    encoding: str
    encoding_where: str
    dumps: tuple[bytes, ...] = ()

    @property
    def body_size(self) -> int:
        """The total number of characters in all paragraphs."""
        return sum(map(len, self.body))


def parse(
    body: bytes,
    *,
    url: str | None = None,
    charset: str | None = None,
    publisher: Publisher | None = None,
    article_id: str | None = None,
    base: str | None = None,
    is_text: bool = False,
) -> ParsedPage:
    """Read the raw values of one page.

    ``url`` is the page's address, against which relative links are resolved; ``charset`` is the one
    in the HTTP header. The ``publisher`` is by default that of the URL's registrable domain.
    ``article_id`` is the publisher's own id of the article, by default the one in ``url``, and
    ``base`` the base of relative links, by default ``url``. If ``is_text``, the body is the text of
    a page, whatever looks like HTML in it.
    """
    publisher = publisher or publisher_at(url)
    if article_id is None and publisher and publisher.has_own_ids and url:
        article_id = publisher.id_of(url)
    decoded = decode(body, charset)
    encoding = decoded.encoding
    if encoding.startswith(("utf-16", "utf-32")):
        # Dump lengths count single bytes, which these encodings do not have.
        body, encoding = decoded.text.encode(), "utf-8"
    dumps = tuple(vardump.scan(body, encoding))
    text = decode(_without(body, dumps), encoding).text if dumps else decoded.text
    if encoding != "utf-8" or dumps or has_controls(body, text):
        text = without_controls(text)
    text = debug_output.without(text, body)
    related = leak.read(dumps) if publisher is None or publisher.leaks else None
    shared: dict[str, Any] = {
        "id": article_id,
        "url": url,
        "encoding": decoded.encoding,
        "encoding_where": decoded.source,
        "dumps": tuple(body[dump.start : dump.end] for dump in dumps),
    }
    if is_text or not _MARKUP.search(text):
        plain = read_plain(text, leaks=bool(dumps))
        return ParsedPage(
            headline=plain.headline,
            dated=plain.dated,
            body=debug_output.without_output(p for p in plain.body if not _REMAINS.fullmatch(p)),
            body_where=plain.where,
            related=related,
            base=base or url,
            is_text=True,
            **shared,
        )
    is_unchanged = text is decoded.text and encoding == "utf-8" and "\ufffd" not in text
    root = tree.parse(body if is_unchanged else text)
    return _parse_tree(root, text, publisher, url, base or url, related, shared)


def _parse_tree(
    root: _Element,
    text: str,
    publisher: Publisher | None,
    url: str | None,
    base: str | None,
    related: Related | None,
    shared: dict[str, Any],
) -> ParsedPage:
    """Read the values of a page whose source is ``text`` from its tree."""
    base = _base(root, base)
    layout = blocks.read(root)
    declared = metadata.read(root, url)
    language = declared.language.value if declared.language else None
    names = _names_of(publisher)
    chosen = article.choose(layout, declared, names, language, url)
    listed = related_links.Found()
    if related is None or not related.items:
        listed = related_links.read(root, layout, publisher, base, chosen.indexes)
        related = listed.related or related
    story = None
    if second_opinion.needs_more(chosen, declared.body):
        story = script_data.find(root, declared, chosen.headline, url)
    stated = declared.body
    if story and len(story.body.value) > len(stated.value if stated else ""):
        stated = story.body
    opinion = second_opinion.settle(text, chosen, layout.blocks, stated)
    if story:
        is_taken = opinion.where == story.body.where
        if is_taken and opinion.doubt is None:
            opinion = replace(opinion, doubt=story.doubt)
        shows_other = is_taken and not declared.headlines
        chosen = _completed(chosen, story, language, shows_other=shows_other)
    bylines = authors.read(layout, declared, chosen, names, url)
    headline = chosen.headline.value if chosen.headline else ""
    paragraphs = without_furniture(opinion.body, headline, leaks=bool(shared["dumps"]))
    titles = {listed.title for listed in related.items} if related else set()
    section = subjects.section(declared, names, url)
    description = declared.description
    if description and key(description.value) == key(headline):
        description = None
    summary = description.value if description else ""
    texts = (headline, summary, *paragraphs)
    linked = subjects.Subjects(root, layout, chosen.anchor)
    tags = subjects.tags(declared, texts, linked.tags)
    body = debug_output.without_output(
        p for p in paragraphs if p not in titles and not _REMAINS.fullmatch(p)
    )
    page_links = links.Reader(root, layout, chosen, url)
    page_links.add_related(related, listed.elements)
    page_links.add_authors(bylines)
    if sections := linked.sections(section):
        page_links.add_subjects("section", sections)
    else:
        page_links.add_crumbs(subjects.declared_crumbs(declared, url))
    page_links.add_texts(body)
    page_links.add_single(listed.single)
    for one in linked.tags:
        page_links.add_subjects("tag", one)
    page_links.add_lines(AnchorReader(publisher, base))
    page_links.add_translations(declared.alternates)
    return ParsedPage(
        headline=chosen.headline,
        dated=chosen.dated,
        authors=bylines,
        body=body,
        body_where=opinion.where,
        body_doubt=opinion.doubt,
        modified=chosen.modified,
        description=description,
        section=section,
        # A heading such as "Related topics" may be that of articles.
        tags=tuple(t for t in tags if t.where != subjects.HEADED or t.value not in titles),
        language=declared.language,
        canonical=declared.url,
        alternates=declared.alternates,
        free=declared.free,
        kinds=declared.kinds,
        related=related,
        links=page_links.found(),
        media=media.collect(root, declared, chosen.pictures, chosen.text_start, url),
        base=base,
        title=declared.title,
        asks_password=any(field.get("type") == "password" for field in root.iter("input")),
        teasers=chosen.teasers,
        **shared,
    )


def _completed(
    chosen: Chosen, story: script_data.Story, language: str | None, *, shows_other: bool
) -> Chosen:
    """Return an article with the headline and the date that only the page's scripts have.

    If ``shows_other``, the page shows the text of something else, and its headline too.
    """
    headline, dated = chosen.headline, chosen.dated
    if story.headline and (
        headline is None or (shows_other and not _agree(headline, story.headline))
    ):
        headline = story.headline
    if story.published and (dated is None or dated.where == "date in the URL"):
        raw = story.published.value
        if moment := dates.declared(raw, language):
            dated = Dated(raw, moment, story.published.where)
    return replace(chosen, headline=headline, dated=dated)


def _agree(shown: Declared, stated: Declared) -> bool:
    """Return whether a headline that a page shows is the stated one, or a part or a longer form."""
    keys = sorted((key(shown.value), key(stated.value)), key=len)
    is_part = shown.where != "title" and keys[0] != "" and keys[0] in keys[1]
    return keys[0] == keys[1] or is_part


def _base(root: _Element, url: str | None) -> str | None:
    """Return the base URL of the page's relative links; None if the page's address is not one."""
    href = next((base.get("href") for base in root.iter("base")), None)
    for base in (href, url):
        with suppress(ValueError):
            joined = urljoin(url or "", base or "")
            # HTML, 4.2.3: a base of these schemes does not count.
            if urlsplit(joined).scheme not in ("data", "javascript"):
                return joined or None
    return None


def _names_of(publisher: Publisher | None) -> tuple[str, ...]:
    """Return the names by which pages call their publisher: those of its file and its domain."""
    if publisher is None:
        return ()
    return (*publisher.names, publisher.name, publisher.name.partition(".")[0])


def _without(body: bytes, dumps: Iterable[vardump.Dump]) -> bytes:
    """Return the page with each leaked dump replaced by a line break, since a dump ends a line."""
    parts: list[bytes] = []
    position = 0
    for dump in dumps:
        before = body[position : dump.start].rstrip(b" \t")
        if (
            isinstance(dump.node, vardump.String)
            and dump.complete
            and before
            and before[-1:] not in b"\r\n>"
        ):
            # An article about PHP may quote a dump: string(5) "hello".
            continue
        parts += (_without_place(body[position : dump.start]), b"\n")
        position = dump.end
    parts.append(body[position:])
    return b"".join(parts)


def _without_place(before: bytes) -> bytes:
    """Return the bytes before a dump, without Xdebug's line with the dump's location."""
    line = before.rstrip().rfind(b"\n") + 1
    place = _XDEBUG_PLACE.search(before, max(line, len(before) - _LONGEST_PLACE))
    return before[: place.start()] if place else before
