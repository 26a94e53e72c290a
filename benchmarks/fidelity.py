"""How well pages are read: our reader beside every peer that is installed.

    pip install -U pip && pip install '.[readers]'
    python benchmarks/fidelity.py DIR [--readers ours,trafilatura] [--sets fundus] [--misses 20]

fundus reads its own publishers only. Its dependencies (lxml 5) exclude those of this project, so it
needs an environment of its own. fundus 0.5.7 cannot be imported with a newer curl-cffi:

    pip install fundus 'curl-cffi<0.16'
    python benchmarks/fidelity.py DIR --readers fundus

DIR holds saved pages (gzip) and ``index.jsonl``, one line a page: ``file``, ``set``, ``url`` and
the expected values, of which any may be missing: ``headline``; ``published``, an instant or a day;
``body``, its paragraphs by line; ``contains`` and ``lacks``, texts that the body must or must not
have; ``languages``; ``authors``, ``topics`` and ``cover_images``, lists of names, tags and URLs;
``related``, a list of objects with a ``url``; ``is_article``, by default true. ``crawled`` is when
the page was fetched. Null means that the page has no such value if the set is one of
NULL_MEANS_NONE, and otherwise that nobody looked.

Metrics:

- body: the F1 of tokens, as a bag (fundus, WCXB), and of shingles of four tokens (Zyte's
  article-extraction-benchmark); each a mean over pages. A page that is refused counts as empty.
- mostly wrong: pages whose body has a token F1 below .5. Of ours, those that are neither refused
  nor marked by ``provenance.body.doubt`` are counted apart.
- headline: equal after folding white space and quotes. instant: equal moments, or both local times
  without a zone. day: equal dates, each in its own zone.
- authors, tags: the F1 of the two sets of folded names, 1 if both are empty; a mean over all pages
  of a set that has this value. authors stated, tags stated: over the pages that have some.
- picture: the main picture is one of the page's cover pictures, in whatever size; picture URL: its
  address is the same. Readings of no picture are wrong. other picture: pages without a cover for
  which a reader gives a picture, which may be right.
- related: precision, recall and F1 of all links of all pages, as addresses without tracking
  parameters.
- CPU milliseconds a page, median and 95th percentile, after one page that is not counted.

Every reader reads every page in turn in one process, so that times are comparable; --jobs runs
several such processes.
"""

import argparse
import contextlib
import functools
import gzip
import importlib.util
import json
import logging
import re
import statistics
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

# A word, or one character of a script that puts no spaces between words.
_TOKEN = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")
_QUOTES = str.maketrans("“”„«»‘’‚`´–—‐‑\xa0", "\"\"\"\"\"'''''---- ")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_SHINGLE = 4
_MOSTLY_WRONG = 0.5
_GOOD = 0.9
# Characters that the addresses of two sizes of a picture have in common.
_SHORTEST_COMMON, _LONG_PART = 6, 30
_KEY = re.compile(r"\d{7}|[0-9a-f]{8}")
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)\b", re.IGNORECASE)
NULL_MEANS_NONE = frozenset(("undated",))


@dataclass
class Reading:
    """The values that a reader gives for a page; None is no value, () no body."""

    headline: str | None = None
    published: str | None = None
    body: str = ""
    language: str | None = None
    authors: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    picture: str | None = None
    related: list[str] | None = None
    refused: str | None = None
    doubt: str | None = None
    milliseconds: float = 0.0


@dataclass
class Scores:
    """The scores of one reader on one set, each a list with a value a page."""

    values: dict[str, list[float]] = field(default_factory=dict)
    misses: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)


def ours(body: bytes, page: dict[str, Any]) -> Reading:
    from crawler.extraction.api import Refusal, extract

    record = extract(body, url=page["url"])
    if isinstance(record, Refusal):
        return Reading(refused=record.detail)
    return reading_of(record)


def reading_of(record: Any) -> Reading:
    """Return the values of a record of ours: of a page, or of an article."""
    place = record.provenance.get("body")
    return Reading(
        headline=record.headline,
        published=record.published_at,
        body=record.body or "",
        language=record.language,
        authors=[author.name for author in record.authors or ()],
        tags=list(record.tags or ()),
        picture=next((m.url for m in record.media or () if m.kind == "image"), None),
        related=[item.url for item in record.related or () if item.url],
        doubt=getattr(place, "doubt", None),
    )


def trafilatura(body: bytes, page: dict[str, Any], *, fast: bool = False) -> Reading:
    import trafilatura as library

    found = library.bare_extraction(
        body, url=page["url"], fast=fast, include_comments=False, with_metadata=True
    )
    if found is None:
        return Reading(refused="None")
    return Reading(
        found.title,
        found.date,
        found.text or "",
        found.language,
        authors=(found.author or "").split("; "),
        tags=found.tags or [],
        picture=found.image,
    )


def trafilatura_fast(body: bytes, page: dict[str, Any]) -> Reading:
    return trafilatura(body, page, fast=True)


def readability(body: bytes, page: dict[str, Any]) -> Reading:
    from lxml import html
    from readability import Document

    document = Document(body.decode("utf-8", "replace"), url=page["url"])
    content = document.summary(html_partial=True)
    text = "\n".join(html.fromstring(content).itertext()) if content else ""
    return Reading(document.short_title(), None, text)


def newspaper4k(body: bytes, page: dict[str, Any]) -> Reading:
    import newspaper

    article = newspaper.Article(page["url"], fetch_images=False)
    article.download(input_html=body.decode("utf-8", "replace"))
    article.parse()
    published = article.publish_date
    return Reading(
        article.title,
        published.isoformat() if isinstance(published, datetime) else None,
        article.text,
        article.meta_lang or None,
        authors=article.authors,
        tags=[*(article.tags or ()), *article.meta_keywords],
        picture=article.top_image or None,
    )


def news_please(body: bytes, page: dict[str, Any]) -> Reading:
    from newsplease import NewsPlease

    article = NewsPlease.from_html(body.decode("utf-8", "replace"), page["url"], fetch_images=False)
    published = article.date_publish
    return Reading(
        article.title,
        published.isoformat() if isinstance(published, datetime) else None,
        article.maintext or "",
        article.language,
        authors=article.authors,
        picture=article.image_url,
    )


def fundus(body: bytes, page: dict[str, Any]) -> Reading:
    host = urlsplit(page["url"]).netloc
    publisher = next(
        (p for domain, p in _fundus_publishers() if f".{host}".endswith(f".{domain}")), None
    )
    if publisher is None:
        return Reading(refused="no parser for this publisher")
    crawled = page.get("crawled")
    parser = publisher.parser(datetime.fromisoformat(crawled) if crawled else None)
    found = parser.parse(body.decode("utf-8", "replace"), error_handling="suppress")
    published, pictures = found.get("publishing_date"), found.get("images") or ()
    return Reading(
        found.get("title"),
        published.isoformat() if isinstance(published, datetime) else None,
        str(found.get("body") or ""),
        authors=found.get("authors") or [],
        tags=found.get("topics") or [],
        picture=next((image.url for image in pictures if image.is_cover), None),
    )


@functools.cache
def _fundus_publishers() -> list[tuple[str, Any]]:
    """Return the domains that fundus has parsers for."""
    from fundus import PublisherCollection

    return [
        (urlsplit(domain).netloc.removeprefix("www."), publisher)
        for publisher in PublisherCollection
        for domain in (publisher.domain, *publisher.deprecated_domains)
    ]


def resiliparse(body: bytes, page: dict[str, Any]) -> Reading:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import detect_encoding
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse_from_bytes(body, detect_encoding(body))
    return Reading(tree.title or None, None, extract_plain_text(tree, main_content=True))


def htmldate(body: bytes, page: dict[str, Any]) -> Reading:
    from htmldate import find_date

    return Reading(published=find_date(body, url=page["url"], original_date=True))


# The readers, each with the module that must be installed.
READERS: dict[str, tuple[Callable[[bytes, dict[str, Any]], Reading], str]] = {
    "ours": (ours, "crawler"),
    "trafilatura fast": (trafilatura_fast, "trafilatura"),
    "trafilatura": (trafilatura, "trafilatura"),
    "readability": (readability, "readability"),
    "newspaper4k": (newspaper4k, "newspaper"),
    "news-please": (news_please, "newsplease"),
    "fundus": (fundus, "fundus"),
    "resiliparse": (resiliparse, "resiliparse"),
    "htmldate": (htmldate, "htmldate"),
}


def read(name: str, body: bytes, page: dict[str, Any]) -> Reading:
    """Return a reader's values of a page and the CPU time; an error counts as a refusal."""
    reader = READERS[name][0]
    started = time.process_time()
    try:
        # Some peers print.
        with contextlib.redirect_stdout(sys.stderr):
            reading = reader(body, page)
    except Exception as error:
        if name == "ours":
            raise
        reading = Reading(refused=f"{type(error).__name__}: {error}")
    reading.milliseconds = (time.process_time() - started) * 1000
    return reading


def read_page(work: tuple[str, dict[str, Any], list[str]]) -> dict[str, Reading]:
    folder, page, names = work
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    body = gzip.decompress((Path(folder) / page["file"]).read_bytes())
    return {name: read(name, body, page) for name in names}


def tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())


def f1(expected: Counter[Any], found: Counter[Any]) -> tuple[float, float, float]:
    """Return F1, precision and recall of two bags."""
    common = sum((expected & found).values())
    if not expected or not found or not common:
        return (1.0, 1.0, 1.0) if not expected and not found else (0.0, 0.0, 0.0)
    precision, recall = common / sum(found.values()), common / sum(expected.values())
    return 2 * precision * recall / (precision + recall), precision, recall


def shingles(words: list[str]) -> Counter[tuple[str, ...]]:
    length = min(_SHINGLE, len(words))
    return Counter(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def fold(text: str | None) -> str:
    return " ".join(_INVISIBLE.sub("", text or "").translate(_QUOTES).split())


def score(page: dict[str, Any], reading: Reading, scores: Scores) -> None:
    """Add the scores of one reading, and its misses."""
    name = page["file"].removesuffix(".html.gz")
    if not page.get("is_article", True):
        scores.add("non-article refused", reading.refused is not None)
        return
    scores.add("refused", reading.refused is not None)
    scores.add("ms", reading.milliseconds)
    if reading.refused is not None:
        scores.misses.append(("refused", name, reading.refused))
    nulls = page["set"] in NULL_MEANS_NONE
    if page.get("headline"):
        right = fold(page["headline"]) == fold(reading.headline)
        scores.add("headline", right)
        if not right:
            scores.misses.append(("headline", name, f"{page['headline']!r} {reading.headline!r}"))
    if page.get("published") or (nulls and "published" in page):
        _score_date(page.get("published"), reading.published, name, scores)
    if page.get("body"):
        _score_body(page["body"], reading, name, scores)
    if page.get("contains") or page.get("lacks"):
        _score_segments(page, reading, name, scores)
    for metric, key, found in (
        ("authors", "authors", reading.authors),
        ("tags", "topics", reading.tags),
    ):
        if key in page:
            _score_names(metric, page[key] or [], found, name, scores)
    if "cover_images" in page:
        _score_picture(page["cover_images"] or [], reading.picture, name, scores)
    if "related" in page and reading.related is not None:
        _score_related(page, reading.related, name, scores)
    if page.get("languages"):
        right = reading.language in page["languages"]
        scores.add("language", right)
        if not right:
            scores.misses.append(("language", name, f"{page['languages']} {reading.language}"))


def _score_date(expected: str | None, found: str | None, name: str, scores: Scores) -> None:
    if expected is None:
        scores.add("no date", found is None)
        return
    day = expected[:10]
    if len(expected) > len(day):
        right = found is not None and len(found) > len(day) and _moment(expected) == _moment(found)
        scores.add("instant", right)
        if not right:
            scores.misses.append(("instant", name, f"{expected} {found}"))
        # The same instant may be another day in UTC.
        same_day = right or (found or "")[:10] == day
    else:
        same_day = (found or "")[:10] == day
    scores.add("day", same_day)
    scores.add("day wrong", found is not None and not same_day)
    if not same_day:
        scores.misses.append(("day", name, f"{expected} {found}"))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(microsecond=0)


def _score_body(expected: str, reading: Reading, name: str, scores: Scores) -> None:
    truth, found = tokens(expected), tokens(reading.body)
    value, precision, recall = f1(Counter(truth), Counter(found))
    scores.add("body F1", value)
    scores.add("shingle F1", f1(shingles(truth), shingles(found))[0])
    wrong = value < _MOSTLY_WRONG
    scores.add("mostly wrong", wrong)
    scores.add("unmarked", wrong and reading.refused is None and not reading.doubt)
    if value >= _GOOD:
        scores.add("doubted if good", bool(reading.doubt))
    if value < _GOOD:
        mark = f" doubt: {reading.doubt}" if reading.doubt else ""
        text = f"F1 {value:.2f} precision {precision:.2f} recall {recall:.2f}{mark}"
        scores.misses.append(("body", name, text))


def _score_segments(page: dict[str, Any], reading: Reading, name: str, scores: Scores) -> None:
    body = "".join(tokens(reading.body))
    held = [text for text in page.get("contains") or [] if "".join(tokens(text)) in body]
    extra = [text for text in page.get("lacks") or [] if "".join(tokens(text)) in body]
    for text in page.get("contains") or []:
        scores.add("contains", text in held)
    for text in page.get("lacks") or []:
        scores.add("lacks", text not in extra)
    absent = [text for text in page.get("contains") or [] if text not in held]
    none_held = bool(page.get("contains")) and not held
    scores.add("all segments lost", none_held and reading.refused is None and not reading.doubt)
    if absent or extra:
        mark = f" doubt: {reading.doubt}" if reading.doubt else ""
        scores.misses.append(("segments", name, f"lost {absent} extra {extra}{mark}"))


def _score_names(
    metric: str, expected: list[str], found: list[str], name: str, scores: Scores
) -> None:
    truth = Counter({fold(text).casefold() for text in expected} - {""})
    read = Counter({fold(text).casefold() for text in found} - {""})
    value = f1(truth, read)[0]
    scores.add(metric, value)
    if truth:
        scores.add(f"{metric} stated", value)
    if value < 1:
        scores.misses.append((metric, name, f"{value:.2f} {expected} {found}"))


def _score_picture(expected: list[str], found: str | None, name: str, scores: Scores) -> None:
    if not expected:
        scores.add("other picture", found is not None)
        return
    right = found is not None and any(_is_same_picture(url, found) for url in expected)
    scores.add("picture", right)
    scores.add("picture URL", found in expected)
    if not right:
        scores.misses.append(("picture", name, f"{expected} {found}"))


def _is_same_picture(one: str, other: str) -> bool:
    """Return whether two addresses seem to be of one picture, in other sizes or crops.

    They share a long part of their paths, half of their file names, or a number or key in these.
    """
    first, second = _path_parts(one), _path_parts(other)
    if any(len(part) >= _LONG_PART for part in set(first) & set(second)):
        return True
    names = sorted((_file_name(first), _file_name(second)), key=len)
    found = SequenceMatcher(None, *names, autojunk=False).find_longest_match()
    common = names[0][found.a : found.a + found.size]
    return one == other or (
        len(common) >= _SHORTEST_COMMON
        and (len(common) >= 0.5 * len(names[0]) or _KEY.search(common) is not None)
    )


def _path_parts(url: str) -> list[str]:
    return re.split(r"[/?&=]", unquote(unquote(url)).partition("://")[2])[1:]


def _file_name(parts: list[str]) -> str:
    files = [part for part in parts if _PICTURE_FILE.search(part)]
    return max(files or parts, key=len, default="")


def _score_related(page: dict[str, Any], found: list[str], name: str, scores: Scores) -> None:
    truth = {_plain_url(urljoin(page["url"], link["url"])) for link in page["related"] or []}
    read = {_plain_url(url) for url in found}
    scores.add("related common", len(truth & read))
    scores.add("related expected", len(truth))
    scores.add("related found", len(read))
    if truth != read:
        text = f"lost {sorted(truth - read)} extra {sorted(read - truth)}"
        scores.misses.append(("related", name, text))


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    query = [f"{n}={v}" for n, v in parse_qsl(parts.query) if not n.lower().startswith("utm_")]
    return f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}?{'&'.join(query)}"


def pages_of(folder: Path, sets: list[str]) -> Iterator[dict[str, Any]]:
    with (folder / "index.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            page = json.loads(line)
            if not sets or page["set"] in sets:
                yield page


def report(name: str, scores: Scores) -> None:
    cells = []
    for metric, values in sorted(scores.values.items()):
        if metric == "related found":
            common, expected, found = (
                sum(scores.values[f"related {part}"]) for part in ("common", "expected", "found")
            )
            precision, recall = common / max(found, 1), common / max(expected, 1)
            both = 2 * common / max(expected + found, 1)
            cells.append(f"related P {precision:.3f} R {recall:.3f} F1 {both:.3f}")
        elif metric in ("related common", "related expected"):
            continue
        elif metric == "ms":
            values.sort()
            high = values[int(len(values) * 0.95)]
            cells.append(f"ms {statistics.median(values):.1f} / {high:.1f}")
        elif metric in ("mostly wrong", "unmarked", "refused", "all segments lost"):
            cells.append(f"{metric} {sum(values):.0f} of {len(values)}")
        else:
            cells.append(f"{metric} {statistics.mean(values):.3f} of {len(values)}")
    print(f"  {name}: " + "; ".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how well news pages are read.")
    parser.add_argument("folder", type=Path, help="a folder with index.jsonl and its pages")
    parser.add_argument("--readers", help=f"names by commas: {', '.join(READERS)}")
    parser.add_argument("--sets", default="", help="names of sets by commas; default: all")
    parser.add_argument("--misses", type=int, default=0, help="how many misses of ours to print")
    parser.add_argument("--jobs", type=int, default=1, help="processes; 1 measures time best")
    options = parser.parse_args()
    installed = [name for name, (_, module) in READERS.items() if importlib.util.find_spec(module)]
    names = [n.strip() for n in options.readers.split(",")] if options.readers else installed
    if absent := [name for name in READERS if name not in names]:
        print("not measured:", ", ".join(absent))
    pages = list(pages_of(options.folder, [s for s in options.sets.split(",") if s]))
    if not pages:
        parser.error(f"{options.folder}/index.jsonl has no page of the sets {options.sets!r}")
    work = [(str(options.folder), page, names) for page in pages]
    if options.jobs > 1:
        with ProcessPoolExecutor(options.jobs) as pool:
            readings = list(pool.map(read_page, work, chunksize=4))
    else:
        read_page(work[0])
        readings = [read_page(entry) for entry in work]
    tables: dict[str, dict[str, Scores]] = {}
    for page, found in zip(pages, readings, strict=True):
        for name, reading in found.items():
            table = tables.setdefault(page["set"], {})
            score(page, reading, table.setdefault(name, Scores()))
    for set_name, table in tables.items():
        print(f"{set_name}: {sum(page['set'] == set_name for page in pages)} pages")
        for name, scores in table.items():
            report(name, scores)
    if options.misses:
        for set_name, table in tables.items():
            if mine := table.get("ours"):
                by_cause = Counter(cause for cause, _, _ in mine.misses)
                print(f"misses of {set_name}:", dict(by_cause))
                shown: Counter[str] = Counter()
                for cause, name, text in sorted(mine.misses):
                    shown[cause] += 1
                    if shown[cause] <= options.misses:
                        print(f"  {cause} {name}: {text[:400]}")


if __name__ == "__main__":
    main()
