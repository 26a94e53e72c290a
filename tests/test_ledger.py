"""A crawl with a ledger, seen from outside: which pages each run fetches, and its reports."""

import gzip
import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import (
    IMPATIENT,
    ROOT,
    SEED,
    SITE,
    Crawl,
    clock,
    command,
    environment,
    read_records,
    service,
    wait_until,
)
from server import NewsServer, answer
from test_crawl_saved import lasting

# One of the seed's related items, and the last article of the chain.
LISTED = "1751821"
AT_ONCE = {"RECHECK_MIN": 0, "RECHECK_MAX": 0.001}
"""Settings with which every article is due again in the next run."""


def killed_at(point: str) -> dict[str, str]:
    """Return environment variables that make a crawl kill itself at this point."""
    return {"CRAWLER_KILL_AT": point}


def edit(server: NewsServer, article_id: str, old: bytes, new: bytes) -> None:
    page = f"/news/{article_id}"
    assert old in server.pages[page]
    server.pages[page] = server.pages[page].replace(old, new)


def ledger(folder: Path) -> sqlite3.Connection:
    """Open the ledger itself, to damage it or to read data that no command prints."""
    return sqlite3.connect(folder / "job" / "ledger.sqlite")


def test_the_first_run_is_as_without_a_memory(job: Crawl, live: Crawl) -> None:
    remembered = job()
    assert remembered.exit_code == 0
    forgotten = live(seed=SEED, depth=1)
    assert {r["id"]: lasting(r) for r in remembered.records} == {
        r["id"]: lasting(r) for r in forgotten.records
    }
    assert remembered.balance == forgotten.balance + " + pending 0"


def test_nothing_new(job: Crawl, server: NewsServer, tmp_path: Path) -> None:
    job("-o", "mine.jsonl", "-a", "depth=1")
    left = {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")}
    server.asked.clear()
    for mine in ("-o", "-O"):
        again = job(mine, "mine.jsonl")
        assert (again.exit_code, again.records, server.asked) == (0, [], [])
        assert "nothing new: nothing was due" in again.stdout
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")} == left


def test_a_changed_article_is_a_revision(
    job: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    first = job(settings=AT_ONCE)
    edit(server, LISTED, b"Advancing in Aleppo", b"Advancing in Homs")
    second = job(settings=AT_ONCE)
    assert second.exit_code == 0
    assert list(second.articles) == [LISTED]
    changed = second.articles[LISTED]
    assert (changed["revision"], changed["changed"]) == (2, ["headline", "headline_raw", "body"])
    assert changed["headline"].endswith("Homs")
    assert "1 changed, 6 unchanged, 1 gone or forbidden as before" in second.stdout

    exported = scrapy("export", "-s", "JOBDIR=job")
    latest = [json.loads(line) for line in exported.stdout.splitlines()]
    assert {record["id"]: record for record in latest} == {**first.articles, LISTED: changed}
    whole = scrapy("export", "-s", "JOBDIR=job", "--revisions", "-o", "all.jsonl")
    assert "8 revisions in all.jsonl" in whole.stderr
    assert read_records(tmp_path / "all.jsonl") == [*first.articles.values(), changed]

    story = scrapy(
        "why",
        f"{server.url}/news/{LISTED}".replace(server.url, "http://en.alalam.ir"),
        "-s",
        "JOBDIR=job",
    ).stdout
    assert re.search(rf"run 1  {SEED}, position 1\n", story)
    assert "run 1  new revision 1\n" in story
    assert "run 2  changed revision 2 (headline, headline_raw, body)\n" in story
    assert (
        "    - Syrian Army Troops, Popular Forces Advancing in Aleppo\n"
        "    + Syrian Army Troops, Popular Forces Advancing in Homs\n" in story
    )


def test_conditional_requests(job: Crawl, server: NewsServer, scrapy: Crawl) -> None:
    server.has_validators = True
    job(settings=AT_ONCE)
    assert server.not_modified == 0
    edit(server, LISTED, b"Advancing in Aleppo", b"Advancing in Homs")
    again = job(settings=AT_ONCE)
    assert (list(again.articles), server.not_modified) == ([LISTED], 6)
    # The stored validators are those of the new revision.
    assert job(settings=AT_ONCE).records == []
    assert server.not_modified == 6 + 7
    assert "run 3  not_modified" in scrapy("why", LISTED, "-s", "JOBDIR=job").stdout
    # Reading everything anew means unconditional requests.
    assert job(recheck="all").records == []
    assert server.not_modified == 6 + 7


def test_validators_of_a_page_that_was_not_stored(job: Crawl, server: NewsServer) -> None:
    """After a kill between response and record, the next run must not get a 304."""
    server.has_validators = True
    job(settings=AT_ONCE, depth=0)
    edit(server, SEED, b"Operations Continue", b"Operations Go On")
    killed = job(settings=AT_ONCE, depth=0, variables=killed_at("before a commit"))
    assert killed.exit_code == -9
    assert job(settings=AT_ONCE, depth=0).articles[SEED]["changed"] == [
        "headline",
        "headline_raw",
        "body",
    ]


def test_a_redirect_to_what_has_not_changed(job: Crawl, server: NewsServer) -> None:
    server.has_validators = True
    job(settings=AT_ONCE)

    def home(handler: BaseHTTPRequestHandler, before: int) -> None:
        answer(handler, 304)

    server.misbehaviour["/"] = home
    server.misbehaviour[f"/news/{LISTED}"] = lambda handler, before: answer(
        handler, 302, b"", {"Location": "/"}
    )
    run = job(settings=AT_ONCE)
    assert (run.exit_code, run.failures[LISTED]["reason"]) == (3, "not_an_article")


def test_recheck(job: Crawl, server: NewsServer) -> None:
    def asked(**arguments: object) -> int:
        server.asked.clear()
        settings = arguments.pop("settings", None)
        assert job(settings=settings, **arguments).exit_code == 0  # type: ignore[arg-type]
        return len(server.news_asked)

    assert asked() == 8
    assert asked(recheck="due") == 0
    assert asked(recheck="all") == 8
    assert asked(settings=AT_ONCE, recheck="all") == 8
    assert asked(settings=AT_ONCE, recheck="none") == 0
    assert asked(settings=AT_ONCE) == 8
    wrong = job(recheck="sometimes")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "scrapy crawl: recheck: got 'sometimes', takes one of due, all, none\n",
    )


def test_gone_and_back(job: Crawl, server: NewsServer) -> None:
    job(settings=AT_ONCE)
    page = server.pages.pop(f"/news/{LISTED}")
    gone = job(settings=AT_ONCE)
    assert (gone.exit_code, gone.failures[LISTED]["reason"], gone.articles) == (0, "gone", {})
    assert f"WARNING: {LISTED}: gone" in gone.stderr
    # It remains an article of the job, and a repeated "gone" is not new.
    still = job(settings=AT_ONCE)
    assert (still.exit_code, still.records, still.stderr) == (0, [], "")
    assert still.balance == gone.balance
    server.pages[f"/news/{LISTED}"] = page
    back = job(settings=AT_ONCE).articles[LISTED]
    assert (back["revision"], back["changed"]) == (2, [])
    assert job(settings=AT_ONCE).records == []


# The arguments of a job's first run and of its next; together they must give the same records as
# one crawl with the latter.
GOING_ON: dict[str, list[dict[str, object]]] = {
    "deeper": [{"depth": 0}, {"depth": 1}, {"depth": 3}],
    "a few at a time": [
        {"depth": 2, "limit": 4},
        {"depth": 2, "limit": 4},
        {"depth": 2, "limit": 0},
    ],
    "all that match, then all": [{"depth": 2, "match": "Aleppo"}, {"depth": 2}],
    "another seed, listed before": [{"depth": 1}, {"depth": 1, "seed": f"{SEED},{LISTED}"}],
    "another seed, not met before": [{"depth": 1}, {"depth": 1, "seed": f"{SEED},1745120"}],
}


@pytest.mark.parametrize("case", GOING_ON)
def test_arguments_that_change(job: Crawl, live: Crawl, case: str) -> None:
    records = {}
    for arguments in GOING_ON[case]:
        run = job(**arguments)
        assert run.exit_code in (0, 3)
        records.update({record["id"]: record for record in run.records})
    whole = live(**{"seed": SEED, **GOING_ON[case][-1]})
    assert {id_: record["kind"] for id_, record in records.items()} == {
        record["id"]: record["kind"] for record in whole.records
    }
    if case in ("deeper", "a few at a time"):
        # The same articles in the same order, found on the same pages.
        lasting_teasers = {
            id_: lasting(record) for id_, record in records.items() if record["kind"] == "teaser"
        }
        assert lasting_teasers == {id_: lasting(record) for id_, record in whole.teasers.items()}
    assert run.balance == whole.balance + " + pending 0"


def test_arguments_that_change_in_a_run_that_is_killed(job: Crawl) -> None:
    job(depth=0)
    assert job(depth=1, variables=killed_at("run begun")).exit_code == -9
    assert "articles 7" in job(depth=1).balance


ARTICLES = range(1700001, 1700007)


def page(number: int, listed: dict[int, str]) -> bytes:
    """Return a page that lists others, by number, under these headlines."""
    same = {
        "sort": "1",
        "contenttypeid": "21",
        "pic": "/2015/10/23/alalam_635811884533498601_25f_4x3.jpg",
    }
    leak = json.dumps(
        [{"id": str(other), **same, "title": title} for other, title in listed.items()]
    )
    body = (
        f"<p>It is what the page {number} says, in a sentence that is long enough to be one.</p>"
        * 3
    )
    date = "<span>Fri Oct 23, 2015 13:26:08</span>"
    return (
        f"<html><h1>Headline of {number} and no other</h1>{date}<div>{body}</div>"
        f'string({len(leak)}) "{leak}"</html>'
    ).encode()


def serve(server: NewsServer, pages: dict[int, dict[int, str]]) -> None:
    server.pages = {f"/news/{number}": page(number, listed) for number, listed in pages.items()}


def test_any_list_can_make_an_article_match(job: Crawl, server: NewsServer) -> None:
    a, b, c, d = ARTICLES[:4]
    serve(
        server,
        {
            a: {b: "About Aleppo", c: "About Homs"},
            b: {d: "About cats"},
            c: {d: "About Aleppo"},
            d: {},
        },
    )
    stopped = job(seed=a, match="Aleppo|Homs", depth=3, limit=3)
    assert stopped.balance == "discovered 4 = articles 3 + teasers 0 + failures 0 + pending 1"
    # When it is reconsidered at another depth, it still matches.
    assert list(job(seed=a, match="Aleppo|Homs", depth=4).articles) == [str(d)]
    narrow = job(seed=a, match="Homs", depth=3, settings={"JOBDIR": "other"})
    assert (list(narrow.articles), list(narrow.teasers)) == ([str(a), str(c)], [str(b), str(d)])
    assert list(
        job(seed=a, match="Aleppo|Homs", depth=3, settings={"JOBDIR": "other"}).articles
    ) == [str(b), str(d)]


def test_a_limit_starves_nobody(job: Crawl, server: NewsServer) -> None:
    first, *others = ARTICLES
    serve(
        server,
        {first: {other: f"No {other}" for other in others}, **{other: {} for other in others}},
    )
    for _ in range(5):
        run = job(seed=first, limit=2, settings=AT_ONCE)
    assert run.balance == "discovered 6 = articles 6 + teasers 0 + failures 0 + pending 0"
    server.asked.clear()
    for _ in range(3):
        job(seed=first, limit=2, settings=AT_ONCE)
    assert sorted(server.news_asked) == sorted(map(str, ARTICLES))


def test_another_server_knows_nothing_of_the_validators(job: Crawl, server: NewsServer) -> None:
    server.has_validators = True
    job(settings=AT_ONCE, depth=0)
    job(settings=AT_ONCE, depth=0, base_url=server.url.replace("127.0.0.1", "localhost"))
    assert server.not_modified == 0


def test_pages_that_another_folder_has(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    shutil.copy(SITE / f"{SEED}.html", tmp_path / "few")
    line = ["crawl", "articles", "-a", f"seed={SEED}", "-a", "depth=1", "-s", "JOBDIR=job"]
    assert (
        scrapy(*line, "-a", "source=few").balance
        == "discovered 8 = articles 1 + teasers 7 + failures 0 + pending 0"
    )
    assert "articles 7" in scrapy(*line, "-a", f"source={SITE}").balance


def test_a_seed_that_was_a_file(job: Crawl, server: NewsServer, tmp_path: Path) -> None:
    shutil.copy(SITE / f"{SEED}.html", tmp_path / "saved by me.html")
    assert (
        job(seed="saved by me.html", depth=0, source=tmp_path / "saved by me.html").exit_code == 0
    )
    run = job(seed=SEED, depth=0, recheck="all")
    assert run.exit_code == 0
    assert set(server.news_asked) == {SEED}


def test_read_again_because_it_is_nearer(job: Crawl, server: NewsServer) -> None:
    """A new seed was at the depth limit; neither a kill nor ``recheck=none`` may lose it."""
    a, b, c, d = ARTICLES[:4]
    serve(server, {a: {b: "Two"}, b: {c: "Three"}, c: {d: "Four"}, d: {}})
    # Nor may it be requested conditionally: a response without a page would hide its related items.
    server.has_validators = True
    job(seed=a, depth=2)
    seeds = f"{a},{c}"
    killed = job(seed=seeds, depth=2, variables=killed_at("after a commit"))
    assert killed.exit_code == -9
    assert "articles 4" in job(seed=seeds, depth=2, recheck="none").balance


def test_less_than_before(job: Crawl, server: NewsServer) -> None:
    job(depth=2, limit=3)
    server.asked.clear()
    run = job(depth=0)
    assert (run.exit_code, server.asked) == (0, [])
    assert run.balance.endswith("+ pending 0")


def test_saved_pages(scrapy: Crawl, tmp_path: Path) -> None:
    shutil.copytree(SITE, tmp_path / "pages")
    line = [
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        "source=pages",
        "-s",
        "JOBDIR=job",
        "-o",
        "mine.jsonl",
    ]
    first = scrapy(*line)
    assert first.balance == "discovered 30 = articles 21 + teasers 9 + failures 0 + pending 0"
    (tmp_path / "pages" / f"{LISTED}.html").rename(tmp_path / "pages" / "1750384.html")
    again = scrapy(*line, "-a", "recheck=all")
    assert again.exit_code == 0
    # The article whose page is missing stays an article; the one whose page has appeared is new.
    assert [r["id"] for r in read_records(tmp_path / "mine.jsonl")].count("1750384") == 2
    assert again.balance == "discovered 30 = articles 22 + teasers 8 + failures 0 + pending 0"


def test_a_second_run_at_once(
    job: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    killed = threading.Event()
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: killed.wait()
    line = command(
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        f"base_url={server.url}",
        "-s",
        "JOBDIR=job",
        "-s",
        "DOWNLOAD_DELAY=0",
    )
    first = subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: server.news_asked == [SEED])
    second = job()
    assert second.exit_code == 75
    assert re.fullmatch(
        rf"scrapy crawl: JOBDIR: job is held by process {first.pid} on \S+ since \S+; "
        r"run again when it has ended\n",
        second.stderr,
    )
    assert f"running: process {first.pid} on" in scrapy("status", "-s", "JOBDIR=job").stdout
    assert scrapy("why", SEED, "-s", "JOBDIR=job").exit_code == 0
    # Another job is not affected.
    server.misbehaviour.clear()
    assert job(settings={"JOBDIR": "other"}).exit_code == 0
    assert first.poll() is None
    first.kill()
    first.wait()
    killed.set()
    # A dead process's lock blocks no other.
    assert job().exit_code == 0


def make_another_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE anything (column_ INTEGER)")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "text": (
        lambda path: path.write_bytes(b"not a database at all, whatever its name says" * 99),
        "file is not a database",
    ),
    "cut in half": (
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        "malformed",
    ),
    "overwritten in the middle": (
        lambda path: path.write_bytes(
            path.read_bytes()[:8192] + b"\x55" * 90_000 + path.read_bytes()[98_192:]
        ),
        "",
    ),
    "another database": (make_another_database, "no such table"),
    "a folder": (lambda path: path.unlink() or path.mkdir(), "it is no file"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_ledger(job: Crawl, scrapy: Crawl, tmp_path: Path, case: str) -> None:
    job(depth=2)
    path = tmp_path / "job" / "ledger.sqlite"
    damage, words = DAMAGE[case]
    damage(path)
    held = path.read_bytes() if path.is_file() else b""
    status = scrapy("status", "-s", "JOBDIR=job")
    assert status.exit_code == 1
    assert words in status.stdout + status.stderr
    assert "ledger.sqlite" in status.stdout + status.stderr
    run = job(recheck="all")
    assert run.exit_code == 1
    assert words in run.stderr
    assert "ledger" in run.stderr
    if words:
        # If the damage was detected at once, nothing was written.
        assert (path.read_bytes() if path.is_file() else b"") == held
    for asked in ("export", "why"):
        done = scrapy(asked, *([SEED] if asked == "why" else []), "-s", "JOBDIR=job")
        assert "Traceback" not in done.stderr


def test_a_lost_bit(job: Crawl, scrapy: Crawl, tmp_path: Path) -> None:
    job()
    path = tmp_path / "job" / "ledger.sqlite"
    content = path.read_bytes()
    assert b"Syrian Army Troops" in content
    path.write_bytes(
        content.replace(b'"body":"This text was made up', b'"body":"This text was made uP')
    )
    status = scrapy("status", "-s", "JOBDIR=job")
    assert status.exit_code == 1
    assert "is not what was stored" in status.stdout


def test_a_ledger_that_does_not_balance(job: Crawl, scrapy: Crawl, tmp_path: Path) -> None:
    job()
    with ledger(tmp_path) as connection:
        connection.execute("DELETE FROM records WHERE id = ?", (LISTED,))
    with ledger(tmp_path) as connection:
        connection.execute("DELETE FROM pages WHERE id = '1745120'")
    run = job()
    assert run.exit_code == 5
    assert f"1745120 (listed, but not known), {LISTED} (an article without a record);" in run.stdout
    assert scrapy("status", "-s", "JOBDIR=job").exit_code == 5


def test_a_folder_that_cannot_be_written(job: Crawl, scrapy: Crawl, tmp_path: Path) -> None:
    assert job().exit_code == 0
    folder = str(tmp_path / "job")
    mounted = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False)
    service("mount --bind, as root,", mounted.returncode == 0)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    try:
        run = job()
        assert (run.exit_code, run.stdout) == (1, "")
        assert re.search(r"job cannot be written \(Read-only file system\)", run.stderr)
        # Its records can still be read.
        assert scrapy("status", "-s", "JOBDIR=job").exit_code == 0
        assert len(scrapy("export", "-s", "JOBDIR=job").stdout.splitlines()) == 7
    finally:
        subprocess.run(["umount", folder], check=True)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    run = job(settings={"JOBDIR": "file"})
    assert (run.exit_code, run.stderr) == (
        2,
        "scrapy crawl: JOBDIR: file is a file; takes a folder\n",
    )


@pytest.mark.parametrize("schema", [1, 2])
def test_a_ledger_of_an_older_schema(scrapy: Crawl, tmp_path: Path, schema: int) -> None:
    """The ledger was made by the program of that time: one run ended, one was killed."""
    (tmp_path / "job").mkdir()
    shutil.copytree(SITE, tmp_path / "site")
    with ledger(tmp_path) as connection:
        dump = (ROOT / "tests" / "ledgers" / f"schema-{schema}.sql").read_text(encoding="utf-8")
        connection.executescript(dump.replace("FOLDER", str(tmp_path)))
    status = scrapy("status", "-s", "JOBDIR=job")
    assert status.exit_code == 0
    assert "discovered 23 = articles 5 + teasers 15 + failures 0 + pending 3" in status.stdout
    assert "broken off after" in status.stdout
    run = scrapy(
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        "source=site",
        "-a",
        "depth=1",
        "-s",
        "JOBDIR=job",
        "-o",
        "mine.jsonl",
    )
    assert run.exit_code == 0
    assert "continued from run 2, which was broken off; it had stored 2 new" in run.stdout
    # The killed run's records come first, once each, in their original schema.
    lines = (tmp_path / "mine.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines[:2]] == ["article", "article"]
    assert len(lines) == len({json.loads(line)["id"] for line in lines})
    assert run.balance.endswith("+ pending 0")
    assert len(scrapy("export", "-s", "JOBDIR=job").stdout.splitlines()) == 7


def test_a_ledger_of_a_later_schema(job: Crawl, scrapy: Crawl, tmp_path: Path) -> None:
    job()
    with ledger(tmp_path) as connection:
        connection.execute("UPDATE job SET version = 99")
    for run in (job(), scrapy("status", "-s", "JOBDIR=job")):
        assert (
            run.exit_code,
            "is of a newer version of this program (schema 99" in run.stderr,
        ) == (1, True)


@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_a_job_whose_folder_was_moved(
    live: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path, absolute: bool
) -> None:
    def words(folder: Path, depth: int) -> list[object]:
        paths = ("job", "mine.jsonl", "a.warc.gz")
        job, mine, archive = (folder / path if absolute else path for path in paths)
        given = {"seed": SEED, "base_url": server.url, "depth": depth, "archive": archive}
        settings = {**IMPATIENT, "JOBDIR": job}
        return [
            *("crawl", "articles", "-o", mine),
            *(word for name, value in given.items() for word in ("-a", f"{name}={value}")),
            *(word for name, value in settings.items() for word in ("-s", f"{name}={value}")),
        ]

    truth = live(seed=SEED, depth=1)
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    killed = scrapy(*words(old, 0), cwd=old, CRAWLER_KILL_AT="feed part written")
    assert killed.exit_code == -9
    old.rename(new)
    server.asked.clear()
    run = scrapy(*words(new, 1), cwd=new)
    assert run.exit_code == 3
    assert set(server.news_asked) == (truth.articles.keys() | truth.failures.keys()) - {SEED}
    assert run.balance == truth.balance + " + pending 0"
    # The killed run's feed is not written, since this run was not given it.
    assert f"not written: run 1 was to write '{old / 'mine.jsonl'}'" in run.stdout
    assert not old.exists()
    told = {record["id"] for record in read_records(new / "mine.jsonl")}
    assert told == {record["id"] for record in truth.records} - {SEED}
    job_folder = new / "job" if absolute else "job"
    export = scrapy("export", "-s", f"JOBDIR={job_folder}", cwd=new)
    exported = [json.loads(line) for line in export.stdout.splitlines()]
    assert sorted(record["id"] for record in exported) == sorted(truth.articles)


def test_a_ledger_of_another_site(job: Crawl, tmp_path: Path) -> None:
    job()
    with ledger(tmp_path) as connection:
        connection.execute("UPDATE job SET site = 'herald'")
    run = job()
    assert (run.exit_code, run.stderr) == (
        2,
        "scrapy crawl: JOBDIR: job holds a crawl of herald; takes another folder for alalam\n",
    )


def test_no_ledger(scrapy: Crawl, tmp_path: Path) -> None:
    for words in (("status",), ("why", "1"), ("export",)):
        run = scrapy(*words)
        assert (run.exit_code, "JOBDIR: it is missing" in run.stderr) == (2, True)
        run = scrapy(*words, "-s", "JOBDIR=nowhere")
        assert (run.exit_code, "nowhere holds no ledger" in run.stderr) == (2, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "mended", "torn"),
    [
        (b'{"kind": "x"}', b'{"kind": "x"}\n', None),
        (b'{"kind": "x', b"", b'{"kind": "x\n'),
        (b"\xff\xfe", b"", b"\xff\xfe\n"),
    ],
    ids=["whole", "torn", "garbage"],
)
@pytest.mark.parametrize("jobdir", ["", "job"])
def test_a_torn_last_line_is_mended(
    scrapy: Crawl, tmp_path: Path, line: bytes, mended: bytes, torn: bytes | None, jobdir: str
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_bytes(b'{"kind": "good"}\n' + line)
    given = ["-s", "JOBDIR=job"] if jobdir else []
    assert (
        scrapy(
            "crawl",
            "articles",
            "-a",
            f"seed={SEED}",
            "-a",
            f"source={SITE}",
            "-a",
            "depth=0",
            "-o",
            mine,
            *given,
        ).exit_code
        == 0
    )
    content = mine.read_bytes()
    assert content.startswith(b'{"kind": "good"}\n' + mended + b'{"kind":"article"')
    kept = tmp_path / "mine.jsonl.torn"
    assert (kept.read_bytes() if kept.exists() else None) == torn


PIPELINE = """
from dataclasses import replace
from scrapy.exceptions import DropItem

class Mine:
    def process_item(self, item):
        if item.kind == "article" and item.id == "1751821":
            raise DropItem("not that one")
        return replace(item, credit="me") if item.kind == "article" else item
"""


def test_item_pipelines_of_the_users_own(
    job: Crawl, server: NewsServer, tmp_path: Path, scrapy: Crawl
) -> None:
    (tmp_path / "mine.py").write_text(PIPELINE, encoding="utf-8")
    settings = {"ITEM_PIPELINES": '{"mine.Mine": 300}'}
    run = job(settings=settings)
    assert run.exit_code == 3
    assert (
        run.balance
        == "discovered 24 = articles 6 + teasers 16 + failures 1 + pending 0 + dropped 1"
    )
    assert {record["credit"] for record in run.articles.values()} == {"me"}
    server.asked.clear()
    assert job(settings=settings).exit_code == 0
    assert server.asked == []
    assert (
        "fetched, and dropped by an item pipeline"
        in scrapy("why", LISTED, "-s", "JOBDIR=job").stdout
    )


def test_an_item_pipeline_that_makes_something_else(
    job: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    text = (
        "class Mine:\n    def process_item(self, item):\n"
        "        return {'of': item.kind, 'headline': item.headline}\n"
    )
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    settings = {"ITEM_PIPELINES": '{"mine.Mine": 300}', **AT_ONCE}
    for _ in range(2):
        server.asked.clear()
        run = job("-O", "mine.jsonl", settings=settings)
        assert run.exit_code == 0
        assert run.balance == "discovered 24 = articles 7 + teasers 16 + failures 1 + pending 0"
        # A teaser stays a teaser, whatever the pipeline makes of it.
        assert len(server.news_asked) == 8
    lines = [
        json.loads(line)
        for line in (tmp_path / "mine.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert {
        "of": "article",
        "headline": "Syrian Army Troops, Popular Forces Advancing in Aleppo",
    } in lines


def test_an_item_pipeline_that_makes_what_json_cannot_hold(scrapy: Crawl, tmp_path: Path) -> None:
    text = (
        "class Mine:\n    def process_item(self, item):\n"
        "        return {'id': item.id, 'x': object()} if item.id == '1751821' else item\n"
    )
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    line = [*("crawl", "articles", "-a", f"seed={SEED}", "-a", f"source={SITE}", "-a", "depth=1")]
    line += ["-s", "JOBDIR=job", "-s", 'ITEM_PIPELINES={"mine.Mine": 300}']
    done = scrapy(*line)
    assert (done.exit_code, done.balance) == (
        3,
        "discovered 24 = articles 6 + teasers 17 + failures 0 + pending 0 + dropped 1",
    )


def test_a_feed_of_a_killed_run_that_cannot_be_written(job: Crawl, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    killed = job("-o", "disk/mine.jsonl", depth=0, variables=killed_at("feed part written"))
    assert killed.exit_code == -9
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "disk").write_text("in the way", encoding="utf-8")
    for _ in range(2):
        run = job("-o", "disk/mine.jsonl", depth=0)
        assert run.exit_code == 1
        assert "disk/mine.jsonl cannot be written" in run.stderr
    (tmp_path / "disk").unlink()
    assert job("-o", "disk/mine.jsonl", depth=0).exit_code == 0
    assert {record["id"] for record in read_records(tmp_path / "disk" / "mine.jsonl")} >= {SEED}
    assert "broken off" not in job(depth=0).stdout


def test_a_compressed_feed_is_added_once(job: Crawl, tmp_path: Path) -> None:
    feeds = (
        '{"mine.jsonl.gz": {"format": "jsonlines", '
        '"postprocessing": ["scrapy.extensions.postprocessing.GzipPlugin"]}}'
    )
    (tmp_path / "mine.jsonl.gz").write_bytes(gzip.compress(b'{"kind": "good"}\n'))
    killed = job("-s", f"FEEDS={feeds}", depth=0, variables=killed_at("feed in its place"))
    assert killed.exit_code == -9
    # The same records compressed at another time give different bytes.
    assert job("-s", f"FEEDS={feeds}", depth=0, variables=clock("+10s")).exit_code == 0
    lines = gzip.decompress((tmp_path / "mine.jsonl.gz").read_bytes()).splitlines()
    assert len(lines) == len(set(lines)) == 1 + 8


def test_a_record_that_is_damaged(job: Crawl, tmp_path: Path) -> None:
    job(depth=1, limit=2)
    with ledger(tmp_path) as connection:
        connection.execute("UPDATE records SET json = x'7b' WHERE id = ?", (SEED,))
    run = job("-O", "mine.jsonl", depth=1)
    assert run.exit_code == 1
    assert f"article {SEED}, is not what was stored" in run.stdout
    assert not (tmp_path / "mine.jsonl").exists()


@pytest.mark.parametrize("table", ["records", "listings", "feeds", "pages"])
def test_a_table_that_is_damaged(job: Crawl, tmp_path: Path, table: str) -> None:
    job(depth=1)
    (tmp_path / "mine.jsonl").write_text("good", encoding="utf-8")
    with ledger(tmp_path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(root,)] = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        )
    with (tmp_path / "job" / "ledger.sqlite").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xee" * 4096)
    run = job("-O", "mine.jsonl", depth=2)
    assert run.exit_code == 1
    assert "malformed" in run.stdout + run.stderr
    assert (tmp_path / "mine.jsonl").read_text(encoding="utf-8") == "good"


def test_a_disk_that_is_full_while_the_ledger_is_made(
    server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    service("mount of a tmpfs, as root,", mounted.returncode == 0)
    line = [
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        f"source={SITE}",
        "-a",
        "depth=0",
        "-s",
        "JOBDIR=disk/job",
    ]
    try:
        for kib in (8, 40, 72, 104, 112, 120):
            subprocess.run(["mount", "-o", f"remount,size={kib}k", str(disk)], check=True)
            run = scrapy(*line)
            assert run.exit_code in (0, 1)
            assert "Traceback" not in run.stderr
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert (
            scrapy(*line).balance
            == "discovered 8 = articles 1 + teasers 7 + failures 0 + pending 0"
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"RECHECK_MIN": "nan"}, "RECHECK_MIN: got nan, takes seconds from 0 to"),
        ({"RECHECK_MAX": "inf"}, "RECHECK_MAX: got inf, takes seconds"),
        ({"RECHECK_MIN": -1}, "RECHECK_MIN: got -1"),
        ({"RECHECK_MAX": 60}, "RECHECK_MAX: got 60, which is less than RECHECK_MIN (3600)"),
        ({"RECHECK_MAX": "soon"}, "RECHECK_MAX: got 'soon', takes seconds"),
        ({"LEDGER_SYNC_INTERVAL": "x"}, "LEDGER_SYNC_INTERVAL: got 'x', takes seconds"),
    ],
)
def test_wrong_settings(job: Crawl, given: dict[str, object], message: str) -> None:
    run = job(settings=given)
    assert (run.exit_code, message in run.stderr) == (2, True)


def test_batches_are_written_once(job: Crawl, tmp_path: Path) -> None:
    feeds = '{"mine-%(batch_time)s.jsonl": {"format": "jsonlines", "batch_item_count": 2}}'
    words = ("-s", f"FEEDS={feeds}")
    given = {"source": SITE, "base_url": None, "depth": 0}
    assert job(*words, variables=killed_at("feed in its place:2"), **given).exit_code == -9
    assert job(*words, **given).exit_code == 0
    records = [record for path in tmp_path.glob("mine-*.jsonl") for record in read_records(path)]
    assert len(records) == len({record["id"] for record in records}) == 8
    assert not list(tmp_path.rglob("*.part"))


def test_an_export_that_nobody_reads_to_the_end(job: Crawl, tmp_path: Path) -> None:
    job(depth=3)
    words = " ".join(map(shlex.quote, command("export", "-s", "JOBDIR=job")))
    done = subprocess.run(
        f"{words} | head -c 20",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ('{"kind":"article","s', "")


WRONG: dict[str, tuple[list[object], int, str]] = {
    "recheck without a memory": (
        ["crawl", "articles", "-a", "seed=1", "-a", "recheck=all"],
        2,
        "only a crawl with a memory asks again",
    ),
    "an empty JOBDIR": (
        ["crawl", "articles", "-a", "seed=1", "-s", "JOBDIR="],
        2,
        "JOBDIR: got ''",
    ),
    "a file as JOBDIR": (["status", "-s", "JOBDIR=scrapy.cfg"], 2, "is a file; takes a folder"),
    "-O for export": (
        ["export", "-s", "JOBDIR=job", "-O", "x.jsonl"],
        2,
        "takes -s JOBDIR=FOLDER [--revisions] [-o FILE]",
    ),
    "export over the ledger": (
        ["export", "-s", "JOBDIR=job", "-o", "job/ledger.sqlite"],
        2,
        "is the ledger itself",
    ),
    "why without an id": (["why", "-s", "JOBDIR=job"], 2, "it is missing"),
    "status of something": (["status", "1", "-s", "JOBDIR=job"], 2, "got '1'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(job: Crawl, scrapy: Crawl, tmp_path: Path, case: str) -> None:
    job(depth=0)
    (tmp_path / "scrapy.cfg").write_text("", encoding="utf-8")
    words, exit_code, message = WRONG[case]
    run = scrapy(*words)
    assert (run.exit_code, message in run.stderr) == (exit_code, True)
    assert scrapy("status", "-s", "JOBDIR=job").exit_code == 0


def test_why_of_a_teaser(job: Crawl, scrapy: Crawl) -> None:
    [(teaser, record)] = list(job(depth=0).teasers.items())[:1]
    assert scrapy("why", teaser, "-s", "JOBDIR=job").stdout.startswith(
        f"{teaser}  {record['headline_raw']}\n"
    )


def test_a_run_is_ten_lines_or_fewer(job: Crawl, server: NewsServer) -> None:
    server.pages["/news/1750384"] = server.pages[f"/news/{LISTED}"].replace(
        LISTED.encode(), b"1750384"
    )
    for _ in range(2):
        run = job("-o", "mine.jsonl", settings=AT_ONCE)
        assert run.exit_code == 0
        assert len((run.stdout + run.stderr).splitlines()) <= 10
