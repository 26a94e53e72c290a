"""Read single records by their locations, in any process, without an index.

Takes the ``Location`` of a file of records, the offset and the length of a record. A record whose
length is known costs one range request of exactly its bytes. Returns a ``Record``; raises
ArchiveError as reading the whole file in order would.
"""

from collections import OrderedDict

from crawler.warc.file import WarcFile
from crawler.warc.records import Record
from crawler.warc.stored_bytes import open_stored
from crawler.warc.stored_file import Location, place_of
from crawler.warc.texts import TextsFile


class RecordReader:
    """Keeps the files last read open, at most ``most_open`` of them, also if they are unpacked."""

    def __init__(self, most_open: int = 32) -> None:
        self._most_open = most_open
        self._files: OrderedDict[Location, WarcFile | TextsFile] = OrderedDict()

    def read(self, location: Location, offset: int, length: int, most: int) -> Record:
        """Read the record at ``offset``, of at most ``most`` bytes, and check its digests.

        ``length`` is its size in the file; 0 if unknown. Raises StorageError if its bytes cannot be
        got, and ArchiveError if it is too large, truncated or damaged.
        """
        return self._file(location).read(offset, most, length)

    def place(self, location: Location, offset: int) -> str:
        """Return the location of a record, for display."""
        return place_of(location.name, offset)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _file(self, location: Location) -> WarcFile | TextsFile:
        file = self._files.get(location)
        if file is None:
            while len(self._files) >= self._most_open:
                self._files.popitem(last=False)[1].close()
            file = self._files[location] = _open(location)
        self._files.move_to_end(location)
        return file


def _open(location: Location) -> WarcFile | TextsFile:
    # Bytes after this part of the archive file are of no use, so its whole size is not needed.
    end = None if location.size is None else location.start + location.size
    stored = open_stored(location.address, end)
    try:
        if location.text_fields:
            return TextsFile(stored, location.name, location.text_fields, location)
        return WarcFile(stored, location.name, location.start, location.size, location)
    except BaseException:
        stored.close()
        raise
