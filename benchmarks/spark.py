"""The job on Spark: two executors beside one, and Spark beside a plain loop over the same captures.

    pip install '.[test]'; apt-get install default-jre-headless
    python benchmarks/spark.py [--pages 20000] [--pairs 3] [--corpus DIR]

Archives of made-up publishers are generated (tests/made_archives.py) in a temporary folder. The
runs take turns: the job with one executor and with two, each in a JVM of its own with one core, and
a loop in one process (peers/plain_loop.py). Each reads all archives, and a few pages only. What it
costs to start is that of the few pages, and it is subtracted, so that the figures are those of
reading more pages. Prints medians, and medians of the ratios of runs in the same round. The
driver, the executors and the archives share the processors of this machine.

- time: from the start of the first task to the end of the last one, by Spark's own log.
- CPU a page: of the Python workers; that of the JVMs is printed beside it.
- memory: the largest resident set of a Python worker.
- bytes: requests to a local server of the S3 protocol (tests/object_store.py) and what they
  transfer, by the size of the archives.

With ``--corpus``, the pages of a folder of benchmarks/fidelity.py are put into a file as Common
Crawl writes its news (tests/news_crawls.py), without publisher files. Prints the metrics of
fidelity.py for the records that the job makes of it, beside those of the same pages read directly.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from crawl import PEERS, ROOT, measure

sys.path.insert(0, str(ROOT / "tests"))

import fidelity
from made_archives import write_many
from news_crawls import CRAWLERS, corpus_pages
from object_store import running_store
from services import SERVICES
from spark_jobs import JobRun, read_output, run_job

_ONE, _TWO, _LOOP = "one executor", "two executors", "plain loop"
_MASTERS = {_ONE: "local-cluster[1,1,1024]", _TWO: "local-cluster[2,1,1024]"}
# Enough for all parts of the program to be loaded.
_FEW_PAGES, _FILES, _PUBLISHERS = 2000, 16, 20


class Cost(NamedTuple):
    """The cost of a run: its seconds, and the CPU seconds of page readers and of all processes."""

    seconds: float
    cpu_seconds: float
    all_cpu_seconds: float
    megabytes: float

    def without(self, start: "Cost") -> "Cost":
        """Return the cost without that of a run of a few pages. The memory stays."""
        differences = [one - other for one, other in zip(self[:3], start[:3], strict=True)]
        return Cost(*differences, self.megabytes)


def job_cost(archives: Path, output: Path, master: str) -> Cost:
    run = checked(run_job([archives], output, master=master))
    times = [task["Task Info"] for task in run.tasks]
    first = min(one["Launch Time"] for one in times)
    last = max(one["Finish Time"] for one in times)
    return Cost(
        (last - first) / 1000,
        run.worker_cpu_seconds,
        run.cpu_seconds,
        max(run.worker_kilobytes.values()) / 1024,
    )


def checked(run: JobRun) -> JobRun:
    """Return a run of the job. Exit if it failed."""
    if run.exit_code not in (0, 3):
        sys.exit(f"the job ended with exit code {run.exit_code}:\n{run.stderr[-3000:]}")
    return run


def loop_cost(archives: Path, output: Path, articles: int) -> Cost:
    line = [sys.executable, str(PEERS / "plain_loop.py"), str(archives), str(output)]
    run = measure(line, output, articles, ROOT)
    return Cost(run.seconds, run.cpu_seconds, run.cpu_seconds, run.megabytes)


def print_ratios(costs: dict[str, list[Cost]], pages: int) -> None:
    for name, runs in costs.items():
        rate = statistics.median(pages / run.seconds for run in runs)
        cpu, every = (
            statistics.median(getattr(run, field) / pages * 1000 for run in runs)
            for field in ("cpu_seconds", "all_cpu_seconds")
        )
        memory = max(run.megabytes for run in runs)
        print(
            f"{name:<14} {rate:6.0f} pages/s {cpu:6.2f} ms CPU a page ({every:.2f} with all "
            f"processes) {memory:6.0f} MB"
        )

    def ratio(one: str, other: str, field: str) -> float:
        pairs = zip(costs[one], costs[other], strict=True)
        return statistics.median(getattr(a, field) / getattr(b, field) for a, b in pairs)

    print(f"pages/s, {_TWO} / {_ONE}: {ratio(_ONE, _TWO, 'seconds'):.2f} (target: at least 1.4)")
    print(
        f"CPU a page, {_ONE} / {_LOOP}: {ratio(_ONE, _LOOP, 'cpu_seconds'):.2f} "
        "(target: at most 1.3)"
    )
    most = max(run.megabytes for name in _MASTERS for run in costs[name])
    print(f"memory of a Python worker: at most {most:.0f} MB (target: at most 200)")


def print_bytes(archives: Path, folder: Path, articles: int) -> None:
    """Print the requests of a run without an index."""
    size = sum(file.stat().st_size for file in archives.iterdir())
    with running_store() as make:
        store = make("benchmark")
        address = store.upload(archives, "warcs")
        store.requests.clear()
        checked(run_job([address], folder / "from-s3", environment=store.environment))
        reads = store.reads("warcs/")
    sent = sum(request.sent for request in reads)
    print(
        f"from S3: {sent / size:.2f} times the archives' bytes in {len(reads):,} requests, "
        f"{len(reads) / articles:.2f} an article"
    )


def print_fidelity(corpus: Path, folder: Path) -> None:
    """Print how well the pages of a corpus are read from an archive, and directly."""
    archive = folder / "CC-NEWS-20260501100000-00001.warc.gz"
    CRAWLERS["Common Crawl, news"].write(archive, corpus_pages(corpus))
    checked(run_job([archive], folder / "news"))
    output = read_output(folder / "news")
    records = [json.loads(row["json"]) for row in output.records]
    failures = {row["url"]: row["reason"] for row in output.failures}
    by_url = {record["url"]: record for record in records}
    print(f"{archive.name}: {len(records):,} records, {len(failures):,} failures")
    tables: dict[str, dict[str, fidelity.Scores]] = {}
    for page in fidelity.pages_of(corpus, []):
        record = by_url.get(page["url"])
        why = failures.get(page["url"], "its address is not an article's, or another's page")
        readings = {
            "from the archive": fidelity.reading_of(_nested(record))
            if record
            else fidelity.Reading(refused=why),
            **fidelity.read_page((str(corpus), page, ["ours"])),
        }
        table = tables.setdefault(page["set"], {})
        for name, reading in readings.items():
            fidelity.score(page, reading, table.setdefault(name, fidelity.Scores()))
    for name, table in tables.items():
        print(f"{name}:")
        # The time of reading one page is not known for those from the archive.
        table["from the archive"].values.pop("ms", None)
        for reader, scores in table.items():
            fidelity.report(reader, scores)


def _nested(value: Any) -> Any:
    """Return a record from JSON with its values as attributes; provenance stays a dict."""
    if isinstance(value, list):
        return [_nested(one) for one in value]
    if not isinstance(value, dict):
        return value
    fields = {name: _nested(one) for name, one in value.items() if name != "provenance"}
    provenance = value.get("provenance") or {}
    places = {name: SimpleNamespace(**place) for name, place in provenance.items()}
    return SimpleNamespace(**fields, provenance=places)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--corpus", type=Path, help="a folder as benchmarks/fidelity.py takes it")
    options = parser.parse_args()
    if options.pages <= _FEW_PAGES:
        parser.error(f"--pages: got {options.pages}; takes more than {_FEW_PAGES}")
    if not SERVICES["Spark"].is_available():
        sys.exit(f"Spark is not installed; {SERVICES['Spark'].install}")
    with tempfile.TemporaryDirectory(prefix="spark-benchmark-") as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        sizes = {
            part: (folder / part, write_many(folder / part, count, _FILES, _PUBLISHERS))
            for part, count in (("few", _FEW_PAGES), ("all", options.pages))
        }
        pages = sizes["all"][1] - sizes["few"][1]
        costs: dict[str, list[Cost]] = {name: [] for name in (*_MASTERS, _LOOP)}
        for number in range(options.pairs):
            for name in costs:
                few, every = (
                    job_cost(archives, folder / f"{name} {part} {number}", _MASTERS[name])
                    if name in _MASTERS
                    else loop_cost(archives, folder / "out.jsonl", articles)
                    for part, (archives, articles) in sizes.items()
                )
                costs[name].append(every.without(few))
                last = costs[name][-1]
                print(
                    f"{name:<14} {last.seconds:6.1f} s {last.cpu_seconds:6.1f} s CPU "
                    f"({last.all_cpu_seconds:.1f} s with all processes) {last.megabytes:6.0f} MB",
                    flush=True,
                )
        print(f"\n{pages:,} pages, medians of {options.pairs} runs")
        print_ratios(costs, pages)
        print_bytes(*sizes["few"][:1], folder, sizes["few"][1])
        if options.corpus:
            print_fidelity(options.corpus, folder)


if __name__ == "__main__":
    main()
