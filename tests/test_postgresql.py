"""Jobs whose ledger is in PostgreSQL."""

from typing import Any

import kill
from conftest import Crawl, Run
from databases import Server

ONE_AT_A_TIME = {"CONCURRENT_REQUESTS": 1}
"""Settings with which the order of the records is always the same."""


def lasting(run: Run) -> list[dict[str, Any]]:
    """Return the records of a crawl that succeeded, without the fields that differ each time."""
    assert run.exit_code == 0, run.stderr
    return list(kill.lasting(run.records).values())


def test_the_same_records_as_in_sqlite(job: Crawl, postgresql: Server, database: str) -> None:
    expected = lasting(job(settings=ONE_AT_A_TIME))
    url = postgresql.url(database)
    assert lasting(job(settings={**ONE_AT_A_TIME, "LEDGER_URL": url})) == expected
