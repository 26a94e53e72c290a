"""A made-up web of four publishers, and the truth about it: which address leads to which article.

    web = make_web(2000)
    with hosted(web.sites, tmp_path) as running: …
    web.publisher.seed.address, web.publisher.max_depth

Nothing is written to files, and the same number of articles always gives the same web.

The main publisher, ``publisher.example``, spells the links in its related boxes in every way that
real sites do (made_addresses.py). The canonical links of some of its articles are wrong. Its
related boxes also link to pages that are no articles, and to articles of the other publishers:
``other.example`` and two blogs under a public suffix.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from random import Random
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import made_pages
from hosted import Answer, Site
from made_addresses import TRACKING_NAME, Hosts, article_id, kinds_of, old_path, spell, write
from made_pages import SECTIONS, Entry, Story
from made_prose import Text, make_text

WRONG_CANONICALS = (
    "home page",
    "section page",
    "other publisher",
    "shared, missing",
    "shared, existing",
)
"""The kinds of wrong canonical links. With the last two, several articles declare one address."""
LEAST_ARTICLES = 30

_PATHS = ("/{day:%Y/%m/%d}/{slug}", "/{section}/{slug}-{number}", "/{section}/{slug}.html")
_BLOG_PATHS = ("/{day:%Y/%m}/{slug}.html",)
_OVERVIEWS = (
    ("Pictures of the week, number {}", "/2026/05/01/pictures-of-the-week-number-{}"),
    ("The story so far, part {}", "/politics/the-story-so-far-in-one-place-70000{:02}"),
    ("Storms in pictures, part {}", "/world/the-storms-of-the-decade-in-pictures-part-{}.html"),
)
_STRAYS = ("section", "tag", "author", "file", "login", "overview", "external")
_LAST_DAY = datetime(2026, 5, 1, 18, 5)
_TAGS = ("harbour", "budget", "schools", "transport", "weather", "elections", "farming", "health")
_TEASERS = 25
# Each article lists this many that no other has to list, so that every article can be reached.
_CHILDREN = 3
_ON_EACH_HOST = ("main", "http", "bare host", "bare http", "mobile host", "amp host")
_HTML = {"Content-Type": "text/html; charset=utf-8"}
# The end of the path of another page for the same article.
_PAGE = re.compile(r"/(amp|print|index\.html)?$")


class Link(NamedTuple):
    """A link in a related box.

    ``address`` is absolute, as seen from the main address of the page. ``article_id`` is the id of
    the article that it leads to, of whatever publisher, or None if it leads to none.
    """

    text: str
    address: str
    kind: str = "main"
    article_id: str | None = None


@dataclass(eq=False)
class MadeArticle:
    """An article, and the truth about it."""

    id: str
    """Its main address without scheme and ``www.``: ``publisher.example/world/a-b-c.html``."""
    address: str
    """Its main address, which is https."""
    number: int
    text: Text = field(repr=False)
    section: str
    published: str
    """Its date as its pages state it: ISO 8601, on some pages without an offset."""
    redirects: bool
    """Whether its other addresses on the main and bare hosts redirect to it, or show the page."""
    canonical: str
    """The address that its pages declare."""
    wrong_canonical: str | None = None
    """One of WRONG_CANONICALS, or None if ``canonical`` is ``address``."""
    links: tuple[Link, ...] = field(default=(), repr=False)
    """The links in its related box."""
    variants: dict[str, str] = field(default_factory=dict, repr=False)
    """All addresses in links that lead to it, with their kinds (SPELLINGS or ALIASES)."""
    depth: int = -1
    """The least number of hops from the seed through related boxes; -1 if there is no way."""

    @property
    def headline(self) -> str:
        return self.text.headline

    @property
    def path(self) -> str:
        return urlsplit(self.address).path


class _Listing(NamedTuple):
    title: str
    articles: Sequence[MadeArticle]


class MadePublisher:
    """The articles of one publisher, its other pages, and its answers to requests."""

    def __init__(self, name: str, hosts: Hosts, count: int, paths: tuple[str, ...]) -> None:
        """Make ``count`` articles without links, at paths formatted from ``paths`` in turn."""
        self.name = name
        self.hosts = hosts
        self.root = f"https://{hosts.main}"
        self._random = Random(hosts.domain)
        self.articles = list(self._make_articles(count, paths))
        self.no_articles: set[str] = set()
        """The addresses in related boxes that lead to pages of its own that are no articles."""
        self.external: set[str] = set()
        """The addresses in related boxes that lead to articles of other publishers."""
        self._by_path = {unquote(article.path): article for article in self.articles}
        self._by_old_path = {unquote(old_path(a.path, a.number)): a for a in self.articles}
        self._by_number = {str(article.number): article for article in self.articles}
        self._overviews = dict(self._make_overviews(max(3, count // 50)))
        self._listings = {**dict(self._make_listings()), **self._overviews}

    @property
    def seed(self) -> MadeArticle:
        return self.articles[0]

    @property
    def max_depth(self) -> int:
        return max(article.depth for article in self.articles)

    @cached_property
    def by_id(self) -> dict[str, MadeArticle]:
        return {article.id: article for article in self.articles}

    @cached_property
    def by_address(self) -> dict[str, MadeArticle]:
        """Its articles by all their variants."""
        return {address: article for article in self.articles for address in article.variants}

    @property
    def sites(self) -> dict[str, Site]:
        """Its hosts, for hosted()."""
        return {host: partial(self.answer, host) for host in self.hosts if host}

    def answer(self, host: str, scheme: str, target: str) -> Answer:
        """Return the answer to a request for a path with a query."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        pairs = [pair for pair in parse_qsl(parts.query) if not TRACKING_NAME.fullmatch(pair[0])]
        query = dict(pairs)
        if path == "/robots.txt":
            return Answer(200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow:\n")
        place = _PAGE.sub("", path)
        if article := self._by_path.get(place):
            return self._answer_article(article, host, scheme, parts.path, query)
        if article := self._by_old_path.get(place):
            return _redirect(302, article.address)
        if path == "/story" and (article := self._by_number.get(query.get("id", ""))):
            return _redirect(301, article.address)
        if scheme == "http" or host == self.hosts.bare:
            return _redirect(301, self.root + target)
        if listing := self._listings.get(place):
            return Answer(200, _HTML, self._list(listing, self.root + parts.path))
        if path == "/login":
            return Answer(200, _HTML, made_pages.login(self.root + path))
        if path.startswith("/files/"):
            return Answer(200, {"Content-Type": "application/pdf"}, b"%PDF-1.4\n%made up\n%%EOF\n")
        return Answer(404, _HTML, made_pages.not_found())

    def add_links(self, others: Sequence["MadePublisher"]) -> None:
        """Fill the related boxes, also with links to articles of other publishers."""
        for place, article in enumerate(self.articles):
            # Relative links lead to the scheme and host of the page that they are on.
            for kind in self._kinds_of(article):
                if kind in _ON_EACH_HOST:
                    article.variants[self._spell(article, kind)] = kind
            article.links = tuple(self._make_links(place, others))
        self._measure_depth()

    def copy(self, article: MadeArticle) -> str:
        """Show the article of another publisher, too, and return the address of the copy."""
        address = self.root + article.path
        copied = replace(article, address=address, canonical=address, redirects=False)
        self._by_path[unquote(article.path)] = copied
        return address

    def _make_articles(self, count: int, paths: tuple[str, ...]) -> Iterator[MadeArticle]:
        slugs: set[str] = set()
        for place in range(count):
            text = make_text(self._random)
            while (slug := _slug(text.headline)) in slugs:
                text = make_text(self._random)
            slugs.add(slug)
            number = 1_204_000 + 53 * place
            section = SECTIONS[place // len(paths) % len(SECTIONS)]
            day = _LAST_DAY - timedelta(minutes=41 * place)
            path = paths[place % len(paths)].format(
                day=day, section=section, slug=quote(slug), number=number
            )
            offset = "" if place % 9 == 4 else "+02:00"
            yield MadeArticle(
                id=article_id(self.hosts, path),
                address=self.root + path,
                number=number,
                text=text,
                section=section,
                published=day.isoformat() + offset,
                redirects=place % 2 == 0,
                canonical=self.root + path,
            )

    def _make_listings(self) -> Iterator[tuple[str, _Listing]]:
        """Yield the paths, without the slash at the end, and contents of lists of articles."""
        yield "", _Listing(self.name, self.articles[:_TEASERS])
        for section in SECTIONS:
            inside = [article for article in self.articles if article.section == section]
            yield f"/{section}", _Listing(section.title(), inside[:_TEASERS])
        for tag in _TAGS:
            tagged = [article for article in self.articles if tag in _tags_of(article)]
            yield f"/tag/{tag}", _Listing(f"All about {tag}", tagged[:_TEASERS])
        for author in sorted({article.text.author for article in self.articles}):
            own = [article for article in self.articles if article.text.author == author]
            yield _author_path(author), _Listing(author, own[:_TEASERS])

    def _make_overviews(self, count: int) -> Iterator[tuple[str, _Listing]]:
        """Yield lists of articles whose paths look like those of articles."""
        for number in range(1, count + 1):
            title, path = _OVERVIEWS[number % len(_OVERVIEWS)]
            articles = self._random.sample(self.articles, 10)
            yield path.format(number), _Listing(title.format(number), articles)

    def _make_links(self, place: int, others: Sequence["MadePublisher"]) -> list[Link]:
        """Return 8 to 12 links for an article: most to articles, up to three to other pages."""
        random = self._random
        size = random.randrange(8, 13)
        strays = random.sample(_STRAYS, random.randrange(4))
        first_child = _CHILDREN * place + 1
        children = self.articles[first_child : first_child + _CHILDREN]
        rest = [
            article
            for article in random.sample(self.articles, min(size * 2, len(self.articles)))
            if article not in children and article is not self.articles[place]
        ]
        targets = [*children, *rest][: size - len(strays)]
        links = [self._link(target) for target in targets]
        links += [self._stray(stray, self.articles[place], others) for stray in strays]
        random.shuffle(links)
        return links

    def _link(self, target: MadeArticle) -> Link:
        kinds = ("main",) if self._random.random() < 0.2 else self._kinds_of(target)
        kind = self._random.choice(kinds)
        address = self._spell(target, kind)
        target.variants.setdefault(address, kind)
        return Link(target.headline, address, kind, target.id)

    def _kinds_of(self, article: MadeArticle) -> tuple[str, ...]:
        return kinds_of(self.hosts, article.path, article.wrong_canonical is None)

    def _spell(self, article: MadeArticle, kind: str) -> str:
        return spell(kind, self.hosts, article.path, article.number, self._random)

    def _stray(self, stray: str, article: MadeArticle, others: Sequence["MadePublisher"]) -> Link:
        """Return a link to a page that is no article, or to an article of another publisher."""
        random = self._random
        if stray == "external":
            target = random.choice(random.choice(others).articles)
            self.external.add(target.address)
            return Link(target.headline, target.address, article_id=target.id)
        overview = random.choice(sorted(self._overviews))
        text, path = {
            "section": (f"More on {article.section}", f"/{article.section}/"),
            "tag": ("More like this", f"/tag/{random.choice(_TAGS)}"),
            "author": (f"More by {article.text.author}", _author_path(article.text.author)),
            "file": ("The report in full (PDF)", f"/files/report-{article.number}.pdf"),
            "login": ("Sign in to comment", f"/login?next={article.path}"),
            "overview": (self._overviews[overview].title, overview),
        }[stray]
        self.no_articles.add(self.root + path)
        return Link(text, self.root + path)

    def _measure_depth(self) -> None:
        """Set the depth of all articles, nearest first."""
        self.seed.depth = 0
        waiting = deque([self.seed])
        while waiting:
            article = waiting.popleft()
            for link in article.links:
                target = self.by_id.get(link.article_id or "")
                if target and target.depth < 0:
                    target.depth = article.depth + 1
                    waiting.append(target)

    def _answer_article(
        self, article: MadeArticle, host: str, scheme: str, path: str, query: Mapping[str, str]
    ) -> Answer:
        """Return the page of an article in the layout for this host and path, or a redirect."""
        if host == self.hosts.amp or path.endswith("/amp") or query.get("outputType") == "amp":
            layout = made_pages.amp_article
        elif path.endswith("/print") or "print" in query:
            layout = made_pages.print_article
        elif host == self.hosts.mobile:
            layout = made_pages.mobile_article
        else:
            layout = made_pages.article
            is_main = f"{scheme}://{host}{unquote(path)}" == unquote(article.address)
            if article.redirects and not is_main:
                return _redirect(301, article.address)
        return Answer(200, _HTML, layout(self._story(article, path), self.name))

    def _story(self, article: MadeArticle, page_path: str) -> Story:
        """Return the parts of the page at a path, to which relative links refer."""
        day = datetime.fromisoformat(article.published)
        return Story(
            headline=article.headline,
            author=Entry(article.text.author, _author_path(article.text.author)),
            paragraphs=article.text.paragraphs,
            published=article.published,
            shown_date=(
                f"{day.day} {day:%B %Y}, {day:%H:%M}"
                if article.number % 2
                else f"{day:%B} {day.day}, {day.year} at {day:%I:%M %p}"
            ),
            canonical=article.canonical,
            section=article.section,
            tags=tuple(Entry(tag.title(), f"/tag/{tag}") for tag in _tags_of(article)),
            related=tuple(
                Entry(link.text, write(link.kind, link.address, page_path))
                for link in article.links
            ),
            has_json_ld=article.number % 9 != 7,
        )

    def _list(self, listing: _Listing, canonical: str) -> bytes:
        teasers = [
            (Entry(article.headline, article.path), article.text.paragraphs[0])
            for article in listing.articles
        ]
        return made_pages.teaser_list(listing.title, canonical, teasers)


class MadeWeb(NamedTuple):
    """The main publisher, the other one, and two blogs that share a public suffix."""

    publisher: MadePublisher
    other: MadePublisher
    blogs: tuple[MadePublisher, MadePublisher]

    @property
    def publishers(self) -> tuple[MadePublisher, ...]:
        return (self.publisher, self.other, *self.blogs)

    @property
    def sites(self) -> dict[str, Site]:
        """All hosts, for hosted()."""
        return {
            host: site for publisher in self.publishers for host, site in publisher.sites.items()
        }


def make_web(count: int = 2000) -> MadeWeb:
    """Return a web whose main publisher has ``count`` articles, at least LEAST_ARTICLES."""
    if count < LEAST_ARTICLES:
        raise ValueError(f"got {count} articles, takes at least {LEAST_ARTICLES}")
    hosts = Hosts("www.publisher.example", "publisher.example")._replace(
        mobile="m.publisher.example", amp="amp.publisher.example"
    )
    publisher = MadePublisher("The Made-up Courier", hosts, count, _PATHS)
    other_hosts = Hosts("www.other.example", "other.example")
    other = MadePublisher("The Other Paper", other_hosts, max(20, count // 50), _PATHS)
    the_city = MadePublisher("The City", Hosts("thecity.blogspot.com"), 12, _BLOG_PATHS)
    another = MadePublisher("Another Blog", Hosts("another.blogspot.com"), 12, _BLOG_PATHS)
    web = MadeWeb(publisher, other, (the_city, another))
    _declare_wrong_canonicals(publisher, other, max(3, count // 80))
    for linking in web.publishers:
        linking.add_links([linked for linked in web.publishers[1:] if linked is not linking])
    return web


def _declare_wrong_canonicals(publisher: MadePublisher, other: MadePublisher, size: int) -> None:
    """Let ``size`` articles of each kind declare a wrong canonical address."""
    chosen = Random(size).sample(publisher.articles[1:], size * len(WRONG_CANONICALS) + 1)
    existing = chosen.pop()
    for place, article in enumerate(chosen):
        kind = WRONG_CANONICALS[place % len(WRONG_CANONICALS)]
        article.wrong_canonical = kind
        article.canonical = {
            "home page": f"{publisher.root}/",
            "section page": f"{publisher.root}/{article.section}/",
            "other publisher": other.copy(article) if kind == "other publisher" else "",
            "shared, missing": f"{publisher.root}/2026/05/01/headline-of-the-article-goes-here",
            "shared, existing": existing.address,
        }[kind]


def _redirect(status: int, address: str) -> Answer:
    return Answer(status, {**_HTML, "Location": address}, b"")


def _slug(headline: str) -> str:
    return re.sub(r"\W+", "-", headline.lower()).strip("-")


def _author_path(author: str) -> str:
    return f"/author/{_slug(author)}"


def _tags_of(article: MadeArticle) -> tuple[str, str]:
    first = article.number % len(_TAGS)
    return _TAGS[first], _TAGS[(first + 3) % len(_TAGS)]
