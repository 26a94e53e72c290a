"""Write nodes as the bytes that PHP wrote."""

from collections.abc import Iterable

from crawler.vardump.values import (
    Array,
    Bool,
    Enum,
    Float,
    Int,
    Key,
    Null,
    Object,
    Recursion,
    Resource,
    String,
    Uninitialized,
    Value,
    encoded,
    walk,
)


def render(values: Iterable[Value]) -> bytes:
    """Return the output of ``var_dump`` for ``values``.

    For the result of ``parse``, this is its original input.
    """
    parts: list[bytes] = []
    for value in values:
        parts += (value.before, *_lines(value), value.after)
    return b"".join(parts)


def _lines(outermost: Value) -> list[bytes]:
    parts = [head_of(outermost)]
    for level, entry in walk(outermost):
        line = b"\n" + b"  " * level
        if entry is None:
            parts.append(line + b"}")
        else:
            parts += (line, b"  [", _key(entry.key), b"]=>", line, b"  ", head_of(entry.value))
    return parts


def _key(key: Key) -> bytes:
    match key:
        case Key(content, "index"):
            return content
        case Key(content, ("protected" | "private") as visibility, legacy=True):
            return b'"%b:%b"' % (content, visibility.encode())
        case Key(content, "protected"):
            return b'"%b":protected' % content
        case Key(content, "private", declaring_class):
            return b'"%b":"%b":private' % (content, encoded(declaring_class or ""))
        case _:
            return b'"%b"' % key.content


def head_of(value: Value) -> bytes:
    """Return ``value`` as ``var_dump`` writes it, for a container only up to its entries."""
    return (b"&" if value.reference else b"") + _bare(value)


def _bare(value: Value) -> bytes:
    match value:
        case Null():
            return b"NULL"
        case Bool():
            return b"bool(true)" if value.value else b"bool(false)"
        case Int():
            return b"int(%b)" % value.text.encode()
        case Float():
            return b"float(%b)" % value.text.encode()
        case String():
            return b'string(%d) "%b"' % (value.declared, value.content)
        case Array():
            return b"array(%d) {" % value.declared
        case Object():
            number = b"" if value.id is None else b"#%d " % value.id
            lazy = b"" if value.lazy is None else b"lazy %b " % value.lazy.encode()
            return b"%bobject(%b)%b(%d) {" % (
                lazy,
                encoded(value.class_name),
                number,
                value.declared,
            )
        case Enum():
            return b"enum(%b::%b)" % (encoded(value.class_name), encoded(value.case))
        case Resource():
            return b"resource(%d) of type (%b)" % (value.id, encoded(value.type))
        case Recursion():
            return b"*RECURSION*"
        case Uninitialized():
            return b"uninitialized(%b)" % encoded(value.type)
        case _:
            return b"UNKNOWN:0"
