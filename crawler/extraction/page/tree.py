"""Parse a page, and find which elements contain which others without walking up from each one.

Elements may be nested two thousand deep, and a page may have a million of them, so walking up from
each would take minutes. Here each element is visited once.
"""

from collections.abc import Callable, Iterable

from lxml.etree import _Element

# Characters.
_LONGEST_CLASS = 1_000


def parse(page: str | bytes) -> _Element:
    """Return the root of a page's tree: of its text, or of its bytes in UTF-8."""
    # Imported with the first HTML page, because importing takes as long as parsing a hundred pages.
    from lxml.etree import HTMLParser
    from parsel.selector import create_root_node

    # Elements of a Selector's parser each look up a class, which takes longer than parsing.
    if isinstance(page, bytes):
        return create_root_node("", HTMLParser, body=page)
    return create_root_node(page, HTMLParser)


def class_of(element: _Element) -> str:
    """Return the value of an element's class attribute, cut if it is very long; "" without one."""
    return (element.get("class") or "")[:_LONGEST_CLASS]


def around(elements: Iterable[_Element], known: set[_Element] | None = None) -> set[_Element]:
    """Return the elements and all their ancestors, added to ``known``, an earlier such set."""
    found: set[_Element] = set() if known is None else known
    for element in elements:
        holder: _Element | None = element
        while holder is not None and holder not in found:
            found.add(holder)
            holder = holder.getparent()
    return found


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
