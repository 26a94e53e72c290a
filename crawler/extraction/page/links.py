"""Read the related items from a page's links to the publisher's own articles.

The links are under a related-news heading or inside an element named as related.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml.etree import _Element

from crawler.extraction.page.blocks import HEADINGS
from crawler.extraction.page.leak import Listed, Related
from crawler.extraction.page.parts import heads_other, heads_related
from crawler.extraction.page.text import all_text, collapse, has_many_elements
from crawler.extraction.page.tree import around, following
from crawler.extraction.publishers import Publisher

_NAMED_RELATED = re.compile(r"(?:^|[\s_-])related|related(?:$|[\s_-])", re.IGNORECASE)
_HEADING_LENGTH = 60
_MOST_HEADINGS = 50
# Characters and elements. A link with more was never closed.
_LONGEST_TITLE, _MOST_IN_A_LINK = 10_000, 200


@dataclass(slots=True)
class _Links:
    """Links to articles, in page order. A picture and a headline may link to the same article."""

    where: str
    headed: bool
    anchors: list[tuple[str, _Element]] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        return {article_id for article_id, _ in self.anchors}


def read(root: _Element, publisher: Publisher, url: str | None) -> Related | None:
    """Return the list of related links, or None if the page has none."""
    order: dict[_Element, int] = {}
    anchors: list[tuple[str, _Element]] = []
    headings: list[tuple[_Element, bool]] = []
    named_related: list[_Element] = []
    linked: set[_Element] = set()
    # The nodes after the open link and the open named part: None at the end of the page, ``root``
    # if none is open.
    after_link: _Element | None = root
    after_named: _Element | None = root
    # The page's own id is skipped: "Print" and "Back to top" link to it.
    own_id = publisher.id_of(url) if url else None
    for element in root.iter():
        order[element] = len(order)
        after_link = root if element is after_link else after_link
        after_named = root if element is after_named else after_named
        if not isinstance(element.tag, str):
            continue
        if element.tag == "a":
            href = element.get("href")
            if href and (article_id := publisher.id_of(href, url)) and article_id != own_id:
                anchors.append((article_id, element))
            after_link = following(element) if after_link is root else after_link
        if (is_related := _heading(element)) is not None:
            headings.append((element, is_related))
            if after_link is not root:
                linked.add(element)
        elif after_named is root and _is_named_related(element):
            # Nested named parts add nothing.
            named_related.append(element)
            after_named = following(element)
    if not anchors:
        return None
    linked |= around(root.iter("a"))
    # The page's next heading ends a list; a heading inside an entry does not.
    ends = [order[h] for h, related in headings if related or h not in linked]
    places = [order[a] for _, a in anchors]
    related_headings = [heading for heading, related in headings if related][:_MOST_HEADINGS]
    groups = [_links_under(heading, order, ends, anchors, places) for heading in related_headings]
    groups += [_links_inside(element, order, anchors, places) for element in named_related]
    # A single link after an inline "Read also:" is not a list; under its own heading it is.
    groups = [group for group in groups if len(group.ids) > 1 or group.headed]
    best = max(
        groups,
        key=lambda group: (len(group.ids) > 1, group.where.startswith("links"), len(group.ids)),
        default=None,
    )
    if best is None or not best.anchors:
        return None
    return Related(tuple(_listed_entries(best, url)), True, best.where)


def _heading(element: _Element) -> bool | None:
    """Return True for a related-news heading, False for any other heading, None for no heading."""
    if element.tag == "a" and (element.get("href") or "").startswith("#"):
        # A tab label, which may be far from the tab's content.
        return None
    if element.tag in HEADINGS or element.tag in (
        "strong",
        "b",
        "legend",
        "caption",
        "th",
        "dt",
        "summary",
    ):
        if has_many_elements(element, 4 * _HEADING_LENGTH):
            return None
        words = all_text(element, 4 * _HEADING_LENGTH)
        if len(words) > 4 * _HEADING_LENGTH:
            return None
    else:
        words = element.text or ""
    words = collapse(words)
    if not words or len(words) > _HEADING_LENGTH:
        return None
    if heads_related(words):
        return True
    return False if element.tag in HEADINGS or heads_other(words) else None


def _is_named_related(element: _Element) -> bool:
    name = f"{element.get('class') or ''} {element.get('id') or ''}"
    return name != " " and _NAMED_RELATED.search(name) is not None


def _links_inside(
    element: _Element,
    order: dict[_Element, int],
    anchors: list[tuple[str, _Element]],
    places: list[int],
) -> _Links:
    """Return the links inside an element named as related."""
    first = bisect_left(places, order[element])
    last = bisect_left(places, _place(following(element), order))
    return _Links("list named as related", False, anchors[first:last])


def _place(element: _Element | None, order: dict[_Element, int]) -> int:
    """Return an element's position in the page; None is the end of the page."""
    return len(order) if element is None else order[element]


def _links_under(
    heading: _Element,
    order: dict[_Element, int],
    ends: list[int],
    anchors: list[tuple[str, _Element]],
    places: list[int],
) -> _Links:
    """Return the links below a heading, up to the next heading.

    Only the smallest element that contains the heading and the first link is searched. ``order``
    maps each element to its position; ``ends`` and ``places`` hold the positions of the headings
    that end a list and of the anchors.
    """
    links = _Links(
        f"links under {collapse(all_text(heading, _HEADING_LENGTH))[:_HEADING_LENGTH]!r}",
        heading.tag in HEADINGS,
    )
    heading_place = order[heading]
    next_end = bisect_right(ends, heading_place)
    first = bisect_right(places, heading_place)
    last = bisect_left(places, ends[next_end]) if next_end < len(ends) else len(places)
    if first >= last:
        return links
    path = [anchors[first][1], *anchors[first][1].iterancestors()]
    around_first = set(path)
    scope = next(e for e in (heading, *heading.iterancestors()) if e in around_first)
    branch = path[path.index(scope) - 1] if scope is not path[0] else scope
    end = _end_of_list(branch, order, places[last - 1])
    links.anchors += anchors[first : bisect_left(places, end, first, last)]
    return links


def _end_of_list(branch: _Element, order: dict[_Element, int], last: int) -> int:
    """Return the position after the list that starts at ``branch``, ignoring nodes after ``last``.

    Following siblings continue the list if they have the same tag; line breaks and pictures between
    them are skipped.
    """
    for sibling in branch.itersiblings():
        if order[sibling] > last:
            break
        if not isinstance(sibling.tag, str) or sibling.tag in ("br", "hr", "img"):
            continue
        if sibling.tag != branch.tag and not {sibling.tag, branch.tag} <= {"dt", "dd"}:
            return order[sibling]
    parent = branch.getparent()
    return _place(following(branch if parent is None else parent), order)


def _listed_entries(links: _Links, url: str | None) -> Iterator[Listed]:
    texts: dict[str, str] = {}
    pictures: dict[str, str] = {}
    for article_id, anchor in links.anchors:
        if has_many_elements(anchor, _MOST_IN_A_LINK):
            texts.setdefault(article_id, "")
            continue
        text = _title(anchor)
        if len(text) > len(texts.get(article_id, "")) and not (
            texts.get(article_id) and _is_prompt(text)
        ):
            texts[article_id] = text
        else:
            texts.setdefault(article_id, text)
        for image in anchor.iter("img"):
            if source := image.get("data-src") or image.get("src"):
                pictures.setdefault(article_id, _absolute(source, url))
    for article_id, text in texts.items():
        yield Listed(article_id, text or None, pictures.get(article_id))


def _absolute(source: str, url: str | None) -> str:
    try:
        return urljoin(url or "", source.strip())
    except ValueError:
        return source


def _is_prompt(text: str) -> bool:
    return re.fullmatch(r"(?:read|see|more|continue|full).{0,20}", text, re.IGNORECASE) is not None


def _title(anchor: _Element) -> str:
    """Return a link's text: its heading, all its text, its title or an image's alt text."""
    heading = next((e for e in anchor.iter(*HEADINGS)), None)
    text = collapse(all_text(anchor if heading is None else heading, _LONGEST_TITLE))
    if text:
        return text
    images = [image.get("alt") for image in anchor.iter("img")]
    return collapse(anchor.get("title") or next((alt for alt in images if alt), ""))
