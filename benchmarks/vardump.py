"""The speed of reading dumps, compared with json.loads on the same values.

    python benchmarks/vardump.py [--pairs N] [--megabytes 1 8 64]

Prints medians, and medians of the ratios of adjacent runs. ``structure`` has many small values,
``strings`` has long texts. For both readers, MB/s count the text of the dump. Memory is the peak
allocated while reading, including the values. The script also compares scanning the test pages that
have no dump with parsing them with parsel.
"""

import argparse
import json
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from parsel import Selector

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from crawler import vardump  # noqa: E402

WORDS = (
    "after the of court police said on in city people minister year an two for with was from"
).split()


def structure(chance: random.Random) -> dict[str, Any]:
    return {
        "id": str(chance.randrange(10**7)),
        "sort": chance.randrange(100),
        "score": chance.random(),
        "live": chance.random() < 0.5,
        "note": None,
        "title": " ".join(chance.choices(WORDS, k=chance.randrange(1, 8))),
        "tags": chance.choices(WORDS, k=chance.randrange(4)),
        "position": {"x": chance.randrange(1000), "y": chance.randrange(1000)},
    }


def strings(chance: random.Random) -> dict[str, Any]:
    return {
        "id": chance.randrange(10**7),
        "body": "\n".join(" ".join(chance.choices(WORDS, k=80)) for _ in range(40)),
    }


def dumped(value: Any, level: int = 0) -> Iterator[str]:
    """Yield var_dump's output for decoded JSON (tests/test_vardump.py checks it against PHP)."""
    indent = "  " * level
    match value:
        case None:
            yield f"{indent}NULL\n"
        case bool():
            yield f"{indent}bool({str(value).lower()})\n"
        case int():
            yield f"{indent}int({value})\n"
        case float():
            yield f"{indent}float({value!r})\n".replace("e", "E")
        case str():
            yield f'{indent}string({len(value.encode())}) "{value}"\n'
        case _:
            entries = enumerate(value) if isinstance(value, list) else value.items()
            yield f"{indent}array({len(value)}) {{\n"
            for key, inner in entries:
                yield (
                    f"{indent}  [{key}]=>\n" if isinstance(key, int) else f'{indent}  ["{key}"]=>\n'
                )
                yield from dumped(inner, level + 1)
            yield f"{indent}}}\n"


def values(
    make: Callable[[random.Random], dict[str, Any]], megabytes: float
) -> list[dict[str, Any]]:
    chance = random.Random(1)
    size = sum(map(len, dumped([make(chance) for _ in range(100)]))) / 100
    return [make(chance) for _ in range(int(megabytes * 1e6 / size))]


def seconds(run: Callable[[], object]) -> float:
    # The first allocation after a parsed tree was freed also pays for the clean-up.
    bytearray(5_000)
    start = time.perf_counter()
    result = run()
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def peak_bytes(run: Callable[[], object]) -> int:
    """Return the peak memory allocated while running."""
    tracemalloc.start()
    result = run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del result
    return peak


def compare(
    name: str, make: Callable[[random.Random], dict[str, Any]], megabytes: float, pairs: int
) -> None:
    value = values(make, megabytes)
    dump, text = "".join(dumped(value)).encode(), json.dumps(value)
    assert vardump.loads(dump) == value == json.loads(text)
    times = [
        (seconds(lambda: vardump.loads(dump)), seconds(lambda: json.loads(text)))
        for _ in range(pairs)
    ]
    ours, theirs = (
        statistics.median(len(dump) / 1e6 / one[side] for one in times) for side in (0, 1)
    )
    ratio = statistics.median(b / a for a, b in times)
    memory = peak_bytes(lambda: vardump.loads(dump)) / peak_bytes(lambda: json.loads(text))
    rates = f"loads {ours:6.0f} MB/s, json.loads {theirs:6.0f} MB/s, ratio {ratio:.3f}"
    print(f"{name:10} {megabytes:4g} MB: {rates}; peak memory {memory:.2f} of json.loads")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[1, 8, 64])
    args = parser.parse_args()
    for name, make in (("structure", structure), ("strings", strings)):
        for megabytes in args.megabytes:
            compare(name, make, megabytes, args.pairs)
    scan_pages(20 * args.pairs)


def scan_pages(pairs: int) -> None:
    pages = [path.read_bytes() for path in sorted((ROOT / "tests" / "pages").glob("*.html"))]
    pages = [page for page in pages if b"xdebug" not in page and not list(vardump.scan(page))]
    # Also combined into one long page, without and with a script full of parentheses.
    script = (
        b"<script>" + b'(function(a){if(b.c("x")&&d(a)){return f.g(h)}'
        b'document.getElementById("x").y("click")})();\n' * 300 + b"</script>"
    )
    whole = b"".join(pages)
    compare_scan(pages, "saved pages", pairs)
    compare_scan([whole], "page combining them", pairs)
    compare_scan([script.join((b"", whole))], "page combining them and 28 kB of script", pairs)


def compare_scan(pages: list[bytes], name: str, pairs: int) -> None:
    texts = [page.decode("utf-8", "replace") for page in pages]

    def scan() -> list[list[vardump.Dump]]:
        return [list(vardump.scan(page)) for page in pages]

    def parse() -> list[Any]:
        return [Selector(text=text, type="html").root for text in texts]

    share = statistics.median(seconds(scan) / seconds(parse) for _ in range(pairs))
    print(
        f"{len(pages)} {name}, {sum(map(len, pages)) // 1000} kB, no dump: "
        f"scan costs {share:.1%} of parsing with parsel"
    )


if __name__ == "__main__":
    main()
