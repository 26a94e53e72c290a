"""The spider of ``scrapy crawl articles``: from one article to its neighbourhood."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar, Self

from scrapy import signals

from crawler.crawl import arguments
from crawler.crawl.run import Found
from crawler.errors import CrawlerError
from crawler.middlewares.parsing import reader_processes
from crawler.sources.chain import all_articles
from crawler.sources.saved_files import SavedFile, describe
from crawler.spiders.feeds import find_feeds
from crawler.spiders.frontier_spider import FrontierSpider, evidence_of
from crawler.user_parts import may_see_requests
from crawler.visits import Attempt, Visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.crawl.archived_articles import PageFound
    from crawler.crawl.articles import ArticleState
    from crawler.spiders.direct_reading import DirectReading

# How many of an archive's articles the frontier is given at a time.
_BATCH_SIZE = 1000
# Pages in flight for each worker process that parses them.
_PAGES_A_WORKER = 4


class ArticlesSpider(FrontierSpider):
    """Crawls the neighbourhood of articles. docs/reference/arguments.md lists its arguments."""

    name = "articles"
    reads_lists: ClassVar[bool] = True
    """Whether a seed may be a list of articles, rather than an article."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._saved_seeds: dict[str, SavedFile] = {}
        self._seeds: dict[str, str | None] = {}
        # By id, the URLs of what may be lists; and the sites whose feeds are to be found.
        self._lists: dict[str, str] = {}
        self._sites: list[arguments.Seed] = []
        for seed in self.run.arguments.seeds:
            self._add(seed)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        if spider.run.arguments.everything and (processes := reader_processes(crawler.settings)):
            for name in ("CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN"):
                # Reading files needs no politeness, and workers should never be idle.
                crawler.settings.set(name, processes * _PAGES_A_WORKER, priority="spider")
        return spider

    def _add(self, seed: arguments.Seed) -> None:
        """Add a seed. Of several for the same article, the first counts.

        Raises CrawlerError if a saved page cannot be read.
        """
        if seed.path is None:
            if seed.finds_feeds:
                self._sites.append(seed)
            elif self.reads_lists and seed.may_be_list and seed.url:
                self._lists.setdefault(seed.id, seed.url)
            else:
                self._seeds.setdefault(seed.id, seed.url)
            return
        try:
            file = describe(seed.path, self.run.publishers)
        except OSError as error:
            raise CrawlerError(
                f"seed: got '{seed.path}', which cannot be read ({error.strerror})", exit_code=1
            ) from error
        if file.id not in self._seeds:
            self._saved_seeds[file.id] = file
            self._seeds[file.id] = file.url

    async def start(self) -> AsyncIterator[Any]:
        """Request the seeds. Raises CrawlerError if there are none."""
        arguments.require_seed(self.run.arguments)
        self.run.started = True
        if self.run.courier is not None:
            # A worker asks for what the writer orders.
            return
        if self.run.arguments.everything:
            async for request in self._request_everything():
                yield request
            return
        for site in self._sites:
            self._lists |= await find_feeds(site, self.run, self.crawler)
        for request in self.start_with_lists(self._lists):
            yield request
        found = [Found(article_id, url) for article_id, url in self._seeds.items()]
        for request in self.start_with(found):
            yield request

    async def _request_everything(self) -> AsyncIterator[Request]:
        """Request all articles that the sources hold.

        They come in batches, because an archive may hold more than fit in memory.
        """
        direct = self._direct_reading()
        if direct is None:
            found = all_articles(self.run.sources)
            articles: Iterator[Found] = filter(self.run.scope.includes, found)
        else:
            articles = direct.articles()
        # Getting the first article makes the sources index their URLs. Articles left over from
        # earlier runs, which are fetched first, may need that index.
        articles = chain(list(islice(articles, 1)), articles)
        self.run.frontier.seed([])
        if self.run.job is None:
            # Only a run that reads an archive needs these modules.
            from crawler.sources.warc import duplicates_in

            self.run.duplicates = duplicates_in(self.run, self.crawler.settings)
        await self._until_requested()
        if direct is not None:
            await self._read_everything(direct, articles)
            return
        for batch in self._batches(articles):
            for request in self.start_with(batch):
                yield request
            await self._until_requested()

    async def _read_everything(self, direct: DirectReading, articles: Iterator[Found]) -> None:
        """Read all articles of an archive without requests, after those already requested."""
        while self.run.frontier.unread_count:
            await self.crawler.signals.wait_for(signals.scheduler_empty)
        self.run.reads_directly = True
        try:
            for batch in self._batches(articles):
                self._seed(batch)
                await direct.read_queue()
            await direct.finish()
        finally:
            direct.close()
            self.run.reads_directly = False

    def _batches(self, articles: Iterator[Found]) -> Iterator[list[Found]]:
        """Yield the next articles for the frontier, as many as the limit leaves room for."""
        while batch := list(islice(articles, self.run.frontier.room(_BATCH_SIZE))):
            yield batch

    async def _until_requested(self) -> None:
        """Wait until all articles in the frontier have been requested."""
        while self.run.frontier.queued:
            await self.crawler.signals.wait_for(signals.scheduler_empty)

    def _direct_reading(self) -> DirectReading | None:
        """Return a reader of the archive that makes no requests; None if they are needed."""
        # Only a run that reads an archive needs these modules.
        from crawler.sources.warc import ArchivedPages
        from crawler.spiders.direct_reading import DirectReading

        archive = self.run.sources[0]
        if len(self.run.sources) > 1 or not isinstance(archive, ArchivedPages):
            return None
        if self.run.has_workers:
            return None
        # A subclass may look at requests and responses, too.
        if type(self) is not ArticlesSpider or may_see_requests(self.crawler):
            return None
        return DirectReading(self.crawler, self.run, archive, self._read_directly)

    def _read_directly(self, state: ArticleState, found: PageFound | Attempt) -> Iterator[Any]:
        """Yield the item of an article that was read without a request, if there is one."""
        if isinstance(found, Attempt):
            yield from self._end(state, (found,))
            return
        answer = found.answer
        assert answer.origin is not None
        try:
            if state.state == "merged":
                # A page before this one turned out to be the same article.
                self._count_duplicate(state)
            else:
                evidence = evidence_of(answer.origin)
                yield from self._article(state, answer, found.extracted, evidence)
        except Exception as error:
            self.logger.exception("%s: internal error while reading %s", state.id, answer.url)
            detail = f"{type(error).__name__}: {error}"
            attempt = Attempt(answer.source, "internal_error", detail, answer.status, 1)
            yield from self._end(state, (attempt,))
        finally:
            self.run.frontier.finish(state)

    def request(self, state: ArticleState) -> Request:
        saved_seed = self._saved_seeds.get(state.id)
        if saved_seed is None:
            return super().request(state)
        url = self.run.scope.url_of(state) or saved_seed.path.resolve().as_uri()
        visit = Visit(article_id=state.id, saved_page=saved_seed.path, id_where=saved_seed.id_where)
        return self._request(state, visit, url)
