"""Kill crawls with SIGKILL at random moments, resume them until they finish, and check the results.

    python tests/kill.py [KILLS] [--seed N]

Every crawl is of a local site of 300 pages, some of which list an article twice. They also link to
others in their texts and as translations, and links of all roles are followed. A crawl is one of
KINDS, with 16 concurrent requests or one, and with one of several LEDGER_SYNC_INTERVALs. It is
killed after the server has seen a random number of requests, and restarted, until a run finishes.
Then the union of its three feeds, and its ``-o`` or ``-O`` file, must each equal the records of an
uninterrupted crawl, each line complete and unique, and every article's page must be in the archives
written by the runs. Finally, everything is fetched again (``recheck=all``), with two more kills: if
the pages are the same, there must be no new records; if they changed meanwhile, the latest records
must be those of a crawl of only the changed pages. The script also prints the number of pages that
were fetched twice before the recheck.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import forks
from conftest import IMPATIENT, PATIENCE, command, environment, read_records, wait_until
from server import NewsServer
from warcio.archiveiterator import ArchiveIterator

from benchmarks.crawl import FIRST_ID, article
from crawler.feeds.run_folder import stamp

PAGES = 300
# Every GONE-th page is missing, and only headlines that match MATCH are followed.
GONE = 37
MATCH = "[0-8],|fr"
VOLATILE = ("fetched_at", "failed_at")
# The list that determines an article's place, whether it gives an address, and the headline of a
# failure depend on which lists had already changed when the crawl read them.
CHANGING = ("revision", "changed", "found_on", "listed_on", "sort")
CHANGING_OF_FAILURE = ("headline", "headline_raw")
NO_DATABASE = {"LEDGER_URL": ""}
"""Environment variables of a crawl without a job."""
SYNC_INTERVALS = (0.2, 1, 5)
# A run is killed at most MOST_SECONDS after at most MOST_REQUESTS requests. Most runs commit
# something before that, even on a slow machine, so a crawl that has not finished after MOST_RUNS is
# making no progress.
MOST_REQUESTS, MOST_SECONDS = 150, 0.4
MOST_RUNS = 40


@dataclass(frozen=True)
class Kind:
    """A kind of crawl: its source chain, and whether its pages change while it runs."""

    name: str
    sources: tuple[str, ...] = ()
    changes: bool = False


Crawling = forks.Fork | subprocess.Popen[bytes]

KINDS = (
    Kind("live"),
    Kind("folder and live", ("folder", "live")),
    Kind("live and WARC", ("live", "pages.warc.gz")),
    Kind("changing", changes=True),
)
LEAK = re.compile(rb'string\(\d+\) "(\[.*\])"')


def relisted(page: bytes, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> bytes:
    """Return a page with its list changed."""

    def leak(match: re.Match[bytes]) -> bytes:
        text = json.dumps(change(json.loads(match[1])), ensure_ascii=False).encode()
        return b'string(%d) "%s"' % (len(text), text)

    return LEAK.sub(leak, page)


def with_repeat(items: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return a list with its first item repeated at the end, with a new headline and picture."""
    repeat = {"title": f"Again: {items[0]['title']}", "pic": items[1]["pic"]}
    return [*items, {**items[0], **repeat}]


def updated(page: bytes) -> bytes:
    """Return a page with changes in its text, and in the order and headlines of its list."""
    page = page.replace(b'<div class="text">', b'<div class="text"><p>This sentence was added.</p>')
    return relisted(
        page, lambda items: [{**item, "title": f"{item['title']}, Still"} for item in items[::-1]]
    )


def with_links(page: bytes, count: int, chance: random.Random) -> bytes:
    """Return a page that also links to articles in its text, and to one in another language."""
    one, two, three = (chance.randrange(count) for _ in range(3))
    text = "".join(
        f"<p>The council of the city confirmed in a long sentence what the report "
        f'<a href="/news/{FIRST_ID + number}">on {number % 10}, as quoted</a> had said.</p>'
        for number in (one, two)
    )
    page = page.replace(b'<div class="text">', f'<div class="text">{text}'.encode(), 1)
    translation = f'<link rel="alternate" hreflang="fr" href="/news/{FIRST_ID + three}">'
    return page.replace(b"</head>", f"{translation}</head>".encode(), 1)


def pages(count: int) -> dict[str, bytes]:
    """Return linked pages by path, with some missing."""
    chance = random.Random(4)
    all_pages = {
        number: with_links(article(number, count, chance), count, chance) for number in range(count)
    }
    return {
        f"/news/{FIRST_ID + number}": page
        for number, page in all_pages.items()
        if number % GONE or not number
    }


class Site(NewsServer):
    """A server of linked pages, which can also create the other sources of a kind of crawl.

    It knows the expected records of each kind of crawl.
    """

    def __init__(self, count: int = PAGES) -> None:
        super().__init__(Path("nowhere"))
        self.all = self.pages = pages(count)
        self._folder = tempfile.TemporaryDirectory(prefix="kill-sources-")
        self._truths: dict[Kind, dict[str, dict[str, Any]]] = {}

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._folder.cleanup()

    def serve(self, kind: Kind, *, changed: bool = False) -> None:
        """Serve the live site's pages for a kind of crawl, before or after they change."""
        serves_part = "live" in kind.sources[:1]
        self.pages = {
            path: updated(page) if changed else page
            for number, (path, page) in enumerate(self.all.items())
            if not serves_part or number % 3 == 0
        }
        if not kind.changes:
            for path in list(self.pages)[::5]:
                self.pages[path] = relisted(self.pages[path], with_repeat)
        self.requests.clear()

    def source(self, kind: Kind) -> tuple[str, ...]:
        """Create the sources of a kind of crawl; return its command-line arguments."""
        folder = Path(self._folder.name)
        if "folder" in kind.sources and not (folder / "folder").exists():
            (folder / "folder").mkdir()
            for path, page in list(self.all.items())[1::3]:
                (folder / "folder" / f"{Path(path).name}.html").write_bytes(page)
        if "pages.warc.gz" in kind.sources and not (folder / "pages.warc.gz").exists():
            self.serve(KINDS[0])
            words = line(self.url, "-a", f"archive={folder / 'pages.warc.gz'}")
            result = run(words, folder, **NO_DATABASE)
            assert result.returncode == 0, result.stdout
        source_names = (name if name == "live" else str(folder / name) for name in kind.sources)
        return ("-a", f"source={','.join(source_names)}") if kind.sources else ()

    def truth(self, kind: Kind = KINDS[0]) -> dict[str, dict[str, Any]]:
        """Return the records of an uninterrupted crawl, of the changed pages if they change."""
        if kind not in self._truths:
            words = self.source(kind)
            self.serve(kind, changed=kind.changes)
            with tempfile.TemporaryDirectory() as name:
                result = run(line(self.url, *words, "-O", "all.jsonl"), Path(name), **NO_DATABASE)
                assert result.returncode == 0, result.stdout
                records = read_records(Path(name) / "all.jsonl")
            self._truths[kind] = lasting(records, kind)
            sources = {record["source"] for record in records if "source" in record}
            assert len(sources) == max(1, len(kind.sources)), sources
        return self._truths[kind]


def line(url: str, *words: object, at_once: int = 16) -> list[str]:
    """Return the command line of a crawl of the whole site."""
    settings = {
        **IMPATIENT,
        "CONCURRENT_REQUESTS": at_once,
        "CONCURRENT_REQUESTS_PER_DOMAIN": at_once,
    }
    arguments = {
        "seed": FIRST_ID,
        "base_url": url,
        "follow": "all",
        "depth": 1000,
        "match": MATCH,
    }
    assignments = [f"{name}={value}" for name, value in arguments.items()]
    return [
        *("crawl", "articles"),
        *(f"-a{value}" for value in assignments),
        *(f"-s{name}={value}" for name, value in settings.items()),
        *map(str, words),
    ]


def lasting(records: list[dict[str, Any]], kind: Kind = KINDS[0]) -> dict[str, dict[str, Any]]:
    """Return records by id, without fields that differ between two crawls of a site.

    If pages change, the latest record of each id counts; otherwise an id must not occur twice.
    """
    by_id = {record["id"]: record for record in records}
    assert kind.changes or len(by_id) == len(records), "an article has two records"
    result = {}
    for article_id, record in by_id.items():
        omitted = VOLATILE + (CHANGING if kind.changes else ())
        if record["kind"] == "failure":
            omitted += ("listed_on", "listed_as")
            omitted += CHANGING_OF_FAILURE if kind.changes else ()
        result[article_id] = {k: value for k, value in record.items() if k not in omitted}
        if kind.changes and "provenance" in record:
            record["provenance"].pop("url", None)
    return result


def start(words: list[str], folder: Path, **variables: str) -> Crawling:
    """Start a crawl with extra environment variables; its output is appended to ``folder/log``."""
    log = folder / "log"
    if "LD_PRELOAD" not in variables:
        return forks.Fork(words, folder, {**environment(), **variables}, [log, log])
    with log.open("ab") as file:
        return subprocess.Popen(
            command(*words),
            cwd=folder,
            env={**environment(), **variables},
            stdout=file,
            stderr=file,
        )


def wait_for_end(
    process: Crawling, folder: Path, seconds: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Wait for a crawl to end. Raises AssertionError if it does not."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"a run did not end: {log_of(folder)[-3000:]}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, log_of(folder))


def run(words: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a crawl until it ends, or until the point named by CRAWLER_KILL_AT."""
    return wait_for_end(start(words, folder, **variables), folder)


def run_and_kill(
    words: list[str], folder: Path, server: NewsServer, requests: int, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a crawl and kill it ``seconds`` after a number of requests, unless it ends first."""
    before = len(server.requested_ids)
    process = start(words, folder)
    wait_until(
        lambda: len(server.requested_ids) >= before + requests or process.poll() is not None,
        lambda: log_of(folder),
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return wait_for_end(process, folder)


def log_of(folder: Path) -> str:
    return (folder / "log").read_text(encoding="utf-8")


def check(
    folder: Path,
    expected: dict[str, dict[str, Any]],
    last: subprocess.CompletedProcess[str],
    kind: Kind = KINDS[0],
) -> None:
    """Compare the results of a crawl with the expected records."""
    assert last.returncode == 0, f"exit {last.returncode}\n{last.stdout[-3000:]}"
    feeds = [
        record
        for feed in sorted((folder / "output").rglob("*.jsonl"))
        for record in read_records(feed)
    ]
    for name, records in (
        ("union of the feeds", feeds),
        ("-o or -O file", read_records(folder / "mine.jsonl")),
    ):
        actual = lasting(records, kind)
        missing, extra = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        assert not missing and not extra, f"{name}: {len(missing)} missing, {len(extra)} unexpected"
        differing = [key for key in expected if actual[key] != expected[key]]
        assert not differing, (
            f"{name}: {len(differing)} differ; {differing[0]} is\n"
            f"{json.dumps(actual[differing[0]])}\ninstead of\n{json.dumps(expected[differing[0]])}"
        )
    assert not list(folder.rglob("*.part")), "a .part file is left"
    check_latest(folder)
    if archives := list(folder.rglob("*.warc.gz")):
        expected_urls = {
            record["url"] for record in expected.values() if record.get("source") == "live"
        }
        expected_urls -= {
            record["url"] for record in expected.values() if record["kind"] == "failure"
        }
        assert not (missing := expected_urls - archived_urls(archives)), (
            f"{len(missing)} articles are recorded but not archived"
        )
    kinds = Counter(record["kind"] for record in expected.values())
    sum_ = "discovered {} = articles {} + teasers {} + failures {} + pending 0".format(
        len(expected), *(kinds[kind] for kind in ("article", "teaser", "failure"))
    )
    assert sum_ in last.stdout, last.stdout[-500:]


def check_latest(folder: Path) -> None:
    """Check that ``latest``, of the feeds and of the job, leads to the newest folder of feeds."""
    # One in the future is from a wrong clock.
    now = stamp(datetime.now(UTC))
    feeds = (folder / "output").rglob("*.jsonl")
    newest = max(feed.parent for feed in feeds if feed.parent.name <= now)
    links = list(folder.rglob("latest"))
    assert len(links) == 2, links
    for link in links:
        assert link.samefile(newest), f"{link} leads to {link.readlink()}, not to {newest}"


def archived_urls(files: list[Path]) -> set[str]:
    """Return the URLs with complete pages in WARC files, some of which may be truncated."""
    found = set()
    for path in files:
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests=True):
                body = record.content_stream().read()
                if (
                    record.rec_type == "response"
                    and body.rstrip().endswith(b"</html>")
                    and record.digest_checker.passed
                ):
                    found.add(record.rec_headers.get_header("WARC-Target-URI"))
    return found


def crawl(site: Site, folder: Path, kind: Kind, chance: random.Random) -> tuple[int, int]:
    """Kill and resume a crawl until it finishes, then do so again during a recheck.

    Return the number of kills, and of pages fetched twice before the recheck.
    """
    expected = site.truth(kind)
    words = line(
        site.url,
        *site.source(kind),
        *("-s", "JOBDIR=job", "-a", "archive=pages.warc.gz"),
        *("-s", f"LEDGER_SYNC_INTERVAL={chance.choice(SYNC_INTERVALS)}"),
        *("-o" if kind.changes else chance.choice(("-o", "-O")), "mine.jsonl"),
        at_once=chance.choice((1, 16)),
    )

    def kill_once(*more: str) -> subprocess.CompletedProcess[str]:
        requests, seconds = chance.randint(1, MOST_REQUESTS), chance.uniform(0, MOST_SECONDS)
        return run_and_kill([*words, *more], folder, site, requests, seconds)

    site.serve(kind)
    requested: list[str] = []
    changes_after = chance.randint(1, 4)
    for kills in range(MOST_RUNS):
        if kills == changes_after and kind.changes:
            requested += site.requested_ids
            site.serve(kind, changed=True)
        last = kill_once()
        if last.returncode != -signal.SIGKILL:
            break
    else:
        raise AssertionError(
            f"the crawl is not done after {MOST_RUNS} runs, each killed: the runs keep too little "
            f"of what they fetch\n{last.stdout[-3000:]}"
        )
    requested += site.requested_ids
    if not kind.changes:
        check(folder, expected, last)
    site.serve(kind, changed=kind.changes)
    again = ("-a", "recheck=all")
    kills += sum(kill_once(*again).returncode == -signal.SIGKILL for _ in range(2))
    check(folder, expected, run([*words, *again], folder), kind)
    return kills, len(requested) - len(set(requested))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    kills = crawls = refetched = 0
    print(f"seed {options.seed}", flush=True)
    with Site() as site:
        for kind in cycle(KINDS):
            folder = Path(tempfile.mkdtemp(prefix="kill-"))
            try:
                killed, more = crawl(site, folder, kind, chance)
            except AssertionError as error:
                sys.exit(f"{folder}: {kind.name}: {error}")
            shutil.rmtree(folder)
            kills, crawls, refetched = kills + killed, crawls + 1, refetched + more
            print(
                f"{crawls} crawls ({kind.name}), {kills} kills, {refetched} pages fetched twice",
                flush=True,
            )
            if kills >= options.kills:
                break
    each = refetched / max(kills, 1)
    print(
        f"{kills} kills in {crawls} crawls: no record lost or duplicated, no torn line; "
        f"{each:.1f} pages fetched twice per kill"
    )


if __name__ == "__main__":
    os.umask(0o022)
    main()
