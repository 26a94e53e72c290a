"""Write the records of pages in tests/pages to the JSON files beside them.

The author has to check them field by field.

python tests/record_page.py NAME...

A human reader's entries are kept; ``record`` holds only the fields that they do not determine.
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

# The test derives these from the other fields.
DERIVED = ("missing", "body_sha256")

for case in sys.argv[1:]:
    truth, gaps = truth_of(case), GAPS.get(case, {})
    reader_fields = expected_of_reader(truth)
    record = without_gaps(record_of(read(case), truth), gaps)
    # Fields left out for a gap are written only by a human reader.
    human_only = {
        name: value
        for name, value in truth.get("record", {}).items()
        if name not in record and name in NULLABLE
    }
    truth["record"] = human_only | {
        name: value
        for name, value in record.items()
        if name not in DERIVED and (name not in reader_fields or value != reader_fields[name])
    }
    (PAGES / f"{case}.json").write_text(
        json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
