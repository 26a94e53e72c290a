"""Writes the report of a run at its end (``-a report=FILE``)."""

from __future__ import annotations

import json
import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from itemadapter import ItemAdapter
from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.crawl.run import run_of
from crawler.errors import CrawlerError, LedgerError
from crawler.exit_codes import in_words
from crawler.extensions.summarising import Summariser
from crawler.files import check_writable

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.crawl.run import Run
    from crawler.report.job_history import Ran

logger = logging.getLogger(__name__)


class ReportWriter:
    """An extension that writes the report of a run, or of its job, enabled by ``report``.

    Without JOBDIR, the records of the run are kept in a temporary file until its end. A report that
    cannot be written is an error in the log and in the stats (``report/failed``).
    """

    def __init__(self, crawler: Crawler, run: Run, target: Path) -> None:
        self.crawler = crawler
        self._run = run
        self._target = target
        self._records: IO[bytes] | None = None
        self._opened = ExitStack()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension. Raises CrawlerError if the report could not be written."""
        run = run_of(crawler.spider)
        if run is None or run.arguments.report is None:
            raise NotConfigured
        try:
            check_writable(run.arguments.report)
        except OSError as error:
            raise _unwritable(run.arguments.report, error) from error
        writer = cls(crawler, run, run.arguments.report)
        if run.job is None:
            writer._keep_records()
        crawler.signals.connect(writer._stopped, signal=signals.engine_stopped)
        return writer

    def _keep_records(self) -> None:
        records = tempfile.NamedTemporaryFile(suffix=".jsonl")  # noqa: SIM115
        self._records = self._opened.enter_context(records)
        self.crawler.signals.connect(self._keep, signal=signals.item_scraped)

    def _keep(self, item: Any) -> None:
        if self._records is None:
            return
        try:
            # Items that are no records are named when they are read back.
            line = json.dumps(ItemAdapter(item).asdict(), default=str, skipkeys=True)
            self._records.write(f"{line}\n".encode())
        except OSError as error:
            self._fail(_unwritable_records(error))
            self._records = None

    def _stopped(self) -> None:
        if not self._run.started or self._run.hands_over:
            return
        with self._opened:
            try:
                self._write()
            except CrawlerError as error:
                self._fail(error)
            except OSError as error:
                self._fail(_unwritable_records(error))
        if "report/failed" in self.crawler.stats.get_stats():
            self._correct_exit_code()

    def _write(self) -> None:
        from crawler.export.corpus import FeedCorpus
        from crawler.export.opening import opened_job
        from crawler.report.page import write_to_file

        job = self._run.job
        if job is not None:
            with opened_job(job.place, self._target) as job_corpus:
                write_to_file(job_corpus, self._target)
        elif self._records is not None:
            self._records.flush()
            try:
                corpus = FeedCorpus([self._records.name])
            except CrawlerError as error:
                raise CrawlerError("the item pipelines returned no records") from error
            with corpus:
                write_to_file(corpus, self._target, run=self._ran())
        else:
            return
        self.crawler.stats.set_value("report/written", str(self._target))

    def _ran(self) -> Ran:
        from crawler.report.job_history import Ran

        summariser, stats = self.crawler.get_extension(Summariser), self.crawler.stats
        exit_code = None if summariser is None else summariser.finish()
        ending = stats.get_value("crawl/finish_reason", "")
        return Ran(
            number=None,
            asked=self._run.asked,
            began=self._run.began.isoformat(),
            seconds=stats.get_value("crawl/elapsed_seconds"),
            ending=ending if exit_code is None else in_words(exit_code),
            outcomes={},
        )

    def _fail(self, error: CrawlerError) -> None:
        message = f"report: {error}"
        logger.error("%s", message)
        self.crawler.stats.set_value("report/failed", message)

    def _correct_exit_code(self) -> None:
        """Let the ledger have the exit code of the process, which the report changed."""
        from crawler.crawl.ledger.job import correct_exit_code

        job, summariser = self._run.job, self.crawler.get_extension(Summariser)
        if job is None or job.run is None or summariser is None:
            return
        try:
            correct_exit_code(job.place, job.run, summariser.finish())
        except LedgerError as error:
            logger.error("%s", error)


def _unwritable(target: Path, error: OSError) -> CrawlerError:
    return CrawlerError(
        f"report: {target} cannot be written ({error.strerror}); give another file", exit_code=1
    )


def _unwritable_records(error: OSError) -> CrawlerError:
    return CrawlerError(f"a temporary file cannot be written ({error.strerror})", exit_code=1)
