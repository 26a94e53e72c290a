"""Checks that the parts of a crawl are in place, before its first request.

The user's settings take precedence over ours, so they may remove a component that the crawl cannot
do without. The crawl would then lose its archive, or use the network although it is offline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scrapy.statscollectors import DummyStatsCollector
from scrapy.utils.conf import build_component_list
from scrapy.utils.misc import load_object

from crawler.errors import CrawlerError
from crawler.job_settings import place_of

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

    from crawler.crawl.run import Run


class _Part(NamedTuple):
    setting: str
    path: str
    purpose: str


_CLASSES = (
    _Part("SCHEDULER", "crawler.scheduler.FrontierScheduler", "requests come from the frontier"),
    _Part("ITEM_PROCESSOR", "crawler.item_processor.RecordProcessor", "it stores the records"),
)
_COMPONENTS = (
    _Part("ITEM_PIPELINES", "crawler.pipelines.RecordPipeline", "it makes the records"),
    _Part(
        "DOWNLOADER_MIDDLEWARES",
        "crawler.middlewares.sources.SourcesMiddleware",
        "it keeps an offline crawl from the network",
    ),
    _Part(
        "DOWNLOADER_MIDDLEWARES",
        "crawler.middlewares.parsing.ParsingMiddleware",
        "it enforces READ_TIMEOUT",
    ),
)
_KEEPER = _Part(
    "EXTENSIONS", "crawler.extensions.job_keeper.JobKeeper", "JOBDIR needs it to keep the ledger"
)
_ARCHIVE = _Part(
    "EXTENSIONS", "crawler.extensions.archiving.Archiving", "archive needs it to write the file"
)
_RECORDER = _Part(
    "DOWNLOAD_HANDLERS",
    "crawler.downloading.recording.RecordingDownloadHandler",
    "archive needs it to record what is fetched",
)


def check_parts(settings: BaseSettings, run: Run) -> None:
    """Raise CrawlerError if a setting leaves out a part that this run needs."""
    for part in _CLASSES:
        _check(part, [settings[part.setting]])
    collector = settings["STATS_CLASS"]
    if issubclass(load_object(collector), DummyStatsCollector):
        raise CrawlerError(
            f"STATS_CLASS: got {collector}, takes a collector that keeps the stats, because "
            "the summary and the exit code are computed from them"
        )
    components = list(_COMPONENTS)
    if place_of(settings):
        components.append(_KEEPER)
    if run.arguments.archive is not None:
        components.append(_ARCHIVE)
        for scheme in ("http", "https"):
            _check(_RECORDER, [settings.getwithbase("DOWNLOAD_HANDLERS").get(scheme)])
    for part in components:
        found = build_component_list(settings.get_component_priority_dict_with_base(part.setting))
        _check(part, found)


def _check(part: _Part, found: list[Any]) -> None:
    required_class = load_object(part.path)
    for path in found:
        configured_class = load_object(path) if path else None
        # issubclass() is true of any two schedulers, because BaseScheduler compares only methods.
        if isinstance(configured_class, type) and required_class in configured_class.__mro__:
            return
    names = ", ".join(map(str, found)) if len(found) == 1 else "nothing suitable"
    raise CrawlerError(
        f"{part.setting}: got {names}, takes {part.path} or a subclass, because {part.purpose}"
    )
