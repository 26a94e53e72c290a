"""Keeps the pages of a publisher and the records expected of them: a regression test.

Beside the publisher file ``dw.py`` is the folder ``dw``. It holds the pages as they were fetched,
and ``expected.json``: for each page its file, its URL, the charset in its HTTP header, and the
record that the publisher file gave. Checking reads the pages again, without a network.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from crawler.errors import CrawlerError
from crawler.extraction.refusal import Refusal
from crawler.program import as_typed
from crawler.publisher_drafts.pages import Page
from crawler.record_differences import differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.extraction.publishers import Publisher

FILE_NAME = "expected.json"
# Those that follow from others, and those about the schema and about how the page was read.
_LEFT_OUT = frozenset(("kind", "schema", "body_sha256", "missing", "provenance"))


class ExpectedPage(NamedTuple):
    """A saved page and the record expected of it."""

    file: str
    page: Page
    record: dict[str, Any]


@dataclass(slots=True)
class Check:
    """The result of a check: the problems of the publisher file, and the changes by page."""

    pages: int
    problems: list[str] = field(default_factory=list)
    changes: dict[str, list[str]] = field(default_factory=dict)
    """The lines of the difference between the expected and the actual record, by file."""

    @property
    def passes(self) -> bool:
        return not self.problems and not self.changes


def folder_of(file: Path) -> Path:
    """Return the folder of the pages of a publisher file."""
    return file.with_suffix("")


def save(file: Path, pages: Sequence[Page], publisher: Publisher) -> None:
    """Write pages and their records beside a publisher file.

    Pages that are not articles with this file are left out. Raises OSError if a file cannot be
    written.
    """
    folder = folder_of(file)
    folder.mkdir(parents=True, exist_ok=True)
    for old in _files_in(folder):
        old.unlink(missing_ok=True)
    expected: list[ExpectedPage] = []
    for page in pages:
        record = page.read(publisher)
        if not isinstance(record, Refusal):
            name = f"{len(expected) + 1}.html"
            (folder / name).write_bytes(page.body)
            expected.append(ExpectedPage(name, page, _values(record)))
    _write(folder, expected)


def check(file: Path, publisher: Publisher) -> Check:
    """Read the saved pages with a publisher file, and compare the records with those expected.

    Raises CrawlerError if the pages cannot be read.
    """
    expected = _load(file)
    result = Check(len(expected))
    ids = Counter[str]()
    for one in expected:
        record = one.page.read(publisher)
        result.problems += (f"{one.file}: {problem}" for problem in _faults(one, publisher))
        if isinstance(record, Refusal):
            result.problems.append(f"{one.file}: refused as {record.reason}: {record.detail}")
            continue
        if record.id:
            ids[record.id] += 1
        if lines := list(differences(one.record, _values(record))):
            result.changes[one.file] = lines
    for article_id, count in ids.items():
        if count > 1:
            result.problems.append(f"article_pattern: {count} pages have the id {article_id}")
    return result


def update(file: Path, publisher: Publisher) -> None:
    """Replace the expected records by those that the publisher file gives now.

    Pages that are refused keep theirs. Raises CrawlerError if the pages cannot be read, OSError if
    the records cannot be written.
    """
    renewed = []
    for one in _load(file):
        record = one.page.read(publisher)
        is_article = not isinstance(record, Refusal)
        renewed.append(one._replace(record=_values(record)) if is_article else one)
    _write(folder_of(file), renewed)


def _faults(expected: ExpectedPage, publisher: Publisher) -> Iterator[str]:
    """Yield the ways in which a publisher file does not fit the address of a page."""
    url = expected.page.url
    if not publisher.owns(url):
        hosts = ", ".join(sorted(publisher.hosts))
        yield f"hosts: {url} is on none of them ({hosts})"
        return
    article_id = publisher.id_of(url)
    if article_id is None:
        yield f"article_pattern: it does not match {url}"
    elif publisher.not_article_pattern and not publisher.is_article(url):
        yield f"not_article_pattern: it matches {url}"
    elif publisher.article_path and publisher.own_id(article_id) is None:
        made = publisher.url_of(article_id)
        yield f"article_path: it gives {made} for the id {article_id}, which has another id"


def _values(record: Any) -> dict[str, Any]:
    """Return the fields of a record that are compared."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record))
    return {name: value for name, value in values.items() if name not in _LEFT_OUT}


def _write(folder: Path, expected: Sequence[ExpectedPage]) -> None:
    entries = [
        {"file": one.file, "url": one.page.url, "charset": one.page.charset, "record": one.record}
        for one in expected
    ]
    text = json.dumps(entries, ensure_ascii=False, indent=2)
    (folder / FILE_NAME).write_text(f"{text}\n", encoding="utf-8")


def _load(file: Path) -> list[ExpectedPage]:
    """Return the pages beside a publisher file. Raises CrawlerError if they cannot be read."""
    folder = folder_of(file)
    path = folder / FILE_NAME
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[_Entry])
        return [
            ExpectedPage(
                entry.file,
                Page(entry.url, (folder / entry.file).read_bytes(), entry.charset),
                entry.record,
            )
            for entry in entries
        ]
    except OSError as error:
        raise CrawlerError(
            f"check: {error.filename} cannot be read ({error.strerror}); "
            f"`{as_typed('publisher')} URL URL` writes it"
        ) from error
    except msgspec.MsgspecError as error:
        raise CrawlerError(
            f"check: {path} is damaged ({error}); restore it, or write it again with "
            f"`{as_typed('publisher')} URL URL --force`"
        ) from error


class _Entry(msgspec.Struct):
    file: str
    url: str
    charset: str | None
    record: dict[str, Any]


def _files_in(folder: Path) -> list[Path]:
    """Return the pages that an earlier draft saved in a folder."""
    try:
        entries = msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=list[_Entry])
    except (OSError, msgspec.MsgspecError):
        return []
    return [folder / entry.file for entry in entries if "/" not in entry.file]
