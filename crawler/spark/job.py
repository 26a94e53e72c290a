"""The steps of the job on the driver. Executors do the work, and write its results to the output.

1. Each file that is new is listed: its captures are the rows of a Parquet file.
2. The rows are grouped by article, and each article is read from its captures. If it comes to a
   redirect or a revisit record, it is suspended, and goes on after a join of all rows that finds
   what that refers to. This is repeated until no article is suspended.
3. The ids of articles are settled: which pages are the same article.
4. Records, failures and links are written by publisher and month, and the balance is drawn up.

A later run reads only the files that are new, then the articles of their captures, and those whose
result may depend on them. It rewrites the partitions in which these are. Whatever Spark computes
again, because an executor was lost, it computes from files that are complete.
"""

from __future__ import annotations

import pickle
from collections import Counter
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from crawler.crawl.duplicates import Claimant, Duplicates, Settlement
from crawler.errors import CrawlerError
from crawler.files import readable
from crawler.spark import balance, reading, walking, writing
from crawler.spark.captures import from_columns, lookups_of
from crawler.spark.folders import Folder
from crawler.spark.id_sets import IdSet, digest
from crawler.spark.state import State
from crawler.spark.walking import InputFile, Walked
from crawler.warc.listing import list_addresses, list_indexes
from crawler.warc.stored_bytes import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyspark import SparkContext
    from pyspark.core.broadcast import Broadcast

    from crawler.crawl.duplicates import Found
    from crawler.spark.options import Options
    from crawler.spark.reading import Suspended, Written
    from crawler.spark.writing import Finished, Kept, Partition
    from crawler.warc.listing import StoredEntry
    from crawler.warc.located import LocatedCapture
    from crawler.warc.pages import Lookup

_T = TypeVar("_T")
_Rdd = Any
"""An RDD; pyspark's own type says nothing of its elements."""
# Tasks of about half a minute: long enough to be worth their start, short enough to be repeated.
_CAPTURES_A_TASK = 2_000
_ROWS_A_PART = 50_000
_BYTES_A_TASK = 64 << 20
_FILES_A_TASK = 50
_MOST_TASKS = 20_000
_NEXT_CAPTURES, _NEXT_RESULTS = "_next/_state/captures", "_next/results"
# Failures that a later run may not meet again, on an idler machine or with a newer version.
_PASSING = frozenset(("too_slow", "internal_error"))
_OUTCOME_COLUMNS = [field.name for field in reading.OUTCOME_FIELDS]


class Report(NamedTuple):
    """What a run did: the files it read, those of all runs, and what became of all captures."""

    new_files: int
    files: list[Walked]
    unread: list[str]
    read: int
    balance: list[balance.Entry]


class Job:
    """One run of the job. ``say`` is called with each step, for the user to see."""

    def __init__(self, context: SparkContext, options: Options, say: Callable[[str], None]) -> None:
        self._context = context
        self._options = options
        self._say = say
        self._folder = Folder(options.output)

    def run(self) -> Report:
        """Read the inputs that are new; raise CrawlerError if the output cannot be written."""
        state = State(self._options)
        files, unread = self._inputs()
        known = {walked.file for walked in state.files if not walked.unreadable}
        new = [file for file in files if file not in known]
        # Files that have changed, or could not be read, are listed again.
        addresses = {file.address for file in new}
        kept = [walked for walked in state.files if walked.file.address not in addresses]
        gone = [walked for walked in state.files if walked.file.address in addresses]
        self._say(f"{len(new):,} of {len(files):,} files are new")
        walked = self._walk(new)
        self._say(f"listed {sum(one.captures for one in walked):,} captures")
        all_files = [*kept, *walked]
        tables = _tables(all_files)
        affected = self._affected(state.outcomes, _tables([*walked, *gone]))
        if not new and affected is not None and not len(affected):
            state.leave()
            return Report(0, all_files, unread, 0, self._balance(state.outcomes, all_files))
        captures = sum(one.captures for one in all_files)
        results = self._read(tables, captures, affected)
        settlements = self._settle(results, state.outcomes, affected)
        resettled = self._resettled(settlements, state.outcomes, affected)
        if affected is not None and resettled is not None:
            # Their pages are the same, and have to be read again only for their records.
            results = [*results, *self._read(tables, captures, resettled)]
            affected = IdSet(chain(affected.digests, resettled.digests))
        written, outdated, read = self._write(results, settlements, state.outcomes, affected)
        outcomes = [name for name in written if name.startswith(writing.OUTCOMES_FOLDER)]
        entries = self._balance(outcomes, all_files)
        written += balance.write(self._folder, entries)
        files_table = state.write_files(all_files)
        new_tables = [one.table for one in walked if one.table]
        outdated += [one.table for one in gone if one.table]
        outdated += self._folder.files("files") + self._folder.files("balance") + state.outcomes
        state.replace([*written, *new_tables, files_table], outdated)
        return Report(len(new), all_files, unread, read, entries)

    def _inputs(self) -> tuple[list[InputFile], list[str]]:
        """Return the files to read, each once, and the names of those that are not read."""
        files: dict[str, InputFile] = {}
        unread: list[str] = []
        for address in self._options.inputs:
            listing = list_addresses(address)
            if not listing.files:
                raise CrawlerError(f"input: {display_name(address)} holds no archive file")
            files |= _by_address(listing.files)
            unread += listing.unread
        for address in self._options.indexes:
            if not (indexes := list_indexes(address)):
                raise CrawlerError(f"--index: {display_name(address)} holds no index")
            files |= _by_address(indexes, is_index=True)
        # Parquet cannot hold the name of a local file whose bytes are not UTF-8.
        nameless = [address for address in files if not _is_text(address)]
        for address in nameless:
            del files[address]
        return list(files.values()), unread + [readable(address) for address in nameless]

    def _walk(self, files: Sequence[InputFile]) -> list[Walked]:
        """List the captures of files, the largest first."""
        if not files:
            return []
        by_size = sorted(files, key=lambda file: -file.size)
        tasks = min(len(files), self._tasks(sum(file.size for file in files) // _BYTES_A_TASK))
        # Each task has large files and small ones.
        dealt = [file for task in range(tasks) for file in by_size[task::tasks]]
        walk = partial(walking.walk, self._options, _NEXT_CAPTURES)
        return self._context.parallelize(dealt, tasks).map(walk).collect()

    def _affected(self, outcomes: list[str], new: list[str]) -> IdSet | None:
        """Return the articles to read: all if this is the first run, and None stands for that."""
        if not outcomes:
            return None
        ids = self._spread(new).flatMap(partial(_articles_in, self._options))
        doubt = partial(_doubtful, self._options, has_new=bool(new))
        doubtful = self._spread(outcomes).flatMap(doubt)
        return IdSet(ids.union(doubtful).map(digest).distinct().collect())

    def _read(self, tables: list[str], captures: int, articles: IdSet | None) -> list[str]:
        """Read articles from their captures; return the files with the results."""
        options, folder = self._options, _NEXT_RESULTS
        sent = None if articles is None else self._send(articles)
        rows = self._spread(tables).flatMap(partial(_rows_in, options, sent))
        groups = rows.groupByKey(self._tasks(captures // _CAPTURES_A_TASK))
        read = groups.mapPartitions(partial(reading.read_articles, options, folder))
        return self._complete(read.collect(), tables)

    def _complete(self, written: list[Written], tables: list[str]) -> list[str]:
        """Go on with suspended articles until none is left; return all files with results."""
        options, names = self._options, [one.table for one in written]
        while suspended := sum(one.suspended for one in written):
            self._say(f"{suspended:,} articles refer to other captures")
            waiting = [one.table for one in written if one.suspended]
            articles = self._spread(waiting).flatMap(partial(_suspended_in, options)).cache()
            by_lookup = articles.flatMap(_lookups)
            sought = IdSet(by_lookup.keys().map(_text_of).map(digest).distinct().collect())
            found = self._spread(tables).flatMap(partial(_found_in, options, self._send(sought)))
            joined = by_lookup.join(found.groupByKey()).map(_by_article)
            groups = articles.cogroup(joined, self._tasks(suspended // _CAPTURES_A_TASK))
            resumed = groups.flatMap(_to_resume)
            written = resumed.mapPartitions(
                partial(reading.resume_articles, options, _NEXT_RESULTS)
            ).collect()
            articles.unpersist()
            names += [one.table for one in written]
        return names

    def _settle(
        self, results: list[str], old: list[str], affected: IdSet | None
    ) -> dict[str, Settlement]:
        """Return the settlements of the articles whose pages claim other ids than their own."""
        outcomes = self._outcomes(results, old, affected).cache()
        claiming = outcomes.filter(_claims).map(reading.claimant).collect()
        claimed = IdSet(digest(claim.id) for one in claiming for claim in one.claims)
        sent = self._send(claimed)
        found: dict[str, Found] = dict(outcomes.flatMap(partial(_claimed, sent)).collect())
        found |= {one.id: one for one in claiming}
        outcomes.unpersist()
        duplicates = Duplicates(found.get)
        return {
            one.id: duplicates.settle(one)
            for one in sorted(claiming, key=lambda one: one.id.encode("utf-8", "surrogatepass"))
        }

    def _resettled(
        self, settlements: dict[str, Settlement], old: list[str], affected: IdSet | None
    ) -> IdSet | None:
        """Return the articles that need not be read, but are settled otherwise than before."""
        if affected is None:
            return None
        sent, settled = self._send(affected), self._context.broadcast(settlements)
        ids = self._spread(old).flatMap(partial(_settled_otherwise, self._options, sent, settled))
        found = IdSet(ids.map(digest).collect())
        return found if len(found) else None

    def _write(
        self,
        results: list[str],
        settlements: dict[str, Settlement],
        old: list[str],
        affected: IdSet | None,
    ) -> tuple[list[str], list[str], int]:
        """Write the output; return the files, those that they replace, and the articles read."""
        options, settled = self._options, self._context.broadcast(settlements)
        results_in = self._spread(results)
        places = results_in.flatMap(partial(_outcomes_in, options)).map(writing.partition_key)
        read = Counter(places.countByValue())
        # The number of articles by place, also of those that were read before.
        counts = read.copy()
        written: list[str] = []
        outdated: list[str] = []
        keep = None
        if affected is not None:
            sent = self._send(affected)
            before = self._spread(old).flatMap(partial(_recorded, options, sent)).cache()
            changed = {*read, *before.keys().distinct().collect()}
            dropped = self._send(IdSet(before.values().map(digest).collect()))
            before.unpersist()
            outdated = [
                name
                for table in writing.SCHEMAS
                for name in self._folder.files(table)
                if writing.partition_key_of_file(name) in changed
            ]
            unaffected = self._spread(old).flatMap(partial(_unaffected, options, sent))
            others = unaffected.map(writing.partition_key).countByValue()
            counts.update({place: count for place, count in others.items() if place in changed})
            keep = partial(_kept_in, options, dropped)
            copy = partial(_unaffected_outcomes, options, sent)
            written += self._spread(old).mapPartitions(copy).collect()
        parts = {place: -(-count // _ROWS_A_PART) for place, count in counts.items()}
        several = {place: count for place, count in parts.items() if count > 1}
        finished = results_in.flatMap(partial(_finished_in, options, settled))
        items = finished.map(partial(_keyed, several))
        if keep is not None:
            items = items.union(self._spread(outdated).flatMap(partial(keep, several)))
        # A task for each partition would be one for each article if there are many publishers.
        ordered = items.repartitionAndSortWithinPartitions(
            self._tasks(counts.total() // _CAPTURES_A_TASK), _hash_of, keyfunc=_order
        )
        for output in ordered.mapPartitions(partial(writing.write_articles, options)).collect():
            written += [*output.tables, *filter(None, (output.outcomes,))]
        return written, outdated, read.total()

    def _balance(self, outcomes: list[str], files: list[Walked]) -> list[balance.Entry]:
        """Count what became of all captures. Raises CrawlerError if the sum is not their number."""
        counts = (
            self._spread(outcomes)
            .flatMap(partial(_fates, self._options))
            .reduceByKey(lambda one, other: one + other)
            .collect()
        )
        without = sum(walked.without_article for walked in files)
        return balance.drawn_up(counts, without, sum(walked.captures for walked in files))

    def _outcomes(self, results: list[str], old: list[str], affected: IdSet | None) -> _Rdd:
        """Return the outcomes of all articles, without their settlements."""
        new = self._spread(results).flatMap(partial(_outcomes_in, self._options))
        if affected is None:
            return new
        sent = self._send(affected)
        return new.union(self._spread(old).flatMap(partial(_unaffected, self._options, sent)))

    def _spread(self, names: Sequence[str]) -> _Rdd:
        """Return an RDD of Parquet files, with few tasks for many small files."""
        tasks = self._tasks(len(names) // _FILES_A_TASK)
        return self._context.parallelize(names, max(1, min(len(names), tasks)))

    def _tasks(self, least: int) -> int:
        return min(_MOST_TASKS, max(least, 2 * self._context.defaultParallelism))

    def _send(self, ids: IdSet) -> Broadcast[IdSet]:
        return self._context.broadcast(ids)


def _by_address(files: Iterable[StoredEntry], *, is_index: bool = False) -> dict[str, InputFile]:
    return {
        one.address: InputFile(
            one.address, one.size, one.modified.isoformat() if one.modified else None, is_index
        )
        for one in files
    }


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tables(files: Iterable[Walked]) -> list[str]:
    return [walked.table for walked in files if walked.table]


def _rows(
    options: Options, name: str, columns: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    return Folder(options.output).rows(name, columns)


def _includes(ids: Broadcast[IdSet] | None, text: str) -> bool:
    return ids is None or text in ids.value


# What executors do with the rows of a file. Captures:


def _articles_in(options: Options, table: str) -> Iterator[str]:
    for row in _rows(options, table, ["article"]):
        if row["article"] is not None:
            yield row["article"]


def _rows_in(
    options: Options, ids: Broadcast[IdSet] | None, table: str
) -> Iterator[tuple[str, LocatedCapture]]:
    for row in _rows(options, table):
        if row["article"] is not None and _includes(ids, row["article"]):
            yield row["article"], from_columns(row)


def _found_in(
    options: Options, sought: Broadcast[IdSet], table: str
) -> Iterator[tuple[Lookup, LocatedCapture]]:
    for row in _rows(options, table):
        capture = from_columns(row)
        for lookup in lookups_of(capture[0]):
            if _text_of(lookup) in sought.value:
                yield lookup, capture


def _text_of(lookup: Lookup) -> str:
    return f"{lookup.kind} {lookup.value}"


# Results:


def _suspended_in(options: Options, name: str) -> Iterator[tuple[str, Suspended]]:
    for row in _rows(options, name):
        if row["kind"] == "suspended":
            yield row["article"], pickle.loads(row["result"])


def _lookups(waiting: tuple[str, Suspended]) -> Iterator[tuple[Lookup, str]]:
    article_id, suspended = waiting
    for lookup in suspended.lookups:
        yield lookup, article_id


def _by_article(
    joined: tuple[Lookup, tuple[str, Iterable[LocatedCapture]]],
) -> tuple[str, tuple[Lookup, list[LocatedCapture]]]:
    lookup, (article_id, rows) = joined
    return article_id, (lookup, list(rows))


def _to_resume(group: Any) -> Iterator[tuple[Suspended, list[tuple[Lookup, list[LocatedCapture]]]]]:
    _, (waiting, joined) = group
    found = list(joined)
    for suspended in waiting:
        yield suspended, found


def _outcomes_in(options: Options, name: str) -> Iterator[dict[str, Any]]:
    for row in _rows(options, name, _OUTCOME_COLUMNS):
        if row["kind"] != "suspended":
            yield row


def _finished_in(
    options: Options, settlements: Broadcast[dict[str, Settlement]], name: str
) -> Iterator[Finished]:
    for row in _rows(options, name):
        if row["kind"] != "suspended":
            result = row.pop("result")
            settlement = settlements.value.get(row["article"])
            yield writing.Finished(writing.settled(row, settlement), result)


def _claims(outcome: dict[str, Any]) -> bool:
    return outcome["claims"] is not None


def _claimed(
    ids: Broadcast[IdSet], outcome: dict[str, Any]
) -> Iterator[tuple[str, Claimant | str]]:
    if outcome["kind"] != "left out" and outcome["article"] in ids.value:
        is_article = outcome["kind"] == "article"
        yield outcome["article"], reading.claimant(outcome) if is_article else "failure"


def _keyed(
    parts: dict[tuple[str, str], int], finished: Finished
) -> tuple[tuple[Partition, str], Finished]:
    article_id = finished.outcome["article"]
    place = writing.partition_key(finished.outcome)
    return (writing.partition_of(place, article_id, parts), article_id), finished


def _order(key: tuple[Partition, str]) -> tuple[Partition, bytes]:
    return key[0], key[1].encode("utf-8", "surrogatepass")


def _hash_of(key: tuple[Partition, str]) -> int:
    from pyspark.core.rdd import portable_hash

    return portable_hash(tuple(key[0]))


# What earlier runs wrote:


def _unaffected(
    options: Options, affected: Broadcast[IdSet], name: str
) -> Iterator[dict[str, Any]]:
    for row in _rows(options, name):
        if row["article"] not in affected.value:
            yield row


def _unaffected_outcomes(
    options: Options, affected: Broadcast[IdSet], names: Iterable[str]
) -> Iterator[str]:
    rows = chain.from_iterable(_unaffected(options, affected, name) for name in names)
    return writing.write_outcomes(options, rows)


def _doubtful(options: Options, name: str, *, has_new: bool) -> Iterator[str]:
    """Yield the articles whose result may be another one now, perhaps because of new captures."""
    for row in _rows(options, name, ["article", "joined", "unreachable", "reason"]):
        if (row["joined"] and has_new) or row["unreachable"] or row["reason"] in _PASSING:
            yield row["article"]


def _settled_otherwise(
    options: Options,
    affected: Broadcast[IdSet],
    settlements: Broadcast[dict[str, Settlement]],
    name: str,
) -> Iterator[str]:
    for row in _unaffected(options, affected, name):
        if writing.settled(row, settlements.value.get(row["article"])) != row:
            yield row["article"]


def _recorded(
    options: Options, affected: Broadcast[IdSet], name: str
) -> Iterator[tuple[tuple[str, str], str]]:
    for row in _rows(options, name):
        if row["article"] in affected.value and row["record_id"] is not None:
            yield writing.partition_key(row), row["record_id"]


def _kept_in(
    options: Options, dropped: Broadcast[IdSet], parts: dict[tuple[str, str], int], name: str
) -> Iterator[tuple[tuple[Partition, str], Kept]]:
    table = name.partition("/")[0]
    for row in _rows(options, name):
        record_id = row[writing.ID_COLUMNS[table]]
        if record_id not in dropped.value:
            place = writing.partition_key_of_file(name)
            partition = writing.partition_of(place, record_id, parts)
            yield (partition, record_id), writing.Kept(table, row)


def _fates(options: Options, name: str) -> Iterator[tuple[balance.Fate, int]]:
    for row in _rows(options, name):
        yield from balance.fates_of(row)
