"""Reports at both widths, in both colour schemes, without JavaScript, and on paper."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import forks
import pytest
from conftest import PATIENCE, SEED, SITE, environment
from corpora import teaser, write_feed
from hostile_texts import ATTACKS
from hostile_texts import records as hostile_records
from jobs import article, failure
from playwright.sync_api import expect
from report_pages import WIDTHS, accessibility_faults, open_everything, opened, overflowing

from crawler.items import Record

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG_ADDRESS = "https://publisher.example/" + "a-long-address-" * 40
SEVERAL = [
    article(
        f"n{number}",
        site=f"publisher{number % 9}.example",
        published_at=f"2026-0{1 + number % 4}-1{number % 9}",
        depth=number % 4,
        url=LONG_ADDRESS,
        revision=1 + number % 2,
    )
    for number in range(120)
]
# Reports of feeds, by name. The saved site is crawled.
FEEDS: dict[str, list[Record]] = {
    "one article": [article("1", published_at="2026-01-02T03:04:05+00:00")],
    "no dates": [article("1"), article("2", site=None)],
    "several publishers": SEVERAL[:27],
    "two pages": SEVERAL,
    "unread publishers": [
        *(
            article(f"b{number}", site="blongname.example", published_at="2026-01-01")
            for number in range(2)
        ),
        article("a", site="a.example", published_at="2026-05-01"),
        article("c", site="c.example", published_at="2026-05-01"),
        *(teaser(f"c{number}", site="c.example", why="offsite") for number in range(5)),
        *(teaser(f"d{number}", site="d.example", why="offsite") for number in range(5)),
    ],
    "only failures": [failure(f"f{number}", "timeout") for number in range(30)],
    "only teasers": [teaser(f"t{number}", url=LONG_ADDRESS) for number in range(30)],
    "nothing": [],
    "hostile texts": list(hostile_records(ATTACKS)),
}
EXAMPLES = ["saved site", *(name for name in FEEDS if name != "two pages")]


@pytest.fixture(scope="module")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the report of an example when it is first asked for."""
    made: dict[str, Path] = {}

    def report(example: str) -> Path:
        if example not in made:
            folder = tmp_path_factory.mktemp("report")
            words = ["report", "feed.jsonl"]
            if example == "saved site":
                words = ["crawl", "articles", f"-aseed={SEED}", f"-asource={SITE}"]
                words += ["-areport=report.html", "-sJOBDIR=job"]
            else:
                (folder / "feed.jsonl").touch()
                write_feed(folder / "feed.jsonl", *FEEDS[example])
            run = forks.run(words, folder, environment(), PATIENCE)
            assert run.returncode == 0, run.stderr
            made[example] = folder / "report.html"
        return made[example]

    return report


Reports = Callable[[str], Path]


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_accessibility_and_width(
    browser: "Browser", report_of: Reports, example: str, width: int
) -> None:
    """The page does not scroll sideways; with everything open, axe-core finds no fault."""
    for dark in (False, True):
        with opened(browser, report_of(example), width=width, dark=dark) as page:
            assert overflowing(page) == []
            # axe-core takes ten seconds for a hundred records.
            open_everything(page, records=3)
            assert (overflowing(page), accessibility_faults(page)) == ([], [])


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_without_scripts(browser: "Browser", report_of: Reports, example: str, width: int) -> None:
    """Everything can be read, and nothing pretends to work."""
    with opened(browser, report_of(example), width=width, scripts=False) as page:
        assert overflowing(page) == []
        assert page.locator("button:visible, input:visible, select:visible").count() == 0
        assert page.locator("canvas:visible").count() == 0
        rows = page.locator("#table tbody")
        assert rows.filter(visible=True).count() == rows.count()
        assert page.locator("tr.record").filter(visible=True).count() == rows.count()
        assert (
            page.locator("#table a[href^='#a']:visible").count()
            == page.locator("#table a[href^='#a']").count()
        )


@pytest.mark.slow
def test_publishers_have_the_same_colours_everywhere(
    browser: "Browser", report_of: Reports
) -> None:
    """Only those of articles count; of the others, the graph alone shows something."""
    with opened(browser, report_of("unread publishers")) as page:
        assert "4 articles of 3 publishers" in page.locator(".lede").inner_text()
        read = ["blongname.example", "a.example", "c.example"]
        assert page.locator("#time-line .legend bdi").all_inner_texts() == read
        legend = page.locator(".graph-legend:visible bdi")
        assert legend.all_inner_texts() == [*read, "d.example"]
        names = page.locator("#table .publisher bdi")
        lines = names.evaluate_all("names => names.map((name) => name.getClientRects().length)")
        assert lines == [1] * 4


@pytest.mark.slow
def test_names_of_controls(browser: "Browser", report_of: Reports) -> None:
    """Screen readers hear what each slider and row is, and the day of a slider."""
    with opened(browser, report_of("unread publishers"), width=700) as page:
        start, end = (page.get_by_role("slider", name=name) for name in ("Published from", "until"))
        assert start.get_attribute("aria-valuetext") == "2026-01-01"
        start.press("End")
        for slider in (start, end):
            expect(slider).to_have_attribute("aria-valuetext", "2026-05-01")
        headline = page.locator("button.headline").first
        assert "▸" not in headline.aria_snapshot()


@pytest.mark.slow
def test_the_printed_graph_keeps_its_shape(browser: "Browser", report_of: Reports) -> None:
    with opened(browser, report_of("saved site")) as page:
        canvas = page.locator("#graph-canvas")
        ratio = "canvas => canvas.width / canvas.height"
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 700, "height": 900})
        box = canvas.bounding_box()
        assert box and abs(box["width"] / box["height"] - canvas.evaluate(ratio)) < 0.05


EMPTY_STATES: dict[str, dict[str, str]] = {
    "nothing": {
        "graph": "There is no article to draw.",
        "time-line": "No article has a date of publication.",
        "unfetched": "Nothing is missing: every article that is known was fetched.",
        "articles": "No article was fetched.",
        "balance": "0 discovered",
    },
    "only failures": {
        "graph": "30 failed fetches; 0 links between them.",
        "time-line": "No article has a date of publication.",
        "unfetched": "the server did not answer in time: 30",
        "articles": "No article was fetched.",
        "balance": "+ 30 failures",
    },
    "only teasers": {
        "unfetched": "they are farther from the seeds than depth allows: 30",
        "articles": "No article was fetched.",
        "balance": "+ 30 teasers",
    },
    "no dates": {"time-line": "No article has a date of publication."},
    "one article": {
        "graph": "1 article; 0 links between them.",
        "time-line": "Articles by the day of their publication.",
        "balance": "= 1 article",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("example", EMPTY_STATES)
def test_empty_states(browser: "Browser", report_of: Reports, example: str) -> None:
    with opened(browser, report_of(example)) as page:
        for section, words in EMPTY_STATES[example].items():
            assert words in page.locator(f"#{section}").inner_text().replace("\n", " ")


def backgrounds(page: "Page") -> str:
    return str(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))


CORNER = """
() => new Promise((done) => {
  let frames = 5;
  const read = () => {
    const canvas = document.getElementById("graph-canvas");
    const copy = new OffscreenCanvas(1, 1).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    done([...copy.getImageData(0, 0, 1, 1).data]);
  };
  (function next() { frames-- ? requestAnimationFrame(next) : read(); })();
})
"""


@pytest.mark.slow
def test_the_graph_is_printed_in_light_colours(browser: "Browser", report_of: Reports) -> None:
    with opened(browser, report_of("saved site"), dark=True) as page:
        colours = [page.evaluate(CORNER)]
        for event in ("beforeprint", "afterprint"):
            page.evaluate("(name) => { dispatchEvent(new Event(name)); }", event)
            colours.append(page.evaluate(CORNER))
    assert colours == [[22, 23, 26, 255], [255, 255, 255, 255], [22, 23, 26, 255]]


@pytest.mark.slow
def test_print(browser: "Browser", report_of: Reports, tmp_path: Path) -> None:
    with opened(browser, report_of("two pages"), dark=True) as page:
        assert backgrounds(page) == "rgb(22, 23, 26)"
        page.locator("#a2 .headline").click()
        page.locator("#filter-publisher").select_option("publisher1.example")
        page.locator("#page-places").get_by_text("of 14").wait_for()
        page.locator("#filter-publisher").select_option("")
        page.locator("#page-places").get_by_text("of 120").wait_for()
        page.emulate_media(media="print")
        assert backgrounds(page) == "rgb(255, 255, 255)"
        assert page.locator("#table tbody:visible").count() == 120
        assert page.locator("#a2 .record").is_visible()
        assert not page.locator("#a3 .record").is_visible()
        for hidden in ("nav", "#filters", "#page-after", ".skip", ".tools button"):
            assert page.locator(hidden).filter(visible=True).count() == 0
        page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


COLOURS_OF_LEGENDS = """
(selector) => Object.fromEntries(
  [...document.querySelectorAll(selector)]
    .filter((entry) => entry.querySelector("bdi"))
    .map((entry) => [
      entry.querySelector("bdi").textContent,
      entry.querySelector("[class*='publisher-']").getAttribute("class").match(/publisher-\\d/)[0],
    ]))
"""


@pytest.mark.slow
def test_publishers_have_one_colour(browser: "Browser", report_of: Reports) -> None:
    with opened(browser, report_of("several publishers")) as page:
        graph = page.evaluate(COLOURS_OF_LEGENDS, ".graph-legend li")
        time_line = page.evaluate(COLOURS_OF_LEGENDS, "#time-line .legend li")
    assert len(graph) == 7 and graph == time_line
