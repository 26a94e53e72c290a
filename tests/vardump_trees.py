"""Nodes and plain values as JSON trees, for comparison with PHP and the case files."""

import base64
from typing import Any

from crawler import vardump


def tree(node: vardump.Value) -> dict[str, Any]:
    """Return a node as tests/php/values.php writes the value it represents."""
    bare = _bare(node)
    return bare | {"reference": True} if node.reference else bare


def _bare(node: vardump.Value) -> dict[str, Any]:
    match node:
        case vardump.Null():
            return {"scalar": None}
        case vardump.Bool() | vardump.Int():
            return {"scalar": node.value}
        case vardump.Float():
            return {"float": repr(node.value)}
        case vardump.String():
            return {"string": _base64(node.content)}
        case vardump.Enum():
            return {"enum": f"{node.class_name}::{node.case}"}
        case vardump.Resource():
            return {"resource": node.id, "type": node.type}
        case vardump.Recursion():
            return {"recursion": True}
        case vardump.Uninitialized():
            return {"uninitialized": node.type}
        case vardump.Unknown():
            return {"unknown": True}
        case vardump.Array():
            return {"entries": _entries(node)}
        case vardump.Object():
            return {"class": node.class_name, "id": node.id, "entries": _entries(node)}
    raise AssertionError(node)


def _entries(node: vardump.Container) -> list[Any]:
    return [[_key(entry.key), tree(entry.value)] for entry in node.entries]


def _key(key: vardump.Key) -> dict[str, Any]:
    if key.kind == "index":
        return {"index": int(key.content)}
    return {key.kind: _base64(key.content)} | (
        {"class": key.declaring_class} if key.declaring_class else {}
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def with_python_floats(truth: Any) -> Any:
    """Return one of PHP's trees with its floats as Python writes them."""
    match truth:
        case {"float": text, **rest}:
            return {"float": repr(float(text.replace("NAN", "nan"))), **rest}
        case dict():
            return {name: with_python_floats(inner) for name, inner in truth.items()}
        case list():
            return [with_python_floats(inner) for inner in truth]
    return truth
