"""The crawler's output: the published schema of its records.

There are three kinds of record: an ``Article`` was fetched and read, a ``Teaser`` was not fetched
and is known only from related lists or as a seed, a ``Failure`` was requested and could not be
fetched or read. Every article that a run discovers ends up as exactly one of them. ``schema`` is
the version of this module's classes; any change that matters to readers of old records raises it.
``json_schema`` returns the JSON Schema of each kind, generated from these classes.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
Url = Annotated[str, msgspec.Meta(pattern=r"^(https?|file)://")]
Instant = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?[+-]\d\d:\d\d$",
        description="ISO 8601 with offset",
    ),
]
LocalInstant = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?([+-]\d\d:\d\d)?$",
        description="ISO 8601; without offset if the time zone is not known",
    ),
]
Published = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{6})?([+-]\d\d:\d\d)?)?$",
        description="ISO 8601; without offset if the time zone is not known, and only the date "
        "if the page states no time of day",
    ),
]
Count = Annotated[int, msgspec.Meta(ge=0)]
Position = Annotated[int, msgspec.Meta(ge=1)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]

MediaKind = Literal["image", "video"]
AlternateKind = Literal["language", "amp"]
Schema = Literal[3]
"""docs/records.md says how the versions differ."""

Why = Literal["depth", "limit", "pruned", "offsite", "address", "not_saved", "interrupted"]
"""Why a known article was not fetched.

depth: farther from the seeds than requested; limit: the run had reached its maximum number of
fetches; pruned: excluded by since, until or match; offsite: on a host that ``hosts`` excludes;
address: its address does not look like an article's; not_saved: no source has a page for it;
interrupted: the run was stopped first.
"""
Exclusion = Literal["pruned", "offsite", "address"]
"""Why an article is not to be fetched, however near to the seeds it is."""

Reason = Literal[
    "gone",
    "http_2xx",
    "ignored",
    "http_3xx",
    "http_4xx",
    "http_5xx",
    "timeout",
    "dns",
    "refused",
    "tls",
    "connection_lost",
    "robots",
    "robots_unavailable",
    "offsite_redirect",
    "redirect_loop",
    "private_address",
    "not_html",
    "too_large",
    "cut_short",
    "too_slow",
    "not_an_article",
    "no_list",
    "other_article",
    "unreadable",
    "not_rendered",
    "internal_error",
]
"""Why an article could not be fetched or read.

gone: 404 or 410; http_2xx: a response that reports success without a page, such as 202; ignored: a
user's downloader middleware refused the request; robots: forbidden by robots.txt;
robots_unavailable: the server failed to return its robots.txt, so the page may not be requested yet
(RFC 9309, 2.3.1.4); too_slow: reading the page took longer than READ_TIMEOUT; private_address: the
host has a private or loopback address that no base_url names; cut_short: the response was shorter
than announced; not_an_article: the page has status 200 but holds no article; no_list: a list of
articles, such as a front page, a feed or a sitemap, lists none or is malformed; other_article: the
page identifies itself as a different article; unreadable: the saved page or archive record cannot
be opened or is damaged; not_rendered: the browser failed to run the page's scripts; internal_error:
an error inside this program, with a traceback in the log.
"""

REASONS = frozenset(get_args(Reason))

ANSWERS = frozenset({"gone", "robots"})
"""Reasons that are the publisher's answer, not a fault of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where on the page a field was read, and what was assumed in reading it (null: nothing).

    ``doubt`` says why the value may be wrong (null: nothing speaks against it).
    """

    where: Text
    assumed: Text | None = None
    doubt: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A person who wrote the article; ``url`` is that of the author's page, if linked."""

    name: Text
    url: Url | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """Another version of the page, as the page declares it.

    ``language`` is the declared language tag (BCP 47, or ``x-default``) of a version in a language,
    and null for the AMP version.
    """

    kind: AlternateKind
    url: Url
    language: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture or video of the article; ``credit`` names who made it or owns it."""

    kind: MediaKind
    url: Url
    caption: Text | None = None
    credit: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedItem:
    """One entry of an article's related list.

    ``position`` counts from 1 in page order. ``url`` is the address as the page gives it, and
    ``id`` is never null if there is one. ``internal`` is true if it is of the same publisher, and
    null if that is unknown. ``headline`` lacks marks such as "+ Video";
    ``headline_raw`` is as given in the list. ``kind`` is video if such a mark or the picture's name
    indicates it, image if there is another picture, otherwise null. ``uploaded_at`` is the
    picture's upload time, read from its name. ``content_type`` and ``sort`` are the publisher's own
    values, as given.
    """

    position: Position
    id: Text | None
    url: Url | None
    internal: bool | None = None
    headline: Text | None
    headline_raw: Text | None
    kind: MediaKind | None
    picture_url: Url | None
    uploaded_at: LocalInstant | None
    content_type: Text | None
    sort: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """All data read from an article's page alone: the result of ``extract``.

    ``site`` is the name of the publisher: its file's, or else its registrable domain. ``id`` is the
    publisher's own id, or else the normalised address (``extraction.addresses``), and ``aliases``
    are other ids that the page's addresses give. A field that could not be read is null and named
    in ``missing``. ``provenance`` gives the place where each field was read. To add a field, add it
    here with a reader in ``extraction.normalise``: it then becomes part of ``Article`` and is
    compared between revisions unless listed in ``NOT_COMPARED``.
    """

    kind: Literal["page", "article"] = "page"
    schema: Schema = 3
    site: Text | None
    id: Text | None
    url: Url | None
    aliases: tuple[Text, ...]
    headline: Text | None
    headline_raw: Text | None
    published_at: Published | None
    published_raw: Text | None
    modified_at: Published | None
    authors: tuple[Author, ...] | None
    description: Text | None
    section: Text | None
    tags: tuple[Text, ...] | None
    body: Text | None
    language: Text | None
    credit: Text | None
    media: tuple[Media, ...] | None
    related: tuple[RelatedItem, ...] | None
    related_complete: bool | None
    canonical_url: Url | None
    alternates: tuple[Alternate, ...] | None
    accessible_for_free: bool | None
    body_sha256: Digest | None
    missing: tuple[Text, ...]
    provenance: dict[str, Provenance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(PageRecord):
    """An article that was fetched and read: its ``PageRecord``, and data known only to the crawl.

    ``revision`` counts, from 1, how often a crawl with a ledger found the article new or changed.
    ``changed`` names the fields that differ from the previous revision. It is empty for the first
    revision, and for an unchanged article that is back after having been gone or forbidden.
    """

    kind: Literal["article"] = "article"
    site: Text | None
    id: Text
    revision: Position = 1
    changed: tuple[Text, ...] = ()
    depth: Count
    found_on: Text | None
    fetched_at: Instant
    source: Text
    status: Annotated[int, msgspec.Meta(ge=100, le=599)]


NOT_COMPARED = frozenset(
    ("kind", "schema", "site", "id", "url", "aliases", "body_sha256", "missing", "provenance")
)
"""The fields of ``PageRecord`` whose change makes no new revision.

They are ``url``, which mirrors and redirects change, the fields that identify an article or its
record, and those derived from other fields.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an article that was not read: one list's entry, and the pages that list it.

    That list is the first in crawl order that led to following the article, or the first of all if
    none did; it is on the page ``found_on``. ``headline``, ``media_kind`` and the other fields of
    an entry are null for a seed that no page lists. ``listed_on`` holds the ids of the pages that
    list it, ``listed_as`` every headline in those lists, as given. If a page lists the article more
    than once, its first entry counts.
    """

    kind: Literal["teaser", "failure"]
    schema: Schema = 3
    site: Text | None
    id: Text
    url: Url | None
    headline: Text | None
    headline_raw: Text | None
    media_kind: MediaKind | None
    picture_url: Url | None
    uploaded_at: LocalInstant | None
    content_type: Text | None
    sort: Text | None
    listed_on: tuple[Text, ...]
    listed_as: tuple[Text, ...]
    depth: Count
    found_on: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaser(Known):
    """An article known only from related lists, and why it was not fetched."""

    kind: Literal["teaser"] = "teaser"
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Known):
    """An article that was requested and could not be fetched or read.

    ``attempts`` counts the requests made.
    """

    kind: Literal["failure"] = "failure"
    reason: Reason
    detail: Text
    attempts: Count
    status: Annotated[int, msgspec.Meta(ge=100, le=999)] | None
    source: Text
    failed_at: Instant


Record = Article | Teaser | Failure
RECORDS: dict[str, type[Record]] = {"article": Article, "teaser": Teaser, "failure": Failure}


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one kind of record.

    Raises KeyError if the kind is unknown.
    """
    schema = msgspec.json.schema(RECORDS[kind])
    for definition in schema["$defs"].values():
        if definition.get("type") == "object" and "properties" in definition:
            # A record contains every field, null or not, and no other field.
            definition["required"] = list(definition["properties"])
            definition["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
