"""Renders a report: one HTML file with its styles, scripts and data, that loads nothing.

A strict Content-Security-Policy in the file allows its own script and styles, by their hashes, and
nothing else, so that no text from a site could run or load anything even if it were not escaped.
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crawler.errors import CrawlerError
from crawler.export.corpus import JobCorpus
from crawler.files import whole_file
from crawler.program import as_typed
from crawler.report import contents, job_history, records
from crawler.report.balance import balance_of
from crawler.report.contents import MOST_SHOWN
from crawler.terminal import describe_span

if TYPE_CHECKING:
    from crawler.export.corpus import Corpus
    from crawler.report.job_history import Ran

_FOLDER = Path(__file__).parent
_STYLES = ("report.css", "graph.css")
_STYLES_WITHOUT_SCRIPTS = ("without_scripts.css",)
SCRIPTS = (
    "matching.js",
    "filters.js",
    "graph_data.js",
    "graph_painter.js",
    "graph_labels.js",
    "graph_viewer.js",
    "table.js",
)
_PUBLISHER_COLOURS = 8
# Not all addresses in records are valid URLs, so that urlsplit() would refuse some.
_QUERY_OR_FRAGMENT = re.compile(r"[?#].*", re.DOTALL)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_BUFFERED_PARTS = 500


def write_to_file(corpus: Corpus, target: Path, run: Ran | None = None) -> str:
    """Write the report of a corpus to a file; return a line about it for people.

    ``run`` is the run that it comes from, if that had no ledger. Raises CrawlerError if the file
    cannot be written.
    """
    try:
        with whole_file(target) as file:
            count = write_report(corpus, file, run)
    except OSError as error:
        raise CrawlerError(
            f"{target} cannot be written ({error.strerror}); give another file",
            exit_code=1,
        ) from error
    return f"{count:,} {'article' if count == 1 else 'articles'} in {target}"


def write_report(corpus: Corpus, file: IO[bytes], run: Ran | None = None) -> int:
    """Write the report of a corpus; return the number of its articles.

    Records that could not be read are in the corpus's ``left_out`` afterwards, and named in the
    report.
    """
    found = contents.gather(corpus)
    history = job_history.gather(corpus.connection) if isinstance(corpus, JobCorpus) else None
    by_id = found.by_id
    styles = [_joined(_STYLES), _joined(_STYLES_WITHOUT_SCRIPTS)]
    script = f'"use strict";\n(() => {{\n{_joined(SCRIPTS)}}})();\n'
    template = _environment().get_template("report.html")
    stream = template.stream(
        contents=found,
        network=found.network,
        history=history,
        runs=history.runs if history else [run] if run else [],
        balance=balance_of(found, history),
        rows=records.rows(corpus, found.rows),
        entries_by_id=by_id,
        rows_by_id={article_id: entry.row for article_id, entry in by_id.items()},
        job=corpus.job,
        left_out=corpus.left_out,
        most_shown=MOST_SHOWN,
        style=Markup(styles[0]),
        style_without_scripts=Markup(styles[1]),
        script=Markup(script),
        policy=_policy(script, styles),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version("neighbourhood-crawler"),
    )
    stream.enable_buffering(_BUFFERED_PARTS)
    for part in stream:
        file.write(part.encode("utf-8", "replace"))
    return len(found.entries)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = _day
    environment.filters["as_typed"] = as_typed
    environment.filters["label"] = records.label
    environment.filters["moment"] = _moment
    environment.filters["colour"] = _colour
    environment.filters["file_name"] = _file_name
    environment.filters["span"] = partial(describe_span, digits=2)
    environment.filters["number"] = "{:,}".format
    environment.tests["language_tag"] = _is_language_tag
    environment.tests["web_address"] = _is_web_address
    return environment


def _joined(names: tuple[str, ...]) -> str:
    return "".join((_FOLDER / "static" / name).read_text(encoding="utf-8") for name in names)


def _policy(script: str, styles: list[str]) -> str:
    """Return the Content-Security-Policy (W3C CSP 3) that allows a script and styles."""
    style_hashes = " ".join(map(_hash, styles))
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {style_hashes}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _day(instant: str | None) -> str:
    """Return the day of an ISO 8601 time."""
    return (instant or "")[:10]


def _moment(instant: str | None) -> str:
    """Return an ISO 8601 time for people, to the minute, with its offset if it is not UTC."""
    if not instant or "T" not in instant:
        return instant or ""
    day, _, time = instant.partition("T")
    offset = time[8:].removeprefix(time[8:15] if time[8:9] == "." else "")
    zone = " UTC" if offset in ("+00:00", "Z") else f" {offset}" if offset else ""
    return f"{day} {time[:5]}{zone}"


def _colour(publisher: int) -> int:
    """Return the number of a publisher's colour; the last one stands for all further publishers."""
    return min(publisher, _PUBLISHER_COLOURS - 1)


def _file_name(url: str) -> str:
    """Return the last part of the path of a URL, or else the URL."""
    path = _QUERY_OR_FRAGMENT.sub("", url)
    return path.rpartition("/")[2] or url


def _is_language_tag(language: str | None) -> bool:
    """Return whether a language is written as in BCP 47, which records do not ensure."""
    return language is not None and _LANGUAGE_TAG.fullmatch(language) is not None


def _is_web_address(url: Any) -> bool:
    return isinstance(url, str) and url.startswith(("http://", "https://"))
