"""The settings of the two crawls that a process runs when several share a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings, Settings

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

Role = Literal["worker", "writer"]

JOIN = "join"
"""The value of WORKERS with which a process joins the workers of a job."""
_WRITER = "writer"
_ORIGINAL = "WORKERS_ORIGINAL_SETTINGS"
# Enough to keep a host busy while its last deliveries are on their way.
_LEAST_OFFERED, _OFFERED_A_REQUEST = 4, 4
_MOST_OFFERED = 1000
_MEMBERSHIP = "crawler.workers.membership.Membership"
_HANDLER = "crawler.workers.desk.DelegatingHandler"
# Scrapy sets those of the command line once more when a crawl starts.
_PRIORITY = SETTINGS_PRIORITIES["cmdline"] + 1

_OF_THE_WRITER = (
    "crawler.extensions.summarising.Summariser",
    "crawler.extensions.progress.Progress",
    "crawler.feeds.exporter.WatchedFeedExporter",
    "crawler.extensions.job_keeper.JobKeeper",
    "crawler.report.writer.ReportWriter",
)
_OF_WORKERS = (
    "crawler.extensions.archiving.Archiving",
    "scrapy.extensions.throttle.AutoThrottle",
)


def role_of(settings: BaseSettings) -> Role | None:
    """Return the role of a crawl; None if its process works alone. Raises CrawlerError."""
    value = settings.get("WORKERS")
    if value in (None, ""):
        return None
    if value not in (JOIN, _WRITER):
        raise CrawlerError(f"WORKERS: got {value!r}, takes {JOIN}")
    return "worker" if value == JOIN else "writer"


def take_role(settings: BaseSettings) -> None:
    """Change the settings of a crawl to those of its role."""
    role = role_of(settings)
    if role == "worker":
        original = settings.copy()
        _become_worker(settings)
        settings.set(_ORIGINAL, _Kept(original), priority="cmdline")
    elif role == "writer":
        _become_writer(settings)


def writer_settings(settings: BaseSettings) -> Settings:
    """Return the settings of the writer beside a worker."""
    changed = original_settings(settings).copy()
    assert isinstance(changed, Settings)
    changed.set("WORKERS", _WRITER, priority="cmdline")
    return changed


def original_settings(settings: BaseSettings) -> BaseSettings:
    """Return the settings of a worker as the user made them."""
    kept = settings.get(_ORIGINAL)
    return kept.settings if isinstance(kept, _Kept) else settings


class _Kept:
    """Settings as the value of a setting, which Scrapy would otherwise take for a dictionary."""

    def __init__(self, settings: BaseSettings) -> None:
        self.settings = settings


def _become_worker(settings: BaseSettings) -> None:
    """Leave all that is stored to the writer."""
    changes: dict[str, Any] = {
        "SCHEDULER": "crawler.workers.scheduler.LeaseScheduler",
        "ITEM_PIPELINES": {},
        "ITEM_PIPELINES_BASE": {},
        "FEEDS": {},
    }
    # Other crawls need not import what workers share.
    _set(settings, changes, {**dict.fromkeys(_OF_THE_WRITER), _MEMBERSHIP: 25})


def _become_writer(settings: BaseSettings) -> None:
    """Leave all that is sent to the workers, with all middlewares that see it."""
    at_once = max(1, settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))
    changes: dict[str, Any] = {
        "DOWNLOADER_MIDDLEWARES": {},
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https", "file"), _HANDLER),
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "CONCURRENT_REQUESTS": _MOST_OFFERED,
        "CONCURRENT_REQUESTS_PER_DOMAIN": max(_LEAST_OFFERED, _OFFERED_A_REQUEST * at_once),
    }
    _set(settings, changes, dict.fromkeys(_OF_WORKERS))


def _set(
    settings: BaseSettings, changes: dict[str, Any], more_extensions: Mapping[str, int | None]
) -> None:
    for name, value in changes.items():
        settings.set(name, BaseSettings(value) if value == {} else value, priority=_PRIORITY)
    extensions = {**settings.getdict("EXTENSIONS"), **more_extensions}
    settings.set("EXTENSIONS", extensions, priority=_PRIORITY)
