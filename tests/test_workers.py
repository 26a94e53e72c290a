"""Several workers on one job: they leave what one process leaves, whatever happens to them."""

from collections.abc import Iterator
from pathlib import Path

import kill
import pytest
from databases import Server
from team_crawls import JOB, Truth, team_of, truth_of


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


REFUSING = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'no more orders'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON leases EXECUTE FUNCTION refuse()
"""


def test_a_database_that_refuses_orders(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    def change(statements: str) -> None:
        with postgresql.connect(database) as connection:
            connection.execute(f"SET search_path TO {JOB}; {statements}".encode())

    def exit_code(folder: str, *words: str) -> int:
        words = (*kill.line(site.url), *words)
        with team_of(1, list(words), tmp_path / folder, postgresql, database) as team:
            [worker] = team.workers
            code = worker.exit_code()
            assert "Traceback" not in worker.log
            assert ("no more orders" in worker.log) == (code == 1)
        return code

    assert exit_code("seed", "-a", "depth=0") == truth.exit_code
    change(REFUSING)
    assert exit_code("refused") == 1
    change("DROP TRIGGER refuse ON leases")
    assert exit_code("all") == truth.exit_code
