"""Dumps printed by real PHP and Xdebug are read back."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from services import XDEBUG, require
from vardump_trees import tree, with_python_floats

from crawler import vardump

HERE = Path(__file__).parent


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("seed", range(1, 9))
def test_dumps_of_php_are_read_back(seed: int) -> None:
    """Values of every kind are read correctly or marked ambiguous, and rendered byte for byte.

    They include strings and keys that look like dumps.
    """
    require("PHP")
    run = subprocess.run(
        ["php", "-n", HERE / "php" / "values.php", str(seed), "250"],
        capture_output=True,
        check=True,
    )
    checked = 0
    for line in run.stdout.splitlines():
        case = json.loads(line)
        dump = base64.b64decode(case["dump"])
        nodes = vardump.parse(dump)
        assert vardump.render(nodes) == dump
        if getattr(nodes[0], "ambiguous", False):
            continue
        checked += 1
        assert [tree(node) for node in nodes] == [with_python_floats(case["truth"])], dump
        assert repr(vardump.loads(dump)) == repr(vardump.plain(nodes[0]))
        scanned = list(
            vardump.scan(b"<html><body><pre>\nint(0)\n" + dump + b"</pre></body></html>")
        )
        assert scanned[1].ambiguous or [tree(one.node) for one in scanned[1:]] == [
            tree(nodes[0])
        ], dump
    # Objects with uninitialized properties are always ambiguous, and are not counted.
    assert checked > 150


@pytest.fixture(scope="session")
def xdebug() -> list[str]:
    """Return the command of a PHP whose var_dump is Xdebug's, without limits."""
    require("Xdebug")
    command = list(XDEBUG)
    for limit in ("data", "depth", "children"):
        command += ["-d", f"xdebug.var_display_max_{limit}=-1"]
    return command


@pytest.mark.parametrize("form", ["html", "text"])
def test_dumps_of_xdebug_are_read_back(xdebug: list[str], form: str) -> None:
    """Values are read correctly or reported as incomplete.

    The HTML omits the bytes F0 to FF, and some values are not printed as a dump at all.
    """
    errors = f"html_errors={int(form == 'html')}"
    run = subprocess.run(
        [*xdebug, "-d", errors, HERE / "php" / "values.php", "1", "300"],
        capture_output=True,
        check=True,
    )
    checked = 0
    for line in run.stdout.splitlines():
        case = json.loads(line)
        page = base64.b64decode(case["dump"])
        dumps = list(vardump.scan(page))
        if len(dumps) != 1 or not dumps[0].complete or dumps[0].ambiguous:
            continue
        checked += 1
        assert as_xdebug_prints(tree(dumps[0].node)) == as_xdebug_prints(
            without_high_bytes(with_python_floats(case["truth"]), form)
        ), page
    assert checked > 150


def without_high_bytes(truth: Any, form: str) -> Any:
    """Return a tree with keys as in Xdebug's HTML, which silently omits the bytes F0 to FF."""
    match truth:
        case {"entries": entries, **rest} if form == "html":
            return {
                "entries": [
                    [key_without_high_bytes(key), without_high_bytes(inner, form)]
                    for key, inner in entries
                ],
                **rest,
            }
    return truth


def key_without_high_bytes(key: dict[str, Any]) -> dict[str, Any]:
    [(kind, content), *rest] = key.items()
    if kind == "string":
        content = base64.b64encode(
            bytes(byte for byte in base64.b64decode(content) if byte < 0xF0)
        ).decode()
    return {kind: content, **dict(rest)}


def as_xdebug_prints(value: Any) -> Any:
    """Return a tree as Xdebug prints it, with floats of 14 digits.

    Xdebug prints neither references nor the classes of private properties.
    """
    match value:
        case {"float": text}:
            return {"float": f"{float(text):.13e}"}
        case dict():
            return {
                name: as_xdebug_prints(inner)
                for name, inner in value.items()
                if name != "reference" and not ("private" in value and name == "class")
            }
        case list():
            return [as_xdebug_prints(inner) for inner in value]
    return value
