"""The folder of a run, and ``latest``, a symbolic link to the folder of the newest run.

A feed whose folder is named ``%(time)s``, such as ``output/%(time)s/articles.jsonl``, is written to
a new folder in each run. This holds for every feed in FEEDS, not only for those of this project.
``latest``, beside these folders and in the folder of a job, leads to the newest of them:

- It is changed after all feeds in the folder of a run are in place, if there are any, and in one
  step. So it always leads to a complete folder, even if a run is killed between any two steps.
- The newest run is the one that began last. A run that ends after a newer one, or whose feeds are
  written by a later run, does not take the link back. A folder whose time is in the future, from a
  wrong clock, does not count as newer.
- The link is relative, so that it survives if the folders are moved together, or mounted elsewhere.
  That of a job is relative too, because jobs are usually kept in ``output/jobs``, or beside
  ``output``.
- Anything called ``latest`` that is not a symbolic link is the user's, and is left alone.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from crawler.crash import point
from crawler.files import locked, sync_folder

logger = logging.getLogger(__name__)
TIME = "%(time)s"
"""Stands in a feed URI for the time when a run began."""
_NAME = "latest"


def stamp(began: datetime) -> str:
    """Return the name of a run: the UTC time when it began. Names sort as the times do."""
    return began.isoformat().replace(":", "-")


def is_run_folder(folder: Path) -> bool:
    """Return whether the folder of a feed, as configured, is a new one for each run."""
    return folder.name == TIME


def outermost_named(path: Path) -> Path:
    """Return the outermost part of a feed's path whose name is different in each run.

    It is the file itself if its folders have fixed names.
    """
    return next(part for part in (path, *path.parents) if "%(" not in str(part.parent))


def link_latest(holder: Path, folder: Path) -> Path | None:
    """Make ``latest`` in ``holder`` lead to the complete folder of a run.

    Returns the link if it was changed; None if it leads to the folder of a newer run or if it
    cannot be changed. The latter is logged as a warning, because nothing is lost.
    """
    link = holder / _NAME
    try:
        with locked(holder):
            if link.is_symlink():
                if _is_as_new(link, folder.name):
                    return None
            elif link.exists():
                logger.warning(
                    "%s is not a symbolic link, so it was left alone; if you rename it, the next "
                    "run makes a link to its own folder",
                    link,
                )
                return None
            _replace_link(link, os.path.relpath(folder.resolve(), holder.resolve()))
    except OSError as error:
        logger.warning(
            "%s could not be made a symbolic link to %s (%s: %s); the files are in that folder",
            link,
            folder,
            _prepared(link).name,
            error.strerror,
        )
        return None
    return link


def _is_as_new(link: Path, name: str) -> bool:
    """Return whether a link leads to the folder of this name or of a newer run."""
    return link.exists() and name <= link.readlink().name <= stamp(datetime.now(UTC))


def _replace_link(link: Path, target: str) -> None:
    new = _prepared(link)
    if new.is_symlink():
        # A run was killed here.
        new.unlink()
    new.symlink_to(target)
    point("latest prepared")
    new.replace(link)
    sync_folder(link.parent)
    point("latest changed")


def _prepared(link: Path) -> Path:
    return link.with_name(link.name + ".part")
