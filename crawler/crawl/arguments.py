"""The spider arguments of ``scrapy crawl articles``, checked before anything is requested.

Takes the ``-a name=value`` pairs as text and returns ``Arguments``. A wrong value or an unknown
name raises CrawlerError, whose message is one line with the argument, the value given and the
values accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from crawler.crawl.edges import ROLES
from crawler.crawl.scope import ANY, SAME
from crawler.crawl.source_kinds import (
    LIVE,
    SOURCE_KINDS,
    WAYBACK,
    SourceKind,
    kind_of,
    path_exists,
)
from crawler.credentials import hide_userinfo_of
from crawler.errors import CrawlerError, did_you_mean
from crawler.extraction.addresses import HOST_NAME, ascii_host
from crawler.extraction.article_urls import day_in
from crawler.extraction.directory import Choice, Publishers
from crawler.extraction.publishers import same_server
from crawler.files import check_is_html
from crawler.warc.names import READABLE, WARC_SUFFIXES, is_archive, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crawler.extraction.publishers import Publisher
    from crawler.items import ArticleRole, RelatedItem

RECHECKS = ("due", "all", "none")
"""Which known articles a crawl with a ledger requests again: those that are due, all or none."""
RENDERERS = ("splash", "playwright")
"""The browsers that run the scripts of the live site's pages."""
ALL_ROLES = "all"
"""The value of ``follow`` that stands for all roles."""
WHERE_NEEDED = "auto"
"""The value of ``render`` that uses RENDERER's browser only for pages that lack something."""


class Argument(NamedTuple):
    """A spider argument: the Python ``type`` of its value, its default, meaning and an example."""

    name: str
    type: Any
    default: Any
    meaning: str
    example: str

    def described(self, before: str) -> str:
        """Return the meaning with the default and an example, in which ``before`` comes first."""
        # The meaning may explain the default.
        default = "none" if self.default is None else self.default
        stated = "" if "default" in self.meaning else f"default: {default}; "
        return f"{self.meaning} ({stated}example: {before}{self.example})"


ARGUMENTS = (
    Argument(
        "seed",
        str | None,
        None,
        "where to start; one or more, separated by commas: an article id, the URL of an article, "
        "a front page, a feed or a sitemap, feeds: and a URL, the path of a saved page, @FILE with "
        "one per line, all for every article in the source, or a folder or an archive file for "
        "every article in it",
        "https://publisher.example/2026/05/01/some-story",
    ),
    Argument(
        "source",
        str | None,
        None,
        "where pages come from; one or several, separated by commas: "
        + ", ".join(kind.accepts for kind in SOURCE_KINDS)
        + "; the default is live, or that of the publisher's file",
        "wayback",
    ),
    Argument(
        "at",
        date | None,
        None,
        "with archives, use the capture nearest to this date; the default is the newest",
        "2015-10-23",
    ),
    Argument(
        "archive",
        str | None,
        None,
        "a WARC file to which everything fetched is written",
        "output/pages.warc.gz",
    ),
    Argument(
        "report",
        str | None,
        None,
        "an HTML file that shows the results, written at the end",
        "output/report.html",
    ),
    Argument(
        "site",
        str | None,
        None,
        "the name or the path of a publisher file; needed only for ids, whose default is alalam",
        "alalam",
    ),
    Argument(
        "hosts",
        str,
        SAME,
        "the hosts to crawl: same, for each article's own publisher; any; or host names, separated "
        "by commas",
        "any",
    ),
    Argument(
        "base_url",
        str | None,
        None,
        "a root URL to use in place of the publisher's own",
        "http://127.0.0.1:8000",
    ),
    Argument(
        "follow",
        str,
        "related",
        "the links to follow, by their roles; one or several, separated by commas: related, for "
        "related items; text, for links in the texts; translation, for articles in other "
        "languages; or all",
        "related,text",
    ),
    Argument("depth", int, 2, "how many hops from the seeds to follow", "1"),
    Argument("limit", int, 0, "the maximum number of articles to fetch, 0 for no limit", "100"),
    Argument(
        "since",
        date | None,
        None,
        "follow only articles from this day or later: entries of lists, and links whose address or "
        "picture has a date",
        "2026-05-01",
    ),
    Argument(
        "until",
        date | None,
        None,
        "follow only articles from this day or earlier: entries of lists, and links whose address "
        "or picture has a date",
        "2026-05-31",
    ),
    Argument(
        "match",
        str | None,
        None,
        "follow only entries of lists and links whose headline or text matches this regular "
        "expression",
        "'Aleppo|Homs'",
    ),
    Argument(
        "recheck",
        Literal[RECHECKS],
        "due",
        "with a job, which known articles to request again",
        "all",
    ),
    Argument(
        "render",
        Literal[(*RENDERERS, WHERE_NEEDED)] | None,
        None,
        "run the scripts of the live site's pages in this browser; auto: only where needed",
        "auto",
    ),
)
"""The spider's arguments, the source of its schema and of ``scrapy crawl --help``."""
NAMES = tuple(argument.name for argument in ARGUMENTS)
_ACCEPTED_SEEDS = (
    "the URL of an article, a front page, a feed or a sitemap, an article id, feeds: and the URL "
    "of a page, the path of a saved page, several of these separated by commas, @FILE with one per "
    "line, a folder or an archive file to read whole, or all"
)
_ACCEPTED_SOURCES = (
    f"takes {', '.join(kind.accepts for kind in SOURCE_KINDS)}, or several of these separated by "
    f"commas; archive files are {READABLE}"
)
FEEDS = "feeds:"
"""The prefix of a seed whose feeds and sitemaps are to be found."""
EVERYTHING = "all"
"""The seed that stands for every article of saved pages and archive files."""
FOLLOWING_ARGUMENTS = ("follow", "depth", "since", "until", "match")
"""The arguments that decide which links are followed; without effect if everything is fetched."""
# A host name or address and a port. A user name and password are not accepted, because they would
# be sent to any host that a page leads to.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?")
# A host before a path, or a host that begins with www. A file such as story.html is neither.
_URL_WITHOUT_SCHEME = re.compile(r"www\.|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# A comma separates seeds only before one of these, or before a path that exists.
_SEED_START = re.compile(r"(?:feeds:)?[A-Za-z][A-Za-z0-9+.-]*://|@|[0-9]+$")


@dataclass(frozen=True, slots=True)
class Seed:
    """The start of a crawl: an article's id, with its URL if one was given, or a saved page's path.

    The id of a saved page is not known yet, and empty. ``may_be_list`` is true if the URL may be
    that of a list of articles, such as a front page or a feed, and ``finds_feeds`` if the feeds and
    sitemaps of a site are to be found first.
    """

    id: str
    path: Path | None = None
    url: str | None = None
    may_be_list: bool = False
    finds_feeds: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """The checked arguments.

    ``base_url`` is None if not given; ``since`` and ``until`` are whole days, both inclusive.
    ``roles`` are those of the links to follow, in canonical order. ``sources`` are tried in order
    for each page. With ``everything`` there are no seeds: every article in the sources is fetched.
    """

    seeds: tuple[Seed, ...]
    everything: bool
    sources: tuple[str, ...]
    at: date | None
    archive: Path | None
    report: Path | None
    publishers: Publishers
    hosts: str | tuple[str, ...]
    base_url: str | None
    roles: tuple[ArticleRole, ...]
    depth: int
    limit: int
    since: date | None
    until: date | None
    match: re.Pattern[str] | None
    recheck: str
    render: str | None

    @property
    def publisher(self) -> Publisher:
        """The publisher whose own ids stand for themselves."""
        return self.publishers.home

    @property
    def seed_urls(self) -> tuple[str, ...]:
        """The seeds that are URLs."""
        return tuple(seed.url for seed in self.seeds if seed.url)

    def follows(self, item: RelatedItem) -> bool:
        """Return whether ``since``, ``until`` and ``match`` let the target of a link be fetched."""
        if self.since or self.until:
            day = _day_of(item)
            if day is None or not (self.since or date.min) <= day <= (self.until or date.max):
                return False
        if self.match is None:
            return True
        return any(text and self.match.search(text) for text in (item.headline, item.headline_raw))


def in_full(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the spider arguments with seed=all and its source for a ``seed`` that is files.

    Such a seed is a folder, archive files, or several of these separated by commas.
    """
    seed = given.get("seed", "").strip()
    if "source" not in given and seed and all(map(_is_read_whole, _split_paths(seed))):
        return {**given, "seed": EVERYTHING, "source": seed}
    return given


def _is_read_whole(path: str) -> bool:
    if not path or "://" in path or path.isdecimal():
        return False
    return is_archive(path) or is_folder(path)


def _split_paths(value: str) -> list[str]:
    """Split paths, patterns or names at commas, unless the whole is a path with commas."""
    return [value] if path_exists(value) else [name.strip() for name in value.split(",")]


def parse(given: Mapping[str, str], folder: str | None = None) -> Arguments:
    """Check the spider arguments; without a ``seed`` the seeds are empty (see ``require_seed``).

    ``folder`` is one of publisher files.
    """
    given = in_full(given)
    for name in given:
        # Services that run spiders, such as Scrapyd, add their own arguments, such as _job.
        if name not in NAMES and not name.startswith("_"):
            hint = did_you_mean(name, NAMES)
            raise CrawlerError(
                f"{name}: no such argument (value {given[name]!r}); takes {', '.join(NAMES)}{hint}"
            )
    base_url = _base_url(given["base_url"]) if "base_url" in given else None
    everything = given.get("seed", "").strip() == EVERYTHING
    seed_texts = list(_seed_texts(given["seed"])) if "seed" in given and not everything else []
    home_url = _home_url(seed_texts, base_url)
    publishers = Publishers(Choice(given.get("site"), home_url, base_url, folder))
    since, until = (
        day_of(name, given[name]) if name in given else None for name in ("since", "until")
    )
    if since and until and since > until:
        raise CrawlerError(
            f"until: got '{until}', which is before since ('{since}'); "
            "takes that date or a later one"
        )
    default_source = LIVE if base_url else publishers.home.default_source
    sources = _sources(given.get("source", default_source))
    if everything:
        _check_everything(given, sources)
    if LIVE not in sources and any(text.startswith(FEEDS) for text, _ in seed_texts):
        raise CrawlerError(
            f"seed: feeds: looks for feeds on the live site, but source is {','.join(sources)}; "
            "give the URLs of the feeds"
        )
    if "at" in given and not any(kind.captures for kind in sources.values()):
        raise CrawlerError(
            "at: only archives hold pages as of a date; "
            "takes source=wayback or archive files with it"
        )
    return Arguments(
        seeds=tuple(_seeds(seed_texts, publishers)),
        everything=everything,
        sources=tuple(sources),
        at=day_of("at", given["at"]) if "at" in given else None,
        archive=_archive(given["archive"], sources) if "archive" in given else None,
        report=_report(given["report"]) if "report" in given else None,
        publishers=publishers,
        hosts=hosts_of(given.get("hosts", SAME)),
        base_url=base_url,
        roles=roles_of(given),
        depth=0 if everything else _count("depth", given.get("depth", "2"), "hops from the seeds"),
        limit=_count("limit", given.get("limit", "0"), "articles to fetch, 0 for no limit"),
        since=since,
        until=until,
        match=_pattern(given["match"]) if "match" in given else None,
        recheck=one_of(RECHECKS, "recheck", given.get("recheck", "due")),
        render=_render(given["render"], sources) if "render" in given else None,
    )


def require_seed(arguments: Arguments) -> None:
    """Check that there is a starting point; CrawlerError if no seed was given."""
    if not arguments.seeds and not arguments.everything:
        raise CrawlerError(f"seed: missing; takes {_ACCEPTED_SEEDS}")


def _seed_texts(value: str) -> Iterator[tuple[str, str]]:
    """Yield each seed in an argument, with the place that messages name."""
    seeds = _split_seeds(value)
    if not seeds:
        raise CrawlerError(f"seed: got {value!r}; takes {_ACCEPTED_SEEDS}")
    for seed in map(str.strip, seeds):
        if seed.startswith("@"):
            yield from _seed_file(seed[1:])
        else:
            yield seed, "seed"


def _split_seeds(value: str) -> list[str]:
    """Split seeds at the commas that separate them, since URLs and paths contain commas too.

    A number in a URL, as in ``/0,1518,123456,00.html``, does not start a seed if something follows
    that does not either.
    """
    seeds: list[str] = []
    rest = ""
    parts = [part for part in value.split(",") if part.strip()]
    for position in range(len(parts) - 1, -1, -1):
        part = parts[position]
        is_in_url = rest and part.strip().isdecimal() and "://" in "".join(parts[:position])
        if position and (is_in_url or not _starts_seed(part.strip())):
            rest = f",{part}{rest}"
        else:
            seeds.append(part + rest)
            rest = ""
    return seeds[::-1]


def _starts_seed(text: str) -> bool:
    return _SEED_START.match(text) is not None or path_exists(text) or _is_read_whole(text)


def joined(seeds: Sequence[str]) -> str:
    """Return several seeds as one argument. Raises CrawlerError if one of them is not a seed.

    A text that does not start a seed would become a part of the seed before it.
    """
    for seed in seeds[1:]:
        if (parts := _split_seeds(seed)) and not _starts_seed(parts[0].strip()):
            raise CrawlerError(
                f"seed: got {seed!r}, which is neither a URL nor an id nor a file; "
                f"takes {_ACCEPTED_SEEDS}"
            )
    return ",".join(seeds)


def _home_url(seeds: list[tuple[str, str]], base_url: str | None) -> str | None:
    """Return the first seed that is a URL, unless it is on a mirror, which says nothing."""
    for text in (text.removeprefix(FEEDS) for text, _ in seeds):
        if text.startswith(("http://", "https://")) and _is_url(text):
            is_on_mirror = base_url and urlsplit(text).hostname == urlsplit(base_url).hostname
            return None if is_on_mirror else text
    return None


def _is_url(text: str) -> bool:
    """Return whether a text can be split as a URL, unlike ``http://[``."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _seeds(texts: list[tuple[str, str]], publishers: Publishers) -> list[Seed]:
    return list(dict.fromkeys(_seed(text, publishers, where) for text, where in texts))


def _seed_file(name: str) -> list[tuple[str, str]]:
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        # A path with a null character is a ValueError, too.
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CrawlerError(
            f"seed: got '@{name}', which cannot be read ({reason}); "
            "takes @FILE with one seed per line"
        ) from error
    if not text.strip():
        raise CrawlerError(
            f"seed: got '@{name}', which is empty; takes @FILE with one seed per line"
        )
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [
        (line, f"seed, line {number} of {name}")
        for number, line in lines
        if line and not line.startswith("#")
    ]


def _seed(text: str, publishers: Publishers, where: str) -> Seed:
    if text.startswith(FEEDS):
        url = text.removeprefix(FEEDS)
        seed = _seed(url, publishers, where) if "://" in url else None
        if seed is None:
            raise CrawlerError(
                f"{where}: got {text!r}; takes feeds: and the URL of a page of a publisher, such "
                "as feeds:https://publisher.example"
            )
        return replace(seed, may_be_list=True, finds_feeds=True)
    if "://" in text:
        if not _is_url(text):
            raise CrawlerError(
                f"{where}: got {text!r}, which is not a URL; takes {_ACCEPTED_SEEDS}"
            )
        if "@" in urlsplit(text).netloc:
            raise CrawlerError(
                f"{where}: got {hide_userinfo_of(text)!r}, but sites are crawled without a user "
                f"name and password; takes {_ACCEPTED_SEEDS}"
            )
        is_of_another = publishers.choice.site is not None and not publishers.home.owns(text)
        publisher = None if is_of_another else publishers.of(text)
        article_id = publisher.id_of(text) if publisher else None
        may_be_list = publisher is not None and not publisher.is_article(text)
        if may_be_list and not _is_only_at_mirror(publishers, text):
            article_id = article_id or publishers.list_id(text)
        if article_id is None:
            raise CrawlerError(
                f"{where}: got {text!r}, which {_why_no_article(text, publishers)}; "
                f"takes {_ACCEPTED_SEEDS}"
            )
        return Seed(article_id, url=text, may_be_list=may_be_list)
    path = Path(text)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    home = publishers.home
    if not (is_file and path.suffix) and (article_id := home.id_from_text(text)):
        return Seed(article_id)
    if _is_read_whole(text):
        raise CrawlerError(
            f"{where}: got {text!r}, all of which would be read, beside other seeds or a source; "
            f"give it alone, or as source={text}"
        )
    if not is_file and has_magic(text):
        raise CrawlerError(
            f"{where}: got {text!r}, which matches no file; takes a pattern such as "
            "'captures/*.warc.gz'"
        )
    if not is_file:
        hint = "" if home.has_own_ids else "; ids need a publisher file, such as site=alalam"
        if _URL_WITHOUT_SCHEME.match(text):
            hint = f"; did you mean 'https://{text}'?"
        raise CrawlerError(
            f"{where}: got {text!r}, which is neither a URL nor an id of {home.name} nor a file "
            f"that exists; takes {_ACCEPTED_SEEDS}{hint}"
        )
    return Seed("", path)


def _is_only_at_mirror(publishers: Publishers, url: str) -> bool:
    """Return whether a URL is on the mirror of a publisher that the user did not state."""
    mirror = publishers.home.mirror
    return not publishers.is_stated and mirror is not None and same_server(url, mirror)


def _why_no_article(url: str, publishers: Publishers) -> str:
    publisher = publishers.of(url)
    if publisher is None:
        return "is not the address of a web page"
    if publisher.mirror and not publishers.is_stated:
        return f"is on the mirror; give the publisher's own URL, or site (now {publisher.name})"
    if publishers.choice.site is not None:
        publisher = publishers.home
    return f"is not an article URL of {publisher.name} ({', '.join(sorted(publisher.hosts))})"


def hosts_of(value: str) -> str | tuple[str, ...]:
    """Return the hosts that an argument names. Raises CrawlerError if it names none."""
    if value in (SAME, ANY):
        return value
    hosts = tuple(ascii_host(name.strip().lower()) for name in value.split(","))
    if not all(map(HOST_NAME.fullmatch, hosts)):
        raise CrawlerError(
            f"hosts: got {value!r}; takes same, any, or host names separated by commas, "
            "such as news.example,blog.example"
        )
    return hosts


def _sources(value: str) -> dict[str, SourceKind]:
    """Return the sources in order, with their kinds."""
    names = _split_paths(value)
    sources: dict[str, SourceKind] = {}
    for name in names:
        if not name:
            raise CrawlerError(f"source: got {value!r}, {_ACCEPTED_SOURCES}")
        kind = kind_of(name)
        if kind is None:
            problem = "matches no archive file" if has_magic(name) else "does not exist"
            raise CrawlerError(
                f"source: got {name!r}, which {problem}; "
                f"{_ACCEPTED_SOURCES}{did_you_mean(name, (LIVE, WAYBACK))}"
            )
        if name in sources:
            raise CrawlerError(
                f"source: got {value!r}, which names a source twice; {_ACCEPTED_SOURCES}"
            )
        sources[name] = kind
    return sources


def _check_everything(given: Mapping[str, str], sources: Mapping[str, SourceKind]) -> None:
    for name, kind in sources.items():
        if kind.on_the_web:
            raise CrawlerError(
                "seed: got 'all', which works only with saved pages and archive files, "
                f"but source is {name!r}; give URLs or ids"
            )
    for name in FOLLOWING_ARGUMENTS:
        if name in given:
            raise CrawlerError(
                f"{name}: nothing is followed if all of a source is read; leave it out"
            )


def _report(value: str) -> Path:
    check_is_html("report", value)
    return Path(value)


def _archive(value: str, sources: Mapping[str, SourceKind]) -> Path:
    expected = "takes the WARC file to write, such as output/pages.warc.gz"
    if not value.lower().endswith(WARC_SUFFIXES) or Path(value).is_dir():
        raise CrawlerError(f"archive: got {value!r}; {expected}")
    if not any(kind.on_the_web for kind in sources.values()):
        raise CrawlerError(
            f"archive: nothing is fetched from the web with source={','.join(sources)}; "
            f"{expected}, with source=live or wayback"
        )
    return Path(value)


def roles_of(given: Mapping[str, str]) -> tuple[ArticleRole, ...]:
    """Return the roles of the links to follow, in canonical order."""
    value = given.get("follow", "related")
    names = [name.strip() for name in value.split(",")]
    for name in names:
        if name != ALL_ROLES and name not in ROLES:
            raise CrawlerError(
                f"follow: got {value!r}; takes {', '.join(ROLES)}, or several of these separated "
                f"by commas, or {ALL_ROLES}{did_you_mean(name, (*ROLES, ALL_ROLES))}"
            )
    return tuple(role for role in ROLES if ALL_ROLES in names or role in names)


def _day_of(item: RelatedItem) -> date | None:
    """Return the day of a link's target: when its picture was uploaded, or that in its address."""
    if item.uploaded_at is not None:
        return date.fromisoformat(item.uploaded_at[:10])
    return day_in(item.url) if item.url else None


def _base_url(value: str) -> str:
    expected = "takes the root of a mirror, such as http://127.0.0.1:8000"
    safe_value = hide_userinfo_of(value)
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise CrawlerError(
            f"base_url: got {safe_value!r}, which is not a URL; {expected}"
        ) from None
    is_root = (
        parts.scheme in ("http", "https")
        and _HOST.fullmatch(parts.netloc)
        and not parts.query
        and not parts.fragment
    )
    if "@" in parts.netloc:
        raise CrawlerError(
            f"base_url: got {safe_value!r}, but sites are crawled without a user name and "
            f"password; {expected}"
        )
    if not is_root or not port_is_valid:
        raise CrawlerError(f"base_url: got {safe_value!r}; {expected}")
    return value.rstrip("/")


def _count(name: str, value: str, unit: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise CrawlerError(f"{name}: got {value!r}, takes a whole number of {unit}")
    return int(value)


def day_of(name: str, value: str) -> date:
    """Return the day that an argument gives. Raises CrawlerError, with its name, if it is none."""
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise CrawlerError(f"{name}: got {value!r}, takes a date as YYYY-MM-DD")


def one_of(known: tuple[str, ...], name: str, value: str) -> str:
    """Check an argument or setting that takes one of several words."""
    if value not in known:
        raise CrawlerError(
            f"{name}: got {value!r}, takes one of {', '.join(known)}{did_you_mean(value, known)}"
        )
    return value


def _render(value: str, sources: Mapping[str, SourceKind]) -> str:
    if LIVE not in sources:
        raise CrawlerError(
            "render: only pages of the live site are rendered, but source is "
            f"{','.join(sources)}; leave it out"
        )
    return one_of((*RENDERERS, WHERE_NEEDED), "render", value)


def _pattern(value: str) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except re.error as error:
        raise CrawlerError(
            f"match: got {value!r}, which is not a regular expression ({error}); "
            "takes one, such as Aleppo|Homs"
        ) from error
