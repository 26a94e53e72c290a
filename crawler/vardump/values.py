"""The contents of a dump: nodes that keep everything PHP wrote, and their plain Python values.

Strings and keys are bytes, as in PHP. Names of classes, cases and types are str, with bytes that
are not UTF-8 escaped by ``surrogateescape``. Numbers keep their text.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from crawler.vardump.lengths import BYTES_LEFT_OUT, EXACT, NOT_FOUND, QUOTE, SHORTENED

_SWALLOWED = re.compile(rb"\n\}|(?:array|object)\([^\n]{1,400} \{\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Any dumped value.

    ``reference`` means that it was preceded by ``&``. ``before`` and ``after`` are the white space
    around an outermost value.
    """

    reference: bool = False
    before: bytes = field(default=b"", compare=False)
    after: bytes = field(default=b"\n", compare=False)


@dataclass(frozen=True, slots=True)
class Null(Value):
    """``NULL``."""


@dataclass(frozen=True, slots=True)
class Bool(Value):
    """``bool(true)`` or ``bool(false)``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Int(Value):
    """``int(…)``; ``text`` is the number as written."""

    text: str

    @property
    def value(self) -> int:
        return int(self.text)


@dataclass(frozen=True, slots=True)
class Float(Value):
    """``float(…)``; ``text`` is the number as written.

    For example ``1.0E+25``, ``-0``, ``NAN`` or, in some locales before PHP 8, ``1,5``.
    """

    text: str

    @property
    def value(self) -> float:
        return float(self.text.replace(",", "."))


@dataclass(frozen=True, slots=True)
class String(Value):
    """``string(N) "…"``.

    ``declared`` is N, in bytes when PHP wrote it; ``how`` is how the content's end was found.
    """

    content: bytes
    declared: int
    how: str = EXACT

    @property
    def cut(self) -> bool:
        """Whether part of the content is missing."""
        return self.how in (NOT_FOUND, SHORTENED, BYTES_LEFT_OUT)

    @property
    def agrees(self) -> bool:
        """Whether ``declared`` fits the content, exactly or under a known page conversion."""
        return not self.cut and self.how != QUOTE


KeyKind = Literal["index", "string", "public", "protected", "private"]


@dataclass(frozen=True, slots=True)
class Key:
    """The key of an entry. ``content`` is its bytes, or the digits of an index.

    ``declaring_class`` is that of a private property; it is None for a ``legacy`` key, whose
    visibility PHP before 5.3 wrote inside the quotes (``["k:private"]``). ``public`` is any
    property without a visibility mark.
    """

    content: bytes
    kind: KeyKind
    declaring_class: str | None = None
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an array or object."""

    key: Key
    value: Value


@dataclass(frozen=True, slots=True)
class Container(Value):
    """A value with entries. ``declared`` is PHP's count, without uninitialized properties.

    ``cut`` means that its end, or something inside it, is missing. ``ambiguous``, set on outermost
    values only, means that the same bytes have another reading, since keys carry no length; this is
    the first reading, the one with the shortest keys.
    """

    declared: int
    entries: tuple[Entry, ...]
    cut: bool = field(default=False, kw_only=True)
    ambiguous: bool = field(default=False, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class Array(Container):
    """``array(N) {…}``."""


@dataclass(frozen=True, slots=True)
class Object(Container):
    """``object(C)#id (N) {…}``; PHP 4 wrote no id. ``lazy`` is new in PHP 8.4."""

    class_name: str
    id: int | None
    lazy: Literal["ghost", "proxy"] | None = None


@dataclass(frozen=True, slots=True)
class Enum(Value):
    """``enum(C::Case)``."""

    class_name: str
    case: str


@dataclass(frozen=True, slots=True)
class Resource(Value):
    """``resource(id) of type (T)``."""

    id: int
    type: str


@dataclass(frozen=True, slots=True)
class Recursion(Value):
    """``*RECURSION*``: an array or object inside itself."""


@dataclass(frozen=True, slots=True)
class Uninitialized(Value):
    """``uninitialized(T)``: a typed property without a value, which PHP does not count."""

    type: str


@dataclass(frozen=True, slots=True)
class Unknown(Value):
    """``UNKNOWN:0``: a value of a type unknown to ``var_dump``."""


def decoded(name: bytes) -> str:
    """Return the name of a class, case or type as stored in nodes."""
    return name.decode("utf-8", "surrogateescape")


def encoded(name: str) -> bytes:
    """Return the bytes that PHP wrote for the name of a class, case or type."""
    return name.encode("utf-8", "surrogateescape")


def walk(value: Value) -> Iterator[tuple[int, Entry | None]]:
    """Yield every entry in ``value``, in order, with the level of its container.

    None instead of an entry marks the end of a container; the outermost one is at level 0. Does
    not recurse, since a page may nest deeper than Python's stack.
    """
    open_: list[tuple[Container, int]] = [(value, 0)] if isinstance(value, Container) else []
    while open_:
        container, index = open_.pop()
        if index == len(container.entries):
            yield len(open_), None
            continue
        open_.append((container, index + 1))
        entry = container.entries[index]
        yield len(open_) - 1, entry
        if isinstance(entry.value, Container):
            open_.append((entry.value, 0))


def entries_of(value: Value) -> Iterator[Entry]:
    """Yield every entry in ``value`` and its inner containers, in no particular order."""
    open_ = [value]
    while open_:
        inner = open_.pop()
        if isinstance(inner, Container):
            yield from inner.entries
            open_ += [entry.value for entry in inner.entries]


def has_names(value: Value) -> bool:
    """Return whether ``value`` has a quoted key, which may really end later than it was read."""
    return any(entry.key.kind != "index" for entry in entries_of(value))


def swallows_dumps(value: Value) -> bool:
    """Return whether a key in ``value`` contains the apparent end or start of a container.

    Only the end of an outermost container counts, but the start of any.
    """
    return any(_SWALLOWED.search(entry.key.content) for entry in entries_of(value))


def counted(entries: Iterable[Entry]) -> int:
    """Return the number of entries that PHP counts."""
    return sum(not isinstance(entry.value, Uninitialized) for entry in entries)


def is_cut(value: Value) -> bool:
    """Return whether part of ``value`` is missing."""
    return isinstance(value, (Container, String)) and value.cut


def agrees(value: Value) -> bool:
    """Return whether the declared length or count of ``value`` itself is correct."""
    if isinstance(value, Container):
        return value.declared == counted(value.entries)
    return not isinstance(value, String) or value.agrees


@dataclass(slots=True)
class PhpObject:
    """An object: its class, its number in the script (None in PHP 4) and its properties by name.

    A parent's private property with the same name as another is stored under PHP's internal name,
    ``"\\0Class\\0name"``.
    """

    class_name: str
    id: int | None
    properties: dict[Any, Any]


@dataclass(frozen=True, slots=True)
class PhpEnum:
    """A case of an enumeration."""

    class_name: str
    case: str


@dataclass(frozen=True, slots=True)
class PhpResource:
    """A resource, such as an open file or a stream context."""

    id: int
    type: str


@dataclass(frozen=True, slots=True)
class PhpRecursion:
    """An array or object inside itself."""


@dataclass(frozen=True, slots=True)
class PhpUninitialized:
    """A typed property that has no value yet."""

    type: str


@dataclass(frozen=True, slots=True)
class PhpUnknown:
    """A value of a type unknown to ``var_dump``."""


class Cut:
    """Marks a plain value whose end, or another part, is missing."""


class CutList(Cut, list[Any]):
    """A truncated list."""


class CutDict(Cut, dict[Any, Any]):
    """A truncated array."""


class CutStr(Cut, str):
    """Truncated text."""

    __slots__ = ()


class CutBytes(Cut, bytes):
    """Truncated bytes that are not text."""

    __slots__ = ()


class CutObject(Cut, PhpObject):
    """A truncated object."""


def plain(value: Value, encoding: str = "utf-8", *, replace: bool = False) -> Any:
    """Return ``value`` as plain Python.

    Arrays keyed 0 to n-1 in order become lists, others dicts. Strings and keys become str if they
    can be decoded with ``encoding``, else bytes; with ``replace`` they are always str, with U+FFFD
    for undecodable bytes. A truncated value is a ``Cut`` (``CutStr``, ``CutList`` …), as is every
    container around it.
    """
    text_encoding = _Encoding(encoding, "replace" if replace else "strict")
    # No recursion: a page may nest deeper than Python's stack.
    holders: list[tuple[Container, list[Any]]] = []
    while True:
        if isinstance(value, Container):
            holders.append((value, []))
        else:
            result = _scalar(value, text_encoding)
            if not holders:
                return result
            holders[-1][1].append(result)
        while len(holders[-1][1]) == len(holders[-1][0].entries):
            container, values = holders.pop()
            result = _contained(container, values, text_encoding)
            if not holders:
                return result
            holders[-1][1].append(result)
        container, values = holders[-1]
        value = container.entries[len(values)].value


class _Encoding(NamedTuple):
    name: str
    errors: str

    def text(self, content: bytes) -> str | bytes:
        """Return ``content`` as text if it can be decoded, else unchanged."""
        try:
            return content.decode(self.name, self.errors)
        except UnicodeError:
            return content


def _scalar(value: Value, encoding: _Encoding) -> Any:
    match value:
        case String():
            return _string(value, encoding)
        case Bool() | Int() | Float():
            return value.value
        case Enum():
            return PhpEnum(value.class_name, value.case)
        case Resource():
            return PhpResource(value.id, value.type)
        case Recursion():
            return PhpRecursion()
        case Uninitialized():
            return PhpUninitialized(value.type)
        case Unknown():
            return PhpUnknown()
    return None


def _string(value: String, encoding: _Encoding) -> str | bytes:
    if not value.cut:
        return encoding.text(value.content)
    try:
        # The cut may have split a character; keep the whole ones before it.
        return CutStr(
            codecs.getincrementaldecoder(encoding.name)(encoding.errors).decode(value.content)
        )
    except UnicodeError:
        return CutBytes(value.content)


def _contained(container: Container, values: list[Any], encoding: _Encoding) -> Any:
    if isinstance(container, Object):
        make = CutObject if container.cut else PhpObject
        return make(container.class_name, container.id, _properties(container, values, encoding))
    if all(
        entry.key.kind == "index" and int(entry.key.content) == position
        for position, entry in enumerate(container.entries)
    ):
        return CutList(values) if container.cut else values
    keys = [
        int(entry.key.content) if entry.key.kind == "index" else encoding.text(entry.key.content)
        for entry in container.entries
    ]
    entries = dict(zip(keys, values, strict=True))
    # A broken dump may have duplicate keys.
    return CutDict(entries) if container.cut or len(entries) < len(values) else entries


def _properties(container: Object, values: list[Any], encoding: _Encoding) -> dict[Any, Any]:
    properties: dict[Any, Any] = {}
    shared = Counter(entry.key.content for entry in container.entries)
    for entry, value in zip(container.entries, values, strict=True):
        key = entry.key
        name: Any = int(key.content) if key.kind == "index" else encoding.text(key.content)
        if name in properties or (
            shared[key.content] > 1 and key.declaring_class not in (None, container.class_name)
        ):
            owner = "*" if key.kind == "protected" else key.declaring_class or ""
            mangled = b"\0" + encoded(owner) + b"\0" + key.content
            name = encoding.text(mangled)
            while name in properties:
                # There may be several private properties without a declaring class.
                mangled = b"\0" + mangled
                name = encoding.text(mangled)
        properties[name] = value
    return properties
