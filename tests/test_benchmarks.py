"""Benchmarks that no other test uses, on a small scale, so that they go on working."""

import subprocess
import sys

import pytest
from conftest import ROOT
from services import require


@pytest.mark.slow
def test_the_benchmark_of_the_tables_that_workers_share() -> None:
    require("PostgreSQL")
    command = ["benchmarks/workers_tables.py", "--known", "1000", "--pages", "20", "--workers", "2"]
    run = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for step in ("offer", "take, 2 workers", "deliver, 2 workers", "collect", "commit"):
        # In batches of three sizes.
        assert run.stdout.count(f"\n{step} ") == 3
