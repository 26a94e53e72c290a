"""Normalises the addresses of articles, so that the variants of one address give the same id.

An id made from an address has no scheme: ``publisher.example/2026/05/01/some-story``. Variants are
http and https, ``www.`` and other hosts for the same pages, AMP and print versions, index files, a
trailing slash, tracking parameters and another spelling of percent-encoding. w3lib does the
spelling. courlan's list of tracking parameters is not used, because it includes some that identify
articles, such as ``cid`` and ``eid``.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from w3lib.url import canonicalize_url

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_DEFAULT_PORTS = {"http": 80, "https": 443}
VARIANT_HOSTS = ("www", "m", "amp", "mobile")
"""The first labels of hosts that serve the pages of the host without that label."""
_VARIANT_HOST = re.compile(r"^(?:(?:www[0-9]?|m|amp|mobile)\.)+(?=[^.]+\.)")
_INDEX_FILE = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?|jsp|shtml|cfm)$", re.IGNORECASE)
_VARIANT_PATH = re.compile(r"(?:/amp|/print|(?<=\w)\.amp)/*$", re.IGNORECASE)
_VARIANT_FILE = re.compile(r"\.(?:amp|print)(\.[a-z]{3,5})$", re.IGNORECASE)
_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.IGNORECASE)
_AMP_FOLDER = re.compile(r"^/amp(?=/.*[\w-]{8})", re.IGNORECASE)
# Parameters that say how a reader came to a page.
_TRACKING = re.compile(
    r"(?:utm|mtm|itm|pk|hsa|oly|vero|mkt|dcm|gaa|guce|soc|piwik|matomo|_hs)_\w*"
    r"|at_(?:medium|campaign|custom|link|bbc|ptr|format|send|recipient|creation)\w*"
    r"|ns_(?:campaign|mchannel|source|linkname|fee)|wt_mc|fb_(?:action|ref|source)\w*"
    r"|[a-z]{1,6}clid|gbraid|wbraid|igshid?|mc_[ce]id|xtor|xtref|wt\.\w+|cmpid|campaign_?id"
    r"|ico?id|ocid|ncid|partner_?id|smid|smtyp|srnd|taid|tpcc|cmp|ftag|ito|itid|guccounter"
    r"|ref|refer+er|ref_?src|ref_?url|source_?ref|sh|share|share_?\w*|s_?cid|emci|emdi|ceid"
    r"|_ga|_gl|jsessionid|phpsessid|traffic_?source|sr_share|cache_?buster|nocache",
    re.IGNORECASE,
)
# Parameters for another version of a page. Their names are common, so the value has to fit too.
_VERSION = re.compile(
    r"(?:output|output_?type|view|view_?mode|display|layout|format|version)"
    r"=(?:amp\w*|print\w*|mobile)"
    r"|(?:amp|print|printer_?friendly|mobile|m)(?:=(?:0|1|true|yes|on)?)?"
    r"|(?:page|seite)=[01]?",
    re.IGNORECASE,
)
HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f]*:[0-9a-f:.]+")
"""The name of a host as DNS knows it, or its IP address."""
# The domains of examples and tests (RFC 2606), which are on no list.
_RESERVED = (".example", ".test", ".invalid")
_HOST = re.compile(r"[\w.-]+(?::[0-9]+)?|\[[0-9a-fA-F:.]+\](?::[0-9]+)?")
# An address without a scheme: a host name or address, and the rest.
_WITHOUT_SCHEME = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?(?:[/?#].*)?", re.DOTALL)
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\x9f]")
_CACHED = 16_384


@lru_cache(maxsize=_CACHED)
def article_address(url: str) -> str | None:
    """Return the normalised address of a page, which is its id without a publisher file.

    Takes a URL, or an address without a scheme. None if it is not on the web.

        >>> article_address("http://m.publisher.example:80/2026/a%2dstory/?utm_source=x#top")
        'publisher.example/2026/a-story'
    """
    url = url.strip()
    if _WITHOUT_SCHEME.fullmatch(url):
        url = f"http://{url}"
    try:
        parts = urlsplit(canonicalize_url(url))
        host = _host_of(parts)
    except ValueError:
        return None
    if not _HOST.fullmatch(host) or parts.scheme not in _DEFAULT_PORTS:
        return None
    path = _SESSION.sub("", _AMP_FOLDER.sub("", parts.path))
    path = _VARIANT_FILE.sub(r"\1", path)
    shorter = _INDEX_FILE.sub("", _VARIANT_PATH.sub("", path)).rstrip("/")
    path = _VARIANT_PATH.sub("", shorter).rstrip("/")
    query = "&".join(filter(_identifies, parts.query.split("&")))
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def _identifies(parameter: str) -> bool:
    """Return whether a query parameter may be part of an article's identity."""
    name = parameter.partition("=")[0]
    return bool(parameter) and not _TRACKING.fullmatch(name) and not _VERSION.fullmatch(parameter)


def _host_of(parts: SplitResult) -> str:
    """Return the host of a URL without variant labels; with its port if it has no domain."""
    host = (parts.hostname or "").rstrip(".")
    if not host or _domain_of_host(host):
        return _VARIANT_HOST.sub("", host)
    return _with_port(host, parts)


def _with_port(host: str, parts: SplitResult) -> str:
    """Return a host that has no domain, with its port unless that is the scheme's default."""
    host = f"[{host}]" if ":" in host else host
    is_default = parts.port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return host if is_default else f"{host}:{parts.port}"


def absolute_url(url: str, base: str | None) -> str | None:
    """Return a URL resolved against a base; None if it is none, such as ``http://[``."""
    try:
        return urljoin(base or "", url)
    except ValueError:
        return None


def is_host_name(text: str) -> bool:
    """Return whether a text can only be the name of a host: one of a domain that there may be.

    >>> is_host_name("news.publisher.example"), is_host_name("jquery.min.js")
    (True, False)
    """
    host = ascii_host(text.lower())
    if not HOST_NAME.fullmatch(host) or ":" in host:
        return False
    return host.endswith(_RESERVED) or bool(_suffixes().privatesuffix(host, accept_unknown=False))


def ascii_host(host: str) -> str:
    """Return the name of a host as DNS knows it; "" if it is no host name.

    >>> ascii_host("münchen.example")
    'xn--mnchen-3ya.example'
    """
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except ValueError:
        return ""


def escaped(url: str) -> str:
    """Return a URL without spaces and control characters, which browsers escape.

    They drop line breaks and tabs.
    """
    return _NOT_IN_URLS.sub(lambda match: "" if match[0] in "\t\n\r" else quote(match[0]), url)


def domain_of(url: str) -> str | None:
    """Return the registrable domain of a URL's host, the name of its publisher.

    Private suffixes such as blogspot.com count, so each blog is a publisher of its own. A host
    without a domain, such as an IP address, stands for itself, with its port unless that is the
    default. None if the URL is not on the web.
    """
    try:
        parts = urlsplit(url)
        host = ascii_host((parts.hostname or "").rstrip("."))
        if not host or parts.scheme not in _DEFAULT_PORTS:
            return None
        return _domain_of_host(host) or _with_port(host, parts)
    except ValueError:
        return None


@lru_cache(maxsize=_CACHED)
def _domain_of_host(host: str) -> str | None:
    try:
        ip_address(host)
    except ValueError:
        domain: str | None = _suffixes().privatesuffix(host)
        return domain
    return None


@cache
def _suffixes() -> PublicSuffixList:
    # Reading the list takes a tenth of a second, which a run that fails before it need not spend.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
