"""PHP's ``var_dump`` output, read back exactly.

    >>> from crawler import vardump
    >>> vardump.loads('array(2) {\\n  ["id"]=>\\n  int(7)\\n  ["tags"]=>\\n  array(1) {\\n    [0]=>\\n    string(4) "news"\\n  }\\n}\\n')
    {'id': 7, 'tags': ['news']}

``loads`` gives the one value of a text as plain Python, ``parse`` all values of a text as nodes that keep everything, ``render`` writes
nodes as PHP does, and ``scan`` finds the dumps in the raw bytes of a page, whatever the page did to them. In: bytes, exactly as they came;
a dumped string says its length in bytes and escapes nothing, so no HTML parser or decoder may have touched them. Out: values, or
``VarDumpError``, a ``ValueError`` that tells the place and what should stand there. ``scan`` never raises.

Two things make the format hard. Strings may hold anything, also what looks like a dump, and only their length tells where they end;
where a page changed its charset or line ends afterwards, the length is wrong, and ``how`` says what told the end instead. Keys have no
length at all: counts, indentation and braces decide, and where they allow two readings the first is taken and marked ``ambiguous``.

Knows nothing of news or of Scrapy.
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
