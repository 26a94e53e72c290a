"""Pages of shapes that are made to break a reader are read in time that grows with their size.

There is no clock here, but a limit of processor time that is many times what these sizes need: a
reader that goes over a page again for each of its parts would take minutes.
"""

import resource
import subprocess
import sys

import hostile_pages
import pytest
from conftest import ROOT, environment

SIZE = 500_000
SECONDS = 60
READ = """
import sys
import hostile_pages
from crawler import reading, sites

site = sites.load("alalam")
body = hostile_pages.page(sys.argv[1], int(sys.argv[2]))
reading.read(body, site, "1", site.url_of("1"), None)
"""


def limit_processor_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


@pytest.mark.parametrize("shape", hostile_pages.SHAPES)
def test_reading_is_linear(shape: str) -> None:
    command = [sys.executable, "-c", READ, shape, str(SIZE)]
    subprocess.run(
        command, cwd=ROOT / "tests", env=environment(), preexec_fn=limit_processor_time, check=True
    )


@pytest.mark.parametrize("shape", hostile_pages.SHAPES)
def test_a_shape_has_the_size_that_was_asked_for(shape: str) -> None:
    assert 0.5 < len(hostile_pages.page(shape, SIZE)) / SIZE <= 1
