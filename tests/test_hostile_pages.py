"""Pages built to break a parser are parsed in time proportional to their size.

The limit of CPU time for each page is many times what its size requires; a parser that read the
page again for each of its parts would take minutes.
"""

import forks
import hostile_pages
import pytest

SIZE = 250_000
SECONDS = 10


@pytest.mark.slow_after(6)
@pytest.mark.parametrize("shape", hostile_pages.SHAPES)
def test_reading_is_linear(shape: str) -> None:
    forks.start_server()
    reader = forks.FORKS.Process(target=hostile_pages.read, args=(shape, SIZE, SECONDS))
    reader.start()
    reader.join()
    assert reader.exitcode == 0


@pytest.mark.parametrize("shape", hostile_pages.SHAPES)
def test_a_shape_has_the_requested_size(shape: str) -> None:
    assert 0.5 < len(hostile_pages.page(shape, SIZE)) / SIZE <= 1
