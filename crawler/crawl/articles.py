"""The articles that a crawl knows, as its frontier and its memory see them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args
from zlib import crc32

from crawler.items import ArticleRole, Exclusion, RelatedItem

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal[
    "pending",
    "article",
    "failure",
    "dropped",
    "merged",
    "list",
    "depth",
    "pruned",
    "offsite",
    "address",
    "not_saved",
]
"""The state of a known article.

pending: not fetched yet; article: fetched successfully at least once; failure: requested, never
successfully; dropped: fetched, and dropped by an item pipeline; merged: known under another id, and
no longer in the frontier; list: a list of articles, such as a front page or a feed, and no article;
the others are the reasons why an article is only a teaser.
"""

Validators = tuple[str | None, str | None]
NO_VALIDATORS: Validators = (None, None)
Priority = tuple[int, int, int]
"""The crawl order: depth, place of the listing page among fetched pages, position among its links.

The positions of each role follow those of the roles before it (``edges.as_item``).
"""

READ_AGAIN = 0.0
"""``Recheck.due_at`` of an article that has to be read again even if it has not changed.

The reason is that everything it lists is now nearer to the seeds.
"""

DONE = frozenset(("article", "failure", "dropped", "list"))
LIST_DEPTH = -1
"""The depth of lists of articles: the articles that they list are at depth 0, like seeds."""
EXCLUDED: tuple[Exclusion, ...] = get_args(Exclusion)
LISTED_ONLY = ("depth", *EXCLUDED)


class Lane(NamedTuple):
    """The host and the publisher of an article, by name."""

    host: str
    publisher: str


ONE_LANE = Lane("", "")


def checksum(text: str) -> int:
    """Return the checksum of a text, in which case and white space do not count."""
    return crc32(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass"))


class Content(NamedTuple):
    """Checksums of an article's headline and text; None if the page has none."""

    headline: int | None
    body: int | None

    def is_same(self, other: Content) -> bool:
        """Return whether two pages have the same headline or the same text."""
        return any(
            one is not None and one == another for one, another in zip(self, other, strict=True)
        )


NO_CONTENT = Content(None, None)


class Lister(NamedTuple):
    """A page that lists articles, as they share it.

    ``page_id`` is its id, None for the seeds. ``depth`` is that of the articles, and ``place`` that
    of the page among fetched pages (``Priority``).
    """

    page_id: str | None
    depth: int
    place: int


class Recheck(NamedTuple):
    """The results of an article's fetches so far that the next one depends on.

    The fields are the number of stored revisions, when the next fetch is due (POSIX time), the
    interval between fetches (seconds), the number of failures in a row, and the ``validators``
    (ETag and Last-Modified, RFC 9110, 8.8) of the response that the last revision was read from.
    ``refusal`` is the reason if the last response was a refusal (``items.ANSWERS``).
    """

    revision: int = 0
    due_at: float | None = None
    interval: float = 0.0
    failures: int = 0
    validators: Validators = NO_VALIDATORS
    refusal: str | None = None


NEVER_FETCHED = Recheck()


@dataclass(slots=True)
class ArticleState:
    """One known article.

    There may be millions, so the items that name it are in the memory only, and articles share
    objects. ``lister`` has the deciding list (``frontier``), and ``position`` is that of the
    article's item there. ``listed_as`` is for the memory: the ``item_key`` of that item; None if
    there is none, or if it is not known.
    ``queued`` means that it is to be fetched, or was fetched and its outcome is not recorded yet.
    ``fetch_index`` numbers the articles taken. ``emitted`` means that its record is up to date.

    ``url`` is the address to request: None if it follows from the id, "" if there is none.
    ``order`` is the article's place among those that this run hands out, ``lane`` the host that it
    is requested from. Once its page has been read in this run, ``outcome`` says with which result,
    and ``content`` holds checksums of its headline and text. ``new_validators`` are those of the
    current response until it is stored.
    """

    id: str
    state: State
    lister: Lister
    position: int
    listed_as: int | None = None
    queued: bool = False
    fetch_index: int | None = None
    taken: bool = False
    emitted: bool = False
    recheck: Recheck = NEVER_FETCHED
    new_validators: Validators = NO_VALIDATORS
    url: str | None = None
    order: int = -1
    lane: Lane = ONE_LANE
    outcome: Literal["article", "failure"] | None = None
    content: Content | None = None

    @property
    def priority(self) -> Priority:
        return self.lister.depth, self.lister.place, self.position

    @property
    def depth(self) -> int:
        return self.lister.depth

    @property
    def found_on(self) -> str | None:
        """The id of the page with the deciding list; None for a seed."""
        return self.lister.page_id

    @property
    def revision(self) -> int:
        """The number of stored revisions."""
        return self.recheck.revision

    @property
    def is_list(self) -> bool:
        """Whether it is, or may be, a list of articles."""
        return self.lister.depth == LIST_DEPTH


@dataclass(frozen=True, slots=True)
class Listing:
    """An article's entry in a page's list, or another link to it that is followed (``role``).

    ``place`` is the page's place in the crawl, ``position`` and ``headline`` are those of the
    entry. ``item`` is the complete entry; None if the memory stored only its headline.
    """

    page_id: str
    place: int
    position: int
    headline: str | None
    item: RelatedItem | None = None
    role: ArticleRole = "related"


class Lead(NamedTuple):
    """A listing that may lead to an article: the place that it gives it, the page and the item."""

    priority: Priority
    page_id: str
    item: RelatedItem
    role: ArticleRole


def item_key(item: RelatedItem) -> int | None:
    """Return a number that stands, within a run, for all of an item but its headline and place.

    None if the item does not give a headline.
    """
    return None if item.headline is None else hash(item.uploaded_at)


def deciding_item(state: ArticleState, listings: Sequence[Listing]) -> RelatedItem | None:
    """Return an article's item in the deciding list; None for a seed.

    The memory may have stored only its headline.
    """
    on_page = [listing for listing in listings if listing.page_id == state.found_on]
    if state.found_on is None or not on_page:
        return None
    # The positions in a page's list may have changed since, but not beyond those of its role.
    deciding = min(on_page, key=lambda listing: abs(listing.position - state.position))
    related = (listing.item for listing in listings if listing.role == "related")
    whole = next(filter(None, related), None)
    return listed_item(deciding.item, deciding.headline, whole)


def listed_item(
    item: RelatedItem | None, headline: str | None, whole: RelatedItem | None
) -> RelatedItem | None:
    """Return a list entry, of which only the headline may be stored.

    ``whole`` is the article's entry in another list, equal except for the headline.
    """
    if item is None and whole is not None and headline:
        return replace(whole, headline=headline, headline_raw=headline)
    return item or whole
