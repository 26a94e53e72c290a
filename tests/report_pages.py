"""Reports in a real browser: they may not log, fail, ask, or request anything but themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

WIDTHS = (400, 1400)

_OVERFLOWING = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const isClipped = (element) =>
    element !== null &&
    (getComputedStyle(element).overflowX !== "visible" || isClipped(element.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .filter((element) => !isClipped(element.parentElement))
    .map((element) => `${element.tagName} ${element.id || element.className}`);
}
"""
_OPEN_EVERYTHING = """
(records) => {
  for (const row of [...document.querySelectorAll("#table tbody")].slice(0, records)) {
    row.querySelector("button[aria-expanded=false]")?.click();
  }
  for (const each of document.querySelectorAll("details")) each.open = true;
}
"""


@contextmanager
def watched(
    browser: "Browser",
    file: Path,
    *,
    width: int = 1400,
    dark: bool = False,
    scripts: bool = True,
    hash: str = "",
) -> Iterator[tuple["Page", list[str]]]:
    """Open a report; yield the page, and a list to which all its misdeeds are added.

    Misdeeds are console messages, errors, dialogs and other windows; and at the end, requests but
    that of the file.
    """
    misdeeds: list[str] = []
    requested: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    url = file.resolve().as_uri()

    def dismiss(dialog: "Dialog") -> None:
        misdeeds.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    try:
        page = context.new_page()
        page.set_default_timeout(20_000)
        context.on("page", lambda other: misdeeds.append(f"window: {other.url}"))
        page.on("console", lambda message: misdeeds.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: misdeeds.append(f"error: {error}"))
        page.on("dialog", dismiss)
        page.on("request", lambda request: requested.append(request.url.partition("#")[0]))
        page.goto(url + hash)
        yield page, misdeeds
        misdeeds += [f"request: {other}" for other in requested if other != url]
    finally:
        context.close()


@contextmanager
def opened(browser: "Browser", file: Path, **view: Any) -> Iterator["Page"]:
    """Open a report as ``watched`` does; at the end, raise AssertionError for its misdeeds."""
    with watched(browser, file, **view) as (page, misdeeds):
        yield page
    assert misdeeds == []


def open_everything(page: "Page", records: int = 100) -> None:
    """Open all parts of a page that can be opened, and that many records."""
    page.evaluate(_OPEN_EVERYTHING, records)


def overflowing(page: "Page") -> list[str]:
    """Return the elements that make the page scroll sideways."""
    found: list[str] = page.evaluate(_OVERFLOWING)
    return found


def accessibility_faults(page: "Page") -> list[str]:
    """Return the faults that axe-core finds, each with its impact and its elements."""
    return [
        f"{fault['id']} ({fault['impact']}): "
        + ", ".join(" ".join(map(str, node["target"])) for node in fault["nodes"][:5])
        for fault in Axe().run(page).response["violations"]
    ]
