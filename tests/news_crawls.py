"""Archives of news as Common Crawl, Heritrix and wget write them, with pages of any publisher.

A ``Crawler`` writes pages with the records, fields and headers of one program: what it adds to a
page, how it names and orders its records, and what it does with a page that has not changed.
``NEWS`` are a few articles of publishers in several languages, none of which has a publisher file;
``corpus_pages`` yields those of a folder of benchmarks/fidelity.py.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from crawler.warc.records import digest_of


class Page(NamedTuple):
    """A page that was fetched. ``date`` is the time of its capture, as in WARC-Date."""

    url: str
    body: bytes
    date: str
    is_cut: bool = False
    """Whether the crawler ended the download, as Common Crawl does at 1 MiB."""
    content_type: str = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Crawler:
    """How a program writes archives. Fields of records are in the order in which it writes them."""

    version: str
    """The first line of a record."""
    warcinfo: dict[str, str]
    notes_coding: bool = False
    """Whether the body is stored decoded, with its former coding in headers X-Crawl-…."""
    has_metadata: bool = False
    """Whether each page has a metadata record, with what was noted when it was fetched."""
    request_first: bool = False
    """Whether the request comes before the response, which then names it, and not vice versa."""
    in_brackets: bool = False
    """Whether URLs have angle brackets, as an early draft of the format has them."""
    identifies_types: bool = False
    """Whether responses have the type of their payload, found from its bytes."""

    def write(self, path: Path, pages: Iterable[Page]) -> None:
        """Write the pages to a gzipped file. A page with the same bytes as before is a revisit."""
        seen: dict[str, Page] = {}
        with path.open("wb") as out:
            info = "".join(f"{name}: {value}\r\n" for name, value in self.warcinfo.items())
            fields = {"WARC-Filename": path.name, "Content-Type": "application/warc-fields"}
            out.write(self._record("warcinfo", None, path.name, fields, info.encode()))
            for page in pages:
                for record in self._records(page, seen):
                    out.write(record)

    def _records(self, page: Page, seen: dict[str, Page]) -> Iterator[bytes]:
        digest = digest_of(page.body)
        head = self._head(page)
        fields = {
            "WARC-IP-Address": "192.0.2.7",
            "WARC-Payload-Digest": digest,
            "Content-Type": "application/http; msgtype=response",
        }
        kind, content = "response", head + page.body
        original = seen.setdefault(digest, page)
        if original is not page:
            kind, content = "revisit", head
            profile = f"http://netpreserve.org/{self.version.lower()}/revisit/"
            fields |= {
                "WARC-Profile": f"{profile}identical-payload-digest",
                "WARC-Truncated": "length",
                "WARC-Refers-To-Target-URI": original.url,
                "WARC-Refers-To-Date": original.date,
            }
        elif self.identifies_types:
            fields["WARC-Identified-Payload-Type"] = "text/html"
        if page.is_cut:
            fields["WARC-Truncated"] = "length"
        fields["WARC-Block-Digest"] = digest_of(content)
        ids = {one: _record_id(page, one) for one in ("request", "response", "metadata")}
        to_response = {"WARC-Concurrent-To": ids["response"]}
        if self.request_first:
            fields["WARC-Concurrent-To"] = ids["request"]
        path = page.url.split("/", 3)[-1]
        request_text = f"GET /{path} HTTP/1.1\r\nUser-Agent: CCBot/2.0\r\nAccept: text/html\r\n\r\n"
        request = self._record(
            "request",
            page,
            ids["request"],
            {
                **({} if self.request_first else to_response),
                "Content-Type": "application/http; msgtype=request",
            },
            request_text.encode(),
        )
        response = self._record(kind, page, ids["response"], fields, content)
        yield from (request, response) if self.request_first else (response, request)
        if self.has_metadata:
            text = (
                f"via: https://{page.url.split('/')[2]}/\r\nhopsFromSeed: L\r\nfetchTimeMs: 230\r\n"
            )
            noted = {**to_response, "Content-Type": "application/warc-fields"}
            yield self._record("metadata", page, ids["metadata"], noted, text.encode())

    def _head(self, page: Page) -> bytes:
        headers = {
            "Date": "Fri, 01 May 2026 10:00:00 GMT",
            "Content-Type": page.content_type,
            "Vary": "Accept-Encoding",
        }
        if self.notes_coding:
            headers["X-Crawl-Content-Encoding"] = "gzip"
            headers["X-Crawl-Content-Length"] = str(len(gzip.compress(page.body, mtime=0)))
            headers["X-Crawl-Transfer-Encoding"] = "chunked"
        headers["Content-Length"] = str(len(page.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()

    def _record(
        self, kind: str, page: Page | None, record_id: str, fields: dict[str, str], content: bytes
    ) -> bytes:
        """Return a gzip member. ``record_id`` may be any text for a record without a page."""
        if page is None:
            record_id = f"<urn:uuid:{uuid5(NAMESPACE_URL, record_id)}>"
        every = {"WARC-Type": kind, "WARC-Record-ID": record_id}
        if page is not None:
            every["WARC-Target-URI"] = f"<{page.url}>" if self.in_brackets else page.url
        every["WARC-Date"] = page.date if page else "2026-05-01T09:00:00Z"
        every |= {**fields, "Content-Length": str(len(content))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
        return gzip.compress(
            f"{self.version}\r\n{lines}\r\n".encode() + content + b"\r\n\r\n", 6, mtime=0
        )


def _record_id(page: Page, kind: str) -> str:
    return f"<urn:uuid:{uuid5(NAMESPACE_URL, f'{page.url} {page.date} {kind}')}>"


_COMMON_CRAWL = {
    "robots": "checked via crawler-commons 1.6 (https://github.com/crawler-commons/crawler-commons)",
    "format": "WARC File Format 1.1",
    "conformsTo": (
        "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
    ),
}
CRAWLERS = {
    # https://data.commoncrawl.org/crawl-data/CC-NEWS/
    "Common Crawl, news": Crawler(
        "WARC/1.0",
        {
            "software": "StormCrawler 3.4.0 https://stormcrawler.apache.org/",
            "description": "News crawl for Common Crawl",
            "http-header-user-agent": "CCBot/2.0 (https://commoncrawl.org/faq/)",
            "http-header-from": "info@commoncrawl.org",
            "operator": "Common Crawl",
            **_COMMON_CRAWL,
        },
        notes_coding=True,
    ),
    # https://data.commoncrawl.org/crawl-data/CC-MAIN-2026-18/
    "Common Crawl, Nutch": Crawler(
        "WARC/1.0",
        {
            "isPartOf": "CC-MAIN-2026-18",
            "publisher": "Common Crawl",
            "description": "Wide crawl of the web for May 2026",
            "operator": "Common Crawl Admin (info@commoncrawl.org)",
            "hostname": "ip-192-0-2-8",
            "software": "Apache Nutch 1.21 (modified, https://github.com/commoncrawl/nutch/)",
            **_COMMON_CRAWL,
        },
        notes_coding=True,
        has_metadata=True,
        request_first=True,
        identifies_types=True,
    ),
    "Heritrix": Crawler(
        "WARC/1.0",
        {
            "software": "Heritrix/3.10.2 http://crawler.archive.org",
            "ip": "192.0.2.9",
            "hostname": "crawler9.library.example",
            "format": "WARC File Format 1.0",
            "conformsTo": ("http://bibnum.bnf.fr/WARC/WARC_ISO_28500_version1_latestdraft.pdf"),
            "description": "News of the week",
            "robots": "obey",
        },
        has_metadata=True,
    ),
    "wget": Crawler(
        "WARC/1.0",
        {
            "software": "Wget/1.25.0 (linux-gnu)",
            "format": "WARC File Format 1.0",
            "conformsTo": ("http://bibnum.bnf.fr/WARC/WARC_ISO_28500_version1_latestdraft.pdf"),
            "robots": "classic",
            "wget-arguments": '"--warc-file=news" "--input-file=urls.txt"',
        },
        request_first=True,
        in_brackets=True,
    ),
}


class News(NamedTuple):
    """An article, as it should be read: its publisher's domain, language and date."""

    publisher: str
    language: str
    published: str
    headline: str
    url: str
    paragraphs: tuple[str, ...]

    @property
    def page(self) -> bytes:
        stated = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": self.headline,
            "datePublished": self.published,
        }
        text = "".join(f"<p>{paragraph}</p>" for paragraph in self.paragraphs)
        return (
            f'<!DOCTYPE html><html lang="{self.language}"><head><meta charset="utf-8">'
            f"<title>{self.headline}</title>"
            f'<link rel="canonical" href="{self.url}">'
            f'<script type="application/ld+json">{json.dumps(stated, ensure_ascii=False)}</script>'
            f"</head><body><article><h1>{self.headline}</h1>{text}</article></body></html>"
        ).encode()


NEWS = (
    News(
        "harbour-courier.co.uk",
        "en",
        "2026-05-01T08:30:00+01:00",
        "Swing bridge reopens after nine weeks",
        "https://www.harbour-courier.co.uk/news/swing-bridge-reopens-after-nine-weeks-4711230",
        (
            "The swing bridge at the mouth of the harbour was opened to traffic on Friday morning.",
            "It had been closed for nine weeks while a bearing was cast anew, engineers said.",
        ),
    ),
    News(
        "talbote.de",
        "de",
        "2026-05-01T07:05:00+02:00",
        "Drehbrücke nach neun Wochen wieder offen",
        "https://www.talbote.de/lokales/drehbruecke-nach-neun-wochen-wieder-offen-98123456.html",
        (
            "Die Drehbrücke an der Hafeneinfahrt ist seit Freitagmorgen für den Verkehr frei.",
            "Sie war neun Wochen gesperrt, weil ein Lager neu gegossen werden musste, hieß es.",
        ),
    ),
    News(
        "lecourrierduport.fr",
        "fr",
        "2026-04-30T18:45:00+02:00",
        "Le pont tournant rouvre après neuf semaines de travaux",
        "https://www.lecourrierduport.fr/2026/04/30/le-pont-tournant-rouvre-apres-neuf-semaines/",
        (
            "Le pont tournant à l'entrée du port a été rouvert à la circulation jeudi soir.",
            "Il était fermé depuis neuf semaines, car il fallait couler un nouveau palier.",
        ),
    ),
    News(
        "elfarodelabahia.com.ar",
        "es",
        "2026-05-01T10:10:00-03:00",
        "Reabren el puente giratorio tras nueve semanas de obras",
        "https://www.elfarodelabahia.com.ar/ciudad/reabren-el-puente-giratorio-tras-nueve-semanas/",
        (
            "El puente giratorio de la entrada del puerto fue reabierto al tránsito el viernes.",
            "Estuvo cerrado nueve semanas porque hubo que fundir de nuevo uno de los cojinetes.",
        ),
    ),
    News(
        "alminaa-news.example",
        "ar",
        "2026-05-01T12:00:00+03:00",
        "إعادة فتح الجسر المتحرك بعد تسعة أسابيع من الإغلاق",
        "https://www.alminaa-news.example/local/2026/5/1/reopening-of-the-swing-bridge",
        (
            "أعيد فتح الجسر المتحرك عند مدخل الميناء أمام حركة المرور صباح يوم الجمعة.",
            "وكان الجسر مغلقا منذ تسعة أسابيع بسبب الحاجة إلى صب محمل جديد، بحسب المهندسين.",
        ),
    ),
    News(
        "minato-shimbun.co.jp",
        "ja",
        "2026-05-01T09:00:00+09:00",
        "港の旋回橋が九週間ぶりに通行再開",
        "https://www.minato-shimbun.co.jp/articles/20260501-harbour-swing-bridge-reopens",
        (
            "港の入り口にある旋回橋は、金曜日の朝から再び通行できるようになった。",
            "軸受けを新しく鋳造する必要があったため、橋は九週間にわたって閉鎖されていた。",
        ),
    ),
)
"""News of publishers without a file, of which each has another suffix or language."""


def news_pages(date: str = "2026-05-01T10:00:00Z") -> Iterator[Page]:
    """Yield the pages of NEWS, and their home pages, which are no articles."""
    for news in NEWS:
        yield Page(news.url, news.page, date)
        home = f"<html><title>{news.publisher}</title><h1>{news.publisher}</h1></html>".encode()
        yield Page(f"https://www.{news.publisher}/", home, date)


def corpus_pages(folder: Path, sets: Iterable[str] = ()) -> Iterator[Page]:
    """Yield the pages that ``index.jsonl`` in a folder lists, of all sets or some.

    The time of a capture is the page's ``crawled``, or 2026-05-01 if that is missing.
    """
    with (folder / "index.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            if not sets or entry["set"] in sets:
                date = f"{entry.get('crawled') or '2026-05-01'}"[:10] + "T00:00:00Z"
                body = gzip.decompress((folder / entry["file"]).read_bytes())
                # Their headers were not kept, and some pages have other encodings.
                yield Page(entry["url"], body, date, content_type="text/html")
