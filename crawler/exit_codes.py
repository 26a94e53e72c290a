"""The exit codes of ``scrapy crawl``."""

COMPLETE, COULD_NOT_START, WRONG_ARGUMENTS, INCOMPLETE, NOTHING_STORED, UNBALANCED = range(6)
HELD = 75
"""Another process holds the job (EX_TEMPFAIL of sysexits.h: try again later)."""
