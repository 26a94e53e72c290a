"""Conditional requests, to which the live site sends an article only if it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.responses import CONDITIONS

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.crawl.articles import ArticleState, Validators
    from crawler.crawl.run import Run


def conditions(state: ArticleState, turn: int, run: Run) -> dict[str, bytes]:
    """Return the headers that make a request conditional (RFC 9110, 13.1), if it may be."""
    asks_live_site = turn == 0 and run.sources[:1] in ([None], [])
    if (
        not asks_live_site
        # An unchanged page says nothing about what its scripts fetch.
        or run.arguments.render
        or run.arguments.recheck == "all"
        or not (state.revision or (state.state == "list" and not run.has_new_arguments))
        or state.recheck.refusal
    ):
        return {}
    url = run.scope.url_of(state)
    if run.archive is not None and url is not None:
        # A 304 in the archive is useful only if the archive has the response that it refers to.
        archived = run.archive.archived(url)
        if archived is None or (archived.etag, archived.last_modified) != state.recheck.validators:
            return {}
    headers = zip(CONDITIONS, state.recheck.validators, strict=True)
    return {name: value.encode("latin-1") for name, value in headers if value}


def validators_of(response: Response) -> Validators:
    """Return the ETag and Last-Modified of a response (RFC 9110, 8.8)."""
    headers = response.headers
    return _valid(headers.get(b"ETag")), _valid(headers.get(b"Last-Modified"))


def _valid(value: bytes | None) -> str | None:
    """Return the value of a header; None if there is none or it is invalid (RFC 9110, 5.5)."""
    return value.decode("latin-1") if value and b"\0" not in value else None
