"""Shows the records of pages on the terminal, and the facts of a draft and of a check."""

from __future__ import annotations

import re
from textwrap import shorten
from typing import TYPE_CHECKING

from crawler.crawl.scope import SAME, Scope
from crawler.crawl.templates import SEED_DEPTH, Templates
from crawler.extraction.article_urls import template_of
from crawler.extraction.directory import Choice, Publishers
from crawler.extraction.refusal import Refusal
from crawler.program import as_typed
from crawler.publisher_drafts.expected import folder_of
from crawler.publisher_drafts.source_text import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.items import PageRecord, RelatedItem
    from crawler.publisher_drafts.drafting import Draft
    from crawler.publisher_drafts.expected import Check
    from crawler.publisher_drafts.pages import Page
    from crawler.publisher_drafts.sampling import Sample

_MOST_RELATED, _LONGEST_HEADLINE = 3, 70
_OFFSET = re.compile(r"[+-]\d\d:\d\d$")
_WHY_NOT = {
    "offsite": "another publisher's",
    "address": "its address does not look like an article's",
}


class PageView:
    """Describes pages as a crawl with a publisher file would read and follow them."""

    def __init__(self, file: Path, urls: Sequence[str]) -> None:
        """Load a publisher file. ``urls`` are the addresses of known articles."""
        publishers = Publishers(Choice(site=str(file)))
        self._publisher = publishers.home
        self._scope = Scope(publishers, SAME, by_host=True)
        self._templates = Templates()
        for url in urls:
            self._templates.learn(self._publisher.name, template_of(url), SEED_DEPTH)

    def lines(self, page: Page) -> Iterator[str]:
        """Yield lines that describe a page's record."""
        record = page.read(self._publisher)
        if isinstance(record, Refusal):
            yield f"refused as {record.reason}: {record.detail}"
            return
        canonical = page.parse(self._publisher).canonical
        rows = {
            "id": record.id,
            "aliases": ", ".join(record.aliases),
            "canonical": canonical.value if canonical and canonical.value != page.url else None,
            "site": record.site,
            "headline": record.headline,
            "published": _published(record),
            "modified": record.modified_at,
            "authors": ", ".join(author.name for author in record.authors or ()),
            "section": record.section,
            "tags": ", ".join(record.tags or ()),
            "language": record.language,
            "body": _body(record),
            "credit": record.credit,
            "media": None if record.media is None else f"{len(record.media)}",
            "related": _related(record),
        }
        for name, value in rows.items():
            if value:
                yield f"{name:<10} {value}"
        for item in (record.related or ())[:_MOST_RELATED]:
            yield f"{'':<10}   {self._item(item)}"
        if record.missing:
            yield f"{'missing':<10} {', '.join(record.missing)}"

    def _item(self, item: RelatedItem) -> str:
        reason = self._scope.reason_against(item, self._templates, 0)
        followed = "followed" if reason is None else f"not followed: {_WHY_NOT.get(reason, reason)}"
        headline = shorten(item.headline or "(no headline)", _LONGEST_HEADLINE, placeholder="…")
        return f"{item.id}  {headline}  ({followed})"


def _published(record: PageRecord) -> str | None:
    if record.published_at is None:
        return f"unclear: {record.published_raw}" if record.published_raw else None
    if "T" not in record.published_at:
        return f"{record.published_at}, no time of day"
    if _OFFSET.search(record.published_at):
        assumed = record.provenance["published_at"].assumed
        return f"{record.published_at}, {f'assuming {assumed}' if assumed else 'zone as stated'}"
    return f"{record.published_at}, no zone stated"


def _body(record: PageRecord) -> str | None:
    if record.body is None:
        return None
    paragraphs = record.body.count("\n\n") + 1
    return f"{paragraphs} paragraph{'s' if paragraphs > 1 else ''}, {len(record.body):,} characters"


def _related(record: PageRecord) -> str:
    if record.related is None:
        return "no list found"
    where = record.provenance["related"].where
    return f"{len(record.related)} item{'s' if len(record.related) != 1 else ''}: {where}"


def describe_samples(samples: Sequence[Sample], view: PageView | None) -> Iterator[str]:
    """Yield lines that describe each URL: its record, or why there is none."""
    for sample in samples:
        yield sample.url
        if sample.page is None or view is None:
            yield f"    {sample.problem}"
        else:
            yield from (f"    {line}" for line in view.lines(sample.page))
        yield ""


def describe_draft(draft: Draft) -> Iterator[str]:
    """Yield lines about the addresses of articles, the fields that were set, and those left."""
    addresses = draft.addresses
    yield f"addresses  {', '.join(dict.fromkeys(addresses.templates))}"
    if addresses.pattern is None:
        yield "           no id in common; the address of an article is its id"
    else:
        yield f"           id: {', '.join(addresses.pattern.ids)}"
    if addresses.pattern is not None and addresses.likely > 1:
        yield (
            f"           the pattern matches {addresses.matched} of the {addresses.likely} links "
            "on these pages that look like articles'"
        )
    yield "set"
    for line in lines_of(draft):
        if line.is_set:
            yield f"    {line.name} = {line.value}"
    to_do = [line for line in lines_of(draft) if line.to_do]
    if to_do:
        yield "left to you"
    for line in to_do:
        yield f"    {line.name}: {line.to_do}"


def describe_files(file: Path) -> Iterator[str]:
    """Yield lines about the files that were written, and the commands that use them."""
    yield f"written: {file}, and the pages and their records in {folder_of(file)}"
    yield f"check a change of the file: {as_typed('publisher')} --check {file}"
    crawl = as_typed("crawl articles URL")
    yield f"crawl with it: {crawl} -s PUBLISHERS={file.parent}"


def describe_check(check: Check, file: Path) -> Iterator[str]:
    """Yield lines about the result of a check."""
    for name, lines in check.changes.items():
        yield f"{name}: differs from the expected record"
        yield from (f"  {line}" for line in lines)
    yield from check.problems
    pages = f"{check.pages} page{'s' if check.pages != 1 else ''}"
    if check.passes:
        yield f"{file}: {pages}, all as expected"
    elif check.changes:
        yield f"{file}: {len(check.changes)} of {pages} differ (- expected, + now)"
    else:
        yield f"{file}: the records of {pages} are as expected, but the file has problems"
