"""Stored records, read from their JSON whatever the version of their schema."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, cast, get_args, get_type_hints

import msgspec

from crawler.crawl.edges import edges_of, edges_of_items
from crawler.items import RECORDS, Article, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crawler.crawl.edges import Edge
    from crawler.items import Schema

_SCHEMA = 3
_DECODERS = {kind: msgspec.json.Decoder(record) for kind, record in RECORDS.items()}


class _Head(msgspec.Struct):
    kind: str
    schema: int = _SCHEMA


_HEAD = msgspec.json.Decoder(_Head)


def read(encoded: bytes) -> Record:
    """Return the record in a line of JSON.

    The fields that an older schema lacks are null, and named in ``missing``; ``schema`` stays the
    record's own. Raises msgspec.DecodeError if it is not JSON, and msgspec.ValidationError, which
    is one, if it is not a record.
    """
    head = _HEAD.decode(encoded)
    decoder = _DECODERS.get(head.kind)
    if decoder is None:
        raise msgspec.ValidationError(f"no such kind of record: {head.kind!r}")
    try:
        return decoder.decode(encoded)
    except msgspec.ValidationError:
        values = msgspec.json.decode(encoded)
        absent = [name for name in _nullable(head.kind) if name not in values]
        if not absent and not 1 <= head.schema < _SCHEMA:
            raise
    values |= dict.fromkeys(absent)
    if head.kind == "article":
        values.setdefault("aliases", [])
        if isinstance(values.get("missing"), list):
            values["missing"] = [*values["missing"], *absent]
    record = msgspec.convert({**values, "schema": _SCHEMA}, RECORDS[head.kind])
    return replace(record, schema=cast("Schema", head.schema))


@cache
def _nullable(kind: str) -> tuple[str, ...]:
    """Return the fields of a kind of record that may be null and have no default."""
    hints = get_type_hints(RECORDS[kind])
    return tuple(
        field.name
        for field in fields(RECORDS[kind])
        if NoneType in get_args(hints[field.name]) and field.default is MISSING
    )


class _Target(msgspec.Struct):
    id: str | None = None


class _Targets(msgspec.Struct):
    related: list[_Target] | None = None
    links: list[_Target] | None = None


_TARGETS = msgspec.json.Decoder(_Targets)


def with_resolved_ids(encoded: bytes, resolve: Callable[[set[str]], Mapping[str, str]]) -> bytes:
    """Return a record, as JSON, whose related items and links have no aliases for ids.

    ``resolve`` returns the aliases among some ids, with the ids of their articles.
    """
    targets = _TARGETS.decode(encoded)
    listed = (*(targets.related or ()), *(targets.links or ()))
    ids = resolve({target.id for target in listed if target.id is not None})
    if not ids:
        return encoded
    record = msgspec.json.decode(encoded)
    for name in ("related", "links"):
        for item in record.get(name) or ():
            item["id"] = ids.get(item["id"], item["id"])
    return msgspec.json.encode(record)


def edges_of_article(article: Article) -> Iterable[Edge]:
    """Return the links of a record whose targets have ids; the related items if it has no links."""
    if article.links is not None:
        return edges_of(article.id, article.links)
    return edges_of_items(article.id, article.related or ())
