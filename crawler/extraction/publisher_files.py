"""Finds and loads publisher files: in a folder, in installed packages, in this package, or by path.

A publisher file is a Python module that defines ``PUBLISHER``, a ``Publisher``. The file is run in
order to load it. If that fails, or if a field has a wrong value, CrawlerError says in which line.
"""

from __future__ import annotations

import ast
import re
import sys
import traceback
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import CrawlerError, did_you_mean
from crawler.extraction import publishers
from crawler.extraction.addresses import domain_of
from crawler.extraction.publisher_checks import FIELDS, problems
from crawler.extraction.publishers import Publisher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENTRY_POINTS = "neighbourhood_crawler.publishers"
"""The group of entry points under which other packages offer publisher files."""
VARIABLE = "PUBLISHER"
"""The variable of a publisher file that holds the publisher."""
_UNKNOWN_FIELD = re.compile(r"unexpected keyword argument '(\w+)'")


class _Loaded(NamedTuple):
    publisher: Publisher
    where: str


def find(folder: str | None = None) -> dict[str, Publisher]:
    """Return the publishers that have a file, by name, those that take precedence first.

    Those in ``folder`` come before those of installed packages, and these before our own; of two
    with the same name, the first is used. Raises CrawlerError if a file is faulty, or if two files
    in the same place have the same name or the same host.
    """
    found = dict(_in_folder(folder)) if folder is not None else {}
    for name, publisher in _installed().items():
        found.setdefault(name, publisher)
    return found


def load(site: str, found: dict[str, Publisher]) -> Publisher:
    """Return the publisher with a name or in a file. Raises CrawlerError if there is none."""
    if site in found:
        return found[site]
    if is_path(site):
        if not Path(site).exists():
            raise CrawlerError(
                f"site: got {site!r}, which does not exist; takes the path of a publisher file, "
                f"or one of {', '.join(sorted(found))}"
            )
        return load_file(Path(site))
    if domain_of(f"http://{site}") == site and "." in site:
        return Publisher(name=site)
    names = sorted(found)
    raise CrawlerError(
        f"site: got {site!r}, takes one of {', '.join(names)}, the path of a publisher file, or a "
        f"registrable domain{did_you_mean(site, names)}"
    )


def is_path(site: str) -> bool:
    """Return whether a publisher is given by the path of its file, not by a name."""
    return site.endswith(".py") or "/" in site


def load_file(path: Path) -> Publisher:
    """Run a publisher file, and return its publisher.

    Raises CrawlerError, with the line, if that fails or if a field has a wrong value.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise _fault(path, None, f"it cannot be read ({error.strerror})") from error
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        # Python's own import would leave byte code beside the user's file.
        exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    except (Exception, SystemExit) as error:
        line, message = _explain(error, path, source)
        raise _fault(path, line, message) from error
    if not hasattr(module, VARIABLE):
        raise _fault(path, None, f"it defines no {VARIABLE}; takes {VARIABLE} = Publisher(…)")
    return _checked(getattr(module, VARIABLE), path.stem, path)


def _in_folder(name: str) -> dict[str, Publisher]:
    folder = Path(name)
    if not folder.is_dir():
        raise CrawlerError(
            f"PUBLISHERS: got {name!r}, which is not a folder; takes a folder of publisher files"
        )
    files = sorted(file for file in folder.glob("*.py") if file.is_file())
    named = (file for file in files if not file.name.startswith(("_", "test_")))
    return _in_order(_Loaded(load_file(file), str(file)) for file in named)


@cache
def _installed() -> dict[str, Publisher]:
    """Return the publishers of installed packages, then our own."""
    found = _in_order(map(_load_entry_point, entry_points(group=ENTRY_POINTS)))
    for name, publisher in _in_order(map(_load_own, publishers.names())).items():
        found.setdefault(name, publisher)
    return found


def _in_order(loaded: Iterable[_Loaded]) -> dict[str, Publisher]:
    """Return publishers by name. Those of subdomains come before those of their domains.

    Raises CrawlerError if two have the same name or the same host.
    """
    by_name: dict[str, _Loaded] = {}
    by_host: dict[str, _Loaded] = {}
    for one in loaded:
        name = one.publisher.name
        if name in by_name:
            raise _conflict(by_name[name], one, f"are named {name!r}; give one another name")
        by_name[name] = one
        for host in sorted(one.publisher.hosts):
            if host in by_host:
                raise _conflict(by_host[host], one, f"have the host {host!r}; remove it from one")
            by_host[host] = one
    found = sorted((one.publisher for one in by_name.values()), key=_most_labels, reverse=True)
    return {publisher.name: publisher for publisher in found}


def _most_labels(publisher: Publisher) -> int:
    return max(host.count(".") for host in publisher.hosts)


def _conflict(one: _Loaded, other: _Loaded, problem: str) -> CrawlerError:
    return CrawlerError(f"publisher files {one.where} and {other.where} both {problem}")


def _load_own(name: str) -> _Loaded:
    file = Path(publishers.__path__[0], f"{name}.py")
    return _Loaded(_checked(publishers.load(name), name, file), str(file))


def _load_entry_point(entry_point: EntryPoint) -> _Loaded:
    package = entry_point.dist.name if entry_point.dist else "unknown"
    where = f"{entry_point.value} of the package {package}"
    try:
        value = entry_point.load()
    except (Exception, SystemExit) as error:
        raise CrawlerError(
            f"publisher file {where}: it cannot be loaded ({type(error).__name__}: {error}); "
            "mend or uninstall the package"
        ) from error
    value = getattr(value, VARIABLE, value)
    file = getattr(sys.modules.get(entry_point.module), "__file__", None) or where
    return _Loaded(_checked(value, entry_point.name, Path(file)), where)


def _explain(error: BaseException, path: Path, source: bytes) -> tuple[int | None, str]:
    """Return the line in which running a file failed, if known, and the reason."""
    if isinstance(error, SyntaxError) and error.filename in (None, str(path)):
        return error.lineno, f"it is not Python ({error.msg})"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    line = lines[-1] if lines else None
    if isinstance(error, re.error):
        return line, f"got {error.pattern!r}, which is not a regular expression ({error})"
    if isinstance(error, TypeError) and (unknown := _UNKNOWN_FIELD.search(str(error))):
        name = unknown[1]
        if Publisher.__name__ in str(error):
            reason = f"no such field; takes {', '.join(FIELDS)}{did_you_mean(name, FIELDS)}"
            return _line_of(name, source) or line, f"{name}: {reason}"
    return line, f"{type(error).__name__}: {error}"


def _fault(path: Path, line: int | None, message: str) -> CrawlerError:
    where = f"{path}, line {line}" if line else str(path)
    return CrawlerError(
        f"publisher file {where}: {message}; docs/how-to/publishers.md lists the fields"
    )


def _checked(value: object, name: str, path: Path) -> Publisher:
    """Return a publisher with its name. Raises CrawlerError if a field has a wrong value."""
    try:
        source = path.read_bytes()
    except OSError:
        source = b""
    if not isinstance(value, Publisher):
        message = f"{VARIABLE}: got {value!r}, takes a Publisher(…)"
        raise _fault(path, _line_of(VARIABLE, source), message)
    publisher = value if value.name else replace(value, name=name)
    for field, problem in problems(publisher):
        raise _fault(path, _line_of(field, source), f"{field}: {problem}")
    return publisher


def _line_of(field: str, source: bytes) -> int | None:
    """Return the line of a file that sets a field, or else the line that defines the publisher."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return None
    lines = [node.lineno for node in nodes if isinstance(node, ast.keyword) and node.arg == field]
    return next(iter(lines or _definitions(nodes)), None)


def _definitions(nodes: Iterable[ast.AST]) -> Iterator[int]:
    """Yield the lines that define the publisher."""
    for node in nodes:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and target.id == VARIABLE:
                yield target.lineno
