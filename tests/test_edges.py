"""The edges of the link graph in a ledger: their life over many readings, and their evidence."""

import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from archives import NEWS, Warc
from conftest import Crawl
from hypothesis import given, settings
from hypothesis import strategies as st
from job_crawls import ALWAYS_DUE
from jobs import LINKS_OF_SCHEMA_7, folder_in_memory, new_ledger, place_in
from server import NewsServer
from sqlalchemy import text
from stories import TEXT
from warcio.archiveiterator import ArchiveIterator

from crawler.crawl.articles import ArticleState, Lister
from crawler.crawl.edges import NO_EVIDENCE, ROLES, Edge, Evidence
from crawler.crawl.ledger import history
from crawler.crawl.ledger.commits import Commits
from crawler.crawl.ledger.job import read
from crawler.crawl.ledger.pages import Pages
from crawler.crawl.ledger.recheck import Intervals
from crawler.items import ArticleRole, RelatedItem

pytestmark = [pytest.mark.usefixtures("ledger")]

BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
NAMES = "abcd"
Shown = dict[tuple[ArticleRole, str], int]
"""The positions of the links that a page shows, by their roles and targets."""


def time_of(minute: int) -> str:
    return (BEGAN + timedelta(minutes=minute)).isoformat(timespec="microseconds")


def evidence_of(minute: int) -> Evidence:
    """Return the evidence of a reading; every third has none."""
    return Evidence(f"<urn:{minute}>", f"a.warc.gz, offset {minute}") if minute % 3 else NO_EVIDENCE


class NaiveEdges:
    """All readings of all pages, from which the life of each edge follows."""

    def __init__(self) -> None:
        self.readings: list[tuple[str, int, Shown, bool]] = []
        """The page, the minute, its links, and whether these are all links of the page."""
        self.aliases: dict[str, str] = {}

    def resolve(self, name: str) -> str:
        while name in self.aliases:
            name = self.aliases[name]
        return name

    def latest(self, page: str) -> Shown:
        """Return the links of a page that no reading has found gone."""
        return {
            (role, target): life[-1]
            for (source, role, target), life in self.lives().items()
            if source == page and life[2] is None
        }

    def lives(self) -> dict[tuple[str, str, str], tuple[Any, ...]]:
        """Return when each edge was first and last seen and gone, the evidence, and its position.

        The position is that in the last reading which showed it.
        """
        found = {}
        for page in {self.resolve(page) for page, *_ in self.readings}:
            readings = {
                minute: (self._resolved(shown), is_whole)
                for read_page, minute, shown, is_whole in self.readings
                if self.resolve(read_page) == page
            }
            for role, target in set().union(*(shown for shown, _ in readings.values())):
                if target != page:
                    seen = [
                        minute for minute, (shown, _) in readings.items() if (role, target) in shown
                    ]
                    later = [
                        minute
                        for minute, (_, is_whole) in readings.items()
                        if is_whole and minute > max(seen)
                    ]
                    found[page, role, target] = (
                        *(time_of(min(seen)), time_of(max(seen))),
                        time_of(min(later)) if later else None,
                        *(evidence_of(min(seen)), evidence_of(max(seen))),
                        readings[max(seen)][0][role, target],
                    )
        return found

    def _resolved(self, shown: Shown) -> Shown:
        found: Shown = {}
        for (role, name), position in sorted(shown.items(), key=itemgetter(1)):
            found.setdefault((role, self.resolve(name)), position)
        return found


LINKS = st.frozensets(st.tuples(st.sampled_from(ROLES), st.sampled_from(NAMES)), max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.sampled_from(NAMES), LINKS),
        st.tuples(st.just("copy of the text"), st.sampled_from(NAMES), LINKS),
        st.tuples(st.just("unchanged"), st.sampled_from(NAMES), st.none()),
        st.tuples(st.just("alias"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("list"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("commit"), st.none(), st.none()),
    ),
    max_size=14,
)


def item_of(article_id: str) -> RelatedItem:
    nothing = dict.fromkeys(field.name for field in fields(RelatedItem))
    return RelatedItem(**{**nothing, "position": 1, "id": article_id, "internal": True})


@pytest.mark.slow
@settings(max_examples=150)
@given(STEPS, st.randoms(use_true_random=False))
def test_the_life_of_edges(steps: list[tuple[Any, ...]], chance: Any) -> None:
    """Captures are read in any order of their dates; an unchanged page is the newest reading."""
    naive = NaiveEdges()
    minutes = chance.sample(range(1, 100), len(steps))
    with folder_in_memory() as folder, closing(new_ledger(folder)) as database:
        pages = Pages(Commits(database, 1, 0), BEGAN, Intervals(1, 2))
        for position, (what, name, value) in enumerate(steps):
            page = naive.resolve(name) if name else ""
            is_read = what in ("read", "copy of the text")
            minute = minutes[position] if is_read else 100 + position
            state = ArticleState(page, "article", Lister(None, 0, 0), 0)
            at, evidence = datetime.fromisoformat(time_of(minute)), evidence_of(minute)
            if is_read:
                links = {(role, naive.resolve(target)) for role, target in value}
                links -= {(role, page) for role in ROLES}
                shown = {link: number for number, link in enumerate(sorted(links), start=1)}
                edges = [
                    Edge(page, target, role, number, None, None, None)
                    for (role, target), number in shown.items()
                ]
                is_whole = what == "read"
                pages.note_links(state, edges, at, evidence, is_whole=is_whole)
                naive.readings.append((page, minute, shown, is_whole))
            elif what == "unchanged":
                pages.note_links(state, None, at, evidence)
                naive.readings.append((page, minute, naive.latest(page), True))
            elif what == "list":
                listed = ArticleState(naive.resolve(value), "pending", Lister(page, 1, 0), 1)
                pages.note_listing(listed, page, 0, item_of(listed.id), "related", first=True)
            elif what == "commit":
                pages.commits.flush()
            elif page != naive.resolve(value):
                kept = ArticleState(naive.resolve(value), "article", Lister(None, 0, 0), 0)
                # The pages that list the merged article list the other one from now on.
                pages.commits.batch.merge(state, kept)
                pages.note_alias(page, kept.id)
                naive.aliases[page] = kept.id
        pages.commits.flush()
        assert pages.commits.failed is None
        with database.snapshot() as connection:
            found = list(history.edges(connection))
            linking = {name: history.edges_to(connection, name)[0] for name in NAMES}
    assert {
        (edge.source, edge.role, edge.target): (
            *(edge.first_seen, edge.last_seen, edge.removed_at),
            *(edge.first_evidence, edge.last_evidence, edge.position),
        )
        for edge in found
    } == naive.lives()
    assert len(found) == len(naive.lives())
    assert {name: sorted(edges) for name, edges in linking.items()} == {
        name: sorted(edge for edge in found if edge.target == name) for name in NAMES
    }
    order = [(edge.source, edge.position, edge.role, edge.target) for edge in found]
    assert order == sorted(order)


SCHEMA_7 = """
    DROP TABLE page_links; DROP TABLE linking_pages; UPDATE job SET version = 7;
    INSERT INTO aliases VALUES ('x', 'd');
    INSERT INTO listings VALUES ('b', 'a', 'related', 1, 1, 1, 'About b', NULL)
"""


def test_edges_of_a_ledger_with_a_row_for_each(tmp_path: Path) -> None:
    to_b = Edge("a", "b", "related", 1, "https://b.example/", "About b", True)
    to_d = Edge("a", "d", "text", 2, None, None, False)
    lives = [
        to_b._replace(first_seen=time_of(1), last_seen=time_of(2), removed_at=time_of(3)),
        to_d._replace(first_seen=time_of(2), last_seen=time_of(3), last_evidence=evidence_of(1)),
        to_b._replace(source="c", internal=None, first_seen=time_of(5), last_seen=time_of(5)),
    ]
    readings = [("a", 3), ("a", 1), ("a", 2), ("c", 5), ("d", 6)]

    def write(connection: Any) -> None:
        for statement in SCHEMA_7.split(";"):
            connection.execute(text(statement))
        for table in LINKS_OF_SCHEMA_7:
            connection.execute(text(f"CREATE TABLE {table}"))
        for edge in lives:
            source, target, role, position, url, words, internal, *rest = edge.values
            target = "x" if target == "d" else target
            values = (source, role, target, position, url, words, internal, *rest)
            row = {f"column_{number}": value for number, value in enumerate(values)}
            names = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO links VALUES ({names})"), row)
        for page, minute in readings:
            row = {"page": page, "at": time_of(minute)}
            connection.execute(text("INSERT INTO readings VALUES (:page, :at)"), row)

    with closing(new_ledger(tmp_path)) as database:
        database.store(write)
    with closing(read(place_in(tmp_path))) as database, database.snapshot() as connection:
        assert list(history.edges(connection)) == lives
        assert history.edges_to(connection, "b") == ([lives[0], lives[2]], [])
        assert history.edges_to(connection, "d") == ([lives[1]], [])
        assert history.changed_edges(connection, time_of(2)) == ([lives[1]], [lives[0]])
        assert history.changed_edges(connection, time_of(4)) == ([], [])


A, B, C, D = (str(number) for number in range(1700001, 1700005))


def article(number: str, texts: Iterable[str], related: Iterable[str] = ()) -> bytes:
    """Return an article's page with links to others in its text and in a related box."""
    links = "".join(
        f"<p>The ministry confirmed in a long sentence what <a href='/news/{other}'>the report "
        f"{other}</a> had already said about the city and its river last week.</p>"
        for other in texts
    )
    entries = "".join(
        f"<li><a href='/news/{other}'>The headline of {other}</a></li>" for other in related
    )
    return (
        f"<html><h1>Headline of {number} and no other</h1><span>Fri Oct 23, 2015 13:26:08</span>"
        f"<div>{TEXT}{links}</div><h2>Related articles</h2><ul>{entries}</ul></html>"
    ).encode()


def edges_in(folder: Path) -> dict[tuple[str, str, str], Edge]:
    with closing(read(place_in(folder))) as database, database.snapshot() as connection:
        return {(e.source, e.role, e.target): e for e in history.edges(connection)}


def record_at(evidence: Evidence) -> tuple[Any, bytes]:
    """Return the WARC record at a place, and its payload or that of the record it refers to."""
    assert evidence.place is not None
    name, _, offset = evidence.place.rpartition(", offset ")
    with Path(name).open("rb") as file:
        file.seek(int(offset))
        record = next(iter(ArchiveIterator(file)))
        payload = record.content_stream().read()
    original = record.rec_headers.get_header("WARC-Refers-To")
    for path in Path(name).parent.glob("*.warc.gz") if original else ():
        with path.open("rb") as file:
            for other in ArchiveIterator(file):
                if other.rec_headers.get_header("WARC-Record-ID") == original:
                    payload = other.content_stream().read()
    return record, payload


def test_edges_over_several_runs(
    job: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    server.has_validators = True
    others = {f"/news/{number}": article(number, ()) for number in (B, C, D)}
    versions = [article(A, (B, C), [D]), article(A, (C, D), [D])]
    given = {"seed": A, "depth": 1, "follow": "all", "archive": "pages.warc.gz"}
    times = []
    # New, not modified, changed, the same page again, and back to the first version.
    for version, recheck in ((0, "due"), (0, "due"), (1, "due"), (1, "all"), (0, "due")):
        server.pages = {f"/news/{A}": versions[version], **others}
        run = job(settings=ALWAYS_DUE, **given, recheck=recheck)
        assert run.exit_code == 0
        edges = edges_in(tmp_path / "job")
        times.append(edges[A, "text", C].last_seen)
    assert server.not_modified > 0
    assert times == sorted(set(times))
    assert {key: (e.position, e.text, e.url) for key, e in edges.items()} == {
        (A, "text", B): (1, f"the report {B}", f"{server.url}/news/{B}"),
        (A, "text", C): (2, f"the report {C}", f"{server.url}/news/{C}"),
        (A, "text", D): (2, f"the report {D}", f"{server.url}/news/{D}"),
        (A, "related", D): (3, f"The headline of {D}", f"{server.url}/news/{D}"),
    }
    lives = {key[1:]: (e.first_seen, e.last_seen, e.removed_at) for key, e in edges.items()}
    assert lives == {
        ("text", B): (times[0], times[4], None),
        ("text", C): (times[0], times[4], None),
        ("text", D): (times[2], times[3], times[4]),
        ("related", D): (times[0], times[4], None),
    }
    kinds = {}
    for key, edge in edges.items():
        for name, evidence in (("first", edge.first_evidence), ("last", edge.last_evidence)):
            record, payload = record_at(evidence)
            assert record.rec_headers.get_header("WARC-Record-ID") == evidence.record_id
            assert f"/news/{edge.target}'>{edge.text}</a>".encode() in payload
            kinds[(*key[1:], name)] = record.rec_type
    assert kinds["text", D, "first"] == "response"
    assert kinds["text", D, "last"] == "revisit"
    why = scrapy("why", D, "-s", "JOBDIR=job").stdout
    life = edges[A, "text", D]
    first, last, gone = (time[:19].replace("T", " ") for time in (times[2], times[3], times[4]))
    assert (
        f"  {first}  {last}  {gone}  text     {A}\n"
        f"    first seen in {life.first_evidence.place} {life.first_evidence.record_id}\n"
        f"    last seen in {life.last_evidence.place} {life.last_evidence.record_id}\n"
    ) in why


@pytest.mark.slow
def test_links_that_are_not_followed(job: Crawl, server: NewsServer, scrapy: Crawl) -> None:
    server.pages = {f"/news/{A}": article(A, (B, C), [C])}
    job(seed=A, depth=0)
    unknown = scrapy("why", B, "-s", "JOBDIR=job")
    assert re.fullmatch(
        rf"{B}\n  not followed; known only from links\nlinked from 1:\n.*\n"
        rf"  \S+ \S+  \S+ \S+           text  {A}\n",
        unknown.stdout,
    )
    listed = scrapy("why", C, "-s", "JOBDIR=job").stdout
    assert re.search(rf"listed by 1:\n.*\n.*    1  position 1  {A}\nlinked from 2:\n", listed)
    assert scrapy("why", D, "-s", "JOBDIR=job").exit_code == 2
    assert scrapy("status", "-s", "JOBDIR=job").stdout.splitlines()[1].startswith("discovered 2 =")


@pytest.mark.slow
def test_captures_that_are_read_in_another_order(crawl: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for year, texts in ((2015, (B, C)), (2016, (C,)), (2017, (C, D))):
        warc.add(NEWS + A, article(A, texts), date=f"{year}-01-01T00:00:00Z")
    for at in ("2016-01-01", "2017-01-01", "2015-01-01", "2016-01-01"):
        given = {"seed": A, "depth": 0, "source": warc.path, "at": at, "recheck": "all"}
        assert crawl(settings={"JOBDIR": "job"}, **given).exit_code == 0
    edges = edges_in(tmp_path / "job")
    assert {
        target: tuple(time and time[:4] for time in (e.first_seen, e.last_seen, e.removed_at))
        for (_, _, target), e in edges.items()
    } == {B: ("2015", "2015", "2016"), C: ("2015", "2017", None), D: ("2017", "2017", None)}
    for edge in edges.values():
        record, payload = record_at(edge.first_evidence)
        date = record.rec_headers.get_header("WARC-Date")
        assert edge.first_seen is not None and date[:19] == edge.first_seen[:19]
        assert record.rec_headers.get_header("WARC-Record-ID") == edge.first_evidence.record_id
        assert edge.target.encode() in payload


@pytest.mark.slow
def test_a_link_that_changes_makes_a_revision(
    job: Crawl, server: NewsServer, scrapy: Crawl
) -> None:
    page = article(A, (B, C), [D])
    versions = [
        (page, []),
        # The same links at other addresses, and with another relation.
        (page.replace(b"href='/news/", b"rel='nofollow' href='//en.alalam.ir/news/"), []),
        (page.replace(f"/news/{C}'>the".encode(), f"/news/{D}'>the".encode()), ["links"]),
    ]
    for number, (version, changed) in enumerate(versions):
        server.pages = {f"/news/{A}": version}
        run = job(seed=A, depth=0, recheck="all")
        found = [record["changed"] for record in run.articles.values()]
        assert found == ([changed] if changed or not number else [])
    why = scrapy("why", A, "-s", "JOBDIR=job").stdout
    assert why.endswith(
        "revision 2 compared with 1:\n  links:\n"
        f"    - text 4 {C} the report {C}\n    + text 4 {D} the report {C}\n"
    )
