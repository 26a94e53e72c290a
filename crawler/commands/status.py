"""``scrapy status``: the state of a job.

It shows the number of articles in each state, whether these balance, the last runs, the fetches
due, and any damage to the ledger.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from crawler.crawl.ledger.places import ServerPlace
from crawler.exit_codes import COULD_NOT_START, UNBALANCED
from crawler.offline_commands import LedgerCommand
from crawler.program import as_typed
from crawler.terminal import say_json, to_the_second
from crawler.terminal_tables import Line, Row, Table, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.crawl.ledger import history
    from crawler.crawl.ledger.database import Database
    from crawler.crawl.ledger.places import Place
    from crawler.crawl.ledger.postgresql import PostgresDatabase
    from crawler.terminal_tables import Part
    from crawler.workers.status import WorkerStatus

# The text shows fewer than --json.
_MOST_RUNS, _MOST_DAMAGE = 10, 20
# By the keys of --json: hours, and the words of the text.
_DUE_WITHIN = {
    "now": (0, "now"),
    "within_hour": (1, "within an hour"),
    "within_day": (24, "within a day"),
    "within_week": (168, "within a week"),
}


@dataclass
class Status:
    """The state of a job; a ledger that is damaged may give no more than ``damage``."""

    job: str
    ledger: str
    ledger_bytes: int
    damage: list[str] = field(default_factory=list)
    site: str | None = None
    balance: history.Balance | None = None
    queued: int | None = None
    due: dict[str, int] | None = None
    next_due: datetime | None = None
    failing: dict[str, int] | None = None
    holder: str | None = None
    runs: list[history.RunSummary] | None = None
    workers: list[WorkerStatus] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the object that --json prints; docs/reference/records.md describes its keys."""
        balance = self.balance
        return {
            "job": self.job,
            "site": self.site,
            "ledger_bytes": self.ledger_bytes,
            "balance": balance
            and {
                **asdict(balance),
                "balanced": balance.balanced,
                "wrong": [{"id": article_id, "why": why} for article_id, why in balance.wrong],
            },
            "queued": self.queued,
            "due": self.due,
            "next_due": self.next_due and self.next_due.isoformat(),
            "failing": self.failing,
            "holder": self.holder,
            "runs": self.runs
            and [
                {
                    "run": run.number,
                    "began": run.began,
                    "ended": run.ended,
                    "alive_at": run.alive_at,
                    "reason": run.reason,
                    "asked": run.asked,
                    "exit_code": run.exit_code,
                    "outcomes": dict(run.outcomes.most_common()),
                }
                for run in self.runs
            ],
            "workers": [
                {
                    **worker._asdict(),
                    "began": worker.began.isoformat(),
                    "alive_until": worker.alive_until.isoformat(),
                }
                for worker in self.workers
            ],
            "damage": self.damage,
        }

    def parts(self) -> Iterator[Part]:
        if self.balance:
            megabytes = self.ledger_bytes / 1e6
            yield Line(f"{self.job}: articles of {self.site}, ledger of {megabytes:,.1f} MB")
            yield Line(str(self.balance), "bold" if self.balance.balanced else "bold red")
            yield from self._work()
            yield from self._runs()
            if self.workers:
                yield from self._workers()
        if self.damage:
            yield from self._damage()

    def _work(self) -> Iterator[Part]:
        if self.queued:
            when = "" if self.holder else " in the next run"
            yield Line(f"to do: {self.queued:,}{when}")
        due = ", ".join(
            f"{count:,} {_DUE_WITHIN[name][1]}" for name, count in (self.due or {}).items()
        )
        next_due = f"; next {to_the_second(self.next_due)} UTC" if self.next_due else ""
        yield Line(f"due: {due}{next_due}")
        if self.failing:
            failing = ", ".join(f"{count:,} {reason}" for reason, count in self.failing.items())
            yield Line(f"last fetch failed: {failing}", "yellow")
        if self.holder:
            yield Line(f"running: {self.holder}")

    def _runs(self) -> Iterator[Part]:
        rows: list[Row] = []
        for run in (self.runs or [])[:_MOST_RUNS]:
            # Only the newest run can be active.
            ending = _ending(run, running=self.holder is not None and not rows)
            outcomes = [f"{count:,} {outcome}" for outcome, count in run.outcomes.most_common()]
            began = to_the_second(run.began)
            rows.append(Row((str(run.number), began, ending, ", ".join(outcomes) or "nothing")))
        yield Table(rows, ("run", "began (UTC)", "ended", "fetched"))

    def _workers(self) -> Iterator[Part]:
        rows = [
            Row(
                (
                    f"{worker.process}{' (writer)' if worker.is_writer else ''}",
                    _state(worker),
                    f"{worker.delivered:,}",
                    f"{worker.per_second:,.1f}",
                    f"{worker.leases:,}",
                ),
                "yellow" if worker.state == "dead" else "",
            )
            for worker in self.workers
        ]
        number = self.workers[0].run
        yield Table(rows, (f"workers of run {number}", "state", "pages", "pages/s", "leases"))

    def _damage(self) -> Iterator[Part]:
        yield Line(f"{self.ledger} is DAMAGED:", "bold red")
        for line in self.damage[:_MOST_DAMAGE]:
            yield Line(f"  {line}")
        yield Line(
            "Copy the folder first. Restore it from a backup, or save the readable articles "
            f"with {as_typed('export')} and start again."
        )


class Command(LedgerCommand):
    prints_json = True

    def syntax(self) -> str:
        return "--job FOLDER [--json]"

    def short_desc(self) -> str:
        return (
            "Show a job's balance, last runs and due dates, and check for damage (exit 1) and "
            "imbalance (exit 5)"
        )

    def read_ledger(
        self, place: Place, database: Database, args: list[str], opts: argparse.Namespace
    ) -> None:
        status = _status(place, database, most_runs=None if opts.json else _MOST_RUNS)
        if opts.json:
            say_json(status.as_json())
        else:
            show(status.parts())
        if status.damage:
            self.exitcode = COULD_NOT_START
        elif status.balance and not status.balance.balanced:
            self.exitcode = UNBALANCED


def _status(place: Place, database: Database, most_runs: int | None) -> Status:
    from crawler.crawl.ledger import history

    status = Status(place.name, database.name, database.size(), database.damage())
    if status.damage:
        return status
    with database.snapshot() as connection:
        status.site = history.site(connection)
        status.balance = history.balance(connection)
        status.queued = history.queued(connection)
        hours = tuple(hours for hours, _ in _DUE_WITHIN.values())
        counts = history.due_within(connection, database.now(), hours)
        status.due = dict(zip(_DUE_WITHIN, counts, strict=True))
        status.next_due = history.next_due(connection)
        status.failing = dict(history.failing(connection).most_common())
        status.holder = place.holder()
        status.runs = history.runs(connection, most_runs)
        status.damage = history.damaged_records(connection) + history.damaged_links(connection)
    if isinstance(place, ServerPlace):
        from crawler.workers.status import workers

        status.workers = workers(cast("PostgresDatabase", database))
    return status


def _state(worker: WorkerStatus) -> str:
    if worker.state == "working":
        return "working"
    return f"{worker.state} since {to_the_second(worker.alive_until)} UTC"


def _ending(run: history.RunSummary, *, running: bool) -> str:
    if run.reason is not None and run.ended is not None:
        began, ended = map(datetime.fromisoformat, (run.began, run.ended))
        code = "" if run.exit_code is None else f", exit code {run.exit_code}"
        return f"{run.reason} after {(ended - began).total_seconds():.0f} s{code}"
    if running:
        return "still running"
    unwritten = "" if run.ended else ", feeds not written yet"
    return f"aborted, last active {run.alive_at[11:19]}{unwritten}"
