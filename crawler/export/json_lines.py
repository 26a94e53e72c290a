"""Articles as JSON Lines, as the job or the feeds have them."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from crawler.export.corpus import Copies, Corpus


def write_jsonl(
    corpus: Corpus, file: IO[bytes], copies: Copies | None, *, every_revision: bool = False
) -> int:
    """Write one article a line; ``copies`` adds ``same_text_as``. Returns their number."""
    count = 0
    for line in corpus.lines(every_revision=every_revision):
        if copies is not None:
            record = msgspec.json.decode(line)
            line = msgspec.json.encode({**record, "same_text_as": copies.get(record["id"], ())})
        file.write(line + b"\n")
        count += 1
    return count
