"""Crawls that render pages, with a real Splash and a real Chromium.

Every test with the ``browser`` fixture runs twice, once with each.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from archive_crawls import records_of, wacz
from conftest import IMPATIENT, SITE, Crawl, Replay, environment, read_records
from rendered import (
    LATE,
    LEAK,
    PLAIN,
    SEED,
    SHELL,
    WRITE_ARTICLE,
    WRITE_LEAK,
    Render,
    each_browser,  # noqa: F401
    render_with_browser,  # noqa: F401
    scripted,
)
from server import NewsServer, answer
from test_crawl_live import always
from test_crawl_saved import same_whatever_the_source

RELATED = LEAK.partition('"')[2].rstrip('"')
XHR = scripted(
    WRITE_ARTICLE + "var request = new XMLHttpRequest();"
    " request.open('GET', '/related/' + location.pathname.split('/')[2] + '.json');"
    "request.onload = function () { document.querySelector('pre').textContent ="
    " 'string(' + unescape(encodeURIComponent(request.responseText)).length"
    " + ') \"' + request.responseText + '\"'; }; request.send();"
)
ENDLESS = scripted(
    f"{WRITE_ARTICLE} {WRITE_LEAK.format(json.dumps(LEAK))}"
    "var request = new XMLHttpRequest(); request.open('GET', '/never'); request.send();"
    "setInterval(function () { document.title = Math.random(); }, 50);",
    SHELL.replace("</body>", "<img src=/never><script src=/never async></script></body>"),
)
PAGES = {"late": LATE, "xhr": XHR, "endless": ENDLESS}


@pytest.fixture
def slow_server(server: NewsServer) -> Iterator[NewsServer]:
    """Also serve /related/<id>.json; a request for /never gets no response until the test ends."""
    end_of_test = threading.Event()
    server.misbehaviour["/never"] = lambda handler, before: end_of_test.wait(60) and None
    server.misbehaviour[f"/related/{SEED}.json"] = lambda handler, before: answer(
        handler, 200, RELATED.encode()
    )
    yield server
    end_of_test.set()


@pytest.fixture
def plain_records(live: Crawl) -> dict[str, dict[str, object]]:
    return same_whatever_the_source(live(seed=SEED, depth=1))


def test_the_same_records_as_without_rendering(
    render: Render, plain_records: dict[str, dict[str, object]]
) -> None:
    run = render(seed=SEED, depth=1)
    assert same_whatever_the_source(run) == plain_records
    assert run.exit_code == 0
    assert f"{len(run.articles)} rendered; 0 needed no rendering" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_full_records_of_pages_that_need_scripts(
    render: Render,
    browser: str,
    live: Crawl,
    slow_server: NewsServer,
    plain_records: dict[str, dict[str, object]],
    page: str,
) -> None:
    slow_server.pages[f"/news/{SEED}"] = PAGES[page]
    assert live(seed=SEED, depth=1).failures[SEED]["reason"] == "not_an_article"
    run = render(seed=SEED, depth=1, settings={"RENDER_TIMEOUT": 4 if page == "endless" else 15})
    assert same_whatever_the_source(run) == plain_records
    source = run.articles[SEED]["provenance"]["source"]
    assert source["where"] == f"the page as {browser} showed it"
    assert (source["assumed"] is None) == (page != "endless")
    assert ("1 of them had not settled" in run.stdout) == (page == "endless")
    assert run.exit_code == 0


@pytest.mark.slow
def test_rendered_only_where_needed(
    render: Render,
    browser: str,
    slow_server: NewsServer,
    plain_records: dict[str, dict[str, object]],
) -> None:
    slow_server.pages[f"/news/{SEED}"] = XHR
    run = render(seed=SEED, depth=1, render="auto")
    assert same_whatever_the_source(run) == plain_records
    assert f"1 rendered; {len(run.articles) - 1} needed no rendering" in run.stdout
    rendered = {
        key
        for key, record in run.articles.items()
        if "showed it" in record["provenance"].get("source", {}).get("where", "")
    }
    assert rendered == {SEED}
    # The plain page was fetched anyway; the browser requests it a second time.
    assert slow_server.requested_ids.count(SEED) == 2


@pytest.mark.slow
def test_responses_count_as_without_rendering(
    render: Render, live: Crawl, server: NewsServer
) -> None:
    def busy(handler: BaseHTTPRequestHandler, before: int) -> None:
        if before % 2:
            answer(handler, 200, server.pages["/news/1751414"])
        else:
            answer(handler, 503, headers={"Retry-After": "1"})

    server.pages["/news/1751189/slug"] = server.pages["/news/1751189"]
    server.robots = b"User-agent: *\nDisallow: /news/1751156\n"
    server.misbehaviour |= {
        "/news/1751821": always(404),
        "/news/1751832": always(302, Location="http://example.com/news/1"),
        "/news/1751414": busy,
        "/news/1745120": always(500),
        "/news/1745650": always(302, Location="http://127.0.0.1:9/news/1"),
        "/news/1751189": always(301, Location="/news/1751189/slug"),
        "/news/1751199": always(200, b"%PDF-1.7", Content_Type="application/pdf"),
        "/news/1751215": always(302, Location="/"),
    }
    arguments = {
        "seed": "1751821,1751832,1751414,1751156,1745120,1745650,1751189,1751199,1751215",
        "depth": 0,
    }
    expected = live(**arguments)
    start = time.monotonic()
    run = render(**arguments)
    assert time.monotonic() - start > 1
    assert same_whatever_the_source(run) == same_whatever_the_source(expected)
    reasons = {key: record["reason"] for key, record in run.failures.items()}
    assert reasons == {
        "1751821": "gone",
        "1751832": "offsite_redirect",
        "1751156": "robots",
        "1745120": "http_5xx",
        "1745650": "private_address",
        "1751199": "not_html",
        "1751215": "gone",
    }
    assert run.articles["1751189"]["aliases"] == ["en.alalam.ir/news/1751189/slug"]
    assert run.exit_code == expected.exit_code == 3


@pytest.mark.slow
def test_a_job_notices_changes_that_only_scripts_show(
    render: Render, slow_server: NewsServer, tmp_path: Path
) -> None:
    slow_server.pages[f"/news/{SEED}"] = XHR
    slow_server.has_validators = True
    job_settings = {"JOBDIR": tmp_path / "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0.001}
    first = render(seed=SEED, depth=0, settings=job_settings)
    assert first.articles[SEED]["revision"] == 1
    rerun = render(seed=SEED, depth=0, settings=job_settings)
    assert not rerun.articles
    assert "1 unchanged" in rerun.stdout
    shorter = json.dumps(json.loads(RELATED)[1:]).encode()
    slow_server.misbehaviour[f"/related/{SEED}.json"] = lambda handler, before: answer(
        handler, 200, shorter
    )
    changed = render(seed=SEED, depth=0, settings=job_settings).articles[SEED]
    # The page's source never changed, but no request was conditional.
    assert (changed["revision"], changed["changed"]) == (2, ["related"])
    assert slow_server.not_modified == 0


@pytest.mark.slow
def test_an_archive_holds_what_the_browser_showed(
    render: Render, crawl: Crawl, slow_server: NewsServer, pywb: Replay, tmp_path: Path
) -> None:
    slow_server.pages[f"/news/{SEED}"] = XHR
    warc = tmp_path / "pages.warc.gz"
    truth = render(seed=SEED, depth=1, render="auto", archive=warc)
    slow_server.stop()
    assert same_whatever_the_source(
        crawl(seed=SEED, depth=1, base_url=slow_server.url, source=warc)
    ) == same_whatever_the_source(truth)
    from_wacz = crawl(seed=SEED, depth=1, base_url=slow_server.url, source=wacz(warc))
    assert same_whatever_the_source(from_wacz) == same_whatever_the_source(truth)
    from_all = crawl(seed="all", base_url=slow_server.url, source=warc)
    assert from_all.articles[SEED]["related"] == truth.articles[SEED]["related"]
    records = records_of(warc)
    kinds = [record.rec_type for record, _ in records]
    assert kinds.count("conversion") == 1
    conversion = next(
        record.rec_headers for record, _ in records if record.rec_type == "conversion"
    )
    response = next(
        record.rec_headers
        for record, _ in records
        if record.rec_type == "response"
        and record.rec_headers["WARC-Target-URI"] == f"{slow_server.url}/news/{SEED}"
    )
    assert conversion["WARC-Refers-To"] == response["WARC-Record-ID"]
    assert conversion["WARC-Date"] == response["WARC-Date"]
    # None of the browser's other requests are in the archive.
    assert conversion["WARC-Target-URI"] == f"urn:rendered:{slow_server.url}/news/{SEED}"
    assert {
        record.rec_headers["WARC-Target-URI"]
        .removeprefix("urn:rendered:")
        .startswith(slow_server.url)
        for record, _ in records
        if record.rec_type != "warcinfo"
    } == {True}
    subprocess.run([Path(sys.executable).parent / "warcio", "check", warc], check=True)
    # Other software replays the original response.
    replayed = subprocess.run(
        ["curl", "-s", f"{pywb(warc)}/id_/{slow_server.url}/news/{SEED}"],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    assert replayed == XHR


@pytest.mark.slow
def test_a_script_that_leaves_the_page_is_not_followed(render: Render, server: NewsServer) -> None:
    page = SHELL.replace("</body>", "<iframe src=/frame></iframe></body>")
    leave = "setTimeout(function () { location.href = '/news/1751821'; }, 1000);"
    server.pages[f"/news/{SEED}"] = scripted(
        f"{WRITE_ARTICLE} {WRITE_LEAK.format(json.dumps(LEAK))} {leave}", page
    )
    record = render(seed=SEED, depth=0).articles[SEED]
    assert len(record["related"]) == 7
    assert record["provenance"]["source"]["assumed"].endswith(
        f"its scripts then led to {server.url}/news/1751821"
    )
    assert {path for _, path in server.requests} == {"/robots.txt", f"/news/{SEED}"}


@pytest.mark.slow
def test_scripts_get_nothing_from_private_addresses(
    render: Render, server: NewsServer, tmp_path: Path
) -> None:
    with NewsServer(tmp_path) as private:
        addresses = (private.url, private.url.replace("127.0.0.1", "localhost"))
        script = "".join(
            f"document.write('<script src={url}/x.js><' + '/script>'); window.open('{url}/popup');"
            for url in addresses
        )
        for source in (private.url.replace("://", "://u@") + "/z.js", "/own.js"):
            script += f"document.write('<script src={source}><' + '/script>');"
        script += f"new WebSocket('{private.url.replace('http', 'ws')}/socket');"
        server.pages[f"/news/{SEED}"] = PLAIN.replace(
            "</head>", f"<script>{script}</script></head>"
        ).encode()
        assert set(render(seed=SEED, depth=0).articles) == {SEED}
        assert private.requests == []
        assert "/own.js" in {path for _, path in server.requests}


@pytest.mark.slow
def test_a_page_is_used_as_fetched_if_rendering_loses_content(
    render: Render, server: NewsServer, plain_records: dict[str, dict[str, object]]
) -> None:
    server.pages[f"/news/{SEED}"] = PLAIN.replace(
        "</body>", "<script>document.body.innerHTML = '<p>Accept our cookies.</p>'</script></body>"
    ).encode()
    run = render(seed=SEED, depth=1)
    assert same_whatever_the_source(run) == plain_records
    assert "1 of them used as fetched, because rendering lost content" in run.stdout
    assert "source" not in run.articles[SEED]["provenance"]


# Scripts that interfere with the page or the browser, but leave the page's text and list.
ODD_SCRIPTS = {
    # The end of this element of the seed's page is not part of the article.
    "half of a surrogate pair": (
        "setTimeout(function () { document.querySelector('article').append('x\\uD800y'); }, 100);"
    ),
    "a clock that stands": "Date.now = function () { return 0; };",
    "no builtins": (
        "Object.prototype.then = function () {}; Function.prototype.apply = null;"
        " Map = null; Promise = null; Array = null;"
    ),
    "dialogs": "alert(1); confirm(2); prompt(3);",
    "stop": "window.stop();",
    "another address": "history.pushState({}, '', '/news/5');",
    "again and again": "if (!window.name) { window.name = 'x'; location.reload(); }",
}


@pytest.mark.slow
def test_odd_scripts(
    render: Render, server: NewsServer, plain_records: dict[str, dict[str, object]]
) -> None:
    article_ids = [
        key for key, record in plain_records.items() if record["kind"] == "article" and key != SEED
    ]
    articles = dict(zip([SEED, *sorted(article_ids)], ODD_SCRIPTS, strict=True))
    for article_id, script in articles.items():
        head = f"<script>{ODD_SCRIPTS[script]}</script></head>".encode()
        page = f"/news/{article_id}"
        assert b"</head>" in server.pages[page]
        server.pages[page] = server.pages[page].replace(b"</head>", head)
    run = render(seed=",".join(articles), depth=0, settings={"RENDER_TIMEOUT": 3})
    assert run.exit_code == 0
    records = same_whatever_the_source(run)
    for article_id, script in articles.items():
        # Depth and lister differ, since all of these articles are seeds.
        expected = {**plain_records[article_id], "found_on": None, "depth": 0}
        assert (script, records[article_id]) == (script, expected)
        assert (script, server.requested_ids.count(article_id)) == (script, 2)
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_a_page_that_polls_settles(render: Render, slow_server: NewsServer) -> None:
    poll = (
        "function poll() { var request = new XMLHttpRequest(); request.open('GET', '/');"
        "request.onloadend = function () { setTimeout(poll, 900); }; request.send(); } poll();"
    )
    page = scripted(
        f"{WRITE_ARTICLE} {WRITE_LEAK.format(json.dumps(LEAK))} {poll}",
        SHELL.replace("</body>", "<img src=/never.png></body>"),
    )
    slow_server.pages[f"/news/{SEED}"] = page
    run = render(seed=SEED, depth=0)
    assert run.articles[SEED]["provenance"]["source"]["assumed"] is None


@pytest.mark.slow
def test_other_encodings(render: Render, server: NewsServer, live: Crawl) -> None:
    arabic = (
        PLAIN.replace("Nothing in this paragraph", "لا شيء في هذه الفقرة")
        .replace("“", "")
        .replace("”", "")
        .replace('charset="utf-8"', 'charset="windows-1256"')
    )
    server.pages[f"/news/{SEED}"] = arabic.encode("windows-1256")
    expected = live(seed=SEED, depth=0).articles[SEED]
    assert "لا شيء" in expected["body"]
    assert render(seed=SEED, depth=0).articles[SEED]["body"] == expected["body"]


@pytest.mark.slow
def test_new_javascript_needs_the_new_browser(
    render: Render, browser: str, slow_server: NewsServer
) -> None:
    script = WRITE_ARTICLE.replace("</", r"<\/")
    page = SHELL.replace(
        "</body>",
        f"<script>(async () => {{ await 0; {script} document.title ??= 'x'; }})()</script></body>",
    )
    slow_server.pages[f"/news/{SEED}"] = page.encode()
    run = render(seed=SEED, depth=0)
    if browser == "playwright":
        assert run.articles[SEED]["headline"]
    else:
        assert run.failures[SEED]["reason"] == "not_an_article"


def test_the_workaround_for_scrapy_splash_is_still_needed() -> None:
    """If this fails, the workaround for issue 332 in crawler/rendering/splash.py can go."""
    upstream = subprocess.run(
        [sys.executable, "-c", "import scrapy_splash"], capture_output=True, text=True, check=False
    )
    assert "cannot import name 'canonicalize_url' from 'scrapy.utils.url'" in upstream.stderr
    patched = subprocess.run(
        [
            sys.executable,
            "-c",
            "import crawler.rendering.splash, inspect, scrapy_splash as s; "
            "print(inspect.signature(s.SplashMiddleware.process_request))",
        ],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert patched.stdout.strip() == "(self, request, spider)"


def test_a_crawl_that_renders_nothing_imports_no_browser() -> None:
    code = (
        "import crawler.spiders.articles, sys; "
        "print([name for name in sys.modules if 'splash' in name or 'playwright' in name])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ({"render": "chrome"}, {}, "render: got 'chrome', takes one of splash, playwright, auto"),
        ({"render": "splash", "source": str(SITE)}, {}, "render: only pages of the live site"),
        ({"render": "splash"}, {"SPLASH_URL": "localhost"}, "SPLASH_URL: got 'localhost'"),
        (
            {"render": "splash"},
            {"RENDER_TIMEOUT": "soon"},
            "RENDER_TIMEOUT: got 'soon', takes seconds",
        ),
        ({"render": "splash"}, {"RENDER_QUIET": 0}, "RENDER_QUIET: got '0', takes seconds"),
        (
            {"render": "auto"},
            {"RENDERER": "plash"},
            "RENDERER: got 'plash', takes one of splash, playwright; did you mean 'splash'?",
        ),
    ],
)
def test_wrong_arguments(
    crawl: Crawl, arguments: dict[str, object], settings: dict[str, object], message: str
) -> None:
    run = crawl(seed=SEED, **arguments, settings={**IMPATIENT, **settings})
    assert run.exit_code == 2
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.slow
def test_the_feeds_of_a_rendered_run_are_whole(
    render: Render, slow_server: NewsServer, tmp_path: Path
) -> None:
    slow_server.pages[f"/news/{SEED}"] = LATE
    feed = tmp_path / "all.jsonl"
    render("-O", feed, seed=SEED, depth=0)
    assert {record["id"] for record in read_records(feed)} >= {SEED, "1751821"}
