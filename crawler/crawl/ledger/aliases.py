"""The aliases of articles in the ledger, which may be aliases of aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from crawler.crawl.ledger.schema import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

_CHUNK = 500
_ANY = select(ALIASES.c.alias).limit(1)
_AMONG = select(ALIASES).where(ALIASES.c.alias.in_(bindparam("ids", expanding=True)))
_OF = select(ALIASES.c.alias).where(ALIASES.c.id.in_(bindparam("ids", expanding=True)))


def resolved(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Return the ids of the articles that aliases stand for, by the aliases among ``ids``."""
    found: dict[str, str] = {}
    if connection.execute(_ANY).first() is None:
        return found
    asked = list(dict.fromkeys(ids))
    while asked:
        rows = list(_rows(connection, _AMONG, asked))
        found.update((row.alias, row.id) for row in rows)
        # The article of an alias may have become an alias later.
        asked = list({row.id: None for row in rows if row.id not in found})

    def last(name: str) -> str:
        while name in found:
            name = found[name]
        return name

    return {name: last(name) for name in found}


def aliases_of(connection: Connection, article_id: str) -> list[str]:
    """Return the ids that stand for an article, without its own. Reads all aliases."""
    found: list[str] = []
    ids = [article_id]
    while ids:
        ids = [row.alias for row in _rows(connection, _OF, ids)]
        found += ids
    return found


def _rows(connection: Connection, query: Any, ids: Sequence[str]) -> Iterator[Any]:
    for start in range(0, len(ids), _CHUNK):
        yield from connection.execute(query, {"ids": ids[start : start + _CHUNK]})
