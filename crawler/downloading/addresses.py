"""The rules for network addresses that a crawl may connect to.

A site controls where its redirects, its scripts and its host name lead, so none of these may reach
this machine or its local network. Only hosts and ports that the user names may be private.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import inet_aton, inet_ntoa
from typing import TYPE_CHECKING, Any

from crawler.errors import CrawlerError
from crawler.extraction.publishers import host_and_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scrapy.settings import BaseSettings

HostAndPort = tuple[str, int]

_SERVER_SETTINGS = ("WAYBACK_URL", "WAYBACK_CDX_URL", "SPLASH_URL")
# RFC 6052: the last 32 bits are an IPv4 address.
_NAT64 = IPv6Network("64:ff9b::/96")
# RFC 4291, 2.5.5.1: the same, deprecated. It includes ::1 and ::, which remain private.
_COMPATIBLE = IPv6Network("::/96")


class PrivateAddressError(CrawlerError):
    """A host that the user did not name is at a private address."""

    def __init__(self, host: str, address: str) -> None:
        place = "a private address" if host == address else f"at {address}, a private address"
        super().__init__(f"{host} is {place}; name the host with base_url to crawl it")


def is_private(address: str) -> bool:
    """Return whether an IP address is private, loopback, multicast or otherwise not public.

    Raises ValueError if the text is not an IP address.
    """
    ip = _embedded(ip_address(address.partition("%")[0]))
    return not ip.is_global or ip.is_multicast


@lru_cache
def is_private_literal(host: str) -> bool:
    """Return whether a URL's host is a literal private IP address, or localhost.

    IPv4 addresses may have the older forms that browsers and resolvers accept (WHATWG URL, 3.5):
    127.1, 0177.0.0.1, 0x7f000001, 2130706433.
    """
    host = host.lower().strip("[]").rstrip(".")
    try:
        return is_private(host)
    except ValueError:
        pass
    try:
        return is_private(inet_ntoa(inet_aton(host)))
    except OSError:
        return host == "localhost" or host.endswith(".localhost")


def _embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address embedded in an IPv6 address, or else the address itself."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64 or ip in _COMPATIBLE:
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or ip


def publisher_named_by_user(
    given: Mapping[str, Any], seed_urls: Iterable[str] = ()
) -> frozenset[HostAndPort]:
    """Return the hosts and ports of the seeds and base_url in the spider arguments ``given``.

    ``seed_urls`` are the seeds that are URLs, those in files included. Unlike the user's other
    servers, these may be private even for requests by a page's scripts.
    """
    urls = [part.strip() for part in str(given.get("seed") or "").split(",")]
    return _hosts_and_ports([*urls, *seed_urls, given.get("base_url") or ""])


def named_by_user(
    given: Mapping[str, Any], settings: BaseSettings, seed_urls: Iterable[str] = ()
) -> frozenset[HostAndPort]:
    """Return the hosts and ports in spider arguments and settings, which may be private."""
    servers = _hosts_and_ports(settings[name] or "" for name in _SERVER_SETTINGS)
    return publisher_named_by_user(given, seed_urls) | servers


def _hosts_and_ports(urls: Iterable[str]) -> frozenset[HostAndPort]:
    return frozenset(host_and_port(url) for url in urls if "://" in url)
