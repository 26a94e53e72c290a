"""Test crawls of saved pages, run from the command line."""

import json
from pathlib import Path

import pytest
from conftest import SEED_TEXT, SITE, Crawl, Run


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, object]]:
    """Return the records of README's crawl; ``python tests/record_crawl.py`` regenerates them."""
    return json.loads((Path(__file__).parent / "expected_crawl.json").read_text(encoding="utf-8"))


def lasting(record: dict[str, object]) -> dict[str, object]:
    """Return a record without the fields that differ between runs."""
    changing = {"fetched_at", "failed_at"}
    return json.loads(
        json.dumps({k: v for k, v in record.items() if k not in changing}).replace(
            str(SITE), "tests/site"
        )
    )


def test_readme_crawl(crawl: Crawl, expected: dict[str, dict[str, object]]) -> None:
    run = crawl(seed=1752038, source=SITE)
    assert run.exit_code == 0
    assert run.balance == "discovered 30 = articles 21 + teasers 9 + failures 0"
    assert {record["id"]: lasting(record) for record in run.records} == expected
    assert run.stderr == ""


@pytest.mark.slow
def test_seed_text(crawl: Crawl) -> None:
    run = crawl(seed=SEED_TEXT, source=SITE, depth=0)
    record = run.articles["000_5e28026613171c33"]
    assert (
        record["headline"]
        == "Syrian Army Official: ISIS Terrorists Suffered Huge Losses, Fleeing to Turkey"
    )
    assert record["published_at"] == "2015-10-23T13:26:08+03:30"
    assert record["published_raw"] == "Fri Oct 23, 2015 13:26:08"
    assert len(record["body"].split("\n\n")) == 8
    assert record["credit"] == "Press TV"
    assert record["language"] == "en"
    assert record["related_complete"] is True
    assert [item["position"] for item in record["related"]] == list(range(1, 19))
    text = SEED_TEXT.read_text(encoding="utf-8")
    list_items = json.loads(text[text.index('"[{') + 1 : text.rindex('"')])
    assert [item["id"] for item in record["related"]] == [item["id"] for item in list_items]
    assert [item["headline_raw"] for item in record["related"]] == [
        item["title"] for item in list_items
    ]
    assert record["related"][0]["uploaded_at"] == "2015-10-23T09:14:13.349860+03:30"
    assert (
        record["related"][1]["headline"] == "Syrian Army Troops, Popular Forces Advancing in Aleppo"
    )
    assert {
        item["kind"]
        for item in record["related"]
        if item["headline_raw"].lower().find("video") >= 0
    } == {"video"}
    assert record["missing"] == [
        *("url", "modified_at", "authors", "description", "section", "tags", "media"),
        *("links", "canonical_url", "alternates", "accessible_for_free"),
    ]
    assert "Asia/Tehran" in record["provenance"]["published_at"]["assumed"]
    assert run.teasers["1752038"]["why"] == "depth"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "fetched", "why"),
    [
        ({"depth": 0}, {"1752038"}, {"depth"}),
        ({"limit": 2}, {"1752038", "1751821"}, {"limit"}),
        (
            {"depth": 1, "since": "2015-10-22", "until": "2015-10-22"},
            {"1752038", "1751821", "1751832"},
            {"pruned", "depth"},
        ),
        (
            {"depth": 1, "since": "2015-10-22"},
            {"1752038", "1751821", "1751832"},
            {"pruned", "depth"},
        ),
        (
            {"depth": 1, "until": "2015-09-30"},
            {"1752038", "1745120", "1745650"},
            {"pruned", "depth"},
        ),
        (
            {"depth": 1, "match": "(?i)lightening|drone"},
            {"1752038", "1751414"},
            {"pruned", "depth"},
        ),
        ({"depth": 1, "match": r"Aleppo \+ Video$"}, {"1752038", "1751821"}, {"pruned", "depth"}),
    ],
    ids=["depth", "limit", "a day", "since", "until", "match", "match of the raw headline"],
)
def test_pruning(
    crawl: Crawl, arguments: dict[str, object], fetched: set[str], why: set[str]
) -> None:
    run = crawl(seed=1752038, source=SITE, **arguments)
    assert run.exit_code == 0
    assert set(run.articles) == fetched
    assert {teaser["why"] for teaser in run.teasers.values()} <= why


@pytest.mark.slow
def test_nearer_articles_come_first(crawl: Crawl) -> None:
    run = crawl(seed=1752038, source=SITE, depth=5)
    depths = [record["depth"] for record in run.records if record["kind"] == "article"]
    assert depths == sorted(depths)
    for record in run.records:
        if record["found_on"]:
            parent = run.articles[record["found_on"]]
            assert record["depth"] == parent["depth"] + 1
            assert record["id"] in [item["id"] for item in parent["related"]]


@pytest.mark.slow
def test_a_teaser_says_all_that_the_lists_say(crawl: Crawl) -> None:
    run = crawl(seed=1752038, source=SITE)
    listed_on: dict[str, set[str]] = {}
    for page in run.articles.values():
        for item in page["related"] or ():
            listed_on.setdefault(item["id"], set()).add(page["id"])
    for teaser in run.teasers.values():
        assert set(teaser["listed_on"]) == listed_on[teaser["id"]]
        first = next(
            i for i in run.articles[teaser["found_on"]]["related"] if i["id"] == teaser["id"]
        )
        assert {
            k: teaser[k] for k in ("headline", "headline_raw", "picture_url", "uploaded_at", "sort")
        } == {
            k: first[k] for k in ("headline", "headline_raw", "picture_url", "uploaded_at", "sort")
        }


@pytest.mark.slow
def test_a_seed_that_is_not_saved(crawl: Crawl) -> None:
    run = crawl(seed="1752038,99", source=SITE, depth=0)
    assert run.exit_code == 0
    assert run.teasers["99"]["why"] == "not_saved"
    assert run.teasers["99"]["headline"] is None


@pytest.mark.slow
def test_seeds_from_a_file(crawl: Crawl, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.txt"
    seeds.write_text(
        f"# two ways to say it\n1751821\n\n"
        f"http://en.alalam.ir/news/1751832\n{SITE / '1751414.html'}\n",
        encoding="utf-8",
    )
    run = crawl(seed=f"@{seeds}", source=SITE, depth=0)
    assert set(run.articles) == {"1751821", "1751832", "1751414"}


@pytest.mark.slow
def test_source_is_one_file(crawl: Crawl) -> None:
    run = crawl(seed=1752038, source=SITE / "1752038.html")
    assert set(run.articles) == {"1752038"}
    assert {teaser["why"] for teaser in run.teasers.values()} == {"not_saved"}


def folder_of_traps(folder: Path) -> Path:
    """Save pages behind links that must not be followed, and in the layouts that tools create."""
    page = (SITE / "1752038.html").read_bytes()
    outside = folder / "outside"
    outside.mkdir()
    (outside / "1751821.html").write_bytes(page.replace(b"1752038", b"1751821"))
    saved = folder / "saved"
    (saved / "en.alalam.ir" / "news" / "1752038").mkdir(parents=True)
    (saved / "en.alalam.ir" / "news" / "1752038" / "index.html").write_bytes(page)
    (saved / "1751821.html").symlink_to(outside / "1751821.html")
    (saved / "more").symlink_to(outside)
    (saved / "Syrian Army.html").write_bytes(
        b"<!-- saved from url=(0032)http://en.alalam.ir/news/1751832 -->\n"
        + (SITE / "1751832.html").read_bytes()
    )
    (saved / "1751414.html").write_bytes(b"%PDF-1.4 not a page")
    (saved / "1745120.html").write_bytes(b"\xff\xfe\x00garbage" * 20)
    return saved


@pytest.mark.slow
def test_a_folder_is_never_left(crawl: Crawl, tmp_path: Path) -> None:
    run = crawl(seed=1752038, source=folder_of_traps(tmp_path), depth=1)
    assert set(run.articles) == {"1752038", "1751832"}
    assert run.teasers["1751821"]["why"] == "not_saved"
    assert "links to a folder, to a file outside" in run.stderr
    assert run.failures["1751414"]["reason"] == "not_html"
    assert run.failures["1745120"]["reason"] == "not_an_article"
    assert run.exit_code == 3


PAGE = (
    '<html lang="en"><h1>Some Headline of {id}</h1><p>{day}</p>'
    "<p>Some text of an article, long enough to be one, and a full stop.</p>\n"
    "{more}<h3>Related News</h3><ul>{links}</ul></html>"
)


def test_pages_saved_by_wget(crawl: Crawl, tmp_path: Path) -> None:
    """wget -k makes links relative to the saved file."""
    for article, other in (("11", "12"), ("12", "11")):
        folder = tmp_path / "saved" / "en.alalam.ir" / "news" / article
        folder.mkdir(parents=True)
        links = f'<li><a href="../{other}/index.html">The other headline</a></li>'
        (folder / "index.html").write_text(
            PAGE.format(id=article, day="23/10/2015 13:26", more="", links=links), encoding="utf-8"
        )
    run = crawl(seed=11, source=tmp_path / "saved")
    assert set(run.articles) == {"11", "12"}
    assert run.articles["11"]["provenance"]["id"]["where"] == "file's path"
    assert run.articles["11"]["url"] == "http://en.alalam.ir/news/11"


@pytest.mark.slow
def test_a_page_saved_by_a_browser(crawl: Crawl, tmp_path: Path) -> None:
    """Its pictures are in a folder beside it, and their original URLs are lost."""
    saved = tmp_path / "Some Headline.html"
    picture = '<p><img src="./Some Headline_files/bridge.jpg"></p>'
    text = PAGE.format(id="13", day="Published: 01/10/2015 - 09:34", more=picture, links="")
    saved.write_text(
        "<!-- saved from url=(0027)http://en.alalam.ir/news/13 -->" + text, encoding="utf-8"
    )
    [record] = crawl(seed=saved, source=saved).articles.values()
    assert record["id"] == "13"
    assert record["media"] is None
    assert "media" in record["missing"]
    # A date that may be in January or in October is kept as text, and not parsed.
    assert (record["published_at"], record["published_raw"]) == (None, "01/10/2015 - 09:34")
    assert "two ways" in record["provenance"]["published_raw"]["assumed"]


@pytest.mark.slow
def test_a_page_that_is_not_an_article_is_a_failure(crawl: Crawl) -> None:
    run = crawl(seed=1745944, source=SITE)
    assert run.exit_code == 4
    assert run.failures["1745944"]["reason"] == "not_an_article"
    assert "not found" in run.failures["1745944"]["detail"]
    assert "1745944: not_an_article" in run.stderr


@pytest.mark.slow
def test_a_page_that_is_too_large(crawl: Crawl, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "1.html").write_bytes(b"<p>x</p>" * 1000)
    run = crawl(seed=1, source=tmp_path / "saved", settings={"DOWNLOAD_MAXSIZE": 7000})
    assert run.failures["1"]["reason"] == "too_large"
    assert "DOWNLOAD_MAXSIZE" in run.failures["1"]["detail"]


def same_whatever_the_source(run: Run) -> dict[str, dict[str, object]]:
    differing = {"fetched_at", "failed_at", "source", "provenance"}
    records = {r["id"]: {k: v for k, v in r.items() if k not in differing} for r in run.records}
    for record in records.values():
        if record.get("links"):
            # Their places differ like those in the provenance of other fields.
            record["links"] = [{**link, "where": None} for link in record["links"]]
    return records


def test_live_and_saved_give_the_same_records(crawl: Crawl, live: Crawl, server: object) -> None:
    saved = same_whatever_the_source(crawl(seed=1752038, source=SITE, base_url=server.url))
    fetched = live(
        seed=1752038, settings={"CONCURRENT_REQUESTS": 8, "CONCURRENT_REQUESTS_PER_DOMAIN": 8}
    )
    gone = {id_ for id_, record in fetched.failures.items() if record["reason"] == "gone"}
    assert gone == {id_ for id_, record in saved.items() if record.get("why") == "not_saved"}
    fetched_records = same_whatever_the_source(fetched)
    assert {i: r for i, r in fetched_records.items() if i not in gone} == {
        i: r for i, r in saved.items() if i not in gone
    }
