"""What PHP and its tools print into pages, apart from var_dump, and what articles show of it."""

import pytest

from crawler.extraction.page import debug_output

PRINT_R = (
    "Array\n(\n    [0] => Story Object\n        (\n            [id] => 17\n"
    "            [title] => A (small) one\n        )\n\n    [list] => Array\n        (\n"
    "        )\n\n)\n"
)
VAR_EXPORT = "array (\n  0 => \n  array (\n    'id' => 17,\n    'title' => 'a)',\n  ),\n)"
OBJECT = "Story::__set_state(array(\n   'id' => 17,\n))"
STD_CLASS = "(object) array(\n  'id' => 17,\n)"
NOTICE = (
    "<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/www/a.php</b> on line <b>3</b><br />"
)
FATAL = (
    "<br />\n<b>Fatal error</b>:  Uncaught Exception: no in C:\\www\\a.php:3\nStack trace:\n"
    "#0 {main}\n  thrown in <b>C:\\www\\a.php</b> on line <b>3</b><br />"
)
PLAIN = "PHP Warning:  Undefined variable $x in /srv/www/a.php on line 3"
TRACE = (
    "Fatal error: Uncaught Error: no in /srv/a.php:3\nStack trace:\n#0 /srv/b.php(4): f()\n"
    "#1 {main}\n  thrown in /srv/a.php on line 3"
)
TABLE = (
    "<br />\n<font size='1'><table class='xdebug-error xe-notice' dir='ltr'><tr><th>( ! ) Notice: "
    "Undefined index in /srv/a.php on line <i>31</i></th></tr></table></font>"
)
OUTPUTS = {
    "print_r": PRINT_R,
    "var_export": VAR_EXPORT,
    "object": OBJECT,
    "stdClass": STD_CLASS,
    "notice": NOTICE,
    "fatal": FATAL,
    "plain": PLAIN,
    "trace": TRACE,
    "table": TABLE,
}
PROSE = "<p>The port was closed (for a day) on line 3 of the ferry.</p>"


def without(text: str) -> str:
    return debug_output.without(text, text.encode())


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("escaped", [False, True])
def test_output_is_cut_out(output: str, escaped: bool) -> None:
    if escaped:
        output = output.replace(" => ", " =&gt; ")
    for before, after in (("", "\n<!DOCTYPE html>" + PROSE), (PROSE, PROSE), (PROSE + "\n", "\n")):
        assert without(f"{before}{output}{after}").split() == f"{before}\n{after}".split()
    assert without(PROSE + output + NOTICE + PROSE).split() == (PROSE + " " + PROSE).split()


@pytest.mark.parametrize("output", [PRINT_R, VAR_EXPORT, PLAIN, TRACE], ids=str.split)
def test_listings_are_kept(output: str) -> None:
    for page in (
        f"{PROSE}<pre><code>{output}</code></pre>",
        f'{PROSE}<pre class="brush: php">{output}</pre>',
        f"<p>PHP has print_r for this.</p><pre>{output}</pre>",
    ):
        assert without(page) == page


def test_a_pre_of_output_is_dropped_whole() -> None:
    assert without(f"{PROSE}<pre>\n{PRINT_R}\n</pre>{PROSE}") == f"{PROSE}\n{PROSE}"
    mixed = without(f"{PROSE}<pre>A poem\n{PRINT_R}</pre>{PROSE}")
    assert mixed.split() == f"{PROSE}<pre>A poem </pre>{PROSE}".split()


def test_output_that_was_cut() -> None:
    cut = PRINT_R[: PRINT_R.index("[id]")] + "[id] => 1"
    assert without(f"{PROSE}{cut}") == f"{PROSE}\n"


@pytest.mark.parametrize(
    "text",
    [
        "An Array (of things) on line 4 was closed.",
        "var a = new Array(\n  1, 2);",
        "The Object\n(\n  of art)",
        "foo(\n  array(\n  $x\n)",
        "Warning: ice on line 3 of the tram.",
        "array (\n  of words)",
    ],
)
def test_other_text_is_kept(text: str) -> None:
    assert without(text) == text


@pytest.mark.parametrize(
    "paragraph",
    [
        '[{"id":17,"title":"Ferry"}]',
        '{"id": 17}',
        "Warning: Undefined variable $x in /srv/a.php on line 3",
        "( ! ) Notice: Undefined index: credit in /srv/a.php on line 31",
        "Fatal error: Uncaught Error: no in /srv/a.php:3",
        "Stack trace: #0 {main}",
        "#1 /srv/a.php(7): f()",
        "WordPress database error: [Table 'wp.x' doesn't exist]",
        "Array ( [0] => Story Object ( [id] => 17 ) )",
        "array ( 'id' => 17, )",
    ],
)
def test_paragraphs_of_output(paragraph: str) -> None:
    assert debug_output.is_output(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        '[sic] he wrote: "No".',
        "{ } are braces.",
        "Warning: storms are expected in Velmora on Monday.",
        "Array of (1) sheds.",
        "SELECT Committee on Ports sits on Monday.",
        "#1 in the charts.",
        "",
    ],
)
def test_other_paragraphs(paragraph: str) -> None:
    assert not debug_output.is_output(paragraph)
    assert debug_output.without_output([paragraph]) == (paragraph,)


def test_the_query_below_a_database_error() -> None:
    error = "WordPress database error: [Unknown column 'x']"
    query = "SELECT * FROM wp_posts WHERE x = 1"
    assert debug_output.without_output(["One.", error, query, "Two.", query]) == (
        "One.",
        "Two.",
        query,
    )


@pytest.mark.parametrize(
    ("name", "is_output"),
    [
        ("sf-dump", True),
        ("box krumo-root", True),
        ("xdebug-error xe-notice", True),
        ("wpdberror", True),
        ("sf-dumpling", False),
        ("", False),
    ],
)
def test_classes_of_tools(name: str, is_output: bool) -> None:
    assert debug_output.is_output_class(name) == is_output


@pytest.mark.parametrize(
    "text",
    [
        "Array\n(\n  " * 5_000,
        "<b>Warning</b>: x in " * 20_000 + " on line ",
        "<b>Warning</b>: x on line " * 20_000,
        "Warning: \n" * 20_000 + " on line " * 1_000,
        "array (\n  0 =&gt; " * 5_000,
        "<pre>" * 5_000 + PRINT_R,
        "xdebug-error <br /> on line " + "<table class=xdebug-error " * 5_000,
    ],
)
def test_hostile_text(text: str) -> None:
    assert isinstance(without(text), str)
    debug_output.is_output(text)
