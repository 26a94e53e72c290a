"""A publisher of a few short stories, for tests of how articles are found and identified."""

from hosted import Answer, Site

HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = (
    "<p>The bridge over the river was opened to traffic on Friday morning, the council said.</p>"
    "<p>It had been closed for two years, the governor of the city told reporters.</p>"
)


def page(headline: str, *links: str, canonical: str = "") -> bytes:
    """Return an article's page with a related box."""
    head = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    entries = "".join(f'<li><a href="{url}">The headline of {url}</a></li>' for url in links)
    return (
        f'<html lang="en"><head>{head}</head><body><h1>{headline}</h1>'
        f"<time datetime='2026-05-01T10:00:00Z'>1 May 2026</time>{TEXT.replace('river', headline)}"
        f"<h2>Related articles</h2><ul>{entries}</ul></body></html>"
    ).encode()


def pages(by_path: dict[str, bytes | str]) -> Site:
    """Return a site of pages and, as text, redirects."""

    def answer(scheme: str, path: str) -> Answer:
        found = by_path.get(path.partition("#")[0])
        if path == "/robots.txt":
            return Answer(200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow:\n")
        if found is None:
            return Answer(404, HTML, b"<h1>Not found</h1>")
        if isinstance(found, str):
            return Answer(302, {"Location": found}, b"")
        return Answer(200, HTML, found)

    return answer
