"""An article in an archive, and helpers that crawl it."""

from typing import Any

from archives import NEWS, http, page
from conftest import Crawl, Run

ID = "1752038"
URL = NEWS + ID
PAGE = page(ID)
GOOD = http(PAGE)
LATER = "2015-10-25T09:00:00Z"


def read(crawl: Crawl, source: object, seed: str = ID, **more: Any) -> Run:
    run = crawl(seed=seed, source=source, **({} if seed == "all" else {"depth": 0}), **more)
    assert "Traceback" not in run.stderr
    return run


def article(crawl: Crawl, source: object, **more: Any) -> dict[str, Any]:
    """Crawl one id from an archive and return its article; nothing else may be reported."""
    run = read(crawl, source, **more)
    assert (run.exit_code, list(run.failures.values())) == (0, [])
    record: dict[str, Any] = run.articles[ID]
    assert record["headline"] == f"Bridge number {ID} reopens"
    return record
