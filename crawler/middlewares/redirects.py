"""Scrapy's redirects, with a reason for each that cannot be followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest

from crawler.extraction.publishers import same_server
from crawler.responses import CONDITIONS
from crawler.unavailable import PageRefused
from crawler.visits import errand_of

if TYPE_CHECKING:
    from scrapy.http import Response


class RefusingRedirectMiddleware(RedirectMiddleware):
    """Raises PageRefused for a redirect loop and for a redirect to an invalid URL.

    A redirect to another server is followed without conditions, because validators belong to one
    server.
    """

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        try:
            result = super().process_response(request, response)
        except ValueError as error:
            # "javascript:", "http://[x"
            location = (response.headers.get(b"Location") or b"").decode("latin-1")
            detail = f"redirected to {location!r}, which is not a valid URL"
            raise PageRefused("http_3xx", detail) from error
        except IgnoreRequest as error:
            hint = ""
            if b"Set-Cookie" in response.headers and not self._has_cookies:
                hint = "; the site sets a cookie with the redirect: try -s COOKIES_ENABLED=1"
            detail = f"{error}, the last to {response.url}{hint}"
            raise PageRefused("redirect_loop", detail) from error
        if isinstance(result, Request):
            self._note_redirect(request, result)
        return result

    def _note_redirect(self, request: Request, redirect: Request) -> None:
        errand = errand_of(request)
        if errand and errand.robots_redirects is not None:
            errand.robots_redirects.append(redirect.url)
        if not same_server(request.url, redirect.url):
            for name in CONDITIONS:
                redirect.headers.pop(name, None)

    @property
    def _has_cookies(self) -> bool:
        return self.crawler.settings.getbool("COOKIES_ENABLED")
