"""Test crawls with several sources, each used for what the ones before it do not have."""

from collections import Counter
from pathlib import Path

import pytest
from archives import Warc, page
from conftest import SEED, SITE, Crawl
from server import NewsServer, answer
from test_crawl_saved import same_whatever_the_source


def test_a_chain_of_sources(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    gone, soft, here, nowhere = "1751821", "1751832", SEED, "1750384"
    server.misbehaviour[f"/news/{gone}"] = lambda handler, before: answer(handler, 410)
    server.misbehaviour[f"/news/{soft}"] = lambda handler, before: answer(
        handler, 200, b"<h1>This domain is for sale</h1>"
    )
    warc = Warc(tmp_path / "a.warc.gz")
    for number in (gone, soft, here):
        warc.add(f"{server.url}/news/{number}", page(number, " in the archive"))
    run = live(seed=",".join((gone, soft, here, nowhere)), depth=0, source=f"live,{warc.path}")
    assert {key: record["source"] for key, record in run.articles.items()} == {
        gone: "warc",
        soft: "warc",
        here: "live",
    }
    assert "articles  3  2 warc, 1 live" in run.stdout
    failure = run.failures[nowhere]
    assert (failure["reason"], failure["source"], failure["status"]) == ("gone", "live", 404)
    assert failure["detail"] == f"live: 404 Not Found; warc: no capture in {warc.path}"
    server.stop()
    dead = live(
        seed=f"{gone},{nowhere}", depth=0, source=f"live,{warc.path}", settings={"RETRY_TIMES": 1}
    )
    assert dead.articles[gone]["source"] == "warc"
    # The unreachable site counts for more than the missing capture.
    assert (
        dead.failures[nowhere]["reason"],
        dead.failures[nowhere]["attempts"],
        dead.exit_code,
    ) == ("refused", 1, 3)
    first = live(seed=f"{gone},{nowhere}", depth=0, source=f"{warc.path},{SITE}")
    assert {key: record["source"] for key, record in first.articles.items()} == {gone: "warc"}
    assert first.teasers[nowhere]["why"] == "not_saved"


@pytest.mark.slow
def test_a_chain_finds_the_same_neighbourhood(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """Half of the pages are archived, the rest only live; found_on and depth stay the same."""
    truth = live(seed=SEED)
    warc = Warc(tmp_path / "a.warc.gz")
    for path in sorted(server.pages)[::2]:
        warc.add(server.url + path, server.pages[path])
        server.misbehaviour[path] = lambda handler, before: answer(handler, 404)
    run = live(seed=SEED, source=f"{warc.path},live")
    records, expected = same_whatever_the_source(run), same_whatever_the_source(truth)
    for failure in truth.failures:
        assert (
            records[failure].pop("detail")
            == f"warc: no capture in {warc.path}; live: {expected[failure].pop('detail')}"
        )
    assert records == expected
    assert set(Counter(record["source"] for record in run.articles.values())) == {"warc", "live"}


@pytest.mark.slow
def test_a_job_keeps_what_it_has_when_the_site_is_busy(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    warc = Warc(tmp_path / "old.warc.gz").add(f"{server.url}/news/{SEED}", page(SEED, " long ago"))
    job_settings = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0.001, "RETRY_TIMES": 0}
    server.pages[f"/news/{SEED}"] = page(SEED, " today")
    live(seed=SEED, depth=0, settings=job_settings, source=f"live,{warc.path}")
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: answer(handler, 503)
    run = live(seed=SEED, depth=0, settings=job_settings, source=f"live,{warc.path}")
    assert run.failures[SEED]["reason"] == "http_5xx"
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: answer(handler, 410)
    run = live(seed=SEED, depth=0, settings=job_settings, source=f"live,{warc.path}")
    assert "said long ago" in run.articles[SEED]["body"]
