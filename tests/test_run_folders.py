"""A run leaves one folder, and ``latest`` leads to the newest complete one, whatever happens."""

import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from multiprocessing import get_context
from pathlib import Path

import pytest
from conftest import (
    IMPATIENT,
    PATIENCE,
    SEED,
    SITE,
    Crawl,
    clock,
    command,
    environment,
    read_records,
    small_disk,
    wait_until,
)
from job_crawls import LISTED_ID, killed_at
from server import NewsServer, answer
from services import require

from crawler.crawl.run import unique_time
from crawler.files import locked

LINES = {"format": "jsonlines", "store_empty": False}
KINDS = {"articles": "article", "teasers": "teaser", "failures": "failure"}


def times_of(count: int) -> list[datetime]:
    return [unique_time() for _ in range(count)]


def test_runs_that_begin_together_begin_at_different_times() -> None:
    """Otherwise they would share a folder. Without the lock, some of these times are equal."""
    with ProcessPoolExecutor(2, get_context("forkserver")) as processes:
        times = [time for some in processes.map(times_of, [5_000] * 2) for time in some]
    assert len(set(times)) == len(times)


def test_a_run_in_a_folder_that_is_locked(crawl: Crawl, tmp_path: Path) -> None:
    """Crontab lines such as ``flock --nonblock . neighbourhood URL`` keep the lock all the time."""
    with locked(tmp_path):
        assert crawl(seed=1752038, source=SITE, depth=0).exit_code == 0


class Folder:
    """A folder in which crawls run, and its folders of feeds."""

    def __init__(self, path: Path) -> None:
        self.output, self.job = path / "output", path / "job"

    @property
    def runs(self) -> list[Path]:
        """The folders of runs, the oldest first."""
        return sorted(path for path in self.output.glob("2*") if path.is_dir())

    def latest(self, holder: Path | None = None) -> Path | None:
        """Return the folder to which ``latest`` leads, in ``output`` or in another folder."""
        link = (holder or self.output) / "latest"
        if not link.is_symlink():
            return None
        assert not link.readlink().is_absolute()
        return link.resolve(strict=True)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def once(scrapy: Crawl, server: NewsServer) -> Crawl:
    """Crawl an article, another that fails, and the teasers that the first lists."""
    server.misbehaviour["/news/5"] = lambda handler, before: handler.send_error(500)

    def run(*words: object, seed: str = f"{SEED},5", **keywords: object) -> object:
        settings = {**IMPATIENT, "RETRY_TIMES": 0}
        line = [f"-a{name}={value}" for name, value in {"seed": seed, "depth": 0}.items()]
        line += [f"-abase_url={server.url}", *(f"-s{k}={v}" for k, v in settings.items())]
        return scrapy("crawl", "articles", *line, *words, **keywords)

    return run


JOB = ("-s", "JOBDIR=job")


@pytest.mark.parametrize("options", [(), JOB], ids=["", "JOBDIR"])
def test_a_run_leaves_a_folder(once: Crawl, folder: Folder, options: tuple[str, ...]) -> None:
    run = once(*options)
    assert run.exit_code == 3
    [first] = folder.runs
    for name, kind in KINDS.items():
        assert {record["kind"] for record in read_records(first / f"{name}.jsonl")} == {kind}
        assert f"  written: output/{first.name}/{name}.jsonl\n" in run.stdout
    assert len(list(first.iterdir())) == 3
    assert folder.latest() == first
    links = "output/latest, job/latest" if options else "output/latest"
    assert f"  latest: {links}\n" in run.stdout
    once(*options, seed=LISTED_ID)
    assert folder.runs[0] == first
    second = folder.runs[1]
    assert {path.name for path in second.iterdir()} == {"articles.jsonl", "teasers.jsonl"}
    assert folder.latest() == second
    assert folder.latest(folder.job) == (second if options else None)


@pytest.mark.slow
def test_the_links_survive_a_move(once: Crawl, folder: Folder, tmp_path: Path) -> None:
    once("-s", "JOBDIR=output/jobs/one")
    folder.output.rename(tmp_path / "moved")
    [moved] = (tmp_path / "moved").glob("2*")
    for holder in (tmp_path / "moved", tmp_path / "moved" / "jobs" / "one"):
        assert folder.latest(holder) == moved


@pytest.mark.slow
def test_a_job_and_feeds_that_are_symbolic_links(
    once: Crawl, folder: Folder, tmp_path: Path
) -> None:
    for name in ("output", "job"):
        (tmp_path / "elsewhere" / "deep" / name).mkdir(parents=True)
        (tmp_path / name).symlink_to(tmp_path / "elsewhere" / "deep" / name)
    once(*JOB)
    [run] = folder.runs
    assert folder.latest() == folder.latest(folder.job) == run.resolve()


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), JOB], ids=["", "JOBDIR"])
def test_a_run_that_writes_no_record(
    once: Crawl, folder: Folder, tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "users.py").write_text(
        "from scrapy.exceptions import DropItem\n\n\n"
        "class Drop:\n    def process_item(self, item):\n        raise DropItem('unwanted')\n"
    )
    drop = ("-s", json.dumps({"users.Drop": 500}).join(("ITEM_PIPELINES=", "")))
    assert "written" not in once(*options, *drop).stdout
    assert folder.runs == []
    assert folder.latest() is None
    once(*options, seed=LISTED_ID)
    [first] = folder.runs
    run = once(*options, *drop)
    assert "latest" not in run.stdout
    assert folder.runs == [first]
    assert folder.latest() == first


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "folder", "prepared"])
def test_what_is_the_users_is_left_alone(once: Crawl, folder: Folder, kind: str) -> None:
    folder.output.mkdir()
    precious = folder.output / ("latest.part" if kind == "prepared" else "latest")
    if kind == "folder":
        precious.mkdir()
        precious /= "precious"
    precious.write_text("precious")
    run = once(*JOB)
    assert run.exit_code == 3
    assert precious.read_text() == "precious"
    assert len(folder.runs) == 1
    assert folder.latest() is None
    assert "  latest: job/latest\n" in run.stdout
    [warning] = [line for line in run.stderr.splitlines() if "latest" in line]
    advice = "(latest.part: File exists)" if kind == "prepared" else "if you rename it, the next"
    assert advice in warning


@pytest.mark.slow
def test_a_link_is_replaced_and_not_followed(once: Crawl, folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    folder.output.mkdir()
    for target in ("../precious", str(tmp_path / "precious"), "gone", "9999"):
        (folder.output / "latest").unlink(missing_ok=True)
        (folder.output / "latest").symlink_to(target)
        once()
        assert folder.latest() == folder.runs[-1], target
    assert list((tmp_path / "precious").iterdir()) == []


@pytest.mark.slow
def test_a_file_system_without_symbolic_links(folder: Folder, tmp_path: Path) -> None:
    require("strace")
    calls = "?symlink,?symlinkat"
    line = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
    line += ["-e", f"inject={calls}:error=EPERM"]
    line += command("crawl", "articles", f"-aseed={SEED}", f"-asource={SITE}", "-adepth=0", *JOB)
    run = subprocess.run(
        line, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert len(folder.runs) == 1
    assert "latest:" not in run.stdout
    for link in (folder.output / "latest", Path("job/latest")):
        assert f"{link} could not be made a symbolic link to " in run.stderr
    assert (
        run.stderr.count("WARNING: ")
        == run.stderr.count("(latest.part: Operation not permitted)")
        == 2
    )


@pytest.mark.slow
def test_runs_at_the_same_time(server: NewsServer, folder: Folder, tmp_path: Path) -> None:
    """The run that began last counts, even if it ends first."""
    may_answer = threading.Event()

    def wait(handler: BaseHTTPRequestHandler, before: int) -> None:
        if not before:
            may_answer.wait(PATIENCE)
        answer(handler, 200, server.pages[handler.path])

    server.misbehaviour[f"/news/{SEED}"] = wait
    line = command("crawl", "articles", f"-aseed={SEED}", f"-abase_url={server.url}", "-adepth=0")
    older = subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: server.requested_ids)
        subprocess.run(line, cwd=tmp_path, env=environment(), capture_output=True, check=True)
        [newer] = folder.runs
        assert folder.latest() == newer
    finally:
        may_answer.set()
    stdout, _ = older.communicate(timeout=PATIENCE)
    assert older.returncode == 0
    assert "latest" not in stdout
    assert len(folder.runs) == 2
    assert folder.latest() == newer == folder.runs[1]


@pytest.mark.slow
def test_many_runs_at_the_same_time(folder: Folder, tmp_path: Path) -> None:
    line = command("crawl", "articles", f"-aseed={SEED}", f"-asource={SITE}", "-adepth=0")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    runs = [
        subprocess.Popen(  # type: ignore[call-overload]
            line, cwd=tmp_path, env=environment(), **quiet
        )
        for _ in range(4)
    ]
    assert [run.wait() for run in runs] == [0] * 4
    assert len(folder.runs) == 4
    assert folder.latest() == folder.runs[-1]
    assert list(folder.output.glob("*.part")) == []


@pytest.mark.slow
@pytest.mark.parametrize("is_deleted", [False, True], ids=["", "deleted"])
def test_a_killed_run_that_is_completed_by_a_later_one(
    once: Crawl, folder: Folder, is_deleted: bool
) -> None:
    """It does not take ``latest`` back from a run that began after it, if that has a folder."""
    assert once(*JOB, **killed_at("feed part written")).exit_code == -signal.SIGKILL
    assert folder.latest() is None
    once()
    killed, other = folder.runs
    assert folder.latest() == other
    if is_deleted:
        shutil.rmtree(other)
    once(*JOB, seed=SEED)
    assert len(list(killed.iterdir())) == 3
    assert folder.latest() == (killed if is_deleted else other)
    assert folder.latest(folder.job) == killed


@pytest.mark.slow
def test_a_clock_that_was_ahead(crawl: Crawl, scrapy: Crawl, folder: Folder) -> None:
    line = ("crawl", "articles", f"-aseed={SEED}", f"-asource={SITE}", "-adepth=0")
    scrapy(*line, **clock("+400d"))
    [ahead] = folder.runs
    assert folder.latest() == ahead
    scrapy(*line)
    assert folder.latest() == folder.runs[0] != ahead


POINTS = [
    *((f"feed part written:{number}", False) for number in (1, 2, 3)),
    *((f"feed in its place:{number}", False) for number in (1, 2, 3)),
    ("latest prepared", False),
    ("latest changed", True),
]
"""Where a run is killed, and whether it has changed ``output/latest`` by then."""


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(("point", "is_changed"), POINTS)
def test_a_run_that_is_killed(once: Crawl, folder: Folder, point: str, is_changed: bool) -> None:
    once(seed=LISTED_ID)
    [first] = folder.runs
    run = once(**killed_at(point))
    assert run.exit_code == -signal.SIGKILL
    killed = folder.runs[1]
    assert folder.latest() == (killed if is_changed else first)
    parts = [path.name.partition(".")[0] for path in killed.glob("*.jsonl.*.part")]
    whole = [path.stem for path in killed.glob("*.jsonl")]
    assert sorted(parts + whole) == sorted(KINDS)
    assert whole or not is_changed
    once(seed=LISTED_ID)
    assert folder.latest() == folder.runs[2]
    assert list(folder.output.glob("*.part")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "is_changed", "is_changed_in_job"),
    [
        *((point, is_changed, False) for point, is_changed in POINTS),
        ("latest prepared:2", True, False),
        ("latest changed:2", True, True),
        ("feeds written", True, True),
        ("run ended", True, True),
    ],
)
def test_a_run_of_a_job_that_is_killed(
    once: Crawl, folder: Folder, point: str, is_changed: bool, is_changed_in_job: bool
) -> None:
    once(*JOB, seed=LISTED_ID)
    [first] = folder.runs
    assert once(*JOB, **killed_at(point)).exit_code == -signal.SIGKILL
    killed = folder.runs[1]
    assert folder.latest() == (killed if is_changed else first)
    assert folder.latest(folder.job) == (killed if is_changed_in_job else first)
    # The next run writes the feeds of this one, and is killed if it reaches the same point.
    assert once(*JOB, **killed_at(point)).exit_code in (-signal.SIGKILL, 3)
    once(*JOB)
    assert folder.latest() == folder.latest(folder.job) == killed
    assert {path.stem for path in killed.iterdir()} == set(KINDS)
    assert list(killed.glob("*.part")) + list(folder.output.glob("*.part")) == []


@pytest.mark.slow
def test_the_folder_of_a_killed_run_is_complete_only_with_all_of_its_feeds(
    once: Crawl, folder: Folder
) -> None:
    """A later run that lacks one of them does not make ``latest`` lead to the others."""
    feeds = dict.fromkeys(("output/%(time)s/all.jsonl", "output/%(time)s/again.jsonl"), LINES)
    both = (*JOB, "-s", f"FEEDS={json.dumps(feeds)}")
    assert once(*both, **killed_at("feed part written")).exit_code == -signal.SIGKILL
    [killed] = folder.runs
    del feeds["output/%(time)s/again.jsonl"]
    once(*JOB, "-s", f"FEEDS={json.dumps(feeds)}")
    assert [path.name for path in killed.glob("*.jsonl")] == ["all.jsonl"]
    assert folder.latest() is folder.latest(folder.job) is None
    once(*both)
    assert {path.name for path in killed.iterdir()} == {"all.jsonl", "again.jsonl"}
    assert folder.latest() == folder.latest(folder.job) == killed


MARSHAL = {"format": "marshal"}
"""A format that cannot hold the objects inside a record."""


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), JOB], ids=["", "JOBDIR"])
@pytest.mark.parametrize(
    ("name", "feed"),
    [("all.marshal", MARSHAL), ("all%(nope)s.jsonl", LINES)],
    ids=["format", "name"],
)
def test_a_feed_that_cannot_be_written(
    once: Crawl,
    tmp_path: Path,
    folder: Folder,
    options: tuple[str, ...],
    name: str,
    feed: dict[str, object],
) -> None:
    """It holds up ``latest`` beside its own folder, but not beside others."""
    feeds = {
        "damaged/%(time)s/all.jsonl": LINES,
        f"damaged/%(time)s/{name}": feed,
        "whole/%(time)s/all.jsonl": LINES,
    }
    words = ("-o", "ftp://127.0.0.1:1/all.json", "-s", f"FEEDS={json.dumps(feeds)}")
    run = once(*options, *words)
    assert run.exit_code == 4
    assert folder.latest(tmp_path / "damaged") is None
    [whole] = (tmp_path / "whole").glob("2*")
    assert folder.latest(tmp_path / "whole") == whole
    links = "whole/latest, job/latest" if options else "whole/latest"
    assert f"  latest: {links}\n" in run.stdout
    assert folder.latest(folder.job) == (whole if options else None)


@pytest.fixture
def full_disk(folder: Folder) -> Iterator[Path]:
    with small_disk(folder.output, "64k") as disk:
        yield disk


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), JOB], ids=["", "JOBDIR"])
def test_a_disk_that_fills(
    crawl: Crawl, scrapy: Crawl, full_disk: Path, folder: Folder, options: tuple[str, ...]
) -> None:
    line = ("crawl", "articles", f"-aseed={SEED}", f"-asource={SITE}", *options)
    assert scrapy(*line, "-adepth=0").exit_code == 0
    [first] = folder.runs
    run = scrapy(*line, "-adepth=9")
    assert run.exit_code == 4
    assert "No space left on device" in run.stdout
    assert folder.latest() == first
    if options:
        assert folder.latest(folder.job) == first
    assert list(folder.runs[1].glob("articles.jsonl.*.part"))


@pytest.mark.slow
def test_feeds_without_a_folder_of_their_own(once: Crawl, folder: Folder, tmp_path: Path) -> None:
    feeds = ("mine/all-%(time)s.jsonl", "mine/%(time)s/more/all.jsonl", "mine/all.jsonl")
    run = once(*JOB, "-s", f"FEEDS={json.dumps(dict.fromkeys(feeds, LINES))}")
    assert run.stdout.count("written: mine/") == 3
    assert "latest" not in run.stdout
    assert not folder.output.exists()
    assert not list(tmp_path.rglob("latest"))


@pytest.mark.slow
def test_the_users_own_feeds(once: Crawl, folder: Folder, tmp_path: Path) -> None:
    feeds = {
        f"{tmp_path.as_uri()}/mine/%(time)s/all.jsonl": LINES,
        "mine/%(time)s/all.csv": {"format": "csv"},
    }
    run = once("-s", f"FEEDS={json.dumps(feeds)}")
    assert "  latest: mine/latest\n" in run.stdout
    latest = folder.latest(tmp_path / "mine")
    assert latest is not None
    assert {path.name for path in latest.iterdir()} == {"all.jsonl", "all.csv"}


@pytest.mark.slow
@pytest.mark.parametrize("feed", ["output/%(time)s/all.jsonl", "output/of/%(time)s/all.jsonl"])
def test_a_folder_that_cannot_be_made(once: Crawl, tmp_path: Path, feed: str) -> None:
    """The run says so before it fetches anything."""
    (tmp_path / "output").write_text("in the way")
    run = once("-s", f"FEEDS={json.dumps({feed: LINES})}")
    assert run.exit_code == 1
    assert "cannot be written" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_a_job_that_is_continued_in_another_folder(
    scrapy: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """The ledger is untrusted, so only the ``latest`` of this run's own feeds is changed."""
    line = ("crawl", "articles", f"-abase_url={server.url}", "-adepth=0")
    line += (
        *(f"-s{name}={value}" for name, value in IMPATIENT.items()),
        f"-sJOBDIR={tmp_path}/job",
    )
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        path.mkdir()
    killed = scrapy(*line, f"-aseed={SEED}", cwd=first, **killed_at("feed part written"))
    assert killed.exit_code == -signal.SIGKILL
    run = scrapy(*line, f"-aseed={SEED}", cwd=second)
    assert run.exit_code == 0
    [completed] = (first / "output").iterdir()
    assert {path.name for path in completed.iterdir()} == {"articles.jsonl", "teasers.jsonl"}
    assert (tmp_path / "job" / "latest").resolve() == completed
    run = scrapy(*line, f"-aseed={LISTED_ID}", cwd=second)
    assert (tmp_path / "job" / "latest").resolve() == (second / "output" / "latest").resolve()
    assert not (first / "output" / "latest").is_symlink()
