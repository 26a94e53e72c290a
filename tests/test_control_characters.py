"""Test that control characters from a site are escaped wherever a person reads them."""

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Crawl, environment
from rendered import PLAIN, SEED
from server import NewsServer

from crawler.extensions.safe_logs import SafeFormatter
from crawler.terminal import escaped, escaped_lines, say

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
EVIL = "\x1b[2J\x9b31m\u202egnp\u202c\u2066\u2028"


def has_type(content_type: str) -> Callable[[BaseHTTPRequestHandler, int], None]:
    def answers(handler: BaseHTTPRequestHandler, before: int) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: 0\r\n\r\n"
        handler.wfile.write(head.encode())

    return answers


def with_headline(text: str) -> bytes:
    headline = PLAIN.partition("<h1>")[2].partition("</h1>")[0]
    return PLAIN.replace(headline, text).encode()


@pytest.mark.slow
def test_control_characters_of_a_site(
    live: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    server.pages[f"/news/{SEED}"] = with_headline(f"A headline {EVIL} of this page")
    server.misbehaviour["/news/1751821"] = has_type(f"image/{EVIL}")
    settings = {"JOBDIR": tmp_path / "job", "LOG_LEVEL": "DEBUG", "RECHECK_MIN": 0}
    arguments = {"seed": f"{SEED},1751821", "depth": 0, "recheck": "all", "settings": settings}
    first = live(**arguments)
    assert first.failures["1751821"]["reason"] == "not_html"
    assert "\u202e" in first.articles[SEED]["headline"]
    server.pages[f"/news/{SEED}"] = with_headline(f"Another headline {EVIL} of this page")
    live(**arguments)
    job = ("-s", f"JOBDIR={tmp_path / 'job'}")
    explanations = [scrapy("why", name, *job) for name in (SEED, "1751821", f"http://x/{EVIL}")]
    for run in (first, *explanations, scrapy("status", *job)):
        assert not CONTROL.search(run.stdout + run.stderr)
    assert "A headline " in explanations[0].stdout
    assert "headline:" in explanations[0].stdout
    assert r"\u202egnp\u202c" in explanations[0].stdout
    assert r"image/\x1b[2j" in explanations[1].stdout


@pytest.mark.slow
def test_control_characters_in_names_of_files(crawl: Crawl, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / f"{EVIL}.warc.gz").write_bytes(b"nothing of the kind")
    run = crawl(seed=SEED, source=pages / "*.gz")
    assert run.exit_code == 1
    assert r"\u202egnp" in run.stderr
    assert not CONTROL.search(run.stderr)


SCRIPT = """
import sys
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.utils.project import get_project_settings

process = AsyncCrawlerProcess(get_project_settings())
process.crawl("articles", seed="SEED", base_url=sys.argv[1], depth="0")
process.start()
"""


def test_control_characters_in_the_log_of_a_script(server: NewsServer, tmp_path: Path) -> None:
    server.misbehaviour[f"/news/{SEED}"] = has_type(f"image/{EVIL}")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("SEED", SEED), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, script, server.url],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert r"not_html (Content-Type image/\x1b[2j" in result.stderr
    assert not CONTROL.search(result.stderr)


def fault() -> None:
    raise ValueError("bad\x1b[0m\n2026-01-01 INFO: forged")


LINES: list[tuple[str, tuple[object, ...], str]] = [
    ("%s: %s", ("1", "a\x1b[31mb\r"), r"INFO 1: a\x1b[31mb\r"),
    ("%s", ("x\n2026-01-01 INFO: forged",), "INFO x\n    2026-01-01 INFO: forged"),
    ("a\n\tb", (), "INFO a\n    \tb"),
    ("%(it)s", ({"it": "\u202e"},), r"INFO \u202e"),
    ("%d pages, لا شيء ٪ \u200c –", (5,), "INFO 5 pages, لا شيء ٪ \u200c –"),
    ("%s", (ValueError("\x07"),), r"INFO \x07"),
    ("<GET http://u:p@h/a@b> http://h/a@b", (), "INFO <GET http://***@h/a@b> http://h/a@b"),
]


@pytest.mark.parametrize(("message", "arguments", "line"), LINES)
def test_log_lines(message: str, arguments: tuple[object, ...], line: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, message, arguments, None)
    formatter = SafeFormatter(logging.Formatter("%(levelname)s %(message)s"))
    assert formatter.format(record) == line
    assert record.msg == message


def test_tracebacks_in_the_log() -> None:
    try:
        fault()
    except ValueError:
        record = logging.LogRecord("x", logging.INFO, "x.py", 1, "it", (), sys.exc_info())
    formatter = SafeFormatter(logging.Formatter("%(levelname)s %(message)s"))
    lines = formatter.format(record).split("\n")
    assert lines[0] == "INFO it"
    assert lines[1] == "    Traceback (most recent call last):"
    assert lines[-2:] == [r"    ValueError: bad\x1b[0m", "    2026-01-01 INFO: forged"]
    # Other formatters may still write the traceback unescaped.
    assert record.exc_text is None


def test_stacks_in_the_log() -> None:
    stack = "Stack:\n  http://u:p@h \x1b[0m"
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "it", (), None, sinfo=stack)
    formatter = SafeFormatter(logging.Formatter("%(levelname)s %(message)s"))
    expected = "INFO it\n    Stack:\n      http://***@h " + r"\x1b[0m"
    assert formatter.format(record) == expected
    assert record.stack_info == stack


def test_say_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\nb\x1b\u2028")
    say()
    say("to the other\t", sys.stderr)
    assert capsys.readouterr() == ("a\\nb\\x1b\\u2028\n\n", "to the other\\t\n")


def test_which_characters_are_escaped() -> None:
    harmless = "été لا\u200c ‘quoted’\u00a0 \U0001f600"
    assert escaped(harmless) == harmless
    controls = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F]
    controls += [*range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xD800, 0xDFFF]
    for number in controls:
        assert escaped(chr(number)).startswith("\\")
        assert (escaped_lines(chr(number)) == chr(number)) == (chr(number) in "\t\n")
    for number in (0x20, 0x7E, 0xA0, 0x61B, 0x61D, 0x200D, 0x2010, 0x2027, 0x202F, 0x2065, 0x206A):
        assert escaped(chr(number)) == escaped_lines(chr(number)) == chr(number)
