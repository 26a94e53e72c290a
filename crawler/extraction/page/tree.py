"""Find which elements of a page contain which others, without walking up from each one.

Elements may be nested two thousand deep, and a page may have a million of them, so walking up from
each would take minutes. Here each element is visited once.
"""

from collections.abc import Callable, Iterable

from lxml.etree import _Element


def around(elements: Iterable[_Element], known: set[_Element] | None = None) -> set[_Element]:
    """Return the elements and all their ancestors, added to ``known``, an earlier such set."""
    found: set[_Element] = set() if known is None else known
    for element in elements:
        holder: _Element | None = element
        while holder is not None and holder not in found:
            found.add(holder)
            holder = holder.getparent()
    return found


def following(element: _Element) -> _Element | None:
    """Return the first node after an element and its descendants; None at the end of the page."""
    holder: _Element | None = element
    while holder is not None and holder.getnext() is None:
        holder = holder.getparent()
    return None if holder is None else holder.getnext()


class Nearest:
    """A lookup of the nearest element, itself or an ancestor, that passes a test; else None."""

    def __init__(self, test: Callable[[_Element], bool]) -> None:
        self._test = test
        self._known: dict[_Element, _Element | None] = {}

    def __call__(self, element: _Element | None) -> _Element | None:
        path: list[_Element] = []
        holder = element
        while holder is not None and holder not in self._known and not self._test(holder):
            path.append(holder)
            holder = holder.getparent()
        nearest = self._known.get(holder, holder) if holder is not None else None
        self._known.update(dict.fromkeys(path, nearest))
        return nearest


class Tree:
    """Some elements of a page and all their ancestors."""

    def __init__(self, elements: Iterable[_Element]) -> None:
        self._parents: dict[_Element, _Element | None] = {}
        inner: dict[_Element | None, list[_Element]] = {}
        for element in elements:
            holder: _Element | None = element
            while holder is not None and holder not in self._parents:
                parent = holder.getparent()
                self._parents[holder] = parent
                inner.setdefault(parent, []).append(holder)
                holder = parent
        self._spans: dict[_Element, tuple[int, int]] = {}
        self._jumps: dict[_Element, _Element] = {}
        self._number(inner)

    def _number(self, inner: dict[_Element | None, list[_Element]]) -> None:
        """Number the elements so that an element's descendants are numbered within its span."""
        depths: dict[_Element, int] = {}
        starts: dict[_Element, int] = {}
        path = [(element, False) for element in reversed(inner.get(None, []))]
        while path:
            element, done = path.pop()
            if done:
                self._spans[element] = (starts[element], len(starts))
                continue
            starts[element] = len(starts)
            self._jump(element, depths)
            path.append((element, True))
            path += [(child, False) for child in reversed(inner.get(element, []))]

    def _jump(self, element: _Element, depths: dict[_Element, int]) -> None:
        """Give an element a jump pointer over several levels, which keeps every path up short.

        See Myers, "An applicative random-access stack" (1983).
        """
        parent = self._parents[element]
        if parent is None:
            depths[element], self._jumps[element] = 0, element
            return
        first = self._jumps[parent]
        second = self._jumps[first]
        even = depths[parent] - depths[first] == depths[first] - depths[second]
        depths[element] = depths[parent] + 1
        self._jumps[element] = second if even else parent

    def holds(self, outer: _Element, inner: _Element) -> bool:
        """Return whether ``inner`` is inside ``outer`` or is the same element."""
        start, end = self._spans[outer]
        return start <= self._spans[inner][0] < end

    def common(self, one: _Element, other: _Element) -> _Element:
        """Return the smallest element that contains both."""
        holder = one
        while not self.holds(holder, other):
            jump = self._jumps[holder]
            parent = self._parents[holder]
            if self.holds(jump, other) and parent is not None:
                holder = parent
            else:
                holder = jump
        return holder
