"""Scrapy's retries, each after a pause that also holds back other requests to the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.retry import RetryMiddleware

from crawler.responses import retry_after
from crawler.scheduler import FrontierScheduler

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class PatientRetryMiddleware(RetryMiddleware):
    """Pauses for as long as Retry-After says, at most RETRY_AFTER_MAX seconds.

    Without the header the pause begins at RETRY_BACKOFF seconds and doubles with each retry of the
    same page.
    """

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        if request.meta.get("dont_retry"):
            return response
        result = super().process_response(request, response)
        retry_seconds = retry_after(response) if response.status in (429, 503) else None
        if retry_seconds is not None:
            # Pause even if this page is given up, because the others are on the same host.
            longest = self.crawler.settings.getfloat("RETRY_AFTER_MAX")
            self._pause(request, min(retry_seconds, longest))
        elif result is not response:
            self._back_off(request)
        return result

    def process_exception(  # type: ignore[override]
        self, request: Request, exception: Exception
    ) -> Request | Response | None:
        result = super().process_exception(request, exception)
        if result is not None:
            self._back_off(request)
        return result

    def _back_off(self, request: Request) -> None:
        retries = request.meta.get("retry_times", 0)
        self._pause(request, self.crawler.settings.getfloat("RETRY_BACKOFF") * 2**retries)

    def _pause(self, request: Request, seconds: float) -> None:
        scheduler = self.crawler.engine.scheduler
        if isinstance(scheduler, FrontierScheduler) and seconds > 0:
            self.crawler.stats.inc_value("retry/paused_seconds", round(seconds))
            scheduler.pause(request, seconds)
