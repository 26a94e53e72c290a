"""Parsing a dump: the case files, and what ``loads`` and ``parse`` return and refuse.

tests/vardump/valid      NAME.dump; NAME.json: the result of ``loads`` (as ``show.jsonable``), and
                         whether it is ambiguous
tests/vardump/invalid    NAME.dump; NAME.json: where and why ``loads`` raises
tests/vardump/pages      NAME.html or NAME.txt; NAME.json: the dumps that ``scan`` finds
"""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vardump_dumps import NUMBERS, dump_of

from crawler import vardump
from crawler.vardump import fast, show

HERE = Path(__file__).parent
CASES = HERE / "vardump"


def cases(folder: str) -> list[Any]:
    params = [
        pytest.param(path, id=path.stem)
        for path in sorted((CASES / folder).iterdir())
        if path.suffix != ".json"
    ]
    assert params, folder
    return params


def load_expected(path: Path) -> Any:
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", cases("valid"))
def test_valid(path: Path) -> None:
    dump, expected = path.read_bytes(), load_expected(path)
    nodes = vardump.parse(dump)
    assert [getattr(node, "ambiguous", False) for node in nodes] == [expected["ambiguous"]]
    assert vardump.render(nodes) == dump
    if expected["ambiguous"]:
        with pytest.warns(vardump.AmbiguousDumpWarning):
            value = vardump.loads(dump)
    else:
        value = vardump.loads(dump)
    assert show.jsonable(value) == expected["value"]
    assert repr(value) == repr(vardump.plain(nodes[0]))


@pytest.mark.parametrize("path", cases("invalid"))
def test_invalid(path: Path) -> None:
    dump, expected = path.read_bytes(), load_expected(path)
    with pytest.raises(vardump.VarDumpError) as caught:
        vardump.loads(dump)
    error = caught.value
    assert error.document == dump
    assert {
        "message": error.message,
        "position": error.position,
        "expected": error.expected,
    } == expected
    assert f"line {error.line} column {error.column}" in str(error)
    assert pickle.loads(pickle.dumps(error)).position == error.position


@pytest.mark.parametrize("path", cases("pages"))
def test_page(path: Path) -> None:
    page = path.read_bytes()
    expected = load_expected(path)
    dumps = [found(dump, page) for dump in vardump.scan(page, expected["encoding"])]
    assert dumps == expected["dumps"]


def found(dump: vardump.Dump, page: bytes) -> dict[str, Any]:
    """Return a dump as in the case files, with its first and last bytes for its position."""
    text = page[dump.start : dump.end].decode("utf-8", "replace")
    return {
        "from": text[:30],
        "to": text[-20:],
        "form": dump.form,
        "complete": dump.complete,
        "ambiguous": dump.ambiguous,
        "how": dump.how,
        "value": show.jsonable(dump.value),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "dump",
    [
        b"".join(
            b"array(1) {\n" + b"  " * level + b"[0]=>\n" + b"  " * level
            for level in range(1, 3_000)
        ),
        b"array(1) {\n[0]=>\n" * 100_000,
        b"array(1) {\n[0]=>\n" * 100_000 + b"NULL\n" + b"}\n" * 100_000,
        b"int(" + b"9" * 5_000 + b")\n",
        b"float(" + b"9" * 5_000 + b")\n",
        b'string(999999999999) "abc"\n',
        b"string(" + b"9" * 5_000 + b') "abc"\n',
        b"array(" + b"9" * 18 + b") {\n}\n",
        b"",
        b" \n",
        "\ud800",
        b'array(30) {\n  ["' + b'"]=>\n  int(1)\n  ["' * 5_000,
    ],
    ids=[
        "deep",
        "deeper",
        "deeper and whole",
        "int",
        "float",
        "length",
        "digits of a length",
        "count",
        "empty",
        "blank",
        "surrogate",
        "keys",
    ],
)
def test_only_var_dump_error_is_raised(dump: bytes | str) -> None:
    with pytest.raises(vardump.VarDumpError) as caught:
        vardump.loads(dump)
    assert str(caught.value)
    if isinstance(dump, bytes):
        assert all(0 <= found.start <= found.end for found in vardump.scan(dump))


def test_1_000_levels_of_php() -> None:
    dump = (
        "".join(
            "array(1) {\n" + "  " * level + "[0]=>\n" + "  " * level for level in range(1, 1_001)
        )
        + "NULL\n"
    )
    dump += "".join("  " * level + "}\n" for level in reversed(range(1_000)))
    value, levels = vardump.loads(dump), 0
    while value:
        [value], levels = value, levels + 1
    assert levels == 1_000


def test_two_keys_that_are_the_same_in_json() -> None:
    assert show.jsonable({5: "a", "5": "b"}) == {"entries": [[5, "a"], ["5", "b"]]}


def test_text_is_taken_as_utf_8() -> None:
    assert vardump.loads('array(1) {\n  ["é"]=>\n  string(3) "’"\n}\n') == {"é": "’"}
    with pytest.raises(vardump.VarDumpError) as caught:
        vardump.loads('array(1) {\n  ["é’"]=>\n  int(x)\n}\n')
    assert (caught.value.position, caught.value.line, caught.value.column) == (24, 3, 3)
    # The result of open(errors="surrogateescape") for bytes that are not UTF-8.
    assert vardump.loads('string(1) "\udcff"\n') == b"\xff"


def test_only_bytes_and_str_are_accepted() -> None:
    with pytest.raises(TypeError, match="bytes or str, not int"):
        vardump.loads(5)  # type: ignore[arg-type]


def test_nodes_keep_everything() -> None:
    dump = (
        b'  lazy ghost object(A\\B)#7 (3) {\n  ["x":protected]=>\n  &float(1.0E+25)\n'
        b'  ["x":"A\\Base":private]=>\n  *RECURSION*\n'
        b'  ["late"]=>\n  uninitialized((A&B)|null)\n  [-5]=>\n  string(2) "\xff""\n}\n\n'
    )
    [node] = vardump.parse(dump)
    assert isinstance(node, vardump.Object)
    assert (node.class_name, node.id, node.lazy, node.declared, node.before, node.after) == (
        "A\\B",
        7,
        "ghost",
        3,
        b"  ",
        b"\n\n",
    )
    assert [
        (entry.key.content, entry.key.kind, entry.key.declaring_class) for entry in node.entries
    ] == [
        (b"x", "protected", None),
        (b"x", "private", "A\\Base"),
        (b"late", "public", None),
        (b"-5", "index", None),
    ]
    values = [entry.value for entry in node.entries]
    assert values == [
        vardump.Float("1.0E+25", reference=True),
        vardump.Recursion(),
        vardump.Uninitialized("(A&B)|null"),
        vardump.String(b'\xff"', 2),
    ]
    assert vardump.render([node]) == dump
    with pytest.raises(AttributeError):
        node.id = 8  # type: ignore[misc]
    assert vardump.plain(node).properties == {
        "x": 1e25,
        "\0A\\Base\0x": vardump.PhpRecursion(),
        "late": vardump.PhpUninitialized("(A&B)|null"),
        -5: b'\xff"',
    }


def join(values: Iterator[str]) -> str:
    return "\n".join(values)


def test_tree() -> None:
    [node] = vardump.parse(
        b'array(2) {\n  ["a\x1b"]=>\n  &object(B)#3 (1) {\n    ["p":"B":private]=>\n'
        b'    string(1) "\xff"\n  }\n  [1]=>\n  NULL\n}\n'
    )
    assert (
        join(show.tree(node)) == 'array of 2\n  "a\\x1b": &B #3, object of 1\n'
        '    "p" private of B: "\\xff" (1 bytes)\n  1: NULL'
    )


def test_a_protected_property_beside_a_private_one_of_its_name() -> None:
    dump = b'object(A)#1 (2) {\n  ["x":"A":private]=>\n  int(1)\n  ["x":protected]=>\n  int(2)\n}\n'
    assert vardump.loads(dump).properties == {"x": 1, "\0*\0x": 2}


@pytest.mark.parametrize(
    "dump",
    [
        NUMBERS,
        b'array(2) {\n  ["a"]=>\n  string(1) "x"\n  ["b"]=>\n  float(1.0E-10)\n}\n',
        b'object(A)#1 (1) {\n  ["x":protected]=>\n  array(1) {\n    [0]=>\n    NULL\n  }\n}\n',
    ],
)
def test_common_dumps_are_read_fast(dump: bytes) -> None:
    [node] = vardump.parse(dump)
    assert fast.read(dump) == vardump.plain(node)


A, B = dump_of(b'"a"'), dump_of(b'"b"')
OBJECT = b"object(A)#1 (1)"


@pytest.mark.parametrize(
    ("dumps", "ambiguous"),
    [
        # The first key may extend into the last dump, which makes all of them one.
        ([A, B], [True, True]),
        ([A, NUMBERS, B], [True, True, True]),
        ([A, b"NULL\n", B], [True, None, True]),
        ([NUMBERS, A, B], [False, True, True]),
        # Only string keys can extend, and only to the end of another string key.
        ([NUMBERS, A], [False, False]),
        ([A, NUMBERS], [False, False]),
        # Everything after an ambiguous value is marked too.
        ([A, B, NUMBERS], [True, True, True]),
        ([dump_of(b'"a"', OBJECT), dump_of(b'"b":"B":private', OBJECT)], [True, True]),
        ([dump_of(b'"a"', OBJECT), dump_of(b'"b":protected', OBJECT)], [True, True]),
        # A key without a value, or a key that contains the boundary of two dumps.
        ([A.replace(b"  int(1)\n", b"") + B], [True]),
        ([A.replace(b"int(1)", b'string(9) "x"') + B], [True]),
        ([b'array(1) {\n  ["a}\narray(1) {\nb"]=>\n  int(1)\n}\n'], [False]),
    ],
)
def test_values_that_may_be_part_of_the_one_before(
    dumps: list[bytes], ambiguous: list[bool | None]
) -> None:
    values = vardump.parse(b"".join(dumps))
    assert [getattr(value, "ambiguous", None) for value in values] == ambiguous


@pytest.mark.parametrize(("marks", "ambiguous"), [(10, False), (8_000, True)])
def test_more_ends_of_a_key_than_are_tried(marks: int, ambiguous: bool) -> None:
    text = b'\n  ["k"]=>\n  int(1)' * marks
    [node] = vardump.parse(b'array(1) {\n  ["a"]=>\n  string(%d) "%b"\n}\n' % (len(text), text))
    assert isinstance(node, vardump.Array)
    assert node.ambiguous == ambiguous
    assert node.entries[0].value == vardump.String(text, len(text))


def test_many_values_before_garbage() -> None:
    with pytest.raises(vardump.VarDumpError) as caught:
        vardump.parse(A * 30 + b"oops")
    # The message does not claim that there were too many interpretations to try.
    assert str(caught.value).startswith("no value: line 121 column 1 ")


def test_two_properties_that_php_4_shows_alike() -> None:
    dump = b'object(a)%b(2) {\n  ["x"]=>\n  int(1)\n  ["x"]=>\n  int(2)\n}\n'
    [node] = vardump.parse(dump % b"")
    assert isinstance(node, vardump.Object)
    assert [entry.value for entry in node.entries] == [vardump.Int("1"), vardump.Int("2")]
    with pytest.raises(vardump.VarDumpError, match="has a duplicate key"):
        vardump.parse(dump % b"#1 ")
