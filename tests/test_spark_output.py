"""The output folder of the job on Spark: its files, and the commit that replaces them."""

import gzip
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run
from typing import Any

import pyarrow as pa
import pytest
from archives import NEWS, http, page, record
from conftest import ROOT, Crawl
from object_store import ObjectStore

from crawler.errors import CrawlerError, StorageError
from crawler.spark import reading, walking
from crawler.spark.captures import from_columns
from crawler.spark.folders import Folder, unique_name
from crawler.spark.options import Options
from crawler.spark.state import State
from crawler.spark.walking import InputFile, Walked
from crawler.spark.writing import partition_of, place_in, place_of

SCHEMA = pa.schema([pa.field("text", pa.string())])
TABLE = "records/publisher=a/month=2015-10"


def options(output: object, **changes: Any) -> Options:
    return Options(inputs=("warcs",), output=str(output), **changes)


def write(folder: Folder, name: str, text: str = "a text") -> str:
    with folder.parquet(name, SCHEMA) as table:
        table.add({"text": text})
    return name


def commit(state: State, *outdated: str) -> str:
    """End a run that has read one file and written one table; return the name of its file."""
    name = write(state.folder, unique_name(f"_next/{TABLE}"))
    files = state.write_files([Walked(InputFile("a.warc", 1, None, False), None, 0, 0, ())])
    state.replace([name, files], outdated)
    return name.removeprefix("_next/")


def test_the_query_of_an_address_stays_last(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.environment.items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    server = object_store.url.removeprefix("http://")
    folder = Folder(f"{object_store.address('out')}/?endpoint_override={server}&scheme=http")
    write(folder, f"{TABLE}/a.parquet")
    assert folder.files("records") == [f"{TABLE}/a.parquet"]
    assert list(folder.rows(f"{TABLE}/a.parquet")) == [{"text": "a text"}]
    folder.move(f"{TABLE}/a.parquet", "b.parquet")
    assert object_store.files.get_file_info(f"{object_store.bucket}/out/b.parquet").is_file


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("rows", [1, 600])
def test_a_full_disk(tmp_path: Path, rows: int) -> None:
    """Few rows are written at the end of the block, and many before it."""
    with (
        small_files(1000),
        pytest.raises(StorageError, match=rf"^{tmp_path}/a\.parquet cannot be written \("),
        Folder(str(tmp_path)).parquet("a.parquet", SCHEMA) as table,
    ):
        for _ in range(rows):
            table.add({"text": os.urandom(50_000 // rows).hex()})
    assert not (tmp_path / "a.parquet").exists()


@pytest.mark.parametrize("error", [ValueError("bad"), CrawlerError("bad"), OSError("bad")])
def test_other_errors_are_not_those_of_the_file(tmp_path: Path, error: Exception) -> None:
    with (
        pytest.raises(type(error)) as caught,
        Folder(str(tmp_path)).parquet("a.parquet", SCHEMA) as table,
    ):
        for _ in range(600):
            table.add({"text": "a text"})
        raise error
    assert caught.value is error
    assert not (tmp_path / "a.parquet").exists()


def test_a_storage_that_is_unknown() -> None:
    with pytest.raises(CrawlerError, match=r"^nowhere://bucket: it cannot be opened \("):
        Folder("nowhere://bucket/out").files("records")


@pytest.mark.parametrize(
    ("publisher", "folder"),
    [
        ("a.example", "a.example"),
        ("127.0.0.1:8000", "127.0.0.1%3A8000"),
        ("a/b=c?d ü%", "a%2Fb%3Dc%3Fd%20%C3%BC%25"),
        (None, "__HIVE_DEFAULT_PARTITION__"),
        (f"{'a' * 300}.example", f"{'a' * 200}~83aa819b"),
        (f"{'a' * 198}%%.example", f"{'a' * 198}~71342f68"),
    ],
)
@pytest.mark.parametrize("table", ["records", "failures", "links"])
def test_partitions(tmp_path: Path, publisher: str | None, folder: str, table: str) -> None:
    """Each is found again by the name of its folder, which Hive, Spark and pyarrow read."""
    from pyarrow import dataset

    month = "unknown" if table == "failures" else "2015-10"
    place = place_of({"publisher": publisher, "month": None if table == "failures" else month})
    name = write(Folder(str(tmp_path)), unique_name(partition_of(place, "1", {}).folder(table)))
    assert name.startswith(f"{table}/publisher={folder}")
    assert place_in(name) == place
    fields = pa.schema([pa.field("publisher", pa.string()), pa.field("month", pa.string())])
    hive = dataset.partitioning(fields, flavor="hive")
    [row] = dataset.dataset(tmp_path / table, partitioning=hive).to_table().to_pylist()
    if publisher is None or len(publisher) < 200:
        assert row["publisher"] == publisher


def test_a_commit_replaces_files(tmp_path: Path) -> None:
    first = commit(State(options(tmp_path)))
    state = State(options(tmp_path))
    assert [walked.file.address for walked in state.files] == ["a.warc"]
    second = commit(state, first)
    assert state.folder.files("records") == [second]
    assert not (tmp_path / "_next").exists()


def steps(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process die in place of a step of the commit: the one after so many."""
    count = 0

    def counted(method: Callable[..., None]) -> Callable[..., None]:
        def step(*arguments: Any) -> None:
            nonlocal count
            if count >= most:
                raise KeyboardInterrupt
            count += 1
            method(*arguments)

        return step

    for name in ("move", "delete", "write"):
        monkeypatch.setattr(Folder, name, counted(getattr(Folder, name)))


@pytest.mark.parametrize("most", range(1, 7))
def test_a_commit_that_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """The next run ends it; before, the output is not said to be whole."""
    first = commit(State(options(tmp_path)))
    state = State(options(tmp_path))
    with monkeypatch.context() as patched:
        steps(most, patched)
        with pytest.raises(KeyboardInterrupt):
            commit(state, first)
    found = State(options(tmp_path)).folder.files("records")
    assert len(found) == 1
    assert found != [first]
    assert (tmp_path / "_SUCCESS").exists()


def test_two_jobs_at_the_same_time(tmp_path: Path) -> None:
    first, second = State(options(tmp_path)), State(options(tmp_path))
    with pytest.raises(CrawlerError, match=f"^output: another job writes to {tmp_path}, too"):
        commit(first)
    assert second.folder.files("records") == []
    name = commit(second)
    assert second.folder.files("records") == [name]


def test_a_file_that_was_deleted_before_the_commit(tmp_path: Path) -> None:
    state = State(options(tmp_path))
    with pytest.raises(CrawlerError, match=r"_next/records/gone\.parquet is missing"):
        state.replace(["_next/records/gone.parquet"], [])
    assert not (tmp_path / "_SUCCESS").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prefix": "s3://b/"}, "was made with prefix '', now 's3://b/'"),
        ({"most_bytes": 5}, "was made with max-size 16777216, now 5"),
        ({"hosts": ("a.example",)}, r"was made with hosts 'same', now \['a.example'\]"),
    ],
)
def test_other_options(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    commit(State(options(tmp_path)))
    with pytest.raises(CrawlerError, match=f"^output: {tmp_path} {said}"):
        State(options(tmp_path, **changes))


def test_the_start_of_an_index_that_is_cut_off(tmp_path: Path) -> None:
    """Its captures are kept, and it is listed again by a later run."""
    line = b'a,example)/%d 20150101000000 {"url":"%s%d","filename":"a.warc.gz","offset":"%d"}\n'
    data = gzip.compress(b"".join(line % (n, NEWS.encode(), n, n) for n in range(20_000)))
    path = tmp_path / "a.cdxj.gz"
    path.write_bytes(data[:-1000])
    file = InputFile(str(path), len(data), None, True)
    walked = walking.walk(options(tmp_path / "out"), "captures", file)
    assert walked.unreadable is not None
    assert walked.unreadable.startswith(f"the index {path} cannot be read")
    assert walked.table is not None
    rows = list(Folder(str(tmp_path / "out")).rows(walked.table, ["url"]))
    assert 0 < len(rows) == walked.captures < 20_000


def test_without_pyarrow(tmp_path: Path) -> None:
    """The message says what to install."""
    (tmp_path / "a.warc").write_bytes(record(f"{NEWS}1", http(page(1))))
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from crawler.spark.command import main\n"
        f"sys.exit(main(['{tmp_path}/a.warc', '-o', '{tmp_path}/out']))"
    )
    done = run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: spark: needs pyarrow; run pip install '.[spark]'\n"


def read_all(files: Path, output: Path) -> list[dict[str, Any]]:
    """Read the articles of archive files as tasks do; return their outcomes, sorted by id."""
    chosen = options(output)
    folder = Folder(str(output))
    groups: dict[str, list[Any]] = {}
    for path in sorted(files.iterdir()):
        file = InputFile(str(path), path.stat().st_size, None, False)
        walked = walking.walk(chosen, "captures", file)
        assert walked.table is not None
        for row in folder.rows(walked.table):
            groups.setdefault(row["article"], []).append(from_columns(row))
    for path in files.iterdir():
        if "gone" in path.name:
            path.unlink()
    [written] = reading.read_articles(chosen, "results", groups.items())
    return sorted(folder.rows(written.table), key=lambda row: str(row["article"]))


def test_storage_that_cannot_be_reached(tmp_path: Path) -> None:
    """What a later run may read otherwise is noted, also if another capture was read instead."""
    files = {
        "a-good": [(1, "2015-01-01"), (2, "2015-01-01")],
        "b-gone": [(2, "2016-01-01"), (3, "2016-01-01")],
    }
    (tmp_path / "warcs").mkdir()
    for name, captures in files.items():
        data = b"".join(
            record(f"{NEWS}{n}", http(page(n)), date=f"{day}T00:00:00Z") for n, day in captures
        )
        (tmp_path / "warcs" / f"{name}.warc").write_bytes(data)
    found = read_all(tmp_path / "warcs", tmp_path / "out")
    outcomes = [(row["article"], row["kind"], row["reason"], row["unreachable"]) for row in found]
    assert outcomes == [
        ("1", "article", None, False),
        ("2", "article", None, True),
        ("3", "failure", "unreadable", True),
    ]


def test_a_damaged_page_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "warcs").mkdir()
    data = record(
        f"{NEWS}1", http(page(1)), WARC_Payload_Digest="sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
    )
    (tmp_path / "warcs" / "a.warc").write_bytes(data)
    [row] = read_all(tmp_path / "warcs", tmp_path / "out")
    assert (row["reason"], row["unreachable"]) == ("unreadable", False)


def test_a_redirect_that_a_crawl_does_not_find(tmp_path: Path, crawl: Crawl) -> None:
    """Its address has the id of an article, but is not below the article's."""
    site, story = "http://news.example", "/2015/10/23/a-long-story-name"
    elsewhere = f"{site}/story/77777/another-long-story"
    redirect = http(b"", "301 Moved Permanently", f"Location: {elsewhere}")
    (tmp_path / "warcs").mkdir()
    (tmp_path / "warcs" / "a.warc").write_bytes(
        record(f"{site}{story}", http(b"<p>No article"))
        + record(f"{site}/amp{story}", redirect)
        + record(elsewhere, http(page(1)))
    )
    run = crawl(seed="all", source=tmp_path / "warcs")
    expected = {one["id"]: one.get("reason") for one in run.records}
    found = read_all(tmp_path / "warcs", tmp_path / "out")
    assert [row["captures"] for row in found] == [2, 1]
    assert {row["article"]: row["reason"] for row in found} == expected
    assert expected[f"news.example{story}"] == "not_an_article"


@pytest.mark.parametrize(
    "odd",
    [
        {"offset": "9" * 25},
        {"length": "9" * 25},
        {"digest": 5},
        {"mime": ["text/html"]},
        {"id": 5},
        {"concurrent": {"id": 5}},
    ],
)
def test_an_odd_line_of_an_index(tmp_path: Path, odd: dict[str, Any]) -> None:
    """It is named, and the others are listed; a status that is none is not known."""
    fields = {"url": f"{NEWS}1", "filename": "a.warc", "offset": "5", "status": "9" * 25}
    key = "ir,alalam,en)/news/1 20151023100000"
    lines = [f"{key} {json.dumps(one)}\n" for one in ({**fields, **odd}, fields)]
    path = tmp_path / "a.cdxj"
    path.write_text("".join(lines))
    walked = walking.walk(options(tmp_path), "captures", InputFile(str(path), 9, None, True))
    [fault] = walked.faults
    assert fault.startswith(f"{path}, line 1: it is not CDXJ (")
    assert walked.captures == 1
    assert walked.table is not None
    assert {row["status"] for row in Folder(str(tmp_path)).rows(walked.table)} == {None}
