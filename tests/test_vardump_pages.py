"""Dumps found in pages: damaged, recoded or escaped, and in pages designed to be slow."""

import re

import pytest
from vardump_dumps import NUMBERS, dump_of

from crawler import vardump
from crawler.vardump import lengths

ROW = b'array(2) {\n  ["name"]=>\n  string(3) "Bob"\n  ["id"]=>\n  int(7)\n}\n'


@pytest.mark.slow
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


@pytest.mark.slow_after(1)
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
def test_a_page_designed_to_be_slow_is_scanned(page: bytes) -> None:
    assert all(0 <= dump.start <= dump.end <= len(page) for dump in vardump.scan(page))


def test_an_unknown_codec() -> None:
    with pytest.raises(LookupError, match="no-such-codec"):
        list(vardump.scan(ROW, "no-such-codec"))


def test_a_page_of_another_charset() -> None:
    page = 'string(6) "café"'.encode("cp1252")
    [dump] = vardump.scan(page, "cp1252")
    assert (dump.value, dump.complete, dump.declared, dump.actual) == ("café", False, 6, 4)


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
    counted_text = text.replace("\n", "\r\n") if declared.endswith("CRLF") else text
    length = len(counted_text if declared.startswith("characters") else counted_text.encode())
    content = text.replace("\n", written).encode()
    page = b'<p>x</p>string(%d) "%b"\n<p>' % (length, content)
    [dump] = vardump.scan(page)
    # Line endings are restored if the length counts bytes.
    value = counted_text.encode() if declared.startswith("bytes") else content
    assert (dump.value, dump.how, dump.complete, dump.declared, dump.actual) == (
        value.decode(),
        how,
        True,
        length,
        len(value),
    )
    assert (dump.start, page[dump.end :]) == (8, b"\n<p>")


@pytest.mark.parametrize(
    ("counted_ending", "written_ending"), [("\n", "\n"), ("\r\n", "\n"), ("\n", "\r\n")]
)
def test_a_length_counted_before_the_page_was_recoded(
    counted_ending: str, written_ending: str
) -> None:
    text = "\n".join([f'{WORDS} "{WORDS}"'] * 3)
    length = len(text.replace("\n", counted_ending).encode())
    content = text.replace("\n", written_ending)
    [dump] = vardump.scan(f'string({length}) "{content}"\n'.encode("cp1256"), "cp1256")
    assert (dump.value, dump.how, dump.complete) == (content, lengths.RECODED, True)


def test_a_page_that_kept_some_line_ends() -> None:
    content = b"one\r\ntwo\nthree\nfour"
    [dump] = vardump.scan(b'string(%d) "%b"\n' % (len(content) + 2, content))
    assert (dump.how, dump.complete) == (lengths.LINE_ENDS_LOST, True)
    assert dump.value == "one\r\ntwo\r\nthree\r\nfour"


CUT_DUMP = b"array(2) {\n  [0]=>\n  int(1)\n"


@pytest.mark.parametrize(
    ("broken", "sound"), [(0, 1), (1, 1), (198, 1), (199, 1), (200, 1), (201, 0)]
)
def test_a_page_of_many_broken_dumps(broken: int, sound: int) -> None:
    page = (b"<p>" + CUT_DUMP + b"</p>\n") * broken + b"<p>" + NUMBERS + b"</p>"
    dumps = [(dump.value, dump.complete) for dump in vardump.scan(page)]
    assert dumps == [([1], False)] * min(broken, 201) + [([2], True)] * sound


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
def test_where_a_string_of_the_wrong_length_ends(page: bytes, value: object, how: str) -> None:
    [dump] = vardump.scan(page)
    assert (dump.value, dump.how, dump.complete) == (value, how, False)


def test_a_page_that_wrongly_says_that_it_is_utf_8() -> None:
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


def test_an_array_with_a_shortened_string_is_cut() -> None:
    [dump] = vardump.scan(b'array(1) {\n  [0] =>\n  string(600) "abc"...\n}\n')
    assert (type(dump.value), type(dump.value[0])) == (vardump.CutList, vardump.CutStr)
    assert (dump.value, dump.error) == (["abc"], None)


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
    filler = b"x" * before
    dump = b'array(2) {\n  [0]=>\n  string(%d) "%b"\n  [1]=>\n  string(3) "a&amp;b"\n}\n'
    [found] = vardump.scan(b"<pre>" + dump % (before, filler) + b"</pre>")
    assert (found.value, found.form, found.complete) == ([filler.decode(), "a&b"], "escaped", True)


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
    page = CUT_DUMP + b"<p>x</p>\n" + NUMBERS + b"<hr>\n" + ROW
    dumps = [
        (page[dump.start : dump.end].strip(), dump.complete, dump.ambiguous, dump.value)
        for dump in vardump.scan(page)
    ]
    assert dumps == [
        (CUT_DUMP.strip(), False, False, [1]),
        (NUMBERS.strip(), True, False, [2]),
        (ROW.strip(), True, False, {"name": "Bob", "id": 7}),
    ]
