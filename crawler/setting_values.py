"""Reads and checks the values of settings. Each error names the setting and the accepted values."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.credentials import Server, hide_userinfo_of, split_userinfo
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

_UNLIMITED = 1 << 62


def most_bytes(settings: BaseSettings) -> int:
    """Return the size limit of a page in bytes: DOWNLOAD_MAXSIZE, where 0 means no limit."""
    return settings.getint("DOWNLOAD_MAXSIZE") or _UNLIMITED


def seconds_setting(settings: BaseSettings, name: str) -> float:
    """Return a setting in seconds. Raises CrawlerError if it is not a number."""
    try:
        return settings.getfloat(name)
    except (TypeError, ValueError):
        raise CrawlerError(f"{name}: got {settings[name]!r}, takes seconds") from None


def seconds_of(settings: BaseSettings, name: str) -> float:
    """Return a setting in seconds. Raises CrawlerError if it is not above 0 and finite."""
    seconds = seconds_setting(settings, name)
    if not 0 < seconds < float("inf"):
        raise CrawlerError(f"{name}: got {settings[name]!r}, takes seconds, more than 0")
    return seconds


def tls_ca_file(settings: BaseSettings) -> str | None:
    """Return TLS_CA_FILE, a PEM file of certificate authorities, or None if it is not set.

    Raises CrawlerError if the file cannot be read or is not a PEM file with certificates.
    """
    path = settings["TLS_CA_FILE"]
    if not path:
        return None
    if defect := _defect_of_certificates(path):
        raise CrawlerError(
            f"TLS_CA_FILE: got {str(path)!r}, which {defect}; takes a PEM file with the "
            "certificates of authorities to trust besides the system's"
        )
    return str(path)


def _defect_of_certificates(path: str) -> str | None:
    """Return the reason why OpenSSL finds no certificates in a PEM file; None if it does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "is not a PEM file, or is damaged"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (TypeError, ValueError) as error:
        return f"is not the name of a file ({error})"
    # A list of revoked certificates is loaded, too.
    return None if context.cert_store_stats()["x509"] else "holds no certificate"


def server_named(setting: str, value: str | None, example: str) -> Server:
    """Return the server that a setting names, with the user and password from its URL.

    Raises CrawlerError, with the password hidden, if the value is not an HTTP URL.
    """
    try:
        server = split_userinfo(value or "")
        parts = urlsplit(server.url)
        is_server = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        is_server = False
    if not value or not is_server:
        safe_value = value and hide_userinfo_of(value)
        raise CrawlerError(
            f"{setting}: got {safe_value!r}, takes the URL of a server, such as {example}"
        )
    return server
