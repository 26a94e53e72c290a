"""Writes a draft: the publisher file, and beside it the pages and their expected records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.errors import CrawlerError
from crawler.exit_codes import COULD_NOT_START
from crawler.extraction.publisher_checks import NAME, NAME_TAKES
from crawler.extraction.publisher_files import load_file
from crawler.publisher_drafts import expected
from crawler.publisher_drafts.drafting import draft
from crawler.publisher_drafts.source_text import source_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crawler.publisher_drafts.drafting import Draft
    from crawler.publisher_drafts.pages import Page


def check_target(file: Path, *, force: bool) -> None:
    """Raise CrawlerError if a draft cannot have this name, or would replace another file.

    ``force`` allows that.
    """
    if file.suffix != ".py" or file.is_dir():
        raise CrawlerError(
            f"output: got {str(file)!r}, takes the name of a Python file, such as publishers/dw.py"
        )
    if not NAME.fullmatch(file.stem):
        raise CrawlerError(
            f"output: got {str(file)!r}, but the name of the file is the publisher's; takes "
            f"{NAME_TAKES}"
        )
    for path in (file, expected.folder_of(file) / expected.FILE_NAME):
        if path.exists() and not force:
            raise CrawlerError(
                f"output: {path} exists; --force replaces it, and -o FILE writes another file"
            )


def write_draft(file: Path, pages: Sequence[Page]) -> Draft:
    """Write a publisher file for these pages, and the pages and their records beside it.

    Raises CrawlerError if a file cannot be written.
    """
    found = draft(pages, file.stem)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source_of(found), encoding="utf-8")
        expected.save(file, pages, load_file(file))
    except OSError as error:
        raise not_writable(error) from error
    return found


def not_writable(error: OSError) -> CrawlerError:
    """Return the error of a file of a draft that cannot be written."""
    message = f"output: {error.filename} cannot be written ({error.strerror})"
    return CrawlerError(f"{message}; give another file with -o", COULD_NOT_START)
