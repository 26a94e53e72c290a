"""The crawler's output: the published schema of its records.

There are three kinds of record: an ``Article`` was fetched and read, a ``Teaser`` was not fetched
and is known only from related lists or as a seed, a ``Failure`` was requested and could not be
fetched or read. Every article that a run discovers ends up as exactly one of them. ``schema`` is
the version of this module's classes; any change that matters to readers of old records raises it.
``json_schema`` returns the JSON Schema of each kind, generated from these classes.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]
Url = Annotated[str, Meta(pattern=r"^(https?|file)://")]
Instant = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?[+-]\d\d:\d\d$",
        description="ISO 8601 with offset",
    ),
]
LocalInstant = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?([+-]\d\d:\d\d)?$",
        description="ISO 8601; without offset if the time zone is not known",
    ),
]
Published = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{6})?([+-]\d\d:\d\d)?)?$",
        description="ISO 8601; without offset if the time zone is not known, and only the date "
        "if the page states no time of day",
    ),
]
_LARGEST = 2**53 - 1
"""The largest whole number that all readers of JSON keep exactly (RFC 8259, 6)."""
Count = Annotated[int, Meta(ge=0, le=_LARGEST)]
Position = Annotated[int, Meta(ge=1, le=_LARGEST)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

Schema = Literal[3]
"""docs/reference/records.md says how the versions differ."""

ListedHeadline = Annotated[
    Text | None,
    Meta(description='The listed headline without marks such as "+ Video"; null: none.'),
]
ListedHeadlineRaw = Annotated[
    Text | None, Meta(description="The headline as the list gives it; null: none.")
]
ListedPicture = Annotated[
    Url | None, Meta(description="The address of the listed picture; null: none.")
]
UploadTime = Annotated[
    LocalInstant | None,
    Meta(description="When the picture was uploaded, by its name; null: it does not say."),
]
PublishersValue = Annotated[
    Text | None, Meta(description="The publisher's own value, as given; null: none.")
]
Depth = Annotated[
    Count, Meta(description="The number of links from the nearest seed; 0 for a seed.")
]
SchemaVersion = Annotated[Schema, Meta(description="The version of this schema.")]
ArticleId = Annotated[
    Text,
    Meta(description="The publisher's own id of the article, or else its normalised address."),
]

LinkRole = Literal["related", "text", "translation", "tag", "section", "author"]
ROLE_MEANINGS: dict[LinkRole, str] = {
    "related": "an entry of the related list",
    "text": 'a link in the text, or a single "Read also" between its paragraphs',
    "translation": "the article in another language",
    "tag": "the page of a tag of the article",
    "section": "the page of its section",
    "author": "the page of an author",
}
"""The meanings of the roles of links on an article's page."""
ArticleRole = Literal["related", "text", "translation"]
"""The roles of links to other articles, which a crawl may follow."""
LinkRelation = Literal["nofollow", "sponsored", "ugc"]
"""The link types by which a page says that it does not vouch for a link (HTML, 4.6.7)."""

MediaKind = Literal["image", "video"]
AlternateKind = Literal["language", "amp"]

Why = Literal["depth", "limit", "pruned", "offsite", "address", "not_saved", "interrupted"]
WHY_MEANINGS: dict[Why, str] = {
    "depth": "it is farther from the seeds than depth allows",
    "limit": "the run had fetched limit articles",
    "pruned": "since, until, match or follow exclude it",
    "offsite": "it is on a host that hosts excludes",
    "address": "its address does not look like an article's",
    "not_saved": "no source has a page for it",
    "interrupted": "the run was stopped first",
}
"""Why a known article was not fetched."""
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
REASON_MEANINGS: dict[Reason, str] = {
    "gone": "the server says that there is no such page (404 or 410)",
    "http_2xx": "the response reports success without a page, such as 202",
    "ignored": "a user's downloader middleware refused the request",
    "http_3xx": "a redirect whose target cannot be requested",
    "http_4xx": "the server refused the request, such as with 403",
    "http_5xx": "the server failed",
    "timeout": "the server did not respond in time",
    "dns": "the host's name could not be looked up",
    "refused": "no connection was possible; the server, or a proxy, refused it",
    "tls": "no secure connection could be made, such as with a wrong certificate",
    "connection_lost": "the connection was lost",
    "robots": "robots.txt forbids the request",
    "robots_unavailable": "the server failed to serve its robots.txt (RFC 9309, 2.3.1.4)",
    "offsite_redirect": "a redirect led to a host that hosts excludes",
    "redirect_loop": "redirects led in a circle, or there were too many",
    "private_address": "the host has a private or loopback address that no argument names",
    "not_html": "the response is not a page, but a picture, for example",
    "too_large": "the page is larger than DOWNLOAD_MAXSIZE",
    "cut_short": "the response was shorter than announced",
    "too_slow": "reading the page took longer than READ_TIMEOUT",
    "not_an_article": "the page has status 200 but holds no article",
    "no_list": "a front page, a feed or a sitemap lists no articles, or is malformed",
    "other_article": "the page identifies itself as a different article",
    "unreadable": "the saved page or archive record cannot be opened or is damaged",
    "not_rendered": "the browser failed to run the page's scripts",
    "internal_error": "an error inside this program, with a traceback in the log",
}
"""Why an article could not be fetched or read."""

REASONS = frozenset(REASON_MEANINGS)

ANSWERS = frozenset({"gone", "robots"})
"""Reasons that are the publisher's answer, not a fault of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a field was read, and how sure its value is."""

    where: Annotated[Text, Meta(description='The place on the page, such as "JSON-LD headline".')]
    assumed: Annotated[
        Text | None, Meta(description="What was assumed in reading it; null: nothing.")
    ] = None
    doubt: Annotated[
        Text | None,
        Meta(description="Why the value may be wrong; null: nothing speaks against it."),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """An author of an article."""

    name: Annotated[Text, Meta(description="The name as the page writes it.")]
    url: Annotated[
        Url | None, Meta(description="The address of the author's page; null: none is linked.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """Another version of the page, as the page declares it."""

    kind: Annotated[
        AlternateKind,
        Meta(description="language: the page in a language; amp: its AMP version."),
    ]
    url: Annotated[Url, Meta(description="The address of the version.")]
    language: Annotated[
        Text | None,
        Meta(description="The declared language tag (BCP 47) or x-default; null for AMP."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture or video of the article."""

    kind: Annotated[MediaKind, Meta(description="Whether it is a picture or a video.")]
    url: Annotated[Url, Meta(description="The address of its file or player.")]
    caption: Annotated[
        Text | None, Meta(description="Its caption, without the credit; null: the page has none.")
    ] = None
    credit: Annotated[
        Text | None,
        Meta(description="Who made it or owns it, as the page says; null: the page does not say."),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedItem:
    """One entry of an article's related list."""

    position: Annotated[Position, Meta(description="Its place in the list, counted from 1.")]
    id: Annotated[
        Text | None,
        Meta(description="The id of the listed article; null only if url is null, too."),
    ]
    url: Annotated[
        Url | None,
        Meta(description="The address as the page gives it; null if none is given or follows."),
    ]
    internal: Annotated[
        bool | None,
        Meta(description="Whether it is of the same publisher; null: that is not known."),
    ] = None
    headline: ListedHeadline
    headline_raw: ListedHeadlineRaw
    kind: Annotated[
        MediaKind | None,
        Meta(
            description="video if a mark in the headline or the picture's name says so, image if "
            "there is another picture; null: neither."
        ),
    ]
    picture_url: ListedPicture
    uploaded_at: UploadTime
    content_type: PublishersValue
    sort: PublishersValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of an article's page. Menus, footers, share buttons and advertisements have none."""

    role: Annotated[LinkRole, Meta(description="What the link is on the page.")]
    url: Annotated[
        Url | None,
        Meta(description="The address as the page gives it; null if none is given or follows."),
    ]
    id: Annotated[
        Text | None,
        Meta(
            description="The publisher's own id of the target, or else its normalised address; "
            "null only if url is null, too."
        ),
    ]
    internal: Annotated[
        bool | None,
        Meta(description="Whether it is of the same publisher; null: that is not known."),
    ]
    text: Annotated[Text | None, Meta(description="The text of the link; null: it has none.")]
    paragraph: Annotated[
        Position | None,
        Meta(
            description="The paragraph of the body that a text link is in, counted from 1; null: "
            "it is in none."
        ),
    ]
    rel: Annotated[
        tuple[LinkRelation, ...],
        Meta(description="How the page limits its endorsement of the link, sorted; never null."),
    ]
    where: Annotated[Text, Meta(description="The place on the page.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """All data read from an article's page alone: the result of ``extract``.

    A field that could not be read is null and named in ``missing``. To add a field, add it here
    with a reader in ``extraction.normalise``: it then becomes part of ``Article`` and is compared
    between revisions unless listed in ``NOT_COMPARED``.
    """

    kind: Annotated[Literal["page", "article"], Meta(description="The kind of record.")] = "page"
    schema: SchemaVersion = 3
    site: Annotated[
        Text | None,
        Meta(
            description="The publisher: the name of its file, or else its registrable domain; null "
            "if the page has no address."
        ),
    ]
    id: Annotated[
        Text | None,
        Meta(
            description="The publisher's own id of the article, or else its normalised address; "
            "null if the page has no address."
        ),
    ]
    url: Annotated[
        Url | None,
        Meta(description="The address that was requested; null: a saved page declares none."),
    ]
    aliases: Annotated[
        tuple[Text, ...],
        Meta(description="Other ids that the page's addresses give, sorted; never null."),
    ]
    headline: Annotated[
        Text | None,
        Meta(description='The headline without marks such as "+ Video"; null: none was found.'),
    ]
    headline_raw: Annotated[
        Text | None, Meta(description="The headline as printed; null: none was found.")
    ]
    published_at: Annotated[
        Published | None,
        Meta(description="When the article was published; null: not stated, or ambiguous."),
    ]
    published_raw: Annotated[
        Text | None,
        Meta(description="The publication date as the page writes it; null: not stated."),
    ]
    modified_at: Annotated[
        Published | None,
        Meta(description="When the article was last changed, as declared; null: not declared."),
    ]
    authors: Annotated[
        tuple[Author, ...] | None,
        Meta(
            description="The people, or the agencies, that wrote the article, in page order; null: "
            "none is named."
        ),
    ]
    description: Annotated[
        Text | None,
        Meta(description="The declared summary of the article; null: none is declared."),
    ]
    section: Annotated[
        Text | None,
        Meta(description="The declared section of the site; null: none is declared."),
    ]
    tags: Annotated[
        tuple[Text, ...] | None,
        Meta(description="The tags of the article, in page order; null: it has none."),
    ]
    body: Annotated[
        Text | None,
        Meta(description="The text, with empty lines between paragraphs; null: none was found."),
    ]
    language: Annotated[
        Text | None,
        Meta(
            description="The language of the text, a code of ISO 639-1, or of ISO 639-3 if it has "
            "no shorter one; null: unknown."
        ),
    ]
    credit: Annotated[
        Text | None,
        Meta(description="The outlet that the last sentence credits; null: none."),
    ]
    media: Annotated[
        tuple[Media, ...] | None,
        Meta(
            description="The pictures and videos, the main picture first; empty: the article has "
            "none; null: unknown, as their addresses are lost or only the text was saved."
        ),
    ]
    related: Annotated[
        tuple[RelatedItem, ...] | None,
        Meta(description="The related items, in page order; empty: an empty list; null: no list."),
    ]
    related_complete: Annotated[
        bool | None, Meta(description="Whether the list is whole; null: there is no list.")
    ]
    links: Annotated[
        tuple[Link, ...] | None,
        Meta(
            description="The links of the article, in page order; empty: it has none; null: "
            "unknown, as only the text was saved."
        ),
    ]
    canonical_url: Annotated[
        Url | None,
        Meta(description="The canonical URL that the page declares; null: it declares none."),
    ]
    alternates: Annotated[
        tuple[Alternate, ...] | None,
        Meta(description="The declared versions in languages and for AMP; null: none."),
    ]
    accessible_for_free: Annotated[
        bool | None,
        Meta(description="Whether the page says that all of it is free; null: it does not say."),
    ]
    body_sha256: Annotated[
        Digest | None,
        Meta(description="SHA-256 of the body in UTF-8, in hexadecimal; null: there is no body."),
    ]
    missing: Annotated[tuple[Text, ...], Meta(description="The fields that are null.")]
    provenance: Annotated[
        dict[str, Provenance],
        Meta(description="Where each field was read, by the field's name."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(PageRecord):
    """An article that was fetched and read: its ``PageRecord``, and facts of the crawl."""

    kind: Annotated[Literal["article"], Meta(description="The kind of record.")] = "article"
    site: Annotated[
        Text | None,
        Meta(
            description="The publisher: the name of its file, or else its registrable domain; null "
            "if a saved page declares no address."
        ),
    ]
    id: ArticleId
    revision: Annotated[
        Position,
        Meta(
            description="How often a crawl with a ledger found the article new or changed, counted "
            "from 1."
        ),
    ] = 1
    changed: Annotated[
        tuple[Text, ...],
        Meta(
            description="The fields that differ from the previous revision; empty for the first, "
            "and for an unchanged article that is back after having been gone or forbidden."
        ),
    ] = ()
    depth: Depth
    found_on: Annotated[
        Text | None, Meta(description="The id of the page that led here; null for a seed.")
    ]
    fetched_at: Annotated[
        Instant,
        Meta(
            description="When the page was fetched, captured by an archive, or, if it was saved, "
            "read."
        ),
    ]
    source: Annotated[
        Text, Meta(description="Where the page came from, such as live, wayback or a folder.")
    ]
    status: Annotated[int, Meta(ge=100, le=599, description="The HTTP status of the page.")]


NOT_COMPARED = frozenset(
    (
        "kind",
        "schema",
        "site",
        "id",
        "url",
        "aliases",
        "modified_at",
        "canonical_url",
        "alternates",
        "body_sha256",
        "missing",
        "provenance",
    )
)
"""The fields of ``PageRecord`` whose change makes no new revision.

They are the addresses, which mirrors and redirects change, the fields that identify an article or
its record, those derived from other fields, and ``modified_at``, which some sites set each time
they make the page.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an article that was not read: one list's entry, and the pages that list it.

    That list is the first in crawl order that led to following the article, or the first of all if
    none did. The fields of an entry are null for a seed that no page lists. If a page lists the
    article more than once, its first entry counts.
    """

    kind: Annotated[Literal["teaser", "failure"], Meta(description="The kind of record.")]
    schema: SchemaVersion = 3
    site: Annotated[
        Text | None,
        Meta(
            description="The publisher: the name of its file, or else its registrable domain; null "
            "if the address is not known."
        ),
    ]
    id: ArticleId
    url: Annotated[
        Url | None, Meta(description="The address of the article; null: it is not known.")
    ]
    headline: ListedHeadline
    headline_raw: ListedHeadlineRaw
    media_kind: Annotated[
        MediaKind | None,
        Meta(description="What the list says of its picture or video; null: it has neither."),
    ]
    picture_url: ListedPicture
    uploaded_at: UploadTime
    content_type: PublishersValue
    sort: PublishersValue
    listed_on: Annotated[
        tuple[Text, ...], Meta(description="The ids of the pages that list the article.")
    ]
    listed_as: Annotated[
        tuple[Text, ...], Meta(description="Every headline in their lists, as given.")
    ]
    depth: Depth
    found_on: Annotated[
        Text | None,
        Meta(description="The id of the page with the deciding list; null for a seed."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaser(Known):
    """An article known only from related lists, and why it was not fetched."""

    kind: Annotated[Literal["teaser"], Meta(description="The kind of record.")] = "teaser"
    why: Annotated[Why, Meta(description="Why the article was not fetched.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Known):
    """An article that was requested and could not be fetched or read."""

    kind: Annotated[Literal["failure"], Meta(description="The kind of record.")] = "failure"
    reason: Annotated[Reason, Meta(description="What failed.")]
    detail: Annotated[Text, Meta(description="What failed, for people.")]
    attempts: Annotated[Count, Meta(description="The number of requests made.")]
    status: Annotated[
        Annotated[int, Meta(ge=100, le=999)] | None,
        Meta(description="The HTTP status of the last response; null: there was none."),
    ]
    source: Annotated[
        Text, Meta(description="The source that failed, such as live, wayback or a folder.")
    ]
    failed_at: Annotated[Instant, Meta(description="When it failed.")]


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
