"""Keeps a process among the workers of a job, and makes it the writer when there is none."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.crawl.ledger.postgresql import describe_process
from crawler.crawl.run import run_of
from crawler.engine import is_closing
from crawler.errors import CrawlerError, HoldLostError
from crawler.exit_codes import COULD_NOT_START, HELD, INCOMPLETE, in_words
from crawler.extensions.summarising import Summariser
from crawler.terminal import output, say
from crawler.workers.roles import role_of, writer_settings

if TYPE_CHECKING:
    from crawler.crawl.run import Run
    from crawler.workers.courier import Courier
    from crawler.workers.team import JobRun

logger = logging.getLogger(__name__)

_POLL_SECONDS, _GRACE_SECONDS = 0.5, 1.0
# Arguments in which the workers of a run may differ; _job is that of Scrapyd.
_OWN_ARGUMENTS = ("archive", "report", "_job")


class Membership:
    """Joins the run of a job, or begins one, and leaves when it has ended.

    ``exit_code`` is then that of the run.
    """

    def __init__(self, crawler: Crawler, run: Run, courier: Courier) -> None:
        self._crawler = crawler
        self._run = run
        self._courier = courier
        self._team = courier.team
        asked = {name: text for name, text in run.asked.items() if name not in _OWN_ARGUMENTS}
        self._asked = json.dumps(asked, sort_keys=True, ensure_ascii=False)
        self.exit_code = INCOMPLETE
        self._joined: int | None = None
        self._first = 1
        """The first run that this worker may belong to."""
        self._writer: Crawler | None = None
        self._writing: asyncio.Task[None] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._error: CrawlerError | None = None
        self._is_over = False
        self._ended_by: str | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None or run.courier is None or role_of(crawler.settings) != "worker":
            raise NotConfigured
        membership = cls(crawler, run, run.courier)
        crawler.signals.connect(membership._opened, signal=signals.spider_opened)
        crawler.signals.connect(membership._closed, signal=signals.spider_closed)
        return membership

    def _opened(self) -> None:
        last = self._team.run()
        # It may still join the last one, or end as soon as that does.
        self._first = last.number + last.ended if last else 1
        self._team.join(0, self._asked)
        self._serving = asyncio.ensure_future(self._serve())

    async def _serve(self) -> None:
        try:
            while not is_closing(self._crawler.engine):
                if self._look():
                    break
                await asyncio.sleep(_POLL_SECONDS)
            else:
                self._team.begin_to_leave()
        except CrawlerError as error:
            self._error = error
        except Exception:
            logger.exception("internal error in a worker")
            self._error = CrawlerError("internal error; the log says more", COULD_NOT_START)
        self._run.close("finished")

    def _look(self) -> bool:
        """Look after the run; return whether there is nothing left to do."""
        if self._team.failed is not None:
            raise self._team.failed
        self._look_after_writer()
        if self._is_over:
            return True
        last = self._team.run()
        if self._joined is None or (last is not None and last.number > self._joined):
            # While nobody of a run was heard of, another process may have begun the next one.
            self._join_others()
        # A run ends before its writer releases the job.
        holder = self._team.holder()
        if ended := self._ending():
            self.exit_code = COULD_NOT_START if ended.exit_code is None else ended.exit_code
            self._ended_by = self._team.last_holder()
            return True
        if holder is None and self._writing is None:
            self._write()
        elif holder is not None and holder != describe_process():
            if self._team.end_silent_holder():
                logger.warning("the writer does not answer, and was cut off: %s", holder)
            elif self._joined is None and not self._team.is_worker(holder):
                raise CrawlerError(
                    f"job: {self._team.place.name} is held by {holder}, which shares it with "
                    "nobody; run again when it has ended",
                    exit_code=HELD,
                )
        return False

    def _join_others(self) -> None:
        """Join the run of other workers, if there are any, even if they are leaving it."""
        others = [other for other in self._team.others() if other.run > (self._joined or 0)]
        if not others:
            return
        if others[0].asked != self._asked:
            raise CrawlerError(
                f"job: {self._team.place.name} is being crawled with other arguments, "
                f"{others[0].asked}, than {self._asked}; give the same, or name another job"
            )
        self._join(max(other.run for other in others))

    def _join(self, number: int) -> None:
        self._joined = number
        self._team.work_on(number)
        logger.info("joined run %d of %s", number, self._team.place.name)

    def _ending(self) -> JobRun | None:
        """Return the run that this worker joined, or was about to join, if it has ended."""
        run = self._team.run(self._joined)
        if run is not None and run.ended and run.exit_code is None:
            # It was aborted, and continued by a later one.
            run = self._team.run()
        is_own = run is not None and run.number >= (self._joined or self._first)
        return run if run and run.ended and is_own else None

    def _write(self) -> None:
        """Start the writer in this process. Another process may be faster."""
        settings = writer_settings(self._crawler.settings)
        settings.set("WORKERS_FIRST_RUN", self._joined or self._first, priority="cmdline")
        self._writer = Crawler(self._crawler.spidercls, settings)
        arguments: dict[str, Any] = self._crawler.spider.given_arguments  # type: ignore[union-attr]
        self._writing = asyncio.ensure_future(self._writer.crawl_async(**arguments))

    def _look_after_writer(self) -> None:
        if self._writer is None or self._writing is None:
            return
        run = run_of(self._writer.spider)
        if run and run.job and run.job.run and run.job.run.number > (self._joined or 0):
            self._join(run.job.run.number)
        if not self._writing.done():
            return
        error = self._writing.exception()
        writer, self._writer, self._writing = self._writer, None, None
        is_held = isinstance(error, CrawlerError) and error.exit_code == HELD
        if is_held or isinstance(error, HoldLostError):
            # Another process was faster.
            return
        if error is not None:
            raise error
        if run is None or not run.hands_over:
            self._note_ending(writer)
            self._is_over = True

    def _note_ending(self, writer: Crawler) -> None:
        """Note how the writer of this process has ended the run."""
        summariser = writer.get_extension(Summariser)
        self.exit_code = COULD_NOT_START if summariser is None else summariser.finish()
        self._ended_by = describe_process()

    async def _closed(self, reason: str) -> None:
        """Leave the job. A writer leaves the rest of the run to other workers, if there are any."""
        if self._serving is not None:
            self._serving.cancel()
        with suppress(CrawlerError):
            self._team.begin_to_leave()
            await self._end_writer()
        with suppress(CrawlerError):
            self._team.leave()
        self._team.close()
        self._say_how_it_ended()

    async def _end_writer(self) -> None:
        if self._writer is None or self._writing is None:
            return
        if not self._writing.done():
            # All workers of a machine may be told to stop at the same time.
            await asyncio.sleep(_GRACE_SECONDS)
        has_others = any(
            other.run == (self._joined or 0) and not other.is_leaving
            for other in self._team.others()
        )
        while not self._writing.done():
            # It may be about to start.
            run = run_of(self._writer.spider)
            if run is not None and not is_closing(self._writer.engine):
                run.hands_over = run.hands_over or has_others
                if self._run.stopped is not None and not run.hands_over:
                    run.stop(*self._run.stopped)
                else:
                    run.close("shutdown")
            await asyncio.wait((self._writing,), timeout=_POLL_SECONDS)
        run = run_of(self._writer.spider)
        if run is not None and not run.hands_over and not self._writing.exception():
            self._note_ending(self._writer)

    def _say_how_it_ended(self) -> None:
        if self._error is not None:
            self.exit_code = self._error.exit_code
            logger.error("%s", self._error)
        elif self._run.stopped is not None and self._run.stopped.reason != "site_down":
            self.exit_code = COULD_NOT_START
        self._crawler.stats.set_value("crawl/exit_code", self.exit_code)
        count = self._courier.delivered
        run = f"run {self._joined} of " if self._joined else ""
        parts = [
            f"{describe_process()}: {count:,} {'page' if count == 1 else 'pages'} delivered for "
            f"{run}{self._team.place.name}"
        ]
        if self._ended_by is not None:
            writer = "this process" if self._ended_by == describe_process() else self._ended_by
            parts.append(f"{writer} ended the run and wrote its feeds")
        if self._run.archive is not None:
            archive = self._run.archive
            parts.append(f"archived {archive.exchanges:,} exchanges in {archive.path}")
        line = "; ".join((*parts, in_words(self.exit_code)))
        if self._crawler.settings["LOG_FILE"]:
            # The log is all that users of a service such as Scrapyd see.
            logger.info("%s", line)
        if self._crawler.settings.getbool("SUMMARY_ENABLED"):
            with suppress(CrawlerError), output():
                say(line)
