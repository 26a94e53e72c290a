"""Recognise other formats in which PHP prints values, so that an error can name them."""

import re

_FORMATS = {
    "Xdebug's HTML; scan() reads it": (
        rb"<pre class=['\"]xdebug-var-dump|<small>[^<]{1,200}:</small>"
        rb"|<small>(?:string|int|float|boolean)</small> <font"
        rb"|<b>(?:array|object)</b>"
    ),
    "the output of debug_zval_dump": (
        rb"(?:string\([0-9]+\) \"[^\n\"]*\""
        rb"|(?:array|object)\([^\n]{1,200}\)(?:#[0-9]+ \([0-9]+\))?)"
        rb" (?:refcount\([0-9]+\)|interned|immutable)"
    ),
    "the output of print_r": rb"(?:Array|[^\s()]{1,200} Object)\r?\n *\(",
    "the output of var_export": (
        rb"array \(\r?\n|\(object\) ?array\(|\\[A-Za-z_][\w\\]*::"
        rb"|[A-Za-z_\\][\w\\]*::__set_state|'(?:[^'\\]|\\.)*'\s*\Z"
    ),
    "JSON": rb"\[(?:\s*[\[{\"\]0-9-]|null|true|false)|\{\s*[\"}]",
    "the output of serialize": rb"[aOsidbCE]:[0-9]+[:;]|N;",
}
_STARTS = [(name, re.compile(rb"\s*(?:" + start + rb")")) for name, start in _FORMATS.items()]


def format_of(data: bytes) -> str | None:
    """Return the name of the format of ``data``, judged by its start, or None.

    ``data`` is a text that ``var_dump`` did not write.
    """
    return next((name for name, start in _STARTS if start.match(data)), None)
