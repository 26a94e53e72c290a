"""Test the arguments of a crawl: the meaning of each value, and the errors for wrong ones."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
from conftest import SITE, Crawl

from crawler.crawl.arguments import Arguments, Seed, parse, require_seed
from crawler.errors import CrawlerError
from crawler.items import RelatedItem

SEED_TAKES = (
    "takes the URL of an article, a front page, a feed or a sitemap, an article id, feeds: and the "
    "URL of a page, the path of a saved page, several of these separated by commas, @FILE with one "
    "per line, a folder or an archive file to read whole, or all"
)
SOURCE_TAKES = (
    "takes 'live', 'wayback', archive files (a file, a folder, or a pattern such as "
    "'year/*.warc.gz'), a folder or file of saved pages, or several of these separated by commas; "
    "archive files are WARC, WET or ARC files (.warc, .wet, .arc, also .gz, .zst and .open), WACZ "
    "files, and texts in JSON Lines (.jsonl, .ndjson, .json, also .gz and .zst)"
)
NAMES = (
    "seed, source, at, archive, report, site, hosts, base_url, follow, depth, limit, since, until, "
    "match, recheck, render"
)
HOSTS = "en.alalam.ir, en.alalamtv.net"
ROOT_TAKES = "takes the root of a mirror, such as http://127.0.0.1:8000"
ARCHIVE_TAKES = "takes the WARC file to write, such as output/pages.warc.gz"
FOLLOW_TAKES = "takes related, text, translation, or several of these separated by commas, or all"
HOPS, ARTICLES = "hops from the seeds", "articles to fetch, 0 for no limit"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a new folder with the files used in the tables below."""
    monkeypatch.chdir(tmp_path)
    for folder in ("pages", "a,b", "folder.warc", ".hidden"):
        Path(folder).mkdir()
    for page in ("pages/1.html", ".hidden/2.html", "a,b/3.html"):
        Path(page).write_text("<h1>A page</h1>", encoding="utf-8")
    Path("captures.warc.gz").write_bytes(b"")
    texts = {
        "plain.txt": "1\n2\n",
        "mark.txt": "\ufeff1\n2\n",
        "windows.txt": "\ufeff1\r\n\r\n  2 \r\n",
        "comments.txt": "# two of them\n1\n\n  # and\n2\n1\n",
        "mixed.txt": ".hidden/2.html\nhttp://en.alalam.ir/news/7\n",
        "nonsense.txt": "1\n\nnonsense\n",
        "elsewhere.txt": "# of another\nhttp://example.com/news/1",
        "nested.txt": "@plain.txt\n",
        "spaces.txt": " \n\n",
    }
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8", newline="")
    Path("latin.txt").write_bytes(b"1\n\xe9\n")


NO_SEED = "which is neither a URL nor an id of alalam nor a file that exists"

WRONG: dict[str, tuple[dict[str, str], str]] = {
    "unknown name": (
        {"sede": "1"},
        f"sede: no such argument (value '1'); takes {NAMES}; did you mean 'seed'?",
    ),
    "no seed": ({}, f"seed: missing; {SEED_TAKES}"),
    "seed of letters": (
        {"seed": "12x"},
        f"seed: got '12x', {NO_SEED}; {SEED_TAKES}",
    ),
    "seed of a pattern": (
        {"seed": "no/*.warc.gz"},
        "seed: got 'no/*.warc.gz', which matches no file; takes a pattern such as "
        "'captures/*.warc.gz'",
    ),
    "seed of other digits": (
        {"seed": "١٢٣"},
        f"seed: got '١٢٣', {NO_SEED}; {SEED_TAKES}",
    ),
    "seed of too many digits": (
        {"seed": "9" * 19},
        f"seed: got '{'9' * 19}', {NO_SEED}; {SEED_TAKES}",
    ),
    "seed that no file can be named": (
        {"seed": "a\0b"},
        f"seed: got 'a\\x00b', {NO_SEED}; {SEED_TAKES}",
    ),
    "seed of a URL without its scheme": (
        {"seed": "publisher.example/story"},
        f"seed: got 'publisher.example/story', {NO_SEED}; {SEED_TAKES}; did you mean "
        "'https://publisher.example/story'?",
    ),
    "second seed": (
        {"seed": "1,2x"},
        f"seed: got '1,2x', {NO_SEED}; {SEED_TAKES}",
    ),
    "seed of another publisher than site names": (
        {"seed": "http://example.com/news/1", "site": "alalam"},
        "seed: got 'http://example.com/news/1', which is not an article URL of alalam "
        f"({HOSTS}); {SEED_TAKES}",
    ),
    "seed with a password": (
        {"seed": "http://user:word@example.com/news/1"},
        "seed: got 'http://***@example.com/news/1', but sites are crawled without a user name and "
        f"password; {SEED_TAKES}",
    ),
    "seed on no web page": (
        {"seed": "ftp://example.com/news/1"},
        f"seed: got 'ftp://example.com/news/1', which is not the address of a web page; "
        f"{SEED_TAKES}",
    ),
    "id beside the URL of a publisher without a file": (
        {"seed": "http://example.com/news/1,5"},
        "seed: got '5', which is neither a URL nor an id of example.com nor a file that exists; "
        f"{SEED_TAKES}; ids need a publisher file, such as site=alalam",
    ),
    "hosts of spaces": (
        {"hosts": "news.example, https://x"},
        "hosts: got 'news.example, https://x'; takes same, any, or host names separated by commas, "
        "such as news.example,blog.example",
    ),
    "seed of commas": ({"seed": ",,"}, f"seed: got ',,'; {SEED_TAKES}"),
    "seed file that is not there": (
        {"seed": "@nowhere.txt"},
        "seed: got '@nowhere.txt', which cannot be read (No such file or directory); takes @FILE "
        "with one seed per line",
    ),
    "seed file that is no UTF-8": (
        {"seed": "@latin.txt"},
        "seed: got '@latin.txt', which cannot be read (it is not UTF-8 text); takes @FILE with one "
        "seed per line",
    ),
    "seed file of spaces": (
        {"seed": "@spaces.txt"},
        "seed: got '@spaces.txt', which is empty; takes @FILE with one seed per line",
    ),
    "line of a seed file": (
        {"seed": "@nonsense.txt"},
        "seed, line 3 of nonsense.txt: got 'nonsense', which is neither a URL nor an id of alalam "
        f"nor a file that exists; {SEED_TAKES}",
    ),
    "URL in a seed file": (
        {"seed": "5,@elsewhere.txt", "site": "alalam"},
        "seed, line 2 of elsewhere.txt: got 'http://example.com/news/1', which is not an article "
        f"URL of alalam ({HOSTS}); {SEED_TAKES}",
    ),
    "seed file in a seed file": (
        {"seed": "@nested.txt"},
        "seed, line 1 of nested.txt: got '@plain.txt', which is neither a URL nor an id of alalam "
        f"nor a file that exists; {SEED_TAKES}",
    ),
    "seed that is no URL": (
        {"seed": "http://[news.example/1"},
        f"seed: got 'http://[news.example/1', which is not a URL; {SEED_TAKES}",
    ),
    "seed file that no file can be named": (
        {"seed": "@x\0x"},
        "seed: got '@x\0x', which cannot be read (it is not UTF-8 text); takes @FILE with one "
        "seed per line",
    ),
    "source that is not there": (
        {"source": "nowhere"},
        f"source: got 'nowhere', which does not exist; {SOURCE_TAKES}",
    ),
    "source that no file can be named": (
        {"source": "x\0x"},
        f"source: got 'x\\x00x', which does not exist; {SOURCE_TAKES}",
    ),
    "second source that is not there": (
        {"source": "pages,nowhere"},
        f"source: got 'nowhere', which does not exist; {SOURCE_TAKES}",
    ),
    "empty source": ({"source": ""}, f"source: got '', {SOURCE_TAKES}"),
    "empty source in a chain": ({"source": "live,"}, f"source: got 'live,', {SOURCE_TAKES}"),
    "source nearly live": (
        {"source": "liv"},
        f"source: got 'liv', which does not exist; {SOURCE_TAKES}; did you mean 'live'?",
    ),
    "pattern of nothing": (
        {"source": "*.arc"},
        f"source: got '*.arc', which matches no archive file; {SOURCE_TAKES}",
    ),
    "one source twice": (
        {"source": "live,pages,live"},
        f"source: got 'live,pages,live', which names a source twice; {SOURCE_TAKES}",
    ),
    "unknown site": (
        {"site": "alalm"},
        "site: got 'alalm', takes one of alalam, the path of a publisher file, or a registrable "
        "domain; did you mean 'alalam'?",
    ),
    "unknown role": (
        {"follow": "text,translations"},
        f"follow: got 'text,translations'; {FOLLOW_TAKES}; did you mean 'translation'?",
    ),
    "role of no article": (
        {"follow": "menu"},
        f"follow: got 'menu'; {FOLLOW_TAKES}",
    ),
    "no role": ({"follow": ""}, f"follow: got ''; {FOLLOW_TAKES}"),
    "negative depth": (
        {"depth": "-1"},
        f"depth: got '-1', takes a whole number of {HOPS}",
    ),
    "depth of letters": ({"depth": "two"}, f"depth: got 'two', takes a whole number of {HOPS}"),
    "limit of other digits": (
        {"limit": "²"},
        f"limit: got '²', takes a whole number of {ARTICLES}",
    ),
    "limit of ten digits": (
        {"limit": "1000000000"},
        f"limit: got '1000000000', takes a whole number of {ARTICLES}",
    ),
    "empty limit": ({"limit": ""}, f"limit: got '', takes a whole number of {ARTICLES}"),
    "date in words": (
        {"since": "yesterday"},
        "since: got 'yesterday', takes a date as YYYY-MM-DD",
    ),
    "date without zeros": (
        {"since": "2015-1-2"},
        "since: got '2015-1-2', takes a date as YYYY-MM-DD",
    ),
    "date of a week": ({"since": "2015-W43"}, "since: got '2015-W43', takes a date as YYYY-MM-DD"),
    "date that is none": (
        {"until": "2015-02-30"},
        "until: got '2015-02-30', takes a date as YYYY-MM-DD",
    ),
    "until before since": (
        {"since": "2015-10-02", "until": "2015-10-01"},
        "until: got '2015-10-01', which is before since ('2015-10-02'); takes that date or a later "
        "one",
    ),
    "at without an archive": (
        {"at": "2015-10-23", "source": "live,pages"},
        "at: only archives hold pages as of a date; takes source=wayback or archive files with it",
    ),
    "at that is no date": (
        {"at": "now", "source": "wayback"},
        "at: got 'now', takes a date as YYYY-MM-DD",
    ),
    "broken expression": (
        {"match": "(a"},
        "match: got '(a', which is not a regular expression (missing ), unterminated subpattern at "
        "position 0); takes one, such as Aleppo|Homs",
    ),
    "everything of the live site": (
        {"seed": "all"},
        "seed: got 'all', which works only with saved pages and archive files, but source "
        "is 'live'; give URLs or ids",
    ),
    "everything, also of the Wayback Machine": (
        {"seed": "all", "source": "pages,wayback"},
        "seed: got 'all', which works only with saved pages and archive files, but source "
        "is 'wayback'; give URLs or ids",
    ),
    **{
        f"everything with {name}": (
            {"seed": "all", "source": "pages", name: value},
            f"{name}: nothing is followed if all of a source is read; leave it out",
        )
        for name, value in {
            "follow": "text",
            "depth": "2",
            "since": "2015-10-01",
            "until": "2015-10-01",
            "match": "a",
        }.items()
    },
    "archive of another format": (
        {"archive": "pages.zip"},
        f"archive: got 'pages.zip'; {ARCHIVE_TAKES}",
    ),
    "archive that is a folder": (
        {"archive": "folder.warc"},
        f"archive: got 'folder.warc'; {ARCHIVE_TAKES}",
    ),
    "report that is a folder": (
        {"report": "reports/"},
        "report: got 'reports/'; takes the path of an HTML file to write, such as report.html",
    ),
    "report without a name": (
        {"report": " "},
        "report: got ' '; takes the path of an HTML file to write, such as report.html",
    ),
    "archive of saved pages": (
        {"archive": "new.warc", "source": "pages"},
        f"archive: nothing is fetched from the web with source=pages; {ARCHIVE_TAKES}, with "
        "source=live or wayback",
    ),
    "browser for saved pages": (
        {"render": "splash", "source": "pages"},
        "render: only pages of the live site are rendered, but source is pages; leave it out",
    ),
    "browser for an archive": (
        {"render": "splash", "source": "pages,wayback"},
        "render: only pages of the live site are rendered, but source is pages,wayback; leave "
        "it out",
    ),
    "unknown browser": (
        {"render": "spalsh"},
        "render: got 'spalsh', takes one of splash, playwright, auto; did you mean 'splash'?",
    ),
    "unknown recheck": (
        {"recheck": "dues"},
        "recheck: got 'dues', takes one of due, all, none; did you mean 'due'?",
    ),
}
WRONG |= {
    f"base_url {value}": (
        {"base_url": value},
        f"base_url: got '{shown or value}'{why}; {ROOT_TAKES}",
    )
    for value, why, shown in [
        ("localhost:80", "", ""),
        ("ftp://h", "", ""),
        ("http://", "", ""),
        ("http://exa mple", "", ""),
        ("http://h?x", "", ""),
        ("http://h#x", "", ""),
        ("http://h:0", "", ""),
        ("http://h:port", ", which is not a URL", ""),
        ("http://h:65536", ", which is not a URL", ""),
        ("http://[::1", ", which is not a URL", ""),
        (
            "http://user:pw@127.0.0.1:80",
            ", but sites are crawled without a user name and password",
            "http://***@127.0.0.1:80",
        ),
    ]
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_argument(case: str) -> None:
    given, message = WRONG[case]
    seed = {} if case == "no seed" else {"seed": "1"}
    with pytest.raises(CrawlerError) as caught:
        require_seed(parse({**seed, **given}))
    assert (str(caught.value), caught.value.exit_code) == (message, 2)


DEFAULTS: dict[str, object] = {
    "seeds": (),
    "everything": False,
    "sources": ("live", "wayback"),
    "hosts": "same",
    "at": None,
    "archive": None,
    "report": None,
    "base_url": None,
    "roles": ("related",),
    "depth": 2,
    "limit": 0,
    "since": None,
    "until": None,
    "match": None,
    "recheck": "due",
    "render": None,
}
COMMAS, OTHER = "https://news.example/0,1518,123456,00.html", "http://other.example/a/?utm_source=x"
ARTICLES_OF_OTHERS = (
    Seed("news.example/0,1518,123456,00.html", url=COMMAS),
    Seed("other.example/a", url=OTHER, may_be_list=True),
)
OF_A_FILE = Seed("7", url="http://en.alalam.ir/news/7")
TWO = {"seeds": (Seed("1"), Seed("2"))}
# The given arguments, and those that then differ from the defaults.
RIGHT: list[tuple[dict[str, str], dict[str, object]]] = [
    ({}, {}),
    ({"_job": "26f1"}, {}),
    ({"seed": "1"}, {"seeds": (Seed("1"),)}),
    ({"seed": "9" * 18}, {"seeds": (Seed("9" * 18),)}),
    ({"seed": " 1 ,, 2,1"}, TWO),
    ({"seed": "2,1"}, {"seeds": (Seed("2"), Seed("1"))}),
    (
        {"seed": "http://www.en.alalam.ir/news/01752038?x=1"},
        {"seeds": (Seed("1752038", url="http://www.en.alalam.ir/news/01752038?x=1"),)},
    ),
    (
        {"seed": "http://en.alalam.ir/news/1", "base_url": "http://127.0.0.1:8000"},
        {
            "seeds": (Seed("1", url="http://en.alalam.ir/news/1"),),
            "base_url": "http://127.0.0.1:8000",
            "sources": ("live",),
        },
    ),
    ({"seed": f"{COMMAS},{OTHER}"}, {"seeds": ARTICLES_OF_OTHERS, "sources": ("live",)}),
    (
        {"seed": "http://en.alalam.ir/section/3"},
        {
            "seeds": (
                Seed(
                    "en.alalam.ir/section/3", url="http://en.alalam.ir/section/3", may_be_list=True
                ),
            )
        },
    ),
    (
        {"seed": "feeds:https://news.example,https://news.example/feed"},
        {
            "seeds": (
                Seed("news.example", None, "https://news.example", True, True),
                Seed("news.example/feed", None, "https://news.example/feed", True),
            ),
            "sources": ("live",),
        },
    ),
    ({"hosts": "any"}, {"hosts": "any"}),
    ({"hosts": "News.example, m.b.example"}, {"hosts": ("news.example", "m.b.example")}),
    ({"hosts": "München.example"}, {"hosts": ("xn--mnchen-3ya.example",)}),
    ({"seed": "pages/1.html"}, {"seeds": (Seed("", Path("pages/1.html")),)}),
    ({"seed": "@plain.txt"}, TWO),
    ({"seed": "@mark.txt"}, TWO),
    ({"seed": "@windows.txt"}, TWO),
    ({"seed": "@comments.txt"}, TWO),
    ({"seed": "1,@mixed.txt"}, {"seeds": (Seed("1"), Seed("", Path(".hidden/2.html")), OF_A_FILE)}),
    ({"seed": " all ", "source": "pages"}, {"everything": True, "sources": ("pages",), "depth": 0}),
    (
        {"seed": "all", "source": "pages", "limit": "3"},
        {"everything": True, "sources": ("pages",), "depth": 0, "limit": 3},
    ),
    ({"source": "wayback"}, {"sources": ("wayback",)}),
    ({"source": "pages, live"}, {"sources": ("pages", "live")}),
    ({"source": "a,b"}, {"sources": ("a,b",)}),
    ({"source": ".hidden"}, {"sources": (".hidden",)}),
    ({"source": "*.warc.gz"}, {"sources": ("*.warc.gz",)}),
    (
        {"source": "live,wayback", "at": "2015-10-23"},
        {"sources": ("live", "wayback"), "at": date(2015, 10, 23)},
    ),
    (
        {"source": "captures.warc.gz", "at": "2015-10-23"},
        {"sources": ("captures.warc.gz",), "at": date(2015, 10, 23)},
    ),
    ({"archive": "new.WARC.gz"}, {"archive": Path("new.WARC.gz")}),
    ({"report": "new.html"}, {"report": Path("new.html")}),
    (
        {"archive": "new.warc", "source": "pages,wayback"},
        {"archive": Path("new.warc"), "sources": ("pages", "wayback")},
    ),
    ({"base_url": "https://h:65535//"}, {"base_url": "https://h:65535", "sources": ("live",)}),
    ({"base_url": "http://[::1]:80/x/"}, {"base_url": "http://[::1]:80/x", "sources": ("live",)}),
    ({"depth": "0", "limit": "999999999"}, {"depth": 0, "limit": 999999999}),
    (
        {"since": "2015-10-01", "until": "2015-10-01"},
        {"since": date(2015, 10, 1), "until": date(2015, 10, 1)},
    ),
    ({"follow": "all"}, {"roles": ("related", "text", "translation")}),
    ({"follow": " translation, text,text"}, {"roles": ("text", "translation")}),
    ({"follow": "text,all"}, {"roles": ("related", "text", "translation")}),
    ({"recheck": "none"}, {"recheck": "none"}),
    ({"render": "auto", "source": "pages,live"}, {"render": "auto", "sources": ("pages", "live")}),
]


@pytest.mark.parametrize(("given", "differ"), RIGHT, ids=str)
def test_valid_arguments(given: Mapping[str, str], differ: dict[str, object]) -> None:
    parsed = parse(given)
    values = {field.name: getattr(parsed, field.name) for field in fields(Arguments)}
    home = values.pop("publishers").home
    assert values == {**DEFAULTS, **differ}
    assert home.mirror == values["base_url"]


SITES = {
    "": "alalam",
    "1": "alalam",
    "http://en.alalam.ir/news/1": "alalam",
    "https://www.news.example/a": "news.example",
    "https://a.blogspot.com/a,http://en.alalam.ir/news/1": "a.blogspot.com",
    "http://127.0.0.1:8000/a": "127.0.0.1:8000",
}


@pytest.mark.parametrize("seed", SITES)
def test_the_first_seed_that_is_a_url_chooses_the_publisher(seed: str) -> None:
    assert parse({"seed": seed} if seed else {}).publisher.name == SITES[seed]


def related_item(
    headline: str | None, uploaded_at: str | None, raw: str | None = None, url: str | None = None
) -> RelatedItem:
    nothing = dict.fromkeys(field.name for field in fields(RelatedItem))
    values = {"position": 1, "headline": headline, "headline_raw": raw, "uploaded_at": uploaded_at}
    return RelatedItem(**{**nothing, **values, "url": url})


FIRST, LAST = "2015-10-20T00:00:00+03:30", "2015-10-22T23:59:59.999999+03:30"
SPAN = {"since": "2015-10-20", "until": "2015-10-22"}
FOLLOWED: list[tuple[dict[str, str], RelatedItem, bool]] = [
    ({}, related_item(None, None), True),
    (SPAN, related_item("a", FIRST), True),
    (SPAN, related_item("a", LAST), True),
    (SPAN, related_item("a", "2015-10-19T23:59:59+03:30"), False),
    (SPAN, related_item("a", "2015-10-23T00:00:00+03:30"), False),
    (SPAN, related_item("a", None), False),
    ({"since": "2015-10-20"}, related_item("a", "9999-01-01T00:00:00Z"), True),
    ({"since": "2015-10-20"}, related_item("a", None), False),
    ({"until": "2015-10-22"}, related_item("a", "0001-01-01T00:00:00Z"), True),
    ({"until": "2015-10-22"}, related_item("a", None), False),
    (SPAN, related_item("a", None, url="http://h.example/2015/10/22/a-story"), True),
    (SPAN, related_item("a", None, url="http://h.example/2015/10/23/a-story"), False),
    (SPAN, related_item("a", None, url="http://h.example/2015/02/30/a-story"), False),
    (SPAN, related_item("a", "2015-10-23T00:00:00Z", url="http://h.example/2015/10/22/a"), False),
    ({"match": "Homs"}, related_item("Near Homs", None), True),
    ({"match": "Homs"}, related_item(None, None, "near Homs"), True),
    ({"match": "Homs"}, related_item("near homs", None), False),
    ({"match": "Video"}, related_item("Homs", None, "Homs + Video"), True),
    ({"match": "Homs"}, related_item(None, None), False),
    ({"match": ".*"}, related_item("", None), False),
    ({**SPAN, "match": "Homs"}, related_item("Homs", "2015-10-23T00:00:00Z"), False),
    ({**SPAN, "match": "Homs"}, related_item("Aleppo", FIRST), False),
    ({**SPAN, "match": "Homs"}, related_item("Homs", FIRST), True),
]


@pytest.mark.parametrize(("given", "item", "followed"), FOLLOWED)
def test_which_items_of_a_list_are_followed(
    given: dict[str, str], item: RelatedItem, followed: bool
) -> None:
    assert parse(given).follows(item) == followed


# On the command line: a wrong argument, spider or source, and the start of the error.
REFUSED: dict[str, tuple[list[str], str]] = {
    "argument": (["articles", "-a", "seed=1", "-a", "depth=two"], "depth: got 'two', takes"),
    "no seed": (["articles"], "seed: missing; takes"),
    "recheck": (
        ["articles", "-a", "seed=1", "-a", "recheck=all"],
        "recheck: only a crawl with a ledger requests articles again; add --job FOLDER",
    ),
    "spider": (
        ["article"],
        "spider: got 'article', takes one of articles; did you mean 'articles'?",
    ),
    "source": (
        ["articles", "-a", "seed=1", "-a", "source=folder.warc/../.hidden/empty"],
        "source: got 'folder.warc/../.hidden/empty', which holds no saved page (",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_command_line_gives_one_line(scrapy: Crawl, tmp_path: Path, case: str) -> None:
    (tmp_path / ".hidden" / "empty").mkdir()
    words, message = REFUSED[case]
    run = scrapy("crawl", *words)
    assert (run.exit_code, run.stdout) == (2, "")
    [line] = run.stderr.splitlines()
    assert line.startswith(f"scrapy crawl: {message}")
    assert not list(run.folder.rglob("*.jsonl*"))


@pytest.mark.slow
def test_arguments_of_a_service_are_accepted(crawl: Crawl) -> None:
    assert crawl(seed=1752038, source=SITE, depth=0, _job="26f1").exit_code == 0
