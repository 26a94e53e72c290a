"""A made-up site of news pages as they are today: about 290 kB each, most of it not the article."""

import json
import random
import sys
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import made_prose

FIRST_ID = 1_700_000
# The numbers of the parts of a page, which is thus as large, and as slow to read, as a real one.
_TEXTS, _RELATED, _CARDS, _LINKS, _STATES = 6, 18, 75, 400, 70


def make_site(folder: Path, pages: int, times: int = 1) -> None:
    """Generate a site of ``pages`` pages, /news/ID, in ``folder``/site.

    The pages are ``times`` as large as usual.
    """
    folder.chmod(0o755)
    news = folder / "site" / "news"
    news.mkdir(parents=True)
    for number in range(pages):
        (news / str(FIRST_ID + number)).write_bytes(page(number, pages, times))


def page(number: int, pages: int, times: int) -> bytes:
    """Return a page that lists the next three pages and 15 others as related articles."""
    chance = random.Random(number)
    text = made_prose.make_text(chance)
    headline = escape(text.headline)
    paragraphs = [*text.paragraphs]
    for _ in range(_TEXTS * times - 1):
        paragraphs += made_prose.make_text(chance).paragraphs
    others = [(number + step) % pages for step in range(1, 4)]
    others += [chance.randrange(pages) for _ in range(_RELATED - len(others))]
    published = f"2026-03-{1 + number % 28:02}T{number % 24:02}:15:00+00:00"
    json_ld = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": text.headline,
        "datePublished": published,
        "author": [{"@type": "Person", "name": text.author}],
        "publisher": {"@type": "NewsMediaOrganization", "name": "The Kelmouth Courier"},
    }
    return f"""<!DOCTYPE html>
<html lang="en" class="no-js"><head><meta charset="utf-8">
<title>{headline} | The Kelmouth Courier</title>
<meta property="og:type" content="article">
<meta property="og:title" content="{headline}">
<meta property="article:published_time" content="{published}">
<script type="application/ld+json">{json.dumps(json_ld)}</script>
<style>{_style(chance)}</style>
<script>window.__STATE__={json.dumps(_state(_STATES * times, chance))};</script>
</head><body class="template-article">
<header class="masthead"><nav class="masthead__nav"><ul>{_menu(40)}</ul></nav></header>
<main id="main" class="layout layout--article"><article class="story">
<h1 class="story__headline">{headline}</h1>
<div class="story__meta"><a rel="author" href="/by/{number % 90}">{text.author}</a>
<time datetime="{published}">{published[:10]}</time></div>
<div class="story__body">{_body(paragraphs, pages, chance)}</div>
</article>
<aside class="related"><h2>Related articles</h2><ul>
{"".join(f"<li>{_card(other, chance)}</li>" for other in others)}
</ul></aside>
<section class="river"><h2>Most read</h2>
{"".join(_card(chance.randrange(pages), chance) for _ in range(_CARDS * times))}
</section></main>
<footer class="footer"><nav><ul>{_menu(_LINKS * times)}</ul></nav></footer>
</body></html>
""".encode()


def _body(paragraphs: list[str], pages: int, chance: random.Random) -> str:
    parts = []
    for place, paragraph in enumerate(paragraphs):
        link = ""
        if place % 5 == 4:
            target = f"/news/{FIRST_ID + chance.randrange(pages)}"
            link = f' <a class="inline" href="{target}">as was reported before</a>.'
        parts.append(f'<p class="story__p" data-component="text">{escape(paragraph)}{link}</p>')
        if place % 8 == 7:
            parts.append(
                '<div class="ad ad--inline" data-slot="mid"><div class="ad__label">Advertisement'
                "</div><script>window.ads=window.ads||[];ads.push({slot:'mid'});</script></div>"
            )
    return "\n".join(parts)


def _card(number: int, chance: random.Random) -> str:
    headline = escape(made_prose.make_text(chance).headline)
    image = f"https://images.kelmouth.example/{number}"
    sizes = ", ".join(f"{image}/{width}.webp {width}w" for width in (240, 480, 720, 960, 1280))
    return f"""<div class="card card--compact" data-track="card:{number}">
<a class="card__link" href="/news/{FIRST_ID + number}"><picture class="card__picture">
<source type="image/webp" srcset="{sizes}" sizes="(min-width: 720px) 240px, 100vw">
<img class="card__image" loading="lazy" src="{image}/240.jpg" alt="" width="240" height="160">
</picture><h3 class="card__title"><span>{headline}</span></h3></a>
<div class="card__meta"><span class="card__section">News</span>
<svg class="icon" viewBox="0 0 24 24"><path d="M12 2a10 10 0 1 0 0 20z"/></svg>
</div></div>"""


def _menu(count: int) -> str:
    return "".join(
        f'<li class="menu__item"><a class="menu__link" href="/section/{number}/topics" '
        f'data-track="menu:{number}"><span>Section {number}</span></a></li>\n'
        for number in range(count)
    )


def _style(chance: random.Random) -> str:
    return "".join(
        f".c{chance.randrange(9**6)}{{margin:0 {chance.randrange(40)}px;color:#333;display:flex}}"
        for _ in range(300)
    )


def _state(count: int, chance: random.Random) -> list[dict[str, object]]:
    return [
        {"id": number, "teaser": made_prose.make_text(chance).paragraphs, "flags": [True] * 20}
        for number in range(count)
    ]
