"""Where the ledger of a job is: in the folder of the job, or in a database that LEDGER_URL names.

Opening a ledger imports what its database needs, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from crawler.crawl.ledger.database import Database


class Place(Protocol):
    """The place of a job's ledger. ``name`` stands for the job in messages.

    ``folder`` is the job's folder, if it has one: it holds the link to its latest feeds.
    """

    @property
    def name(self) -> str: ...

    @property
    def option(self) -> str:
        """The option that names the job to a command."""
        ...

    @property
    def folder(self) -> Path | None: ...

    def hold(self, create: Callable[[Connection], None]) -> Database:
        """Open the ledger for writing, by this process alone.

        If there is none, its tables are created, and ``create`` is called in the same transaction.
        Raises CrawlerError, with exit code 75 if another process holds the job, else 1.
        """
        ...

    def open(self) -> Database:
        """Open the ledger for writing beside the process that holds the job.

        Raises LedgerError if there is none.
        """
        ...

    def read(self) -> Database:
        """Open the ledger for reading. Raises CrawlerError if there is none."""
        ...

    def holder(self) -> str | None:
        """Return a description of the process that holds the job; None if none does."""
        ...

    def is_part(self, file: Path) -> bool:
        """Return whether a file is one of those that the ledger consists of."""
        ...


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """The place of a ledger that is a file in the folder of its job."""

    folder: Path

    @property
    def name(self) -> str:
        return str(self.folder)

    @property
    def option(self) -> str:
        return f"--job {self.folder}"

    def hold(self, create: Callable[[Connection], None]) -> Database:
        from crawler.crawl.ledger import sqlite

        return sqlite.hold(self.folder, create)

    def open(self) -> Database:
        from crawler.crawl.ledger import sqlite

        return sqlite.SqliteDatabase(self.folder / sqlite.FILE_NAME, writes=True)

    def read(self) -> Database:
        from crawler.crawl.ledger import sqlite

        if self.folder.exists() and not self.folder.is_dir():
            raise CrawlerError(f"job: {self.folder} is a file; takes a folder")
        path = self.folder / sqlite.FILE_NAME
        if not path.exists():
            raise CrawlerError(
                f"job: {self.folder} holds no ledger ({sqlite.FILE_NAME}); takes the folder of a "
                "job, such as --job output/jobs/NAME"
            )
        return sqlite.SqliteDatabase(path)

    def holder(self) -> str | None:
        from crawler.crawl.ledger import sqlite

        return sqlite.holder(self.folder)

    def is_part(self, file: Path) -> bool:
        from crawler.crawl.ledger import sqlite

        real = file.resolve()
        is_inside = real.parent == self.folder.resolve()
        return is_inside and real.name.startswith(sqlite.FILE_NAME)


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """The place of a ledger in a PostgreSQL database: the schema ``job``.

    ``url`` may hold a password, so it is never shown. ``patience`` is how long (seconds) to wait
    for a database that does not answer.
    """

    url: str
    job: str
    folder: Path | None
    patience: float

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        return f"{self.job} in {_postgresql().shown(self.url)}"

    @property
    def option(self) -> str:
        return f"--job {self.job}"

    def hold(self, create: Callable[[Connection], None]) -> Database:
        database: Database = _postgresql().hold(self, create)
        return database

    def open(self) -> Database:
        database: Database = _postgresql().PostgresDatabase(self)
        return database

    def read(self) -> Database:
        database: Database = _postgresql().read(self)
        return database

    def holder(self) -> str | None:
        process: str | None = _postgresql().holder(self)
        return process

    def is_part(self, file: Path) -> bool:
        return False


def _postgresql() -> Any:
    """Return the module for PostgreSQL. Raises CrawlerError if its driver is not installed."""
    try:
        return import_module("crawler.crawl.ledger.postgresql")
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise CrawlerError(
            "LEDGER_URL: the driver for PostgreSQL is missing; install it with "
            "pip install '.[postgres]'",
            exit_code=1,
        ) from None
