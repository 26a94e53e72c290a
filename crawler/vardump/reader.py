"""Read nodes from text in any layout.

A value is read in place, without copying the rest of the text and without recursion, so long or
deeply nested text is safe. Everything read so far is kept in immutable linked tuples, so the reader
can go back to an earlier place at no cost.

Going back is necessary because keys carry no length: ``["a"]=>`` may end the key or be part of it.
The first end is tried first. If that reading breaks a declared count, the indentation or a closing
brace, the last key that could end elsewhere is read again. A value that cannot be read has no
readings, and ``Reader.failure`` gives the reason.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from crawler.vardump import lengths
from crawler.vardump.layouts import Layout
from crawler.vardump.values import (
    Array,
    Bool,
    Container,
    Entry,
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
    Unknown,
    Value,
    counted,
    decoded,
    entries_of,
    has_names,
    is_cut,
)
from crawler.vardump.work import UNLIMITED, Work

_LONE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_LINE_END = re.compile(rb"\r?\n *+(?!\Z)")
# The limit for going back: values read again, plus stretches of _STRETCH bytes searched for another
# key end.
EFFORT = 100_000
_STRETCH = 2_000
# To check whether a place was seen before costs one more unit per this many open levels.
_LEVELS = 20
# The cost of reading one value or key, in steps (see work.py).
_STEPS = 5


class Open(NamedTuple):
    """A container being read."""

    holder: "Open | None"
    key: Key | None
    """The container's key in its holder."""
    head: re.Match[bytes]
    level: int
    """The level of its entries; the outermost value is at 0."""
    declared: int
    counted: int
    last: "_EntryLink | None"
    cut: bool = False

    @property
    def is_object(self) -> bool:
        return self.head.lastgroup == "object"

    def add(self, key: Key, value: Value, *, counts: bool = True) -> "Open":
        return Open(
            self.holder,
            self.key,
            self.head,
            self.level,
            self.declared,
            self.counted + counts,
            _EntryLink(self.last, Entry(key, value)),
            self.cut,
        )

    def counts(self) -> tuple[tuple[int, int], ...]:
        """Return the start of every open container and the number of entries read."""
        counts = []
        open_: Open | None = self
        while open_ is not None:
            counts.append((open_.head.start(), open_.counted))
            open_ = open_.holder
        return tuple(counts)

    def entries(self) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        link = self.last
        while link is not None:
            entries.append(link.entry)
            link = link.before
        return tuple(reversed(entries))

    def close(self, *, cut: bool = False) -> Container:
        entries = self.entries()
        # Xdebug counts uninitialized properties, PHP does not.
        declared = self.declared - self.counted + counted(entries)
        cut = cut or self.cut or any(is_cut(entry.value) for entry in entries)
        reference = self.head["reference"] is not None
        if not self.is_object:
            return Array(declared, entries, cut=cut, reference=reference)
        groups = self.head.groupdict()
        lazy = groups.get("lazy")
        return Object(
            declared,
            entries,
            decoded(groups["class"]),
            None if groups["id"] is None else int(groups["id"]),
            None if lazy is None else "ghost" if lazy == b"ghost" else "proxy",
            cut=cut,
            reference=reference,
        )

    def __str__(self) -> str:
        return f"{'object' if self.is_object else 'array'} of {self.declared}"


class _EntryLink(NamedTuple):
    before: "_EntryLink | None"
    entry: Entry


class Failure(NamedTuple):
    """Where and why a reading ended, and the container open there."""

    position: int
    message: str
    expected: str
    open: Open | None = None
    reached: int = 0
    """The end of the text that was read."""
    contradicts: bool = False
    """Whether a count or a repeated key rules the reading out, not a wrong length or a gap."""


class _State(NamedTuple):
    """The position after a value, and its container or, for an outermost one, the value."""

    position: int
    open: Open | None
    value: Value | None


class _Choice(NamedTuple):
    """A key that could also end later: its position, and where to search for the next end."""

    open: Open
    position: int
    search: int


def _as_dumped(content: bytes, how: str) -> bytes:
    """Return the content as it was before the page changed it, if that can be determined."""
    if how == lengths.SPACES:
        return content.replace(lengths.NO_BREAK_SPACE, b" ")
    if how == lengths.STRAIGHT_QUOTES:
        return lengths.straightened(content)
    if how == lengths.NULS_ESCAPED:
        return content.replace(rb"\000", b"\0")
    if how == lengths.LINE_ENDS_ADDED:
        return content.replace(b"\r\n", b"\n")
    if how == lengths.LINE_ENDS_LOST:
        return _LONE_LINE_FEED.sub(b"\r\n", content)
    return content


class Reader:
    """Reads values from ``data`` in one layout.

    ``failure`` is where the very first reading failed, if it did. ``effort`` is the remaining
    budget for going back; ``exhausted`` means that it ran out, so there may be more readings.
    ``skipped`` means that an apparent end of a key had no value after it. A ``tolerant`` reader
    uses the first end of every key and accepts any number of entries.
    """

    def __init__(
        self,
        data: bytes,
        layout: Layout,
        *,
        encoding: str = "utf-8",
        tolerant: bool = False,
        effort: int = EFFORT,
        end: int | None = None,
        work: Work = UNLIMITED,
    ) -> None:
        self.data = data
        self.layout = layout
        self.encoding = encoding
        self.tolerant = tolerant
        self.end = len(data) if end is None else end
        self.failure: Failure | None = None
        self.exhausted = False
        self.skipped = False
        self.effort = effort
        self.work = work
        self._key_twice = False

    def readings(self, start: int) -> Iterator[tuple[int, Value]]:
        """Yield the end and value of each reading at ``start``, the shortest keys first."""
        choices: list[_Choice] = []
        seen: set[object] = set()
        again = False
        state = self._outermost(start)
        while True:
            self.work.spend(_STEPS)
            if again and state is not None and state.open is not None:
                self.effort -= 1 + state.open.level // _LEVELS
                self.work.spend(state.open.level)
                if self.effort <= 0:
                    self.exhausted = True
                    return
                place = (state.position, state.open.counts())
                if place in seen:
                    # Reading on from here would repeat an earlier attempt.
                    state = None
                seen.add(place)
            if state is None:
                if (
                    not again
                    and not self.layout.exact
                    and self.failure
                    and not self.failure.contradicts
                ):
                    # A truncated dump, or one with wrong lengths, could be read as a complete one
                    # with longer keys.
                    return
                again = True
                if self._key_twice:
                    # Another path to the same place may have other keys.
                    seen.clear()
                    self._key_twice = False
                state = self._go_back(choices)
                if state is None:
                    return
            if state.open is None:
                assert state.value is not None
                yield state.position, state.value
                again = True
                # A place on the way to a known reading leads to a new one by another path.
                seen.clear()
                state = None
            else:
                state = self._next(state.position, state.open, choices)

    def _fail(
        self,
        position: int,
        message: str,
        expected: str,
        open_: Open | None,
        reached: int | None = None,
        *,
        contradicts: bool = False,
    ) -> None:
        if self.failure is None:
            self.failure = Failure(
                position,
                message,
                expected,
                open_,
                position if reached is None else reached,
                contradicts,
            )

    def _go_back(self, choices: list[_Choice]) -> _State | None:
        while choices and self.effort > 0:
            choice = choices.pop()
            state = self._entry(choice.open, choice.position, choice.search, choices)
            self.effort -= (
                1 + ((self.end if state is None else state.position) - choice.search) // _STRETCH
            )
            if state is not None:
                return state
        self.exhausted = self.exhausted or bool(choices)
        return None

    def _outermost(self, position: int) -> _State | None:
        head = self.layout.value.match(self.data, position, self.end)
        if head is None:
            self._fail(position, "no value", "a value", None)
            return None
        return self._content(head, None, None)

    def _content(
        self, head: re.Match[bytes], open_: Open | None, key: Key | None, declared_type: bytes = b""
    ) -> _State | None:
        """Read the value that begins with ``head``, as the entry ``key`` of ``open_``."""
        kind = head.lastgroup
        counts = self.layout.counts_uninitialized or kind != "uninitialized"
        if open_ is not None and counts and open_.counted == open_.declared and not self.tolerant:
            self._fail(
                head.start(),
                f"{open_} entries has too many",
                f"}} after {open_.declared} entries",
                open_,
                contradicts=True,
            )
            return None
        if kind == "uninitialized" and not (open_ and open_.is_object) and not self.tolerant:
            self._fail(head.start(), "uninitialized() outside an object", "a value", open_)
            return None
        if kind in ("array", "object"):
            level = 1 if open_ is None else open_.level + 1
            return _State(head.end(), Open(open_, key, head, level, int(head[kind]), 0, None), None)
        value: Value
        if kind == "string":
            result = self._string(head, open_, key)
            if result is None:
                return None
            position, value = result
        else:
            position, value = head.end(), scalar(head, declared_type)
        if open_ is None:
            return _State(position, None, value)
        assert key is not None
        return _State(position, open_.add(key, value, counts=counts), None)

    def _string(
        self, head: re.Match[bytes], open_: Open | None, key: Key | None
    ) -> tuple[int, String] | None:
        """Read the string that begins with ``head``; return its end and value."""
        position, declared = head.end(), int(head["string"])
        subject = f"string of {declared} bytes"
        end = self.layout.string_end(
            self.data, position, declared, self.encoding, open_ is not None, self.work
        )
        if end is None or end.position > self.end:
            available = self.end - position
            if declared >= available:
                self._fail(
                    position,
                    f"{subject}, but only {available} remain",
                    f"{declared} bytes and a quote",
                    open_,
                )
            else:
                self._fail(
                    position + declared, f"{subject} does not end there", "a closing quote", open_
                )
            return None
        value = String(
            _as_dumped(self.data[position : end.position], end.how),
            declared,
            end.how,
            reference=head["reference"] is not None,
        )
        if end.how == lengths.NOT_FOUND:
            partial = open_.add(key, value) if open_ and key else None
            self._fail(position, f"{subject} has no end", "a quote", partial, end.position)
            return (end.position, value) if self.tolerant and open_ is None else None
        if not self.tolerant and not value.agrees and end.how != lengths.SHORTENED:
            self._fail(
                position, f"{subject} ends elsewhere", f"a quote after {declared} bytes", open_
            )
            return None
        return end.position + end.skip, value

    def _next(self, position: int, open_: Open, choices: list[_Choice]) -> _State | None:
        """Read the end of ``open_`` or its next entry, after a value in it."""
        at = self.layout.gap(self.data, position, open_.level - 1)
        if at >= 0 and self.data.startswith(b"}", at, self.end):
            return self._close(at, open_)
        at = self.layout.gap(self.data, position, open_.level)
        if at >= 0:
            elision = self.layout.elision(self.data, at)
            if elision >= 0:
                return _State(elision, open_._replace(cut=True), None)
            state = self._entry(open_, at, at, choices)
            if state is not None:
                return state
            found = self.layout.key(self.data, at, at, self.end, open_.is_object)
            if found is not None:
                self._fail_after_key(found.end, open_)
                return None
        more = open_.counted < open_.declared
        expected = f"entry {open_.counted + 1} of {open_.declared}" if more else "}"
        expected += self.layout.indented(open_.level - (not more))
        self._fail(
            self._after_line_end(position),
            f"{open_} entries breaks off",
            expected,
            open_,
            position,
        )
        return None

    def _entry(
        self, open_: Open, position: int, search: int, choices: list[_Choice]
    ) -> _State | None:
        """Read the key at ``position``, ending at or after ``search``, and its value."""
        while found := self.layout.key(self.data, position, search, self.end, open_.is_object):
            at = self.layout.gap(self.data, found.end, open_.level)
            head = self.layout.value.match(self.data, at, self.end) if at >= 0 else None
            if head is not None:
                if found.next_search >= 0 and not self.tolerant:
                    choices.append(_Choice(open_, position, found.next_search))
                return self._content(head, open_, found.key, found.type)
            if found.next_search < 0 or self.tolerant:
                return None
            if self.layout.exact:
                # If there is no reading, the first apparent end of a key is reported.
                self._fail_after_key(found.end, open_)
            self.effort -= 1
            # The whole key is copied each time.
            self.work.spend(10, 4 * (found.end - position))
            self.skipped = True
            search = found.next_search
        return None

    def _fail_after_key(self, position: int, open_: Open) -> None:
        if self.failure is not None:
            return
        expected = f"a value{self.layout.indented(open_.level)}"
        self._fail(self._after_line_end(position), "key without a value", expected, open_, position)

    def _after_line_end(self, position: int) -> int:
        """Return the start of the next token, the faulty one, if ``position`` is a line's end."""
        following = _LINE_END.match(self.data, position, self.end)
        return following.end() if following else position

    def _close(self, position: int, open_: Open) -> _State | None:
        container = open_.close()
        if not self.tolerant and not container.cut:
            if open_.counted != open_.declared:
                expected = f"entry {open_.counted + 1} of {open_.declared}"
                self._fail(
                    position,
                    f"{open_} entries ends after {open_.counted}",
                    expected,
                    open_,
                    contradicts=True,
                )
                return None
            if _has_key_twice(container):
                self._key_twice = True
                self._fail(
                    position,
                    f"{open_} entries has a duplicate key",
                    "unique keys",
                    open_,
                    contradicts=True,
                )
                return None
        holder = open_.holder
        if holder is None:
            return _State(position + 1, None, container)
        assert open_.key is not None
        return _State(position + 1, holder.add(open_.key, container), None)


def _has_key_twice(container: Container) -> bool:
    """Return whether two keys of an array, or two public properties, are the same.

    PHP allows neither. Other properties may look the same, since ``var_dump`` does not show their
    full names; in PHP 4, any properties may, since it shows no visibility.
    """
    if isinstance(container, Object) and container.id is None:
        return False
    keys = [
        entry.key for entry in container.entries if entry.key.kind in ("index", "string", "public")
    ]
    return len(set(keys)) < len(keys)


def scalar(head: re.Match[bytes], declared_type: bytes = b"") -> Value:
    """Return the scalar value matched by ``head``.

    ``declared_type`` is the type of an uninitialized property whose own text does not name it.
    """
    groups = head.groupdict()
    reference = groups["reference"] is not None
    match head.lastgroup:
        case "null":
            return Null(reference=reference)
        case "bool":
            return Bool(groups["bool"] == b"true", reference=reference)
        case "int":
            return Int(groups["int"].decode(), reference=reference)
        case "float":
            return Float(groups["float"].decode(), reference=reference)
        case "enum":
            return Enum(decoded(groups["enum_class"]), decoded(groups["enum"]), reference=reference)
        case "resource":
            return Resource(
                int(groups["resource_id"]), decoded(groups["resource"]), reference=reference
            )
        case "recursion":
            return Recursion()
        case "uninitialized":
            return Uninitialized(decoded(groups["uninitialized"] or declared_type))
        case _:
            return Unknown(reference=reference)


def broken_off(failure: Failure) -> Container | None:
    """Return the part read before ``failure``, with every open container marked as cut.

    None if no container was open.
    """
    open_ = failure.open
    if open_ is None:
        return None
    while True:
        container = open_.close(cut=True)
        if open_.holder is None:
            return container
        assert open_.key is not None
        open_ = open_.holder.add(open_.key, container)


def has_other_reading(
    data: bytes,
    start: int,
    end: int,
    value: Container,
    layout: Layout,
    encoding: str = "utf-8",
    effort: int = EFFORT,
    work: Work = UNLIMITED,
) -> bool:
    """Return whether ``data[start:end]`` has another reading than ``value`` in the same layout.

    If every ``]=>`` at the end of a line ends a key of ``value``, there is none: a reading with a
    longer key has fewer keys, each at its own level, and so breaks a declared count. Only an
    uncounted property can be part of the next one's key. Without indentation a key has no level,
    and this holds only if there is no inner container.
    """
    if any(entry.key.legacy for entry in entries_of(value)):
        return True
    if not layout.counts_uninitialized and _has_uninitialized_before_another(value):
        return True
    is_flat = not any(isinstance(entry.value, Container) for entry in value.entries)
    if not has_names(value) or (
        (layout.indents or is_flat) and not has_stray_mark(data, start, end, value, layout)
    ):
        return False
    reader = Reader(data, layout, encoding=encoding, end=end, effort=effort, work=work)
    same = (reading for reading_end, reading in reader.readings(start) if reading_end == end)
    next(same, None)
    return next(same, None) is not None or reader.exhausted


def _has_uninitialized_before_another(value: Container) -> bool:
    containers = [
        value,
        *(entry.value for entry in entries_of(value) if isinstance(entry.value, Object)),
    ]
    return any(
        isinstance(entry.value, Uninitialized) and following.key.kind != "index"
        for container in containers
        for entry, following in pairwise(container.entries)
    )


def has_stray_mark(data: bytes, start: int, end: int, value: Container, layout: Layout) -> bool:
    """Return whether ``data[start:end]`` has an apparent key end that was not read as one."""
    return sum(1 for _ in entries_of(value)) != layout.key_marks(data, start, end)
