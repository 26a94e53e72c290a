"""The rates of the tables that workers share, in the ledger of a job that knows many articles.

    pip install '.[test,postgres]'; apt-get install postgresql
    python benchmarks/workers_tables.py [--known 1000000] [--pages 1000] [--workers 1,2,4]

A ledger is made in a PostgreSQL server of this program's own, with the settings of Debian, where
each commit is on disk before it is acknowledged. Half of its articles are queued, of 500 hosts.
Pages then pass through all that a crawl does with the database, step by step and without a crawl,
in batches of several sizes:

- *load*: the writer reads the next articles of the queue, always 500 at a time
- *offer*: it offers them to the workers
- *take*, *deliver*: workers, each a process of its own, take and deliver them, with a response of
  60 kB, which is a page of 290 kB when it is compressed
- *collect*: the writer reads the deliveries
- *commit*: it stores the outcomes, with a record of 3.5 kB, compressed, and 18 links to other
  articles for each page, of which six are new and queued, and forgets the offers

Prints pages a second, and the CPU time of the server for a page; how often a large table was read
as a whole meanwhile; and the size of each table on disk.
"""

import argparse
import hashlib
import os
import random
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

from crawl import ROOT
from sqlalchemy import Connection
from workers import DURABLE, Clock

sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))

from databases import running_server

from crawler.crawl.articles import ArticleState, Lister, Recheck
from crawler.crawl.edges import NO_EVIDENCE, Edge
from crawler.crawl.ledger.batch import RecordRow
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.places import ServerPlace
from crawler.crawl.ledger.postgresql import PostgresDatabase
from crawler.crawl.ledger.recheck import Intervals
from crawler.items import RelatedItem
from crawler.workers import schema
from crawler.workers.messages import PageRequest, packed
from crawler.workers.team import Team

BATCHES = (1, 16, 50)
HOSTS, LINKS, NEW = 500, 18, 6
# Both are compressed.
RESPONSE, RECORD = os.urandom(60_000), os.urandom(3_500)
INTERVALS = Intervals(3600, 2_592_000)
SEEN_AT = datetime(2026, 3, 1, tzinfo=UTC)
_LEASE_SECONDS = 3600.0
# So that the limit of requests to a host does not matter.
_MOST_OF_HOST = 1_000_000
_ID = f"'news' || n %% {HOSTS} || '.example/2026/03/' || left(md5(n::text), 12) || '-the-story'"
# The odd ones were fetched, the even ones are queued.
_FILL = f"""
    INSERT INTO pages
    SELECT {_ID}, CASE n %% 2 WHEN 1 THEN 'article' ELSE 'pending' END, n %% 2 = 0,
        2, n / {LINKS}, n %% {LINKS} + 1, NULL, 1, CASE n %% 2 WHEN 1 THEN n END, n %% 2 = 1,
        n %% 2,
        CASE n %% 2 WHEN 1 THEN extract(epoch FROM now()) + 1e6 + n %% 1000000 END, 3600, 0,
        CASE n %% 2 WHEN 1 THEN md5(n::text) END, NULL, NULL, 'https://' || {_ID}
    FROM generate_series(0, %s - 1) AS n
"""
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = current_schema AND tablename = 'pages'
"""
_LARGE = "('pages', 'listings', 'page_links', 'linking_pages', 'records', 'fetches')"
_SCANS = f"SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN {_LARGE}"
_SIZES = f"""
    SELECT relname, pg_table_size(oid) AS rows, pg_indexes_size(oid) AS indexes FROM pg_class
    WHERE relname IN {_LARGE} AND relkind = 'r' ORDER BY relname
"""


class Work(NamedTuple):
    """What a worker did: its number, when it began and ended (POSIX seconds), and the leases."""

    worker: int
    began: float
    ended: float
    leases: Sequence[int]


def article_id(number: int) -> str:
    digest = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    return f"news{number % HOSTS}.example/2026/03/{digest[:12]}-the-story"


def fill(database: PostgresDatabase, known: int) -> None:
    """Fill the table of articles. Building its indexes afterwards takes less time."""
    indexes = database.run(_INDEXES)
    for name, _ in indexes:
        database.run(f"DROP INDEX {name}")
    database.run(_FILL, (known,))
    for _, definition in indexes:
        database.run(definition)
    database.run("UPDATE job SET places = %s", (known,))
    database.run("VACUUM ANALYZE")


def take(place: ServerPlace, batch: int) -> Work:
    """Take pages until there are none, as a worker that delivers them later."""
    team = Team(place, _LEASE_SECONDS)
    team.join(1, "{}")
    leases: list[int] = []
    began = time.time()
    while taken := team.take(batch, _MOST_OF_HOST):
        leases += [lease.number for lease in taken]
    ended = time.time()
    team.close()
    return Work(team.worker, began, ended, leases)


def deliver(place: ServerPlace, batch: int, work: Work) -> Work:
    """Deliver the pages that a worker has taken, and leave."""
    team = Team(place, _LEASE_SECONDS)
    team.worker = work.worker
    began = time.time()
    for leases in in_batches(work.leases, batch):
        refused = team.deliver(dict.fromkeys(leases, RESPONSE), ())
        assert not refused
    ended = time.time()
    team.leave()
    team.close()
    return Work(work.worker, began, ended, work.leases)


def in_batches(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))


class Bench:
    """A job with a large ledger, its writer, and its workers."""

    def __init__(self, place: ServerPlace, clock: Clock, known: int) -> None:
        self._place = place
        self._clock = clock
        self._known = self._next_new = known
        self._next_record = 1
        self._chance = random.Random(1)
        self.job = Job(place, "")
        fill(self._database, known)
        began = time.perf_counter()
        self.job.begin(datetime.now(UTC), {}, "due", 0, INTERVALS, 1.0)
        print(f"{'start of a run':<22} {time.perf_counter() - began:8.2f} s", flush=True)
        Team(place, _LEASE_SECONDS).close()

    @property
    def _database(self) -> PostgresDatabase:
        assert isinstance(self.job.database, PostgresDatabase)
        return self.job.database

    @contextmanager
    def _measured(self, step: str, pages: int) -> Iterator[list[Work]]:
        """Print the rate of a step, from the work that is noted in the yielded list, if any."""
        done: list[Work] = []
        before, began = self._clock.seconds(), time.perf_counter()
        yield done
        seconds = time.perf_counter() - began
        if done:
            seconds = max(work.ended for work in done) - min(work.began for work in done)
            # Their sessions are still ending.
            time.sleep(0.5)
        cpu = (self._clock.seconds() - before) * 1000 / pages
        print(f"{step:<22} {pages / seconds:8.0f} pages/s {cpu:8.2f} ms of CPU a page", flush=True)

    def pass_pages(self, pages: int, batch: int, workers: Sequence[int]) -> None:
        """Pass pages through all steps; take and deliver them by several numbers of workers."""
        print(f"\nbatches of {batch}")
        states: list[ArticleState] = []
        with self._measured("load", pages):
            while len(states) < pages:
                assert self.job.pages is not None
                states += self.job.pages.next(deeper=True)
        leases: list[int] = []
        for count in workers:
            if leases:
                self._database.store(partial(_forget, leases=leases))
            with self._measured("offer", pages):
                leases = [
                    lease
                    for some in in_batches(states[:pages], batch)
                    for lease in self._offer(some)
                ]
            self._take_and_deliver(pages, batch, count)
        with self._measured("collect", pages):
            for some in in_batches(leases, batch):
                found = self._database.run(schema.COLLECT, (list(some), batch))
                assert len(found) == len(some)
        with self._measured("commit", pages):
            for some, offered in zip(
                in_batches(states[:pages], batch), in_batches(leases, batch), strict=True
            ):
                self._commit(some, offered)

    def _offer(self, states: Sequence[ArticleState]) -> list[int]:
        rows = [(state.id, 0, state.id.partition("/")[0], _request(state)) for state in states]

        def offer(connection: Connection) -> list[int]:
            connection.exec_driver_sql(schema.OFFER, rows)
            ids = [state.id for state in states]
            return [row.lease for row in connection.exec_driver_sql(schema.OFFERED, (ids,))]

        return self._database.store(offer)

    def _take_and_deliver(self, pages: int, batch: int, count: int) -> None:
        name = "one worker" if count == 1 else f"{count} workers"
        with ProcessPoolExecutor(count, get_context("spawn")) as pool:
            # They take long to start.
            list(pool.map(time.sleep, [0.5] * count))
            with self._measured(f"take, {name}", pages) as taken:
                taken += pool.map(take, [self._place] * count, [batch] * count)
            with self._measured(f"deliver, {name}", pages) as delivered:
                delivered += pool.map(deliver, [self._place] * count, [batch] * count, taken)
        assert sum(len(work.leases) for work in delivered) == pages

    def _commit(self, states: Sequence[ArticleState], leases: Sequence[int]) -> None:
        """Store the outcomes of pages as the item pipelines and the frontier of a crawl do."""
        assert self.job.pages is not None
        pages, commits = self.job.pages, self.job.pages.commits
        for state in states:
            items = [self._item(position) for position in range(1, LINKS + 1)]
            number, self._next_record = self._next_record, self._next_record + 1
            lister = Lister(state.id, 3, self._known + number)
            for item in items:
                listed = ArticleState(item.id, "pending", lister, item.position)
                if item.position <= NEW:
                    listed.queued, listed.url = True, item.url
                    pages.note(listed)
                pages.note_listing(
                    listed, state.id, lister.place, item, "related", first=item.position <= NEW
                )
            edges = [
                Edge(state.id, item.id, "related", item.position, item.url, item.headline, True)
                for item in items
            ]
            pages.note_links(state, edges, SEEN_AT, NO_EVIDENCE)
            state.state, state.queued, state.emitted = "article", False, True
            state.fetch_index = lister.place
            state.recheck = Recheck(revision=1, due_at=time.time() + 3600)
            pages.note(state)
            row = (number, commits.run, state.id)
            commits.batch.fetches.append((*row, SEEN_AT.isoformat(), "new", None, 1))
            commits.batch.records.append(RecordRow(*row, "article", 1, zlib.crc32(RECORD), RECORD))
        commits.batch.also[_forget] = list(leases)
        commits.flush(durable=True)
        assert commits.failed is None, commits.failed

    def _item(self, position: int) -> RelatedItem:
        """Return an item of a list; the first ones are new."""
        number = self._chance.randrange(self._known)
        if position <= NEW:
            number, self._next_new = self._next_new, self._next_new + 1
        headline = f"Headline of the Article {number}, Long Enough to Be One"
        return RelatedItem(
            position=position,
            id=article_id(number),
            url=f"https://{article_id(number)}",
            headline=headline,
            headline_raw=headline,
            internal=True,
            kind=None,
            picture_url=f"https://images.example/2026/03/{number}.jpg",
            uploaded_at=None,
            content_type=None,
            sort=None,
        )

    def print_sizes(self) -> None:
        print("\non disk, in bytes")
        committed = self._next_record - 1
        for name, rows, indexes in self._database.run(_SIZES):
            count = self._known if name == "pages" else committed
            print(f"{name:<13} {rows / count:8.0f} and {indexes / count:6.0f} of indexes a page")

    def scans(self) -> int:
        """Return how often a large table was read as a whole."""
        # The server counts with a delay.
        time.sleep(2)
        [(scans,)] = self._database.run(_SCANS)
        return int(scans)


def _request(state: ArticleState) -> bytes:
    return packed(
        PageRequest(
            *(state.id, 0, state.state, state.priority, state.url, state.revision),
            *(state.recheck.validators, state.recheck.refusal, False),
        )
    )


def _forget(connection: Connection, leases: list[int]) -> None:
    for statement in schema.FORGET:
        connection.exec_driver_sql(statement, (leases,))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--known", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--workers", default="1,2,4")
    options = parser.parse_args()
    workers = [int(count) for count in options.workers.split(",")]
    with running_server(**DURABLE) as server, server.new_database() as database:
        print(f"{options.known:,} known articles, {os.cpu_count()} processors")
        place = ServerPlace(server.url(database), "benchmark", None, 60.0)
        bench = Bench(place, Clock(server), options.known)
        before = bench.scans()
        for batch in BATCHES:
            bench.pass_pages(options.pages, batch, workers)
        print(f"\nscans of whole large tables: {bench.scans() - before}")
        bench.print_sizes()
        bench.job.close()


if __name__ == "__main__":
    main()
