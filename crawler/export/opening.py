"""Opens the job or the feeds that a command reads."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.crawl.ledger import job
from crawler.errors import CrawlerError
from crawler.export.corpus import FeedCorpus, JobCorpus
from crawler.job_settings import names_job, place_of
from crawler.program import as_typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scrapy.settings import BaseSettings

    from crawler.crawl.ledger.places import Place
    from crawler.export.corpus import Corpus


@contextmanager
def opened(
    command: str, settings: BaseSettings, feeds: Sequence[str], target: str | None
) -> Iterator[Corpus]:
    """Yield the corpus of a job, or of feeds, to the command of a name.

    Raises CrawlerError if it cannot be read, if both or none are given, or if ``target`` would
    replace a part of it.
    """
    words = as_typed(command)
    accepted = f"a job ({words} --job FOLDER) or feeds ({words} output/latest)"
    # The environment may name the database of many jobs.
    place = place_of(settings) if names_job(settings) or not feeds else None
    if not place and not feeds:
        raise CrawlerError(f"job: missing; takes {accepted}")
    if place and feeds:
        raise CrawlerError(f"feed: got {feeds[0]!r} and --job {place.name}; takes {accepted}")
    real_target = Path(target).resolve() if target else None
    if feeds:
        with FeedCorpus(feeds) as corpus:
            if real_target in [path.resolve() for path in corpus.paths]:
                raise CrawlerError(f"output: {target} is one of the feeds; give another file")
            yield corpus
    elif place:
        with opened_job(place, target) as corpus:
            yield corpus


@contextmanager
def opened_job(place: Place, target: Path | str | None) -> Iterator[JobCorpus]:
    """Yield the corpus of a job; raise CrawlerError as ``opened`` does."""
    database = job.read(place)
    try:
        if target and place.is_part(Path(target)):
            raise CrawlerError(f"output: {target} is the ledger itself; give another file")
        with database.snapshot() as connection:
            yield JobCorpus(connection, place.name)
    finally:
        database.close()
