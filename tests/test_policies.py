"""A page's own Content-Security-Policy also applies in Chromium."""

import pytest
from conftest import Crawl
from rendered import PLAIN, SEED
from server import NewsServer, answer
from services import require

POLICIES = {
    "none": ({}, True),
    "forbids scripts": ({"Content-Security-Policy": "default-src 'none'"}, False),
    "the second one forbids": (
        {"Content-Security-Policy": "img-src *", "content-security-policy": "script-src 'self'"},
        False,
    ),
    "forbids only eval": ({"Content-Security-Policy": "script-src 'unsafe-inline' 'self'"}, True),
    "reports only": ({"Content-Security-Policy-Report-Only": "default-src 'none'"}, True),
    "a sandbox": ({"Content-Security-Policy": "sandbox"}, False),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", POLICIES)
def test_pages_have_their_own_policy_in_chromium(
    live: Crawl, server: NewsServer, case: str
) -> None:
    require("Chromium")
    headers, script_runs = POLICIES[case]
    script = "<script>document.querySelector('h1').textContent = 'Written by a script'</script>"
    page = PLAIN.replace("</body>", f"{script}</body>").encode()
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: answer(
        handler, 200, page, headers
    )
    run = live(seed=SEED, depth=0, render="playwright")
    assert (run.articles[SEED]["headline"] == "Written by a script") == script_runs
    assert "source" in run.articles[SEED]["provenance"]
    assert run.articles[SEED]["provenance"]["source"]["assumed"] is None
