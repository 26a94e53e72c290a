"""Other ways in which PHP prints a value, told by how they start, so that an error can name them."""

import re

_FORMATS = {
    "Xdebug's HTML; scan() reads it": (
        rb"<pre class=['\"]xdebug-var-dump|<small>[^<]{1,200}:</small>|<small>(?:string|int|float|boolean)</small> <font"
        rb"|<b>(?:array|object)</b>"
    ),
    "the output of debug_zval_dump": (
        rb"(?:string\([0-9]+\) \"[^\n\"]*\"|(?:array|object)\([^\n]{1,200}\)(?:#[0-9]+ \([0-9]+\))?)"
        rb" (?:refcount\([0-9]+\)|interned|immutable)"
    ),
    "the output of print_r": rb"(?:Array|[^\s()]{1,200} Object)\n *\(",
    "the output of var_export": (
        rb"array \(\n|\(object\) ?array\(|\\[A-Za-z_][\w\\]*::|[A-Za-z_\\][\w\\]*::__set_state|'(?:[^'\\]|\\.)*'\s*\Z"
    ),
    "JSON": rb"\[(?:\s*[\[{\"\]0-9-]|null|true|false)|\{\s*[\"}]",
    "the output of serialize": rb"[aOsidbCE]:[0-9]+[:;]|N;",
}
_STARTS = [(name, re.compile(rb"\s*(?:" + start + rb")")) for name, start in _FORMATS.items()]


def format_of(data: bytes) -> str | None:
    """Name the format of ``data``, if it is one of these, for a text that ``var_dump`` did not write."""
    return next((name for name, start in _STARTS if start.match(data)), None)
