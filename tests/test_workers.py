"""Several workers on one job: they leave what one process leaves, whatever happens to them."""

from collections.abc import Iterator
from pathlib import Path

import kill
import pytest
from databases import Server
from team_crawls import Truth, team_of, truth_of


@pytest.fixture(scope="module")
def site() -> Iterator[kill.Site]:
    """Serve 60 linked pages."""
    with kill.Site(60) as running:
        running.serve(kill.KINDS[0])
        yield running


@pytest.fixture(scope="module")
def truth(site: kill.Site, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return truth_of(kill.line(site.url), tmp_path_factory.mktemp("truth") / "one")


def test_three_workers(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    site.requests.clear()
    with team_of(3, kill.line(site.url), tmp_path, postgresql, database) as team:
        team.check(truth)
    assert len(site.requested_ids) == len(set(site.requested_ids))
