"""The tables of the ledger, and their version.

Columns have standard SQL types. Times are ISO 8601 text in UTC if they are displayed, POSIX seconds
if they are compared.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

VERSION = 8

METADATA = MetaData()

JOB = Table(
    "job",
    METADATA,
    Column("version", Integer, nullable=False),
    Column("site", String, nullable=False),
    # The first unused place in the crawl.
    Column("places", Integer, nullable=False),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("began", String, nullable=False),
    Column("process", Integer, nullable=False),
    # As JSON: the arguments in force when the articles of earlier runs were last reconsidered.
    Column("arguments", String, nullable=False),
    # When the run's data was last made durable.
    Column("alive_at", String, nullable=False),
    # Null while the run lasts, or if it was killed and its feeds are not written yet.
    Column("ended", String),
    # Scrapy's reason for closing; null if the run was killed.
    Column("reason", String),
    # Whether nothing was left to fetch.
    Column("finished", Boolean, nullable=False),
    # As JSON: all arguments that were given, and the sources in force.
    Column("asked", String),
    # Null while the run lasts, or if it was killed.
    Column("exit_code", Integer),
)

FEEDS = Table(
    "feeds",
    METADATA,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("uri", String, primary_key=True),
    # Not read: the ledger does not decide how a file is written.
    Column("options", String, nullable=False),
    # Size of the file in bytes when the run began.
    Column("size", BigInteger),
)

PAGES = Table(
    "pages",
    METADATA,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("queued", Boolean, nullable=False),
    # The crawl order: depth, place of the listing page, position in its list
    # (crawler.crawl.articles.Priority).
    Column("depth", Integer, nullable=False),
    Column("lister", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("found_on", String),
    Column("found_in_run", Integer, nullable=False),
    Column("place", Integer),
    Column("told", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("due_at", Float),
    Column("interval", Float, nullable=False),
    Column("failures", Integer, nullable=False),
    # The validators of the last stored response (RFC 9110, 8.8), for conditional requests.
    Column("etag", String),
    Column("last_modified", String),
    # gone or robots, if that was the last response.
    Column("answer", String),
    # The address to request; null if it follows from the id, empty if there is none.
    Column("url", String),
    sqlite_with_rowid=False,
)
Index("pages_queued", PAGES.c.queued, PAGES.c.depth, PAGES.c.lister, PAGES.c.position, PAGES.c.id)
Index("pages_due", PAGES.c.due_at)

ALIASES = Table(
    "aliases",
    METADATA,
    # Another id of an article, which may be an alias itself.
    Column("alias", String, primary_key=True),
    Column("id", String, nullable=False),
    sqlite_with_rowid=False,
)

TEMPLATES = Table(
    "templates",
    METADATA,
    # The shapes of the addresses of a publisher's articles, and the least depth of one of them.
    Column("publisher", String, primary_key=True),
    Column("template", String, primary_key=True),
    Column("depth", Integer, nullable=False),
    sqlite_with_rowid=False,
)

LISTINGS = Table(
    "listings",
    METADATA,
    Column("id", String, primary_key=True),
    Column("page_id", String, primary_key=True),
    # The role of the links that the list consists of (items.ArticleRole).
    Column("role", String, primary_key=True),
    Column("run", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    # The headline in the list; null if it is in the item. In rows of older versions it is also null
    # if it equals the headline in the list that named the article first.
    Column("headline", String),
    # The complete item as JSON, if this is the deciding list (crawler.crawl.frontier), gives a
    # different upload time, or is of another role than related.
    Column("item", LargeBinary),
    sqlite_with_rowid=False,
)

PAGE_LINKS = Table(
    "page_links",
    METADATA,
    Column("page_id", String, primary_key=True),
    # When a link was last added or removed; null if the page never had any.
    Column("changed_at", String),
    # The times at which the whole page was read, and the edges of the link graph
    # (crawler.crawl.edges), whether followed or not: compressed JSON
    # (crawler.crawl.ledger.page_links).
    Column("links", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("page_links_changed_at", PAGE_LINKS.c.changed_at)

LINKING_PAGES = Table(
    "linking_pages",
    METADATA,
    # Which pages have ever linked to an article or other page, unless LISTINGS says so. Both ids
    # are those in use when the link was stored.
    Column("id", String, primary_key=True),
    Column("page_id", String, primary_key=True),
    sqlite_with_rowid=False,
)

FETCHES = Table(
    "fetches",
    METADATA,
    Column("fetch", Integer, primary_key=True, autoincrement=False),
    Column("run", Integer, nullable=False),
    Column("id", String, nullable=False),
    Column("at", String, nullable=False),
    # new, changed, unchanged, not_modified, dropped, not_saved, duplicate (the page of another
    # address of the article), list (a list of articles), or the reason of a failure.
    Column("outcome", String, nullable=False),
    Column("detail", String),
    Column("revision", Integer),
)
Index("fetches_id", FETCHES.c.id)
Index("fetches_run", FETCHES.c.run)

RECORDS = Table(
    "records",
    METADATA,
    Column("record", Integer, primary_key=True, autoincrement=False),
    Column("run", Integer, nullable=False),
    Column("id", String),
    # article, teaser, failure, or item for a record that an item pipeline replaced.
    Column("kind", String, nullable=False),
    Column("revision", Integer),
    # CRC-32 of the next column.
    Column("crc", BigInteger, nullable=False),
    # Compressed (crawler.crawl.ledger.record_json).
    Column("json", LargeBinary, nullable=False),
)
Index("records_id", RECORDS.c.id, RECORDS.c.kind, RECORDS.c.revision)
Index("records_run", RECORDS.c.run)

ARCHIVED = Table(
    "archived",
    METADATA,
    # The last response that carried a page, as stored in a WARC file: the target of revisit
    # records.
    Column("url", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("date", String, nullable=False),
    Column("record_id", String, nullable=False),
    Column("file", String, nullable=False),
    Column("file_id", String, nullable=False),
    Column("etag", String),
    Column("last_modified", String),
    sqlite_with_rowid=False,
)
