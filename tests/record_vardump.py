"""Write the dumps that ``scan`` finds in a page of tests/vardump/pages to a JSON file beside it.

The author has to check it line by line.

python tests/record_vardump.py tests/vardump/pages/NEW.html [ENCODING]
"""

import json
import sys
from pathlib import Path

from test_vardump import found

from crawler import vardump

path, encoding = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "utf-8"
page = path.read_bytes()
expected = {
    "encoding": encoding,
    "dumps": [found(dump, page) for dump in vardump.scan(page, encoding)],
}
path.with_suffix(".json").write_text(
    json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
)
