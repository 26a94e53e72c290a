"""Jobs whose ledger is in PostgreSQL."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kill
import pytest
from conftest import PATIENCE, Crawl, Run, wait_until
from databases import CuttingProxy, Server

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


@pytest.fixture(scope="module")
def site() -> Iterator[kill.Site]:
    """Serve 60 linked pages."""
    with kill.Site(60) as running:
        running.serve(kill.KINDS[0])
        yield running


class Crawling:
    """A crawl of all pages of a site, in the background, and its log."""

    def __init__(self, site: kill.Site, folder: Path, url: str, **settings: object) -> None:
        given = [f"-s{name}={value}" for name, value in {"JOBDIR": "job", **settings}.items()]
        words = kill.line(site.url, *given, "-o", "mine.jsonl", at_once=4)
        site.requests.clear()
        self._site = site
        self._folder = folder
        self._process = kill.start(words, folder, LEDGER_URL=url)

    def wait_for(self, pages: int = 0, message: str = "") -> None:
        """Wait until so many pages were requested, and until the log has a message."""
        wait_until(
            lambda: (
                (len(self._site.requested_ids) >= pages and message in self.log)
                or self._process.poll() is not None
            ),
            lambda: self.log,
        )
        assert self._process.poll() is None, self.log

    def exit_code(self) -> int:
        return self._process.wait(PATIENCE)

    @property
    def log(self) -> str:
        log = self._folder / "log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def check(self) -> None:
        """Check that the crawl ends with the records of an uninterrupted one."""
        end = kill.wait_for_end(self._process, self._folder)
        kill.check(self._folder, self._site.truth(), end)
        assert "Traceback" not in self.log


def is_commit() -> Callable[[bytes], bool]:
    """Return a function that tells whether a message to the server is a COMMIT.

    The driver sends a statement's text until it has prepared the statement, and then its name.
    """
    names: set[bytes] = set()

    def is_one(data: bytes) -> bool:
        names.update(re.findall(rb"(_pg3_\d+\0)COMMIT\0", data))
        return b"COMMIT\0" in data or any(name in data for name in names)

    return is_one


def before_commits() -> Callable[[bytes, bool], bool]:
    is_one = is_commit()
    return lambda data, from_server: not from_server and is_one(data)


CUTS: dict[str, Callable[[bytes, bool], bool]] = {
    "before a commit": before_commits(),
    "after a commit": lambda data, from_server: from_server and b"COMMIT\0" in data,
    "in a commit": lambda data, from_server: from_server and b"INSERT 0 " in data,
    "in a read": lambda data, from_server: from_server and b"SELECT " in data,
}
"""When to cut connections, as functions of a piece of data, and whether it is from the server."""


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("when", CUTS)
def test_connections_that_are_cut(
    site: kill.Site,
    postgresql: Server,
    database: str,
    proxy: CuttingProxy,
    tmp_path: Path,
    when: str,
) -> None:
    is_moment = CUTS[when]
    moments = cuts = 0

    def cut(data: bytes, from_server: bool) -> None:
        nonlocal moments, cuts
        if is_moment(data, from_server):
            moments += 1
            if moments % 4 == 0 and cuts < 12:
                cuts += 1
                proxy.cut()

    proxy.watch = cut
    crawling = Crawling(site, tmp_path, postgresql.url(database, port=proxy.port))
    crawling.check()
    assert cuts >= 3
    assert "the database answers again" in crawling.log


def test_a_server_that_crashes_and_starts_again(
    site: kill.Site, postgresql: Server, database: str, tmp_path: Path
) -> None:
    crawling = Crawling(site, tmp_path, postgresql.url(database))
    for pages in (10, 25, 45):
        crawling.wait_for(pages)
        postgresql.control("restart", "-m", "immediate")
    crawling.check()
    assert "the database answers again" in crawling.log


def test_a_server_that_is_away_at_the_start(
    site: kill.Site, postgresql: Server, database: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    proxy.is_open.clear()
    crawling = Crawling(site, tmp_path, postgresql.url(database, port=proxy.port))
    crawling.wait_for(message="waiting for the database for up to 60 s")
    proxy.is_open.set()
    crawling.check()


def test_a_server_that_stays_away(
    site: kill.Site, postgresql: Server, database: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    url = postgresql.url(database, port=proxy.port)
    crawling = Crawling(site, tmp_path, url, LEDGER_PATIENCE=1)
    crawling.wait_for(pages=20)
    proxy.is_open.clear()
    proxy.cut()
    assert crawling.exit_code() == 1
    for words in (f"the ledger job in postgresql://127.0.0.1:{proxy.port}/{database}: ", ADVICE):
        assert words in crawling.log
    assert "damaged" not in crawling.log
    assert "Traceback" not in crawling.log
    proxy.is_open.set()
    Crawling(site, tmp_path, url).check()


ADVICE = "everything stored so far is safe: run the same command again to continue"
