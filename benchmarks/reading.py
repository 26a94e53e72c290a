"""A live crawl of present-day pages, whose reading takes most of the time, compared with a peer.

    pip install '.[bench,test]'; apt-get install --no-install-recommends nginx-light
    python benchmarks/reading.py [--pages 400] [--corpus FOLDER [--copies 1]] [--pairs 3]

Pages of 290 kB are generated (made_news.py) and served by nginx on this machine, which also stands
for the proxy through which the crawlers reach their hosts. A corpus of real pages in a folder has
an ``index.jsonl`` with a line for each: its ``file`` (compressed with gzip) and its ``url``. Pages
whose URLs do not look like those of articles are left out. A crawl of a few hundred pages is short
beside the start of its processes, so most pages may be served by several hosts (``--copies``).

The crawlers take turns to fetch every page, each run in a process of its own: this spider, with
everything on except politeness; the same with READER_PROCESSES=0; and a Scrapy spider that calls
trafilatura in its callback. Prints medians, and medians of the ratios of runs in the same round.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import made_news
from crawl import IMPOLITE, PEERS, ROOT, Run, measure, serve

from crawler.extraction.article_urls import looks_like_article

_MADE_HOST = "kelmouth.example"
_CANONICAL_HOST = re.compile(rb"""rel=["']?canonical["']?[^>]*href=["']?https?://([^/"'> ]+)""")
_ALONE, _PEER = "READER_PROCESSES=0", "trafilatura in a spider"


def made_pages(count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        url = f"http://{_MADE_HOST}/news/{made_news.FIRST_ID + number}"
        yield url, made_news.page(number, count, 1)


def real_pages(corpus: Path, copies: int) -> Iterator[tuple[str, bytes]]:
    for line in (corpus / "index.jsonl").open(encoding="utf-8"):
        page = json.loads(line)
        # nginx is no proxy for encrypted connections.
        url = urlsplit(page["url"].strip())._replace(scheme="http", query="", fragment="")
        # Whatever may be a list of articles would lead to others.
        if url.netloc and looks_like_article(url.geturl()):
            body = gzip.decompress((corpus / page["file"]).read_bytes())
            yield url.geturl(), body
            declared = _CANONICAL_HOST.search(body)
            if declared and declared[1].decode() != url.netloc:
                # It would be the same article at any address.
                continue
            for number in range(2, copies + 1):
                host = f"copy{number}.{url.netloc}"
                copy = body.replace(url.netloc.encode(), host.encode())
                yield url._replace(netloc=host).geturl(), copy


def write_site(folder: Path, pages: dict[str, bytes]) -> None:
    """Write the pages, each at a path that begins with its host, and the list of their URLs."""
    folder.chmod(0o755)
    for url, body in pages.items():
        host, path = urlsplit(url).netloc, unquote(urlsplit(url).path)
        file = folder / "site" / host / path.strip("/") / "page.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    (folder / "urls.txt").write_text("\n".join(pages), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed; apt-get install nginx-light")
    bins = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="reading-benchmark-") as name:
        folder = Path(name)
        pages = dict(
            real_pages(options.corpus, options.copies)
            if options.corpus
            else made_pages(options.pages)
        )
        write_site(folder, pages)
        with serve(folder, "try_files /$host/$uri/page.html =404;") as proxy:
            os.environ["http_proxy"] = proxy
            out = folder / "out.jsonl"
            ours = [f"{bins}/scrapy", "crawl", "articles", "-a", f"seed=@{folder}/urls.txt"]
            ours += ["-a", "depth=0", "-O", str(out), *IMPOLITE]
            peer = [f"{bins}/scrapy", "runspider", str(PEERS / "trafilatura_spider.py")]
            peer += ["-a", f"urls={folder}/urls.txt", "-O", str(out), "-s", "LOG_LEVEL=INFO"]
            crawlers = {
                "this spider": (ours, ROOT),
                _ALONE: ([*ours, "-s", _ALONE], ROOT),
                _PEER: (peer, folder),
            }
            runs: dict[str, list[Run]] = {crawler: [] for crawler in crawlers}
            for _ in range(options.pairs):
                for crawler, (command, cwd) in crawlers.items():
                    run = measure(command, out, len(pages), cwd)
                    runs[crawler].append(run)
                    print(
                        f"{crawler:<24} {run.seconds:6.2f} s {run.cpu_seconds:6.2f} s CPU "
                        f"{len(pages) / run.seconds:6.1f} pages/s {run.megabytes:6.0f} MB",
                        flush=True,
                    )
    size = statistics.mean(map(len, pages.values())) / 1000
    print(f"\n{len(pages):,} pages of {size:.0f} kB, {os.cpu_count()} processors")
    for other, bar in ((_PEER, 3), (_ALONE, 1.7)):
        ratio = statistics.median(
            theirs.seconds / mine.seconds
            for mine, theirs in zip(runs["this spider"], runs[other], strict=True)
        )
        print(f"pages/s, this spider / {other}: {ratio:.2f} (target: at least {bar})")
        ratio = statistics.median(
            theirs.cpu_seconds / mine.cpu_seconds
            for mine, theirs in zip(runs["this spider"], runs[other], strict=True)
        )
        print(f"CPU seconds, {other} / this spider: {ratio:.2f}")


if __name__ == "__main__":
    main()
