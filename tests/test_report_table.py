"""The filters, the table and the time line of a report of 250 made articles, in a browser."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import forks
import pytest
from conftest import PATIENCE, environment
from corpora import write_feed
from jobs import article
from report_pages import opened

from crawler.items import Article, Author, Link

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COUNT = 250
ROWS_A_PAGE = 100
PUBLISHERS = ("harbour.example", "island.example", "mainland.example")
BEGAN = date(2026, 1, 1)


def made_article(number: int) -> Article:
    """Return an article that links to its successors; every tenth has no date."""
    day = BEGAN + timedelta(days=number * 7 % 60)
    fields: dict[str, Any] = {
        "site": PUBLISHERS[number % 7 % 3],
        "headline_raw": f"Item {number} on {'ferries' if number % 4 else 'Storms & floods'}",
        "published_at": None if number % 10 == 0 else f"{day}T0{number % 9}:15:00+00:00",
        "authors": (Author(name=f"Ada-{number % 5}", url=None),),
        "tags": ("harbours", f"blue-{number % 3}"),
        "depth": number // 70,
        "revision": 1 + number % 3,
        "links": tuple(
            link(f"n{target}") for target in range(number + 1, min(COUNT, number + 1 + number % 5))
        ),
    }
    return article(f"n{number}", **fields)


def link(article_id: str) -> Link:
    url = f"https://harbour.example/{article_id}"
    facts: dict[str, Any] = {"paragraph": None, "rel": (), "where": "main", "internal": True}
    return Link(role="text", url=url, id=article_id, text=f"About {article_id}", **facts)


ARTICLES = [made_article(number) for number in range(COUNT)]
LINKED = {
    one.id: sum(one.id == link.id for other in ARTICLES for link in other.links or ())
    for one in ARTICLES
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    write_feed(folder / "made.jsonl", *ARTICLES)
    run = forks.run(["report", "made.jsonl"], folder, environment(), PATIENCE)
    assert (run.returncode, run.stderr) == (0, "250 articles in report.html\n")
    return folder / "report.html"


@pytest.fixture
def page(browser: "Browser", file: Path) -> Iterator["Page"]:
    with opened(browser, file) as page:
        yield page


def shown(page: "Page") -> list[str]:
    """Return the headlines on the current page of the table."""
    return page.locator("#table tbody:visible .headline").all_text_contents()


def headlines(articles: list[Article]) -> list[str]:
    return [str(one.headline_raw) for one in articles]


def result(page: "Page") -> str:
    # Filters take effect in the next frame.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return page.locator("#filter-result").inner_text()


Value = Callable[[Article], Any]
COLUMNS: dict[str, tuple[str, Value]] = {
    "Headline": ("ascending", lambda one: int(str(one.headline_raw).split()[1])),
    "Published": ("descending", lambda one: one.published_at),
    "Publisher": ("descending", lambda one: one.site),
    "Depth": ("descending", lambda one: one.depth),
    "Linked from": ("descending", lambda one: LINKED[one.id]),
    "Revisions": ("descending", lambda one: one.revision),
}


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
def test_sorting(page: "Page", column: str) -> None:
    first, value = COLUMNS[column]
    heading = page.locator("#table thead th").filter(has_text=column)
    other = {"ascending": "descending", "descending": "ascending"}
    for order in (first, other[first], first):
        heading.get_by_role("button").click()
        assert page.locator("[aria-sort]").count() == 1
        assert heading.get_attribute("aria-sort") == order
        # Python's sort is stable in both directions, as the table's is.
        known = [one for one in ARTICLES if value(one) is not None]
        known.sort(key=value, reverse=order == "descending")
        expected = known + [one for one in ARTICLES if value(one) is None]
        assert shown(page) == headlines(expected[:ROWS_A_PAGE])
        page.locator("#page-after").click()
        page.locator("#page-after").click()
        assert shown(page) == headlines(expected[2 * ROWS_A_PAGE :])


@pytest.mark.slow
def test_paging(page: "Page") -> None:
    places, before, after = (
        page.locator(f"#page-{name}") for name in ("places", "before", "after")
    )
    for start in (0, 100, 200):
        end = min(start + ROWS_A_PAGE, COUNT)
        assert places.inner_text() == f"{start + 1} to {end} of 250"
        assert shown(page) == headlines(ARTICLES[start:end])
        assert (before.is_visible(), after.is_visible()) == (start > 0, end < COUNT)
        if end < COUNT:
            after.click()
    before.click()
    assert places.inner_text() == "101 to 200 of 250"
    page.locator("#filter-text").fill("storms")
    assert result(page) == "63 of 250 articles"
    assert places.inner_text() == "1 to 63 of 63"
    assert not before.is_visible() and not after.is_visible()


# Each search, and the articles that it finds, by number.
SEARCHES: dict[str, Callable[[int], bool]] = {
    "FERRIES": lambda number: number % 4 > 0,
    "storms & floods": lambda number: number % 4 == 0,
    "floods item": lambda number: number % 4 == 0,
    "  n17  ": lambda number: str(number).startswith("17"),
    "blue-2": lambda number: number % 3 == 2,
    "ada-3": lambda number: number % 5 == 3,
    "ada-3 blue-2": lambda number: number % 15 == 8,
    "harbours": lambda number: True,
    "zeppelin": lambda number: False,
    "body": lambda number: False,
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("words", SEARCHES)
def test_search(page: "Page", words: str) -> None:
    expected = [one for number, one in enumerate(ARTICLES) if SEARCHES[words](number)]
    page.locator("#filter-text").fill(words)
    assert result(page) == (f"{len(expected)} of 250 articles" if len(expected) < COUNT else "")
    assert shown(page) == headlines(expected[:ROWS_A_PAGE])
    assert page.locator("#nothing-found").is_visible() == (not expected)
    page.get_by_role("button", name="Show all").click()
    assert result(page) == ""
    assert shown(page) == headlines(ARTICLES[:ROWS_A_PAGE])
    assert page.locator("#filter-text").input_value() == ""


@pytest.mark.slow
def test_publishers(page: "Page") -> None:
    for publisher in PUBLISHERS:
        expected = [one for one in ARTICLES if one.site == publisher]
        page.locator("#filter-publisher").select_option(publisher)
        assert result(page) == f"{len(expected)} of 250 articles"
        assert shown(page) == headlines(expected[:ROWS_A_PAGE])
        page.locator("#filter-text").fill("storms")
        both = [one for one in expected if "Storms" in str(one.headline_raw)]
        assert result(page) == f"{len(both)} of 250 articles"
        page.locator("#filter-text").fill("")
    page.locator("#filter-publisher").select_option("all")
    assert result(page) == ""


DAYS = sorted({str(one.published_at)[:10] for one in ARTICLES if one.published_at})


def published(first: str, last: str) -> list[Article]:
    """Return the articles of a span of days, and those without a date."""
    return [
        one for one in ARTICLES if not one.published_at or first <= one.published_at[:10] <= last
    ]


@pytest.mark.slow
def test_the_sliders(page: "Page") -> None:
    start, end = page.locator("#filter-from"), page.locator("#filter-until")
    start.focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    assert result(page) == f"{len(published(DAYS[7], DAYS[-1]))} of 250 articles"
    assert page.locator("#filter-from-day").inner_text() == DAYS[7]
    # An end that would cross the other takes it along.
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert result(page) == f"{len(published(DAYS[0], DAYS[0]))} of 250 articles"
    assert [start.input_value(), end.input_value()] == ["0", "0"]
    assert page.locator("#filter-from-day").inner_text() == DAYS[0]
    assert page.locator(".bar:not(.outside)").count() == 1
    page.get_by_role("button", name="Show all").click()
    assert result(page) == ""
    assert page.locator("#filter-from-day").inner_text() == DAYS[0]
    assert page.locator("#filter-until-day").inner_text() == DAYS[-1]
    assert page.locator(".bar.outside").count() == 0


@pytest.mark.slow
def test_a_click_on_a_bar(page: "Page") -> None:
    day = DAYS[20]
    bar = page.locator(f".bar[data-from='{day}']")
    dated = [one for one in ARTICLES if str(one.published_at).startswith(day)]
    title = bar.locator("title").text_content()
    assert title == f"{day}: {len(dated)} articles"
    # Above the bar, as below its top.
    for _ in range(2):
        bar.locator(".hit").click(position={"x": 3, "y": 3}, force=True)
        assert result(page) == f"{len(published(day, day))} of 250 articles"
        assert page.locator(".bar:not(.outside)").count() == 1
        bar.locator(".hit").click(position={"x": 3, "y": 140}, force=True)
        assert result(page) == ""
        assert page.locator(".bar.outside").count() == 0


@pytest.mark.slow
def test_the_numbers_of_the_time_line(page: "Page") -> None:
    page.get_by_text("The numbers").click()
    rows = page.locator("#time-line tbody tr").all_inner_texts()
    counts = {day: sum(str(one.published_at).startswith(day) for one in ARTICLES) for day in DAYS}
    assert [row.split("\t")[:2] for row in rows] == [[day, str(n)] for day, n in counts.items()]
    assert "25 articles without a date are not shown" in page.locator("#time-line").inner_text()


@pytest.mark.slow
def test_records(page: "Page") -> None:
    headline = page.locator("#a3 .headline")
    assert headline.get_attribute("aria-expanded") == "false"
    headline.click()
    assert headline.get_attribute("aria-expanded") == "true"
    record = page.locator("#a3 .record")
    assert "It was made up." in record.inner_text()
    # A link between records opens the other one, and the address leads to it.
    record.get_by_role("link", name="About n3").click()
    assert page.evaluate("location.hash") == "#a4"
    assert page.locator("#a4 .record").is_visible()
    assert page.evaluate("document.activeElement.closest('tbody').id") == "a4"
    page.go_back()
    assert page.evaluate("location.hash") == ""
    headline.click()
    assert headline.get_attribute("aria-expanded") == "false"
    assert not record.is_visible()


@pytest.mark.slow
def test_a_link_to_a_record_that_is_not_shown(browser: "Browser", file: Path) -> None:
    """It is on another page of the table, or hidden by the filters."""
    with opened(browser, file, hash="#a230") as page:
        assert page.locator("#a230 .record").is_visible()
        assert page.locator("#page-places").inner_text() == "201 to 250 of 250"
        page.locator("#filter-text").fill("n17")
        assert "of 250" in result(page)
        page.evaluate("location.hash = '#a5'")
        page.locator("#a5 .record").wait_for()
        assert result(page) == ""
        assert page.locator("#page-places").inner_text() == "1 to 100 of 250"
        assert page.locator("#filter-text").input_value() == ""
        page.evaluate("location.hash = '#nothing'")
        assert page.locator("#page-places").inner_text() == "1 to 100 of 250"


@pytest.mark.slow
def test_from_the_table_to_the_graph_and_back(page: "Page") -> None:
    page.locator("#a3 .headline").click()
    page.locator("#a3").get_by_role("button", name="Show in the graph").click()
    selected = page.locator("#graph-node")
    selected.wait_for()
    assert "Item 2 on ferries" in selected.inner_text()
    page.locator("#a3 .headline").click()
    page.locator("#graph-canvas").focus()
    page.keyboard.press("Enter")
    page.locator("#a3 .record").wait_for()
    assert page.evaluate("location.hash") == "#a3"


@pytest.mark.slow
def test_the_graph_shows_what_the_filters_let_pass(page: "Page") -> None:
    page.locator("#filter-publisher").select_option(PUBLISHERS[1])
    page.locator("#filter-text").fill("storms")
    found = result(page).split()[0]
    assert found in page.locator("#graph-status").inner_text()


@pytest.mark.slow
def test_by_keyboard(page: "Page") -> None:
    """All controls can be reached, focus is always visible, and keys work on what has it."""
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        reached.append(focus["name"])
        assert focus["outline"] != "none", focus
        assert focus["isInView"], focus
    names = "text publisher from until reset".split()
    names = [f"filter-{name}" for name in names] + ["graph-canvas", "page-after"]
    assert {"Skip to the articles", *names, *COLUMNS} <= set(reached)
    first = page.locator("#a1 .headline")
    first.focus()
    for key, state in (("Enter", "true"), ("Space", "false"), ("Enter", "true")):
        page.keyboard.press(key)
        assert first.get_attribute("aria-expanded") == state
    page.locator("#table thead button").first.focus()
    page.keyboard.press("Space")
    assert page.locator("#table thead th").first.get_attribute("aria-sort") == "ascending"


FOCUS = """
() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    name: element.id || element.textContent.trim().split("\\n")[0],
    outline: style.outlineStyle,
    isInView: element === middle || element.contains(middle) || element.closest("label") === middle,
  };
}
"""


@pytest.mark.slow
def test_the_skip_link(page: "Page") -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('section').id") == "articles"
