"""The CPU time of short commands, compared with ``scrapy version`` outside any project.

    pip install .
    python benchmarks/startup.py [--rounds 10]

For each command, every round first runs ``scrapy version`` in an empty folder, for the cost of
Scrapy itself, and then the command. Prints the medians of the CPU seconds (user and system, of the
command and its children) and of the ratios of adjacent runs.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRAPY = [sys.executable, "-m", "scrapy"]
SAVED = ["crawl", "articles", "-a", "seed=1752038", "-a", f"source={ROOT / 'tests' / 'site'}"]
COMMANDS = {
    "wrong argument": [*SCRAPY, "crawl", "articles", "-a", "seed=x"],
    "--help": [*SCRAPY, "crawl", "--help"],
    "21 saved pages": [*SCRAPY, *SAVED],
    "import extract": [sys.executable, "-c", "from crawler import extract"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        project = {
            **os.environ,
            "SCRAPY_SETTINGS_MODULE": "crawler.settings",
            "PYTHONPATH": str(ROOT),
        }
        none = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        # Write missing bytecode caches first.
        for command in COMMANDS.values():
            cpu_seconds(command, folder, project)
        for name, command in COMMANDS.items():
            pairs = [
                (
                    cpu_seconds([*SCRAPY, "version"], folder, none),
                    cpu_seconds(command, folder, project),
                )
                for _ in range(rounds)
            ]
            floor, own = (statistics.median(times) for times in zip(*pairs, strict=True))
            ratio = statistics.median(own / floor for floor, own in pairs)
            print(f"{name:<16} {own:.2f} s, scrapy version {floor:.2f} s, ratio {ratio:.2f}")


def cpu_seconds(command: list[str], folder: str, variables: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
