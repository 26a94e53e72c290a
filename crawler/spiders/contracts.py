"""Contracts for ``scrapy check`` that need no network."""

from pathlib import Path
from typing import Any

from scrapy.contracts import Contract

from crawler.visits import PURPOSE, Visit


class SavedPageContract(Contract):
    """``@saved_page PATH`` takes the place of ``@url`` and checks the callback on a saved page.

    PATH is relative to the working folder.
    """

    name = "saved_page"

    def adjust_request_args(self, args: dict[str, Any]) -> dict[str, Any]:
        path = Path(self.args[0])
        args["url"] = path.resolve().as_uri()
        visit = Visit(article_id=path.stem, saved_page=path)
        args["meta"] = {**(args.get("meta") or {}), PURPOSE: visit}
        return args
