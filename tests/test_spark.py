"""The job on Spark gives the records of a crawl with ``seed=all``, wherever the archives are."""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hostile_pages
import pyarrow as pa
import pytest
from archive_cases import CASES, case_of, write_cases, write_texts
from archives import NEWS, http, offsets, page, record
from conftest import ROOT, Crawl, environment
from made_archives import write_many
from news_crawls import CRAWLERS, news_pages
from news_crawls import NEWS as ARTICLES
from object_store import ObjectStore
from pyarrow import parquet
from services import require
from spark_jobs import (
    CLUSTER,
    JOB,
    QUICK_JAVA,
    Driver,
    JobRun,
    Output,
    comparable,
    kill,
    read_output,
    run_job,
    running_driver,
    started,
)

from crawler.spark.folders import Folder

# Spark takes a few seconds to start, and more on a busy machine.
pytestmark = [pytest.mark.timeout(900)]
MEGABYTE = 1 << 20
MOST_WORKER_KILOBYTES = 200 * 1024
# A page may have 16 MiB, and is held up to three times while it is unpacked and parsed.
MOST_FOR_A_LARGE_PAGE = 3 * 16 * 1024
Truth = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def spark() -> None:
    require("Spark")


@pytest.fixture(scope="module")
def driver(object_stores: Callable[[str], ObjectStore]) -> Iterator[Driver]:
    """A driver for the jobs of tests that need no other one; it has access to the object stores."""
    require("Spark")
    with running_driver(object_stores("of-the-driver").environment) as running:
        yield running


@pytest.fixture
def truth(crawl: Crawl) -> Callable[..., Truth]:
    """Read all articles of archives with a crawl: ``truth(source, …)``."""

    def read(source: object, **arguments: object) -> Truth:
        run = crawl(seed="all", source=source, **arguments)
        assert "Traceback" not in run.stderr
        return comparable({record["id"]: record for record in run.records})

    return read


def assert_same(found: Truth, expected: Truth, names: dict[int, str] | None = None) -> None:
    """Compare records by id, and name the differing fields and the cases that they belong to."""
    different = {}
    for article_id in sorted({*found, *expected}):
        one, other = found.get(article_id), expected.get(article_id)
        if one != other:
            fields = sorted({*(one or ()), *(other or ())})
            different[f"{case_of(article_id, names or {})}: {article_id}"] = {
                name: [(record or {}).get(name, "absent") for record in (one, other)]
                for name in fields
                if (one or {}).get(name) != (other or {}).get(name)
            }
    assert different == {}
    assert found


def assert_whole(run: JobRun, output: Output) -> None:
    """Check that a job has ended well, and that its balance adds up."""
    assert "Traceback" not in run.stderr
    assert output.is_whole
    assert len(output.records) + len(output.failures) == len(output.by_id)
    counts = Counter[str]()
    for row in output.balance:
        counts[row["fate"]] += row["captures"]
    assert (counts["record"], counts["failure"]) == (len(output.records), len(output.failures))
    assert counts.total() == sum(row["captures"] for row in output.files)


def few_cases() -> dict[str, Callable[[Path, int], object]]:
    """Return every tenth case, and the first of each kind."""
    kinds = [name.partition(":")[0] for name in CASES]
    return {
        name: write
        for place, (name, write) in enumerate(CASES.items())
        if place % 10 == 0 or kinds[place] != kinds[place - 1]
    }


def test_the_same_records_as_a_crawl(
    truth: Callable[..., Truth], object_store: ObjectStore, tmp_path: Path
) -> None:
    """From an object store to an object store."""
    names = write_cases(tmp_path / "warcs", few_cases())
    address = object_store.upload(tmp_path / "warcs", "warcs")
    target = object_store.address("records")
    variables = {**QUICK_JAVA, **object_store.environment}
    run = run_job([address], target, environment=variables)
    output = read_output(target.removeprefix("s3://"), object_store.files)
    assert_whole(run, output)
    found = comparable(output.by_id, address, str(tmp_path / "warcs"))
    assert_same(found, truth(tmp_path / "warcs"), names)


@pytest.mark.slow
@pytest.mark.parametrize("at", [None, "2015-10-23"])
def test_every_case(
    driver: Driver, truth: Callable[..., Truth], tmp_path: Path, at: str | None
) -> None:
    names = write_cases(tmp_path / "warcs", few_cases() if at else CASES)
    words = ["--at", at] if at else []
    run = driver.run_job([tmp_path / "warcs"], tmp_path / "out", *words)
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    expected = truth(tmp_path / "warcs", **({"at": at} if at else {}))
    assert_same(comparable(output.by_id), expected, names)


@pytest.mark.slow
def test_texts_in_json_lines(driver: Driver, truth: Callable[..., Truth], tmp_path: Path) -> None:
    write_texts(tmp_path / "texts")
    pattern = tmp_path / "texts" / "*"
    run = driver.run_job([pattern], tmp_path / "out")
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    assert_same(comparable(output.by_id), truth(pattern))


def test_no_folders_in_an_object_store(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would be an object, and a request, of its own."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    Folder(object_store.address("out")).write("records/publisher=a.example/1.parquet", b"1")
    written = [request.key for request in object_store.requests if request.method == "PUT"]
    assert written == ["out/records/publisher=a.example/1.parquet"]


@pytest.mark.slow
def test_a_task_writes_many_partitions(driver: Driver, tmp_path: Path) -> None:
    script = ROOT / "docs" / "tutorials" / "make_captures.py"
    subprocess.run([sys.executable, script, tmp_path / "warcs"], check=True)
    run = driver.run_job([tmp_path / "warcs"], tmp_path / "out")
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    months = {row["published_at"][:7] for row in output.records}
    assert len(months) == 120
    assert len(run.tasks) < len(months)


@pytest.mark.slow
def test_executors_read_publisher_files(tmp_path: Path) -> None:
    """Their paths are relative to the folder in which the job is started."""
    files = tmp_path / "publishers"
    files.mkdir()
    (files / "first.py").write_text(
        "from crawler import Publisher\nPUBLISHER = Publisher(hosts=frozenset({'made0.example'}))\n"
    )
    write_many(tmp_path / "warcs", 100, files=2, publishers=2)
    # The job is started in a temporary folder.
    relative = os.path.relpath(files, Path(tempfile.gettempdir(), "folder"))
    run = run_job(
        [tmp_path / "warcs"],
        tmp_path / "out",
        *("--publishers", relative),
        master=CLUSTER,
        environment=QUICK_JAVA,
    )
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    assert {row["site"] for row in output.records} == {"first", "made1.example", "alalam"}


@pytest.mark.slow
def test_processes_that_are_killed_cost_nothing(
    truth: Callable[..., Truth], tmp_path: Path
) -> None:
    """An executor is killed while it reads pages, and then the Python workers of the others."""
    write_many(tmp_path / "warcs", 1200)
    cluster = {"master": CLUSTER, "environment": QUICK_JAVA}
    with started([tmp_path / "warcs"], tmp_path / "out", **cluster) as job:
        job.wait_for_tasks(10)
        kill(job.executors[0])
        job.wait_for_tasks(14)
        # Some of them may have no task.
        for worker in job.workers:
            kill(worker)
        run = job.finish()
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    assert run.lost_tasks >= 2
    assert_same(comparable(output.by_id), truth(tmp_path / "warcs"))
    assert max(run.worker_kilobytes.values()) <= MOST_WORKER_KILOBYTES


@pytest.mark.slow
def test_a_job_that_was_killed_is_run_again(
    driver: Driver, truth: Callable[..., Truth], tmp_path: Path
) -> None:
    """What it left half done is not taken for an output, and is no obstacle."""
    write_many(tmp_path / "warcs", 700)
    with started([tmp_path / "warcs"], tmp_path / "out", environment=QUICK_JAVA) as job:
        job.wait_for_tasks(9)
        kill(job.process.pid)
    assert not read_output(tmp_path / "out").is_whole
    run = driver.run_job([tmp_path / "warcs"], tmp_path / "out")
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    assert_same(comparable(output.by_id), truth(tmp_path / "warcs"))


def tables_of(output: Output) -> dict[str, Any]:
    """Return the rows of all tables but the files, in an order of their own."""
    rows = {
        "links": output.links,
        "balance": output.balance,
        "records": output.records,
        "failures": [{**row, "json": None, "failed_at": None} for row in output.failures],
    }
    return {
        name: sorted(json.dumps(row, sort_keys=True, default=str) for row in table)
        for name, table in rows.items()
    }


@pytest.mark.slow
def test_a_second_run_reads_only_new_files(
    driver: Driver, object_store: ObjectStore, tmp_path: Path
) -> None:
    """Its tables are those of one run over all files."""
    write_many(tmp_path / "warcs", 500, files=6, publishers=10)
    files = sorted((tmp_path / "warcs").iterdir())
    source = object_store.address("warcs")

    def run(target: str) -> Output:
        done = driver.run_job([source], object_store.address(target))
        output = read_output(f"{object_store.bucket}/{target}", object_store.files)
        assert_whole(done, output)
        return output

    for file in files[:4]:
        object_store.upload(file, f"warcs/{file.name}")
    run("twice")
    for file in files[4:]:
        object_store.upload(file, f"warcs/{file.name}")
    object_store.requests.clear()
    second = run("twice")
    read = Counter[str]()
    for request in object_store.reads("warcs/"):
        read[request.key.rpartition("/")[2]] += request.sent
    for file in files[:4]:
        # Only articles that have a capture in a new file are read again.
        assert read[file.name] < file.stat().st_size / 2
    object_store.requests.clear()
    assert tables_of(run("twice")) == tables_of(second)
    assert object_store.reads("warcs/") == []
    assert tables_of(run("once")) == tables_of(second)


SLOW = hostile_pages.page("paragraphs of one character", 6_000_000)


@pytest.mark.slow
def test_files_and_pages_that_cannot_be_read(
    driver: Driver, object_store: ObjectStore, tmp_path: Path
) -> None:
    """Each is named in the tables, and the job ends."""
    folder = tmp_path / "warcs"
    folder.mkdir()
    good = gzip.compress(record(f"{NEWS}1", http(page(1))))
    large = b"\0" * (300 * MEGABYTE)
    contents = {
        "a-good.warc.gz": good,
        "b-empty.warc.gz": b"",
        "c-junk.warc.gz": b"<html>no archive</html>",
        "d-cut.warc.gz": gzip.compress(record(f"{NEWS}2", http(page(2)))) + good[:-30],
        "e-gone.warc.gz": good,
        "f-large.warc.gz": gzip.compress(record(f"{NEWS}3", http(large)), 1),
        "g-slow.warc.gz": gzip.compress(record(f"{NEWS}4", http(SLOW))),
        "h-none.wacz": b"PK, but not really",
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    object_store.upload(folder, "warcs")
    # It is listed, and absent when it is opened.
    object_store.refused["warcs/e-gone.warc.gz"] = 404
    source = object_store.address("warcs")
    run = driver.run_job([source], tmp_path / "out", "--read-timeout", 1.5)
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    records = output.by_id
    assert {key: record.get("reason") for key, record in records.items()} == {
        "1": None,
        "2": None,
        "3": "too_large",
        "4": "too_slow",
    }
    faults = {
        row["address"].rpartition("/")[2]: "; ".join([*row["faults"], row["unreadable"] or ""])
        for row in output.files
    }
    # The file with a large record is whole; that record is a failure of its own.
    unreadable = ("c-junk.warc.gz", "d-cut.warc.gz", "e-gone.warc.gz", "h-none.wacz")
    assert faults.keys() == contents.keys()
    assert {name for name, text in faults.items() if text.strip("; ")} == set(unreadable)
    for name in unreadable:
        assert name in faults[name]
    most = MOST_WORKER_KILOBYTES + MOST_FOR_A_LARGE_PAGE
    assert max(run.worker_kilobytes.values()) <= most


@pytest.mark.slow
def test_the_bytes_read_from_an_object_store(
    driver: Driver, object_store: ObjectStore, tmp_path: Path
) -> None:
    """Without an index each file is read once, in sequence; and then each page with one request."""
    articles = write_many(tmp_path / "warcs", 1000, files=4, publishers=10)
    address = object_store.upload(tmp_path / "warcs", "warcs")
    object_store.requests.clear()
    run = driver.run_job([address], tmp_path / "out")
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    assert len(output.by_id) == articles
    size = sum(file.stat().st_size for file in (tmp_path / "warcs").iterdir())
    requests = object_store.reads("warcs/")
    walks = [request for request in requests if request.sent > 20_000]
    pages = [request for request in requests if request.sent <= 20_000]
    assert sum(request.sent for request in walks) <= 1.01 * size
    assert len(pages) <= 1.2 * articles
    assert sum(request.sent for request in pages) <= 1.2 * size
    assert max(run.worker_kilobytes.values()) <= MOST_WORKER_KILOBYTES


def write_index(folder: Path, form: str) -> Path:
    """Index a folder with cdxj-indexer, or as Common Crawl's columnar index."""
    program = Path(sys.executable).with_name("cdxj-indexer")
    index = folder / "index.cdxj"
    subprocess.run([program, *sorted(folder.iterdir()), "-o", index, "-s"], check=True)
    if form == "CDXJ":
        return index
    lines = index.read_text(encoding="utf-8").splitlines()
    entries = [(line.split(" ", 2)[1], json.loads(line.split(" ", 2)[2])) for line in lines]
    rows = [
        {
            "url": entry["url"],
            "fetch_time": datetime.strptime(moment, "%Y%m%d%H%M%S").replace(tzinfo=UTC),
            "fetch_status": int(status) if (status := entry.get("status", "")).isdigit() else None,
            "content_mime_type": entry.get("mime"),
            "content_digest": entry.get("digest", "").removeprefix("sha1:"),
            "warc_filename": entry["filename"],
            "warc_record_offset": int(entry["offset"]),
            "warc_record_length": int(entry["length"]),
        }
        for moment, entry in entries
    ]
    columns = folder / "index.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), columns)
    index.unlink()
    return columns


@pytest.mark.slow
@pytest.mark.parametrize("form", ["CDXJ", "columnar"])
def test_the_bytes_read_with_an_index(
    driver: Driver,
    truth: Callable[..., Truth],
    object_store: ObjectStore,
    tmp_path: Path,
    form: str,
) -> None:
    """Every request is for exactly one record, and few records are of no use."""
    folder = tmp_path / "warcs"
    articles = write_many(folder, 400, files=4, publishers=10)
    expected = truth(folder)
    index = write_index(folder, form)
    address = object_store.upload(folder, "warcs")
    object_store.requests.clear()
    run = driver.run_job([], tmp_path / "out", "--index", f"{address}/{index.name}")
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    assert_same(comparable(output.by_id, address, str(folder)), expected)
    reads = [request for request in object_store.reads("warcs/") if request.key.endswith(".gz")]
    records = {(file.name, place) for file in folder.glob("*.gz") for place in offsets(file)}
    for request in reads:
        name = request.key.rpartition("/")[2]
        assert request.last is not None
        assert {(name, request.first), (name, request.last + 1)} <= records
    assert len(reads) <= 1.2 * articles


@pytest.mark.slow
@pytest.mark.parametrize("crawler", CRAWLERS)
def test_news_of_any_publisher(
    driver: Driver, truth: Callable[..., Truth], tmp_path: Path, crawler: str
) -> None:
    """No publisher has a file; a later crawl finds some pages unchanged, and is cut off in one."""
    pages = list(news_pages())
    later = [one._replace(date="2026-06-01T10:00:00Z") for one in pages]
    later[0] = later[0]._replace(body=later[0].body[:400], is_cut=True)
    path = tmp_path / "news.warc.gz"
    CRAWLERS[crawler].write(path, [*pages, *later])
    run = driver.run_job([path], tmp_path / "out")
    output = read_output(tmp_path / "out")
    assert_whole(run, output)
    assert_same(comparable(output.by_id), truth(path))
    rows = {(row["publisher"], row["month"], row["language"]) for row in output.records}
    assert rows == {(one.publisher, one.published[:7], one.language) for one in ARTICLES}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-o out", "input: missing"),
        ("a.warc -o out --at yesterday", "--at: got 'yesterday', takes a date"),
        ("a.warc -o out --read-timeout 0", "--read-timeout: got 0, takes seconds"),
        ("a.warc -o out --max-size 0", "--max-size: got 0, takes bytes"),
        ("a.warc -o out --site nowhere", "site: got 'nowhere', takes one of"),
        ("a.warc -o out --at 20151023", "--at: got '20151023', takes a date as YYYY-MM-DD"),
        ("a.warc -o out --hosts a/b", "hosts: got 'a/b'; takes same, any, or host names"),
        ("a.warc -o out --site ./none.py", "/none.py', which does not exist"),
        ("a.warc -o out --publishers none", "/none', which is not a folder"),
    ],
)
def test_wrong_arguments(tmp_path: Path, words: str, message: str) -> None:
    """They are found before Spark starts."""
    line = [sys.executable, JOB, *words.split()]
    run = subprocess.run(
        line, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (run.returncode, len(run.stderr.splitlines()), run.stdout) == (2, 1, "")
    assert message in run.stderr
    assert list(tmp_path.iterdir()) == []
