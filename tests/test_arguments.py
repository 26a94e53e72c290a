"""Wrong arguments end the command before anything is asked, with exit code 2 and one line."""

from pathlib import Path

import pytest
from conftest import SITE, Crawl

WRONG = {
    "unknown name": (["-a", "sede=1"], ["sede", "did you mean 'seed'"]),
    "no seed": ([], ["seed", "missing"]),
    "seed of letters": (["-a", "seed=12x"], ["seed", "'12x'", "digits"]),
    "seed of other digits": (["-a", "seed=١٢٣"], ["seed", "'١٢٣'"]),
    "seed of another host": (
        ["-a", "seed=http://example.com/news/1"],
        ["seed", "example.com", "en.alalam.ir"],
    ),
    "seed that is no article": (
        ["-a", "seed=http://en.alalam.ir/section/3"],
        ["seed", "no article"],
    ),
    "seed of commas": (["-a", "seed=,,"], ["seed"]),
    "seed file that is not there": (
        ["-a", "seed=@nowhere.txt"],
        ["seed", "@nowhere.txt", "No such file"],
    ),
    "source that is not there": (
        ["-a", "seed=1", "-a", "source=nowhere"],
        ["source", "'nowhere'", "'live'"],
    ),
    "empty source": (["-a", "seed=1", "-a", "source="], ["source", "''"]),
    "source nearly live": (["-a", "seed=1", "-a", "source=liv"], ["source", "did you mean 'live'"]),
    "unknown site": (
        ["-a", "seed=1", "-a", "site=alalm"],
        ["site", "'alalm'", "did you mean 'alalam'"],
    ),
    "base_url without a scheme": (
        ["-a", "seed=1", "-a", "base_url=localhost:80"],
        ["base_url", "localhost:80"],
    ),
    "base_url with a wrong port": (
        ["-a", "seed=1", "-a", "base_url=http://h:port"],
        ["base_url", "http://h:port"],
    ),
    "base_url with a password": (
        ["-a", "seed=1", "-a", "base_url=http://user:pw@127.0.0.1:80"],
        ["base_url", "http://***@127.0.0.1:80"],
    ),
    "base_url with a space": (
        ["-a", "seed=1", "-a", "base_url=http://exa mple"],
        ["base_url", "exa mple"],
    ),
    "depth of letters": (["-a", "seed=1", "-a", "depth=two"], ["depth", "'two'", "whole number"]),
    "negative depth": (["-a", "seed=1", "-a", "depth=-1"], ["depth", "'-1'"]),
    "negative limit": (["-a", "seed=1", "-a", "limit=-5"], ["limit", "'-5'"]),
    "date in words": (
        ["-a", "seed=1", "-a", "since=yesterday"],
        ["since", "'yesterday'", "YYYY-MM-DD"],
    ),
    "date that is none": (["-a", "seed=1", "-a", "until=2015-02-30"], ["until", "'2015-02-30'"]),
    "until before since": (
        ["-a", "seed=1", "-a", "since=2015-10-02", "-a", "until=2015-10-01"],
        ["until", "2015-10-01", "before since"],
    ),
    "broken expression": (
        ["-a", "seed=1", "-a", "match=(a"],
        ["match", "'(a'", "regular expression"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_argument(scrapy: Crawl, case: str) -> None:
    words, said = WRONG[case]
    run = scrapy("crawl", "articles", *words)
    assert run.exit_code == 2
    assert run.stdout == ""
    lines = run.stderr.strip().splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("scrapy crawl: ")
    for words_said in said:
        assert words_said in lines[0]
    assert not (run.folder / "output").exists()


def test_a_line_of_a_seed_file_is_named(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").write_text("1\n\nnonsense\n", encoding="utf-8")
    run = scrapy("crawl", "articles", "-a", "seed=@seeds.txt")
    assert run.exit_code == 2
    assert "line 3 of seeds.txt" in run.stderr


def test_unknown_spider(scrapy: Crawl) -> None:
    run = scrapy("crawl", "article")
    assert run.exit_code == 2
    assert "did you mean 'articles'" in run.stderr


def test_a_folder_without_pages(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = scrapy("crawl", "articles", "-a", "seed=1", "-a", "source=empty")
    assert run.exit_code == 2
    assert "holds no saved page" in run.stderr
    assert "Traceback" not in run.stderr


def test_arguments_of_a_service_are_let_through(crawl: Crawl) -> None:
    assert crawl(seed=1752038, source=SITE, depth=0, _job="26f1").exit_code == 0
