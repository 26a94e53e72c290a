"""The HTML of a made-up publisher: articles in four layouts, lists of teasers, and a few others."""

import json
from collections.abc import Iterable
from html import escape
from typing import NamedTuple

SECTIONS = ("politics", "world", "business", "culture", "sport", "science")

_AMP_SCRIPT = '<script async src="https://cdn.ampproject.org/v0.js"></script>'


class Entry(NamedTuple):
    """A link as it is written in a list."""

    text: str
    href: str


class Story(NamedTuple):
    """The parts of an article's page.

    ``published`` is ISO 8601, with or without an offset; ``shown_date`` is the date for readers.
    ``canonical`` is the address that the page declares as its own.
    """

    headline: str
    author: Entry
    paragraphs: tuple[str, ...]
    published: str
    shown_date: str
    canonical: str
    section: str
    tags: tuple[Entry, ...]
    related: tuple[Entry, ...]
    has_json_ld: bool = True


def article(story: Story, site_name: str) -> bytes:
    """Return the page for desktop browsers."""
    json_ld = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.headline,
        "datePublished": story.published,
        "author": {"@type": "Person", "name": story.author.text},
        "mainEntityOfPage": story.canonical,
    }
    return _page(
        f"{story.headline} - {site_name}",
        _article_head(story) + (_json_ld(json_ld) if story.has_json_ld else ""),
        f"""{_NAVIGATION}
<main><article>
<h1>{escape(story.headline, quote=False)}</h1>
<p class="byline">By <a rel="author" href="{story.author.href}">{story.author.text}</a></p>
<p class="dateline"><time datetime="{story.published}">{story.shown_date}</time></p>
<div class="story-body">
{_paragraphs(story)}
</div>
<ul class="tags">{_items(story.tags)}</ul>
</article>
{_related(story)}
</main>
{_FOOTER}""",
    )


def mobile_article(story: Story, site_name: str) -> bytes:
    """Return the page of the mobile site."""
    return _page(
        f"{story.headline} | {site_name} mobile",
        _article_head(story),
        f"""<div id="bar"><a href="/">{site_name}</a></div>
<div class="m-story"><h1 class="m-title">{escape(story.headline, quote=False)}</h1>
<div class="m-info">{story.shown_date} · {story.author.text}</div>
<div class="m-text">{_paragraphs(story)}</div></div>
<div class="m-more">{_related(story)}</div>
{_FOOTER}""",
    )


def amp_article(story: Story, site_name: str) -> bytes:
    """Return the page in AMP HTML."""
    page = _page(
        story.headline,
        _article_head(story) + _AMP_SCRIPT,
        f"""<header><a href="/">{site_name}</a></header>
<article class="amp-article"><h1>{escape(story.headline, quote=False)}</h1>
<p class="amp-meta"><time datetime="{story.published}">{story.shown_date}</time></p>
{_paragraphs(story)}
</article>
{_related(story)}
{_FOOTER}""",
    )
    return page.replace(b'<html lang="en">', b'<html amp lang="en">', 1)


def print_article(story: Story, site_name: str) -> bytes:
    """Return the page for printers, which has no navigation."""
    return _page(
        f"{story.headline} (print)",
        _article_head(story),
        f"""<h1>{escape(story.headline, quote=False)}</h1>
<p>{site_name}, {story.shown_date}. By {story.author.text}</p>
{_paragraphs(story)}
{_related(story)}""",
    )


def teaser_list(title: str, canonical: str, teasers: Iterable[tuple[Entry, str]]) -> bytes:
    """Return a page that lists articles, each with its first sentence."""
    entries = list(teasers)
    json_ld = {
        "@context": "https://schema.org",
        "@type": "CollectionPage",
        "name": title,
        "url": canonical,
        "hasPart": [{"@type": "NewsArticle", "headline": link.text} for link, _ in entries],
    }
    blocks = "\n".join(
        f'<div class="teaser"><h3><a href="{link.href}">{escape(link.text, quote=False)}</a></h3>'
        f"<p>{escape(summary, quote=False)}</p></div>"
        for link, summary in entries
    )
    return _page(
        title,
        f"""<link rel="canonical" href="{canonical}">
<meta property="og:type" content="website">
<meta property="og:title" content="{escape(title)}">
<meta property="og:url" content="{canonical}">
{_json_ld(json_ld)}""",
        f"{_NAVIGATION}\n<main><h1>{escape(title, quote=False)}</h1>\n{blocks}\n</main>\n{_FOOTER}",
    )


def login(canonical: str) -> bytes:
    return _page(
        "Sign in",
        f'<link rel="canonical" href="{canonical}">\n<meta name="robots" content="noindex">',
        f"""{_NAVIGATION}
<main><h1>Sign in</h1><form method="post" action="/login">
<label>E-mail <input name="email" type="email"></label>
<label>Password <input name="password" type="password"></label>
<button>Sign in</button></form></main>
{_FOOTER}""",
    )


def not_found() -> bytes:
    return _page(
        "Page not found", "", f"{_NAVIGATION}\n<main><h1>Page not found</h1></main>\n{_FOOTER}"
    )


_NAVIGATION = "<nav>{}</nav>".format(
    " ".join(f'<a href="/{section}/">{section.title()}</a>' for section in SECTIONS)
)
_FOOTER = "<footer><p>Made up for testing.</p></footer>"


def _page(title: str, head: str, body: str) -> bytes:
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>{escape(title, quote=False)}</title>
{head}
</head><body>
{body}
</body></html>
""".encode()


def _article_head(story: Story) -> str:
    return f"""<link rel="canonical" href="{story.canonical}">
<meta property="og:type" content="article">
<meta property="og:title" content="{escape(story.headline)}">
<meta property="og:url" content="{story.canonical}">
<meta property="article:published_time" content="{story.published}">
<meta property="article:section" content="{story.section.title()}">
"""


def _json_ld(data: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script>'


def _paragraphs(story: Story) -> str:
    return "\n".join(f"<p>{escape(text, quote=False)}</p>" for text in story.paragraphs)


def _related(story: Story) -> str:
    return f"""<aside class="related"><h2>Related articles</h2>
<ul>
{_items(story.related)}
</ul></aside>"""


def _items(entries: Iterable[Entry]) -> str:
    return "\n".join(
        f'<li><a href="{escape(entry.href)}">{escape(entry.text, quote=False)}</a></li>'
        for entry in entries
    )
