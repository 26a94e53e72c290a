"""User names and passwords in URLs (RFC 3986, 3.2.1), which must not be displayed or stored."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from w3lib.http import basic_auth_header

_IN_TEXT = re.compile(r"(?<=://)[^\s/?#'\"<>]*@")
# A password may contain "/" and "@" that should have been escaped; the last "@" ends it.
_IN_VALUE = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)


class Server(NamedTuple):
    """A server's URL without userinfo, and the user and password (decoded, possibly empty)."""

    url: str
    user: str
    password: str

    @property
    def authorization(self) -> bytes | None:
        """The value of an Authorization header (RFC 7617); None without user and password."""
        if not self.user and not self.password:
            return None
        return basic_auth_header(self.user, self.password, "utf-8")


def split_userinfo(url: str) -> Server:
    """Split the user and password off a URL. ValueError if it cannot be parsed."""
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    return Server(urlunsplit(parts._replace(netloc=host)), unquote(user), unquote(password))


def hide_userinfo(text: str) -> str:
    """Return a text with ``***`` in place of the userinfo of its URLs."""
    return _IN_TEXT.sub("***@", text) if "@" in text else text


def hide_userinfo_of(value: str) -> str:
    """Return a value meant as a URL, however malformed, with ``***`` in place of userinfo."""
    return _IN_VALUE.sub(r"\1***@", value)
