"""What a ledger says about a crawl, apart from when it happened, to compare ledgers with."""

import json
from contextlib import closing
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import read
from crawler.crawl.ledger.places import Place
from crawler.crawl.ledger.record_json import json_in
from crawler.crawl.ledger.schema import ALIASES, LISTINGS, PAGES, RECORDS, TEMPLATES

# The columns that depend on the time or on the number of runs that a crawl took.
_OF_THE_TIME = {
    "pages": {"due_at", "interval", "failures", "found_in_run", "etag", "last_modified"},
    "listings": {"run"},
}
_TIMES_OF_RECORDS = ("fetched_at", "failed_at")


def contents(place: Place) -> dict[str, list[Any]]:
    """Return the rows of a ledger by table, in an order that does not depend on the crawl's."""
    with closing(read(place)) as ledger, ledger.snapshot() as connection:
        found: dict[str, list[Any]] = {}
        for table in (PAGES, LISTINGS, ALIASES, TEMPLATES):
            columns = [
                column
                for column in table.columns
                if column.name not in _OF_THE_TIME.get(table.name, ())
            ]
            rows = connection.execute(select(*columns)).all()
            if table is LISTINGS:
                rows = map(_with_headline, rows)
            found[table.name] = sorted(map(tuple, rows), key=repr)
        # Without their lives and their evidence.
        found["edges"] = sorted((edge[:7] for edge in history.edges(connection)), key=repr)
        records = [json.loads(json_in(row)) for row in connection.execute(select(RECORDS))]
        for record in records:
            for name in _TIMES_OF_RECORDS:
                record.pop(name, None)
        found["records"] = sorted(
            records, key=lambda record: (record["id"], record["kind"], record.get("revision") or 0)
        )
    return found


def _with_headline(row: Any) -> tuple[Any, ...]:
    """Return a listing with its headline, which may be stored alone or in the complete item."""
    *place, headline, item = row
    return (*place, headline if item is None else json.loads(item)["headline_raw"])


def digest(place: Place) -> str:
    """Return a digest of the contents of a ledger."""
    return sha256(repr(contents(place)).encode("utf-8", "surrogatepass")).hexdigest()


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[str]:
    """Return the first differing rows of each table, as lines."""
    lines = []
    for name, rows in one.items():
        pairs = zip(rows, other[name], strict=False)
        differing = [f"{a!r}\n  instead of {b!r}" for a, b in pairs if a != b][:3]
        if len(rows) != len(other[name]):
            differing.insert(0, f"{len(rows)} rows instead of {len(other[name])}")
        lines += [f"{name}: {line}" for line in differing]
    return lines
