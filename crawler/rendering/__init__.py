"""Pages as their scripts leave them (``-a render=``).

Scrapy fetches the page itself, like any other. So its status, headers and URL are the real ones,
and redirects, retries, Retry-After, robots.txt, the rules about hosts and the archive work as they
do without a browser. The browser is given the page's text in place of a response, runs its scripts,
and fetches what they request. If a script or a meta tag leads to another page, the browser does not
follow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from crawler.crawl.arguments import RENDERERS, WHERE_NEEDED, one_of
from crawler.setting_values import seconds_of
from crawler.visits import PURPOSE, Errand, Rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.settings import BaseSettings

_WATCH = Path(__file__).with_name("watch.js")


def request_meta() -> dict[str, Any]:
    """Return the meta of a request to a browser, which does not go to the publisher."""
    return {
        PURPOSE: Errand(named_by_user=True),
        "download_slot": "rendering",
        "autothrottle_dont_adjust_delay": True,
        "dont_obey_robotstxt": True,
        "dont_redirect": True,
        "dont_retry": True,
    }


class Renderer(Protocol):
    """A browser that runs the scripts of pages. ``name`` is one of RENDERERS."""

    name: str

    async def render(self, url: str, html: str, policies: Sequence[str]) -> Rendered:
        """Return a page as its scripts leave it.

        ``policies`` are the Content-Security-Policy headers of the page. Raises PageRefused if this
        page cannot be rendered, RendererError if none can.
        """
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a page, in seconds.

    A page has come to rest when nothing has happened for ``quiet``; ``timeout`` ends the wait.
    """

    timeout: float
    quiet: float

    @classmethod
    def of(cls, settings: BaseSettings) -> Self:
        """Read RENDER_TIMEOUT and RENDER_QUIET.

        Raises CrawlerError if one is not a number of seconds above 0.
        """
        return cls(seconds_of(settings, "RENDER_TIMEOUT"), seconds_of(settings, "RENDER_QUIET"))

    def watch(self) -> str:
        """Return the script that reports whether a page has come to rest."""
        script = _WATCH.read_text(encoding="utf-8")
        return f"{script}({self.timeout * 1000:.0f}, {self.quiet * 1000:.0f});"

    def rendered(self, renderer: str, html: str, settled: bool, led_to: str | None) -> Rendered:
        """Return the page in a browser, noting if it has not come to rest or leads elsewhere."""
        unfinished = None if settled else f"it had not come to rest after {self.timeout:g} s"
        if led_to:
            unfinished = f"its scripts then led to {led_to}"
        # Scripts can produce invalid text, such as half of a surrogate pair.
        body = html.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        return Rendered(renderer, body, unfinished)


def prepare(render: str, settings: BaseSettings) -> str:
    """Add what a browser needs to the settings of a run, and return which browser it is.

    Raises CrawlerError if that browser cannot be used. Code for other browsers is not imported.
    """
    Patience.of(settings)
    name = (
        one_of(RENDERERS, "RENDERER", str(settings["RENDERER"]))
        if render == WHERE_NEEDED
        else render
    )
    # No delay, because these requests go to the browser and not to the publisher.
    add_to(settings, "DOWNLOAD_SLOTS", {"rendering": {"delay": 0, "jitter": 0, "concurrency": 16}})
    browser(name).prepare(settings)
    middleware = "crawler.middlewares.rendering.RenderingMiddleware"
    add_to(settings, "DOWNLOADER_MIDDLEWARES", {middleware: 20})
    return name


def browser(name: str) -> Any:
    """Import and return a browser's module, which has ``prepare`` and ``BrowserRenderer``."""
    return import_module(f"{__name__}.{name}")


def add_to(settings: BaseSettings, name: str, more: dict[str, Any]) -> None:
    """Add to a setting that is a dictionary, whoever set it."""
    settings.set(name, {**settings.getdict(name), **more}, priority="cmdline")
