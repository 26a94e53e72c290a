"""Scrapy's redirects, with a reason for each that cannot be followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest

from crawler.crawl.run import run_of
from crawler.extraction.publishers import same_server
from crawler.responses import CONDITIONS
from crawler.unavailable import PageRefused, SameArticle
from crawler.visits import errand_of, visit_of

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.crawl.run import Run
    from crawler.visits import Visit


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
            result = self._at_mirror(result)
            self._note_redirect(request, result)
            self._refuse_if_known(result)
        return result

    def _note_redirect(self, request: Request, redirect: Request) -> None:
        errand = errand_of(request)
        if errand and errand.robots_redirects is not None:
            errand.robots_redirects.append(redirect.url)
        if not same_server(request.url, redirect.url):
            for name in CONDITIONS:
                redirect.headers.pop(name, None)

    def _at_mirror(self, redirect: Request) -> Request:
        """Return a redirect to the publisher's own host as one to its mirror, if it has one."""
        run, visit = run_of(self.crawler.spider), visit_of(redirect)
        publisher = run.publishers.of(redirect.url) if run and visit else None
        if publisher is None or publisher.mirror is None:
            return redirect
        url = publisher.url_to_request(redirect.url)
        return redirect if url == redirect.url else redirect.replace(url=url)

    def _refuse_if_known(self, redirect: Request) -> None:
        """Raise SameArticle for a redirect to an article that was requested before this one."""
        run, visit = run_of(self.crawler.spider), visit_of(redirect)
        if run and visit and (known := known_before(run, visit, redirect.url)):
            raise SameArticle(known)

    @property
    def _has_cookies(self) -> bool:
        return self.crawler.settings.getbool("COOKIES_ENABLED")


def known_before(run: Run, visit: Visit, url: str) -> str | None:
    """Return the id of the article to which a redirect led, if it was requested before this one.

    Articles with ids of their own are left alone: there, another id is another article.
    """
    publisher = run.publishers.of(url)
    if visit.state is None or publisher is None or publisher.has_own_ids or run.duplicates:
        return None
    article_id = publisher.id_of(url)
    other = run.frontier.find(article_id) if article_id else None
    if other and other is not visit.state and run.frontier.comes_before(other, visit.state):
        return other.id
    return None
