"""Checks the values of a publisher's fields.

``problems`` takes a ``Publisher`` and yields each field with a wrong value, with the reason. Types
are checked first, because Python does not check them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import Field, fields
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from crawler.errors import did_you_mean
from crawler.extraction.addresses import HOST_NAME
from crawler.extraction.publishers import Publisher

if TYPE_CHECKING:
    from collections.abc import Iterator

SET_BY_CRAWLS = ("mirror", "id_prefix")
"""The fields that a crawl sets itself, and a publisher file may not set."""
FIELDS = tuple(field.name for field in fields(Publisher) if field.name not in SET_BY_CRAWLS)
"""The fields that a publisher file may set."""
NAME = re.compile(r"[\w.-]{1,64}")
"""The name of a publisher."""
NAME_TAKES = "up to 64 letters, digits, dots, underscores and hyphens"
_ROOT = re.compile(r"https?://[^/?#\s]+(?:/[^?#\s]*)?")


class _Type(NamedTuple):
    fits: Callable[[object], bool]
    takes: str


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object, container: type[frozenset[str]] | type[tuple[str, ...]]) -> bool:
    return isinstance(value, container) and all(map(_is_text, value))


def _is_pattern(value: object, of: type[str] | type[bytes]) -> bool:
    return isinstance(value, re.Pattern) and isinstance(value.pattern, of)


_TYPES = {
    "str": _Type(_is_text, "a text in quotes"),
    "bool": _Type(lambda value: isinstance(value, bool), "True or False"),
    "frozenset[str]": _Type(
        lambda value: _are_texts(value, frozenset),
        'a frozenset of texts, such as frozenset({"news.example"})',
    ),
    "tuple[str, ...]": _Type(
        lambda value: _are_texts(value, tuple), 'a tuple of texts, such as ("The Example",)'
    ),
    "re.Pattern[str]": _Type(
        lambda value: _is_pattern(value, str), 'a compiled pattern, such as re.compile(r"/news/")'
    ),
    "re.Pattern[bytes]": _Type(
        lambda value: _is_pattern(value, bytes),
        'a compiled pattern of bytes, such as re.compile(rb"The Example")',
    ),
}
_FUNCTION = _Type(callable, "a function")


def problems(publisher: Publisher) -> Iterator[tuple[str, str]]:
    """Yield each field of a publisher that has a wrong value, with the reason."""
    yield from _wrong_types(publisher)
    if not NAME.fullmatch(publisher.name):
        yield "name", f"got {publisher.name!r}, takes {NAME_TAKES}"
    yield from _wrong_hosts(publisher)
    yield from _wrong_addresses(publisher)
    if publisher.time_zone and not _is_time_zone(publisher.time_zone):
        hint = did_you_mean(publisher.time_zone, available_timezones())
        yield (
            "time_zone",
            f"got {publisher.time_zone!r}, takes an IANA name such as Europe/Berlin{hint}",
        )
    if publisher.related_selector is not None:
        yield from _wrong_selector(publisher.related_selector)


def _wrong_types(publisher: Publisher) -> Iterator[tuple[str, str]]:
    for field in fields(Publisher):
        value = getattr(publisher, field.name)
        if field.name in SET_BY_CRAWLS:
            if value != field.default:
                yield field.name, f"got {value!r}, but crawls set this field; leave it out"
            continue
        kind, is_optional = _type_of(field)
        if not kind.fits(value) and not (value is None and is_optional):
            yield field.name, f"got {value!r}, takes {kind.takes}"


def _type_of(field: Field[object]) -> tuple[_Type, bool]:
    """Return the type of a field, and whether it may be None."""
    is_class = isinstance(field.type, type) and field.type in (str, bool)
    annotation = field.type.__name__ if is_class else str(field.type)  # type: ignore[union-attr]
    name = annotation.removesuffix(" | None")
    return _TYPES.get(name, _FUNCTION), name != annotation


def _wrong_hosts(publisher: Publisher) -> Iterator[tuple[str, str]]:
    if not publisher.hosts:
        yield "hosts", 'got none, takes the host names of the publisher, such as "news.example"'
    for host in sorted(publisher.hosts):
        if not HOST_NAME.fullmatch(host):
            yield (
                "hosts",
                f"got {host!r}, takes host names in lower case, without https:// and without a "
                "port, such as news.example",
            )


def _wrong_addresses(publisher: Publisher) -> Iterator[tuple[str, str]]:
    root, path = publisher.base_url, publisher.article_path
    if root is not None and not _ROOT.fullmatch(root):
        yield "base_url", f"got {root!r}, takes a root URL such as https://www.news.example"
    elif root is not None and not publisher.owns(root):
        hosts = ", ".join(sorted(publisher.hosts))
        yield "base_url", f"got {root!r}, which is on none of the hosts; takes a URL on {hosts}"
    if path is not None and not (path.startswith("/") and _places(path) == {"id"}):
        yield "article_path", f"got {path!r}, takes a path with {{id}}, such as /news/{{id}}"
    elif path is not None and not publisher.has_own_ids:
        yield (
            "article_path",
            f"got {path!r}, but ids are known only with an article_pattern that has a group; "
            "set it, or leave article_path out",
        )
    picture = publisher.picture_url
    if picture is not None and _places(picture) != {"path"}:
        takes = "takes a URL with {path}, such as https://media.news.example{path}"
        yield "picture_url", f"got {picture!r}, {takes}"
    if not publisher.default_source:
        yield "default_source", "got '', takes the source of crawls without one, such as live"


def _places(template: str) -> set[str]:
    """Return the names in the braces of a text; that of a faulty brace is empty."""
    try:
        return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:
        return {""}


def _is_time_zone(name: str) -> bool:
    # available_timezones() would read hundreds of files.
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _wrong_selector(selector: str) -> Iterator[tuple[str, str]]:
    from cssselect import HTMLTranslator, SelectorError

    try:
        HTMLTranslator().css_to_xpath(selector)
    except SelectorError as error:
        yield (
            "related_selector",
            f"got {selector!r}, which is not a CSS selector of elements ({error}); takes one such "
            "as aside.related",
        )
