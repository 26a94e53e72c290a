"""Regenerate tests/expected_crawl.json from the crawl in README.md. Review the diff.

python tests/record_crawl.py
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from conftest import ROOT, SITE, command, environment, read_records
from test_crawl_saved import lasting

with tempfile.TemporaryDirectory() as folder:
    line = command(
        "crawl", "articles", "-a", "seed=1752038", "-a", f"source={SITE}", "-O", "all.jsonl"
    )
    subprocess.run(line, cwd=folder, env=environment(), check=True)
    records = read_records(Path(folder) / "all.jsonl")
target = ROOT / "tests" / "expected_crawl.json"
target.write_text(
    json.dumps({r["id"]: lasting(r) for r in records}, ensure_ascii=False, indent=1) + "\n",
    encoding="utf-8",
)
print(f"{len(records)} records in {target}")
