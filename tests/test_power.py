"""Data reported as safe survives a power cut at any moment: see power.py."""

import json
import os
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
from conftest import IMPATIENT, PATIENCE, Crawl, environment, read_records, wait_until
from power import SYMLINK, Machine, State, lay_out, read_file
from server import NewsServer, answer
from services import require
from sqlalchemy import select

from crawler.crawl.ledger import history, job
from crawler.crawl.ledger.places import FolderPlace
from crawler.crawl.ledger.schema import RUNS

GOOD = b'{"kind": "a good record of an earlier run"}\n'
SEEDS = ("1752038", "1751821", "1751437", "99", "1749239", "1750135")
ARTICLES = set(SEEDS) - {"99"}
LEDGER = "jobs/of/site/ledger.sqlite"
JOB = ("-s", "JOBDIR=job")
RESUMED_STATES = 6
"""The crawl is resumed in about this many of the states that a power cut may leave."""

Files = tuple[tuple[str, tuple[bytes, int]], ...]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder that may lose unsynced data."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def start_machine(tmp_path: Path, folder: Path) -> Iterator[Callable[[State], Machine]]:
    """Return a function that starts a machine whose folder has these files."""
    require("strace")
    machines: list[Machine] = []

    def start(files: State) -> Machine:
        lay_out(files, folder)
        cache_folder = {"XDG_CACHE_HOME": str(folder / "cache")}
        machines.append(Machine(folder, tmp_path / "trace", {**environment(), **cache_folder}))
        return machines[0]

    yield start
    for machine in machines:
        machine.close()


def crawl_of(*words: object) -> list[object]:
    settings = {**IMPATIENT, "RETRY_TIMES": 0, "CONCURRENT_REQUESTS": 1}
    options = (word for name, value in settings.items() for word in ("-s", f"{name}={value}"))
    return ["crawl", "articles", "-a", "depth=0", *options, *words]


class Contents(NamedTuple):
    """The contents of a state.

    ``articles`` and ``archived`` are the ids of the articles in the ledger and in the archive;
    ``ended`` is whether the run has ended, according to the ledger.
    """

    articles: set[str]
    ended: bool
    archived: set[str]


class StateReader:
    """Reads states, most of which share a ledger or an archive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledger = cache(self._read_ledger)
        self._archive = cache(self._read_archive)

    def read(self, state: State) -> Contents:
        ledger = [(name, file) for name, file in state.items() if name.startswith(LEDGER)]
        archive = [(name, file) for name, file in state.items() if name.endswith(".warc.gz")]
        articles, ended = self._ledger(tuple(ledger)) if LEDGER in state else (set(), False)
        return Contents(articles, ended, self._archive(tuple(archive)))

    def _read_ledger(self, files: Files) -> tuple[set[str], bool]:
        self._lay_out(files)
        database = job.read(FolderPlace((self._folder / LEDGER).parent))
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

    def _read_archive(self, files: Files) -> set[str]:
        self._lay_out(files)
        return {
            url.rpartition("/")[2]
            for url in kill.archived_urls([self._folder / n for n, _ in files])
        }

    def _lay_out(self, files: Files) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        lay_out(dict(files), self._folder)


@pytest.mark.slow
def test_a_job(
    server: NewsServer,
    scrapy: Crawl,
    start_machine: Callable[[State], Machine],
    folder: Path,
    tmp_path: Path,
) -> None:
    last_requested, may_answer = threading.Event(), threading.Event()

    def wait(handler: BaseHTTPRequestHandler, before: int) -> None:
        last_requested.set()
        may_answer.wait(PATIENCE)
        answer(handler, 200, server.pages[handler.path])

    server.misbehaviour[f"/news/{SEEDS[-1]}"] = wait
    words = crawl_of(
        *("-a", f"seed={','.join(SEEDS)}", "-a", f"base_url={server.url}"),
        *("-a", "archive=pages/of/site.warc.gz", "-s", "JOBDIR=jobs/of/site", "-O", "mine.jsonl"),
    )
    before = {"mine.jsonl": (GOOD, 0o640)}
    machine = start_machine(before)
    machine.start(*words)
    reader = StateReader(tmp_path / "looked at")
    moments: list[list[State]] = []

    def fetched_articles_are_safe() -> bool:
        moments.extend(machine.power_cuts())
        return reader.read(machine.disk.safe()).articles == ARTICLES - {SEEDS[-1]}

    assert last_requested.wait(PATIENCE)
    try:
        # While nothing else happens, fetched articles become durable.
        wait_until(fetched_articles_are_safe, seconds=30)
    finally:
        may_answer.set()
    assert machine.wait() == 0
    moments += machine.power_cuts()
    assert machine.disk.now() == files_in(folder)
    after = {
        name: file
        for name, file in machine.disk.now().items()
        if name in before or name.startswith("output/")
    }
    assert len(after) == 5 and after["mine.jsonl"][1] == 0o640
    assert sum(mode == SYMLINK for _, mode in machine.disk.now().values()) == 2
    safe_ids: set[str] = set()
    distinct_states: dict[object, State] = {}
    for states in moments:
        safe_ids |= reader.read(states[0]).articles
        for state in states:
            contents = reader.read(state)
            assert safe_ids <= contents.articles <= contents.archived
            check_links(state, after)
            feeds = {name: state[name] for name in after if name in state}
            for name, file in feeds.items():
                assert file in (before.get(name), after[name]), name
            # Otherwise the records of the feed would be fetched and written again.
            assert feeds == before or contents.articles == ARTICLES
            assert feeds == after or not contents.ended
            files = frozenset((name, file[0] == b"") for name, file in state.items())
            distinct_states.setdefault((len(contents.articles), contents.ended, files), state)
    truth = kill.lasting(read_records(folder / "mine.jsonl"))
    assert truth.keys() > set(SEEDS)
    for state in list(distinct_states.values())[:: len(distinct_states) // RESUMED_STATES]:
        shutil.rmtree(folder)
        lay_out(state, folder)
        run = scrapy(*words, cwd=folder)
        result = subprocess.CompletedProcess(words, run.exit_code, run.stdout + run.stderr)
        kill.check(folder, truth, result)


@dataclass
class Step:
    """A command and its effect on existing files."""

    words: list[object]
    exit_code: int = 0
    surviving: tuple[str, ...] = ()
    """Files whose lines survive any power cut, in the file or in one whose name begins with its."""
    complete: bool = False
    """Whether the command's output may replace those lines."""


def test_files(server: NewsServer, start_machine: Callable[[State], Machine], folder: Path) -> None:
    server.misbehaviour["/news/5"] = lambda handler, before: handler.send_error(500)
    live = ("-a", f"base_url={server.url}")
    replaced_feeds = ("-O", "a.jsonl", "-O", "b.jsonl")
    appended_feeds = ("-o", "c.jsonl", "-o", "d.jsonl", "-o", "of/feeds/e.jsonl")
    archive = "of/pages/a.warc.gz"
    # The second page is short: after the last write, it is still in the program's buffers.
    two_seeds = "seed=1752038,1745650"
    steps = {
        "replaced by an incomplete run": Step(
            crawl_of(*live, "-a", "seed=1752038,5", *replaced_feeds),
            3,
            ("a.jsonl", "b.jsonl.previous"),
        ),
        "replaced": Step(
            crawl_of(*live, "-a", "seed=1752038", *replaced_feeds),
            surviving=("a.jsonl.previous", "b.jsonl.previous"),
            complete=True,
        ),
        "added to": Step(
            crawl_of(*live, "-a", two_seeds, "-a", f"archive={archive}", *appended_feeds),
            surviving=("c.jsonl", "d.jsonl", "d.jsonl.previous"),
        ),
        "from the archive": Step(crawl_of(*live, "-a", f"source={archive}", "-a", two_seeds, *JOB)),
        "exported": Step(["export", *JOB, "-o", "all.jsonl"]),
    }
    machine = start_machine(
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
        before = machine.disk.now()
        machine.start(*step.words)
        assert machine.wait() == step.exit_code, name
        moments = list(machine.power_cuts())
        after = machine.disk.now()
        assert after == files_in(folder), name
        for path in before.keys() & after.keys():
            assert after[path][1] == before[path][1], f"{name}: the permissions of {path}"
        for state in chain(*moments):
            _check(state, before, after, step, name)
        for state in moments[-1]:
            assert feeds_of(state) == feeds_of(after), name


def check_links(state: State, after: State) -> None:
    """Check that each symbolic link leads to a folder with all the files that it has at the end."""
    for name, (target, mode) in state.items():
        if mode == SYMLINK:
            folder = os.path.normpath(Path(name).parent / os.fsdecode(target))
            files = [path for path in after if path.startswith(f"{folder}/")]
            assert files and all(state.get(path) == after[path] for path in files), name


def _check(state: State, before: State, after: State, step: Step, name: str) -> None:
    check_links(state, after)
    for path in before.keys() | after.keys():
        allowed = [before.get(path), after.get(path)]
        if path.startswith("job/"):
            continue
        if path.startswith("cache/"):
            # A missing index is rebuilt; an incomplete one would hide pages.
            allowed.append(None)
        elif path.endswith(".previous"):
            allowed.append(after[path.removesuffix(".previous")])
        if path.endswith((".warc.gz", ".torn")):
            assert after[path][0].startswith(state.get(path, (b"",))[0]), (name, path)
        else:
            assert state.get(path) in allowed, (name, path)
    for path in step.surviving:
        target = path.removesuffix(".previous")
        survivors = [
            file
            for other, file in state.items()
            if other.startswith(target) and not other.endswith(".part")
        ]
        lines = {line for content, _ in survivors for line in content.splitlines()}
        assert (step.complete and after[target] in survivors) or lines.issuperset(
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
        str(path.relative_to(folder)): read_file(path)
        for path in folder.rglob("*")
        if (path.is_file() or path.is_symlink()) and not path.name.endswith("-shm")
    }
