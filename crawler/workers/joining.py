"""How a crawl becomes a worker of a shared job, or its writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.crawl.ledger.places import Place, ServerPlace
from crawler.crawl.ledger.postgresql import describe_process
from crawler.errors import CrawlerError
from crawler.exit_codes import HELD
from crawler.setting_values import seconds_of
from crawler.workers import schema
from crawler.workers.courier import Courier
from crawler.workers.desk import forget_all
from crawler.workers.team import Team

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from sqlalchemy import Connection

    from crawler.crawl.run import Run


def join(crawler: Crawler, run: Run, place: Place | None) -> None:
    """Make a crawl one of the workers of a job; raise CrawlerError if it cannot be shared."""
    if not isinstance(place, ServerPlace):
        raise CrawlerError(
            "WORKERS: several processes share a job only in a database; give LEDGER_URL and "
            "--job NAME"
        )
    if run.arguments.everything:
        raise CrawlerError(
            "WORKERS: got seed=all, takes seeds to start from; reading a whole archive needs no "
            "order, so give each process its own files"
        )
    if saved := next((seed.path for seed in run.arguments.seeds if seed.path), None):
        raise CrawlerError(
            f"WORKERS: got the saved page {saved} as a seed, takes ids and URLs, because other "
            "machines do not have the file"
        )
    team = Team(place, seconds_of(crawler.settings, "WORKER_LEASE"))
    run.courier = Courier(crawler, run, team)


class SuccessionOfWorkers:
    """Decides which run a new writer continues; see ``crawler.crawl.ledger.job.Succession``.

    ``first_run`` is the first run to which its process may belong.
    """

    def __init__(self, first_run: int) -> None:
        self._first_run = first_run

    def adopts(self, connection: Connection, run: int, ended: str | None) -> bool:
        if ended is not None:
            if run >= self._first_run:
                raise CrawlerError(f"job: run {run} has ended", exit_code=HELD)
            return False
        values = (run, describe_process())
        return bool(connection.exec_driver_sql(schema.HAS_MEMBERS, values).scalar_one())

    def begin(self, connection: Connection, run: int) -> None:
        """Forget the last run, and make this process the first member of the new one."""
        forget_all(connection)
        connection.exec_driver_sql(schema.BEGIN_RUN, (run, describe_process()))
