"""The rate and the peak memory of each format of ``scrapy export``.

    python benchmarks/export.py [--articles 10000] [--job]

Makes a feed of N articles with bodies of about 3,000 characters and 20 links each, or with --job
the ledger of a job that stored them. Each export runs in a process of its own. Peers read the same
feed with ``json`` and write CSV with ``csv``, or use pandas. Prints articles per second (of the
processor's time), the peak memory, and the time as a multiple of the first peer's.
The memory of a job's exports includes the pages of the ledger that SQLite maps from the file, up to
256 MiB.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.made_corpus import make_feed, make_job

EXPORT = "from scrapy.cmdline import execute; execute()"
CSV_PEER = """
import csv, json, sys
with open(sys.argv[1], encoding="utf-8") as feed, open("peer.csv", "w", newline="") as file:
    writer = None
    for line in feed:
        record = json.loads(line)
        if writer is None:
            writer = csv.DictWriter(file, record)
            writer.writeheader()
        writer.writerow({k: json.dumps(v) if isinstance(v, (list, dict)) else v
                         for k, v in record.items()})
"""
PANDAS = "import pandas, sys; pandas.read_json(sys.argv[1], lines=True, dtype=False)"
PEERS = {
    "peer: json and csv": CSV_PEER,
    "peer: pandas to CSV": f"{PANDAS}.to_csv('peer.csv')",
    "peer: pandas to Parquet": f"{PANDAS}.to_parquet('peer.parquet')",
}
OUTPUTS: dict[str, list[str]] = {
    "jsonl": ["-o", "x.jsonl"],
    "csv": ["-o", "x.csv"],
    "csv, folder": ["-o", "csv/"],
    "parquet": ["-o", "x.parquet"],
    "parquet, folder": ["--format", "parquet", "-o", "parquet/"],
    "sqlite": ["-o", "x.sqlite"],
    "gexf": ["-o", "x.gexf"],
    "graphml": ["-o", "x.graphml"],
    "atom": ["-o", "x.atom"],
    "jsonld": ["-o", "x.jsonld"],
}
# Prints the seconds and the peak memory in MiB of the Python code that follows.
MEASURE = """
import sys, time
from pathlib import Path
code, sys.argv = sys.argv[1], [sys.argv[0], *sys.argv[2:]]
began = time.process_time()
try:
    exec(code)
except SystemExit as end:
    assert not end.code, end.code
finally:
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(time.process_time() - began, peak)
"""
MOST_IN_PANDAS = 20_000


def measure(code: str, *words: str, folder: str) -> tuple[float, float]:
    """Return the seconds and the peak memory in MiB of Python code."""
    line = [sys.executable, "-c", MEASURE, code, *words]
    run = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True)
    seconds, peak = run.stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--job", action="store_true", help="export from a job")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="export-benchmark-") as folder:
        feed = Path(folder, "articles.jsonl")
        make_feed(feed, options.articles)
        print(f"{options.articles:,} articles, {feed.stat().st_size / 1e6:,.0f} MB of JSON Lines")
        source = [feed.name]
        if options.job:
            make_job(Path(folder, "job"), options.articles)
            source = ["-s", "JOBDIR=job"]
        Path(folder, "scrapy.cfg").write_text(
            "[settings]\ndefault = crawler.settings\n", encoding="utf-8"
        )
        cases = {name: (code, [feed.name]) for name, code in PEERS.items()}
        if options.articles > MOST_IN_PANDAS:
            # pandas holds all records in memory, a hundred thousand in ten gigabytes.
            cases = {name: case for name, case in cases.items() if "pandas" not in name}
        cases |= {name: (EXPORT, ["export", *source, *words]) for name, words in OUTPUTS.items()}
        first = None
        for name, (code, words) in cases.items():
            seconds, peak = measure(code, *words, folder=folder)
            first = first or seconds
            print(
                f"{name:<24} {options.articles / seconds:>8,.0f} articles/s {peak:>7,.0f} MiB "
                f"{seconds / first:>6.2f} times as long as json and csv",
                flush=True,
            )


if __name__ == "__main__":
    main()
