"""The commands in docs/how-to/publishers.md, and their output.

They run in order in one folder. The site that they name is made up, and served on this machine.
"""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from random import Random

import made_pages
import pytest
from conftest import ROOT, Crawl
from hosted import Answer, HostedWeb, hosted
from made_pages import Entry, Story
from made_prose import make_text

from crawler.extraction.publisher_checks import SET_BY_CRAWLS
from crawler.extraction.publishers import Publisher

DOCS = (ROOT / "docs" / "publishers.md").read_text(encoding="utf-8")
HOST = "www.courier.example"
NAMES = {
    "/politics/harbour-bridge-reopens-51200417": "Harbour bridge reopens after two years",
    "/world/night-buses-return-51200423": "Night buses return to the old town",
    "/sport/ferry-race-cancelled-51200431": "Ferry race cancelled, to nobody's surprise",
    "/world/wind-farm-in-doubt-51200446": "Wind farm in doubt as costs rise",
}
# Settings that a test needs and a reader does not.
SETTINGS = """from crawler.settings import *
TLS_CA_FILE = {ca_file!r}
AUTOTHROTTLE_ENABLED = False
DOWNLOAD_DELAY = 0
"""


def pages() -> dict[str, bytes]:
    """Return the articles of the made-up site by their paths."""
    random = Random(17)
    found = {}
    for number, (path, headline) in enumerate(NAMES.items()):
        text = make_text(random)
        section = path.split("/")[1]
        related = [Entry(name, other) for other, name in NAMES.items() if other != path]
        story = Story(
            headline=headline,
            author=Entry(text.author, "/author/somebody"),
            paragraphs=text.paragraphs,
            published=f"2026-05-0{number + 1}T18:05:00",
            shown_date=f"{number + 1} May 2026, 18:05",
            canonical=f"https://{HOST}{path}",
            section=section,
            tags=(Entry("Harbour", "/tag/harbour-51200001"), Entry("Money", "/tag/money-51200002")),
            related=(*related, Entry("The Herald", "https://herald.example/2026/05/01/a-comment")),
        )
        found[path] = made_pages.article(story, "The Courier").replace(
            b"<head>", b'<head><meta property="og:site_name" content="The Courier">'
        )
    return found


def site(scheme: str, path: str) -> Answer:
    body = pages().get(path)
    return Answer(200 if body else 404, {"Content-Type": "text/html; charset=utf-8"}, body or b"")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[HostedWeb]:
    with hosted({HOST: site}, tmp_path / "certificates") as running:
        yield running


def commands() -> list[tuple[str, str]]:
    """Return the commands in the document, each with the output below it."""
    found = []
    for block in re.findall(r"(?:^(?: {4}.*)?\n)+", DOCS, re.MULTILINE):
        text = "\n".join(line.removeprefix("    ") for line in block.strip("\n").splitlines())
        if text.startswith("$ "):
            line, _, output = text.replace(" \\\n", " ").partition("\n")
            found.append((" ".join(line.removeprefix("$ ").split()), output.strip("\n")))
    return found


def test_commands(scrapy: Crawl, tmp_path: Path, web: HostedWeb) -> None:
    settings = SETTINGS.format(ca_file=str(web.ca_file))
    (tmp_path / "settings_of_docs.py").write_text(settings)
    variables = {**web.environment, "SCRAPY_SETTINGS_MODULE": "settings_of_docs"}
    listed = commands()
    assert len(listed) == 6, listed
    for line, output in listed:
        run = scrapy(*line.removeprefix("scrapy ").split(), **variables)
        assert "Traceback" not in run.stderr
        shown = without_times(run.stdout + run.stderr)
        assert shown.strip("\n") == output, line
        file = tmp_path / "publishers" / "courier.py"
        if line.startswith("scrapy publisher https"):
            assert file.read_text() == text_of_file()
        # The document says to uncomment this line after the first check.
        text = file.read_text().replace("    # time_zone=", "    time_zone=")
        if line.endswith("--check publishers/courier.py"):
            file.write_text(text)


def without_times(output: str) -> str:
    """Return an output with dots in place of the parts that differ from run to run."""
    output = re.sub(r"[\d.]+ s, [\d.]+ pages/s", "… s, … pages/s", output)
    return re.sub(r"output/\d{4}-\d\d-[^/\s]+/", "output/…/", output)


def text_of_file() -> str:
    """Return the publisher file in the document."""
    block = re.search(r"^    \"\"\"The Courier.*?^    \)\n", DOCS, re.MULTILINE | re.DOTALL)
    assert block is not None
    return "\n".join(line.removeprefix("    ") for line in block[0].splitlines()) + "\n"


def test_all_fields_are_in_the_table() -> None:
    names = re.findall(r"^\| `(\w+)` \|", DOCS, re.MULTILINE)
    assert names == [field.name for field in fields(Publisher) if field.name not in SET_BY_CRAWLS]
