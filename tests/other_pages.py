"""Made pages that are no articles, in the layouts of news sites.

Lists of articles (home, section, tag, author, archive and search pages) in ten layouts, and pages
that deny something or ask for something in several languages.
"""

from collections.abc import Iterator

HEADLINES = (
    "Fire Stops All Cranes on the Eastern Quay",
    "Ferry to Sarn Sails Again After Eleven Days",
    "Council Votes Against a Second Bridge at Orla",
    "Lake Swimmers Measure Their Course Anew",
    "Seed Potatoes Run Short in the Upper Valley",
    "Night Trains Return to the Coast in Spring",
    "School Roof Was Checked a Week Before It Fell",
    "Dockers Ask to Be Paid for the Lost Days",
    "Old Lime Trees on the Square Are Ill",
    "Museum of Salt Finds a New Director",
    "Brigade Rescues Forty Sheep From an Island",
    "Prices for Firewood Rise for the Third Month",
)
SUMMARIES = (
    "The port authority said on Tuesday that no ship would be unloaded before the weekend.",
    "The repaired vessel left on time with two hundred passengers on board, many of them pupils.",
    "Nine members spoke against the plan, which would have cost more than a new town hall.",
    "The swimmers found that the course has been eleven metres short for sixty years.",
    "Traders blame the wet spring, while farmers point at the closed road over the pass.",
    "Two sleepers will run each night, and a third one at weekends, the railway announced.",
    "An inspector had noted the cracks in the beams, but his report was not passed on.",
    "The authority answered that it would decide once the cause of the fire was known.",
    "A fungus has weakened the roots, and four of the trees will have to go this winter.",
    "She worked in the mines as a student and has written two books about their songs.",
    "The water had risen overnight, and the animals stood on the last dry hill for hours.",
    "A cubic metre costs a tenth more than in autumn, and many yards have nothing to sell.",
)
PLACES = {
    "home": ("/", "The Sarn Courier", None),
    "section": ("/politics", "Politics | The Sarn Courier", "Politics"),
    "tag": ("/tag/harbour", "Harbour - The Sarn Courier", "Harbour"),
    "author": ("/author/mara-irvane", "Mara Irvane, The Sarn Courier", "Mara Irvane"),
    "archive": ("/2019/03/", "March 2019 | The Sarn Courier", "March 2019"),
    "search": ("/search?q=harbour", "harbour - Search | The Sarn Courier", "Search: harbour"),
}
LAYOUTS = {
    "heading and paragraph": (
        '<article class="post"><h2><a href="{url}">{headline}</a></h2><p>{summary}</p></article>'
    ),
    "dated cards": (
        '<div class="card"><img src="/i.jpg" alt=""><time datetime="2019-03-{day}T07:40:00+01:00">'
        '{day} March 2019</time><h3><a href="{url}">{headline}</a></h3><div class="excerpt">'
        "{summary}</div></div>"
    ),
    "block links": '<a class="tile" href="{url}"><h3>{headline}</h3><p>{summary}</p></a>',
    "headlines": '<li><a href="{url}">{headline}</a></li>',
    "headlines and dates": '<li><a href="{url}">{headline}</a> <span>{day}.03.2019</span></li>',
    "read more": (
        '<div class="item"><h2><a href="{url}">{headline}</a></h2><p>{summary} {other} '
        '<a href="{url}">Read more</a></p></div>'
    ),
    "long summaries": (
        '<section><h2><a href="{url}">{headline}</a></h2><p>{summary} {other} {third}</p></section>'
    ),
    "kicker first": (
        '<div><span class="kicker">Harbour</span><p>{summary}</p><a href="{url}">{headline}</a>'
        "</div>"
    ),
    "table": '<tr><td>{day}.03.</td><td><a href="{url}">{headline}</a><br>{summary}</td></tr>',
    "definitions": '<dt><a href="{url}">{headline}</a></dt><dd>{summary}</dd>',
    "headings without links": (
        '<div class="teaser" data-href="{url}"><h3>{headline}</h3><p>{summary}</p>'
        '<a href="{url}">More</a></div>'
    ),
}
WRAPPERS = {"table": "<table>{}</table>", "definitions": "<dl>{}</dl>"}
HEADS = {
    "bare": "",
    "og": '<meta property="og:type" content="website"><meta property="og:title" content="{title}">',
    "JSON-LD": (
        '<script type="application/ld+json">{{"@context":"https://schema.org","@type":'
        '"CollectionPage","name":"{title}"}}</script>'
    ),
    "article": '<meta property="og:type" content="article">',
}
PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
    '<body><header><a href="/">The Sarn Courier</a><nav><a href="/politics">Politics</a>'
    '<a href="/sport">Sport</a></nav></header><main>{heading}{content}</main>'
    "<footer><p>© The Sarn Courier. All rights reserved.</p></footer></body></html>"
)
ORIGIN = "https://courier.example"


def lists() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the URL and the HTML of each list of articles."""
    for place, (path, title, heading) in PLACES.items():
        for layout, card in LAYOUTS.items():
            cards = "".join(
                card.format(
                    url=f"/2019/03/{i + 10}/article-{i}",
                    headline=headline,
                    summary=SUMMARIES[i],
                    other=SUMMARIES[(i + 5) % 12],
                    third=SUMMARIES[(i + 7) % 12],
                    day=i + 10,
                )
                for i, headline in enumerate(HEADLINES)
            )
            for head_name, head in HEADS.items():
                if head_name == "article" and place != "tag":
                    continue
                page = PAGE.format(
                    title=title,
                    head=head.format(title=title),
                    heading=f"<h1>{heading}</h1>" if heading else "",
                    content=WRAPPERS.get(layout, "<div>{}</div>").format(cards),
                )
                yield f"{place}, {layout}, {head_name}", ORIGIN + path, page
