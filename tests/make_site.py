"""Generate the saved pages of tests/site, except the seed text, which is a real page.

    python tests/make_site.py [FOLDER]

The ids, headlines and pictures of the first eighteen articles are those listed by the seed text.
Everything else is made up for testing. The leaks are written by PHP's own var_dump
(tests/php/dump.php). Every run generates the same pages.
"""

import html
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
SITE = HERE / "site"
SEED_TEXT = SITE / "000_5e28026613171c33.txt"

MADE_UP = (
    ("1745120", "Made-up: Schools Reopen in Three Quarters of the City", "jpg"),
    ("1745233", "Made-up: Bakers’ Union Counts 40 Ovens at Work Again + Video", "mp4"),
    ("1745377", "Made-up: Water Returns to the Eastern Suburbs", "jpg"),
    ("1745402", "VIDEO: Made-up Footage of a Bridge Being Repaired", "jpg"),
    ("1745519", "Made-up: Doctors “Never Left”, Says Head of Hospital", "jpg"),
    ("1745650", "Made-up: Olive Harvest Begins Late in the Hills", "jpg"),
    ("1745781", "Made-up: 12 Villages Back on the Grid + VIDEO", "mp4"),
    ("1745893", "Made-up: Railway Line Surveyed for the First Time in Years", "jpg"),
    ("1745900", "Made-up: A Museum’s Cellar, Found as It Was Left", "jpg"),
    ("1745911", "Made-up: Ferry Service to the Island Resumes", "jpg"),
    ("1745932", "Made-up: Weather Stations Report Once More", "jpg"),
    ("1745944", "Made-up: This Article Was Taken Down", "jpg"),
)
# Articles that are listed but not saved.
NOT_SAVED = {"1748350", "1746784", "1749233", "1750384", "1745932", "1745911"}


@dataclass(frozen=True)
class Story:
    """A made-up article with a real or made-up headline."""

    id: str
    title: str
    extension: str
    uploaded: datetime
    known_picture: str | None = None

    @property
    def published(self) -> datetime:
        return self.uploaded + timedelta(hours=1, minutes=4, seconds=int(self.id[-2:]) % 60)

    @property
    def picture(self) -> str:
        if self.known_picture:
            return self.known_picture
        ticks = (self.uploaded - datetime.min) // timedelta(microseconds=1) * 10 + int(self.id[-1])
        return f"/{self.uploaded:%Y/%m/%d}/alalam_{ticks}_25f_4x3.{self.extension}"

    @property
    def headline(self) -> str:
        return (
            self.title.replace(" + Video", "")
            .replace(" + VIDEO", "")
            .replace("+VIDEO", "")
            .removeprefix("VIDEO: ")
            .removeprefix("VIDEO, ")
        )

    @property
    def paragraphs(self) -> tuple[str, ...]:
        number = int(self.id) % 97
        return (
            f"This text was made up for testing; of the article {self.id} only the headline, the picture and the id may be real. Its subject is: {self.headline}.",
            f"“We counted {number + 3} of them before noon,” said a spokesman who does not exist, “and expect as many again.”",
            f"The second day brought no change. In {number % 9 + 2} of the places that were visited the work went on; in the others it had to wait for the weather, the road or the paperwork, as such work does.",
            f"A number like {number * 1000 + 17:,} and a sign such as & or < should come through as they are.",
            "Nobody was hurt; Testing News Agency reported."
            if number % 2
            else "Nothing in this paragraph names a source.",
        )


def stories() -> dict[str, Story]:
    """Return all articles by id: those in the seed text's leak, and the made-up ones."""
    text = SEED_TEXT.read_text(encoding="utf-8")
    found = {}
    for item in json.loads(text[text.index('"[{') + 1 : text.rindex('"')]):
        ticks = int(item["pic"].split("_")[1])
        uploaded = datetime.min + timedelta(microseconds=ticks // 10)
        found[item["id"]] = Story(
            item["id"], item["title"], item["pic"].rsplit(".", 1)[1], uploaded, item["pic"]
        )
    for day, (story_id, title, extension) in enumerate(MADE_UP, start=1):
        found[story_id] = Story(
            story_id,
            title,
            extension,
            datetime(2015, 9, 22, 8, 30, 15, 250_000) + timedelta(days=day),
        )
    return found


def leak(items: Iterable[Story], form: str = "string") -> bytes:
    """Return PHP's dump of these items, their JSON joined with " ," as on the real pages."""
    entries = [
        json.dumps(
            {
                "id": s.id,
                "sort": str(3_431_000 + n),
                "contenttypeid": "21",
                "pic": s.picture,
                "title": s.title,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for n, s in enumerate(items)
    ]
    text = "[" + " ,".join(entries) + " ]"
    return subprocess.run(
        ["php", "-n", HERE / "php" / "dump.php", form],
        input=text.encode(),
        capture_output=True,
        check=True,
    ).stdout


def article5(s: Story, related: bytes) -> bytes:
    """Return HTML5 with paragraphs in <p>, a machine-readable date, and the leak before </body>."""
    body = "\n".join(f"<p>{html.escape(p, quote=False)}</p>" for p in s.paragraphs)
    return (
        f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(s.headline)} - Al-Alam</title>
<meta property="og:title" content="{html.escape(s.headline)}">
<meta property="og:image" content="http://media.alalam.ir/news/image/855x495{s.picture}">
<link rel="canonical" href="http://en.alalam.ir/news/{s.id}"></head>
<body><nav><a href="/">Home</a> <a href="/section/2">Middle East</a></nav>
<article><h1>{html.escape(s.title, quote=False)}</h1>
<time datetime="{s.published:%Y-%m-%dT%H:%M:%S}+03:30">{s.published:%d %B %Y}</time>
{body}
</article><footer><p>Copyright of a page that was made up for testing. All rights reserved.</p></footer>
""".encode()
        + related
        + b"</body></html>\n"
    )


def table(s: Story, related: bytes) -> bytes:
    """Return nested tables with <br>, as in 2005, and the leak in a cell of its own."""
    body = "<br><br>\n".join(html.escape(p, quote=False) for p in s.paragraphs)
    return (
        f"""<html><head><title>Al-Alam News Network :: {html.escape(s.title)}</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>
<body bgcolor="#ffffff"><table width="770"><tr><td colspan="2"><a href="/"><img src="/images/logo.gif" width="180" height="60"></a></td></tr>
<tr><td valign="top" width="150"><a href="/news/1">Iran</a><br><a href="/news/2">Syria</a><br><a href="/news/3">World</a></td>
<td valign="top"><table><tr><td><font size="4"><b>{html.escape(s.title, quote=False)}</b></font></td></tr>
<tr><td><font size="1">{s.published:%a %b %d, %Y %H:%M:%S}</font></td></tr>
<tr><td><img src="http://media.alalam.ir/news/image/855x495{s.picture}" width="855" height="495"></td></tr>
<tr><td class="text">{body}</td></tr>
<tr><td>""".encode()
        + related
        + b"""</td></tr></table></td></tr>
<tr><td colspan="2"><font size="1">Al-Alam News Network 2015</font></td></tr></table></body></html>
"""
    )


def divs(s: Story, related: bytes) -> bytes:
    """Return XHTML of divs, without headings, and the leak entity-escaped in <pre>."""
    body = "".join(f'<div class="par">{html.escape(p, quote=False)}</div>\n' for p in s.paragraphs)
    escaped = html.escape(related.decode())
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{html.escape(s.title)}</title></head><body>
<div id="menu"><ul><li><a href="/">Home</a></li><li><a href="/live">Live</a></li></ul></div>
<div id="content"><div class="newsTitle">{html.escape(s.title, quote=False)}</div>
<div class="newsDate">Published: {s.published:%d/%m/%Y} - {s.published:%H:%M}</div>
<div class="newsBody">{body}</div>
<pre>{escaped}</pre></div>
<div id="footer">Made up for testing</div></body></html>
""".encode()


def crlf(s: Story, related: bytes) -> bytes:
    """Return unclosed <p>, the leak before the doctype, and CRLF made from LF after PHP counted."""
    body = "\n".join(f"<p>{html.escape(p, quote=False)}" for p in s.paragraphs)
    page = (
        related
        + f"""<!DOCTYPE html>
<html><head><title>{html.escape(s.headline)} | Alalam</title></head><body>
<h2>{html.escape(s.title, quote=False)}</h2>
<span class="date">{s.published:%B %d, %Y} at {s.published:%I:%M %p}</span>
<div class="entry">
{body}
</div></body></html>
""".encode()
    )
    return page.replace(b"\n", b"\r\n")


def in_charset(
    layout: Callable[[Story, bytes], bytes], charset: str
) -> Callable[[Story, bytes], bytes]:
    """Return a layout that converts to a single-byte charset after PHP counted bytes of UTF-8."""

    def converted(s: Story, related: bytes) -> bytes:
        text = (
            layout(s, related)
            .decode()
            .replace("charset=utf-8", f"charset={charset}")
            .replace('<meta charset="utf-8">', f'<meta charset="{charset}">')
        )
        return text.encode(charset)

    return converted


def cut(s: Story, related: bytes) -> bytes:
    """Return a page with a leak that is cut off in its third item."""
    third = related.index(b'{"id"', related.index(b'{"id"', related.index(b'{"id"') + 1) + 1)
    return article5(s, related[: third + 60])


def links(s: Story, related: list[Story]) -> bytes:
    """Return a page without a leak, with links under a heading, and other links elsewhere."""
    entries = "".join(
        f'<li><a href="/news/{r.id}">{html.escape(r.title, quote=False)}</a></li>\n'
        for r in related
    )
    page = article5(s, b"").decode()
    lists = f'<div class="box"><h3>Related News</h3><ul>\n{entries}</ul></div>\n<div class="box"><h3>Most Viewed</h3><ul><li><a href="/news/1745650">x</a></li></ul></div>'
    return page.replace("</article>", f"</article>{lists}").encode()


SOFT_404 = b"""<html><head><title>Al-Alam</title></head><body><h1>Page not found</h1>
<p>The news that you are looking for does not exist or has been removed.</p><a href="/">Home</a></body></html>
"""


def pages() -> dict[str, bytes]:
    """Return every page by file name."""
    known = stories()
    real = [s for s in known.values() if not s.id.startswith("1745")]
    taken_down = known["1745944"]
    made_up = [s for s in known.values() if s.id.startswith("1745") and s != taken_down]
    special: dict[str, Callable[[Story, list[Story]], bytes]] = {
        "1751437": lambda s, r: cut(s, leak(r)),
        "1751199": links,
        "1751189": lambda s, r: in_charset(table, "windows-1252")(s, leak(r)),
        "1745519": lambda s, r: in_charset(article5, "windows-1256")(s, leak(r)),
        "1751156": lambda s, r: article5(s, leak(r, "array")),
        "1750754": lambda s, r: table(s, leak(r, "objects")),
        "1745650": lambda s, r: article5(s, leak([])),
        taken_down.id: lambda s, r: SOFT_404,
    }
    layouts = (article5, table, divs, crlf)
    page_by_name = {}
    for place, story in enumerate(known.values()):
        if story.id in NOT_SAVED:
            continue
        others = [s for s in real if s != story]
        related = [others[(place + step) % len(others)] for step in (0, 1, 2, 8, 11)] + [
            made_up[(place + step) % len(made_up)] for step in (0, 5)
        ]
        if story.id == "1745781":
            related.append(taken_down)
        layout = special.get(story.id)
        page_by_name[f"{story.id}.html"] = (
            layout(story, related)
            if layout
            else layouts[place % len(layouts)](story, leak(related))
        )
    return page_by_name


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SITE
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (folder / name).write_bytes(page)
    print(f"{len(pages())} pages in {folder}")


if __name__ == "__main__":
    main()
