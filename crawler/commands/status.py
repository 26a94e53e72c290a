"""``scrapy status``: the state of a job.

It prints the number of articles in each state, whether these balance, the last runs, the fetches
due, and any damage to the ledger.
"""

from __future__ import annotations

import argparse
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.exit_codes import COULD_NOT_START, UNBALANCED
from crawler.job_command import LedgerCommand
from crawler.terminal import say

if TYPE_CHECKING:
    from crawler.crawl.ledger import history
    from crawler.crawl.ledger.database import Database

_MOST_RUNS = 10


class Command(LedgerCommand):
    def syntax(self) -> str:
        return "-s JOBDIR=FOLDER"

    def short_desc(self) -> str:
        return (
            "Show a job's balance, last runs and due dates, and check for damage (exit 1) and "
            "imbalance (exit 5)"
        )

    def run_on_ledger(
        self, folder: Path, database: Database, args: list[str], opts: argparse.Namespace
    ) -> None:
        from crawler.crawl.ledger import history, job

        if damage := database.damage():
            self._report_damage(folder, damage)
            return
        with database.snapshot() as connection:
            balance, queued = history.balance(connection), history.queued(connection)
            size = sum(path.stat().st_size for path in folder.glob(job.FILE_NAME + "*"))
            say(f"{folder}: articles of {history.site(connection)}, ledger of {size / 1e6:,.1f} MB")
            say(str(balance))
            if queued:
                say(f"to do: {queued:,} in the next run")
            now, hour, day, week = history.due_within(connection, time.time(), (0, 1, 24, 168))
            due = f"due: {now:,} now, {hour:,} within an hour, {day:,} within a day"
            next_due = history.next_due(connection)
            say(f"{due}, {week:,} within a week" + (f"; next {next_due}" if next_due else ""))
            if failing := history.failing(connection):
                say(
                    "last fetch failed: "
                    + ", ".join(f"{count:,} {reason}" for reason, count in failing.most_common())
                )
            if holder := job.holder(folder):
                say(f"running: {holder}")
            say("runs:")
            for run in history.runs(connection, _MOST_RUNS):
                say("  " + _line(run, running=holder is not None))
                holder = None
            damaged_records = history.damaged_records(connection)
        if damaged_records:
            self._report_damage(folder, damaged_records)
        elif not balance.balanced:
            self.exitcode = UNBALANCED

    def _report_damage(self, folder: Path, damage: list[str]) -> None:
        from crawler.crawl.ledger import job

        say(f"{folder / job.FILE_NAME} is DAMAGED:")
        for line in damage[:20]:
            say(f"  {line}")
        say(
            "Copy the folder first. Restore it from a backup, or save the readable articles "
            "with scrapy export and start again."
        )
        self.exitcode = COULD_NOT_START


def _line(run: history.RunSummary, *, running: bool) -> str:
    began = datetime.fromisoformat(run.began)
    if run.reason is not None and run.ended is not None:
        ending = (
            f"{run.reason} after "
            f"{(datetime.fromisoformat(run.ended) - began).total_seconds():.0f} s"
        )
    elif running:
        ending = "still running"
    else:
        ending = f"aborted after {run.alive_at[11:19]}" + (
            "" if run.ended else ", feeds not written yet"
        )
    outcomes = (
        ", ".join(f"{count:,} {outcome}" for outcome, count in run.outcomes.most_common())
        or "nothing fetched"
    )
    return f"{run.number:>4}  {began:%Y-%m-%d %H:%M:%S}  {ending}: {outcomes}"
