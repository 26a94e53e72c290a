"""The dump parser: case files, real PHP, and properties that hold for any text.

tests/vardump/valid      NAME.dump; NAME.json: the result of ``loads`` (as ``show.jsonable``), and
                         whether it is ambiguous
tests/vardump/invalid    NAME.dump; NAME.json: where and why ``loads`` raises
tests/vardump/pages      NAME.html or NAME.txt; NAME.json: the dumps that ``scan`` finds
"""

import base64
import json
import pickle
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SEED_TEXT, service
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from vardump_trees import as_php_says, tree

from crawler import vardump
from crawler.vardump import fast, lengths, show

HERE = Path(__file__).parent
CASES = HERE / "vardump"
SEED = SEED_TEXT.read_bytes()


ROW = b'array(2) {\n  ["name"]=>\n  string(3) "Bob"\n  ["id"]=>\n  int(7)\n}\n'


def cases(folder: str) -> list[Any]:
    found = [
        pytest.param(path, id=path.stem)
        for path in sorted((CASES / folder).iterdir())
        if path.suffix != ".json"
    ]
    assert found, folder
    return found


def expected(path: Path) -> Any:
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def quietly(data: bytes) -> Any:
    """Return the result of ``loads`` without the warning that a dump is ambiguous."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vardump.AmbiguousDumpWarning)
        return vardump.loads(data)


@pytest.mark.parametrize("path", cases("valid"))
def test_valid(path: Path) -> None:
    dump, said = path.read_bytes(), expected(path)
    nodes = vardump.parse(dump)
    assert [getattr(node, "ambiguous", False) for node in nodes] == [said["ambiguous"]]
    assert vardump.render(nodes) == dump
    if said["ambiguous"]:
        with pytest.warns(vardump.AmbiguousDumpWarning):
            value = vardump.loads(dump)
    else:
        value = vardump.loads(dump)
    assert show.jsonable(value) == said["value"]
    assert repr(value) == repr(vardump.plain(nodes[0]))


@pytest.mark.parametrize("path", cases("invalid"))
def test_invalid(path: Path) -> None:
    dump, said = path.read_bytes(), expected(path)
    with pytest.raises(vardump.VarDumpError) as caught:
        vardump.loads(dump)
    error = caught.value
    assert error.document == dump
    assert {
        "message": error.message,
        "position": error.position,
        "expected": error.expected,
    } == said
    assert f"line {error.line} column {error.column}" in str(error)
    assert pickle.loads(pickle.dumps(error)).position == error.position


@pytest.mark.parametrize("path", cases("pages"))
def test_page(path: Path) -> None:
    page = path.read_bytes()
    said = expected(path)
    assert [found(dump, page) for dump in vardump.scan(page, said["encoding"])] == said["dumps"]


def found(dump: vardump.Dump, page: bytes) -> dict[str, Any]:
    """Return a dump as in the case files, its position as its first and last bytes."""
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


@pytest.fixture(scope="session")
def php() -> str:
    found = shutil.which("php")
    service("php-cli", found)
    return str(found)


@pytest.mark.parametrize("seed", range(1, 9))
def test_what_php_dumps_is_read_back(php: str, seed: int) -> None:
    """Values of every kind, with strings and keys that look like dumps, are read correctly or
    marked ambiguous, and rendered back byte for byte.
    """
    run = subprocess.run(
        [php, "-n", HERE / "php" / "values.php", str(seed), "250"], capture_output=True, check=True
    )
    sure = 0
    for line in run.stdout.splitlines():
        case = json.loads(line)
        dump = base64.b64decode(case["dump"])
        nodes = vardump.parse(dump)
        assert vardump.render(nodes) == dump
        if getattr(nodes[0], "ambiguous", False):
            continue
        sure += 1
        assert [tree(node) for node in nodes] == [as_php_says(case["truth"])], dump
        assert repr(vardump.loads(dump)) == repr(vardump.plain(nodes[0]))
        scanned = list(
            vardump.scan(b"<html><body><pre>\nint(0)\n" + dump + b"</pre></body></html>")
        )
        assert scanned[1].ambiguous or [tree(one.node) for one in scanned[1:]] == [
            tree(nodes[0])
        ], dump
    # Every object with uninitialized properties is ambiguous; those are not counted.
    assert sure > 150


@pytest.fixture(scope="session")
def xdebug(php: str) -> list[str]:
    """Return the command of a PHP whose var_dump is Xdebug's, without limits."""
    command = [php, "-n", "-d", "zend_extension=xdebug.so", "-d", "xdebug.mode=develop"]
    for limit in ("data", "depth", "children"):
        command += ["-d", f"xdebug.var_display_max_{limit}=-1"]
    version = subprocess.run([*command, "-v"], capture_output=True, check=True, text=True).stdout
    service("php-xdebug", "Xdebug" in version)
    return command


@pytest.mark.parametrize("form", ["html", "text"])
def test_what_xdebug_prints_is_read_back(xdebug: list[str], form: str) -> None:
    """Values are read correctly or reported incomplete: the HTML omits the bytes F0 to FF, and some
    values are not printed as a dump at all.
    """
    errors = f"html_errors={int(form == 'html')}"
    run = subprocess.run(
        [*xdebug, "-d", errors, HERE / "php" / "values.php", "1", "300"],
        capture_output=True,
        check=True,
    )
    sure = 0
    for line in run.stdout.splitlines():
        case = json.loads(line)
        page = base64.b64decode(case["dump"])
        dumps = list(vardump.scan(page))
        if len(dumps) != 1 or not dumps[0].complete or dumps[0].ambiguous:
            continue
        sure += 1
        assert as_xdebug_tells(tree(dumps[0].node)) == as_xdebug_tells(
            without_high_bytes(as_php_says(case["truth"]), form)
        ), page
    assert sure > 150


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


def as_xdebug_tells(told: Any) -> Any:
    """Return a tree as Xdebug prints it: without references and private properties' classes, and
    with floats of 14 digits.
    """
    match told:
        case {"float": text}:
            return {"float": f"{float(text):.13e}"}
        case dict():
            return {
                name: as_xdebug_tells(inner)
                for name, inner in told.items()
                if name != "reference" and not ("private" in told and name == "class")
            }
        case list():
            return [as_xdebug_tells(inner) for inner in told]
    return told


TEXTS = st.binary(max_size=12) | st.sampled_from(
    [
        b'"]=>',
        b'"]=>\n  int(1)\n  ["',
        b"}\n",
        b'string(5) "x"',
        b'"\n}',
        b"array(1) {\n",
        b"\r\n",
        b"<b>&amp;</b>",
        b'":protected]=>\n',
        b"\\000",
    ]
)
NUMBERS = st.integers(-(2**63), 2**63 - 1).map(str)
NAMES = st.sampled_from(["A", "App\\Models\\User", "class@anonymous", "stdClass", "Ünïcode"])
KEYS = st.builds(vardump.Key, TEXTS, st.just("string")) | st.builds(
    vardump.Key, st.integers(-5, 99).map(lambda n: str(n).encode()), st.just("index")
)
PROPERTIES = (
    st.builds(vardump.Key, TEXTS, st.sampled_from(["public", "protected"]))
    | st.builds(vardump.Key, TEXTS, st.just("private"), NAMES)
    | st.builds(vardump.Key, st.integers(-5, 99).map(lambda n: str(n).encode()), st.just("index"))
)
FLOATS = st.floats().map(lambda number: repr(number).upper().replace("E-0", "E-"))
SCALARS = (
    st.builds(vardump.Null, reference=st.booleans())
    | st.builds(vardump.Bool, st.booleans(), reference=st.booleans())
    | st.builds(vardump.Int, NUMBERS, reference=st.booleans())
    | st.builds(vardump.Float, FLOATS)
    | TEXTS.map(lambda content: vardump.String(content, len(content)))
    | st.builds(vardump.Enum, NAMES.filter(str.isalpha), st.just("Case"))
    | st.builds(
        vardump.Resource,
        st.integers(0, 10**9),
        st.sampled_from(["stream", "Unknown", "stream-context"]),
    )
    | st.just(vardump.Recursion())
    | st.just(vardump.Unknown())
)


def arrays(inner: st.SearchStrategy[vardump.Value]) -> st.SearchStrategy[vardump.Value]:
    entries = st.lists(
        st.builds(vardump.Entry, KEYS, inner), max_size=4, unique_by=lambda entry: entry.key
    ).map(tuple)
    return entries.map(lambda entries: vardump.Array(len(entries), entries))


def objects(inner: st.SearchStrategy[vardump.Value]) -> st.SearchStrategy[vardump.Value]:
    held = inner | st.builds(vardump.Uninitialized, st.sampled_from(["int", "(A&B)|null"]))
    entries = st.lists(
        st.builds(vardump.Entry, PROPERTIES, held), max_size=4, unique_by=lambda entry: entry.key
    ).map(tuple)
    return st.builds(
        lambda entries, name, number, lazy: vardump.Object(
            sum(not isinstance(entry.value, vardump.Uninitialized) for entry in entries),
            entries,
            name,
            number,
            lazy,
        ),
        entries,
        NAMES,
        st.none() | st.integers(1, 99),
        st.sampled_from([None, "ghost", "proxy"]),
    )


VALUES = st.recursive(SCALARS, lambda inner: arrays(inner) | objects(inner), max_leaves=10)


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3))
def test_what_is_rendered_is_parsed_or_marked(values: list[vardump.Value]) -> None:
    dump = vardump.render(values)
    read = vardump.parse(dump)
    assert vardump.render(read) == dump
    if not any(getattr(value, "ambiguous", False) for value in read):
        assert read == tuple(values)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_dumps_one_after_the_other(one: vardump.Value, other: vardump.Value) -> None:
    a, b = vardump.render([one]), vardump.render([other])
    assert vardump.parse(a + b) == assumed_clear(a) + assumed_clear(b)


@settings(deadline=None)
@given(VALUES, st.data())
def test_every_prefix_is_scanned_to_a_prefix(value: vardump.Value, data: st.DataObject) -> None:
    dump = vardump.render([value])
    [node] = assumed_clear(dump)
    # A truncated key that looks like an entry cannot be distinguished from one.
    assume(dump.count(b"]=>") == count_keys(node))
    length = data.draw(st.integers(0, len(dump)))
    found = [dumped for dumped in vardump.scan(dump[:length]) if dumped.start == 0]
    assert all(dumped.ambiguous or is_prefix(dumped.node, node) for dumped in found)
    if length == len(dump) and isinstance(node, vardump.Container):
        assert [dumped.complete for dumped in found] == [True]


def assumed_clear(dump: bytes) -> tuple[vardump.Value, ...]:
    read = vardump.parse(dump)
    assume(len(read) == 1 and not getattr(read[0], "ambiguous", False))
    return read


def count_keys(node: vardump.Value) -> int:
    return (
        sum(1 + count_keys(entry.value) for entry in node.entries)
        if isinstance(node, vardump.Container)
        else 0
    )


def is_prefix(part: vardump.Value, whole: vardump.Value) -> bool:
    """Return whether ``part`` is ``whole``, or a prefix of it that is marked as cut."""
    if isinstance(part, vardump.String) and isinstance(whole, vardump.String):
        return part.content == whole.content or (
            part.cut and whole.content.startswith(part.content)
        )
    if isinstance(part, vardump.Container) and isinstance(whole, vardump.Container):
        pairs = list(zip(part.entries, whole.entries, strict=False))
        return (
            type(part) is type(whole)
            and part.declared == whole.declared
            and len(pairs) == len(part.entries)
            and (part.cut or len(part.entries) == len(whole.entries))
            and all(
                one.key == other.key and is_prefix(one.value, other.value) for one, other in pairs
            )
        )
    return part == whole


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_values_or_the_one_error(noise: bytes) -> None:
    for page in (
        noise,
        b"array(2) {\n  [0]=>\n  " + noise,
        b'string(9) "' + noise,
        b"&quot;string(3) &quot;" + noise,
        b"<b>array</b>\n" + noise,
    ):
        for dump in vardump.scan(page):
            assert 0 <= dump.start <= dump.end <= len(page)
            show.jsonable(dump.value)
        try:
            nodes = vardump.parse(page)
        except vardump.VarDumpError as error:
            assert 0 <= error.position <= len(page)
        else:
            assert vardump.render(nodes) == page


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
def test_nothing_but_the_one_error_is_raised(dump: bytes | str) -> None:
    with pytest.raises(vardump.VarDumpError) as caught:
        vardump.loads(dump)
    assert str(caught.value)
    if isinstance(dump, bytes):
        assert all(0 <= found.start <= found.end for found in vardump.scan(dump))


def test_nesting_of_100_000_levels_is_scanned() -> None:
    depth = 100_000
    page = b"array(1) {\n[0]=>\n" * depth + b"NULL\n" + b"}\n" * depth
    [dump] = vardump.scan(page)
    assert dump.complete
    assert dump.end == len(page) - 1
    value, levels = dump.value, 0
    while value:
        [value], levels = value, levels + 1
    assert levels == depth


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


@pytest.mark.parametrize(
    "page",
    [
        b'array(1) { ["a"]=> ' * 20_000
        + b"array(30) {"
        + b"".join(b' ["%d"]=> int(1)' % i for i in range(35))
        + b" }" * 20_001,
        b"int(1) " * 8_000,
        b"int(1)\n" + b"NULL " * 8_000,
        ROW.replace(b"Bob", b"B\xe9b") * 1_000,
        ROW.replace(b'"', b"&quot;") * 1_000,
        (ROW + b"}\n") * 800,
        b"object(" * 100_000,
        b"class " * 100_000,
    ],
    ids=["deep", "scalars", "nulls", "recoded", "escaped", "debris", "objects", "classes"],
)
def test_a_page_made_to_be_slow_is_scanned(page: bytes) -> None:
    assert all(0 <= dump.start <= dump.end <= len(page) for dump in vardump.scan(page))


def test_two_keys_that_are_one_in_json() -> None:
    assert show.jsonable({5: "a", "5": "b"}) == {"entries": [[5, "a"], ["5", "b"]]}


def test_a_codec_that_is_none() -> None:
    with pytest.raises(LookupError, match="no-such-codec"):
        list(vardump.scan(ROW, "no-such-codec"))


def test_text_is_taken_as_utf_8() -> None:
    assert vardump.loads('array(1) {\n  ["é"]=>\n  string(3) "’"\n}\n') == {"é": "’"}
    with pytest.raises(vardump.VarDumpError) as caught:
        vardump.loads('array(1) {\n  ["é’"]=>\n  int(x)\n}\n')
    assert (caught.value.position, caught.value.line, caught.value.column) == (24, 3, 3)
    # The result of open(errors="surrogateescape") for bytes that are not UTF-8.
    assert vardump.loads('string(1) "\udcff"\n') == b"\xff"


def test_what_is_no_text_is_refused() -> None:
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


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(SEED)))
def test_every_prefix_of_the_seed_is_scanned(length: int) -> None:
    whole = SEED[SEED.index(b"string(") :]
    dumps = list(vardump.scan(SEED[:length]))
    if length == len(SEED):
        assert [dump.complete for dump in dumps] == [True]
        assert (dumps[0].declared, dumps[0].actual) == (3416, 3416)
    for dump in dumps:
        assert isinstance(dump.node, vardump.String)
        assert dump.node.content in whole
        assert dump.complete or isinstance(dump.value, vardump.Cut)
        assert dump.complete or dump.error is not None


def test_a_page_of_another_charset() -> None:
    page = 'string(6) "café"'.encode("cp1252")
    [dump] = vardump.scan(page, "cp1252")
    assert (dump.value, dump.complete, dump.declared, dump.actual) == ("café", False, 6, 4)


def lines(values: Iterator[str]) -> str:
    return "\n".join(values)


def test_tree() -> None:
    [node] = vardump.parse(
        b'array(2) {\n  ["a\x1b"]=>\n  &object(B)#3 (1) {\n    ["p":"B":private]=>\n'
        b'    string(1) "\xff"\n  }\n  [1]=>\n  NULL\n}\n'
    )
    assert (
        lines(show.tree(node)) == 'array of 2\n  "a\\x1b": &B #3, object of 1\n'
        '    "p" private of B: "\\xff" (1 bytes)\n  1: NULL'
    )


WORDS = "خبر قصير"
"""Eight characters, fifteen bytes in UTF-8."""
CHARACTERS = lengths.CHARACTERS


@pytest.mark.parametrize("times", [1, 2, 70, 1_000])
@pytest.mark.parametrize(
    ("declared", "written", "how"),
    [
        pytest.param("bytes", "\n", vardump.EXACT, id="bytes"),
        pytest.param("characters", "\n", CHARACTERS, id="characters"),
        pytest.param("characters", "\r\n", CHARACTERS, id="characters, LF made CRLF"),
        pytest.param("characters of CRLF", "\n", CHARACTERS, id="characters, CRLF made LF"),
        pytest.param("bytes", "\r\n", lengths.LINE_ENDS_ADDED, id="LF made CRLF"),
        pytest.param("bytes of CRLF", "\n", lengths.LINE_ENDS_LOST, id="CRLF made LF"),
    ],
)
def test_what_a_length_counts(declared: str, written: str, how: str, times: int) -> None:
    text = "\n".join([f'{WORDS} "{WORDS}"'] * times + [WORDS])
    counted = text.replace("\n", "\r\n") if declared.endswith("CRLF") else text
    length = len(counted if declared.startswith("characters") else counted.encode())
    content = text.replace("\n", written).encode()
    page = b'<p>x</p>string(%d) "%b"\n<p>' % (length, content)
    [dump] = vardump.scan(page)
    # Line endings are restored if the length counts bytes.
    value = counted.encode() if declared.startswith("bytes") else content
    assert (dump.value, dump.how, dump.complete, dump.declared, dump.actual) == (
        value.decode(),
        how,
        True,
        length,
        len(value),
    )
    assert (dump.start, page[dump.end :]) == (8, b"\n<p>")


@pytest.mark.parametrize(("counted", "written"), [("\n", "\n"), ("\r\n", "\n"), ("\n", "\r\n")])
def test_a_length_counted_before_the_page_was_recoded(counted: str, written: str) -> None:
    text = "\n".join([f'{WORDS} "{WORDS}"'] * 3)
    length = len(text.replace("\n", counted).encode())
    content = text.replace("\n", written)
    [dump] = vardump.scan(f'string({length}) "{content}"\n'.encode("cp1256"), "cp1256")
    assert (dump.value, dump.how, dump.complete) == (content, lengths.RECODED, True)


def test_line_ends_of_which_the_page_kept_some() -> None:
    content = b"one\r\ntwo\nthree\nfour"
    [dump] = vardump.scan(b'string(%d) "%b"\n' % (len(content) + 2, content))
    assert (dump.how, dump.complete) == (lengths.LINE_ENDS_LOST, True)
    assert dump.value == "one\r\ntwo\r\nthree\r\nfour"


CUT = b"array(2) {\n  [0]=>\n  int(1)\n"
NUMBERS = b"array(1) {\n  [0]=>\n  int(2)\n}\n"


@pytest.mark.parametrize(
    ("broken", "sound"), [(0, 1), (1, 1), (198, 1), (199, 1), (200, 1), (201, 0)]
)
def test_a_page_of_many_broken_dumps(broken: int, sound: int) -> None:
    page = (b"<p>" + CUT + b"</p>\n") * broken + b"<p>" + NUMBERS + b"</p>"
    told = [(dump.value, dump.complete) for dump in vardump.scan(page)]
    assert told == [([1], False)] * min(broken, 201) + [([2], True)] * sound


@pytest.mark.parametrize(
    ("page", "value", "how"),
    [
        # The last quote is where the text was cut.
        (b'array(1) {\n  [0]=>\n  string(20) "a "b"', ['a "b"'], lengths.NOT_FOUND),
        # A quote before the closing bracket is part of the content.
        (b'string(99) "[{"a":"b"\n}]"\n', '[{"a":"b"\n}]', lengths.QUOTE),
        (b'string(99) "[b"\n} "c"\n', '[b"\n} "c"\n', lengths.NOT_FOUND),
    ],
)
def test_where_a_string_of_another_length_ends(page: bytes, value: object, how: str) -> None:
    [dump] = vardump.scan(page)
    assert (dump.value, dump.how, dump.complete) == (value, how, False)


def test_a_page_that_only_says_that_it_is_utf_8() -> None:
    [dump] = vardump.scan(b'string(6) "caf\xe9!"\n', "utf-8")
    assert (dump.value, dump.how, dump.complete) == (b"caf\xe9!", lengths.RECODED, True)


def xdebug_html(*lines: str) -> bytes:
    """Return Xdebug's HTML for lines such as ``KEY => int N`` and ``KEY => array SIZE``."""
    html = "<pre class='xdebug-var-dump' dir='ltr'>\n"
    for line in lines:
        line = line.replace(" =>", " <font color='#888a85'>=&gt;</font>")
        line = re.sub(r"array (\d+)", r"<b>array</b> <i>(size=\1)</i>", line)
        html += re.sub(r"int (\d+)", r"<small>int</small> <font color='#4e9a06'>\1</font>", line)
    return f"{html}\n</pre>".encode()


@pytest.mark.parametrize(
    ("lines", "value", "ambiguous"),
    [
        (["array 2", "\n  0 => int 1", "\n  1 => int 2"], [1, 2], False),
        (["array 2", "\n   0 => int 1", "\n  1 => int 2"], [1, 2], True),
        (["array 2", "\n  0 => int 1", "\n   1 => int 2"], [1, 2], True),
        # On one line, the size determines where an array ends.
        (["array 2", " 0 => array 1", " 0 => int 1", " 1 => int 2"], [[1], 2], True),
        (["array 2", " 0 => array 2", " 0 => int 1", " 1 => int 2"], [[1, 2]], True),
    ],
)
def test_indentation_of_xdebugs_html(lines: list[str], value: object, ambiguous: bool) -> None:
    [dump] = vardump.scan(xdebug_html(*lines))
    assert (dump.value, dump.ambiguous) == (value, ambiguous)
    assert dump.complete == (value != [[1, 2]])


def test_what_holds_a_shortened_string_is_cut() -> None:
    [dump] = vardump.scan(b'array(1) {\n  [0] =>\n  string(600) "abc"...\n}\n')
    assert (type(dump.value), type(dump.value[0])) == (vardump.CutList, vardump.CutStr)
    assert (dump.value, dump.error) == (["abc"], None)


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


def dump_of(key: bytes, head: bytes = b"array(1)") -> bytes:
    return head + b" {\n  [" + key + b"]=>\n  int(1)\n}\n"


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
    with pytest.raises(vardump.VarDumpError, match="has a key twice"):
        vardump.parse(dump % b"#1 ")


@pytest.mark.parametrize("length", [41, 4_000])
def test_a_long_key_of_a_page(length: int) -> None:
    key = b"k" * length
    [dump] = vardump.scan(dump_of(b'"%b"' % key).replace(b"\n", b"\r\n"))
    assert (dump.value, dump.complete) == ({key.decode(): 1}, True)


@pytest.mark.parametrize(("prose", "sound"), [(200, 1), (201, 0)])
def test_a_page_of_much_code_in_prose(prose: int, sound: int) -> None:
    page = b"<p>It begins with array(3) { there.</p>\n" * prose + b"<p>" + NUMBERS + b"</p>"
    assert [dump.value for dump in vardump.scan(page)] == [[2]] * sound


@pytest.mark.parametrize("before", [10, 1_900])
def test_an_escape_far_from_the_beginning(before: int) -> None:
    long = b"x" * before
    dump = b'array(2) {\n  [0]=>\n  string(%d) "%b"\n  [1]=>\n  string(3) "a&amp;b"\n}\n'
    [found] = vardump.scan(b"<pre>" + dump % (before, long) + b"</pre>")
    assert (found.value, found.form, found.complete) == ([long.decode(), "a&b"], "escaped", True)


def test_the_place_of_an_error_in_an_escaped_dump() -> None:
    page = b"<p>&quot;</p><pre>array(2) {\n  [0]=&gt;\n  string(1) &quot;&lt;&quot;\n  oops</pre>"
    [dump] = vardump.scan(page)
    assert dump.error is not None
    assert (dump.error.document, dump.value, dump.form) == (page, ["<"], "escaped")
    assert page[dump.error.position :] == b"oops</pre>"


def test_whole_dumps_are_not_counted_as_broken() -> None:
    dumps = list(vardump.scan((b"<p>" + NUMBERS + b"</p>") * 250))
    assert [(dump.value, dump.complete) for dump in dumps] == [([2], True)] * 250


def test_after_a_dump_that_was_cut() -> None:
    page = CUT + b"<p>x</p>\n" + NUMBERS + b"<hr>\n" + ROW
    told = [
        (page[dump.start : dump.end].strip(), dump.complete, dump.ambiguous, dump.value)
        for dump in vardump.scan(page)
    ]
    assert told == [
        (CUT.strip(), False, False, [1]),
        (NUMBERS.strip(), True, False, [2]),
        (ROW.strip(), True, False, {"name": "Bob", "id": 7}),
    ]
