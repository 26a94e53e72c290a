"""Write the record of pages of tests/pages into the files beside them, for an author to check field by field.

python tests/record_page.py NAME...

What a reader says there stays; ``record`` names only what the reader's own words do not tell.
"""

import json
import sys

from test_page import (
    GAPS,
    NULLABLE,
    PAGES,
    expected_of_reader,
    read,
    record_of,
    truth_of,
    without_gaps,
)

# The test works these out from the rest.
DERIVED = ("missing", "body_sha256")

for case in sys.argv[1:]:
    truth, gaps = truth_of(case), GAPS.get(case, {})
    told = expected_of_reader(truth)
    record = without_gaps(record_of(read(case), truth), gaps)
    # What a gap leaves out is only a reader's to write.
    kept = {
        name: value
        for name, value in truth.get("record", {}).items()
        if name not in record and name in NULLABLE
    }
    truth["record"] = kept | {
        name: value
        for name, value in record.items()
        if name not in DERIVED and (name not in told or value != told[name])
    }
    (PAGES / f"{case}.json").write_text(
        json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
