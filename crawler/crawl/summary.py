"""The summary and the exit code of a run: pure functions of its stats and its balance.

Everything that a run counts is in Scrapy's stats; ``crawler.crawl.stats`` lists their names.

The balance: every article that a run discovers ends up as exactly one record. With a ledger, the
balance is that of the whole job.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from crawler.exit_codes import (
    COMPLETE,
    COULD_NOT_START,
    INCOMPLETE,
    NOTHING_STORED,
    UNBALANCED,
    in_words,
)
from crawler.items import ANSWERS, REASONS
from crawler.program import as_typed
from crawler.terminal_tables import Line, Row, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.crawl.ledger.history import Balance
    from crawler.terminal_tables import Part

_GOOD, _FAULT, _FATAL = "green", "yellow", "bold red"
_MOST_NAMED = 10
_FOLLOWED = {
    "related": "list of related items",
    "text": "link in a text",
    "translation": "translation",
}


def summary(stats: Mapping[str, Any], balance: Balance | None = None) -> list[Part]:
    """Return a table of a run's results, and lines of which the last is the balance."""
    return Outcome(stats, balance).parts()


def exit_code(stats: Mapping[str, Any], balance: Balance | None = None) -> int:
    """Return the exit code of a run."""
    return Outcome(stats, balance).exit_code()


def faults_in(failures: Mapping[str, int]) -> int:
    """Count the failures that another try, or a better parser, could fix."""
    return sum(
        count for reason, count in failures.items() if reason in REASONS and reason not in ANSWERS
    )


class Outcome:
    """A run's stats as the summary needs them, even while the run is in progress."""

    def __init__(self, stats: Mapping[str, Any], balance: Balance | None = None) -> None:
        self._stats = stats
        self._balance = balance
        self.teasers = self._counts("teasers/")
        self.failures = self._counts("failures/")
        self.articles = self._count("articles/new") + self._count("articles/changed")
        self.dropped = self._count("records/dropped")

    def _count(self, name: str) -> int:
        return int(self._stats.get(name, 0))

    def _counts(self, prefix: str) -> Counter[str]:
        return Counter(
            {
                name.removeprefix(prefix): count
                for name, count in self._stats.items()
                if name.startswith(prefix)
            }
        )

    def _list(self, name: str) -> list[str]:
        return list(self._stats.get(name, ()))

    @property
    def fetched(self) -> int:
        """How many pages were requested, and either answered or failed."""
        unchanged = self._count("articles/unchanged") + self._count("articles/still_unavailable")
        return self.articles + unchanged + self.failures.total()

    @property
    def discovered(self) -> int:
        """How many articles the run, or its whole job, has discovered."""
        return self._balance.discovered if self._balance else self._count("crawl/discovered")

    @property
    def stored(self) -> int:
        return self.articles + self.teasers.total() + self.failures.total()

    @property
    def is_closed(self) -> bool:
        """Whether the run closed its spider, rather than being killed or aborted before."""
        return "crawl/finish_reason" in self._stats

    @property
    def is_interrupted(self) -> bool:
        reason = self._stats.get("crawl/finish_reason", "finished")
        return reason != "finished" or self.teasers["interrupted"] > 0

    @property
    def _faults(self) -> int:
        """How many failures another try, or a better parser, could fix.

        A followed page that only its address made look like an article, and that is none, is an
        answer.
        """
        return faults_in(self.failures) - self._count("crawl/presumed_articles")

    @property
    def is_incomplete(self) -> bool:
        """Whether something was left that another run could fetch."""
        return (
            self._faults + self._count("job/continued_faults") + self._count("lists/failed") > 0
            or self.is_interrupted
            or self.dropped > 0
            or bool(self._list("crawl/unrecorded") or self._list("sources/faults"))
        )

    @property
    def _followed_nothing(self) -> bool:
        """Whether links were to be followed, and no article had any."""
        follows = bool(self._list("crawl/follows"))
        return follows and self.articles > 0 and not self._count("articles/with_links")

    @property
    def _has_job(self) -> bool:
        return "job/name" in self._stats

    @property
    def _has_requested(self) -> bool:
        if self.fetched + self.teasers["not_saved"] > 0:
            return True
        return bool(self._stats.get("crawl/everything")) and not self.discovered

    @property
    def _stored_nothing(self) -> bool:
        """Whether the run requested pages and none of them became an article.

        If every answer was definitive (gone, forbidden, never saved), this holds only if the job
        has no article from an earlier run either.
        """
        if self.articles or self._count("articles/unchanged"):
            return False
        stored_before = self._balance.articles if self._balance else 0
        if stored_before and self._count("lists/unchanged"):
            return False
        still_unavailable = self._count("articles/still_unavailable")
        if (self._faults or self.is_interrupted) and not still_unavailable:
            return True
        return self._has_requested and not stored_before

    def exit_code(self) -> int:
        if "job/failed" in self._stats or "archive/failed" in self._stats:
            return COULD_NOT_START
        if self._stats.get("crawl/stop_reason") == "renderer_down":
            return NOTHING_STORED
        if not self.is_closed:
            return INCOMPLETE if self._has_job else NOTHING_STORED
        feeds_failed = self._list("feeds/errors") or self._stats.get("feeds/failed")
        if feeds_failed or "report/failed" in self._stats or self._stored_nothing:
            return NOTHING_STORED
        if not self._is_balanced:
            return UNBALANCED
        return INCOMPLETE if self.is_incomplete else COMPLETE

    @property
    def _is_balanced(self) -> bool:
        if self._balance:
            return self._balance.balanced
        return self.discovered == self.stored + self.dropped

    def parts(self) -> list[Part]:
        run = []
        if "job/run" in self._stats:
            run.append("run {job/run} of {job/name}, {job/began} UTC".format_map(self._stats))
        return [
            *map(Line, (*run, *self._list("job/continued"))),
            *self._results(),
            *(Line(f"  {line}") for line in self._list("sources/files")),
            *self._archive_and_feeds(),
            *(Line(f"  {line}", _FAULT) for line in self._troubles()),
            *(Line(f"  {line}") for line in self._ending()),
            self._exit_line(),
            Line(self._sum(), "bold"),
        ]

    def _exit_line(self) -> Line:
        code = self.exit_code()
        style = {COMPLETE: _GOOD, INCOMPLETE: _FAULT}.get(code, _FATAL)
        return Line(f"  {in_words(code)}", style)

    def _results(self) -> list[Part]:
        by_source = (
            _breakdown(self._counts("articles/from/")) if self._count("crawl/sources") > 1 else ""
        )
        rows = [
            ("articles", self.articles, by_source),
            ("teasers", self.teasers.total(), _breakdown(self.teasers)),
            ("failures", self.failures.total(), _breakdown(self.failures)),
        ]
        if self._has_job:
            is_idle = not self._count("crawl/taken") and not self._count("lists/failed")
            if self.is_closed and is_idle and not self.teasers:
                return [Line(f"  nothing new: {self._why_nothing()}")]
            kinds = {
                "new": self._count("articles/new"),
                "changed": self._count("articles/changed"),
                "unchanged": self._count("articles/unchanged"),
                "gone or forbidden as before": self._count("articles/still_unavailable"),
            }
            by_kind = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
            articles = ("articles", self.articles, "; ".join(filter(None, (by_kind, by_source))))
            rows = [articles, *(row for row in rows[1:] if row[1])]
        seconds = float(self._stats.get("crawl/elapsed_seconds", 0))
        lists = self._lists()
        fetched = self.fetched + lists.total() - lists["failed"]
        rate = fetched / max(seconds, 0.001)
        depth = self._count("crawl/depth")
        if duplicates := self._count("articles/duplicates"):
            rows.append(("duplicates", duplicates, "pages of other addresses of an article"))
        if lists:
            rows.append(("lists", sum(lists.values()), self._of_lists(lists)))
        styles = {"articles": _GOOD, "failures": _FAULT}
        return [
            Table([Row(row, styles.get(row[0], "") if row[1] else "") for row in rows]),
            Line(f"  {fetched:,} fetched in {seconds:.1f} s, {rate:.1f} pages/s, depth {depth}"),
            *self._rendering(),
        ]

    def _lists(self) -> Counter[str]:
        """Return how many lists of articles were read, by kind, and how many were unchanged."""
        counts = self._counts("lists/")
        return Counter({k: n for k, n in counts.items() if k != "articles" and "/" not in k})

    def _of_lists(self, lists: Counter[str]) -> str:
        left_out = _breakdown(self._counts("lists/left_out/"))
        count = self._count("lists/articles")
        articles = f"{count:,} article{'' if count == 1 else 's'} listed"
        return "; ".join(
            (_breakdown(lists), articles, *([f"left out {left_out}"] if left_out else []))
        )

    def _why_nothing(self) -> str:
        recheck = self._stats.get("crawl/recheck", "due")
        return "nothing was due" if recheck == "due" else f"nothing to fetch with recheck={recheck}"

    def _rendering(self) -> list[Part]:
        counts = self._counts("rendering/")
        if not counts["rendered"] + counts["failed"] + counts["plain"]:
            return []
        parts = [f"{counts['rendered']:,} rendered"]
        if counts["kept"]:
            parts.append(
                f"{counts['kept']:,} of them used as fetched, because rendering lost content"
            )
        if counts["unfinished"]:
            parts.append(f"{counts['unfinished']:,} of them had not settled")
        if counts["failed"]:
            parts.append(f"{counts['failed']:,} could not be rendered and were used as fetched")
        parts.append(f"{counts['plain']:,} needed no rendering")
        return [Line(f"  {'; '.join(parts)}")]

    def _archive_and_feeds(self) -> list[Line]:
        lines = []
        if exchanges := self._count("archive/exchanges"):
            revisits = self._count("archive/revisits")
            unchanged = f", {revisits:,} of them unchanged" if revisits else ""
            path = self._stats.get("archive/path")
            lines.append(f"archived: {path} ({exchanges:,} exchanges{unchanged})")
        lines += [f"written: {feed}" for feed in self._list("feeds/written")]
        if links := self._list("feeds/latest"):
            lines.append(f"latest: {', '.join(links)}")
        lines += self._list("feeds/kept")
        if "report/written" in self._stats:
            lines.append(f"report: {self._stats['report/written']}")
        errors = self._list("feeds/errors")
        if self._stats.get("feeds/failed") and not errors:
            errors = ["a feed could not be written; the log says why"]
        if "report/failed" in self._stats:
            errors = [*errors, self._stats["report/failed"]]
        return [
            *(Line(f"  {line}") for line in lines),
            *(Line(f"  not stored: {error}", _FATAL) for error in errors),
        ]

    def _troubles(self) -> list[str]:
        """Return lines about problems that the table does not show."""
        lines = []
        articles = self._balance.articles if self._balance else self.articles
        knows_sum = not self._has_job or self._balance is not None
        if not articles and self._has_requested and self.discovered and knows_sum:
            lines.append("no article was stored: none of the requested pages gave an article")
        lines += [
            f"could not be read, so pages may be missing: {fault}"
            for fault in self._list("sources/faults")
        ]
        if not self.discovered and self._stats.get("crawl/everything"):
            hosts = ", ".join(self._list("crawl/hosts"))
            lines.append(
                f"no article was stored: the sources hold no article of {hosts}; "
                "to read an archive of a mirror, give its base_url"
            )
        if self._followed_nothing:
            roles = self._list("crawl/follows")
            wanted = " or ".join(_FOLLOWED[role] for role in roles)
            hint = f"; a publisher file can say where it is ({as_typed('publisher')})"
            lines.append(
                f"nothing was followed: no {wanted} was found on the pages"
                f"{hint if roles == ['related'] else ''}"
            )
        if self.dropped:
            lines.append(f"{self.dropped} records were dropped by an item pipeline")
        if unrecorded := self._list("crawl/unrecorded"):
            ids = ", ".join(unrecorded[:_MOST_NAMED]) + (
                " …" if len(unrecorded) > _MOST_NAMED else ""
            )
            lines.append(
                "no result was recorded for these articles; run again to retry them; the log "
                f"may say why: {ids}"
            )
        return lines

    def _ending(self) -> list[str]:
        if fault := self._stats.get("job/failed") or self._stats.get("archive/failed"):
            return [f"stopped: {fault}"]
        if message := self._stats.get("crawl/stop_message"):
            return [f"stopped: {message}", self._how_to_continue()]
        reason = self._stats.get("crawl/finish_reason")
        if self._has_job and (not self.is_closed or self.is_interrupted):
            ending = f"stopped early ({reason})" if self.is_closed else "aborted"
            return [
                f"the run was {ending}; nothing is lost: run the same command again to continue"
            ]
        if not self.is_closed:
            return [
                "the run was aborted before it could write its feeds; its records are "
                "in files whose names end in .part"
            ]
        if self.is_interrupted and reason == "finished":
            return ["the remaining articles of hosts that are down were not requested"]
        if self.is_interrupted:
            return [f"the run was stopped early ({reason}); its records are stored"]
        next_due = self._stats.get("job/next_due")
        return [f"next due: {next_due}"] if next_due else []

    def _how_to_continue(self) -> str:
        if self._stats.get("crawl/stop_reason") == "site_down":
            if self._has_job:
                return "run the same command again to continue"
            return "the articles not requested are teasers"
        if self._has_job:
            return "run the same command again to continue"
        return "the run's records are stored"

    def _sum(self) -> str:
        if self._balance:
            return str(self._balance)
        if self._has_job:
            option = self._stats["job/option"]
            status = as_typed("status")
            return f"the run's records are stored; {status} {option} shows the sum"
        is_even = self.discovered == self.stored
        line = (
            f"discovered {self.discovered} {'=' if is_even else '!='} articles {self.articles} "
            f"+ teasers {self.teasers.total()} + failures {self.failures.total()}"
        )
        if is_even or self.dropped or not self.is_closed:
            return line
        return f"{line} (the sum does not balance; this is a bug in the crawler, please report it)"


def _breakdown(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common() if count)
