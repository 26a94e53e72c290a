"""Find every dump in the raw bytes of a page, even if the page has altered it.

At each place where a dump may begin, readings are tried in this order: exactly as PHP wrote it;
as a page may have changed it (line endings, charset), first with its indentation, then with any
white space, while every count and length still agrees; as Xdebug's text; with HTML escapes undone;
in a form in which people paste dumps; and finally as a broken or truncated dump, keeping the
readable part. The first complete reading is used, or else the one that reaches furthest.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal, NamedTuple

from crawler.vardump import lengths, pasted, xdebug
from crawler.vardump.errors import VarDumpError
from crawler.vardump.escapes import BREAK, ESCAPE, Unescaped, unescape
from crawler.vardump.layouts import (
    CLASS,
    COUNT,
    DAMAGED,
    FLOAT,
    INDENTED,
    INT,
    LABEL,
    PAGE,
    PASTED,
    PASTED_INDENTED,
    PHP,
    RESOURCE_TYPE,
    Layout,
)
from crawler.vardump.reader import Failure, Reader, broken_off, has_other_reading, has_stray_mark
from crawler.vardump.values import (
    Container,
    String,
    Value,
    agrees,
    entries_of,
    has_names,
    is_cut,
    plain,
    swallows_dumps,
)
from crawler.vardump.work import TooMuchWorkError, Work

Form = Literal["plain", "escaped", "xdebug"]

_SPACES = rb"(?:" + lengths.SPACE + rb")*+"
# A quote, escaped once or several times, or made curly.
_QUOTE = (
    rb"(?:\"|&(?:amp;){0,2}(?:quot|#0?34|#822[0-3]|#8243|[lr]dquo|bdquo);|\xe2\x80[\x9c-\x9f\xb3])"
)
# The number of an object, and the rest of a container's head; the parentheses may be misplaced.
_SIZE = (
    rb"(?:(?:#" + COUNT + _SPACES + rb")?\(" + COUNT + rb"\)" + _SPACES + rb"`?"
    rb"|#" + COUNT + rb"[ ()]{1,4}" + COUNT + rb"[ )]{0,2})\{"
)
_SCALARS = (
    rb"int\(" + INT + rb"\)",
    rb"float\(" + FLOAT + rb"\)",
    rb"double\(" + FLOAT + rb"\)",
    rb"bool\((?:true|false)\)",
    rb"enum\(" + LABEL + rb"::" + LABEL + rb"\)",
    rb"resource\(" + COUNT + rb"\) of type \(" + RESOURCE_TYPE + rb"\)",
    rb"UNKNOWN:0",
    rb"enum " + xdebug.ENUM + rb"::" + xdebug.CASE + rb"(?:" + xdebug.BACKING + rb")?;",
)
_SCALAR = rb"(?:" + rb"|".join(_SCALARS) + rb")"
_SCALARS_ONLY = rb"(?=(?:[ \t]+(?:" + _SCALAR + rb"|NULL))*+[ \t]*(?:[\r\n<]|\Z))"


def _alone(scalar: bytes) -> bytes:
    """Return the pattern of a scalar at the start of a line or after a tag.

    The check of the byte before comes second, because ``re`` skips places quickly only if a pattern
    begins with a literal character.
    """
    return scalar[:1] + rb"(?<![^\n>]" + scalar[:1] + rb")" + scalar[1:] + _SCALARS_ONLY


# A scalar counts as a dump if only scalars are on its line or in its element; NULL, which is common
# in tables, only on a line of its own. In Xdebug's text, the number after the name of a class shows
# that it is a dump. Every alternative begins with a literal character, for speed.
_START = re.compile(
    rb"string\("
    + COUNT
    + rb"\)"
    + _SPACES
    + _QUOTE
    + rb"|unicode\("
    + COUNT
    + rb"\) "
    + _QUOTE
    + rb"|array\("
    + COUNT
    + rb"\)"
    + _SPACES
    + rb"`?\{"
    rb"|lazy (?:ghost|proxy) object\("
    + CLASS
    + rb"\)"
    + _SIZE
    + rb"|object\("
    + CLASS
    + rb"\)"
    + _SIZE
    + rb"|class "
    + CLASS
    + rb"#"
    + COUNT
    + rb" \("
    + COUNT
    + rb"\) \{|"
    + rb"|".join(map(_alone, _SCALARS))
    + rb"|N(?:(?<![^\n]N)|(?<=<pre>N))ULL(?=[ \t]*(?:\r?\n|\Z|</pre>))"
    rb"|" + xdebug.COPY_START + rb"|" + xdebug.START
)
_COPY_START = re.compile(xdebug.COPY_START)
_BESIDE = re.compile(_SPACES + rb"(?P<start>" + _SCALAR + rb"|NULL)" + _SCALARS_ONLY)
# A scalar found this way has only scalars after it on its line.
_NEXT_SCALAR = re.compile(rb"[ \t]++(?P<start>" + _SCALAR + rb"|NULL)")
# A cheap first check, the only cost for a page without dumps: a parenthesis after one of the words
# that var_dump or Xdebug prints, and before the rest of a value's start. Words such as "substring("
# and "2015 (3" are common in scripts and text.
_HINT = re.compile(
    rb"\((?<=[egytlm> ]\()(?:(?=[-0-9tfIN])(?:"
    rb"(?<=string\()(?=" + COUNT + rb"\)" + _SPACES + rb"[\"&\xe2])"
    rb"|(?<=unicode\()(?=" + COUNT + rb"\) [\"&\xe2])"
    rb"|(?<=array\()(?=" + COUNT + rb"\)" + _SPACES + rb"`?\{)"
    rb"|(?:(?<=int\()|(?<=float\()|(?<=double\()|(?<=bool\())"
    rb"(?=[-+0-9.,eEa-zA-Z]{1,2110}\)[ \t]*(?:[\r\n<\w]|\Z))"
    rb"|(?<=resource\()(?=" + COUNT + rb"\) of type )"
    rb"|(?<=[0-9] \()(?=" + COUNT + rb"\) \{))"
    rb"|(?<=object\()(?=" + CLASS + rb"\)(?:#[0-9]|\([0-9]+\)|\[[0-9]))"
    rb"|(?<=enum\()(?=" + LABEL + rb"::)"
    rb"|(?=(?:size|length)=[0-9])|(?=<i>)(?<=</b>\()|(?<= : string\()(?=\"))"
)
# The first words of the values that may have no hint.
_WITHOUT_HINT = (
    *(b"NULL", b"UNKNOWN:0", b"enum ", b"array", b"object("),
    *(b"<pre class=", b"<small>string"),
)
# Bytes of a value before its hint or word: the longest is the name of a class.
_LONGEST_BEFORE_SIGN = 450
# Xdebug writes this before scalars that have no parenthesis. A longer needle is found faster.
_XDEBUG = b"<pre class='xdebug-var-dump' dir='ltr'>"
_CLOSING = re.compile(rb"^\}", re.MULTILINE)
# The number of closing braces tried for a container that ended too early.
_MOST_CLOSINGS = 3
_KEY_END = re.compile(rb"\"(?::protected|:\"[^\n\"]{1,400}\":private)?\]=>\n")
# A line of a container after the end of the value just read.
_INNER_LINE = re.compile(rb"\n {2,}(?:\[|\})")
_AFTER_STRING = re.compile(lengths.AFTER_STRING)
_REST = re.compile(rb"[^\r\n<]*")
# Between a key and its value, a page may have marks of lines, such as tags and numbers.
_KEY_BEFORE = re.compile(rb"[\]'\"][ \t]*=(?:>|&gt;|&amp;gt;)[^A-Za-z\[\]{}'\"]*+\Z")
_ENTRY_AFTER = re.compile(
    rb"[^A-Za-z\[\]{}'\"]{0,40}(?:\}|\[(?:[ub]?" + _QUOTE + rb"|-?[0-9]+\] ?=))"
)
_LONGEST_GAP = 400
_MARKUP = re.compile(rb"<!--|-->|</?[a-zA-Z][^<>]*>|&nbsp;")
# Any tag but a line break.
_TAG = re.compile(rb"<(?!" + BREAK[1:] + rb")")

# A page with more broken dumps than this was built to be slow; scanning stops there.
_MOST_BROKEN = 200
# Steps (see work.py) allowed for the dumps of a page: a fixed number, and more for each byte. A
# large intact dump takes about 0.1 to 0.4 per byte, but up to 0.8 if it is escaped for HTML, so an
# escaped dump of several megabytes may not be found.
_STEPS, _STEPS_A_BYTE = 1_000_000, 0.5
# The effort allowed for trying other key ends at one place in a page.
_EFFORT = 5_000
# The same for the forms in which people paste dumps, whose keys are rarely tricky.
_PASTED_EFFORT = 200
# An escaped dump has its first escape within this many bytes of its start.
_FIRST_ESCAPE = 2_000
# How often a dump may have been escaped.
_MOST_ESCAPES = 3
# Bytes searched first for an escaped dump, and bytes that must remain after its end.
_FIRST_PART, _MARGIN = 1_024, 256


@dataclass(frozen=True)
class Dump:
    """One dumped value in a page.

    ``start`` and ``end`` are offsets in the page. ``form`` is ``plain``, ``escaped`` (for HTML) or
    ``xdebug`` (its text or its HTML). ``node`` is the value as ``parse`` would return it, with
    missing parts marked by ``cut``. ``ambiguous`` means that something in it looks like the end of
    a key and may be one. ``error`` records where and why reading a broken dump stopped; its
    document is the page. ``part`` means that the value is inside an array or object whose beginning
    could not be read; it is not ``complete``, even if nothing is missing in it.
    """

    start: int
    end: int
    form: Form
    node: Value
    encoding: str
    ambiguous: bool
    error: VarDumpError | None
    part: bool = False

    @cached_property
    def value(self) -> Any:
        """The value as plain Python (see ``plain``).

        If something is missing, it is a ``Cut`` holding the intact parts.
        """
        return plain(self.node, self.encoding)

    @cached_property
    def complete(self) -> bool:
        """Whether nothing is missing and every declared count and length is correct."""
        return (
            self.error is None
            and not self.part
            and not is_cut(self.node)
            and all(map(agrees, self._nodes()))
        )

    @cached_property
    def how(self) -> str:
        """How the ends of its strings were found: ``EXACT`` if every declared length fit.

        Otherwise, the first assumption that was needed.
        """
        ends = (node.how for node in self._nodes() if isinstance(node, String))
        return next((how for how in ends if how != lengths.EXACT), lengths.EXACT)

    @property
    def declared(self) -> int | None:
        """The declared length of a string; None for other values."""
        return self.node.declared if isinstance(self.node, String) else None

    @property
    def actual(self) -> int | None:
        """The length of a string's content in bytes, as read; None for other values."""
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
    """Yield every dump in ``page``, in order.

    ``encoding`` is that of the page. Never raises, whatever the bytes, except LookupError if Python
    does not know ``encoding``. Scalars are found if they stand alone, NULL only on a line of its
    own in a page that contains other dumps or begins with it. Scanning stops after more than 200
    broken dumps, or once the dumps have taken more work than a page of this size is allowed. The
    latter may also happen for an intact dump of several megabytes that is escaped for HTML.
    """
    if isinstance(page, str):
        raise TypeError("a page must be bytes, exactly as received, not str")
    if not _HINT.search(page) and _XDEBUG not in page and not page.startswith((b"NULL", b"\nNULL")):
        return
    codecs.lookup(encoding)
    page = bytes(page)
    work = Work(_STEPS + _STEPS_A_BYTE * len(page))
    starts = _Starts(page)
    position = broken_count = 0
    previous: Dump | None = None
    while broken_count <= _MOST_BROKEN:
        start = starts.after(position, previous)
        if start is None:
            return
        try:
            dump = _read_at(page, start, encoding, work)
        except TooMuchWorkError:
            return
        if dump is None or not dump.complete:
            # Each may have cost several readings of the rest of the page.
            broken_count += 1
        if dump is None:
            position = start + 1
            continue
        if (
            previous is not None
            and previous.ambiguous
            and not page[previous.end : dump.start].strip()
        ):
            # In another reading, it is part of the previous dump.
            dump = replace(dump, ambiguous=True)
        if _is_part(page, dump.start, dump.end):
            dump = replace(dump, part=True, error=dump.error or _part_error(page, dump.start))
        yield dump
        position, previous = max(start + 1, dump.end), dump


def _is_part(page: bytes, start: int, end: int) -> bool:
    """Return whether the value in ``page[start:end]`` is inside an array or object.

    It follows a key, or a key or the end of a container follows it, with only marks of lines
    between.
    """
    before = _MARKUP.sub(b"", page[max(0, start - _LONGEST_GAP) : start])
    if _KEY_BEFORE.search(before):
        return True
    if page.startswith(b"<small>", start) and before.rpartition(b"\n")[2].strip(b" \t\r:") != b"":
        # Xdebug's HTML for a string; alone, it may follow only the name of a file.
        return not before.rstrip().endswith(b":")
    return _ENTRY_AFTER.match(_MARKUP.sub(b"", page[end : end + _LONGEST_GAP])) is not None


def _part_error(page: bytes, start: int) -> VarDumpError:
    return VarDumpError(
        "a value of a damaged dump, whose beginning could not be read",
        page,
        start,
        "the array or object that holds it",
    )


class _Starts:
    """Finds the places in a page where dumps may begin.

    Searching for ``_START`` takes twenty times as long as for ``_HINT`` and the words of the values
    that have no hint, so it is only done from just before one of these.
    """

    def __init__(self, page: bytes) -> None:
        self._page = page
        # The next place of each. It is searched again only when that is passed.
        self._places: dict[re.Pattern[bytes] | bytes, int] = dict.fromkeys(
            (_HINT, *_WITHOUT_HINT), -1
        )

    def after(self, position: int, previous: Dump | None) -> int | None:
        """Return the offset where the next dump may begin; ``previous`` is the one before."""
        page = self._page
        if previous is not None and position == previous.end:
            scalar = not isinstance(previous.node, (Container, String))
            if beside := (_NEXT_SCALAR if scalar else _BESIDE).match(page, position):
                return beside.start("start")
        for sign, place in self._places.items():
            if place < position:
                self._places[sign] = self._next(sign, position)
        first = min(self._places.values())
        if first == len(page):
            return None
        found = _START.search(page, max(position, first - _LONGEST_BEFORE_SIGN))
        return found and found.start()

    def _next(self, sign: re.Pattern[bytes] | bytes, position: int) -> int:
        """Return the next place of a hint or a word; the end of the page if there is none."""
        if isinstance(sign, bytes):
            place = self._page.find(sign, position)
            return len(self._page) if place < 0 else place
        hint = sign.search(self._page, position)
        return hint.start() if hint else len(self._page)


def _read_at(page: bytes, start: int, encoding: str, work: Work) -> Dump | None:
    if page.startswith(b"<", start):
        return _read_html(page, start, encoding, work)
    if _COPY_START.match(page, start):
        return _read_copy(page, start, encoding, work)
    found = _read_whole(page, start, encoding, work)
    if found is not None:
        whole = _dump(page, start, found, _form(found), encoding)
        if (whole.how == lengths.EXACT and not whole.ambiguous) or not ESCAPE.search(
            page, start, found.end + _FIRST_ESCAPE
        ):
            return whole
        escaped = _read_escaped(page, start, encoding, work)
        if escaped is None or not escaped.complete or escaped.how != lengths.EXACT:
            return whole
        return escaped if whole.how != lengths.EXACT or not escaped.ambiguous else whole
    escaped = (
        _read_escaped(page, start, encoding, work)
        if ESCAPE.search(page, start, start + _FIRST_ESCAPE)
        else None
    )
    if escaped is not None and escaped.complete:
        return escaped
    found = _read_broken(page, start, encoding, work)
    dump: Dump | None = found and _dump(page, start, found, _form(found), encoding)
    if escaped is not None and (dump is None or escaped.end > dump.end):
        dump = escaped
    pasted_dump = _read_pasted(page, start, encoding, work)
    if pasted_dump is None or (
        dump is not None and not pasted_dump.complete and _size(pasted_dump) <= _size(dump)
    ):
        return dump
    return pasted_dump


def _size(dump: Dump) -> int:
    """Return the number of entries that were read."""
    return sum(1 for _ in entries_of(dump.node))


def _read_pasted(page: bytes, start: int, encoding: str, work: Work) -> Dump | None:
    """Read the value at ``start`` in a form in which people paste dumps."""
    found = _read_pasted_layout(page, start, encoding, work) or _read_tolerantly(
        page, start, encoding, DAMAGED, work
    )
    dump = found and _dump(page, start, found, "plain", encoding)
    return _read_restored(page, start, encoding, dump, _read_as_pasted, work)


def _read_restored(
    page: bytes,
    start: int,
    encoding: str,
    dump: Dump | None,
    read: Callable[[bytes, int, str, Work], _Found | None],
    work: Work,
) -> Dump | None:
    """Return the best of ``dump`` and the values ``read`` without what a page put around lines."""
    dumps = [] if dump is None else [dump]
    head = page[start : start + _FIRST_ESCAPE]
    for times in range(_MOST_ESCAPES + 1):
        if any(one.complete and one.how == lengths.EXACT for one in dumps) or (
            times and (b"&" + b"amp;" * (times - 1)) not in head
        ):
            break

        def restore(end: int, times: int = times) -> Unescaped:
            return pasted.restore(page, start, end, encoding, times, work)

        sample = restore(min(len(page), start + _FIRST_PART)).data
        if page.startswith(sample, start):
            # Nothing was put around its lines, and the page has been read as it is.
            continue
        form: Form | None = "escaped" if times else None
        if found := _read_changed_text(page, start, len(page), encoding, restore, read, work, form):
            dumps.append(found)
    return max(dumps, key=_merit, default=None)


def _merit(dump: Dump) -> tuple[bool, bool, int]:
    """Return a key by which the best of several readings is the greatest."""
    return dump.complete, dump.how == lengths.EXACT, _size(dump)


def _read_as_pasted(data: bytes, start: int, encoding: str, work: Work) -> _Found | None:
    return (
        _read_whole(data, start, encoding, work)
        or _read_pasted_layout(data, start, encoding, work)
        or _read_tolerantly(data, start, encoding, DAMAGED, work)
    )


def _read_html(page: bytes, start: int, encoding: str, work: Work) -> Dump | None:
    html = xdebug.read_html(page, start, encoding, work)
    if html is None:
        return None
    return _dump(
        page,
        html.start,
        _Found(html.end, html.value, None, html.ambiguous, html.failure),
        "xdebug",
        encoding,
    )


def _read_copy(page: bytes, start: int, encoding: str, work: Work) -> Dump | None:
    """Read Xdebug's output at ``start``, copied from a browser and perhaps pasted into a page."""
    found = _read_copied_text(page, start, encoding, work)
    dump = found and _dump(page, start, found, "xdebug", encoding)
    restored = _read_restored(page, start, encoding, dump, _read_copied_text, work)
    return restored and replace(restored, form="xdebug")


def _read_copied_text(data: bytes, start: int, encoding: str, work: Work) -> _Found | None:
    html = xdebug.read_copy(data, start, encoding, work)
    return html and _Found(html.end, html.value, None, html.ambiguous, html.failure)


def _read_escaped(page: bytes, start: int, encoding: str, work: Work) -> Dump | None:
    """Read the value at ``start`` with its escapes undone.

    The unescaped part of the page is extended until the value ends well inside it.
    """
    tag = _TAG.search(page, start)
    limit = tag.start() if tag else len(page)
    work.spend(1, limit - start)
    dump = _read_unescaped(page, start, limit, encoding, work)
    if tag and dump is not None and not dump.complete:
        # Some pages escape only some of the characters, so a tag may be inside a string.
        dump = max(
            dump,
            _read_unescaped(page, start, len(page), encoding, work) or dump,
            key=lambda one: (one.complete, one is dump),
        )
    return dump


def _read_unescaped(page: bytes, start: int, limit: int, encoding: str, work: Work) -> Dump | None:
    def restore(end: int) -> Unescaped:
        return unescape(page, start, end, encoding, work)

    return _read_changed_text(
        page, start, limit, encoding, restore, _read_whole_or_broken, work, "escaped"
    )


def _read_changed_text(
    page: bytes,
    start: int,
    limit: int,
    encoding: str,
    restore: Callable[[int], Unescaped],
    read: Callable[[bytes, int, str, Work], _Found | None],
    work: Work,
    form: Form | None = None,
) -> Dump | None:
    """Read the value at ``start`` from the text that ``restore`` returns up to an end in the page.

    More and more of the page is restored, until the value ends well inside the text.
    """
    size = _FIRST_PART
    while True:
        end = min(limit, start + size)
        text = restore(end)
        found = read(text.data, 0, encoding, work)
        if end == limit or (found is not None and found.end < len(text.data) - _MARGIN):
            return found and _dump(page, start, found, form or _form(found), encoding, text.offset)
        size *= 8


def _read_whole_or_broken(data: bytes, start: int, encoding: str, work: Work) -> _Found | None:
    return _read_whole(data, start, encoding, work) or _read_broken(data, start, encoding, work)


def _form(found: _Found) -> Form:
    return "xdebug" if found.layout is xdebug.TEXT else "plain"


def _dump(
    page: bytes,
    start: int,
    found: _Found,
    form: Form,
    encoding: str,
    offset: Callable[[int], int] = int,
) -> Dump:
    """Return a dump of ``page``; ``offset`` maps offsets in the text read to the page."""
    failure, node = found.failure, found.value
    error = failure and VarDumpError(
        failure.message, page, offset(failure.position), failure.expected
    )
    if found.ambiguous and isinstance(node, Container):
        node = replace(node, ambiguous=True)
    return Dump(start, offset(found.end), form, node, encoding, found.ambiguous, error)


def _read_whole(data: bytes, start: int, encoding: str, work: Work) -> _Found | None:
    """Return the value at ``start`` if every count and length agrees in some layout."""
    reader = Reader(data, PHP, encoding=encoding, effort=0, work=work)
    end, value = next(reader.readings(start), (-1, None))
    failure = reader.failure
    # A wrong length or a missing part suggests a broken page rather than a longer key.
    doubtful = failure is not None and not failure.contradicts
    if isinstance(value, String) and not _AFTER_STRING.match(data, end):
        # There may be a quote at the declared length by chance.
        return _read_changed(data, start, encoding, work) or _Found(end, value, PHP, ambiguous=True)
    if isinstance(value, Container):
        following = _following(data, end, value, work)
        if following == "rest":
            return (
                _read_longer(data, start, end, encoding, work) or _Found(end, value, PHP)
            )._replace(ambiguous=True)
        has_others = following == "dump" or (doubtful and swallows_dumps(value))
        ambiguous = has_others or _is_ambiguous(data, start, end, value, PHP, encoding, work)
        return _Found(end, value, PHP, ambiguous)
    if value is not None:
        return _Found(end, value, PHP)
    changed = _read_changed(data, start, encoding, work) if doubtful else None
    if (
        changed is None
        and failure is not None
        and failure.open is not None
        and (longer := _read_longer(data, start, failure.position, encoding, work))
    ):
        return longer._replace(
            ambiguous=longer.ambiguous or (doubtful and swallows_dumps(longer.value))
        )
    return changed if doubtful else _read_changed(data, start, encoding, work)


def _following(
    data: bytes, end: int, value: Container, work: Work
) -> Literal["rest", "dump"] | None:
    """Return what follows ``value``, if it may be part of it.

    This is the ``rest`` of the value, if a key was ended too early, or another ``dump`` with a
    quoted key directly after it, so that both could be a single dump with a longer key.
    """
    mark = _KEY_END.search(data, end) if has_names(value) else None
    work.spend(1, (mark.start() if mark else len(data)) - end)
    if mark is None:
        return None
    another = _START.search(data, end, mark.start())
    if another is None or _INNER_LINE.match(data, end):
        return "rest"
    return None if data[end : another.start()].strip() else "dump"


def _read_longer(data: bytes, start: int, after: int, encoding: str, work: Work) -> _Found | None:
    """Return the container at ``start`` as PHP wrote it, ending after ``after``.

    At least one of its keys extends past its first apparent end.
    """
    early = None
    searched_to = after
    for brace in islice(_CLOSING.finditer(data, after), _MOST_CLOSINGS):
        work.spend(1, brace.end() - searched_to)
        searched_to = brace.end()
        for end, value in Reader(
            data, PHP, encoding=encoding, effort=_EFFORT, end=brace.end(), work=work
        ).readings(start):
            if end == brace.end() and isinstance(value, Container):
                found = _Found(
                    end,
                    value,
                    PHP,
                    early is not None
                    or _is_ambiguous(data, start, end, value, PHP, encoding, work),
                )
                if _following(data, end, value, work) != "rest":
                    return found
                early = early or found._replace(ambiguous=True)
                break
    work.spend(1, len(data) - searched_to)
    return early


def _read_changed(data: bytes, start: int, encoding: str, work: Work) -> _Found | None:
    """Return the value at ``start`` as a page may have changed it or Xdebug written it."""
    for layout in (INDENTED, PAGE, xdebug.TEXT):
        found = _read_layout(data, start, encoding, layout, work)
        if found is None:
            continue
        if found.ambiguous and layout is PAGE:
            # Perhaps only the values were moved to the lines of their keys.
            indented = _read_layout(data, start, encoding, PASTED_INDENTED, work)
            if indented and not indented.ambiguous and indented.value == found.value:
                return found._replace(ambiguous=False)
        return found
    return None


def _read_pasted_layout(data: bytes, start: int, encoding: str, work: Work) -> _Found | None:
    return _read_layout(
        data, start, encoding, PASTED_INDENTED, work, _PASTED_EFFORT
    ) or _read_layout(data, start, encoding, PASTED, work, _PASTED_EFFORT)


def _read_layout(
    data: bytes, start: int, encoding: str, layout: Layout, work: Work, effort: int = _EFFORT
) -> _Found | None:
    """Return the value at ``start`` if every count and length agrees in ``layout``."""
    reader = Reader(data, layout, encoding=encoding, effort=effort, work=work)
    end, value = next(reader.readings(start), (-1, None))
    if value is None:
        return None
    doubtful = reader.skipped and swallows_dumps(value)
    has_others = isinstance(value, Container) and (
        doubtful or _is_ambiguous(data, start, end, value, layout, encoding, work)
    )
    return _Found(end, value, layout, has_others)


def _is_ambiguous(
    data: bytes, start: int, end: int, value: Container, layout: Layout, encoding: str, work: Work
) -> bool:
    return has_other_reading(data, start, end, value, layout, encoding, _EFFORT, work)


def _read_broken(data: bytes, start: int, encoding: str, work: Work) -> _Found | None:
    """Return the readable part of the value at ``start``, in the layout that reaches furthest.

    None if nothing can be read.
    """
    found = [
        reading
        for layout in (PAGE, xdebug.TEXT)
        if (reading := _read_tolerantly(data, start, encoding, layout, work))
    ]
    return max(found, key=lambda reading: reading.end, default=None)


def _read_tolerantly(
    data: bytes, start: int, encoding: str, layout: Layout, work: Work
) -> _Found | None:
    strict = PASTED if layout is DAMAGED else layout
    exact = Reader(data, strict, encoding=encoding, effort=0, work=work)
    next(exact.readings(start), None)
    reader = Reader(data, layout, encoding=encoding, tolerant=True, work=work)
    end, value = next(reader.readings(start), (-1, None))
    failure = reader.failure or exact.failure
    keys_end = end
    if value is None:
        value = failure and broken_off(failure)
        if failure is None or value is None or failure.reached <= _head_end(data, start, layout):
            # "array(3) {" in prose: an opening without a key is not a dump.
            return None
        # The dump includes the rest of the truncated value, up to the end of its line or a tag.
        rest = _REST.match(data, failure.reached)
        end = rest.end() if rest else failure.reached
        # A key without a value does not make the dump ambiguous.
        keys_end = failure.reached - 1
    has_others = isinstance(value, Container) and has_stray_mark(
        data, start, keys_end, value, layout
    )
    return _Found(end, value, layout, has_others, failure)


def _head_end(data: bytes, start: int, layout: Layout) -> int:
    head = layout.value.match(data, start)
    return head.end() if head else start
