"""A process that reads pages for another one: see crawler.reading.

python -m crawler.reader SITE ROOT
"""

import pickle
import sys
from contextlib import suppress
from typing import BinaryIO

from crawler import sites
from crawler.reading import LENGTH, packed, read
from crawler.sites import Site


def serve(site: Site, asked: BinaryIO, answers: BinaryIO) -> None:
    """Read pages as they are asked for, until nothing is asked any more."""
    while header := asked.read(LENGTH.size):
        body, article_id, address, charset = pickle.loads(asked.read(LENGTH.unpack(header)[0]))
        answer = None
        # Whoever asked reads it again, and tells what is wrong with it.
        with suppress(Exception):
            answer = read(body, site, article_id, address, charset)
        answers.writelines(packed(answer))
        answers.flush()


if __name__ == "__main__":
    publisher = sites.load(sys.argv[1])
    with suppress(BrokenPipeError, ConnectionResetError):
        serve(
            publisher if sys.argv[2] == publisher.base_url else publisher.at(sys.argv[2]),
            sys.stdin.buffer,
            sys.stdout.buffer,
        )
