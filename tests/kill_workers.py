"""Disturb crawls by three workers at random moments, and compare each with one by one worker.

    python tests/kill_workers.py [ROUNDS] [--pages N] [--seed N]

Each round is a crawl of a local site of 1,500 pages, as in kill.py, with the ledger in PostgreSQL.
Meanwhile, at random moments, a worker is killed with SIGKILL and another one started, a worker is
stopped with SIGSTOP for longer than its lease, the server is restarted as after a power cut, or the
connections of a worker to the server are cut or fall silent. The clocks of some workers are wrong
by minutes. At the end, the ledger must hold the same rows as that of one process with SQLite, and
the feeds the same records, written once. Every page of a record must be in one of the archives that
the workers wrote.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import kill
from conftest import clock
from databases import Server, running_server
from team_crawls import LEASE, Team, Truth, Worker, team_of, truth_of

PAGES = 1500
_MOST_DISTURBANCES = 12
_SECONDS_BETWEEN = (0.3, 2.5)
# A round that has not ended after this time hangs, even on a busy machine.
_MOST_SECONDS = 900
# A clock that is a whole day wrong would be another test: that of the intervals of rechecks.
_MOST_MINUTES_OFF = 20

Disturbance = Callable[[Team, Worker, random.Random], object]


def _kill(team: Team, worker: Worker, chance: random.Random) -> None:
    worker.kill()
    start(team, chance)


def _stop(team: Team, worker: Worker, chance: random.Random) -> None:
    worker.stop_for(LEASE + chance.uniform(0.5, 2))


def _restart(team: Team, worker: Worker, chance: random.Random) -> None:
    team.server.control("restart", "-m", "immediate")


def _cut(team: Team, worker: Worker, chance: random.Random) -> None:
    worker.proxy.cut()


def _silence(team: Team, worker: Worker, chance: random.Random) -> None:
    worker.fall_silent_for(LEASE + chance.uniform(0.5, 2))


DISTURBANCES: dict[str, Disturbance] = {
    "killed": _kill,
    "stopped": _stop,
    "server restarted": _restart,
    "cut off": _cut,
    "silent": _silence,
}


def start(team: Team, chance: random.Random) -> bool:
    """Start a worker; return whether its clock is wrong."""
    is_wrong = chance.random() < 0.3
    minutes = chance.choice((-1, 1)) * chance.uniform(2, _MOST_MINUTES_OFF)
    team.start(**(clock(f"{minutes:+.2f}m") if is_wrong else {}))
    return is_wrong


def disturbed_crawl(
    site: kill.Site,
    truth: Truth,
    folder: Path,
    server: Server,
    chance: random.Random,
) -> Counter[str]:
    """Crawl with three workers, disturb them, and check the result; return what was done to them.

    Raises AssertionError if anything is lost, different or stored twice.
    """
    words = kill.line(site.url, "-a", "archive=pages.warc.gz", at_once=chance.choice((4, 16)))
    done: Counter[str] = Counter()
    with (
        server.new_database() as database,
        team_of(0, words, folder, server, database) as team,
    ):
        done["wrong clocks"] = sum(start(team, chance) for _ in range(3))
        while done.total() - done["wrong clocks"] < _MOST_DISTURBANCES:
            time.sleep(chance.uniform(*_SECONDS_BETWEEN))
            alive = team.alive
            if team.has_ended or not alive:
                break
            name = chance.choice(list(DISTURBANCES))
            DISTURBANCES[name](team, chance.choice(alive), chance)
            done[name] += 1
        team.check(truth, _MOST_SECONDS)
        check_archives(team, truth)
        done["leases lost"] = sum(
            worker.log.count("left to other workers") for worker in team.workers
        )
    return done


def check_archives(team: Team, truth: Truth) -> None:
    """Check that the archives of the workers together hold the page of each record."""
    files = [file for worker in team.workers for file in worker.folder.rglob("*.warc.gz")]
    articles = {one["url"] for one in truth.records.values() if one["kind"] == "article"}
    assert not (missing := articles - kill.archived_urls(files)), f"not archived: {missing}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rounds", type=int, nargs="?", default=40)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    sums: Counter[str] = Counter()
    with kill.Site(options.pages) as site, running_server() as server:
        site.serve(kill.KINDS[0])
        folder = Path(tempfile.mkdtemp(prefix="kill-workers-"))
        truth = truth_of(kill.line(site.url), folder / "one")
        for number in range(1, options.rounds + 1):
            seed, began = options.seed + number, time.monotonic()
            site.requests.clear()
            crawl_folder = folder / f"round {number}"
            try:
                done = disturbed_crawl(site, truth, crawl_folder, server, random.Random(seed))
            except AssertionError as error:
                sys.exit(f"{crawl_folder}: round {number}, seed {seed}: {error}")
            shutil.rmtree(crawl_folder)
            requested = site.requested_ids
            done["pages fetched twice"] = len(requested) - len(set(requested))
            sums += done
            print(
                f"round {number} ({seed}): {_in_words(done)}; {time.monotonic() - began:.0f} s",
                flush=True,
            )
        shutil.rmtree(folder)
    print(
        f"{options.rounds} rounds of three workers on {options.pages} pages: {_in_words(sums)}; "
        f"each left the same {len(truth.records)} records, and the same ledger, as one worker: "
        "0 lost, 0 twice"
    )


def _in_words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


if __name__ == "__main__":
    os.umask(0o022)
    main()
