"""Bodies that other readings of the page contradict: taken from the better one, or doubted."""

import json

import pytest

from crawler import extract
from crawler.extraction.api import PageRecord

HEADLINE = "Divers Examine the Harbour Wall after the Storm"
PARAGRAPHS = [
    "The harbour council said on Sunday that two piers would stay closed until divers from the "
    "capital had examined the wall.",
    "Some forty families who live along the mole were brought to a school on the hill, where the "
    "baker’s union handed out bread and soup.",
    "The piers carry half of the island’s trade, and three freighters wait in the roads, among "
    "them one with seed potatoes.",
    "“We have never seen waves of this height in August,” said a spokesman for the port, who asked "
    "fishermen to keep their boats in.",
]
OTHER = [
    "Readers may write to the editor about this story until Friday, and the best letters will be "
    "printed in the weekend’s paper.",
]


def page(*parts: str, declared: str | None = None) -> bytes:
    node = {"@type": "NewsArticle", "headline": HEADLINE, "datePublished": "2026-05-01T08:00:00Z"}
    if declared is not None:
        node["articleBody"] = declared
    return (
        f"<!doctype html><html lang=en><head><title>{HEADLINE}</title>"
        f"<script type=application/ld+json>{json.dumps(node)}</script></head>"
        f"<body><main><h1>{HEADLINE}</h1>{''.join(parts)}</main></body></html>"
    ).encode()


def text(paragraphs: list[str]) -> str:
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def read(body: bytes) -> PageRecord:
    record = extract(body, url="https://courier.example/2026/05/01/divers-examine-harbour-wall")
    assert isinstance(record, PageRecord)
    return record


def test_a_body_that_nothing_contradicts_is_not_doubted() -> None:
    record = read(page(text(PARAGRAPHS), declared=" ".join(PARAGRAPHS)))
    assert record.body == "\n\n".join(PARAGRAPHS)
    assert record.provenance["body"].doubt is None


def test_paragraphs_in_a_part_that_looks_like_another_are_found_by_the_declared_text() -> None:
    record = read(
        page(
            text(OTHER),
            f"<div class=recommendations>{text(PARAGRAPHS)}</div>",
            declared="\n".join(OTHER + PARAGRAPHS),
        )
    )
    assert record.body == "\n\n".join(OTHER + PARAGRAPHS)
    assert record.provenance["body"].where == "paragraphs of the page that JSON-LD articleBody has"


def test_a_text_that_is_only_declared() -> None:
    record = read(page(text(PARAGRAPHS[:1]), declared="\n".join(PARAGRAPHS)))
    assert record.body == "\n\n".join(PARAGRAPHS)
    assert record.provenance["body"].where == "JSON-LD articleBody"


def test_a_declared_summary_does_not_count() -> None:
    record = read(page(text(PARAGRAPHS), declared="Two piers stay closed. " * 8))
    assert record.body == "\n\n".join(PARAGRAPHS)
    assert record.provenance["body"].doubt is None


@pytest.mark.parametrize("name", ["recommendations", "related-content"])
def test_a_lost_text_is_taken_from_trafilatura_or_doubted(name: str) -> None:
    record = read(page(text(OTHER), f"<div class={name}>{text(PARAGRAPHS)}</div>"))
    place = record.provenance["body"]
    found = sum(paragraph in (record.body or "") for paragraph in PARAGRAPHS)
    assert found == len(PARAGRAPHS) or place.doubt
    if found:
        assert "trafilatura" in place.where
        assert "trafilatura" in (place.doubt or "")
