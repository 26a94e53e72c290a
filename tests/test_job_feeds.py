"""The feed files of interrupted crawls contain each record exactly once, and complete."""

import gzip
import shutil
from pathlib import Path

import pytest
from conftest import SEED, SITE, Crawl, clock, read_records
from job_crawls import killed_at

pytestmark = [pytest.mark.usefixtures("ledger")]


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    ("line", "mended", "torn"),
    [
        (b'{"kind": "x"}', b'{"kind": "x"}\n', None),
        (b'{"kind": "x', b"", b'{"kind": "x\n'),
        (b"\xff\xfe", b"", b"\xff\xfe\n"),
    ],
    ids=["whole", "torn", "garbage"],
)
@pytest.mark.parametrize("jobdir", ["", "job"])
def test_a_torn_last_line_is_repaired(
    scrapy: Crawl, tmp_path: Path, line: bytes, mended: bytes, torn: bytes | None, jobdir: str
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_bytes(b'{"kind": "good"}\n' + line)
    options = ["-s", "JOBDIR=job"] if jobdir else []
    assert (
        scrapy(
            "crawl",
            "articles",
            "-a",
            f"seed={SEED}",
            "-a",
            f"source={SITE}",
            "-a",
            "depth=0",
            "-o",
            mine,
            *options,
        ).exit_code
        == 0
    )
    content = mine.read_bytes()
    assert content.startswith(b'{"kind": "good"}\n' + mended + b'{"kind":"article"')
    torn_file = tmp_path / "mine.jsonl.torn"
    assert (torn_file.read_bytes() if torn_file.exists() else None) == torn


@pytest.mark.slow
def test_a_feed_of_a_killed_run_that_cannot_be_written(job: Crawl, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    killed = job("-o", "disk/mine.jsonl", depth=0, variables=killed_at("feed part written"))
    assert killed.exit_code == -9
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "disk").write_text("in the way", encoding="utf-8")
    for _ in range(2):
        run = job("-o", "disk/mine.jsonl", depth=0)
        assert run.exit_code == 1
        assert "disk/mine.jsonl cannot be written" in run.stderr
    (tmp_path / "disk").unlink()
    assert job("-o", "disk/mine.jsonl", depth=0).exit_code == 0
    assert {record["id"] for record in read_records(tmp_path / "disk" / "mine.jsonl")} >= {SEED}
    assert "aborted" not in job(depth=0).stdout


@pytest.mark.slow
def test_a_compressed_feed_is_appended_once(job: Crawl, tmp_path: Path) -> None:
    feeds = (
        '{"mine.jsonl.gz": {"format": "jsonlines", '
        '"postprocessing": ["scrapy.extensions.postprocessing.GzipPlugin"]}}'
    )
    (tmp_path / "mine.jsonl.gz").write_bytes(gzip.compress(b'{"kind": "good"}\n'))
    killed = job("-s", f"FEEDS={feeds}", depth=0, variables=killed_at("feed in its place"))
    assert killed.exit_code == -9
    # At another time, compressing the same records gives different bytes.
    assert job("-s", f"FEEDS={feeds}", depth=0, variables=clock("+10s")).exit_code == 0
    lines = gzip.decompress((tmp_path / "mine.jsonl.gz").read_bytes()).splitlines()
    assert len(lines) == len(set(lines)) == 1 + 8


@pytest.mark.slow
def test_batches_are_written_once(job: Crawl, tmp_path: Path) -> None:
    feeds = '{"mine-%(batch_time)s.jsonl": {"format": "jsonlines", "batch_item_count": 2}}'
    words = ("-s", f"FEEDS={feeds}")
    arguments = {"source": SITE, "base_url": None, "depth": 0}
    assert job(*words, variables=killed_at("feed in its place:2"), **arguments).exit_code == -9
    assert job(*words, **arguments).exit_code == 0
    records = [record for path in tmp_path.glob("mine-*.jsonl") for record in read_records(path)]
    assert len(records) == len({record["id"] for record in records}) == 8
    assert not list(tmp_path.rglob("*.part"))
