"""PHP's ``var_dump`` output, read back exactly.

    >>> from crawler import vardump
    >>> vardump.loads(
    ...     'array(2) {\\n  ["id"]=>\\n  int(7)\\n'
    ...     '  ["tags"]=>\\n  array(1) {\\n    [0]=>\\n    string(4) "news"\\n  }\\n}\\n'
    ... )
    {'id': 7, 'tags': ['news']}

``loads`` returns the one value of a text as plain Python, ``parse`` returns all values of a text as
nodes that keep everything, ``render`` writes nodes as PHP does, and ``scan`` finds the dumps in the
raw bytes of a page, even if the page altered them. The input must be bytes exactly as received: a
dumped string gives its length in bytes and escapes nothing, so no HTML parser or decoder may have
changed it. ``loads`` and ``parse`` raise ``VarDumpError``, a ``ValueError`` with the position and
the expected text. ``scan`` never raises, whatever the bytes.

Two things make the format hard. Strings may contain anything, including text that looks like a
dump, and only their length determines where they end. If a page changed its charset or line endings
afterwards, the length is wrong, and ``how`` records how the end was found instead. Keys have no
length at all: counts, indentation and braces decide. If they allow two readings, the first is used
and marked ``ambiguous``.

This package does not depend on Scrapy or on anything specific to news.
"""

from crawler.vardump.errors import AmbiguousDumpWarning, VarDumpError
from crawler.vardump.formats import format_of
from crawler.vardump.lengths import EXACT
from crawler.vardump.parser import loads, parse
from crawler.vardump.render import render
from crawler.vardump.scan import Dump, scan
from crawler.vardump.values import (
    Array,
    Bool,
    Container,
    Cut,
    CutBytes,
    CutDict,
    CutList,
    CutObject,
    CutStr,
    Entry,
    Enum,
    Float,
    Int,
    Key,
    Null,
    Object,
    PhpEnum,
    PhpObject,
    PhpRecursion,
    PhpResource,
    PhpUninitialized,
    PhpUnknown,
    Recursion,
    Resource,
    String,
    Uninitialized,
    Unknown,
    Value,
    plain,
)

__all__ = [
    "EXACT",
    "AmbiguousDumpWarning",
    "Array",
    "Bool",
    "Container",
    "Cut",
    "CutBytes",
    "CutDict",
    "CutList",
    "CutObject",
    "CutStr",
    "Dump",
    "Entry",
    "Enum",
    "Float",
    "Int",
    "Key",
    "Null",
    "Object",
    "PhpEnum",
    "PhpObject",
    "PhpRecursion",
    "PhpResource",
    "PhpUninitialized",
    "PhpUnknown",
    "Recursion",
    "Resource",
    "String",
    "Uninitialized",
    "Unknown",
    "Value",
    "VarDumpError",
    "format_of",
    "loads",
    "parse",
    "plain",
    "render",
    "scan",
]
