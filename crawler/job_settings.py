"""The settings that say where the ledger of a job is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crawler import defaults
from crawler.crawl.ledger.places import FolderPlace, Place, ServerPlace
from crawler.errors import CrawlerError
from crawler.setting_values import seconds_setting

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

_SCHEMES = ("postgresql+psycopg", "postgresql", "postgres")
# Errors hide the user of a URL, even this one's.
_EXAMPLE = "postgresql+psycopg://HOST/DATABASE, with USER@ before HOST"


def place_of(settings: BaseSettings) -> Place | None:
    """Return the place of the ledger that the settings name; None if they name none.

    LEDGER_URL may also be an environment variable, which an empty setting overrides. Raises
    CrawlerError if a setting is wrong.
    """
    folder = settings.get("JOBDIR")
    given = settings.get("LEDGER_URL")
    url = os.environ.get("LEDGER_URL") if given is None else given
    job = settings.get("JOB")
    if not url:
        if job:
            raise CrawlerError(
                f"JOB: got {job!r}, which names a job in a database, and LEDGER_URL is missing; "
                "without a database, give the folder of the job with --job FOLDER"
            )
        return FolderPlace(Path(folder)) if folder else None
    scheme, separator, _ = str(url).partition("://")
    if not separator or scheme not in _SCHEMES:
        # The rest may hold a password.
        got = f"a URL of {scheme[:20]!r}" if separator else "a value that is no URL"
        raise CrawlerError(
            f"LEDGER_URL: got {got}, takes {_EXAMPLE} and the password in a file (PGPASSFILE)"
        )
    name = str(job or (Path(folder).name if folder else ""))
    if not name and given is None:
        # The environment names the database for whatever has a job.
        return None
    if not name:
        raise CrawlerError("job: missing; a database holds many jobs, so name one with --job NAME")
    patience = (
        seconds_setting(settings, "LEDGER_PATIENCE")
        if settings.get("LEDGER_PATIENCE") is not None
        else float(defaults.SETTINGS["LEDGER_PATIENCE"])
    )
    return ServerPlace(str(url), name, Path(folder) if folder else None, patience)


def names_job(settings: BaseSettings) -> bool:
    """Return whether the settings name a job, rather than only the database of many."""
    return bool(settings.get("JOBDIR") or settings.get("JOB"))
