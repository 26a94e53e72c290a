"""The saved pages are exactly the output of make_site.py with real PHP."""

import shutil
from pathlib import Path

from conftest import SITE, require
from make_site import pages


def test_the_saved_pages_are_the_output_of_the_script() -> None:
    require("php-cli", shutil.which("php"))
    generated = pages()
    saved = {path.name: path.read_bytes() for path in Path(SITE).glob("*.html")}
    assert generated == saved
    assert len(saved) >= 24
