"""Recognise the output of PHP and its debugging tools in a page, other than ``var_dump``.

``without`` takes the text of a page before it is parsed and returns it without the output of
``print_r`` and ``var_export``, PHP's error messages and Xdebug's error tables. ``is_output_class``
says whether the class of an element is that of a tool, such as Symfony's VarDumper, and
``without_output`` drops paragraphs that are such output. Nothing here raises.

An article about PHP shows the same texts as code. So output in ``<code>``, or in a ``<pre>`` with a
class, as syntax highlighters give it, is kept, and so is any in a ``<pre>`` of a page that speaks
of PHP.
"""

import json
import re
from collections.abc import Iterable, Iterator

# Two cheap checks, the only cost for a page without such output: every error message names a line,
# and both dumps break the line and indent the next one after a parenthesis.
_LINE = b" on line "
_OPENING = b"(\n  "
# The head of print_r's output, and of var_export's, up to the parenthesis and its first entry.
_HEAD = re.compile(
    r"(?P<print_r>(?<![\w$])(?:Array|[A-Za-z_][\w\\]{0,200} Object)[ \t]*(?:\r?\n)?"
    r"(?P<indent>[ \t]*)\((?=\s*(?:\[[^\]\n]{0,500}\] =(?:>|&gt;)|\))))"
    r"|(?<![\w$])(?:array|\(object\) ?array|\\?[A-Za-z_][\w\\]{0,200}::__set_state\(array) ?\("
    r"(?=\r?\n\s*(?:-?[0-9]{1,20}|'[^'\n]{0,500}') =(?:>|&gt;)|\r?\n\))"
)
_LONGEST_HEAD = 300
# A line of either dump, except the further lines of a string.
_DUMP_LINE = re.compile(
    r"[ \t]*(?:(?:[()]{1,2},?)?[ \t\r]*(?=\n)"
    r"|(?:\[[^\]\n]{0,500}\]|'[^'\n]{0,500}'|-?[0-9]{1,20}) =(?:>|&gt;)[^\n<]*)"
)
_PATH = r"(?:(?:[a-z]{2,10}:/)?/|[A-Za-z]:[\\/]|Unknown|Command line code)[^<>\r\n]{0,500}?"
_LEVEL = (
    r"(?:Warning|Notice|Deprecated|Strict Standards|Parse error|Fatal error|"
    r"(?:Catchable|Recoverable) fatal error|Core (?:warning|error)|Compile (?:warning|error))"
)
_MESSAGE = re.compile(
    # html_errors prints tags; the log format has none. A message may have a stack trace in it.
    r"(?:<br ?/?>\s*)?<b>" + _LEVEL + r"</b>:\s(?:(?!<b>" + _LEVEL + r"</b>).){1,4000}? in "
    r"<b>" + _PATH + r"</b> on line <b>[0-9]{1,9}</b>(?:\s*<br ?/?>)?"
    r"|(?<![^\n>])[ \t]*(?:PHP )?"
    + _LEVEL
    + r": (?:[^\r\n<]|\r?\n(?:Stack trace:|#[0-9]|  thrown))"
    r"{1,4000}?\s(?:in|thrown in) " + _PATH + r" on line [0-9]{1,9}\b",
    re.DOTALL,
)
_TABLE_START = re.compile(
    r"(?:<br ?/?>\s*)?(?:<font size=['\"]?1['\"]?>)?<table class=['\"]?xdebug-error"
)
_TABLE_END = re.compile(r"</table>(?:</font>)?")
_LONGEST_TABLE = 100_000
_LEVEL_START = re.compile(
    r"(?:<br ?/?>\s*)?<b>" + _LEVEL + r"</b>:|(?<![^\n>])[ \t]*(?:PHP )?" + _LEVEL + ": "
)
_LONGEST_MESSAGE = 4_200
_LISTING = re.compile(
    r"<(?P<end>/?)(?P<tag>pre|code|textarea|script)\b(?P<attributes>[^<>]*)>", re.I
)
_SPEAKS_OF_PHP = re.compile(
    r"\bPHP\b(?! (?:Warning|Notice|Fatal|Parse|Deprecated))|\b(?:print_r|var_export|var_dump)\b"
)
_TAG = re.compile(r"<[^<>]*>")
# More pieces of output are the mark of a page that was built to be slow.
_MOST = 500

_OUTPUT_CLASSES = frozenset(
    "sf-dump krumo-root krumo xdebug-error xdebug-var-dump wpdberror kint kint-rich".split()
)
_OUTPUT = re.compile(
    r"(?:\( ! \) ?|PHP )?"
    + _LEVEL
    + r":\s.{1,4000}? (?:in|thrown in) "
    + _PATH
    + r"(?: on line |:)[0-9]{1,9}\b"
    r"|WordPress database error:? \[|Stack trace:\s*#0 |#[0-9]{1,3} (?:\{main\}|"
    + _PATH
    + r"\([0-9]{1,9}\): )"
    r"|(?:Array|[A-Za-z_][\w\\]{0,200} Object) ?\( (?:\[[^\]]{0,500}\] => |\)).*\)\s*\Z"
    r"|array \( (?:-?[0-9]{1,20}|'[^']{0,500}') => .*\)\s*;?\s*\Z",
    re.DOTALL,
)
_QUERY = re.compile(
    r"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|SHOW|DESCRIBE|CREATE|ALTER)\b.*", re.DOTALL
)
_LONGEST_JSON = 1_000_000


def without(text: str, page: bytes) -> str:
    """Return the ``text`` of a page without the output of PHP and its tools.

    ``page`` is its bytes in an encoding that extends ASCII; bytes are searched faster than text.
    """
    if _LINE in page:
        text = _cut(text, _messages(text))
    if _OPENING in page:
        text = _cut(text, _dumps(text))
    return text


def is_output_class(name: str) -> bool:
    """Return whether an element with the class attribute ``name`` holds a tool's output."""
    return not _OUTPUT_CLASSES.isdisjoint(name.split())


def without_output(paragraphs: Iterable[str]) -> tuple[str, ...]:
    """Return the paragraphs without those that are output of PHP, its tools or ``json_encode``."""
    kept = []
    after_database_error = False
    for paragraph in paragraphs:
        if is_output(paragraph):
            after_database_error = paragraph.startswith("WordPress database error")
        elif not (after_database_error and _QUERY.fullmatch(paragraph)):
            # WordPress prints the query below its error.
            after_database_error = False
            kept.append(paragraph)
    return tuple(kept)


def is_output(paragraph: str) -> bool:
    """Return whether a paragraph is output of PHP, its tools or ``json_encode``."""
    if paragraph[:1] in ("[", "{"):
        return _is_json(paragraph)
    return _OUTPUT.match(paragraph) is not None


def _is_json(text: str) -> bool:
    """Return whether ``text`` is a JSON object or a list of objects, and not just brackets."""
    if '":' not in text or len(text) > _LONGEST_JSON:
        return False
    try:
        return isinstance(json.loads(text, strict=False), (dict, list))
    except (ValueError, RecursionError):
        return False


def _cut(text: str, pieces: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` with each of the ``pieces`` replaced by a line break."""
    parts: list[str] = []
    position = 0
    for start, end in pieces:
        parts += (text[position:start], "\n")
        position = end
    parts.append(text[position:])
    return "".join(parts)


def _messages(text: str) -> Iterator[tuple[int, int]]:
    """Yield the place of each error message or table."""
    places = list(_tables(text))
    done = 0
    for line in _occurrences(text, _LINE.decode()):
        for start in _LEVEL_START.finditer(text, max(done, line - _LONGEST_MESSAGE), line):
            message = _MESSAGE.match(text, start.start())
            if message and message.end() > line:
                done = message.end()
                places.append(message.span())
                break
    yield from _apart(text, places)


def _tables(text: str) -> Iterator[tuple[int, int]]:
    """Yield the place of each of Xdebug's error tables."""
    done = 0
    for name in _occurrences(text, "xdebug-error"):
        # The table is preceded by a line break and a font element.
        start = _TABLE_START.search(text, max(done, name - 60), name + 20)
        if start and name < start.end():
            end = _TABLE_END.search(text, name, name + _LONGEST_TABLE)
            if end is None:
                return
            done = end.end()
            yield start.start(), done


def _dumps(text: str) -> Iterator[tuple[int, int]]:
    """Yield the place of each output of print_r or var_export."""
    places = []
    done = 0
    for opening in _occurrences(text, _OPENING.decode()):
        first = max(done, opening - _LONGEST_HEAD)
        before = text[first:opening].rstrip()
        if opening < done or not before.endswith(("Array", " Object", "array")):
            continue
        head = _HEAD.search(text, first, opening + _LONGEST_HEAD)
        if head is None or head.end() != opening + 1:
            continue
        done = _end_of_dump(text, head)
        places.append((head.start(), done))
    yield from _apart(text, places)


def _occurrences(text: str, part: str) -> Iterator[int]:
    position = text.find(part)
    for _ in range(_MOST):
        if position < 0:
            return
        yield position
        position = text.find(part, position + 1)


def _end_of_dump(text: str, head: re.Match[str]) -> int:
    """Return the end of the container that begins with ``head``.

    Its last parenthesis has the indentation of its first. If there is none, the page was cut, and
    the output ends after its last entry.
    """
    indent = re.escape(head["indent"] or "") if head["print_r"] else ""
    end = re.compile(r"\n" + indent + r"\){1,2};?(?=[ \t]*(?:\r?\n|<|\Z))").search(text, head.end())
    if end is not None:
        return end.end()
    position = head.end()
    while (line := text.find("\n", position) + 1) and (found := _DUMP_LINE.match(text, line)):
        position = found.end()
    return position


def _apart(text: str, places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the places, in order and without overlaps, that are not parts of code listings."""
    if not places:
        return
    places.sort()
    speaks_of_php: bool | None = None
    tags = _LISTING.finditer(text)
    tag = next(tags, None)
    open_: list[re.Match[str]] = []
    done = 0
    for start, end in places:
        if start < done:
            continue
        while tag is not None and tag.start() < start:
            if not tag["end"]:
                open_.append(tag)
            elif open_ and open_[-1]["tag"].lower() == tag["tag"].lower():
                open_.pop()
            tag = next(tags, None)
        if open_:
            holder = open_[-1]
            if holder["tag"].lower() != "pre" or "class" in holder["attributes"].lower():
                continue
            closing = re.compile(r"\s*</pre\s*>", re.I).match(text, end)
            if speaks_of_php is None:
                speaks_of_php = _speaks_of_php(text, places)
            if speaks_of_php:
                continue
            if closing and not text[holder.end() : start].strip():
                start, end = holder.start(), closing.end()
        done = end
        yield start, end


def _speaks_of_php(text: str, places: list[tuple[int, int]]) -> bool:
    """Return whether the page mentions PHP outside the output and its tags."""
    return _SPEAKS_OF_PHP.search(_TAG.sub(" ", _cut(text, places))) is not None
