"""``scrapy vardump``: its output, the positions of errors, and its exit codes."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from conftest import SEED_TEXT, Crawl, command, environment

PAGE = (
    b'<pre>array(2) {\n  ["a"]=>\n  string(3) "abc"\n  ["n"]=>\n  float(INF)\n}\n</pre>'
    b"<p>text</p>\nint(5)\n"
)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_bytes(PAGE)
    return path


def test_first_dump_as_json(scrapy: Crawl, page: Path) -> None:
    run = scrapy("vardump", page)
    assert (run.exit_code, json.loads(run.stdout)) == (0, {"a": "abc", "n": {"float": "INF"}})
    assert run.stderr.endswith("page.html: 1 more; --all prints them\n")


@pytest.mark.slow
def test_all_as_json_lines(scrapy: Crawl, page: Path) -> None:
    run = scrapy("vardump", "--all", "--json", page)
    assert run.exit_code == 0
    first, second = map(json.loads, run.stdout.splitlines())
    assert PAGE[first["start"] : first["end"]].startswith(b"array(2)")
    assert (first["form"], first["complete"], first["ambiguous"], first["value"]) == (
        "plain",
        True,
        False,
        {"a": "abc", "n": {"float": "INF"}},
    )
    assert (second["value"], second["declared"], second["actual"]) == (5, None, None)


def test_tree(scrapy: Crawl, page: Path) -> None:
    run = scrapy("vardump", "--tree", page)
    assert (run.exit_code, run.stdout) == (
        0,
        'array of 2\n  "a": "abc" (3 bytes)\n  "n": float(INF)\n',
    )


@pytest.mark.slow
def test_the_seed(scrapy: Crawl) -> None:
    run = scrapy("vardump", SEED_TEXT)
    assert run.exit_code == 0
    assert len(json.loads(json.loads(run.stdout))) == 18


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    ("page", "message"),
    [
        (
            b'<pre>array(2) {\n  ["a"]=>\n  string(9) "abc"\n  [1]=>\n  int(4)\n}</pre>',
            "page.html:3:14: string of 9 bytes ends elsewhere: expected a quote after 9 bytes\n"
            '  string(9) "abc"\n             ^\n',
        ),
        (
            'array(2) {\n  ["é"]=>\n  int(x)\n}\n'.encode(),
            "page.html:3:3: key without a value: expected a value\n  int(x)\n  ^\n",
        ),
        (
            b'string(600) "cut \x1b[31m off',
            "page.html:1:14: string of 600 bytes has no end: expected a quote\n"
            'string(600) "cut \\x1b[31m off\n             ^\n',
        ),
        (b"Array\n(\n)\n", "page.html: no dump found; this is the output of print_r\n"),
        (b"<p>News</p>", "page.html: no dump found\n"),
    ],
    ids=["length", "value", "cut", "print_r", "none"],
)
def test_broken(scrapy: Crawl, tmp_path: Path, page: bytes, message: str) -> None:
    (tmp_path / "page.html").write_bytes(page)
    run = scrapy("vardump", "page.html", cwd=tmp_path)
    assert (run.exit_code, run.stderr) == (1, message)


@pytest.mark.slow
def test_a_missing_file(scrapy: Crawl) -> None:
    run = scrapy("vardump", "no-such-page.html")
    assert run.exit_code == 2
    assert "cannot read no-such-page.html: No such file or directory" in run.stderr


@pytest.mark.slow
def test_an_unknown_option(scrapy: Crawl, page: Path) -> None:
    run = scrapy("vardump", "--foo", page)
    assert run.exit_code == 2
    assert "no such option: --foo" in run.stderr


@pytest.mark.slow
def test_print_r_in_a_page(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(b"<p>News</p><pre>\nArray\n(\n    [0] => 1\n)\n</pre>")
    run = scrapy("vardump", "page.html", cwd=tmp_path)
    assert (run.exit_code, run.stderr) == (
        1,
        "page.html: no dump found; this is the output of print_r\n",
    )


@pytest.mark.slow
def test_a_reader_that_closes_the_output_early(page: Path) -> None:
    page.write_bytes(PAGE * 2_000)
    shell = f"{shlex.join(map(str, command('vardump', '--all', page)))} | head -n 1"
    run = subprocess.run(
        ["bash", "-c", shell], env=environment(), capture_output=True, text=True, check=True
    )
    assert run.stdout.count("\n") == 1
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_two_files(scrapy: Crawl, page: Path) -> None:
    run = scrapy("vardump", page, page)
    assert run.exit_code == 2
    assert "takes one file, not 2" in run.stderr


@pytest.mark.slow
def test_deep(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "deep").write_bytes(b"array(1) {\n[0]=>\n" * 3_000 + b"NULL\n" + b"}\n" * 3_000)
    run = scrapy("vardump", tmp_path / "deep")
    assert run.exit_code == 1
    assert "nested too deeply for JSON; --tree prints it" in run.stderr
    run = scrapy("vardump", "--tree", tmp_path / "deep")
    assert (run.exit_code, run.stdout.count("array of 1")) == (0, 3_000)
