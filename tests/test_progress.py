"""The progress that a run shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SITE, Crawl, command, environment
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from server import NewsServer
from terminals import open_terminal, read_all, run_on_terminal

from crawler.crawl.pace import Pace
from crawler.live_line import LiveLine, fitting

ERASE = "\r\x1b[K"
DRAWN = re.compile(re.escape(f"{ERASE}\x1b[?7l") + r"(.*?)" + re.escape("\x1b[?7h"))
STYLE = re.compile("\x1b\\[[\\d;]*m")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
HEADLINE = "日本語の見出し [red]x[/red] [link=http://x/]y[/link] :smile: e\u0301"


@pytest.fixture
def crawl_line(server: NewsServer) -> list[str]:
    """Return the command line of a crawl with a headline that looks like markup."""
    for path, page in server.pages.items():
        server.pages[path] = re.sub(rb"(?<=<h1>).*?(?=</h1>)", HEADLINE.encode(), page)
    arguments = {"seed": "1752038,99", "base_url": server.url, "depth": 1, "limit": 4}
    words = [f"-a{name}={value}" for name, value in arguments.items()]
    return command("crawl", "articles", *words, "-s", "DOWNLOAD_DELAY=0.3")


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("columns", [120, 60, 20, 0])
def test_one_live_line_on_a_terminal(
    crawl_line: list[str], server: NewsServer, tmp_path: Path, columns: int
) -> None:
    with (tmp_path / "summary").open("wb") as summary:
        shown, exit_code = run_on_terminal(crawl_line, tmp_path, columns, stdout=summary)
    lines = [STYLE.sub("", line) for line in DRAWN.findall(shown)]
    assert lines[0] == "starting ..."
    assert any(line.startswith("fetched 2 of 4") for line in lines)
    assert all(cell_len(line) < (columns or 80) for line in lines)
    if columns != 20:
        assert any(re.match(r"fetched \d of 4, 1 failed, \d\.\d pages/s", line) for line in lines)
    if columns == 120:
        assert any(
            re.search(r"about \d(\.\d)? s left  日本語の見出し \[red\]x", line) for line in lines
        )
    # The line rewrites itself; only the warning ends with a newline.
    assert re.search(r"\r\x1b\[K(\x1b\[33m)?[-\d]{10} [:\d]{8} WARNING: 99: gone \(404", shown)
    assert shown.count("\n") == 1
    assert shown.endswith(ERASE)
    plain = (tmp_path / "summary").read_text(encoding="utf-8")
    assert "\x1b" not in plain
    assert plain.splitlines()[-1].startswith("discovered ")
    assert exit_code == 0


@pytest.mark.slow
def test_no_color(crawl_line: list[str], tmp_path: Path) -> None:
    shown, _ = run_on_terminal(crawl_line, tmp_path, NO_COLOR="1")
    assert DRAWN.search(shown)
    assert not STYLE.search(shown)


@pytest.mark.slow
def test_a_terminal_without_control_sequences(crawl_line: list[str], tmp_path: Path) -> None:
    shown, _ = run_on_terminal(crawl_line, tmp_path, TERM="dumb")
    assert "\x1b[K" not in shown
    assert "starting" not in shown
    assert "discovered 19 =" in shown


def test_a_wrong_argument_leaves_one_line(tmp_path: Path) -> None:
    line = command("crawl", "articles", "-a", "seed=1752038", "-a", "depth=x")
    shown, exit_code = run_on_terminal(line, tmp_path)
    *_, rest = DRAWN.split(shown)
    assert rest.startswith(f"{ERASE}scrapy crawl: depth: ")
    assert rest.endswith("\r\n") and rest.count("\n") == 1
    assert exit_code == 2


SCRIPT = """
import sys
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.utils.project import get_project_settings

process = AsyncCrawlerProcess(get_project_settings())
process.crawl("articles", seed="99", base_url=sys.argv[1])
process.start()
print("the end", file=sys.stderr)
"""


@pytest.mark.slow
def test_a_script_on_a_terminal(server: NewsServer, tmp_path: Path) -> None:
    shown, _ = run_on_terminal([sys.executable, "-c", SCRIPT, server.url], tmp_path)
    assert "fetched 0 of 1" in "".join(DRAWN.findall(shown))
    # Log lines begin where the live line was.
    assert re.search(r"\r\x1b\[K(\x1b\[\d+m)?[-\d]{10} [:\d]{8} WARNING: 99: gone", shown)
    assert shown.endswith("\nthe end\r\n")


@pytest.mark.slow
def test_plain_lines_elsewhere(live: Crawl, server: NewsServer) -> None:
    run = live(seed=1752038, settings={"PROGRESS_INTERVAL": 0.1, "DOWNLOAD_DELAY": 0.05})
    lines = [line for line in run.stderr.splitlines() if "fetched " in line]
    assert len(lines) > 3
    assert all(" INFO: fetched " in line for line in lines)
    assert re.search(r"fetched \d+ of \d+, (\d failed, )?\d+\.\d pages/s", lines[-2])
    assert "fetched 24 of 24, 3 failed, " in lines[-1]
    assert not CONTROL.search(run.stderr.replace("\n", ""))


def test_no_progress_elsewhere_by_default(live: Crawl) -> None:
    run = live(seed=1752038, depth=0)
    assert run.stderr == ""


@pytest.mark.slow
def test_a_run_without_a_terminal_does_not_import_rich(tmp_path: Path) -> None:
    line = command("crawl", "articles", "-a", "seed=1752038", "-a", f"source={SITE}")
    result = subprocess.run(
        [line[0], "-X", "importtime", *line[1:]],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "crawler.terminal_tables" in result.stderr
    assert "| rich" not in re.sub(" +", " ", result.stderr)


HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x1b\x9b\r\n\t\b\u202e\u2028\u200d\ufe0f\u0301\u3042\U0001f469\U0001f1e9[]/:m"
        ),
    ),
    max_size=300,
)


@given(HOSTILE, st.integers(2, 150))
def test_no_headline_leaves_the_line(headline: str, columns: int) -> None:
    controller, terminal = open_terminal(columns)
    with open(terminal, "w", encoding="utf-8", errors="backslashreplace") as stream:
        line = LiveLine(stream)
        line.show("fetched 1 of 2", "0.5 pages/s", detail=headline)
        line.close()
    match = re.fullmatch(DRAWN.pattern + re.escape(ERASE), read_all(controller), re.DOTALL)
    assert match is not None
    text = STYLE.sub("", match[1])
    assert not CONTROL.search(text)
    assert cell_len(text) < columns


FITTING = [
    (40, ("fetched 1 of 2, 1.5 pages/s", "A headline…")),
    (39, ("fetched 1 of 2, 1.5 pages/s", "A headlin…")),
    (38, ("fetched 1 of 2, 1.5 pages/s", "")),
    (27, ("fetched 1 of 2, 1.5 pages/s", "")),
    (26, ("fetched 1 of 2", "A headlin…")),
    (5, ("fetch", "")),
]


@pytest.mark.parametrize(("width", "fits"), FITTING)
def test_what_fits_into_a_line(width: int, fits: tuple[str, str]) -> None:
    assert fitting(("fetched 1 of 2", "1.5 pages/s"), "A headline of a page", width) == fits


def pace_of(changes: list[float]) -> Pace:
    """Return the pace of a count that grows by one at each of these times, from 0 on."""
    pace = Pace(0)
    for count, at in enumerate(changes, 1):
        pace.note(count, at)
    return pace


RATES: list[tuple[list[float], float, float | None]] = [
    ([], 5, None),
    ([2], 2, 0.5),
    ([2, 4, 6, 8], 9.9, 0.5),
    ([2, 4, 6, 8], 10, 0.5),
    # The next page is eight seconds overdue.
    ([2, 4, 6, 8], 18, 4 / 16),
    ([60, 120], 179, 1 / 60),
    # Only the last ten seconds count.
    ([*range(100, 200, 10), *range(200, 211)], 210.5, 1),
    ([100, 200, 300, 400, 500, 600, 700], 700, 1 / 100),
]


@pytest.mark.parametrize(("changes", "now", "rate"), RATES)
def test_rates(changes: list[float], now: float, rate: float | None) -> None:
    assert pace_of(changes).per_second(now) == pytest.approx(rate)


@given(st.floats(0.1, 60), st.integers(2, 50), st.floats(0, 1))
def test_a_steady_crawl_has_a_steady_rate(gap: float, pages: int, part: float) -> None:
    pace = pace_of([number * gap for number in range(1, pages + 1)])
    assert pace.per_second((pages + part) * gap) == pytest.approx(1 / gap)
