"""Writes a draft as a publisher file: Python source with one line and one comment for each field.

Fields whose values the pages tell are set. The others are commented out, with an example.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from crawler.terminal import escaped

if TYPE_CHECKING:
    from crawler.publisher_drafts.drafting import Addresses, Draft

_LONGEST_COMMENT = 94


class Line(NamedTuple):
    """A field of a publisher file.

    ``value`` is its value as Python source, and an example if ``is_set`` is false. ``to_do`` is the
    part that is left to the developer, if any.
    """

    name: str
    comment: str
    value: str
    is_set: bool = False
    to_do: str | None = None


def source_of(draft: Draft) -> str:
    """Return the source of a publisher file. Each field is on a line of its own."""
    lines = [
        f'"""{_safe(" / ".join(draft.site_names) or draft.host)}: {draft.root}"""',
        "",
        "import re",
        "",
        "from crawler import Publisher",
        "",
        "PUBLISHER = Publisher(",
    ]
    for line in lines_of(draft):
        lines.append(f"    # {_safe(line.comment)}")
        lines.append(f"    {'' if line.is_set else '# '}{line.name}={line.value},")
    return "\n".join([*lines, ")", ""])


def lines_of(draft: Draft) -> list[Line]:
    """Return the fields of a publisher file, in order."""
    names = draft.site_names
    return [
        Line("name", "Its name in records; by default, that of this file.", _quoted(draft.name)),
        Line(
            "hosts",
            "The hosts of its pages. Their subdomains are included.",
            f"frozenset({{{_quoted(draft.host)}}})",
            is_set=True,
        ),
        Line(
            "base_url",
            "The root of its own URLs, such as those made from article_path.",
            _quoted(draft.root),
            is_set=True,
        ),
        *_address_lines(draft.addresses),
        _time_zone(draft),
        Line(
            "names",
            "Its names for itself, which are removed from headlines.",
            _tuple(names or ("The Example",)),
            is_set=bool(names),
            to_do=None if names else "the pages declare no name of their site",
        ),
        Line(
            "headline_mark",
            "Marks to remove from headlines. A group with a name means that there is a video.",
            _pattern(r"^(?P<video>VIDEO): "),
        ),
        _related_selector(draft),
        Line(
            "leaks",
            "The pages leak a PHP var_dump of their related items."
            if draft.leaks
            else "Whether pages may leak a PHP var_dump of their related items.",
            "True" if draft.leaks else "False",
            is_set=draft.leaks,
        ),
        Line(
            "picture_url",
            "Only for leaks: the URL of a picture whose path is listed.",
            '"https://media.example{path}"',
        ),
        Line(
            "uploaded",
            "Only for leaks: a function that returns a picture's upload time, given its path.",
            "read_upload_time",
        ),
        Line(
            "signature",
            "Found in its pages only. It recognises saved pages that declare no address.",
            f're.compile(rb"{draft.host}")',
        ),
        Line(
            "default_source",
            "The source of crawls that are given none, such as a web archive.",
            '"live,wayback"',
        ),
    ]


def _address_lines(addresses: Addresses) -> list[Line]:
    return [
        _article_pattern(addresses),
        _not_article_pattern(addresses),
        _article_path(addresses),
        Line(
            "ids_are_numbers",
            "Whether ids are the same with and without leading zeros.",
            "True",
        ),
    ]


def _article_pattern(addresses: Addresses) -> Line:
    name, pattern = "article_pattern", addresses.pattern
    if pattern is not None and addresses.doubt is None:
        comment = (
            f"Matches the addresses of articles. The group is the id, such as {pattern.ids[0]}."
        )
        return Line(name, comment, _pattern(pattern.pattern), is_set=True)
    if pattern is not None:
        comment = f"Check this pattern: {addresses.doubt}."
        to_do = f"found {pattern.pattern}, but {addresses.doubt}; check it"
        return Line(name, comment, _pattern(pattern.pattern), to_do=to_do)
    if addresses.recognised:
        comment = "The addresses have no id in common, so the address of an article is its id."
        return Line(name, comment, _pattern(r"/story/[^/]+/?$"))
    return Line(
        name,
        "Matches the addresses of articles, which the built-in rules do not recognise.",
        _pattern(r"/story/[^/]+/?$"),
        to_do="the built-in rules do not recognise these addresses as articles'; set a pattern",
    )


def _not_article_pattern(addresses: Addresses) -> Line:
    name = "not_article_pattern"
    if not addresses.lists:
        return Line(
            name,
            "Matches the addresses of pages that are no articles.",
            _pattern("/(?:tag|video)/"),
        )
    path = urlsplit(addresses.list_example or "").path
    folders = "|".join(map(re.escape, addresses.lists))
    return Line(
        name,
        f"Matches the addresses of lists, such as {path}",
        _pattern(f"/(?:{folders})/" if len(addresses.lists) > 1 else f"/{folders}/"),
        is_set=addresses.doubt is None,
    )


def _article_path(addresses: Addresses) -> Line:
    path = addresses.pattern.path if addresses.pattern else None
    if path is None:
        comment = "The path of an article, if its id suffices to make it. Seeds can then be ids."
        return Line("article_path", comment, '"/news/{id}"')
    comment = "The path of an article, made from its id. Seeds can be ids, too."
    return Line("article_path", comment, _quoted(path), is_set=addresses.doubt is None)


def _time_zone(draft: Draft) -> Line:
    name, example = "time_zone", '"Europe/Berlin"'
    if draft.unzoned:
        problem = f"{_some(draft.unzoned, draft)} a time without a zone"
        comment = f"{problem}. This zone is then assumed."
        return Line(name, comment, example, to_do=f"{problem}; set the zone if you know it")
    if draft.undated == draft.pages:
        comment = "Assumed for times without a zone. The pages state no time of day."
    else:
        comment = "Assumed for times without a zone. The pages state theirs."
    return Line(name, comment, example)


def _related_selector(draft: Draft) -> Line:
    name, example = "related_selector", '"aside.related"'
    if not draft.unlisted:
        comment = "CSS of the elements with the related links. The lists were found without it."
        return Line(name, comment, example)
    comment = f"CSS of the elements with the related links. {_some(draft.unlisted, draft)} no list."
    problem = f"{_some(draft.unlisted, draft)} no related list that the built-in rules find"
    if not draft.boxes:
        return Line(name, comment, example, to_do=f"{problem}; look for one in a browser")
    candidates = ", ".join(f"{box.selector} ({box.links} links)" for box in draft.boxes)
    return Line(
        name, comment, _quoted(draft.boxes[0].selector), to_do=f"{problem}; perhaps {candidates}"
    )


def _some(count: int, draft: Draft) -> str:
    """Return the start of a sentence about some of the pages, with its verb."""
    if draft.pages == 1:
        return "The page has"
    return f"{count} of {draft.pages} pages {'has' if count == 1 else 'have'}"


def _quoted(text: str) -> str:
    """Return Python source in double quotes, like that of ruff and black."""
    source = repr(text)
    if source.startswith("'") and '"' not in source:
        return f'"{source[1:-1]}"'
    return source


def _tuple(texts: tuple[str, ...]) -> str:
    comma = "," if len(texts) == 1 else ""
    return f"({', '.join(map(_quoted, texts))}{comma})"


def _pattern(pattern: str) -> str:
    source = f'r"{pattern}"' if '"' not in pattern else repr(pattern)
    return f"re.compile({source})"


def _safe(text: str) -> str:
    """Return text of a page for a comment or docstring: on one line, and not too long."""
    text = escaped(text).replace("\\", "/").replace('"""', "'''")
    return text if len(text) <= _LONGEST_COMMENT else f"{text[: _LONGEST_COMMENT - 1]}…"
