"""The saved pages are exactly the output of make_site.py with real PHP."""

from pathlib import Path

from conftest import SITE
from make_site import pages
from services import require


def test_the_saved_pages_are_the_output_of_the_script() -> None:
    require("PHP")
    generated = pages()
    saved = {path.name: path.read_bytes() for path in Path(SITE).glob("*.html")}
    assert generated == saved
    assert len(saved) >= 24
