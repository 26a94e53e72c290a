"""The user's proxies, to which Chromium's requests are forwarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]

from crawler.credentials import hide_userinfo_of, split_userinfo
from crawler.errors import CrawlerError
from crawler.extraction.publishers import host_and_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.settings import BaseSettings

_SCHEMES = ("http", "https")


class Upstream(NamedTuple):
    """A proxy, and the header lines to send to it."""

    host: str
    port: int
    tls: bool
    headers: tuple[str, ...]


class Upstreams:
    """The user's proxies, by URL scheme."""

    def __init__(self, proxies: Mapping[str, str]) -> None:
        """``proxies`` maps schemes to URLs and "no" to hosts, as in urllib.request.getproxies.

        Raises CrawlerError for an unsupported proxy.
        """
        self._bypass = {"no": proxies.get("no", "")}
        self._by_scheme = {
            scheme: _upstream(proxies[scheme]) for scheme in _SCHEMES if scheme in proxies
        }

    def for_host(self, scheme: str, host: str) -> Upstream | None:
        """Return the proxy for a host, or None to connect to it directly."""
        if proxy_bypass_environment(host, self._bypass):
            return None
        return self._by_scheme.get(scheme)


def proxies_of(settings: BaseSettings) -> dict[str, str]:
    """Return the user's proxies by scheme, and under "no" the hosts to connect to directly.

    They come from ``proxy`` in PLAYWRIGHT_LAUNCH_OPTIONS or else, as in Scrapy, from the
    environment (http_proxy, https_proxy, no_proxy).
    """
    proxy = settings.getdict("PLAYWRIGHT_LAUNCH_OPTIONS").get("proxy")
    if not proxy:
        return getproxies() if settings.getbool("HTTPPROXY_ENABLED") else {}
    scheme, separator, host = str(proxy.get("server", "")).rpartition("://")
    user, password = (quote(proxy.get(name) or "", "") for name in ("username", "password"))
    userinfo = f"{user}:{password}@" if user or password else ""
    url = f"{scheme or 'http'}{separator or '://'}{userinfo}{host}"
    return {"http": url, "https": url, "no": proxy.get("bypass") or ""}


def _upstream(url: str) -> Upstream:
    try:
        server = split_userinfo(url if "://" in url else f"http://{url}")
        parts = urlsplit(server.url)
        host, port = host_and_port(server.url)
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in _SCHEMES or not host:
        raise CrawlerError(
            f"proxy: got {hide_userinfo_of(url)!r}, takes http://HOST:PORT or https://HOST:PORT"
        )
    password = server.authorization
    headers = (f"Proxy-Authorization: {password.decode('ascii')}",) if password else ()
    return Upstream(host, port, parts.scheme == "https", headers)
