"""Reports of records that try to break out of the page: nothing runs, and all is shown as text."""

from pathlib import Path
from typing import TYPE_CHECKING

import forks
import hostile_texts
import pytest
from conftest import PATIENCE, Crawl, environment
from corpora import write_feed
from hostile_texts import ATTACKS, HARMLESS
from report_pages import open_everything, opened, overflowing, watched
from server import NewsServer, answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_STRUCTURE = """
() => {
  const describe = (element) => {
    const names = element.getAttributeNames().filter((name) => !name.startsWith("data-version"));
    return `${element.tagName}[${names.sort()}]`;
  };
  return [...document.querySelectorAll("*")].map(describe);
}
"""


_NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def report_of(folder: Path, *texts: str) -> Path:
    write_feed(folder / "feed.jsonl", *hostile_texts.records(texts))
    run = forks.run(["report", "feed.jsonl"], folder, environment(), PATIENCE)
    assert (run.returncode, run.stderr) == (0, f"{len(texts)} articles in report.html\n")
    return folder / "report.html"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_of(tmp_path_factory.mktemp("hostile"), *ATTACKS)


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_texts_do_not_change_the_page(
    browser: "Browser", file: Path, tmp_path: Path, scripts: bool
) -> None:
    harmless = report_of(tmp_path, *HARMLESS)
    structures = []
    for each in (file, harmless):
        with opened(browser, each, scripts=scripts) as page:
            open_everything(page)
            structures.append(page.evaluate(_STRUCTURE))
    assert len(structures[0]) > 3000
    assert structures[0] == structures[1]


@pytest.mark.slow
def test_texts_are_shown_as_they_are(browser: "Browser", file: Path) -> None:
    with opened(browser, file) as page:
        open_everything(page)
        rows = page.locator("#table tbody").all()
        assert len(rows) == len(ATTACKS)
        for row, text in zip(rows, ATTACKS, strict=True):
            # HTML cannot express NUL.
            expected = text.replace("\0", "")
            assert row.locator(".headline").text_content() == f"{expected} {expected}"
            expected = text.replace("\0", "\ufffd")
            parts = row.locator(".record dd:not(.where)").all_text_contents()
            assert expected.strip() in [part.strip() for part in parts]
            assert f"assumed: {expected}" in (row.text_content() or "")
        details = page.locator("#failure-timeout li .note bdi").all_text_contents()
        assert {f"{text} {text}".replace("\0", "") for text in ATTACKS} <= set(details)


@pytest.mark.slow
def test_links_lead_to_the_web_only(browser: "Browser", file: Path) -> None:
    with opened(browser, file) as page:
        open_everything(page)
        links = page.evaluate(
            "() => [...document.links].map((a) => [a.getAttribute('href'), a.target, a.rel])"
        )
    outer = [link for link in links if not link[0].startswith("#")]
    assert len(outer) > 200
    for address, target, rel in outer:
        assert address.startswith("https://evil.example/")
        assert (target, rel) == ("_blank", "noreferrer noopener")


@pytest.mark.slow
def test_filters_find_hostile_texts(browser: "Browser", file: Path) -> None:
    with opened(browser, file) as page:
        publishers = page.locator("#filter-publisher option").all_inner_texts()[1:]
        for number, publisher in enumerate(publishers, start=1):
            text = ATTACKS[int(publisher.split()[1])]
            page.locator("#filter-publisher").select_option(index=number)
            page.locator("#filter-text").fill("article")
            page.evaluate(_NEXT_FRAME)  # in which the filters are applied
            shown = page.locator("#table tbody:visible .headline").text_content()
            expected = text.replace("\0", "")
            assert shown == f"{expected} {expected}"


# What is put into a finished report, as if a text had not been escaped.
FORCED = """
<script>document.title = "broken"</script>
<img src="https://evil.example/x.png" onerror="document.title = 'broken'">
<img src="data:image/gif;base64,AA" onerror="document.title = 'broken'">
<svg onload="document.title = 'broken'"></svg>
<p id="styled" style="display: none">text</p>
<style>#table { display: none }</style>
<link rel="stylesheet" href="https://evil.example/x.css">
<iframe src="https://evil.example/"></iframe>
<object data="https://evil.example/"></object>
<form action="https://evil.example/"><button id="send">Send</button></form>
<a id="run" href="javascript:document.title = 'broken'">Run</a>
"""


@pytest.mark.slow
def test_the_policy_of_the_file(browser: "Browser", file: Path, tmp_path: Path) -> None:
    """Even without escaping, nothing would run, and nothing be requested."""
    edited = tmp_path / "edited.html"
    text = file.read_text(encoding="utf-8")
    edited.write_text(text.replace("<main>", f"<main>{FORCED}", 1), encoding="utf-8")
    blocked: list[tuple[str, str | None]] = []
    with watched(browser, edited) as (page, misdeeds):
        page.on("requestfailed", lambda one: blocked.append((one.url, one.failure)))
        page.reload()
        page.locator("#run").click()
        assert page.title() == f"{len(ATTACKS)} articles and the links between them"
        assert page.locator("#styled").is_visible() and page.locator("#table").is_visible()
        with page.expect_console_message(lambda message: "Sending form data" in message.text):
            page.evaluate("document.getElementById('send').click()")
        assert page.url == edited.as_uri()
    assert {why for _, why in blocked} == {"csp"}
    # Requests that the policy blocked are not sent.
    others = set(misdeeds) - {f"request: {url}" for url, _ in blocked}
    assert len(others) >= 9
    assert {each for each in others if "Content Security Policy" not in each} == set()


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1400])
def test_long_texts_stay_within_the_page(browser: "Browser", file: Path, width: int) -> None:
    with opened(browser, file, width=width) as page:
        assert overflowing(page) == []
        open_everything(page)
        assert overflowing(page) == []


HOSTILE_PAGE = """
<html lang="x&quot; onclick=&quot;broken()"><title>{0}</title>
<meta name="author" content="{0}"><meta name="keywords" content="{0},&quot;><script>">
<h1>{0}</h1><p class="byline">By {0}</p><span>Fri Oct 23, 2015 13:26:08</span>
<div>{1}<figure><img src="/a.jpg&quot; onerror=&quot;broken()"><figcaption>{0}</figcaption></figure>
<p><a href="javascript:broken()">{0}</a> <a href="data:text/html,{0}">{0}</a>
<a href="/news/1700002?{0}">{0}</a> and more words that make it a sentence of the text.</p></div>
<h3>Related</h3><ul><li><a href="/news/1700003">{0}</a><li><a href="/news/1700004">{0}</a></ul>
"""


@pytest.mark.slow
def test_a_crawl_of_hostile_pages(
    browser: "Browser", live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    attack = "</noscript></script><img src=x onerror=broken()>"
    escaped = attack.replace("<", "&lt;").replace(">", "&gt;")
    prose = f"<p>It is what {escaped} says, in a sentence that is long enough to be one.</p>" * 3
    server.pages = {
        f"/news/{number}": HOSTILE_PAGE.format(escaped, prose).encode() for number in (1700001,)
    }
    server.misbehaviour["/news/1700003"] = lambda handler, before: answer(
        handler, 302, b"", {"Location": f"https://evil.example/{attack}"}
    )
    file = tmp_path / "report.html"
    run = live(seed=1700001, report=file, match="script|<img src=x>|.", depth=1)
    assert run.articles["1700001"]["headline"] == attack
    assert attack in run.articles["1700001"]["body"]
    for scripts in (True, False):
        with opened(browser, file, scripts=scripts) as page:
            open_everything(page)
            assert page.locator("h1 q").text_content() == attack
            assert "match=script|<img src=x>|." in page.locator("#asked").inner_text()
            assert page.locator("img, iframe, [onerror], [onclick]").count() == 0
            assert attack in page.locator("#a1 .record").inner_text()
