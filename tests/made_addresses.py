"""The ways in which a made-up publisher spells the address of one article in its links."""

import posixpath
import re
from random import Random
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

SPELLINGS = (
    *("main", "raw letters", "root-relative", "scheme-relative", "relative", "fragment"),
    *("tracking", "http", "bare host", "bare http", "mobile host", "amp host"),
    *("slash", "index", "escaped letters", "mixed"),
)
"""The kinds of addresses that have the id of their article: no request is needed to see it."""
ALIASES = ("amp page", "print page", "number", "old slug")
"""The kinds of addresses that lead to an article, but show to which only when they are fetched."""

# These stand for the main address; only the way of writing them in a link differs.
_WRITTEN_OTHERWISE = ("raw letters", "root-relative", "scheme-relative", "relative")
# Only the canonical link of these pages says which article they show.
_NEEDS_CANONICAL = ("amp page", "print page")
_FOR_FOLDERS = ("slash", "index")
_TRACKING = (
    "utm_source=newsletter&utm_medium=email&utm_campaign={}",
    "utm_source=facebook&fbclid=IwAR{}",
    "fbclid=IwAR{}",
    "gclid=Cj0K{}",
    "at_medium=RSS&at_campaign={}",
    "mc_cid={}&mc_eid=UNIQID",
)
TRACKING_NAME = re.compile(r"utm_\w+|fbclid|gclid|at_\w+|mc_\w+")
"""The names of parameters that have no effect on the page."""


class Hosts(NamedTuple):
    """The host names of a publisher. Only the main one is required."""

    main: str
    bare: str = ""
    mobile: str = ""
    amp: str = ""

    @property
    def domain(self) -> str:
        """The host in the ids of articles."""
        return self.bare or self.main


def article_id(hosts: Hosts, path: str) -> str:
    """Return the id of the article at a path: its address without scheme, www and so on."""
    return hosts.domain + path


def kinds_of(hosts: Hosts, path: str, is_canonical_right: bool) -> tuple[str, ...]:
    """Return the kinds of addresses that an article at a path can have."""
    unsuitable: set[str] = set()
    if not hosts.bare:
        unsuitable.update(("bare host", "bare http", "mixed"))
    if not hosts.mobile:
        unsuitable.add("mobile host")
    if not hosts.amp:
        unsuitable.add("amp host")
    if path.endswith(".html"):
        unsuitable.update(_FOR_FOLDERS)
    if "%" not in path:
        unsuitable.add("raw letters")
    if not is_canonical_right:
        unsuitable.update(_NEEDS_CANONICAL)
    return tuple(kind for kind in (*SPELLINGS, *ALIASES) if kind not in unsuitable)


def spell(kind: str, hosts: Hosts, path: str, number: int, random: Random) -> str:
    """Return an address of the article at a path. It is absolute, whatever its kind."""
    is_file = path.endswith(".html")
    main = f"https://{hosts.main}{path}"
    if kind == "main" or kind in _WRITTEN_OTHERWISE:
        return main
    return {
        "fragment": f"{main}#comments",
        "tracking": f"{main}?{_tracking(random)}",
        "http": f"http://{hosts.main}{path}",
        "bare host": f"https://{hosts.bare}{path}",
        "bare http": f"http://{hosts.bare}{path}",
        "mobile host": f"https://{hosts.mobile}{path}",
        "amp host": f"https://{hosts.amp}{path}",
        "slash": f"{main}/",
        "index": f"{main}/index.html",
        "escaped letters": f"https://{hosts.main}{_escape_otherwise(path, random)}",
        "mixed": f"http://{hosts.bare}{path}{'' if is_file else '/'}?{_tracking(random)}#top",
        "amp page": f"{main}?outputType=amp" if is_file else f"{main}/amp",
        "print page": f"{main}?print=1" if is_file or random.random() < 0.5 else f"{main}/print",
        "number": f"https://{hosts.main}/story?id={number}",
        "old slug": f"https://{hosts.main}{old_path(path, number)}",
    }[kind]


def old_path(path: str, number: int) -> str:
    """Return the path at which an article was first published."""
    for end in (f"-{number}", ".html"):
        if path.endswith(end):
            return f"{path.removesuffix(end)}-as-it-happened{end}"
    return f"{path}-as-it-happened"


def write(kind: str, address: str, page_path: str) -> str:
    """Return the value of ``href`` for an address of this kind on the page at a path."""
    parts = urlsplit(address)
    match kind:
        case "raw letters":
            return unquote(address)
        case "root-relative":
            return parts.path
        case "scheme-relative":
            return address.removeprefix("https:")
        case "relative":
            return posixpath.relpath(parts.path, posixpath.dirname(page_path))
    return address


def _tracking(random: Random) -> str:
    return random.choice(_TRACKING).format(f"{random.randrange(16**8):08x}")


def _escape_otherwise(path: str, random: Random) -> str:
    """Return an equivalent path: with lower-case escapes, or with a letter escaped in vain."""
    if "%" in path and random.random() < 0.5:
        return re.sub("%..", lambda escape: escape[0].lower(), path)
    place = path.rindex("/") + 1
    return f"{path[:place]}%{ord(path[place]):02X}{path[place + 1 :]}"
