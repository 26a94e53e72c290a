"""How a crawl becomes a worker of a shared job, or its writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.crawl.ledger.places import Place, ServerPlace
from crawler.errors import CrawlerError
from crawler.setting_values import seconds_of
from crawler.workers.courier import Courier
from crawler.workers.desk import forget_all
from crawler.workers.team import Team

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.crawl.ledger.job import Job
    from crawler.crawl.run import Run


def join(crawler: Crawler, run: Run, place: Place | None) -> None:
    """Make a crawl one of the workers of a job; raise CrawlerError if it cannot be shared."""
    if not isinstance(place, ServerPlace):
        raise CrawlerError(
            "WORKERS: several processes share a job only in a database; give LEDGER_URL, too"
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


def prepare_to_write(job: Job, *, adopts: int | None) -> None:
    """Prepare the tables of the workers for a run, or for going on with the one adopted."""
    if adopts is None:
        job.database.store(forget_all)
