"""Files that users keep are never destroyed.

Neither a run that stores nothing, nor several of them in a row, nor a forged ledger destroys them.
"""

import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import IMPATIENT, SITE, Crawl, Run, command, environment, read_records
from server import NewsServer

SEED = "1752038"
GOOD = '{"kind": "a good record of an earlier run"}\n'
DROP = """
from scrapy.exceptions import DropItem

class Drop:
    def process_item(self, item):
        raise DropItem("not wanted")
"""
DICTS = """
import msgspec

class Dicts:
    def process_item(self, item):
        return msgspec.to_builtins(item)
"""


def forbid(server: NewsServer) -> None:
    server.robots = b"User-agent: *\nDisallow: /\n"


def lose_all(server: NewsServer) -> None:
    server.pages = {}


EMPTY_RUNS: dict[str, tuple[Callable[[NewsServer], None], dict[str, object]]] = {
    "all gone": (lose_all, {}),
    "forbidden": (forbid, {}),
    "down": (NewsServer.stop, {}),
    "not saved": (lose_all, {"source": SITE, "seed": "99"}),
    "dropped": (lambda server: None, {"pipeline": "Drop"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("memory", [False, True], ids=["", "JOBDIR"])
@pytest.mark.parametrize("case", EMPTY_RUNS)
def test_a_run_that_stores_no_article(
    live: Crawl, server: NewsServer, tmp_path: Path, case: str, memory: bool
) -> None:
    prepare, arguments = EMPTY_RUNS[case]
    (tmp_path / "users.py").write_text(DROP, encoding="utf-8")
    settings: dict[str, object] = {"RETRY_TIMES": 0, **({"JOBDIR": "job"} if memory else {})}
    if pipeline := arguments.get("pipeline"):
        settings["ITEM_PIPELINES"] = json.dumps({f"users.{pipeline}": 500})
    own_arguments = {name: value for name, value in arguments.items() if name != "pipeline"}
    feed = tmp_path / "mine.jsonl"
    feed.write_text(GOOD, encoding="utf-8")
    prepare(server)
    run = live("-O", "mine.jsonl", settings=settings, **{"seed": SEED, "depth": 0, **own_arguments})
    assert feed.read_text(encoding="utf-8") == GOOD
    records = [r for part in tmp_path.glob("mine.jsonl.*part") for r in read_records(part)]
    assert records == run.records
    if records:
        assert "mine.jsonl is unchanged, because this run stored no article;" in run.stdout


@pytest.mark.slow
def test_articles_that_an_item_pipeline_replaced(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    (tmp_path / "users.py").write_text(DICTS, encoding="utf-8")
    pipelines = json.dumps({"users.Dicts": 500})
    for settings in ({}, {"JOBDIR": "job"}):
        feed = tmp_path / "mine.jsonl"
        feed.write_text(GOOD, encoding="utf-8")
        words = ("-O", "mine.jsonl")
        live(*words, seed=SEED, depth=0, settings={"ITEM_PIPELINES": pipelines, **settings})
        assert {record["kind"] for record in read_records(feed)} == {"article", "teaser"}


def fail(server: NewsServer, *article_ids: str) -> None:
    """Make these pages fail, so that a run is incomplete."""
    server.misbehaviour = dict.fromkeys(
        (f"/news/{article_id}" for article_id in article_ids),
        lambda handler, before: handler.send_error(500),
    )


def replace(live: Crawl, *, seed: str = SEED) -> Run:
    return live("-O", "mine.jsonl", seed=f"{seed},1751821", depth=0, settings={"RETRY_TIMES": 0})


def test_the_last_complete_file_is_kept(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    feed, previous = tmp_path / "mine.jsonl", tmp_path / "mine.jsonl.previous"
    assert replace(live).exit_code == 0
    complete = feed.read_bytes()
    fail(server, "1751821")
    for _ in range(3):
        assert replace(live).exit_code == 3
        assert previous.read_bytes() == complete
        assert {r.get("reason") for r in read_records(feed)} == {None, "http_5xx"}
    fail(server)
    assert replace(live).exit_code == 0
    assert not previous.exists()
    complete = feed.read_bytes()
    fail(server, "1751821")
    assert replace(live).exit_code == 3
    assert previous.read_bytes() == complete


@pytest.mark.slow
def test_records_appended_between_incomplete_runs_are_kept(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    feed = tmp_path / "mine.jsonl"
    assert replace(live).exit_code == 0
    complete = feed.read_bytes()
    fail(server, "1751821")
    assert replace(live).exit_code == 3
    fail(server)
    assert live("-o", "mine.jsonl", seed="1751414", depth=0).exit_code == 0
    appended = feed.read_bytes()
    fail(server, "1751821")
    assert replace(live).exit_code == 3
    assert feed.with_name("mine.jsonl.previous.1").read_bytes() == complete
    assert feed.with_name("mine.jsonl.previous").read_bytes() == appended


@pytest.mark.slow
@pytest.mark.parametrize("point", ["feed part written", "feed kept", "feed replaced"])
@pytest.mark.parametrize("killed", [True, False], ids=["incomplete run", "complete run"])
def test_the_last_complete_file_is_kept_whenever_a_run_is_killed(
    live: Crawl, server: NewsServer, tmp_path: Path, point: str, killed: bool
) -> None:
    def articles(path: Path) -> set[str]:
        return {r["id"] for r in read_records(path) if r["kind"] == "article"}

    def reasons(path: Path) -> set[str]:
        return {r["reason"] for r in read_records(path) if r["kind"] == "failure"}

    line = command("crawl", "articles", "-a", f"seed={SEED},1751821", "-a", "depth=0")
    line += ["-a", f"base_url={server.url}", "-O", "mine.jsonl", "-s", "RETRY_TIMES=0"]
    line += [part for name, value in IMPATIENT.items() for part in ("-s", f"{name}={value}")]
    replace(live)
    fail(server, "1751821")
    replace(live)
    fail(server, *["1751821"] * killed)
    # The default feeds are appended to; the last feed of the run is the one that is replaced.
    result = subprocess.run(
        line,
        cwd=tmp_path,
        env={**environment(), "CRAWLER_KILL_AT": point},
        capture_output=True,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL
    fail(server, "1751821")
    replace(live)
    previous = tmp_path / "mine.jsonl.previous"
    assert articles(previous) == {SEED, "1751821"}
    assert not reasons(previous)


def forge(job: Path, uri: str, options: dict[str, object]) -> None:
    """Make the ledger claim that its last run was killed and had this feed to write."""
    with closing(sqlite3.connect(job / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE runs SET ended = NULL, reason = NULL, finished = 0")
        ledger.execute(
            "INSERT INTO feeds (run, uri, options, size) SELECT max(run), ?, ?, 0 FROM runs",
            (uri, json.dumps(options)),
        )


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    "uri",
    [
        "{folder}/precious",
        "file://{folder}/precious",
        "{folder}/job/link",
        "{folder}/job/../precious",
        "{folder}/job/output/%(time)s/articles.jsonl",
        "{folder}/job/linked/output/%(time)s/articles.jsonl",
        "{folder}/job/lacking/output/%(time)s/articles.jsonl",
        "precious",
        "ftp://127.0.0.1:1/precious",
        "s3://bucket/precious",
    ],
)
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_forged_ledger_cannot_name_a_file_to_write(
    live: Crawl, tmp_path: Path, uri: str, overwrite: bool
) -> None:
    precious = tmp_path / "precious"
    precious.write_text(GOOD, encoding="utf-8")
    settings = {"JOBDIR": "job"}
    live(seed=SEED, depth=0, settings=settings)
    job = tmp_path / "job"
    (job / "link").symlink_to(precious)
    kept = tmp_path / "kept"
    kept.mkdir()
    time = (job / "latest").readlink().name
    (job / "output" / time).mkdir(parents=True)
    (job / "output" / time / "articles.jsonl").symlink_to(precious)
    (job / "linked" / "output").mkdir(parents=True)
    (job / "linked" / "output" / time).symlink_to(kept)
    uri = uri.format(folder=tmp_path)
    forge(job, uri, {"format": "jsonlines", "overwrite": overwrite})
    for reported in (True, False):
        run = live(seed=SEED, depth=0, settings=settings)
        assert precious.read_text(encoding="utf-8") == GOOD
        assert not list(kept.iterdir())
        words = f"run 1 should have written {uri!r}, but this run has no such feed"
        # Reported only once: a crawl with the date in its feeds' names never has that feed again.
        assert (words in run.stdout) == (f"-o {uri!r}" in run.stdout) == reported
        assert run.exit_code == (3 if reported else 0)
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_a_forged_ledger_cannot_write_through_a_link_in_the_place_of_a_run(
    live: Crawl, tmp_path: Path
) -> None:
    settings = {"JOBDIR": "job"}
    live(seed=SEED, depth=0, settings=settings)
    time = (tmp_path / "job" / "latest").readlink().name
    uri = f"{tmp_path}/output/%(time)s/articles.jsonl"
    with closing(sqlite3.connect(tmp_path / "job" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE runs SET ended = NULL, reason = NULL, finished = 0")
    kept = tmp_path / "kept"
    kept.mkdir()
    line = command("crawl", "articles", "-a", f"seed={SEED}", "-a", "depth=0", "-s", "JOBDIR=job")
    shutil.rmtree(tmp_path / "output" / time)
    (tmp_path / "output" / time).symlink_to(kept)
    run = subprocess.run(
        line, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert f"run 1 should have written {uri!r}, but a symbolic link has its place" in run.stdout
    assert run.returncode == 3
    assert not list(kept.iterdir())
    assert not (tmp_path / "output" / time / "articles.jsonl").exists()


@pytest.mark.slow
def test_a_forged_ledger_cannot_change_a_link_in_another_folder(
    live: Crawl, tmp_path: Path
) -> None:
    settings = {"JOBDIR": "job"}
    live(seed=SEED, depth=0, settings=settings)
    other = tmp_path / "other" / "output"
    (other / "2000").mkdir(parents=True)
    (other / "latest").symlink_to("2000")
    forge(tmp_path / "job", f"{other}/%(time)s/articles.jsonl", {})
    live(seed=SEED, depth=0, settings=settings)
    # The feed of a run in another folder is written there, as for a job that moved.
    [feed] = other.rglob("articles.jsonl")
    assert len(read_records(feed)) == 1
    assert (other / "latest").readlink() == Path("2000")


@pytest.mark.slow
def test_a_forged_ledger_cannot_name_a_class_or_format(live: Crawl, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("open('run', 'w').close()\n", encoding="utf-8")
    settings = {"JOBDIR": "job"}
    live(seed=SEED, depth=0, settings=settings)
    options = dict.fromkeys(("item_filter", "uri_params"), "evil.Evil")
    class_lists = {name: ["evil.Evil"] for name in ("item_classes", "postprocessing")}
    forged = {"format": "csv", "overwrite": True, **options, **class_lists}
    forge(tmp_path / "job", str(tmp_path / "mine.jsonl"), forged)
    (tmp_path / "mine.jsonl").write_text(GOOD, encoding="utf-8")
    run = live("-o", "mine.jsonl", seed=SEED, depth=0, settings=settings)
    assert run.exit_code == 0
    assert not (tmp_path / "run").exists()
    good, *added = (tmp_path / "mine.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert good == GOOD
    assert {json.loads(line)["kind"] for line in added} == {"article", "teaser"}


@pytest.mark.slow
def test_a_feed_of_a_killed_run_waits_for_a_run_that_has_it(
    server: NewsServer, live: Crawl, tmp_path: Path
) -> None:
    line = command("crawl", "articles", "-a", f"seed={SEED}", "-a", "depth=0")
    line += ["-a", f"base_url={server.url}", "-s", "JOBDIR=job", "-o", "first.jsonl"]
    variables = {**environment(), "CRAWLER_KILL_AT": "feed part written"}
    killed = subprocess.run(line, cwd=tmp_path, env=variables, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    settings = {"JOBDIR": "job"}
    other = live("-o", "second.jsonl", seed=SEED, depth=0, settings=settings)
    assert other.exit_code == 3
    assert not (tmp_path / "first.jsonl").exists()
    again = live("-o", "./first.jsonl", seed=SEED, depth=0, settings=settings)
    assert again.exit_code == 0
    assert len(read_records(tmp_path / "first.jsonl")) == 8
    assert "aborted" not in live(seed=SEED, depth=0, settings=settings).stdout
