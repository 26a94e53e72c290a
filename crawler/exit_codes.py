"""The exit codes of ``scrapy crawl``."""

COMPLETE, COULD_NOT_START, WRONG_ARGUMENTS, INCOMPLETE, NOTHING_STORED, UNBALANCED = range(6)
HELD = 75
"""Another process holds the job (EX_TEMPFAIL of sysexits.h: try again later)."""

MEANINGS = {
    COMPLETE: "complete: everything was fetched, or is definitively unavailable",
    COULD_NOT_START: "could not start, or the ledger or the archive cannot be read or written",
    WRONG_ARGUMENTS: "invalid arguments or settings",
    INCOMPLETE: "incomplete: some pages could not be fetched or read, or the run was stopped",
    NOTHING_STORED: "nothing was stored",
    UNBALANCED: "the sum does not balance",
    HELD: "another process holds the job",
}


def in_words(exit_code: int) -> str:
    """Return what an exit code means, and its number."""
    return f"{MEANINGS[exit_code]} (exit code {exit_code})"
