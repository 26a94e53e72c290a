"""Finds the boxes on pages that hold links to other articles, as CSS selectors.

They are candidates for ``Publisher.related_selector`` where no related list was found. A box is the
innermost element with a telling class or id that holds several links to articles.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from cssselect import HTMLTranslator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml.etree import _Element

# Words. Names such as "css-1x2y3z" and "sc-iqqmeU" change with the next version of a site.
_WORDS = r"[A-Z]?[a-z]+(?:[A-Z][a-z]{3,})*"
_NAME = re.compile(rf"{_WORDS}(?:[-_]{{1,2}}{_WORDS})*")
_ELSEWHERE = re.compile(
    r"nav|menu|breadcrumb|footer|header|cookie|social|share|topic|tags|latest|popular|most|paywall",
    re.IGNORECASE,
)
_PAGE_PARTS = frozenset(("html", "body", "main", "article", "nav", "header", "footer"))
_FEWEST_LINKS, _MOST_LINKS = 3, 30
# Elements. A selector of more is that of the entries of lists, or of parts of the layout.
_MOST_ELEMENTS = 3
_MOST_BOXES = 3


class Box(NamedTuple):
    """A selector, to how many articles its elements link at most, and on how many pages."""

    selector: str
    links: int
    pages: int


class LinkedPage(NamedTuple):
    """The tree of a page, and its links: each ``a`` element with the id of its article."""

    root: _Element
    links: Mapping[_Element, str]


def find_boxes(pages: Sequence[LinkedPage]) -> tuple[Box, ...]:
    """Return the boxes on pages, those first that most pages have, and whose links differ most.

    Related lists differ from page to page, unlike other lists.
    """
    found = []
    for selector in dict.fromkeys(selector for page in pages for selector in _selectors(page)):
        ids = [ids for page in pages if (ids := _ids_inside(page, selector))]
        box = Box(selector, max(map(len, ids)), len(ids))
        if box.links <= _MOST_LINKS:
            found.append((-len(ids), _likeness(ids), box))
    found.sort(key=lambda one: one[:2])
    # Nested boxes hold the same links.
    distinct = {one[:2] + one[2][1:]: one[2] for one in reversed(found)}
    return tuple(reversed(distinct.values()))[:_MOST_BOXES]


def _selectors(page: LinkedPage) -> Iterator[str]:
    """Yield the selectors of the boxes on a page, in page order."""
    inside: dict[_Element, set[str]] = {}
    for link, article_id in page.links.items():
        for ancestor in link.iterancestors():
            inside.setdefault(ancestor, set()).add(article_id)
    counts = Counter(name for element in page.root.iter() for name in _names(element))
    for link in page.links:
        for ancestor in link.iterancestors():
            links = len(inside[ancestor])
            if ancestor.tag in _PAGE_PARTS or _is_elsewhere(ancestor) or links > _MOST_LINKS:
                break
            if links < _FEWEST_LINKS:
                continue
            if len(list(ancestor.iter("p"))) > links:
                # It holds the article's text.
                break
            rare = [name for name in _names(ancestor) if counts[name] <= _MOST_ELEMENTS]
            if rare:
                yield min(rare, key=lambda name: counts[name])
                break


def _names(element: Any) -> Iterator[str]:
    """Yield the selectors of an element by its id and by each of its classes."""
    if not isinstance(element.tag, str):
        return
    name = (element.get("id") or "").strip()
    if _NAME.fullmatch(name):
        yield f"#{name}"
    for name in (element.get("class") or "").split():
        if _NAME.fullmatch(name):
            yield f"{element.tag}.{name}"


def _is_elsewhere(element: _Element) -> bool:
    return _ELSEWHERE.search(f"{element.get('class') or ''} {element.get('id') or ''}") is not None


def _ids_inside(page: LinkedPage, selector: str) -> set[str]:
    found: Any = page.root.xpath(HTMLTranslator().css_to_xpath(selector))
    anchors = (anchor for element in found for anchor in element.iter("a"))
    return {page.links[anchor] for anchor in anchors if anchor in page.links}


def _likeness(ids: Sequence[set[str]]) -> float:
    """Return the share of articles that the boxes on all pages list, from 0 to 1."""
    return len(set.intersection(*ids)) / len(set.union(*ids)) if len(ids) > 1 else 0.0
