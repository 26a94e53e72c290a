"""The grammar of a dump, token by token, in each of its layouts.

``PHP`` is the output of ``php_var_dump`` (``ext/standard/var.c``): a line feed and two spaces per
level before every token. ``INDENTED`` is the form altered by pages, with lengths that no longer fit
and other line endings. In ``PAGE``, any white space, ``<br>`` or ``&nbsp;`` may separate tokens.
``PASTED`` is the form in which people paste dumps: with curly quotes, spaces around the arrow,
backticks around braces, or PHP 6's ``unicode``. ``PASTED_INDENTED`` is the same with its
indentation, and ``DAMAGED`` may also have misplaced parentheses.
"""

import re
from dataclasses import replace
from typing import NamedTuple, Protocol

from crawler.vardump import lengths
from crawler.vardump.escapes import BREAK
from crawler.vardump.lengths import End
from crawler.vardump.values import Key, KeyKind, decoded
from crawler.vardump.work import Work


class FoundKey(NamedTuple):
    """A key, the position after its ``=>``, and where to search for another end of it, or -1."""

    key: Key
    end: int
    next_search: int
    type: bytes = b""
    """The declared type of a property, if it precedes the name."""


class Layout(Protocol):
    """The form of tokens and of the white space between them."""

    value: re.Pattern[bytes]
    """A value up to its content. The last named group that matched is its kind."""

    counts_uninitialized: bool
    exact: bool
    """Whether this is PHP's own output, to the byte."""
    indents: bool
    """Whether the indentation of a line must match its level."""

    def gap(self, data: bytes, position: int, level: int) -> int:
        """Return the position of the next token, on its line at ``level``, or -1."""
        ...

    def key(
        self, data: bytes, position: int, search: int, end: int, in_object: bool
    ) -> FoundKey | None:
        """Return the key at ``position`` with its first possible end from ``search`` to ``end``."""
        ...

    def string_end(
        self, data: bytes, position: int, declared: int, encoding: str, inner: bool, work: Work
    ) -> End | None:
        """Return the end of the string whose content begins at ``position``."""
        ...

    def key_marks(self, data: bytes, start: int, end: int) -> int:
        """Return how often ``data[start:end]`` has the text that ends a key."""
        ...

    def indented(self, level: int) -> str:
        """Describe the place of a token at ``level``, for a message."""
        ...

    def elision(self, data: bytes, position: int) -> int:
        """Return the end of an omission mark at ``position``, or -1."""
        ...


# A PHP label with its namespace; "class@anonymous" may be followed by a path, and FFI\CData by a C
# type: uint64_t(*)().
CLASS = rb"[^\n\"]{1,400}?"
# A type may contain one level of parentheses: (A&B)|null
TYPE = rb"(?:[^()\n]|\([^()\n]{0,200}\)){1,300}"
# The name of an enumeration or of its case.
LABEL = rb"[^\n\"(){}:]{1,300}"
RESOURCE_TYPE = rb"[^()\n]{0,200}"
COUNT = rb"(?:0|[1-9][0-9]{0,17})"
INT = rb"-?[0-9]{1,20}"
# Before PHP 8 the decimal point was the locale's.
FLOAT = rb"-?(?:[0-9]{1,1000}(?:[.,][0-9]{1,1100})?(?:[eE][+-]?[0-9]{1,4})?|INF|NAN)"
INDEX = re.compile(rb"\[(?P<index>0|-?[1-9][0-9]{0,19})\]=>")
# nl2br inserts this before every line ending.
_BREAK = re.compile(BREAK + rb"(?=\r?\n)")
ARRAY_KEY_END = re.compile(rb'"\]=>')
# "k":protected and "k":"C":private; the class is between the last quotes.
PROPERTY_END = re.compile(
    rb'"(?:(?P<protected>:protected)|:"(?P<class>' + CLASS + rb')":private)?\]=>'
)
# Only declared properties have a visibility, and their names are labels.
LEGACY = re.compile(
    rb"(?P<name>[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+):(?P<visibility>protected|private)"
)


def value_pattern(
    blank: bytes,
    *,
    string: bytes = b"string",
    quote: bytes = b'"',
    size: bytes | None = None,
) -> re.Pattern[bytes]:
    """Return the pattern of all values, with ``blank`` in place of PHP's spaces.

    ``string`` is the pattern of a string's type, ``quote`` that of its first quote, and ``size``
    that of an object's number and count. *RECURSION* and uninitialized() are never preceded by
    ``&``.
    """
    if size is None:
        size = rb"(?:#(?P<id>" + COUNT + rb")" + blank + rb")?\((?P<object>" + COUNT + rb")\)"
    return re.compile(
        rb"(?P<reference>&)?(?:"
        + string
        + rb"\((?P<string>"
        + COUNT
        + rb")\)"
        + blank
        + quote
        + rb"|int\((?P<int>"
        + INT
        + rb")\)"
        rb"|array\((?P<array>" + COUNT + rb")\)" + blank + rb"\{"
        rb"|(?P<null>NULL)"
        rb"|bool\((?P<bool>true|false)\)"
        rb"|float\((?P<float>" + FLOAT + rb")\)"
        rb"|(?:lazy"
        + blank
        + rb"(?P<lazy>ghost|proxy)"
        + blank
        + rb")?object\((?P<class>"
        + CLASS
        + rb")\)"
        + size
        + blank
        + rb"\{"
        rb"|enum\((?P<enum_class>" + LABEL + rb")::(?P<enum>" + LABEL + rb")\)"
        rb"|resource\((?P<resource_id>"
        + COUNT
        + rb")\)"
        + blank
        + rb"of"
        + blank
        + rb"type"
        + blank
        + rb"\((?P<resource>"
        + RESOURCE_TYPE
        + rb")\)"
        rb"|(?P<unknown>UNKNOWN:0)"
        rb")|(?P<recursion>\*RECURSION\*)"
        rb"|uninitialized\((?P<uninitialized>" + TYPE + rb")\)"
    )


def bracketed_key(
    data: bytes, position: int, search: int, limit: int, in_object: bool
) -> FoundKey | None:
    """Return the bracketed key at ``position``.

    A quoted key has no length: every quote followed by ``]=>`` may end it.
    """
    if data.startswith(b'["', position):
        first = position + 2
        end = (PROPERTY_END if in_object else ARRAY_KEY_END).search(data, max(first, search), limit)
        if end is None:
            return None
        return FoundKey(
            _quoted_key(data[first : end.start()], end, in_object), end.end(), end.start() + 1
        )
    if index := INDEX.match(data, position):
        return FoundKey(Key(index["index"], "index"), index.end(), -1)
    return None


def _quoted_key(content: bytes, end: re.Match[bytes], in_object: bool) -> Key:
    if not in_object:
        return Key(content, "string")
    if end["protected"]:
        return Key(content, "protected")
    if end["class"] is not None:
        return Key(content, "private", decoded(end["class"]))
    if legacy := LEGACY.fullmatch(content):
        # PHP 5.0 to 5.2.
        return Key(legacy["name"], property_kind(legacy["visibility"]), legacy=True)
    return Key(content, "public")


def property_kind(visibility: bytes) -> KeyKind:
    """Return the kind of a property with this visibility."""
    return (
        "protected"
        if visibility == b"protected"
        else "private"
        if visibility == b"private"
        else "public"
    )


class _Php:
    value = value_pattern(rb" ")
    counts_uninitialized = False
    exact = True
    indents = True

    def gap(self, data: bytes, position: int, level: int) -> int:
        line = b"\n" + b"  " * level
        return position + len(line) if data.startswith(line, position) else -1

    def key(
        self, data: bytes, position: int, search: int, end: int, in_object: bool
    ) -> FoundKey | None:
        return bracketed_key(data, position, search, end, in_object)

    def string_end(
        self, data: bytes, position: int, declared: int, encoding: str, inner: bool, work: Work
    ) -> End | None:
        end = position + declared
        return End(end, lengths.EXACT) if data[end : end + 1] == b'"' else None

    def elision(self, data: bytes, position: int) -> int:
        return -1

    def key_marks(self, data: bytes, start: int, end: int) -> int:
        return data.count(b"]=>\n", start, end)

    def indented(self, level: int) -> str:
        return (
            f" on a line of its own after {2 * level} spaces"
            if level
            else " at the start of a line"
        )


class Loose:
    """Base of the layouts in which white space is not significant."""

    counts_uninitialized = False
    exact = False
    indents = False
    space = re.compile(rb"(?:" + lengths.SPACE + rb")*+")

    def gap(self, data: bytes, position: int, level: int) -> int:
        match = self.space.match(data, position)
        return match.end() if match else -1

    def elision(self, data: bytes, position: int) -> int:
        return -1

    def indented(self, level: int) -> str:
        return ""


class _Page(Loose):
    value = value_pattern(lengths.SPACE + rb"*+")
    _longest_key = 4_096
    _quotes = lengths.Quotes(inner=rb'\[(?:"|-?[0-9])|\}')

    def key_marks(self, data: bytes, start: int, end: int) -> int:
        return data.count(b"]=>", start, end)

    def key(
        self, data: bytes, position: int, search: int, end: int, in_object: bool
    ) -> FoundKey | None:
        found = bracketed_key(
            data, position, search, min(end, position + self._longest_key), in_object
        )
        if found is None:
            return None
        content = found.key.content
        if (
            data[max(0, position - 2) : position] == lengths.NO_BREAK_SPACE
            or data[max(0, position - 6) : position] == b"&nbsp;"
        ):
            # The page replaced all spaces, including those in the key.
            content = _with_plain_spaces(content)
        content = _BREAK.sub(b"", content)
        return (
            found
            if content == found.key.content
            else found._replace(key=replace(found.key, content=content))
        )

    def string_end(
        self, data: bytes, position: int, declared: int, encoding: str, inner: bool, work: Work
    ) -> End | None:
        return lengths.find_end(
            data, position, declared, encoding, self._quotes, inner=inner, work=work
        )


class _Indented(_Page):
    indents = True
    _line = re.compile(rb"(?:" + BREAK + rb")?\r?\n((?: |&nbsp;|\xc2\xa0)*+)")

    def gap(self, data: bytes, position: int, level: int) -> int:
        line = self._line.match(data, position)
        if line is None or len(_with_plain_spaces(line[1])) != 2 * level:
            return -1
        return line.end()

    def indented(self, level: int) -> str:
        return PHP.indented(level)


# A quote of a pasted dump: straight, curly, or the reference to one.
_QUOTE = rb"(?:\"|\xe2\x80[\x9c-\x9f\xb3])"
_ARROW = rb"[ \t]*=(?:>|&gt;)"
_PASTED_SPACE = (
    rb"(?:[ \t\r\n`]|" + BREAK + rb"|&nbsp;|\xc2\xa0|\xe2\x80[\x80-\x8b\xaf]|\xef\xbb\xbf)"
)
_PASTED_KEY_MARK = re.compile(rb"\]" + _ARROW)
_PASTED_INDEX = re.compile(rb"\[(?P<index>0|-?[1-9][0-9]{0,19})\]" + _ARROW)
_PASTED_NAME = re.compile(rb"\[[ub]?" + _QUOTE)
_PASTED_ARRAY_KEY_END = re.compile(_QUOTE + rb"\]" + _ARROW)
_PASTED_PROPERTY_END = re.compile(
    _QUOTE
    + rb"(?:(?P<protected>:protected)|:"
    + _QUOTE
    + rb"(?P<class>"
    + CLASS
    + rb")"
    + _QUOTE
    + rb":private)?\]"
    + _ARROW
)


class _Pasted(_Page):
    value = value_pattern(_PASTED_SPACE + rb"*+", string=rb"(?:string|unicode)", quote=_QUOTE)
    space = re.compile(_PASTED_SPACE + rb"*+")
    _elision = re.compile(
        rb"(?:\[?\.\.\.\]?|\[?\xe2\x80\xa6\]?|//[ \t]*\.\.\.)[ \t]*(?=[\r\n<}]|\Z)"
    )
    _quotes = lengths.Quotes(
        rb"\[[ub]?(?:" + _QUOTE + rb"|-?[0-9])|\}|\.\.\.|\xe2\x80\xa6", _QUOTE, _PASTED_SPACE
    )

    def key(
        self, data: bytes, position: int, search: int, end: int, in_object: bool
    ) -> FoundKey | None:
        if index := _PASTED_INDEX.match(data, position):
            return FoundKey(Key(index["index"], "index"), index.end(), -1)
        name = _PASTED_NAME.match(data, position)
        if name is None:
            return None
        pattern = _PASTED_PROPERTY_END if in_object else _PASTED_ARRAY_KEY_END
        limit = min(end, position + self._longest_key)
        closing = pattern.search(data, max(name.end(), search), limit)
        if closing is None:
            return None
        return FoundKey(
            _quoted_key(data[name.end() : closing.start()], closing, in_object),
            closing.end(),
            closing.start() + 1,
        )

    def key_marks(self, data: bytes, start: int, end: int) -> int:
        return sum(1 for _ in _PASTED_KEY_MARK.finditer(data, start, end))

    def string_end(
        self, data: bytes, position: int, declared: int, encoding: str, inner: bool, work: Work
    ) -> End | None:
        return lengths.find_end(
            data, position, declared, encoding, self._quotes, inner=inner, copied=True, work=work
        )

    def elision(self, data: bytes, position: int) -> int:
        match = self._elision.match(data, position)
        return match.end() if match else -1


class _PastedIndented(_Pasted):
    indents = True
    _line = re.compile(rb"(?:" + BREAK + rb")?`?\r?\n((?: |&nbsp;|\xc2\xa0)*+)`?")
    _beside = re.compile(rb"(?<=[>;])[ \t]+(?=[a-zA-Z&*])")

    def gap(self, data: bytes, position: int, level: int) -> int:
        # A value may be on the line of its key.
        if beside := self._beside.match(data, position):
            return beside.end()
        line = self._line.match(data, position)
        if line is None or len(_with_plain_spaces(line[1])) != 2 * level:
            return -1
        return line.end()

    def indented(self, level: int) -> str:
        return PHP.indented(level)


class _Damaged(_Pasted):
    # The parentheses of a head were retyped wrongly: object(Listing)#3853) (19 {
    value = value_pattern(
        _PASTED_SPACE + rb"*+",
        string=rb"(?:string|unicode)",
        quote=_QUOTE,
        size=rb"(?:#(?P<id>" + COUNT + rb"))?[ ()]{1,4}(?P<object>" + COUNT + rb")[ )]{0,2}",
    )


def _with_plain_spaces(text: bytes) -> bytes:
    return text.replace(b"&nbsp;", b" ").replace(lengths.NO_BREAK_SPACE, b" ")


PHP: Layout = _Php()
INDENTED: Layout = _Indented()
PAGE: Layout = _Page()
PASTED: Layout = _Pasted()
PASTED_INDENTED: Layout = _PastedIndented()
DAMAGED: Layout = _Damaged()
