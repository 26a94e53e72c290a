"""What a ledger can be asked: the balance, the story of an article, the state of a job, the corpus. It only reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, exists, func, literal, not_, select, union_all

from crawler.ledger.schema import FETCHES, LISTINGS, PAGES, RECORDS

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TEASERS = ("depth", "pruned", "not_saved")
_COUNTED = {"article": "articles", "failure": "failures", "pending": "pending", "dropped": "dropped", **dict.fromkeys(_TEASERS, "teasers")}
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Balance:
    """What a job knows: how many articles it discovered, as what they count, and which of them are not what they count as."""

    discovered: int
    articles: int
    teasers: int
    failures: int
    pending: int
    dropped: int
    wrong: list[tuple[str, str]]

    @property
    def balanced(self) -> bool:
        return not self.wrong and self.discovered == self.articles + self.teasers + self.failures + self.pending + self.dropped

    def __str__(self) -> str:
        line = (
            f"discovered {self.discovered} {'=' if self.balanced else '!='} articles {self.articles} + teasers {self.teasers}"
            f" + failures {self.failures} + pending {self.pending}"
        )
        line += f" + dropped {self.dropped}" if self.dropped else ""
        if self.balanced:
            return line
        ids = ", ".join(f"{article_id} ({why})" for article_id, why in self.wrong[:_NAMED])
        more = f" and {len(self.wrong) - _NAMED} more" if len(self.wrong) > _NAMED else ""
        return f"{line} (the ledger does not balance: {ids}{more}; it is damaged, or this is a fault of the crawler: please report it)"


def balance(connection: Connection) -> Balance:
    """Count what the job knows, and look for evidence of each: an article has its revisions, a failure what was tried, and so on."""
    counted = dict.fromkeys(_COUNTED.values(), 0)
    discovered = 0
    for state, count in connection.execute(select(PAGES.c.state, func.count()).group_by(PAGES.c.state)):
        discovered += count
        if state in _COUNTED:
            counted[_COUNTED[state]] += count
    wrong = [(row.id, row.why) for row in connection.execute(_unproven())]
    return Balance(discovered=discovered, **counted, wrong=sorted(wrong))


def _unproven() -> Any:
    """The query for ids whose state nothing in the ledger bears out, with what is missing."""

    def has(table: Any, *conditions: Any) -> Any:
        return exists(select(literal(1)).where(table.c.id == PAGES.c.id, *conditions))

    def those(why: str, *conditions: Any) -> Select[Any]:
        return select(PAGES.c.id, literal(why).label("why")).where(*conditions)

    state = PAGES.c.state
    revisions = select(func.count()).where(RECORDS.c.id == PAGES.c.id, RECORDS.c.kind == "article").scalar_subquery()
    return union_all(
        those("no such state", state.not_in(list(_COUNTED))),
        those("an article without a record", state == "article", not_(has(RECORDS, RECORDS.c.kind.in_(("article", "item"))))),
        those("a revision is missing", PAGES.c.revision != revisions),
        those("a failure without a record", state == "failure", not_(has(RECORDS, RECORDS.c.kind == "failure"))),
        those("it was never fetched", state.in_(("dropped", "not_saved")), not_(has(FETCHES))),
        those("pending, but not queued", state == "pending", not_(PAGES.c.queued)),
        those("a teaser that nobody lists", state.in_(("depth", "pruned")), not_(has(LISTINGS))),
        select(LISTINGS.c.id.distinct(), literal("listed, but not known").label("why")).where(
            not_(exists(select(literal(1)).where(PAGES.c.id == LISTINGS.c.id)))
        ),
    )


def queued(connection: Connection) -> int:
    """How many articles are still to be fetched, for the first time or again."""
    return int(connection.execute(select(func.count()).where(PAGES.c.queued)).scalar_one())


def next_due(connection: Connection) -> str | None:
    """When the next article is due, with how many are within the hour after; None if none is."""
    first = connection.execute(select(func.min(PAGES.c.due_at)).where(not_(PAGES.c.queued))).scalar()
    if first is None:
        return None
    count = connection.execute(select(func.count()).where(PAGES.c.due_at <= first + 3600, not_(PAGES.c.queued))).scalar_one()
    return f"{datetime.fromtimestamp(first, UTC):%Y-%m-%d %H:%M:%S} UTC ({count:,} within an hour from then)"


def outcomes(connection: Connection, run: int) -> Counter[str]:
    """What came of the fetches of a run."""
    query = select(FETCHES.c.outcome, func.count().label("times")).where(FETCHES.c.run == run).group_by(FETCHES.c.outcome)
    return Counter({row.outcome: row.times for row in connection.execute(query)})
