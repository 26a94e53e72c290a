"""Reads the articles of an archive without requests, which cost more than a page's own reading.

The pages go straight from the archive to the extraction, several at a time, and their items to the
item pipelines, in the order of the articles. Downloader and spider middlewares see nothing of them,
so this is only for runs in which no component of the user's could miss a request or a response.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from crawler.crawl.archived_articles import ArchiveReader, PageFound, Refused
from crawler.crawl.page_extraction import TooSlowError
from crawler.crawl.page_parser import PageParser
from crawler.crawl.run import Found
from crawler.engine import is_closing, note_item_done
from crawler.middlewares.parsing import reader_processes
from crawler.setting_values import seconds_of
from crawler.user_parts import may_see_pages
from crawler.visits import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy.crawler import Crawler

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.page_extraction import Extracted, Task
    from crawler.crawl.run import Run
    from crawler.sources.warc import ArchivedPages
    from crawler.warc.archive import Place

    Results = Callable[[ArticleState, PageFound | Attempt], Iterator[Any]]

logger = logging.getLogger(__name__)


class DirectReading:
    """Reads articles that the frontier hands out, as many at a time as CONCURRENT_REQUESTS.

    ``results`` returns the items of an article, given its page or why there is none. It is called
    in the order of the articles.
    """

    def __init__(
        self, crawler: Crawler, run: Run, archive: ArchivedPages, results: Results
    ) -> None:
        # Scrapy imports this module in every run, and few read archives.
        from crawler.sources.warc import options_of

        settings = crawler.settings
        self._crawler = crawler
        self._run = run
        self._archive = archive
        self._results = results
        timeout, processes = seconds_of(settings, "READ_TIMEOUT"), reader_processes(settings)
        options = options_of(run, settings)
        self._parser = PageParser(
            run.publishers,
            timeout,
            processes,
            crawler.stats.inc_value,
            all_in_workers=True,
            archive=options,
        )
        self._reader = ArchiveReader(run.publishers, self._extract, options)
        self._needs_page = may_see_pages(crawler)
        self._room = asyncio.Semaphore(settings.getint("CONCURRENT_REQUESTS"))
        self._articles: set[asyncio.Task[None]] = set()
        self._reading: set[asyncio.Task[None]] = set()
        self._last_turn: asyncio.Future[None] | None = None
        # By article id, the captures of articles that were not read yet.
        self._places: dict[str, list[Place]] = {}

    def articles(self) -> Iterator[Found]:
        """Yield each article of the archive, once, and note where its captures are."""
        for found, places in self._archive.articles_with_places():
            if self._run.scope.includes(found):
                self._places[found.id] = places
                yield found

    async def read_queue(self) -> None:
        """Read the articles that wait in the frontier, unless the run is stopped.

        The last ones may still be being read when this returns.
        """
        while self._run.frontier.queued and not self._is_stopped:
            await self._room.acquire()
            state = None if self._is_stopped else self._run.frontier.take()
            if state is None:
                self._room.release()
                if not self._articles:
                    break
                # The frontier loads the next articles when those before them are done.
                await self.finish()
                continue
            previous, self._last_turn = self._last_turn, asyncio.get_running_loop().create_future()
            places = self._places.pop(state.id, [])
            reading = self._process(state, places, previous, self._last_turn)
            task = asyncio.ensure_future(reading)
            self._reading.add(task)
            self._articles.add(task)
            task.add_done_callback(self._articles.discard)
        # The frontier may know an article by another id, or not want it again.
        self._places.clear()

    async def finish(self) -> None:
        """Wait until the articles in work are done."""
        if self._articles and not self._is_stopped:
            await asyncio.wait(self._articles)

    def close(self) -> None:
        """End the extraction of pages, which the next run can read again."""
        for task in self._reading:
            task.cancel()
        self._parser.close()

    @property
    def _is_stopped(self) -> bool:
        return is_closing(self._crawler.engine)

    async def _process(
        self,
        state: ArticleState,
        places: list[Place],
        previous: asyncio.Future[None] | None,
        turn: asyncio.Future[None],
    ) -> None:
        """Read an article; when those before it have had their turns, send its items on."""
        engine = self._crawler.engine
        assert engine is not None
        try:
            items = await self._items(state, places, previous)
            # Now the next article has its turn, but its items come after these, unless a pipeline
            # waits for something.
            turn.set_result(None)
            for item in items:
                await engine.scraper.start_itemproc_async(item, response=None)
                note_item_done(engine)
        finally:
            if not turn.done():
                turn.set_result(None)
            self._room.release()

    async def _items(
        self, state: ArticleState, places: list[Place], previous: asyncio.Future[None] | None
    ) -> list[Any]:
        """Return the items of an article; none if the run is stopped meanwhile."""
        task = asyncio.current_task()
        assert task is not None
        try:
            found = await self._find(state, places)
        finally:
            self._reading.discard(task)
        if previous is not None:
            await previous
        if self._is_stopped:
            self._run.frontier.finish(state)
            return []
        return list(self._results(state, found))

    async def _find(self, state: ArticleState, places: list[Place]) -> PageFound | Attempt:
        """Return the page of an article, or why there is none."""
        try:
            found = await self._read_in_worker(state, places)
            if found is None:
                found = await self._archive.find(state, places, self._reader)
        except Exception as error:
            logger.exception("%s: internal error", state.id)
            detail = f"{type(error).__name__}: {error}"
            return Attempt(self._archive.name, "internal_error", detail, None, 1)
        if isinstance(found, PageFound):
            return found
        if found is None:
            detail = f"no capture in {self._archive.path}"
            return Attempt(self._archive.name, "not_saved", detail, None, 1)
        return Attempt(found.origin.source, found.reason, found.detail, found.status, 1)

    async def _read_in_worker(
        self, state: ArticleState, places: list[Place]
    ) -> PageFound | Refused | None:
        """Read an article in a worker; None if it has to be read in this process."""
        # As in ``__init__``, not at the top of this module.
        from crawler.crawl.archive_tasks import ArchivedArticle

        captures = self._archive.located(places)
        if captures is None:
            return None
        article = ArchivedArticle(
            Found(state.id, state.url), state.revision, captures, self._needs_page
        )
        return await self._parser.read(article)

    async def _extract(self, task: Task) -> Extracted:
        task = task._replace(needs_page=self._needs_page)
        try:
            extracted = self._parser.extract_here(task) or await self._parser.extract(task)
        except TooSlowError:
            raise
        except Exception:
            logger.exception("%s: internal error while reading %s", task.article_id, task.url)
            raise
        return extracted
