"""Dumps in the forms in which people paste them, and the parts of damaged ones."""

import html
import re
from collections.abc import Callable

import pytest

from crawler import vardump
from crawler.vardump import lengths

NESTED = """\
array(2) {
  [0]=>
  array(3) {
    ["id"]=>
    string(7) "1751821"
    ["title"]=>
    string(20) "Army "advances" in A"
    ["ok"]=>
    bool(true)
  }
  [1]=>
  array(3) {
    ["id"]=>
    string(7) "1751822"
    ["title"]=>
    string(14) "Second & third"
    ["ok"]=>
    NULL
  }
}
"""
OBJECT = """\
object(Post)#4 (4) {
  ["ID"]=>
  int(5)
  ["t":protected]=>
  string(12) "אלרגיה"
  ["p":"Post":private]=>
  float(1.5)
  ["guid"]=>
  string(25) "http://a.b/?x=y&#038;p=13"
}
"""
FLAT = 'array(2) {\n  ["a"]=>\n  string(2) "x\'"\n  ["b"]=>\n  int(7)\n}\n'


def by_line(change: Callable[[int, str], str], end: str = "\n") -> Callable[[str], str]:
    return lambda dump: "".join(
        change(number, line) + end for number, line in enumerate(dump.splitlines(), 1)
    )


def curly(dump: str) -> str:
    quotes = iter("“”" * dump.count('"'))
    return re.sub('"', lambda _: next(quotes), dump).replace("'", "’")


def texturized(dump: str) -> str:
    dump = curly(html.escape(dump, quote=False))
    for quote, reference in (("“", "&#8220;"), ("”", "&#8221;"), ("’", "&#8217;")):
        dump = dump.replace(quote, reference)
    return "<p>" + dump.replace("\n", "<br />\n") + "</p>"


def beside_keys(dump: str) -> str:
    return re.sub(r"\]=>\n *", "] => ", dump)


def one_line(dump: str) -> str:
    return re.sub(r"\s*\n\s*", " ", dump)


escape = html.escape
FORMS: dict[str, Callable[[str], str]] = {
    "slashes": by_line(lambda _, line: f"// {line}"),
    "slashes and CRLF": by_line(lambda _, line: f"// {line}", "\r\n"),
    "stars": lambda dump: "/*\n" + by_line(lambda _, line: f" * {line}")(dump) + " */",
    "hashes": by_line(lambda _, line: f"# {line}"),
    "mail": by_line(lambda _, line: f"> {line}"),
    "mail twice": by_line(lambda _, line: f"> > {line}"),
    "mail, escaped": by_line(lambda _, line: f"&gt; {escape(line)}"),
    "numbers": by_line(lambda number, line: f"{number:>3} {line}"),
    "numbers and points": by_line(lambda number, line: f"{number}. {line}"),
    "numbers and bars": by_line(lambda number, line: f"{number:02d} | {line}"),
    "numbers and tabs": by_line(lambda number, line: f"{number}\t{line}"),
    "list": by_line(lambda _, line: f"<li>{escape(line)}</li>", ""),
    "list of code": by_line(lambda _, line: f"<li><code>{escape(line)}</code></li>"),
    "paragraphs": by_line(lambda _, line: f"<p>{escape(line)}</p>"),
    "table": by_line(lambda n, line: f"<tr><td>{n}</td><td>{escape(line)}</td></tr>"),
    "comments": by_line(lambda _, line: f"<!--{line}-->"),
    "coloured": by_line(lambda _, line: f'<span class="k">{escape(line)}</span><br>'),
    "spaces before arrows": lambda dump: dump.replace("]=>", "] =>"),
    "values beside keys": beside_keys,
    "aligned": lambda dump: re.sub(r"\]=>\n *", "]=>          ", dump),
    "curly": curly,
    "curly and beside keys": lambda dump: curly(beside_keys(dump)),
    "texturized": texturized,
    "escaped twice": lambda dump: escape(escape(dump)),
    "escaped three times": lambda dump: escape(escape(escape(dump))),
    "backticks": lambda dump: dump.replace("{", "`{`").replace("}", "`}`"),
    "PHP 6": lambda dump: dump.replace("string(", "unicode(").replace('["', '[u"'),
    "one line after slashes": lambda dump: "// " + one_line(dump),
    "empty lines": by_line(lambda _, line: line + "\n"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dump", [NESTED, OBJECT, FLAT], ids=["nested", "object", "flat"])
def test_a_form_in_which_people_paste_dumps(dump: str, form: str) -> None:
    page = f"<html><body>Text\n{FORMS[form](dump)}\n<p>More.</p></body></html>".encode()
    [found] = vardump.scan(page)
    assert (found.value, found.complete, found.part) == (vardump.loads(dump), True, False)
    assert not found.ambiguous or form == "one line after slashes"
    assert page[found.end :].endswith(b"<p>More.</p></body></html>")
    # Comments stay closed when the dump is cut out.
    assert page[: found.start].count(b"<!--") + page[found.end :].count(b"<!--") == (
        page[: found.start] + page[found.end :]
    ).count(b"-->")


@pytest.mark.parametrize(
    ("page", "value", "how"),
    [
        ('array(1) {\n[“a”]=>\nstring(5) “x”y”z”\n}', {"a": 'x"y"z'}, lengths.STRAIGHT_QUOTES),
        ('array(1) {\n["a"]=>\nstring(5) "“x”"\n}', {"a": "“x”"}, lengths.QUOTE),
        ('array(1) { ["a"]=> string(7) "x&y" }', {"a": "x&y"}, lengths.REFERENCES),
        ('array(1) { ["a"]=> string(8) "x&y" }', {"a": "x&y"}, lengths.REFERENCES),
        ('array(1) { ["a"]=> string(10) "<b>x" }', {"a": "<b>x"}, lengths.REFERENCES),
        ('array(1) { ["a"]=> string(9) "x&y" }', {"a": "x&y"}, lengths.QUOTE),
    ],
)  # fmt: skip
def test_what_the_length_of_a_pasted_string_counts(page: str, value: object, how: str) -> None:
    [dump] = vardump.scan(page.encode())
    assert (dump.value, dump.how, dump.complete) == (value, how, how != lengths.QUOTE)


def test_entries_left_out_by_hand() -> None:
    [dump] = vardump.scan(b'array(9) {\n  ["a"] => int(1)\n  ...\n  ["z"] => int(2)\n}\n')
    assert (type(dump.value), dump.value) == (vardump.CutDict, {"a": 1, "z": 2})


def test_misplaced_parentheses() -> None:
    [dump] = vardump.scan(b'object(A)#7) (2 {\n  ["a"]=>\n  int(1)\n  ["b"]=>\n  int(2)\n}\n')
    assert dump.value == vardump.PhpObject("A", 7, {"a": 1, "b": 2})
    assert (dump.complete, dump.error is None) == (False, False)


@pytest.mark.parametrize(
    "damage",
    [
        lambda dump: dump.replace("array(2) {", "array(2)"),
        lambda dump: dump.replace("array(", "aray("),
        lambda dump: dump.replace('["title"]', '["title"'),
        lambda dump: by_line(lambda n, line: f"{n * n} {line}")(dump.replace("array", "arr")),
        lambda dump: escape(dump.replace("array(", "aray(")).replace("\n", "<br>"),
        lambda dump: "".join(f"<div><i>{n}</i> {escape(line)}</div>\n" for n, line in
                             enumerate(dump.replace("array", "arr").splitlines())),
    ],
)  # fmt: skip
def test_strings_in_a_damaged_dump_are_parts(damage: Callable[[str], str]) -> None:
    dumps = list(vardump.scan(damage(NESTED).encode()))
    assert dumps
    assert not any(dump.complete for dump in dumps if isinstance(dump.node, vardump.String))
    assert all(dump.error is not None for dump in dumps if dump.part)


@pytest.mark.parametrize("cut", range(5, len(NESTED) - 2, 7))
def test_damage_anywhere_leaves_no_complete_string(cut: int) -> None:
    for form in ("slashes", "list", "curly", "PHP 6", "values beside keys"):
        page = FORMS[form](NESTED[:cut] + NESTED[cut + 3 :]).encode()
        for dump in vardump.scan(page):
            assert not dump.complete or not isinstance(dump.node, vardump.String)


COPY = """\
array (size=3)
  'a' => string 'it's "x"' (length=8)
  5 =>
    object(Foo\\Bar)[12]
      public 'x' => null
      protected 'y' (A) => float 1.5
      private 'z' => boolean true
      public 'list' =>
        array (size=0)
          empty
  'é' => int -7
"""
COPIED = {
    "a": 'it\'s "x"',
    5: vardump.PhpObject("Foo\\Bar", 12, {"x": None, "y": 1.5, "z": True, "list": []}),
    "é": -7,
}
XDEBUG_FORMS = {
    "plain": str,
    "pre": lambda dump: f"<pre>{escape(dump)}</pre>",
    "highlighted": lambda dump: f"<pre><code>{escape(dump)}</code></pre>",
    "stars": FORMS["stars"],
    "mail": FORMS["mail"],
    "numbers": FORMS["numbers"],
    "list": FORMS["list"],
    "old": lambda dump: re.sub(r" \(size=\d+\)", "", dump),
    "after the file": lambda dump: "/srv/www/a.php:12:\n" + dump,
}


@pytest.mark.parametrize("form", XDEBUG_FORMS)
def test_xdebugs_output_copied_from_a_browser(form: str) -> None:
    page = XDEBUG_FORMS[form](COPY) + "\nAnd then?\n"
    [dump] = vardump.scan(page.encode())
    assert (dump.value, dump.form, dump.complete) == (COPIED, "xdebug", True)


@pytest.mark.parametrize("length", range(14, len(COPY)))
def test_a_copy_that_was_cut(length: int) -> None:
    assert not any(dump.complete for dump in vardump.scan(COPY[:length].encode()[:-1]))


def test_a_copy_on_one_line() -> None:
    page = b"array (size=2) 0 => array (size=1) 'x' => int 5 1 => boolean false"
    [dump] = vardump.scan(page)
    assert (dump.value, dump.complete, dump.ambiguous) == ([{"x": 5}, False], True, True)


@pytest.mark.parametrize(
    "page",
    [
        b"An array (size=2) is an array of two.",
        b"object(Foo)[1] is the first.",
        b"$array (size=1)\n  0 => int 5",
        b"array\n  of words => int 5 (length=3)",
    ],
)
def test_prose_about_xdebug(page: bytes) -> None:
    assert not list(vardump.scan(page))


@pytest.mark.parametrize(
    "page",
    [
        b"array (size=1)\n  0 => " * 5_000,
        b"array (size=1)\n  'a' => string '" + b"' (length=9)" * 20_000,
        b"<li>array(1) {</li>" * 5_000,
        b"&amp;amp;quot;string(9) &amp;amp;quot;" * 5_000,
        "array(1) {\n1 [“a”]=>\n2 string(9) “".encode() + "”\n".encode() * 20_000,
        b"array(9) {\n// [0]=>\n" + b"// array(9) {\n// [0]=>\n" * 5_000,
    ],
)
def test_hostile_pages(page: bytes) -> None:
    assert all(0 <= dump.start <= dump.end <= len(page) for dump in vardump.scan(page))
