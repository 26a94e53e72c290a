"""A line for each test file that has ended, and one for each failure at once, instead of dots."""

from collections import Counter, defaultdict
from collections.abc import Generator

import pytest

Status = tuple[str, str, str]


class FileLines:
    """Reports tests that run in xdist's workers, whose files end in any order."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._terminal = config.pluginmanager.getplugin("terminalreporter")
        self._left: Counter[str] = Counter()
        """The number of tests of each file that have not ended."""
        self._outcomes: dict[str, Counter[str]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._ended = self._total = 0

    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        # All workers collect the same tests.
        self._total = len(ids)
        self._left = Counter(map(_file_of, ids))
        self._outcomes = {file: Counter() for file in self._left}

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Status, Status]:
        """Leave out the letter that pytest prints for each test."""
        category, _, word = yield
        return category, "", word

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = _file_of(report.nodeid)
        self._seconds[file] += report.duration
        hook = self._config.hook.pytest_report_teststatus
        if category := hook(report=report, config=self._config)[0]:
            self._outcomes[file][category] += 1
        if report.failed:
            self._write(f"FAILED {report.nodeid}", red=True)
        if report.when != "teardown":
            return
        self._ended += 1
        self._left[file] -= 1
        if not self._left[file]:
            counts = ", ".join(f"{n} {name}" for name, n in sorted(self._outcomes[file].items()))
            self._write(f"{file}  {counts}  ({self._seconds[file]:.1f} s)")

    def _write(self, text: str, **markup: bool) -> None:
        self._terminal.write_line(f"{self._ended / max(self._total, 1):4.0%}  {text}", **markup)


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]
