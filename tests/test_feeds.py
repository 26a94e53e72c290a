"""Test that feed files are complete or absent, whatever happens to the run."""

import json
import os
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import (
    IMPATIENT,
    PATIENCE,
    SITE,
    Crawl,
    command,
    environment,
    read_records,
    small_disk,
    wait_until,
)
from server import NewsServer, answer
from services import require

GOOD = '{"kind": "a good record of an earlier run"}\n'


def test_overwrite_and_append(crawl: Crawl, tmp_path: Path) -> None:
    feed = tmp_path / "mine.jsonl"
    crawl("-O", feed, seed=1752038, source=SITE, depth=0)
    first = read_records(feed)
    assert {record["kind"] for record in first} == {"article", "teaser"}
    crawl("-o", feed, seed=1751821, source=SITE, depth=0)
    assert read_records(feed)[: len(first)] == first
    assert len(read_records(feed)) > len(first)
    crawl("-O", feed, seed=1751821, source=SITE, depth=0)
    assert read_records(feed)[0]["id"] == "1751821"
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_simultaneous_runs(tmp_path: Path) -> None:
    """Each run has its own feeds, and a file to which all of them append has all their records."""
    line = command("crawl", "articles", "-a", "seed=1752038", "-a", f"source={SITE}")
    line += ["-a", "depth=0", "-o", "all.jsonl"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    runs = [
        subprocess.Popen(  # type: ignore[call-overload]
            line, cwd=tmp_path, env=environment(), **quiet
        )
        for _ in range(3)
    ]
    assert [run.wait() for run in runs] == [0, 0, 0]
    feeds = sorted((tmp_path / "output").rglob("articles.jsonl"))
    assert [len(read_records(feed)) for feed in feeds] == [1, 1, 1]
    added = [record["id"] for record in read_records(tmp_path / "all.jsonl")]
    assert added == added[:8] * 3


@pytest.mark.slow
def test_other_formats_still_work(crawl: Crawl, tmp_path: Path) -> None:
    crawl(
        "-O", tmp_path / "all.json", "-O", tmp_path / "all.csv", seed=1752038, source=SITE, depth=0
    )
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))[0]["id"] == "1752038"
    assert (tmp_path / "all.csv").read_text(encoding="utf-8").count("1752038") >= 1


@pytest.mark.slow
def test_records_on_standard_output_alone(crawl: Crawl) -> None:
    run = crawl("-O", "-:jsonlines", seed=1752038, source=SITE, depth=0)
    kinds = [json.loads(line)["kind"] for line in run.stdout.splitlines()]
    assert kinds == ["article"] + ["teaser"] * 7
    assert run.stderr.splitlines()[-1] == "discovered 8 = articles 1 + teasers 7 + failures 0"


@pytest.mark.slow
def test_a_run_that_stores_nothing_leaves_the_file(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    feed = tmp_path / "mine.jsonl"
    feed.write_text(GOOD, encoding="utf-8")
    server.stop()
    run = live("-O", feed, seed=1752038)
    assert run.exit_code == 4
    assert feed.read_text(encoding="utf-8") == GOOD
    [part] = tmp_path.glob("mine.jsonl.*.part")
    assert part.name in run.stderr
    assert read_records(part)[0]["reason"] == "refused"


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    ("stop_signal", "survives"),
    [(signal.SIGKILL, False), (signal.SIGINT, True), (signal.SIGTERM, True)],
    ids=["kill -9", "Ctrl-C", "term"],
)
def test_a_run_that_is_stopped(
    server: NewsServer, tmp_path: Path, stop_signal: signal.Signals, survives: bool
) -> None:
    """Ctrl-C finishes requests in flight and writes all feeds; kill -9 leaves files unchanged."""
    feed = tmp_path / "mine.jsonl"
    feed.write_text(GOOD, encoding="utf-8")

    stopped = threading.Event()

    def waits(handler: BaseHTTPRequestHandler, before: int) -> None:
        if len(server.requested_ids) >= 3:
            stopped.wait(PATIENCE)
        answer(handler, 200, server.pages[handler.path])

    server.misbehaviour.update(dict.fromkeys(server.pages, waits))
    line = command(
        "crawl", "articles", "-a", "seed=1752038", "-a", f"base_url={server.url}", "-O", feed
    )
    line += [part for name, value in IMPATIENT.items() for part in ("-s", f"{name}={value}")]
    run = subprocess.Popen(
        line,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: len(server.requested_ids) >= 3)
    run.send_signal(stop_signal)
    stopped.set()
    stdout, _ = run.communicate(timeout=PATIENCE)
    if not survives:
        assert feed.read_text(encoding="utf-8") == GOOD
        # The records stored so far are complete, to the last one.
        [part] = tmp_path.glob("mine.jsonl.*.part")
        assert {record["kind"] for record in read_records(part)} == {"article"}
        return
    assert run.returncode == 3
    assert feed.with_name("mine.jsonl.previous").read_text(encoding="utf-8") == GOOD
    records = read_records(feed)
    articles = [record["id"] for record in records if record["kind"] == "article"]
    assert sorted(articles) == sorted(set(server.requested_ids))
    assert {record["why"] for record in records if record["kind"] == "teaser"} <= {
        "interrupted",
        "depth",
    }
    assert "stopped early" in stdout
    assert (
        f"discovered {len(records)} = articles {len(articles)} + "
        f"teasers {len(records) - len(articles)}" in stdout
    )


@pytest.mark.slow
def test_a_folder_that_cannot_be_made(crawl: Crawl, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    run = crawl("-O", tmp_path / "file" / "mine.jsonl", seed=1752038, source=SITE)
    assert run.exit_code == 1
    assert "cannot be written" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_disk_that_fills(crawl: Crawl, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        feed = disk / "mine.jsonl"
        feed.write_text(GOOD, encoding="utf-8")
        run = crawl("-o", feed, seed=1752038, source=SITE, depth=9)
        assert run.exit_code == 4
        assert "No space left on device" in run.stdout
        assert feed.read_text(encoding="utf-8") == GOOD
        [part] = disk.glob("*.part")
        whole = part.read_text(encoding="utf-8", errors="replace").splitlines()[:-1]
        assert len(whole) > 3
        assert all(json.loads(line)["kind"] == "article" for line in whole)


@pytest.mark.slow
def test_a_link_stays_a_link(crawl: Crawl, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "mine.jsonl", tmp_path / "mine.jsonl"
    real.write_text(GOOD, encoding="utf-8")
    link.symlink_to(real)
    crawl("-o", link, seed=1752038, source=SITE, depth=0)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8").startswith(GOOD)
    assert len(real.read_text(encoding="utf-8").splitlines()) == 9


def test_a_device_is_written_to(crawl: Crawl, tmp_path: Path) -> None:
    device = tmp_path / "null"
    require("device files")
    subprocess.run(["mknod", str(device), "c", "1", "3"], check=True)
    assert crawl("-o", f"{device}:jsonl", seed=1752038, source=SITE, depth=0).exit_code == 0
    assert device.is_char_device()


@pytest.mark.slow
@pytest.mark.parametrize("memory", [False, True], ids=["", "JOBDIR"])
@pytest.mark.parametrize(
    "feed",
    [
        # The marshal format cannot hold the objects inside a record.
        "mine.marshal",
        "ftp://127.0.0.1:1/mine.json",
        "mine%(nope)s.jsonl",
    ],
)
def test_the_other_feeds_are_complete_if_one_cannot_be_written(
    crawl: Crawl, tmp_path: Path, feed: str, memory: bool
) -> None:
    settings = {"JOBDIR": "job"} if memory else {}
    words = ("-o", "before.jsonl", "-o", feed, "-o", "after.jsonl")
    run = crawl(*words, seed=1752038, source=SITE, depth=0, settings=settings)
    assert (len(run.articles), len(run.teasers)) == (1, 7)
    for name in ("before.jsonl", "after.jsonl"):
        assert sorted(read_records(tmp_path / name), key=by_kind) == run.records
    assert run.exit_code == 4
    assert "not stored: " in run.stdout
    assert "Traceback" not in run.stderr or feed.startswith("ftp:")


@pytest.mark.slow
def test_a_feed_with_an_unknown_scheme_is_no_success(crawl: Crawl) -> None:
    run = crawl("-o", "nope://h/mine.json:json", seed=1752038, source=SITE, depth=0)
    assert run.exit_code == 4
    assert "not stored: a feed could not be written; the log says why" in run.stdout


def by_kind(record: dict[str, str]) -> tuple[str, str]:
    """Return a key that sorts records as in the run's own feeds, one after the other."""
    return record["kind"], record["id"] if record["kind"] == "article" else ""


@pytest.mark.slow
def test_where_feeds_are_written(crawl: Crawl, tmp_path: Path) -> None:
    """Paths are relative to the run's folder; folders are created; each feed has every record."""
    feeds = {
        "mine.jsonl": "mine.jsonl",
        "new/folder/mine.jsonl": "new/folder/mine.jsonl",
        "./.hidden/../.hidden/.mine.jsonl": ".hidden/.mine.jsonl",
        (tmp_path / "a b.jsonl").as_uri(): "a b.jsonl",
        "%(name)s-%(seed)s.jsonl": "articles-1752038.jsonl",
        "in-%(name)s/mine.jsonl": "in-articles/mine.jsonl",
        "other.ending:jsonlines": "other.ending",
    }
    words = [word for feed in feeds for word in ("-o", feed)]
    (tmp_path / ".source").mkdir()
    (tmp_path / ".source" / "1752038.html").write_bytes((SITE / "1752038.html").read_bytes())
    run = crawl(*words, seed=1752038, source=".source", depth=0)
    assert (run.exit_code, len(run.records)) == (0, 8)
    for path in feeds.values():
        assert sorted(read_records(tmp_path / path), key=by_kind) == run.records, path
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    folder = (tmp_path / "output" / "latest").readlink()
    own = {f"output/{folder}/{kind}.jsonl" for kind in ("articles", "teasers")}
    assert files == {*feeds.values(), *own, ".source/1752038.html"}


@pytest.mark.slow
@pytest.mark.parametrize("memory", [False, True], ids=["", "JOBDIR"])
def test_who_may_read_a_feed(tmp_path: Path, memory: bool) -> None:
    """A new file's mode follows the user's umask; an existing file keeps its mode."""
    modes = {"new.jsonl": 0o640, "made.jsonl": 0o640}
    for name, mode in {"added.jsonl": 0o604, "replaced.jsonl": 0o666, "run.jsonl": 0o755}.items():
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
        (tmp_path / name).chmod(mode)
        modes[name] = mode
    line = command("crawl", "articles", "-a", "seed=1752038", "-a", f"source={SITE}")
    line += ["-a", "depth=0", "-o", "new.jsonl", "-o", "added.jsonl", "-o", "run.jsonl"]
    line += [
        "-s",
        f"FEEDS={json.dumps(dict.fromkeys(('made.jsonl', 'replaced.jsonl'), REPLACES))}",
    ]
    line += ["-s", "JOBDIR=job"] if memory else []
    subprocess.run(line, cwd=tmp_path, env=environment(), umask=0o027, check=True)
    actual_modes = {path.name: path.stat().st_mode & 0o7777 for path in tmp_path.glob("*.jsonl")}
    assert actual_modes == modes
    lines = {path.name: len(path.read_text().splitlines()) for path in tmp_path.glob("*.jsonl")}
    assert lines == {name: 9 if name in ("added.jsonl", "run.jsonl") else 8 for name in modes}


LONG = json.dumps({"kind": "a good record", "body": "a" * 70_000})
# A file's content, the part kept before new records, and the torn part that is moved elsewhere.
APPENDED_FILES = {
    "empty": ("", "", None),
    "whole": (GOOD, GOOD, None),
    "without its last line end": (GOOD + GOOD[:-1], GOOD + GOOD, None),
    "long, without a line end": (GOOD + LONG, f"{GOOD}{LONG}\n", None),
    "torn": (GOOD + GOOD[:9], GOOD, GOOD[:9]),
    "torn in a long line": (GOOD + LONG[:-1], GOOD, LONG[:-1]),
    "nothing but torn": (GOOD[:9], "", GOOD[:9]),
    "torn in a character": (GOOD + '{"é', GOOD, '{"é'),
}


@pytest.mark.slow
def test_the_end_of_a_file_that_is_appended_to(crawl: Crawl, tmp_path: Path) -> None:
    for name, (before, _, _) in APPENDED_FILES.items():
        (tmp_path / f"{name}.jsonl").write_text(before, encoding="utf-8")
    # From an earlier run.
    (tmp_path / "torn.jsonl.torn").write_text("{\n", encoding="utf-8")
    words = [word for name in APPENDED_FILES for word in ("-o", f"{name}.jsonl")]
    run = crawl(*words, seed=1752038, source=SITE, depth=0)
    assert run.exit_code == 0
    for name, (_, intact, _) in APPENDED_FILES.items():
        text = (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8")
        assert text.startswith(intact), name
        added = [json.loads(line) for line in text.removeprefix(intact).splitlines()]
        assert sorted(added, key=by_kind) == run.records, name
    torn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.torn")}
    pieces = {
        f"{name}.jsonl.torn": f"{torn}\n" for name, (_, _, torn) in APPENDED_FILES.items() if torn
    }
    assert torn == {**pieces, "torn.jsonl.torn": "{\n" + pieces["torn.jsonl.torn"]}


@pytest.mark.slow
@pytest.mark.parametrize("job", [{}, {"JOBDIR": "job"}], ids=["no job", "job"])
def test_options_of_feeds(crawl: Crawl, tmp_path: Path, job: dict[str, str]) -> None:
    """A feed's options also apply to JSON Lines."""
    feeds = {
        "some.jsonl": {"format": "jsonlines", "fields": ["id", "kind"]},
        "named.jsonl": {"format": "jsonlines", "fields": {"id": "number"}},
        "wide.json": {"format": "json", "indent": 1},
        "whole.jl": {"format": "jl"},
    }
    own = {"output/all.jsonl": {"format": "jsonl"}}
    settings = {"FEEDS": json.dumps({**own, **feeds}), **job}
    run = crawl(seed=1752038, source=SITE, depth=0, settings=settings)
    some, named, wide, whole = ((tmp_path / name).read_text(encoding="utf-8") for name in feeds)
    parts = [{"id": record["id"], "kind": record["kind"]} for record in run.records]
    assert [json.loads(line) for line in some.splitlines()] == parts
    assert [json.loads(line) for line in named.splitlines()] == [
        {"number": record["id"]} for record in run.records
    ]
    assert json.loads(wide) == run.records
    assert wide.startswith('[\n{\n "kind": "article",\n')
    assert whole == (tmp_path / "output" / "all.jsonl").read_text(encoding="utf-8")


REPLACES = {"format": "jsonlines", "overwrite": True}


@pytest.mark.slow
def test_file_names_that_are_not_text(crawl: Crawl, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"sur\xff")
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.html")).write_bytes((SITE / "1752038.html").read_bytes())
    run = crawl(seed=1752038, source=folder, depth=0)
    assert run.exit_code == 0
    assert run.articles["1752038"]["provenance"]["source"]["where"].endswith(
        "sur\\xff/caf\\xe9.html"
    )


@pytest.mark.slow
def test_a_pipeline_that_drops_records(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "dropping.py").write_text(
        "from scrapy.exceptions import DropItem\n\n\n"
        "class Drop:\n    def process_item(self, item):\n"
        "        if item.kind == 'teaser':\n            raise DropItem('no teasers')\n"
        "        return item\n",
        encoding="utf-8",
    )
    pipelines = '{"crawler.pipelines.RecordPipeline": 100, "dropping.Drop": 200}'
    run = scrapy(
        "crawl",
        "articles",
        "-a",
        "seed=1752038",
        "-a",
        f"source={SITE}",
        "-a",
        "depth=0",
        "-s",
        f"ITEM_PIPELINES={pipelines}",
    )
    assert run.exit_code == 3
    assert "7 records were dropped by an item pipeline" in run.stdout
    assert "bug" not in run.stdout


@pytest.mark.slow
def test_ctrl_c_twice(server: NewsServer, tmp_path: Path) -> None:
    over = threading.Event()

    def hang(handler: BaseHTTPRequestHandler, before: int) -> None:
        over.wait(PATIENCE)

    server.misbehaviour["/news/1751832"] = hang
    settings = {**IMPATIENT, "LOG_LEVEL": "DEBUG", "LOG_FILE": "run.log"}
    line = command("crawl", "articles", "-a", "seed=1752038", "-a", f"base_url={server.url}")
    line += ["-O", "mine.jsonl", *(f"-s{name}={value}" for name, value in settings.items())]
    run = subprocess.Popen(line, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True)
    log = tmp_path / "run.log"
    wait_until(lambda: "1751832" in server.requested_ids)
    run.send_signal(signal.SIGINT)
    wait_until(lambda: "shutting down gracefully" in log.read_text(encoding="utf-8"))
    run.send_signal(signal.SIGINT)
    stdout, _ = run.communicate(timeout=PATIENCE)
    over.set()
    assert run.returncode == 4
    assert "aborted before it could write its feeds" in stdout
    assert "bug in the crawler" not in stdout
    [part] = tmp_path.glob("mine.jsonl.*.part")
    [own_part] = (tmp_path / "output").glob("*/*")
    assert own_part.name.startswith("articles.jsonl.") and own_part.suffix == ".part"
    assert not (tmp_path / "output" / "latest").is_symlink()
    for path in (part, own_part):
        # Complete up to the last second; the first record is written at once.
        assert "1752038" in [record["id"] for record in read_records(path)]
