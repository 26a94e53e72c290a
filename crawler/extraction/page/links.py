"""The related items of a page that links to them: the site's own articles under a related-news heading."""

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
# Characters and elements; a link that holds more of them was never closed.
_LONGEST_TITLE, _MOST_IN_A_LINK = 10_000, 200


@dataclass(slots=True)
class _Links:
    """Links to articles, in order; a picture and a headline may both link to the same one."""

    where: str
    headed: bool
    anchors: list[tuple[str, _Element]] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        return {article_id for article_id, _ in self.anchors}


def read(root: _Element, publisher: Publisher, url: str | None) -> Related | None:
    """Return the list of links under a related-news heading; None where the page has no such list."""
    order: dict[_Element, int] = {}
    anchors: list[tuple[str, _Element]] = []
    headings: list[tuple[_Element, bool]] = []
    named: list[_Element] = []
    linked: set[_Element] = set()
    # What follows the link and the named part that are open: None at the end of the page, ``root`` where none is open.
    after_link: _Element | None = root
    after_named: _Element | None = root
    # "Print" and "Back to top" link to the page itself.
    own = publisher.id_of(url) if url else None
    for element in root.iter():
        order[element] = len(order)
        after_link = root if element is after_link else after_link
        after_named = root if element is after_named else after_named
        if not isinstance(element.tag, str):
            continue
        if element.tag == "a":
            href = element.get("href")
            if href and (article_id := publisher.id_of(href, url)) and article_id != own:
                anchors.append((article_id, element))
            after_link = following(element) if after_link is root else after_link
        if (kind := _heading(element)) is not None:
            headings.append((element, kind))
            if after_link is not root:
                linked.add(element)
        elif after_named is root and _is_named_related(element):
            # A named part inside of another holds no more than that.
            named.append(element)
            after_named = following(element)
    if not anchors:
        return None
    linked |= around(root.iter("a"))
    # Another heading of the page ends a list; one inside an entry of the list does not.
    ends = [order[h] for h, related in headings if related or h not in linked]
    places = [order[a] for _, a in anchors]
    below = [heading for heading, related in headings if related][:_MOST_HEADINGS]
    groups = [_under(heading, order, ends, anchors, places) for heading in below]
    groups += [_inside(element, order, anchors, places) for element in named]
    # One link beside "Read also:" inside the text is no list; under a heading of its own it is.
    groups = [group for group in groups if len(group.ids) > 1 or group.headed]
    best = max(
        groups,
        key=lambda group: (len(group.ids) > 1, group.where.startswith("links"), len(group.ids)),
        default=None,
    )
    if best is None or not best.anchors:
        return None
    return Related(tuple(_listed(best, url)), True, best.where)


def _heading(element: _Element) -> bool | None:
    """Whether an element is a heading: True of related news, False of another part, None if it is none."""
    if element.tag == "a" and (element.get("href") or "").startswith("#"):
        # The label of a tab, which stands far from what it shows.
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


def _inside(
    element: _Element,
    order: dict[_Element, int],
    anchors: list[tuple[str, _Element]],
    places: list[int],
) -> _Links:
    """The links inside an element that is named as related."""
    first = bisect_left(places, order[element])
    last = bisect_left(places, _place(following(element), order))
    return _Links("list named as related", False, anchors[first:last])


def _place(element: _Element | None, order: dict[_Element, int]) -> int:
    """The place of an element in the page, of which None is the end."""
    return len(order) if element is None else order[element]


def _under(
    heading: _Element,
    order: dict[_Element, int],
    ends: list[int],
    anchors: list[tuple[str, _Element]],
    places: list[int],
) -> _Links:
    """The links that a heading stands over: in the smallest part of the page that holds both, up to the next heading.

    ``order`` has the place of each element of the page, ``ends`` those of all headings that end a list, ``places`` those of the anchors.
    """
    links = _Links(
        f"links under {collapse(all_text(heading, _HEADING_LENGTH))[:_HEADING_LENGTH]!r}",
        heading.tag in HEADINGS,
    )
    at = order[heading]
    next_end = bisect_right(ends, at)
    first = bisect_right(places, at)
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
    """The place where the list that an element begins has ended; what stands behind ``last`` does not count.

    The siblings after an element go on the same list: the same tag, or line breaks and pictures between.
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


def _listed(links: _Links, url: str | None) -> Iterator[Listed]:
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
    """A link's words: its heading, else all its text, else the title or the picture's text of a bare picture."""
    heading = next((e for e in anchor.iter(*HEADINGS)), None)
    text = collapse(all_text(anchor if heading is None else heading, _LONGEST_TITLE))
    if text:
        return text
    images = [image.get("alt") for image in anchor.iter("img")]
    return collapse(anchor.get("title") or next((alt for alt in images if alt), ""))
