"""Read Xdebug's replacement for ``var_dump`` output: text on the command line, HTML in pages.

Both are shortened by default: strings to 512 bytes (which may split a character; the length given
is the original one), containers to 128 entries, nesting to 3 levels. The HTML has no closing
braces, only indentation; it escapes strings and drops the bytes F0 to FF, including the first byte
of every four-byte character. ``TEXT`` is the layout of the text for ``Reader``. ``read_html`` reads
the HTML, and ``read_copy`` the text of the HTML as people copy it from a browser; both report a
broken dump with a ``Failure``.
"""

import re
from itertools import islice
from typing import NamedTuple

from crawler.vardump import lengths
from crawler.vardump.layouts import (
    CLASS,
    COUNT,
    FLOAT,
    INT,
    RESOURCE_TYPE,
    FoundKey,
    Layout,
    Loose,
    property_kind,
)
from crawler.vardump.lengths import End
from crawler.vardump.reader import Failure, scalar
from crawler.vardump.values import (
    Array,
    Entry,
    Key,
    Object,
    String,
    Value,
    counted,
    decoded,
    is_cut,
)
from crawler.vardump.work import Work

# An enumeration and its case in Xdebug's text, and the value after a backed case.
ENUM, CASE = rb"[^\s:]{1,300}", rb"[^\s:;]{1,300}"
BACKING = rb" : (?:int\([^()\n]*\)|string\(\"[^\"]{0,4096}\"\))"
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,19})"
_TEXT_NAME = re.compile(rb"\\(?:000|0|['\\])")
_PROPERTY = re.compile(
    rb"(?P<visibility>public|protected|private) (?:static |readonly )*"
    rb"(?:(?P<type>[^\s$=]{1,300}) )?"
    rb"\$(?:\{(?P<index>-?[0-9]{1,20})\}|(?P<name>.{0,4096}?)) =>",
    re.DOTALL,
)
_INDEX = re.compile(rb"\[(?P<index>" + _NUMBER + rb")\] =>")
_NAME_END = re.compile(rb"' =>")
_NEXT = rb"(?:'|\[-?[0-9]|public |protected |private |\}|\(more)"


class _Text(Loose):
    value = re.compile(
        rb"(?P<reference>&)?(?:"
        rb"string\((?P<string>" + COUNT + rb")\) \""
        rb"|int\((?P<int>" + INT + rb")\)"
        rb"|array\((?P<array>" + COUNT + rb")\) \{"
        rb"|(?P<null>NULL)"
        rb"|bool\((?P<bool>true|false)\)"
        rb"|(?:double|float)\((?P<float>" + FLOAT + rb")\)"
        rb"|class (?P<class>"
        + CLASS
        + rb")#(?P<id>"
        + COUNT
        + rb") \((?P<object>"
        + COUNT
        + rb")\) \{"
        # A backed case is followed by its value.
        rb"|enum (?P<enum_class>" + ENUM + rb")::(?P<enum>" + CASE + rb")(?:" + BACKING + rb")?;?"
        rb"|resource\((?P<resource_id>"
        + COUNT
        + rb")\) of type \((?P<resource>"
        + RESOURCE_TYPE
        + rb")\)"
        rb")|(?P<recursion>&array|&class [^\n]{1,300}|\.\.\.)"
        rb"|\*uninitialized(?P<uninitialized>)\*"
    )
    counts_uninitialized = True
    space = re.compile(rb"\s*+")
    _elision = re.compile(rb"\.\.\.|\(more elements\)\.\.\.")
    _quotes = lengths.Quotes(_NEXT)
    _shortened = re.compile(rb'"(?=\.\.\.\s)')

    def key(
        self, data: bytes, position: int, search: int, end: int, in_object: bool
    ) -> FoundKey | None:
        if index := _INDEX.match(data, position):
            return FoundKey(Key(index["index"], "index"), index.end(), -1)
        if data.startswith(b"'", position):
            closing = _NAME_END.search(data, max(search, position + 1), min(end, position + 4_096))
            return closing and FoundKey(
                Key(_unslashed(data[position + 1 : closing.start()]), "string"),
                closing.end(),
                closing.start() + 1,
            )
        if in_object and (found := _PROPERTY.match(data, position)):
            key = (
                Key(found["index"], "index")
                if found["index"]
                else Key(found["name"], property_kind(found["visibility"]))
            )
            return FoundKey(key, found.end(), -1, found["type"] or b"")
        return None

    def string_end(
        self, data: bytes, position: int, declared: int, encoding: str, inner: bool, work: Work
    ) -> End | None:
        end = lengths.find_end(
            data,
            position,
            declared,
            encoding,
            self._quotes,
            inner=inner,
            nuls_escaped=True,
            work=work,
        )
        if not end.agrees and (
            shortened := self._shortened.search(data, position, position + declared)
        ):
            return End(shortened.start(), lengths.SHORTENED, 4)
        return end

    def elision(self, data: bytes, position: int) -> int:
        match = self._elision.match(data, position)
        return match.end() if match else -1

    def key_marks(self, data: bytes, start: int, end: int) -> int:
        return data.count(b" =>", start, end)


TEXT: Layout = _Text()


def _unslashed(name: bytes) -> bytes:
    return _TEXT_NAME.sub(
        lambda found: b"\0" if found.group().startswith(rb"\0") else found.group()[1:], name
    )


_COLOUR = rb"<font color=['\"]?#[0-9a-fA-F]{6}['\"]?>"
_GAP = re.compile(rb"\s*+")
_BEFORE = re.compile(rb"(?:<pre class=['\"]?xdebug-var-dump\b[^<>]{0,100}>\s*)?")
_FILE = re.compile(rb"(?:<small>(?:<a [^<>]{1,1000}>)?[^<>]{1,500}(?:</a>)?:</small>\s*)?")
_VALUE = re.compile(
    # Xdebug 2.0 marked references.
    rb"(?P<reference>&(?:amp;)?\s*)?(?:"
    rb"(?P<recursion><i>&(?:amp;)?</i><b>(?:array</b>"
    rb"|object</b>\(<i>[^<>]{1,4096}</i>\)\[<i>[0-9]{1,18}</i>\]))"
    rb"|<b>array</b>(?: <i>\(size=(?P<size>" + COUNT + rb")\)</i>)?(?P<array>)"
    rb"|<b>object</b>\(<i>(?P<class>[^<>]{1,4096})</i>\)\[<i>(?P<id>"
    + COUNT
    + rb")</i>\](?P<object>)"
    rb"|<small>string</small> " + _COLOUR + rb"'(?P<string>)"
    rb"|<small>int</small> " + _COLOUR + rb"(?P<int>" + INT + rb")</font>"
    rb"|<small>(?:float|double)</small> " + _COLOUR + rb"(?P<float>" + FLOAT + rb")</font>"
    rb"|<small>bool(?:ean)?</small> " + _COLOUR + rb"(?P<bool>true|false)</font>"
    rb"|" + _COLOUR + rb"(?:(?P<null>null)|\*uninitialized(?P<uninitialized>)\*)</font>"
    rb"|<b>enum</b>\(<i>(?P<enum_class>[^<>:]{1,300})::(?P<enum>[^<>:]{1,300})</i>\)"
    rb"(?: : <small>[a-z]{1,10}</small> "
    + _COLOUR
    + rb"[^<>]*</font>(?: <i>\(length=[0-9]+\)</i>)?)?"
    rb"|<b>resource</b>\(<i>(?P<resource_id>"
    + COUNT
    + rb")</i>(?:"
    + _COLOUR
    + rb")?,(?:</font>)? <i>(?P<resource>[^<>]{0,200})</i>\))"
)
_STRING = re.compile(
    rb"(?P<content>.*?)'(?P<shortened>\.\.\.)?</font>(?: <i>\(length=(?P<length>"
    + COUNT
    + rb")\)</i>)?",
    re.DOTALL,
)
_ARROW = rb" " + _COLOUR + rb"=&gt;</font> ?"
_KEY = re.compile(
    rb"(?:<i>(?P<visibility>public|protected|private)</i> "
    rb"(?:<i>(?:static |readonly )*(?P<type>[^<>]{1,300})</i> )?)?"
    rb"(?:'(?P<name>.{0,4096}?)'|(?P<index>"
    + _NUMBER
    + rb"))(?: <small>\((?P<class>[^<>]{1,300})\)</small>)?"
    + _ARROW,
    re.DOTALL,
)
_END = re.compile(rb"\s*</pre>", re.IGNORECASE)
_COPY_ARROW = rb" =(?:>|&gt;)[ \t]?"
_COPY_VALUE = re.compile(
    rb"(?P<reference>&)?(?:"
    rb"(?P<recursion>&(?:array|object\([^()\n]{1,400}\)\[[0-9]{1,18}\]))"
    rb"|array(?: \(size=(?P<size>" + COUNT + rb")\)|(?=[ \t]*(?:[\r\n]|\Z)))(?P<array>)"
    rb"|object\((?P<class>[^()\n]{1,400})\)\[(?P<id>" + COUNT + rb")\](?P<object>)"
    rb"|string '(?P<string>)"
    rb"|int (?P<int>" + INT + rb")\b"
    rb"|(?:float|double) (?P<float>" + FLOAT + rb")(?![\w.])"
    rb"|bool(?:ean)? (?P<bool>true|false)\b"
    rb"|(?P<null>null)\b"
    rb"|\*uninitialized(?P<uninitialized>)\*"
    rb"|enum\((?P<enum_class>[^\s():]{1,300})::(?P<enum>[^\s():]{1,300})\)"
    rb"(?: : (?:int -?[0-9]{1,20}|string '[^'\n]{0,4096}'(?: \(length=[0-9]{1,18}\))?))?"
    rb"|resource\((?P<resource_id>" + COUNT + rb"), (?P<resource>[^()\n]{0,200})\))"
)
_COPY_KEY = re.compile(
    rb"(?:(?P<visibility>public|protected|private) (?:static |readonly )*"
    rb"(?:(?P<type>[^\s']{1,300}) )?)?"
    rb"(?:'(?P<name>[^\n]{0,4096}?)'|(?P<index>"
    + _NUMBER
    + rb"))(?: \((?P<class>[^()\n]{1,300})\))?"
    + _COPY_ARROW
)
_COPY_STRING_END = re.compile(rb"'(?P<shortened>\.\.\.)? \(length=(?P<length>" + COUNT + rb")\)")
_COPY_EMPTY = re.compile(rb"empty(?=\s|\Z)")
_COPY_ELISION = re.compile(rb"\.\.\.|\(?more elements\)?\.\.\.|\xe2\x80\xa6")
_COPY_VIRTUAL = re.compile(rb"virtual '[^'\n]{1,300}' [^\n]{0,4096}")
# The quotes tried as the end of a copied string.
_MOST_QUOTES = 50
# Only Xdebug shows these, for example the name of a closure.
_VIRTUAL = re.compile(rb"<i>virtual</i> '[^'<>]{1,300}' " + _COLOUR + rb".{0,4096}?</font>")
_EMPTY = re.compile(rb"<i>(?:" + _COLOUR + rb")?empty(?:</font>)?</i>")
_ELISION = re.compile(rb"\.\.\.|<i>\(?more elements\)?\.\.\.</i>")
_ESCAPE = re.compile(rb"&(?:quot|apos|lt|gt|amp|nbsp|#0|#10|#13|#39|#039);")
_ESCAPED = {
    b"&quot;": b'"', b"&apos;": b"'", b"&lt;": b"<", b"&gt;": b">", b"&amp;": b"&", b"&nbsp;": b" ",
    b"&#0;": b"\0", b"&#10;": b"\n", b"&#13;": b"\r", b"&#39;": b"'", b"&#039;": b"'",
}  # fmt: skip
# The start of a dump that was copied from a browser.
COPY_START = (
    rb"array(?<![\w$]array)(?: \(size=[0-9]"
    rb"|[ \t]*\r?\n[ \t]+(?:'[^'\n]{1,200}'|[0-9]{1,9}) =(?:>|&gt;))"
    rb"|object\([^()\n]{1,400}\)\[[0-9]{1,18}\](?=\s)"
)
START = (
    rb"<pre class=['\"]?xdebug-var-dump"
    rb"|<b>(?:array</b>(?: <i>\(size=|[ \r]*\n)|object</b>\(<i>|resource</b>\(<i>|enum</b>\(<i>)"
    rb"|<small>string</small> <font color="
)


class _Grammar(NamedTuple):
    """The tokens of Xdebug's HTML, or of its text in a browser."""

    value: re.Pattern[bytes]
    key: re.Pattern[bytes]
    elision: re.Pattern[bytes]
    empty: re.Pattern[bytes]
    virtual: re.Pattern[bytes]
    is_copy: bool

    def column(self, page: bytes, key: int, at: int) -> int:
        """Return the column of the container at ``at``, whose key is at ``key``."""
        tag = at if self.is_copy else page.index(b"<b>", at)
        line = page.rfind(b"\n", 0, tag) + 1
        # In a copy, a container may have been moved to the line of its key.
        return key - line if self.is_copy and line <= key else tag - line


_HTML = _Grammar(_VALUE, _KEY, _ELISION, _EMPTY, _VIRTUAL, False)
_COPY = _Grammar(_COPY_VALUE, _COPY_KEY, _COPY_ELISION, _COPY_EMPTY, _COPY_VIRTUAL, True)


class Html(NamedTuple):
    """A value read from Xdebug's HTML, and its position."""

    start: int
    end: int
    value: Value
    failure: Failure | None
    ambiguous: bool = False
    """Whether the indentation, the only sign of which container an entry is in, is not Xdebug's."""


class _Open(NamedTuple):
    """A container being read: its key in its holder, its head and the column of its head."""

    key: Key | None
    head: re.Match[bytes]
    column: int
    entries: list[Entry]
    elided: bool = False
    """Whether some of its entries, or bytes of a key, were omitted."""

    empty: bool = False
    """Whether Xdebug says that it has no entries."""

    @property
    def full(self) -> bool:
        size = self.head["size"]
        return size is not None and len(self.entries) >= int(size)

    def close(self, *, cut: bool) -> Value:
        entries = tuple(self.entries)
        cut = cut or self.elided or any(is_cut(entry.value) for entry in entries)
        reference = self.head["reference"] is not None
        if self.head.lastgroup == "array":
            # Xdebug before 2.3 gives no size, and no version gives that of an object.
            return Array(
                int(self.head["size"] or len(entries)), entries, cut=cut, reference=reference
            )
        return Object(
            counted(entries),
            entries,
            decoded(_unescaped(self.head["class"])),
            int(self.head["id"]),
            cut=cut,
            reference=reference,
        )


def read_html(page: bytes, start: int, encoding: str, work: Work) -> Html | None:
    """Read the dump at ``start`` in Xdebug's HTML; return None if there is none."""
    before = _BEFORE.match(page, start)
    start = before.end() if before else start
    file = _FILE.match(page, start)
    found = _VALUE.match(page, file.end() if file else start)
    if found is None:
        return None
    if found.lastgroup not in ("array", "object"):
        return _scalar(page, found, encoding, b"", work)._replace(start=start)
    return _container(page, found, encoding, work, _HTML)._replace(start=start)


def read_copy(page: bytes, start: int, encoding: str, work: Work) -> Html | None:
    """Read the dump at ``start`` in the text that a browser shows for Xdebug's HTML, or None.

    Nothing marks the end of such a dump: it ends before the first line that is no entry.
    """
    found = _COPY_VALUE.match(page, start)
    if found is None or found.lastgroup not in ("array", "object"):
        return None
    html = _container(page, found, encoding, work, _COPY)
    is_empty = not html.value.entries if isinstance(html.value, (Array, Object)) else True
    if is_empty and found["size"] != b"0":
        # Prose may mention "array (size=2)".
        return None
    return html._replace(start=start)


def _container(
    page: bytes, found: re.Match[bytes], encoding: str, work: Work, grammar: _Grammar
) -> Html:
    """Read the container that begins with ``found``, assigning entries by indentation."""
    open_ = [_Open(None, found, -1, [])]
    position = found.end()
    clear = True
    while True:
        gap = _GAP.match(page, position)
        at = gap.end() if gap else position
        work.spend(5, at - position)
        column = at - page.rfind(b"\n", position, at) - 1 if b"\n" in page[position:at] else None
        if mark := grammar.empty.match(page, at):
            open_[-1] = open_[-1]._replace(empty=True)
        else:
            mark = grammar.virtual.match(page, at)
        if mark:
            position = mark.end()
            continue
        elision, key = grammar.elision.match(page, at), grammar.key.match(page, at)
        if elision is None and key is None:
            break
        while len(open_) > 1 and (open_[-1].full if column is None else column <= open_[-1].column):
            _close_last(open_, cut=False)
        clear = clear and column == max(open_[-1].column, 0) + 2
        if elision:
            open_[-1] = open_[-1]._replace(elided=True)
            position = elision.end()
            continue
        assert key is not None
        if not _is_text(key["name"], encoding):
            open_[-1] = open_[-1]._replace(elided=True)
        gap = _GAP.match(page, key.end())
        at = gap.end() if gap else key.end()
        inner = grammar.value.match(page, at)
        if inner is None:
            return _broken_off(
                open_, key.end(), Failure(at, "key without a value", "a value in Xdebug's HTML")
            )
        if inner.lastgroup in ("array", "object"):
            column = grammar.column(page, key.start(), at)
            work.spend(1, column)
            open_.append(_Open(_key(key), inner, column, []))
            position = inner.end()
            continue
        read_scalar = _copied_scalar if grammar.is_copy else _scalar
        value = read_scalar(page, inner, encoding, key["type"] or b"", work)
        open_[-1].entries.append(Entry(_key(key), value.value))
        position = value.end
        if value.failure:
            return _broken_off(open_, position, value.failure)
    if grammar.is_copy:
        if _breaks_off(open_, page, position, at):
            return _broken_off(open_, position, Failure(at, "dump without an end", "an entry"))
    elif not _END.match(page, position):
        return _broken_off(
            open_, position, Failure(position, "dump without an end", "an entry or </pre>")
        )
    while len(open_) > 1:
        _close_last(open_, cut=False)
    return Html(0, position, open_[0].close(cut=False), None, not clear)


def _breaks_off(open_: list[_Open], page: bytes, position: int, at: int) -> bool:
    """Return whether a copied dump whose last entry ends at ``position`` seems to lack entries.

    ``at`` is the start of the text after it.
    """
    for number, one in enumerate(open_, 1):
        # An entry that is still open counts too.
        count = len(one.entries) + (number < len(open_))
        size = one.head["size"]
        if one.elided or one.empty:
            continue
        if count < int(size) if size else not count and one.head.lastgroup == "array":
            return True
    rest = page[position:at]
    line = rest.rfind(b"\n") + 1
    if at < len(page):
        # A line of the dump that cannot be read.
        return bool(line) and at - position - line > max(open_[0].column, 0) + 1
    # Without a size, only the end of a line shows that the last entry is whole.
    return any(not one.head["size"] for one in open_) and (not line or len(rest) > line)


def _is_text(name: bytes | None, encoding: str) -> bool:
    """Return whether a key is text.

    Keys have no length to reveal omitted bytes, but a key with bytes missing is usually not text.
    """
    try:
        (name or b"").decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _close_last(open_: list[_Open], *, cut: bool) -> None:
    last = open_.pop()
    assert last.key is not None
    open_[-1].entries.append(Entry(last.key, last.close(cut=cut)))


def _broken_off(open_: list[_Open], position: int, failure: Failure) -> Html:
    while len(open_) > 1:
        _close_last(open_, cut=True)
    return Html(0, position, open_[0].close(cut=True), failure)


def _key(found: re.Match[bytes]) -> Key:
    if found["index"] is not None:
        return Key(found["index"], "index")
    if found["visibility"] is None:
        return Key(_unescaped(found["name"]), "string")
    # Property names are not escaped; other keys are. Since 2.2, the class of a private property is
    # given if it is not the object's own.
    owner = found["class"]
    return Key(
        found["name"], property_kind(found["visibility"]), None if owner is None else decoded(owner)
    )


def _scalar(
    page: bytes, head: re.Match[bytes], encoding: str, declared_type: bytes, work: Work
) -> Html:
    if head.lastgroup != "string":
        return Html(head.start(), head.end(), scalar(head, _unescaped(declared_type)), None)
    reference = head["reference"] is not None
    found = _STRING.match(page, head.end())
    work.spend(1, 4 * ((found.end() if found else len(page)) - head.end()))
    if found is None:
        end = lengths.end_of_text(page, head.end())
        cut = String(_unescaped(page[head.end() : end]), 0, lengths.NOT_FOUND, reference=reference)
        return Html(
            head.start(),
            end,
            cut,
            Failure(head.end(), "string without an end", "a quote and </font>"),
        )
    content = _unescaped(found["content"])
    declared = len(content) if found["length"] is None else int(found["length"])
    if found["shortened"]:
        how = lengths.SHORTENED
    else:
        how = (
            lengths.QUOTE
            if found["length"] is None
            else lengths.agreement(content, declared, encoding)
        )
    return Html(
        head.start(), found.end(), String(content, declared, how, reference=reference), None
    )


def _copied_scalar(
    page: bytes, head: re.Match[bytes], encoding: str, declared_type: bytes, work: Work
) -> Html:
    """Read a scalar as ``_scalar`` does; a string ends at the first quote that fits its length."""
    if head.lastgroup != "string":
        return Html(head.start(), head.end(), scalar(head, declared_type), None)
    reference = head["reference"] is not None
    first: Html | None = None
    searched = head.end()
    for found in islice(_COPY_STRING_END.finditer(page, head.end()), _MOST_QUOTES):
        work.spend(1, found.end() - searched)
        searched = found.end()
        content, declared = page[head.end() : found.start()], int(found["length"])
        shortened = found["shortened"] is not None and declared > len(content)
        how = (
            lengths.SHORTENED
            if shortened
            else lengths.copied_agreement(content, declared, encoding)
        )
        value = String(content, declared, how, reference=reference)
        html = Html(head.start(), found.end(), value, None)
        if how != lengths.QUOTE:
            return html
        first = first or html
        if len(content) > 4 * declared + 64:
            break
    if first is not None:
        return first
    end = lengths.end_of_text(page, head.end())
    work.spend(1, end - searched)
    cut = String(page[head.end() : end], 0, lengths.NOT_FOUND, reference=reference)
    return Html(
        head.start(),
        end,
        cut,
        Failure(head.end(), "string without an end", "a quote and its length"),
    )


def _unescaped(content: bytes) -> bytes:
    return (
        _ESCAPE.sub(lambda found: _ESCAPED[found.group()], content) if b"&" in content else content
    )
