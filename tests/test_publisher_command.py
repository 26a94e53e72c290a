"""``scrapy publisher``: drafts of publisher files, and checks of them against their pages."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import IMPATIENT, SITE, Crawl, Run
from hosted import Answer, HostedWeb, Site, hosted
from made_addresses import Hosts
from made_publisher import MadePublisher
from server import NewsServer

from crawler.extraction.publisher_files import load_file
from crawler.extraction.publishers import Publisher
from crawler.publisher_drafts.display import PageView
from crawler.publisher_drafts.drafting import draft, name_of
from crawler.publisher_drafts.pages import Page
from crawler.publisher_drafts.source_text import source_of
from crawler.publisher_drafts.writing import write_draft

ROOT_URL = "https://www.courier.example"
HTML = {"Content-Type": "text/html; charset=utf-8"}
COURIER = MadePublisher(
    "The Courier",
    Hosts("www.courier.example", "courier.example"),
    30,
    ("/{section}/{slug}-{number}",),
)
HERALD = MadePublisher(
    "The Herald", Hosts("www.herald.example", "herald.example"), 20, ("/{day:%Y/%m/%d}/{slug}",)
)
COURIER.add_links([HERALD])
HERALD.add_links([COURIER])
# The dates of the fifth article have no zone.
COURIER_PAGES = {
    article.path: COURIER.answer("www.courier.example", "https", article.path).body
    for article in COURIER.articles
}
FIRST, SECOND, UNZONED = (COURIER.articles[place] for place in (0, 1, 4))
PATTERN = "-([0-9]{5,})/?$"

Draft = Callable[..., Run]


@pytest.fixture
def sites() -> dict[str, Site]:
    """The hosts that are served; tests may replace them."""
    return {**COURIER.sites, **HERALD.sites}


@pytest.fixture
def web(sites: dict[str, Site], tmp_path: Path) -> Iterator[HostedWeb]:
    with hosted(sites, tmp_path / "certificates") as running:
        yield running


@pytest.fixture
def publisher(scrapy: Crawl, web: HostedWeb) -> Draft:
    """Run ``scrapy publisher`` with the hosts that are served."""

    def run(*words: object) -> Run:
        settings = {**IMPATIENT, "RETRY_TIMES": 0, "TLS_CA_FILE": web.ca_file}
        options = (f"-s{name}={value}" for name, value in settings.items())
        result = scrapy("publisher", *words, *options, **web.environment)
        assert "Traceback" not in result.stderr + result.stdout
        return result

    return run


def expected_in(folder: Path, name: str = "courier") -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((folder / name / "expected.json").read_text())
    return entries


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_draft(publisher: Draft, tmp_path: Path) -> None:
    run = publisher(FIRST.address, SECOND.address)
    assert (run.exit_code, run.stderr) == (0, "")
    for article in (FIRST, SECOND):
        assert f"id         {article.number}\n" in run.stdout
        assert f"headline   {article.headline}\n" in run.stdout
        assert f"published  {article.published}, zone as stated\n" in run.stdout
    assert f'    article_pattern = re.compile(r"{PATTERN}")\n' in run.stdout
    assert "related    7 items: links under 'Related articles'" in run.stdout
    file = tmp_path / "publishers" / "courier.py"
    loaded = load_file(file)
    assert loaded.name == "courier"
    assert loaded.hosts == {"courier.example"}
    assert loaded.base_url == ROOT_URL
    assert loaded.article_pattern is not None and loaded.article_pattern.pattern == PATTERN
    assert loaded.id_of(FIRST.address) == str(FIRST.number)
    assert loaded.is_article(COURIER.articles[9].address)


@pytest.mark.slow
def test_each_field_has_a_line_and_a_comment(publisher: Draft, tmp_path: Path) -> None:
    publisher(FIRST.address, SECOND.address)
    lines = (tmp_path / "publishers" / "courier.py").read_text().splitlines()
    assert max(map(len, lines)) <= 100
    start = lines.index("PUBLISHER = Publisher(") + 1
    comments, fields = lines[start:-1:2], lines[start + 1 : -1 : 2]
    assert all(re.match(r"    # [A-Z].*[.…]$|    # .*[^.]$", comment) for comment in comments)
    names = [re.match(r"    (?:# )?(\w+)=.+,$", field) for field in fields]
    assert sorted(name[1] for name in names if name) == sorted(
        name for name in Publisher.__slots__ if name not in ("mirror", "id_prefix")
    )


@pytest.mark.slow
def test_the_examples_in_a_draft_are_valid(publisher: Draft, tmp_path: Path) -> None:
    publisher(FIRST.address, SECOND.address)
    file = tmp_path / "publishers" / "courier.py"
    text = re.sub(r"^    # (\w+=)", r"    \1", file.read_text(), flags=re.MULTILINE)
    file.write_text(f"def read_upload_time(path): ...\n{text}")
    assert load_file(file).time_zone == "Europe/Berlin"


@pytest.mark.slow
def test_the_pages_and_their_records(publisher: Draft, tmp_path: Path, web: HostedWeb) -> None:
    publisher(FIRST.address, SECOND.address)
    first, second = expected_in(tmp_path / "publishers")
    page = web.sites["www.courier.example"]("https", FIRST.path)
    assert (tmp_path / "publishers" / "courier" / "1.html").read_bytes() == page.body
    assert (first["file"], first["url"], first["charset"]) == ("1.html", FIRST.address, "utf-8")
    assert second["url"] == SECOND.address
    record = first["record"]
    assert record["headline"] == FIRST.headline
    assert record["id"] == str(FIRST.number)
    assert record["body"].split("\n\n") == list(FIRST.text.paragraphs)
    assert not {"provenance", "schema", "body_sha256", "missing"} & set(record)


@pytest.mark.slow
def test_only_the_articles_are_requested(publisher: Draft, web: HostedWeb, tmp_path: Path) -> None:
    publisher(FIRST.address, SECOND.address)
    assert web.requests == {
        f"{ROOT_URL}/robots.txt": 1,
        FIRST.address: 1,
        SECOND.address: 1,
    }
    assert {path.name for path in tmp_path.iterdir()} == {"certificates", "publishers"}


@pytest.mark.slow
def test_a_missing_zone(publisher: Draft, tmp_path: Path) -> None:
    run = publisher(FIRST.address, UNZONED.address)
    assert f"{UNZONED.published}, no zone stated" in run.stdout
    assert "time_zone: 1 of 2 pages has a time without a zone" in run.stdout
    text = (tmp_path / "publishers" / "courier.py").read_text()
    assert '    # time_zone="Europe/Berlin",\n' in text
    assert "    # 1 of 2 pages has a time without a zone. This zone is then assumed.\n" in text


@pytest.mark.slow
def test_addresses_without_an_id(publisher: Draft, tmp_path: Path) -> None:
    first, second = HERALD.articles[:2]
    run = publisher(first.address, second.address)
    assert run.exit_code == 0
    assert "addresses  /{date}/{slug}\n           no id in common" in run.stdout
    assert f"id         {first.id}\n" in run.stdout
    assert load_file(tmp_path / "publishers" / "herald.py").article_pattern is None


@pytest.mark.slow
def test_a_single_article(publisher: Draft, tmp_path: Path) -> None:
    run = publisher(FIRST.address)
    assert run.exit_code == 0
    message = f"article_pattern: found {PATTERN}, but it was made from a single address; check it"
    assert message in run.stdout
    text = (tmp_path / "publishers" / "courier.py").read_text()
    assert f'    # article_pattern=re.compile(r"{PATTERN}"),\n' in text


@pytest.mark.slow
def test_an_article_at_another_address(publisher: Draft, tmp_path: Path) -> None:
    # The first address redirects to the second; both are the same article.
    run = publisher(FIRST.address.replace("www.", ""), FIRST.address, SECOND.address)
    assert run.exit_code == 3
    assert "    the same article as https://courier.example/" in run.stdout
    assert [entry["url"] for entry in expected_in(tmp_path / "publishers")] == [
        FIRST.address,
        SECOND.address,
    ]


@pytest.mark.slow
def test_urls_that_give_no_article(publisher: Draft, tmp_path: Path, web: HostedWeb) -> None:
    section, missing = f"{ROOT_URL}/politics/", f"{ROOT_URL}/a-story-of-long-ago-1234567"
    run = publisher(FIRST.address, section, missing, SECOND.address)
    assert run.exit_code == 3
    assert f"{section}\n    not_an_article: " in run.stdout
    assert f"{missing}\n    gone: 404 Not Found\n" in run.stdout
    assert len(expected_in(tmp_path / "publishers")) == 2


@pytest.mark.slow
def test_no_article_at_all(publisher: Draft, tmp_path: Path) -> None:
    run = publisher(f"{ROOT_URL}/politics/", f"{ROOT_URL}/nothing-at-all")
    assert run.exit_code == 4
    assert run.stdout.endswith("nothing was written: none of the URLs gave an article\n")
    assert not (tmp_path / "publishers").exists()


@pytest.mark.slow
def test_robots_are_obeyed(publisher: Draft, web: HostedWeb, sites: dict[str, Site]) -> None:
    site = sites["www.courier.example"]
    rules = Answer(200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /world/\n")
    web.sites["www.courier.example"] = lambda scheme, path: (  # type: ignore[index]
        rules if path == "/robots.txt" else site(scheme, path)
    )
    run = publisher(FIRST.address, SECOND.address)
    assert run.exit_code == 3
    assert f"{SECOND.address}\n    robots: " in run.stdout
    assert web.requests[SECOND.address] == 0


@pytest.mark.slow
def test_an_existing_file_is_kept(publisher: Draft, tmp_path: Path, web: HostedWeb) -> None:
    file = tmp_path / "publishers" / "courier.py"
    file.parent.mkdir()
    file.write_text("# mine\n")
    run = publisher(FIRST.address, SECOND.address)
    message = (
        "output: publishers/courier.py exists; --force replaces it, and -o FILE writes another"
    )
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr == f"scrapy publisher: {message} file\n"
    assert file.read_text() == "# mine\n"
    assert not web.requests
    assert publisher(FIRST.address, SECOND.address, "--force").exit_code == 0
    assert load_file(file).name == "courier"


@pytest.mark.slow
def test_a_second_draft_replaces_the_pages(publisher: Draft, tmp_path: Path) -> None:
    publisher(FIRST.address, SECOND.address)
    folder = tmp_path / "publishers" / "courier"
    (folder / "notes.txt").write_text("mine")
    (tmp_path / "publishers" / "courier.py").unlink()
    assert "expected.json exists" in publisher(FIRST.address).stderr
    publisher(FIRST.address, "--force")
    assert {path.name for path in folder.iterdir()} == {"1.html", "expected.json", "notes.txt"}


@pytest.mark.slow
def test_a_faulty_file_does_not_prevent_a_new_draft(publisher: Draft, tmp_path: Path) -> None:
    file = tmp_path / "publishers" / "courier.py"
    file.parent.mkdir()
    file.write_text("no Python")
    words = ("-sPUBLISHERS=publishers", "--force")
    assert publisher(FIRST.address, SECOND.address, *words).exit_code == 0
    assert load_file(file).name == "courier"


@pytest.mark.slow
def test_other_places_of_the_file(publisher: Draft, tmp_path: Path) -> None:
    run = publisher(FIRST.address, SECOND.address, "-o", "a/b/the-courier.py")
    assert (
        "written: a/b/the-courier.py, and the pages and their records in a/b/the-courier\n"
        in run.stdout
    )
    assert expected_in(tmp_path / "a" / "b", "the-courier")[0]["record"]["site"] == "the-courier"
    publisher(FIRST.address, SECOND.address, "-sPUBLISHERS=mine")
    assert (tmp_path / "mine" / "courier.py").exists()


@pytest.mark.slow
def test_a_file_that_cannot_be_written(publisher: Draft, tmp_path: Path) -> None:
    (tmp_path / "publishers").touch()
    run = publisher(FIRST.address, SECOND.address)
    assert run.exit_code == 1
    message = "scrapy publisher: output: publishers cannot be written (File exists); give another"
    assert run.stderr.startswith(message)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "URL: missing; takes the URLs of two or three articles of one publisher"),
        (("1752038",), "URL: got '1752038'; takes the URLs of two or three articles of one"),
        (("ftp://courier.example/a",), "URL: got 'ftp://courier.example/a'; takes the URLs"),
        (("https://me:secret@courier.example/a",), "URL: got 'https://***@courier.example/a'"),
        (
            ("https://courier.example/a", "https://herald.example/a"),
            "URL: got URLs of courier.example and of herald.example; takes the URLs",
        ),
        (
            ("http://en.alalam.ir/photo/17",),
            "URL: got 'http://en.alalam.ir/photo/17', which is not an article of alalam; takes",
        ),
        ((FIRST.address, "-aseed=17"), "seed: got '17', but the command takes source, at, archive"),
        ((FIRST.address, "-asource=no"), "source: got 'no', which does not exist; takes "),
        ((FIRST.address, "-sRETRY_TIMES=many"), "RETRY_TIMES: got 'many', takes a whole number"),
        (
            (FIRST.address, "-o", "courier"),
            "output: got 'courier', takes the name of a Python file",
        ),
        (
            (FIRST.address, "-o", "the courier.py"),
            "output: got 'the courier.py', but the name of the file is the publisher's; takes up",
        ),
    ],
)
def test_wrong_arguments(scrapy: Crawl, words: tuple[str, ...], message: str) -> None:
    run = scrapy("publisher", *words)
    assert run.exit_code == 2
    assert f"scrapy publisher: {message}" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--no-such-option",), "no such option: --no-such-option"),
        ((FIRST.address, "-asource"), "Invalid -a value, use -a NAME=VALUE"),
        ((FIRST.address, "--update"), "--update takes --check FILE beside it"),
        ((FIRST.address, "--check", "a.py"), "takes URLs or --check FILE, not both"),
    ],
)
def test_wrong_options(scrapy: Crawl, words: tuple[str, ...], message: str) -> None:
    run = scrapy("publisher", *words)
    assert run.exit_code == 2
    assert message in run.stderr


@pytest.mark.slow
def test_from_saved_pages_and_from_an_archive(
    scrapy: Crawl, tmp_path: Path, web: HostedWeb
) -> None:
    """The same pages give the same file and the same records, wherever they come from."""
    words = (
        "publisher",
        FIRST.address,
        SECOND.address,
        *(f"-s{k}={v}" for k, v in IMPATIENT.items()),
    )
    tls = f"-sTLS_CA_FILE={web.ca_file}"
    scrapy(*words, tls, "-aarchive=pages.warc.gz", **web.environment)
    live, expected = snapshot(tmp_path / "publishers")
    saved = tmp_path / "saved"
    saved.mkdir()
    for name in ("1.html", "2.html"):
        (tmp_path / "publishers" / "courier" / name).rename(saved / name)
    for source in ("saved", "pages.warc.gz"):
        run = scrapy(*words, f"-asource={source}", "--force")
        assert run.exit_code == 0, run.stderr
        again, records = snapshot(tmp_path / "publishers")
        assert (again, [one["record"] for one in records]) == (
            live,
            [one["record"] for one in expected],
        )


def snapshot(folder: Path) -> tuple[str, list[dict[str, Any]]]:
    return (folder / "courier.py").read_text(), expected_in(folder)


@pytest.mark.slow
def test_a_local_server(scrapy: Crawl, server: NewsServer, tmp_path: Path) -> None:
    server.pages = {**COURIER_PAGES}
    urls = [f"{server.url}{article.path}" for article in (FIRST, SECOND)]
    run = scrapy("publisher", *urls, *(f"-s{name}={value}" for name, value in IMPATIENT.items()))
    assert run.exit_code == 0, run.stdout
    assert load_file(tmp_path / "publishers" / "127-0-0-1.py").hosts == {"127.0.0.1"}


@pytest.mark.slow
def test_a_redirect_to_another_publisher(
    publisher: Draft, sites: dict[str, Site], web: HostedWeb, tmp_path: Path
) -> None:
    site, target = sites["www.courier.example"], HERALD.articles[0].address
    moved = Answer(301, {**HTML, "Location": target}, b"")
    web.sites["www.courier.example"] = lambda scheme, path: (  # type: ignore[index]
        moved if path == SECOND.path else site(scheme, path)
    )
    run = publisher(FIRST.address, SECOND.address)
    assert run.exit_code == 3
    assert f"    it led to {target}, which is not of courier.example\n" in run.stdout
    assert len(expected_in(tmp_path / "publishers")) == 1


@pytest.mark.slow
def test_pages_that_are_not_saved(scrapy: Crawl, tmp_path: Path) -> None:
    run = scrapy("publisher", FIRST.address, f"-asource={SITE}")
    assert run.exit_code == 4
    assert f"{FIRST.address}\n    not fetched: not_saved\n" in run.stdout


@pytest.mark.slow
def test_a_url_with_commas(publisher: Draft, sites: dict[str, Site], web: HostedWeb) -> None:
    address = f"{ROOT_URL}/0,1518,123456,00.html"
    site = sites["www.courier.example"]
    page = site("https", FIRST.path)
    page = page._replace(body=page.body.replace(FIRST.address.encode(), address.encode()))
    web.sites["www.courier.example"] = lambda scheme, path: (  # type: ignore[index]
        page if path.startswith("/0,1518") else site(scheme, path)
    )
    run = publisher(address)
    assert run.exit_code == 0
    assert web.requests[address] == 1


@pytest.fixture
def drafted(publisher: Draft, tmp_path: Path) -> Path:
    """Draft a publisher file for two articles, and return it."""
    assert publisher(FIRST.address, SECOND.address).exit_code == 0
    return tmp_path / "publishers" / "courier.py"


def check(scrapy: Crawl, *words: str) -> Run:
    """Check the draft in a process that has no proxy, so that requests would fail."""
    run = scrapy("publisher", "--check", "publishers/courier.py", *words)
    assert "Traceback" not in run.stderr + run.stdout
    return run


def test_check(scrapy: Crawl, drafted: Path, web: HostedWeb) -> None:
    web.requests.clear()
    run = check(scrapy)
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.stdout == "publishers/courier.py: 2 pages, all as expected\n"
    assert not web.requests


def test_a_crawl_with_the_draft(
    scrapy: Crawl, drafted: Path, web: HostedWeb, tmp_path: Path
) -> None:
    """The crawl stores the records that the draft expects."""
    run = scrapy(
        *("crawl", "articles", f"-aseed={FIRST.address}", "-adepth=0", "-sPUBLISHERS=publishers"),
        *("-Oout.jsonl", f"-sTLS_CA_FILE={web.ca_file}", "-sFEEDS={}"),
        *(f"-s{name}={value}" for name, value in IMPATIENT.items()),
        **web.environment,
    )
    assert run.exit_code == 0
    records = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    (article,) = (record for record in records if record["kind"] == "article")
    expected = expected_in(tmp_path / "publishers")[0]["record"]
    assert {name: article[name] for name in expected} == expected


@pytest.mark.slow
def test_a_change_of_the_file_changes_records(scrapy: Crawl, drafted: Path) -> None:
    edit(
        drafted,
        '    # headline_mark=re.compile(r"^(?P<video>VIDEO): "),',
        "    headline_mark=MARK,",
    )
    edit(
        drafted, "PUBLISHER = ", f'MARK = re.compile("^{FIRST.headline.split()[0]} ")\nPUBLISHER = '
    )
    run = check(scrapy)
    assert run.exit_code == 1
    shortened = FIRST.headline.partition(" ")[2]
    lines = f"  headline:\n    - {FIRST.headline}\n    + {shortened}\n"
    assert run.stdout.startswith(f"1.html: differs from the expected record\n{lines}")
    assert "publishers/courier.py: 2 of 2 pages differ (- expected, + now)\n" in run.stdout
    assert run.stdout.endswith("if that is right, --update records the new values\n")
    assert check(scrapy).exit_code == 1
    run = check(scrapy, "--update")
    assert run.exit_code == 0
    assert run.stdout.endswith("updated: publishers/courier/expected.json\n")
    assert check(scrapy).exit_code == 0


@pytest.mark.slow
def test_differences_of_lists_and_missing_fields(scrapy: Crawl, drafted: Path) -> None:
    path = drafted.parent / "courier" / "expected.json"
    entries = json.loads(path.read_text())
    record = entries[0]["record"]
    removed = record["related"].pop(0)
    record["language"] = None
    record["credit"] = "A made-up agency"
    path.write_text(json.dumps(entries))
    run = check(scrapy)
    assert run.exit_code == 1
    assert "  language:\n    + en\n" in run.stdout
    assert "  credit:\n    - A made-up agency\n" in run.stdout
    assert f"    + {removed['id']} {removed['headline_raw']} {removed['url']}\n" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"courier.example"', '"herald.example"', None),
        ("-([0-9]{5,})/?$", "-([0-9]{9,})/?$", "article_pattern: it does not match"),
        ("-([0-9]{5,})/?$", "-(1204)[0-9]+/?$", "article_pattern: 2 pages have the id 1204"),
        (
            '# not_article_pattern=re.compile(r"/(?:tag|video)/")',
            "not_article_pattern=re.compile('world')",
            "not_article_pattern: it matches",
        ),
        ('# article_path="/news/{id}"', 'article_path="/news/{id}"', "article_path: it gives"),
    ],
)
def test_problems_of_a_file(
    scrapy: Crawl, drafted: Path, old: str, new: str, problem: str | None
) -> None:
    edit(drafted, old, new)
    if problem is None:
        edit(drafted, ROOT_URL, "https://www.herald.example")
        problem = f"hosts: {FIRST.address} is on none of them (herald.example)"
    run = check(scrapy)
    assert run.exit_code == 1
    assert problem in run.stdout
    assert check(scrapy, "--update").exit_code == 1


@pytest.mark.slow
def test_a_page_that_is_no_longer_an_article(scrapy: Crawl, drafted: Path) -> None:
    (drafted.parent / "courier" / "2.html").write_text("<html><title>404 Not Found</title></html>")
    run = check(scrapy, "--update")
    assert run.exit_code == 1
    assert "2.html: refused as not_an_article: " in run.stdout
    assert len(expected_in(drafted.parent)) == 2


@pytest.mark.slow
def test_a_faulty_file(scrapy: Crawl, drafted: Path) -> None:
    edit(drafted, "    # leaks=False,", "    leaks=0,")
    run = check(scrapy)
    assert (run.exit_code, run.stdout) == (2, "")
    line = drafted.read_text().splitlines().index("    leaks=0,") + 1
    message = (
        f"publisher file publishers/courier.py, line {line}: leaks: got 0, takes True or False"
    )
    assert run.stderr.startswith(f"scrapy publisher: {message}")


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["", "[{}]", '{"file": 1}', None])
def test_damaged_records(scrapy: Crawl, drafted: Path, damage: str | None) -> None:
    path = drafted.parent / "courier" / "expected.json"
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    run = check(scrapy)
    assert run.exit_code == 2
    state = "cannot be read (No such file" if damage is None else "is damaged ("
    assert run.stderr.startswith(
        f"scrapy publisher: check: publishers/courier/expected.json {state}"
    )


@pytest.mark.slow
def test_a_missing_page(scrapy: Crawl, drafted: Path) -> None:
    (drafted.parent / "courier" / "2.html").unlink()
    run = check(scrapy)
    assert run.exit_code == 2
    assert "publishers/courier/2.html cannot be read (No such file or directory)" in run.stderr


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.dw.example/de/a-1", "dw"),
        ("https://news.bbc.co.uk/1", "bbc"),
        ("https://the-city.blogspot.com/1", "the-city"),
        ("http://127.0.0.1:8000/1", "127-0-0-1"),
        ("http://[::1]:8000/1", "1"),
        ("https://bücher.example/1", "xn--bcher-kva"),
        ("http://localhost/1", "localhost"),
    ],
)
def test_names(url: str, name: str) -> None:
    assert name_of(url) == name


def page(path: str, body: str, head: str = "") -> Page:
    text = "<p>A long enough text about a storm on the coast, which goes on.</p>" * 12
    html = f"<html><head>{head}</head><h1>A storm</h1><p>1 May 2026</p>{text}{body}</html>"
    return Page(f"https://courier.example{path}", html.encode(), "utf-8")


def test_a_pattern_that_most_links_do_not_match() -> None:
    links = "".join(
        f'<a href="/2026/05/0{day}/a-long-story-of-that-day">x</a>' for day in range(1, 9)
    )
    found = draft([page("/a-storm-12345", links), page("/a-match-54321", links)], "courier")
    assert found.addresses.doubt == (
        "it matches only 0 of the 8 links on these pages that look like articles', and not "
        "https://courier.example/2026/05/01/a-long-story-of-that-day"
    )
    assert '    # article_pattern=re.compile(r"-([0-9]{5,})/?$"),\n' in source_of(found)


def test_an_address_unlike_the_others() -> None:
    paths = ("/a-storm-12345", "/2024/05/01/a-story-of-long-ago", "/a-match-54321")
    found = draft([page(path, "") for path in paths], "courier")
    assert found.addresses.pattern is not None
    assert found.addresses.pattern.ids == ("12345", "54321")
    assert found.addresses.doubt == f"it does not match https://courier.example{paths[1]}"


def test_pages_that_would_be_refused_with_the_pattern(tmp_path: Path) -> None:
    canonical = '<link rel="canonical" href="https://courier.example/stories/54321">'
    pages = [page("/stories/12345", "", canonical), page("/stories/54322", "", canonical)]
    found = draft(pages, "courier")
    assert found.addresses.doubt is not None
    assert found.addresses.doubt.startswith(
        "with it, https://courier.example/stories/12345 is refused as other_article ("
    )
    write_draft(tmp_path / "courier.py", pages)
    assert len(expected_in(tmp_path)) == 2


def test_lists_that_match_the_pattern() -> None:
    links = '<a href="/topics/harbour-12346">x</a><a href="/tag/harbour-12347">x</a>'
    found = draft([page("/a-storm-12345", links), page("/a-match-54321", "")], "courier")
    assert found.addresses.lists == ("topics", "tag")
    assert '    not_article_pattern=re.compile(r"/(?:topics|tag)/"),\n' in source_of(found)


def test_a_folder_of_lists_with_an_article_that_was_given() -> None:
    links = '<a href="/topics/harbour-12346">x</a><a href="/tag/harbour-12347">x</a>'
    found = draft([page("/topics/a-storm-12345", links), page("/a-match-54321", "")], "courier")
    assert found.addresses.lists == ("tag",)


def test_text_of_pages_cannot_become_code(tmp_path: Path) -> None:
    name = "\"\"\"'''\\\n),\nprint('hello') {id} \u202e"
    head = f"<meta property='og:site_name' content=\"{name.replace(chr(34), '&quot;')}\">"
    path = tmp_path / "courier.py"
    path.write_text(source_of(draft([page("/a-storm-12345", "", head)], "courier")))
    assert len(load_file(path).names) == 1
    assert "\u202e" not in path.read_text()


def test_boxes_that_may_hold_a_related_list() -> None:
    def stories(numbers: range) -> str:
        return "".join(f'<li><a href="/a-story-of-the-day-{n}">x</a></li>' for n in numbers)

    def boxes(start: int) -> str:
        return (
            f'<ul class="menu">{stories(range(10000, 10005))}</ul>'
            f'<ul class="most-read">{stories(range(20000, 20005))}</ul>'
            f'<ul class="css-1x2y3z teaser-box">{stories(range(start, start + 4))}</ul>'
        )

    found = draft([page("/a-storm-12345", boxes(30000)), page("/a-match-54321", boxes(40000))], "c")
    assert found.unlisted == 2
    assert [(box.selector, box.links, box.pages) for box in found.boxes] == [
        ("ul.teaser-box", 4, 2)
    ]
    assert '    # related_selector="ul.teaser-box",\n' in source_of(found)


def test_which_related_items_would_be_followed(tmp_path: Path) -> None:
    hrefs = (
        "/2026/05/02/a-match",
        "/a-match",
        "https://herald.example/2026/05/02/a-match-of-today",
    )
    links = "".join(f'<li><a href="{href}">A match</a></li>' for href in hrefs)
    storm = page("/2026/05/01/a-storm", f"<h2>Related articles</h2><ul>{links}</ul>")
    file = tmp_path / "courier.py"
    file.write_text(source_of(draft([storm], "courier")))
    lines = list(PageView(file, [storm.url]).lines(storm))
    assert [line.strip() for line in lines if "A match" in line] == [
        "courier.example/2026/05/02/a-match  A match  (followed)",
        "courier.example/a-match  A match  (not followed: its address does not look like an "
        "article's)",
        "herald.example/2026/05/02/a-match-of-today  A match  (not followed: another publisher's)",
    ]


def test_a_page_without_anything() -> None:
    for body in (
        b"",
        b"<html></html>",
        b"\xff\xfe",
        b"<a href='http://[x'>x</a><base href='http://['>",
    ):
        found = draft([Page("https://courier.example/a", body, None)], "courier")
        assert "PUBLISHER = Publisher(" in source_of(found)
