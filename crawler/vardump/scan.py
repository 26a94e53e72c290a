"""Every dump in the raw bytes of a page, in whatever state the page left it.

At each place where a dump may begin, readings are tried in this order: as PHP wrote it, exactly; as a page may have changed it (line
ends, charset), first with its indentation, then with any white space, every count and length still in agreement; as Xdebug's text;
with HTML escapes undone; and last, what can be had of a dump that is broken or cut off. The first that is whole is taken, else
the one that reaches furthest.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from crawler.vardump import lengths, xdebug
from crawler.vardump.errors import VarDumpError
from crawler.vardump.escapes import ESCAPE, unescape
from crawler.vardump.layouts import CLASS, COUNT, FLOAT, INDENTED, INT, PAGE, PHP, Layout
from crawler.vardump.reader import Failure, Reader, broken_off, has_other_reading, may_read_otherwise
from crawler.vardump.values import Container, String, Value, agrees, entries_of, has_names, is_cut, plain

Form = Literal["plain", "escaped", "xdebug"]

_SPACES = rb"(?:" + lengths.SPACE + rb")*+"
_SCALAR = (
    rb"(?:int\(" + INT + rb"\)|(?:float|double)\(" + FLOAT + rb"\)|bool\((?:true|false)\)"
    rb"|enum\([^\n\"(){}:]{1,300}::[^\n\"(){}:]{1,300}\)|resource\(" + COUNT + rb"\) of type \([^()\n]{0,200}\)|UNKNOWN:0"
    rb"|enum [^\s:]{1,300}::[^\s:;]{1,300}(?: : (?:int\([^()\n]*\)|string\(\"[^\"]{0,4096}\"\)))?;)"
)
_SCALARS_ONLY = rb"(?=(?:[ \t]+(?:" + _SCALAR + rb"|NULL))*+[ \t]*(?:[\r\n<]|\Z))"
# A scalar is taken for a dump where nothing else stands on its line or in its element; NULL, which tables are full of, where it has
# a line to itself. A class of Xdebug's text is one by the number after it.
_START = re.compile(
    rb"string\(" + COUNT + rb"\)" + _SPACES + rb"(?:\"|&quot;|&#0?34;)"
    rb"|array\(" + COUNT + rb"\)" + _SPACES + rb"\{"
    rb"|(?:lazy (?:ghost|proxy) )?object\(" + CLASS + rb"\)(?:#" + COUNT + _SPACES + rb")?\(" + COUNT + rb"\)" + _SPACES + rb"\{"
    rb"|class " + CLASS + rb"#" + COUNT + rb" \(" + COUNT + rb"\) \{"
    rb"|(?<![^\n>])" + _SCALAR + _SCALARS_ONLY + rb"|(?:(?<![^\n])|(?<=<pre>))NULL(?=[ \t]*(?:\r?\n|\Z|</pre>))"
    rb"|" + xdebug.START
)
_BESIDE = re.compile(_SPACES + rb"(?P<start>" + _SCALAR + rb"|NULL)" + _SCALARS_ONLY)
# The cheap look that is all a page without a dump costs: a parenthesis after a word of var_dump's, or of Xdebug's.
_HINT = re.compile(
    rb"\((?<=[gytlem> ]\()(?:(?=[-0-9tfIN])(?:"
    rb"(?<=string\()|(?<=array\()|(?<=int\()|(?<=bool\()|(?<=float\()|(?<=double\()|(?<=resource\()|(?<=[0-9] \())"
    rb"|(?<=object\()|(?<=enum\()|(?=size=|length=|<i>)|(?<= : string\())"
)
# The longer a text, the faster it is searched for; this is what Xdebug writes before scalars that have no parenthesis.
_XDEBUG = b"<pre class='xdebug-var-dump' dir='ltr'>"
# What follows a reading that ended too early: the rest of a key, of an entry or of the container.
_DEBRIS = re.compile(rb"\s*(?:[^<\n]{0,200}?\"(?::protected|:\"[^\n\"]{1,200}\":private)?\]=>|\[-?[0-9]{1,20}\]=>|\}[ \t]*(?:\n|\Z))")
# A container directly after another one: both could be one, of a longer key.
_ANOTHER = re.compile(rb"\n(?:array\(|object\(|lazy )")
_REST = re.compile(rb"[^\r\n<]*")
_TAG = re.compile(rb"<(?![bB][rR] ?/?>)")

# A page with more broken dumps than this is made to be slow; scanning it ends there.
_MOST_BROKEN = 200
# What trying other ends of keys may cost, for one place of a page.
_EFFORT = 5_000
# Bytes from its start among which an escaped dump has its first escape.
_FIRST_ESCAPE = 2_000
# Bytes that an escaped dump is looked for in at first, and that must be left behind its end.
_FIRST_PART, _MARGIN = 8_192, 256


@dataclass(frozen=True)
class Dump:
    """One dumped value of a page.

    ``start`` and ``end`` are offsets in the page. ``form``: ``plain``, ``escaped`` for HTML, or ``xdebug`` (its text or its HTML). ``node``
    is what ``parse`` would give; what is missing is marked there by ``cut``. ``ambiguous``: something in it looks like the end of a
    key and may be one. ``error`` says where and why reading ended, of a dump that is broken; its document is the page.
    """

    start: int
    end: int
    form: Form
    node: Value
    encoding: str
    ambiguous: bool
    error: VarDumpError | None

    @cached_property
    def value(self) -> Any:
        """The value as plain Python (see ``plain``); where something is missing it is a ``Cut`` and holds what was whole."""
        return plain(self.node, self.encoding)

    @cached_property
    def complete(self) -> bool:
        """Whether nothing is missing, and every declared count and length agrees with what is there."""
        return self.error is None and not is_cut(self.node) and all(map(agrees, self._nodes()))

    @cached_property
    def how(self) -> str:
        """What told the ends of its strings: ``EXACT`` where every declared length did, else what had to be supposed."""
        told = (node.how for node in self._nodes() if isinstance(node, String))
        return next((how for how in told if how != lengths.EXACT), lengths.EXACT)

    @property
    def declared(self) -> int | None:
        """Of a string, the length that it declares; None of others."""
        return self.node.declared if isinstance(self.node, String) else None

    @property
    def actual(self) -> int | None:
        """Of a string, its length in bytes as it stands in the page, escapes undone; None of others."""
        return len(self.node.content) if isinstance(self.node, String) else None

    def _nodes(self) -> Iterator[Value]:
        yield self.node
        for entry in entries_of(self.node):
            yield entry.value


class _Found(NamedTuple):
    end: int
    value: Value
    layout: Layout | None
    ambiguous: bool = False
    failure: Failure | None = None


def scan(page: bytes, encoding: str = "utf-8") -> Iterator[Dump]:
    """Yield every dump in ``page``, in order. Never raises, whatever the bytes.

    ``encoding`` is the page's own, a text codec of Python's. Scalars are found where they stand alone. A page with more than 200 broken
    dumps is scanned no further.
    """
    if not (b"(" in page and _HINT.search(page)) and _XDEBUG not in page and not page.startswith((b"NULL", b"\nNULL")):
        return
    position = broken = 0
    start: int | None
    while broken < _MOST_BROKEN:
        beside = _BESIDE.match(page, position) if position else None
        start = beside.start("start") if beside else None
        if start is None:
            found = _START.search(page, position)
            if found is None:
                return
            start, position = found.start(), found.end()
        dump = _read_at(page, start, encoding)
        if dump is None or not dump.complete:
            # Each may have cost several readings of all that follows.
            broken += 1
        if dump is not None:
            yield dump
            position = max(position, dump.end)
        elif beside is not None:
            position = beside.end()


def _read_at(page: bytes, start: int, encoding: str) -> Dump | None:
    if page.startswith(b"<", start):
        return _read_html(page, start, encoding)
    found = _whole(page, start, encoding)
    if found is None and ESCAPE.search(page, start, start + _FIRST_ESCAPE):
        escaped = _read_escaped(page, start, encoding)
        broken = None if escaped and escaped.complete else _broken(page, start, encoding)
        if escaped is not None and (broken is None or escaped.end > broken.end):
            return escaped
        found = broken
    elif found is None:
        found = _broken(page, start, encoding)
    return found and _dump(page, start, found.end, _form(found), found, encoding, lambda position: position)


def _read_html(page: bytes, start: int, encoding: str) -> Dump | None:
    html = xdebug.read_html(page, start, encoding)
    if html is None:
        return None
    return _dump(page, html.start, html.end, "xdebug", _Found(html.end, html.value, None, False, html.failure), encoding, lambda p: p)


def _read_escaped(page: bytes, start: int, encoding: str) -> Dump | None:
    """Read the value at ``start`` with its escapes undone: in a part of the page that grows until the value ends well inside it."""
    tag = _TAG.search(page, start)
    limit = tag.start() if tag else len(page)
    dump = _unescaped(page, start, limit, encoding)
    if tag and dump is not None and not dump.complete:
        # Some pages escape only a part of the characters: a tag may stand in a string.
        dump = max(dump, _unescaped(page, start, len(page), encoding) or dump, key=lambda one: (one.complete, one is dump))
    return dump


def _unescaped(page: bytes, start: int, limit: int, encoding: str) -> Dump | None:
    size = _FIRST_PART
    while True:
        end = min(limit, start + size)
        unescaped = unescape(page, start, end, encoding)
        found = _whole(unescaped.data, 0, encoding) or _broken(unescaped.data, 0, encoding)
        if found is None:
            return None
        if end == limit or found.end < len(unescaped.data) - _MARGIN:
            return _dump(page, start, unescaped.offset(found.end), "escaped", found, encoding, unescaped.offset)
        size *= 8


def _form(found: _Found) -> Form:
    return "xdebug" if found.layout is xdebug.TEXT else "plain"


def _dump(page: bytes, start: int, end: int, form: Form, found: _Found, encoding: str, offset: Callable[[int], int]) -> Dump:
    failure = found.failure
    error = failure and VarDumpError(failure.message, page, offset(failure.position), failure.expected)
    return Dump(start, end, form, found.value, encoding, found.ambiguous, error)


def _whole(data: bytes, start: int, encoding: str) -> _Found | None:
    """The value at ``start``, if it can be read in some layout so that every count and length agrees."""
    early = None
    for end, value in Reader(data, PHP, encoding=encoding, effort=_EFFORT).readings(start):
        if not _DEBRIS.match(data, end):
            others = isinstance(value, Container) and (
                (_ANOTHER.match(data, end) is not None and has_names(value)) or has_other_reading(data, start, end, value, effort=_EFFORT)
            )
            return _Found(end, value, PHP, others or early is not None)
        early = early or _Found(end, value, PHP, isinstance(value, Container))
    if early is not None:
        return early
    for layout in (INDENTED, PAGE, xdebug.TEXT):
        read = next(Reader(data, layout, encoding=encoding, effort=_EFFORT).readings(start), None)
        if read is not None:
            end, value = read
            return _Found(end, value, layout, isinstance(value, Container) and may_read_otherwise(data, start, end, value, layout))
    return None


def _broken(data: bytes, start: int, encoding: str) -> _Found | None:
    """What can be had of the value at ``start``, in the layout that reaches furthest; None where there is nothing."""
    found = [read for layout in (PAGE, xdebug.TEXT) if (read := _tolerantly(data, start, encoding, layout))]
    return max(found, key=lambda read: read.end, default=None)


def _tolerantly(data: bytes, start: int, encoding: str, layout: Layout) -> _Found | None:
    exact = Reader(data, layout, encoding=encoding, effort=0)
    next(exact.readings(start), None)
    reader = Reader(data, layout, encoding=encoding, tolerant=True)
    end, value = next(reader.readings(start), (-1, None))
    failure = reader.failure or exact.failure
    keys_end = end
    if value is None:
        value = failure and broken_off(failure)
        if failure is None or value is None or failure.reached <= _head_end(data, start, layout):
            # "array(3) {" in prose: what opens without a key is no dump.
            return None
        # What is left of the value that was cut goes with it: to the end of its line or to the next tag.
        rest = _REST.match(data, failure.reached)
        end = rest.end() if rest else failure.reached
        # A key without its value is no doubtful one.
        keys_end = failure.reached - 1
    others = isinstance(value, Container) and may_read_otherwise(data, start, keys_end, value, layout)
    return _Found(end, value, layout, others, failure)


def _head_end(data: bytes, start: int, layout: Layout) -> int:
    head = layout.value.match(data, start)
    return head.end() if head else start
