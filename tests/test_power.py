"""Data reported as safe survives a power cut at any moment: see power.py."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import kill
import pytest
from conftest import IMPATIENT, PATIENCE, Crawl, environment, read_records, service, wait_until
from power import Machine, State, lay_out
from server import NewsServer, answer
from sqlalchemy import select

from crawler.crawl.ledger import history, job
from crawler.crawl.ledger.schema import RUNS

GOOD = b'{"kind": "a good record of an earlier run"}\n'
SEEDS = ("1752038", "1751821", "1751437", "99", "1749239", "1750135")
ARTICLES = set(SEEDS) - {"99"}
LEDGER = "jobs/of/site/ledger.sqlite"
JOB = ("-s", "JOBDIR=job")
RESUMED = 6
"""The crawl is resumed in about this many of the states that a power cut may leave."""

Files = tuple[tuple[str, tuple[bytes, int]], ...]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder that may lose unsynced data."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(tmp_path: Path, folder: Path) -> Iterator[Callable[[State], Machine]]:
    """Return a function that starts a machine whose folder has these files."""
    service("strace", shutil.which("strace"))
    running: list[Machine] = []

    def start(files: State) -> Machine:
        lay_out(files, folder)
        cache_folder = {"XDG_CACHE_HOME": str(folder / "cache")}
        running.append(Machine(folder, tmp_path / "trace", {**environment(), **cache_folder}))
        return running[0]

    yield start
    for each in running:
        each.close()


def crawl_of(*words: object) -> list[object]:
    settings = {**IMPATIENT, "RETRY_TIMES": 0, "CONCURRENT_REQUESTS": 1}
    given = (word for name, value in settings.items() for word in ("-s", f"{name}={value}"))
    return ["crawl", "articles", "-a", "depth=0", *given, *words]


class Held(NamedTuple):
    """The contents of a state: ids of articles in the ledger and in the archive, and whether the
    run has ended according to the ledger.
    """

    articles: set[str]
    ended: bool
    archived: set[str]


class Kept:
    """Reads states, most of which share a ledger or an archive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledger = cache(self._look_into_ledger)
        self._archive = cache(self._look_into_archive)

    def of(self, state: State) -> Held:
        ledger = [(name, file) for name, file in state.items() if name.startswith(LEDGER)]
        archive = [(name, file) for name, file in state.items() if name.endswith(".warc.gz")]
        articles, ended = self._ledger(tuple(ledger)) if LEDGER in state else (set(), False)
        return Held(articles, ended, self._archive(tuple(archive)))

    def _look_into_ledger(self, files: Files) -> tuple[set[str], bool]:
        self._lay_out(files)
        database = job.read((self._folder / LEDGER).parent)
        try:
            assert database.damage() == []
            with database.snapshot() as connection:
                records = history.corpus(connection, every_revision=False)
                articles = [json.loads(record)["id"] for record in records]
                ended = connection.execute(select(RUNS.c.ended)).scalars().all()
        finally:
            database.close()
        assert len(set(articles)) == len(articles)
        return set(articles), any(ended)

    def _look_into_archive(self, files: Files) -> set[str]:
        self._lay_out(files)
        return {
            url.rpartition("/")[2] for url in kill.archived([self._folder / n for n, _ in files])
        }

    def _lay_out(self, files: Files) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        lay_out(dict(files), self._folder)


def test_a_job(
    server: NewsServer,
    scrapy: Crawl,
    machine: Callable[[State], Machine],
    folder: Path,
    tmp_path: Path,
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def wait(handler: BaseHTTPRequestHandler, before: int) -> None:
        asked.set()
        go_on.wait(PATIENCE)
        answer(handler, 200, server.pages[handler.path])

    server.misbehaviour[f"/news/{SEEDS[-1]}"] = wait
    words = crawl_of(
        *("-a", f"seed={','.join(SEEDS)}", "-a", f"base_url={server.url}"),
        *("-a", "archive=pages/of/site.warc.gz", "-s", "JOBDIR=jobs/of/site", "-O", "mine.jsonl"),
    )
    before = {"mine.jsonl": (GOOD, 0o640)}
    running = machine(before)
    running.start(*words)
    kept = Kept(tmp_path / "looked at")
    moments: list[list[State]] = []

    def fetched_is_safe() -> bool:
        moments.extend(running.power_cuts())
        return kept.of(running.disk.safe()).articles == ARTICLES - {SEEDS[-1]}

    assert asked.wait(PATIENCE)
    try:
        # While nothing else happens, fetched articles become durable.
        wait_until(fetched_is_safe, seconds=30)
    finally:
        go_on.set()
    assert running.ended() == 0
    moments += running.power_cuts()
    assert running.disk.now() == files_in(folder)
    after = {
        name: file
        for name, file in running.disk.now().items()
        if name in before or name.startswith("output/")
    }
    assert len(after) == 4 and after["mine.jsonl"][1] == 0o640
    safe: set[str] = set()
    different: dict[object, State] = {}
    for states in moments:
        safe |= kept.of(states[0]).articles
        for state in states:
            held = kept.of(state)
            assert safe <= held.articles <= held.archived
            feeds = {name: state[name] for name in after if name in state}
            for name, file in feeds.items():
                assert file in (before.get(name), after[name]), name
            # Otherwise the records of the feed would be fetched and written again.
            assert feeds == before or held.articles == ARTICLES
            assert feeds == after or not held.ended
            files = frozenset((name, file[0] == b"") for name, file in state.items())
            different.setdefault((len(held.articles), held.ended, files), state)
    truth = kill.lasting(read_records(folder / "mine.jsonl"))
    assert truth.keys() > set(SEEDS)
    for state in list(different.values())[:: len(different) // RESUMED]:
        shutil.rmtree(folder)
        lay_out(state, folder)
        run = scrapy(*words, cwd=folder)
        last = subprocess.CompletedProcess(words, run.exit_code, run.stdout + run.stderr)
        kill.check(folder, truth, last)


@dataclass
class Step:
    """A command and its effect on existing files."""

    words: list[object]
    exit_code: int = 0
    kept: tuple[str, ...] = ()
    """Files whose lines survive any power cut, in the file or in one whose name begins with its."""
    complete: bool = False
    """Whether the command's output may replace the kept lines."""


def test_files(server: NewsServer, machine: Callable[[State], Machine], folder: Path) -> None:
    server.misbehaviour["/news/5"] = lambda handler, before: handler.send_error(500)
    live = ("-a", f"base_url={server.url}")
    replaced = ("-O", "a.jsonl", "-O", "b.jsonl")
    added = ("-o", "c.jsonl", "-o", "d.jsonl", "-o", "of/feeds/e.jsonl")
    archive = "of/pages/a.warc.gz"
    # The second is short: it is still in the program's buffers after the last write.
    two = "seed=1752038,1745650"
    steps = {
        "replaced by an incomplete run": Step(
            crawl_of(*live, "-a", "seed=1752038,5", *replaced), 3, ("a.jsonl", "b.jsonl.previous")
        ),
        "replaced": Step(
            crawl_of(*live, "-a", "seed=1752038", *replaced),
            kept=("a.jsonl.previous", "b.jsonl.previous"),
            complete=True,
        ),
        "added to": Step(
            crawl_of(*live, "-a", two, "-a", f"archive={archive}", *added),
            kept=("c.jsonl", "d.jsonl", "d.jsonl.previous"),
        ),
        "from the archive": Step(crawl_of(*live, "-a", f"source={archive}", "-a", two, *JOB)),
        "exported": Step(["export", *JOB, "-o", "all.jsonl"]),
    }
    running = machine(
        {
            "a.jsonl": (GOOD, 0o604),
            "b.jsonl": (b'{"kind": "incomplete"}\n', 0o640),
            "b.jsonl.previous": (GOOD, 0o604),
            "c.jsonl": (GOOD + b'{"torn o', 0o600),
            "d.jsonl": (b'{"kind": "incomplete"}\n', 0o666),
            "d.jsonl.previous": (GOOD, 0o604),
            "all.jsonl": (GOOD, 0o640),
        }
    )
    for name, step in steps.items():
        before = running.disk.now()
        running.start(*step.words)
        assert running.ended() == step.exit_code, name
        moments = list(running.power_cuts())
        after = running.disk.now()
        assert after == files_in(folder), name
        for path in before.keys() & after.keys():
            assert after[path][1] == before[path][1], f"{name}: the permissions of {path}"
        for state in chain(*moments):
            _check(state, before, after, step, name)
        for state in moments[-1]:
            assert feeds_of(state) == feeds_of(after), name


def _check(state: State, before: State, after: State, step: Step, name: str) -> None:
    for path in before.keys() | after.keys():
        whole = [before.get(path), after.get(path)]
        if path.startswith("job/"):
            continue
        if path.startswith("cache/"):
            # A missing index is rebuilt; an incomplete one would hide pages.
            whole.append(None)
        elif path.endswith(".previous"):
            whole.append(after[path.removesuffix(".previous")])
        if path.endswith((".warc.gz", ".torn")):
            assert after[path][0].startswith(state.get(path, (b"",))[0]), (name, path)
        else:
            assert state.get(path) in whole, (name, path)
    for path in step.kept:
        target = path.removesuffix(".previous")
        named = [
            file
            for other, file in state.items()
            if other.startswith(target) and not other.endswith(".part")
        ]
        lines = {line for content, _ in named for line in content.splitlines()}
        assert (step.complete and after[target] in named) or lines.issuperset(
            before[path][0].splitlines()
        ), (name, path)
        if state[target] == after[target]:
            assert all(other in state for other in after if other.startswith(target)), (name, path)


def feeds_of(state: State) -> State:
    """Return the files of a state that users keep."""
    return {name: file for name, file in state.items() if not name.startswith(("job/", "cache/"))}


def files_in(folder: Path) -> State:
    """Return the files in a folder with their permissions."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }
