"""Test that no byte reaches a private address that the user did not name, whatever DNS says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import IMPATIENT, ROOT, SITE, Crawl, command, environment
from forward_proxy import forward_proxy
from scrapy.settings import Settings
from server import NewsServer
from services import NAMESPACES, require
from test_crawl_live import always

from crawler.defaults import SETTINGS
from crawler.downloading.addresses import (
    is_private,
    is_private_literal,
    named_by_user,
    publisher_named_by_user,
)

NETWORK = ROOT / "tests" / "services" / "lying_network.py"
PUBLIC = "203.0.114.7"
SEED = "1752038"

ADDRESSES = {
    "127.0.0.1": True,
    "10.1.2.3": True,
    "172.16.0.1": True,
    "192.168.1.1": True,
    "169.254.169.254": True,
    "100.64.0.1": True,
    "0.0.0.0": True,
    "224.0.0.1": True,
    "255.255.255.255": True,
    "::1": True,
    "::": True,
    "fe80::1%eth0": True,
    "fd00::1": True,
    "::ffff:127.0.0.1": True,
    "64:ff9b::7f00:1": True,
    "2002:7f00:1::1": True,
    "ff02::1": True,
    "93.184.216.34": False,
    "2606:2800:220:1:248:1893:25c8:1946": False,
    "::ffff:93.184.216.34": False,
    "64:ff9b::5db8:d822": False,
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses(address: str) -> None:
    assert is_private(address) == is_private_literal(address) == ADDRESSES[address]


@pytest.mark.parametrize(
    ("host", "private"),
    [("localhost", True), ("app.localhost", True), ("localhost.example", False), ("a.test", False)],
)
def test_names_that_are_always_private(host: str, private: bool) -> None:
    assert is_private_literal(host) == private


NAMED: list[tuple[dict[str, str], set[tuple[str, int]]]] = [
    ({}, set()),
    ({"seed": "1,2", "source": "http://other"}, set()),
    ({"seed": "1, http://A/1 ,https://b:9/2"}, {("a", 80), ("b", 9)}),
    ({"base_url": "https://[::1]/"}, {("::1", 443)}),
    ({"seed": "http://a/1", "base_url": "http://b:81"}, {("a", 80), ("b", 81)}),
]


@pytest.mark.parametrize(("given", "named"), NAMED)
def test_the_hosts_that_a_user_names(given: dict[str, str], named: set[tuple[str, int]]) -> None:
    assert publisher_named_by_user(given) == named
    settings = Settings(
        {"SPLASH_URL": SETTINGS["SPLASH_URL"], "WAYBACK_URL": SETTINGS["WAYBACK_URL"]}
    )
    servers = {("127.0.0.1", 8050), ("web.archive.org", 443)}
    assert named_by_user(given, settings) == named | servers
    settings = Settings({"WAYBACK_CDX_URL": "http://u:p@C:1/cdx", "SPLASH_URL": "none"})
    assert named_by_user(given, settings) == named | {("c", 1)}


LIES = {
    "private at once": "127.0.0.1",
    "private beside a public one": f"127.0.0.1+{PUBLIC}",
    "private after a public one": f"{PUBLIC}+127.0.0.1",
    "public when checked": f"{PUBLIC},127.0.0.1",
    "no answer when checked": "fail,127.0.0.1",
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("case", LIES)
def test_a_name_server_that_lies(tmp_path: Path, case: str) -> None:
    require("mounts", "ip")
    settings = [f"-s{name}={value}" for name, value in {**IMPATIENT, "RETRY_TIMES": 0}.items()]
    crawl = command("crawl", "articles", "-a", f"seed={SEED}", "-a", "source=live", *settings)
    result = subprocess.run(
        [*NAMESPACES, sys.executable, NETWORK, LIES[case], *crawl],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    run = json.loads(result.stdout)
    assert run["asked"] == []
    assert f"{SEED}: private_address (en.alalam.ir is at 127.0.0.1, a private" in run["stderr"]
    assert run["exit_code"] == 4


def test_a_proxy_resolves_names(
    crawl: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward_proxy(tmp_path) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        run = crawl(seed=SEED, depth=0, settings={**IMPATIENT, "RETRY_TIMES": 0})
        # The name does not resolve on this machine; only the proxy looked it up.
        assert run.failures[SEED]["reason"] == "robots_unavailable"
        assert "en.alalam.ir" in proxy.log.read_text(encoding="utf-8")


@pytest.mark.slow
def test_private_addresses_are_refused_to_a_proxy_too(
    crawl: Crawl, server: NewsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NewsServer(SITE) as secret, forward_proxy(tmp_path) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        location = f"{secret.url}/news/{SEED}"
        server.misbehaviour[f"/news/{SEED}"] = always(302, Location=location)
        run = crawl(seed=f"{SEED},1751821", depth=0, base_url=server.url, settings=IMPATIENT)
        assert set(run.articles) == {"1751821"}
        assert run.failures[SEED]["reason"] == "private_address"
        # The redirecting server was reached through the proxy.
        assert proxy.requests
    assert secret.requests == []


PLAIN_SPIDER = """
import scrapy

class Plain(scrapy.Spider):
    name = "plain"
    start_urls = ["{url}/news/1752038", "{url}/news/1751821"]

    def parse(self, response):
        yield {{"title": response.css("h1::text").get()}}
"""


@pytest.mark.slow
def test_what_a_user_names_may_be_private(
    scrapy: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    spider = tmp_path / "plain.py"
    spider.write_text(PLAIN_SPIDER.format(url=server.url), encoding="utf-8")
    settings = [f"-s{name}={value}" for name, value in IMPATIENT.items()]
    run = scrapy("runspider", spider, "-O", "plain.json", *settings)
    assert run.exit_code == 0
    titles = json.loads((tmp_path / "plain.json").read_text(encoding="utf-8"))
    assert len(titles) == 2
    run = scrapy("parse", "--spider=articles", f"{server.url}/news/{SEED}", *settings)
    assert "private" not in run.stderr
    assert "Syrian Army" in run.stdout
