"""Fetches the pages of some articles by a crawl that stores nothing.

Everything that holds for a crawl holds here: politeness, robots.txt, sources, and settings such as
TLS_CA_FILE.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import signals

from crawler.crawl.scope import ANY
from crawler.crawl_process import run_crawl
from crawler.errors import CrawlerError
from crawler.extraction.addresses import domain_of
from crawler.extraction.directory import Choice, Publishers
from crawler.extraction.refusal import Refusal
from crawler.items import Article, Failure, Teaser
from crawler.publisher_drafts.pages import Page
from crawler.responses import charset_of
from crawler.visits import visit_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scrapy import Request
    from scrapy.crawler import Crawler, CrawlerProcessBase
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

_TAKES = "takes the URLs of two or three articles of one publisher"


@dataclass(frozen=True, slots=True)
class Sample:
    """A URL that was asked for, and its page, or else the problem: why there is none."""

    url: str
    page: Page | None = None
    problem: str | None = None


def check_urls(urls: Sequence[str]) -> None:
    """Raise CrawlerError unless these may be the addresses of articles of one publisher."""
    if not urls:
        raise CrawlerError(f"URL: missing; {_TAKES}")
    for url in urls:
        if "://" not in url or domain_of(url) is None or "@" in urlsplit(url).netloc:
            raise CrawlerError(f"URL: got {url!r}; {_TAKES}, such as https://news.example/a-story")
    first, *others = (domain_of(url) for url in urls)
    for other in others:
        if other != first:
            raise CrawlerError(f"URL: got URLs of {first} and of {other}; {_TAKES}")
    publishers = Publishers(Choice(home_url=urls[0]))
    for url in urls:
        if publishers.id_of(url) is None:
            name = publishers.home.name
            raise CrawlerError(f"URL: got {url!r}, which is not an article of {name}; {_TAKES}")


def store_nothing(settings: BaseSettings) -> None:
    """Change the settings of the crawl so that it writes no file, and prints no summary."""
    for name in ("FEEDS", "ITEM_PIPELINES"):
        settings.set(name, {}, priority="cmdline")
    for name in ("JOBDIR", "PUBLISHERS"):
        settings.set(name, None, priority="cmdline")
    settings.set("SUMMARY_ENABLED", False, priority="cmdline")


def sample(
    process: CrawlerProcessBase, urls: Sequence[str], given: Mapping[str, str]
) -> list[Sample]:
    """Fetch the pages of these URLs, and return one sample for each of them.

    ``given`` are the arguments of the crawl. Raises CrawlerError if the crawl could not start.
    """
    # Imported now, because it loads all that a crawl needs.
    from crawler.spiders.articles import ArticlesSpider

    class Samples(ArticlesSpider):
        """Reads the pages that it is given, and only these."""

        reads_lists = False

    crawler = process.create_crawler(Samples)
    collector = _Collector(crawler)
    with TemporaryDirectory(prefix="articles-") as folder:
        arguments = {**given, "seed": _seeds(urls, Path(folder)), "depth": "0", "hosts": ANY}
        run_crawl(process, crawler, arguments)
    return list(_of_one_publisher(collector.samples(urls)))


def _seeds(urls: Sequence[str], folder: Path) -> str:
    """Return the seeds of the crawl, which may be in a file that is written to a folder."""
    if "," not in "".join(urls):
        return ",".join(urls)
    # A comma could separate two seeds.
    file = folder / "seeds.txt"
    file.write_text("".join(f"{url}\n" for url in urls), encoding="utf-8")
    return f"@{file}"


def _of_one_publisher(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Yield samples. Pages of another publisher than the first page's count as problems."""
    first = next((domain_of(sample.page.url) for sample in samples if sample.page), None)
    for sample in samples:
        if sample.page is None or domain_of(sample.page.url) == first:
            yield sample
        else:
            yield Sample(
                sample.url, problem=f"it led to {sample.page.url}, which is not of {first}"
            )


class _Collector:
    """Collects the pages and the records of a crawl, by the ids of their articles."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        # A page may claim another id than the one by which it was requested, so the ids are read
        # from the articles' states at the end.
        self._pages: list[tuple[Any, Page]] = []
        self._records: dict[str, Any] = {}
        crawler.signals.connect(self._received, signal=signals.response_received)
        crawler.signals.connect(self._recorded, signal=signals.item_scraped)

    def _received(self, response: Response, request: Request) -> None:
        visit = visit_of(request)
        extracted = visit.extracted if visit else None
        if visit is None or visit.state is None or not isinstance(extracted, tuple):
            return
        record = extracted.result
        if isinstance(record, Refusal) or record.url is None:
            return
        self._pages.append((visit.state, Page(record.url, response.body, charset_of(response))))

    def _recorded(self, item: Any) -> None:
        if isinstance(item, (Article, Failure, Teaser)):
            self._records[item.id] = item

    def samples(self, urls: Sequence[str]) -> list[Sample]:
        spider: Any = self._crawler.spider
        pages = {state.id: page for state, page in self._pages}
        found: dict[str, str] = {}
        samples = []
        for url in urls:
            state = spider.run.frontier.find(spider.run.publishers.id_of(url) or url)
            article_id = state.id if state else url
            if article_id in found:
                problem = f"the same article as {found[article_id]}"
                samples.append(Sample(url, problem=problem))
                continue
            found[article_id] = url
            record = self._records.get(article_id)
            page = pages.get(article_id) if isinstance(record, Article) else None
            samples.append(Sample(url, page, None if page else _problem(record)))
        return samples


def _problem(record: Any) -> str:
    if isinstance(record, Failure):
        return f"{record.reason}: {record.detail}"
    if isinstance(record, Teaser):
        return f"not fetched: {record.why}"
    return "not fetched: the run was stopped"
