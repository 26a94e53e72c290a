"""The names of the stats that this program sets, with their meanings.

Everything that a run counts is in Scrapy's stats, where other extensions and services can see it.
The stats of Scrapy itself, such as ``downloader/request_count``, are set beside these.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Stat(NamedTuple):
    """A stat. Part of the name may stand for several values: ``failures/<reason>``."""

    name: str
    meaning: str


STATS_BY_TOPIC: dict[str, tuple[Stat, ...]] = {
    "Records": (
        Stat("articles/new", "Articles that were stored for the first time."),
        Stat("articles/changed", "Articles that were stored before, and have changed since."),
        Stat("articles/unchanged", "Articles that were requested again, and have not changed."),
        Stat(
            "articles/still_unavailable",
            "Articles that were gone or forbidden in an earlier run, and still are.",
        ),
        Stat("articles/duplicates", "Pages of other addresses of an article."),
        Stat("articles/with_links", "Articles with at least one link of a role that is followed."),
        Stat("articles/from/<source>", "Articles by the source that their pages came from."),
        Stat("teasers/<why>", "Teasers by the reason why their articles were not fetched."),
        Stat("failures/<reason>", "Failures by their reason."),
        Stat("records/dropped", "Records that an item pipeline dropped or failed on."),
    ),
    "Lists of articles": (
        Stat("lists/<kind>", "Lists of articles that were read, by their kind."),
        Stat("lists/articles", "Articles that these lists name, as far as they were kept."),
        Stat("lists/left_out/<reason>", "Entries of lists that were left out, by the reason."),
        Stat("lists/unchanged", "Lists that have not changed since an earlier run."),
        Stat("lists/failed", "Lists that could not be fetched or read."),
    ),
    "The run": (
        Stat("crawl/discovered", "Articles that the run discovered."),
        Stat("crawl/taken", "Articles and lists that the run began to request."),
        Stat("crawl/depth", "The largest distance of an article from the seeds, in links."),
        Stat("crawl/elapsed_seconds", "How long the run took."),
        Stat("crawl/finish_reason", "Scrapy's reason for the end of the run."),
        Stat("crawl/stop_reason", "Why the run stopped itself, in one word; absent if it did not."),
        Stat("crawl/stop_message", "The same for people."),
        Stat("crawl/presumed_articles", "Failures of pages that only looked like articles."),
        Stat("crawl/read_in_workers", "Pages that other processes read (READER_PROCESSES)."),
        Stat("crawl/unrecorded", "With a ledger, the ids of articles without a result."),
        Stat("crawl/everything", "Whether the seed was all."),
        Stat("crawl/follows", "The roles of the links that the run followed."),
        Stat("crawl/recheck", "The argument recheck."),
        Stat("crawl/hosts", "The hosts of the first seed's publisher."),
        Stat("crawl/sources", "The number of sources."),
        Stat("crawl/exit_code", "The exit code, which is set last."),
    ),
    "Files that it wrote": (
        Stat("feeds/written", "The feeds that were written."),
        Stat("feeds/kept", "Feeds that were not replaced, because the run stored no article."),
        Stat("feeds/latest", "The links named latest that were set."),
        Stat("feeds/errors", "Errors in writing feeds."),
        Stat("feeds/failed", "Whether a feed could not be written."),
        Stat("archive/path", "The archive that the run wrote."),
        Stat("archive/exchanges", "Requests and their responses in this archive."),
        Stat("archive/revisits", "Those whose page was the same as in an earlier exchange."),
        Stat("archive/failed", "Why the archive could not be written; absent if it could."),
        Stat("report/written", "The report that the run wrote."),
        Stat("report/failed", "Why the report could not be written; absent if it could."),
    ),
    "Files that it read": (
        Stat("sources/files", "The sum of the files in each folder of saved pages."),
        Stat("sources/faults", "Parts of sources that could not be read."),
    ),
    "The job": (
        Stat("job/name", "The job: its folder, or its name and its database."),
        Stat("job/option", "The option of commands that names the job."),
        Stat("job/run", "The number of the run."),
        Stat("job/began", "When the run began, in UTC."),
        Stat("job/continued", "Lines about the killed run that this one continued."),
        Stat(
            "job/continued_faults", "Failures of the killed run, and feeds that it did not write."
        ),
        Stat(
            "workers/leases_lost",
            "Pages of this worker that others had taken over when it delivered them.",
        ),
        Stat("job/failed", "Why the ledger could not be used; absent if it could."),
        Stat("job/next_due", "When the next article is due."),
    ),
    "Browsers": (
        Stat("rendering/rendered", "Pages whose scripts a browser ran."),
        Stat(
            "rendering/kept",
            "Rendered pages that lacked something, so that the fetched ones count.",
        ),
        Stat("rendering/unfinished", "Rendered pages that had not settled in time."),
        Stat(
            "rendering/failed", "Pages that the browser failed on, and that were whole without it."
        ),
        Stat("rendering/plain", "Pages that needed no browser."),
    ),
    "Requests": (
        Stat("robotstxt/request_count", "Requests for robots.txt."),
        Stat("robotstxt/response_count", "Responses to them."),
        Stat("robotstxt/response_status_count/<status>", "These responses by their status."),
        Stat("robotstxt/forbidden", "Requests that robots.txt forbids."),
        Stat("robotstxt/unavailable", "Servers that failed to serve their robots.txt."),
        Stat("retry/paused_seconds", "The sum of the pauses before requests were repeated."),
        Stat("httpcompression/response_count", "Responses that were decoded."),
        Stat("httpcompression/response_bytes", "Their size after that, in bytes."),
    ),
}
_NAMES = re.compile(
    "|".join(
        re.sub(r"<\w+>", "[^/]+", stat.name) for stats in STATS_BY_TOPIC.values() for stat in stats
    )
)


def is_known(name: str) -> bool:
    """Return whether ``STATS_BY_TOPIC`` has the stat of this name."""
    return _NAMES.fullmatch(name) is not None
