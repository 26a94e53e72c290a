"""List headlines and upload times are the same in memory and in a ledger.

They do not depend on how often the lists are read.
"""

import json
from pathlib import Path

import pytest
from conftest import IMPATIENT, Crawl
from server import NewsServer

SEED = 1752038


def page(number: int, listed: list[tuple[int, str, str]]) -> bytes:
    """Return a page that lists other articles, each with a headline and the day of its picture."""
    items = [
        {
            "id": str(article_id),
            "sort": str(position),
            "contenttypeid": "21",
            "pic": f"/2015/10/{day}/alalam_6358118845334986{position:02}_25f_4x3.jpg",
            "title": title,
        }
        for position, (article_id, title, day) in enumerate(listed, start=1)
    ]
    leak = json.dumps(items)
    text = "".join(f"<p>This is sentence {n} of the article {number}.</p>" for n in range(9))
    return (
        f"<html><h1>Headline of {number} and no other</h1>"
        f'<span>Fri Oct 23, 2015 13:26:08</span>{text}string({len(leak)}) "{leak}"</html>'
    ).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "second", [("The second headline", "23"), ("The first headline", "22"), ("Another", "21")]
)
def test_a_page_that_lists_an_article_twice(
    live: Crawl, server: NewsServer, tmp_path: Path, second: tuple[str, str]
) -> None:
    first = (SEED + 1, "The first headline", "23")
    server.pages = {f"/news/{SEED}": page(SEED, [first, (SEED + 1, *second)])}
    job_settings = {"JOBDIR": tmp_path / "job"}
    in_memory = live(seed=SEED, depth=0).teasers
    assert in_memory[str(SEED + 1)]["listed_as"] == ["The first headline"]
    assert live(seed=SEED, depth=0, settings=job_settings).teasers == in_memory
    # Nothing has changed, so there is nothing to write.
    rerun = live(seed=SEED, depth=0, recheck="all", settings=job_settings)
    assert (rerun.exit_code, rerun.records) == (0, [])


def test_a_list_that_changes(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    other = SEED + 1
    job_settings = {**IMPATIENT, "JOBDIR": tmp_path / "job"}
    pages = {
        SEED: [(other, "Other", "22"), (other + 1, "Listed by both", "22")],
        other: [(other + 1, "Listed by both", "22")],
    }
    server.pages = {f"/news/{number}": page(number, listed) for number, listed in pages.items()}
    live(seed=SEED, depth=1, match="Other", settings=job_settings)
    pages[SEED][1] = (other + 1, "Listed by one", "22")
    server.pages = {f"/news/{number}": page(number, listed) for number, listed in pages.items()}
    changed = live(seed=SEED, depth=1, match="Other", recheck="all", settings=job_settings)
    assert changed.teasers == live(seed=SEED, depth=1, match="Other").teasers
    assert changed.teasers[str(other + 1)]["listed_as"] == ["Listed by both", "Listed by one"]
