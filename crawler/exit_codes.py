"""The exit codes of ``scrapy crawl``."""

COMPLETE, COULD_NOT_START, WRONG_ARGUMENTS, INCOMPLETE, NOTHING_STORED, UNBALANCED = range(6)
HELD = 75
"""Another process holds the job (EX_TEMPFAIL of sysexits.h: try again later)."""

MEANINGS = {
    COMPLETE: "complete; every page was fetched, is no article or is definitively unavailable",
    COULD_NOT_START: "could not start, or the ledger or the archive cannot be read or written",
    WRONG_ARGUMENTS: "invalid arguments or settings",
    INCOMPLETE: (
        "incomplete; some pages could not be fetched or read, or the run was stopped; run it again"
    ),
    NOTHING_STORED: "nothing was stored, or a feed or the report could not be written",
    UNBALANCED: "the sum does not balance",
    HELD: "another process holds the job; try again later",
}
"""The meaning of each code, in the words of the summary and of the reference."""


def in_words(exit_code: int) -> str:
    """Return an exit code and its meaning."""
    return f"exit code {exit_code}: {MEANINGS[exit_code]}"
