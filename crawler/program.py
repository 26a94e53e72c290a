"""The program that the user called, for messages that name a command.

The commands of ``scrapy`` in the project's folder and those of ``neighbourhood`` are the same.
"""

CONSOLE = "neighbourhood"
SPIDER = "articles"
"""The spider that ``neighbourhood`` runs."""

_is_console = False


def called_from_console() -> None:
    """Note that the user called ``neighbourhood``, not ``scrapy``."""
    global _is_console
    _is_console = True


def is_console() -> bool:
    """Return whether the user called ``neighbourhood``."""
    return _is_console


def as_typed(command: str) -> str:
    """Return a command as the user of this program types it.

    ``crawl articles --depth 1`` is ``scrapy crawl articles --depth 1`` or
    ``neighbourhood --depth 1``, and ``status`` is ``scrapy status`` or ``neighbourhood status``.
    """
    if not _is_console:
        return f"scrapy {command}"
    words = command.removeprefix("crawl").removeprefix(f" {SPIDER}").strip()
    return f"{CONSOLE} {words}".strip()
