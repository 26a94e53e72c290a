"""Kill crawls with SIGKILL at random moments, resume them until they are done, and compare what they left with the truth.

    python tests/kill.py [KILLS] [--seed N]

Every crawl is of a local site of 300 pages, with 16 requests at once or with one. It is killed after a random number of
requests that the server has seen, and started again, until a run comes to its end. Then the union of its three feeds,
and its ``-o`` or ``-O`` file, must each be the records of a crawl that nobody killed, each line whole and once, and the
page of every article must be in the archives that the runs wrote. The number of pages fetched twice is printed, too.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from conftest import IMPATIENT, PATIENCE, command, environment, read_records, wait_until
from server import NewsServer
from warcio.archiveiterator import ArchiveIterator

from benchmarks.crawl import FIRST_ID, article

PAGES = 300
# Pages that are not there, and headlines that are not followed.
GONE = 37
MATCH = "[0-8],"
VOLATILE = ("fetched_at", "failed_at")
# A run is killed after so many requests and seconds at most. Most runs get to commit something before that, however slow
# the machine is, so a crawl that is not done after MOST_RUNS makes no progress.
MOST_REQUESTS, MOST_SECONDS = 150, 0.4
MOST_RUNS = 40


def site() -> NewsServer:
    """A server of PAGES linked pages, of which some are gone."""
    chance = random.Random(4)
    server = NewsServer(Path("nowhere"))
    pages = {number: article(number, PAGES, chance) for number in range(PAGES)}
    server.pages = {
        f"/news/{FIRST_ID + number}": page
        for number, page in pages.items()
        if number % GONE or not number
    }
    return server


def line(url: str, *words: object, at_once: int = 16) -> list[str]:
    """The command line of a crawl of the whole site."""
    settings = {
        **IMPATIENT,
        "CONCURRENT_REQUESTS": at_once,
        "CONCURRENT_REQUESTS_PER_DOMAIN": at_once,
    }
    arguments = {"seed": FIRST_ID, "base_url": url, "depth": 1000, "match": MATCH}
    given = [f"{name}={value}" for name, value in arguments.items()]
    return command(
        "crawl",
        "articles",
        *(part for value in given for part in ("-a", value)),
        *(part for name, value in settings.items() for part in ("-s", f"{name}={value}")),
        *words,
    )


def lasting(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Records by id, without what differs between two crawls of one site; no id may come twice."""
    assert len({record["id"] for record in records}) == len(records), "an article has two records"
    kept = {}
    for record in records:
        left_out = (
            (*VOLATILE, "listed_on", "listed_as") if record["kind"] == "failure" else VOLATILE
        )
        kept[record["id"]] = {name: value for name, value in record.items() if name not in left_out}
    return kept


def start(words: list[str], folder: Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start a crawl with further environment variables; its output is added to ``folder/log``."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            words, cwd=folder, env={**environment(), **variables}, stdout=log, stderr=log
        )


def ended(process: subprocess.Popen[bytes], folder: Path) -> subprocess.CompletedProcess[str]:
    """Wait for the end of a crawl; AssertionError if it does not come."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"a run did not end: {log_of(folder)[-3000:]}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, log_of(folder))


def run(words: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a crawl to its end, or to the moment that CRAWLER_KILL_AT names."""
    return ended(start(words, folder, **variables), folder)


def run_and_kill(
    words: list[str], folder: Path, server: NewsServer, requests: int, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a crawl and kill it some seconds after a number of requests, unless it ends before."""
    before = len(server.news_asked)
    process = start(words, folder)
    wait_until(
        lambda: len(server.news_asked) >= before + requests or process.poll() is not None,
        lambda: log_of(folder),
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return ended(process, folder)


def log_of(folder: Path) -> str:
    return (folder / "log").read_text(encoding="utf-8")


def truth(url: str) -> dict[str, dict[str, Any]]:
    """The records of a crawl that nobody kills."""
    with tempfile.TemporaryDirectory() as name:
        done = run(line(url, "-O", "all.jsonl"), Path(name))
        assert done.returncode == 0, done.stdout
        return lasting(read_records(Path(name) / "all.jsonl"))


def check(
    folder: Path, expected: dict[str, dict[str, Any]], last: subprocess.CompletedProcess[str]
) -> None:
    """Compare what a crawl left with the truth."""
    assert last.returncode == 0, f"exit {last.returncode}\n{last.stdout[-3000:]}"
    feeds = [
        record
        for feed in sorted((folder / "output").glob("*.jsonl"))
        for record in read_records(feed)
    ]
    for name, records in (
        ("union of the feeds", feeds),
        ("-o or -O file", read_records(folder / "mine.jsonl")),
    ):
        got = lasting(records)
        missing, extra = expected.keys() - got.keys(), got.keys() - expected.keys()
        assert not missing and not extra, (
            f"{name}: {len(missing)} missing, {len(extra)} that should not be there"
        )
        differing = [key for key in expected if got[key] != expected[key]]
        assert not differing, (
            f"{name}: {differing[0]} is\n{json.dumps(got[differing[0]])}\nand not\n{json.dumps(expected[differing[0]])}"
        )
    assert not list(folder.rglob("*.part")), "a part is left"
    if archives := list(folder.glob("*.warc.gz")):
        wanted = {record["url"] for record in expected.values() if record["kind"] == "article"}
        assert not (missing := wanted - archived(archives)), (
            f"{len(missing)} articles are recorded and not archived"
        )
    kinds = Counter(record["kind"] for record in expected.values())
    sum_ = "discovered {} = articles {} + teasers {} + failures {} + pending 0".format(
        len(expected), *(kinds[kind] for kind in ("article", "teaser", "failure"))
    )
    assert sum_ in last.stdout, last.stdout[-500:]


def archived(files: list[Path]) -> set[str]:
    """The URLs whose pages are whole in WARC files, of which some may be cut off."""
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


def crawl(
    server: NewsServer, folder: Path, expected: dict[str, dict[str, Any]], chance: random.Random
) -> tuple[int, int]:
    """Kill and resume one crawl until it is done; return how often it was killed, and how many pages were fetched twice."""
    server.asked.clear()
    job = ("-s", "JOBDIR=job", "-a", "archive=pages.warc.gz")
    words = line(
        server.url, *job, chance.choice(("-o", "-O")), "mine.jsonl", at_once=chance.choice((1, 16))
    )
    for kills in range(MOST_RUNS):
        last = run_and_kill(
            words,
            folder,
            server,
            chance.randint(1, MOST_REQUESTS),
            chance.uniform(0, MOST_SECONDS),
        )
        if last.returncode != -signal.SIGKILL:
            check(folder, expected, last)
            return kills, len(server.news_asked) - len(set(server.news_asked))
    raise AssertionError(
        f"the crawl is not done after {MOST_RUNS} runs, each killed: the runs keep too little of "
        f"what they fetch, {len(set(server.news_asked))} pages so far\n{log_of(folder)[-3000:]}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    kills = crawls = twice = 0
    with site() as server:
        expected = truth(server.url)
        print(f"seed {options.seed}; the truth has {len(expected)} records", flush=True)
        while kills < options.kills:
            folder = Path(tempfile.mkdtemp(prefix="kill-"))
            try:
                more, again = crawl(server, folder, expected, chance)
            except AssertionError as error:
                sys.exit(f"{folder}: {error}")
            shutil.rmtree(folder)
            kills, crawls, twice = kills + more, crawls + 1, twice + again
            print(f"{crawls} crawls, {kills} kills, {twice} pages fetched twice", flush=True)
    each = twice / max(kills, 1)
    print(
        f"{kills} kills in {crawls} crawls: no record lost, none twice, no torn line; {each:.1f} pages fetched twice for each kill"
    )


if __name__ == "__main__":
    os.umask(0o022)
    main()
