"""Chooses the articles of a list, such as a front page, a feed or a sitemap, that a run follows.

The entries of feeds and news sitemaps are articles, those of feeds on any host. Pages and other
sitemaps also lead to sections and to pages about the publisher, so their links count only if they
look like those of articles, or if several of one shape have titles like headlines. The newest come
first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from crawler.extraction.article_urls import is_telling, looks_like_article, template_of
from crawler.extraction.lists import FEED, INDEX, PAGE
from crawler.items import RelatedItem
from crawler.responses import requested_url

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.crawl.run import Run
    from crawler.extraction.lists import ArticleList, Entry
    from crawler.extraction.publishers import Publisher

# A page that links so many addresses of one shape, with headlines as their texts, lists articles.
_FEWEST_OF_SHAPE = 5
_FEWEST_WORDS, _FEWEST_CHARACTERS = 4, 12
# Positions in a list count the minutes until then, so that the newest of all lists come first.
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_UNDATED = 1 << 30

NOT_ARTICLES, OTHER_HOSTS = "that do not look like articles", "of other hosts"
PRUNED, OLD_SITEMAPS = "pruned by since, until or match", "sitemaps from before since"
NO_ADDRESS = "without a web address"
TOO_MANY = "beyond the most that a sitemap may have"


class Chosen(NamedTuple):
    """What a run follows of a list of this ``kind``.

    ``items`` are its articles, ``lists`` the URLs of the lists that it names, by id, and
    ``left_out`` the number of other entries by reason. ``pruned`` are the ids of articles that
    ``since``, ``until`` or ``match`` leave out. ``fault`` says what is wrong with the list.
    """

    kind: str
    items: list[RelatedItem]
    lists: dict[str, str]
    left_out: Counter[str]
    fault: str | None
    pruned: frozenset[str] = frozenset()

    @property
    def summary(self) -> str:
        """A line for the log."""
        count, name = len(self.items), "article"
        if self.kind == INDEX:
            count, name = len(self.lists), "sitemap"
        left_out = f"; left out {_breakdown(self.left_out)}" if self.left_out else ""
        return f"a {self.kind} of {count:,} {name}{'' if count == 1 else 's'}{left_out}"


def choose(found: ArticleList, response: Response, run: Run) -> Chosen:
    """Choose what to follow of the list in a response."""
    url = response.url
    if moved := _moved(response):
        found = found._replace(fault=moved)
    left_out = Counter({TOO_MANY: found.left_out, NO_ADDRESS: found.without_address})
    if found.kind == INDEX:
        since = run.arguments.since
        # The day in the address of a sitemap may be the first of those that it covers.
        recent = [one for one in found.lists if not (since and one.at and one.at.date() < since)]
        left_out[OLD_SITEMAPS] = len(found.lists) - len(recent)
        lists = {run.publishers.list_id(one.url): one.url for one in recent}
        fault = found.fault or (None if found.lists else "the sitemap index lists no sitemaps")
        return Chosen(INDEX, [], lists, +left_out, fault)
    articles = _articles(found, url, run, left_out)
    fault = found.fault or (None if articles else _nothing_listed(found, +left_out))
    pruned = frozenset(key for key, entry in articles.items() if not _may_be_followed(entry, run))
    left_out[PRUNED] = len(pruned)
    kept = {key: entry for key, entry in articles.items() if key not in pruned}
    return Chosen(found.kind, _items(kept, url, run), {}, +left_out, fault, pruned)


def _moved(response: Response) -> str | None:
    """Return what is wrong if a redirect led from a list to the site's home page."""
    asked, led_to = urlsplit(requested_url(response)), urlsplit(response.url)
    is_home = not led_to.path.strip("/") and not led_to.query
    if not is_home or (not asked.path.strip("/") and not asked.query):
        return None
    return f"redirected to {response.url}, the home page"


def _nothing_listed(found: ArticleList, left_out: Counter[str]) -> str:
    if left_out:
        return f"the {found.kind} lists no articles, only {_breakdown(left_out)}"
    return f"the {found.kind} has no links" if found.kind == PAGE else f"the {found.kind} is empty"


def _breakdown(left_out: Counter[str]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())


def _articles(found: ArticleList, url: str, run: Run, left_out: Counter[str]) -> dict[str, Entry]:
    """Return the entries of a list that are articles, by id."""
    publishers, scope = run.publishers, run.scope
    publisher = publishers.of(url)
    shapes = _shapes_of_articles(found.entries, run)
    articles: dict[str, Entry] = {}
    for entry in found.entries:
        own = publishers.of(entry.url)
        internal = own is not None and publisher is not None and own.name == publisher.name
        if found.kind != FEED and not scope.follows_to(entry.url, internal):
            left_out[OTHER_HOSTS] += 1
            continue
        is_declared = found.kind == FEED or (found.kind != PAGE and entry.title is not None)
        article_id = publishers.id_of(entry.url)
        if own is None or article_id is None or not _is_article(entry, own, shapes, is_declared):
            left_out[NOT_ARTICLES] += 1
        elif article_id not in articles:
            articles[article_id] = entry
    return articles


def _is_article(
    entry: Entry, publisher: Publisher, shapes: set[tuple[str, str]], is_declared: bool
) -> bool:
    if publisher.is_article(entry.url):
        return True
    if publisher.article_pattern or not publisher.may_be_article(entry.url):
        return False
    if looks_like_article(entry.url) is False:
        return False
    return is_declared or (publisher.name, template_of(entry.url)) in shapes


def _shapes_of_articles(entries: tuple[Entry, ...], run: Run) -> set[tuple[str, str]]:
    """Return the shapes of addresses, by publisher, that many entries with headlines have."""
    counts: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        template = template_of(entry.url)
        publisher = run.publishers.of(entry.url)
        if publisher and is_telling(template) and _is_headline(entry.title):
            counts[publisher.name, template] += 1
    return {shape for shape, count in counts.items() if count >= _FEWEST_OF_SHAPE}


def _is_headline(title: str | None) -> bool:
    if title is None:
        return False
    if title.isascii():
        return len(title.split()) >= _FEWEST_WORDS
    return len(title.split()) >= _FEWEST_WORDS or len(title) >= _FEWEST_CHARACTERS


def _may_be_followed(entry: Entry, run: Run) -> bool:
    """Return whether ``since``, ``until`` and ``match`` let an entry be fetched.

    An entry whose day is not known is kept, because only its page tells.
    """
    arguments = run.arguments
    if entry.day is not None and arguments.since and entry.day < arguments.since:
        return False
    # An article that was changed later may be older.
    published_on = entry.published_on
    if published_on is not None and arguments.until and published_on > arguments.until:
        return False
    if arguments.match is None:
        return True
    # The address has words of the headline, if it is not known.
    text = entry.title or unquote(urlsplit(entry.url).path).replace("-", " ").replace("_", " ")
    return arguments.match.search(text) is not None


def _items(articles: dict[str, Entry], url: str, run: Run) -> list[RelatedItem]:
    """Return entries, by the ids of their articles, as items of a list, the newest first."""
    publisher = run.publishers.of(url)
    items = []
    position = 0
    oldest = datetime.min.replace(tzinfo=UTC)
    by_time = sorted(articles.items(), key=lambda one: one[1].at or oldest)
    dated = [one for one in reversed(by_time) if one[1].at]
    for article_id, entry in (*dated, *(one for one in articles.items() if not one[1].at)):
        least = int((_LATEST - entry.at).total_seconds() // 60) if entry.at else _UNDATED
        position = max(position + 1, least)
        own = run.publishers.of(entry.url)
        items.append(
            RelatedItem(
                position=position,
                id=article_id,
                url=entry.url,
                internal=bool(own and publisher and own.name == publisher.name),
                headline=entry.title,
                headline_raw=entry.title,
                kind=None,
                picture_url=None,
                uploaded_at=None,
                content_type=None,
                sort=None,
            )
        )
    return items
