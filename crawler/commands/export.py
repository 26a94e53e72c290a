"""``scrapy export``: a job's entire corpus as JSON Lines."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from crawler.errors import CrawlerError
from crawler.files import mode_for, sync_folder
from crawler.job_command import LedgerCommand

if TYPE_CHECKING:
    from crawler.crawl.ledger.database import Database


class Command(LedgerCommand):
    def syntax(self) -> str:
        return "-s JOBDIR=FOLDER [--revisions] [-o FILE]"

    def short_desc(self) -> str:
        return "Write the articles of a job as JSON Lines: the latest revision of each, or all"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--revisions", action="store_true", help="write all revisions of each article"
        )
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            help="the file to write or replace (default: standard output)",
        )

    def run_on_ledger(
        self, folder: Path, database: Database, args: list[str], opts: argparse.Namespace
    ) -> None:
        from crawler.crawl.ledger.job import FILE_NAME

        if opts.output is None or opts.output == "-":
            if sys.stdout is None:
                raise CrawlerError("standard output is closed; give a file with -o", exit_code=1)
            self._write(database, sys.stdout.buffer, every_revision=opts.revisions)
            return
        target = Path(os.path.realpath(opts.output))
        if target.name.startswith(FILE_NAME) and target.parent == folder.resolve():
            raise CrawlerError(f"output: {opts.output} is the ledger itself; give another file")
        try:
            if target.exists() and not target.is_file():
                with target.open("wb") as device:
                    self._write(database, device, every_revision=opts.revisions)
                return
            part = target.with_name(f"{target.name}.{os.getpid()}.part")
            try:
                with part.open("wb") as file:
                    os.fchmod(file.fileno(), mode_for(target))
                    count = self._write(database, file, every_revision=opts.revisions)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(target)
                sync_folder(target.parent)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise CrawlerError(
                f"output: {opts.output} cannot be written ({error.strerror}); give another file",
                exit_code=1,
            ) from error
        print(
            f"{count:,} {'revisions' if opts.revisions else 'articles'} in {opts.output}",
            file=sys.stderr,
        )

    def _write(self, database: Database, file: IO[bytes], *, every_revision: bool) -> int:
        from crawler.crawl.ledger import history

        count = 0
        with database.snapshot() as connection:
            for record in history.corpus(connection, every_revision=every_revision):
                file.write(record + b"\n")
                count += 1
        return count
