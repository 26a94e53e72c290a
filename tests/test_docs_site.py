"""The site of the docs: it builds without warnings, and works from a folder without a network."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT
from playwright.sync_api import Browser, Page, Request
from services import require

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site. Warnings, such as of a link to nowhere, are errors."""
    require("MkDocs")
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def fault_of(request: Request) -> list[str]:
    """Return what is wrong with a request that failed; leaving a page ends those under way."""
    if request.failure == "net::ERR_ABORTED":
        return []
    return [f"{request.failure}: {request.url}"]


@contextmanager
def watched(page: Page) -> Iterator[None]:
    """Check that the page asks for nothing but files, and that its scripts fail nowhere."""
    requested: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("requestfailed", lambda request: faults.extend(fault_of(request)))
    page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield
    elsewhere = [url for url in requested if not url.startswith(("file:", "blob:", "data:"))]
    assert not elsewhere
    assert not faults


def test_every_page_opens_from_a_folder(site: Path, page: Page) -> None:
    # Servers send 404.html for any path, so its links are absolute.
    pages = sorted(set(site.rglob("*.html")) - {site / "404.html"})
    assert len(pages) > 30
    with watched(page):
        for path in pages:
            page.goto(path.as_uri())
            assert page.locator("article h1").count() == 1, path


def test_search_finds_a_setting(site: Path, page: Page) -> None:
    with watched(page):
        page.goto((site / "index.html").as_uri())
        page.locator(".md-search__input").fill("RETRY_AFTER_MAX")
        result = page.locator(".md-search-result__link").first
        result.wait_for()
        result.click()
        page.wait_for_url("**/*.html*")
    assert "RETRY_AFTER_MAX" in page.locator("article").inner_text()
