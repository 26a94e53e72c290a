"""Mutation testing: put small faults into the code, one at a time, and check that a test fails.

    pip install -e '.[test,mutants]'
    python tests/mutants.py sample SESSION [--mutants N] [--seed N]
    cosmic-ray exec tests/mutants.toml SESSION
    python tests/mutants.py report SESSION

``sample`` creates a cosmic-ray session with a random sample of the mutants of the modules in TESTS,
except those of annotations, which are never evaluated. ``exec`` changes the files of the checkout
and restores them; run it in a clone. For each mutant it runs ``test``: the test files of the module
that differs from the last commit, until the first failure. ``report`` counts the mutants and shows
the survivors.
"""

import argparse
import ast
import functools
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, WorkerOutcome, WorkResult

ROOT = Path(__file__).parent.parent
CONFIG = "tests/mutants.toml"
RENDERING = "rendering browsers splash_addresses gate passwords"
LEDGER = "job article_states job_history recheck runs conditional_requests frontier power"
LEDGER += " ledger revisions later_runs item_pipelines job_feeds job_commands kept_files commands"
ARCHIVES = "archive archive_writing archive_faults whole_archives source_chains wayback"
DUMPS = "vardump vardump_php vardump_properties vardump_pages"
# The first entry that matches is used. Fast tests come first, because they catch most mutants.
TESTS = {
    "crawler/crawl/frontier.py": f"frontier {LEDGER} listings crawl_saved crawl_live",
    "crawler/crawl/outages.py": "outages",
    "crawler/crawl/ledger": f"{LEDGER} kill",
    "crawler/scheduler.py": "frontier manners crawl_saved crawl_live later_runs progress",
    "crawler/item_processor.py": "item_pipelines job crawl_saved scrapy_users",
    "crawler/extraction/content_coding.py": f"content_coding bodies {ARCHIVES}",
    "crawler/extraction": (
        "normalise related_items refusals extract encoding dates page leak xdebug_places bodies"
    ),
    "crawler/vardump": f"{DUMPS} leak xdebug_places vardump_command",
    "crawler/warc": (
        "warc captures archive_files archive_compression archive_index wacz archive_pages "
        f"archive_records candidates wild_archives wild_captures {ARCHIVES} power "
        "stored_bytes stored_archives foreign_index"
    ),
    "crawler/feeds": "csv power feeds job_feeds kept_files later_runs",
    "crawler/rendering": RENDERING,
    "crawler/middlewares/rendering.py": RENDERING,
    "crawler/middlewares/robots.py": "robots manners crawl_live",
    "crawler/middlewares/cookies.py": "policies bodies crawl_live connections",
    "crawler/middlewares/content_coding.py": f"content_coding bodies {ARCHIVES}",
    "crawler/middlewares/parsing.py": "slow_pages hostile_pages whole_archives",
    "crawler/middlewares/retries.py": "manners crawl_live",
    "crawler/middlewares/redirects.py": "manners crawl_live bodies",
    "crawler/middlewares/offsite.py": "hostile connections crawl_live",
    "crawler/middlewares": f"crawl_saved exit_codes outages {ARCHIVES}",
    "crawler/downloading/connections.py": (
        "connections downloads bodies tls hostile crawl_live archive_writing"
    ),
    "crawler/downloading/downloads.py": "downloads bodies crawl_live",
    "crawler/downloading/handler.py": "downloads connections tls",
    "crawler/downloading/response_parser.py": "response_parser downloads",
    "crawler/downloading/routes.py": "downloads connections tls",
    "crawler/downloading/addresses.py": "hostile connections gate",
    "crawler/downloading/recording.py": "archive_writing connections bodies",
    "crawler/responses.py": "reasons manners candidates crawl_live rendering",
    "crawler/downloading": "reasons manners crawl_live",
    "crawler/sources/folder.py": "folder_sum crawl_saved",
    "crawler/sources/page_files.py": "candidates folder_sum crawl_saved wild_archives",
    "crawler/crawl/candidates.py": f"candidates wild_archives wild_captures {ARCHIVES}",
    "crawler/sources": f"{ARCHIVES} wild_archives wild_captures wild_wayback outages exit_codes",
    "crawler/spiders": f"crawl_live crawl_saved conditional_requests outages {ARCHIVES}",
}


def sample(session: str, mutants: int, seed: int) -> None:
    """Create a session with a sample of the mutants outside annotations."""
    subprocess.run(["cosmic-ray", "init", CONFIG, session], cwd=ROOT, check=True)
    with use_db(session) as database:
        items = sorted(database.work_items, key=lambda item: str(item.mutations))
        real = [item for item in items if not in_annotation(item.mutations[0])]
        chosen = {item.job_id for item in random.Random(seed).sample(real, mutants)}
        for item in items:
            if item.job_id not in chosen:
                database.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))
    print(f"{len(chosen)} of {len(real)} mutants")


def in_annotation(mutation: MutationSpec) -> bool:
    """Return whether a mutant only changes an annotation."""
    return any(
        start <= tuple(mutation.start_pos) and tuple(mutation.end_pos) <= end
        for start, end in annotations(ROOT / mutation.module_path)
    )


@functools.cache
def annotations(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the start and end (line, column) of each annotation in a module."""
    nodes = [
        annotation
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
    ]
    return [
        ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in nodes
    ]


def test() -> int:
    """Run the tests of the module that differs from the last commit, until one fails."""
    [changed] = subprocess.run(
        ["git", "diff", "--name-only", "HEAD", "--", "crawler"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    names = next(TESTS[name] for name in TESTS if changed.startswith(name))
    files = [f"tests/test_{name}.py" for name in names.split()]
    line = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    return subprocess.run([*line, *files], cwd=ROOT, check=False).returncode


def report(session: str) -> None:
    """Count the mutants by package and outcome, and show the survivors."""
    counts: Counter[tuple[str, str]] = Counter()
    with use_db(session) as database:
        mutants = {item.job_id: item.mutations[0] for item in database.work_items}
        for job, result in database.results:
            if result.test_outcome is None:
                continue
            counts[mutants[job].module_path.parts[1], result.test_outcome.value] += 1
            if not result.is_killed:
                print(mutants[job].operator_name, result.diff, sep="\n", end="\n\n")
    for (package, outcome), number in sorted(counts.items()):
        print(f"{package:15} {outcome:10} {number}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("action", choices=("sample", "test", "report"))
    parser.add_argument("session", nargs="?", default="mutants.sqlite")
    parser.add_argument("--mutants", type=int, default=300, help="number of mutants (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default: 1)")
    options = parser.parse_args()
    if options.action == "test":
        return test()
    if options.action == "report":
        report(options.session)
    else:
        sample(options.session, options.mutants, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
