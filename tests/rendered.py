"""Crawls that render with a real Splash or a real Chromium, and pages that need rendering."""

import json
import re
from collections.abc import Callable

import pytest
from conftest import SITE, Crawl, Run
from services import require

SEED = "1752038"
PLAIN = (SITE / f"{SEED}.html").read_text(encoding="utf-8")
_, ARTICLE, _ = re.split(r"(<article>.*?</article>)", PLAIN, flags=re.DOTALL)
_, LEAK, _ = re.split(r'(string\(\d+\) "\[.*?\]")', PLAIN, flags=re.DOTALL)
SHELL = PLAIN.replace(ARTICLE, "<main></main>").replace(LEAK, "<pre></pre>")

WRITE_ARTICLE = f"document.querySelector('main').innerHTML = {json.dumps(ARTICLE)};"
WRITE_LEAK = "var leak = {}; document.querySelector('pre').textContent = leak;"


def scripted(script: str, shell: str = SHELL) -> bytes:
    """Return a page that is empty until its script has run."""
    # The script is escaped, so that its output cannot be found in the page's source.
    hidden = (
        json.dumps(script.replace("</", "<\\/"))
        .replace("<", "\\u003c")
        .replace("[{", "[\\u007b")
        .replace("string(", "strin\\u0067(")
    )
    return shell.replace("</body>", f"<script>eval({hidden})</script></body>").encode()


LATE = scripted(
    f"setTimeout(function () {{ {WRITE_ARTICLE} {WRITE_LEAK.format(json.dumps(LEAK))} }}, 1500);"
)
BROWSERS = ("splash", "playwright")


@pytest.fixture(name="browser", params=BROWSERS)
def each_browser(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Render = Callable[..., Run]


@pytest.fixture(name="render")
def render_with_browser(browser: str, live: Crawl, request: pytest.FixtureRequest) -> Render:
    """Return a function that crawls the local server with this test's browser."""
    settings: dict[str, object] = {"RENDERER": browser}
    if browser == "splash":
        settings["SPLASH_URL"] = request.getfixturevalue("splash_url")
    else:
        require("Chromium")

    def run(*words: object, **arguments: object) -> Run:
        crawl_arguments = {
            "render": browser,
            **arguments,
            "settings": {**settings, **arguments.pop("settings", {})},
        }
        return live(*words, **crawl_arguments)

    return run
