"""Refresh the output that the pages of the documentation show. Review the diff.

python tests/record_docs.py [PAGE…]

Output that still matches stays as it is. Where a page shows only the beginning and the end, with
dots between them, it shows as many lines of both afterwards.

python tests/record_docs.py --shell PAGE

opens a shell in the sandbox of a page, where the hosts that the documentation names exist.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from doc_pages import ELISION, Page, Shown, page_paths, read_page
from doc_runner import Result, sandbox


def refreshed(shown: tuple[str, ...], got: list[str]) -> list[str]:
    """Return the output to show, with as many lines at both ends as before."""
    if ELISION not in shown:
        return got
    head, tail = shown.index(ELISION), shown[::-1].index(ELISION)
    return [*got[:head], ELISION, *got[len(got) - tail :]]


def record(page: Page) -> int:
    """Rewrite a page, and return the number of problems that output does not mend."""
    lines = page.path.read_text(encoding="utf-8").splitlines()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder, sandbox(page, Path(folder)) as here:
        results += here.run(page)
    problems = 0
    # From the end, because lines are replaced with more or fewer.
    for result in reversed(results):
        step = result.step
        if result.problem is None:
            continue
        if result.is_mended_by_output and isinstance(step, Shown):
            start = step.output_line - 1
            new = refreshed(step.output, result.output)
            lines[start : start + len(step.output)] = [
                (step.indentation + line).rstrip() for line in new
            ]
            print(f"{page.name}:{step.line}: refreshed")
        else:
            problems += 1
            print(f"{page.name}:{step.line}: {step.text}\n{result.problem}")
    page.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return problems


def main(names: list[str]) -> int:
    if names[:1] in (["-h"], ["--help"]) or names == ["--shell"]:
        print(__doc__)
        return 0
    if names[:1] == ["--shell"]:
        page = read_page(Path(names[1]).resolve())
        with tempfile.TemporaryDirectory() as folder, sandbox(page, Path(folder)) as here:
            return subprocess.run(["bash"], cwd=here.folder, env=here.environment).returncode
    paths = [Path(name).resolve() for name in names] or page_paths()
    return 1 if sum(record(read_page(path)) for path in paths) else 0


sys.exit(main(sys.argv[1:]))
