"""The command ``neighbourhood``, run in an empty folder as an installed program."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from conftest import PATIENCE, SITE, Crawl, environment, read_records

from crawler.console import COMMANDS
from crawler.crawl.arguments import ARGUMENTS

PROGRAM = Path(sys.executable).with_name("neighbourhood")
SEED = "1752038"
OF_A_RUN = ("fetched_at", "parsed_at", "provenance")


def without_project() -> dict[str, str]:
    """Return the environment of a user who is in no Scrapy project."""
    return {k: v for k, v in environment().items() if k != "SCRAPY_SETTINGS_MODULE"}


def neighbourhood(
    folder: Path, *words: object, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *map(str, words)],
        cwd=folder,
        env={**without_project(), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def records(folder: Path) -> list[dict[str, object]]:
    """Return the articles of the latest run, without what differs between runs."""
    articles = read_records(folder / "output" / "latest" / "articles.jsonl")
    return [{k: v for k, v in article.items() if k not in OF_A_RUN} for article in articles]


@pytest.mark.slow
def test_both_programs_take_the_same_words(scrapy: Crawl, tmp_path: Path) -> None:
    words = [SEED, "--source", SITE, "--depth", "1", "--match", "Homs|Aleppo|Syria"]
    by_console = neighbourhood(tmp_path, *words)
    found = records(tmp_path)
    by_scrapy = scrapy("crawl", "articles", *words)
    assert (by_console.returncode, by_console.stderr) == (0, "")
    assert by_console.stdout.splitlines()[-1] == by_scrapy.stdout.splitlines()[-1]
    assert len(found) > 1
    assert records(tmp_path) == found
    scrapy(
        "crawl",
        "articles",
        *[
            word
            for name, value in {
                "seed": SEED,
                "source": SITE,
                "depth": 1,
                "match": "Homs|Aleppo|Syria",
            }.items()
            for word in ("-a", f"{name}={value}")
        ],
    )
    assert records(tmp_path) == found


@pytest.mark.slow
def test_a_folder_and_archives_are_read_whole(tmp_path: Path) -> None:
    by_name = neighbourhood(tmp_path, SITE)
    found = records(tmp_path)
    by_source = neighbourhood(tmp_path, "--seed", "all", "--source", SITE)
    assert (by_name.returncode, by_name.stdout.splitlines()[-1]) == (
        0,
        by_source.stdout.splitlines()[-1],
    )
    assert len(found) == 24
    assert records(tmp_path) == found


REFUSED = {
    "an unknown option": (
        ["--dpeth", "1", SEED],
        "no such option: --dpeth; did you mean '--depth'?",
    ),
    "a wrong value": (["--depth", "many", SEED], "depth: got 'many', takes a whole number"),
    "no seed": (["--depth", "1"], "seed: missing; takes the URL of an article"),
    "seeds in two places": (
        [SEED, "--seed", "1"],
        "seed: got '1' and '1752038'; give all in one place",
    ),
    "a folder and a source": (
        [SITE, "--source", "live"],
        f"seed: got '{SITE}', all of which would be read, beside other seeds or a source; give it "
        f"alone, or as source={SITE}",
    ),
    "a folder and an id": ([SEED, SITE], f"seed: got '{SITE}', all of which would be read"),
    "a command after its options": (
        ["--job", "job", "status"],
        "status: a command comes first: neighbourhood status ...",
    ),
    "a command after a seed": (
        [SEED, "report"],
        "report: a command comes first: neighbourhood report ...",
    ),
    "a misspelt command": (["stauts"], "no such command: stauts; did you mean 'status'?"),
    "help as a command": (
        ["help"],
        "no such command: help; neighbourhood --help lists the commands",
    ),
    "what is nothing": (["nowhere"], "seed: got 'nowhere', which is neither a URL nor an id of"),
    "a second seed that is nothing": (
        ["https://news.example/2026/05/story", SEED, "nowhere"],
        "seed: got 'nowhere', which is neither a URL nor an id nor a file; takes",
    ),
    "an unknown log level": (
        [SEED, "--source", str(SITE), "--loglevel", "loud"],
        "LOG_LEVEL: got 'loud', takes one of DEBUG, INFO",
    ),
    "an unknown shell": (
        ["--print-completion", "cmd"],
        "print-completion: got 'cmd', takes one of",
    ),
}


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_command_line_gives_one_line(tmp_path: Path, case: str) -> None:
    words, message = REFUSED[case]
    run = neighbourhood(tmp_path, *words)
    assert (run.returncode, run.stdout) == (2, "")
    [line] = run.stderr.splitlines()
    assert line.startswith(f"neighbourhood: {message}")


@pytest.mark.slow
def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    run = neighbourhood(tmp_path, SEED, "--source", SITE, "--logfile", "/dev/null/log")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("neighbourhood: LOG_FILE: /dev/null/log cannot be written (")


@pytest.mark.slow
def test_commands_read_a_job(tmp_path: Path) -> None:
    crawl = neighbourhood(tmp_path, SEED, "--source", SITE, "--job", "job")
    assert crawl.returncode == 0, crawl.stderr
    status = neighbourhood(tmp_path, "status", "--job", "job")
    assert crawl.stdout.splitlines()[-1] in status.stdout
    why = neighbourhood(tmp_path, "why", "1751821", "--job", "job", "--json")
    assert json.loads(why.stdout)["id"] == "1751821"
    export = neighbourhood(tmp_path, "export", "--job", "job")
    assert len(export.stdout.splitlines()) == 21
    report = neighbourhood(tmp_path, "report", "output/latest", "-o", "x.html")
    assert report.returncode == 0
    assert "<!doctype html>" in (tmp_path / "x.html").read_text()
    unknown = neighbourhood(tmp_path, "why", "17", "--job", "job")
    assert unknown.stderr == (
        "neighbourhood why: 17: unknown to the job job, as a seed or from a link; "
        "neighbourhood status shows what the job knows\n"
    )


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_explains_each_option(tmp_path: Path, name: str) -> None:
    run = neighbourhood(tmp_path, *filter(None, [name, "--help"]), COLUMNS="400")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"usage: neighbourhood {name}".rstrip())
    options = re.findall(r"^  (-.*?)(?=\n  -|\n\n|\Z)", run.stdout, re.MULTILINE | re.DOTALL)
    with_values = [option for option in options if re.match(r"(?:-\S+, )*-\S+ [A-Z]", option)]
    assert len(with_values) > 4
    for option in with_values:
        if not option.startswith("--print-completion"):
            assert "example:" in option, option
    for argument in ARGUMENTS if name == "" else ():
        assert f"--{argument.name.replace('_', '-')} " in run.stdout


def test_completion_in_bash(tmp_path: Path) -> None:
    script = neighbourhood(tmp_path, "--print-completion", "bash").stdout
    (tmp_path / "script").write_text(script)

    def complete(*words: str) -> list[str]:
        line = f"""
            source ./script
            COMP_WORDS=({shlex.join(["neighbourhood", *words])}); COMP_CWORD={len(words)}
            _shtab_neighbourhood; printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        run = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return run.stdout.splitlines()

    assert "status" in complete("sta")
    assert "--depth" in complete("http://publisher.example/1", "--de")
    assert "--near-copies" in complete("export", "--near")


def test_demo_opens_the_report(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n')
    browser.chmod(0o755)
    run = neighbourhood(tmp_path, "demo", BROWSER=str(browser))
    assert (run.returncode, run.stderr) == (0, "")
    assert "discovered 30 = articles 21 + teasers 9 + failures 0" in run.stdout
    assert "output/demo.html is open in your web browser." in run.stdout
    report = tmp_path / "output" / "demo.html"
    assert (tmp_path / "opened").read_text() == f"{report.as_uri()}\n"
    assert "1752038" in report.read_text()


@pytest.mark.slow
def test_demo_without_a_browser(tmp_path: Path) -> None:
    run = neighbourhood(tmp_path, "demo", "--no-browser", BROWSER="/bin/false")
    assert (run.returncode, run.stderr) == (0, "")
    assert "Open output/demo.html in a web browser." in run.stdout


@contextmanager
def serving(folder: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a running ``neighbourhood serve`` and the root of its mirror."""
    with subprocess.Popen(
        [PROGRAM, "serve", *map(str, words)],
        cwd=folder,
        env=without_project(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        try:
            found = re.search(r" at (http://[^\s;]+)", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


def test_a_mirror_of_saved_pages(tmp_path: Path) -> None:
    with serving(tmp_path, SITE, "--port", "0") as (process, root):
        crawl = neighbourhood(
            tmp_path, SEED, "--base-url", root, "--depth", "1", "-s", "DOWNLOAD_DELAY=0"
        )
        assert crawl.stdout.splitlines()[-1] == (
            "discovered 24 = articles 7 + teasers 16 + failures 1"
        )
        with urlopen(f"{root}/news/{SEED}?utm_source=x") as answer:
            assert answer.read() == (SITE / f"{SEED}.html").read_bytes()
        with urlopen(root) as answer:
            assert b'<a href="/news/1751821">' in answer.read()
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{root}/news/1750384")
        taken = neighbourhood(tmp_path, "serve", SITE, "--port", root.rpartition(":")[2])
        assert taken.returncode == 1
        assert "is not available (Address already in use); give another" in taken.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stdout
        assert process.stdout.read().endswith("stopped\n")


@pytest.mark.slow
def test_a_mirror_of_pages_saved_by_a_program(tmp_path: Path) -> None:
    """Pages that know their own address are served at its path, on whatever host it was."""
    story = tmp_path / "saved" / "news.example" / "2026" / "05" / "a-long-story-name" / "index.html"
    story.parent.mkdir(parents=True)
    story.write_text("<h1>Made-up story</h1>")
    (tmp_path / "saved" / "note.html").write_text("<p>No address</p>")
    with (
        serving(tmp_path, "saved", "--port", "0") as (_, root),
        urlopen(f"{root}/2026/05/a-long-story-name/") as answer,
    ):
        assert answer.read() == story.read_bytes()


def test_a_mirror_answers_any_request(tmp_path: Path) -> None:
    """Neither malformed requests nor malformed pages end in a traceback."""
    (tmp_path / "page.mht").write_text(
        "MIME-Version: 1.0\r\nContent-Location: https://news.example/2026/05/story\r\n"
        'Content-Type: text/html; charset="utf-8\r\n x-evil: y"\r\n\r\n<title>Story</title>\r\n'
    )
    with serving(tmp_path, ".", "--port", "0") as (process, root):
        address = (urlsplit(root).hostname, urlsplit(root).port)

        def answer(request: bytes) -> bytes:
            with socket.create_connection(address, PATIENCE) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                with connection.makefile("rb") as reader:
                    return reader.read()

        assert b"\r\nContent-Type: text/html\r\n" in answer(b"GET /2026/05/story HTTP/1.1\r\n\r\n")
        # A browser that tries https.
        assert b"400" in answer(b"\x16\x03\x01\x02\x00\n")
        assert b" 414 " in answer(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n")
        assert b" 501 " in answer(b"POST / HTTP/1.1\r\n\r\n")
        assert b" 404 " in answer(b"GET http://[ HTTP/1.1\r\n\r\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stdout
        _, *lines, last = process.stdout.read().splitlines()
    assert lines == [
        "200 GET /2026/05/story HTTP/1.1",
        "400 \\x16\\x03\\x01\\x02\\x00",
        "414",
        "501 POST / HTTP/1.1",
        "404 GET http://[ HTTP/1.1",
    ]
    assert last == "stopped"


MISSING = {
    "no folder": (["serve"], "takes one folder: FOLDER"),
    "a folder that is not there": (["serve", "none"], "folder: got 'none', which does not exist"),
    "a folder without pages": (["serve", "."], "which holds no saved page"),
    "a wrong port": (["serve", str(SITE), "--port", "x"], "port: got 'x', takes a number from 0"),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("case", MISSING)
def test_what_cannot_be_served(tmp_path: Path, case: str) -> None:
    words, message = MISSING[case]
    run = neighbourhood(tmp_path, *words)
    assert (run.returncode, run.stdout) == (2, "")
    assert message in run.stderr


@pytest.mark.slow
def test_the_folder_of_the_records_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("")
    run = neighbourhood(tmp_path, SEED, "--source", SITE)
    assert (run.returncode, run.stdout) == (1, "")
    [line] = run.stderr.splitlines()
    assert line.startswith("neighbourhood: feed: output cannot be written (")


@pytest.mark.slow
def test_settings_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from crawler.settings import *\nFEEDS = {'mine.jsonl': {'format': 'jsonlines'}}\n"
    )
    run = neighbourhood(
        tmp_path, SEED, "--source", SITE, "--depth", "0", SCRAPY_SETTINGS_MODULE="mine"
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "mine.jsonl").exists()
    assert not (tmp_path / "output").exists()


@pytest.mark.slow
def test_settings_that_cannot_be_imported(tmp_path: Path) -> None:
    run = neighbourhood(tmp_path, "status", SCRAPY_SETTINGS_MODULE="nowhere")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "neighbourhood: SCRAPY_SETTINGS_MODULE: got 'nowhere', which cannot be imported (No module "
        "named 'nowhere'); takes a module in a folder that PYTHONPATH names\n"
    )


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("words", [["--version"], [SEED, "--version"]])
def test_version(tmp_path: Path, words: list[str]) -> None:
    run = neighbourhood(tmp_path, *words)
    assert re.fullmatch(r"neighbourhood \d+\.\d+\.\d+\n", run.stdout)


@pytest.mark.slow
def test_help_without_words(tmp_path: Path) -> None:
    assert neighbourhood(tmp_path).stdout.startswith("usage: neighbourhood")


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("words", [["more"], ["--depth", "3"]])
def test_demo_takes_nothing_else(tmp_path: Path, words: list[str]) -> None:
    run = neighbourhood(tmp_path, "demo", *words)
    assert run.returncode == 2
    assert run.stderr.endswith(f"error: got '{words[0]}'; takes [--no-browser]\n")


def test_scrapy_parse_needs_no_network(scrapy: Crawl) -> None:
    url = f"http://en.alalam.ir/news/{SEED}"
    run = scrapy("parse", "--spider", "articles", "-a", f"source={SITE}", "--nolog", url)
    assert run.exit_code == 0
    assert f"'id': '{SEED}'" in run.stdout
    assert "<GET http://en.alalam.ir/news/1751821>" in run.stdout
