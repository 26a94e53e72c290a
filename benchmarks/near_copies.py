"""How well near copies are found: precision and recall on made copies of real texts.

    python benchmarks/near_copies.py DIR

DIR holds saved pages and ``index.jsonl``, as benchmarks/fidelity.py describes. The bodies of the
pages are the originals. Of each, one text of every kind below is made, and each kind is measured in
a corpus of all originals and all texts of this kind. The first table is of copies. The second is of
texts that have something in common without being copies: pairs, and how many of them were found.

Recall is of the pairs of an original and its copy, precision of all pairs that were found. Pairs of
originals are printed, to be judged by eye: they are real copies, or errors. Added paragraphs and
replaced words are of another original in the same language.
"""

import argparse
import gzip
import random
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import fields
from itertools import combinations
from pathlib import Path

from fidelity import pages_of

from crawler.export.near_copies import FEWEST_TOKENS, _Text, find
from crawler.extraction.api import Refusal, extract
from crawler.items import Article, PageRecord

_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u9fff]+")
_PUNCTUATION = str.maketrans({'"': "»", "“": "«", "”": "»", "'": "’", "’": "'", "-": "–", ",": ";"})
_BOILERPLATE = (
    "This article was written by our newsroom and checked by an editor. If you find an error, "
    "write to us and tell us where you found it, so that we can correct it as soon as possible.",
    "You can support our work with a subscription. Subscribers read all of our articles, receive "
    "a letter each morning and are invited to our talks with reporters in the town library.",
)


class Original:
    """An original text, with another one in the same language to take words from."""

    def __init__(self, name: str, body: str) -> None:
        self.name = name
        self.body = body
        self.paragraphs = body.split("\n\n")
        self.words = _WORD.findall(body)
        self.random = random.Random(name)
        self.other = self

    def replaced(self, share: float) -> str:
        def word(match: re.Match[str]) -> str:
            if self.random.random() < share:
                return self.random.choice(self.other.words)
            return match[0]

        return _WORD.sub(word, self.body)

    def middle(self, count: int) -> list[str]:
        """Return the paragraphs of middle length."""
        longest_first = sorted(self.paragraphs, key=len, reverse=True)
        start = max(0, (len(longest_first) - count) // 2)
        return longest_first[start : start + count]


def with_headline_and_byline(text: Original) -> str:
    return f"What happened, and why it matters\n\nBy Ada Lindqvist, Wire Service\n\n{text.body}"


def added(text: Original) -> str:
    half = len(text.paragraphs) // 2
    first, *rest = text.other.middle(2)
    return "\n\n".join((*text.paragraphs[:half], first, *text.paragraphs[half:], *rest))


def reordered(text: Original) -> str:
    return "\n\n".join(text.random.sample(text.paragraphs, len(text.paragraphs)))


def halves(text: Original) -> str:
    other = text.other.body
    return text.body[: len(text.body) // 2] + "\n\n" + other[len(other) // 2 :]


def quoting(text: Original) -> str:
    first, *rest = text.other.paragraphs
    return "\n\n".join((first, *text.middle(2), *rest))


COPIES: dict[str, Callable[[Original], str]] = {
    "identical": lambda text: text.body,
    "other headline and byline": with_headline_and_byline,
    "other punctuation and quotes": lambda text: text.body.translate(_PUNCTUATION),
    "first paragraph rewritten": lambda text: "\n\n".join(
        (text.other.paragraphs[0], *text.paragraphs[1:])
    ),
    "last third cut": lambda text: text.body[: len(text.body) * 2 // 3],
    "two paragraphs added": added,
    "paragraphs reordered": reordered,
    "10% of words replaced": lambda text: text.replaced(0.1),
    "20% of words replaced": lambda text: text.replaced(0.2),
    "translated dateline": lambda text: f"ROM, 3. Mai (dpa) — {text.body}",
}
OTHERS: dict[str, Callable[[Original], str]] = {
    "same boilerplate": lambda text: "\n\n".join((text.body, *_BOILERPLATE)),
    "halves of two articles": halves,
    "two paragraphs quoted": quoting,
}


def article(name: str, body: str) -> Article:
    nothing = dict.fromkeys(field.name for field in fields(PageRecord))
    facts = {"kind": "article", "schema": 3, "id": name, "body": body, "depth": 0, "status": 200}
    facts |= {"found_on": None, "fetched_at": "2026-01-01T00:00:00+00:00", "source": "folder"}
    return Article(**{**nothing, **facts})


def originals_of(folder: Path) -> list[Original]:
    """Return the texts of the pages that are long enough, each with another in its language."""
    by_language: dict[str | None, list[Original]] = defaultdict(list)
    short = 0
    for page in pages_of(folder, []):
        record = extract(gzip.decompress((folder / page["file"]).read_bytes()), url=page["url"])
        if isinstance(record, Refusal) or not record.body:
            continue
        if len(_Text.of(record.body).tokens) < FEWEST_TOKENS:
            short += 1
            continue
        by_language[record.language].append(Original(page["file"], record.body))
    originals = [text for texts in by_language.values() for text in texts]
    for texts in by_language.values():
        # The only text of its language takes words from another language.
        ring = texts if len(texts) > 1 else [texts[0], originals[0]]
        for text, other in zip(texts, ring[1:] + ring[:1], strict=False):
            text.other = other
    print(f"{len(originals)} originals; {short} shorter texts are not measured")
    return originals


def pairs_found(texts: dict[str, str]) -> set[frozenset[str]]:
    copies = find(article(name, body) for name, body in texts.items())
    return {frozenset((name, other)) for name, others in copies.items() for other in others}


def copy_pairs(originals: list[Original], known: set[frozenset[str]]) -> set[frozenset[str]]:
    """Return all pairs that copies of the originals make with them and with each other.

    A copy of one of two originals that are copies is a copy of the other one, too.
    """
    pairs = {frozenset((text.name, made_name(text.name))) for text in originals}
    for one, other in map(sorted, known):
        pairs |= {frozenset(pair) for pair in ((one, made_name(other)), (other, made_name(one)))}
        pairs.add(frozenset((made_name(one), made_name(other))))
    return pairs


def made_name(name: str) -> str:
    return f"from {name}"


def measure_copies(originals: list[Original], known: set[frozenset[str]]) -> None:
    plain = {text.name: text.body for text in originals}
    print("| copies | recall | precision |\n| --- | --- | --- |")
    seconds = []
    for kind, make in COPIES.items():
        made = {made_name(text.name): make(text) for text in originals}
        started = time.process_time()
        found = pairs_found({**plain, **made}) - known
        seconds.append(time.process_time() - started)
        own = {pair for pair in found if len({name.removeprefix("from ") for name in pair}) == 1}
        right = found & copy_pairs(originals, known)
        print(f"| {kind} | {len(own) / len(made):.3f} | {len(right) / max(1, len(found)):.3f} |")
    print(f"{2 * len(originals) / statistics.median(seconds):,.0f} articles a second of CPU time\n")


def measure_others(originals: list[Original], known: set[frozenset[str]]) -> None:
    plain = {text.name: text.body for text in originals}
    print("| no copies | pairs | found |\n| --- | --- | --- |")
    for kind, make in OTHERS.items():
        made = {made_name(text.name): make(text) for text in originals}
        if kind == "same boilerplate":
            same = {frozenset(map(made_name, pair)) for pair in known}
            pairs = {frozenset(pair) for pair in combinations(made, 2)} - same
            found = pairs_found(made) & pairs
        else:
            # The quoting text has all of the other original, so it is a copy of that one.
            pairs = {frozenset((text.name, made_name(text.name))) for text in originals}
            if kind == "halves of two articles":
                pairs |= {frozenset((text.other.name, made_name(text.name))) for text in originals}
            found = pairs_found({**plain, **made}) & pairs
        print(f"| {kind} | {len(pairs):,} | {len(found)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how well near copies are found.")
    parser.add_argument("folder", type=Path, help="a folder with index.jsonl and its pages")
    originals = originals_of(parser.parse_args().folder)
    known = pairs_found({text.name: text.body for text in originals})
    for pair in sorted(map(sorted, known)):
        print("originals that are copies:", *pair)
    print()
    measure_copies(originals, known)
    measure_others(originals, known)


if __name__ == "__main__":
    main()
