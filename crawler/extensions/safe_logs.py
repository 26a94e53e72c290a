"""Log output that is safe to display, whichever logger it comes from.

A message may contain arbitrary text from a site. Control characters are escaped, and all lines
after the first are indented, so that text cannot pass for another log record. Passwords in URLs
are hidden.
"""

from __future__ import annotations

import logging
from copy import copy
from typing import TYPE_CHECKING, Self

from scrapy import signals

from crawler.credentials import hide_userinfo
from crawler.terminal import escaped_lines

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_INDENT = "\n    "


class SafeFormatter(logging.Formatter):
    """A formatter that makes the text of records safe, then delegates to another formatter."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        # Escape first, because the inner formatter may add colours. Change only a copy, because
        # other handlers get the same record.
        safe_record = copy(record)
        safe_record.msg, safe_record.args = _safe(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            safe_record.exc_text = self._inner.formatException(record.exc_info)
        if safe_record.exc_text:
            safe_record.exc_text = _indented(_safe(safe_record.exc_text))
        if record.stack_info:
            safe_record.stack_info = _indented(_safe(record.stack_info))
        return self._inner.format(safe_record)


class SafeLogs:
    """An extension that makes the log of a run safe, even when a script runs the crawl."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls()
        make_logs_safe()
        # Scrapy replaces its log handler between these two points.
        crawler.signals.connect(extension._opened, signal=signals.spider_opened)
        return extension

    def _opened(self) -> None:
        make_logs_safe()


def make_logs_safe() -> None:
    """Wrap the formatters of the root logger's handlers in SafeFormatter."""
    for handler in logging.root.handlers:
        if not isinstance(handler.formatter, SafeFormatter):
            handler.setFormatter(SafeFormatter(handler.formatter or logging.Formatter()))


def _safe(text: str) -> str:
    return _INDENT.join(escaped_lines(hide_userinfo(text)).split("\n"))


def _indented(text: str) -> str:
    return " " * 4 + text
