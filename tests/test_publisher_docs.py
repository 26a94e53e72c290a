"""Test that docs/how-to/publishers.md has all fields; tests/test_docs.py runs its commands."""

import re
from dataclasses import fields

from conftest import ROOT

from crawler.extraction.publisher_checks import SET_BY_CRAWLS
from crawler.extraction.publishers import Publisher


def test_all_fields_are_in_the_table() -> None:
    text = (ROOT / "docs" / "how-to" / "publishers.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert names == [field.name for field in fields(Publisher) if field.name not in SET_BY_CRAWLS]
