"""Test crawls of every page of an archive or a folder, with ``seed=all``."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from archive_cases import CASES, write_cases
from archives import NEWS, Warc, page
from conftest import (
    PATIENCE,
    SITE,
    Crawl,
    command,
    environment,
    has_processes_in,
    reader_pids,
    wait_until,
)


@pytest.mark.slow
def test_everything_in_archives_and_folders(crawl: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for number in (9, 10, 100, 101, 2):
        warc.add(
            f"{NEWS}{number}",
            page(
                number,
                links='<p><a href="/news/77">The headline of another article of the day</a></p>',
            ),
        )
    # One article at another address, one that is gone, a page that is not an article, a home page,
    # and an article of another publisher.
    warc.add(NEWS + "2/a-headline", page(2)).add(NEWS + "3", b"x", "404 Not Found").add(
        NEWS + "4", b"<h1>Not found</h1>"
    )
    warc.add("http://en.alalam.ir/", b"home").add("http://elsewhere.example/news/5", page(5))
    for processes in (0, 2):
        run = crawl(seed="all", source=warc.path, settings={"READER_PROCESSES": processes})
        other = "elsewhere.example/news/5"
        assert list(run.articles) == sorted(run.articles) == ["10", "100", "101", "2", "9", other]
        assert run.articles[other]["site"] == "elsewhere.example"
        assert {key: record["reason"] for key, record in run.failures.items()} == {
            "3": "gone",
            "4": "not_an_article",
        }
        assert run.teasers == {}
        assert (run.exit_code, run.balance) == (
            3,
            "discovered 8 = articles 6 + teasers 0 + failures 2",
        )
        of_one = crawl(seed="all", source=warc.path, site="alalam")
        assert list(of_one.articles) == ["10", "100", "101", "2", "9"]
    both = crawl(seed="all", source=f"{SITE},{warc.path}", settings={"READER_PROCESSES": 1})
    assert Counter(record["source"] for record in both.articles.values()) == {
        "folder": len(list(SITE.glob("*.html"))) + 1 - 1,
        "warc": 6,
    }
    odd = (
        Warc(tmp_path / "odd.warc.gz")
        .add("http://en.alalam.ir:8080/mobile/news/12", page(12))
        .add(NEWS + "13", page(13))
    )
    assert set(crawl(seed="all", source=odd.path).articles) == {"12", "13"}
    few = crawl(seed="all", source=warc.path, limit=2)
    assert (list(few.articles), few.exit_code) == (["10", "100"], 0)


@pytest.mark.slow
def test_everything_with_a_ledger(scrapy: Crawl, tmp_path: Path) -> None:
    """After a parser fix the same captures are read again; interrupted runs resume."""
    warc = Warc(tmp_path / "a.warc.gz")
    for number in range(1, 41):
        warc.add(f"{NEWS}{number}", page(number))
    line = ["crawl", "articles", "-a", "seed=all", "-a", f"source={warc.path}", "-s", "JOBDIR=job"]
    assert (
        scrapy(*line, "-a", "limit=10").balance
        == "discovered 10 = articles 10 + teasers 0 + failures 0 + pending 0"
    )
    killed = subprocess.run(
        command(*line),
        cwd=tmp_path,
        env={**environment(), "CRAWLER_KILL_AT": "before a commit:2"},
        check=False,
    )
    assert killed.returncode == -9
    assert (
        scrapy(*line).balance == "discovered 40 = articles 40 + teasers 0 + failures 0 + pending 0"
    )
    assert "nothing was due" in scrapy(*line).stdout
    rerun = scrapy(*line, "-a", "recheck=all")
    assert "40 unchanged" in rerun.stdout
    assert len(scrapy("export", "-s", "JOBDIR=job").stdout.splitlines()) == 40


@pytest.mark.slow
def test_readers_that_die_cost_nothing(tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for number in range(1, 1001):
        warc.add(f"{NEWS}{number}", page(number))
    line = command(
        "crawl",
        "articles",
        "-a",
        "seed=all",
        "-a",
        f"source={warc.path}",
        "-s",
        "READER_PROCESSES=2",
        "-O",
        "all.jsonl",
    )
    with subprocess.Popen(
        line,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        readers: list[str] = []
        while len(readers) < 2 and run.poll() is None:
            readers = reader_pids(run.pid)
        subprocess.run(["kill", "-9", *readers], check=True)
        _, errors = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, errors
    assert "a worker process that parsed pages has ended" in errors
    assert len((tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()) == 1000
    wait_until(lambda: not has_processes_in(tmp_path))


@pytest.mark.slow
def test_everything_continues_after_a_limit(scrapy: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for number in range(1, 8):
        warc.add(f"{NEWS}{number}", page(number))
    line = ["crawl", "articles", "-a", "seed=all", "-a", f"source={warc.path}", "-s", "JOBDIR=job"]
    scrapy(*line, "-a", "limit=3")
    rerun = scrapy(*line, "-a", "limit=3", "-a", "recheck=all")
    assert "3 unchanged" in rerun.stdout
    assert scrapy(*line).balance.startswith("discovered 7 = articles 7")


@pytest.mark.slow
@pytest.mark.parametrize("processes", [0, 2])
def test_a_job_stores_the_same_articles(crawl: Crawl, tmp_path: Path, processes: int) -> None:
    """Pages may name an article by its canonical URL before the crawl comes to its own address."""
    archives = tmp_path / "archives"
    write_cases(archives, {name: CASES[name] for name in CASES if name.startswith("duplicate")})
    settings = {"READER_PROCESSES": processes}
    alone = crawl(seed="all", source=archives, settings=settings)
    job = crawl(seed="all", source=archives, settings={**settings, "JOBDIR": "job"})
    assert job.exit_code == alone.exit_code
    assert len(job.articles) == len(alone.articles) > 10


@pytest.mark.slow
@pytest.mark.parametrize("processes", [0, 1])
def test_an_archive_file_that_is_deleted_meanwhile(
    crawl: Crawl, tmp_path: Path, processes: int
) -> None:
    """The crawl opened it at the start, whichever process reads its pages."""
    first, last = Warc(tmp_path / "a.warc.gz"), Warc(tmp_path / "b.warc.gz")
    for number in range(100, 200):
        first.add(f"{NEWS}{number}", page(number))
    last.add(NEWS + "200", page(200))
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\n"
        "class Deleting:\n"
        "    def process_item(self, item):\n"
        "        Path('b.warc.gz').unlink(missing_ok=True)\n"
        "        return item\n",
        encoding="utf-8",
    )
    settings = {"READER_PROCESSES": processes, "ITEM_PIPELINES": '{"mine.Deleting": 900}'}
    run = crawl(seed="all", source=tmp_path, settings=settings)
    assert not last.path.exists()
    assert len(run.articles) == 101, run.stderr
    assert run.exit_code == 0
