"""The private names of other libraries: each exists, and no others are used."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from conftest import ROOT

from crawler.private_names import PRIVATE_NAMES, PrivateName

# Named tuples and lxml's types have no public name for these.
PUBLIC = {"_replace", "_asdict", "_Element"}


def load(path: str) -> Any:
    try:
        return import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(import_module(module), name)


@pytest.mark.parametrize("private", PRIVATE_NAMES, ids=lambda private: private.name)
def test_the_name_exists(private: PrivateName) -> None:
    owner = load(private.owner)
    is_attribute = inspect.isclass(owner) and f"self.{private.name}" in inspect.getsource(owner)
    assert hasattr(owner, private.name) or is_attribute, (
        f"{private.owner} {version(private.owner.partition('.')[0])} has no {private.name}, "
        f"which crawler/private_names.py needs to {private.missing}"
    )


def test_no_others_are_used() -> None:
    trees = [ast.parse(path.read_bytes()) for path in (ROOT / "crawler").rglob("*.py")]
    own = {name for tree in trees for name in defined_names(tree)}
    used = {name for tree in trees for name in private_names(tree)} - own - PUBLIC
    assert used <= {private.name for private in PRIVATE_NAMES}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Store):
            yield node.attr if isinstance(node, ast.Attribute) else node.id


def private_names(tree: ast.AST) -> Iterator[str]:
    """Yield the private names that a module imports from other libraries or looks up on objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("crawler"):
            yield from (alias.name for alias in node.names if is_private(alias.name))
