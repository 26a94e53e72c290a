"""The graph of a report: the layout, and the viewer in a real browser."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import igraph
import pytest
from axe_playwright_python.sync_playwright import Axe
from graph_page import graph_page
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from crawler.items import ArticleRole
from crawler.report import network
from crawler.report.network import EXTENT, HEADLINE_LENGTH, Link, Node, lay_out

ROLES = get_args(ArticleRole)


def node(name: str, **changes: Any) -> Node:
    usual = Node(
        id=name,
        kind="article",
        headline=f"Headline of {name}",
        url=f"https://one.example/{name}",
        publisher="one.example",
        depth=0,
        day="2026-03-01",
        row=f"row-{name}",
    )
    return usual._replace(**changes)


# A hub, three articles that link to it, a teaser, a failure, and an article that nothing links to.
NODES = [
    node("hub", headline="Storm reaches the harbour"),
    node("a", depth=1, day="2026-03-02"),
    node("b", depth=1, publisher="two.example", day="2026-03-03"),
    node("c", depth=2, publisher="two.example", day=None),
    node("teaser", kind="teaser", depth=3, row=None),
    node("failure", kind="failure", depth=3, headline=None, day=None),
    node("alone", depth=1, headline="Storm over the bridge"),
]
LINKS = [
    Link(1, 0, "related"),
    Link(2, 0, "related"),
    Link(3, 0, "text"),
    Link(0, 1, "translation"),
    Link(3, 4, "related"),
    Link(3, 5, "text"),
]


# The layout.

made_nodes = st.builds(
    Node,
    id=st.text(max_size=8),
    kind=st.sampled_from(["article", "teaser", "failure"]),
    headline=st.none() | st.text(),
    url=st.none() | st.text(),
    publisher=st.none() | st.sampled_from(["one.example", "two.example"]),
    depth=st.integers(0, 9),
    day=st.none() | st.just("2026-03-01"),
    row=st.none() | st.text(max_size=4),
)


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Node], list[Link]]:
    nodes = draw(st.lists(made_nodes, max_size=40, unique_by=lambda made: made.id))
    numbers = st.integers(0, len(nodes) - 1)
    links = st.builds(Link, numbers, numbers, st.sampled_from(ROLES))
    return nodes, draw(st.lists(links, max_size=80)) if nodes else []


@given(networks(), st.integers(1, 50), st.integers(1, 90))
@settings(max_examples=200)
def test_every_node_and_link_is_drawn_once_or_counted_as_left_out(
    made: tuple[list[Node], list[Link]], most_nodes: int, most_links: int
) -> None:
    nodes, links = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "MOST_NODES", most_nodes)
        patch.setattr(network, "MOST_LINKS", most_links)
        found = lay_out(nodes, links)
        assert lay_out(nodes, links) == found
    drawn = [placed.node for placed in found.nodes]
    assert len(drawn) == len(set(drawn)) == min(len(nodes), most_nodes)
    left_out = Counter(made.kind for made in nodes) - Counter(made.kind for made in drawn)
    assert found.left_out == left_out
    places = [(placed.x, placed.y) for placed in found.nodes]
    assert len(set(places)) == len(places)
    assert all(type(part) is int and 0 <= part <= EXTENT for place in places for part in place)
    # Links.
    distinct = {link for link in links if link.source != link.target}
    ids = {(drawn[source].id, drawn[target].id, role)
           for role, pairs in found.links.items() for source, target in pairs}  # fmt: skip
    assert ids <= {(nodes[source].id, nodes[target].id, role) for source, target, role in distinct}
    assert sum(map(len, found.links.values())) == len(ids) == len(distinct) - found.links_left_out
    assert len(ids) <= most_links
    # Attributes.
    sources = {(link.source, nodes[link.target].id) for link in distinct}
    in_links = Counter(target for _, target in sources)
    assert [placed.in_links for placed in found.nodes] == [in_links[made.id] for made in drawn]
    assert found.publishers == Counter(made.publisher for made in drawn)
    assert list(found.publishers.values()) == sorted(found.publishers.values(), reverse=True)
    names = list(found.publishers)
    assert [names[placed.publisher] for placed in found.nodes] == [made.publisher for made in drawn]
    json.dumps(found.json)


def test_articles_then_the_most_linked_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MOST_NODES", 6)
    found = lay_out(NODES, LINKS)
    assert [placed.node.id for placed in found.nodes] == ["hub", "a", "failure", "alone", "b", "c"]
    assert found.left_out == {"teaser": 1}
    assert found.links_left_out == 1


def test_roles_decide_which_links_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MOST_LINKS", 4)
    found = lay_out(NODES, LINKS)
    assert {role: len(pairs) for role, pairs in found.links.items()} == {"related": 3, "text": 1}
    assert found.links_left_out == 2


@pytest.mark.parametrize("size", [20, 160])
def test_communities_lie_apart(size: int) -> None:
    """Two groups with few links between them: each node is nearest to the middle of its group."""
    chance = random.Random(size)
    nodes = [node(str(number)) for number in range(2 * size)]
    groups = (range(size), range(size, 2 * size))
    links = [
        Link(source, target, "related")
        for group in groups
        for source in group
        for target in chance.sample(group, 10)
    ]
    between = [Link(number, size + number, "text") for number in range(size // 20)]
    places = {
        placed.node.id: complex(placed.x, placed.y)
        for placed in lay_out(nodes, links + between).nodes
    }
    middles = [sum(places[str(number)] for number in group) / size for group in groups]
    for number in range(2 * size):
        distances = [abs(places[str(number)] - middle) for middle in middles]
        assert distances.index(min(distances)) == number // size


def test_a_few_isolated_nodes_hardly_widen_the_picture() -> None:
    nodes = [node(str(number)) for number in range(65)]
    links = [Link(number, number // 3, "related") for number in range(1, 60)]
    linked = [placed for placed in lay_out(nodes, links).nodes if int(placed.node.id) < 60]
    assert max(placed.x for placed in linked) - min(placed.x for placed in linked) > 0.9 * EXTENT


def test_the_generator_of_igraph_stays_as_it_was() -> None:
    def random_edges() -> list[tuple[int, int]]:
        return igraph.Graph.Erdos_Renyi(50, 0.2).get_edgelist()

    lay_out(NODES, LINKS)
    first = random_edges()
    lay_out(NODES, LINKS)
    assert random_edges() != first


# The viewer.

OpenGraph = Callable[..., Page]


@pytest.fixture
def open_graph(browser: Browser, tmp_path: Path) -> Iterator[OpenGraph]:
    """Opens pages with a graph. No page may write to the console or open a dialog."""
    complaints: list[str] = []
    contexts = []

    def open_page(
        nodes: Sequence[Node] = NODES,
        links: Sequence[Link] = LINKS,
        width: int = 1_400,
        height: int = 900,
        **options: Any,
    ) -> Page:
        path = tmp_path / "graph.html"
        path.write_bytes(graph_page(nodes, links))
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.add_init_script(
            "window.rows = [];"
            "document.addEventListener('show-row', (event) => rows.push(event.detail.row));"
        )
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def settle(page: Page) -> None:
    """Wait until all that was asked for is drawn: no slice takes longer than a few frames."""
    page.evaluate(
        "() => new Promise((done) => {"
        "  let frames = 20;"
        "  (function next() { frames-- ? requestAnimationFrame(next) : done(); })();"
        "})"
    )


def colours(page: Page) -> Counter[str]:
    """How many pixels of the canvas have each colour."""
    settle(page)
    counts = page.evaluate(
        """() => {
          const canvas = document.querySelector("#graph-canvas");
          // Chromium warns of a canvas that is read often, but not of copies.
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
          copy.drawImage(canvas, 0, 0);
          const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
          const counts = {};
          for (let at = 0; at < data.length; at += 4) {
            const colour = `${data[at]},${data[at + 1]},${data[at + 2]}`;
            counts[colour] = (counts[colour] ?? 0) + 1;
          }
          return counts;
        }"""
    )
    return Counter(counts)


def pixels_of(page: Page, name: str) -> int:
    """How many pixels have the colour of a custom property."""
    value = page.evaluate(
        "(name) => getComputedStyle(document.documentElement).getPropertyValue(name)", name
    ).strip("# ")
    value = value if len(value) == 6 else "".join(letter * 2 for letter in value)
    return colours(page)[",".join(str(int(value[at : at + 2], 16)) for at in (0, 2, 4))]


def place_of(page: Page, name: str) -> tuple[float, float]:
    """Where a node is on the canvas, found by selecting it as the table does."""
    page.evaluate(
        "(row) => document.dispatchEvent(new CustomEvent('show-node', {detail: {row}}))",
        f"row-{name}",
    )
    page.locator("#graph-canvas").press("Escape")
    box = page.locator("#graph-canvas").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def filter_by(page: Page, **changes: str) -> None:
    detail = {"text": "", "publisher": "", "from": "", "until": "", **changes}
    page.evaluate("(detail) => document.dispatchEvent(new CustomEvent('filter', {detail}))", detail)


@pytest.mark.slow
def test_publishers_have_their_colours(open_graph: OpenGraph) -> None:
    page = open_graph()
    assert pixels_of(page, "--publisher-0") > 60
    assert pixels_of(page, "--publisher-1") > 60
    assert pixels_of(page, "--publisher-2") == 0
    expect(page.locator(".graph-legend:visible li")).to_have_text(
        ["one.example (5)", "two.example (2)"]
    )


@pytest.mark.slow
def test_depths_have_their_colours(open_graph: OpenGraph) -> None:
    page = open_graph()
    page.get_by_label("depth", exact=True).check()
    assert pixels_of(page, "--publisher-0") == 0
    for depth in range(3):
        assert pixels_of(page, f"--depth-{depth}") > 25
    expect(page.locator(".graph-legend:visible li")).to_have_text(
        ["depth 0 (1)", "depth 1 (3)", "depth 2 (1)", "depth 3 (2)"]
    )


@pytest.mark.slow
def test_one_publisher_is_coloured_by_depth(open_graph: OpenGraph) -> None:
    page = open_graph([made._replace(publisher=None) for made in NODES])
    expect(page.get_by_label("depth", exact=True)).to_be_checked()


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1_400])
def test_names_cover_no_node(open_graph: OpenGraph, width: int) -> None:
    """Except for that of the seed, which is at the edge of this graph."""
    # The seed has one link only.
    pairs = [(0, 1), *((one, one * by % 24 + 1) for by in (5, 7) for one in range(1, 25))]
    nodes = [node(str(number), depth=min(number, 1), publisher=None) for number in range(25)]
    page = open_graph(nodes, [Link(*pair, "related") for pair in pairs], width=width)
    named = pixels_of(page, "--depth-1"), pixels_of(page, "--ink")
    page.evaluate("CanvasRenderingContext2D.prototype.fillText = () => {}")
    page.evaluate("CanvasRenderingContext2D.prototype.strokeText = () => {}")
    page.locator("#graph-fit").click()
    unnamed = pixels_of(page, "--depth-1"), pixels_of(page, "--ink")
    assert named[0] == unnamed[0]
    assert named[1] > unnamed[1]


@pytest.mark.slow
def test_dark_is_redrawn(open_graph: OpenGraph) -> None:
    page = open_graph()
    light = colours(page)
    page.emulate_media(color_scheme="dark")
    dark = colours(page)
    assert light["255,255,255"] > 100_000
    assert dark["255,255,255"] < 100
    assert pixels_of(page, "--publisher-0") > 60


@pytest.mark.slow
def test_hover_shows_headline_and_date_inside_the_canvas(open_graph: OpenGraph) -> None:
    page = open_graph()
    page.mouse.move(*place_of(page, "hub"))
    tooltip = page.locator("#graph-tooltip")
    expect(tooltip).to_contain_text("Storm reaches the harbour")
    expect(tooltip).to_contain_text("2026-03-01")
    page.mouse.move(0, 0)
    expect(tooltip).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1_400])
def test_tooltips_stay_inside_the_canvas(open_graph: OpenGraph, width: int) -> None:
    page = open_graph([made._replace(headline="Storm " * 90) for made in NODES], width=width)
    canvas = page.locator("#graph-canvas")
    canvas.press("n")
    for _ in range(20):
        canvas.press("ArrowLeft")
    for _ in range(3):
        canvas.press("Shift+ArrowRight")
        inner, outer = page.locator("#graph-tooltip").bounding_box(), canvas.bounding_box()
        assert inner and outer
        assert outer["x"] <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
        assert outer["y"] <= inner["y"]
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]


def test_click_selects_and_the_panel_tells_about_the_node(open_graph: OpenGraph) -> None:
    page = open_graph()
    page.mouse.click(*place_of(page, "hub"))
    panel = page.get_by_role("group", name="Selected article")
    expect(panel.get_by_role("heading")).to_have_text("Storm reaches the harbour")
    facts = dict(
        zip(
            panel.locator("dt").all_text_contents(),
            panel.locator("dd").all_text_contents(),
            strict=True,
        )
    )
    assert facts == {
        "Published": "2026-03-01",
        "Publisher": "one.example",
        "Depth": "0",
        "Status": "Article",
        "Links in": "3",
        "Links out": "1",
    }
    link = panel.get_by_role("link")
    assert link.get_attribute("href") == "https://one.example/hub"
    assert link.get_attribute("rel") == "noreferrer noopener"
    assert link.get_attribute("target") == "_blank"
    panel.get_by_role("button", name="Show in the table").click()
    assert page.evaluate("rows") == ["row-hub"]
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()


@pytest.mark.slow
def test_the_selection_stands_out(open_graph: OpenGraph) -> None:
    page = open_graph()
    before = pixels_of(page, "--publisher-0")
    page.locator("#graph-canvas").press("n")
    assert 0 < pixels_of(page, "--publisher-0") < before  # "alone" is no neighbour
    assert pixels_of(page, "--accent") > 50


@pytest.mark.slow
def test_dragging_moves_the_graph_and_selects_nothing(open_graph: OpenGraph) -> None:
    page = open_graph()
    x, y = place_of(page, "hub")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 60, steps=5)
    page.mouse.up()
    expect(page.locator("#graph-node")).to_be_hidden()
    page.mouse.click(x + 100, y + 60)
    expect(page.locator("#graph-node h3")).to_have_text("Storm reaches the harbour")


@pytest.mark.slow
def test_the_wheel_zooms_with_control_or_focus_only(open_graph: OpenGraph) -> None:
    page = open_graph()
    box = page.locator("#graph-canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = colours(page)
    page.mouse.wheel(0, 40)
    settle(page)
    assert page.evaluate("scrollY") > 0
    page.evaluate("scrollTo(0, 0)")
    assert colours(page) == before
    page.keyboard.down("Control")
    page.mouse.wheel(0, -40)
    page.keyboard.up("Control")
    zoomed = colours(page)
    assert zoomed != before
    page.locator("#graph-canvas").focus()
    page.mouse.wheel(0, -40)
    assert colours(page) != zoomed
    assert page.evaluate("scrollY") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("control", "key"),
    [("Zoom in", "+"), ("Zoom out", "-")],
)
def test_buttons_and_keys_zoom_and_fit(open_graph: OpenGraph, control: str, key: str) -> None:
    page = open_graph()
    canvas = page.locator("#graph-canvas")
    fitted = colours(page)
    page.get_by_role("button", name=control).click()
    zoomed = colours(page)
    assert zoomed != fitted
    page.get_by_role("button", name="Fit").click()
    assert colours(page) == fitted
    canvas.press(key)
    assert colours(page) == zoomed
    canvas.press("0")
    assert colours(page) == fitted


@pytest.mark.slow
def test_keys_step_through_nodes_and_neighbours(open_graph: OpenGraph) -> None:
    page = open_graph()
    canvas, status = page.locator("#graph-canvas"), page.locator("#graph-status")
    canvas.press("n")
    expect(status).to_have_text(
        "Storm reaches the harbour; Article; 2026-03-01; one.example; depth 0;"
        " 3 links in, 1 link out"
    )
    canvas.press("Shift+ArrowRight")
    expect(status).to_contain_text("Neighbour 1 of 3: Headline of a; Article; 2026-03-02")
    canvas.press("Shift+ArrowLeft")
    expect(status).to_contain_text("Neighbour 3 of 3: Headline of c; Article; date unknown")
    canvas.press("Space")
    expect(page.locator("#graph-node h3")).to_have_text("Headline of c")
    canvas.press("Enter")
    assert page.evaluate("rows") == ["row-c"]
    canvas.press("Escape")
    expect(page.locator("#graph-node")).to_be_hidden()
    canvas.press("p")
    expect(page.locator("#graph-node h3")).to_have_text("Headline of c")  # the last by id
    canvas.press("p")
    expect(page.locator("#graph-node h3")).to_have_text("Headline of b")


@pytest.mark.slow
def test_a_node_without_a_row_has_no_button(open_graph: OpenGraph) -> None:
    page = open_graph([node("a", row=None)], [])
    page.locator("#graph-canvas").press("n")
    expect(page.get_by_role("button", name="Show in the table")).to_have_count(0)
    page.locator("#graph-canvas").press("Enter")
    assert page.evaluate("rows") == []


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    ("wanted", "matching", "hides_publisher"),
    [
        ({"text": "storm"}, 2, None),
        ({"text": "storm bridge"}, 1, None),
        ({"text": "failure"}, 1, None),  # in an id
        ({"publisher": "two.example"}, 2, 0),
        ({"publisher": "one.example"}, 5, 1),
        ({"from": "2026-03-02"}, 4, None),  # two have no day
        ({"until": "2026-03-01"}, 5, None),
        ({"from": "2027-01-01"}, 2, None),
        ({"publisher": "nowhere.example"}, 0, 0),
    ],
)
def test_filters(
    open_graph: OpenGraph, wanted: dict[str, str], matching: int, hides_publisher: int | None
) -> None:
    page = open_graph()
    before = colours(page)
    filter_by(page, **wanted)
    expect(page.locator("#graph-status")).to_have_text(f"{matching} of 7 match.")
    assert colours(page) != before
    if hides_publisher is not None:
        assert pixels_of(page, f"--publisher-{hides_publisher}") == 0
    filter_by(page)
    expect(page.locator("#graph-status")).to_have_text("")
    assert colours(page) == before


@pytest.mark.slow
def test_a_filter_that_hides_the_selection_closes_the_panel(open_graph: OpenGraph) -> None:
    page = open_graph()
    page.locator("#graph-canvas").press("n")
    filter_by(page, publisher="two.example")
    expect(page.locator("#graph-node")).to_be_hidden()


@pytest.mark.slow
def test_roles_and_unfetched_articles_can_be_hidden(open_graph: OpenGraph) -> None:
    page = open_graph()
    page.locator("#graph-canvas").press("n")
    links_in = page.locator("#graph-node dd").nth(4)
    expect(links_in).to_have_text("3")
    page.get_by_label("related articles").uncheck()
    page.locator("#graph-canvas").press("Escape")
    page.locator("#graph-canvas").press("n")
    expect(links_in).to_have_text("1")
    page.get_by_label("articles not fetched").uncheck()
    expect(page.locator("#graph-status")).to_have_text("5 of 7 match.")


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("width", [400, 1_400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_graph: OpenGraph, width: int, scheme: str) -> None:
    page = open_graph(width=width, color_scheme=scheme)
    page.locator("#graph-canvas").press("n")
    page.locator(".graph-keys summary").click()
    found = Axe().run(page, context="#graph")
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_one_finger_scrolls_the_page_until_the_graph_is_tapped(open_graph: OpenGraph) -> None:
    page = open_graph(width=400, has_touch=True, is_mobile=True)
    action = "getComputedStyle(document.querySelector('#graph-canvas')).touchAction"
    assert page.evaluate(action) == "pan-x pan-y"
    page.locator("#graph-canvas").tap()
    assert page.evaluate(action) == "none"
    page.locator("h1").tap()
    assert page.evaluate(action) == "pan-x pan-y"


def touch(page: Page, *steps: Sequence[tuple[float, float]]) -> None:
    """Put fingers down at the first places, move them to the others, and lift them."""
    session = page.context.new_cdp_session(page)
    for kind, places in [
        ("touchStart", steps[0]),
        *(("touchMove", places) for places in steps[1:]),
        ("touchEnd", ()),
    ]:
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        settle(page)


@pytest.mark.slow
def test_fingers_scroll_then_move_and_pinch(open_graph: OpenGraph) -> None:
    page = open_graph(width=400, height=600, has_touch=True, is_mobile=True)
    settle(page)
    canvas = page.locator("#graph-canvas")
    fitted = canvas.screenshot()
    page.evaluate("scrollTo(0, 0)")
    box = canvas.bounding_box()
    assert box
    x, y = box["x"] + 150, box["y"] + 150
    up = [[(x, y - 20 * step)] for step in range(5)]
    touch(page, *up)
    assert page.evaluate("scrollY") > 0
    assert canvas.screenshot() == fitted
    page.evaluate("scrollTo(0, 0)")
    canvas.evaluate("(canvas) => canvas.focus({preventScroll: true})")
    focused = canvas.screenshot()
    page.evaluate("scrollTo(0, 0)")
    settle(page)
    touch(page, *up)
    assert page.evaluate("scrollY") == 0
    moved = canvas.screenshot()
    assert moved != focused
    page.evaluate("scrollTo(0, 0)")
    touch(page, *([(x - 20 * step, y), (x + 20 * step, y)] for step in range(1, 5)))
    assert canvas.screenshot() != moved
    expect(page.locator("#graph-node")).to_be_hidden()


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}",
    "\u202eright to left\u2066",
    "\ud800 lone \udfff",
    "line\u2028paragraph\u2029end\0\r\n",
    "ж" * 10_000,
    "",
    "__proto__",
    "記事の見出しは非常に長くて空白がありませんから折り返す場所がないのです",
    "عنوان الخبر عن العاصفة في الميناء",
]


@pytest.mark.slow
@pytest.mark.parametrize("javascript", [True, False])
def test_hostile_texts_stay_texts(open_graph: OpenGraph, javascript: bool) -> None:
    nodes = [
        node(f"{text}{number}", headline=text, publisher=text, day="2026-01-01", row=text)
        for number, text in enumerate(HOSTILE)
    ]
    links = [Link(number, 0, "text") for number in range(1, len(nodes))]
    page = open_graph(nodes, links, java_script_enabled=javascript)
    if not javascript:
        expect(page.locator(".graph-picture title")).to_have_count(len(HOSTILE))
        expect(page.locator("#graph img")).to_have_count(0)
        return
    expect(page.locator("script")).to_have_count(2)
    canvas, heading = page.locator("#graph-canvas"), page.locator("#graph-node h3")
    seen = set()
    for _ in HOSTILE:
        canvas.press("n")
        seen.add(heading.text_content())
    expected = {
        text if len(text) <= HEADLINE_LENGTH else f"{text[: HEADLINE_LENGTH - 1]}…"
        for text in (text or f"{number}" for number, text in enumerate(HOSTILE))
    }
    # What is between the browser and the test cannot carry lone surrogates.
    assert {text for text in expected if "lone" not in text} <= seen
    assert len(seen) == len(HOSTILE)
    expect(page.locator("#graph img, #graph-stage svg")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)"),
        *("data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd"),
        *("//one.example/", "one.example", "", None, "http://", "https://[broken"),
    ],
)
def test_only_web_addresses_are_links(open_graph: OpenGraph, url: str | None) -> None:
    page = open_graph([node("a", url=url)], [])
    page.locator("#graph-canvas").press("n")
    expect(page.locator("#graph-node h3")).to_be_visible()
    expect(page.locator("#graph a")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 2, 3, 30, 400])
def test_any_number_of_nodes(open_graph: OpenGraph, count: int) -> None:
    nodes = [node(str(number)) for number in range(count)]
    links = [Link(number, number // 2, "related") for number in range(count)]
    page = open_graph(nodes, links)
    if count == 0:
        expect(page.locator("#graph")).to_contain_text("There is no article to draw.")
        return
    expect(page.locator("#graph")).to_contain_text(f"{count} article{'s' if count > 1 else ''};")
    assert pixels_of(page, "--depth-0") > 25


@pytest.mark.slow
@pytest.mark.parametrize(("count", "pictures"), [(300, 1), (301, 0)])
def test_small_graphs_are_pictures_without_javascript(
    open_graph: OpenGraph, count: int, pictures: int
) -> None:
    nodes = [node(str(number)) for number in range(count)]
    page = open_graph(nodes, [Link(1, 0, "related")], java_script_enabled=False)
    expect(page.locator("svg.graph-picture")).to_have_count(pictures)
    expect(page.locator("svg.graph-picture circle:not(.seed)")).to_have_count(count * pictures)
    expect(page.locator("noscript p")).to_have_count(1 - pictures)
    expect(page.locator("#graph-canvas")).to_be_hidden()


@pytest.mark.slow
def test_what_is_left_out_is_said(open_graph: OpenGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MOST_NODES", 6)
    page = open_graph()
    expect(page.locator("#graph")).to_contain_text(
        "Too many to draw, and left out here: 1 article known from a link only, which are those"
        " with the fewest links to them; 1 links."
    )
