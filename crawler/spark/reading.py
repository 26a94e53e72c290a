"""Reads the articles of a partition on an executor, and suspends those that need a join."""

from __future__ import annotations

import pickle
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import pyarrow as pa

from crawler.crawl.archived_articles import PageRead
from crawler.crawl.articles import Content
from crawler.crawl.duplicates import Claimant, claimant_of
from crawler.crawl.identities import Claim
from crawler.spark.captures import JoinedCaptures, in_index_order
from crawler.spark.folders import Folder, unique_name
from crawler.spark.options import reader_of
from crawler.warc.located import LookupNeededError
from crawler.warc.record_reader import RecordReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.crawl.archived_articles import Reading
    from crawler.items import Failure
    from crawler.spark.options import Options
    from crawler.warc.located import LocatedCapture
    from crawler.warc.pages import Lookup
    from crawler.warc.records import Record

Kind = Literal["article", "failure", "left out", "suspended"]
_TEXT = pa.string()
OUTCOME_FIELDS = [
    pa.field("article", _TEXT, nullable=False),
    pa.field("kind", _TEXT, nullable=False),
    pa.field("captures", pa.int64(), nullable=False),
    pa.field("joined", pa.bool_(), nullable=False),
    pa.field("unreachable", pa.bool_(), nullable=False),
    pa.field("publisher", _TEXT),
    pa.field("month", _TEXT),
    pa.field("reason", _TEXT),
    pa.field("left_out", _TEXT),
    pa.field("claims", _TEXT),
    pa.field("headline_sum", pa.int64()),
    pa.field("body_sum", pa.int64()),
]
"""What became of an article: the id that its address gives, ``Kind``, how many captures it has,
whether captures that lookups found mattered, and whether one could not be had from its storage, so
that a later run may read another one of them. The publisher and the month of an article or a
failure, the reason of a failure, why captures are left out (JSON: their numbers by reasons), the
ids that its page claims besides its own (JSON), and the checksums of its ``Content``."""
SCHEMA = pa.schema([*OUTCOME_FIELDS, pa.field("result", pa.binary(), nullable=False)])
"""Outcomes, each with a pickle: of a ``PageRead``, a ``Failure`` or a ``Suspended``."""
NO_MONTH = "unknown"
_CLAIMS = msgspec.json.Decoder(tuple[Claim, ...])


class Suspended(NamedTuple):
    """An article whose reading goes on once the captures of some lookups are joined."""

    reading: Reading
    captures: int
    lookups: tuple[Lookup, ...]
    joined: dict[Lookup, list[LocatedCapture]]
    kept: dict[tuple[Any, int], Record]
    unreachable: bool


class Written(NamedTuple):
    """The Parquet file with the results of a task, and how many of them are suspended."""

    table: str
    suspended: int


def claimant(outcome: dict[str, Any]) -> Claimant:
    """Return an article from its outcome, with the ids that its page claims."""
    claims = _CLAIMS.decode(outcome["claims"] or "[]")
    content = Content(outcome["headline_sum"], outcome["body_sum"])
    return Claimant(outcome["article"], claims, content)


def month_of(stated: str | None) -> str:
    """Return the month of a date of publication: YYYY-MM, or ``unknown``."""
    return stated[:7] if stated and len(stated) >= len("YYYY-MM") else NO_MONTH


@cache
def _record_reader() -> RecordReader:
    return RecordReader()


class _Results:
    """The results of one task, in a Parquet file."""

    def __init__(self, options: Options, folder: str) -> None:
        self._options = options
        self._table = Folder(options.output).parquet(unique_name(folder), SCHEMA)
        self._suspended = 0

    def __enter__(self) -> _Results:
        self._table.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._table.__exit__(*error)

    def written(self) -> Iterator[Written]:
        """Yield the file, if there are results."""
        if self._table.count:
            yield Written(self._table.name, self._suspended)

    def begin(self, article_id: str, rows: Iterable[LocatedCapture]) -> None:
        """Read an article from its captures, as far as possible."""
        rows = list(rows)
        reading = reader_of(self._options).begin(rows)
        if isinstance(reading, Counter):
            self._leave_out(article_id, reading)
        else:
            self._read(reading, len(rows), {}, {}, unreachable=False)

    def resume(
        self, suspended: Suspended, joined: Iterable[tuple[Lookup, list[LocatedCapture]]]
    ) -> None:
        """Go on with an article, given the captures that its lookups found."""
        known = {**suspended.joined, **{lookup: [] for lookup in suspended.lookups}}
        known |= {lookup: in_index_order(rows) for lookup, rows in joined}
        self._read(
            suspended.reading,
            suspended.captures,
            known,
            suspended.kept,
            unreachable=suspended.unreachable,
        )

    def _read(
        self,
        reading: Reading,
        count: int,
        joined: dict[Lookup, list[LocatedCapture]],
        kept: dict[tuple[Any, int], Record],
        *,
        unreachable: bool,
    ) -> None:
        article_id = reading.article.id
        captures = JoinedCaptures(_record_reader(), self._options.most_bytes, joined, kept)
        captures.unreachable = unreachable
        try:
            result: PageRead | Failure = reader_of(self._options).read(reading, captures)
        except LookupNeededError as error:
            self._suspended += 1
            suspended = Suspended(reading, count, error.lookups, joined, kept, captures.unreachable)
            self._add(suspended, article=article_id, kind="suspended", captures=count)
            return
        values: dict[str, Any] = {
            "article": article_id,
            "captures": count,
            "joined": bool(joined),
            "unreachable": captures.unreachable,
        }
        if not isinstance(result, PageRead):
            self._add(result, kind="failure", publisher=result.site, reason=result.reason, **values)
            return
        claims = claimant_of(article_id, result.claims, result.content).claims
        self._add(
            result,
            kind="article",
            publisher=result.record.site,
            month=month_of(result.record.published_at),
            claims=msgspec.json.encode(claims).decode() if claims else None,
            headline_sum=result.content.headline,
            body_sum=result.content.body,
            **values,
        )

    def _leave_out(self, article_id: str, reasons: Counter[str]) -> None:
        left_out = msgspec.json.encode(reasons).decode()
        self._add(
            None,
            article=article_id,
            kind="left out",
            captures=reasons.total(),
            left_out=left_out,
        )

    def _add(self, result: object, **values: Any) -> None:
        data = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
        self._table.add(
            {"joined": False, "unreachable": False, **values, "result": data}, len(data)
        )


def read_articles(
    options: Options, folder: str, articles: Iterable[tuple[str, Iterable[LocatedCapture]]]
) -> Iterator[Written]:
    """Read the articles of a partition; yield the file with the results, if there are any."""
    with _Results(options, folder) as results:
        for article_id, rows in articles:
            results.begin(article_id, rows)
    yield from results.written()


def resume_articles(
    options: Options,
    folder: str,
    articles: Iterable[tuple[Suspended, Iterable[tuple[Lookup, list[LocatedCapture]]]]],
) -> Iterator[Written]:
    """Go on with the articles of a partition; yield the file with the results."""
    with _Results(options, folder) as results:
        for suspended, joined in articles:
            results.resume(suspended, joined)
    yield from results.written()
