"""The related items of a page that links to them: the site's own articles under a related-news heading."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml.etree import _Element

from crawler.page.blocks import HEADINGS
from crawler.page.leak import Listed, Related
from crawler.page.parts import heads_other, heads_related
from crawler.page.text import all_text, collapse
from crawler.sites import Site

_NAMED_RELATED = re.compile(r"(?:^|[\s_-])related|related(?:$|[\s_-])", re.IGNORECASE)
_HEADING_LENGTH = 60
_MOST_HEADINGS = 50


@dataclass(slots=True)
class _Links:
    """Links to articles, in order; a picture and a headline may both link to the same one."""

    where: str
    headed: bool
    anchors: list[tuple[str, _Element]] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        return {article_id for article_id, _ in self.anchors}


def read(root: _Element, site: Site, url: str | None) -> Related | None:
    """Return the list of links under a related-news heading; None where the page has no such list."""
    order: dict[_Element, int] = {}
    anchors: list[tuple[str, _Element]] = []
    headings: list[tuple[_Element, bool]] = []
    named: list[_Element] = []
    # "Print" and "Back to top" link to the page itself.
    own = site.id_of(url) if url else None
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        order[element] = len(order)
        if element.tag == "a":
            href = element.get("href")
            if href and (article_id := site.id_of(href, url)) and article_id != own:
                anchors.append((article_id, element))
        if (kind := _heading(element)) is not None:
            headings.append((element, kind))
        elif (
            name := f"{element.get('class') or ''} {element.get('id') or ''}"
        ) != " " and _NAMED_RELATED.search(name):
            named.append(element)
    if not anchors:
        return None
    # Another heading of the page ends a list; one inside an entry of the list does not.
    ends = [order[h] for h, related in headings if related or not _is_title_of_entry(h)]
    places = [order[a] for _, a in anchors]
    below = [heading for heading, related in headings if related][:_MOST_HEADINGS]
    groups = [_under(heading, order[heading], ends, anchors, places) for heading in below]
    groups += _inside(named, anchors)
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


def _inside(named: list[_Element], anchors: list[tuple[str, _Element]]) -> list[_Links]:
    """The links inside each element that is named as related."""
    groups = {element: _Links("list named as related", False) for element in named}
    for article_id, anchor in anchors:
        for element in anchor.iterancestors():
            if element in groups:
                groups[element].anchors.append((article_id, anchor))
    return list(groups.values())


def _under(
    heading: _Element,
    at: int,
    ends: list[int],
    anchors: list[tuple[str, _Element]],
    places: list[int],
) -> _Links:
    """The links that a heading stands over: in the smallest part of the page that holds both, up to the next heading.

    ``at`` is the heading's place in the page, ``ends`` those of all headings that end a list, ``places`` those of the anchors; in order.
    """
    links = _Links(
        f"links under {collapse(all_text(heading, _HEADING_LENGTH))[:_HEADING_LENGTH]!r}",
        heading.tag in HEADINGS,
    )
    following = bisect_right(ends, at)
    after = anchors[
        bisect_right(places, at) : bisect_left(places, ends[following])
        if following < len(ends)
        else None
    ]
    if not after:
        return links
    first = [after[0][1], *after[0][1].iterancestors()]
    scope = next(element for element in (heading, *heading.iterancestors()) if element in first)
    branch = first[first.index(scope) - 1] if scope is not after[0][1] else scope
    inside = {branch, *_fellows(branch)}
    links.anchors += [(i, a) for i, a in after if inside & {a, *a.iterancestors()}]
    return links


def _is_title_of_entry(heading: _Element) -> bool:
    """A heading that is a link, is inside one, or holds one is an entry's title."""
    return heading.find(".//a") is not None or any(e.tag == "a" for e in heading.iterancestors())


def _fellows(branch: _Element) -> Iterator[_Element]:
    """The siblings after an element that go on the same list: the same tag, or line breaks and pictures between."""
    for sibling in branch.itersiblings():
        if not isinstance(sibling.tag, str) or sibling.tag in ("br", "hr", "img"):
            continue
        if sibling.tag != branch.tag and not {sibling.tag, branch.tag} <= {"dt", "dd"}:
            return
        yield sibling


def _listed(links: _Links, url: str | None) -> Iterator[Listed]:
    texts: dict[str, str] = {}
    pictures: dict[str, str] = {}
    for article_id, anchor in links.anchors:
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
    text = collapse(all_text(heading if heading is not None else anchor))
    if text:
        return text
    images = [image.get("alt") for image in anchor.iter("img")]
    return collapse(anchor.get("title") or next((alt for alt in images if alt), ""))
