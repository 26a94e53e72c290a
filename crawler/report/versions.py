"""The archived versions of the pages that records were read from, for robust links.

robustlinks.mementoweb.org/spec: a link names the original address, an archived version of it, and
the version's date.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from crawler.items import Article
    from crawler.warc.archived import Archived

_REPLAY = re.compile(
    r"(?P<start>https?://.+/[0-9]{14})(?:[a-z]{2}_)?(?P<url>/https?:.*)", re.DOTALL
)


class Version(NamedTuple):
    """An archived version of a page.

    ``url`` is its address: that of a replay, or the URN of a WARC record; None if neither is known.
    ``date`` is when it was captured (ISO 8601), ``place`` where it is, for people.
    """

    url: str | None
    date: str
    place: str


def version_of(article: Article, archived: Archived | None) -> Version | None:
    """Return the archived version of an article's page; None if there is none.

    That is the capture that was read, or else the one that the job has ``archived``.
    """
    fetched, source = (article.provenance.get(name) for name in ("fetched_at", "source"))
    if fetched is not None and fetched.where == "date of the capture" and source is not None:
        replay = _REPLAY.fullmatch(source.where)
        url = replay["start"] + replay["url"] if replay else None
        return Version(url, article.fetched_at, source.where)
    if archived is not None:
        # The report may be sent to others, whom the folders of this machine do not concern.
        return Version(archived.record_id.strip("<>"), archived.date, Path(archived.file).name)
    return None
