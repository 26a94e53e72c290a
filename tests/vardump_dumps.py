"""Dumps shared by the tests of parsing and of scanning."""

NUMBERS = b"array(1) {\n  [0]=>\n  int(2)\n}\n"


def dump_of(key: bytes, head: bytes = b"array(1)") -> bytes:
    return head + b" {\n  [" + key + b"]=>\n  int(1)\n}\n"
