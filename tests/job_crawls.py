"""Helpers for tests of crawls with a job: made-up pages, settings, and a kill at a named point."""

import json

from server import NewsServer

# One of the seed's related items, and the last article of the chain.
LISTED_ID = "1751821"
ALWAYS_DUE = {"RECHECK_MIN": 0, "RECHECK_MAX": 0.001}
"""Settings with which every article is due again in the next run."""


def killed_at(point: str) -> dict[str, str]:
    """Return environment variables that make a crawl kill itself at this point."""
    return {"CRAWLER_KILL_AT": point}


def page(number: int, headlines: dict[int, str]) -> bytes:
    """Return a page that lists others, by number, under these headlines."""
    same = {
        "sort": "1",
        "contenttypeid": "21",
        "pic": "/2015/10/23/alalam_635811884533498601_25f_4x3.jpg",
    }
    leak = json.dumps(
        [{"id": str(other), **same, "title": title} for other, title in headlines.items()]
    )
    body = (
        f"<p>It is what the page {number} says, in a sentence that is long enough to be one.</p>"
        * 3
    )
    date = "<span>Fri Oct 23, 2015 13:26:08</span>"
    return (
        f"<html><h1>Headline of {number} and no other</h1>{date}<div>{body}</div>"
        f'string({len(leak)}) "{leak}"</html>'
    ).encode()


def serve(server: NewsServer, pages: dict[int, dict[int, str]]) -> None:
    server.pages = {
        f"/news/{number}": page(number, headlines) for number, headlines in pages.items()
    }
