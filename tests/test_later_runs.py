"""Each run of a job fetches what is left to fetch, even if arguments, limits or pages change."""

import shutil
from pathlib import Path

import pytest
from conftest import SEED, SITE, Crawl, read_records
from job_crawls import ALWAYS_DUE, LISTED_ID, killed_at, serve
from server import NewsServer
from test_crawl_saved import lasting

pytestmark = [pytest.mark.usefixtures("ledger")]

# The arguments of a job's first run and of its next; together they must give the same records as
# one crawl with the latter.
SUCCESSIVE_ARGUMENTS: dict[str, list[dict[str, object]]] = {
    "deeper": [{"depth": 0}, {"depth": 1}, {"depth": 3}],
    "a few at a time": [
        {"depth": 2, "limit": 4},
        {"depth": 2, "limit": 4},
        {"depth": 2, "limit": 0},
    ],
    "all that match, then all": [{"depth": 2, "match": "Aleppo"}, {"depth": 2}],
    "another seed, listed before": [{"depth": 1}, {"depth": 1, "seed": f"{SEED},{LISTED_ID}"}],
    "another seed, not met before": [{"depth": 1}, {"depth": 1, "seed": f"{SEED},1745120"}],
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SUCCESSIVE_ARGUMENTS)
def test_arguments_that_change(job: Crawl, live: Crawl, case: str) -> None:
    records = {}
    for arguments in SUCCESSIVE_ARGUMENTS[case]:
        run = job(**arguments)
        assert run.exit_code in (0, 3)
        records.update({record["id"]: record for record in run.records})
    whole = live(**{"seed": SEED, **SUCCESSIVE_ARGUMENTS[case][-1]})
    assert {id_: record["kind"] for id_, record in records.items()} == {
        record["id"]: record["kind"] for record in whole.records
    }
    if case in ("deeper", "a few at a time"):
        # The same articles in the same order, found on the same pages.
        lasting_teasers = {
            id_: lasting(record) for id_, record in records.items() if record["kind"] == "teaser"
        }
        assert lasting_teasers == {id_: lasting(record) for id_, record in whole.teasers.items()}
    assert run.balance == whole.balance + " + pending 0"


@pytest.mark.slow
def test_arguments_that_change_in_a_run_that_is_killed(job: Crawl) -> None:
    job(depth=0)
    assert job(depth=1, variables=killed_at("run begun")).exit_code == -9
    assert "articles 7" in job(depth=1).balance


ARTICLES = range(1700001, 1700007)


@pytest.mark.slow
def test_any_list_can_make_an_article_match(job: Crawl, server: NewsServer) -> None:
    a, b, c, d = ARTICLES[:4]
    serve(
        server,
        {
            a: {b: "About Aleppo", c: "About Homs"},
            b: {d: "About cats"},
            c: {d: "About Aleppo"},
            d: {},
        },
    )
    stopped = job(seed=a, match="Aleppo|Homs", depth=3, limit=3)
    assert stopped.balance == "discovered 4 = articles 3 + teasers 0 + failures 0 + pending 1"
    # When it is reconsidered at another depth, it still matches.
    assert list(job(seed=a, match="Aleppo|Homs", depth=4).articles) == [str(d)]
    narrow = job(seed=a, match="Homs", depth=3, settings={"JOBDIR": "other"})
    assert (list(narrow.articles), list(narrow.teasers)) == ([str(a), str(c)], [str(b), str(d)])
    assert list(
        job(seed=a, match="Aleppo|Homs", depth=3, settings={"JOBDIR": "other"}).articles
    ) == [str(b), str(d)]


@pytest.mark.slow
def test_a_limit_starves_no_article(job: Crawl, server: NewsServer) -> None:
    first, *others = ARTICLES
    serve(
        server,
        {first: {other: f"No {other}" for other in others}, **{other: {} for other in others}},
    )
    for _ in range(5):
        run = job(seed=first, limit=2, settings=ALWAYS_DUE)
    assert run.balance == "discovered 6 = articles 6 + teasers 0 + failures 0 + pending 0"
    server.requests.clear()
    for _ in range(3):
        job(seed=first, limit=2, settings=ALWAYS_DUE)
    assert sorted(server.requested_ids) == sorted(map(str, ARTICLES))


@pytest.mark.slow
def test_validators_are_not_sent_to_another_server(job: Crawl, server: NewsServer) -> None:
    server.has_validators = True
    job(settings=ALWAYS_DUE, depth=0)
    job(settings=ALWAYS_DUE, depth=0, base_url=server.url.replace("127.0.0.1", "localhost"))
    assert server.not_modified == 0


@pytest.mark.slow
def test_pages_in_another_folder(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    shutil.copy(SITE / f"{SEED}.html", tmp_path / "few")
    line = ["crawl", "articles", "-a", f"seed={SEED}", "-a", "depth=1", "-s", "JOBDIR=job"]
    assert (
        scrapy(*line, "-a", "source=few").balance
        == "discovered 8 = articles 1 + teasers 7 + failures 0 + pending 0"
    )
    assert "articles 7" in scrapy(*line, "-a", f"source={SITE}").balance


@pytest.mark.slow
def test_a_seed_that_was_a_file(job: Crawl, server: NewsServer, tmp_path: Path) -> None:
    shutil.copy(SITE / f"{SEED}.html", tmp_path / "saved by me.html")
    assert (
        job(seed="saved by me.html", depth=0, source=tmp_path / "saved by me.html").exit_code == 0
    )
    run = job(seed=SEED, depth=0, recheck="all")
    assert run.exit_code == 0
    assert set(server.requested_ids) == {SEED}


@pytest.mark.slow
def test_a_page_that_is_nearer_is_read_again(job: Crawl, server: NewsServer) -> None:
    """A new seed was at the depth limit; neither a kill nor ``recheck=none`` may lose it."""
    a, b, c, d = ARTICLES[:4]
    serve(server, {a: {b: "Two"}, b: {c: "Three"}, c: {d: "Four"}, d: {}})
    # Nor may it be requested conditionally: a response without a page would hide its related items.
    server.has_validators = True
    job(seed=a, depth=2)
    seeds = f"{a},{c}"
    killed = job(seed=seeds, depth=2, variables=killed_at("after a commit"))
    assert killed.exit_code == -9
    assert "articles 4" in job(seed=seeds, depth=2, recheck="none").balance


def test_narrower_arguments(job: Crawl, server: NewsServer) -> None:
    job(depth=2, limit=3)
    server.requests.clear()
    run = job(depth=0)
    assert (run.exit_code, server.requests) == (0, [])
    assert run.balance.endswith("+ pending 0")


@pytest.mark.slow
def test_saved_pages(scrapy: Crawl, tmp_path: Path) -> None:
    shutil.copytree(SITE, tmp_path / "pages")
    line = [
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        "source=pages",
        "-s",
        "JOBDIR=job",
        "-o",
        "mine.jsonl",
    ]
    first = scrapy(*line)
    assert first.balance == "discovered 30 = articles 21 + teasers 9 + failures 0 + pending 0"
    (tmp_path / "pages" / f"{LISTED_ID}.html").rename(tmp_path / "pages" / "1750384.html")
    rerun = scrapy(*line, "-a", "recheck=all")
    assert rerun.exit_code == 0
    # The article whose page is missing stays an article; the one whose page has appeared is new.
    assert [r["id"] for r in read_records(tmp_path / "mine.jsonl")].count("1750384") == 2
    assert rerun.balance == "discovered 30 = articles 22 + teasers 8 + failures 0 + pending 0"
