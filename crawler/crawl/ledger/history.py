"""Read-only queries of a ledger.

They return the balance, the history of an article, the state of a job, and the corpus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from sqlalchemy import and_, bindparam, case, exists, func, literal, not_, select, union_all

from crawler.crawl.articles import LIST_DEPTH, LISTED_ONLY
from crawler.crawl.ledger.aliases import aliases_of, resolved
from crawler.crawl.ledger.page_links import damage_in, damage_of, load, unpacked
from crawler.crawl.ledger.record_json import json_in, lost_bits
from crawler.crawl.ledger.schema import (
    ALIASES,
    ARCHIVED,
    FETCHES,
    JOB,
    LINKING_PAGES,
    LISTINGS,
    PAGE_LINKS,
    PAGES,
    RECORDS,
    RUNS,
)
from crawler.crawl.stored_records import with_resolved_ids
from crawler.items import REASONS
from crawler.warc.archived import Archived

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from crawler.crawl.edges import Edge
    from crawler.items import ArticleRole

_TEASERS = (*LISTED_ONLY, "not_saved")
_CATEGORIES = {
    "article": "articles",
    "failure": "failures",
    "pending": "pending",
    "dropped": "dropped",
    **dict.fromkeys(_TEASERS, "teasers"),
}
_MOST_NAMED = 20
_ROWS_AT_ONCE = 100
_MOST_IDS = 500
_LISTED_BY_PAGE = select(LISTINGS.c.id, LISTINGS.c.role).where(
    LISTINGS.c.id.in_(bindparam("ids", expanding=True)),
    LISTINGS.c.page_id == bindparam("page"),
    LISTINGS.c.role.in_(bindparam("roles", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Balance:
    """The number of articles that a job discovered, by category.

    ``wrong`` holds the ids of articles whose state lacks evidence, each with the missing evidence.
    """

    discovered: int
    articles: int
    teasers: int
    failures: int
    pending: int
    dropped: int
    wrong: list[tuple[str, str]]

    @property
    def balanced(self) -> bool:
        return (
            not self.wrong
            and self.discovered
            == self.articles + self.teasers + self.failures + self.pending + self.dropped
        )

    def __str__(self) -> str:
        line = (
            f"discovered {self.discovered} {'=' if self.balanced else '!='} "
            f"articles {self.articles} + teasers {self.teasers}"
            f" + failures {self.failures} + pending {self.pending}"
        )
        line += f" + dropped {self.dropped}" if self.dropped else ""
        if self.balanced:
            return line
        ids = ", ".join(f"{article_id} ({why})" for article_id, why in self.wrong[:_MOST_NAMED])
        more = f" and {len(self.wrong) - _MOST_NAMED} more" if len(self.wrong) > _MOST_NAMED else ""
        return (
            f"{line} (the ledger does not balance: {ids}{more}; "
            "it is damaged, or this is a bug in the crawler: please report it)"
        )


def stream(connection: Connection, query: Any) -> Iterator[Any]:
    """Yield the rows of a query, of which only a few are in memory at a time."""
    with connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}) as rows:
        yield from rows


def balance(connection: Connection) -> Balance:
    """Count the known articles and check that the ledger holds evidence for the state of each.

    An article must have its revisions, a failure its record, and so on.
    """
    counts = dict.fromkeys(_CATEGORIES.values(), 0)
    discovered = 0
    # A list of articles is no article, and has a record only if it failed.
    is_list = and_(PAGES.c.depth == LIST_DEPTH, PAGES.c.state.in_(("list", "pending")))
    for state, count in connection.execute(
        select(PAGES.c.state, func.count()).where(not_(is_list)).group_by(PAGES.c.state)
    ):
        discovered += count
        if state in _CATEGORIES:
            counts[_CATEGORIES[state]] += count
    wrong = [(row.id, row.why) for row in connection.execute(_violations_query())]
    return Balance(discovered=discovered, **counts, wrong=sorted(wrong))


def _violations_query() -> Any:
    """Return the query for the ids whose state lacks evidence, with the missing evidence."""

    def has(table: Any, *conditions: Any) -> Any:
        return exists(select(literal(1)).where(table.c.id == PAGES.c.id, *conditions))

    state = PAGES.c.state
    revisions = (
        select(func.count())
        .where(RECORDS.c.id == PAGES.c.id, RECORDS.c.kind == "article")
        .scalar_subquery()
    )
    why = case(
        (state.not_in(["list", *_CATEGORIES]), "no such state"),
        (
            and_(state == "article", not_(has(RECORDS, RECORDS.c.kind.in_(("article", "item"))))),
            "an article without a record",
        ),
        (and_(PAGES.c.revision > 0, PAGES.c.revision != revisions), "a revision is missing"),
        (
            and_(state == "failure", not_(has(RECORDS, RECORDS.c.kind.in_(("failure", "item"))))),
            "a failure without a record",
        ),
        (and_(state.in_(("dropped", "not_saved")), not_(has(FETCHES))), "it was never fetched"),
        (and_(state == "pending", not_(PAGES.c.queued)), "pending, but not queued"),
        (and_(state.in_(LISTED_ONLY), not_(has(LISTINGS))), "a teaser that no page lists"),
    )
    reasons = select(PAGES.c.id, why.label("why")).subquery()
    listed_ids = select(LISTINGS.c.id).distinct().subquery()
    return union_all(
        select(reasons).where(reasons.c.why.is_not(None)),
        select(listed_ids.c.id, literal("listed, but not known")).where(
            not_(exists(select(literal(1)).where(PAGES.c.id == listed_ids.c.id)))
        ),
    )


def queued(connection: Connection) -> int:
    """Return the number of articles to be fetched, for the first time or again."""
    return int(connection.execute(select(func.count()).where(PAGES.c.queued)).scalar_one())


def next_due(connection: Connection) -> datetime | None:
    """Return when the next article is due; None if none is."""
    due_at = connection.execute(
        select(func.min(PAGES.c.due_at)).where(not_(PAGES.c.queued))
    ).scalar()
    return None if due_at is None else datetime.fromtimestamp(due_at, UTC)


def outcomes(connection: Connection, run: int) -> Counter[str]:
    """Count the outcomes of a run's fetches."""
    query = (
        select(FETCHES.c.outcome, func.count().label("times"))
        .where(FETCHES.c.run == run)
        .group_by(FETCHES.c.outcome)
    )
    return Counter({row.outcome: row.times for row in connection.execute(query)})


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run: when it ran, how it ended, the outcomes of its fetches, and its arguments.

    ``asked`` are the arguments; None if an older version of this program ran it. ``exit_code`` is
    None, too, if the run was killed.
    """

    number: int
    began: str
    ended: str | None
    alive_at: str
    reason: str | None
    outcomes: Counter[str]
    asked: dict[str, str] | None
    exit_code: int | None


def runs(connection: Connection, last: int | None = None) -> list[RunSummary]:
    """Return the ``last`` runs, or all of them, newest first."""
    rows = connection.execute(select(RUNS).order_by(RUNS.c.run.desc()).limit(last)).all()
    return [
        RunSummary(
            row.run,
            row.began,
            row.ended,
            row.alive_at,
            row.reason,
            outcomes(connection, row.run),
            None if row.asked is None else msgspec.json.decode(row.asked),
            row.exit_code,
        )
        for row in rows
    ]


def due_within(connection: Connection, now: float, hours: tuple[float, ...]) -> list[int]:
    """Return how many articles are due within each number of hours from ``now`` (POSIX seconds)."""
    due = select(func.count()).where(not_(PAGES.c.queued))
    return [
        int(connection.execute(due.where(PAGES.c.due_at <= now + number * 3600)).scalar_one())
        for number in hours
    ]


def revisions(
    connection: Connection, article_id: str
) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """Return the revisions of an article with the run that stored each, oldest first.

    Damaged ones are described in the second list.
    """
    query = (
        select(RECORDS)
        .where(RECORDS.c.id == article_id, RECORDS.c.kind == "article")
        .order_by(RECORDS.c.record)
    )
    found, damage = [], []
    for row in connection.execute(query):
        if (lost := lost_bits(row)) is None:
            found.append((row.run, msgspec.json.decode(json_in(row))))
        else:
            damage.append(lost)
    return found, damage


def failing(connection: Connection) -> Counter[str]:
    """Count the articles whose last fetch failed, by reason."""
    last = select(func.max(FETCHES.c.fetch)).group_by(FETCHES.c.id)
    query = select(FETCHES.c.outcome, func.count().label("times")).where(
        FETCHES.c.fetch.in_(last), FETCHES.c.outcome.in_(REASONS)
    )
    return Counter(
        {row.outcome: row.times for row in connection.execute(query.group_by(FETCHES.c.outcome))}
    )


def site(connection: Connection) -> str:
    """Return the name of the publisher whose articles the job holds."""
    return str(connection.execute(select(JOB.c.site)).scalar_one())


def fetches(connection: Connection, article_id: str) -> list[Any]:
    """Return the fetches of an article, oldest first: rows of FETCHES."""
    return list(
        connection.execute(
            select(FETCHES).where(FETCHES.c.id == article_id).order_by(FETCHES.c.fetch)
        )
    )


def fetches_of_run(connection: Connection, run: int) -> list[Any]:
    """Return the fetches of a run, oldest first.

    The rows are those of FETCHES with ``outcome_before``, the last outcome of earlier runs; None if
    there is none.
    """
    earlier = FETCHES.alias()
    before = (
        select(earlier.c.outcome)
        .where(earlier.c.id == FETCHES.c.id, earlier.c.run < run)
        .order_by(earlier.c.fetch.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(FETCHES, before.label("outcome_before")).where(FETCHES.c.run == run)
    return list(connection.execute(query.order_by(FETCHES.c.fetch)))


def unrecorded(connection: Connection, state: Literal["pending", "dropped"]) -> list[Any]:
    """Return the rows of PAGES of the articles in a state for which they have no record."""
    return list(connection.execute(select(PAGES).where(PAGES.c.state == state)))


def archived(connection: Connection, url: str) -> Archived | None:
    """Return where the last response with a page from a URL is archived; None if it is not."""
    row = connection.execute(select(ARCHIVED).where(ARCHIVED.c.url == url)).first()
    return None if row is None else Archived(*row)


def changed_edges(connection: Connection, since: str) -> tuple[list[Edge], list[Edge]]:
    """Return the edges added and removed since a time (ISO 8601 in UTC) by pages read before.

    The links of damaged pages are left out.
    """
    query = select(PAGE_LINKS).where(PAGE_LINKS.c.changed_at >= since)
    rows = stream(connection, query.order_by(PAGE_LINKS.c.page_id))
    added: list[Edge] = []
    removed: list[Edge] = []
    for page in unpacked(connection, rows, damaged=[]):
        if page.first_read_at is not None and page.first_read_at < since:
            added += (edge for edge in page.edges if (edge.first_seen or "") >= since)
        removed += (edge for edge in page.edges if (edge.removed_at or "") >= since)
    return added, removed


def listers(connection: Connection, article_id: str) -> list[Any]:
    """Return the listings of an article, in the order in which the crawl found them.

    The rows have page_id, role, run, began, position and headline.
    """
    query = (
        select(LISTINGS, RUNS.c.began)
        .join(RUNS, RUNS.c.run == LISTINGS.c.run)
        .where(LISTINGS.c.id == article_id)
    )
    return list(
        connection.execute(query.order_by(LISTINGS.c.run, LISTINGS.c.place, LISTINGS.c.position))
    )


def edges(
    connection: Connection, *, stored_only: bool = False, damaged: list[str] | None = None
) -> Iterator[Edge]:
    """Yield all edges of the link graph, by page and position.

    If ``stored_only``, the edges of pages without a record, such as one that an item pipeline
    dropped, are left out. The ids of pages whose links are damaged are added to ``damaged``;
    without it, they raise LedgerError.
    """
    query = select(PAGE_LINKS).order_by(PAGE_LINKS.c.page_id)
    if stored_only:
        query = query.join(PAGES, PAGES.c.id == PAGE_LINKS.c.page_id).where(PAGES.c.revision > 0)
    for page in unpacked(connection, stream(connection, query), damaged):
        yield from page.edges


def unlisted(
    page_ids: Sequence[str], roles: Sequence[ArticleRole], connection: Connection
) -> dict[str, list[Edge]]:
    """Return the links in some roles that pages still have and no list consists of, by page."""
    found: dict[str, list[Edge]] = {}
    for page in load(connection, page_ids):
        links = [edge for edge in page.edges if edge.role in roles and edge.removed_at is None]
        values = {"page": page.page_id, "roles": roles}
        targets = iter({edge.target for edge in links})
        listed: set[tuple[str, ...]] = set()
        while chunk := list(islice(targets, _MOST_IDS)):
            rows = connection.execute(_LISTED_BY_PAGE, {**values, "ids": chunk})
            listed.update(map(tuple, rows))
        found[page.page_id] = [edge for edge in links if (edge.target, edge.role) not in listed]
    return found


def edges_to(connection: Connection, article_id: str) -> tuple[list[Edge], list[str]]:
    """Return the edges to an article, in the order in which they were first seen.

    Damaged pages are described in the second list. Reads all links of the pages.
    """
    ids = iter([article_id, *aliases_of(connection, article_id)])
    page_ids: set[str] = set()
    while chunk := list(islice(ids, _MOST_IDS)):
        for table in (LISTINGS, LINKING_PAGES):
            query = select(table.c.page_id).where(table.c.id.in_(chunk))
            page_ids.update(connection.execute(query).scalars())
    names = resolved(connection, page_ids)
    damaged: list[str] = []
    pages = load(connection, {names.get(page_id, page_id) for page_id in page_ids}, damaged)
    found = (edge for page in pages for edge in page.edges if edge.target == article_id)
    in_order = sorted(found, key=attrgetter("first_seen", "source", "position", "role"))
    return in_order, list(map(damage_of, damaged))


def resolve(connection: Connection, article_id: str) -> str:
    """Return the id of the article that an id or one of its aliases stands for."""
    return resolved(connection, [article_id]).get(article_id, article_id)


def lists(connection: Connection) -> frozenset[str]:
    """Return the ids of the lists of articles, such as front pages and feeds."""
    query = select(PAGES.c.id).where(PAGES.c.depth == LIST_DEPTH)
    return frozenset(connection.execute(query).scalars())


def page(connection: Connection, article_id: str) -> Any:
    """Return the row of PAGES of an article; None if the job does not know it."""
    return connection.execute(select(PAGES).where(PAGES.c.id == article_id)).first()


def corpus(
    connection: Connection,
    *,
    every_revision: bool,
    lost: dict[str, str] | None = None,
    article_id: str | None = None,
) -> Iterator[bytes]:
    """Yield the latest revision of each article, or all revisions, as JSON in the order stored.

    If ``article_id`` is given, only that article's are yielded.

    Related items and links have the ids under which their articles are stored, rather than aliases
    that were all the crawl knew when it read the page. Damaged records are left out, and described
    in ``lost`` by the ids of their articles.
    """
    has_aliases = connection.execute(select(ALIASES).limit(1)).first() is not None
    stored_ids = partial(resolved, connection)
    query = select(RECORDS).where(RECORDS.c.kind == "article").order_by(RECORDS.c.record)
    if article_id is not None:
        query = query.where(RECORDS.c.id == article_id)
    if not every_revision:
        query = query.join(
            PAGES, and_(PAGES.c.id == RECORDS.c.id, PAGES.c.revision == RECORDS.c.revision)
        )
    for encoded in _intact(stream(connection, query), lost):
        yield with_resolved_ids(encoded, stored_ids) if has_aliases else encoded


def unread(
    connection: Connection, kind: Literal["teaser", "failure"], lost: dict[str, str]
) -> Iterator[bytes]:
    """Yield the latest record of each article that is a teaser or a failure, as JSON.

    Damaged records are left out, and described in ``lost``, as by ``corpus``.
    """
    states = _TEASERS if kind == "teaser" else ("failure",)
    latest = select(func.max(RECORDS.c.record)).where(RECORDS.c.kind == kind).group_by(RECORDS.c.id)
    query = (
        select(RECORDS)
        .join(PAGES, PAGES.c.id == RECORDS.c.id)
        .where(RECORDS.c.record.in_(latest), PAGES.c.state.in_(states))
        .order_by(RECORDS.c.record)
    )
    return _intact(stream(connection, query), lost)


def _intact(rows: Iterable[Any], lost: dict[str, str] | None) -> Iterator[bytes]:
    for row in rows:
        if (damage := lost_bits(row)) is None:
            yield json_in(row)
        elif lost is not None:
            lost[row.id] = damage


def damaged_records(connection: Connection) -> list[str]:
    """Describe the records whose checksum is wrong; reads all records."""
    found = stream(connection, select(RECORDS))
    return [lost for row in found if (lost := lost_bits(row))]


def damaged_links(connection: Connection) -> list[str]:
    """Describe the pages whose links are damaged; reads those of all pages."""
    return damage_in(stream(connection, select(PAGE_LINKS)))
