"""Splash refuses private addresses, however they are written."""

from pathlib import Path

import pytest
from conftest import Crawl
from rendered import PLAIN, SEED
from server import NewsServer

pytestmark = [pytest.mark.slow]

HOSTS = (
    *("127.0.0.1", "127.1", "127.0.0.1.", "0177.0.0.1", "0x7f.1", "0x7f000001", "2130706433"),
    *("017700000001", "0", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("localhost", "LOCALHOST.", "any.localhost", "u@127.0.0.1", "127%2e0.0.1", "%31%32%37.0.0.1"),
)


def test_splash_requests_no_private_address(
    live: Crawl, server: NewsServer, splash_url: str, tmp_path: Path
) -> None:
    with NewsServer(tmp_path) as private:
        port = private.url.rpartition(":")[2]
        scripts = "".join(
            f"<script src='http://{host}:{port}/{number}.js'></script>"
            for number, host in enumerate(HOSTS)
        )
        page = PLAIN.replace("</head>", f"{scripts}<script src=/own.js></script></head>")
        server.pages[f"/news/{SEED}"] = page.encode()
        run = live(seed=SEED, depth=0, render="splash", settings={"SPLASH_URL": splash_url})
        assert set(run.articles) == {SEED}
        assert private.requests == []
        assert "/own.js" in {path for _, path in server.requests}
