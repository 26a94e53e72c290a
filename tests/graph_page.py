"""Pages with the graph of a report and nothing else, to be opened in a browser."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import jinja2

import crawler.report
from crawler.report.network import Link, Node, lay_out
from crawler.report.page import SCRIPTS

_PACKAGE = Path(crawler.report.__file__).parent
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Graph</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src '{{ script|sha256 }}'; style-src '{{ style|sha256 }}'">
<style>{{ style|safe }}</style></head>
<body><main><h1>Report</h1>{% include "graph.html" %}</main>
<script>{{ script|safe }}</script></body></html>
"""
_BODY_STYLE = """
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem system-ui, sans-serif; }
main { max-width: 90rem; margin: 0 auto; padding: 1rem; }
"""


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def graph_page(nodes: Sequence[Node], links: Iterable[Link]) -> bytes:
    """Return an HTML page with the graph, under the Content-Security-Policy of reports."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PACKAGE / "templates"), autoescape=True
    )
    templates.filters["sha256"] = _sha256
    static = _PACKAGE / "static"
    scripts = (static / name for name in SCRIPTS if name == "matching.js" or "graph" in name)
    code = "".join(path.read_text() for path in scripts)
    script = f'(() => {{ "use strict";\n{code}\n}})();'
    style = _BODY_STYLE + "".join(
        (static / name).read_text() for name in ("report.css", "graph.css")
    )
    page = templates.from_string(_PAGE).render(
        network=lay_out(nodes, links), script=script, style=style
    )
    return page.encode(errors="replace")
